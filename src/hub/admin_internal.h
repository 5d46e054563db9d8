/* For admin*.c only: one run of a command. */
#pragma once

#include "base/log.h"
#include "config/config.h"
#include "hub/accounts.h"
#include "hub/admin.h"
#include "hub/documents.h"
#include "store/database.h"
#include "wire/message.h"

#define ADMIN_FAILED 1
#define ADMIN_USAGE  2

enum admin_option {
    ADMIN_ROLE,
    ADMIN_PASSWORD_FILE,
    ADMIN_ENDPOINT,
    ADMIN_PROJECT,
    ADMIN_DATABASE,
    ADMIN_VENUE,
    ADMIN_KEY_FILE,
    ADMIN_OPTIONS,
};

struct admin {
    FILE *in, *out, *err;
    struct log log;
    struct config config;
    char *data_dir;
    const char *command;
    const char **word; /* those behind the command */
    size_t word_count;
    const char *option[ADMIN_OPTIONS]; /* NULL: not given */
    bool is_json;

    /* Of admin_open(). */
    int lock; /* -1: none */
    struct database *database;
    struct documents *documents;
    struct accounts *accounts;
};

/* ---- what the commands share (admin.c) --------------------------------------------------------- */

/* A sentence on `err`, or {"ok":false,"error":...} on `out`. Returns `status`. */
int admin_fail(struct admin *a, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);
int admin_fail_api(struct admin *a, const struct api_error *e); /* ADMIN_FAILED */
/* With --json: prints `m` with "ok":true. Takes `m`. */
bool admin_print_json(struct admin *a, struct message *m);
/* One secret, the only line of a file, or of standard input for "-". NULL after a sentence; else the caller gives it
 * to secret_free(). `what` says what it is. */
char *admin_read_secret(struct admin *a, const char *file, const char *what);

/* ---- the data folder (admin_data.c) ------------------------------------------------------------ */

/* Locks the folder and opens what is in it, for a command beside a hub. 0, or a status after a sentence. */
WARN_UNUSED int admin_open(struct admin *a);
/* Only what a hub left there: there must be a database. */
WARN_UNUSED int admin_open_database(struct admin *a);
/* 0, or ADMIN_FAILED after a sentence. */
WARN_UNUSED int admin_commit(struct admin *a);
void admin_close(struct admin *a);
/* Takes the ids of the hub that runs on the folder; of one that ran there, where the settings name no others. */
void admin_recall_ids(struct admin *a);
/* "endpoint", "project" and "database" of the hub. */
void admin_set_endpoint(struct admin *a, struct message *m);
/* Their lines for people. */
void admin_print_endpoint(struct admin *a);

/* ---- commands ---------------------------------------------------------------------------------- */

int admin_user(struct admin *a);
int admin_key(struct admin *a);
int admin_token(struct admin *a);
int admin_claim(struct admin *a);
int admin_backup(struct admin *a);
int admin_restore(struct admin *a);
int admin_import(struct admin *a);
