/* Which parts of the arena are in use: extents, taken first-fit so that the memory touched stays small.
 * Thread-safety: any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* 64 published pictures and what a decoder with 16 threads may refer to beside them. */
#define ARENA_EXTENTS 128u

struct frame_arena;

/* `base` is page aligned and stays the caller's. */
struct frame_arena *frame_arena_create(uint8_t *base, size_t size);
void frame_arena_destroy(struct frame_arena *a); /* NULL is fine; nothing may be taken any more */

/* Takes the first free space of `size` bytes; *offset is a multiple of the page size. false: none is
 * free, or too many extents are. */
WARN_UNUSED bool frame_arena_take(struct frame_arena *a, size_t size, size_t *offset);
/* Takes exactly this place (rounded out to pages). false: outside, or part of it is taken. */
WARN_UNUSED bool frame_arena_take_at(struct frame_arena *a, size_t offset, size_t size);
/* Gives back the extent that holds byte `offset`. */
void frame_arena_give(struct frame_arena *a, size_t offset);

uint8_t *frame_arena_base(const struct frame_arena *a);
bool frame_arena_holds(const struct frame_arena *a, const void *p); /* p points into the arena */
size_t frame_arena_used(struct frame_arena *a);                     /* bytes taken */
/* Gives the memory behind free space back to the system. */
void frame_arena_trim(struct frame_arena *a);
