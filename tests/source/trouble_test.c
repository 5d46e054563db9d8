/* What a failure means for the song and for the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "source/trouble.h"

#define SITE 3

static const int64_t T0 = SECONDS(1000);

static struct supply_failure failed(struct trouble *t, enum failure f)
{
    return trouble_failed(t, SITE, "key", f, 0, T0);
}

static void each_class_has_its_fate_and_a_sentence_for_both(void **state)
{
    static const struct {
        enum failure failure;
        enum supply_fate fate;
    } cases[] = {
        { FAILURE_REMOVED, SUPPLY_PERMANENT }, { FAILURE_POLICY, SUPPLY_PERMANENT },
        { FAILURE_URL_403, SUPPLY_ANEW },      { FAILURE_PARTIAL, SUPPLY_ANEW },
        { FAILURE_TOOL, SUPPLY_ANEW },         { FAILURE_BOT_CHECK, SUPPLY_BLOCKED },
        { FAILURE_RATE, SUPPLY_BLOCKED },      { FAILURE_SOLVER, SUPPLY_BLOCKED },
        { FAILURE_DNS, SUPPLY_OFFLINE },       { FAILURE_CONNECT, SUPPLY_OFFLINE },
        { FAILURE_PORTAL, SUPPLY_OFFLINE },    { FAILURE_DISK, SUPPLY_NO_ROOM },
        { FAILURE_CHECK, SUPPLY_AGAIN },       { FAILURE_SERVER, SUPPLY_AGAIN },
        { FAILURE_TRUNCATED, SUPPLY_AGAIN },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct trouble t;
        trouble_init(&t);
        struct supply_failure f = failed(&t, cases[i].failure);
        assert_int_equal(f.fate, cases[i].fate);
        assert_string_equal(f.class, failure_traits(cases[i].failure)->name);
        assert_string_equal(trouble_sentence(f.class, true),
                            failure_traits(cases[i].failure)->staff);
        assert_string_equal(trouble_sentence(f.class, false),
                            failure_traits(cases[i].failure)->guest);
        assert_true(f.refused_s > 0);
    }
    assert_non_null(strstr(trouble_sentence("LATE", false), "in time"));
    assert_non_null(strstr(trouble_sentence("DISK", true), "disk"));
    assert_non_null(strstr(trouble_sentence("SLOW", true), "slowly"));
    assert_non_null(trouble_sentence("never heard of", true));
}

static void what_is_gone_is_asked_for_again_after_a_while_and_a_rule_is_not_kept(void **state)
{
    struct trouble t;
    trouble_init(&t);
    assert_int_equal(failed(&t, FAILURE_REMOVED).refused_s, 3600);
    assert_int_equal(failed(&t, FAILURE_GEO).refused_s, 30 * 86400);
    assert_int_equal(failed(&t, FAILURE_POLICY).refused_s, 60);
}

/* Whether `supply` would begin anything for a song of that site. */
static bool begins(struct trouble *t, unsigned site, int64_t now_ns)
{
    struct supply *s = supply_create(1, now_ns);
    struct supply_wanted w = { .key = "k", .source = site, .needed_ns = now_ns };
    struct supply_action a;
    bool has_begun = false;
    supply_queue(s, &w, 1, now_ns);
    trouble_tell(t, s, now_ns);
    while (supply_next_action(s, &a)) {
        if (a.kind == SUPPLY_LOOK)
            supply_done(s, a.id, &(struct supply_result){ .outcome = SUPPLY_ABSENT }, now_ns);
        has_begun |= a.kind == SUPPLY_RESOLVE;
    }
    supply_destroy(s);
    return has_begun;
}

static void a_site_that_blocks_is_left_alone_and_no_other(void **state)
{
    struct trouble t;
    trouble_init(&t);
    assert_true(begins(&t, SITE, T0));
    failed(&t, FAILURE_BOT_CHECK);
    assert_false(begins(&t, SITE, T0));
    assert_true(begins(&t, SITE + 1, T0));
    assert_true(begins(&t, SITE, T0 + SECONDS(3 * 3600)));
}

static void without_network_nothing_is_asked_but_a_probe_each_minute(void **state)
{
    struct trouble t;
    trouble_init(&t);
    trouble_failed(&t, 1, "a", FAILURE_DNS, 0, T0);
    assert_true(begins(&t, SITE, T0));
    trouble_failed(&t, 2, "b", FAILURE_CONNECT, 0, T0);
    assert_false(begins(&t, SITE, T0));
    int64_t again_ns = trouble_deadline_ns(&t, T0);
    assert_true(again_ns > T0 && again_ns <= T0 + SECONDS(60));
    assert_true(begins(&t, SITE, again_ns));
    trouble_began(&t, SITE, again_ns);
    trouble_succeeded(&t, SITE);
    assert_true(begins(&t, SITE, again_ns));
    assert_int_equal(trouble_deadline_ns(&t, again_ns), NO_TIME);
}

static void three_wrong_addresses_in_a_row_are_a_block_only_at_youtube(void **state)
{
    struct trouble t;
    static const char *const keys[] = { "a", "b", "c" };
    for (unsigned site = TROUBLE_YOUTUBE; site <= SITE; site += SITE) {
        trouble_init(&t);
        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
            trouble_failed(&t, site, keys[i], FAILURE_REMOVED, 0, T0);
        assert_int_equal(begins(&t, SITE + 1, T0), site != TROUBLE_YOUTUBE);
    }
}

static void hosts_share_numbers_but_never_that_of_youtube(void **state)
{
    char url[64];
    for (int i = 0; i < 1000; i++) {
        snprintf(url, sizeof(url), "https://host%d.example/a", i);
        unsigned n = trouble_source_of(url);
        assert_true(n > TROUBLE_YOUTUBE && n < SUPPLY_SOURCES);
    }
    assert_int_equal(trouble_source_of("http://h:1/a?b"), trouble_source_of("http://h:1/c#d"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_has_its_fate_and_a_sentence_for_both),
        cmocka_unit_test(what_is_gone_is_asked_for_again_after_a_while_and_a_rule_is_not_kept),
        cmocka_unit_test(a_site_that_blocks_is_left_alone_and_no_other),
        cmocka_unit_test(without_network_nothing_is_asked_but_a_probe_each_minute),
        cmocka_unit_test(three_wrong_addresses_in_a_row_are_a_block_only_at_youtube),
        cmocka_unit_test(hosts_share_numbers_but_never_that_of_youtube),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
