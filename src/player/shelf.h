/* What the cache holds, as the loop's thread knows it without asking the disk: the key of a song, and its file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct shelf_song {
    char *key, *path;
    char *title, *artist; /* "": not known */
    double duration_s;    /* 0: not known */
    bool is_pinned;       /* of the house playlist: it stays */
};

struct shelf {             /* all zero: empty */
    struct shelf_song *at; /* by key */
    size_t count, cap;
};

void shelf_finish(struct shelf *s);
/* Texts are copied; NULL is "". Replaces what was there of that key. */
void shelf_put(struct shelf *s, const struct shelf_song *song);
void shelf_drop(struct shelf *s, const char *key);
/* NULL: it is not there. Borrowed until the next change. */
const struct shelf_song *shelf_find(const struct shelf *s, const char *key);
