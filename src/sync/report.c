/* How it plays, told to others: what nowPlaying carries, and the document of `player_state`. And what time it is. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/query_text.h"
#include "sync/sync_internal.h"
#include "wire/track_json.h"

#define STATE_NS   SECONDS(5)
#define REFRESH_NS SECONDS(2)
#define SWEEP_NS   (6 * SECONDS(3600))

void report_server_time(struct sync *s, const char *text, bool is_now)
{
    int64_t ms;
    if (!stamp_parse(text, &ms) || (!is_now && ms <= report_server_ms(s)))
        return;
    s->server_ms = ms;
    s->server_at_ns = s->now_ns;
}

int64_t report_server_ms(const struct sync *s)
{
    return s->server_at_ns == NO_TIME ? 0
                                      : s->server_ms + (s->now_ns - s->server_at_ns) / NS_PER_MS;
}

bool report_updated_at(const struct sync *s, char out[STAMP_SIZE])
{
    int64_t ms = report_server_ms(s);
    if (ms)
        stamp_format(ms, out);
    return ms != 0;
}

/* The mark of a device that is no more would stay for ever: all of them go now and then, and those that live put
 * theirs back. */
static void sweep_marks(struct sync *s, struct now_fields *f)
{
    if (s->now_ns - s->role.swept_ns < SWEEP_NS)
        return;
    s->role.swept_ns = s->now_ns;
    s->role.saw_others = false;
    uint64_t own = now_fields_marked(f, s->writer);
    f->mark_count = 0;
    if (own)
        now_fields_mark(f, s->writer, own);
}

void report_fill_now(struct sync *s, struct now_fields *f)
{
    const struct report *r = &s->report;
    sweep_marks(s, f);
    f->remaining_s = -1;
    f->start_ms = 0;
    if (!s->full_view.now || r->playback.duration_s <= 0)
        return;
    double position = r->playback.position_s;
    if (r->playback.is_playing && !r->playback.is_paused)
        position += (double)(s->now_ns - r->playback_ns) / (double)NS_PER_S;
    f->remaining_s = fmax(0, r->playback.duration_s - position);
    int64_t now_ms = report_server_ms(s); /* never the box's: it may not know what year it is */
    if (now_ms)
        f->start_ms = now_ms - (int64_t)(position * 1000);
}

void report_now_changed(struct sync *s)
{
    s->report.is_dirty = true;
    if (state_is_master(s))
        task_wake(s, TASK_STATE, max_i64(s->now_ns, s->report.last_ns + STATE_NS));
}

static bool has_jumped(const struct sync *s, const struct sync_playback *p)
{
    const struct report *r = &s->report;
    double expected = r->playback.position_s;
    if (r->playback.is_playing && !r->playback.is_paused)
        expected += (double)(s->now_ns - r->playback_ns) / (double)NS_PER_S;
    return p->is_playing && fabs(p->position_s - expected) > 2;
}

void sync_playback(struct sync *s, const struct sync_playback *p, int64_t now_ns)
{
    sync_time(s, now_ns);
    struct report *r = &s->report;
    bool is_turn = p->is_paused != r->playback.is_paused ||
                   p->duration_s != r->playback.duration_s || has_jumped(s, p);
    bool is_new = is_turn || p->is_playing != r->playback.is_playing ||
                  p->volume != r->playback.volume || p->is_muted != r->playback.is_muted;
    r->playback = *p;
    r->playback_ns = now_ns;
    if (is_turn && s->full_view.now && state_is_master(s) && p->is_playing) {
        r->now_is_dirty = true;
        if (s->has_document)
            task_wake(s, TASK_PUSH, max_i64(now_ns, r->now_written_ns + REFRESH_NS));
    }
    if (is_new)
        report_now_changed(s);
}

static struct message *state_data(const struct sync *s)
{
    struct message *data = message_create();
    const struct report *r = &s->report;
    struct message *now = s->full_view.now ? track_to_message(s->full_view.now, 0) : NULL;
    char *text = now ? message_text(now, false) : NULL;
    message_set_str(data, "venueId", s->venue_id);
    message_set_str(data, "nowPlaying", text);
    message_set_bool(data, "isPlaying", r->playback.is_playing && !r->playback.is_paused);
    message_set_i64(data, "volume", r->playback.volume);
    message_set_i64(data, "lastUpdated", report_server_ms(s));
    message_set_str(data, "updatedBy", s->device_id);
    message_destroy(now);
    free(text);
    return data;
}

static void find(const struct sync *s, struct call *out)
{
    struct query_text q;
    query_documents(&q, s->database_id, "player_state");
    query_equal(&q, "venueId", s->venue_id);
    query_limit(&q, 1);
    out->method = "GET";
    out->path = query_take(&q);
}

static bool compose(struct sync *s, struct call *out)
{
    struct report *r = &s->report;
    if (!r->is_dirty || !state_may_write_now(s))
        return false;
    r->last_ns = s->now_ns;
    if (r->step == REPORT_CREATE && !s->base.id[0])
        r->step = REPORT_FIND;
    if (r->step == REPORT_FIND) {
        find(s, out);
        return true;
    }
    struct message *body = message_create();
    if (r->step == REPORT_UPDATE) {
        out->path = document_path(s->database_id, "player_state", r->id);
    } else {
        struct query_text q;
        query_documents(&q, s->database_id, "player_state");
        out->path = query_take(&q);
        message_set_str(body, "documentId", s->base.id);
    }
    out->method = r->step == REPORT_UPDATE ? "PATCH" : "POST";
    message_set_object(body, "data", state_data(s));
    out->body = message_text(body, false);
    message_destroy(body);
    r->is_dirty = false;
    return true;
}

/* The venue has one, whatever its id is, or gets one under the id of its queue. */
static void know(struct report *r, const struct message *document)
{
    snprintf(r->id, sizeof(r->id), "%s", document ? message_str(document, "$id", "") : "");
    r->step = r->id[0] ? REPORT_UPDATE : REPORT_CREATE;
}

static void done(struct sync *s, const struct answer *a)
{
    struct report *r = &s->report;
    switch (a->outcome) {
    case OUTCOME_OK:
        if (r->step == REPORT_FIND)
            know(r, message_object_at(a->body, "documents", 0));
        else if (r->step == REPORT_CREATE)
            know(r, a->body);
        if (r->is_dirty)
            report_now_changed(s);
        break;
    case OUTCOME_EXISTS:
    case OUTCOME_MISSING:
        r->step = REPORT_FIND;
        report_now_changed(s);
        break;
    default:
        if (task_goes_without(s, TASK_STATE, a))
            break;
        r->is_dirty = true;
        task_trouble(s, TASK_STATE, a);
    }
}

const struct task_kind sync_task_state = { "state", compose, done, true };
