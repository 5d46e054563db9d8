/* Documents on a real file in a folder of their own, with a clock that the test sets and a record of all changes. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "hub/datetime.h"
#include "hub/documents.h"
#include "hub/schema.h"
#include "store/database.h"
#include "wire/message.h"

#define START_MS ((int64_t)1760186096789) /* 2025-10-11T12:34:56.789 */

struct bench {
    char folder[64], path[96];
    struct database *database;
    struct documents *documents;
    int64_t wall_ms;
    struct buf changes; /* "create q1; " ... */
    struct api_error e;
    bool encodes_arrays;
};

static inline int64_t bench_wall(void *ctx)
{
    return ((struct bench *)ctx)->wall_ms;
}

static inline void bench_change(void *ctx, const struct change *c)
{
    static const char *const names[] = { "create", "update", "upsert", "delete" };
    struct bench *b = ctx;
    assert_string_equal(message_str(c->document, "$id", ""), c->id);
    assert_string_equal(message_str(c->document, "$collectionId", ""), c->collection->id);
    int ret = buf_printf(&b->changes, "%s %s; ", names[c->action], c->id);
    assert_int_equal(ret, 0);
}

static inline void bench_open(struct bench *b)
{
    assert_int_equal(database_open(&b->database, b->path, hub_migrations(), NULL), 0);
    b->documents = documents_create(&(struct documents_params){
        .database = b->database,
        .database_id = "db",
        .encodes_arrays = b->encodes_arrays,
        .wall_ms = bench_wall,
        .on_change = bench_change,
        .ctx = b,
    });
    assert_non_null(b->documents);
}

static inline void bench_close(struct bench *b)
{
    documents_destroy(b->documents);
    database_close(b->database);
}

static inline int bench_setup(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));
    snprintf(b->folder, sizeof(b->folder), "/tmp/djamms-documents-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    snprintf(b->path, sizeof(b->path), "%s/hub.db", b->folder);
    b->wall_ms = START_MS;
    buf_init(&b->changes, 1 << 20);
    bench_open(b);
    *state = b;
    return 0;
}

static inline int bench_teardown(void **state)
{
    static const char *const suffix[] = { "", "-wal", "-shm" };
    struct bench *b = *state;
    bench_close(b);
    for (size_t i = 0; i < ARRAY_LEN(suffix); i++) {
        char *path = xasprintf("%s%s", b->path, suffix[i]);
        unlink(path);
        free(path);
    }
    rmdir(b->folder);
    buf_finish(&b->changes);
    free(b);
    return 0;
}

/* What was reported since the last look. The caller frees. */
static inline char *bench_take_changes(struct bench *b)
{
    char *text = xstrdup(b->changes.data ? b->changes.data : "");
    buf_consume(&b->changes, b->changes.len);
    return text;
}

static inline struct message *json(const char *text)
{
    char why[128];
    struct message *m = message_parse(text, strlen(text), why, sizeof(why));
    if (!m)
        fail_msg("%s: %s", text, why);
    return m;
}

/* The hub's own insert of JSON data; false: b->e. */
static inline bool bench_insert(struct bench *b, const char *collection, const char *id,
                                const char *data)
{
    struct message *m = json(data);
    bool is_good =
        documents_insert(b->documents, NULL, collection_find(collection), id, m, NULL, NULL, &b->e);
    message_destroy(m);
    return is_good;
}

static inline bool bench_update(struct bench *b, const char *collection, const char *id,
                                const char *data, const char *guard)
{
    struct message *m = json(data);
    bool is_good = documents_update(b->documents, NULL, collection_find(collection), id, m, guard,
                                    NULL, &b->e);
    message_destroy(m);
    return is_good;
}

static inline struct message *bench_get(struct bench *b, const char *collection, const char *id)
{
    struct message *m = NULL;
    if (!documents_get(b->documents, NULL, collection_find(collection), id, &m, &b->e))
        fail_msg("%s: %s", id, b->e.message);
    return m;
}

/* One field as JSON text. The caller frees. */
static inline char *bench_field(struct bench *b, const char *collection, const char *id,
                                const char *field)
{
    struct message *m = bench_get(b, collection, id);
    char *text = message_field_text(m, field);
    message_destroy(m);
    return text;
}

static inline void assert_field(struct bench *b, const char *collection, const char *id,
                                const char *field, const char *want)
{
    char *text = bench_field(b, collection, id, field);
    assert_string_equal(text, want);
    free(text);
}

static inline int64_t bench_time(struct bench *b, const char *collection, const char *id,
                                 const char *field)
{
    struct message *m = bench_get(b, collection, id);
    int64_t ms = 0;
    assert_true(datetime_parse(message_str(m, field, ""), &ms));
    message_destroy(m);
    return ms;
}

#define QUEUE(venue)                                                                               \
    "{\"venueId\":\"" venue "\",\"mainQueue\":\"[]\",\"priorityQueue\":\"[]\","                    \
    "\"createdAt\":\"2025-10-16T06:05:33Z\"}"

#define BENCH_TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
