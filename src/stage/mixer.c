#include "stage/mixer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"

/* A cut or a pause made by a person is faded over a few milliseconds, so that it does not click.
 * A track that follows at the end of another is not: the two belong together to the sample. */
enum {
    CUT_FADE = SAMPLE_RATE / 200,
    GAIN_FADE = SAMPLE_RATE / 100,
    RELEASE_STEP = SAMPLE_RATE / 10, /* the deck is woken after so many samples */
};

/* A load being mixed. load 0: none. */
struct part {
    struct plan_part plan;
    uint64_t first;  /* sample ring number of the load's first sample ... */
    int64_t base_ns; /* ... and its media position */
    uint64_t cursor; /* next sample to take */
};

struct mixer {
    /* Constant after create. */
    struct control *control;
    struct deck_view *decks;
    int64_t delay_ns;

    pthread_mutex_t lock;
    /* Protected by lock. */
    struct plan plan; /* newest seen */
    uint32_t plan_seq;
    struct part current;
    struct plan_part next;   /* follows at the end of current; load 0: none known */
    struct plan_part wanted; /* to be cut to as soon as its deck is ready; load 0: none */
    struct part leaving;     /* faded out after a cut, `leaving_left` frames more */
    int leaving_left;
    int entering_left;
    float gain;           /* as of the last frame mixed */
    int64_t mixed;        /* device frames so far */
    uint64_t told[DECKS]; /* sample number at which the deck was last woken */
    struct device_clock device;
    struct play_clock clock;
};

/* ---- the clock -------------------------------------------------------------------------------- */

static int64_t part_media_ns(const struct part *p)
{
    return p->base_ns + (int64_t)(p->cursor - p->first) * NS_PER_S / SAMPLE_RATE;
}

static struct play_span *last_span(struct mixer *m)
{
    return &m->clock.span[m->clock.span_count - 1];
}

/* From the next mixed frame on, `current` is heard, moving or not. cut_ns: see play_span. */
static void begin_span(struct mixer *m, bool is_moving, int64_t cut_ns)
{
    struct play_clock *c = &m->clock;
    const struct plan_part *p = &m->current.plan;
    struct play_span *last = last_span(m);
    if (!cut_ns && last->load == p->load && last->is_moving == is_moving)
        return;
    struct play_span span = {
        .load = p->load,
        .entry = p->load ? p->entry : 0,
        .deck = p->deck,
        .frame0 = m->mixed,
        .media0_ns = p->load ? part_media_ns(&m->current) : 0,
        .is_moving = is_moving,
        .cut_ns = cut_ns,
    };
    if (last->frame0 == m->mixed) {
        if (!cut_ns && last->load == span.load)
            span.cut_ns = last->cut_ns;
        *last = span;
        return;
    }
    if (c->span_count == SPANS_MAX)
        memmove(&c->span[0], &c->span[1], sizeof(c->span[0]) * --c->span_count);
    c->span[c->span_count++] = span;
}

static void publish(struct mixer *m)
{
    m->clock.mono_ns = m->device.mono_ns;
    m->clock.frame = m->device.frame;
    m->clock.until_frame = m->mixed;
    play_clock_store(&m->control->clock, &m->clock);
}

/* ---- the plan --------------------------------------------------------------------------------- */

/* Makes `p` current at its start, or where `join_ns` says. false: not decoded that far yet. */
static bool enter_part(struct mixer *m, const struct plan_part *p, int64_t join_ns)
{
    struct deck_state state;
    if (p->deck >= DECKS || !deck_view_ready(&m->decks[p->deck], p->load, &state))
        return false;
    const struct deck_segment *ring = m->decks[p->deck].ring;
    uint64_t head = atomic_load_explicit(&ring->sample_head, memory_order_acquire);
    uint64_t cursor = state.first_sample;
    if (join_ns != NO_TIME && join_ns > state.sample_base_ns) {
        int64_t skip = (join_ns - state.sample_base_ns) / 1000 * SAMPLE_RATE / 1000000;
        cursor += (uint64_t)skip;
        if (cursor >= head && state.phase == DECK_READY)
            return false;
    }
    if (cursor > head)
        cursor = head;
    m->current = (struct part){
        .plan = *p,
        .first = state.first_sample,
        .base_ns = state.sample_base_ns,
        .cursor = cursor,
    };
    m->told[p->deck] = cursor;
    return true;
}

static void try_cut(struct mixer *m)
{
    if (!m->wanted.load)
        return;
    struct part old = m->current;
    bool joins = m->wanted.start == START_JOIN && old.plan.load;
    if (!enter_part(m, &m->wanted, joins ? part_media_ns(&old) : NO_TIME))
        return;
    m->wanted.load = 0;
    bool is_cut = m->current.plan.start != START_AT_END;
    if (old.plan.load && is_cut && m->gain > 0) {
        m->leaving = old;
        m->leaving_left = CUT_FADE;
        m->entering_left = CUT_FADE;
    }
    begin_span(m, m->gain > 0 || !m->plan.is_paused, is_cut && !joins ? now_mono_ns() : 0);
}

static void take_plan(struct mixer *m)
{
    uint32_t seq = atomic_load_explicit(&m->control->plan.seq, memory_order_acquire);
    if (seq == m->plan_seq || !plan_load(&m->control->plan, &m->plan))
        return;
    m->plan_seq = seq;
    m->clock.plan_serial = m->plan.serial;
    const struct plan *p = &m->plan;
    if (!p->now.load) {
        m->leaving = m->current;
        m->leaving_left = m->current.plan.load ? CUT_FADE : 0;
        m->current = (struct part){ 0 };
        m->next.load = m->wanted.load = 0;
        begin_span(m, false, 0);
    } else if (p->now.load == m->current.plan.load) {
        m->next = p->next;
        m->wanted.load = 0;
    } else if (m->current.plan.load &&
               (p->next.load == m->current.plan.load || p->now.load == m->clock.ended_load)) {
        m->next.load = m->wanted.load = 0; /* made before it was known that we went on */
    } else {
        m->wanted = p->now;
        m->next = p->next;
    }
}

static void follow_locked(struct mixer *m)
{
    take_plan(m);
    try_cut(m);
}

/* ---- the samples ------------------------------------------------------------------------------ */

static const float *sample_at(const struct mixer *m, const struct part *p, uint64_t number)
{
    return &m->decks[p->plan.deck].ring->sample[(number & (SAMPLE_RING - 1)) * 2];
}

static uint64_t samples_ready(const struct mixer *m, const struct part *p)
{
    const struct deck_segment *ring = m->decks[p->plan.deck].ring;
    uint64_t head = atomic_load_explicit(&ring->sample_head, memory_order_acquire);
    return head > p->cursor && head - p->cursor <= SAMPLE_RING ? head - p->cursor : 0;
}

static void release_samples(struct mixer *m)
{
    uint32_t deck = m->current.plan.deck;
    struct deck_view *v = &m->decks[deck];
    atomic_store_explicit(&v->ring->sample_tail, m->current.cursor, memory_order_release);
    if (m->current.cursor - m->told[deck] >= RELEASE_STEP) {
        m->told[deck] = m->current.cursor;
        doorbell_ring(&m->control->deck_bell[deck]);
    }
}

/* Volume is perceived loudness; a cube is close to it over the range people use. */
static float wanted_gain(const struct plan *p)
{
    float v = (float)(p->volume > 100 ? 100 : p->volume) / 100;
    return p->is_paused || p->is_muted ? 0 : v * v * v;
}

static float step_towards(float gain, float target)
{
    const float step = 1.0f / GAIN_FADE;
    return gain < target - step ? gain + step : gain > target + step ? gain - step : target;
}

/* Whether the position stands: paused, and the fade to silence is over. */
static bool stands(const struct mixer *m)
{
    return m->plan.is_paused && (m->gain <= 0 || m->plan.is_muted);
}

/* Mixes up to `count` frames of the current part; returns how many there were. */
static int mix_current(struct mixer *m, float *out, int count)
{
    struct part *p = &m->current;
    if (!p->plan.load || stands(m))
        return 0;
    uint64_t ready = samples_ready(m, p);
    int n = ready < (uint64_t)count ? (int)ready : count;
    float target = wanted_gain(&m->plan);
    for (int i = 0; i < n; i++) {
        const float *s = sample_at(m, p, p->cursor + (uint64_t)i);
        m->gain = step_towards(m->gain, target);
        float g = m->gain;
        if (m->entering_left > 0)
            g *= 1 - (float)m->entering_left-- / CUT_FADE;
        out[2 * i] += s[0] * g;
        out[2 * i + 1] += s[1] * g;
    }
    if (n > 0) {
        begin_span(m, true, 0);
        p->cursor += (uint64_t)n;
        m->mixed += n;
        release_samples(m);
    }
    return n;
}

/* The rest of what was cut away, on top of what plays now. Its samples are behind the deck's tail, but a
 * ring's length away from being overwritten. */
static void mix_leaving(struct mixer *m, float *out, int count)
{
    struct part *p = &m->leaving;
    uint64_t ready = m->leaving_left ? samples_ready(m, p) : 0;
    int n = m->leaving_left < count ? m->leaving_left : count;
    n = ready < (uint64_t)n ? (int)ready : n;
    for (int i = 0; i < n; i++) {
        const float *s = sample_at(m, p, p->cursor + (uint64_t)i);
        float g = m->gain * (float)(m->leaving_left - i) / CUT_FADE;
        out[2 * i] += s[0] * g;
        out[2 * i + 1] += s[1] * g;
    }
    p->cursor += (uint64_t)n;
    m->leaving_left = n < count ? 0 : m->leaving_left - n;
}

/* Nothing more to take from `current` for now: is it over? Goes on to what follows when that is ready. */
static bool pass_on(struct mixer *m)
{
    struct part *p = &m->current;
    struct deck_state state;
    if (!p->plan.load || stands(m) ||
        !deck_view_ready(&m->decks[p->plan.deck], p->plan.load, &state) ||
        state.phase == DECK_READY || samples_ready(m, p) > 0)
        return false;
    m->clock.ended_load = p->plan.load;
    struct plan_part next = m->next;
    if (next.load && enter_part(m, &next, NO_TIME)) {
        m->next.load = 0;
        begin_span(m, true, 0);
        return true;
    }
    return false;
}

static void stand_still(struct mixer *m, int count)
{
    struct play_span *last = last_span(m);
    bool is_over = m->clock.ended_load == m->current.plan.load;
    if (last->is_moving && m->current.plan.load && !stands(m) && !is_over)
        m->clock.underruns++;
    if (!m->current.plan.load)
        m->gain = 0;
    begin_span(m, false, 0);
    m->mixed += count;
}

void mixer_fill(void *ctx, float *out, int count, int64_t heard_ns)
{
    struct mixer *m = ctx;
    memset(out, 0, (size_t)count * 2 * sizeof(*out));
    pthread_mutex_lock(&m->lock);
    uint64_t ended = m->clock.ended_load, load = last_span(m)->load;
    uint32_t moving = last_span(m)->is_moving;
    device_clock_observe(&m->device, m->mixed, heard_ns + m->delay_ns);
    follow_locked(m);
    for (int done = 0; done < count;) {
        int n = mix_current(m, out + 2 * done, count - done);
        if (n == 0 && !pass_on(m)) {
            stand_still(m, count - done);
            n = count - done;
        }
        done += n;
    }
    mix_leaving(m, out, count);
    publish(m);
    bool is_news = ended != m->clock.ended_load || load != last_span(m)->load ||
                   moving != last_span(m)->is_moving;
    pthread_mutex_unlock(&m->lock);
    if (is_news) {
        doorbell_ring(&m->control->brain_bell);
        doorbell_ring(&m->control->stage_bell);
    }
}

void mixer_follow(struct mixer *m)
{
    pthread_mutex_lock(&m->lock);
    uint64_t load = last_span(m)->load;
    follow_locked(m);
    bool is_news = load != last_span(m)->load;
    if (is_news)
        publish(m);
    pthread_mutex_unlock(&m->lock);
    if (is_news)
        doorbell_ring(&m->control->brain_bell);
}

void mixer_clock(struct mixer *m, struct play_clock *out)
{
    pthread_mutex_lock(&m->lock);
    *out = m->clock;
    out->mono_ns = m->device.mono_ns;
    out->frame = m->device.frame;
    out->until_frame = m->mixed;
    pthread_mutex_unlock(&m->lock);
}

/* ---- birth ------------------------------------------------------------------------------------ */

/* Sound that a dead stage had handed to the device at most, which nobody heard. */
#define UNHEARD_NS MS(250)

/* Goes on where the former life was last heard, if the plan still wants that load. Its sound may have outlived
 * its pictures. */
static void resume(struct mixer *m, int64_t last_turn_ns)
{
    struct play_clock old;
    if (!play_clock_load(&m->control->clock, &old) || !old.span_count || old.span_count > SPANS_MAX)
        return;
    m->mixed = old.until_frame;
    m->clock.ended_load = old.ended_load;
    m->clock.underruns = old.underruns;
    m->clock.span[0].frame0 = m->mixed;
    int64_t sounding_ns = min_i64(old.mono_ns, now_mono_ns()) - UNHEARD_NS;
    struct play_position heard = play_clock_at(&old, max_i64(last_turn_ns, sounding_ns));
    if (!heard.load || !plan_load(&m->control->plan, &m->plan))
        return;
    const struct plan_part *part = m->plan.now.load == heard.load    ? &m->plan.now
                                   : m->plan.next.load == heard.load ? &m->plan.next
                                                                     : NULL;
    if (part && enter_part(m, part, heard.media_ns)) {
        m->gain = wanted_gain(&m->plan);
        begin_span(m, m->gain > 0, now_mono_ns());
    }
}

struct mixer *mixer_create(struct control *control, struct deck_view decks[DECKS], int64_t delay_ns,
                           int64_t last_turn_ns)
{
    struct mixer *m = xcalloc(1, sizeof(*m));
    m->control = control;
    m->decks = decks;
    m->delay_ns = delay_ns;
    pthread_mutex_init(&m->lock, NULL);
    m->clock.span_count = 1;
    m->plan_seq = UINT32_MAX; /* odd: no plan has it */
    resume(m, last_turn_ns);
    return m;
}

void mixer_destroy(struct mixer *m)
{
    if (!m)
        return;
    pthread_mutex_destroy(&m->lock);
    free(m);
}
