/* Subtitles that came with a fetched song: media.LANGUAGE.EXT beside its file. They come from the worker, which is not
 * trusted, so what is kept is looked at. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CACHE_TEXT_BYTES_MAX ((size_t)2 << 20) /* what a deck reads, see media/text_file.h */

/* Whether `name` is one that subtitles of a song have there. Pure. */
bool cache_text_is_name(const char *name);
/* The size of FOLDER/NAME when it is such a file and can be kept: a small regular file of UTF-8 text. Its bytes are on disk
 * then. 0: it cannot be kept. */
size_t cache_text_keep(const char *folder, const char *name);
