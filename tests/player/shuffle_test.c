/* Songs of the house come in an order without repeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "player/shuffle.h"

#define SONGS 40

/* The next of the songs "first" .. "first + count - 1". */
static int take(struct shuffle *s, int first, int count)
{
    for (int n = 0; n < SHUFFLE_LOOKS; n++) {
        struct shuffle_look look = shuffle_look(s, n);
        int best = -1;
        for (int i = first; i < first + count; i++) {
            char key[16];
            snprintf(key, sizeof(key), "song-%d", i);
            if (shuffle_offer(&look, key))
                best = i;
        }
        if (best >= 0) {
            shuffle_take(s, &look);
            return best;
        }
    }
    return -1;
}

static void each_round_has_every_song_once(void **state)
{
    struct shuffle s = { .round = 7 };
    int order[3][SONGS], last = -1;
    for (int round = 0; round < 3; round++) {
        bool had[SONGS] = { false };
        for (int i = 0; i < SONGS; i++) {
            int song = order[round][i] = take(&s, 0, SONGS);
            assert_in_range(song, 0, SONGS - 1);
            assert_int_not_equal(song, last);
            assert_false(had[song]);
            had[song] = true;
            last = song;
        }
    }
    assert_memory_not_equal(order[0], order[1], sizeof(order[0]));
    assert_memory_not_equal(order[1], order[2], sizeof(order[1]));
}

static void another_house_has_another_order(void **state)
{
    struct shuffle a = { .round = 1 }, b = { .round = 1000 };
    int same = 0;
    for (int i = 0; i < SONGS; i++)
        same += take(&a, 0, SONGS) == take(&b, 0, SONGS);
    assert_in_range(same, 0, SONGS / 4);
}

static void songs_that_come_and_go_change_nothing_for_the_others(void **state)
{
    struct shuffle s = { .round = 3 };
    int times[2 * SONGS] = { 0 };
    for (int i = 0; i < SONGS / 2; i++)
        times[take(&s, 0, SONGS)]++;
    for (int i = 0; i < SONGS; i++) { /* the upper half of them is gone, as many others are there */
        int song = take(&s, SONGS / 2, SONGS);
        assert_in_range(song, SONGS / 2, 2 * SONGS - 1);
        times[song]++;
    }
    for (int i = 0; i < 2 * SONGS; i++)
        assert_in_range(times[i], 0, 2);
}

static void of_two_each_is_every_second_and_one_alone_is_always_the_next(void **state)
{
    struct shuffle s = { 0 };
    int last = take(&s, 0, 2);
    for (int i = 0; i < 50; i++) {
        int song = take(&s, 0, 2);
        assert_int_equal(song, 1 - last);
        last = song;
    }
    for (int i = 0; i < 5; i++)
        assert_int_equal(take(&s, 9, 1), 9);
    assert_int_equal(take(&s, 0, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_round_has_every_song_once),
        cmocka_unit_test(another_house_has_another_order),
        cmocka_unit_test(songs_that_come_and_go_change_nothing_for_the_others),
        cmocka_unit_test(of_two_each_is_every_second_and_one_alone_is_always_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
