/* Walks the table of settings: whatever is added to it is proven here without another line. */
#include "support.h"

#include <errno.h>

#include "config/config.h"
#include "config/option.h"

static const char *good_value(const struct option *o)
{
    switch (o->type) {
    case OPTION_BOOL: return strcmp(o->def, "yes") == 0 ? "no" : "yes";
    case OPTION_INT: return atoi(o->def) == o->max ? "1" : NULL;
    case OPTION_SIZE: return "7680x64";
    case OPTION_LEVEL:
    case OPTION_CHOICE: return strrchr(o->choices, ' ') + 1;
    case OPTION_TEXT: return "hw:0, \"quoted\" \xc3\xa4";
    case OPTION_LISTEN: return "[::1]:80";
    case OPTION_MODE: return "1920x1080@50";
    case OPTION_PATHS: return "/a:/b c";
    }
    return NULL;
}

static const char *bad_value(const struct option *o)
{
    switch (o->type) {
    case OPTION_BOOL: return "maybe";
    case OPTION_INT: return "12x";
    case OPTION_SIZE: return "640";
    case OPTION_LEVEL:
    case OPTION_LISTEN:
    case OPTION_MODE:
    case OPTION_CHOICE: return "nonsense";
    case OPTION_TEXT:
    case OPTION_PATHS: return "two\nlines";
    }
    return NULL;
}

static void assert_value(const struct config *c, const struct option *o, const char *want)
{
    char value[OPTION_TEXT_MAX + 1];
    assert_string_equal(option_value(o, c, value, sizeof(value)), want);
}

static void every_default_is_in_place_and_reads_back(void **state)
{
    struct config c;
    config_init(&c);
    for (size_t i = 0; i < option_count(); i++)
        assert_value(&c, option_at(i), option_at(i)->def);
    config_finish(&c);
}

static void every_setting_takes_a_good_value_and_changes_nothing_else(void **state)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        char number[16];
        const char *value = good_value(o);
        if (!value) {
            snprintf(number, sizeof(number), "%d", o->max);
            value = number;
        }
        struct config c;
        struct config_error err;
        config_init(&c);
        assert_int_equal(config_set(&c, o->name, value, &err), 0);
        for (size_t j = 0; j < option_count(); j++)
            assert_value(&c, option_at(j), j == i ? value : option_at(j)->def);
        config_finish(&c);
    }
}

static void every_setting_refuses_a_bad_value_with_name_value_and_what_is_allowed(void **state)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        char allowed[256];
        struct config c;
        struct config_error err;
        config_init(&c);
        assert_int_equal(config_set(&c, o->name, bad_value(o), &err), -EINVAL);
        assert_contains(err.text, o->name);
        assert_contains(err.text, option_allowed(o, allowed, sizeof(allowed)));
        assert_null(strchr(err.text, '\n'));
        assert_value(&c, o, o->def);
        config_finish(&c);
    }
}

static void every_number_keeps_to_its_range(void **state)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        if (o->type != OPTION_INT)
            continue;
        const long tries[] = { o->min - 1L, o->min, o->max, o->max + 1L, 99999999999L };
        for (size_t k = 0; k < ARRAY_LEN(tries); k++) {
            char text[32];
            struct config c;
            struct config_error err;
            config_init(&c);
            snprintf(text, sizeof(text), "%ld", tries[k]);
            bool is_inside = tries[k] >= o->min && tries[k] <= o->max;
            assert_int_equal(config_set(&c, o->name, text, &err), is_inside ? 0 : -EINVAL);
            config_finish(&c);
        }
    }
}

static void every_setting_is_read_from_its_environment_variable(void **state)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        char env[64];
        struct config c;
        struct config_error err;
        const char *value = o->type == OPTION_INT ? "3" : good_value(o);
        option_env_name(o, env, sizeof(env));
        setenv(env, value, 1);
        config_init(&c);
        assert_int_equal(config_read_environment(&c, &err), 0);
        assert_value(&c, o, value);
        setenv(env, bad_value(o), 1);
        assert_int_equal(config_read_environment(&c, &err), -EINVAL);
        assert_contains(err.text, env);
        unsetenv(env);
        config_finish(&c);
    }
}

static void every_setting_has_one_line_of_help_and_a_name_of_its_own(void **state)
{
    char *help;
    size_t size;
    FILE *f = open_memstream(&help, &size);
    config_write_help(f);
    fclose(f);
    size_t lines = 0;
    for (const char *p = help; (p = strchr(p, '\n')); p++)
        lines++;
    assert_int_equal(lines, option_count());
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        assert_contains(help, o->name);
        assert_contains(help, o->help);
        assert_true(*o->help && !strchr(o->help, '\n'));
        assert_ptr_equal(option_find(o->name), o);
        assert_true(option_section_len(o) > 0 && *option_key(o));
    }
    free(help);
}

static const struct {
    const char *value;
    bool want;
} bool_cases[] = {
    { "yes", true }, { "YES", true },  { "on", true },     { "true", true }, { "1", true },
    { "no", false }, { "Off", false }, { "false", false }, { "0", false },
};

static void booleans_have_the_usual_words(void **state)
{
    struct config c;
    struct config_error err;
    config_init(&c);
    for (size_t i = 0; i < ARRAY_LEN(bool_cases); i++) {
        c.queue.loop = !bool_cases[i].want;
        assert_int_equal(config_set(&c, "queue.loop", bool_cases[i].value, &err), 0);
        assert_int_equal(c.queue.loop, bool_cases[i].want);
    }
    config_finish(&c);
}

static void sizes_keep_to_their_range_and_shape(void **state)
{
    static const char *const good[] = { "64x64", "7680x4320", "1920X1080" };
    static const char *const bad[] = { "63x64",     "64x63", "7681x100", "100x4321",
                                       "100x",      "x100",  "1e3x100",  "100x100x",
                                       "100 x 100", "",      "-100x100" };
    struct config c;
    struct config_error err;
    config_init(&c);
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(config_set(&c, "display.size", good[i], &err), 0);
    assert_int_equal(c.display.width, 1920);
    assert_int_equal(c.display.height, 1080);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(config_set(&c, "display.size", bad[i], &err), -EINVAL);
    assert_int_equal(c.display.width, 1920);
    config_finish(&c);
}

int main(void)
{
    unsetenv("DJAMMS_LOG");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_in_place_and_reads_back),
        cmocka_unit_test(every_setting_takes_a_good_value_and_changes_nothing_else),
        cmocka_unit_test(every_setting_refuses_a_bad_value_with_name_value_and_what_is_allowed),
        cmocka_unit_test(every_number_keeps_to_its_range),
        cmocka_unit_test(every_setting_is_read_from_its_environment_variable),
        cmocka_unit_test(every_setting_has_one_line_of_help_and_a_name_of_its_own),
        cmocka_unit_test(booleans_have_the_usual_words),
        cmocka_unit_test(sizes_keep_to_their_range_and_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
