#include "media/support.h"

#include "media/catch_up.h"

/* Milliseconds behind. */
static const struct {
    const char *name;
    enum catch_up was;
    int64_t behind;
    bool moves;
    enum catch_up want;
} cases[] = {
    { "ahead", CATCH_UP_NONE, -300, true, CATCH_UP_NONE },
    { "just in time", CATCH_UP_NONE, 0, true, CATCH_UP_NONE },
    { "a little late is no reason", CATCH_UP_NONE, 90, true, CATCH_UP_NONE },
    { "late", CATCH_UP_NONE, 110, true, CATCH_UP_THIN },
    { "once late, until it is in time", CATCH_UP_THIN, 10, true, CATCH_UP_THIN },
    { "in time again", CATCH_UP_THIN, 0, true, CATCH_UP_NONE },
    { "thinning is not enough", CATCH_UP_THIN, 260, true, CATCH_UP_JUMP },
    { "a jump has helped a little", CATCH_UP_JUMP, 200, true, CATCH_UP_THIN },
    { "a jump has helped", CATCH_UP_JUMP, -10, true, CATCH_UP_NONE },
    { "no key frame came", CATCH_UP_JUMP, 760, true, CATCH_UP_LEAP },
    { "far behind at once", CATCH_UP_NONE, 5000, true, CATCH_UP_LEAP },
    { "at the key frame", CATCH_UP_LEAP, -800, true, CATCH_UP_NONE },
    { "paused", CATCH_UP_NONE, 5000, false, CATCH_UP_NONE },
    { "paused while it was catching up", CATCH_UP_LEAP, 300, false, CATCH_UP_NONE },
};

static void what_is_given_up_depends_on_how_late_it_is(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum catch_up got = catch_up_next(cases[i].was, MS(cases[i].behind), cases[i].moves);
        if (got != cases[i].want)
            fail_msg("%s: %d", cases[i].name, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_up_depends_on_how_late_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
