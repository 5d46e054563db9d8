#include "deck/deck.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/alloc.h"
#include "base/now.h"
#include "media/decoder_version.h"
#include "media/load.h"
#include "shm/deck_ring.h"

/* Signs of life, and a look at a load that gets nowhere, at least so often. */
#define TURN_NS MS(400)

/* The line of what plays stands at the lower edge of the screen: subtitles stand above it. */
#define RAISE_PERCENT 18

struct deck {
    /* Constant after create. */
    struct deck_params p;
    struct segment control_segment, ring_segment;
    struct control *control;
    struct deck_segment *ring;
    struct frame_writer *frames;

    _Atomic bool is_stopped;

    /* The thread that takes turns only. */
    struct deck_order order; /* acted on last */
    struct deck_state state; /* stored last */
    struct load *load;       /* NULL: none is under way */
};

static enum process_role role_of(const struct deck *d)
{
    return d->p.index == 0 ? PROCESS_DECK_A : PROCESS_DECK_B;
}

static void tell(struct deck *d, const struct deck_state *s)
{
    d->state = *s;
    deck_state_store(&d->control->deck[d->p.index], s);
    doorbell_ring(&d->control->brain_bell);
    doorbell_ring(&d->control->stage_bell);
}

/* What an earlier life had finished stands. What it was in the middle of is over: the order in the slot
 * counts as acted on if it is that one, or if it died while it wrote which one it was. */
static void take_over(struct deck *d)
{
    struct deck_state old;
    bool is_whole = deck_state_load(&d->control->deck[d->p.index], &old);
    if (is_whole && old.load != 0 && (old.phase == DECK_DONE || old.phase == DECK_FAILED)) {
        d->state = old;
        d->order.load = old.load;
        return;
    }
    struct deck_order order;
    if (is_whole)
        d->order.load = old.load;
    else if (deck_order_load(&d->control->order[d->p.index], &order))
        d->order.load = order.load;
    tell(d, &(struct deck_state){ .end_ns = NO_TIME });
}

static void tell_about(struct deck *d)
{
    struct deck_about about = { 0 };
    struct utsname u = { 0 };
    (void)uname(&u);
    snprintf(about.system, sizeof(about.system), "%s, Linux %.80s, FFmpeg %.40s",
             board_kind_name(d->p.hardware.board), u.release, decoder_version());
    deck_about_store(&d->control->about[d->p.index], &about);
}

int deck_create(struct deck **out, const struct deck_params *params)
{
    struct deck *d = xcalloc(1, sizeof(*d));
    d->p = *params;
    d->p.runtime_dir = NULL; /* the caller's, for this call only */
    int ret = control_open(&d->control_segment, params->runtime_dir, &d->control);
    if (ret == 0)
        ret = deck_segment_open(&d->ring_segment, params->runtime_dir, d->p.index, &d->ring);
    if (ret < 0) {
        deck_destroy(d);
        return ret;
    }
    process_enter(d->control, role_of(d), now_mono_ns());
    d->frames = frame_writer_create(d->ring, &d->control->stage_bell);
    tell_about(d);
    take_over(d);
    *out = d;
    return 0;
}

void deck_destroy(struct deck *d)
{
    if (!d)
        return;
    load_destroy(d->load);
    frame_writer_destroy(d->frames);
    if (d->frames)
        process_leave(d->control, role_of(d));
    segment_close(&d->ring_segment);
    segment_close(&d->control_segment);
    free(d);
}

static void begin(struct deck *d, const struct deck_order *order)
{
    log_debug(d->p.log, "load %llu: %.*s from %.3f s", (unsigned long long)order->load,
              (int)sizeof(order->path), order->path, (double)order->start_ns / NS_PER_S);
    d->load = load_create(&(struct load_params){
        .order = *order,
        .segment = d->ring,
        .frames = d->frames,
        .deck_bell = &d->control->deck_bell[d->p.index],
        .stage_bell = &d->control->stage_bell,
        .threads = d->p.threads,
        .deinterlace = d->p.deinterlace,
        .keeps_pace = true,
        .hardware = d->p.hardware,
        .text = { .languages = d->p.languages,
                  .outputs = d->control->output,
                  .raise = d->p.has_overlay ? RAISE_PERCENT : 0 },
        .log = d->p.log,
    });
    if (d->load)
        return;
    log_err(d->p.log, "load %llu: no thread can be started", (unsigned long long)order->load);
    tell(d,
         &(struct deck_state){
             .load = order->load,
             .entry = order->entry,
             .phase = DECK_FAILED,
             .end_ns = NO_TIME,
             .error = "The deck cannot start a thread: the machine is out of memory or processes",
         });
}

static void obey(struct deck *d, const struct deck_order *order)
{
    if (order->load == d->order.load) {
        if (d->load && order->flags != d->order.flags)
            load_set_flags(d->load, order->flags);
        d->order.flags = order->flags;
        return;
    }
    load_destroy(d->load);
    d->load = NULL;
    d->order = *order;
    if (order->load != 0) {
        begin(d, order);
        return;
    }
    frame_writer_trim(d->frames);
    tell(d, &(struct deck_state){ .end_ns = NO_TIME });
}

void deck_turn(struct deck *d)
{
    process_beat(d->control, role_of(d), now_mono_ns());
    struct deck_order order;
    if (deck_order_load(&d->control->order[d->p.index], &order))
        obey(d, &order);
    if (!d->load)
        return;
    atomic_store_explicit(&d->control->deck_work[d->p.index], load_decoded(d->load),
                          memory_order_relaxed);
    struct deck_state s;
    load_state(d->load, &s);
    if (memcmp(&s, &d->state, sizeof(s)) == 0)
        return;
    if (s.phase == DECK_READY && d->state.phase != DECK_READY)
        log_debug(d->p.log, "load %llu: ready", (unsigned long long)s.load);
    tell(d, &s);
}

void deck_run(struct deck *d)
{
    struct doorbell *bell = &d->control->deck_bell[d->p.index];
    for (;;) {
        uint32_t seen = doorbell_rings(bell);
        if (atomic_load(&d->is_stopped))
            return;
        deck_turn(d);
        service_alive(d->p.service, now_mono_ns());
        doorbell_wait(bell, seen, now_mono_ns() + TURN_NS);
    }
}

void deck_stop(struct deck *d)
{
    atomic_store(&d->is_stopped, true);
    doorbell_ring(&d->control->deck_bell[d->p.index]);
}
