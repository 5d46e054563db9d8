/* What is learned of a board's decoders, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "player/hardware_faults.h"
#include "shm/control.h"

#define H264 DECK_HARDWARE_H264
#define HEVC DECK_HARDWARE_HEVC

static void a_file_that_failed_is_decoded_in_software_the_others_are_not(void **state)
{
    struct hardware_faults f = { 0 };
    assert_int_equal(hardware_faults_refused(&f, "/m/a.mp4"), 0);
    assert_true(hardware_faults_add(&f, H264, "/m/a.mp4"));
    assert_false(hardware_faults_add(&f, H264, "/m/a.mp4"));
    assert_false(hardware_faults_add(&f, 64, "/m/a.mp4"));
    assert_int_equal(hardware_faults_refused(&f, "/m/a.mp4"), H264);
    assert_int_equal(hardware_faults_refused(&f, "/m/b.mp4"), 0);
    assert_true(hardware_faults_add(&f, HEVC, "/m/a.mp4"));
    assert_int_equal(hardware_faults_refused(&f, "/m/a.mp4"), H264 | HEVC);
}

static void a_decoder_that_failed_three_files_is_given_up(void **state)
{
    struct hardware_faults f = { 0 };
    hardware_faults_add(&f, H264, "/m/a.mp4");
    hardware_faults_add(&f, H264, "/m/b.mp4");
    hardware_faults_add(&f, HEVC, "/m/c.mp4");
    assert_int_equal(hardware_faults_given_up(&f), 0);
    hardware_faults_add(&f, H264, "/m/d.mp4");
    assert_int_equal(hardware_faults_given_up(&f), 0); /* they may all be broken */
    assert_true(hardware_faults_vouch(&f, "/m/a.mp4"));
    assert_false(hardware_faults_vouch(&f, "/m/a.mp4"));
    assert_false(hardware_faults_vouch(&f, "/m/new.mp4"));
    hardware_faults_vouch(&f, "/m/b.mp4");
    hardware_faults_vouch(&f, "/m/c.mp4");
    assert_int_equal(hardware_faults_given_up(&f), 0);
    hardware_faults_vouch(&f, "/m/d.mp4");
    assert_int_equal(hardware_faults_given_up(&f), H264);
    assert_int_equal(hardware_faults_refused(&f, "/m/new.mp4"), H264);
}

static void another_system_begins_anew(void **state)
{
    struct hardware_faults f = { 0 };
    hardware_faults_add(&f, H264, "/m/a.mp4");
    assert_false(hardware_faults_see(&f, "pi4, Linux 6.12, FFmpeg 7.1")); /* it was that one */
    assert_int_equal(hardware_faults_refused(&f, "/m/a.mp4"), H264);
    assert_false(hardware_faults_see(&f, "pi4, Linux 6.12, FFmpeg 7.1"));
    assert_true(hardware_faults_see(&f, "pi4, Linux 6.18, FFmpeg 7.1"));
    assert_int_equal(hardware_faults_refused(&f, "/m/a.mp4"), 0);
    assert_false(hardware_faults_see(&f, "pi4, Linux 6.18, FFmpeg 7.1"));
}

static void the_oldest_files_are_forgotten(void **state)
{
    struct hardware_faults f = { 0 };
    for (int i = 0; i < HARDWARE_FILES + 1; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/m/%d.mp4", i);
        assert_true(hardware_faults_add(&f, i ? H264 : HEVC, path));
    }
    assert_int_equal(f.count, HARDWARE_FILES);
    assert_int_equal(hardware_faults_refused(&f, "/m/0.mp4"), 0);
    assert_int_equal(hardware_faults_refused(&f, "/m/1.mp4"), H264);
}

static void what_is_written_is_read(void **state)
{
    struct hardware_faults f = { 0 }, g;
    hardware_faults_see(&f, "pi3, Linux 6.12, FFmpeg 5.1");
    hardware_faults_add(&f, H264, "/m/a.mp4");
    hardware_faults_add(&f, HEVC, "/m/b.mp4");
    hardware_faults_vouch(&f, "/m/b.mp4");
    char *text = hardware_faults_text(&f);
    hardware_faults_parse(&g, text, strlen(text));
    char *again = hardware_faults_text(&g);
    assert_string_equal(again, text);
    assert_false(g.at[0].is_well);
    assert_true(g.at[1].is_well);
    assert_int_equal(hardware_faults_refused(&g, "/m/a.mp4"), H264);
    assert_int_equal(hardware_faults_refused(&g, "/m/b.mp4"), HEVC);
    assert_false(hardware_faults_see(&g, f.system));
    free(again);
    free(text);
}

static void what_is_damaged_counts_as_empty(void **state)
{
    static const char *const texts[] = {
        "", "[", "{}", "{\"files\":[{\"file\":\"1\",\"hardware\":1}]}",
        "{\"system\":\"x\",\"files\":[1,{},{\"file\":7,\"hardware\":1},{\"file\":\"zz\","
        "\"hardware\":1},"
        "{\"file\":\"1\",\"hardware\":9},{\"file\":\"1\",\"hardware\":-1}]}"
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct hardware_faults f;
        hardware_faults_parse(&f, texts[i], strlen(texts[i]));
        assert_int_equal(f.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_failed_is_decoded_in_software_the_others_are_not),
        cmocka_unit_test(a_decoder_that_failed_three_files_is_given_up),
        cmocka_unit_test(another_system_begins_anew),
        cmocka_unit_test(the_oldest_files_are_forgotten),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_damaged_counts_as_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
