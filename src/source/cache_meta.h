/* What is known of a media file in the cache: the contents of its meta.json. Plain data. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/sha256.h"

#define CACHE_FILE_MAX 16 /* of the media file's name, with its end */
#define CACHE_META_MAX ((size_t)64 * 1024)

struct cache_meta {
    /* The caller's. Texts are owned; NULL or empty: not known. */
    char *id, *title, *artist;
    char *url;       /* where it came from */
    char *profile;   /* of the formats asked for, "pi3" */
    int height;      /* lines of the picture, as its source says; 0: not known */
    char *codecs;    /* "h264 aac" */
    char *extractor; /* version of what found it */
    double duration_s;
    int64_t fetched_ms; /* since 1970 as the box believed; for people, never compared */
    bool has_loudness;
    double loudness_lufs, peak_db;
    bool has_ends;
    double first_sound_s, last_sound_s;

    /* The cache's. */
    char file[CACHE_FILE_MAX];
    uint64_t bytes;      /* of the media file */
    uint64_t text_bytes; /* of its subtitles */
    char sha256[SHA256_TEXT_SIZE];
};

void cache_meta_finish(
    struct cache_meta *m); /* all zero afterwards, and a fine value to begin with */
struct cache_meta cache_meta_copy(const struct cache_meta *m);

/* One JSON object; the caller frees. */
char *cache_meta_text(const struct cache_meta *m, const char *key);
/* 0, or -EBADMSG: it is not the whole text of the entry `key`, and *out is empty. */
WARN_UNUSED int cache_meta_parse(struct cache_meta *out, const char *key, const char *text,
                                 size_t len);

/* "media." and the ending of a name: letters and digits, up to five. false: it has none. */
bool cache_file_name(const char *name, char out[CACHE_FILE_MAX]);
