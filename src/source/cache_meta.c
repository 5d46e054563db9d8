#include "source/cache_meta.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "source/cache_internal.h"
#include "wire/message.h"

#define SCHEMA     1
#define ENDING_MAX 5

/* Texts by the name of their field. */
static const struct {
    const char *name;
    size_t offset;
} texts[] = {
    { "id", offsetof(struct cache_meta, id) },
    { "title", offsetof(struct cache_meta, title) },
    { "artist", offsetof(struct cache_meta, artist) },
    { "url", offsetof(struct cache_meta, url) },
    { "profile", offsetof(struct cache_meta, profile) },
    { "codecs", offsetof(struct cache_meta, codecs) },
    { "extractor", offsetof(struct cache_meta, extractor) },
};

static char **text_at(struct cache_meta *m, size_t i)
{
    return (char **)((char *)m + texts[i].offset);
}

void cache_meta_finish(struct cache_meta *m)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(*text_at(m, i));
    *m = (struct cache_meta){ .bytes = 0 };
}

struct cache_meta cache_meta_copy(const struct cache_meta *m)
{
    struct cache_meta copy = *m;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *text_at(&copy, i) = xstrdup(*text_at(&copy, i));
    return copy;
}

char *cache_meta_text(const struct cache_meta *m, const char *key)
{
    struct cache_meta view = *m;
    struct message *j = message_create();
    message_set_i64(j, "schema", SCHEMA);
    message_set_str(j, "key", key);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        message_set_str(j, texts[i].name, *text_at(&view, i));
    if (m->height > 0)
        message_set_i64(j, "height", m->height);
    message_set_f64(j, "duration_s", m->duration_s);
    message_set_i64(j, "fetched_ms", m->fetched_ms);
    if (m->has_loudness) {
        message_set_f64(j, "loudness_lufs", m->loudness_lufs);
        message_set_f64(j, "peak_db", m->peak_db);
    }
    if (m->has_ends) {
        message_set_f64(j, "first_sound_s", m->first_sound_s);
        message_set_f64(j, "last_sound_s", m->last_sound_s);
    }
    message_set_str(j, "file", m->file);
    message_set_i64(j, "bytes", (int64_t)m->bytes);
    message_set_str(j, "sha256", m->sha256);
    if (m->text_bytes)
        message_set_i64(j, "text_bytes", (int64_t)m->text_bytes);
    char *text = message_text(j, false);
    message_destroy(j);
    return text;
}

/* A pair of numbers that are there both or not at all. */
static bool read_pair(const struct message *j, const char *a, const char *b, double *first,
                      double *second)
{
    double x = message_f64(j, a, NAN), y = message_f64(j, b, NAN);
    bool is_there = isfinite(x) && isfinite(y);
    *first = is_there ? x : 0;
    *second = is_there ? y : 0;
    return is_there;
}

static bool is_hash(const char *text)
{
    return strlen(text) == SHA256_TEXT_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == SHA256_TEXT_SIZE - 1;
}

int cache_meta_parse(struct cache_meta *out, const char *key, const char *text, size_t len)
{
    *out = (struct cache_meta){ .bytes = 0 };
    struct message *j = message_parse(text, len, NULL, 0);
    if (!j)
        return -EBADMSG;
    char file[CACHE_FILE_MAX];
    const char *name = message_str(j, "file", ""), *hash = message_str(j, "sha256", "");
    int64_t bytes = message_i64(j, "bytes", 0);
    bool is_ours = message_i64(j, "schema", 0) == SCHEMA &&
                   strcmp(message_str(j, "key", ""), key) == 0 && bytes > 0 && is_hash(hash) &&
                   cache_file_name(name, file) && strcmp(file, name) == 0;
    if (is_ours) {
        for (size_t i = 0; i < ARRAY_LEN(texts); i++)
            *text_at(out, i) = xstrdup(message_str(j, texts[i].name, NULL));
        out->height = (int)clamp_i64(message_i64(j, "height", 0), 0, INT16_MAX);
        out->duration_s = message_f64(j, "duration_s", 0);
        out->fetched_ms = message_i64(j, "fetched_ms", 0);
        out->has_loudness =
            read_pair(j, "loudness_lufs", "peak_db", &out->loudness_lufs, &out->peak_db);
        out->has_ends =
            read_pair(j, "first_sound_s", "last_sound_s", &out->first_sound_s, &out->last_sound_s);
        out->bytes = (uint64_t)bytes;
        out->text_bytes = (uint64_t)max_i64(0, message_i64(j, "text_bytes", 0));
        memcpy(out->file, file, sizeof(file));
        memcpy(out->sha256, hash, sizeof(out->sha256));
    }
    message_destroy(j);
    return is_ours ? 0 : -EBADMSG;
}

bool cache_file_name(const char *name, char out[CACHE_FILE_MAX])
{
    const char *dot = strrchr(name, '.');
    size_t len = dot ? strlen(dot + 1) : 0;
    if (len == 0 || len > ENDING_MAX)
        return false;
    for (size_t i = 1; i <= len; i++)
        if (!isascii((unsigned char)dot[i]) || !isalnum((unsigned char)dot[i]))
            return false;
    snprintf(out, CACHE_FILE_MAX, "media.%s", dot + 1);
    for (char *p = out; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return true;
}

uint64_t stamp_of(const char *meta_path)
{
    struct stat st;
    if (stat(meta_path, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    uint64_t time = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
    uint64_t stamp = (time * 31 + st.st_ino) * 31 + (uint64_t)st.st_size;
    /* JSON has signed numbers; 0 is for what is not there. */
    return (stamp & INT64_MAX) | 1;
}
