#include "stage/deck_view.h"

#include <unistd.h>

#include "base/compiler.h"

int deck_view_init(struct deck_view *v, struct control *control, const char *runtime_dir,
                   uint32_t index, uint32_t stage)
{
    *v = (struct deck_view){ .control = control, .index = index, .stage = stage };
    int ret = deck_segment_open(&v->segment, runtime_dir, index, &v->ring);
    if (ret < 0)
        return ret;
    struct frame_reader *row = &v->ring->reader[stage];
    v->need = atomic_load(&row->need);
    atomic_store(&row->pid, (uint32_t)getpid());
    return 0;
}

void deck_view_finish(struct deck_view *v)
{
    if (v->ring)
        atomic_store(&v->ring->reader[v->stage].pid, 0);
    segment_close(&v->segment);
    v->ring = NULL;
}

bool deck_view_ready(const struct deck_view *v, uint64_t load, struct deck_state *out)
{
    if (!deck_state_load(&v->control->deck[v->index], out) || out->load != load)
        return false;
    return out->phase == DECK_READY || out->phase == DECK_DONE || out->phase == DECK_FAILED;
}

bool deck_view_frame_at(struct deck_view *v, uint64_t load, uint64_t first_frame, int64_t media_ns,
                        struct frame_desc *due, struct frame_desc *after)
{
    uint64_t head = atomic_load_explicit(&v->ring->frame_head, memory_order_acquire);
    uint64_t number = first_frame > v->need ? first_frame : v->need;
    if (head > FRAME_RING && number < head - FRAME_RING)
        number = head - FRAME_RING;
    bool found = false;
    after->load = 0;
    for (; number < head; number++) {
        struct frame_desc f;
        if (!frame_desc_read(v->ring, number, &f) || f.load != load)
            continue;
        if (found && f.pts_ns > media_ns) {
            *after = f;
            break;
        }
        *due = f;
        found = true;
    }
    return found;
}

struct picture deck_view_picture(const struct deck_view *v, const struct frame_desc *f)
{
    struct picture p = { .desc = *f };
    for (int i = 0; i < FRAME_PLANES; i++) {
        uint32_t row_bytes, rows;
        frame_plane_size(f, i, &row_bytes, &rows);
        p.plane[i] = rows ? v->ring->arena + f->offset[i] : NULL;
    }
    return p;
}

void deck_view_release(struct deck_view *v, uint64_t number)
{
    if (number <= v->need)
        return;
    v->need = number;
    atomic_store_explicit(&v->ring->reader[v->stage].need, number, memory_order_release);
    doorbell_ring(&v->control->deck_bell[v->index]);
}
