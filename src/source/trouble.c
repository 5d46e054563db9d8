#include "source/trouble.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define SOON_S                                                                                     \
    60 /* a rule of the house or a wrong address: nobody was asked, so it is not kept for long */

void trouble_init(struct trouble *t)
{
    breaker_init(&t->tool, BREAKER_TOOL);
    breaker_init(&t->net, BREAKER_NET);
    for (size_t i = 0; i < SUPPLY_SOURCES; i++)
        breaker_init(&t->source[i], BREAKER_SOURCE);
}

unsigned trouble_source_of(const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t len = strcspn(host, "/?#");
    return 1 + (unsigned)(text_hash(host, len) % (SUPPLY_SOURCES - 1));
}

void trouble_began(struct trouble *t, unsigned source, int64_t now_ns)
{
    breaker_begin(&t->tool, now_ns);
    breaker_begin(&t->net, now_ns);
    breaker_begin(&t->source[source], now_ns);
}

void trouble_succeeded(struct trouble *t, unsigned source)
{
    breaker_succeeded(&t->tool);
    breaker_succeeded(&t->net);
    breaker_succeeded(&t->source[source]);
}

/* ---- what becomes of the song --------------------------------------------------------------------- */

static enum supply_fate fate_of(enum failure f)
{
    const struct failure_traits *traits = failure_traits(f);
    if (traits->kind == FAILURE_PERMANENT)
        return SUPPLY_PERMANENT;
    switch (f) {
    case FAILURE_URL_403:
    case FAILURE_PARTIAL:
    case FAILURE_TOOL: return SUPPLY_ANEW;
    case FAILURE_SOLVER:
    case FAILURE_EXTRACTOR_BUG:
    case FAILURE_SABR_ONLY:
    case FAILURE_BOT_CHECK:
    case FAILURE_RATE: return SUPPLY_BLOCKED;
    case FAILURE_DNS:
    case FAILURE_CONNECT:
    case FAILURE_TLS:
    case FAILURE_PORTAL: return SUPPLY_OFFLINE;
    case FAILURE_DISK: return SUPPLY_NO_ROOM;
    default: return SUPPLY_AGAIN;
    }
}

static unsigned attempts_of(enum failure f)
{
    switch (f) {
    case FAILURE_TRUNCATED:
    case FAILURE_UNKNOWN: return 4;
    case FAILURE_TIMEOUT:
    case FAILURE_CHECK:
    case FAILURE_MERGE:
    case FAILURE_PAGE_403: return 3;
    default: return 0;
    }
}

static struct supply_failure describe(enum failure f, int64_t retry_after_s)
{
    const struct failure_traits *traits = failure_traits(f);
    struct supply_failure out = {
        .fate = fate_of(f),
        .attempts = attempts_of(f),
        .refused_s = traits->recheck_s    ? traits->recheck_s
                     : traits->remember_s ? traits->remember_s
                                          : SOON_S,
        .retry_after_s = retry_after_s,
        .spoils_partial = f == FAILURE_PARTIAL,
    };
    snprintf(out.class, sizeof(out.class), "%s", traits->name);
    return out;
}

struct supply_failure trouble_failed(struct trouble *t, unsigned source, const char *key,
                                     enum failure failure, int64_t retry_after_s, int64_t now_ns)
{
    struct breaker_failure f = {
        .failure = failure,
        .item = text_hash(key, strlen(key)),
        .source = source + 1,
        .retry_after_ns = SECONDS(clamp_i64(retry_after_s, 0, 86400)),
    };
    /* Elsewhere a wrong address is just that, however many there are. */
    if (failure != FAILURE_REMOVED || source == TROUBLE_YOUTUBE)
        breaker_failed(&t->tool, &f, now_ns);
    breaker_failed(&t->net, &f, now_ns);
    breaker_failed(&t->source[source], &f, now_ns);
    return describe(failure, retry_after_s);
}

/* ---- what is open ---------------------------------------------------------------------------------- */

static int64_t until_ns(const struct breaker *b, int64_t now_ns)
{
    return breaker_allows(b, now_ns) ? NO_TIME : b->next_ns;
}

void trouble_tell(const struct trouble *t, struct supply *s, int64_t now_ns)
{
    supply_network(s, breaker_allows(&t->net, now_ns), now_ns);
    supply_breaker(s, SUPPLY_SOURCES, until_ns(&t->tool, now_ns), now_ns);
    for (unsigned i = 0; i < SUPPLY_SOURCES; i++)
        supply_breaker(s, i, until_ns(&t->source[i], now_ns), now_ns);
}

int64_t trouble_deadline_ns(const struct trouble *t, int64_t now_ns)
{
    bool waits = t->net.is_open && t->net.next_ns > now_ns;
    return waits ? t->net.next_ns : NO_TIME;
}

const char *trouble_sentence(const char *class, bool is_for_staff)
{
    enum failure f;
    if (strcmp(class, "LATE") == 0)
        return "It could not be fetched in time.";
    if (strcmp(class, "SLOW") == 0)
        return "It comes slowly; others are fetched first.";
    if (!failure_from_name(class, &f))
        f = strcmp(class, "DISK") == 0 ? FAILURE_DISK : FAILURE_UNKNOWN;
    const struct failure_traits *traits = failure_traits(f);
    return is_for_staff ? traits->staff : traits->guest;
}
