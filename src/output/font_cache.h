/* Fonts opened by SDL_ttf, at most a few at a time; the one not used for longest is closed for a
 * new one. SDL_ttf keeps one FreeType library for the process and no lock: all of this on one
 * thread. */
#pragma once

#include <SDL_ttf.h>
#include <stddef.h>

#include "output/font_list.h"

#define FONT_CACHE_MAX 24

struct font_cache;

/* 0, or -EIO when SDL_ttf cannot start. */
int font_cache_open(struct font_cache **out, struct log *log);
void font_cache_close(struct font_cache *c);
/* The font, borrowed until the next call; NULL: the file cannot be used, which is logged and
 * remembered. The face's file name must outlive the cache. */
TTF_Font *font_cache_get(struct font_cache *c, const struct font_face *face, int size);
size_t font_cache_count(const struct font_cache *c);
