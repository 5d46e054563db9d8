/* Stands in for the engine: gives the actions it was handed, and notes what it is told. */
#pragma once

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/sync.h"

#define FAKE_ACTIONS 16

struct sync {
    struct sync_action actions[FAKE_ACTIONS]; /* to be given, in order */
    size_t action_count, given;
    bool is_endless;     /* commands without end */
    int64_t deadline_ns; /* 0: none */

    int answers; /* sync_http_done() */
    uint64_t id; /* of the last answer or word of a socket */
    int status;
    char *body;
    int64_t retry_after_s;
    int opened, texts, gone, times, finishes, applied, playbacks, moves;
    int64_t time_ns;
    char *text;
    uint64_t view_revision, journal_revision, saved;
    bool sees_texts; /* each changes the view */
    size_t pending;
    bool is_finished;
};

static inline void fake_want(struct sync *s, struct sync_action a)
{
    if (s->given == s->action_count)
        s->given = s->action_count = 0;
    assert(s->action_count < FAKE_ACTIONS);
    s->actions[s->action_count++] = a;
}

static inline void fake_finish(struct sync *s)
{
    free(s->body);
    free(s->text);
}

bool sync_next_action(struct sync *s, struct sync_action *out)
{
    if (s->is_endless) {
        *out = (struct sync_action){ .kind = SYNC_COMMAND, .command = SYNC_PLAY };
        return true;
    }
    if (s->given == s->action_count)
        return false;
    *out = s->actions[s->given++];
    return true;
}

void sync_http_done(struct sync *s, uint64_t action, int status, const char *body, size_t len,
                    int64_t retry_after_s, int64_t now_ns)
{
    s->answers++;
    s->id = action;
    s->status = status;
    free(s->body);
    s->body = xstrndup(body, len);
    s->retry_after_s = retry_after_s;
}

void sync_socket_open(struct sync *s, uint64_t action, int64_t now_ns)
{
    s->opened++;
    s->id = action;
}

void sync_socket_text(struct sync *s, uint64_t action, const char *text, size_t len, int64_t now_ns)
{
    s->texts++;
    s->id = action;
    s->view_revision += s->sees_texts;
    free(s->text);
    s->text = xstrndup(text, len);
}

void sync_socket_gone(struct sync *s, uint64_t action, int status, int64_t now_ns)
{
    s->gone++;
    s->id = action;
    s->status = status;
}

void sync_time(struct sync *s, int64_t now_ns)
{
    s->times++;
    s->time_ns = now_ns;
    if (s->deadline_ns && now_ns >= s->deadline_ns)
        s->deadline_ns = 0;
}

int64_t sync_deadline_ns(const struct sync *s)
{
    return s->deadline_ns ? s->deadline_ns : INT64_MAX;
}

int sync_apply(struct sync *s, const struct queue_op *op, int64_t now_ns)
{
    if (op->kind == OP_END)
        return -EPERM;
    s->applied++;
    s->pending++;
    s->journal_revision++;
    fake_want(s, (struct sync_action){ .kind = SYNC_SAVE, .revision = s->journal_revision });
    return 0;
}

void sync_playback(struct sync *s, const struct sync_playback *p, int64_t now_ns)
{
    s->playbacks++;
}

void sync_saved(struct sync *s, uint64_t revision, int64_t now_ns)
{
    s->saved = revision;
}

void sync_moved(struct sync *s, int64_t now_ns)
{
    s->moves++;
}

void sync_finish(struct sync *s, int64_t now_ns)
{
    s->finishes++;
}

bool sync_is_finished(const struct sync *s)
{
    return s->is_finished;
}

uint64_t sync_view_revision(const struct sync *s)
{
    return s->view_revision;
}

void sync_status(const struct sync *s, struct sync_status *out)
{
    *out = (struct sync_status){ .pending = s->pending };
}

uint64_t sync_revision(const struct sync *s)
{
    return s->journal_revision;
}

char *sync_journal(const struct sync *s, uint64_t *revision)
{
    *revision = s->journal_revision;
    return xstrdup("the journal");
}
