/* The venue's document: finding, reading and making it. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/query_text.h"
#include "sync/sync_internal.h"

#define SIGNED_OUT_NS SECONDS(300)

static bool find_compose(struct sync *s, struct call *out)
{
    struct query_text q;
    query_documents(&q, s->database_id, "queues");
    query_equal(&q, "venueId", s->venue_id);
    query_limit(&q, 2);
    out->method = "GET";
    out->path = query_take(&q);
    return true;
}

static void find_done(struct sync *s, const struct answer *a)
{
    const struct message *d = a->body ? message_object_at(a->body, "documents", 0) : NULL;
    if (a->outcome != OUTCOME_OK || !a->body || !message_has(a->body, "documents")) {
        task_trouble(s, TASK_LOOKUP, a);
        return;
    }
    s->polls++;
    problem_set(s, TASK_LOOKUP, NULL);
    if (!d) { /* also what a session without rights sees: ask who we are */
        task_wake(s, TASK_ACCOUNT, s->now_ns);
        s->is_truly_missing = true;
        return;
    }
    const char *id = message_str(d, "$id", "");
    if (strcmp(id, s->base.id) != 0) { /* another one than the journal knew */
        s->base.id[0] = '\0';
        s->base.stamp_ms = INT64_MIN;
    }
    s->read_stamp_ms = INT64_MIN; /* it may have been asked long ago */
    document_seen(s, d, true);
}

const struct task_kind sync_task_lookup = { "lookup", find_compose, find_done, false };

static bool account_compose(struct sync *s, struct call *out)
{
    out->method = "GET";
    out->path = xstrdup("/account");
    return true;
}

static void account_done(struct sync *s, const struct answer *a)
{
    if (a->outcome == OUTCOME_OK) {
        problem_set(s, TASK_ACCOUNT, NULL);
        if (s->is_truly_missing && !s->has_document)
            task_wake(s, TASK_CREATE, s->now_ns);
        if (!s->is_signed_in) {
            tasks_release(s);
            link_hurry(s);
        }
        s->is_signed_in = true;
    } else if (answer_is_sign_out(a)) {
        if (s->is_signed_in)
            s->role.confirmed_ns = NO_TIME;
        s->is_signed_in = false;
        problem_set(
            s, TASK_ACCOUNT,
            s->has_session
                ? "This box is signed out of the venue's server: pair it again (djamms pair)."
                : "This box is not signed in to the venue's server: pair it (djamms pair).");
        s->is_truly_missing = false;
        task_hold(s, TASK_ACCOUNT, SIGNED_OUT_NS);
        if (!s->has_document)
            task_wake(s, TASK_LOOKUP, s->now_ns + SECONDS(60));
    } else {
        task_trouble(s, TASK_ACCOUNT, a);
    }
}

const struct task_kind sync_task_account = { "account", account_compose, account_done, false };

static bool is_legal_id(const char *id)
{
    size_t len = strlen(id);
    size_t legal = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return len >= 1 && len <= 36 && legal == len && !strchr("._-", id[0]);
}

/* With what plays and waits here: the cache carries the venue over a lost document. */
static bool create_compose(struct sync *s, struct call *out)
{
    char stamp[STAMP_SIZE];
    if (s->has_document)
        return false;
    if (!report_updated_at(s, stamp) || !state_is_master(s) || s->saved_revision < s->revision) {
        task_wake(s, TASK_LOOKUP, s->now_ns + SECONDS(5));
        return false;
    }
    struct now_fields now = s->view_now;
    if (s->pending.count)
        now_fields_mark(&now, s->writer, s->pending.at[s->pending.count - 1].serial);
    struct message *data = queue_document_data(&s->full_view, &now, stamp);
    message_set_str(data, "venueId", s->venue_id);
    message_set_str(data, "createdAt", stamp);
    struct message *body = message_create();
    message_set_str(body, "documentId", is_legal_id(s->venue_id) ? s->venue_id : "unique()");
    message_set_object(body, "data", data);
    out->method = "POST";
    struct query_text q;
    query_documents(&q, s->database_id, "queues");
    out->path = query_take(&q);
    out->body = message_text(body, false);
    message_destroy(body);
    return true;
}

static void create_done(struct sync *s, const struct answer *a)
{
    if (a->outcome == OUTCOME_OK || a->outcome == OUTCOME_EXISTS)
        task_wake(s, TASK_LOOKUP, s->now_ns);
    else
        task_trouble(s, TASK_LOOKUP, a);
}

const struct task_kind sync_task_create = { "create", create_compose, create_done, true };

static bool fetch_compose(struct sync *s, struct call *out)
{
    if (!s->base.id[0]) {
        task_wake(s, TASK_LOOKUP, s->now_ns);
        return false;
    }
    s->fetch_stamp_ms = s->base.stamp_ms;
    out->method = "GET";
    out->path = document_path(s->database_id, "queues", s->base.id);
    return true;
}

static void fetch_done(struct sync *s, const struct answer *a)
{
    if (a->outcome == OUTCOME_OK && !document_is_it(s, a->body)) {
        if (s->base.id[0])
            task_hold(s, TASK_FETCH, SECONDS(5));
    } else if (a->outcome == OUTCOME_OK) {
        s->polls++;
        s->read_stamp_ms = s->fetch_stamp_ms;
        document_seen(s, a->body, true);
        problem_set(s, TASK_FETCH, NULL);
        problem_set(s, TASK_PLAYLIST, NULL); /* said for a while */
        push_consider(s);
    } else if (a->outcome == OUTCOME_MISSING) {
        document_gone(s);
    } else {
        task_trouble(s, TASK_FETCH, a);
    }
}

const struct task_kind sync_task_fetch = { "fetch", fetch_compose, fetch_done, false };

/* The session's year begins again. */
static bool extend_compose(struct sync *s, struct call *out)
{
    if (!s->has_session)
        return false;
    out->method = "PATCH";
    out->path = xstrdup("/account/sessions/current");
    out->body = xstrdup("{}");
    return true;
}

static void extend_done(struct sync *s, const struct answer *a)
{
    bool is_over =
        a->outcome == OUTCOME_OK || a->outcome == OUTCOME_ABSENT || a->outcome == OUTCOME_REFUSED;
    if (answer_is_sign_out(a))
        task_wake(s, TASK_ACCOUNT, s->now_ns);
    task_set(s, TASK_EXTEND, s->now_ns + (is_over ? 30 * SECONDS(86400) : SECONDS(3600)));
}

const struct task_kind sync_task_extend = { "extend", extend_compose, extend_done, true };
