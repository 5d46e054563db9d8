/* Accounts and functions on a database of their own, with clocks that the test turns. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ftw.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "hub/accounts.h"
#include "hub/base64.h"
#include "hub/documents.h"
#include "hub/functions.h"
#include "hub/schema.h"
#include "store/database.h"
#include "wire/message.h"
#include "support/texts.h"

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS  (24 * HOUR_MS)

static const struct log rig_log = { "test", LOG_WARNING };

struct rig {
    char dir[64];
    char *path;
    struct database *database;
    struct documents *documents;
    struct accounts *accounts;
    struct functions *functions;
    int64_t wall_ms, mono_ns;
    struct api_error e;
};

static inline int64_t rig_wall_ms(void *ctx)
{
    return ((struct rig *)ctx)->wall_ms;
}

static inline int64_t rig_mono_ns(void *ctx)
{
    return ((struct rig *)ctx)->mono_ns;
}

/* Time goes by. */
static inline void rig_pass(struct rig *r, int64_t ms)
{
    r->wall_ms += ms;
    r->mono_ns += ms * 1000000;
}

/* The modules begin anew, as when the program is started. */
static inline void rig_open(struct rig *r)
{
    assert_int_equal(database_open(&r->database, r->path, hub_migrations(), &rig_log), 0);
    r->documents = documents_create(&(struct documents_params){
        .database = r->database, .database_id = "db", .wall_ms = rig_wall_ms, .ctx = r });
    r->accounts = accounts_create(&(struct accounts_params){ .database = r->database,
                                                             .project_id = "prj",
                                                             .documents = r->documents,
                                                             .wall_ms = rig_wall_ms,
                                                             .mono_ns = rig_mono_ns,
                                                             .ctx = r });
    r->functions = functions_create(&(struct functions_params){
        .documents = r->documents, .wall_ms = rig_wall_ms, .mono_ns = rig_mono_ns, .ctx = r });
    assert_non_null(r->documents);
    assert_non_null(r->accounts);
}

static inline void rig_close(struct rig *r)
{
    assert_int_equal(database_commit(r->database), 0);
    functions_destroy(r->functions);
    accounts_destroy(r->accounts);
    documents_destroy(r->documents);
    database_close(r->database);
}

/* The box is switched off and on; its clock then says `wall_ms`. */
static inline void rig_reboot(struct rig *r, int64_t wall_ms)
{
    rig_close(r);
    r->wall_ms = wall_ms;
    r->mono_ns = 0;
    rig_open(r);
}

static inline int rig_setup(void **state)
{
    struct rig *r = xcalloc(1, sizeof(*r));
    snprintf(r->dir, sizeof(r->dir), "%s/djamms-hub-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(r->dir));
    r->path = xasprintf("%s/hub.db", r->dir);
    r->wall_ms = (int64_t)1760000000 * 1000;
    rig_open(r);
    *state = r;
    return 0;
}

static inline int rig_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static inline int rig_teardown(void **state)
{
    struct rig *r = *state;
    rig_close(r);
    nftw(r->dir, rig_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(r->path);
    free(r);
    return 0;
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

/* What a call said must be so; else its error is told. */
#define rig_must(r, call)                                                                          \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s", #call, (r)->e.message);                                             \
    } while (0)
#define rig_must_not(r, call, want)                                                                \
    do {                                                                                           \
        (r)->e = (struct api_error){ 0 };                                                          \
        assert_false(call);                                                                        \
        assert_int_equal((r)->e.kind, want);                                                       \
    } while (0)
