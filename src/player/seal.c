#include "player/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"

#define KEY_FILE   "seal"
#define FILES_FILE "sealed-files"
#define FILES_MAX  ((size_t)4 * 1024 * 1024)

static bool is_key(const char *text, size_t len)
{
    return len == SHA256_TEXT_SIZE - 1 && strspn(text, "0123456789abcdef") == len;
}

static bool read_key(struct seal *s, const char *path)
{
    char *text = NULL;
    size_t len = 0;
    bool is_read = file_read(path, 2 * SHA256_TEXT_SIZE, &text, &len) == 0 && is_key(text, len);
    if (is_read)
        memcpy(s->key, text, sizeof(s->key));
    free(text);
    return is_read;
}

static void make_key(struct seal *s)
{
    unsigned char random[SHA256_BYTES];
    struct sha256 hash;
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        abort(); /* there is no key that a guest could not guess */
    sha256_init(&hash);
    sha256_add(&hash, random, sizeof(random));
    sha256_finish_text(&hash, s->key);
}

void seal_open(struct seal *s, const char *state_dir, const struct log *log)
{
    s->before = NULL;
    char *path = xasprintf("%s/" KEY_FILE, state_dir);
    if (!read_key(s, path)) {
        make_key(s);
        int ret = file_replace(path, s->key, strlen(s->key));
        if (ret < 0)
            log_warn(log,
                     "%s: %s. After a restart, addresses of this house's own network are to be "
                     "added anew",
                     path, strerror(-ret));
    }
    free(path);
}

/* With the key before and behind: nobody goes on from a mark to that of a longer address. */
void seal_text(const struct seal *s, const char *source, char out[SEAL_SIZE])
{
    struct sha256 hash;
    char text[SHA256_TEXT_SIZE];
    sha256_init(&hash);
    sha256_add(&hash, s->key, strlen(s->key));
    sha256_add(&hash, source, strlen(source) + 1);
    sha256_add(&hash, s->key, strlen(s->key));
    sha256_finish_text(&hash, text);
    memcpy(out, text, SEAL_SIZE - 1);
    out[SEAL_SIZE - 1] = '\0';
}

bool seal_is_whole(const struct seal *s, const struct track *t)
{
    char text[SEAL_SIZE];
    if (!t->source[0] || (!t->seal[0] && !s->before))
        return false;
    seal_text(s, t->source, text);
    return strcmp(text, t->seal) == 0 || (s->before && strstr(s->before, text));
}

/* ---- files that were queued before they had marks ------------------------------------------------------- */

static bool is_file(const char *source)
{
    return source[0] == '/' || strncmp(source, "file:///", 8) == 0;
}

/* false: no more of them fit. */
static bool add_mark(const struct seal *s, const struct track *t, struct buf *marks)
{
    char mark[SEAL_SIZE];
    if (!t || !is_file(t->source))
        return true;
    seal_text(s, t->source, mark);
    return buf_printf(marks, "%s\n", mark) == 0;
}

/* The caller frees. */
static char *marks_of(const struct seal *s, const struct queue *q)
{
    struct buf marks;
    buf_init(&marks, FILES_MAX - 1);
    bool fits = add_mark(s, q->now, &marks);
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; fits && i < q->list[l].count; i++)
            fits = add_mark(s, q->list[l].at[i], &marks);
    char *text = xstrndup(marks.data ? marks.data : "", marks.len);
    buf_finish(&marks);
    return text;
}

void seal_keep_files(struct seal *s, const char *state_dir, const struct queue *q,
                     const struct log *log)
{
    size_t len = 0;
    char *path = xasprintf("%s/" FILES_FILE, state_dir);
    int ret = file_read(path, FILES_MAX, &s->before, &len);
    if (ret == -ENOENT) {
        s->before = marks_of(s, q);
        ret = file_replace(path, s->before, strlen(s->before));
    }
    if (ret < 0)
        log_warn(log,
                 "%s: %s. Files that were queued by an older version may have to be added anew",
                 path, strerror(-ret));
    free(path);
}

void seal_close(struct seal *s)
{
    free(s->before);
    s->before = NULL;
}
