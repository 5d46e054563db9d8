#include "media/support.h"

#include "media/reader_clock.h"

enum { FIRST = 1000, BASE_MS = 5000 };

/* Looks one after the other, at `at` ms; tail and head in samples from the load's first. */
static const struct {
    const char *name;
    int64_t at, tail, head;
    bool is_there;
    int64_t media; /* ms */
    bool is_dry, is_moving;
} looks[] = {
    { "nothing was taken", 0, 0, 48000, false, 0, false, false },
    { "it reads what was there before", 100, -500, 48000, false, 0, false, false },
    { "it has begun", 200, 4800, 48000, true, 5100, false, true },
    { "a device takes blocks", 400, 4800, 48000, true, 5100, false, true },
    { "it stands", 460, 4800, 72000, true, 5100, false, false },
    { "it still stands", 9000, 4800, 72000, true, 5100, false, false },
    { "it goes on", 9100, 9600, 72000, true, 5200, false, true },
    { "it has taken all", 9200, 72000, 72000, true, 6500, true, true },
    { "and wants more", 9900, 72000, 72000, true, 6500, true, true },
    { "nonsense", 9900, 80000, 72000, false, 0, false, false },
};

static void the_place_of_the_reader_is_told(void **state)
{
    struct reader_clock c;
    reader_clock_init(&c, FIRST, MS(BASE_MS));
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        struct reader_place p = { 0 };
        bool is_there = reader_clock_look(&c, (uint64_t)(FIRST + looks[i].tail),
                                          (uint64_t)(FIRST + looks[i].head), MS(looks[i].at), &p);
        if (is_there != looks[i].is_there || p.media_ns != MS(looks[i].media) ||
            p.is_dry != looks[i].is_dry || p.is_moving != looks[i].is_moving)
            fail_msg("%s: %d, %lld ms, dry %d, moving %d", looks[i].name, is_there,
                     (long long)(p.media_ns / MS(1)), p.is_dry, p.is_moving);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_place_of_the_reader_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
