#include "player/jukebox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "player/jukebox_internal.h"

#define SAVE_POSITION_NS SECONDS(2)
#define VOLUME_SHOWN_NS  SECONDS(2)
#define SEEK_MARGIN_NS   SECONDS(1)
#define REVISIONS_LOST   1000000 /* more changes than a life can have that never came to disk */

static void remember_durations(struct jukebox *j)
{
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < j->queue.list[l].count; i++) {
            const struct track *t = j->queue.list[l].at[i];
            durations_put(&j->durations, t->source, t->duration_s);
        }
}

struct jukebox *jukebox_create(const struct jukebox_settings *settings,
                               const struct jukebox_past *past, const struct log *log)
{
    struct jukebox *j = xcalloc(1, sizeof(*j));
    j->settings = *settings;
    if (log) {
        j->log_copy = *log;
        j->log = &j->log_copy;
    }
    queue_copy(&j->queue, &past->state->queue);
    j->queue_revision = past->state->queue_revision + REVISIONS_LOST;
    j->queue.loops = settings->loops;
    j->queue.max_chars = settings->max_chars ? settings->max_chars : QUEUE_LOCAL_CHARS;
    remember_durations(j);
    if (past->hardware)
        j->hardware = *past->hardware;
    j->view = past->view;
    j->air = play_clock_at(&j->view.clock, j->view.now_ns);
    j->heard_ns = NO_TIME;
    j->had_entries = j->queue.list[QUEUE_MAIN].count || j->queue.list[QUEUE_REQUESTS].count;
    past_adopt(j, past);
    turn_saved_change(j); /* with the revision it begins with: the next life begins above it */
    j->changes |= CHANGED_SCENE;
    return j;
}

void jukebox_destroy(struct jukebox *j)
{
    if (!j)
        return;
    queue_finish(&j->queue);
    free(j);
}

static void check_end(struct jukebox *j)
{
    if (j->settings.exits_at_end && j->had_entries && !j->queue.now && !j->is_leaving &&
        !j->is_away && !jukebox_awaits(j)) {
        log_info(j->log, "nothing is left to play");
        jukebox_quit(j);
    }
}

unsigned jukebox_step(struct jukebox *j, const struct jukebox_view *view)
{
    j->view = *view;
    j->air = play_clock_at(&j->view.clock, j->view.now_ns);
    turn_count_heard(j);
    follow_stage(j);
    deck_observe(j);
    follow_queue(j);
    check_end(j);
    if (j->is_leaving)
        follow_queue(j);
    decks_follow_text(j);
    scene_build(j);
    bool is_moving = j->air.is_moving && j->queue.now;
    if (is_moving && j->view.now_ns - j->saved_at_ns >= SAVE_POSITION_NS)
        turn_save_position(j);
    unsigned changes = j->changes;
    j->changes = 0;
    return changes;
}

/* ---- what people want ------------------------------------------------------------------------- */

int jukebox_seek(struct jukebox *j, int64_t position_ns)
{
    follow_committed(j);
    if (!j->queue.now)
        return -ENOENT;
    int64_t duration = jukebox_duration_ns(j);
    int64_t last = duration > 0 ? max_i64(duration - SEEK_MARGIN_NS, 0) : INT64_MAX / 4;
    struct part old = j->cue;
    j->cue = (struct part){
        .entry = j->now_key,
        .turn = j->turn,
        .start_ns = clamp_i64(position_ns, 0, last),
        .how = START_NOW,
    };
    if (deck_has(j, &old))
        deck_unload(j, old.deck);
    j->position_ns = j->start_ns = j->cue.start_ns;
    turn_save_position(j);
    return 0;
}

int jukebox_seek_by(struct jukebox *j, int64_t delta_ns)
{
    follow_committed(j);
    int64_t limit = INT64_MAX / 4;
    return jukebox_seek(j, j->position_ns + clamp_i64(delta_ns, -limit, limit));
}

void jukebox_set_paused(struct jukebox *j, bool is_paused)
{
    if (j->is_paused == is_paused)
        return;
    j->is_paused = is_paused;
    j->pause_is_restored = false;
    j->stands_since_ns = 0;
    log_info(j->log, "%s", is_paused ? "paused" : "resumed");
    turn_saved_change(j);
    turn_save_position(j);
}

void jukebox_set_muted(struct jukebox *j, bool is_muted)
{
    j->volume_until_ns = j->view.now_ns + VOLUME_SHOWN_NS;
    if (j->is_muted == is_muted)
        return;
    j->is_muted = is_muted;
    turn_saved_change(j);
}

void jukebox_set_text(struct jukebox *j, bool shows_text)
{
    if (j->shows_text == shows_text)
        return;
    j->shows_text = shows_text;
    log_info(j->log, "subtitles %s", shows_text ? "on" : "off");
    turn_saved_change(j);
}

void jukebox_set_volume(struct jukebox *j, int64_t volume)
{
    j->volume_until_ns = j->view.now_ns + VOLUME_SHOWN_NS;
    uint32_t v = (uint32_t)clamp_i64(volume, 0, 100);
    if (j->volume == v)
        return;
    j->volume = v;
    turn_saved_change(j);
}

void jukebox_set_link(struct jukebox *j, enum scene_link link)
{
    j->link = link;
}

void jukebox_set_trouble(struct jukebox *j, const char *text, const char *advice)
{
    text_clean(j->trouble, sizeof(j->trouble), text);
    text_clean(j->trouble_advice, sizeof(j->trouble_advice), advice);
}

void jukebox_quit(struct jukebox *j)
{
    j->is_leaving = true;
    turn_save_position(j);
    j->changes |= QUIT_WANTED;
}

void jukebox_input(struct jukebox *j, const struct input_event *e)
{
    switch (e->action) {
    case INPUT_PAUSE_TOGGLE: jukebox_set_paused(j, !j->is_paused); break;
    case INPUT_SKIP: jukebox_apply(j, &(struct queue_op){ .kind = OP_SKIP }); break;
    case INPUT_RESTART: jukebox_seek(j, 0); break;
    case INPUT_VOLUME_STEP: jukebox_set_volume(j, (int64_t)j->volume + e->value); break;
    case INPUT_MUTE_TOGGLE: jukebox_set_muted(j, !j->is_muted); break;
    case INPUT_SEEK_STEP: jukebox_seek_by(j, (int64_t)e->value * NS_PER_S); break;
    case INPUT_QUIT:
        if (j->settings.exits_at_end)
            jukebox_quit(j);
        break;
    default: break;
    }
}

/* ---- what it holds ---------------------------------------------------------------------------- */

const struct queue *jukebox_queue(const struct jukebox *j)
{
    return &j->queue;
}

const struct hardware_faults *jukebox_hardware_faults(const struct jukebox *j)
{
    return &j->hardware;
}

const struct plan *jukebox_plan(const struct jukebox *j)
{
    return &j->plan;
}

const struct scene *jukebox_scene(const struct jukebox *j)
{
    return &j->scene;
}

const struct deck_order *jukebox_order(const struct jukebox *j, uint32_t deck)
{
    return &j->deck[deck].order;
}

enum jukebox_state jukebox_state(const struct jukebox *j)
{
    if (!j->queue.now || j->is_leaving || j->is_away)
        return jukebox_awaits(j) && !j->is_leaving ? JUKEBOX_WAITING : JUKEBOX_IDLE;
    if (j->is_paused)
        return JUKEBOX_PAUSED;
    bool is_heard = j->view.has_stage && j->air.load && j->air.is_moving;
    return is_heard ? JUKEBOX_PLAYING : JUKEBOX_WAITING;
}

const char *jukebox_state_name(enum jukebox_state s)
{
    static const char *const names[] = {
        [JUKEBOX_IDLE] = "idle",
        [JUKEBOX_PLAYING] = "playing",
        [JUKEBOX_PAUSED] = "paused",
        [JUKEBOX_WAITING] = "waiting",
    };
    return names[s];
}

const char *played_how_name(enum played_how how)
{
    static const char *const names[] = {
        [PLAYED_ENDED] = "ended",
        [PLAYED_SKIPPED] = "skipped",
        [PLAYED_FAILED] = "failed",
        [PLAYED_REMOVED] = "removed",
    };
    return names[how];
}

int64_t jukebox_position_ns(const struct jukebox *j)
{
    return j->queue.now ? j->position_ns : 0;
}

int64_t jukebox_duration_ns(const struct jukebox *j)
{
    if (!j->queue.now)
        return 0;
    const struct part *p = j->now.turn == j->turn ? &j->now : &j->cue;
    if (p->load && p->can_play && p->duration_ns > 0)
        return p->duration_ns;
    double seconds = j->queue.now->duration_s;
    return seconds > 0 && seconds <= TRACK_MAX_DURATION_S ? (int64_t)(seconds * NS_PER_S) : 0;
}

double jukebox_known_duration_s(const struct jukebox *j, const char *source)
{
    return durations_of(&j->durations, source);
}

uint32_t jukebox_volume(const struct jukebox *j)
{
    return j->volume;
}

bool jukebox_is_paused(const struct jukebox *j)
{
    return j->is_paused;
}

bool jukebox_is_muted(const struct jukebox *j)
{
    return j->is_muted;
}

bool jukebox_shows_text(const struct jukebox *j)
{
    return j->shows_text;
}

const char *jukebox_text_name(const struct jukebox *j)
{
    const struct deck_state *deck = &j->view.deck[j->now.deck].state;
    return j->now.load && deck->load == j->now.load ? deck->text : "";
}

bool jukebox_is_away(const struct jukebox *j)
{
    return j->is_away;
}

bool jukebox_plays_house(const struct jukebox *j)
{
    return j->queue.now && track_is_house(j->queue.now);
}

uint64_t jukebox_turn(const struct jukebox *j)
{
    return j->turn;
}

bool jukebox_played_any(const struct jukebox *j)
{
    return j->played_any;
}

uint64_t jukebox_revision(const struct jukebox *j)
{
    return j->revision;
}

uint64_t jukebox_queue_revision(const struct jukebox *j)
{
    return j->queue_revision;
}

void jukebox_save(const struct jukebox *j, struct journal_state *out)
{
    *out = (struct journal_state){
        .volume = j->volume,
        .is_paused = j->is_paused,
        .is_muted = j->is_muted,
        .shows_text = j->shows_text,
        .left_load = j->left_load,
        .queue_revision = j->queue_revision,
    };
    queue_copy(&out->queue, &j->queue);
}

void jukebox_save_position(const struct jukebox *j, struct journal_position *out)
{
    *out = (struct journal_position){
        .entry = j->now_key,
        .position_ns = jukebox_position_ns(j),
        .started_wall_ms = j->started_wall_ms,
        .played_ns = j->played_ns,
    };
}

bool jukebox_take_played(struct jukebox *j, struct played *out)
{
    if (!j->history_count)
        return false;
    *out = j->history[j->history_first];
    j->history_first = (j->history_first + 1) % HISTORY_WAITING;
    j->history_count--;
    return true;
}
