#include "sync/sync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/backoff.h"
#include "base/text.h"
#include "sync/sync_internal.h"

#define HTTP_TIMEOUT_MS 10000
#define SLOW_RETRY_NS   SECONDS(120)
#define LIMIT_MAX_S     300

const struct task_kind *const sync_task_kinds[TASKS] = {
    [TASK_ROLE] = &sync_task_role,         [TASK_ACCOUNT] = &sync_task_account,
    [TASK_LOOKUP] = &sync_task_lookup,     [TASK_CREATE] = &sync_task_create,
    [TASK_FETCH] = &sync_task_fetch,       [TASK_PUSH] = &sync_task_push,
    [TASK_REQUESTS] = &sync_task_requests, [TASK_REQUEST_WRITE] = &sync_task_request_write,
    [TASK_COMMANDS] = &sync_task_commands, [TASK_COMMAND_ACK] = &sync_task_command_ack,
    [TASK_PLAYLIST] = &sync_task_playlist, [TASK_STATE] = &sync_task_state,
    [TASK_EXTEND] = &sync_task_extend,
};

uint64_t sync_random(struct sync *s)
{
    uint64_t z = s->random += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

int64_t sync_jitter(struct sync *s, int64_t max_ns)
{
    return max_ns > 0 ? (int64_t)(sync_random(s) % (uint64_t)max_ns) : 0;
}

/* ---- tasks -------------------------------------------------------------------------------------------------- */

void task_set(struct sync *s, enum task_id id, int64_t at_ns)
{
    s->task[id].due_ns = at_ns;
}

void task_wake(struct sync *s, enum task_id id, int64_t at_ns)
{
    struct task *t = &s->task[id];
    if (t->due_ns == NO_TIME || at_ns < t->due_ns)
        t->due_ns = at_ns;
}

void task_hold(struct sync *s, enum task_id id, int64_t wait)
{
    s->task[id].due_ns = s->task[id].held_ns = s->now_ns + wait;
}

void tasks_release(struct sync *s)
{
    for (int i = 0; i < TASKS; i++) {
        struct task *t = &s->task[i];
        if (t->held_ns > s->now_ns && t->due_ns != NO_TIME)
            t->due_ns = s->now_ns + sync_jitter(s, MS(500));
        t->held_ns = NO_TIME;
    }
}

void task_retry(struct sync *s, enum task_id id)
{
    static const struct backoff_policy again = { 1000, 30000, 2, 100 };
    struct task *t = &s->task[id];
    int64_t wait = MS(backoff_ms(&again, t->failures, (uint32_t)sync_random(s)));
    t->failures += t->failures < 30;
    t->due_ns = s->now_ns + wait;
}

void task_trouble(struct sync *s, enum task_id id, const struct answer *a)
{
    char text[160];
    switch (a->outcome) {
    case OUTCOME_LIMITED: task_set(s, id, s->now_ns); break; /* it is held */
    case OUTCOME_SIGNED_OUT:
    case OUTCOME_FORBIDDEN:
        task_wake(s, TASK_ACCOUNT, s->now_ns);
        task_hold(s, id, 2 * SLOW_RETRY_NS);
        break;
    case OUTCOME_ABSENT:
    case OUTCOME_REFUSED:
        snprintf(text, sizeof(text),
                 "The server does not offer what this box needs (%.20s: %.60s).",
                 sync_task_kinds[id]->name, a->type);
        problem_set(s, id, text);
        task_hold(s, id, SLOW_RETRY_NS);
        break;
    default: task_retry(s, id);
    }
}

bool answer_is_sign_out(const struct answer *a)
{
    return a->outcome == OUTCOME_SIGNED_OUT || a->outcome == OUTCOME_FORBIDDEN;
}

bool task_goes_without(struct sync *s, enum task_id id, const struct answer *a)
{
    if (answer_is_sign_out(a))
        task_wake(s, TASK_ACCOUNT, s->now_ns);
    else if (a->outcome != OUTCOME_ABSENT && a->outcome != OUTCOME_REFUSED)
        return false;
    task_hold(s, id, 2 * SLOW_RETRY_NS);
    return true;
}

void problem_set(struct sync *s, enum task_id of, const char *text)
{
    if (!text && s->problem_of == of)
        s->problem[0] = '\0';
    if (!text)
        return;
    s->problem_of = of;
    text_clean(s->problem, sizeof(s->problem), text);
}

static enum outcome outcome_of(int status, const char *type, bool has_body)
{
    if (status >= 200 && status < 300)
        return has_body || status == 204 ? OUTCOME_OK : OUTCOME_TROUBLE;
    switch (status) {
    case 400:
        return has_body ? OUTCOME_REFUSED : OUTCOME_TROUBLE; /* a proxy's page says nothing of it */
    case 413: return OUTCOME_REFUSED;
    case 401: return OUTCOME_SIGNED_OUT;
    case 403: return OUTCOME_FORBIDDEN;
    case 404: return strcmp(type, "document_not_found") == 0 ? OUTCOME_MISSING : OUTCOME_ABSENT;
    case 426: return OUTCOME_ABSENT; /* only by https */
    case 409:
        return strcmp(type, "document_already_exists") == 0 ? OUTCOME_EXISTS : OUTCOME_CONFLICT;
    case 429: return OUTCOME_LIMITED;
    default: return OUTCOME_TROUBLE;
    }
}

/* Left alone until its time is over; a limit on writing counts for all writes. */
static void limit(struct sync *s, enum task_id id, int64_t retry_after_s)
{
    int64_t wait = SECONDS(retry_after_s >= 0 ? clamp_i64(retry_after_s, 1, LIMIT_MAX_S) : 60);
    s->task[id].held_ns = s->now_ns + wait + sync_jitter(s, SECONDS(1));
    if (sync_task_kinds[id]->is_write)
        s->limited_ns = s->task[id].held_ns;
}

static void answered(struct sync *s, const struct answer *a)
{
    s->is_reachable = a->status > 0 && a->outcome != OUTCOME_TROUBLE;
    if (a->status > 0 && s->unanswered >= 2) { /* back: the others need not wait for their turn */
        for (int i = 0; i < TASKS; i++) {
            if (s->task[i].due_ns != NO_TIME && s->task[i].failures)
                task_wake(s, (enum task_id)i, s->now_ns + sync_jitter(s, MS(500)));
            if (s->task[i]
                    .under_way) /* asked before: should that be lost, it is soon asked again */
                s->task[i].failures = 0;
        }
        link_hurry(s);
    }
    s->unanswered = a->status > 0 ? 0 : s->unanswered + 1;
}

void sync_http_done(struct sync *s, uint64_t action, int status, const char *body, size_t len,
                    int64_t retry_after_s, int64_t now_ns)
{
    sync_time(s, now_ns);
    int id = 0;
    while (id < TASKS && s->task[id].under_way != action)
        id++;
    if (id == TASKS || !action)
        return;
    s->task[id].under_way = 0;
    struct message *m = body && len ? message_parse(body, len, NULL, 0) : NULL;
    struct answer a = { .status = status, .body = m, .type = m ? message_str(m, "type", "") : "" };
    a.outcome = outcome_of(status, a.type, m != NULL);
    answered(s, &a);
    if (a.outcome == OUTCOME_LIMITED)
        limit(s, (enum task_id)id, retry_after_s);
    if (a.outcome != OUTCOME_TROUBLE)
        s->task[id].failures = 0;
    sync_task_kinds[id]->done(s, &a);
    message_destroy(m);
}

static void clear_call(struct call *c)
{
    free(c->path);
    free(c->guard);
    free(c->body);
    *c = (struct call){ 0 };
}

/* When it is to be asked, if it is due at some time. */
static int64_t time_of(const struct sync *s, enum task_id id)
{
    int64_t at = max_i64(s->task[id].due_ns, s->task[id].held_ns);
    return sync_task_kinds[id]->is_write ? max_i64(at, s->limited_ns) : at;
}

static bool task_action(struct sync *s, struct sync_action *out)
{
    for (int i = 0; i < TASKS; i++) {
        struct task *t = &s->task[i];
        if (t->under_way || t->due_ns == NO_TIME || time_of(s, (enum task_id)i) > s->now_ns)
            continue;
        t->due_ns = NO_TIME;
        clear_call(&s->call);
        if (!sync_task_kinds[i]->compose(s, &s->call))
            continue;
        t->under_way = s->next_id++;
        *out = (struct sync_action){
            .kind = SYNC_HTTP,
            .id = t->under_way,
            .method = s->call.method,
            .path = s->call.path,
            .guard = s->call.guard,
            .body = s->call.body,
            .timeout_ms = HTTP_TIMEOUT_MS,
        };
        return true;
    }
    return false;
}

bool sync_next_action(struct sync *s, struct sync_action *out)
{
    if (s->asked_revision < s->revision) {
        s->asked_revision = s->revision;
        *out = (struct sync_action){ .kind = SYNC_SAVE, .revision = s->revision };
        return true;
    }
    return commands_action(s, out) || link_action(s, out) || task_action(s, out);
}

/* ---- life --------------------------------------------------------------------------------------------------- */

struct sync *sync_create(const struct sync_params *p, const char *journal, size_t len,
                         int64_t now_ns)
{
    struct sync *s = xcalloc(1, sizeof(*s));
    s->project_id = xstrdup(p->project_id);
    s->database_id = xstrdup(p->database_id);
    s->venue_id = xstrdup(p->venue_id);
    s->device_id = xstrdup(p->device_id);
    s->user_agent = xstrdup(p->user_agent);
    s->registry_id = xstrdup(p->registry_id);
    s->has_session = p->session != NULL;
    s->random = p->seed;
    s->now_ns = now_ns;
    s->next_id = 1;
    s->next_serial = 2; /* 1 is no operation: see push.c */
    s->revision = 1;
    s->server_at_ns = s->limited_ns = s->role.confirmed_ns = s->withheld_until_ns = s->dirty_ns =
        NO_TIME;
    s->role.swept_ns = now_ns;
    s->requests.grace_ns = INT64_MAX;
    char *own = xasprintf("%s\n%llx", p->device_id, (unsigned long long)sync_random(s));
    snprintf(s->writer, sizeof(s->writer), "%016llx",
             (unsigned long long)text_hash(own, strlen(own)));
    free(own);
    queue_document_init(&s->base);
    queue_init(&s->view);
    queue_init(&s->full_view);
    queue_init(&s->push_queue);
    for (int i = 0; i < TASKS; i++)
        s->task[i].due_ns = s->task[i].held_ns = NO_TIME;
    journal_read(s, journal, len);
    s->push_is_unknown = s->pending.count > 0; /* what was under way when the power went */
    state_changed(s);
    task_set(s, TASK_ROLE, now_ns);
    task_set(s, TASK_LOOKUP, now_ns);
    if (s->has_session)
        task_set(s, TASK_EXTEND, now_ns + SECONDS(600));
    link_start(s);
    return s;
}

void sync_destroy(struct sync *s)
{
    if (!s)
        return;
    free(s->project_id);
    free(s->database_id);
    free(s->venue_id);
    free(s->device_id);
    free(s->user_agent);
    free(s->registry_id);
    queue_document_finish(&s->base);
    pending_finish(&s->pending);
    queue_finish(&s->view);
    queue_finish(&s->full_view);
    track_list_finish(&s->house_list);
    queue_finish(&s->push_queue);
    track_destroy(s->playing);
    ledger_finish(&s->ledger);
    requests_finish(s);
    clear_call(&s->call);
    free(s->action_text);
    free(s);
}

void sync_time(struct sync *s, int64_t now_ns)
{
    if (now_ns > s->now_ns)
        s->now_ns = now_ns;
    link_time(s);
    if (s->dirty_ns != NO_TIME && s->now_ns >= s->dirty_ns)
        state_dirty(s);
    if (s->now_ns >= requests_deadline(s))
        requests_settle(s);
    state_withhold(s);
}

int64_t sync_deadline_ns(const struct sync *s)
{
    int64_t at = min_i64(link_deadline(s), requests_deadline(s));
    if (s->dirty_ns != NO_TIME)
        at = min_i64(at, s->dirty_ns);
    if (s->withheld_until_ns != NO_TIME)
        at = min_i64(at, s->withheld_until_ns);
    for (int i = 0; i < TASKS; i++) {
        const struct task *t = &s->task[i];
        if (!t->under_way && t->due_ns != NO_TIME)
            at = min_i64(at, time_of(s, (enum task_id)i));
    }
    return at;
}

int sync_apply(struct sync *s, const struct queue_op *op, int64_t now_ns)
{
    sync_time(s, now_ns);
    if (s->role.is == SYNC_OTHER && pending_is_transport(op->kind))
        return -EPERM;
    int ret = state_apply(s, op);
    if (pending_may_take_out(op->kind))
        document_mean(s); /* a second copy of what has just ended is over, too */
    return ret;
}

void sync_saved(struct sync *s, uint64_t revision, int64_t now_ns)
{
    sync_time(s, now_ns);
    if (revision > s->saved_revision)
        s->saved_revision = revision;
    push_consider(s);
}

void sync_moved(struct sync *s, int64_t now_ns)
{
    sync_time(s, now_ns);
    tasks_release(s);
    task_wake(s, TASK_ACCOUNT, now_ns);
    s->role.uses_deployed = s->role.uses_lease = false; /* another server may have the function */
    link_hurry(s);
}

void sync_finish(struct sync *s, int64_t now_ns)
{
    sync_time(s, now_ns);
    s->is_finishing = true;
    struct role *r = &s->role;
    r->is_releasing = state_is_master(s) && r->confirmed_ns != NO_TIME;
    r->is_released = !r->is_releasing;
    if (s->link.socket) {
        s->link.closing = s->link.socket;
        s->link.wants_close = true;
        s->link.socket = 0;
    }
    for (int i = 0; i < TASKS; i++) {
        if (i != TASK_PUSH)
            task_set(s, (enum task_id)i, NO_TIME);
    }
    push_consider(s);
    if (r->is_releasing)
        task_set(s, TASK_ROLE, now_ns);
}

bool sync_is_finished(const struct sync *s)
{
    bool pushes =
        s->task[TASK_PUSH].under_way || (s->task[TASK_PUSH].due_ns != NO_TIME && s->is_reachable);
    return s->is_finishing && s->role.is_released && !pushes;
}

const struct queue *sync_view(const struct sync *s)
{
    return &s->view;
}

uint64_t sync_view_revision(const struct sync *s)
{
    return s->view_revision;
}

bool sync_is_continued(const struct sync *s)
{
    return s->is_continued;
}

uint64_t sync_revision(const struct sync *s)
{
    return s->revision;
}

const struct track_list *sync_house_list(const struct sync *s, uint64_t *revision)
{
    *revision = s->house_revision;
    return &s->house_list;
}

bool sync_take_skip(struct sync *s)
{
    bool is_wanted = s->skip_wanted;
    s->skip_wanted = false;
    return is_wanted;
}

void sync_status(const struct sync *s, struct sync_status *out)
{
    *out = (struct sync_status){
        .link = s->link.state == LINK_LIVE   ? SYNC_CONNECTED
                : s->link.state == LINK_DOWN ? SYNC_DISCONNECTED
                                             : SYNC_CONNECTING,
        .is_reachable = s->is_reachable,
        .has_document = s->has_document,
        .role = s->role.is,
        .sounds = state_sounds(s),
        .pending = s->pending.count,
        .polls = s->polls,
        .events = s->events,
        .conflicts = s->conflicts,
        .reconnects = s->reconnects,
    };
    snprintf(out->problem, sizeof(out->problem), "%s", s->problem);
    if (s->role.is == SYNC_OTHER)
        snprintf(out->master_device, sizeof(out->master_device), "%s", s->role.master);
}
