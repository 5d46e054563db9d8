#include "hub/accounts_internal.h"

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
/* 2025-01-01: a clock that says less was never set. */
#define FIRST_PLAUSIBLE_MS ((int64_t)1735689600 * 1000)

bool accounts_load_time(struct accounts *a, const struct steady_clock_source *source)
{
    sqlite3_stmt *s =
        database_statement(a->database, "SELECT now_ms, skipped_ms FROM account_time WHERE id = 1");
    int ret = s ? database_step(a->database, s) : -1;
    if (ret < 0)
        return false;
    a->kept_ms = -HOUR_MS; /* nothing is kept: the first call does */
    if (ret == 1) {
        a->kept_ms = sqlite3_column_int64(s, 0);
        a->skipped_ms = sqlite3_column_int64(s, 1);
        sqlite3_reset(s);
    }
    steady_clock_init(&a->clock, source, a->kept_ms);
    int64_t now = a->clock.now_ms;
    if (ret == 1 && a->kept_ms < FIRST_PLAUSIBLE_MS && now >= FIRST_PLAUSIBLE_MS)
        a->skipped_ms += now - a->kept_ms;
    return true;
}

/* Another program beside us may have written a later one. Not being able to is no error of who asks: it is tried again
 * with the next request. */
static void keep_time(struct accounts *a, int64_t now)
{
    sqlite3_stmt *s = database_statement(
        a->database, "INSERT INTO account_time(id, now_ms, skipped_ms) VALUES(1, ?1, ?2)"
                     " ON CONFLICT(id) DO UPDATE SET now_ms = max(now_ms, ?1),"
                     " skipped_ms = max(skipped_ms, ?2)");
    bind_i64(s, 1, now);
    bind_i64(s, 2, a->skipped_ms);
    struct api_error ignored;
    if (accounts_begin(a, &ignored) && accounts_run(a, s, &ignored))
        a->kept_ms = now;
}

/* A program that starts while the wall clock is behind begins with the time that is kept: what it makes for minutes only,
 * beside a hub, must not be over for that one. */
static int64_t keep_every_ms(const struct accounts *a, int64_t now)
{
    const struct steady_clock_source *source = &a->clock.source;
    return source->wall_ms(source->ctx) < now - MINUTE_MS ? MINUTE_MS : HOUR_MS;
}

int64_t accounts_now_ms(struct accounts *a)
{
    int64_t step = 0, now = steady_clock_ms(&a->clock, &step);
    if (step > DAY_MS)
        a->skipped_ms += step;
    if (now - a->kept_ms >= keep_every_ms(a, now))
        keep_time(a, now);
    return now;
}

int64_t accounts_session_now_ms(struct accounts *a)
{
    int64_t now = accounts_now_ms(a);
    return now - a->skipped_ms;
}
