/* A deck's rings with a reader, for tests that play files through a load. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavutil/frame.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/now.h"
#include "media/frame_writer.h"
#include "media/load.h"
#include "shm/deck_ring.h"

struct rig {
    char dir[64];
    struct segment segment;
    struct deck_segment *ring;
    struct doorbell bell; /* of deck and stage: whatever happens, the reader looks */
    struct frame_writer *frames;
    struct log log;
    bool deinterlaces;
    struct text_settings text; /* zero: no subtitles */
    bool
        keeps_pace; /* the reader takes samples as fast as it gets them, so hardly a picture is in time */
};

static inline void rig_init(struct rig *r)
{
    *r = (struct rig){ .log = log_open("test"), .deinterlaces = true };
    r->log.level = getenv("DJAMMS_LOG") ? r->log.level : LOG_ERROR;
    snprintf(r->dir, sizeof(r->dir), "/tmp/djamms-test-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    assert_int_equal(deck_segment_open(&r->segment, r->dir, 0, &r->ring), 0);
    atomic_store(&r->ring->reader[0].pid, (uint32_t)getpid());
    r->frames = frame_writer_create(r->ring, &r->bell);
}

static inline void rig_finish(struct rig *r)
{
    char path[128];
    frame_writer_destroy(r->frames);
    segment_close(&r->segment);
    static const char *const names[] = { "shm/deck-a", "shm", "" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", r->dir, names[i]);
        remove(path);
    }
}

enum { FRAMES_KEPT = 512 };

/* What came out of a file. */
struct played {
    struct deck_state state;
    struct deck_state ready; /* the first state that was ready, done or failed */
    uint64_t frames;
    struct frame_desc frame[FRAMES_KEPT];
    double combs;          /* how much neighbouring rows differ in the last picture */
    int code[FRAMES_KEPT]; /* brightness in the middle of the picture, 0..255 */
    uint64_t samples;
    double energy;       /* of all samples */
    uint64_t first_loud; /* number of the first sample that is no silence; UINT64_MAX: none */
    uint64_t last_loud;
    float peak;
};

/* Brightness in the middle of the picture, in 8 bits. */
static inline int middle_of(const struct deck_segment *d, const struct frame_desc *f)
{
    const uint8_t *row = d->arena + f->offset[0] + (size_t)f->height / 2 * f->stride[0];
    uint32_t x = f->width / 2;
    switch (f->format) {
    case PIXEL_I010:
    case PIXEL_I210:
    case PIXEL_I410: return (row[x * 2] | row[x * 2 + 1] << 8) >> 2;
    case PIXEL_BGRA: return row[x * 4 + 1];
    default: return row[x];
    }
}

/* How far each row is from what its neighbours suggest: high where two moments share a picture. */
static inline double combs_of(const struct deck_segment *d, const struct frame_desc *f)
{
    double sum = 0;
    if (f->format != PIXEL_I420 || f->height < 3)
        return 0;
    for (uint32_t y = 1; y + 1 < f->height; y++) {
        const uint8_t *row = d->arena + f->offset[0] + (size_t)y * f->stride[0];
        const uint8_t *above = row - f->stride[0], *below = row + f->stride[0];
        for (uint32_t x = 0; x < f->width; x++)
            sum += abs(2 * row[x] - above[x] - below[x]);
    }
    return sum / f->width / f->height;
}

/* The reader takes what a stage takes: nothing before the load is ready, and pictures as far as the samples
 * reach, which are its clock. */
static inline void take_frames(struct rig *r, struct played *p, uint64_t load, bool *took)
{
    const struct deck_state *s = &p->state;
    if (s->phase < DECK_READY)
        return;
    uint64_t taken = atomic_load(&r->ring->sample_tail) - s->first_sample;
    int64_t now_ns = s->sample_base_ns + (int64_t)taken * NS_PER_S / SAMPLE_RATE;
    bool is_over = s->phase > DECK_READY && !*took; /* no samples are left */
    uint64_t head = atomic_load(&r->ring->frame_head);
    uint64_t at = atomic_load(&r->ring->reader[0].need);
    for (; at < head; at++) {
        struct frame_desc f;
        assert_true(frame_desc_read(r->ring, at, &f));
        assert_true(f.load == load);
        if (!is_over && f.pts_ns > now_ns + MS(20))
            break;
        if (p->frames < FRAMES_KEPT) {
            p->frame[p->frames] = f;
            p->code[p->frames] = middle_of(r->ring, &f);
            p->combs = combs_of(r->ring, &f);
        }
        p->frames++;
        *took = true;
    }
    atomic_store(&r->ring->reader[0].need, at);
}

static inline void take_samples(struct rig *r, struct played *p, bool *took)
{
    uint64_t head = p->state.phase < DECK_READY ? 0 : atomic_load(&r->ring->sample_head);
    uint64_t at = atomic_load(&r->ring->sample_tail);
    for (; at < head; at++) {
        const float *s = &r->ring->sample[at % SAMPLE_RING * 2];
        float loud = s[0] > 0 ? s[0] : -s[0];
        p->energy += (double)s[0] * s[0];
        p->peak = loud > p->peak ? loud : p->peak;
        if (loud > 0.001f) {
            p->first_loud = p->first_loud == UINT64_MAX ? p->samples : p->first_loud;
            p->last_loud = p->samples;
        }
        p->samples++;
        *took = true;
    }
    atomic_store(&r->ring->sample_tail, at);
}

/* Reads what a load writes until it is done or failed. */
static inline void rig_follow(struct rig *r, struct load *l, struct played *p)
{
    *p = (struct played){ .first_loud = UINT64_MAX };
    for (;;) {
        uint32_t seen = doorbell_rings(&r->bell);
        bool took = false;
        load_state(l, &p->state);
        if (p->state.phase >= DECK_READY && p->ready.phase == 0)
            p->ready = p->state;
        take_samples(r, p, &took);
        take_frames(r, p, p->state.load, &took);
        if (took)
            doorbell_ring(&r->bell);
        else if (p->state.phase == DECK_DONE || p->state.phase == DECK_FAILED)
            return;
        else
            doorbell_wait(&r->bell, seen, now_mono_ns() + MS(100));
    }
}

static inline struct load *rig_load(struct rig *r, const char *path, int64_t start_ns,
                                    uint32_t flags)
{
    struct load_params p = {
        .order = { .load = 1, .entry = 2, .start_ns = start_ns, .flags = flags },
        .segment = r->ring,
        .frames = r->frames,
        .deck_bell = &r->bell,
        .stage_bell = &r->bell,
        .threads = 2,
        .deinterlace = r->deinterlaces,
        .keeps_pace = r->keeps_pace,
        .text = r->text,
        .log = &r->log,
    };
    snprintf(p.order.path, sizeof(p.order.path), "%s", path);
    atomic_store(&r->ring->reader[0].need, atomic_load(&r->ring->frame_head));
    atomic_store(&r->ring->sample_tail, atomic_load(&r->ring->sample_head));
    struct load *l = load_create(&p);
    assert_non_null(l);
    return l;
}

/* Plays a file from `start_ns` to its end. */
static inline void rig_play(struct rig *r, const char *path, int64_t start_ns, struct played *p)
{
    struct load *l = rig_load(r, path, start_ns, ORDER_ACTIVE);
    rig_follow(r, l, p);
    load_destroy(l);
}
