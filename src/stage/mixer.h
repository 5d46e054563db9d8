/* The sound of the show, and with it its time: follows the brain's plan, takes samples from the decks,
 * and says in the play clock what is heard when.
 *
 * mixer_fill() runs on the sound driver's thread, mixer_follow() and mixer_clock() on the render
 * thread; a short lock is all they share. */
#pragma once

#include "stage/deck_view.h"
#include "stage/device_clock.h"

struct mixer;

/* `decks` are borrowed and outlive the mixer. A former life's clock in shared memory is continued: what
 * it played goes on where it was last heard, as of `last_turn_ns`. */
struct mixer *mixer_create(struct control *control, struct deck_view decks[DECKS], int64_t delay_ns,
                           int64_t last_turn_ns);
void mixer_destroy(struct mixer *m);

/* audio_fill of output/audio.h; ctx is the mixer. */
void mixer_fill(void *ctx, float *out, int count, int64_t heard_ns);
/* Looks at the plan now, so that a cut need not wait for the next block. */
void mixer_follow(struct mixer *m);
void mixer_clock(struct mixer *m, struct play_clock *out);
