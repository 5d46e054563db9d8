/* What the jukebox tests share: files of every kind, and a house where some of them play. Included once by
 * each test program. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "player/fake_house.c"

static const struct fake_file files[] = {
    { "/m/a.mp4", FILE_OK, 100, 10000 },
    { "/m/b.mp4", FILE_OK, 100, 10000 },
    { "/m/c.mp4", FILE_OK, 100, 10000 },
    { "/m/d.mp4", FILE_OK, 100, 10000 },
    { "/m/slow.mp4", FILE_OK, 900, 10000 },
    { "/m/late.mp4", FILE_OK, 1900, 10000 },
    { "/m/short.mp4", FILE_OK, 60, 300 },
    { "/m/bad.mp4", FILE_BAD, 100, 0 },
    { "/m/bad2.mp4", FILE_BAD, 100, 0 },
    { "/m/cut.mp4", FILE_TRUNCATED, 100, 4000 },
    { "/m/stub.mp4", FILE_TRUNCATED, 100, 400 },
    { "/m/empty.mp4", FILE_EMPTY, 100, 40 },
    { "/m/empty2.mp4", FILE_EMPTY, 100, 40 },
    { "/m/hang.mp4", FILE_HANGS, 100, 0 },
    { "/m/sleepy.mp4", FILE_LATE, 100, 10000, .late = 2 },
    { "/m/far.mp4", FILE_OK, 6000, 10000 },
    { "/m/mute.mp4", FILE_MUTE, 100, 0 },
    { "/m/crash.mp4", FILE_CRASHES, 200, 0 },
    { NULL },
};

static const struct jukebox_settings looping = { .autostarts = true, .loops = true };
static const struct jukebox_settings once = { .autostarts = true };

/* A house where the named files (blanks between) are in the queue and the first one plays. */
static inline struct fake_house *house_of(const char *names,
                                          const struct jukebox_settings *settings)
{
    struct fake_house *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    house_open(h, files, settings);
    char list[256];
    snprintf(list, sizeof(list), "%s", names);
    for (char *save, *n = strtok_r(list, " ", &save); n; n = strtok_r(NULL, " ", &save)) {
        char path[64];
        snprintf(path, sizeof(path), "/m/%s.mp4", n);
        assert_true(house_add(h, path) != 0);
    }
    return h;
}

static inline struct fake_house *playing_house_of(const char *names,
                                                  const struct jukebox_settings *settings)
{
    struct fake_house *h = house_of(names, settings);
    assert_true(house_run_until_playing(h, 3000));
    house_run(h, 500);
    h->stood_ns = 0;
    return h;
}

static inline void end(struct fake_house *h)
{
    assert_int_equal(h->cut_off, 0);
    house_close(h);
    free(h);
}

static inline uint64_t entry(const struct fake_house *h, enum queue_list list, size_t i)
{
    const struct queue *q = jukebox_queue(h->jukebox);
    assert_true(i < q->list[list].count);
    return entry_key(q, q->list[list].at[i]);
}

static inline const struct track *main_at(const struct fake_house *h, size_t i)
{
    return jukebox_queue(h->jukebox)->list[QUEUE_MAIN].at[i];
}

static inline void assert_on_air(const struct fake_house *h, const char *name)
{
    assert_string_equal(house_on_air(h), name);
    assert_string_equal(house_now(h), name);
}
