/* The clients of the control socket: who waits for what. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"
#include "player/house_internal.h"
#include "wire/message.h"

#define SHOT_MAX_NS SECONDS(2)
#define WATCH_NS    SECONDS(1)
/* Clients wait 10 s for an answer. */
#define LATER_MAX_NS SECONDS(4)

static void answer(struct house *h, uint64_t client, struct message *m)
{
    char *text = message_text(m, false);
    control_socket_answer(h->socket, client, text);
    free(text);
    message_destroy(m);
}

static void answer_failed(struct house *h, uint64_t client, const char *sentence)
{
    answer(h, client, answer_error("failed", sentence));
}

/* ---- answers that wait for the disk ----------------------------------------------------------- */

void clients_saved(struct house *h, uint64_t revision, int error)
{
    char sentence[256];
    snprintf(sentence, sizeof(sentence),
             "It is done, but the queue could not be saved: %s. It is lost when the power goes.",
             error ? strerror(-error) : "");
    for (size_t i = 0; i < ARRAY_LEN(h->waiting); i++) {
        struct waiting w = h->waiting[i];
        if (!w.client || w.revision > revision)
            continue;
        h->waiting[i] = (struct waiting){ 0 };
        if (error)
            answer_failed(h, w.client, sentence);
        else
            control_socket_answer(h->socket, w.client, w.text);
        free(w.text);
    }
}

bool clients_wait(const struct house *h)
{
    for (size_t i = 0; i < ARRAY_LEN(h->waiting); i++)
        if (h->waiting[i].client)
            return true;
    return false;
}

/* A client that closed leaves its place behind until its change is saved; with all places taken the
 * answer does not wait. */
static void answer_when_saved(struct house *h, uint64_t client, struct message *m)
{
    uint64_t revision = jukebox_revision(h->jukebox);
    struct waiting *free_place = NULL;
    for (size_t i = 0; i < ARRAY_LEN(h->waiting) && !free_place; i++)
        if (!h->waiting[i].client)
            free_place = &h->waiting[i];
    if (revision == h->saved_revision) {
        answer(h, client, m);
    } else if (!free_place) {
        message_destroy(m);
        answer_failed(h, client, "Too many changes wait to be saved.");
    } else {
        *free_place = (struct waiting){
            .client = client,
            .revision = revision,
            .text = message_text(m, false),
        };
        message_destroy(m);
        disk_save(h);
    }
}

/* ---- watching --------------------------------------------------------------------------------- */

static bool watch(struct house *h, uint64_t client)
{
    for (size_t i = 0; i < ARRAY_LEN(h->watchers); i++)
        if (!h->watchers[i] || h->watchers[i] == client) {
            h->watchers[i] = client;
            return true;
        }
    return false;
}

static void tell_watchers(struct house *h)
{
    char *text = NULL;
    for (size_t i = 0; i < ARRAY_LEN(h->watchers); i++) {
        if (!h->watchers[i])
            continue;
        if (!text) {
            struct command_world w = house_world(h);
            struct message *m = answer_status(&w);
            text = message_text(m, false);
            message_destroy(m);
        }
        if (!control_socket_send(h->socket, h->watchers[i], text))
            h->watchers[i] = 0;
    }
    free(text);
    h->watched_ns = h->view.now_ns;
}

/* ---- screenshots ------------------------------------------------------------------------------ */

static void request_shot(struct house *h, uint64_t client, uint32_t output)
{
    if (h->shot_client) {
        answer_failed(h, client, "Another screenshot is being taken; try again.");
        return;
    }
    struct shot_request last = { 0 };
    struct shot_done done = { 0 };
    if (!shot_request_load(&h->control->shot_request, &last))
        last.serial = 0;
    if (shot_done_load(&h->control->shot_done, &done) && done.serial > last.serial)
        last.serial = done.serial;
    struct shot_request request = { .serial = last.serial + 1, .output = output };
    shot_request_store(&h->control->shot_request, &request);
    doorbell_ring(&h->control->stage_bell);
    h->shot_client = client;
    h->shot_serial = request.serial;
    h->shot_output = output;
    h->shot_until_ns = h->view.now_ns + SHOT_MAX_NS;
}

static struct message *shot_answer(struct house *h, const struct shot_done *done)
{
    struct output_row row;
    struct message *m = message_create();
    bool is_known = output_row_load(&h->control->output[h->shot_output], &row);
    row.name[is_known ? sizeof(row.name) - 1 : 0] = '\0';
    message_set_bool(m, "ok", true);
    message_set_i64(m, "width", done->width);
    message_set_i64(m, "height", done->height);
    message_set_i64(m, "stride", done->stride);
    message_set_str(m, "output", row.name);
    return m;
}

static void check_shot(struct house *h)
{
    struct shot_done done;
    uint64_t client = h->shot_client;
    if (!client)
        return;
    bool is_done = shot_done_load(&h->control->shot_done, &done) && done.serial == h->shot_serial;
    if (!is_done && h->view.now_ns < h->shot_until_ns)
        return;
    h->shot_client = 0;
    uint64_t bytes = is_done ? (uint64_t)done.stride * done.height : 0;
    if (is_done && done.width && done.height && bytes <= SHOT_MAX_BYTES &&
        done.stride / 4 >= done.width)
        answer(h, client, shot_answer(h, &done));
    else if (is_done)
        answer_failed(h, client, "The output could not be read back.");
    else
        answer_failed(h, client, "The stage did not give a picture within 2 seconds.");
}

/* ---- lines ------------------------------------------------------------------------------------ */

static void have_history(void *arg, uint64_t client, struct message *tracks)
{
    struct house *h = arg;
    message_set_bool(tracks, "ok", true);
    if (h->is_stopping)
        message_destroy(tracks);
    else
        answer(h, client, tracks);
}

static void have_songs(void *arg, uint64_t client, const struct library_songs *songs, int error)
{
    struct house *h = arg;
    if (h->is_stopping)
        return;
    if (error < 0)
        answer_failed(h, client, "The index of the library cannot be read; see: djamms status.");
    else
        answer(h, client, answer_songs(songs));
}

static bool keep_for_later(struct house *h, uint64_t client, const char *line, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(h->later); i++)
        if (!h->later[i].client) {
            h->later[i] = (struct later){ .client = client,
                                          .line = xstrndup(line, len),
                                          .len = len,
                                          .until_ns = h->view.now_ns + LATER_MAX_NS };
            return true;
        }
    return false;
}

/* `may_wait`: it may be kept for later. */
static void run_line(struct house *h, uint64_t client, const char *line, size_t len, bool may_wait)
{
    struct command_result r;
    int64_t came_ns = now_mono_ns();
    house_turn(h);
    hops_acted(h, came_ns);
    struct command_world w = house_world(h);
    w.may_wait = may_wait;
    command_run(&w, line, len, &r);
    if (r.when == ANSWER_LATER) {
        if (!keep_for_later(h, client, line, len))
            run_line(h, client, line, len, false);
        return;
    }
    if (r.when == ANSWER_AND_QUIT)
        jukebox_quit(h->jukebox);
    house_turn(h);
    if (r.when == ANSWER_WITH_SHOT) {
        request_shot(h, client, r.output);
    } else if (r.when == ANSWER_WITH_HISTORY) {
        history_read(h->history, r.limit, have_history, h, client);
    } else if (r.when == ANSWER_WITH_SONGS) {
        library_search(h->library, r.words, r.limit, have_songs, h, client);
        free(r.words);
    } else if (r.when == ANSWER_WITH_CACHE) {
        if (!house_cache_ask(h, client, r.request))
            answer_failed(h, client, "Too many requests wait for the cache.");
    } else if (r.when == ANSWER_WHEN_SAVED) {
        answer_when_saved(h, client, r.answer);
    } else if (r.when == ANSWER_WATCH && !watch(h, client)) {
        message_destroy(r.answer);
        answer(h, client, answer_error("full", "Too many clients are watching."));
    } else {
        answer(h, client, r.answer);
    }
}

static void on_line(void *arg, uint64_t client, const char *line, size_t len)
{
    run_line(arg, client, line, len, true);
    house_quit_if_wanted(arg);
}

void clients_go_on(struct house *h)
{
    struct library_status s;
    if (!h->library || h->is_stopping)
        return;
    library_status(h->library, &s);
    bool is_read = s.has_scanned || !s.is_scanning;
    for (size_t i = 0; i < ARRAY_LEN(h->later); i++) {
        struct later l = h->later[i];
        if (!l.client || (!is_read && h->view.now_ns < l.until_ns))
            continue;
        h->later[i] = (struct later){ 0 };
        run_line(h, l.client, l.line, l.len, false);
        free(l.line);
    }
}

int clients_open(struct house *h, const char *runtime_dir)
{
    char *path = xasprintf("%s/" CONTROL_SOCKET_NAME, runtime_dir);
    int ret = control_socket_open(&h->socket, &(struct control_socket_params){
                                                  .loop = &h->loop,
                                                  .path = path,
                                                  .on_line = on_line,
                                                  .arg = h,
                                                  .log = &h->log,
                                              });
    if (ret == -ENAMETOOLONG)
        log_err(&h->log, "%s is too long for a socket: choose a shorter runtime folder", path);
    else if (ret < 0)
        log_err(&h->log, "cannot listen on %s: %s", path, strerror(-ret));
    free(path);
    return ret;
}

void clients_turn(struct house *h, bool is_news)
{
    if (!h->socket)
        return;
    check_shot(h);
    enum jukebox_state state = jukebox_state(h->jukebox);
    bool is_due = h->view.now_ns - h->watched_ns >= WATCH_NS;
    if (is_news || is_due || state != h->watched_state) {
        h->watched_state = state;
        tell_watchers(h);
    }
}
