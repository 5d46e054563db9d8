/* A data folder and runs of the commands on it. */
#pragma once

#include "accounts_rig.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

#include "hub/admin.h"
#include "hub/data_dir.h"

#define PASSWORD "correct horse battery"

struct house {
    char dir[64];
    char *data, *password_file, *backup;
};

struct run {
    int status;
    char *out, *err;
    struct message *json; /* of the output; NULL: it is none */
};

static inline char *write_file(const char *dir, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static inline int setup(void **state)
{
    struct house *h = xcalloc(1, sizeof(*h));
    snprintf(h->dir, sizeof(h->dir), "%s/djamms-admin-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(h->dir));
    h->data = xasprintf("%s/data", h->dir);
    h->backup = xasprintf("%s/backup", h->dir);
    h->password_file = write_file(h->dir, "password", PASSWORD "\n");
    unsetenv("DJAMMS_CONFIG");
    *state = h;
    return 0;
}

static inline int teardown(void **state)
{
    struct house *h = *state;
    nftw(h->dir, rig_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(h->data);
    free(h->backup);
    free(h->password_file);
    free(h);
    return 0;
}

/* Runs with these words, `input` on standard input, and --data. */
static inline struct run run_words(struct house *h, const char *input, const char *const words[])
{
    struct run r = { 0 };
    size_t out_len, err_len;
    const char *argv[32] = { "djamms-hub" };
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = words[argc - 1];
    argv[argc++] = "--data";
    argv[argc++] = h->data;
    FILE *in = *input ? fmemopen((char *)input, strlen(input), "r") : fopen("/dev/null", "r");
    FILE *out = open_memstream(&r.out, &out_len), *err = open_memstream(&r.err, &err_len);
    r.status = admin_run_on(argc, (char **)argv, in, out, err);
    fclose(in);
    fclose(out);
    fclose(err);
    r.json = message_parse(r.out, out_len, NULL, 0);
    return r;
}
#define RUN(h, ...)          run_words(h, "", (const char *const[]){ __VA_ARGS__, NULL })
#define RUN_IN(h, text, ...) run_words(h, text, (const char *const[]){ __VA_ARGS__, NULL })

static inline void run_finish(struct run *r)
{
    message_destroy(r->json);
    free(r->out);
    free(r->err);
}

/* Only the status counts. */
static inline int status_of(struct run r)
{
    run_finish(&r);
    return r.status;
}

static inline int add_user(struct house *h, const char *email)
{
    return status_of(
        RUN(h, "user", "add", email, "--role", "owner", "--password-file", h->password_file));
}

/* The modules on the folder, as a hub would have them. */
static inline struct rig *open_rig(struct house *h)
{
    struct rig *r = xcalloc(1, sizeof(*r));
    assert_int_equal(dir_make(h->data), 0);
    r->path = data_dir_database(h->data);
    r->wall_ms = (int64_t)1900000000 * 1000;
    rig_open(r);
    return r;
}

static inline void close_rig(struct rig *r)
{
    rig_close(r);
    free(r->path);
    free(r);
}

static inline bool can_sign_in(struct house *h, const char *email, const char *password)
{
    char secret[SECRET_TEXT_MAX];
    struct message *session = NULL;
    struct rig *r = open_rig(h);
    bool can = accounts_sign_in(r->accounts, email, password, "::1", &session, secret, &r->e);
    message_destroy(session);
    close_rig(r);
    return can;
}

static inline int mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static inline struct message *read_queue(struct house *h)
{
    struct rig *r = open_rig(h);
    struct message *queue;
    rig_must(r, documents_get(r->documents, NULL, collection_find("queues"), "bar", &queue, &r->e));
    close_rig(r);
    return queue;
}

static inline void write_queue(struct house *h, const char *text)
{
    struct rig *r = open_rig(h);
    struct message *data = message_create();
    rig_must(r, documents_ensure_venue(r->documents, "bar", NULL, &r->e));
    message_set_str(data, "mainQueue", text);
    rig_must(r, documents_update(r->documents, NULL, collection_find("queues"), "bar", data, NULL,
                                 NULL, &r->e));
    message_destroy(data);
    close_rig(r);
}

#define HOUSE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
