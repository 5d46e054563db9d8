/* Where settings come from: the file, the environment, the command line; and the sentences of errors. */
#include "support.h"

#include <errno.h>

#include "base/alloc.h"
#include "config/config.h"
#include "config/nearest.h"

static int read_text(const char *text, struct config *c, struct config_error *err)
{
    char *path = temp_file(text, strlen(text));
    config_init(c);
    err->text[0] = '\0';
    int ret = config_read_file(c, path, err);
    unlink(path);
    free(path);
    return ret;
}

static const struct {
    const char *what, *text, *says, *says_too;
} error_cases[] = {
    { "unknown key", "[display]\nsiez = 1x1\n", ":2: display.siez: no such setting",
      "did you mean display.size? [display] has driver, renderer" },
    { "unknown section", "\n\n[dsiplay]\nsize = 64x64\n", ":4: dsiplay.size: no such section",
      "the sections are log, library" },
    { "bad value", "# c\n[sound]\nvolume = loud\n", ":3: sound.volume: \"loud\" is not allowed",
      "a whole number from 0 to 100" },
    { "out of range", "[sound]\nvolume = 101\n", ":2: sound.volume: \"101\"", "from 0 to 100" },
    { "empty value", "[sound]\nvolume =\n", ":2: sound.volume: \"\"", "from 0 to 100" },
    { "no section", "volume = 3\n", ":1:", "before the first [section]" },
    { "no equals sign", "[sound]\nvolume = 3\nloud\n", ":3:", "neither [section] nor" },
    { "open bracket", "[sound\nvolume = 3\n", ":1:", "neither [section] nor" },
    { "twice", "[sound]\nvolume = 3\n\nvolume = 4\n", ":4: volume is set twice", "line 2" },
    { "continued number", "[sound]\nvolume = 3\n  /x\n", ":3:", "only a list of folders" },
    { "first of two errors", "[sound]\nnonsense\nvolume = loud\n", ":2:", "neither" },
};

static void errors_name_file_line_key_and_what_is_allowed(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(error_cases); i++) {
        struct config c;
        struct config_error err;
        int ret = read_text(error_cases[i].text, &c, &err);
        if (ret >= 0)
            fail_msg("%s: accepted", error_cases[i].what);
        assert_contains(err.text, "/tmp/djamms-config-");
        assert_contains(err.text, error_cases[i].says);
        assert_contains(err.text, error_cases[i].says_too);
        config_finish(&c);
    }
}

/* Mistakes between good lines; `lines` of the first ones in order. */
static const struct {
    const char *what, *text;
    size_t count;
    int lines[4];
} check_cases[] = {
    { "none", "\xef\xbb\xbf[sound]\nvolume = 3\n\n  \n# c\n[queue]\r\nloop = no\n", 0, { 0 } },
    { "nothing", "", 0, { 0 } },
    { "every kind",
      "volume = 1\n[sound]\nvolume = loud\nnonsense\nvolum = 2\ndelay-ms = 3\n[open\n",
      5,
      { 1, 3, 4, 5 } },
    { "twice", "[sound]\nvolume = 1\nvolume = 2\nvolume = 3\n", 2, { 3, 4 } },
    { "the last line", "[sound]\nvolume = 1\nloud", 1, { 3 } },
    { "two in a row", "[sound]\nloud\nlouder\n\nloudest\n", 3, { 2, 3, 5 } },
    { "a folder of nothing",
      "[library]\n  /x\npaths = /a\n  /b\n[sound]\nvolume = x\n",
      2,
      { 2, 6 } },
};

static void every_mistake_of_a_file_is_found_with_its_line(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(check_cases); i++) {
        struct config_error err[4];
        char *path = temp_file(check_cases[i].text, strlen(check_cases[i].text));
        size_t count = config_check_file(path, err, ARRAY_LEN(err));
        if (count != check_cases[i].count)
            fail_msg("%s: %zu mistakes", check_cases[i].what, count);
        for (size_t k = 0; k < count && k < ARRAY_LEN(err); k++) {
            char *where = xasprintf("%s:%d: ", path, check_cases[i].lines[k]);
            assert_contains(err[k].text, where);
            free(where);
        }
        unlink(path);
        free(path);
    }
}

static void mistakes_beyond_the_room_are_counted(void **state)
{
    char *text = xcalloc(1, 8 * 1000 + 8), line[600];
    for (int i = 0; i < 1000; i++)
        memcpy(text + i * 7, "louder\n", 7);
    char *path = temp_file(text, strlen(text));
    struct config_error err[2];
    assert_int_equal(config_check_file(path, err, 2), 1000);
    assert_contains(err[1].text, ":2: neither");
    unlink(path);
    free(path);
    free(text);
    snprintf(line, sizeof(line), "[sound]\ndevice = %0500d\nvolume = x\n", 0);
    path = temp_file(line, strlen(line));
    assert_int_equal(config_check_file(path, err, 2), 2); /* it goes on behind a line too long */
    assert_contains(err[1].text, ":3: sound.volume");
    unlink(path);
    free(path);
    assert_int_equal(config_check_file("/nonexistent/x.ini", err, 2), 1);
    assert_contains(err[0].text, "/nonexistent/x.ini: cannot be read");
}

static void a_file_sets_what_it_names_and_leaves_the_rest(void **state)
{
    struct config c;
    struct config_error err;
    const char *text = "# comment\n; comment\n[library]\npaths = /a b\n   /c:/d\n\t~/e ; note\n"
                       "[display]\n  size = 800x600\n  fullscreen = off\n[sound]\r\nvolume: 12\r\n";
    assert_int_equal(read_text(text, &c, &err), 0);
    assert_string_equal(c.library.paths, "/a b:/c:/d:~/e");
    assert_int_equal(c.display.width, 800);
    assert_int_equal(c.display.height, 600);
    assert_false(c.display.fullscreen);
    assert_int_equal(c.sound.volume, 12);
    assert_true(c.queue.loop);
    config_finish(&c);
}

static void a_line_that_is_too_long_is_refused_unless_it_is_a_comment(void **state)
{
    char text[1200];
    struct config c;
    struct config_error err;
    snprintf(text, sizeof(text), "#%0500d\n[sound]\nvolume = 3\n", 0);
    assert_int_equal(read_text(text, &c, &err), 0);
    assert_int_equal(c.sound.volume, 3);
    config_finish(&c);
    snprintf(text, sizeof(text), "[sound]\ndevice = %0500d\n", 0);
    assert_int_equal(read_text(text, &c, &err), -EINVAL);
    assert_contains(err.text, ":2: the line is too long");
    config_finish(&c);
}

static void what_is_no_text_file_is_refused_in_a_sentence(void **state)
{
    struct config c;
    struct config_error err;
    config_init(&c);
    assert_int_equal(config_read_file(&c, "/nonexistent/djamms.ini", &err), -ENOENT);
    assert_contains(err.text, "/nonexistent/djamms.ini: cannot be read: No such file");
    assert_int_equal(config_read_file(&c, "/tmp", &err), -EISDIR);
    char *binary = temp_file("[sound]\nvol\0ume = 3\n", 20);
    assert_int_equal(config_read_file(&c, binary, &err), -EINVAL);
    assert_contains(err.text, "no text file");
    unlink(binary);
    free(binary);
    char *large = temp_file("", 0);
    assert_int_equal(truncate(large, 1 << 20), 0);
    assert_int_equal(config_read_file(&c, large, &err), -EFBIG);
    unlink(large);
    free(large);
    config_finish(&c);
}

static void any_bytes_are_read_without_harm(void **state)
{
    uint32_t random = 12345;
    static const char alphabet[] = "[]=;# \t\nsound.volume/\xff\x01\"10x";
    for (int round = 0; round < 3000; round++) {
        char text[256];
        size_t len = 0;
        for (; len < sizeof(text) - 1; len++) {
            random = random * 1664525u + 1013904223u;
            text[len] = alphabet[(random >> 16) % (sizeof(alphabet) - 1)];
        }
        text[len] = '\0';
        struct config c;
        struct config_error err;
        int ret = read_text(text, &c, &err);
        assert_true(ret == 0 || strstr(err.text, "/tmp/djamms-config-"));
        config_finish(&c);
        char *path = temp_file(text, len);
        struct config_error first;
        assert_true((config_check_file(path, &first, 1) == 0) == (ret == 0));
        assert_true(ret == 0 || strcmp(strchr(first.text, ':'), strchr(err.text, ':')) == 0);
        unlink(path);
        free(path);
    }
}

static void later_sources_win_and_arguments_of_others_stay(void **state)
{
    const char *text = "[sound]\nvolume = 1\n[queue]\nloop = no\n[display]\noutputs = 2\n";
    char *path = temp_file(text, strlen(text));
    const char *given[] = { "djamms-stage",
                            "first",
                            "--set",
                            "sound.volume=3",
                            "--config",
                            path,
                            "--set=sound.device=a=b",
                            "--deck",
                            "a",
                            "--",
                            "--set",
                            "x",
                            NULL };
    char **argv = (char **)given;
    int argc = 12;
    struct config c;
    struct config_error err;
    setenv("DJAMMS_SOUND_VOLUME", "2", 1);
    setenv("DJAMMS_DISPLAY_OUTPUTS", "5", 1);
    assert_int_equal(config_load(&c, &argc, argv, &err), 0);
    unsetenv("DJAMMS_SOUND_VOLUME");
    unsetenv("DJAMMS_DISPLAY_OUTPUTS");
    assert_int_equal(c.sound.volume, 3);
    assert_int_equal(c.display.outputs, 5);
    assert_false(c.queue.loop);
    assert_string_equal(c.sound.device, "a=b");
    static const char *const left[] = {
        "djamms-stage", "first", "--deck", "a", "--", "--set", "x"
    };
    assert_int_equal(argc, ARRAY_LEN(left));
    for (size_t i = 0; i < ARRAY_LEN(left); i++)
        assert_string_equal(argv[i], left[i]);
    assert_null(argv[argc]);
    config_finish(&c);
    unlink(path);
    free(path);
}

static const struct {
    const char *arg, *value, *says;
} argument_cases[] = {
    { "--set", "sound.volume", "section.key=value is wanted" },
    { "--set", "sound.volum=3", "did you mean sound.volume?" },
    { "--set", NULL, "section.key=value is wanted" },
    { "--config", NULL, "a file is wanted" },
    { "--config", "/nonexistent", "/nonexistent: cannot be read" },
};

static void bad_arguments_are_told(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(argument_cases); i++) {
        char *argv[] = { (char *)"p", (char *)argument_cases[i].arg,
                         (char *)argument_cases[i].value, NULL };
        int argc = argument_cases[i].value ? 3 : 2;
        struct config c;
        struct config_error err;
        assert_true(config_load(&c, &argc, argv, &err) < 0);
        assert_contains(err.text, argument_cases[i].says);
        config_finish(&c);
    }
}

static void a_missing_default_file_is_fine_and_a_mistyped_variable_is_not(void **state)
{
    char *argv[] = { (char *)"p", NULL };
    int argc = 1;
    struct config c;
    struct config_error err;
    assert_int_equal(config_load(&c, &argc, argv, &err), 0);
    config_finish(&c);
    setenv("DJAMMS_SOUND_VOLUMEE", "2", 1);
    assert_int_equal(config_load(&c, &argc, argv, &err), -ENOENT);
    assert_contains(err.text, "did you mean $DJAMMS_SOUND_VOLUME?");
    unsetenv("DJAMMS_SOUND_VOLUMEE");
    config_finish(&c);
    setenv("DJAMMS_LOG", "debug", 1);
    assert_int_equal(config_load(&c, &argc, argv, &err), 0);
    assert_int_equal(c.log.level, LOG_DEBUG);
    unsetenv("DJAMMS_LOG");
    config_finish(&c);
}

static void the_example_is_the_kept_one_and_reads_back_as_the_defaults(void **state)
{
    char *text, *kept = NULL;
    size_t size, kept_size = 0;
    FILE *f = open_memstream(&text, &size);
    config_write_example(f);
    fclose(f);
    FILE *file = fopen("../../assets/djamms.ini", "r");
    assert_non_null(file);
    ssize_t len = getdelim(&kept, &kept_size, '\0', file);
    fclose(file);
    assert_true(len > 0);
    assert_string_equal(text, kept); /* djamms config example > assets/djamms.ini */
    struct config c;
    struct config_error err;
    assert_int_equal(read_text(text, &c, &err), 0);
    assert_int_equal(c.sound.volume, 75);
    config_finish(&c);
    free(text);
    free(kept);
}

static const struct {
    const char *a, *b;
    size_t want;
} distance_cases[] = {
    { "", "", 0 },         { "a", "", 1 },           { "size", "SIZE", 0 },
    { "siez", "size", 1 }, { "volum", "volume", 1 }, { "kitten", "sitting", 3 },
    { "ca", "abc", 3 },
};

static void distance_counts_single_slips(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(distance_cases); i++) {
        assert_int_equal(edit_distance(distance_cases[i].a, distance_cases[i].b),
                         distance_cases[i].want);
        assert_int_equal(edit_distance(distance_cases[i].b, distance_cases[i].a),
                         distance_cases[i].want);
    }
}

static void the_nearest_name_is_given_and_a_stranger_is_not(void **state)
{
    static const char *const names[] = { "status", "skip", "seek", "shuffle" };
    static const char *const cases[][2] = {
        { "statsu", "status" }, { "skp", "skip" }, { "shufle", "shuffle" },
        { "xyzzy", NULL },      { "", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct nearest n = nearest_to(cases[i][0]);
        for (size_t k = 0; k < ARRAY_LEN(names); k++)
            nearest_consider(&n, names[k]);
        if (cases[i][1])
            assert_string_equal(n.name, cases[i][1]);
        else
            assert_null(n.name);
    }
}

static void a_credential_is_used_unless_a_setting_names_another_file(void **state)
{
    static const struct {
        const char *set, *key; /* NULL: the credential */
    } cases[] = { { NULL, NULL }, { "hub.key=/mine.pem", "/mine.pem" }, { "hub.key=", "" } };
    char dir[] = "/tmp/djamms-config-XXXXXX", *path;
    assert_non_null(mkdtemp(dir));
    static const char *const names[] = { "hub.key", "hub.origins" }; /* the second names no file */
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        path = xasprintf("%s/%s", dir, names[i]);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fclose(f);
        free(path);
    }
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config c;
        struct config_error err;
        char want[64];
        snprintf(want, sizeof(want), "%s/hub.key", dir);
        setenv("CREDENTIALS_DIRECTORY", dir, 1);
        assert_int_equal(config_load_from(&c, NULL, &cases[i].set, cases[i].set != NULL, &err), 0);
        assert_string_equal(c.hub.key, cases[i].key ? cases[i].key : want);
        assert_string_equal(c.hub.certificate, ""); /* no such credential */
        assert_string_equal(c.hub.origins, "");
        config_finish(&c);
        unsetenv("CREDENTIALS_DIRECTORY");
        assert_int_equal(config_load_from(&c, NULL, NULL, 0, &err), 0);
        assert_string_equal(c.hub.key, "");
        config_finish(&c);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        path = xasprintf("%s/%s", dir, names[i]);
        unlink(path);
        free(path);
    }
    rmdir(dir);
}

int main(void)
{
    /* Nothing of this machine's own settings. */
    unsetenv("DJAMMS_LOG");
    setenv("DJAMMS_CONFIG", "/nonexistent/djamms.ini", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_name_file_line_key_and_what_is_allowed),
        cmocka_unit_test(every_mistake_of_a_file_is_found_with_its_line),
        cmocka_unit_test(mistakes_beyond_the_room_are_counted),
        cmocka_unit_test(a_file_sets_what_it_names_and_leaves_the_rest),
        cmocka_unit_test(a_line_that_is_too_long_is_refused_unless_it_is_a_comment),
        cmocka_unit_test(what_is_no_text_file_is_refused_in_a_sentence),
        cmocka_unit_test(any_bytes_are_read_without_harm),
        cmocka_unit_test(later_sources_win_and_arguments_of_others_stay),
        cmocka_unit_test(a_credential_is_used_unless_a_setting_names_another_file),
        cmocka_unit_test(bad_arguments_are_told),
        cmocka_unit_test(a_missing_default_file_is_fine_and_a_mistyped_variable_is_not),
        cmocka_unit_test(the_example_is_the_kept_one_and_reads_back_as_the_defaults),
        cmocka_unit_test(distance_counts_single_slips),
        cmocka_unit_test(the_nearest_name_is_given_and_a_stranger_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
