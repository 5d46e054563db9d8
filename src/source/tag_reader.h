/* Asks djamms-probe for the tags of files, one at a time; it is started when it is needed, again when it dies, and
 * ended when it hangs. It dies with the thread that asks. Thread-safety: one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/log.h"

struct tag_reader;

struct file_tags {
    char title[512], artist[512]; /* "": none */
    double duration_s;            /* 0: unknown */
};

enum tag_answer {
    TAGS_PENDING,
    TAGS_READ,
    TAGS_NONE, /* the file cannot be read, or the helper died of it */
};

/* `program` is copied. The caller destroys it. */
struct tag_reader *tag_reader_create(const char *program, const struct log *log);
void tag_reader_destroy(struct tag_reader *r); /* ends the helper; NULL is fine */

/* Asks about `path` until `deadline_ns` (CLOCK_MONOTONIC). 0, or -errno: there is no helper, nothing is asked. */
WARN_UNUSED int tag_reader_ask(struct tag_reader *r, const char *path, int64_t deadline_ns);
int tag_reader_fd(
    const struct tag_reader *r); /* readable: there may be an answer; -1: nothing is asked */
/* After that, or when the deadline is over. Does not wait. */
enum tag_answer tag_reader_take(struct tag_reader *r, int64_t now_ns, struct file_tags *out);
