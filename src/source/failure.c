#include "source/failure.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "wire/message.h"

#define HOUR_S ((int64_t)3600)
#define DAY_S  (24 * HOUR_S)

static const struct failure_traits traits[FAILURE_COUNT] = {
    [FAILURE_UNKNOWN] = { "unknown", FAILURE_OF_ITEM, FAILURE_TRANSIENT, HOUR_S, 0,
                          "The song could not be fetched, for a reason the jukebox does not know; "
                          "the log has its words.",
                          "This song could not be fetched." },
    [FAILURE_BAD_INPUT] = { "bad-input", FAILURE_OF_ITEM, FAILURE_PERMANENT, 0, 0,
                            "That is no address of a video.", "That is no address of a video." },
    [FAILURE_REFUSED] = { "refused", FAILURE_OF_ITEM, FAILURE_PERMANENT, 0, 0,
                          "The address leads to a place that is not allowed, such as this house's "
                          "own network.",
                          "This address is not allowed." },
    [FAILURE_UNSUPPORTED] = { "unsupported", FAILURE_OF_ITEM, FAILURE_PERMANENT, 7 * DAY_S, 0,
                              "No video was found at this address.", "No video was found there." },
    [FAILURE_REMOVED] = { "removed", FAILURE_OF_ITEM, FAILURE_PERMANENT, 7 * DAY_S, HOUR_S,
                          "The video is gone: it was removed, or its address is wrong.",
                          "This video is gone." },
    [FAILURE_PRIVATE] = { "private", FAILURE_OF_ITEM, FAILURE_PERMANENT, 7 * DAY_S, 0,
                          "The video is private, or only for members of its channel.",
                          "This video is private." },
    [FAILURE_AGE] = { "age", FAILURE_OF_ITEM, FAILURE_PERMANENT, 30 * DAY_S, 0,
                      "The site shows this video only to those who signed in and are of age.",
                      "This video is only for adults who are signed in." },
    [FAILURE_GEO] = { "geo", FAILURE_OF_ITEM, FAILURE_PERMANENT, 30 * DAY_S, 0,
                      "The video is not available in this country.",
                      "This video is not available in this country." },
    [FAILURE_DRM] = { "drm", FAILURE_OF_ITEM, FAILURE_PERMANENT, 7 * DAY_S, 0,
                      "The video is copy-protected.", "This video is copy-protected." },
    [FAILURE_PAID] = { "paid", FAILURE_OF_ITEM, FAILURE_PERMANENT, 30 * DAY_S, 0,
                       "The video has to be paid for, or is for subscribers only.",
                       "This video has to be paid for." },
    [FAILURE_LIVE] = { "live", FAILURE_OF_ITEM, FAILURE_PERMANENT, HOUR_S / 6, 0,
                       "It is a live stream, or has not begun yet; live streams are not allowed.",
                       "Live streams are not played here." },
    [FAILURE_POLICY] = { "policy", FAILURE_OF_ITEM, FAILURE_PERMANENT, 0, 0,
                         "It is longer or larger than the settings allow, or a list of videos.",
                         "This video is too long or is a list." },
    [FAILURE_NO_FORMAT] = { "no-format", FAILURE_OF_ITEM, FAILURE_PERMANENT, DAY_S, 0,
                            "The video comes in no format that this box plays.",
                            "This video cannot be played here." },
    [FAILURE_SOLVER] = { "solver", FAILURE_OF_TOOL, FAILURE_TRANSIENT, 0, 0,
                         "YouTube's challenge was not solved: a JavaScript runtime or its solver "
                         "is missing or too old. "
                         "`djamms doctor` says which.",
                         "YouTube is out of order at the moment." },
    [FAILURE_SABR_ONLY] = { "sabr-only", FAILURE_OF_TOOL, FAILURE_TRANSIENT, HOUR_S, 0,
                            "YouTube gave no address from which this video can be fetched; an "
                            "update of yt-dlp may help.",
                            "YouTube is out of order at the moment." },
    [FAILURE_EXTRACTOR_BUG] = { "extractor-bug", FAILURE_OF_TOOL, FAILURE_TRANSIENT, 0, 0,
                                "yt-dlp does not understand the site any more; an update is "
                                "needed.",
                                "This site is out of order at the moment." },
    [FAILURE_BOT_CHECK] = { "bot-check", FAILURE_OF_SOURCE, FAILURE_TRANSIENT, 0, 0,
                            "The site takes this house's internet address for a robot's. It clears "
                            "by itself after "
                            "hours or days; asking more often makes it worse.",
                            "This site is out of order at the moment." },
    [FAILURE_RATE] = { "rate", FAILURE_OF_SOURCE, FAILURE_TRANSIENT, 0, 0,
                       "The site says that it was asked too often; the jukebox waits.",
                       "This site is busy; the song comes later." },
    [FAILURE_URL_403] = { "url-403", FAILURE_OF_ITEM, FAILURE_TRANSIENT, HOUR_S, 0,
                          "The site refused to hand out the video (403), again and again.",
                          "This song could not be fetched." },
    [FAILURE_PAGE_403] = { "page-403", FAILURE_OF_SOURCE, FAILURE_TRANSIENT, HOUR_S, 0,
                           "The site refused the page of the video (403).",
                           "This song could not be fetched." },
    [FAILURE_SERVER] = { "server", FAILURE_OF_SOURCE, FAILURE_TRANSIENT, 0, 0,
                         "The site has trouble of its own (5xx); the jukebox tries again.",
                         "This site has trouble; the song comes later." },
    [FAILURE_DNS] = { "dns", FAILURE_OF_NET, FAILURE_TRANSIENT, 0, 0,
                      "The site's name was not found: most likely there is no internet. Check "
                      "router and cable.",
                      "There is no internet at the moment." },
    [FAILURE_CONNECT] = { "connect", FAILURE_OF_NET, FAILURE_TRANSIENT, 0, 0,
                          "No connection to the site. Check router and cable when others fail, "
                          "too.",
                          "There is no connection at the moment." },
    [FAILURE_TIMEOUT] = { "timeout", FAILURE_OF_NET, FAILURE_TRANSIENT, HOUR_S / 6, 0,
                          "The site did not answer in time.", "This site does not answer." },
    [FAILURE_TLS] = { "tls", FAILURE_OF_NET, FAILURE_OPERATOR, 0, 0,
                      "The site's certificate is wrong: most likely this box's clock is, or the "
                      "network wants a login "
                      "in a browser first.",
                      "There is no internet at the moment." },
    [FAILURE_PORTAL] = { "portal", FAILURE_OF_NET, FAILURE_OPERATOR, 0, 0,
                         "A web page came instead of the video: most likely the network wants a "
                         "login in a browser first.",
                         "There is no internet at the moment." },
    [FAILURE_TRUNCATED] = { "truncated", FAILURE_OF_NET, FAILURE_TRANSIENT, HOUR_S, 0,
                            "The download ended early or came damaged.",
                            "This song could not be fetched." },
    [FAILURE_PARTIAL] = { "partial", FAILURE_OF_ITEM, FAILURE_TRANSIENT, HOUR_S, 0,
                          "The file at the address changed while it was fetched.",
                          "This song could not be fetched." },
    [FAILURE_MERGE] = { "merge", FAILURE_OF_ITEM, FAILURE_TRANSIENT, HOUR_S, 0,
                        "Picture and sound could not be put into one file; is the ffmpeg program "
                        "installed?",
                        "This song could not be fetched." },
    [FAILURE_DISK] = { "disk", FAILURE_OF_BOX, FAILURE_OPERATOR, 0, 0,
                       "The disk is full, read-only or broken.",
                       "This song could not be fetched." },
    [FAILURE_CHECK] = { "check", FAILURE_OF_BOX, FAILURE_TRANSIENT, HOUR_S, 0,
                        "What came could not be looked at: djamms-probe died of it or did not "
                        "answer. Is this box out of memory?",
                        "This song could not be fetched." },
    [FAILURE_TOOL] = { "tool", FAILURE_OF_TOOL, FAILURE_OPERATOR, 0, 0,
                       "yt-dlp does not start; `djamms doctor` says why.",
                       "This song could not be fetched." },
    [FAILURE_CANCELLED] = { "cancelled", FAILURE_OF_ITEM, FAILURE_NO_FAULT, 0, 0,
                            "It was not wanted any more.", "It was cancelled." },
};

const struct failure_traits *failure_traits(enum failure f)
{
    return &traits[(unsigned)f < FAILURE_COUNT ? f : FAILURE_UNKNOWN];
}

bool failure_from_name(const char *name, enum failure *out)
{
    *out = FAILURE_UNKNOWN;
    for (int f = 0; name && f < FAILURE_COUNT; f++) {
        if (strcmp(traits[f].name, name) == 0) {
            *out = (enum failure)f;
            return true;
        }
    }
    return false;
}

/* ---- telling them apart ------------------------------------------------------------------------ */

struct rule {
    const char *what;
    enum failure failure;
};

/* Our own words for it, from djamms-fetch and the worker that runs it. */
static const struct rule of_exception[] = {
    { "AddressRefused", FAILURE_REFUSED },   { "ProtocolRefused", FAILURE_REFUSED },
    { "BadRequest", FAILURE_BAD_INPUT },     { "LiveRefused", FAILURE_LIVE },
    { "UserNotLive", FAILURE_LIVE },         { "TooLong", FAILURE_POLICY },
    { "TooLarge", FAILURE_POLICY },          { "ListRefused", FAILURE_POLICY },
    { "Cancelled", FAILURE_CANCELLED },      { "Changed", FAILURE_PARTIAL },
    { "RangeRefused", FAILURE_PARTIAL },     { "NotMedia", FAILURE_PORTAL },
    { "Truncated", FAILURE_TRUNCATED },      { "MergeFailed", FAILURE_MERGE },
    { "WorkerTimeout", FAILURE_TIMEOUT },    { "WorkerDied", FAILURE_TOOL },
    { "WorkerGarbage", FAILURE_TOOL },       { "ImportError", FAILURE_TOOL },
    { "ModuleNotFoundError", FAILURE_TOOL }, { "GeoRestrictedError", FAILURE_GEO },
};

/* What may come with any status: a robot is refused with 403 or 429, too. */
static const struct rule of_words_first[] = {
    { "not a bot", FAILURE_BOT_CHECK },
    { "captcha", FAILURE_BOT_CHECK },
    { "ip is likely being blocked", FAILURE_BOT_CHECK },
    { "confirm your age", FAILURE_AGE },
    { "age-restricted", FAILURE_AGE },
    { "age restricted", FAILURE_AGE },
    { "inappropriate for some users", FAILURE_AGE },
    { "no space left on device", FAILURE_DISK },
    { "read-only file system", FAILURE_DISK },
    { "rate-limited", FAILURE_RATE },
    { "try again later", FAILURE_RATE },
    { "drm protected", FAILURE_DRM },
    { "drm-protected", FAILURE_DRM },
};

static const struct rule of_chain[] = {
    { "gaierror", FAILURE_DNS },
    { "NameResolutionError", FAILURE_DNS },
    { "CertificateVerifyError", FAILURE_TLS },
    { "SSLCertVerificationError", FAILURE_TLS },
    { "SSLError", FAILURE_TLS },
    { "SSLEOFError", FAILURE_CONNECT },
    { "TimeoutError", FAILURE_TIMEOUT },
    { "ConnectTimeoutError", FAILURE_TIMEOUT },
    { "ReadTimeoutError", FAILURE_TIMEOUT },
    { "timeout", FAILURE_TIMEOUT },
    { "ConnectionRefusedError", FAILURE_CONNECT },
    { "ConnectionResetError", FAILURE_CONNECT },
    { "ConnectionAbortedError", FAILURE_CONNECT },
    { "BrokenPipeError", FAILURE_CONNECT },
    { "RemoteDisconnected", FAILURE_CONNECT },
    { "NewConnectionError", FAILURE_CONNECT },
    { "IncompleteRead", FAILURE_TRUNCATED },
    { "ContentTooShortError", FAILURE_TRUNCATED },
    { "UnsupportedError", FAILURE_UNSUPPORTED },
};

static const struct rule of_net_words[] = {
    { "name or service not known", FAILURE_DNS },
    { "name resolution", FAILURE_DNS },
    { "getaddrinfo failed", FAILURE_DNS },
    { "timed out", FAILURE_TIMEOUT },
    { "connection refused", FAILURE_CONNECT },
    { "connection reset", FAILURE_CONNECT },
    { "network is unreachable", FAILURE_CONNECT },
    { "no route to host", FAILURE_CONNECT },
    { "remote end closed connection", FAILURE_CONNECT },
    { "certificate verify failed", FAILURE_TLS },
};

static const struct rule of_words[] = {
    { "is not a valid url", FAILURE_BAD_INPUT },
    { "incomplete youtube id", FAILURE_BAD_INPUT },
    { "looks truncated", FAILURE_BAD_INPUT },
    { "enable-file-urls", FAILURE_REFUSED },
    { "file:// scheme is explicitly disabled", FAILURE_REFUSED },
    { "unsupported url", FAILURE_UNSUPPORTED },
    { "private video", FAILURE_PRIVATE },
    { "video is private", FAILURE_PRIVATE },
    { "members-only", FAILURE_PRIVATE },
    { "join this channel", FAILURE_PRIVATE },
    { "available in your country", FAILURE_GEO },
    { "blocked it in your country", FAILURE_GEO },
    { "geo restriction", FAILURE_GEO },
    { "requires payment", FAILURE_PAID },
    { "premium", FAILURE_PAID },
    { "rental", FAILURE_PAID },
    { "live event will begin", FAILURE_LIVE },
    { "premieres in", FAILURE_LIVE },
    { "is not currently live", FAILURE_LIVE },
    { "offline", FAILURE_LIVE },
    { "video unavailable", FAILURE_REMOVED },
    { "has been removed", FAILURE_REMOVED },
    { "been terminated", FAILURE_REMOVED },
    { "video is no longer available", FAILURE_REMOVED },
    { "video is not available", FAILURE_REMOVED },
    { "more expected", FAILURE_TRUNCATED },
    { "unable to write data", FAILURE_DISK },
    { "unable to open for writing", FAILURE_DISK },
    /* What yt-dlp says when nothing above was the cause. */
    { "giving up after", FAILURE_TRUNCATED },
    { "did not get any data blocks", FAILURE_TRUNCATED },
};

/* Warnings that say why there was no format. The old one is of the time before there was a solver. */
static const char *const solver_words[] = {
    "challenge solving failed", "signature solving failed",     "no supported javascript runtime",
    "challenge solver",         "nsig extraction failed",       "signature extraction failed",
    "javascript runtime has",   "without a javascript runtime",
};
static const char *const sabr_words[] = { "missing a url", "sabr" };
static const char *const bug_words[] = { "unable to extract", "please report this issue",
                                         "no video formats found", "failed to parse json",
                                         "unable to parse" };
static const char *const bug_exceptions[] = {
    "KeyError",        "TypeError",          "IndexError",     "ValueError",     "AttributeError",
    "JSONDecodeError", "RegexNotFoundError", "AssertionError", "RecursionError", "MemoryError"
};

struct words {
    char text[16384]; /* more than djamms-fetch says */
};

/* Small letters. No rule has an apostrophe: YouTube writes typographic ones, others do not. */
static void make_plain(struct words *w, const char *text)
{
    size_t n = 0;
    for (const char *p = text ? text : ""; *p && n + 1 < sizeof(w->text); p++)
        w->text[n++] = (char)tolower((unsigned char)*p);
    w->text[n] = '\0';
}

static bool says_any(const struct words *w, const char *const *what, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(w->text, what[i]))
            return true;
    }
    return false;
}

static bool rule_of_words(const struct rule *rules, size_t count, const struct words *w,
                          enum failure *out)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(w->text, rules[i].what)) {
            *out = rules[i].failure;
            return true;
        }
    }
    return false;
}

/* Whether `name` is one of the words of `list`. */
static bool has_word(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = list; p && (p = strstr(p, name)); p += len) {
        if ((p == list || p[-1] == ' ') && (p[len] == '\0' || p[len] == ' '))
            return true;
    }
    return false;
}

static bool rule_of_names(const struct rule *rules, size_t count, const char *names,
                          enum failure *out)
{
    for (size_t i = 0; i < count; i++) {
        if (has_word(names, rules[i].what)) {
            *out = rules[i].failure;
            return true;
        }
    }
    return false;
}

static bool of_status(const struct failure_report *r, enum failure *out)
{
    switch (r->status) {
    case 404:
    case 410: *out = FAILURE_REMOVED; return true;
    case 402:
    case 429: *out = FAILURE_RATE; return true;
    case 403: *out = r->is_media ? FAILURE_URL_403 : FAILURE_PAGE_403; return true;
    case 401: *out = FAILURE_PRIVATE; return true;
    case 416: *out = FAILURE_PARTIAL; return true;
    case 451: *out = FAILURE_GEO; return true;
    case 407: /* of a proxy */
    case 511: /* "network authentication required" */ *out = FAILURE_PORTAL; return true;
    default: *out = FAILURE_SERVER; return r->status >= 500 && r->status < 600;
    }
}

static bool of_os_error(int error, enum failure *out)
{
    *out = error == ENETUNREACH || error == EHOSTUNREACH || error == ENETDOWN ? FAILURE_CONNECT
                                                                              : FAILURE_DISK;
    return *out == FAILURE_CONNECT || error == ENOSPC || error == EIO || error == EROFS ||
           error == EDQUOT || error == EFBIG;
}

static enum failure of_no_format(const struct failure_report *r)
{
    struct words warnings;
    make_plain(&warnings, r->warnings);
    if (says_any(&warnings, solver_words, ARRAY_LEN(solver_words)))
        return FAILURE_SOLVER;
    return says_any(&warnings, sabr_words, ARRAY_LEN(sabr_words)) ? FAILURE_SABR_ONLY
                                                                  : FAILURE_NO_FORMAT;
}

static bool of_attempts(const struct failure_report *r, enum failure *out)
{
    struct words warnings;
    make_plain(&warnings, r->warnings);
    const char *error = strstr(warnings.text, "http error ");
    struct failure_report attempt = { .status = error ? atoi(error + strlen("http error ")) : 0 };
    return rule_of_words(of_words_first, ARRAY_LEN(of_words_first), &warnings, out) ||
           rule_of_words(of_net_words, ARRAY_LEN(of_net_words), &warnings, out) ||
           of_status(&attempt, out);
}

static bool is_bug(const struct failure_report *r, const struct words *message)
{
    if (r->is_bug || says_any(message, bug_words, ARRAY_LEN(bug_words)))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(bug_exceptions); i++) {
        if (has_word(r->exception, bug_exceptions[i]))
            return true;
    }
    return false;
}

enum failure failure_classify(const struct failure_report *r)
{
    enum failure f;
    struct words message;
    make_plain(&message, r->message);
    if (rule_of_names(of_exception, ARRAY_LEN(of_exception), r->exception, &f) ||
        of_os_error(r->os_error, &f) ||
        rule_of_words(of_words_first, ARRAY_LEN(of_words_first), &message, &f) ||
        of_status(r, &f) || rule_of_names(of_chain, ARRAY_LEN(of_chain), r->chain, &f) ||
        rule_of_names(of_chain, ARRAY_LEN(of_chain), r->exception, &f))
        return f;
    if (strstr(message.text, "requested format is not available") ||
        strstr(message.text, "only images are available"))
        return of_no_format(r);
    if (rule_of_words(of_net_words, ARRAY_LEN(of_net_words), &message, &f) ||
        rule_of_words(of_words, ARRAY_LEN(of_words), &message, &f))
        return f;
    /* The sum of several attempts: why each failed was only warned of. */
    if (strstr(message.text, "failed to extract any player response") && of_attempts(r, &f))
        return f;
    if (is_bug(r, &message)) {
        f = of_no_format(r);
        return f == FAILURE_NO_FORMAT ? FAILURE_EXTRACTOR_BUG : f;
    }
    return FAILURE_UNKNOWN;
}

/* ---- from JSON --------------------------------------------------------------------------------- */

static void join(const struct message *m, const char *field, char separator, char *out, size_t size)
{
    size_t n = 0, count = message_count(m, field);
    out[0] = '\0';
    for (size_t i = 0; i < count && n + 1 < size; i++) {
        const char *text = message_str_at(m, field, i);
        int len = snprintf(out + n, size - n, "%.*s%s", n > 0, &separator, text ? text : "");
        n += len > 0 ? (size_t)len : 0;
    }
}

void failure_report_read(const struct message *error, struct failure_report *out, char *chain,
                         size_t chain_size, char *warnings, size_t warnings_size)
{
    const char *phase = message_str(error, "phase", "");
    int64_t wait_s = message_i64(error, "retry_after_s", 0);
    join(error, "chain", ' ', chain, chain_size);
    join(error, "warnings", '\n', warnings, warnings_size);
    *out = (struct failure_report){
        .exception = message_str(error, "exception", NULL),
        .chain = chain,
        .message = message_str(error, "message", NULL),
        .warnings = warnings,
        .status = (int)clamp_i64(message_i64(error, "status", 0), 0, 999),
        .os_error = (int)clamp_i64(message_i64(error, "errno", 0), -999, 999),
        .is_media = strcmp(phase, "media") == 0,
        .is_bug = !message_bool(error, "is_expected", true),
        .retry_after_ms = clamp_i64(wait_s, 0, DAY_S) * 1000,
    };
}

/* ---- trying again ------------------------------------------------------------------------------ */

/* Seconds before each retry. */
struct schedule {
    int wait_s[5];
    int count;
    bool goes_on; /* with the last wait, for ever */
};

static struct schedule schedule_of(enum failure f)
{
    switch (f) {
    case FAILURE_URL_403: return (struct schedule){ { 0, 2, 5, 15, 60 }, 5, false };
    case FAILURE_SERVER: return (struct schedule){ { 2, 10, 60, 600 }, 4, true };
    case FAILURE_DNS:
    case FAILURE_CONNECT:
    case FAILURE_TLS:
    case FAILURE_PORTAL:
    case FAILURE_DISK:
    case FAILURE_TOOL: return (struct schedule){ { 2, 10, 60, 300 }, 4, true };
    case FAILURE_TIMEOUT:
    case FAILURE_PAGE_403:
    case FAILURE_CHECK:
    case FAILURE_MERGE: return (struct schedule){ { 2, 10 }, 2, false };
    case FAILURE_PARTIAL: return (struct schedule){ { 0, 2 }, 2, false };
    case FAILURE_TRUNCATED:
    case FAILURE_UNKNOWN: return (struct schedule){ { 2, 10, 60 }, 3, false };
    case FAILURE_SOLVER:
    case FAILURE_EXTRACTOR_BUG:
    case FAILURE_SABR_ONLY: return (struct schedule){ { 600 }, 1, true };
    case FAILURE_RATE: return (struct schedule){ { 900, 1800, 3600, 7200 }, 4, true };
    case FAILURE_BOT_CHECK: return (struct schedule){ { 1800, 3600, 7200, 14400, 21600 }, 5, true };
    default: return (struct schedule){ { 0 }, 0, false };
    }
}

int64_t failure_retry_ms(enum failure f, unsigned attempt, uint32_t random)
{
    struct schedule s = schedule_of(f);
    if (attempt == 0 || s.count == 0 || (attempt > (unsigned)s.count && !s.goes_on))
        return -1;
    int64_t wait =
        s.wait_s[attempt > (unsigned)s.count ? s.count - 1 : (int)attempt - 1] * (int64_t)1000;
    return wait - (int64_t)((double)wait * random / ((double)UINT32_MAX + 1) / 5);
}

enum failure failure_settled(enum failure f, bool is_youtube)
{
    if (f != FAILURE_PAGE_403)
        return f;
    return is_youtube ? FAILURE_BOT_CHECK : FAILURE_REMOVED;
}
