/* Which picture an output is to show now and next, from the play clock and the decks' rings. */
#pragma once

#include "stage/screen.h"

/* A wish, with the pictures it names. */
struct pick {
    struct screen_wish wish;      /* overlay versions are left 0 */
    struct frame_desc due, after; /* load 0: none */
    uint32_t due_deck, after_deck;
    int64_t due_ns;  /* when `due` became due; NO_TIME: no matter, or time stands still */
    bool is_playing; /* something plays; false: nothing is to be seen of any track */
    bool is_hungry;  /* time moves and the next picture is not decoded yet */
};

/* What is to be seen at `now_ns` (CLOCK_MONOTONIC). Render thread. */
struct pick pick_pictures(struct deck_view decks[DECKS], const struct play_clock *clock,
                          int64_t now_ns);

/* The time whose text lies over `due` where no picture follows yet and `media_ns` is heard: that time itself over one that
 * stands, the picture's own over one that is late, for its followers come and would take back what was shown too early.
 * Pure. */
int64_t pick_text_ns(const struct pick *p, int64_t media_ns);

/* When the clock's span `i` reaches `media_ns`. Pure. */
int64_t play_clock_when(const struct play_clock *c, uint32_t i, int64_t media_ns);
