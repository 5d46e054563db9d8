/* Why a song could not be had: which class of failure it is, whose fault, and what follows. Pure.
 * Classes are told apart by exception and HTTP status first and by words last: yt-dlp's exit status and most of
 * its exceptions say only that something went wrong. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message;

enum failure {
    FAILURE_UNKNOWN,       /* words nobody has seen yet */
    FAILURE_BAD_INPUT,     /* no address at all */
    FAILURE_REFUSED,       /* a private address for a guest, a protocol we do not use */
    FAILURE_UNSUPPORTED,   /* a page without video */
    FAILURE_REMOVED,       /* also HTTP 404 and 410 */
    FAILURE_PRIVATE,       /* only for its owner or the members of a channel */
    FAILURE_AGE,           /* asks for a login to confirm the age */
    FAILURE_GEO,           /* not in this country */
    FAILURE_DRM,           /* protected */
    FAILURE_PAID,          /* for rent, or for subscribers */
    FAILURE_LIVE,          /* is live now, or announced */
    FAILURE_POLICY,        /* too long, too large, a list: rules of the house */
    FAILURE_NO_FORMAT,     /* nothing this box is to play */
    FAILURE_SOLVER,        /* the challenge of YouTube's player was not solved */
    FAILURE_SABR_ONLY,     /* YouTube gave no plain addresses */
    FAILURE_EXTRACTOR_BUG, /* the site has changed; yt-dlp has to learn it */
    FAILURE_BOT_CHECK,     /* the site takes this house's address for a robot's */
    FAILURE_RATE,          /* too many requests, HTTP 429 and 402 */
    FAILURE_URL_403,       /* HTTP 403 for the media: a fresh address often cures it */
    FAILURE_PAGE_403,      /* HTTP 403 for the page */
    FAILURE_SERVER,        /* HTTP 5xx */
    FAILURE_DNS,           /* a name leads nowhere: most likely no internet */
    FAILURE_CONNECT,       /* refused, unreachable, reset */
    FAILURE_TIMEOUT,       /* no answer in time; also our own deadline */
    FAILURE_TLS,           /* a certificate is wrong: a wrong clock, or a captive portal */
    FAILURE_PORTAL,        /* a web page came in place of the media */
    FAILURE_TRUNCATED,     /* ended early, or what came is damaged */
    FAILURE_PARTIAL,       /* what an earlier attempt left does not fit; it was deleted */
    FAILURE_MERGE,         /* picture and sound could not be put into one file */
    FAILURE_DISK,          /* full, read-only, broken */
    FAILURE_CHECK,         /* nothing looked at what came: no verdict on it */
    FAILURE_TOOL,          /* the worker does not start or died */
    FAILURE_CANCELLED,     /* we did not want it any more */
    FAILURE_COUNT,
};

/* What has failed: what else will fail with it. */
enum failure_scope {
    FAILURE_OF_ITEM,
    FAILURE_OF_SOURCE, /* this site */
    FAILURE_OF_TOOL,   /* yt-dlp and its helpers, for every site */
    FAILURE_OF_NET,    /* the way to the internet */
    FAILURE_OF_BOX,    /* this machine */
};

enum failure_kind {
    FAILURE_PERMANENT, /* skip it, say why, remember it for remember_s */
    FAILURE_TRANSIENT, /* try again after failure_retry_ms() */
    FAILURE_OPERATOR,  /* trying again helps only when somebody has done something */
    FAILURE_NO_FAULT,
};

struct failure_traits {
    const char *name; /* as in JSON and logs: "bot-check" */
    enum failure_scope scope;
    enum failure_kind kind;
    int64_t
        remember_s; /* how long it is not tried again after the last attempt; 0: not remembered */
    int64_t recheck_s; /* it is tried once more after this time all the same; 0: it is not */
    const char *staff; /* a sentence: what is the matter and what helps */
    const char *guest; /* a short sentence */
};

const struct failure_traits *failure_traits(enum failure f);
/* By the name in the traits. False: no such class; *out is FAILURE_UNKNOWN. */
bool failure_from_name(const char *name, enum failure *out);

/* What is known of a failure. Texts may be NULL. Zero: nothing known. */
struct failure_report {
    const char *exception; /* the class that says most */
    const char *chain;     /* all classes, separated by blanks */
    const char *message;
    const char *warnings; /* one a line */
    int status;           /* of HTTP; 0: none */
    int os_error;         /* errno; 0: none */
    bool is_media;        /* while the media was fetched; else its page */
    bool is_bug;          /* yt-dlp itself did not expect it */
    int64_t retry_after_ms;
};

/* Reads an "error" line of djamms-fetch. The texts live as long as `error`, but for `chain` and `warnings`,
 * which are written into the buffers given (cut when too long). */
void failure_report_read(const struct message *error, struct failure_report *out, char *chain,
                         size_t chain_size, char *warnings, size_t warnings_size);

enum failure failure_classify(const struct failure_report *r);

/* The wait before attempt number `attempt` (1 is the first retry), shortened by a random part of up to a fifth;
 * `random` is any 32 random bits. -1: no further attempt. */
int64_t failure_retry_ms(enum failure f, unsigned attempt, uint32_t random);
/* What it counts as when the last attempt failed, too: a page that always answers 403 is gone, or, at YouTube,
 * a block of this house's address. */
enum failure failure_settled(enum failure f, bool is_youtube);
