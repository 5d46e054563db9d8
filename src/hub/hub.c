#include "hub/hub.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/now.h"
#include "hub/api.h"
#include "hub/data_dir.h"
#include "hub/hub_changes.h"
#include "hub/hub_listen.h"
#include "hub/hub_notice.h"
#include "hub/id.h"
#include "hub/realtime.h"
#include "hub/schema.h"
#include "hub/steady_clock.h"
#include "net/server.h"

#define TURN_MS          1000
#define REALTIME_PATH    "/v1/realtime"
#define URL_QUERY_MAX    ((size_t)64 * 1024)
#define PROJECT_TEXT_MAX 64

struct hub {
    struct hub_params params; /* its texts live during hub_create() only */
    char *project_id, *database_id, *venue_id, *runtime_dir;
    char base_url[128];
    char claim_code[SECRET_TEXT_MAX]; /* "": the house has an owner */
    char session[SECRET_TEXT_MAX];    /* of the zone's own player; "": there is no zone */
    const struct log *log;
    struct steady_clock clock;
    int lock_fd;
    struct database *database;
    struct documents *documents;
    struct accounts *accounts;
    struct functions *functions;
    struct realtime *realtime;
    struct api *api;
    struct server *server;
    struct api_reply refusal;   /* the last one; its texts are borrowed from here */
    struct hub_changes changes; /* of the request being answered */
    char *storage_text;         /* the answer to all of a turn that could not be committed */
    bool is_open;               /* other machines reach it */
    atomic_bool is_stopping;
};

/* A WebSocket from its upgrade on. */
struct hub_socket {
    char *query, *project;
    bool has_caller;
    struct caller caller;
    struct api_error refusal;
    struct realtime_client *client; /* NULL: refused */
};

static int64_t system_wall_ms(void *ctx)
{
    return now_wall_ms();
}

static int64_t hub_wall_ms(void *ctx)
{
    struct hub *h = ctx;
    return steady_clock_ms(&h->clock, NULL);
}

/* ---- writes and who hears of them ---------------------------------------------------------------- */

static void on_change(void *ctx, const struct change *c)
{
    struct hub *h = ctx;
    if (h->realtime && realtime_count(h->realtime) > 0)
        hub_changes_add(&h->changes, c);
}

static void tell_change(void *ctx, const struct change *c)
{
    struct hub *h = ctx;
    realtime_publish(h->realtime, c);
}

/* The messages wait in the server until the turn is on disk. */
static void on_request_end(void *ctx, bool is_kept)
{
    struct hub *h = ctx;
    hub_changes_take(&h->changes, is_kept ? tell_change : NULL, h);
}

static void send_text(void *ctx, void *socket, const char *text, size_t len)
{
    server_socket_send(socket, text, len);
}

static void close_socket(void *ctx, void *socket, int code, const char *reason)
{
    server_socket_close(socket, code, reason);
}

/* ---- telling the zone ---------------------------------------------------------------------------- */

static void write_notice(struct hub *h)
{
    if (!h->runtime_dir)
        return;
    int ret = hub_notice_write(h->runtime_dir, &(struct hub_notice){ .url = h->base_url,
                                                                     .project_id = h->project_id,
                                                                     .database_id = h->database_id,
                                                                     .venue_id = h->venue_id,
                                                                     .is_open = h->is_open,
                                                                     .session = h->session,
                                                                     .claim_code = h->claim_code });
    if (ret < 0)
        log_warn(h->log, "%s/hub.json: %s", h->runtime_dir, strerror(-ret));
}

static void on_claimed(void *ctx)
{
    struct hub *h = ctx;
    log_info(h->log, "the hub has an owner now");
    h->claim_code[0] = '\0';
    write_notice(h);
}

/* ---- what the server calls ----------------------------------------------------------------------- */

static const char *header_of(void *ctx, const char *name)
{
    return exchange_header(ctx, name);
}

static struct api_request request_of(struct exchange *x)
{
    struct api_request q = { .method = exchange_method(x),
                             .path = exchange_path(x),
                             .query = exchange_query(x),
                             .peer = exchange_peer(x),
                             .header = header_of,
                             .ctx = x };
    if (q.method == HTTP_HEAD) /* the server leaves the body out */
        q.method = HTTP_GET;
    q.body = exchange_body(x, &q.body_len);
    return q;
}

static void on_request(void *ctx, struct exchange *x)
{
    struct hub *h = ctx;
    struct api_request q = request_of(x);
    struct api_reply reply;
    api_answer(h->api, &q, &reply);
    exchange_answer(x, &reply.answer);
    api_reply_finish(&reply);
}

static void on_refusal(void *ctx, struct exchange *x, struct http_answer *a)
{
    struct hub *h = ctx;
    struct api_request q;
    if (x)
        q = request_of(x);
    api_reply_finish(&h->refusal);
    api_refuse(h->api, x ? &q : NULL, a->status, a->body, &h->refusal);
    *a = h->refusal.answer;
}

static void on_gone(void *ctx, struct exchange *x)
{
    /* every request is answered where it comes in */
}

static int on_upgrade(void *ctx, struct exchange *x, void **user)
{
    struct hub *h = ctx;
    struct api_request q = request_of(x);
    const char *project = exchange_header(x, "x-appwrite-project");
    if (strcmp(q.path, REALTIME_PATH) != 0 && strcmp(q.path, REALTIME_PATH "/") != 0)
        return 404;
    if (strlen(q.query) > URL_QUERY_MAX || (project && strlen(project) > PROJECT_TEXT_MAX))
        return 414;
    struct hub_socket *s = xcalloc(1, sizeof(*s));
    s->query = xstrdup(q.query);
    s->project = xstrdup(project);
    s->has_caller = api_identify(h->api, &q, &s->caller, &s->refusal);
    *user = s;
    return 0;
}

static void on_open(void *ctx, struct server_socket *socket, void *user)
{
    struct hub *h = ctx;
    struct hub_socket *s = user;
    s->client = realtime_open(
        h->realtime, &(struct realtime_opening){ .socket = socket,
                                                 .query_string = s->query,
                                                 .project = s->project,
                                                 .caller = s->has_caller ? &s->caller : NULL,
                                                 .refusal = &s->refusal });
}

static void on_text(void *ctx, struct server_socket *socket, void *user, const char *text,
                    size_t len)
{
    struct hub *h = ctx;
    struct hub_socket *s = user;
    if (s->client)
        realtime_text(h->realtime, s->client, text, len);
}

static void on_closed(void *ctx, struct server_socket *socket, void *user)
{
    struct hub *h = ctx;
    struct hub_socket *s = user;
    if (s->client)
        realtime_closed(h->realtime, s->client);
    free(s->query);
    free(s->project);
    free(s);
}

static int on_turn(void *ctx, struct http_answer *instead)
{
    struct hub *h = ctx;
    int ret = database_commit(h->database);
    if (ret == 0)
        return 0;
    log_err(h->log, "what came in was not saved and is refused: %s", strerror(-ret));
    *instead = (struct http_answer){ .status = api_error_status(API_STORAGE),
                                     .content_type = "application/json; charset=UTF-8",
                                     .body = h->storage_text,
                                     .len = strlen(h->storage_text) };
    return ret;
}

/* ---- start ----------------------------------------------------------------------------------------- */

static bool check_id(const struct log *log, const char *what, const char *id)
{
    if (id_is_legal(id))
        return true;
    log_err(log, "hub.%s: \"%s\" is no id: 1 to 36 letters, digits, '.', '-' and '_' are", what,
            id);
    return false;
}

static int check_params(const struct hub_params *p)
{
    bool has_venue = *p->venue_id && strlen(p->venue_id) <= 255;
    if (!check_id(p->log, "project", p->project_id) ||
        !check_id(p->log, "database", p->database_id))
        return -EINVAL;
    if (!has_venue)
        log_err(p->log, "hub.venue: 1 to 255 bytes are wanted");
    bool has_both = !p->certificate == !p->key;
    if (!has_both)
        log_err(p->log, "hub.certificate and hub.key are wanted both, or none of them");
    return has_venue && has_both ? 0 : -EINVAL;
}

static int open_data(struct hub *h, const char *dir)
{
    h->lock_fd = data_dir_lock(dir, DATA_SERVE);
    if (h->lock_fd == -EWOULDBLOCK) {
        log_err(h->log, "%s is in use: another hub runs there, or a restore", dir);
        return -EBUSY;
    }
    if (h->lock_fd < 0) {
        log_err(h->log, "%s cannot be used: %s", dir, strerror(-h->lock_fd));
        return h->lock_fd;
    }
    (void)data_dir_announce(h->lock_fd, "", h->project_id,
                            h->database_id); /* again when it listens */
    char *path = data_dir_database(dir);
    int ret = database_open(&h->database, path, hub_migrations(), h->log);
    free(path);
    return ret;
}

static int create_parts(struct hub *h)
{
    const struct hub_params *p = &h->params;
    h->documents = documents_create(&(struct documents_params){ .database = h->database,
                                                                .database_id = h->database_id,
                                                                .encodes_arrays = p->encodes_arrays,
                                                                .wall_ms = hub_wall_ms,
                                                                .on_change = on_change,
                                                                .ctx = h });
    if (!h->documents)
        return -EIO;
    h->accounts = accounts_create(&(struct accounts_params){ .database = h->database,
                                                             .project_id = h->project_id,
                                                             .documents = h->documents,
                                                             .wall_ms = hub_wall_ms,
                                                             .ctx = h });
    if (!h->accounts)
        return -EIO;
    h->functions = functions_create(
        &(struct functions_params){ .documents = h->documents, .wall_ms = hub_wall_ms, .ctx = h });
    h->realtime = realtime_create(&(struct realtime_params){ .project_id = h->project_id,
                                                             .database_id = h->database_id,
                                                             .accounts = h->accounts,
                                                             .wall_ms = hub_wall_ms,
                                                             .send = send_text,
                                                             .close = close_socket,
                                                             .ctx = h });
    h->api = api_create(&(struct api_params){ .project_id = h->project_id,
                                              .database_id = h->database_id,
                                              .origins = p->origins,
                                              .is_encrypted = p->certificate != NULL,
                                              .database = h->database,
                                              .documents = h->documents,
                                              .accounts = h->accounts,
                                              .functions = h->functions,
                                              .wall_ms = hub_wall_ms,
                                              .on_end = on_request_end,
                                              .on_claimed = on_claimed,
                                              .ctx = h });
    return 0;
}

/* What must be in the database before anybody asks. */
static int furnish(struct hub *h)
{
    struct api_error e;
    if (h->runtime_dir)
        hub_notice_session(h->runtime_dir, h->session, sizeof(h->session));
    if (!documents_ensure_venue(h->documents, h->venue_id, NULL, &e) ||
        !accounts_claim_code(h->accounts, h->claim_code, &e) ||
        (h->runtime_dir && !accounts_sign_in_player(h->accounts, h->session, &e))) {
        log_err(h->log, "the venue %s cannot be set up: %s", h->venue_id, e.message);
        return -EIO;
    }
    return database_commit(h->database);
}

static int start_server(struct hub *h)
{
    static const struct server_callbacks callbacks = { .on_request = on_request,
                                                       .on_refusal = on_refusal,
                                                       .on_gone = on_gone,
                                                       .on_upgrade = on_upgrade,
                                                       .on_open = on_open,
                                                       .on_text = on_text,
                                                       .on_closed = on_closed,
                                                       .on_turn = on_turn };
    const struct hub_params *p = &h->params;
    int port = p->port;
    if (port && p->takes_free_port && hub_listen_is_taken(p->address, port)) {
        log_warn(h->log, "port %d is taken by another program: a free one is used", port);
        port = 0;
    }
    int ret = server_create(&h->server, &(struct server_params){ .address = p->address,
                                                                 .port = port,
                                                                 .certificate = p->certificate,
                                                                 .key = p->key,
                                                                 .callbacks = &callbacks,
                                                                 .ctx = h,
                                                                 .log = h->log });
    if (ret < 0)
        return ret;
    hub_listen_url(p->address, server_port(h->server), p->certificate != NULL, h->base_url,
                   sizeof(h->base_url));
    ret = data_dir_announce(h->lock_fd, h->base_url, h->project_id, h->database_id);
    if (ret < 0)
        log_warn(h->log, "%s: %s", p->data_dir, strerror(-ret));
    return 0;
}

static void say_hello(struct hub *h)
{
    h->is_open = hub_listen_is_open(h->params.address);
    log_info(h->log, "%s serves venue %s, project %s, database %s; data in %s", h->base_url,
             h->venue_id, h->project_id, h->database_id, h->params.data_dir);
    if (h->is_open)
        log_info(h->log, "open to the network on port %d", server_port(h->server));
    if (h->claim_code[0])
        log_info(h->log, "nobody owns it yet; `djamms hub claim` shows how to take it");
    write_notice(h);
}

int hub_create(struct hub **out, const struct hub_params *p)
{
    int ret = check_params(p);
    if (ret < 0)
        return ret;
    struct hub *h = xcalloc(1, sizeof(*h));
    h->params = *p;
    h->log = p->log;
    h->lock_fd = -1;
    h->project_id = xstrdup(p->project_id);
    h->database_id = xstrdup(p->database_id);
    h->venue_id = xstrdup(p->venue_id);
    h->runtime_dir = xstrdup(p->runtime_dir);
    h->storage_text = api_error_text(&(struct api_error){
        .kind = API_STORAGE, .message = "The disk of the hub does not take it now." });
    steady_clock_init(&h->clock, &(struct steady_clock_source){ .wall_ms = system_wall_ms }, 0);
    ret = open_data(h, p->data_dir);
    if (ret == 0)
        ret = create_parts(h);
    if (ret == 0)
        ret = furnish(h);
    if (ret == 0)
        ret = start_server(h);
    if (ret < 0) {
        hub_destroy(h);
        return ret;
    }
    say_hello(h);
    *out = h;
    return 0;
}

/* ---- run and end ----------------------------------------------------------------------------------- */

const char *hub_base_url(const struct hub *h)
{
    return h->base_url;
}

void hub_run(struct hub *h)
{
    while (!atomic_load(&h->is_stopping)) {
        service_alive(h->params.service, now_mono_ns());
        server_turn(h->server, TURN_MS);
    }
}

void hub_stop(struct hub *h)
{
    atomic_store(&h->is_stopping, true);
    server_wake(h->server);
}

void hub_destroy(struct hub *h)
{
    if (!h)
        return;
    if (h->server && h->runtime_dir)
        hub_notice_remove(h->runtime_dir);
    server_destroy(h->server);
    api_reply_finish(&h->refusal);
    api_destroy(h->api);
    realtime_destroy(h->realtime);
    functions_destroy(h->functions);
    accounts_destroy(h->accounts);
    documents_destroy(h->documents);
    database_close(h->database);
    hub_changes_finish(&h->changes);
    if (h->lock_fd >= 0)
        close(h->lock_fd);
    free(h->storage_text);
    free(h->project_id);
    free(h->database_id);
    free(h->venue_id);
    free(h->runtime_dir);
    free(h);
}
