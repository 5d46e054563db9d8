#include "output/font_cache.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct open_font {
    TTF_Font *font; /* NULL: opening failed; kept, so that it is not tried each second */
    const char *file;
    long index;
    int size;
    uint64_t used; /* turn of the last use */
};

struct font_cache {
    struct log *log;
    struct open_font font[FONT_CACHE_MAX];
    size_t count;
    uint64_t turn;
};

int font_cache_open(struct font_cache **out, struct log *log)
{
    if (TTF_Init() < 0) {
        log_err(log, "text: SDL_ttf does not start: %s", TTF_GetError());
        return -EIO;
    }
    struct font_cache *c = xcalloc(1, sizeof(*c));
    c->log = log;
    *out = c;
    return 0;
}

void font_cache_close(struct font_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++) {
        if (c->font[i].font)
            TTF_CloseFont(c->font[i].font);
    }
    TTF_Quit();
    free(c);
}

static struct open_font *make_room(struct font_cache *c)
{
    if (c->count < FONT_CACHE_MAX)
        return &c->font[c->count++];
    struct open_font *oldest = &c->font[0];
    for (size_t i = 1; i < c->count; i++) {
        if (c->font[i].used < oldest->used)
            oldest = &c->font[i];
    }
    if (oldest->font)
        TTF_CloseFont(oldest->font);
    return oldest;
}

TTF_Font *font_cache_get(struct font_cache *c, const struct font_face *face, int size)
{
    c->turn++;
    for (size_t i = 0; i < c->count; i++) {
        struct open_font *f = &c->font[i];
        if (f->index == face->index && f->size == size && strcmp(f->file, face->file) == 0) {
            f->used = c->turn;
            return f->font;
        }
    }
    struct open_font *f = make_room(c);
    *f = (struct open_font){ .file = face->file, .index = face->index, .size = size };
    f->used = c->turn;
    f->font = TTF_OpenFontIndex(face->file, size, face->index);
    if (!f->font)
        log_warn(c->log, "%s: cannot open font: %s", face->file, TTF_GetError());
    else if (!face->is_colour) /* glyphs at fractions of a pixel: even spacing at small sizes */
        TTF_SetFontHinting(f->font, TTF_HINTING_LIGHT_SUBPIXEL);
    return f->font;
}

size_t font_cache_count(const struct font_cache *c)
{
    return c->count;
}
