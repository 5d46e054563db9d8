/* People at the boxes of a simulated venue, and power cuts soon after what they did. */
#pragma once

#include "sync/sim_world.h"

/* As `djamms add` makes it; a request is of the time that the box believes in. */
static struct track *song_at_box(struct world *w, struct player *p, const char *id, bool is_request)
{
    struct track *t = track_create();
    char stamp[STAMP_SIZE], video[16];
    stamp_format(wall_ms(w, p), stamp);
    snprintf(video, sizeof(video), "video%d", pick_of(&w->boxes, 3));
    track_set(&t->id, id);
    track_set(&t->video_id, is_request && pick_of(&w->boxes, 2) ? video : id);
    track_set(&t->source, "/media/song.mp4");
    t->is_request = is_request;
    if (is_request) {
        track_set(&t->requested_by, "Ana");
        track_set(&t->requester_id, "djamms-box");
        track_set(&t->requested_at, stamp);
    }
    return t;
}

static struct sim_promise asked_now(const struct world *w, int who)
{
    const struct player *p = &w->player[who];
    return (struct sim_promise){ who, p->life, sync_revision(p->sync), false };
}

static void box_adds(struct world *w, int who)
{
    struct player *p = &w->player[who];
    if (w->songs.count == ADDED_MAX)
        return;
    struct sim_song *song = &w->songs.at[w->songs.count];
    snprintf(song->id, sizeof(song->id), "atbox%zu", w->songs.count);
    song->is_request = pick_of(&w->boxes, 3) == 0;
    struct track *t = song_at_box(w, p, song->id, song->is_request);
    struct queue_op add = { .kind = OP_ADD, .track = t };
    if (sync_apply(p->sync, &add, w->sim.now_ns) == 0) {
        song->added = asked_now(w, who);
        w->songs.count++;
        trace(&w->sim, "player %d is given %s, %s", who, song->id, t->video_id);
    }
    track_destroy(t);
}

/* The box that added it does not know yet that the server has it: for it, the song is still to be added, whatever others
 * do with it meanwhile. */
static bool is_unconfirmed(const struct world *w, const char *id)
{
    for (size_t i = 0; i < w->songs.count; i++) {
        const struct sim_song *song = &w->songs.at[i];
        const struct sync *sync = w->player[song->added.who].sync;
        if (strcmp(song->id, id) != 0)
            continue;
        for (size_t k = 0; sync && k < sync->pending.count; k++) {
            const struct track *t = sync->pending.at[k].added;
            if (t && strcmp(t->id, id) == 0)
                return true;
        }
        return !sync;
    }
    return false;
}

static void box_removes(struct world *w, int who)
{
    struct player *p = &w->player[who];
    struct sim_song *song =
        w->songs.count ? &w->songs.at[pick_of(&w->boxes, (int)w->songs.count)] : NULL;
    const struct queue *q = sync_view(p->sync);
    struct entry_place place;
    if (!song || song->removed.revision || (song->added.who != who && is_unconfirmed(w, song->id)))
        return;
    struct queue_op remove = { .kind = OP_REMOVE, .entry = { .id = song->id } };
    bool plays = q->now && strcmp(q->now->id, song->id) == 0;
    if (!plays && queue_find(q, remove.entry, &place) &&
        sync_apply(p->sync, &remove, w->sim.now_ns) == 0) {
        song->removed = asked_now(w, who);
        trace(&w->sim, "player %d is to remove %s", who, song->id);
    }
}

/* Often the power goes soon after. */
static void box_actor(struct world *w)
{
    int who = pick_of(&w->boxes, w->player_count);
    struct player *p = &w->player[who];
    if (w->is_quiet)
        return;
    if (p->sync && pick_of(&w->boxes, 4))
        box_adds(w, who);
    else if (p->sync)
        box_removes(w, who);
    if (p->sync && pick_of(&w->boxes, 2))
        post(w, MS(pick_of(&w->boxes, 40)),
             (struct event){ .what = BOX_CRASH, .who = who, .life = p->life });
    if (p->sync)
        run_player(w, who);
    post(w, MS(500 + pick_of(&w->boxes, w->is_long ? 20000 : 4000)),
         (struct event){ .what = BOX_ACTOR });
}

static void box_crash(struct world *w, const struct event *e)
{
    if (w->player[e->who].sync && w->player[e->who].life == e->life)
        player_crash(w, e->who);
}
