/* Circuit breaker: stops asking what is known to be out of order, and finds out when it works again. Pure: times are
 * given. A closed one lets everything through; an open one lets one probe through when its time has come. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/failure.h"

enum breaker_kind {
    /* yt-dlp and its helpers. Opens when three different songs within 30 min failed by its fault; a probe every
     * 10 min. Also when three different songs in a row are "removed": the same words stand for a block. */
    BREAKER_TOOL,
    /* The way to the internet. Opens when two different sites, or three attempts in a row, got no answer within
     * 5 min; a probe every minute. */
    BREAKER_NET,
    /* One site. Opens at once when it blocks us (30 min, doubled up to 6 h) or says that it is asked too often
     * (15 min, doubled up to 2 h, and never less than the site said), and when it had trouble of its own three
     * times in a row (10 min). */
    BREAKER_SOURCE,
};

#define BREAKER_RECENT_MAX 3

struct breaker {
    enum breaker_kind kind;
    bool is_open;
    bool is_probing;     /* while open: something was begun that has not ended */
    enum failure reason; /* while open: of the latest probe */
    int64_t opened_ns;   /* kept over probes that failed */
    int64_t next_ns;     /* while open: when the next probe may go */
    unsigned blocks;     /* since the last success: what the wait doubles with */
    unsigned in_a_row;   /* attempts that failed without a success between, the latest at last_ns */
    int64_t last_ns;
    unsigned removed_count;
    uint64_t removed[BREAKER_RECENT_MAX]; /* different songs in a row that are gone */
    unsigned recent_count;
    struct { /* different songs, or sites, that failed; oldest first */
        uint64_t what;
        int64_t at_ns;
    } recent[BREAKER_RECENT_MAX];
};

struct breaker_failure {
    enum failure failure;
    uint64_t item;          /* hash of the song's key */
    uint64_t source;        /* hash of the site */
    int64_t retry_after_ns; /* the site's wish; 0: none */
};

void breaker_init(struct breaker *b, enum breaker_kind kind);
/* Whether something may be tried. */
bool breaker_allows(const struct breaker *b, int64_t now_ns);
/* Something that it allowed was begun: while it is open no second probe goes beside it, and only the probe's end
 * counts, not that of attempts that were under way when it opened. */
void breaker_begin(struct breaker *b, int64_t now_ns);
/* How it ended. A failure that is not of the breaker's kind (a private video, for a site) is proof that it works.
 * Both return whether this opened or closed it: the owner is told, the updater started. */
bool breaker_failed(struct breaker *b, const struct breaker_failure *f, int64_t now_ns);
bool breaker_succeeded(struct breaker *b);
