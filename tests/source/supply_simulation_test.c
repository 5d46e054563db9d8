/* Thousands of evenings. A failing seed is printed; support/simulation.h says how it is replayed. */
#include "source/supply_world.h"

#define EVENING_NS SECONDS(3600)
#define QUIET_NS   SECONDS(2700)
#define MAIN_SONGS 8
#define TURN_S     100 /* resolving, fetching and checking one song, in a healthy world */

/* ---- the player ------------------------------------------------------------------------------------------- */

static void note_near(struct world *w)
{
    for (int i = 0; i < SONGS; i++) {
        bool is_near = false;
        for (size_t p = 0; p < w->count; p++)
            if (w->queue[p] == i)
                is_near |= w->is_request[p] || p <= 3;
        if (!is_near)
            w->song[i].near_ns = NO_TIME;
        else if (w->song[i].near_ns == NO_TIME)
            w->song[i].near_ns = w->sim.now_ns;
    }
}

static void tell_queue(struct world *w)
{
    struct supply_wanted wanted[QUEUE_MAX];
    int64_t at_ns = w->is_playing ? w->ends_ns : w->sim.now_ns;
    for (size_t i = 0; i < w->count; i++) {
        const struct song *s = &w->song[w->queue[i]];
        wanted[i] = (struct supply_wanted){
            .key = s->key,
            .source = s->source,
            .is_metered = s->is_metered,
            .is_request = w->is_request[i],
            .wants_name = s->wants_name,
            .is_playing = i == 0 && w->is_playing,
            .duration_s = s->duration_s,
            .needed_ns = i == 0 && w->is_playing ? w->sim.now_ns : at_ns,
        };
        if (i || !w->is_playing)
            at_ns += (int64_t)(s->duration_s * 1e9);
    }
    size_t count = w->broken == LOOKS_NO_FURTHER && w->count ? 1 : w->count;
    note_near(w);
    supply_queue(w->supply, wanted, count, w->sim.now_ns);
    drain(w);
}

static void move_first(struct world *w, size_t from)
{
    int song = w->queue[from];
    bool is_request = w->is_request[from];
    queue_remove(w, from);
    memmove(&w->queue[1], &w->queue[0], w->count * sizeof(*w->queue));
    memmove(&w->is_request[1], &w->is_request[0], w->count * sizeof(*w->is_request));
    w->queue[0] = song;
    w->is_request[0] = is_request;
    w->count++;
}

/* In a healthy world, the first one had its time. */
static void check_turn(struct world *w)
{
    const struct song *s = &w->song[w->queue[0]];
    int64_t fair_ns = SECONDS((int64_t)TURN_S * (int64_t)(4 + requests(w)));
    if (w->is_healthy && !s->is_permanent && s->near_ns != NO_TIME &&
        w->sim.now_ns - s->near_ns > fair_ns)
        breach(&w->sim, "%s was not ready in its turn", s->key);
}

static void play_next(struct world *w)
{
    size_t i = 0;
    while (i < w->count && !may_play(w, w->queue[i]))
        i++;
    if (w->count && i)
        check_turn(w);
    if (i == w->count) {
        w->idle_turns++;
        return;
    }
    move_first(w, i);
    w->is_playing = true;
    w->plays++;
    w->ends_ns = w->sim.now_ns + (int64_t)(w->song[w->queue[0]].duration_s * 1e9);
    trace(&w->sim, "%s plays", w->song[w->queue[0]].key);
    tell_queue(w);
}

static void song_ends(struct world *w)
{
    int song = w->queue[0];
    bool was_request = w->is_request[0];
    w->is_playing = false;
    w->ends_ns = INT64_MAX;
    queue_remove(w, 0);
    if (!was_request) {
        w->queue[w->count] = song;
        w->is_request[w->count++] = false;
    }
    tell_queue(w);
    play_next(w);
    tell_queue(w);
}

/* ---- guests and misfortune --------------------------------------------------------------------------------- */

static void guest_asks(struct world *w)
{
    int song = pick(&w->sim, SONGS);
    size_t at = (w->is_playing ? 1 : 0);
    if (w->count >= QUEUE_MAX - 4 || requests(w) > 6 || is_queued(w, song))
        return;
    while (at < w->count && w->is_request[at])
        at++;
    memmove(&w->queue[at + 1], &w->queue[at], (w->count - at) * sizeof(*w->queue));
    memmove(&w->is_request[at + 1], &w->is_request[at], (w->count - at) * sizeof(*w->is_request));
    w->queue[at] = song;
    w->is_request[at] = true;
    w->count++;
    trace(&w->sim, "somebody wants %s", w->song[song].key);
}

static void staff_edits(struct world *w)
{
    size_t first = w->is_playing ? 1 : 0;
    if (w->count < first + 3)
        return;
    size_t at = first + (size_t)pick(&w->sim, (int)(w->count - first));
    if (pick(&w->sim, 3) == 0 && w->count > 5) {
        queue_remove(w, at);
    } else {
        int song = w->queue[at];
        bool is_request = w->is_request[at];
        queue_remove(w, at);
        memmove(&w->queue[first + 1], &w->queue[first], (w->count - first) * sizeof(*w->queue));
        memmove(&w->is_request[first + 1], &w->is_request[first],
                (w->count - first) * sizeof(*w->is_request));
        w->queue[first] = song;
        w->is_request[first] = is_request;
        w->count++;
    }
}

static void power_cut(struct world *w)
{
    trace(&w->sim, "power cut");
    supply_destroy(w->supply);
    memset(w->op, 0, sizeof(w->op));
    w->supply = supply_create(rnd(&w->sim), w->sim.now_ns);
    w->is_playing = false;
    w->ends_ns = INT64_MAX;
    w->is_up = true;
    for (size_t i = 0; i < METERED_MAX; i++) /* it does not remember: nor does this */
        w->metered_ns[i] = INT64_MIN / 2;
}

static void misfortune(struct world *w)
{
    int song = pick(&w->sim, SONGS);
    switch (pick(&w->sim, 7)) {
    case 0: power_cut(w); break;
    case 1:
    case 2:
        w->down_until_ns = w->sim.now_ns + SECONDS(5 + pick(&w->sim, 400));
        trace(&w->sim, "the line is cut");
        break;
    case 3:
        w->bandwidth = (uint64_t)RATE * (uint64_t)(1 + pick(&w->sim, 40)) / 4;
        trace(&w->sim, "the line has %.0f kB/s", (double)w->bandwidth / 1e3);
        break;
    case 4:
        w->breaker_until_ns = w->sim.now_ns + SECONDS(60 + pick(&w->sim, 1200));
        supply_breaker(w->supply, pick(&w->sim, 2) ? 1 : SUPPLY_SOURCES, w->breaker_until_ns,
                       w->sim.now_ns);
        break;
    case 5:
        if (w->song[song].is_cached && !(is_queued(w, song) && w->queue[0] == song)) {
            w->song[song].is_cached = w->song[song].was_checked = false; /* damaged */
            supply_lost(w->supply, w->song[song].key, w->sim.now_ns);
        }
        break;
    default: supply_room(w->supply, w->sim.now_ns); break;
    }
    drain(w);
}

static void actor(struct world *w)
{
    w->actor_ns = w->sim.now_ns + SECONDS(5 + pick(&w->sim, w->is_healthy ? 240 : 90));
    if (w->is_quiet)
        return;
    int dice = pick(&w->sim, 10);
    if (dice < 5)
        guest_asks(w);
    else if (dice < 7 && !w->is_healthy)
        staff_edits(w);
    else if (!w->is_healthy)
        misfortune(w);
    tell_queue(w);
}

/* ---- the run ---------------------------------------------------------------------------------------------- */

static void world_begin(struct world *w, uint64_t seed, enum broken broken)
{
    *w = (struct world){
        .sim = { .random = seed, .now_ns = SECONDS(100) },
        .broken = broken,
        .is_up = true,
    };
    w->is_healthy = pick(&w->sim, 4) == 0;
    w->ends_ns = INT64_MAX;
    w->tick_ns = w->actor_ns = w->sim.now_ns;
    w->bandwidth =
        (uint64_t)RATE * (uint64_t)(w->is_healthy ? 4 + pick(&w->sim, 30) : 1 + pick(&w->sim, 12));
    w->disk = w->is_healthy ? UINT64_MAX : UINT64_C(75000000) * (uint64_t)(12 + pick(&w->sim, 30));
    for (size_t i = 0; i < METERED_MAX; i++)
        w->metered_ns[i] = INT64_MIN / 2;
    for (int i = 0; i < SONGS; i++) {
        struct song *s = &w->song[i];
        snprintf(s->key, sizeof(s->key), "song%d", i);
        s->duration_s = 90 + pick(&w->sim, 200);
        s->bytes = (uint64_t)(s->duration_s * RATE);
        s->source = (unsigned)pick(&w->sim, 2);
        s->is_metered = s->source == 1;
        s->can_grow = pick(&w->sim, 2);
        s->wants_name = pick(&w->sim, 3) == 0;
        s->is_permanent = pick(&w->sim, 10) == 0;
        s->is_hopeless = !w->is_healthy && !s->is_permanent && pick(&w->sim, 12) == 0;
        s->failing_percent = w->is_healthy || pick(&w->sim, 2) ? 0 : pick(&w->sim, 70);
        s->stale = w->is_healthy || pick(&w->sim, 3) ? 0 : pick(&w->sim, 8);
        s->near_ns = NO_TIME;
        s->is_cached = s->was_checked = !w->is_healthy && pick(&w->sim, 4) == 0;
    }
    while (w->count < MAIN_SONGS) {
        int song = pick(&w->sim, SONGS);
        if (!is_queued(w, song))
            w->queue[w->count++] = song;
    }
    w->supply = supply_create(rnd(&w->sim), w->sim.now_ns);
    tell_queue(w);
}

static void follow_line(struct world *w)
{
    bool is_up = w->sim.now_ns >= w->down_until_ns;
    if (is_up == w->is_up)
        return;
    w->is_up = is_up;
    supply_network(w->supply, is_up, w->sim.now_ns);
    drain(w);
}

static int64_t next_time(const struct world *w)
{
    int64_t at = min_i64(min_i64(w->tick_ns, w->actor_ns), w->ends_ns);
    int64_t own = supply_deadline_ns(w->supply);
    if (w->broken == NEVER_SLEEPS && own != INT64_MAX)
        own = w->sim.now_ns;
    for (size_t i = 0; i < OPS_MAX; i++)
        if (w->op[i].id)
            at = min_i64(at, w->op[i].due_ns);
    return min_i64(at, own);
}

static void turn(struct world *w)
{
    for (size_t i = 0; i < OPS_MAX && !w->sim.failure[0]; i++)
        if (w->op[i].id && w->op[i].due_ns <= w->sim.now_ns)
            op_ends(w, &w->op[i]);
    follow_line(w);
    if (w->sim.now_ns >= w->tick_ns) {
        tick(w);
        tell_queue(w);
    }
    if (w->is_playing && w->sim.now_ns >= w->ends_ns)
        song_ends(w);
    else if (!w->is_playing)
        play_next(w);
    if (w->sim.now_ns >= w->actor_ns)
        actor(w);
    supply_time(w->supply, w->sim.now_ns);
    drain(w);
    if (supply_deadline_ns(w->supply) <= w->sim.now_ns && !w->sim.failure[0])
        breach(&w->sim, "its deadline is not ahead");
}

static void run_until(struct world *w, int64_t end_ns)
{
    int stuck = 0;
    for (int64_t at; (at = next_time(w)) <= end_ns && !w->sim.failure[0];) {
        stuck = at > w->sim.now_ns ? 0 : stuck + 1;
        if (stuck > 100)
            breach(&w->sim, "time stands still");
        w->sim.now_ns = max_i64(w->sim.now_ns, at);
        turn(w);
    }
}

static void heal(struct world *w)
{
    w->is_quiet = true;
    w->down_until_ns = w->breaker_until_ns = 0;
    w->bandwidth = (uint64_t)RATE * 6;
    w->disk = UINT64_MAX;
    for (int i = 0; i < SONGS; i++)
        w->song[i].stale = 0;
    for (unsigned i = 0; i <= SUPPLY_SOURCES; i++)
        supply_breaker(w->supply, i, NO_TIME, w->sim.now_ns);
    supply_room(w->supply, w->sim.now_ns);
    drain(w);
    trace(&w->sim, "---- healed");
}

/* What could be had for long enough is there, unless it was given up for a while. */
static void check_end(struct world *w)
{
    for (int i = 0; i < SONGS; i++) {
        const struct song *s = &w->song[i];
        struct supply_status st = { .state = SUPPLY_NEW };
        (void)supply_status(w->supply, s->key, &st);
        if (s->is_permanent || s->is_hopeless || s->near_ns == NO_TIME || st.state == SUPPLY_FAILED)
            continue;
        int64_t since_ns = max_i64(s->near_ns, s->refused_until_ns);
        if (w->sim.now_ns - since_ns > SECONDS(1500) && st.state != SUPPLY_READY)
            breach(&w->sim, "%s starves: %s", s->key, supply_state_name(st.state));
    }
}

/* false: `failure` says what. */
static bool run(uint64_t seed, int broken, bool traces, char failure[FAILURE_SIZE])
{
    struct world w;
    world_begin(&w, seed, (enum broken)broken);
    w.sim.traces = traces;
    run_until(&w, w.sim.now_ns + EVENING_NS);
    if (!w.is_healthy && !w.sim.failure[0]) {
        heal(&w);
        run_until(&w, w.sim.now_ns + QUIET_NS);
    }
    if (!w.sim.failure[0])
        check_end(&w);
    if (traces)
        printf("%" PRIu64 " plays, %" PRIu64 " waits, %" PRIu64 " without music\n", w.plays,
               w.waits, w.idle_turns);
    memcpy(failure, w.sim.failure, FAILURE_SIZE);
    supply_destroy(w.supply);
    return !failure[0];
}

static void no_evening_comes_to_harm(void **state)
{
    /* Songs far behind were given up: one of the tail had played before its turn. */
    static const uint64_t once_failed[] = { 100338 };
    run_seeds(run, once_failed, ARRAY_LEN(once_failed), 4000, 200000);
}

static void broken_managers_are_caught(void **state)
{
    static const struct {
        enum broken broken;
        const char *says;
    } cases[] = {
        { FETCHES_TWICE, "is fetched twice" },
        { CHECKS_NOTHING, "not checked" },
        { LOOKS_NO_FURTHER, "was not ready in its turn" },
        { STORMS, "times in an hour" },
        { NEVER_SLEEPS, "time stands still" },
        { STUBBORN, "although it failed for good" },
        { GREEDY, "was evicted" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_caught(run, cases[i].broken, 500, cases[i].says);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_evening_comes_to_harm),
        cmocka_unit_test(broken_managers_are_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
