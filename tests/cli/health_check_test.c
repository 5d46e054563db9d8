/* What the doctor says of board, clock, services, watchdog and of the jukebox that runs. */
#include "support.h"

#include <sys/timex.h>

#include "base/file.h"
#include "cli/board_check.h"
#include "cli/jukebox_check.h"
#include "cli/machine_check.h"
#include "cli/service_check.h"

/* The finding of that name whose text holds `part`. */
static const struct finding *find(const struct findings *f, const char *name, const char *part)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->at[i].name, name) == 0 && strstr(f->at[i].text, part))
            return &f->at[i];
    for (size_t i = 0; i < f->count; i++)
        print_error("%s: %s\n", f->at[i].name, f->at[i].text);
    fail_msg("nothing found: %s: %s", name, part);
    return NULL;
}

static void assert_found(const struct findings *f, const char *name, enum finding_result result,
                         const char *part)
{
    const struct finding *one = find(f, name, part);
    assert_int_equal(one->result, result);
    if (result != FINDING_OK)
        assert_true(*one->advice);
}

#define ALL (BOARD_UNDERVOLTAGE | BOARD_CAPPED | BOARD_THROTTLED | BOARD_HOT)

static const struct {
    struct board board;
    enum finding_result heat, power;
    const char *heat_says, *power_says;
} boards[] = {
    { { "", BOARD_UNKNOWN }, FINDING_OK, FINDING_OK, "not known here", "not known here" },
    { { "", 61340, ALL },
      FINDING_OK,
      FINDING_OK,
      "61.3 C, the processor was never slowed down",
      "strong enough" },
    { { "", 61340 }, FINDING_OK, FINDING_OK, "61.3 C", "not known here" },
    { { "", 74999 }, FINDING_OK, FINDING_OK, "75.0 C", "not known here" },
    { { "", 75000 }, FINDING_WARNING, FINDING_OK, "75.0 C", "not known here" },
    { { "", 85000 }, FINDING_PROBLEM, FINDING_OK, "85.0 C", "not known here" },
    { { "", 50000, ALL, BOARD_THROTTLED, BOARD_THROTTLED },
      FINDING_PROBLEM,
      FINDING_OK,
      "slowed down now",
      "strong enough" },
    { { "", 50000, ALL, 0, BOARD_HOT },
      FINDING_WARNING,
      FINDING_OK,
      "since it was switched on the processor was slowed down",
      "strong enough" },
    { { "", 50000, ALL, BOARD_UNDERVOLTAGE, BOARD_UNDERVOLTAGE },
      FINDING_OK,
      FINDING_PROBLEM,
      "50.0 C",
      "too weak now" },
    { { "", 50000, BOARD_UNDERVOLTAGE, 0, BOARD_UNDERVOLTAGE },
      FINDING_OK,
      FINDING_WARNING,
      "50.0 C",
      "was too weak" },
};

static void heat_and_power_of_a_board_are_told_with_what_to_do(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(boards); i++) {
        struct findings f = { .count = 0 };
        board_check(&f, &boards[i].board);
        assert_found(&f, "heat", boards[i].heat, boards[i].heat_says);
        assert_found(&f, "power", boards[i].power, boards[i].power_says);
        assert_int_equal(f.count, 2);
    }
}

static void a_clock_that_nobody_sets_is_told(void **state)
{
    struct findings f = { .count = 0 };
    check_time(&f, TIME_OK);
    check_time(&f, TIME_ERROR);
    check_time(&f, -1);
    assert_int_equal(f.at[0].result, FINDING_OK);
    assert_int_equal(f.at[1].result, FINDING_WARNING);
    assert_contains(f.at[1].advice, "set-ntp");
    assert_int_equal(f.at[2].result, FINDING_OK);
    assert_contains(f.at[2].text, "not known here");
}

/* ---- services ------------------------------------------------------------------------------------ */

#define UNIT(id, load, active, enabled, result, restarts)                                          \
    "Result=" result "\nNRestarts=" restarts "\nId=" id "\nLoadState=" load                        \
    "\nActiveState=" active "\nUnitFileState=" enabled "\n\n"
#define TARGET(load, active, enabled)                                                              \
    "Id=djamms.target\nLoadState=" load "\nActiveState=" active "\nUnitFileState=" enabled "\n\n"
#define GOOD(name) UNIT("djamms-" name ".service", "loaded", "active", "static", "success", "0")

static const struct {
    const char *shown;
    size_t count;
    bool starts_itself;
    enum finding_result result;
    const char *says;
} services[] = {
    { TARGET("not-found", "inactive", "")
          UNIT("djamms-player.service", "not-found", "inactive", "", "success", "0"),
      1, false, FINDING_OK, "no service of this machine" },
    { TARGET("loaded", "inactive", "disabled") GOOD("player"), 1, false, FINDING_OK, "not used" },
    { TARGET("loaded", "active", "disabled") GOOD("player"), 2, false, FINDING_WARNING,
      "does not start with the machine" },
    { TARGET("loaded", "inactive", "enabled") GOOD("player"), 1, true, FINDING_PROBLEM,
      "does not run" },
    { TARGET("loaded", "active", "enabled") GOOD("player") GOOD("stage"), 3, true, FINDING_OK,
      "djamms-stage.service runs" },
    { TARGET("loaded", "active", "enabled-runtime")
          UNIT("djamms-stage.service", "loaded", "active", "static", "success", "3"),
      2, true, FINDING_WARNING, "started again, times: 3" },
    { TARGET("loaded", "active", "enabled")
          UNIT("djamms-stage.service", "loaded", "failed", "static", "watchdog", "10"),
      2, true, FINDING_PROBLEM, "does not run: failed (watchdog)" },
    { TARGET("loaded", "active", "enabled")
          UNIT("djamms-hub.service", "loaded", "inactive", "static", "exec-condition", "0"),
      1, true, FINDING_OK, "djamms.target runs" },
    { "", 0, false, FINDING_OK, NULL },
};

static void each_service_is_told_when_the_jukebox_is_one(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        struct findings f = { .count = 0 };
        assert_int_equal(service_check(&f, services[i].shown), services[i].starts_itself);
        if (services[i].says)
            assert_found(&f, "service", services[i].result, services[i].says);
        if (f.count != services[i].count)
            fail_msg("%zu: %zu findings", i, f.count);
    }
}

static const struct {
    bool has_device;
    const char *shown;
    bool is_service;
    enum finding_result result;
    const char *says;
} watchdogs[] = {
    { false, "RuntimeWatchdogUSec=14s\n", true, FINDING_OK, "has none" },
    { true, "RuntimeWatchdogUSec=14s\n", true, FINDING_OK,
      "BCM watch starts the machine anew when systemd hangs for 14s" },
    { true, "RuntimeWatchdogUSec=0\n", true, FINDING_WARNING, "BCM watch is not used" },
    { true, "RuntimeWatchdogUSec=infinity\n", true, FINDING_WARNING, "not used" },
    { true, "", true, FINDING_WARNING, "not used" },
    { true, "RuntimeWatchdogUSec=0\n", false, FINDING_OK, "not used" },
};

static void a_watchdog_that_nobody_feeds_is_told_on_a_box(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(watchdogs); i++) {
        char *root = temp_dir(), *dir = xasprintf("%s/sys/class/watchdog/watchdog0", root);
        struct findings f = { .count = 0 };
        struct machine m = { .root = root };
        if (watchdogs[i].has_device) {
            assert_int_equal(dir_make(dir), 0);
            free(make_file(dir, "identity", "BCM watch\n"));
        }
        watchdog_check(&f, &m, watchdogs[i].shown, watchdogs[i].is_service);
        assert_int_equal(f.count, 1);
        assert_found(&f, "watchdog", watchdogs[i].result, watchdogs[i].says);
        free(dir);
        remove_dir(root);
    }
}

/* ---- the jukebox ---------------------------------------------------------------------------------- */

static const struct {
    const char *status, *name;
    enum finding_result result;
    const char *says;
} jukeboxes[] = {
    { "{\"state\":\"paused\"}", "jukebox", FINDING_OK, "it runs: paused" },
    { "{\"backend\":{\"kind\":\"hub\",\"link\":\"connected\",\"venue\":\"v1\",\"problem\":\"\"}}",
      "backend", FINDING_OK, "hub: connected, venue v1" },
    { "{\"backend\":{\"kind\":\"appwrite\",\"link\":\"disconnected\",\"pending\":3,\"problem\":"
      "\"The session has ended.\"}}",
      "backend", FINDING_WARNING,
      "appwrite: disconnected; 3 changes wait; the music goes on. The session has ended." },
    { "{\"backend\":{\"kind\":\"hub\",\"link\":\"connected\",\"problem\":\"full\"}}", "backend",
      FINDING_WARNING, "full" },
    { "{\"outputs\":[{\"name\":\"TV\",\"presented\":100000,\"late\":500}]}", "pictures", FINDING_OK,
      "TV: 500 of 100000 came late" },
    { "{\"outputs\":[{\"name\":\"TV\",\"presented\":100000,\"late\":501}]}", "pictures",
      FINDING_WARNING, "TV: 501 of 100000 came late" },
    { "{\"outputs\":[{\"name\":\"TV\",\"presented\":30,\"late\":19}]}", "pictures", FINDING_OK,
      "TV: 19" }, /* at a start */
    { "{\"underruns\":2}", "underruns", FINDING_WARNING, "times: 2" },
    { "{\"fetching\":{\"problem\":\"YouTube refuses.\"}}", "songs", FINDING_WARNING,
      "YouTube refuses." },
};

static void what_a_running_jukebox_suffers_from_is_told(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(jukeboxes); i++) {
        struct findings f = { .count = 0 };
        struct message *m =
            message_parse(jukeboxes[i].status, strlen(jukeboxes[i].status), NULL, 0);
        assert_non_null(m);
        jukebox_check(&f, m);
        assert_found(&f, jukeboxes[i].name, jukeboxes[i].result, jukeboxes[i].says);
        message_destroy(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heat_and_power_of_a_board_are_told_with_what_to_do),
        cmocka_unit_test(a_clock_that_nobody_sets_is_told),
        cmocka_unit_test(each_service_is_told_when_the_jukebox_is_one),
        cmocka_unit_test(a_watchdog_that_nobody_feeds_is_told_on_a_box),
        cmocka_unit_test(what_a_running_jukebox_suffers_from_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
