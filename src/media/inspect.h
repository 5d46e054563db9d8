/* A look into a media file without playing it: what it says of itself, and whether it is whole.
 * Thread-safety: one thread at a time; gate_stop() ends a look from any thread. Blocks on disk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "media/gate.h"

#define INSPECT_TEXT_MAX  512
#define INSPECT_CODEC_MAX 32
#define INSPECT_WHY_MAX   192

struct inspect_tags {
    char title[INSPECT_TEXT_MAX], artist[INSPECT_TEXT_MAX];              /* clean text; "": none */
    char video_codec[INSPECT_CODEC_MAX], audio_codec[INSPECT_CODEC_MAX]; /* "": no such stream */
    double duration_s;                                                   /* 0: unknown */
};

/* Makes libav refuse to take more memory at once: a header may say anything. Once, at the start of the program. */
void inspect_limit_memory(size_t bytes);

/* Reads the head of `path`, at most 64 MiB of it. false: `why` is one sentence. */
WARN_UNUSED bool inspect_read_tags(const char *path, struct gate *gate, struct inspect_tags *out,
                                   char why[INSPECT_WHY_MAX]);
/* Reads all packets of picture and sound: none is damaged, both reach the end, neither has a hole of 2
 * seconds. `duration_s` is what the file ought to last; 0: what it says itself. false: `why` is one sentence. */
WARN_UNUSED bool inspect_check(const char *path, double duration_s, struct gate *gate,
                               char why[INSPECT_WHY_MAX]);
