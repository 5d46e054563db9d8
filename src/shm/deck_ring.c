#include "shm/deck_ring.h"

#include <errno.h>
#include <signal.h>

int deck_segment_open(struct segment *s, const char *runtime_dir, uint32_t deck,
                      struct deck_segment **out)
{
    int ret = segment_open(s, runtime_dir, deck == 0 ? "deck-a" : "deck-b",
                           sizeof(struct deck_segment), DECK_MAGIC, DECK_VERSION);
    *out = ret < 0 ? NULL : s->base;
    return ret;
}

/* Bytes per sample and subsampling shifts of the chroma planes. */
static const struct {
    uint8_t planes, bytes, shift_x, shift_y;
} layouts[PIXEL_FORMATS] = {
    [PIXEL_I420] = { 3, 1, 1, 1 }, [PIXEL_I422] = { 3, 1, 1, 0 }, [PIXEL_I444] = { 3, 1, 0, 0 },
    [PIXEL_I010] = { 3, 2, 1, 1 }, [PIXEL_I210] = { 3, 2, 1, 0 }, [PIXEL_I410] = { 3, 2, 0, 0 },
    [PIXEL_NV12] = { 2, 1, 1, 1 }, [PIXEL_GRAY] = { 1, 1, 0, 0 }, [PIXEL_BGRA] = { 1, 4, 0, 0 },
};

void frame_plane_size(const struct frame_desc *f, int plane, uint32_t *row_bytes, uint32_t *rows)
{
    *row_bytes = *rows = 0;
    if (f->format >= PIXEL_FORMATS || plane >= layouts[f->format].planes)
        return;
    uint32_t w = f->width, h = f->height;
    if (plane > 0) {
        w = (w + (1u << layouts[f->format].shift_x) - 1) >> layouts[f->format].shift_x;
        h = (h + (1u << layouts[f->format].shift_y) - 1) >> layouts[f->format].shift_y;
    }
    *row_bytes = w * layouts[f->format].bytes * (f->format == PIXEL_NV12 && plane == 1 ? 2 : 1);
    *rows = h;
}

static bool desc_is_sane(const struct frame_desc *f)
{
    if (f->format == PIXEL_NONE || f->format >= PIXEL_FORMATS || f->width == 0 || f->height == 0 ||
        f->width > 16384 || f->height > 16384 || f->sar_num == 0 || f->sar_den == 0 ||
        f->duration_ns <= 0 || f->rotation % 90 != 0 || f->rotation > 270)
        return false;
    for (int i = 0; i < FRAME_PLANES; i++) {
        uint32_t row_bytes, rows;
        frame_plane_size(f, i, &row_bytes, &rows);
        if (rows == 0)
            continue;
        if (f->stride[i] < row_bytes || f->offset[i] > ARENA_BYTES ||
            (uint64_t)f->stride[i] * rows > ARENA_BYTES - f->offset[i])
            return false;
    }
    return true;
}

bool frame_desc_read(struct deck_segment *d, uint64_t number, struct frame_desc *out)
{
    if (number >= atomic_load_explicit(&d->frame_head, memory_order_acquire))
        return false;
    return frame_desc_load(&d->frame[number % FRAME_RING], out) && out->number == number &&
           out->load != 0 && desc_is_sane(out);
}

bool frame_readers_need(const struct deck_segment *d, uint64_t *lowest)
{
    bool any = false;
    *lowest = UINT64_MAX;
    for (size_t i = 0; i < STAGES_MAX; i++) {
        uint32_t pid = atomic_load_explicit(&d->reader[i].pid, memory_order_acquire);
        if (pid == 0 || pid > INT32_MAX || (kill((pid_t)pid, 0) < 0 && errno == ESRCH))
            continue;
        uint64_t need = atomic_load_explicit(&d->reader[i].need, memory_order_acquire);
        *lowest = need < *lowest ? need : *lowest;
        any = true;
    }
    return any;
}

static bool cue_is_sane(const struct text_cue *c)
{
    if (c->load == 0 || c->from_ns >= c->until_ns || c->width == 0 || c->height == 0 ||
        c->width > TEXT_SIDE_MAX || c->height > TEXT_SIDE_MAX || c->box_count == 0 ||
        c->box_count > TEXT_BOXES)
        return false;
    for (uint32_t i = 0; i < c->box_count; i++) {
        const struct text_box *b = &c->box[i];
        if (b->w == 0 || b->h == 0 || b->x >= c->width || b->w > c->width - b->x ||
            b->y >= c->height || b->h > c->height - b->y || b->offset > TEXT_CUE_BYTES ||
            (uint64_t)b->w * b->h * 4 > TEXT_CUE_BYTES - b->offset)
            return false;
    }
    return true;
}

bool text_cue_read(struct deck_segment *d, uint64_t number, struct text_cue *out)
{
    if (number >= atomic_load_explicit(&d->text_head, memory_order_acquire))
        return false;
    return text_cue_load(&d->text[number % TEXT_RING], out) && out->number == number &&
           cue_is_sane(out);
}

bool text_cue_at(struct deck_segment *d, uint64_t load, int64_t media_ns, struct text_cue *out,
                 int64_t *next_ns)
{
    uint64_t head = atomic_load_explicit(&d->text_head, memory_order_acquire);
    bool found = false;
    *next_ns = INT64_MAX;
    for (uint64_t n = head > TEXT_RING ? head - TEXT_RING : 0; n < head; n++) {
        struct text_cue cue;
        if (!text_cue_read(d, n, &cue) || cue.load != load || cue.until_ns <= media_ns)
            continue;
        if (cue.from_ns > media_ns) {
            *next_ns = cue.from_ns < *next_ns ? cue.from_ns : *next_ns;
            continue;
        }
        *out = cue; /* the newest that fits: after a change of mind the old ones still lie there */
        found = true;
    }
    if (found && out->until_ns < *next_ns)
        *next_ns = out->until_ns;
    return found;
}
