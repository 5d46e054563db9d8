#include "media/support.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "media/frame_arena.h"

#define KIB ((size_t)1024)

enum op { END, TAKE, TAKE_AT, GIVE };

/* What each step must answer, in an arena of 64 KiB. */
static const struct {
    const char *name;
    struct {
        enum op op;
        size_t offset, size; /* KiB; TAKE: offset is what must come out */
        bool is_refused;
    } step[8];
} cases[] = {
    { "takes the lowest space first", { { TAKE, 0, 8 }, { TAKE, 8, 8 }, { TAKE, 16, 4 } } },
    { "reuses a gap before it goes on",
      { { TAKE, 0, 8 }, { TAKE, 8, 8 }, { GIVE, 0 }, { TAKE, 0, 8 }, { TAKE, 16, 8 } } },
    { "skips a gap that is too small",
      { { TAKE, 0, 4 }, { TAKE, 4, 8 }, { GIVE, 0 }, { TAKE, 12, 8 }, { TAKE, 0, 4 } } },
    { "neighbouring gaps are one",
      { { TAKE, 0, 8 },
        { TAKE, 8, 8 },
        { TAKE, 16, 8 },
        { GIVE, 8 },
        { GIVE, 0 },
        { TAKE, 0, 16 } } },
    { "is given by any byte of it", { { TAKE, 0, 8 }, { GIVE, 7 }, { TAKE, 0, 64 } } },
    { "refuses what does not fit",
      { { TAKE, 0, 60 }, { TAKE, 0, 8, true }, { TAKE, 60, 4 }, { TAKE, 0, 4, true } } },
    { "refuses more than all", { { TAKE, 0, 68, true }, { TAKE, 0, 0, true }, { TAKE, 0, 64 } } },
    { "takes a named place", { { TAKE_AT, 16, 8 }, { TAKE, 0, 16 }, { TAKE, 24, 16 } } },
    { "refuses a named place that is taken",
      { { TAKE, 0, 8 }, { TAKE_AT, 4, 8, true }, { TAKE_AT, 8, 4 }, { TAKE_AT, 8, 4, true } } },
    { "refuses a named place outside", { { TAKE_AT, 64, 4, true }, { TAKE_AT, 60, 8, true } } },
};

struct taken {
    size_t count;
    struct {
        size_t offset, size;
    } extent[8];
};

static void forget(struct taken *t, size_t offset)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->extent[i].offset <= offset && offset < t->extent[i].offset + t->extent[i].size)
            t->extent[i] = t->extent[--t->count];
    }
}

static void run_case(size_t i, struct frame_arena *a, struct taken *t)
{
    for (size_t s = 0; s < ARRAY_LEN(cases[i].step) && cases[i].step[s].op != END; s++) {
        size_t offset = cases[i].step[s].offset * KIB, size = cases[i].step[s].size * KIB;
        if (cases[i].step[s].op == GIVE) {
            frame_arena_give(a, offset);
            forget(t, offset);
            continue;
        }
        size_t got = offset;
        bool ok = cases[i].step[s].op == TAKE ? frame_arena_take(a, size, &got)
                                              : frame_arena_take_at(a, offset, size);
        if (ok == cases[i].step[s].is_refused || got != offset)
            fail_msg("%s: step %zu: %s at %zu KiB", cases[i].name, s, ok ? "taken" : "refused",
                     got / KIB);
        if (ok) {
            t->extent[t->count].offset = got;
            t->extent[t->count++].size = size;
        }
    }
}

static void space_is_taken_first_fit(void **state)
{
    uint8_t *base = aligned_alloc(4096, 64 * KIB);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct frame_arena *a = frame_arena_create(base, 64 * KIB);
        struct taken t = { 0 };
        size_t used = 0;
        run_case(i, a, &t);
        for (size_t n = 0; n < t.count; n++)
            used += t.extent[n].size;
        assert_int_equal(frame_arena_used(a), used);
        while (t.count > 0)
            frame_arena_give(a, t.extent[--t.count].offset);
        assert_int_equal(frame_arena_used(a), 0);
        frame_arena_destroy(a);
    }
    free(base);
}

static void the_number_of_extents_is_bounded(void **state)
{
    size_t size = (ARENA_EXTENTS + 8) * 4 * KIB, offset;
    uint8_t *base = aligned_alloc(4096, size);
    struct frame_arena *a = frame_arena_create(base, size);
    for (size_t i = 0; i < ARENA_EXTENTS; i++)
        assert_true(frame_arena_take(a, 1, &offset));
    assert_false(frame_arena_take(a, 1, &offset));
    assert_false(frame_arena_take_at(a, (ARENA_EXTENTS + 1) * 4 * KIB, 1));
    for (size_t i = 0; i < ARENA_EXTENTS; i++)
        frame_arena_give(a, i * 4 * KIB);
    frame_arena_destroy(a);
    free(base);
}

static size_t blocks_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return (size_t)st.st_blocks * 512;
}

static void trimming_keeps_what_is_taken_and_gives_back_the_rest(void **state)
{
    size_t size = 1024 * KIB, low, high;
    int fd = memfd_create("arena", 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    uint8_t *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(base != MAP_FAILED);
    struct frame_arena *a = frame_arena_create(base, size);
    assert_true(frame_arena_take(a, 64 * KIB, &low));
    assert_true(frame_arena_take(a, 512 * KIB, &high));
    memset(base + low, 1, 64 * KIB);
    memset(base + high, 2, 512 * KIB);
    frame_arena_give(a, high);
    frame_arena_trim(a);
    assert_int_equal(blocks_of(fd), 64 * KIB);
    for (size_t i = 0; i < 64 * KIB; i++)
        assert_int_equal(base[low + i], 1);
    frame_arena_give(a, low);
    frame_arena_trim(a);
    assert_int_equal(blocks_of(fd), 0);
    frame_arena_destroy(a);
    munmap(base, size);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(space_is_taken_first_fit),
        cmocka_unit_test(the_number_of_extents_is_bounded),
        cmocka_unit_test(trimming_keeps_what_is_taken_and_gives_back_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
