/* The queue, and the turn of the entry that plays. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "player/jukebox_internal.h"

#define HOUSE_TRIES   3 /* songs of the house that give nothing, before there is a rest */
#define HOUSE_REST_NS SECONDS(5)

void turn_saved_change(struct jukebox *j)
{
    j->revision++;
    j->changes |= CHANGED_SAVED;
}

void turn_queue_changed(struct jukebox *j)
{
    j->queue_revision++;
    turn_saved_change(j);
}

void turn_save_position(struct jukebox *j)
{
    j->saved_at_ns = j->view.now_ns;
    j->changes |= POSITION_DUE;
}

const struct track *turn_track(const struct jukebox *j, uint64_t entry)
{
    struct entry_place place;
    if (queue_find_key(&j->queue, entry, &place))
        return queue_at(&j->queue, place);
    return entry && entry == j->now_key ? j->queue.now : NULL;
}

const char *turn_title(const struct jukebox *j, uint64_t entry)
{
    const struct track *t = turn_track(j, entry);
    return t ? t->title : "a song that is gone";
}

static void now_changed(struct jukebox *j)
{
    struct entry_place place;
    const struct track *t = j->queue.now;
    if (t && queue_playing(&j->queue, &place))
        t = queue_at(&j->queue, place);
    j->now_key = t ? entry_key(&j->queue, t) : 0;
}

/* Told first: applying it may free what it names. */
static int change(struct jukebox *j, const struct queue_op *op)
{
    if (j->settings.on_op)
        j->settings.on_op(j->settings.ctx, op);
    return queue_apply(&j->queue, op);
}

/* `queue.now` is another one than before. */
static void begin(struct jukebox *j)
{
    now_changed(j);
    j->turn++;
    j->left_load = j->now.load;
    j->position_ns = j->start_ns = j->played_ns = 0;
    j->heard_ns = NO_TIME;
    j->started_wall_ms = j->view.wall_ms;
    j->stands_since_ns = 0;
    j->put_off = 0;
    turn_queue_changed(j);
    turn_save_position(j);
    log_info(j->log, "%s: starts", j->queue.now->title);
}

void turn_begin(struct jukebox *j, struct entry_place place)
{
    struct queue_op op = { .kind = OP_START, .entry = entry_ref_of(queue_at(&j->queue, place)) };
    if (change(j, &op) >= 0)
        begin(j);
}

static void keep_history(struct jukebox *j, enum played_how how)
{
    if (j->history_count == HISTORY_WAITING)
        return;
    struct played *p = &j->history[(j->history_first + j->history_count++) % HISTORY_WAITING];
    *p = (struct played){
        .started_wall_ms = j->started_wall_ms,
        .ended_wall_ms = j->view.wall_ms,
        .played_s = (double)j->played_ns / (double)NS_PER_S,
        .how = how,
        .is_request = j->queue.now->is_request,
    };
    track_display_title(j->queue.now, p->title, sizeof(p->title));
    track_display_artist(j->queue.now, p->artist, sizeof(p->artist));
    text_clean(p->id, sizeof(p->id), j->queue.now->id);
}

/* `stays`: a main track does so also where others leave. */
static void end_now(struct jukebox *j, enum queue_op_kind kind, bool stays)
{
    struct entry_place place;
    const struct track *t =
        queue_playing(&j->queue, &place) ? queue_at(&j->queue, place) : j->queue.now;
    struct queue_op op = { .kind = kind, .entry = entry_ref_of(t) };
    j->queue.loops = j->settings.loops || stays;
    int ret = change(j, &op);
    j->queue.loops = j->settings.loops;
    if (ret != 0)
        log_err(j->log, "the queue did not end what it plays: %d", ret);
    now_changed(j);
    turn_queue_changed(j);
}

/* ---- songs of the house ------------------------------------------------------------------------ */

/* `now` is all there is of it. */
static void end_house(struct jukebox *j, enum played_how how)
{
    bool gave_nothing = how != PLAYED_SKIPPED && j->played_ns < SECONDS(1);
    j->house_failures = gave_nothing ? j->house_failures + 1 : 0;
    j->house_again_ns = j->house_failures < HOUSE_TRIES ? 0 : j->view.now_ns + HOUSE_REST_NS;
    track_destroy(j->queue.now);
    j->queue.now = NULL;
    now_changed(j);
    turn_queue_changed(j);
}

static bool has_entries(const struct jukebox *j)
{
    return j->queue.list[QUEUE_MAIN].count + j->queue.list[QUEUE_REQUESTS].count > 0;
}

/* The one to play next; begin_house() takes it. NULL: there is none now. */
static struct track *house_song(struct jukebox *j)
{
    const struct jukebox_settings *s = &j->settings;
    bool may_play = s->house_song && !s->exits_at_end && j->view.now_ns >= j->house_again_ns;
    return may_play ? s->house_song(s->ctx, has_entries(j)) : NULL;
}

static void begin_house(struct jukebox *j, struct track *t)
{
    if (has_entries(j)) {
        char why[192];
        jukebox_why_idle(j, why, sizeof(why));
        jukebox_notice(j, NOTICE_INFO, "Music of the house meanwhile", why);
    }
    track_set(&t->requester_id, TRACK_HOUSE_REQUESTER);
    track_set(&t->id, NULL);
    track_ensure_id(t, j->turn + (uint64_t)j->view.wall_ms);
    t->status = TRACK_PLAYING;
    j->queue.now = t;
    begin(j);
}

void turn_end(struct jukebox *j, enum played_how how)
{
    if (!j->queue.now)
        return;
    keep_history(j, how);
    if (how != PLAYED_FAILED) /* said when it was marked */
        log_info(j->log, "%s: %s", j->queue.now->title, played_how_name(how));
    if (jukebox_plays_house(j)) {
        end_house(j, how);
        return;
    }
    /* A main track that failed stays, with its mark, for staff to see: also where others leave. */
    end_now(j, how == PLAYED_SKIPPED ? OP_SKIP : OP_END, how == PLAYED_FAILED);
}

/* The request that plays; NULL: none does. The caller destroys it. */
static struct track *playing_request(const struct jukebox *j)
{
    struct entry_place place;
    bool is_request = queue_playing(&j->queue, &place) && place.list == QUEUE_REQUESTS;
    return is_request ? track_copy(queue_at(&j->queue, place)) : NULL;
}

static void put_back(struct jukebox *j, const struct track *request)
{
    struct queue_op op = {
        .kind = OP_ADD,
        .track = request,
        .at_front = true,
        .seed = (uint64_t)j->view.wall_ms,
    };
    if (change(j, &op) != 0)
        log_err(j->log, "%s: cannot be put back into the queue", request->title);
}

void turn_postpone(struct jukebox *j)
{
    struct track *request = playing_request(j);
    turn_end(j, PLAYED_FAILED);
    if (request)
        put_back(j, request);
    track_destroy(request);
}

/* ---- songs that are on their way -------------------------------------------------------------- */

/* The file or address an entry names itself. A guest far away names songs; what else stands in the document is nothing
 * that we open. */
static const char *own_source(const struct jukebox *j, const struct track *t)
{
    const struct jukebox_settings *s = &j->settings;
    bool is_refused = *t->source && s->may_open && !s->may_open(s->ctx, t);
    return track_is_guests(t) || is_refused ? "" : t->source;
}

const char *turn_source(const struct jukebox *j, const struct track *t)
{
    if (!t)
        return "";
    const char *source = own_source(j, t);
    for (int l = 0; !*source && t->video_id[0] && l < QUEUE_LISTS; l++)
        for (size_t i = 0; !*source && i < j->queue.list[l].count; i++) {
            const struct track *other = j->queue.list[l].at[i];
            if (strcmp(other->video_id, t->video_id) == 0)
                source = own_source(j, other);
        }
    return source;
}

const char *jukebox_source(const struct jukebox *j, const struct track *t)
{
    return turn_source(j, t);
}

bool turn_is_coming(const struct jukebox *j, const struct track *t)
{
    const struct jukebox_settings *s = &j->settings;
    return t && !track_is_house(t) && s->is_coming && s->is_coming(s->ctx, t, turn_source(j, t));
}

bool turn_is_growing(const struct jukebox *j, const struct track *t)
{
    const struct jukebox_settings *s = &j->settings;
    return t && s->is_growing && s->is_growing(s->ctx, t, turn_source(j, t));
}

bool turn_give_way(struct jukebox *j)
{
    struct entry_place place;
    if (!j->queue.now || jukebox_plays_house(j))
        return false;
    bool has_other = turn_find_other(j, j->now_key, &place);
    struct track *house = has_other ? NULL : house_song(j);
    if (!has_other && !house)
        return false;
    log_info(j->log, "%s: is not all here yet, another song plays meanwhile", j->queue.now->title);
    struct track *request = playing_request(j), *left = track_copy(j->queue.now);
    end_now(j, OP_END, true);
    struct queue_op promote = { .kind = OP_PROMOTE, .entry = entry_ref_of(left) };
    if (request)
        put_back(j, request);
    else if (queue_find(&j->queue, promote.entry, &place))
        (void)change(j, &promote);
    track_destroy(left);
    track_destroy(request);
    if (house)
        begin_house(j, house);
    return true;
}

bool turn_set_aside(struct jukebox *j, int64_t for_ns)
{
    uint64_t entry = j->now_key;
    if (!turn_give_way(j))
        return false;
    j->aside = entry;
    j->aside_ns = j->view.now_ns + for_ns;
    return true;
}

bool turn_awaits(const struct jukebox *j)
{
    if (!j->settings.is_coming)
        return false;
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < j->queue.list[l].count; i++)
            if (!j->queue.list[l].at[i]->unplayable[0])
                return true;
    return false;
}

bool jukebox_awaits(const struct jukebox *j)
{
    return !j->queue.now && !j->is_away && turn_awaits(j);
}

/* ---- what follows ----------------------------------------------------------------------------- */

struct choice {
    const struct jukebox *jukebox;
    uint64_t not_this;
};

static bool is_aside(const struct jukebox *j, const struct track *t)
{
    return j->aside && entry_key(&j->queue, t) == j->aside &&
           (j->view.now_ns < j->aside_ns || turn_is_growing(j, t));
}

static bool is_passing(const struct jukebox *j, const struct track *t)
{
    const struct jukebox_settings *s = &j->settings;
    return s->is_passing && s->is_passing(s->ctx, t, turn_source(j, t));
}

static bool can_follow(void *ctx, const struct track *t)
{
    const struct choice *c = ctx;
    bool is_other = !c->not_this || entry_key(&c->jukebox->queue, t) != c->not_this;
    return is_other && !is_aside(c->jukebox, t) && !turn_is_coming(c->jukebox, t) &&
           !is_passing(c->jukebox, t);
}

bool turn_find_other(const struct jukebox *j, uint64_t entry, struct entry_place *out)
{
    struct choice choice = { j, entry };
    return queue_upcoming_that(&j->queue, can_follow, &choice, out);
}

bool turn_next(const struct jukebox *j, struct entry_place *out)
{
    return (j->put_off && turn_find_other(j, j->put_off, out)) || turn_find_other(j, 0, out);
}

void turn_settle(struct jukebox *j)
{
    struct entry_place place;
    if ((j->queue.now && !jukebox_plays_house(j)) || j->is_leaving || j->is_away)
        return;
    if (turn_next(j, &place)) {
        turn_end(j, PLAYED_SKIPPED); /* of the house's own */
        turn_begin(j, place);
    } else if (!j->queue.now) {
        struct track *house = house_song(j);
        if (house)
            begin_house(j, house);
        else
            j->aside = 0; /* better than nothing */
    }
}

void turn_count_heard(struct jukebox *j)
{
    const struct play_position *air = &j->air;
    bool is_now = j->now.load && air->load == j->now.load && j->now.turn == j->turn;
    if (!is_now) {
        j->heard_ns = NO_TIME;
        return;
    }
    j->now.was_heard = j->played_any = true;
    int64_t step = j->heard_ns == NO_TIME ? 0 : air->media_ns - j->heard_ns;
    if (step > 0)
        j->played_ns += step;
    j->heard_ns = air->media_ns;
    if (!j->cue.entry || j->cue.how == START_JOIN)
        j->position_ns = air->media_ns;
}

/* The heading names the song: a reason that begins with the name of its file says "The file" instead. */
static void show_unplayable(struct jukebox *j, const struct track *t, const char *reason)
{
    char title[192], heading[256], text[320];
    track_display_title(t, title, sizeof(title));
    snprintf(heading, sizeof(heading), "Cannot play: %s", title);
    char *path = path_from_source(t->source);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t len = strlen(name);
    bool names_file = len > 0 && strncmp(reason, name, len) == 0 && reason[len] == ' ';
    snprintf(text, sizeof(text), "%s%s", names_file ? "The file" : "",
             reason + (names_file ? len : 0));
    free(path);
    jukebox_notice(j, NOTICE_PROBLEM, heading, text);
}

/* Says it, and does `op` to the entry. */
static void give_up(struct jukebox *j, const struct track *t, struct queue_op op)
{
    show_unplayable(j, t, op.reason);
    log_warn(j->log, "%s: cannot be played: %s", t->source[0] ? t->source : t->title, op.reason);
    op.entry = entry_ref_of(t);
    if (change(j, &op) == 0)
        turn_queue_changed(j);
}

void turn_mark_unplayable(struct jukebox *j, uint64_t entry, const char *reason)
{
    const struct track *t = turn_track(j, entry);
    if (t && track_is_house(t))
        log_warn(j->log, "%s: cannot be played: %s", t->title, reason);
    else if (t)
        give_up(j, t, (struct queue_op){ .kind = OP_MARK_UNPLAYABLE, .reason = reason });
}

/* ---- operations from outside ------------------------------------------------------------------ */

static bool means_playing(const struct jukebox *j, struct entry_ref ref)
{
    struct entry_place a, b;
    return queue_playing(&j->queue, &a) && queue_find(&j->queue, ref, &b) && a.list == b.list &&
           a.index == b.index;
}

static bool ref_is_empty(struct entry_ref ref)
{
    return !(ref.id && *ref.id) && !(ref.video_id && *ref.video_id);
}

static int skip(struct jukebox *j, struct entry_ref ref)
{
    if (!j->queue.now || (!ref_is_empty(ref) && !means_playing(j, ref)))
        return 1;
    j->put_off = 0; /* a person wants what the queue says is next */
    turn_end(j, PLAYED_SKIPPED);
    return 0;
}

/* A song that is on its way is brought to the front, and played when it is there. */
static int promote(struct jukebox *j, const struct queue_op *op)
{
    struct queue_op own = *op;
    own.kind = OP_MARK_UNPLAYABLE;
    own.reason = "";
    (void)change(j, &own);
    own.kind = OP_PROMOTE;
    return change(j, &own);
}

static int play_now(struct jukebox *j, const struct queue_op *op)
{
    struct entry_place place;
    if (!queue_find(&j->queue, op->entry, &place))
        return -ENOENT;
    if (means_playing(j, op->entry))
        return 1;
    if (turn_is_coming(j, queue_at(&j->queue, place)))
        return promote(j, op);
    if (j->queue.now)
        keep_history(j, PLAYED_SKIPPED);
    return change(j, op);
}

int jukebox_give_up(struct jukebox *j, struct entry_ref entry, const char *reason, bool leaves)
{
    struct entry_place place;
    follow_committed(j);
    if (!queue_find(&j->queue, entry, &place))
        return -ENOENT;
    struct track *t = track_copy(queue_at(&j->queue, place));
    bool plays = means_playing(j, entry);
    give_up(j, t,
            (struct queue_op){ .kind = leaves && !plays ? OP_REMOVE : OP_MARK_UNPLAYABLE,
                               .reason = reason });
    track_destroy(t);
    now_changed(j);
    return 0;
}

static int apply(struct jukebox *j, const struct queue_op *op)
{
    switch (op->kind) {
    case OP_START:
    case OP_END:
    case OP_NAME:
    case OP_KINDS: return -EINVAL;
    case OP_SKIP: return skip(j, op->entry);
    case OP_PLAY_NOW: return play_now(j, op);
    case OP_REMOVE:
        if (means_playing(j, op->entry))
            keep_history(j, PLAYED_REMOVED);
        break;
    case OP_ADD:
        /* Adding a file again is a person saying that it can be played now. */
        queue_lift_marks(&j->queue, op->track->source);
        j->had_entries = true;
        break;
    default: break;
    }
    return change(j, op);
}

int jukebox_apply(struct jukebox *j, const struct queue_op *op)
{
    struct entry_place place;
    struct queue_op own = *op;
    if (j->is_away && (op->kind == OP_SKIP || op->kind == OP_PLAY_NOW))
        return -EPERM;
    struct track *named = NULL; /* the entry may leave the queue, and its names with it */
    if (queue_find(&j->queue, op->entry, &place)) {
        named = track_copy(queue_at(&j->queue, place));
        own.entry = entry_ref_of(named);
    }
    follow_committed(j);
    int ret = apply(j, &own);
    track_destroy(named);
    if (ret != 0)
        return ret;
    now_changed(j);
    turn_queue_changed(j);
    turn_settle(j);
    return 0;
}

static bool is_same_entry(const struct track *a, const struct track *b)
{
    if (!a || !b)
        return a == b;
    if (track_id_is_identity(a->id) || track_id_is_identity(b->id))
        return strcmp(a->id, b->id) == 0;
    return strcmp(a->video_id, b->video_id) == 0 && strcmp(a->requested_at, b->requested_at) == 0;
}

/* Of all entries of the song `t`. */
static bool name_song(struct jukebox *j, const struct track *t)
{
    const struct jukebox_settings *s = &j->settings;
    struct song_name name = { .title = "", .artist = "" };
    if (!s->name_song(s->ctx, t, &name))
        return false;
    struct track *named = track_create();
    struct queue_op op = { .kind = OP_NAME, .track = named };
    track_set(&named->video_id, t->video_id);
    track_set(&named->title, name.title);
    track_set(&named->artist, name.artist);
    named->duration_s = name.duration_s;
    int ret = j->is_away ? queue_apply(&j->queue, &op) : change(j, &op);
    track_destroy(named);
    return ret == 0;
}

static bool name_songs(struct jukebox *j)
{
    bool is_news = false;
    if (!j->settings.name_song)
        return false;
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < j->queue.list[l].count; i++)
            is_news |= name_song(j, j->queue.list[l].at[i]);
    return (j->queue.now && name_song(j, j->queue.now)) || is_news;
}

void jukebox_name_songs(struct jukebox *j)
{
    if (!name_songs(j))
        return;
    now_changed(j);
    turn_queue_changed(j);
}

/* What the decks found out is nobody else's to know. */
static void recall_durations(struct jukebox *j)
{
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < j->queue.list[l].count; i++) {
            struct track *t = j->queue.list[l].at[i];
            double known = durations_of(&j->durations, t->source);
            if (known > 0)
                t->duration_s = known;
        }
}

void jukebox_adopt(struct jukebox *j, const struct queue *queue)
{
    struct queue own = j->queue;
    bool is_house = own.now && track_is_house(own.now) && !queue->now; /* nobody else knows it */
    bool goes_on = j->is_away || is_house || is_same_entry(own.now, queue->now);
    if (!goes_on && own.now) {
        keep_history(j, PLAYED_SKIPPED);
        log_info(j->log, "%s: %s", own.now->title, played_how_name(PLAYED_SKIPPED));
    }
    queue_copy(&j->queue, queue);
    if (is_house) {
        j->queue.now = own.now;
        own.now = NULL;
    }
    j->queue.loops = own.loops;
    j->queue.max_chars = own.max_chars;
    queue_finish(&own);
    recall_durations(j);
    (void)name_songs(j);
    turn_queue_changed(j);
    if (!goes_on && j->queue.now)
        begin(j);
    else
        now_changed(j);
    turn_settle(j);
}

void jukebox_set_away(struct jukebox *j, bool is_away)
{
    if (j->is_away == is_away)
        return;
    log_info(j->log, is_away ? "another player of this venue has the music: silent here"
                             : "the music of this venue is played here");
    if (jukebox_plays_house(j))
        turn_end(j, PLAYED_SKIPPED);
    j->is_away = is_away;
    if (is_away)
        return;
    if (j->queue.now)
        begin(j);
    turn_settle(j);
}

void jukebox_set_master(struct jukebox *j, const char *device)
{
    text_clean(j->master, sizeof(j->master), device);
}
