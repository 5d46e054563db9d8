#include "sync/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/queue_document.h"
#include "wire/message.h"
#include "wire/track_json.h"

void ledger_finish(struct ledger *l)
{
    for (size_t i = 0; i < l->count; i++)
        track_destroy(l->at[i].track);
    free(l->at);
    *l = (struct ledger){ 0 };
}

static void take_out(struct ledger *l, size_t i)
{
    track_destroy(l->at[i].track);
    memmove(l->at + i, l->at + i + 1, (l->count - i - 1) * sizeof(l->at[0]));
    l->count--;
}

void ledger_trim(struct ledger *l)
{
    for (size_t i = 0; i < l->count && l->count > LEDGER_KEPT;) {
        if (l->at[i].is_told || !l->at[i].document[0])
            take_out(l, i);
        else
            i++;
    }
}

static struct ledger_record *append(struct ledger *l)
{
    size_t oldest = 0;
    while (l->count == LEDGER_MAX && oldest < l->count && !l->at[oldest].is_told)
        oldest++;
    if (l->count == LEDGER_MAX)
        take_out(l, oldest < l->count ? oldest : 0);
    if (l->count == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->at = xrealloc(l->at, l->cap * sizeof(l->at[0]));
    }
    return &l->at[l->count++];
}

/* One payment for one song is one request, also when it was put back under another id. */
static bool is_same_request(const struct track *a, const struct track *b)
{
    return *a->payment_id && strcmp(a->payment_id, b->payment_id) == 0 &&
           strcmp(a->video_id, b->video_id) == 0;
}

struct ledger_record *ledger_find(struct ledger *l, const struct track *t)
{
    for (size_t i = l->count; i-- > 0;) {
        if (track_is_same_entry(l->at[i].track, t))
            return &l->at[i];
    }
    for (size_t i = l->count; i-- > 0;) {
        if (is_same_request(l->at[i].track, t))
            return &l->at[i];
    }
    return NULL;
}

struct ledger_record *ledger_note(struct ledger *l, const struct track *t, enum fate fate,
                                  const char *reason)
{
    struct ledger_record *r = ledger_find(l, t);
    if (!r) {
        r = append(l);
        *r = (struct ledger_record){ .track = track_copy(t) };
    }
    r->fate = fate;
    r->is_told = !t->is_request;
    snprintf(r->reason, sizeof(r->reason), "%s", reason ? reason : "");
    return r;
}

struct ledger_record *ledger_of_document(struct ledger *l, const char *document)
{
    for (size_t i = l->count; i-- > 0;) {
        if (strcmp(l->at[i].document, document) == 0)
            return &l->at[i];
    }
    return NULL;
}

void ledger_forget(struct ledger *l, const struct track *t)
{
    struct ledger_record *r = ledger_find(l, t);
    if (r)
        take_out(l, (size_t)(r - l->at));
}

void ledger_forget_playing(struct ledger *l)
{
    for (size_t i = l->count; i-- > 0;) {
        if (l->at[i].fate == FATE_PLAYING)
            take_out(l, i);
    }
}

bool ledger_is_over(struct ledger *l, const struct track *t)
{
    const struct ledger_record *r = ledger_find(l, t);
    return r && r->fate != FATE_PLAYING;
}

void ledger_to_message(const struct ledger *l, struct message *m, const char *field)
{
    message_set_array(m, field);
    for (size_t i = 0; i < l->count; i++) {
        const struct ledger_record *r = &l->at[i];
        struct message *one = message_create();
        message_set_object(one, "entry", track_to_message(r->track, 0));
        message_set_i64(one, "fate", r->fate);
        message_set_str(one, "document", r->document);
        message_set_str(one, "reason", r->reason);
        message_set_bool(one, "isTold", r->is_told);
        message_append_object(m, field, one);
    }
}

void ledger_from_message(struct ledger *l, const struct message *m, const char *field)
{
    size_t n = message_count(m, field);
    for (size_t i = 0; i < n && l->count < LEDGER_MAX; i++) {
        const struct message *one = message_object_at(m, field, i);
        struct track *t = one ? track_from_message(message_object(one, "entry")) : NULL;
        int64_t fate = one ? message_i64(one, "fate", -1) : -1;
        if (!t || fate < FATE_PLAYING || fate > FATE_REMOVED) {
            track_destroy(t);
            continue;
        }
        struct ledger_record *r = append(l);
        *r = (struct ledger_record){ .track = t,
                                     .fate = (enum fate)fate,
                                     .is_told = message_bool(one, "isTold", false) };
        snprintf(r->document, sizeof(r->document), "%s", message_str(one, "document", ""));
        snprintf(r->reason, sizeof(r->reason), "%s", message_str(one, "reason", ""));
    }
}
