/* The versions of yt-dlp that came over the channel, on disk. What is in use says a link, and links change by one rename
 * each: whenever the box loses power, `current` leads to a version that was tried, or there is none and the system's own
 * is used.
 *
 *     DIR/VERSION/yt-dlp    its zip file
 *     DIR/VERSION/sha256    of that file
 *     DIR/VERSION/proven    made when songs were fetched with it
 *     DIR/VERSION/refused   why it is not to be used: a sentence
 *     DIR/current           -> VERSION
 *     DIR/previous          -> VERSION, which was in use before
 *     DIR/checked           what the last look at the channel gave: JSON
 *     DIR/lock              held by whoever changes any of it
 *
 * Everything blocks on disk. What changes something is for the holder of the lock. Errors are -errno. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "source/extractor_offer.h"

#define EXTRACTOR_CURRENT  "current"
#define EXTRACTOR_PREVIOUS "previous"
#define EXTRACTOR_WHY_SIZE 400

/* DIR of a zone; and the zip file in use, which need not be there. The caller frees. */
char *extractor_dir(const char *state_dir);
char *extractor_newest(const char *state_dir);

/* Makes DIR when it is not there. A descriptor, to be closed, or -errno; -EWOULDBLOCK: another program has had it for
 * `wait_ns`. */
WARN_UNUSED int extractor_lock(const char *dir, int64_t wait_ns);

/* The version that a link leads to. false: none is there, or it leads to no file. */
WARN_UNUSED bool extractor_linked(const char *dir, const char *link,
                                  char version[EXTRACTOR_VERSION_SIZE]);
/* Path of its zip file; the caller frees. */
char *extractor_file(const char *dir, const char *version);
/* Whether its file is what came, byte for byte. */
bool extractor_is_whole(const char *dir, const char *version);
bool extractor_is_proven(const char *dir, const char *version);
/* Whether it is not to be used; then `why` is the sentence. */
bool extractor_is_refused(const char *dir, const char *version, char why[EXTRACTOR_WHY_SIZE]);
/* Calls `each` for every version that is refused. */
void extractor_refused(const char *dir, void (*each)(void *ctx, const char *version), void *ctx);

/* Puts a version beside the others. It is not in use yet. */
WARN_UNUSED int extractor_put(const char *dir, const struct extractor_offer *o, const void *data,
                              size_t len);
/* From now on it is in use, and what was so before is the previous one. */
WARN_UNUSED int extractor_use(const char *dir, const char *version);
WARN_UNUSED int extractor_refuse(const char *dir, const char *version, const char *why);
/* It was of use. May be called without the lock; not synced to disk. */
WARN_UNUSED int extractor_prove(const char *dir, const char *version);
/* Refuses the version in use and goes back to the previous one, else to the system's own. -ENOENT: that is in use
 * already. */
WARN_UNUSED int extractor_go_back(const char *dir, const char *why);
/* Drops what nothing leads to; of a refused version newer than the one in use the reason stays. */
void extractor_clean(const char *dir);
