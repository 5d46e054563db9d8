/* The data folder as a command sees it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/now.h"
#include "hub/admin_internal.h"
#include "hub/data_dir.h"
#include "config/listen.h"
#include "config/option.h"
#include "hub/hub_listen.h"
#include "hub/schema.h"

static int64_t wall_ms(void *ctx)
{
    return now_wall_ms();
}

static int lock_folder(struct admin *a)
{
    a->lock = data_dir_lock(a->data_dir, DATA_TOOL);
    if (a->lock >= 0)
        return 0;
    int error = -a->lock;
    a->lock = -1;
    if (error == EWOULDBLOCK)
        return admin_fail(a, ADMIN_FAILED, "%s: a restore is under way", a->data_dir);
    return admin_fail(a, ADMIN_FAILED, "%s: %s", a->data_dir, strerror(error));
}

/* Why it failed is in the log. */
static int open_file(struct admin *a, const char *path)
{
    int ret = database_open(&a->database, path, hub_migrations(), &a->log);
    return ret < 0 ? admin_fail(a, ADMIN_FAILED, "%s cannot be opened: %s", path, strerror(-ret))
                   : 0;
}

int admin_open_database(struct admin *a)
{
    char *path = data_dir_database(a->data_dir);
    int ret = access(path, F_OK) < 0
                  ? admin_fail(a, ADMIN_FAILED, "%s: %s; is this the folder of a hub?", path,
                               strerror(errno))
                  : 0;
    if (ret == 0)
        ret = lock_folder(a);
    if (ret == 0)
        ret = open_file(a, path);
    free(path);
    return ret;
}

int admin_open(struct admin *a)
{
    char *path = data_dir_database(a->data_dir);
    int ret = lock_folder(a);
    if (ret == 0)
        ret = open_file(a, path);
    free(path);
    if (ret)
        return ret;
    a->documents = documents_create(&(struct documents_params){
        .database = a->database,
        .database_id = a->config.hub.database,
        .wall_ms = wall_ms,
    });
    if (a->documents)
        a->accounts = accounts_create(&(struct accounts_params){
            .database = a->database,
            .project_id = a->config.hub.project,
            .documents = a->documents,
            .wall_ms = wall_ms,
        });
    return a->accounts ? 0 : admin_fail(a, ADMIN_FAILED, "%s cannot be read", a->data_dir);
}

int admin_commit(struct admin *a)
{
    int ret = database_commit(a->database);
    return ret < 0 ? admin_fail(a, ADMIN_FAILED, "%s: not saved: %s", a->data_dir, strerror(-ret))
                   : 0;
}

void admin_close(struct admin *a)
{
    accounts_destroy(a->accounts);
    documents_destroy(a->documents);
    database_close(a->database);
    if (a->lock >= 0)
        close(a->lock);
    a->accounts = NULL;
    a->documents = NULL;
    a->database = NULL;
    a->lock = -1;
}

/* Whether the setting was left as it is without being set. */
static bool is_default(const char *name, const char *value)
{
    return strcmp(value, option_find(name)->def) == 0;
}

void admin_recall_ids(struct admin *a)
{
    char *project, *database;
    if (!data_dir_ids(a->data_dir, &project, &database))
        return;
    bool runs = data_dir_is_served(a->data_dir);
    char **const settings[] = { &a->config.hub.project, &a->config.hub.database };
    char *const kept[] = { project, database };
    static const char *const names[] = { "hub.project", "hub.database" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        bool is_kept = runs || is_default(names[i], *settings[i]);
        free(is_kept ? *settings[i] : kept[i]);
        if (is_kept)
            *settings[i] = kept[i];
    }
}

/* Of the hub that runs, else where one would listen. The caller frees. */
static char *endpoint_of(struct admin *a)
{
    char *url = data_dir_base_url(a->data_dir);
    struct listen_address where;
    char text[256];
    if (url || !listen_parse(a->config.hub.listen, a->config.hub.port, &where))
        return url ? url : xstrdup("");
    return xstrdup(
        hub_listen_url(where.address, where.port, *a->config.hub.certificate, text, sizeof(text)));
}

void admin_set_endpoint(struct admin *a, struct message *m)
{
    char *url = endpoint_of(a);
    message_set_str(m, "endpoint", url);
    message_set_str(m, "project", a->config.hub.project);
    message_set_str(m, "database", a->config.hub.database);
    free(url);
}

void admin_print_endpoint(struct admin *a)
{
    char *url = endpoint_of(a);
    fprintf(a->out, "endpoint: %s\nproject:  %s\ndatabase: %s\n", url, a->config.hub.project,
            a->config.hub.database);
    free(url);
}
