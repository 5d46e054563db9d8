/* What is begun, stopped and held back now, and when that may change. */
#include "source/supply_internal.h"

#define SPACE_MIN_NS  SECONDS(5)
#define SPACE_MAX_NS  SECONDS(10)
#define SLOW_AFTER_NS SECONDS(5) /* before that a download's pace says nothing */
#define PATIENCE_NS   SECONDS(30)
#define SILENT_NS     SECONDS(3)
#define GROWING_LEAD_S                                                                             \
    30.0 /* what plays while it grows is this far ahead before anything else is fetched */
#define PACE_MIN     2.0 /* times as fast as it plays */
#define PACE_GOOD    3.0
#define PACE_AFTER_S 0.2 /* the first bytes say nothing of the pace */
#define SOON_S       2.0 /* of what comes at PACE_MIN */
#define AT_ONCE_S    1.0 /* of what comes at PACE_GOOD */
#define LIVE_S       4.0 /* of a live stream, that comes no faster than it plays */
#define LOOK_MS      10000
#define RESOLVE_MS   120000
#define NAME_MS      20000

/* ---- what may be -------------------------------------------------------------------------------------------- */

bool entry_is_growing(const struct entry *e)
{
    return e->is_started && e->is_playing && e->state == SUPPLY_FETCHING;
}

static bool is_urgent(const struct supply *s, const struct entry *e)
{
    return e->needed_ns != NO_TIME && e->needed_ns - s->now_ns <= URGENT_NS;
}

bool entry_is_in_reach(const struct entry *e, int *ahead)
{
    if (!e->is_queued || e->is_playing)
        return e->is_playing;
    bool counts = !e->is_spare && e->state != SUPPLY_WAITING && e->state != SUPPLY_FAILED;
    bool is_next = *ahead > 0 || e->is_spare;
    if (is_next && counts)
        --*ahead;
    return is_next || e->is_request;
}

bool entry_is_due(const struct supply *s, const struct entry *e)
{
    return !e->is_live || e->is_playing ||
           (e->needed_ns != NO_TIME && e->needed_ns - s->now_ns <= LIVE_NS);
}

/* When this source may be asked; now_ns or before: at once. INT64_MAX: something else must happen first. */
static int64_t open_ns(const struct supply *s, const struct entry *e)
{
    if (!s->is_up || s->evicting)
        return INT64_MAX;
    int64_t at = max_i64(s->breaker_ns[SUPPLY_SOURCES], s->breaker_ns[e->source]);
    at = max_i64(at, s->full_ns);
    if (e->state == SUPPLY_WAITING)
        at = max_i64(at, e->until_ns);
    if (!entry_is_due(s, e))
        at = e->needed_ns == NO_TIME ? INT64_MAX : max_i64(at, e->needed_ns - LIVE_NS);
    if (e->is_metered) {
        size_t ago = e->is_spare ? HOURLY_MAX / 2 : 0; /* of the last ones */
        int64_t oldest = s->asked_ns[(s->asked_next + ago) % HOURLY_MAX];
        at = oldest == NO_TIME ? at : max_i64(at, oldest + SECONDS(3600));
        if (!is_urgent(s, e)) /* one that is needed at once does not wait its turn */
            at = max_i64(at, s->spaced_ns);
    }
    return at;
}

/* A live stream that broke off while it plays begins anew at its next turn. */
static bool can_begin(const struct entry *e)
{
    return !e->action && e->is_absent && !(e->is_live && e->is_playing && e->was_played) &&
           (e->state == SUPPLY_NEW || e->state == SUPPLY_WAITING);
}

/* The first of the queue that could be worked on; NULL: none, or one before it is still being looked up or named. */
static struct entry *candidate(const struct supply *s)
{
    int ahead = AHEAD;
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        if (!entry_is_in_reach(e, &ahead))
            continue;
        bool is_open = open_ns(s, e) <= s->now_ns;
        if (e->action && (e->doing == SUPPLY_LOOK || (e->doing == SUPPLY_NAME && is_open)))
            return NULL;
        if (can_begin(e) && is_open)
            return e;
    }
    return NULL;
}

/* Slower than the song plays. */
static bool is_slow(const struct supply *s, const struct entry *e)
{
    /* Up to when it was last heard of, unless it fell silent. */
    bool is_silent = !e->has_progress || s->now_ns - e->heard_ns > SILENT_NS;
    int64_t went_ns = (is_silent ? s->now_ns : e->heard_ns) - e->began_ns;
    if (e->state != SUPPLY_FETCHING || went_ns < SLOW_AFTER_NS)
        return false;
    double total = (double)(e->bytes ? e->bytes : GUESS_BYTES);
    double song_s = e->duration_s > 0 ? e->duration_s : 240;
    uint64_t got = e->done > e->began_bytes ? e->done - e->began_bytes : 0;
    return (double)got / total * song_s < (double)went_ns / 1e9;
}

/* Whether another download may begin beside those under way. */
static bool has_place(const struct supply *s)
{
    int works = 0;
    bool all_slow = true;
    for (size_t i = 0; i < s->count; i++) {
        const struct entry *e = s->entry[i];
        if (!entry_works(e))
            continue;
        works++;
        all_slow &= entry_is_growing(e) ? e->in_hand_s >= GROWING_LEAD_S : is_slow(s, e);
    }
    return works == 0 || (works < DOWNLOADS && all_slow);
}

/* The last of the queue that is fetched, if it is behind `e`. */
static struct entry *victim(const struct supply *s, const struct entry *e)
{
    struct entry *last = NULL;
    for (size_t i = 0; i < s->count; i++) {
        struct entry *v = s->entry[i];
        if (entry_works(v) && v->is_cancelling)
            return NULL; /* one is on its way out */
        bool is_behind = !v->is_queued || v->place > e->place;
        if (v->state == SUPPLY_FETCHING && is_behind && !v->is_playing && !v->is_started)
            last = v;
    }
    return last;
}

/* One that has been slow for so long that another one, which is needed, has its place instead. */
static struct entry *laggard(const struct supply *s)
{
    struct entry *last = NULL;
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        if (entry_works(e) && e->is_cancelling)
            return NULL;
        if (is_slow(s, e) && !e->is_started && s->now_ns - e->began_ns >= PATIENCE_NS)
            last = e;
    }
    return last;
}

bool supply_yields(const struct supply *s, const struct entry *e)
{
    const struct entry *other = candidate(s);
    return other && other->place < e->place && is_urgent(s, other);
}

/* ---- what is done -------------------------------------------------------------------------------------------- */

void entry_cancel(struct supply *s, struct entry *e)
{
    if (e->is_cancelling || !e->action)
        return;
    e->is_cancelling = true;
    supply_put(s, SUPPLY_CANCEL, e, "")->id = e->action;
}

/* The one that is being named; NULL: none. */
static struct entry *naming(const struct supply *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->entry[i]->action && s->entry[i]->doing == SUPPLY_NAME)
            return s->entry[i];
    return NULL;
}

static void count_question(struct supply *s, const struct entry *e)
{
    if (!e->is_metered)
        return;
    s->asked_ns[s->asked_next] = s->now_ns;
    s->asked_next = (s->asked_next + 1) % HOURLY_MAX;
    s->spaced_ns = s->now_ns + SPACE_MIN_NS +
                   (int64_t)(supply_random(s) % (uint64_t)(SPACE_MAX_NS - SPACE_MIN_NS));
}

static void begin(struct supply *s, struct entry *e)
{
    bool urgent = is_urgent(s, e);
    entry_set_state(e, SUPPLY_RESOLVING);
    struct supply_action *a = supply_ask(s, SUPPLY_RESOLVE, e);
    a->is_urgent = urgent;
    a->timeout_ms = RESOLVE_MS;
    count_question(s, e);
    struct entry *other = naming(s);
    if (urgent && other)
        entry_cancel(s, other);
}

/* ---- what is only named --------------------------------------------------------------------------------------- */

/* When it may be asked for: of a source that counts questions half of them are kept for songs that are to play. */
static int64_t name_open_ns(const struct supply *s, const struct entry *e)
{
    int64_t at = open_ns(s, e);
    if (!e->is_metered)
        return at;
    int64_t half = s->asked_ns[(s->asked_next + HOURLY_MAX / 2) % HOURLY_MAX];
    at = half == NO_TIME ? at : max_i64(at, half + SECONDS(3600));
    return max_i64(at, s->spaced_ns);
}

/* One of the next of a source that counts is resolved soon anyhow. */
static bool can_be_named(const struct entry *e, bool is_in_reach)
{
    return e->is_queued && e->wants_name && !e->was_named && !e->action && e->is_absent &&
           e->state == SUPPLY_NEW && !(e->is_metered && is_in_reach);
}

static struct entry *first_unnamed(const struct supply *s)
{
    int ahead = AHEAD;
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        bool is_in_reach = entry_is_in_reach(e, &ahead);
        if (can_be_named(e, is_in_reach) && name_open_ns(s, e) <= s->now_ns)
            return e;
    }
    return NULL;
}

/* Somebody waits for what is under way, or there is no more room beside it, or it is not known yet who is first. */
static bool is_busy(const struct supply *s)
{
    int works = 0;
    bool is_awaited = false;
    for (size_t i = 0; i < s->count; i++) {
        const struct entry *e = s->entry[i];
        works += entry_works(e);
        bool is_late = e->needed_ns != NO_TIME && e->needed_ns <= s->now_ns;
        is_awaited |= (e->state == SUPPLY_RESOLVING && is_urgent(s, e)) ||
                      (e->state == SUPPLY_FETCHING && !e->is_started && is_late) ||
                      (e->action && e->doing == SUPPLY_LOOK);
    }
    return is_awaited || works >= DOWNLOADS;
}

/* The one that is being named would be the next to be fetched: that names it, too. */
static void make_way(struct supply *s)
{
    struct entry *e = naming(s);
    int ahead = AHEAD;
    for (size_t i = 0; e && i < s->count && has_place(s); i++) {
        const struct entry *other = s->entry[i];
        bool is_in_reach = entry_is_in_reach(other, &ahead);
        if (is_in_reach && can_begin(other) && open_ns(s, other) <= s->now_ns)
            return;
        if (is_in_reach && other == e && open_ns(s, e) <= s->now_ns)
            entry_cancel(s, e);
    }
}

static void ask_names(struct supply *s)
{
    struct entry *e = naming(s) || is_busy(s) ? NULL : first_unnamed(s);
    if (!e)
        return;
    supply_ask(s, SUPPLY_NAME, e)->timeout_ms = NAME_MS;
    count_question(s, e);
}

/* The cache is asked before the world is. */
static void look_up(struct supply *s)
{
    int ahead = AHEAD;
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        if (e->state == SUPPLY_FAILED && e->until_ns <= s->now_ns && !e->action) {
            entry_set_state(e, SUPPLY_NEW);
            e->class[0] = '\0';
            e->is_absent = false;
        }
        bool is_wanted = entry_is_in_reach(e, &ahead) || (e->is_queued && e->wants_name);
        if (is_wanted && e->state == SUPPLY_NEW && !e->is_absent && !e->action)
            supply_ask(s, SUPPLY_LOOK, e)->timeout_ms = LOOK_MS;
    }
}

static void stop_unwanted(struct supply *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (!s->entry[i]->is_queued && s->entry[i]->state == SUPPLY_FETCHING)
            entry_cancel(s, s->entry[i]);
}

/* Nobody works on it, and nobody will before its time is over. */
static bool is_stuck(const struct entry *e)
{
    return e->state == SUPPLY_WAITING || (e->state == SUPPLY_NEW && !e->action);
}

static void give_up_late(struct supply *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        if (e->overdue_ns >= GIVE_UP_NS && is_stuck(e))
            entry_give_up(s, e);
    }
}

/* Where the room is silent, what comes much faster than it plays need not be far ahead. */
static double in_hand_wanted_s(const struct supply *s, const struct entry *e)
{
    if (e->is_live)
        return LIVE_S;
    double went_s = (double)(e->heard_ns - e->began_ns) / 1e9;
    double share = e->done ? (double)(e->done - e->began_bytes) / (double)e->done : 0;
    double gained_s = e->in_hand_s * share;
    bool is_waited_for = e->needed_ns <= s->now_ns && went_s >= PACE_AFTER_S;
    if (is_waited_for && gained_s >= PACE_GOOD * went_s)
        return AT_ONCE_S;
    return is_waited_for && gained_s >= PACE_MIN * went_s ? SOON_S : IN_HAND_S;
}

static bool may_start(const struct supply *s, const struct entry *e)
{
    return e->state == SUPPLY_FETCHING && !e->is_cancelling && e->can_grow && !e->is_started &&
           e->in_hand_s >= in_hand_wanted_s(s, e) && e->needed_ns != NO_TIME &&
           e->needed_ns - s->now_ns <= (int64_t)(IN_HAND_S * 1e9);
}

static void start_growing(struct supply *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        if (may_start(s, e)) {
            e->is_started = true;
            supply_put(s, SUPPLY_START, e, "");
        }
    }
}

/* Beside a file that plays while it grows, others get a quarter of the line. */
static void hold_back(struct supply *s)
{
    bool is_growing = false;
    for (size_t i = 0; i < s->count; i++)
        is_growing |= entry_is_growing(s->entry[i]);
    for (size_t i = 0; i < s->count; i++) {
        struct entry *e = s->entry[i];
        bool is_held = is_growing && !entry_is_growing(e);
        if (e->state != SUPPLY_FETCHING || is_held == (e->limit > 0))
            continue;
        uint64_t quarter = s->bandwidth / 4;
        e->limit = is_held ? quarter > LIMIT_MIN ? quarter : LIMIT_MIN : 0;
        struct supply_action *a = supply_put(s, SUPPLY_LIMIT, e, "");
        a->id = e->action;
        a->limit = e->limit;
    }
}

void supply_decide(struct supply *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->breaker_ns); i++)
        if (s->breaker_ns[i] <= s->now_ns)
            s->breaker_ns[i] = NO_TIME;
    if (s->full_ns <= s->now_ns)
        s->full_ns = NO_TIME;
    give_up_late(s);
    look_up(s);
    stop_unwanted(s);
    make_way(s);
    for (struct entry *e; (e = candidate(s)) && has_place(s);)
        begin(s, e);
    struct entry *next = candidate(s);
    struct entry *stops = next && is_urgent(s, next) ? victim(s, next) : NULL;
    struct entry *slow = next && is_urgent(s, next) && !stops ? laggard(s) : NULL;
    if (stops)
        entry_cancel(s, stops);
    if (slow) {
        slow->has_lagged = true;
        entry_cancel(s, slow);
    }
    start_growing(s);
    hold_back(s);
    ask_names(s);
}

/* ---- when it changes ------------------------------------------------------------------------------------------ */

static void consider(const struct supply *s, int64_t *first, int64_t at_ns)
{
    if (at_ns > s->now_ns && at_ns < *first)
        *first = at_ns;
}

static int64_t give_up_ns(const struct supply *s, const struct entry *e)
{
    if (!s->is_up || !is_stuck(e))
        return INT64_MAX;
    int64_t left_ns = GIVE_UP_NS - e->overdue_ns;
    if (e->is_overdue)
        return s->now_ns + left_ns;
    return e->needed_ns == NO_TIME ? INT64_MAX : max_i64(s->now_ns, e->needed_ns) + left_ns;
}

int64_t supply_next_change_ns(const struct supply *s)
{
    int64_t first = INT64_MAX;
    int ahead = AHEAD;
    for (size_t i = 0; i < s->count; i++) {
        const struct entry *e = s->entry[i];
        if (can_be_named(e, entry_is_in_reach(e, &ahead)))
            consider(s, &first, name_open_ns(s, e));
        consider(s, &first, give_up_ns(s, e));
        if (e->state == SUPPLY_FAILED)
            consider(s, &first, e->until_ns);
        if (can_begin(e)) {
            consider(s, &first, open_ns(s, e));
            if (e->needed_ns != NO_TIME)
                consider(s, &first, e->needed_ns - URGENT_NS);
        }
        if (e->state == SUPPLY_FETCHING) {
            consider(s, &first, e->began_ns + SLOW_AFTER_NS);
            consider(s, &first, e->began_ns + PATIENCE_NS);
            if (e->needed_ns != NO_TIME)
                consider(s, &first, e->needed_ns - (int64_t)(IN_HAND_S * 1e9));
        }
    }
    return first;
}
