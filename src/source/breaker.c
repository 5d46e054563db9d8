#include "source/breaker.h"

#include <string.h>

#include "base/backoff.h"
#include "base/compiler.h"

#define MINUTES(x) SECONDS(60 * (int64_t)(x))

static const struct backoff_policy after_block = { .first_ms = 1800000,
                                                   .max_ms = 21600000,
                                                   .factor = 2 };
static const struct backoff_policy after_rate = { .first_ms = 900000,
                                                  .max_ms = 7200000,
                                                  .factor = 2 };

enum meaning {
    MEANS_NOTHING, /* of this breaker's matter */
    MEANS_WORKS,
    MEANS_FAILED,
};

void breaker_init(struct breaker *b, enum breaker_kind kind)
{
    *b = (struct breaker){ .kind = kind };
}

bool breaker_allows(const struct breaker *b, int64_t now_ns)
{
    return !b->is_open || now_ns >= b->next_ns;
}

static int64_t probe_ns(enum breaker_kind kind)
{
    return kind == BREAKER_NET ? MINUTES(1) : MINUTES(10);
}

void breaker_begin(struct breaker *b, int64_t now_ns)
{
    if (!b->is_open)
        return;
    b->is_probing = true;
    b->next_ns = now_ns + probe_ns(b->kind);
}

/* ---- what a failure says ----------------------------------------------------------------------- */

static bool is_of_box(enum failure f)
{
    enum failure_scope scope = failure_traits(f)->scope;
    return scope == FAILURE_OF_BOX || f == FAILURE_CANCELLED || f == FAILURE_REFUSED ||
           f == FAILURE_BAD_INPUT || f == FAILURE_MERGE || f == FAILURE_TOOL;
}

static enum meaning for_tool(enum failure f)
{
    switch (f) {
    case FAILURE_SOLVER:
    case FAILURE_EXTRACTOR_BUG:
    case FAILURE_NO_FORMAT:
    case FAILURE_SABR_ONLY:
    case FAILURE_TOOL:
    case FAILURE_REMOVED: return MEANS_FAILED;
    default: /* a song that is refused says nothing of the others */ return MEANS_NOTHING;
    }
}

static enum meaning for_net(enum failure f)
{
    if (f == FAILURE_UNKNOWN || f == FAILURE_TRUNCATED || is_of_box(f))
        return MEANS_NOTHING;
    return failure_traits(f)->scope == FAILURE_OF_NET ? MEANS_FAILED : MEANS_WORKS;
}

static enum meaning for_source(enum failure f)
{
    if (f == FAILURE_BOT_CHECK || f == FAILURE_RATE || f == FAILURE_SERVER)
        return MEANS_FAILED;
    /* "Removed" and 403 may be a block in other words. */
    if (f == FAILURE_REMOVED || f == FAILURE_PAGE_403 || f == FAILURE_URL_403 ||
        f == FAILURE_UNKNOWN || f == FAILURE_PARTIAL || f == FAILURE_POLICY || is_of_box(f))
        return MEANS_NOTHING;
    return failure_traits(f)->scope == FAILURE_OF_ITEM ? MEANS_WORKS : MEANS_NOTHING;
}

/* ---- opening and closing ----------------------------------------------------------------------- */

static bool open_until(struct breaker *b, enum failure reason, int64_t now_ns, int64_t wait_ns)
{
    bool was_open = b->is_open;
    if (!was_open)
        b->opened_ns = now_ns;
    b->is_open = true;
    b->is_probing = false;
    b->reason = reason;
    b->next_ns = now_ns + wait_ns;
    return !was_open;
}

bool breaker_succeeded(struct breaker *b)
{
    bool was_open = b->is_open;
    breaker_init(b, b->kind);
    return was_open;
}

/* How many different ones failed within `window_ns`, this one included. */
static unsigned count_different(struct breaker *b, uint64_t what, int64_t now_ns, int64_t window_ns)
{
    unsigned n = 0;
    for (unsigned i = 0; i < b->recent_count; i++) {
        if (b->recent[i].what != what && now_ns - b->recent[i].at_ns <= window_ns)
            b->recent[n++] = b->recent[i];
    }
    if (n == BREAKER_RECENT_MAX) {
        memmove(b->recent, b->recent + 1, (BREAKER_RECENT_MAX - 1) * sizeof(b->recent[0]));
        n--;
    }
    b->recent[n].what = what;
    b->recent[n].at_ns = now_ns;
    b->recent_count = n + 1;
    return b->recent_count;
}

/* How many different songs in a row are gone, this one included. */
static unsigned count_removed(struct breaker *b, uint64_t item)
{
    for (unsigned i = 0; i < b->removed_count; i++) {
        if (b->removed[i] == item)
            return b->removed_count;
    }
    if (b->removed_count < BREAKER_RECENT_MAX)
        b->removed[b->removed_count++] = item;
    return b->removed_count;
}

/* How many attempts in a row failed, none longer than `window_ns` after the one before. */
static unsigned count_in_a_row(struct breaker *b, int64_t now_ns, int64_t window_ns)
{
    if (b->in_a_row && now_ns - b->last_ns > window_ns)
        b->in_a_row = 0;
    b->last_ns = now_ns;
    return ++b->in_a_row;
}

static bool tool_failed(struct breaker *b, const struct breaker_failure *f, int64_t now_ns)
{
    unsigned n = f->failure == FAILURE_REMOVED ? count_removed(b, f->item)
                                               : count_different(b, f->item, now_ns, MINUTES(30));
    return (b->is_open || n >= 3) && open_until(b, f->failure, now_ns, probe_ns(b->kind));
}

static bool net_failed(struct breaker *b, const struct breaker_failure *f, int64_t now_ns)
{
    unsigned sites = count_different(b, f->source, now_ns, MINUTES(5));
    unsigned attempts = count_in_a_row(b, now_ns, MINUTES(5));
    return (b->is_open || sites >= 2 || attempts >= 3) &&
           open_until(b, f->failure, now_ns, probe_ns(b->kind));
}

static bool source_failed(struct breaker *b, const struct breaker_failure *f, int64_t now_ns)
{
    int64_t wait_ns = MINUTES(10);
    if (f->failure == FAILURE_SERVER) {
        if (count_in_a_row(b, now_ns, MINUTES(30)) < 3 && !b->is_open)
            return false;
    } else {
        const struct backoff_policy *policy =
            f->failure == FAILURE_RATE ? &after_rate : &after_block;
        wait_ns = MS(backoff_ms(policy, b->blocks++, 0));
    }
    return open_until(b, f->failure, now_ns,
                      max_i64(wait_ns, clamp_i64(f->retry_after_ns, 0, MINUTES(24 * 60))));
}

bool breaker_failed(struct breaker *b, const struct breaker_failure *f, int64_t now_ns)
{
    static enum meaning (*const meaning_for[])(enum failure) = {
        [BREAKER_TOOL] = for_tool,
        [BREAKER_NET] = for_net,
        [BREAKER_SOURCE] = for_source,
    };
    enum meaning meaning = meaning_for[b->kind](f->failure);
    if (meaning == MEANS_WORKS)
        return breaker_succeeded(b);
    if (meaning != MEANS_FAILED || (b->is_open && !b->is_probing))
        return false;
    switch (b->kind) {
    case BREAKER_TOOL: return tool_failed(b, f, now_ns);
    case BREAKER_NET: return net_failed(b, f, now_ns);
    default: return source_failed(b, f, now_ns);
    }
}
