#include "hub/accounts_internal.h"

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS  (24 * HOUR_MS)
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

int64_t accounts_now_ms(struct accounts *a)
{
    int64_t step = 0, now = steady_clock_ms(&a->clock, &step);
    if (step > DAY_MS)
        a->skipped_ms += step;
    if (now - a->kept_ms >= HOUR_MS)
        keep_time(a, now);
    return now;
}

int64_t accounts_session_now_ms(struct accounts *a)
{
    int64_t now = accounts_now_ms(a);
    return now - a->skipped_ms;
}
