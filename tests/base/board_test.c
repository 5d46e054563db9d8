/* What a board says of its health, on machines made of folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/board.h"
#include "base/compiler.h"
#include "base/file.h"
#include "support/folder.h"

#define U BOARD_UNDERVOLTAGE
#define C BOARD_CAPPED
#define T BOARD_THROTTLED
#define H BOARD_HOT

/* A file below the machine's root, with its folders. */
static void put(const char *root, const char *name, const char *text)
{
    char *path = xasprintf("%s%s", root, name), *slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(dir_make(path), 0);
    *slash = '/';
    folder_write(root, name + 1, text, strlen(text));
    free(path);
}

static const struct {
    const char *text;
    bool is_answer;
    unsigned now, before;
} answers[] = {
    { "throttled=0x0\n", true, 0, 0 },
    { "0\n", true, 0, 0 },
    { "throttled=0x1", true, U, U },
    { "2\n", true, C, C },
    { "4\n", true, T, T },
    { "8\n", true, H, H },
    { "10000\n", true, 0, U },
    { "20000\n", true, 0, C },
    { "40000\n", true, 0, T },
    { "80000\n", true, 0, H },
    { "throttled=0x50005\n", true, U | T, U | T },
    { "e0008", true, H, C | T | H },
    { "", false, 0, 0 },
    { "throttled=", false, 0, 0 },
    { "error=1 error_msg=\"Command not registered\"", false, 0, 0 },
    { "0x5 and more", false, 0, 0 },
};

static void each_bit_of_the_firmware_is_its_trouble(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct board b = { .temperature_mc = BOARD_UNKNOWN };
        assert_int_equal(board_take_throttled(&b, answers[i].text), answers[i].is_answer);
        if (b.now != answers[i].now || b.before != answers[i].before)
            fail_msg("%s: now %x, before %x", answers[i].text, b.now, b.before);
        assert_int_equal(b.known, answers[i].is_answer ? U | C | T | H : 0);
    }
}

#define ZONE "/sys/class/thermal/thermal_zone"
#define MON  "/sys/class/hwmon/hwmon"

static const struct {
    const char *what;
    const char *files[8][2];
    int32_t mc;
    unsigned known, now, before;
    const char *model;
} machines[] = {
    { "a machine that says nothing", { { NULL } }, BOARD_UNKNOWN, 0, 0, 0, "" },
    { "a Raspberry Pi 4",
      { { "/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4" },
        { ZONE "0/type", "cpu-thermal\n" },
        { ZONE "0/temp", "61341\n" },
        { MON "0/name", "cpu_thermal\n" },
        { MON "0/temp1_input", "61828\n" },
        { "/sys/devices/platform/soc/soc:firmware/get_throttled", "50000\n" },
        { MON "1/name", "rpi_volt\n" },
        { MON "1/in0_lcrit_alarm", "0\n" } },
      61828,
      U | C | T | H,
      0,
      U | T,
      "Raspberry Pi 4 Model B Rev 1.4" },
    { "another place for the firmware",
      { { "/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled", "4\n" } },
      BOARD_UNKNOWN,
      U | C | T | H,
      T,
      T,
      "" },
    { "Debian's own kernel on a Raspberry Pi: the voltage alone",
      { { MON "3/name", "rpi_volt\n" }, { MON "3/in0_lcrit_alarm", "1\n" } },
      BOARD_UNKNOWN,
      U,
      U,
      U,
      "" },
    { "the alarm of another chip is not ours",
      { { MON "3/name", "ina2xx\n" }, { MON "3/in0_lcrit_alarm", "1\n" } },
      BOARD_UNKNOWN,
      0,
      0,
      0,
      "" },
    { "a PC: the hottest of its processor, whatever its radio is at",
      { { ZONE "0/type", "acpitz\n" },
        { ZONE "0/temp", "90000\n" },
        { MON "0/name", "coretemp\n" },
        { MON "0/temp1_input", "52000\n" },
        { MON "0/temp2_input", "57000\n" },
        { MON "1/name", "iwlwifi_1\n" },
        { MON "1/temp1_input", "80000\n" } },
      57000,
      0,
      0,
      0,
      "" },
    { "sensors that are not connected",
      { { ZONE "0/type", "cpu-thermal\n" },
        { ZONE "0/temp", "-273000\n" },
        { MON "0/name", "k10temp\n" },
        { MON "0/temp1_input", "\n" } },
      BOARD_UNKNOWN,
      0,
      0,
      0,
      "" },
    { "below zero",
      { { ZONE "0/type", "soc-thermal\n" }, { ZONE "0/temp", "-1500\n" } },
      -1500,
      0,
      0,
      0,
      "" },
};

static void a_board_tells_what_it_knows_and_nothing_else(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
        char root[64];
        struct board b;
        folder_make(root);
        for (size_t k = 0; k < ARRAY_LEN(machines[i].files) && machines[i].files[k][0]; k++)
            put(root, machines[i].files[k][0], machines[i].files[k][1]);
        board_read(root, &b);
        if (b.temperature_mc != machines[i].mc || b.known != machines[i].known ||
            b.now != machines[i].now || b.before != machines[i].before)
            fail_msg("%s: %d, %x %x %x", machines[i].what, b.temperature_mc, b.known, b.now,
                     b.before);
        assert_string_equal(b.model, machines[i].model);
        folder_remove(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bit_of_the_firmware_is_its_trouble),
        cmocka_unit_test(a_board_tells_what_it_knows_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
