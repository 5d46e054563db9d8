/* The man pages and completion scripts that are kept beside the program say what the tables say. */
#include "support.h"

#include "cli/command.h"
#include "cli/completion.h"
#include "config/config.h"
#include "config/option.h"

/* As troff text writes it: '-' behind a backslash. */
static char *troff(const char *text)
{
    struct buf b;
    buf_init(&b, 4096);
    assert_int_equal(buf_append(&b, "", 0), 0);
    for (; *text; text++)
        assert_int_equal(*text == '-' ? buf_printf(&b, "\\-") : buf_append(&b, text, 1), 0);
    return b.data;
}

static void assert_documented(const char *page, const char *text)
{
    char *escaped = troff(text);
    assert_contains(page, escaped);
    free(escaped);
}

/* The page's text of one command: up to the next entry. */
static char *entry_of(const char *page, const struct command *c)
{
    char *head = *c->args ? xasprintf(".BI \"djamms %s \" \"%s\"\n", c->name, c->args)
                          : xasprintf(".B djamms %s\n", c->name);
    char *escaped = troff(head);
    const char *start = strstr(page, escaped);
    if (!start)
        fail_msg("the man page has no entry %s", escaped);
    const char *end = strstr(start, ".TP");
    free(head);
    free(escaped);
    return xstrndup(start, end ? (size_t)(end - start) : strlen(start));
}

static void the_man_page_has_every_command_with_its_options(void **state)
{
    char *page = read_text("../../docs/man/djamms.1");
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *c = command_at(i);
        char *entry = entry_of(page, c);
        for (int k = 0; k < ARG_OPTIONS; k++) {
            const char *name = arg_spec((enum arg_option)k)->name;
            char *option = xasprintf("\\fB--%s\\fR", name), *escaped = troff(option);
            bool is_there = strstr(entry, escaped) != NULL;
            if (is_there != !!(c->options & ARG_BIT(k)))
                fail_msg("%s: --%s is %s the man page", c->name, name,
                         is_there ? "only in" : "not in");
            free(option);
            free(escaped);
        }
        free(entry);
    }
    for (int k = 0; k < ARG_OPTIONS; k++) {
        const struct arg_spec *spec = arg_spec((enum arg_option)k);
        char *option = xasprintf("--%s", spec->name);
        assert_documented(page, option);
        assert_documented(page, spec->help + 1); /* there it begins with a capital */
        free(option);
    }
    free(page);
}

static void the_page_of_settings_has_every_setting(void **state)
{
    char *page = read_text("../../docs/man/djamms.ini.5");
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        char allowed[256], env[64];
        char *head = xasprintf("\\fB%s\\fR (%s%s; \\fB$%s\\fR)\n", option_key(o),
                               *o->def ? "default: " : "empty by default", o->def,
                               option_env_name(o, env, sizeof(env)));
        assert_documented(page, head);
        assert_documented(page, o->help + 1);
        assert_documented(page, option_allowed(o, allowed, sizeof(allowed)));
        free(head);
    }
    free(page);
}

static void the_kept_completions_are_the_ones_written_now(void **state)
{
    static const struct {
        const char *path, *shell;
    } scripts[] = { { "../../assets/completion/djamms.bash", "bash" },
                    { "../../assets/completion/djamms.zsh", "zsh" } };
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct run r = RUN("completion", scripts[i].shell);
        char *kept = read_text(scripts[i].path);
        assert_int_equal(r.code, 0);
        assert_string_equal(r.out, kept); /* djamms completion SHELL > FILE */
        for (size_t k = 0; k < command_count(); k++)
            assert_contains(kept, command_at(k)->name);
        free(kept);
        run_finish(&r);
    }
}

/* What bash offers for a line, blank between. */
static char *complete(const char *line)
{
    char *script =
        xasprintf("compopt() { :; }; source ../../assets/completion/djamms.bash; "
                  "COMP_WORDS=(%s); [[ '%s' == *' ' ]] && COMP_WORDS+=(''); "
                  "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _djamms; echo \"${COMPREPLY[@]}\"",
                  line, line);
    char *command = xasprintf("bash -c \"$S\"");
    char *text = xcalloc(1, 4096);
    setenv("S", script, 1);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, 4095, f);
    assert_int_equal(pclose(f), 0);
    text[n] = '\0';
    free(command);
    free(script);
    return text;
}

static const struct {
    const char *line, *want;
} completion_cases[] = {
    { "djamms sta", "status\n" },
    { "djamms status --wa", "--watch\n" },
    { "djamms mute o", "on off\n" },
    { "djamms --json status --w", "--watch\n" },
    { "djamms help scr", "screenshot\n" },
    { "djamms skip x", "\n" },
    { "djamms add walk_", "walk_test.c\n" },
    { "djamms config ", "check example show\n" },
    { "djamms config check walk_", "walk_test.c\n" },
    { "djamms config --config x.ini c", "check\n" },
    { "djamms hub ", "user key token claim backup restore import\n" },
    { "djamms hub backup walk_", "walk_test.c\n" },
    { "djamms clear main ", "\n" },
    { "djamms up --set sound.vol", "sound.volume=\n" },
    { "djamms up -s queue.", "queue.loop= queue.autostart= queue.exit-at-end=\n" },
    { "djamms up --set sound.volume = ", "\n" }, /* as bash splits it */
    { "djamms up --set sound.volume = 5 walk_", "walk_test.c\n" },
    { "djamms up --config walk_", "walk_test.c\n" },
    { "djamms up --state-dir walk_", "\n" },
    { "djamms history --limit ", "\n" },
};

static void bash_completes_commands_options_words_and_files(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(completion_cases); i++) {
        char *got = complete(completion_cases[i].line);
        if (strcmp(got, completion_cases[i].want) != 0)
            fail_msg("%s: %s", completion_cases[i].line, got);
        free(got);
    }
}

static void every_command_has_help_by_help_and_by_option(void **state)
{
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *c = command_at(i);
        struct run by_word = RUN("help", c->name), by_option = RUN(c->name, "--help");
        assert_int_equal(by_word.code, 0);
        assert_int_equal(by_option.code, 0);
        assert_string_equal(by_word.out, by_option.out);
        assert_contains(by_word.out, c->brief);
        assert_contains(by_word.out, c->args);
        for (int k = 0; k < ARG_OPTIONS; k++) {
            if (c->options & ARG_BIT(k))
                assert_contains(by_word.out, arg_spec((enum arg_option)k)->help);
        }
        assert_ptr_equal(command_find(c->name), c);
        run_finish(&by_word);
        run_finish(&by_option);
    }
}

static void the_overview_names_every_command(void **state)
{
    struct run r = RUN("help"), option = RUN("--help"), version = RUN("--version");
    for (size_t i = 0; i < command_count(); i++)
        assert_contains(r.out, command_at(i)->brief);
    assert_string_equal(r.out, option.out);
    assert_int_equal(r.code + option.code + version.code, 0);
    assert_string_equal(version.out, "djamms " DJAMMS_VERSION "\n");
    run_finish(&r);
    run_finish(&option);
    run_finish(&version);
    r = RUN("help", "nothing");
    assert_int_equal(r.code, 2);
    run_finish(&r);
}

static void settings_are_checked_shown_and_explained(void **state)
{
    char *dir = temp_dir(), *good = make_file(dir, "good.ini", "[sound]\nvolume = 3\n");
    char *bad = make_file(dir, "bad.ini", "[sound]\nvolume = loud\nvolum = 3\n");
    struct run r = RUN("config", "check", good);
    assert_int_equal(r.code, 0);
    assert_contains(r.out, "no mistakes");
    run_finish(&r);
    r = RUN("config", "check", bad);
    assert_int_equal(r.code, 1);
    assert_contains(r.err, "bad.ini:2: sound.volume");
    assert_contains(r.err, "bad.ini:3: sound.volum: no such setting");
    run_finish(&r);
    r = RUN("config", "check", bad, "--json");
    assert_int_equal(r.code, 1);
    assert_contains(r.out, "{\"ok\":false,");
    assert_contains(r.out, "\"count\":2,\"errors\":[\"");
    assert_contains(r.out, "bad.ini:3: sound.volum: no such");
    run_finish(&r);
    r = RUN("config", "check");
    assert_int_equal(r.code, 0);
    assert_contains(r.out, "/nonexistent: not there");
    run_finish(&r);
    r = RUN("config", "check", "--json");
    assert_int_equal(r.code, 0);
    assert_contains(r.out, "\"ok\":true");
    run_finish(&r);
    r = RUN("config", "check", "/nonexistent");
    assert_int_equal(r.code, 1); /* named, it has to be there */
    run_finish(&r);
    r = RUN("config", "check", good, "--set", "sound.volume=loud");
    assert_int_equal(r.code, 2); /* what is not looked at is not taken */
    run_finish(&r);
    r = RUN("config", "show", "--json", "--config", good);
    assert_contains(r.out, "{\"ok\":true,");
    assert_contains(r.out, "\"sound.volume\":\"3\"");
    run_finish(&r);
    r = RUN("config", "show", "--config", good);
    assert_contains(r.out, "3                changed");
    run_finish(&r);
    r = RUN("config", "example");
    char *kept = read_text("../../assets/djamms.ini");
    assert_string_equal(r.out, kept);
    run_finish(&r);
    r = RUN("config", "chekc");
    assert_int_equal(r.code, 2);
    run_finish(&r);
    free(kept);
    free(good);
    free(bad);
    remove_dir(dir);
}

int main(void)
{
    setenv("DJAMMS_CONFIG", "/nonexistent", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_man_page_has_every_command_with_its_options),
        cmocka_unit_test(the_page_of_settings_has_every_setting),
        cmocka_unit_test(the_kept_completions_are_the_ones_written_now),
        cmocka_unit_test(bash_completes_commands_options_words_and_files),
        cmocka_unit_test(every_command_has_help_by_help_and_by_option),
        cmocka_unit_test(the_overview_names_every_command),
        cmocka_unit_test(settings_are_checked_shown_and_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
