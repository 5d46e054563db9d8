/* Keys that are not to be asked for again for a while, each with the class of its failure. Pure but for load and save.
 *
 * Times are seconds of *running time*: how long the program has run in all its lives, as the owner counts it. No wall
 * clock is compared: a box without a battery for its clock starts in 1970, and every "until" of the calendar would be
 * far ahead, or far behind once the time is known. The price: hours in which the box is off do not count, so an entry
 * lasts longer than its time, never less. Thread-safety: one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define NEGATIVE_CLASS_MAX 24                     /* of a class's name, with its end */
#define NEGATIVE_MAX       ((size_t)2000)         /* keys; the one that ends first gives way */
#define NEGATIVE_LONGEST_S (400 * INT64_C(86400)) /* a longer time is a mistake, and is cut */

struct negative_entry {
    char *key;
    char class[NEGATIVE_CLASS_MAX];
    int64_t until_s;
};

struct negative { /* all zero: empty */
    struct negative_entry *at;
    size_t count, cap;
    bool is_dirty; /* differs from what was loaded or saved last */
};

void negative_finish(struct negative *n);
/* The file may be missing. Keys for which `is_key` says no, and what cannot be read, are left out. Returns the running
 * time when it was saved; 0 when that is not known. Blocks on disk. */
int64_t negative_load(struct negative *n, const char *path, bool (*is_key)(const char *key));
/* 0 or -errno. Blocks on disk. */
WARN_UNUSED int negative_save(struct negative *n, const char *path, int64_t now_s);

/* Replaces an older one of the key. */
void negative_put(struct negative *n, const char *key, const char *class, int64_t for_s,
                  int64_t now_s);
/* NULL: it may be asked for. Borrowed until the next change. */
const struct negative_entry *negative_find(const struct negative *n, const char *key,
                                           int64_t now_s);
void negative_forget(struct negative *n, const char *key); /* NULL: all */
