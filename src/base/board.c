#include "base/board.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/file.h"
#include "base/text.h"

#define SMALL_FILE ((size_t)4096)
/* A sensor that says anything else is not connected. */
#define SENSOR_MIN_MC (-50000)
#define SENSOR_MAX_MC 150000

/* Bits of the firmware's answer: what is so now, and has been so since it was switched on. */
static const struct {
    unsigned now, before;
    enum board_trouble trouble;
} firmware_bits[] = {
    { 1u << 0, 1u << 16, BOARD_UNDERVOLTAGE },
    { 1u << 1, 1u << 17, BOARD_CAPPED },
    { 1u << 2, 1u << 18, BOARD_THROTTLED },
    { 1u << 3, 1u << 19, BOARD_HOT },
};

/* Where kernels have the firmware's answer. */
static const char *const throttled_files[] = {
    "/sys/devices/platform/soc*/soc*:firmware/get_throttled",
    "/sys/devices/platform/soc*:firmware/get_throttled",
};

/* Sensors of a processor, by the name that stands beside their temperatures. */
static const struct {
    const char *name_files, *name, *temperatures;
} sensors[] = {
    { "/sys/class/thermal/thermal_zone*/type", "cpu-thermal", "temp" },
    { "/sys/class/thermal/thermal_zone*/type", "cpu_thermal", "temp" },
    { "/sys/class/thermal/thermal_zone*/type", "soc-thermal", "temp" },
    { "/sys/class/thermal/thermal_zone*/type", "x86_pkg_temp", "temp" },
    { "/sys/class/hwmon/hwmon*/name", "cpu_thermal", "temp*_input" },
    { "/sys/class/hwmon/hwmon*/name", "coretemp", "temp*_input" },
    { "/sys/class/hwmon/hwmon*/name", "k10temp", "temp*_input" },
};

/* ---- the kernel's files ------------------------------------------------------------------------ */

/* The first line of it, cleaned. false: it cannot be read, or is empty. */
static bool read_line(const char *path, char *out, size_t size)
{
    char *text;
    if (file_read(path, SMALL_FILE, &text, NULL) < 0)
        return false;
    text[strcspn(text, "\n")] = '\0';
    size_t len = text_clean(out, size, text);
    free(text);
    return len > 0;
}

/* The files below `root` that are named like `pattern`. The caller gives them back with globfree(). */
static void find(const char *root, const char *pattern, glob_t *out)
{
    char *full = xasprintf("%s%s", root, pattern);
    if (glob(full, 0, NULL, out) != 0)
        *out = (glob_t){ 0 };
    free(full);
}

/* `path` with another file of its folder as its end. The caller frees. */
static char *beside(const char *path, const char *file)
{
    return xasprintf("%.*s/%s", (int)(strrchr(path, '/') - path), path, file);
}

/* ---- temperature ------------------------------------------------------------------------------- */

/* The hottest of the files that `pattern` names takes the place of what is cooler. */
static void take_hottest(const char *pattern, struct board *out)
{
    glob_t files;
    find("", pattern, &files);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char text[32], *end;
        if (!read_line(files.gl_pathv[i], text, sizeof(text)))
            continue;
        long mc = strtol(text, &end, 10);
        if (end == text || *end || mc < SENSOR_MIN_MC || mc > SENSOR_MAX_MC)
            continue;
        if (out->temperature_mc == BOARD_UNKNOWN || mc > out->temperature_mc)
            out->temperature_mc = (int32_t)mc;
    }
    globfree(&files);
}

static void read_temperature(const char *root, struct board *out)
{
    for (size_t i = 0; i < ARRAY_LEN(sensors); i++) {
        glob_t names;
        find(root, sensors[i].name_files, &names);
        for (size_t k = 0; k < names.gl_pathc; k++) {
            char name[64], *pattern = beside(names.gl_pathv[k], sensors[i].temperatures);
            if (read_line(names.gl_pathv[k], name, sizeof(name)) &&
                strcmp(name, sensors[i].name) == 0)
                take_hottest(pattern, out);
            free(pattern);
        }
        globfree(&names);
    }
}

/* ---- power and speed --------------------------------------------------------------------------- */

bool board_take_throttled(struct board *out, const char *text)
{
    const char *equals = strchr(text, '=');
    const char *digits = equals ? equals + 1 : text;
    char *end;
    unsigned long bits = strtoul(digits, &end, 16);
    if (end == digits || (*end && *end != '\n'))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(firmware_bits); i++) {
        out->known |= firmware_bits[i].trouble;
        if (bits & firmware_bits[i].now)
            out->now |= firmware_bits[i].trouble;
        if (bits & (firmware_bits[i].now | firmware_bits[i].before))
            out->before |= firmware_bits[i].trouble;
    }
    return true;
}

static void read_firmware(const char *root, struct board *out)
{
    for (size_t i = 0; i < ARRAY_LEN(throttled_files); i++) {
        glob_t files;
        char text[32];
        find(root, throttled_files[i], &files);
        if (files.gl_pathc && read_line(files.gl_pathv[0], text, sizeof(text)))
            (void)board_take_throttled(out, text);
        globfree(&files);
    }
}

/* The kernel's watch over a Raspberry Pi's voltage: whether it was too low in the last two seconds. */
static void read_voltage(const char *root, struct board *out)
{
    glob_t names;
    find(root, "/sys/class/hwmon/hwmon*/name", &names);
    for (size_t i = 0; i < names.gl_pathc; i++) {
        char name[64], value[8], *alarm = beside(names.gl_pathv[i], "in0_lcrit_alarm");
        if (read_line(names.gl_pathv[i], name, sizeof(name)) && strcmp(name, "rpi_volt") == 0 &&
            read_line(alarm, value, sizeof(value))) {
            out->known |= BOARD_UNDERVOLTAGE;
            if (strcmp(value, "1") == 0) {
                out->now |= BOARD_UNDERVOLTAGE;
                out->before |= BOARD_UNDERVOLTAGE;
            }
        }
        free(alarm);
    }
    globfree(&names);
}

void board_read(const char *root, struct board *out)
{
    *out = (struct board){ .temperature_mc = BOARD_UNKNOWN };
    char *model = xasprintf("%s/proc/device-tree/model", root);
    (void)read_line(model, out->model, sizeof(out->model));
    free(model);
    read_temperature(root, out);
    read_firmware(root, out);
    read_voltage(root, out);
}
