/* What a log tells of a time: songs, restarts, what went wrong and how often. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "wire/figures.h"
#include "wire/message.h"

#define SUMMARY_KINDS    64
#define SUMMARY_PROGRAMS 16
#define SUMMARY_PARTS    9
#define SUMMARY_TEXT_MAX 512

/* Lines that differ only in numbers, file names and what stands in quotes. */
struct log_kind {
    enum log_level level;
    uint64_t count;
    char text[160];
};

struct log_restarts {
    uint64_t count;
    char program[32];
};

struct log_summary {
    struct figures_sum figures;
    uint64_t errors, warnings;
    struct log_kind kind[SUMMARY_KINDS]; /* further ones are only counted above */
    size_t kind_count;
    struct log_restarts restart[SUMMARY_PROGRAMS];
    size_t restart_count;
};

/* "songs" and "214 played, 31 of them requests". */
struct summary_part {
    const char *label;
    char text[SUMMARY_TEXT_MAX];
};

/* `from_start`: the log begins with the jukebox. */
void log_summary_init(struct log_summary *s, bool from_start);
/* One entry of the journal, as `journalctl --output=json` has it. */
void log_summary_entry(struct log_summary *s, const struct message *entry);
/* One line that `djamms up` wrote. */
void log_summary_line(struct log_summary *s, const char *line);
/* The jukebox as it is at the end of the time; an answer to `status`. */
void log_summary_status(struct log_summary *s, const struct message *status);

/* For people; what is not known says so. */
void log_summary_parts(const struct log_summary *s, struct summary_part out[SUMMARY_PARTS]);
struct message *log_summary_message(const struct log_summary *s); /* the caller owns it */
