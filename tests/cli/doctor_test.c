/* The doctor, on machines made of folders. */
#include "support.h"

#include "base/file.h"
#include "cli/capture.h"
#include "cli/machine_check.h"

/* A file below the machine's root, with its folders. */
static void put(const char *root, const char *name, const char *text)
{
    char *path = xasprintf("%s%s", root, name), *slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(dir_make(path), 0);
    *slash = '/';
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    free(path);
}

static const char cards[] =
    " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n                      HDA Intel PCH at 0xf\n";

static const struct {
    const char *what;
    void (*check)(struct findings *f, const struct machine *m);
    const char *files[4][2];
    const char *x_display, *wayland;
    enum finding_result result;
    const char *says;
} machine_cases[] = {
    { "nothing", check_display, { { NULL } }, NULL, NULL, FINDING_WARNING, "off-screen" },
    { "X runs", check_display, { { "/tmp/.X11-unix/X7", "" } }, ":7.0", NULL, FINDING_OK, ":7" },
    { "X is gone", check_display, { { NULL } }, ":7", NULL, FINDING_PROBLEM, "no X server" },
    { "X elsewhere", check_display, { { NULL } }, "far:7", NULL, FINDING_OK, "far:7" },
    { "Wayland runs",
      check_display,
      { { "/run/u/wayland-0", "" } },
      ":7",
      "wayland-0",
      FINDING_OK,
      "wayland-0" },
    { "Wayland is gone",
      check_display,
      { { NULL } },
      NULL,
      "wayland-0",
      FINDING_PROBLEM,
      "cannot be reached" },
    { "screen",
      check_display,
      { { "/dev/dri/card0", "" },
        { "/sys/class/drm/card0-HDMI-A-1/status", "connected\n" },
        { "/sys/class/drm/card0-HDMI-A-2/status", "disconnected\n" } },
      NULL,
      NULL,
      FINDING_OK,
      ": HDMI-A-1" },
    { "no cable",
      check_display,
      { { "/dev/dri/card0", "" }, { "/sys/class/drm/card0-HDMI-A-1/status", "disconnected\n" } },
      NULL,
      NULL,
      FINDING_WARNING,
      "no screen is connected" },
    { "no sound",
      check_sound,
      { { "/proc/asound/cards", "--- no soundcards ---\n" } },
      NULL,
      NULL,
      FINDING_WARNING,
      "no sound device" },
    { "ALSA",
      check_sound,
      { { "/proc/asound/cards", cards }, { "/dev/snd/pcmC0D0p", "" } },
      NULL,
      NULL,
      FINDING_OK,
      "HDA Intel PCH" },
    { "only a microphone",
      check_sound,
      { { "/proc/asound/cards", cards }, { "/dev/snd/pcmC0D0c", "" } },
      NULL,
      NULL,
      FINDING_WARNING,
      "no sound device" },
    { "PipeWire",
      check_sound,
      { { "/run/u/pipewire-0", "" } },
      NULL,
      NULL,
      FINDING_OK,
      "PipeWire" },
    { "PulseAudio",
      check_sound,
      { { "/run/u/pulse/native", "" } },
      NULL,
      NULL,
      FINDING_OK,
      "PulseAudio" },
    { "no input", check_inputs, { { NULL } }, NULL, NULL, FINDING_WARNING, "no input device" },
    { "keyboard", check_inputs, { { "/dev/input/event0", "" } }, NULL, NULL, FINDING_OK, "1 of 1" },
    { "desktop keys", check_inputs, { { NULL } }, ":0", NULL, FINDING_OK, "desktop" },
    { "memory",
      check_memory,
      { { "/proc/meminfo", "MemTotal: 9\nMemAvailable:  2097152 kB\n" } },
      NULL,
      NULL,
      FINDING_OK,
      "2048 MiB" },
    { "little memory",
      check_memory,
      { { "/proc/meminfo", "MemAvailable: 204800 kB\n" } },
      NULL,
      NULL,
      FINDING_WARNING,
      "200 MiB" },
    { "no memory",
      check_memory,
      { { "/proc/meminfo", "MemAvailable: 2048 kB\n" } },
      NULL,
      NULL,
      FINDING_PROBLEM,
      "2 MiB" },
    { "no meminfo", check_memory, { { NULL } }, NULL, NULL, FINDING_WARNING, "cannot be read" },
};

static void each_machine_gets_its_finding_and_trouble_its_advice(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(machine_cases); i++) {
        char *root = temp_dir();
        for (size_t k = 0; k < 4 && machine_cases[i].files[k][0]; k++)
            put(root, machine_cases[i].files[k][0], machine_cases[i].files[k][1]);
        struct machine m = { .root = root,
                             .session_dir = "/run/u",
                             .x_display = machine_cases[i].x_display,
                             .wayland = machine_cases[i].wayland };
        struct findings f = { .count = 0 };
        machine_cases[i].check(&f, &m);
        assert_int_equal(f.count, 1);
        if (f.at[0].result != machine_cases[i].result)
            fail_msg("%s: %s", machine_cases[i].what, f.at[0].text);
        assert_contains(f.at[0].text, machine_cases[i].says);
        if (f.at[0].result == FINDING_PROBLEM)
            assert_true(*f.at[0].advice);
        remove_dir(root);
    }
}

static void a_device_without_permission_is_a_problem_with_the_group_to_join(void **state)
{
    char *root = temp_dir();
    put(root, "/dev/dri/card0", "");
    char *path = xasprintf("%s/dev/dri/card0", root);
    assert_int_equal(chmod(path, 0), 0);
    struct machine m = { .root = root };
    struct findings f = { .count = 0 };
    /* Nothing is forbidden to root: be nobody for the while, as access() sees it. */
    bool is_root = getuid() == 0;
    if (is_root)
        assert_int_equal(setreuid(65534, 0), 0);
    check_display(&f, &m);
    if (is_root)
        assert_int_equal(setreuid(0, 0), 0);
    assert_int_equal(f.at[0].result, FINDING_PROBLEM);
    assert_contains(f.at[0].advice, "usermod -aG video");
    free(path);
    remove_dir(root);
}

static void findings_are_bounded_and_the_worst_counts(void **state)
{
    struct findings f = { .count = 0 };
    assert_int_equal(findings_worst(&f), FINDING_OK);
    for (int i = 0; i < FINDINGS_MAX + 5; i++)
        finding_add(&f, i == 3 ? FINDING_WARNING : FINDING_OK, "x", NULL, "a\nb %d", i);
    assert_int_equal(f.count, FINDINGS_MAX);
    assert_int_equal(findings_worst(&f), FINDING_WARNING);
    assert_string_equal(f.at[0].text, "a b 0");
}

static const char *const sections[] = { "system",  "programs", "settings", "library", "cache",
                                        "display", "sound",    "inputs",   "runtime", "space",
                                        "memory",  "heat",     "power",    "time",    "jukebox" };

/* The first `count` of them, for DJAMMS_LIBEXEC. */
static void make_programs(const char *dir, size_t count)
{
    const char *const programs[] = { "djamms-player", "djamms-deck", "djamms-stage", "djamms-hub" };
    for (size_t i = 0; i < count; i++) {
        char *path = make_file(dir, programs[i], "#!/bin/sh\nexit 0\n");
        assert_int_equal(chmod(path, 0700), 0);
        free(path);
    }
    setenv("DJAMMS_LIBEXEC", dir, 1);
}

static void the_report_covers_everything_as_text_and_as_json(void **state)
{
    char *dir = temp_dir();
    make_programs(dir, 4);
    struct run json = RUN("doctor", "--json", "--runtime-dir", dir, "--state-dir", dir);
    struct run text = RUN("doctor", "--runtime-dir", dir, "--state-dir", dir);
    struct message *m = message_parse(json.out, strlen(json.out), NULL, 0);
    assert_non_null(m);
    assert_int_equal(json.code, message_bool(m, "ok", false) ? 0 : 1);
    assert_int_equal(text.code, json.code);
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        bool is_there = false;
        for (size_t k = 0; k < message_count(m, "checks"); k++) {
            const struct message *one = message_object_at(m, "checks", k);
            is_there = is_there || strcmp(message_str(one, "name", ""), sections[i]) == 0;
        }
        assert_true(is_there);
        assert_contains(text.out, sections[i]);
    }
    assert_contains(text.out, "not running; `djamms up` starts it");
    assert_contains(text.out, "djamms-stage starts");
    assert_contains(text.out, "djamms-hub starts");
    message_destroy(m);
    run_finish(&json);
    run_finish(&text);
    remove_dir(dir);
}

static void the_hub_is_looked_at_where_it_is_wanted(void **state)
{
    char *dir = temp_dir();
    make_programs(dir, 3);
    struct run wanted = RUN("doctor", "--runtime-dir", dir, "--state-dir", dir);
    assert_int_equal(wanted.code, 1);
    assert_contains(wanted.out, "djamms-hub is missing");
    struct run other =
        RUN("doctor", "--runtime-dir", dir, "--state-dir", dir, "--set", "hub.enabled=no");
    assert_null(strstr(other.out, "djamms-hub"));
    run_finish(&wanted);
    run_finish(&other);
    remove_dir(dir);
}

static void the_settings_are_those_of_up_with_the_same_options(void **state)
{
    char *dir = temp_dir(), *file = make_file(dir, "my.ini", "[library]\npaths = /nowhere/a\n");
    struct run r = RUN("doctor", "--runtime-dir", dir, "--state-dir", dir, "--config", file);
    assert_contains(r.out, "/my.ini is in order");
    assert_contains(r.out, "0 of 1 folders can be read; /nowhere/a: ");
    run_finish(&r);
    r = RUN("doctor", "--runtime-dir", dir, "--state-dir", dir, "-c", file, "-s",
            "library.paths=/");
    assert_contains(r.out, "1 of 1 folders can be read");
    run_finish(&r);
    r = RUN("doctor", "--runtime-dir", dir, "--state-dir", dir, "--set", "sound.volume=loud");
    assert_int_equal(r.code, 1);
    assert_contains(r.out, "sound.volume: \"loud\" is not allowed");
    run_finish(&r);
    free(file);
    remove_dir(dir);
}

static void without_a_settings_file_all_places_are_named(void **state)
{
    char *dir = temp_dir();
    char *says = xasprintf("not there: %s/djamms/djamms.ini and /etc/djamms/djamms.ini; all at "
                           "their defaults",
                           dir);
    unsetenv("DJAMMS_CONFIG");
    setenv("XDG_CONFIG_HOME", dir, 1);
    if (access("/etc/djamms/djamms.ini", F_OK) < 0) {
        struct run r = RUN("doctor", "--runtime-dir", dir, "--state-dir", dir);
        assert_contains(r.out, says);
        run_finish(&r);
        r = RUN("config", "check");
        assert_contains(r.out, "/djamms/djamms.ini and /etc/djamms/djamms.ini: not there");
        run_finish(&r);
    }
    setenv("DJAMMS_CONFIG", "/nonexistent", 1);
    unsetenv("XDG_CONFIG_HOME");
    free(says);
    remove_dir(dir);
}

static void a_program_that_does_not_start_is_a_problem_with_its_own_words(void **state)
{
    char *dir = temp_dir(),
         *path = make_file(dir, "djamms-player",
                           "#!/bin/sh\necho libx.so.1: cannot open >&2\nexit 127\n");
    assert_int_equal(chmod(path, 0700), 0);
    setenv("DJAMMS_LIBEXEC", dir, 1);
    struct run r = RUN("doctor", "--runtime-dir", dir, "--state-dir", dir);
    assert_int_equal(r.code, 1);
    assert_contains(r.out, "djamms-player does not start: libx.so.1: cannot open");
    assert_contains(r.out, "djamms-deck is missing");
    assert_contains(r.out, "There is a problem.");
    run_finish(&r);
    free(path);
    remove_dir(dir);
}

static void a_jukebox_that_runs_is_told_and_one_that_is_stuck_is_a_problem(void **state)
{
    struct fake_player p = FAKE_PLAYER("{\"ok\":true,\"state\":\"paused\"}");
    struct run r = RUN("doctor", "--runtime-dir", p.dir, "--state-dir", p.dir);
    assert_contains(r.out, "it runs: paused");
    run_finish(&r);
    free(fake_player_finish(&p));
    p = FAKE_PLAYER("!{");
    r = RUN("doctor", "--runtime-dir", p.dir, "--state-dir", p.dir);
    assert_int_equal(r.code, 1);
    assert_contains(r.out, "it does not answer: Broken pipe");
    run_finish(&r);
    free(fake_player_finish(&p));
}

static const struct {
    const char *paths, *result, *text;
} library_cases[] = {
    { "", "ok", "0 of 0 folders can be read" },
    { "/", "ok", "1 of 1 folders can be read" },
    { "/nowhere/a:/:/nowhere/b", "warning",
      "1 of 3 folders can be read; /nowhere/a: No such file or directory" },
};

static void folders_of_the_library_that_are_not_there_are_told(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(library_cases); i++) {
        setenv("DJAMMS_LIBRARY_PATHS", library_cases[i].paths, 1);
        struct run r = RUN("doctor", "--runtime-dir", "/", "--state-dir", "/");
        char *line =
            xasprintf("%-9slibrary   %s\n", library_cases[i].result, library_cases[i].text);
        assert_contains(r.out, line);
        free(line);
        run_finish(&r);
    }
    unsetenv("DJAMMS_LIBRARY_PATHS");
}

static const struct {
    const char *dir, *floor, *result, *text;
} cache_cases[] = {
    { "/tmp/nowhere/cache", "0", "ok", "MB are free at /tmp/nowhere/cache, of which 0 stay so" },
    { "/tmp", "100000000", "warning", "keeps 100000000: nothing more is fetched" },
    { "/proc/cache", "0", "warning", "/proc" }, /* root may write there, and there is no room */
};

static void room_for_fetched_media_is_told(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cache_cases); i++) {
        setenv("DJAMMS_CACHE_DIR", cache_cases[i].dir, 1);
        setenv("DJAMMS_CACHE_FREE_FLOOR", cache_cases[i].floor, 1);
        struct run r = RUN("doctor", "--runtime-dir", "/", "--state-dir", "/");
        char *line = xasprintf("%-9scache     ", cache_cases[i].result);
        assert_contains(r.out, line);
        assert_contains(r.out, cache_cases[i].text);
        free(line);
        run_finish(&r);
    }
    unsetenv("DJAMMS_CACHE_DIR");
    unsetenv("DJAMMS_CACHE_FREE_FLOOR");
}

/* As fc-list answers where emoji are in two fonts, or only in the one that has them plain. */
static const struct {
    const char *colour, *says;
} font_cases[] = {
    { "Noto Color Emoji", "ok       fonts     emoji: Noto Color Emoji\n" },
    { "", "warning  fonts     no font for emoji: plain signs or boxes would be seen in titles\n" },
};

static void the_font_of_emoji_is_the_one_with_colours(void **state)
{
    char *dir = temp_dir(), *before = xstrdup(getenv("PATH")),
         *path = xasprintf("%s:%s", dir, before);
    setenv("PATH", path, 1);
    for (size_t i = 0; i < ARRAY_LEN(font_cases); i++) {
        char *script = xasprintf("#!/bin/sh\ncase $1 in *:color=true*) echo \"%s\";; "
                                 "*) echo DejaVu Sans;; esac\n",
                                 font_cases[i].colour);
        char *file = make_file(dir, "fc-list", script);
        assert_int_equal(chmod(file, 0700), 0);
        struct run r = RUN("doctor", "--runtime-dir", dir, "--state-dir", dir);
        assert_contains(r.out, "Cyrillic: DejaVu Sans\n");
        assert_contains(r.out, font_cases[i].says);
        run_finish(&r);
        free(file);
        free(script);
    }
    setenv("PATH", before, 1);
    free(before);
    free(path);
    remove_dir(dir);
}

/* As vcgencmd answers. */
static const struct {
    const char *script, *says;
    int code;
} firmware_cases[] = {
    { "echo throttled=0x0", "ok       power     the power supply is strong enough\n", 0 },
    { "echo throttled=0x50005", "problem  power     the power supply is too weak now", 1 },
    { "echo VCHI initialization failed; exit 255", "ok       power     not known here", 0 },
};

static void the_tool_of_the_firmware_stands_in_for_the_kernel(void **state)
{
    char *dir = temp_dir(), *before = xstrdup(getenv("PATH")),
         *path = xasprintf("%s:%s", dir, before);
    setenv("PATH", path, 1);
    for (size_t i = 0; i < ARRAY_LEN(firmware_cases); i++) {
        char *script = xasprintf("#!/bin/sh\n[ \"$1\" = get_throttled ] || exit 9\n%s\n",
                                 firmware_cases[i].script);
        char *file = make_file(dir, "vcgencmd", script);
        assert_int_equal(chmod(file, 0700), 0);
        struct run r = RUN("doctor", "--runtime-dir", dir, "--state-dir", dir);
        assert_contains(r.out, firmware_cases[i].says);
        if (firmware_cases[i].code)
            assert_int_equal(r.code, firmware_cases[i].code);
        run_finish(&r);
        free(file);
        free(script);
    }
    setenv("PATH", before, 1);
    free(before);
    free(path);
    remove_dir(dir);
}

static void a_working_folder_that_is_gone_does_no_harm(void **state)
{
    char *dir = temp_dir(), *before = getcwd(NULL, 0);
    assert_int_equal(chdir(dir), 0);
    remove_dir(dir);
    struct run r = RUN("doctor", "--runtime-dir", "run", "--state-dir", "state");
    assert_contains(r.out, "memory");
    run_finish(&r);
    assert_int_equal(chdir(before), 0);
    free(before);
}

static const struct {
    const char *script;
    int want;
    const char *output;
} capture_cases[] = {
    { "echo a; echo b >&2", 0, "a\nb\n" },
    { "exit 7", 7, "" },
    { "kill -9 $$", 128 + 9, "" },
    { "printf 123456789012345678901234567890", 0, "1234567890123456789" },
};

static void output_is_captured_and_bounded(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(capture_cases); i++) {
        char out[20];
        const char *const argv[] = { "sh", "-c", capture_cases[i].script, NULL };
        assert_int_equal(capture_output(argv, out, sizeof(out), 10000), capture_cases[i].want);
        assert_string_equal(out, capture_cases[i].output);
    }
    char out[20];
    const char *const status[] = { "sh", "-c", "exit 7", NULL };
    signal(SIGCHLD, SIG_IGN); /* as who started us may have left it */
    assert_int_equal(capture_output(status, out, sizeof(out), 10000), 7);
    const char *const missing[] = { "djamms-no-such-program", NULL };
    const char *const slow[] = { "sleep", "1000", NULL };
    assert_int_equal(capture_output(missing, out, sizeof(out), 10000), -ENOENT);
    assert_int_equal(capture_output(slow, out, sizeof(out), 0), -ETIMEDOUT);
}

int main(void)
{
    setenv("DJAMMS_CONFIG", "/nonexistent", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_machine_gets_its_finding_and_trouble_its_advice),
        cmocka_unit_test(a_device_without_permission_is_a_problem_with_the_group_to_join),
        cmocka_unit_test(findings_are_bounded_and_the_worst_counts),
        cmocka_unit_test(the_report_covers_everything_as_text_and_as_json),
        cmocka_unit_test(the_hub_is_looked_at_where_it_is_wanted),
        cmocka_unit_test(the_settings_are_those_of_up_with_the_same_options),
        cmocka_unit_test(without_a_settings_file_all_places_are_named),
        cmocka_unit_test(a_program_that_does_not_start_is_a_problem_with_its_own_words),
        cmocka_unit_test(a_jukebox_that_runs_is_told_and_one_that_is_stuck_is_a_problem),
        cmocka_unit_test(folders_of_the_library_that_are_not_there_are_told),
        cmocka_unit_test(room_for_fetched_media_is_told),
        cmocka_unit_test(the_font_of_emoji_is_the_one_with_colours),
        cmocka_unit_test(the_tool_of_the_firmware_stands_in_for_the_kernel),
        cmocka_unit_test(a_working_folder_that_is_gone_does_no_harm),
        cmocka_unit_test(output_is_captured_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
