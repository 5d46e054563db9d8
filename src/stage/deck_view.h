/* A deck as the stage sees it: its rings and the stage's reader row in them. */
#pragma once

#include "base/log.h"
#include "output/picture.h"
#include "shm/deck_ring.h"

struct deck_view {
    /* Constant after init. */
    struct control *control;
    struct segment segment;
    struct deck_segment *ring;
    uint32_t index; /* which deck */
    uint32_t stage; /* which reader row is ours */

    /* Render thread only. */
    uint64_t need; /* what our row says */
};

/* 0 or -errno. Takes the reader row of the stage, also one that a former life of it left behind. */
WARN_UNUSED int deck_view_init(struct deck_view *v, struct control *control,
                               const char *runtime_dir, uint32_t index, uint32_t stage);
void deck_view_finish(struct deck_view *v);

/* The deck's state, when it is that of `load` and has something to play. Any thread. */
bool deck_view_ready(const struct deck_view *v, uint64_t load, struct deck_state *out);

/* The picture of `load` to be seen at `media_ns`: the newest one due, else the load's first. `after` is
 * the one that follows; after->load is 0 while it is not decoded. false: none is there.
 * Render thread. */
bool deck_view_frame_at(struct deck_view *v, uint64_t load, uint64_t first_frame, int64_t media_ns,
                        struct frame_desc *due, struct frame_desc *after);
struct picture deck_view_picture(const struct deck_view *v, const struct frame_desc *f);
/* We shall not look at pictures below `number` again; wakes the deck when that frees any. */
void deck_view_release(struct deck_view *v, uint64_t number);
