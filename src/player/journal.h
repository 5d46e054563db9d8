/* What the brain keeps on disk: `journal.json` (queue, what plays, volume, pause) and the small `position.json`, written
 * often; each with its twin (base/twin_file.h). Texts and reading; saver.h writes them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "model/queue.h"

#define JOURNAL_FILE    "journal.json"
#define POSITION_FILE   "position.json"
#define JOURNAL_VERSION 1
#define JOURNAL_MAX     ((size_t)32 * 1024 * 1024) /* bytes; two full lists in UTF-8 are below */

struct journal_state {
    struct queue queue;
    uint32_t volume;
    bool is_paused, is_muted, shows_text;
    bool is_new;        /* nothing was saved before: the very first start */
    uint64_t left_load; /* deck load that played before `queue.now` was started: a plan that still
                               plays it is older than this journal. 0: none */
    uint64_t queue_revision; /* of `queue`, below 2^53 */
    uint64_t arguments; /* hash of the FILE arguments that are in this queue already; 0: none */
    /* What agrees with the backend: sync_journal() in one line, owned; NULL: there was none. */
    char *sync;
    bool is_joined; /* `queue` came from there */
};

struct journal_position {
    uint64_t entry; /* key; 0: nothing saved */
    int64_t position_ns;
    int64_t started_wall_ms;
    int64_t played_ns;
};

void journal_state_init(struct journal_state *s);
void journal_state_finish(struct journal_state *s);

/* One line of JSON, and a second one when there is `sync`. The caller frees. */
char *journal_text(const struct journal_state *s);
char *journal_position_text(const struct journal_position *p);

/* Initialises *s and fills it. 0, or -EINVAL with a sentence in `why`: *s is then as new. */
WARN_UNUSED int journal_parse(struct journal_state *s, const char *text, size_t len, char *why,
                              size_t why_size);
/* Zero when the text is damaged. */
void journal_position_parse(struct journal_position *p, const char *text, size_t len);

/* Reads both of `dir`; never fails: a journal that cannot be used is renamed to journal.json.damaged (its twin likewise),
 * said in the log, and *s is as new. Blocks on disk. */
void journal_load(const char *dir, const struct log *log, struct journal_state *s,
                  struct journal_position *p);
