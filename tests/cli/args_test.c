#include "support.h"

#include "cli/args.h"
#include "cli/command.h"

/* Words and options as one line of text each: "word word | option=value option" */
static const struct {
    const char *line, *want;
} parse_cases[] = {
    { "status", "status |" },
    { "status --json", "status | json" },
    { "--json status", "status | json" },
    { "-j status -w", "status | json watch" },
    { "add a --request Ann b", "add a b | request=Ann" },
    { "add --request=Ann a", "add a | request=Ann" },
    { "add -rAnn a -n", "add a | next request=Ann" },
    { "add --request --next a", "add a | request=--next" },
    { "add -- --json -x", "add --json -x |" },
    { "seek -10", "seek -10 |" },
    { "seek -1:30", "seek -1:30 |" },
    { "volume -5 -j", "volume -5 | json" },
    { "screenshot - -o HDMI-A-1", "screenshot - | output=HDMI-A-1" },
    { "play x --set a.b=c --set=d.e=f=g", "play x | set=d.e=f=g" },
    { "", "|" },
};

static const struct {
    const char *line, *says;
} refuse_cases[] = {
    { "status --jsno", "there is no option --jsno; did you mean --json?" },
    { "status --xyzzyxy", "there is no option --xyzzyxy" },
    { "status -x", "there is no option -x" },
    { "status -jw", "short options stand alone" },
    { "add x --request", "--request needs a value: --request NAME" },
    { "add x --request=", "--request needs a value" },
    { "status --json=yes", "--json takes no value" },
};

#define WORDS_MAX 16

static int split(char *line, char *argv[WORDS_MAX])
{
    int argc = 1;
    argv[0] = (char *)"djamms";
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    return argc;
}

static char *describe(const struct args *a)
{
    struct buf b;
    buf_init(&b, 1024);
    for (size_t i = 0; i < a->count; i++)
        assert_int_equal(buf_printf(&b, "%s ", a->word[i]), 0);
    assert_int_equal(buf_printf(&b, "|"), 0);
    for (int i = 0; i < ARG_OPTIONS; i++) {
        if (!args_has(a, (enum arg_option)i))
            continue;
        assert_int_equal(buf_printf(&b, " %s%s%s", arg_spec((enum arg_option)i)->name,
                                    *a->value[i] ? "=" : "", a->value[i]),
                         0);
    }
    return b.data;
}

static void options_stand_anywhere_and_take_their_values(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(parse_cases); i++) {
        char line[256], why[256] = "", *argv[WORDS_MAX];
        struct args a;
        snprintf(line, sizeof(line), "%s", parse_cases[i].line);
        int argc = split(line, argv);
        assert_int_equal(args_parse(&a, argc, argv, why, sizeof(why)), 0);
        char *got = describe(&a);
        assert_string_equal(got, parse_cases[i].want);
        assert_null(a.word[a.count]);
        free(got);
        args_finish(&a);
    }
}

static void wrong_options_are_refused_in_a_sentence(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(refuse_cases); i++) {
        char line[256], why[256] = "", *argv[WORDS_MAX];
        struct args a;
        snprintf(line, sizeof(line), "%s", refuse_cases[i].line);
        int argc = split(line, argv);
        assert_int_equal(args_parse(&a, argc, argv, why, sizeof(why)), -EINVAL);
        assert_contains(why, refuse_cases[i].says);
        args_finish(&a);
    }
}

static void every_setting_of_a_repeated_option_is_kept(void **state)
{
    const char *argv[] = { "djamms", "--set", "a.b=1", "up", "-s", "c.d=2" };
    char why[256];
    struct args a;
    assert_int_equal(args_parse(&a, ARRAY_LEN(argv), (char **)argv, why, sizeof(why)), 0);
    assert_int_equal(a.set_count, 2);
    assert_string_equal(a.set[0], "a.b=1");
    assert_string_equal(a.set[1], "c.d=2");
    args_finish(&a);
}

static void no_two_options_share_a_name_nor_those_of_a_command_a_letter(void **state)
{
    for (int i = 0; i < ARG_OPTIONS; i++) {
        const struct arg_spec *a = arg_spec((enum arg_option)i);
        assert_true(a->name && *a->help);
        for (int k = 0; k < i; k++) {
            const struct arg_spec *b = arg_spec((enum arg_option)k);
            assert_string_not_equal(a->name, b->name);
            for (size_t c = 0; c < command_count() && a->letter && a->letter == b->letter; c++) {
                uint64_t both = ARG_BIT(i) | ARG_BIT(k);
                assert_true(((command_at(c)->options | ARG_COMMON) & both) != both);
            }
        }
    }
}

static void a_shared_letter_means_the_option_that_the_command_takes(void **state)
{
    static const struct {
        const char *word;
        uint64_t allowed;
        enum arg_option given, foreign;
    } cases[] = {
        { "-f", ARG_BIT(ARG_FOLLOW), ARG_FOLLOW, ARG_OPTIONS },
        { "-f", ARG_BIT(ARG_FULLSCREEN), ARG_FULLSCREEN, ARG_OPTIONS },
        { "--follow", ARG_BIT(ARG_FULLSCREEN), ARG_FOLLOW, ARG_FOLLOW },
        { "--fullscreen", ARG_BIT(ARG_FOLLOW), ARG_FULLSCREEN, ARG_FULLSCREEN },
        { "-f", ARG_BIT(ARG_JSON), ARG_FULLSCREEN, ARG_FULLSCREEN },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *argv[] = { "djamms", cases[i].word };
        char why[256];
        struct args a;
        assert_int_equal(args_parse(&a, ARRAY_LEN(argv), (char **)argv, why, sizeof(why)), 0);
        args_settle(&a, cases[i].allowed);
        assert_true(args_has(&a, cases[i].given));
        assert_int_equal(args_foreign(&a, cases[i].allowed), cases[i].foreign);
        args_finish(&a);
    }
}

static void a_set_has_a_bit_for_each_of_64_options(void **state)
{
    const struct args a = { .value = { [ARG_TOKEN_FILE] = "x" } };
    for (unsigned i = 0; i < 64; i++)
        assert_true(ARG_BIT(i) != 0 && (ARG_BIT(i) & (ARG_BIT(i) - 1)) == 0);
    assert_true(ARG_BIT(63) > UINT32_MAX);
    for (size_t i = 0; i < command_count(); i++) /* the sets that commands hold are no narrower */
        assert_true(sizeof(command_at(i)->options) == sizeof(ARG_BIT(0)));
    assert_int_equal(args_foreign(&a, UINT64_MAX), ARG_OPTIONS);
    assert_int_equal(args_foreign(&a, ~ARG_BIT(ARG_TOKEN_FILE)), ARG_TOKEN_FILE);
}

static const struct {
    const char *text;
    bool is_good, is_step;
    double want;
} time_cases[] = {
    { "90", true, false, 90 },      { "0", true, false, 0 },
    { "1:30", true, false, 90 },    { "1:02:03", true, false, 3723 },
    { "+10", true, true, 10 },      { "-1:30", true, true, -90 },
    { "12.5", true, false, 12.5 },  { "1:02.5", true, false, 62.5 },
    { "-0.25", true, true, -0.25 }, { "100:00", true, false, 6000 },
    { "1:60", false, false, 0 },    { "1:2", false, false, 0 },
    { "1:2:3:4", false, false, 0 }, { "", false, false, 0 },
    { "-", false, false, 0 },       { ":30", false, false, 0 },
    { "1:", false, false, 0 },      { "abc", false, false, 0 },
    { "1e3", false, false, 0 },     { "nan", false, false, 0 },
    { "inf", false, false, 0 },     { "--5", false, false, 0 },
    { "1.5:30", false, false, 0 },  { "99999999999999", false, false, 0 },
    { "0x10", false, false, 0 },    { "1.2.3", false, false, 0 },
};

static void times_are_read_as_people_write_them(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(time_cases); i++) {
        double seconds = 0;
        bool is_step;
        bool is_good = parse_time(time_cases[i].text, &seconds, &is_step);
        if (is_good != time_cases[i].is_good)
            fail_msg("\"%s\" was %s", time_cases[i].text, is_good ? "accepted" : "refused");
        if (!is_good)
            continue;
        assert_true(seconds > time_cases[i].want - 1e-9 && seconds < time_cases[i].want + 1e-9);
        assert_int_equal(is_step, time_cases[i].is_step);
    }
}

static void numbers_are_whole_and_within_range(void **state)
{
    static const char *const bad[] = { "",   "-",   "+",
                                       "5x", "101", "-1",
                                       " 5", "1e1", "99999999999999999999" };
    long n = 7;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(parse_number(bad[i], 0, 100, &n));
    assert_int_equal(n, 7);
    assert_true(parse_number("100", 0, 100, &n) && n == 100);
    assert_true(parse_number("+5", -100, 100, &n) && n == 5);
    assert_true(parse_number("-5", -100, 100, &n) && n == -5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere_and_take_their_values),
        cmocka_unit_test(wrong_options_are_refused_in_a_sentence),
        cmocka_unit_test(every_setting_of_a_repeated_option_is_kept),
        cmocka_unit_test(no_two_options_share_a_name_nor_those_of_a_command_a_letter),
        cmocka_unit_test(a_shared_letter_means_the_option_that_the_command_takes),
        cmocka_unit_test(a_set_has_a_bit_for_each_of_64_options),
        cmocka_unit_test(times_are_read_as_people_write_them),
        cmocka_unit_test(numbers_are_whole_and_within_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
