/* The programs of a zone, played by small scripts, and djamms running in a process of its own. */
#pragma once

#include "support.h"

#include <poll.h>
#include <sys/syscall.h>

struct scene_of_test {
    char *dir; /* scripts, media, pid files; $T for the scripts */
    char *runtime_dir;
    char *media;
    pid_t pid;       /* djamms */
    int output;      /* what it prints on both streams */
    struct buf text; /* read so far */
};

static const char deck_script[] =
    "#!/bin/sh\necho $$ > $T/deck-$2.pid\necho ready $*\nexec sleep 1000\n";
static const char stage_script[] =
    "#!/bin/sh\necho $$ > $T/stage.pid\necho ready $*\nexec sleep 1000\n";
static const char hub_script[] =
    "#!/bin/sh\necho $$ > $T/hub.pid\necho ready $*\nexec sleep 1000\n";
/* Ends with the status that is written into the pipe. */
static const char player_script[] =
    "#!/bin/sh\necho $$ > $T/player.pid\necho ready $*\nread status < $T/end\nexit $status\n";

static inline void write_script(const struct scene_of_test *s, const char *name, const char *text)
{
    char *path = make_file(s->dir, name, text);
    assert_int_equal(chmod(path, 0700), 0);
    free(path);
}

static inline int setup(void **state)
{
    struct scene_of_test *s = xcalloc(1, sizeof(*s));
    s->dir = temp_dir();
    s->runtime_dir = xasprintf("%s/run", s->dir);
    s->media = make_file(s->dir, "a.mp4", "x");
    char *end = xasprintf("%s/end", s->dir);
    assert_int_equal(mkfifo(end, 0600), 0);
    free(end);
    write_script(s, "djamms-deck", deck_script);
    write_script(s, "djamms-stage", stage_script);
    write_script(s, "djamms-hub", hub_script);
    write_script(s, "djamms-player", player_script);
    buf_init(&s->text, 1 << 20);
    setenv("T", s->dir, 1);
    setenv("DJAMMS_LIBEXEC", s->dir, 1);
    setenv("XDG_RUNTIME_DIR", s->dir, 1);
    setenv("DJAMMS_CONFIG", "/nonexistent", 1);
    setenv("DJAMMS_STATE_DIR", s->dir, 1);
    *state = s;
    return 0;
}

static inline int teardown(void **state)
{
    struct scene_of_test *s = *state;
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    if (s->output > 0)
        close(s->output);
    buf_finish(&s->text);
    free(s->runtime_dir);
    free(s->media);
    remove_dir(s->dir);
    free(s);
    return 0;
}

static inline int run_in_child(const char *const words[])
{
    const char *argv[32] = { "djamms" };
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = words[argc - 1];
    return cli_run(argc, (char **)argv, stdout, stderr);
}

static inline void start_words(struct scene_of_test *s, const char *const words[])
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fflush(NULL);
    s->pid = fork();
    if (s->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        exit(run_in_child(words));
    }
    close(ends[1]);
    s->output = ends[0];
}
#define START(s, ...) start_words((s), (const char *const[]){ __VA_ARGS__, NULL })

/* Reads on; false at the end of the output. */
static inline bool read_more(struct scene_of_test *s)
{
    char bytes[4096];
    ssize_t n = read(s->output, bytes, sizeof(bytes));
    return n > 0 && buf_append(&s->text, bytes, (size_t)n) == 0;
}

static inline size_t count_of(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *p = text; p && (p = strstr(p, part)); p++)
        n++;
    return n;
}

static inline bool ends_with_line(const struct buf *text)
{
    return text->len > 0 && text->data[text->len - 1] == '\n';
}

/* Waits until the output has `part` so many times. */
static inline void read_until(struct scene_of_test *s, const char *part, size_t times)
{
    while (count_of(s->text.data, part) < times) {
        if (!read_more(s))
            fail_msg("the output ended without \"%s\": %s", part, s->text.data ? s->text.data : "");
    }
}

/* The same, and the whole of the last line. */
static inline void wait_for(struct scene_of_test *s, const char *part, size_t times)
{
    read_until(s, part, times);
    while (!ends_with_line(&s->text))
        assert_true(read_more(s));
}

static inline void wait_until_up(struct scene_of_test *s)
{
    wait_for(s, "player | ready", 1);
    wait_for(s, "deck-a | ready", 1);
    wait_for(s, "deck-b | ready", 1);
    wait_for(s, "stage  | ready", 1);
}

static inline void wait_until_all_are_up(struct scene_of_test *s)
{
    wait_until_up(s);
    wait_for(s, "hub    | ready", 1);
}

/* The exit status; -1: killed. */
static inline int wait_end(struct scene_of_test *s)
{
    int status;
    while (read_more(s))
        ;
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    s->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline pid_t pid_of(const struct scene_of_test *s, const char *name)
{
    char *path = xasprintf("%s/%s.pid", s->dir, name), *text = read_text(path);
    pid_t pid = atoi(text);
    assert_true(pid > 1);
    free(text);
    free(path);
    return pid;
}

/* The hub is part of `up` only. */
static const char *const names[] = { "player", "deck-a", "deck-b", "stage", "hub" };
#define PROGRAMS_OF_UP   5
#define PROGRAMS_OF_PLAY 4

static inline void open_all(const struct scene_of_test *s, int fds[], int count)
{
    for (int i = 0; i < count; i++) {
        fds[i] = (int)syscall(SYS_pidfd_open, pid_of(s, names[i]), 0);
        assert_true(fds[i] >= 0);
    }
}

/* Waits for each to end: a process that stayed makes the test run into its time limit. */
static inline void assert_all_end(int fds[], int count)
{
    for (int i = 0; i < count; i++) {
        struct pollfd p = { .fd = fds[i], .events = POLLIN };
        assert_int_equal(poll(&p, 1, -1), 1);
        close(fds[i]);
    }
}

static inline void end_player(const struct scene_of_test *s, const char *status)
{
    char *path = xasprintf("%s/end", s->dir);
    FILE *f = fopen(path, "w");
    fprintf(f, "%s\n", status);
    fclose(f);
    free(path);
}

/* Nothing of this machine's own. */
static inline void clean_environment(void)
{
    unsetenv("DISPLAY");
    unsetenv("WAYLAND_DISPLAY");
    setenv("NO_COLOR", "1", 1);
    setenv("TERM", "dumb", 1);
    unsetenv("DJAMMS_LOG");
    unsetenv("DJAMMS_RUNTIME_DIR");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
