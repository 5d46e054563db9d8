/* What a failure means: for the song, as the supply takes it, and for all others of its site, of the tool or of the network,
 * which breakers keep apart. Pure: times are given. */
#pragma once

#include "source/breaker.h"
#include "source/supply.h"

#define TROUBLE_YOUTUBE 0 /* its number as a source; other sites share the rest */

struct trouble {
    struct breaker tool, net, source[SUPPLY_SOURCES];
};

void trouble_init(struct trouble *t);
/* The number of a site, 1 .. SUPPLY_SOURCES - 1, by the host in an address. */
unsigned trouble_source_of(const char *url);

/* Something is asked of the source; it answered; it, or what lies on the way to it, failed. */
void trouble_began(struct trouble *t, unsigned source, int64_t now_ns);
void trouble_succeeded(struct trouble *t, unsigned source);
struct supply_failure trouble_failed(struct trouble *t, unsigned source, const char *key,
                                     enum failure failure, int64_t retry_after_s, int64_t now_ns);

/* Tells the supply what is open. Again when deadline_ns is there: NO_TIME, nothing is open. */
void trouble_tell(const struct trouble *t, struct supply *s, int64_t now_ns);
int64_t trouble_deadline_ns(const struct trouble *t, int64_t now_ns);

/* The sentence for a class of the supply, of which it may be one of its own; never NULL. For staff it says more. */
const char *trouble_sentence(const char *class, bool is_for_staff);
