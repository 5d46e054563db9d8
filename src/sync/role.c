/* Which of a venue's devices sounds: the registry function, or a lease among the documents of `players`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "sync/query_text.h"
#include "sync/sync_internal.h"

#define HEARTBEAT_NS SECONDS(25)
#define EXPIRY_NS    SECONDS(120)
#define TRIES        3
#define HURRY_NS     SECONDS(3)
#define HURRY_GAP_NS MS(200)

/* The id under which the DJAMMS web system has deployed its registry; there its name is no id. */
#define DEPLOYED_REGISTRY "68e5a41f00222cab705b"

static void next_in(struct sync *s, int64_t wait)
{
    task_set(s, TASK_ROLE, s->now_ns + wait - sync_jitter(s, wait / 10));
}

/* What another device began goes on here; what was done here meanwhile, unsure, is no part of it. */
static void take_over(struct sync *s)
{
    size_t before = s->pending.count;
    pending_drop_transport(&s->pending, true);
    if (s->pending.count == before && s->playing && strcmp(s->playing_turn, s->base.now.turn) == 0)
        return;
    track_destroy(s->playing);
    s->playing = NULL;
    state_dirty(s);
    state_changed(s);
}

static void gained(struct sync *s)
{
    struct role *r = &s->role;
    bool is_new = r->is != SYNC_MASTER, was_stale = !state_may_write_now(s);
    r->is = SYNC_MASTER;
    r->confirmed_ns = r->asked_ns;
    r->was_confirmed = true;
    r->failures = 0;
    r->is_registered = true;
    if (is_new) {
        requests_read_again(s);
        state_dirty(s);
        task_wake(s, TASK_FETCH, s->now_ns);
        task_wake(s, TASK_COMMANDS, s->now_ns);
    }
    if (is_new || was_stale) {
        if (turn_is_of_other(s, s->base.now.turn))
            take_over(s);
        document_mean(s);
        report_now_changed(s);
        playlist_consider(s);
        push_consider(s);
    }
    state_withhold(s);
}

/* Nobody can be asked: a silent bar is the worst failure. */
static void alone(struct sync *s)
{
    struct role *r = &s->role;
    if (r->is != SYNC_UNDECIDED)
        return;
    r->is = r->was_other ? SYNC_OTHER : SYNC_MASTER;
    state_dirty(s);
    state_changed(s);
    document_mean(s);
}

void role_lost(struct sync *s, const char *master)
{
    struct role *r = &s->role;
    bool is_new = r->is != SYNC_OTHER;
    snprintf(r->master, sizeof(r->master), "%s", master);
    r->is_registered = false;
    r->player[0] = '\0';
    r->failures = 0;
    r->saw_others = true;
    r->confirmed_ns = NO_TIME;
    if (!is_new)
        return;
    r->is = SYNC_OTHER;
    pending_drop_transport(&s->pending, false);
    ledger_forget_playing(&s->ledger);
    track_destroy(s->playing);
    s->playing = NULL;
    s->playing_turn[0] = '\0';
    state_dirty(s);
    state_changed(s);
    requests_settle(s);
    push_consider(s);
}

void role_check(struct sync *s)
{
    s->role.confirmed_ns = NO_TIME;
    if (!s->task[TASK_ROLE].under_way)
        task_wake(s, TASK_ROLE, s->now_ns);
}

/* What it says of going, and the release itself, come in any order. */
void role_hurry(struct sync *s)
{
    s->role.hurry_until_ns = s->now_ns + HURRY_NS;
    role_check(s);
}

/* Somebody else has the role: when it is asked for again. */
static int64_t refused_wait_ns(const struct sync *s)
{
    return s->now_ns < s->role.hurry_until_ns ? HURRY_GAP_NS : HEARTBEAT_NS;
}

/* ---- the registry function ---------------------------------------------------------------------------------- */

static void compose_function(struct sync *s, struct call *out)
{
    const struct role *r = &s->role;
    struct message *inner = message_create(), *body = message_create();
    message_set_str(inner, "action",
                    r->is_releasing    ? "release"
                    : r->is_registered ? "heartbeat"
                                       : "register");
    message_set_str(inner, "venueId", s->venue_id);
    message_set_str(inner, "deviceId", s->device_id);
    message_set_str(inner, "userAgent", s->user_agent);
    char *text = message_text(inner, false);
    message_set_str(body, "body", text);
    message_set_bool(body, "async", false);
    message_set_str(body, "path", "/");
    message_set_str(body, "method", "POST");
    message_set_object(body, "headers", message_create());
    free(text);
    struct buf path;
    buf_init(&path, 1024);
    (void)!buf_printf(&path, "/functions/");
    query_escape(&path, r->uses_deployed ? DEPLOYED_REGISTRY : s->registry_id);
    (void)!buf_printf(&path, "/executions");
    out->method = "POST";
    out->path = path.data;
    out->body = message_text(body, false);
    message_destroy(inner);
    message_destroy(body);
}

static void failed(struct sync *s)
{
    struct role *r = &s->role;
    r->failures++;
    bool was_only = r->was_confirmed && !r->saw_others && !s->is_reachable;
    if (r->failures >= TRIES || was_only)
        alone(s);
    next_in(s, r->failures < TRIES    ? SECONDS(1) * r->failures
               : r->is == SYNC_MASTER ? SECONDS(5)
                                      : HEARTBEAT_NS);
}

/* By the table of errors: asking again soon would change nothing. */
static void denied(struct sync *s, const struct answer *a)
{
    s->role.failures = TRIES;
    alone(s);
    task_trouble(s, TASK_ROLE, a);
}

/* The server itself says that it has not got it; a proxy's page, or a wrong project, says nothing of the sort. */
static bool is_not_offered(const struct answer *a)
{
    return a->outcome == OUTCOME_MISSING ||
           (a->outcome == OUTCOME_ABSENT && *a->type && strcmp(a->type, "project_not_found") != 0);
}

static void know_player(struct role *r, const char *id)
{
    if (*id && strlen(id) < sizeof(r->player))
        memcpy(r->player, id, strlen(id) + 1);
}

/* The inner answer counts, whatever the outer status says. */
static void function_answered(struct sync *s, const struct message *m)
{
    struct role *r = &s->role;
    int64_t status = message_i64(m, "responseStatusCode", 0);
    const char *text = message_str(m, "responseBody", "");
    report_server_time(s, message_str(m, "$updatedAt", NULL), true);
    struct message *inner = message_parse(text, strlen(text), NULL, 0);
    if (!inner || status >= 500 || strcmp(message_str(m, "status", ""), "failed") == 0) {
        failed(s);
    } else if (message_bool(inner, "success", false)) {
        know_player(r, message_str(inner, "playerId", "")); /* said when it is registered */
        next_in(s, HEARTBEAT_NS); /* or sooner, if there is something to ask */
        gained(s);
    } else if (
        r->is_registered) { /* the heartbeat found no role of ours: another device may have it */
        r->is_registered = false;
        r->confirmed_ns = NO_TIME; /* nothing is written until that is known */
        task_set(s, TASK_ROLE, s->now_ns);
    } else if (strcmp(message_str(inner, "reason", ""), "MASTER_ACTIVE") == 0 ||
               message_has(inner, "currentMaster")) {
        const struct message *master = message_object(inner, "currentMaster");
        role_lost(s, master ? message_str(master, "deviceId", "") : "");
        next_in(s, refused_wait_ns(s));
    } else {
        failed(s);
    }
    message_destroy(inner);
}

static void function_done(struct sync *s, const struct answer *a)
{
    if (a->outcome == OUTCOME_OK && a->body) {
        problem_set(s, TASK_ROLE, NULL);
        function_answered(s, a->body);
    } else if (is_not_offered(a) && !s->role.uses_deployed) {
        s->role.uses_deployed = true;
        task_set(s, TASK_ROLE, s->now_ns);
    } else if (is_not_offered(a)) {
        s->role.uses_lease = true;
        s->role.lease_step = LEASE_READ;
        task_set(s, TASK_ROLE, s->now_ns);
    } else if (a->outcome == OUTCOME_TROUBLE || a->outcome == OUTCOME_LIMITED) {
        failed(s);
    } else {
        denied(s, a);
    }
}

/* ---- the lease ---------------------------------------------------------------------------------------------- */

static char *lease_id(const struct sync *s)
{
    return xasprintf("lease-%016llx",
                     (unsigned long long)text_hash(s->venue_id, strlen(s->venue_id)));
}

static struct message *lease_data(const struct sync *s)
{
    struct message *data = message_create();
    char stamp[STAMP_SIZE];
    int64_t ms = report_server_ms(s);
    if (!report_updated_at(s, stamp))
        stamp_format(0, stamp);
    message_set_str(data, "playerId", "lease");
    message_set_str(data, "venueId", s->venue_id);
    message_set_str(data, "deviceId", s->device_id);
    message_set_str(data, "status", s->role.is_releasing ? "offline" : "active");
    message_set_i64(data, "lastHeartbeat", ms);
    message_set_i64(data, "expiresAt", ms + EXPIRY_NS / NS_PER_MS);
    message_set_str(data, "userAgent", s->user_agent);
    message_set_str(data, "createdAt", stamp);
    return data;
}

static void compose_lease(struct sync *s, struct call *out)
{
    const struct role *r = &s->role;
    char *id = lease_id(s);
    if (r->lease_step == LEASE_CREATE) {
        struct query_text q;
        query_documents(&q, s->database_id, "players");
        out->path = query_take(&q);
    } else {
        out->path = document_path(s->database_id, "players", id);
    }
    out->method = r->lease_step == LEASE_READ     ? "GET"
                  : r->lease_step == LEASE_CREATE ? "POST"
                                                  : "PATCH";
    if (r->lease_step != LEASE_READ) {
        struct message *body = message_create();
        if (r->lease_step == LEASE_CREATE)
            message_set_str(body, "documentId", id);
        else
            out->guard = xstrdup(r->lease_guard);
        message_set_object(body, "data", lease_data(s));
        out->body = message_text(body, false);
        message_destroy(body);
    }
    free(id);
}

static void lease_step(struct sync *s, enum lease_step step, int64_t wait)
{
    s->role.lease_step = step;
    if (wait)
        next_in(s, wait);
    else
        task_set(s, TASK_ROLE, s->now_ns);
}

static void lease_read(struct sync *s, const struct message *m)
{
    struct role *r = &s->role;
    const char *holder = message_str(m, "deviceId", ""), *stamp = message_str(m, "$updatedAt", "");
    bool is_ours = strcmp(holder, s->device_id) == 0;
    bool is_free = strcmp(message_str(m, "status", ""), "active") != 0;
    if (strcmp(stamp, r->lease_guard) != 0) {
        snprintf(r->lease_guard, sizeof(r->lease_guard), "%s", stamp);
        r->lease_seen_ns = s->now_ns;
    }
    if (is_ours || is_free || s->now_ns - r->lease_seen_ns >= EXPIRY_NS) {
        lease_step(s, LEASE_WRITE, 0);
        return;
    }
    role_lost(s, holder);
    lease_step(s, LEASE_READ, refused_wait_ns(s));
}

static void lease_taken(struct sync *s, const struct message *m)
{
    struct role *r = &s->role;
    const char *stamp = m ? message_str(m, "$updatedAt", "") : "";
    snprintf(r->lease_guard, sizeof(r->lease_guard), "%s", stamp);
    r->lease_seen_ns = s->now_ns;
    report_server_time(s, stamp, true);
    problem_set(s, TASK_ROLE, NULL);
    know_player(r, m ? message_str(m, "$id", "") : "");
    lease_step(s, LEASE_WRITE, HEARTBEAT_NS);
    gained(s);
}

static void lease_done(struct sync *s, const struct answer *a)
{
    struct role *r = &s->role;
    switch (a->outcome) {
    case OUTCOME_OK:
        if (r->lease_step == LEASE_READ && a->body)
            lease_read(s, a->body);
        else
            lease_taken(s, a->body);
        break;
    case OUTCOME_MISSING:
        lease_step(s, r->lease_step == LEASE_READ ? LEASE_CREATE : LEASE_READ, 0);
        break;
    case OUTCOME_CONFLICT:
    case OUTCOME_EXISTS: lease_step(s, LEASE_READ, 0); break;
    case OUTCOME_ABSENT:
    case OUTCOME_SIGNED_OUT:
    case OUTCOME_FORBIDDEN:
    case OUTCOME_REFUSED:
        r->lease_step = LEASE_READ;
        if (answer_is_sign_out(a) ? !s->is_signed_in
                                  : a->outcome == OUTCOME_ABSENT && !is_not_offered(a)) {
            denied(s, a);
            break;
        }
        if (answer_is_sign_out(a))
            task_wake(s, TASK_ACCOUNT, s->now_ns);
        problem_set(s, TASK_ROLE,
                    "Nothing there decides which box of the venue plays: of two, both would (see "
                    "backend.registry).");
        next_in(s, SECONDS(60));
        if (r->is != SYNC_OTHER)
            gained(s);
        break;
    default:
        r->lease_step = LEASE_READ; /* a write may have been done */
        failed(s);
    }
}

/* ---- the task ----------------------------------------------------------------------------------------------- */

static bool compose(struct sync *s, struct call *out)
{
    s->role.asked_ns = s->now_ns;
    if (s->is_finishing && !s->role.is_releasing)
        return false;
    if (s->role.uses_lease)
        compose_lease(s, out);
    else
        compose_function(s, out);
    return true;
}

static void done(struct sync *s, const struct answer *a)
{
    if (s->role.is_releasing) {
        s->role.is_released = true;
        return;
    }
    if (s->role.uses_lease)
        lease_done(s, a);
    else
        function_done(s, a);
}

const struct task_kind sync_task_role = { "role", compose, done, false };
