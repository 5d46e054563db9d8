/* The mark on an address that staff named at this box. Whoever is signed in at the venue's server may write its queue, a
 * guest with an anonymous session too, so an address that comes from there is trusted no more than a guest: only with
 * this mark, which nobody makes who does not know the box's key, may it lead into the house's own network.
 * Thread-safety: seal_open() apart, what does not change is only read. */
#pragma once

#include "base/log.h"
#include "base/sha256.h"
#include "model/track.h"

#define SEAL_SIZE 25 /* of the text, its end included */

struct seal {
    char key[SHA256_TEXT_SIZE];
};

/* Reads the key of this box, or makes one at the very first start. A key that cannot be kept holds for this life.
 * Blocks on disk. `log` may be NULL. */
void seal_open(struct seal *s, const char *state_dir, const struct log *log);
/* The mark for this address. */
void seal_text(const struct seal *s, const char *source, char out[SEAL_SIZE]);
/* Whether the track's address has it. */
bool seal_is_whole(const struct seal *s, const struct track *t);
