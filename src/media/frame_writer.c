#include "media/frame_writer.h"

#include <assert.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "media/frame_arena.h"

enum { AHEAD_IDLE = 3, AHEAD_MIN = 8, AHEAD_MAX = 24, PLANE_ALIGN = 64 };
#define AHEAD_NS MS(250)
/* Readers ring; this bounds the wait when one dies instead. */
#define RECHECK_NS MS(250)

struct frame_writer {
    /* Constant after create. */
    struct deck_segment *segment;
    struct doorbell *stage_bell;
    struct frame_arena *arena;

    /* Changed by begin and end only, when no other call is under way. */
    struct gate *gate;
    uint64_t load;
    uint64_t first; /* number of the load's first picture */

    /* Publishing thread only. */
    int64_t frame_ns; /* of the last picture */

    pthread_mutex_t lock;
    /* Protected by lock: the buffers of published pictures, by number modulo FRAME_RING. */
    AVBufferRef *held[FRAME_RING];
    uint64_t held_from; /* none below is held */
};

uint64_t frame_writer_ahead(bool is_active, int64_t frame_ns)
{
    if (!is_active)
        return AHEAD_IDLE;
    return (uint64_t)clamp_i64(AHEAD_NS / max_i64(frame_ns, 1), AHEAD_MIN, AHEAD_MAX);
}

static uint64_t head_of(const struct frame_writer *w)
{
    return atomic_load_explicit(&w->segment->frame_head, memory_order_relaxed);
}

static void give_extent(void *arena, uint8_t *data)
{
    frame_arena_give(arena, (size_t)(data - frame_arena_base(arena)));
}

/* The part of the arena that a picture's visible rows lie in. */
static bool desc_range(const struct frame_desc *d, size_t *offset, size_t *size)
{
    size_t from = SIZE_MAX, end = 0;
    for (int i = 0; i < FRAME_PLANES; i++) {
        uint32_t row_bytes, rows;
        frame_plane_size(d, i, &row_bytes, &rows);
        if (rows == 0)
            continue;
        size_t plane_end = d->offset[i] + (size_t)d->stride[i] * rows;
        from = d->offset[i] < from ? d->offset[i] : from;
        end = plane_end > end ? plane_end : end;
    }
    *offset = from;
    *size = end > from ? end - from : 0;
    return end > from;
}

/* Newest first: where two descriptors name the same memory, the older is stale or the same picture. */
static void recover(struct frame_writer *w)
{
    uint64_t head = head_of(w);
    uint64_t oldest = head > FRAME_RING ? head - FRAME_RING : 0;
    uint64_t lowest;
    if (frame_readers_need(w->segment, &lowest) && lowest > oldest)
        oldest = lowest < head ? lowest : head;
    for (uint64_t n = head; n > oldest; n--) {
        struct frame_desc d;
        size_t offset, size;
        if (!frame_desc_read(w->segment, n - 1, &d) || !desc_range(&d, &offset, &size) ||
            !frame_arena_take_at(w->arena, offset, size))
            continue;
        w->held[(n - 1) % FRAME_RING] =
            av_buffer_create(frame_arena_base(w->arena) + offset, size, give_extent, w->arena, 0);
        if (!w->held[(n - 1) % FRAME_RING])
            frame_arena_give(w->arena, offset);
    }
    w->held_from = oldest;
}

struct frame_writer *frame_writer_create(struct deck_segment *segment, struct doorbell *stage_bell)
{
    struct frame_writer *w = xcalloc(1, sizeof(*w));
    w->segment = segment;
    w->stage_bell = stage_bell;
    w->arena = frame_arena_create(segment->arena, ARENA_BYTES);
    w->first = head_of(w);
    pthread_mutex_init(&w->lock, NULL);
    recover(w);
    return w;
}

/* Drops the buffers of pictures below `number`. */
static void release_below(struct frame_writer *w, uint64_t number)
{
    AVBufferRef *gone[FRAME_RING];
    size_t count = 0;
    pthread_mutex_lock(&w->lock);
    for (; w->held_from < number; w->held_from++) {
        AVBufferRef **slot = &w->held[w->held_from % FRAME_RING];
        if (*slot) {
            gone[count++] = *slot;
            *slot = NULL;
        }
    }
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < count; i++)
        av_buffer_unref(&gone[i]);
}

void frame_writer_destroy(struct frame_writer *w)
{
    if (!w)
        return;
    release_below(w, head_of(w));
    pthread_mutex_destroy(&w->lock);
    frame_arena_destroy(w->arena);
    free(w);
}

/* Drops what no reader needs. Returns the lowest number a live reader may touch, else `first`: with no
 * reader alive the load's own pictures wait for one, those of earlier loads are not wanted any more. */
static uint64_t release_passed(struct frame_writer *w)
{
    uint64_t head = head_of(w), lowest;
    if (!frame_readers_need(w->segment, &lowest))
        lowest = w->first;
    if (lowest > head) /* nonsense in the reader's row */
        lowest = head;
    release_below(w, lowest);
    return lowest;
}

uint64_t frame_writer_begin(struct frame_writer *w, uint64_t load, struct gate *gate)
{
    w->gate = gate;
    w->load = load;
    w->first = head_of(w);
    w->frame_ns = MS(40);
    release_passed(w);
    return w->first;
}

void frame_writer_end(struct frame_writer *w)
{
    w->gate = NULL;
}

/* Widens until every plane's rows are aligned, so that chroma rows start right in every format. */
static int fill_linesizes(AVFrame *f, int width, const int align[])
{
    for (int w = width;; w += w & -w) {
        int ret = av_image_fill_linesizes(f->linesize, f->format, w);
        if (ret < 0)
            return ret;
        bool is_aligned = true;
        for (int i = 0; i < 4; i++)
            is_aligned = is_aligned && f->linesize[i] % (align && align[i] > 0 ? align[i] : 1) == 0;
        if (is_aligned)
            return 0;
    }
}

static int take_space(struct frame_writer *w, size_t size, size_t *offset)
{
    for (;;) {
        uint32_t seen = doorbell_rings(w->gate->bell);
        uint64_t lowest = release_passed(w);
        if (frame_arena_take(w->arena, size, offset))
            return 0;
        if (gate_is_stopped(w->gate))
            return AVERROR_EXIT;
        if (lowest >= head_of(w) || size > ARENA_BYTES) /* no reader can make room */
            return AVERROR(ENOMEM);
        gate_wait(w->gate, seen, RECHECK_NS);
    }
}

int frame_writer_buffer(struct frame_writer *w, AVFrame *f, int width, int height,
                        const int align[AV_NUM_DATA_POINTERS])
{
    int ret = fill_linesizes(f, width, align);
    if (ret < 0)
        return ret;
    ptrdiff_t rows[4];
    size_t sizes[4], total = 0, place[4];
    for (int i = 0; i < 4; i++)
        rows[i] = f->linesize[i];
    ret = av_image_fill_plane_sizes(sizes, f->format, height, rows);
    if (ret < 0)
        return ret;
    for (int i = 0; i < 4; i++) {
        place[i] = total;
        if (sizes[i] > ARENA_BYTES / 4)
            return AVERROR(EINVAL);
        if (sizes[i]) /* decoders read and write a little past the end */
            total = (total + sizes[i] + 2 * PLANE_ALIGN - 1) / PLANE_ALIGN * PLANE_ALIGN;
    }
    size_t offset;
    ret = take_space(w, total, &offset);
    if (ret < 0)
        return ret;
    uint8_t *base = frame_arena_base(w->arena) + offset;
    f->buf[0] = av_buffer_create(base, total, give_extent, w->arena, 0);
    if (!f->buf[0]) {
        frame_arena_give(w->arena, offset);
        return AVERROR(ENOMEM);
    }
    for (int i = 0; i < 4; i++)
        f->data[i] = sizes[i] ? base + place[i] : NULL;
    f->extended_data = f->data;
    return 0;
}

bool frame_writer_owns(const struct frame_writer *w, const AVFrame *f)
{
    return f->buf[0] && !f->buf[1] && frame_arena_holds(w->arena, f->data[0]);
}

bool frame_writer_wait(struct frame_writer *w)
{
    for (;;) {
        uint32_t seen = doorbell_rings(w->gate->bell);
        if (gate_is_stopped(w->gate))
            return false;
        uint64_t head = head_of(w), lowest = release_passed(w);
        uint64_t from = lowest > w->first ? lowest : w->first;
        if (head - from < frame_writer_ahead(gate_has(w->gate, ORDER_ACTIVE), w->frame_ns) &&
            head - lowest < FRAME_RING)
            return true;
        gate_wait(w->gate, seen, RECHECK_NS);
    }
}

void frame_writer_publish(struct frame_writer *w, const struct frame_desc *d, const AVFrame *f)
{
    assert(frame_writer_owns(w, f));
    uint64_t head = head_of(w);
    struct frame_desc desc = *d;
    desc.number = head;
    desc.load = w->load;
    for (int i = 0; i < FRAME_PLANES; i++) {
        uint32_t row_bytes, rows;
        frame_plane_size(&desc, i, &row_bytes, &rows);
        desc.offset[i] = rows ? (uint64_t)(f->data[i] - frame_arena_base(w->arena)) : 0;
        desc.stride[i] = rows ? (uint32_t)f->linesize[i] : 0;
    }
    AVBufferRef *ref = av_buffer_ref(f->buf[0]);
    if (!ref) /* without a hold the picture would be overwritten while it is shown */
        return;
    w->frame_ns = d->duration_ns;
    release_below(w, head >= FRAME_RING ? head - FRAME_RING + 1 : 0);
    pthread_mutex_lock(&w->lock);
    w->held[head % FRAME_RING] = ref;
    pthread_mutex_unlock(&w->lock);
    frame_desc_store(&w->segment->frame[head % FRAME_RING], &desc);
    atomic_store_explicit(&w->segment->frame_head, head + 1, memory_order_release);
    uint64_t lowest;
    if (!frame_readers_need(w->segment, &lowest) || lowest + 1 >= head || head == w->first)
        doorbell_ring(w->stage_bell);
}

void frame_writer_trim(struct frame_writer *w)
{
    release_passed(w);
    frame_arena_trim(w->arena);
}
