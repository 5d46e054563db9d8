/* `play` in a terminal: its keys, its status line, its log. */
#include "scene.h"

#include <pty.h>
#include <termios.h>
#include <utmp.h>

/* Runs djamms in a terminal of 60 columns; its other end is s->output. */
static void start_in_terminal(struct scene_of_test *s, const char *const words[],
                              struct termios *before)
{
    int master, slave;
    struct winsize size = { .ws_row = 24, .ws_col = 60 };
    assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
    assert_int_equal(tcgetattr(master, before), 0);
    fflush(NULL);
    s->pid = fork();
    if (s->pid == 0) {
        close(master);
        login_tty(dup(slave));
        exit(run_in_child(words));
    }
    close(slave);
    s->output = master;
    wait_until_up(s);
}

/* The runtime folder, which stands in the player's arguments. The caller frees. */
static char *runtime_dir_of(const struct scene_of_test *s)
{
    const char *start =
        strstr(strstr(s->text.data, "player | ready"), "--runtime-dir ") + strlen("--runtime-dir ");
    return xstrndup(start, strcspn(start, " "));
}

static void keys_of_the_terminal_drive_the_player_and_the_terminal_is_put_back(void **state)
{
    struct scene_of_test *s = *state;
    struct termios before, during, after;
    const char *const words[] = { "play", s->media, NULL };
    start_in_terminal(s, words, &before);
    int master = s->output;
    char *start = runtime_dir_of(s);
    struct fake_player p = fake_player_at(
        xstrdup(start), (const char *const[]){ "{}", "{}", "{}", "{}", "{}", "{}", NULL });
    wait_for(s, "space pause, n next, up/down volume, m mute, q quit", 1);
    assert_null(strstr(s->text.data, "\x1b[K")); /* this terminal obeys no such thing */
    assert_int_equal(write(master, " n\x1b[Am\x1b[D-", 10), 10);
    waitpid(p.pid, NULL, 0); /* it has answered all six */
    assert_int_equal(tcgetattr(master, &during), 0);
    assert_false(during.c_lflag & (ICANON | ECHO));
    assert_true(during.c_lflag & ISIG);
    char *path = xasprintf("%s/requests.txt", start), *requests = read_text(path);
    static const char *const want[] = { "toggle-pause", "skip",       "\"delta\":5",
                                        "mute",         "position_s", "\"delta\":-5" };
    const char *at = requests;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        at = at ? strstr(at, want[i]) : NULL;
        if (!at)
            fail_msg("%s is missing in %s", want[i], requests);
    }
    assert_int_equal(write(master, "q", 1), 1);
    assert_int_equal(wait_end(s), 0);
    assert_int_equal(tcgetattr(master, &after), 0);
    assert_int_equal(after.c_lflag, before.c_lflag);
    free(p.dir);
    free(requests);
    free(path);
    free(start);
}

#define STATUS(state, second)                                                                      \
    "{\"ok\":true,\"state\":\"" state                                                              \
    "\",\"volume\":60,\"now\":{\"title\":\"T\",\"position_s\":" second ",\"duration_s\":200}}"

static void a_terminal_has_a_status_line_below_the_log_and_escape_quits(void **state)
{
    struct scene_of_test *s = *state;
    struct termios before;
    const char *const words[] = { "play", s->media, NULL };
    setenv("TERM", "xterm", 1);
    start_in_terminal(s, words, &before);
    setenv("TERM", "dumb", 1);
    assert_contains(s->text.data, " --set log.level=warning ");
    char *dir = runtime_dir_of(s);
    /* The first player dies: the next one is asked, too. */
    struct fake_player p = fake_player_at(
        dir, (const char *const[]){ STATUS("playing", "1") "\n" STATUS("paused", "2"), NULL });
    read_until(s, "paused  T  0:02 / 3:20  volume 60", 1);
    assert_contains(s->text.data, "playing  T  0:01 / 3:20  volume 60\r\x1b[Kpaused  T  0:02");
    waitpid(p.pid, NULL, 0);
    char *socket_path = xasprintf("%s/control.sock", dir);
    unlink(socket_path);
    p = fake_player_at(dir, (const char *const[]){ STATUS("playing", "3"), NULL });
    read_until(s, "playing  T  0:03", 1);
    kill(pid_of(s, "stage"), SIGKILL);
    read_until(s, "stage  | ready", 2);
    assert_contains(s->text.data, "volume 60\r\x1b[Kdjamms | stage was killed");
    assert_int_equal(write(s->output, "\x1b", 1), 1);
    assert_int_equal(wait_end(s), 0);
    const char *last = s->text.data + s->text.len - strlen("\r\x1b[K");
    assert_string_equal(last, "\r\x1b[K"); /* nothing of it is left */
    waitpid(p.pid, NULL, 0);
    free(socket_path);
    free(dir);
}

static const struct {
    const char *words[3], *level; /* level: the last one given; NULL: none is */
} level_cases[] = {
    { { NULL }, "warning" },
    { { "--set", "log.level=info" }, "info" },
    { { "--config", "debug.ini" }, NULL },
};

static void a_terminal_shows_warnings_unless_more_is_wanted(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(level_cases); i++) {
        struct scene_of_test *s;
        struct termios before;
        setup((void **)&s);
        char *file = make_file(s->dir, "debug.ini", "[log]\nlevel = debug\n");
        const char *value = level_cases[i].words[1];
        bool is_file = value && strcmp(value, "debug.ini") == 0;
        const char *const words[] = { "play", s->media, level_cases[i].words[0],
                                      is_file ? file : value, NULL };
        start_in_terminal(s, words, &before);
        const char *given = NULL, *line = strstr(s->text.data, "stage  | ready");
        for (const char *at = line; (at = strstr(at, "log.level=")); at++)
            given = at < strchr(line, '\n') ? at + strlen("log.level=") : given;
        if (level_cases[i].level)
            assert_int_equal(strncmp(given, level_cases[i].level, strlen(level_cases[i].level)), 0);
        else
            assert_null(given);
        assert_int_equal(write(s->output, "q", 1), 1);
        assert_int_equal(wait_end(s), 0);
        free(file);
        teardown((void **)&s);
    }
}

int main(void)
{
    clean_environment();
    const struct CMUnitTest tests[] = {
        CASE(keys_of_the_terminal_drive_the_player_and_the_terminal_is_put_back),
        CASE(a_terminal_has_a_status_line_below_the_log_and_escape_quits),
        cmocka_unit_test(a_terminal_shows_warnings_unless_more_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
