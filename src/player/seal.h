/* The mark on a file or an address that staff named at this box. Whoever is signed in at the venue's server may write its
 * queue, a guest with an anonymous session too, so what comes from there is trusted no more than a guest: only with this
 * mark, which nobody makes who does not know the box's key, is any file of the box opened, and may an address lead into
 * the house's own network.
 * Thread-safety: seal_open() apart, what does not change is only read. */
#pragma once

#include "base/log.h"
#include "base/sha256.h"
#include "model/queue.h"

#define SEAL_SIZE 25 /* of the text, its end included */

struct seal {
    char key[SHA256_TEXT_SIZE];
    char *before; /* marks of files that were queued before files had any, one a line; NULL: none */
};

/* Reads the key of this box, or makes one at the very first start. A key that cannot be kept holds for this life.
 * Blocks on disk. `log` may be NULL. */
void seal_open(struct seal *s, const char *state_dir, const struct log *log);
/* The first time at this box the files of `q` count as marked from then on: they were queued before files were
 * marked. Later `q` says nothing. Once, after seal_open(). Blocks on disk. `log` may be NULL. */
void seal_keep_files(struct seal *s, const char *state_dir, const struct queue *q,
                     const struct log *log);
void seal_close(struct seal *s);
/* The mark for this file or address. */
void seal_text(const struct seal *s, const char *source, char out[SEAL_SIZE]);
/* Whether the track's file or address has it. */
bool seal_is_whole(const struct seal *s, const struct track *t);
