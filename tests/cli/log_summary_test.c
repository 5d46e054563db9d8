/* What a log comes to. */
#include "support.h"

#include "cli/log_summary.h"

static void take_entry(struct log_summary *s, const char *text)
{
    struct message *m = message_parse(text, strlen(text), NULL, 0);
    assert_non_null(m);
    log_summary_entry(s, m);
    message_destroy(m);
}

static const char *part_of(const struct summary_part part[SUMMARY_PARTS], const char *label)
{
    for (size_t i = 0; i < SUMMARY_PARTS; i++)
        if (strcmp(part[i].label, label) == 0)
            return part[i].text;
    fail_msg("no part %s", label);
    return NULL;
}

static void what_is_not_known_is_never_nought(void **state)
{
    struct log_summary s;
    struct summary_part part[SUMMARY_PARTS];
    log_summary_init(&s, true);
    log_summary_parts(&s, part);
    static const char *const unknown[] = { "songs", "pictures", "sound", "heat", "power", "disk" };
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        assert_string_equal(part_of(part, unknown[i]), "not known here");
    assert_string_equal(part_of(part, "errors"), "none");
    assert_string_equal(part_of(part, "restarts"), "none");
}

static const char *const entries[] = {
    "{\"PRIORITY\":\"6\",\"DJAMMS_MODULE\":\"health\",\"MESSAGE\":\"figures: songs=100 requests=10 "
    "failed=0 late=5 underruns=1 xruns=0 undervoltages=0 throttlings=0 hottest_c=48.0 "
    "state_free_mb=9000\"}",
    "{\"PRIORITY\":\"3\",\"DJAMMS_MODULE\":\"deck\",\"MESSAGE\":\"/media/a b.mp4: no picture for 5 "
    "s\"}",
    "{\"PRIORITY\":\"3\",\"DJAMMS_MODULE\":\"deck\",\"MESSAGE\":\"/media/c.mp4: no picture for 12 "
    "s\"}",
    "{\"PRIORITY\":\"2\",\"DJAMMS_MODULE\":\"deck\",\"MESSAGE\":\"\\\"One\\\" and \\\"Two\\\" "
    "failed\"}",
    "{\"PRIORITY\":\"4\",\"DJAMMS_MODULE\":\"health\",\"MESSAGE\":\"the power supply is too "
    "weak\"}",
    /* what systemd says of a unit is no mistake of ours; that it starts it anew is counted */
    "{\"PRIORITY\":\"4\",\"UNIT\":\"djamms-deck@a.service\",\"MESSAGE\":\"Failed with result\"}",
    "{\"PRIORITY\":\"6\",\"UNIT\":\"djamms-deck@a.service\",\"MESSAGE_ID\":"
    "\"5eb03494b6584870a536b337290809b3\",\"MESSAGE\":\"Scheduled restart job\"}",
    "{\"PRIORITY\":\"6\",\"UNIT\":\"djamms-deck@a.service\",\"MESSAGE_ID\":"
    "\"5eb03494b6584870a536b337290809b3\",\"MESSAGE\":\"Scheduled restart job\"}",
    "{\"PRIORITY\":\"6\",\"UNIT\":\"djamms-hub.service\",\"MESSAGE_ID\":"
    "\"5eb03494b6584870a536b337290809b3\",\"MESSAGE\":\"Scheduled restart job\"}",
    /* the player began anew; pictures are counted on by the memory they share */
    "{\"PRIORITY\":\"6\",\"DJAMMS_MODULE\":\"health\",\"MESSAGE\":\"figures: songs=14 requests=3 "
    "failed=2 late=12 underruns=1 xruns=2 undervoltages=1 throttlings=3 hottest_c=82.0 "
    "state_free_mb=8000 "
    "cache_free_mb=7100\"}",
    "{\"MESSAGE\":[1,2,3]}",
    "{}",
};

static const char *const told[][2] = {
    { "songs", "14 played, 3 of them requests, 2 could not be" },
    { "restarts", "deck@a 2, hub 1" },
    { "pictures", "7 late" },
    { "sound", "0 interruptions, the device ran dry, times: 2" },
    { "heat", "82.0 C at most; slowed down, times: 3" },
    { "power", "1 times too weak" },
    { "disk", "8.0 GB free for the queue, 7.1 GB for fetched songs" },
    { "errors", "3: 2 x deck: /: no picture for N s, 1 x deck: \"-\" and \"-\" failed" },
    { "warnings", "1: 1 x health: the power supply is too weak" },
};

static void the_journal_of_a_day_is_counted(void **state)
{
    struct log_summary s;
    struct summary_part part[SUMMARY_PARTS];
    log_summary_init(&s, false);
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        take_entry(&s, entries[i]);
    log_summary_parts(&s, part);
    for (size_t i = 0; i < ARRAY_LEN(told); i++)
        assert_string_equal(part_of(part, told[i][0]), told[i][1]);
}

static void kinds_beyond_the_table_are_counted_and_the_most_come_first(void **state)
{
    struct log_summary s;
    struct summary_part part[SUMMARY_PARTS];
    log_summary_init(&s, false);
    for (char c = 'a'; c <= 'z'; c++) {
        for (char d = 'a'; d <= 'e'; d++) {
            char line[64];
            snprintf(line, sizeof(line), "warning: m: kind %c%c", c, d);
            log_summary_line(&s, line);
        }
    }
    for (int i = 0; i < 3; i++)
        log_summary_line(&s, "warning: m: kind bc");
    assert_int_equal(s.warnings, 26 * 5 + 3);
    assert_int_equal(s.kind_count, SUMMARY_KINDS);
    log_summary_parts(&s, part);
    assert_contains(part_of(part, "warnings"), "133: 4 x m: kind bc, 1 x m: kind aa, ");
    assert_contains(part_of(part, "warnings"), ", and others");
}

static const char log_file[] =
    "djamms     | Ctrl-C ends the jukebox; `djamms status` in another terminal\n"
    "player     | health: figures: songs=0 requests=0 failed=0 late=0 underruns=0 hottest_c=40.0\n"
    "player     | error: house: the queue cannot be saved in /x: No space left on device\n"
    "deck-a     | warning: deck: frame 17 is late\n"
    "deck-a     | warning: deck: frame 230 is late\n"
    "djamms     | deck-a was killed by signal 9; it is started again\n"
    "djamms     | deck-a exited with status 1; it is started again\n"
    "stage      | djamms: nothing; it is started again says a title\n"
    "player     | health: figures: songs=6 requests=2 failed=0 late=4 underruns=2 hottest_c=51.5\n"
    "player     | health: figures: late=";

static void a_log_that_was_kept_of_a_terminal_is_read_from_its_beginning(void **state)
{
    char *dir = temp_dir(), *file = make_file(dir, "log", log_file);
    struct run r = RUN("logs", "--summary", file);
    assert_int_equal(r.code, 0);
    assert_contains(r.out, "songs      6 played, 2 of them requests\n");
    assert_contains(r.out, "restarts   deck-a 2\n");
    assert_contains(r.out, "pictures   4 late\n");
    assert_contains(r.out, "sound      2 interruptions\n");
    assert_contains(r.out, "heat       51.5 C at most\n");
    assert_contains(r.out, "errors     1: 1 x house: the queue cannot be saved in /: No space");
    assert_contains(r.out, "warnings   2: 2 x deck: frame N is late\n");
    run_finish(&r);
    r = RUN("logs", "--summary", "--json", file);
    struct message *m = message_parse(r.out, strlen(r.out), NULL, 0);
    assert_non_null(m);
    assert_int_equal(message_i64(m, "late", -1), 4);
    assert_int_equal(message_kind(m, "state_free_mb"), MESSAGE_NULL);
    assert_int_equal(message_count(m, "kinds"), 2);
    message_destroy(m);
    run_finish(&r);
    r = RUN("logs", file);
    assert_int_equal(r.code, 2);
    run_finish(&r);
    r = RUN("logs", "--summary", "/nonexistent/log");
    assert_int_equal(r.code, 1);
    assert_contains(r.err, "No such file");
    run_finish(&r);
    free(file);
    remove_dir(dir);
}

int main(void)
{
    setenv("DJAMMS_CONFIG", "/nonexistent", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_known_is_never_nought),
        cmocka_unit_test(the_journal_of_a_day_is_counted),
        cmocka_unit_test(kinds_beyond_the_table_are_counted_and_the_most_come_first),
        cmocka_unit_test(a_log_that_was_kept_of_a_terminal_is_read_from_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
