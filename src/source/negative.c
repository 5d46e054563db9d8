#include "source/negative.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "wire/message.h"

#define FILE_MAX ((size_t)1024 * 1024)

void negative_finish(struct negative *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->at[i].key);
    free(n->at);
    *n = (struct negative){ .count = 0 };
}

static void take_out(struct negative *n, size_t i)
{
    free(n->at[i].key);
    n->at[i] = n->at[--n->count];
    n->is_dirty = true;
}

static size_t place_of(const struct negative *n, const char *key)
{
    size_t i = 0;
    while (i < n->count && strcmp(n->at[i].key, key) != 0)
        i++;
    return i;
}

/* What is over, and when all places are taken the one that ends first. */
static void make_place(struct negative *n, int64_t now_s)
{
    size_t first = 0;
    for (size_t i = n->count; i-- > 0;)
        if (n->at[i].until_s <= now_s)
            take_out(n, i);
    for (size_t i = 1; i < n->count; i++)
        if (n->at[i].until_s < n->at[first].until_s)
            first = i;
    if (n->count == NEGATIVE_MAX)
        take_out(n, first);
}

void negative_put(struct negative *n, const char *key, const char *class, int64_t for_s,
                  int64_t now_s)
{
    negative_forget(n, key);
    if (for_s <= 0)
        return;
    make_place(n, now_s);
    if (n->count == n->cap) {
        n->cap = n->cap ? 2 * n->cap : 16;
        n->at = xrealloc(n->at, n->cap * sizeof(*n->at));
    }
    struct negative_entry *e = &n->at[n->count++];
    *e = (struct negative_entry){ .key = xstrdup(key),
                                  .until_s = now_s + min_i64(for_s, NEGATIVE_LONGEST_S) };
    text_clean(e->class, sizeof(e->class), class);
    n->is_dirty = true;
}

const struct negative_entry *negative_find(const struct negative *n, const char *key, int64_t now_s)
{
    size_t i = place_of(n, key);
    return i < n->count && n->at[i].until_s > now_s ? &n->at[i] : NULL;
}

void negative_forget(struct negative *n, const char *key)
{
    for (size_t i = n->count; i-- > 0;)
        if (!key || strcmp(n->at[i].key, key) == 0)
            take_out(n, i);
}

int64_t negative_load(struct negative *n, const char *path, bool (*is_key)(const char *key))
{
    char *text;
    size_t len;
    if (file_read(path, FILE_MAX, &text, &len) < 0)
        return 0;
    struct message *m = message_parse(text, len, NULL, 0);
    int64_t saved_s = m ? max_i64(0, message_i64(m, "running_s", 0)) : 0;
    for (size_t i = 0; m && i < message_count(m, "keys"); i++) {
        const struct message *one = message_object_at(m, "keys", i);
        const char *key = one ? message_str(one, "key", NULL) : NULL;
        int64_t until_s = one ? message_i64(one, "until_s", 0) : 0;
        if (key && is_key(key) && until_s > saved_s)
            negative_put(n, key, message_str(one, "class", ""), until_s - saved_s, saved_s);
    }
    n->is_dirty = false;
    message_destroy(m);
    free(text);
    return saved_s;
}

int negative_save(struct negative *n, const char *path, int64_t now_s)
{
    struct message *m = message_create();
    message_set_i64(m, "schema", 1);
    message_set_i64(m, "running_s", now_s);
    message_set_array(m, "keys");
    for (size_t i = 0; i < n->count; i++) {
        if (n->at[i].until_s <= now_s)
            continue;
        struct message *one = message_create();
        message_set_str(one, "key", n->at[i].key);
        message_set_str(one, "class", n->at[i].class);
        message_set_i64(one, "until_s", n->at[i].until_s);
        message_append_object(m, "keys", one);
    }
    char *text = message_text(m, false);
    int ret = file_replace(path, text, strlen(text));
    if (ret == 0)
        n->is_dirty = false;
    free(text);
    message_destroy(m);
    return ret;
}
