/* Decks without processes: a test writes orders' results straight into shared memory. Sample n of a load
 * is (load + n / 1e6, -that), so that what was mixed can be told from its value. */
#pragma once

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "stage/deck_view.h"

struct fake_house {
    char dir[64];
    struct segment segment;
    struct control *control;
    struct deck_view deck[DECKS];
};

static inline void fake_house_init(struct fake_house *h)
{
    memset(h, 0, sizeof(*h));
    snprintf(h->dir, sizeof(h->dir), "/dev/shm/djamms-test-XXXXXX");
    if (!mkdtemp(h->dir) || control_open(&h->segment, h->dir, &h->control) < 0)
        abort();
    for (uint32_t d = 0; d < DECKS; d++)
        if (deck_view_init(&h->deck[d], h->control, h->dir, d, 0) < 0)
            abort();
}

static inline void fake_house_finish(struct fake_house *h)
{
    static const char *const names[] = { "shm/control", "shm/deck-a", "shm/deck-b", "shm", "" };
    char path[128];
    for (size_t d = 0; d < DECKS; d++)
        deck_view_finish(&h->deck[d]);
    segment_close(&h->segment);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", h->dir, names[i]);
        remove(path);
    }
}

static inline float fake_sample(uint64_t load, uint64_t n)
{
    return (float)load * 0.01f + (float)n * 1e-7f;
}

/* Appends `count` samples of `load`; `first` is its first sample's ring number. */
static inline void fake_deck_samples(struct fake_house *h, uint32_t deck, uint64_t load,
                                     uint64_t first, uint64_t count)
{
    struct deck_segment *ring = h->deck[deck].ring;
    uint64_t head = atomic_load(&ring->sample_head);
    for (uint64_t i = 0; i < count; i++, head++) {
        float v = fake_sample(load, head - first);
        ring->sample[(head & (SAMPLE_RING - 1)) * 2] = v;
        ring->sample[(head & (SAMPLE_RING - 1)) * 2 + 1] = -v;
    }
    atomic_store(&ring->sample_head, head);
}

/* Loads a track on a deck: samples and pictures of it lie in the rings. Returns its state. */
static inline struct deck_state fake_deck_load(struct fake_house *h, uint32_t deck, uint64_t load,
                                               int64_t base_ns, uint64_t samples, int frames,
                                               enum deck_phase phase)
{
    struct deck_segment *ring = h->deck[deck].ring;
    struct deck_state s = {
        .load = load,
        .entry = load * 100,
        .phase = phase,
        .has_audio = 1,
        .has_video = frames > 0,
        .width = 64,
        .height = 36,
        .start_ns = base_ns,
        .end_ns = NO_TIME,
        .first_frame = atomic_load(&ring->frame_head),
        .first_sample = atomic_load(&ring->sample_head),
        .sample_base_ns = base_ns,
    };
    fake_deck_samples(h, deck, load, s.first_sample, samples);
    for (int i = 0; i < frames; i++) {
        uint64_t number = s.first_frame + (uint64_t)i;
        struct frame_desc f = {
            .number = number,
            .load = load,
            .pts_ns = base_ns + i * MS(40),
            .duration_ns = MS(40),
            .stride = { 64, 32, 32 },
            .offset = { 0, 4096, 8192 },
            .width = 64,
            .height = 36,
            .sar_num = 1,
            .sar_den = 1,
            .format = PIXEL_I420,
        };
        frame_desc_store(&ring->frame[number % FRAME_RING], &f);
    }
    atomic_store(&ring->frame_head, s.first_frame + (uint64_t)frames);
    deck_state_store(&h->control->deck[deck], &s);
    return s;
}

static inline struct plan_part fake_part(uint32_t deck, uint64_t load, enum plan_start start)
{
    return (struct plan_part){ .entry = load * 100, .load = load, .deck = deck, .start = start };
}

static inline void fake_plan(struct fake_house *h, struct plan_part now, struct plan_part next,
                             bool is_paused)
{
    struct plan old;
    if (!plan_load(&h->control->plan, &old))
        abort();
    struct plan p = {
        .serial = old.serial + 1, .now = now, .next = next, .is_paused = is_paused, .volume = 100
    };
    plan_store(&h->control->plan, &p);
}
