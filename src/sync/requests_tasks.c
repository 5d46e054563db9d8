/* The documents of `requests` on their way: reading all that are open, page by page, and telling what became of them. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/query_text.h"
#include "sync/sync_internal.h"

#define LIST_LIMIT 100
#define PAGES_MAX  200 /* of one sweep */

/* ---- reading ------------------------------------------------------------------------------------------------ */

static void begin(struct requests *t)
{
    t->step = READ_OPEN;
    t->cursor[0] = '\0';
    t->is_outdated = false;
}

/* Enough of the open ones, for this time. */
static void end_open(struct requests *t)
{
    t->step = READ_NEWEST;
    t->cursor[0] = '\0';
}

void requests_read_again(struct sync *s)
{
    struct requests *t = &s->requests;
    t->is_known = false;
    if (s->task[TASK_REQUESTS].under_way)
        t->is_outdated = true;
    else
        begin(t);
    task_wake(s, TASK_REQUESTS, s->now_ns);
}

/* By an order that no later write changes: so no page misses one. */
static bool list_compose(struct sync *s, struct call *out)
{
    struct requests *t = &s->requests;
    struct query_text q;
    query_documents(&q, s->database_id, "requests");
    query_equal(&q, "venueId", s->venue_id);
    if (t->step == READ_OPEN) {
        query_any_of(&q, "status", "queued", "playing");
        query_order(&q, "orderAsc", "timestamp");
    } else {
        query_order(&q, "orderDesc", "$updatedAt");
    }
    query_limit(&q, LIST_LIMIT);
    if (t->cursor[0]) {
        query_cursor_after(&q, t->cursor);
    } else if (t->step == READ_OPEN) {
        t->sweep++;
        t->pages = 0;
        t->has_more = false;
    }
    out->method = "GET";
    out->path = query_take(&q);
    return true;
}

/* `n` came, the last of them `last`. */
static void go_on(struct sync *s, size_t n, const char *last)
{
    struct requests *t = &s->requests;
    bool is_page_full = n >= LIST_LIMIT;
    bool can_go_on = *last && strlen(last) < sizeof(t->cursor) && strcmp(last, t->cursor) != 0 &&
                     ++t->pages < PAGES_MAX;
    if (t->is_outdated) {
        begin(t);
    } else if (t->step == READ_NEWEST) {
        begin(t);
        t->is_known = true;
        return;
    } else if (is_page_full && can_go_on && !t->has_more) {
        memcpy(t->cursor, last, strlen(last) + 1);
    } else {
        if (!is_page_full && !t->has_more)
            requests_forget_unseen(s);
        end_open(t);
        t->was_refused = false;
    }
    task_set(s, TASK_REQUESTS, s->now_ns);
}

/* That document is no more: from the beginning, but not time and again. */
static void cursor_refused(struct sync *s)
{
    struct requests *t = &s->requests;
    if (t->was_refused)
        end_open(t);
    else
        begin(t);
    t->was_refused = !t->was_refused;
    task_set(s, TASK_REQUESTS, s->now_ns + SECONDS(1));
}

static void list_done(struct sync *s, const struct answer *a)
{
    struct requests *t = &s->requests;
    if (a->outcome == OUTCOME_ABSENT && task_goes_without(s, TASK_REQUESTS, a)) {
        t->is_known = true;
        state_withhold(s);
        return;
    }
    if (a->outcome == OUTCOME_REFUSED && t->cursor[0]) {
        cursor_refused(s);
        return;
    }
    if (a->outcome != OUTCOME_OK || !a->body) {
        task_trouble(s, TASK_REQUESTS, a);
        return;
    }
    const char *last = "";
    size_t n = message_count(a->body, "documents");
    for (size_t i = 0; i < n; i++) {
        const struct message *d = message_object_at(a->body, "documents", i);
        struct request *r = d ? requests_seen(s, d) : NULL;
        if (r)
            r->sweep = t->sweep;
        last = d ? message_str(d, "$id", "") : "";
    }
    go_on(s, n, last);
    requests_settle(s);
    state_withhold(s);
}

const struct task_kind sync_task_requests = { "requests", list_compose, list_done, false };

/* ---- telling ------------------------------------------------------------------------------------------------ */

enum request_status request_status_of(enum fate fate)
{
    return fate == FATE_PLAYING     ? REQUEST_PLAYING
           : fate == FATE_COMPLETED ? REQUEST_COMPLETED
                                    : REQUEST_CANCELLED;
}

static const char *name_of(enum request_status status)
{
    return status == REQUEST_PLAYING     ? "playing"
           : status == REQUEST_COMPLETED ? "completed"
                                         : "cancelled";
}

static bool write_compose(struct sync *s, struct call *out)
{
    struct ledger_record *rec = NULL;
    for (size_t i = 0; i < s->ledger.count && !rec; i++) {
        if (requests_is_to_tell(s, &s->ledger.at[i]))
            rec = &s->ledger.at[i];
    }
    if (!rec || s->saved_revision < s->revision) /* what is told is on disk first */
        return rec ? (task_wake(s, TASK_REQUEST_WRITE, s->now_ns + MS(100)), false) : false;
    const struct request *r = requests_find(&s->requests, rec->document);
    enum request_status status = request_status_of(rec->fate);
    char stamp[STAMP_SIZE];
    struct message *data = message_create(), *body = message_create();
    message_set_str(data, "status", name_of(status));
    bool is_over = status != REQUEST_PLAYING && report_updated_at(s, stamp);
    if (is_over)
        message_set_str(data, status == REQUEST_COMPLETED ? "completedAt" : "cancelledAt", stamp);
    if (status == REQUEST_CANCELLED)
        message_set_str(data, "cancelReason", rec->reason);
    message_set_object(body, "data", data);
    out->method = "PATCH";
    out->path = document_path(s->database_id, "requests", rec->document);
    out->guard = xstrdup(r->updated_at);
    out->body = message_text(body, false);
    message_destroy(body);
    memcpy(s->requests.writing, rec->document, sizeof(s->requests.writing));
    s->requests.wrote = status;
    return true;
}

static void write_done(struct sync *s, const struct answer *a)
{
    struct ledger_record *rec = ledger_of_document(&s->ledger, s->requests.writing);
    switch (a->outcome) {
    case OUTCOME_OK:
        if (a->body)
            requests_seen(s, a->body);
        break;
    case OUTCOME_CONFLICT:
        task_set(s, TASK_REQUESTS, s->now_ns);
        task_set(s, TASK_REQUEST_WRITE, s->now_ns + MS(200) + sync_jitter(s, MS(300)));
        return;
    case OUTCOME_MISSING:
    case OUTCOME_ABSENT:
    case OUTCOME_REFUSED:
        if (rec) {
            rec->is_told = true;
            state_dirty(s);
        }
        break;
    default: task_trouble(s, TASK_REQUEST_WRITE, a); return;
    }
    requests_settle(s);
}

const struct task_kind sync_task_request_write = { "request write", write_compose, write_done,
                                                   true };
