/* Commands of remotes: documents of `player_commands`. Each is done once, if it is young by the server's clock, and
 * acknowledged in any case. More than is remembered at a time waits at the server. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/query_text.h"
#include "sync/sync_internal.h"
#include "wire/track_json.h"

#define STALE_MS    30000
#define COMMANDS_NS SECONDS(15)

static double number_of(const struct message *payload, const char *const *names, double fallback)
{
    for (size_t i = 0; payload && names[i]; i++) {
        double value = message_f64(payload, names[i], NAN);
        if (!isnan(value))
            return value;
    }
    return fallback;
}

static bool text_is(const struct message *m, const char *field, const char *value)
{
    return strcmp(message_str(m, field, ""), value) == 0;
}

static void order(struct sync *s, enum sync_command command, double value)
{
    struct commands *c = &s->commands;
    assert(c->waiting_count < COMMANDS_KEPT); /* else it was not taken up */
    c->waiting[c->waiting_count++] =
        (struct sync_action){ .kind = SYNC_COMMAND, .command = command, .value = value };
}

static struct entry_ref ref_of(const struct message *payload)
{
    return (struct entry_ref){ message_str(payload, "id", message_str(payload, "trackId", "")),
                               message_str(payload, "videoId", ""),
                               message_str(payload, "requestedAt", "") };
}

static void on_queue(struct sync *s, const struct message *payload, enum queue_op_kind kind)
{
    const char *queue = message_str(payload, "queue", "");
    struct queue_op op = { .kind = kind, .entry = ref_of(payload), .seed = sync_random(s) };
    op.all_lists =
        kind == OP_CLEAR && (!*queue || strcmp(queue, "both") == 0 || strcmp(queue, "all") == 0);
    op.list = strcmp(queue, "priority") == 0 || strcmp(queue, "priorityQueue") == 0 ? QUEUE_REQUESTS
                                                                                    : QUEUE_MAIN;
    double index = number_of(payload, (const char *const[]){ "index", "position", "to", NULL }, 0);
    op.index = index > 0 && index < 1e6 ? (size_t)index : 0;
    bool had_now = s->full_view.now != NULL;
    state_apply(s, &op);
    if (had_now && !s->full_view.now)
        s->skip_wanted = true;
}

static void add(struct sync *s, const struct message *payload)
{
    const struct message *song = message_object(payload, "track");
    struct track *t = track_from_message(song ? song : payload);
    struct queue_op op = { .kind = OP_ADD,
                           .track = t,
                           .seed = sync_random(s),
                           .at_front = message_bool(payload, "atFront", false) };
    if (*t->video_id || *t->source)
        state_apply(s, &op);
    track_destroy(t);
}

static void skip(struct sync *s)
{
    if (!s->full_view.now)
        return;
    struct track *now = track_copy(s->full_view.now);
    struct queue_op op = { .kind = OP_SKIP, .entry = entry_ref_of(now) };
    if (state_apply(s, &op) == 0)
        s->skip_wanted = true;
    track_destroy(now);
}

static void do_play(struct sync *s, const struct message *p)
{
    order(s, SYNC_PLAY, 0);
}
static void do_pause(struct sync *s, const struct message *p)
{
    order(s, SYNC_PAUSE, 0);
}
static void do_previous(struct sync *s, const struct message *p)
{
    order(s, SYNC_PREVIOUS, 0);
}
static void do_mute(struct sync *s, const struct message *p)
{
    order(s, message_bool(p, "muted", true) ? SYNC_MUTE : SYNC_UNMUTE, 0);
}
static void do_unmute(struct sync *s, const struct message *p)
{
    order(s, SYNC_UNMUTE, 0);
}
static void do_refresh(struct sync *s, const struct message *p)
{
    order(s, SYNC_RESTART, 0);
}
static void do_skip(struct sync *s, const struct message *p)
{
    skip(s);
}
static void do_add(struct sync *s, const struct message *p)
{
    add(s, p);
}
static void do_remove(struct sync *s, const struct message *p)
{
    on_queue(s, p, OP_REMOVE);
}
static void do_move(struct sync *s, const struct message *p)
{
    on_queue(s, p, OP_MOVE);
}
static void do_clear(struct sync *s, const struct message *p)
{
    on_queue(s, p, OP_CLEAR);
}
static void do_shuffle(struct sync *s, const struct message *p)
{
    on_queue(s, p, OP_SHUFFLE);
}

static void do_seek(struct sync *s, const struct message *p)
{
    double at = number_of(p, (const char *const[]){ "position", "time", "seconds", NULL }, NAN);
    if (at >= 0 && at <= TRACK_MAX_DURATION_S)
        order(s, SYNC_SEEK, at);
}

static void do_volume(struct sync *s, const struct message *p)
{
    double volume = number_of(p, (const char *const[]){ "volume", "level", "value", NULL }, NAN);
    if (!isnan(volume))
        order(s, SYNC_VOLUME, fmin(100, fmax(0, volume)));
}

static void do_playlist(struct sync *s, const struct message *p)
{
    const char *id = message_str(p, "playlistId", message_str(p, "id", ""));
    if (*id)
        playlist_load(s, id);
}

static const struct {
    const char *name;
    void (*run)(struct sync *s, const struct message *payload);
    enum command_setting sets;
} table[] = {
    { "play", do_play, SETS_PAUSE },
    { "resume", do_play, SETS_PAUSE },
    { "pause", do_pause, SETS_PAUSE },
    { "skip", do_skip, SETS_NOTHING },
    { "previous", do_previous, SETS_NOTHING },
    { "seek", do_seek, SETS_POSITION },
    { "volume", do_volume, SETS_VOLUME },
    { "mute", do_mute, SETS_MUTE },
    { "unmute", do_unmute, SETS_MUTE },
    { "queue_add", do_add, SETS_NOTHING },
    { "queue_remove", do_remove, SETS_NOTHING },
    { "queue_move", do_move, SETS_NOTHING },
    { "queue_clear", do_clear, SETS_NOTHING },
    { "queue_shuffle", do_shuffle, SETS_NOTHING },
    { "load_playlist", do_playlist, SETS_NOTHING },
    { "player_refresh", do_refresh, SETS_NOTHING },
};

/* Events may come in any order. What only sets something does nothing when a later one has set it already. */
static bool is_overtaken(struct sync *s, const struct message *m, enum command_setting sets)
{
    int64_t created_ms, *latest_ms = &s->commands.latest_ms[sets];
    if (sets == SETS_NOTHING || !stamp_parse(message_str(m, "$createdAt", NULL), &created_ms))
        return false;
    if (created_ms < *latest_ms)
        return true;
    *latest_ms = created_ms;
    return false;
}

static void execute(struct sync *s, const struct message *m)
{
    const char *text = message_str(m, "payload", "");
    struct message *parsed = message_parse(text, strlen(text), NULL, 0), *empty = message_create();
    const struct message *payload = parsed ? parsed : message_object(m, "payload");
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (text_is(m, "command", table[i].name) && !is_overtaken(s, m, table[i].sets))
            table[i].run(s, payload ? payload : empty);
    }
    message_destroy(parsed);
    message_destroy(empty);
}

static bool was_done(const struct commands *c, const char *id)
{
    for (size_t i = 0; i < COMMANDS_KEPT; i++) {
        if (strcmp(c->done[i], id) == 0)
            return true;
    }
    return false;
}

static bool is_waiting_ack(const struct commands *c, const char *id)
{
    for (size_t i = 0; i < c->ack_count; i++) {
        if (strcmp(c->ack[i], id) == 0)
            return true;
    }
    return false;
}

/* By the server's clock. Its time is known from an event or an answer; else only what came as an event is young. */
static bool is_stale(const struct sync *s, const struct message *m, bool is_event)
{
    int64_t created_ms, now_ms = report_server_ms(s);
    if (!now_ms || !stamp_parse(message_str(m, "$createdAt", NULL), &created_ms))
        return !is_event;
    return now_ms - created_ms > STALE_MS;
}

/* What is behind one that waits at the server waits, too: they are done in their order. */
static bool is_taken_up(struct commands *c, bool is_event)
{
    bool has_room = c->ack_count < COMMANDS_KEPT && c->waiting_count < COMMANDS_KEPT;
    if (has_room && !(is_event && c->is_behind))
        return true;
    c->is_behind = c->has_missed = true;
    return false;
}

static void await_ack(struct commands *c, const char *id)
{
    if (c->is_denied && c->ack_count == COMMANDS_KEPT - 1) /* the list brings the oldest again */
        memmove(c->ack, c->ack + 1, --c->ack_count * sizeof(c->ack[0]));
    snprintf(c->ack[c->ack_count++], DOCUMENT_ID_SIZE, "%s", id);
}

void commands_seen(struct sync *s, const struct message *m, bool is_event)
{
    struct commands *c = &s->commands;
    const char *id = message_str(m, "$id", "");
    if (!state_is_master(s) || !*id || strlen(id) >= DOCUMENT_ID_SIZE ||
        *message_str(m, "executedAt", "") || message_i64(m, "executedAt", 0) ||
        *message_str(m, "executedBy", "") || is_waiting_ack(c, id) || !is_taken_up(c, is_event))
        return;
    await_ack(c, id);
    if (!was_done(c, id)) {
        snprintf(c->done[c->done_next++ % COMMANDS_KEPT], DOCUMENT_ID_SIZE, "%s", id);
        state_dirty(s); /* not done again after a crash */
        if (!is_stale(s, m, is_event))
            execute(s, m);
    }
    task_wake(s, TASK_COMMAND_ACK, s->now_ns);
}

bool commands_action(struct sync *s, struct sync_action *out)
{
    struct commands *c = &s->commands;
    if (!c->waiting_count)
        return false;
    *out = c->waiting[0];
    memmove(c->waiting, c->waiting + 1, --c->waiting_count * sizeof(c->waiting[0]));
    return true;
}

static bool list_compose(struct sync *s, struct call *out)
{
    if (!state_is_master(s))
        return false;
    s->commands.has_missed = false;
    struct query_text q;
    query_documents(&q, s->database_id, "player_commands");
    query_equal(&q, "venueId", s->venue_id);
    query_is_null(&q, "executedAt");
    query_order(&q, "orderAsc", "$createdAt");
    query_limit(&q, COMMANDS_KEPT);
    out->method = "GET";
    out->path = query_take(&q);
    return true;
}

/* The list is read again for those behind, once there is room. */
static void go_on(struct sync *s)
{
    if (s->commands.is_behind && !s->commands.ack_count)
        task_wake(s, TASK_COMMANDS, s->now_ns);
}

static void list_read(struct sync *s, const struct message *list)
{
    struct commands *c = &s->commands;
    size_t n = message_count(list, "documents");
    c->is_behind = false;
    for (size_t i = 0; i < n; i++) {
        const struct message *d = message_object_at(list, "documents", i);
        if (d)
            commands_seen(s, d, false);
    }
    bool is_full = n >= COMMANDS_KEPT && c->ack_count; /* with these acknowledged, others follow */
    c->is_behind = !c->is_denied && (c->has_missed || is_full);
    go_on(s);
}

static void list_done(struct sync *s, const struct answer *a)
{
    struct commands *c = &s->commands;
    if (task_goes_without(s, TASK_COMMANDS, a)) {
        c->is_behind = false; /* events are all there is */
    } else if (a->outcome == OUTCOME_OK && a->body && message_has(a->body, "documents")) {
        if (s->link.state != LINK_LIVE) /* no event will tell of one, and it is not to grow stale */
            task_wake(s, TASK_COMMANDS, s->now_ns + COMMANDS_NS);
        list_read(s, a->body);
    } else if (c->is_behind) {
        task_trouble(s, TASK_COMMANDS, a);
    } /* else it is asked for again at the next poll */
}

const struct task_kind sync_task_commands = { "commands", list_compose, list_done, false };

static bool ack_compose(struct sync *s, struct call *out)
{
    struct commands *c = &s->commands;
    if (!c->ack_count)
        return false;
    struct message *data = message_create(), *body = message_create();
    /* Where nothing registers players there is only the device's name. */
    message_set_str(data, "executedBy", *s->role.player ? s->role.player : s->device_id);
    message_set_i64(data, "executedAt", max_i64(1, report_server_ms(s)));
    message_set_object(body, "data", data);
    out->method = "PATCH";
    out->path = document_path(s->database_id, "player_commands", c->ack[0]);
    out->body = message_text(body, false);
    message_destroy(body);
    return true;
}

static void ack_done(struct sync *s, const struct answer *a)
{
    struct commands *c = &s->commands;
    if (a->outcome == OUTCOME_TROUBLE || a->outcome == OUTCOME_LIMITED) {
        task_trouble(s, TASK_COMMAND_ACK, a);
        return;
    }
    c->is_denied = a->outcome != OUTCOME_OK && a->outcome != OUTCOME_MISSING;
    if (c->is_denied)
        c->is_behind = false; /* the same ones would come again and again */
    if (c->ack_count)
        memmove(c->ack, c->ack + 1, --c->ack_count * sizeof(c->ack[0]));
    if (answer_is_sign_out(a))
        task_trouble(s, TASK_COMMAND_ACK, a);
    else if (c->ack_count)
        task_set(s, TASK_COMMAND_ACK, s->now_ns);
    go_on(s);
}

const struct task_kind sync_task_command_ack = { "command ack", ack_compose, ack_done, true };
