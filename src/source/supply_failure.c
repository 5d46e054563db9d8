/* What becomes of a failure: how long an entry waits, and when it is over. */
#include <string.h>

#include "source/supply_internal.h"

/* The last one again and again. */
static const int64_t again_s[] = { 2, 10, 60, 300 };
static const int64_t anew_s[] = { 0, 2, 5, 15, 60, 300 };
static const int64_t blocked_s[] = { 60, 300 };
static const int64_t offline_s[] = { 2, 10, 60 };

#define LAG_NS SECONDS(120)
#define JITTER_PERCENT                                                                             \
    20 /* of a wait, by which it is shortened at most: a hundred boxes, one server */

static int64_t wait_ns(struct supply *s, const int64_t *seconds, size_t count, unsigned failures)
{
    int64_t whole = SECONDS(seconds[failures < count ? failures : count - 1]);
    int64_t part = whole / 100 * JITTER_PERCENT;
    return whole - (part ? (int64_t)(supply_random(s) % (uint64_t)part) : 0);
}

static void put_off(struct supply *s, struct entry *e, int64_t until_ns)
{
    entry_set_state(e, SUPPLY_WAITING);
    e->until_ns = until_ns;
    supply_put(s, SUPPLY_PUT_OFF, e, e->class)->until_ns = until_ns;
}

static void fail(struct supply *s, struct entry *e, int64_t refused_s)
{
    entry_set_state(e, SUPPLY_FAILED);
    e->until_ns = s->now_ns + SECONDS(clamp_i64(refused_s, 1, INT32_MAX));
    supply_put(s, SUPPLY_FAIL, e, e->class);
}

static void fail_for_good(struct supply *s, struct entry *e, int64_t refused_s)
{
    int64_t for_s = refused_s > 0 ? refused_s : REFUSED_S;
    fail(s, e, for_s);
    supply_put(s, SUPPLY_REFUSE, e, e->class)->for_s = for_s;
}

/* Not kept: the next evening the source may be there again. */
void entry_give_up(struct supply *s, struct entry *e)
{
    if (!e->class[0])
        memcpy(e->class, "LATE", sizeof("LATE"));
    fail(s, e, 3600);
    e->overdue_ns = 0;
}

void entry_lag(struct supply *s, struct entry *e)
{
    e->has_lagged = false;
    memcpy(e->class, "SLOW", sizeof("SLOW"));
    put_off(s, e, s->now_ns + LAG_NS);
}

/* Room is made once for one that failed; if that was not enough, nothing is fetched for a while. */
static void no_room(struct supply *s, struct entry *e)
{
    put_off(s, e, s->now_ns);
    if (s->evicting || s->full_ns != NO_TIME)
        return;
    if (s->has_evicted) {
        s->has_evicted = false;
        s->full_ns = s->now_ns + FULL_NS;
        supply_put(s, SUPPLY_TELL, e, e->class);
        return;
    }
    struct supply_action *a = supply_put(s, SUPPLY_EVICT, e, "");
    a->id = s->evicting = ++s->next_id;
    a->bytes = e->bytes ? e->bytes : GUESS_BYTES;
    a->timeout_ms = 60000;
}

void entry_fail(struct supply *s, struct entry *e, const struct supply_failure *f)
{
    int64_t wait = 0, least = SECONDS(clamp_i64(f->retry_after_s, 0, 86400));
    memcpy(e->class, f->class, sizeof(e->class));
    e->class[sizeof(e->class) - 1] = '\0';
    e->discards |= f->spoils_partial;
    switch (f->fate) {
    case SUPPLY_PERMANENT: fail_for_good(s, e, f->refused_s); return;
    case SUPPLY_NO_ROOM: no_room(s, e); return;
    case SUPPLY_AGAIN:
        if (f->attempts && e->again + 1 >= f->attempts) {
            e->again = 0;
            fail_for_good(s, e, f->refused_s);
            return;
        }
        wait = wait_ns(s, again_s, ARRAY_LEN(again_s), e->again++);
        break;
    case SUPPLY_ANEW: wait = wait_ns(s, anew_s, ARRAY_LEN(anew_s), e->anew++); break;
    case SUPPLY_BLOCKED: wait = wait_ns(s, blocked_s, ARRAY_LEN(blocked_s), e->blocked++); break;
    case SUPPLY_OFFLINE: wait = wait_ns(s, offline_s, ARRAY_LEN(offline_s), e->offline++); break;
    }
    put_off(s, e, s->now_ns + max_i64(wait, least));
}
