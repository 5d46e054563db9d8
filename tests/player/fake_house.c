#include "player/fake_house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_A_TICK (TICK_NS * SAMPLE_RATE / NS_PER_S)
#define RING_NS       SECONDS(2)

#define HOUSE_CHECK(h, what)                                                                       \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "venue %llu, line %d: %s\n", (unsigned long long)(h)->venue, __LINE__, \
                    #what);                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static int64_t frames_to_ns(int64_t frames)
{
    return frames / SAMPLE_RATE * NS_PER_S + frames % SAMPLE_RATE * NS_PER_S / SAMPLE_RATE;
}

struct play_position house_air(const struct fake_house *h)
{
    return play_clock_at(&h->clock, h->now_ns);
}

/* ---- decks ------------------------------------------------------------------------------------ */

static const struct fake_file *file_at(const struct fake_house *h, const char *path)
{
    for (const struct fake_file *f = h->files; f->path; f++)
        if (strcmp(f->path, path) == 0)
            return f;
    return NULL;
}

static void deck_start(struct fake_deck *d)
{
    if (!d->is_starting) {
        d->is_starting = true;
        d->starts++;
        return;
    }
    d->is_alive = true;
    d->is_hung = d->is_starting = false;
    d->load = 0;
    d->state = (struct deck_state){ .phase = DECK_EMPTY, .end_ns = NO_TIME };
}

void house_kill_deck(struct fake_house *h, uint32_t deck)
{
    h->deck[deck].is_alive = false;
    h->deck[deck].back_ns = h->now_ns + RESTART_NS;
}

static void deck_take_order(struct fake_house *h, struct fake_deck *d, const struct deck_order *o)
{
    d->load = o->load;
    d->opened_ns = h->now_ns;
    d->file = file_at(h, o->path);
    if (d->file && d->file->kind == FILE_MUTE) {
        d->is_hung = true;
        return;
    }
    d->state = (struct deck_state){
        .load = o->load,
        .entry = o->entry,
        .phase = o->load ? DECK_OPENING : DECK_EMPTY,
        .start_ns = o->start_ns,
        .end_ns = NO_TIME,
    };
}

static void deck_open_done(struct fake_house *h, uint32_t deck)
{
    struct fake_deck *d = &h->deck[deck];
    if (!d->file || d->file->kind == FILE_BAD) {
        d->state.phase = DECK_FAILED;
        snprintf(d->state.error, sizeof(d->state.error), "%s",
                 d->file && d->file->error ? d->file->error : "There is no such file.");
    } else if (d->file->kind == FILE_HANGS ||
               (d->file->kind == FILE_LATE &&
                h->opened_late++ % (d->file->late + 1) < d->file->late)) {
        d->is_hung = true;
    } else if (d->file->kind == FILE_CRASHES) {
        house_kill_deck(h, deck);
    } else if (d->state.start_ns >= MS(d->file->duration_ms)) {
        d->state.phase = DECK_FAILED;
        snprintf(d->state.error, sizeof(d->state.error), "It is not that long.");
    } else {
        bool is_cut = d->file->kind == FILE_TRUNCATED || d->file->kind == FILE_EMPTY;
        d->state.phase = DECK_READY;
        d->state.duration_ns = MS(d->file->duration_ms) + (is_cut ? SECONDS(60) : 0);
        d->ring_load = d->load;
        d->ring_end_ns = d->state.start_ns;
    }
}

static void deck_decode(struct fake_house *h, struct fake_deck *d)
{
    d->work++;
    if (d->is_slow)
        return;
    bool plays = h->stage.current.load == d->load;
    int64_t from = plays ? h->stage.media_ns : d->state.start_ns;
    int64_t end = MS(d->file->duration_ms);
    d->ring_end_ns = max_i64(d->ring_end_ns, min_i64(from + RING_NS, end));
    if (d->ring_end_ns < end)
        return;
    d->state.end_ns = end;
    d->state.phase = d->file->kind == FILE_TRUNCATED ? DECK_FAILED : DECK_DONE;
    if (d->state.phase == DECK_FAILED)
        snprintf(d->state.error, sizeof(d->state.error), "The file breaks off.");
}

static void deck_tick(struct fake_house *h, uint32_t deck)
{
    struct fake_deck *d = &h->deck[deck];
    if (!d->is_alive && h->now_ns >= d->back_ns)
        deck_start(d); /* counts its start; it is seen to live a tick later */
    if (!d->is_alive || d->is_hung)
        return;
    if (d->load != h->order[deck].load)
        deck_take_order(h, d, &h->order[deck]);
    if (d->is_hung)
        return;
    int64_t open_ns = d->file ? MS(d->file->open_ms) : 0;
    if (d->state.phase == DECK_OPENING && h->now_ns - d->opened_ns >= open_ns)
        deck_open_done(h, deck);
    if (d->state.phase == DECK_READY)
        deck_decode(h, d);
}

/* ---- the stage -------------------------------------------------------------------------------- */

static bool can_play(const struct fake_house *h, uint64_t load, uint32_t deck)
{
    const struct fake_deck *d = &h->deck[deck];
    return d->ring_load == load && d->state.load == load && d->state.phase >= DECK_READY;
}

static void begin_span(struct fake_house *h, bool is_moving)
{
    struct play_clock *c = &h->clock;
    struct fake_stage *s = &h->stage;
    const struct play_span *last = c->span_count ? &c->span[c->span_count - 1] : NULL;
    if (last && last->load == s->current.load && last->is_moving == is_moving)
        return;
    if (c->span_count == SPANS_MAX) {
        memmove(&c->span[0], &c->span[1], sizeof(c->span[0]) * (SPANS_MAX - 1));
        c->span_count--;
    }
    c->span[c->span_count++] = (struct play_span){
        .load = s->current.load,
        .entry = s->current.entry,
        .deck = s->current.deck,
        .frame0 = s->mixed,
        .media0_ns = s->media_ns,
        .is_moving = is_moving,
    };
}

static bool enter(struct fake_house *h, const struct plan_part *p)
{
    struct fake_stage *s = &h->stage;
    if (!p->load || !can_play(h, p->load, p->deck))
        return false;
    const struct fake_deck *d = &h->deck[p->deck];
    bool joins = p->start == START_JOIN && s->current.load;
    if (joins && s->media_ns > d->ring_end_ns && d->state.phase == DECK_READY)
        return false;
    s->media_ns = joins ? max_i64(s->media_ns, d->state.start_ns) : d->state.start_ns;
    s->current = *p;
    return true;
}

static void stage_take_plan(struct fake_house *h)
{
    struct fake_stage *s = &h->stage;
    if (s->plan.serial == h->plan.serial)
        return;
    const struct plan *p = &h->plan;
    s->plan = *p;
    h->clock.plan_serial = p->serial;
    s->wanted.load = 0;
    if (!p->now.load) {
        s->current = s->next = (struct plan_part){ 0 };
    } else if (p->now.load == s->current.load) {
        s->next = p->next;
    } else if (s->current.load && p->next.load == s->current.load) {
        s->next.load = 0;
    } else {
        s->wanted = p->now;
        s->next = p->next;
    }
}

/* Frames of `current` that can be mixed now, up to `count`. */
static int64_t frames_there(const struct fake_house *h, int64_t count)
{
    const struct fake_stage *s = &h->stage;
    const struct fake_deck *d = &h->deck[s->current.deck];
    if (!s->current.load || h->plan.is_paused || d->ring_load != s->current.load)
        return 0;
    int64_t ns = max_i64(d->ring_end_ns - s->media_ns, 0);
    return min_i64(count, ns * SAMPLE_RATE / NS_PER_S);
}

static bool pass_on(struct fake_house *h)
{
    struct fake_stage *s = &h->stage;
    if (!s->current.load || h->plan.is_paused || !can_play(h, s->current.load, s->current.deck) ||
        h->deck[s->current.deck].state.phase == DECK_READY || frames_there(h, 1) > 0)
        return false;
    h->clock.ended_load = s->current.load;
    struct plan_part next = s->next;
    if (!next.load || !enter(h, &next))
        return false;
    s->next.load = 0;
    return true;
}

static void stage_mix(struct fake_house *h)
{
    struct fake_stage *s = &h->stage;
    for (int64_t left = FRAMES_A_TICK; left > 0;) {
        int64_t n = frames_there(h, left);
        if (n == 0 && pass_on(h))
            continue;
        begin_span(h, n > 0);
        if (n == 0 && s->current.load && !h->plan.is_paused)
            h->stood_ns += frames_to_ns(left);
        n = n > 0 ? n : left;
        if (h->clock.span[h->clock.span_count - 1].is_moving)
            s->media_ns += frames_to_ns(n);
        s->mixed += n;
        left -= n;
    }
}

static void stage_born(struct fake_house *h)
{
    struct fake_stage *s = &h->stage;
    struct play_position heard = play_clock_at(&h->clock, h->now_ns);
    uint64_t ended = h->clock.ended_load;
    *s = (struct fake_stage){ .is_alive = true, .mixed = h->clock.until_frame };
    h->clock = (struct play_clock){ .ended_load = ended };
    const struct plan_part *p = heard.load && h->plan.now.load == heard.load    ? &h->plan.now
                                : heard.load && h->plan.next.load == heard.load ? &h->plan.next
                                                                                : NULL;
    if (p && enter(h, p))
        s->media_ns = heard.media_ns;
    begin_span(h, false);
}

void house_kill_stage(struct fake_house *h)
{
    h->stage.is_alive = false;
    h->stage.back_ns = h->now_ns + RESTART_NS;
}

static void stage_tick(struct fake_house *h)
{
    struct fake_stage *s = &h->stage;
    if (!s->is_alive && h->now_ns >= s->back_ns)
        stage_born(h);
    if (!s->is_alive)
        return;
    stage_take_plan(h);
    if (s->wanted.load && enter(h, &s->wanted))
        s->wanted.load = 0;
    stage_mix(h);
    h->clock.mono_ns = h->now_ns;
    h->clock.frame = s->mixed - LATENCY_NS * SAMPLE_RATE / NS_PER_S;
    h->clock.until_frame = s->mixed;
    struct play_position air = house_air(h);
    bool is_news = !h->heard_count || h->heard[h->heard_count - 1] != air.entry;
    if (air.load && air.is_moving && is_news && h->heard_count < HOUSE_HEARD)
        h->heard[h->heard_count++] = air.entry;
}

/* ---- the brain -------------------------------------------------------------------------------- */

static struct jukebox_view view_of(const struct fake_house *h)
{
    struct jukebox_view v = {
        .now_ns = h->now_ns,
        .wall_ms = 1700000000000 + h->now_ns / NS_PER_MS,
        .clock = h->clock,
        .has_stage = h->stage.is_alive,
    };
    for (int d = 0; d < DECKS; d++) {
        v.deck[d] = (struct jukebox_deck){
            .state = h->deck[d].state,
            .is_alive = h->deck[d].is_alive,
            .starts = h->deck[d].starts,
            .work = h->deck[d].work,
        };
        snprintf(v.deck[d].system, sizeof(v.deck[d].system), "%s",
                 h->deck[d].system ? h->deck[d].system : "");
    }
    return v;
}

static void publish_order(struct fake_house *h, uint32_t deck, uint64_t max_load)
{
    const struct deck_order *o = jukebox_order(h->jukebox, deck);
    struct play_position air = house_air(h);
    const struct fake_deck *d = &h->deck[deck];
    bool is_served = d->is_alive && !d->is_hung && d->starts == h->order[deck].deck_starts;
    bool is_heard = h->stage.is_alive && is_served && air.load && air.is_moving &&
                    air.load == h->order[deck].load;
    if (is_heard && o->load != air.load && jukebox_plan(h->jukebox)->now.load)
        h->cut_off++;
    HOUSE_CHECK(h, !o->load || o->load != jukebox_order(h->jukebox, 1 - deck)->load);
    if (o->load && o->load != h->order[deck].load) {
        HOUSE_CHECK(h, o->load > max_load);
        h->max_load = o->load > h->max_load ? o->load : h->max_load;
    } else if (o->load) {
        HOUSE_CHECK(h, strcmp(o->path, h->order[deck].path) == 0);
        HOUSE_CHECK(h, o->start_ns == h->order[deck].start_ns && o->entry == h->order[deck].entry);
    }
    h->order[deck] = *o;
}

static void publish_plan(struct fake_house *h)
{
    const struct plan *p = jukebox_plan(h->jukebox);
    HOUSE_CHECK(h, p->serial > h->plan.serial);
    if (p->next.load) {
        const struct deck_state *s = &h->deck[p->next.deck].state;
        HOUSE_CHECK(h, p->now.load && p->now.deck != p->next.deck);
        HOUSE_CHECK(h, s->load == p->next.load && s->phase >= DECK_READY);
    }
    if (p->now.load && p->now.load != h->plan.now.load) {
        const struct deck_state *s = &h->deck[p->now.deck].state;
        HOUSE_CHECK(h, s->load == p->now.load && s->phase >= DECK_READY);
    }
    h->plan = *p;
    h->plans++;
}

void house_brain_turn(struct fake_house *h)
{
    if (!h->jukebox || h->is_brain_slow)
        return;
    struct jukebox_view v = view_of(h);
    unsigned changes = jukebox_step(h->jukebox, &v);
    uint64_t max_load = h->max_load;
    for (uint32_t d = 0; d < DECKS; d++) {
        if (changes & (unsigned)(CHANGED_ORDER_A << d))
            publish_order(h, d, max_load);
        if (changes & (unsigned)(KILL_DECK_A << d)) {
            house_kill_deck(h, d);
            h->kills++;
        }
    }
    if (changes & CHANGED_PLAN)
        publish_plan(h);
    if (changes & POSITION_DUE)
        jukebox_save_position(h->jukebox, &h->position);
    if (changes & QUIT_WANTED)
        h->has_quit = true;
    struct played p;
    while (jukebox_take_played(h->jukebox, &p))
        h->played[h->played_count++ % 64] = p;
}

void house_save(struct fake_house *h)
{
    struct journal_state s;
    jukebox_save(h->jukebox, &s);
    free(h->journal);
    h->journal = journal_text(&s);
    journal_state_finish(&s);
}

void house_kill_brain(struct fake_house *h)
{
    jukebox_destroy(h->jukebox);
    h->jukebox = NULL;
}

void house_start_brain(struct fake_house *h)
{
    struct journal_state state;
    char why[128];
    if (!h->journal)
        journal_state_init(&state);
    else if (journal_parse(&state, h->journal, strlen(h->journal), why, sizeof(why)) != 0)
        HOUSE_CHECK(h, !"the journal can be read");
    if (!h->journal)
        state.volume = 75;
    struct jukebox_past past = {
        .state = &state,
        .position = &h->position,
        .plan = h->plan,
        .order = { h->order[0], h->order[1] },
        .view = view_of(h),
    };
    h->jukebox = jukebox_create(&h->settings, &past, h->log);
    journal_state_finish(&state);
    house_brain_turn(h);
}

/* ---- the house -------------------------------------------------------------------------------- */

static void power_on(struct fake_house *h)
{
    memset(&h->plan, 0, sizeof(h->plan));
    memset(h->order, 0, sizeof(h->order));
    memset(&h->clock, 0, sizeof(h->clock));
    memset(h->deck, 0, sizeof(h->deck));
    memset(&h->stage, 0, sizeof(h->stage));
    h->max_load = 0;
    for (int d = 0; d < DECKS; d++)
        h->deck[d].back_ns = h->now_ns + MS(30);
    h->stage.back_ns = h->now_ns + MS(50);
    house_start_brain(h);
}

void house_open(struct fake_house *h, const struct fake_file *files,
                const struct jukebox_settings *settings)
{
    memset(h, 0, sizeof(*h));
    h->files = files;
    h->settings = *settings;
    h->now_ns = SECONDS(100);
    power_on(h);
}

void house_close(struct fake_house *h)
{
    jukebox_destroy(h->jukebox);
    free(h->journal);
}

void house_power_cut(struct fake_house *h)
{
    house_kill_brain(h);
    h->now_ns = SECONDS(10);
    power_on(h);
}

void house_tick(struct fake_house *h)
{
    h->now_ns += TICK_NS;
    for (uint32_t d = 0; d < DECKS; d++)
        deck_tick(h, d);
    stage_tick(h);
    house_brain_turn(h);
}

void house_run(struct fake_house *h, int64_t ms)
{
    for (int64_t end = h->now_ns + MS(ms); h->now_ns < end && !h->has_quit;)
        house_tick(h);
}

bool house_run_until_playing(struct fake_house *h, int64_t ms)
{
    for (int64_t end = h->now_ns + MS(ms); h->now_ns < end;) {
        house_tick(h);
        const struct queue *q = jukebox_queue(h->jukebox);
        struct play_position air = house_air(h);
        if (q->now && jukebox_state(h->jukebox) == JUKEBOX_PLAYING && air.load &&
            air.entry == entry_key(q, q->now))
            return true;
    }
    return false;
}

static uint64_t add(struct fake_house *h, const char *path, bool is_request)
{
    struct track *t = track_create();
    track_from_path(t, path);
    t->is_request = is_request;
    track_ensure_id(t, ++h->seed);
    struct queue_op op = { .kind = OP_ADD, .track = t };
    int ret = jukebox_apply(h->jukebox, &op);
    struct entry_place place;
    uint64_t key = 0;
    const struct queue *q = jukebox_queue(h->jukebox);
    if (ret == 0 && queue_find(q, entry_ref_of(t), &place))
        key = entry_key(q, queue_at(q, place));
    track_destroy(t);
    house_brain_turn(h);
    return key;
}

uint64_t house_add(struct fake_house *h, const char *path)
{
    return add(h, path, false);
}

uint64_t house_request(struct fake_house *h, const char *path)
{
    return add(h, path, true);
}

int house_apply(struct fake_house *h, enum queue_op_kind kind, uint64_t entry)
{
    struct queue_op op = { .kind = kind, .seed = ++h->seed };
    const struct queue *q = jukebox_queue(h->jukebox);
    struct entry_place place;
    house_brain_turn(h);
    if (entry) {
        if (!queue_find_key(q, entry, &place))
            return -1;
        op.entry = entry_ref_of(queue_at(q, place));
    }
    int ret = jukebox_apply(h->jukebox, &op);
    house_brain_turn(h);
    return ret;
}

static const char *base_name(const struct track *t)
{
    const char *slash = t ? strrchr(t->source, '/') : NULL;
    return slash ? slash + 1 : "";
}

const char *house_name(const struct fake_house *h, uint64_t entry)
{
    const struct queue *q = jukebox_queue(h->jukebox);
    struct entry_place place;
    if (q->now && entry_key(q, q->now) == entry)
        return base_name(q->now);
    return queue_find_key(q, entry, &place) ? base_name(queue_at(q, place)) : "";
}

const char *house_now(const struct fake_house *h)
{
    return base_name(jukebox_queue(h->jukebox)->now);
}

const char *house_on_air(const struct fake_house *h)
{
    struct play_position air = house_air(h);
    return air.load ? house_name(h, air.entry) : "";
}
