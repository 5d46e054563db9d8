#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "sync/hop_timer.h"

static void disk_counts_what_its_journal_held(void **state)
{
    struct hop_timer t = { 0 };
    hop_timer_begin(&t, 1, MS(10));
    hop_timer_begin(&t, 2, MS(20));
    hop_timer_saved(&t, 100, MS(25)); /* asked for before they were made */
    assert_int_equal(t.to_disk.count, 0);
    hop_timer_asked(&t, 5);
    hop_timer_begin(&t, 3, MS(30));
    hop_timer_asked(&t, 6);
    hop_timer_saved(&t, 4, MS(40));
    assert_int_equal(t.to_disk.count, 0);
    hop_timer_saved(&t, 5, MS(50));
    assert_int_equal(t.to_disk.count, 2);
    assert_int_equal(t.to_disk.max_ns, MS(40));
    hop_timer_saved(&t, 7, MS(90)); /* a later one holds it, too */
    assert_int_equal(t.to_disk.count, 3);
    assert_int_equal(t.to_disk.max_ns, MS(60));
    hop_timer_saved(&t, 8, MS(900));
    assert_int_equal(t.to_disk.count, 3);
}

static void server_confirms_the_oldest_first(void **state)
{
    struct hop_timer t = { 0 };
    hop_timer_pending(&t, 2, 0); /* of a former life: not measured */
    hop_timer_begin(&t, 3, MS(10));
    hop_timer_begin(&t, 4, MS(20));
    hop_timer_pending(&t, 4, MS(25));
    hop_timer_pending(&t, 2, MS(30));
    assert_int_equal(t.to_server.count, 0);
    hop_timer_pending(&t, 1, MS(40));
    assert_int_equal(t.to_server.count, 1);
    assert_int_equal(t.to_server.max_ns, MS(30));
    hop_timer_pending(&t, 5, MS(50)); /* the engine's own come after */
    hop_timer_pending(&t, 4, MS(70));
    assert_int_equal(t.to_server.count, 2);
    assert_int_equal(t.to_server.max_ns, MS(50));
    hop_timer_pending(&t, 0, MS(900));
    assert_int_equal(t.to_server.count, 2);
}

static void more_than_it_holds_is_not_measured(void **state)
{
    struct hop_timer t = { 0 };
    for (size_t i = 1; i <= 3 * HOP_TIMER_MAX; i++)
        hop_timer_begin(&t, i, MS(1));
    hop_timer_asked(&t, 1);
    hop_timer_saved(&t, 1, MS(2));
    hop_timer_pending(&t, 0, MS(3));
    assert_int_equal(t.to_disk.count, HOP_TIMER_MAX);
    assert_int_equal(t.to_server.count, HOP_TIMER_MAX);
    hop_timer_begin(&t, 1, MS(10));
    hop_timer_pending(&t, 0, MS(11));
    assert_int_equal(t.to_server.count, HOP_TIMER_MAX + 1);
}

static void view_counts_from_the_arrival(void **state)
{
    struct hop_timer t = { 0 };
    hop_timer_view(&t, MS(10), MS(13));
    assert_int_equal(t.to_view.count, 1);
    assert_int_equal(t.to_view.max_ns, MS(3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disk_counts_what_its_journal_held),
        cmocka_unit_test(server_confirms_the_oldest_first),
        cmocka_unit_test(more_than_it_holds_is_not_measured),
        cmocka_unit_test(view_counts_from_the_arrival),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
