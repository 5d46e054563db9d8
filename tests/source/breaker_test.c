#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "source/breaker.h"

#define MINUTE SECONDS(60)

enum what { END, FAIL, SUCCEED, BEGIN };

/* What happens to a breaker, and what it is like after it. */
struct step {
    enum what what;
    int64_t minute;
    enum failure failure;
    uint64_t item, source;
    int64_t retry_after_minutes;
    bool changes; /* opened or closed it */
    bool is_open;
    int64_t next_minute; /* when it allows something; -1: now */
};

static void live(enum breaker_kind kind, const char *name, const struct step *steps)
{
    struct breaker b;
    breaker_init(&b, kind);
    assert_true(breaker_allows(&b, 0));
    for (const struct step *s = steps; s->what != END; s++) {
        struct breaker_failure f = { s->failure, s->item, s->source,
                                     s->retry_after_minutes * MINUTE };
        int64_t now = s->minute * MINUTE;
        bool changed = false;
        if (s->what == FAIL)
            changed = breaker_failed(&b, &f, now);
        else if (s->what == SUCCEED)
            changed = breaker_succeeded(&b);
        else
            breaker_begin(&b, now);
        int64_t next = s->next_minute * MINUTE;
        if (changed != s->changes || b.is_open != s->is_open ||
            (s->is_open && (breaker_allows(&b, next - 1) || !breaker_allows(&b, next))) ||
            (!s->is_open && !breaker_allows(&b, now)))
            fail_msg("%s, step %d: changed %d open %d next %.2f", name, (int)(s - steps) + 1,
                     changed, b.is_open, (double)b.next_ns / MINUTE);
    }
}

static void three_songs_that_fail_by_the_tool_open_it(void **state)
{
    live(BREAKER_TOOL, "three songs",
         (struct step[]){
             { FAIL, 0, FAILURE_SOLVER, 1 },
             { FAIL, 1, FAILURE_EXTRACTOR_BUG, 2 },
             { FAIL, 2, FAILURE_NO_FORMAT, 3, .changes = true, .is_open = true, .next_minute = 12 },
             { BEGIN, 12, .is_open = true, .next_minute = 22 },
             { FAIL, 13, FAILURE_SOLVER, 4, .is_open = true, .next_minute = 23 },
             { SUCCEED, 24, .changes = true },
             { FAIL, 25, FAILURE_SOLVER, 5 },
             { FAIL, 25, FAILURE_SOLVER, 6 },
             { 0 } });
    live(BREAKER_TOOL, "the same song again",
         (struct step[]){ { FAIL, 0, FAILURE_SOLVER, 1 },
                          { FAIL, 1, FAILURE_SOLVER, 1 },
                          { FAIL, 2, FAILURE_SOLVER, 1 },
                          { FAIL, 3, FAILURE_SOLVER, 2 },
                          { 0 } });
    live(BREAKER_TOOL, "in more than half an hour",
         (struct step[]){
             { FAIL, 0, FAILURE_SOLVER, 1 },
             { FAIL, 20, FAILURE_SOLVER, 2 },
             { FAIL, 31, FAILURE_SOLVER, 3 },
             { FAIL, 49, FAILURE_SOLVER, 4, .changes = true, .is_open = true, .next_minute = 59 },
             { 0 } });
    live(BREAKER_TOOL, "songs that are refused",
         (struct step[]){ { FAIL, 0, FAILURE_PRIVATE, 1 },
                          { FAIL, 0, FAILURE_AGE, 2 },
                          { FAIL, 0, FAILURE_DNS, 3 },
                          { FAIL, 0, FAILURE_RATE, 4 },
                          { 0 } });
}

static void three_songs_in_a_row_that_are_gone_open_it(void **state)
{
    live(BREAKER_TOOL, "three gone",
         (struct step[]){ { FAIL, 0, FAILURE_REMOVED, 1 },
                          { FAIL, 1, FAILURE_REMOVED, 1 },
                          { FAIL, 200, FAILURE_REMOVED, 2 },
                          { FAIL, 400, FAILURE_REMOVED, 3, .changes = true, .is_open = true,
                            .next_minute = 410 },
                          { 0 } });
    live(BREAKER_TOOL, "one was there",
         (struct step[]){ { FAIL, 0, FAILURE_REMOVED, 1 },
                          { FAIL, 1, FAILURE_REMOVED, 2 },
                          { SUCCEED, 2 },
                          { FAIL, 3, FAILURE_REMOVED, 3 },
                          { 0 } });
}

static void without_answers_from_two_sites_the_net_is_down(void **state)
{
    live(BREAKER_NET, "two sites",
         (struct step[]){
             { FAIL, 0, FAILURE_DNS, .source = 1 },
             { FAIL, 1, FAILURE_TIMEOUT, .source = 2, .changes = true, .is_open = true,
               .next_minute = 2 },
             { BEGIN, 2, .is_open = true, .next_minute = 3 },
             { FAIL, 2, FAILURE_CONNECT, .source = 2, .is_open = true, .next_minute = 3 },
             { BEGIN, 3, .is_open = true, .next_minute = 4 },
             /* an answer, though not a nice one */
             { FAIL, 3, FAILURE_REMOVED, .source = 2, .changes = true },
             { 0 } });
    live(BREAKER_NET, "one site, three times",
         (struct step[]){ { FAIL, 0, FAILURE_CONNECT, .source = 1 },
                          { FAIL, 1, FAILURE_CONNECT, .source = 1 },
                          { FAIL, 2, FAILURE_CONNECT, .source = 1, .changes = true, .is_open = true,
                            .next_minute = 3 },
                          { SUCCEED, 3, .changes = true },
                          { 0 } });
    live(BREAKER_NET, "long apart",
         (struct step[]){ { FAIL, 0, FAILURE_CONNECT, .source = 1 },
                          { FAIL, 6, FAILURE_CONNECT, .source = 2 },
                          { FAIL, 12, FAILURE_CONNECT, .source = 3 },
                          { FAIL, 18, FAILURE_CONNECT, .source = 4 },
                          { 0 } });
    live(BREAKER_NET, "what says nothing of the net",
         (struct step[]){ { FAIL, 0, FAILURE_CONNECT, .source = 1 },
                          { FAIL, 0, FAILURE_DISK, .source = 2 },
                          { FAIL, 0, FAILURE_CANCELLED, .source = 3 },
                          { FAIL, 0, FAILURE_DNS, .source = 2, .changes = true, .is_open = true,
                            .next_minute = 1 },
                          { 0 } });
}

static void a_block_lasts_longer_each_time(void **state)
{
    live(BREAKER_SOURCE, "robot",
         (struct step[]){
             { FAIL, 0, FAILURE_BOT_CHECK, .changes = true, .is_open = true, .next_minute = 30 },
             /* one that was under way when the first came */
             { FAIL, 1, FAILURE_BOT_CHECK, .is_open = true, .next_minute = 30 },
             { BEGIN, 30, .is_open = true, .next_minute = 40 },
             { FAIL, 30, FAILURE_BOT_CHECK, .is_open = true, .next_minute = 90 },
             { BEGIN, 90, .is_open = true, .next_minute = 100 },
             { FAIL, 90, FAILURE_BOT_CHECK, .is_open = true, .next_minute = 210 },
             { BEGIN, 210, .is_open = true, .next_minute = 220 },
             { FAIL, 210, FAILURE_BOT_CHECK, .is_open = true, .next_minute = 450 },
             { BEGIN, 450, .is_open = true, .next_minute = 460 },
             { FAIL, 450, FAILURE_BOT_CHECK, .is_open = true, .next_minute = 810 },
             { BEGIN, 810, .is_open = true, .next_minute = 820 },
             { FAIL, 810, FAILURE_BOT_CHECK, .is_open = true, .next_minute = 1170 },
             { BEGIN, 1170, .is_open = true, .next_minute = 1180 },
             /* it looked at the song, so it talks to us */
             { FAIL, 1170, FAILURE_PRIVATE, .changes = true },
             { FAIL, 1171, FAILURE_BOT_CHECK, .changes = true, .is_open = true,
               .next_minute = 1201 },
             { 0 } });
    live(BREAKER_SOURCE, "rate",
         (struct step[]){
             { FAIL, 0, FAILURE_RATE, .changes = true, .is_open = true, .next_minute = 15 },
             { BEGIN, 15, .is_open = true, .next_minute = 25 },
             { FAIL, 15, FAILURE_RATE, .retry_after_minutes = 5, .is_open = true,
               .next_minute = 45 },
             { BEGIN, 45, .is_open = true, .next_minute = 55 },
             { FAIL, 45, FAILURE_RATE, .retry_after_minutes = 180, .is_open = true,
               .next_minute = 225 },
             { BEGIN, 225, .is_open = true, .next_minute = 235 },
             /* "removed" may be the block in other words */
             { FAIL, 225, FAILURE_REMOVED, .is_open = true, .next_minute = 235 },
             { SUCCEED, 235, .changes = true },
             { 0 } });
    live(BREAKER_SOURCE, "trouble of its own",
         (struct step[]){
             { FAIL, 0, FAILURE_SERVER },
             { FAIL, 1, FAILURE_SERVER },
             { FAIL, 2, FAILURE_SERVER, .changes = true, .is_open = true, .next_minute = 12 },
             { BEGIN, 12, .is_open = true, .next_minute = 22 },
             { FAIL, 12, FAILURE_SERVER, .is_open = true, .next_minute = 22 },
             { SUCCEED, 23, .changes = true },
             { FAIL, 24, FAILURE_SERVER },
             { 0 } });
}

/* A day of attempts every 10 s against a site that is out of order at times: it is seldom asked while it is, and
 * asked again soon after. */
static void simulated_days_ask_seldom_while_it_is_out_of_order(void **state)
{
    static const enum failure block[] = { FAILURE_BOT_CHECK, FAILURE_RATE, FAILURE_SERVER,
                                          FAILURE_DNS, FAILURE_SOLVER };
    static const enum breaker_kind kinds[] = { BREAKER_SOURCE, BREAKER_SOURCE, BREAKER_SOURCE,
                                               BREAKER_NET, BREAKER_TOOL };
    static const int64_t longest_minutes[] = { 360, 120, 10, 1, 10 };
    for (size_t i = 0; i < ARRAY_LEN(block); i++) {
        struct breaker b;
        breaker_init(&b, kinds[i]);
        unsigned asked = 0, answered = 0;
        int64_t works_again = 0, outage_end = 8 * 60 * MINUTE;
        for (int64_t now = 0; now < 24 * 60 * MINUTE; now += SECONDS(10)) {
            bool is_out = now < outage_end;
            if (!breaker_allows(&b, now))
                continue;
            breaker_begin(&b, now);
            if (is_out) {
                asked++;
                struct breaker_failure f = { block[i], asked, asked, 0 };
                (void)breaker_failed(&b, &f, now + SECONDS(1));
            } else {
                answered++;
                works_again = works_again ? works_again : now;
                breaker_succeeded(&b);
            }
        }
        assert_true(asked <=
                    3 + 8 * 60 / (unsigned)(longest_minutes[i] < 30 ? longest_minutes[i] : 30));
        assert_true(works_again - outage_end <= longest_minutes[i] * MINUTE + SECONDS(11));
        assert_true(answered > 2000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_songs_that_fail_by_the_tool_open_it),
        cmocka_unit_test(three_songs_in_a_row_that_are_gone_open_it),
        cmocka_unit_test(without_answers_from_two_sites_the_net_is_down),
        cmocka_unit_test(a_block_lasts_longer_each_time),
        cmocka_unit_test(simulated_days_ask_seldom_while_it_is_out_of_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
