/* Lists of songs: the venue's default one when nothing is left, and load_playlist. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/query_text.h"
#include "sync/sync_internal.h"
#include "wire/track_json.h"

#define TRACKS_MAX 50
#define EMPTY_NS   SECONDS(60)

enum { STEP_VENUE, STEP_PLAYLIST };

void playlist_consider(struct sync *s)
{
    const struct queue *q = &s->full_view;
    bool is_empty = !q->now && !q->list[QUEUE_MAIN].count && !q->list[QUEUE_REQUESTS].count;
    if (!is_empty || !s->has_document || !state_may_write_now(s) || s->pending.count)
        return;
    if (s->task[TASK_PLAYLIST].due_ns != NO_TIME || s->task[TASK_PLAYLIST].under_way)
        return;
    s->playlist_step = STEP_VENUE;
    s->playlist_replaces = false;
    snprintf(s->playlist_id, sizeof(s->playlist_id), "default_playlist");
    task_wake(s, TASK_PLAYLIST, s->now_ns);
}

void playlist_load(struct sync *s, const char *id)
{
    snprintf(s->playlist_id, sizeof(s->playlist_id), "%s", id);
    s->playlist_step = STEP_PLAYLIST;
    s->playlist_replaces = true;
    task_set(s, TASK_PLAYLIST, s->now_ns);
}

static bool compose(struct sync *s, struct call *out)
{
    struct query_text q;
    out->method = "GET";
    if (s->playlist_step == STEP_VENUE) {
        query_documents(&q, s->database_id, "venues");
        query_equal(&q, "venueId", s->venue_id);
        query_limit(&q, 1);
        out->path = query_take(&q);
    } else {
        out->path = document_path(s->database_id, "playlists", s->playlist_id);
    }
    return true;
}

static void add_tracks(struct sync *s, const struct message *m)
{
    struct track_list list;
    track_list_parse(&list, message_str(m, "tracks", "[]"));
    if (s->playlist_replaces && list.count) {
        struct queue_op clear = { .kind = OP_CLEAR, .list = QUEUE_MAIN };
        state_apply(s, &clear);
    }
    for (size_t i = 0; i < list.count && i < TRACKS_MAX; i++) {
        struct track *t = list.at[i];
        track_set(&t->id, NULL); /* the queue's entries have ids of their own */
        struct queue_op add = { .kind = OP_ADD, .track = t, .seed = sync_random(s) };
        state_apply(s, &add);
    }
    if (!s->playlist_replaces) {
        track_list_finish(&s->house_list);
        s->house_list = list;
        s->house_revision++;
    } else {
        track_list_finish(&list);
    }
}

static void done(struct sync *s, const struct answer *a)
{
    const struct message *venue = a->body ? message_object_at(a->body, "documents", 0) : NULL;
    if (a->outcome != OUTCOME_OK && s->playlist_step == STEP_PLAYLIST &&
        a->outcome != OUTCOME_TROUBLE) {
        problem_set(s, TASK_PLAYLIST, "The playlist to load is not on the server.");
        task_set(s, TASK_PLAYLIST, s->playlist_replaces ? NO_TIME : s->now_ns + EMPTY_NS);
    } else if (a->outcome == OUTCOME_TROUBLE || a->outcome == OUTCOME_LIMITED) {
        task_trouble(s, TASK_PLAYLIST, a);
    } else if (s->playlist_step == STEP_VENUE) {
        const char *id = venue ? message_str(venue, "defaultPlaylistId", "") : "";
        if (*id)
            snprintf(s->playlist_id, sizeof(s->playlist_id), "%s", id);
        s->playlist_step = STEP_PLAYLIST;
        task_set(s, TASK_PLAYLIST, s->now_ns);
    } else if (a->body) {
        problem_set(s, TASK_PLAYLIST, NULL);
        add_tracks(s, a->body);
    }
}

const struct task_kind sync_task_playlist = { "playlist", compose, done, false };
