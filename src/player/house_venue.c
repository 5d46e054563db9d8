/* The queue of the house in agreement with a backend: what is done here goes to the sync engine before it is applied,
 * what others did comes from its view. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/now.h"
#include "player/house_internal.h"
#include "sync/queue_document.h"
#include "wire/message.h"

#define NOTICE_MAX   ((size_t)64 * 1024)
#define DEVICE_FILE  "device"
#define SESSION_FILE "session.json"
#define USER_AGENT   "djamms-player/" DJAMMS_VERSION
#define REPORT_NS    SECONDS(5)
#define FINISH_MS    800        /* to tell others that we go */
#define PREVIOUS_NS  SECONDS(3) /* later than that in a track "previous" means its beginning */

/* ---- who we are ------------------------------------------------------------------------------- */

/* The device's name for the venue, made at the very first start. */
static char *load_device(const char *state_dir, uint64_t seed, const struct log *log)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char *path = xasprintf("%s/" DEVICE_FILE, state_dir), *text = NULL, random[10] = "";
    size_t len = 0;
    if (file_read(path, 255, &text, &len) == 0 && len > 0 && strcspn(text, "\n") == len) {
        free(path);
        return text;
    }
    free(text);
    for (size_t i = 0; i < sizeof(random) - 1; i++, seed /= 36)
        random[i] = digits[seed % 36];
    char *device = xasprintf("device_%lld_%s", (long long)now_wall_ms(), random);
    int ret = file_replace(path, device, strlen(device));
    if (ret < 0)
        log_warn(log, "%s: %s. This box will be another one for its venue after a restart", path,
                 strerror(-ret));
    free(path);
    return device;
}

/* ---- where the backend is --------------------------------------------------------------------- */

/* What a file tells about a backend; texts are owned. */
struct way {
    char *endpoint, *session;
};

static void way_finish(struct way *w)
{
    free(w->endpoint);
    free(w->session);
}

static bool way_read(const char *path, const char *endpoint_field, struct way *out)
{
    char *text = NULL;
    size_t len = 0;
    struct message *m =
        file_read(path, NOTICE_MAX, &text, &len) == 0 ? message_parse(text, len, NULL, 0) : NULL;
    const char *endpoint = message_str(m, endpoint_field, NULL);
    *out = (struct way){ .endpoint = xstrdup(endpoint),
                         .session = xstrdup(message_str(m, "session", NULL)) };
    message_destroy(m);
    free(text);
    return out->endpoint != NULL;
}

/* Whether the file is another one than when it was last read. */
static bool has_changed(struct venue *v)
{
    struct stat st;
    if (stat(v->way_path, &st) < 0 ||
        (st.st_ino == v->way_inode && st.st_mtim.tv_sec == v->way_time.tv_sec &&
         st.st_mtim.tv_nsec == v->way_time.tv_nsec))
        return false;
    v->way_inode = st.st_ino;
    v->way_time = st.st_mtim;
    return true;
}

/* ---- what the driver calls -------------------------------------------------------------------- */

/* Looked at from the loop: this may come from within a change of the jukebox. */
static void wake(struct house *h)
{
    if (!h->is_turning && !h->is_stopping)
        uv_async_send(&h->bell);
}

static void on_command(void *ctx, enum sync_command command, double value)
{
    struct venue *v = &((struct house *)ctx)->venue;
    if (v->command_count == v->command_cap) {
        v->command_cap = v->command_cap ? 2 * v->command_cap : 8;
        v->command = xrealloc(v->command, v->command_cap * sizeof(*v->command));
    }
    v->command[v->command_count++] = (struct venue_command){ command, value };
}

static void on_change(void *ctx)
{
    wake(ctx);
}

static void on_finished(void *ctx)
{
    venue_leave(ctx);
}

static const struct sync_driver_callbacks driver_callbacks = { on_command, on_change, on_finished };

/* ---- its life --------------------------------------------------------------------------------- */

static void open_driver(struct house *h, const struct way *way)
{
    struct venue *v = &h->venue;
    struct sync_driver_params p = { .loop = &h->loop,
                                    .engine = v->engine,
                                    .endpoint = way->endpoint,
                                    .project_id = v->project_id,
                                    .session = way->session,
                                    .user_agent = USER_AGENT,
                                    .ca_file = *v->ca_file ? v->ca_file : NULL,
                                    .pinned_file = *v->pinned_file ? v->pinned_file : NULL,
                                    .callbacks = &driver_callbacks,
                                    .ctx = h,
                                    .log = &h->log };
    int ret = v->driver ? sync_driver_move(v->driver, way->endpoint, way->session)
                        : sync_driver_create(&v->driver, &p);
    if (ret == 0)
        log_info(&h->log, "venue %s at %s", v->venue_id, way->endpoint);
}

/* The hub may start later than we, again, or at another port. */
static void look_for_backend(struct house *h)
{
    struct venue *v = &h->venue;
    struct way way = { 0 };
    if (!has_changed(v))
        return;
    if (way_read(v->way_path, v->is_hub ? "url" : "endpoint", &way)) {
        if (!v->is_hub) { /* the configuration says which server; the file only belongs to one */
            bool is_it = strcmp(way.endpoint, v->endpoint) == 0;
            free(way.endpoint);
            way.endpoint = xstrdup(v->endpoint);
            if (!is_it) {
                free(way.session);
                way.session = NULL;
            }
        }
        open_driver(h, &way);
    }
    way_finish(&way);
}

static int check_config(const struct house *h, const struct config *c)
{
    static const char *const names[] = { "endpoint", "project", "database", "venue" };
    const char *const texts[] = { c->backend.endpoint, c->backend.project, c->backend.database,
                                  c->backend.venue };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (*texts[i])
            continue;
        log_err(&h->log,
                "backend.%s is not set: with backend.kind = appwrite it must be; the queue stays "
                "this box's own",
                names[i]);
        return -EINVAL;
    }
    return 0;
}

/* What was queued without a backend goes to the hub of the house. false: it is too long for it. */
static bool hand_over(struct house *h, const struct queue *q)
{
    struct sync *engine = h->venue.engine;
    int64_t now_ns = now_mono_ns();
    for (int l = QUEUE_LISTS - 1; l >= 0; l--)
        for (size_t i = 0; i < q->list[l].count; i++) {
            struct queue_op add = { .kind = OP_ADD, .track = q->list[l].at[i] };
            if (sync_apply(engine, &add, now_ns) < 0)
                return false;
        }
    if (q->now) {
        struct queue_op start = { .kind = OP_START, .entry = entry_ref_of(q->now) };
        (void)sync_apply(engine, &start, now_ns);
    }
    return true;
}

/* The queue that the house begins with. */
static void begin_queue(struct house *h, struct journal_state *state)
{
    struct venue *v = &h->venue;
    if (state->is_joined && sync_is_continued(v->engine)) {
        struct track *now = state->queue.now;
        state->queue.now = NULL;
        v->is_joined = true;
        queue_finish(&state->queue);
        queue_copy(&state->queue, sync_view(v->engine));
        if (now && track_is_house(now) && !state->queue.now)
            state->queue.now = now; /* the venue does not know of it */
        else
            track_destroy(now);
        v->seen_revision = sync_view_revision(v->engine);
    } else if (v->is_hub) {
        v->is_joined = hand_over(h, &state->queue);
    }
    if (v->is_joined || !v->is_hub)
        return;
    log_err(&h->log,
            "the queue is longer than a venue's may be (%d characters): it stays this box's own. "
            "Make it shorter, or set backend.kind = none",
            QUEUE_SERVER_CHARS);
    sync_destroy(v->engine);
    v->engine = NULL;
}

void venue_open(struct house *h, const struct house_params *p, struct journal_state *state)
{
    const struct config *c = p->config;
    struct venue *v = &h->venue;
    v->is_hub = strcmp(c->backend.kind, "hub") == 0;
    v->notice_path = c->hub.enabled ? xasprintf("%s/hub.json", p->runtime_dir) : NULL;
    bool is_wanted = v->is_hub ? c->hub.enabled : strcmp(c->backend.kind, "appwrite") == 0;
    if (!is_wanted || (!v->is_hub && check_config(h, c) < 0))
        return;
    v->project_id = xstrdup(v->is_hub ? c->hub.project : c->backend.project);
    v->venue_id = xstrdup(v->is_hub ? c->hub.venue : c->backend.venue);
    v->endpoint = xstrdup(c->backend.endpoint);
    /* Our own hub is where it is said to be, by the address of the loop: its certificate may have any name, and a box
     * without a clock battery boots before the certificate is valid. */
    v->ca_file = xstrdup(v->is_hub ? "" : c->backend.ca_file);
    v->pinned_file = xstrdup(v->is_hub ? c->hub.certificate : "");
    v->way_path = v->is_hub ? xasprintf("%s/hub.json", p->runtime_dir)
                            : xasprintf("%s/" SESSION_FILE, p->state_dir);
    v->loops = c->queue.loop;
    char *device = load_device(p->state_dir, house_world(h).seed, &h->log);
    struct sync_params params = {
        .project_id = v->project_id,
        .database_id = v->is_hub ? c->hub.database : c->backend.database,
        .venue_id = v->venue_id,
        .device_id = device,
        .user_agent = USER_AGENT,
        .registry_id = v->is_hub ? "player-registry" : c->backend.registry,
        .session = "", /* there is one: the driver has it */
        .seed = house_world(h).seed,
    };
    const char *sync = state->sync;
    v->engine = sync_create(&params, sync, sync ? strlen(sync) : 0, now_mono_ns());
    free(device);
    begin_queue(h, state);
}

void venue_leave(struct house *h)
{
    struct venue *v = &h->venue;
    if (v->driver)
        sync_driver_destroy(v->driver, NULL, NULL);
    v->driver = NULL;
}

void venue_finish(struct house *h)
{
    if (h->venue.driver)
        sync_driver_finish(h->venue.driver, FINISH_MS);
}

void venue_close(struct house *h)
{
    struct venue *v = &h->venue;
    sync_destroy(v->engine);
    free(v->project_id);
    free(v->venue_id);
    free(v->endpoint);
    free(v->ca_file);
    free(v->pinned_file);
    free(v->way_path);
    free(v->command);
    free(v->notice_path);
    *v = (struct venue){ 0 };
}

/* ---- what is done here ------------------------------------------------------------------------ */

static void tell(struct house *h, const struct queue_op *op)
{
    struct venue *v = &h->venue;
    if (v->driver)
        (void)sync_driver_apply(v->driver, op);
    else
        (void)sync_apply(v->engine, op, now_mono_ns());
}

void venue_apply(void *ctx, const struct queue_op *op)
{
    struct house *h = ctx;
    struct venue *v = &h->venue;
    if (!v->engine)
        return;
    const struct queue *q = sync_view(v->engine);
    struct entry_place place;
    bool ends = op->kind == OP_END || op->kind == OP_SKIP;
    bool loops = h->jukebox ? jukebox_queue(h->jukebox)->loops : v->loops; /* of this turn's end */
    bool leaves = ends && !loops && queue_playing(q, &place) && place.list == QUEUE_MAIN &&
                  !queue_at(q, place)->unplayable[0];
    struct track *left = leaves ? track_copy(queue_at(q, place)) : NULL;
    tell(h, op);
    if (left) { /* a venue's main queue goes round; ours does not */
        struct queue_op remove = { .kind = OP_REMOVE, .entry = entry_ref_of(left) };
        tell(h, &remove);
    }
    track_destroy(left);
}

static void report(struct house *h)
{
    struct venue *v = &h->venue;
    const struct jukebox *j = h->jukebox;
    enum jukebox_state state = jukebox_state(j);
    bool is_house = jukebox_plays_house(j); /* of the queue nothing plays */
    struct sync_playback p = {
        .is_playing = !is_house && (state == JUKEBOX_PLAYING || state == JUKEBOX_PAUSED),
        .is_paused = !is_house && state == JUKEBOX_PAUSED,
        .position_s = (double)jukebox_position_ns(j) / (double)NS_PER_S,
        .duration_s = (double)jukebox_duration_ns(j) / (double)NS_PER_S,
        .volume = (int)jukebox_volume(j),
        .is_muted = jukebox_is_muted(j),
    };
    const struct sync_playback *told = &v->told;
    double since_s = (double)(h->view.now_ns - v->told_ns) / (double)NS_PER_S;
    double expected = told->position_s + (told->is_playing && !told->is_paused ? since_s : 0);
    bool has_jumped = p.position_s < expected - 1 || p.position_s > expected + 1;
    if (p.is_playing == told->is_playing && p.is_paused == told->is_paused &&
        p.duration_s == told->duration_s && p.volume == told->volume &&
        p.is_muted == told->is_muted && !has_jumped && h->view.now_ns - v->told_ns < REPORT_NS)
        return;
    v->told = p;
    v->told_ns = h->view.now_ns;
    sync_driver_playback(v->driver, &p);
}

/* ---- what others did -------------------------------------------------------------------------- */

static void previous(struct jukebox *j)
{
    const struct track_list *main_list = &jukebox_queue(j)->list[QUEUE_MAIN];
    if (jukebox_position_ns(j) > PREVIOUS_NS || main_list->count < 2) {
        (void)jukebox_seek(j, 0);
        return;
    }
    struct queue_op op = { .kind = OP_PLAY_NOW,
                           .entry = entry_ref_of(main_list->at[main_list->count - 1]) };
    (void)jukebox_apply(j, &op);
}

static void obey(struct jukebox *j, const struct venue_command *c)
{
    switch (c->command) {
    case SYNC_PLAY: jukebox_set_paused(j, false); break;
    case SYNC_PAUSE: jukebox_set_paused(j, true); break;
    case SYNC_SEEK: (void)jukebox_seek(j, (int64_t)(c->value * NS_PER_S)); break;
    case SYNC_VOLUME: jukebox_set_volume(j, (int64_t)c->value); break;
    case SYNC_MUTE: jukebox_set_muted(j, true); break;
    case SYNC_UNMUTE: jukebox_set_muted(j, false); break;
    case SYNC_PREVIOUS: previous(j); break;
    case SYNC_RESTART: (void)jukebox_seek_by(j, 0); break; /* the same place, loaded anew */
    }
}

static bool adopt(struct house *h)
{
    struct venue *v = &h->venue;
    struct jukebox *j = h->jukebox;
    bool is_skip = sync_take_skip(v->engine), is_new = false;
    if (sync_view_revision(v->engine) != v->seen_revision) {
        v->seen_revision = sync_view_revision(v->engine);
        /* What was done here comes back as it was. */
        is_new = !queue_same(jukebox_queue(j), sync_view(v->engine));
    }
    uint64_t turn = jukebox_turn(j);
    int64_t came_ns = sync_driver_take_arrival(v->driver);
    if (is_new) {
        jukebox_adopt(j, sync_view(v->engine));
        hops_followed(h, came_ns);
    }
    if (is_skip && jukebox_turn(j) == turn) /* the only song there is plays again */
        (void)jukebox_seek(j, 0);
    return is_new || is_skip;
}

static enum scene_link shown(enum sync_link link)
{
    return link == SYNC_CONNECTED    ? SCENE_LINK_CONNECTED
           : link == SYNC_CONNECTING ? SCENE_LINK_CONNECTING
                                     : SCENE_LINK_DISCONNECTED;
}

void venue_turn(struct house *h)
{
    struct venue *v = &h->venue;
    if (!v->engine || !h->has_loop)
        return;
    look_for_backend(h);
    if (!v->driver) {
        jukebox_set_link(h->jukebox, SCENE_LINK_DISCONNECTED);
        return;
    }
    for (size_t i = 0; i < v->command_count; i++)
        obey(h->jukebox, &v->command[i]);
    v->command_count = 0;
    report(h);
}

bool venue_follow(struct house *h)
{
    struct venue *v = &h->venue;
    struct sync_status status;
    if (!v->engine || !v->driver)
        return false;
    sync_status(v->engine, &status);
    jukebox_set_link(h->jukebox, shown(status.link));
    bool was_away = jukebox_is_away(h->jukebox);
    jukebox_set_master(h->jukebox, status.master_device);
    jukebox_set_away(h->jukebox, !status.sounds);
    v->is_joined |= status.has_document;
    bool is_adopted = v->is_joined && adopt(h);
    return is_adopted || was_away == status.sounds;
}

/* ---- on disk ---------------------------------------------------------------------------------- */

char *venue_journal(struct house *h)
{
    struct venue *v = &h->venue;
    return v->engine ? sync_journal(v->engine, &v->written_revision) : NULL;
}

bool venue_is_behind(const struct house *h)
{
    const struct venue *v = &h->venue;
    return v->engine && sync_revision(v->engine) != v->saved_revision;
}

void venue_saved(struct house *h)
{
    struct venue *v = &h->venue;
    v->saved_revision = v->written_revision;
    if (v->driver)
        sync_driver_saved(v->driver, v->written_revision);
    else if (v->engine)
        sync_saved(v->engine, v->written_revision, now_mono_ns());
}

/* ---- told to others --------------------------------------------------------------------------- */

struct message *venue_status(const struct house *h)
{
    static const char *const links[] = { [SYNC_DISCONNECTED] = "disconnected",
                                         [SYNC_CONNECTING] = "connecting",
                                         [SYNC_CONNECTED] = "connected" };
    static const char *const roles[] = {
        [SYNC_UNDECIDED] = "undecided", [SYNC_MASTER] = "master", [SYNC_OTHER] = "other"
    };
    const struct venue *v = &h->venue;
    struct sync_status s;
    if (!v->engine)
        return NULL;
    sync_status(v->engine, &s);
    struct message *m = message_create();
    message_set_str(m, "kind", v->is_hub ? "hub" : "appwrite");
    message_set_str(m, "venue", v->venue_id);
    message_set_str(m, "link", links[v->driver ? s.link : SYNC_DISCONNECTED]);
    message_set_bool(m, "is_reachable", v->driver && s.is_reachable);
    message_set_str(m, "role", roles[s.role]);
    message_set_str(m, "master", s.master_device);
    message_set_i64(m, "pending", (int64_t)s.pending);
    message_set_str(
        m, "problem",
        v->driver   ? s.problem
        : v->is_hub ? "The hub of this house has not started yet."
                    : "This box is not signed in to the venue's server: pair it (djamms pair).");
    message_set_i64(m, "polls", s.polls);
    message_set_i64(m, "events", s.events);
    message_set_i64(m, "conflicts", s.conflicts);
    message_set_i64(m, "reconnects", s.reconnects);
    return m;
}

struct message *venue_hub_process(const struct house *h)
{
    const char *path = h->venue.notice_path;
    char *text = NULL;
    size_t len = 0;
    if (!path)
        return NULL;
    struct message *notice =
        file_read(path, NOTICE_MAX, &text, &len) == 0 ? message_parse(text, len, NULL, 0) : NULL;
    int64_t pid = message_i64(notice, "pid", 0);
    bool is_alive = pid > 1 && pid < INT32_MAX && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
    struct message *m = message_create();
    message_set_str(m, "name", "hub");
    message_set_i64(m, "pid", pid);
    message_set_bool(m, "is_alive", is_alive);
    message_set_str(m, "address", is_alive ? message_str(notice, "url", "") : "");
    message_destroy(notice);
    free(text);
    return m;
}
