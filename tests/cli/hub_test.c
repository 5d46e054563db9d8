/* djamms hub: what it hands over to djamms-hub. */
#include "support.h"

#include "cli/command.h"

/* Runs "djamms" with these words where djamms-hub is a script that prints its arguments, one a line. */
static struct run hand_over(const char *program_dir, const char *const words[])
{
    struct run r = { 0 };
    const char *argv[32] = { "djamms" };
    int argc = 1, pipes[2], status;
    for (; words[argc - 1]; argc++)
        argv[argc] = words[argc - 1];
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        dup2(pipes[1], STDERR_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        setenv("DJAMMS_LIBEXEC", program_dir, 1);
        int code = cli_run(argc, (char **)argv, stdout, stderr);
        fflush(stdout);
        _exit(code);
    }
    close(pipes[1]);
    FILE *f = fdopen(pipes[0], "r");
    size_t cap = 0;
    if (getdelim(&r.out, &cap, '\0', f) < 0)
        r.out = xstrdup("");
    fclose(f);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    r.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return r;
}

static char *make_program(const char *dir)
{
    char *path = make_file(dir, "djamms-hub", "#!/bin/sh\nfor a; do echo \"<$a>\"; done\nexit 7\n");
    assert_int_equal(chmod(path, 0700), 0);
    return path;
}

static const struct {
    const char *words[16], *given;
} hand_overs[] = {
    { { "hub", "claim" }, "<claim>\n<-->\n" },
    { { "hub", "user", "list", "--json" }, "<user>\n<--json>\n<-->\n<list>\n" },
    { { "hub", "user", "add", "a b@c.d", "--role", "owner", "--password-file", "-" },
      "<user>\n<--role>\n<owner>\n<--password-file>\n<->\n<-->\n<add>\n<a b@c.d>\n" },
    { { "hub", "--data", "/a b", "backup", "--", "--file" },
      "<backup>\n<--data>\n</a b>\n<-->\n<--file>\n" },
    { { "hub", "key", "list", "--set", "hub.port=1", "--set", "hub.project=x", "--runtime-dir",
        "/r", "--state-dir", "/s", "--config", "c.ini" },
      "<key>\n<--config>\n<c.ini>\n<--state-dir>\n</s>\n<--set>\n<hub.port=1>\n<--set>\n"
      "<hub.project=x>\n<-->\n<list>\n" },
    { { "hub", "import", "--endpoint", "https://h/v1", "--project", "p", "--database", "d",
        "--venue", "v", "--key-file", "k" },
      "<import>\n<--endpoint>\n<https://h/"
      "v1>\n<--project>\n<p>\n<--database>\n<d>\n<--venue>\n<v>\n"
      "<--key-file>\n<k>\n<-->\n" },
};

static void words_and_options_are_handed_over_and_the_status_comes_back(void **state)
{
    char *dir = temp_dir();
    free(make_program(dir));
    for (size_t i = 0; i < ARRAY_LEN(hand_overs); i++) {
        struct run r = hand_over(dir, hand_overs[i].words);
        assert_string_equal(r.out, hand_overs[i].given);
        assert_int_equal(r.code, 7);
        run_finish(&r);
    }
    remove_dir(dir);
}

static void a_missing_program_is_told(void **state)
{
    char *dir = temp_dir();
    const char *const words[] = { "hub", "claim", NULL };
    struct run r = hand_over(dir, words);
    assert_int_equal(r.code, CLI_FAILED);
    assert_contains(r.out, "djamms-hub: No such file or directory");
    run_finish(&r);
    remove_dir(dir);
}

static void what_the_hub_does_not_know_is_not_handed_over(void **state)
{
    struct run none = RUN("hub"), other = RUN("hub", "usr"), half = RUN("hub", "use"),
               both = RUN("hub", "user key");
    assert_int_equal(none.code, CLI_USAGE);
    assert_int_equal(other.code, CLI_USAGE);
    assert_contains(other.err, "user key token claim backup restore import");
    assert_int_equal(half.code, CLI_USAGE);
    assert_int_equal(both.code, CLI_USAGE);
    run_finish(&none);
    run_finish(&other);
    run_finish(&half);
    run_finish(&both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_options_are_handed_over_and_the_status_comes_back),
        cmocka_unit_test(a_missing_program_is_told),
        cmocka_unit_test(what_the_hub_does_not_know_is_not_handed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
