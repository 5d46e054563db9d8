/* Few boxes around many small ones: what of a canvas has to be painted. Pure. */
#pragma once

#include "shm/deck_ring.h"

/* Adds `b` to `count` boxes, of which no two are closer than `gap` pixels; boxes that come too near are made one, and
 * when there are more than TEXT_BOXES the two that waste least are. Returns the new count. */
uint32_t text_boxes_add(struct text_box box[TEXT_BOXES], uint32_t count, struct text_box b,
                        uint32_t gap);
/* Gives each its place in a cue's pixels. false: they do not fit. */
bool text_boxes_place(struct text_box box[TEXT_BOXES], uint32_t count);
