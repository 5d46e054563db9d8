/* The control socket with real clients on a running loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "player/control_socket.h"
#include "support/folder.h"

#define TURNS 20000 /* of the loop, at most, until something must have happened */

struct server {
    char folder[64], path[108];
    uv_loop_t loop;
    struct control_socket *socket;
    uint64_t held[128]; /* clients whose line "hold" waits */
    size_t held_count;
    size_t lines;
    uint64_t last_client;
};

/* Answers with the line itself; "hold" is answered by the test. */
static void on_line(void *arg, uint64_t client, const char *line, size_t len)
{
    struct server *s = arg;
    char *text = strndup(line, len);
    s->lines++;
    s->last_client = client;
    if (strcmp(text, "hold") == 0)
        s->held[s->held_count++] = client;
    else
        control_socket_answer(s->socket, client, text);
    free(text);
}

static int open_socket(struct server *s)
{
    return control_socket_open(
        &s->socket, &(struct control_socket_params){
                        .loop = &s->loop, .path = s->path, .on_line = on_line, .arg = s });
}

static int setup(void **state)
{
    struct server *s = calloc(1, sizeof(*s));
    folder_make(s->folder);
    snprintf(s->path, sizeof(s->path), "%s/" CONTROL_SOCKET_NAME, s->folder);
    uv_loop_init(&s->loop);
    *state = s;
    return open_socket(s);
}

static int teardown(void **state)
{
    struct server *s = *state;
    control_socket_close(s->socket);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    int ret = uv_loop_close(&s->loop);
    assert_false(folder_has(s->folder, CONTROL_SOCKET_NAME));
    folder_remove(s->folder);
    free(s);
    return ret;
}

static void turn(struct server *s)
{
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

static int connect_to(struct server *s)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    memcpy(a.sun_path, s->path, sizeof(a.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    for (int i = 0; i < TURNS && connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0; i++) {
        assert_int_equal(errno, EAGAIN); /* the backlog is full: let it accept */
        turn(s);
    }
    return fd;
}

static void say(struct server *s, int fd, const char *text, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return; /* the server has closed */
        sent += n > 0 ? (size_t)n : 0;
        turn(s);
    }
}

/* The next line, "(closed)", or "(nothing)". */
static const char *hear(struct server *s, int fd)
{
    static char line[512];
    size_t len = 0;
    for (int i = 0; i < TURNS && len + 1 < sizeof(line);) {
        ssize_t n = recv(fd, line + len, 1, 0);
        if (n == 0)
            return "(closed)";
        if (n < 0 && errno != EAGAIN)
            return "(closed)";
        if (n < 0) {
            turn(s);
            i++;
        } else if (line[len++] == '\n') {
            line[len - 1] = '\0';
            return line;
        }
    }
    return "(nothing)";
}

static void several_lines_in_one_packet_are_answered_in_order(void **state)
{
    int fd = connect_to(*state);
    say(*state, fd, "one\ntwo\n\nthree\n", 15);
    assert_string_equal(hear(*state, fd), "one");
    assert_string_equal(hear(*state, fd), "two");
    assert_string_equal(hear(*state, fd), "");
    assert_string_equal(hear(*state, fd), "three");
    close(fd);
}

static void a_line_may_come_byte_by_byte(void **state)
{
    int fd = connect_to(*state);
    for (const char *p = "slowly\n"; *p; p++)
        say(*state, fd, p, 1);
    assert_string_equal(hear(*state, fd), "slowly");
    close(fd);
}

static void a_client_that_waits_holds_back_only_itself(void **state)
{
    struct server *s = *state;
    int a = connect_to(s), b = connect_to(s);
    say(s, a, "hold\nafter\n", 11);
    say(s, b, "other\n", 6);
    assert_string_equal(hear(s, b), "other");
    assert_int_equal(s->lines, 2); /* "after" waits */
    control_socket_answer(s->socket, s->held[0], "held");
    assert_string_equal(hear(s, a), "held");
    assert_string_equal(hear(s, a), "after");
    control_socket_answer(s->socket, s->held[0], "once too often");
    say(s, a, "next\n", 5);
    assert_string_equal(hear(s, a), "next");
    close(a);
    close(b);
}

static void a_client_may_end_its_side_and_still_gets_its_answers(void **state)
{
    struct server *s = *state;
    int fd = connect_to(s);
    say(s, fd, "hold\nlast\n", 10);
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 10; i++)
        turn(s);
    control_socket_answer(s->socket, s->held[0], "held");
    assert_string_equal(hear(s, fd), "held");
    assert_string_equal(hear(s, fd), "last");
    assert_string_equal(hear(s, fd), "(closed)");
    close(fd);
}

static void an_answer_for_a_client_that_is_gone_goes_nowhere(void **state)
{
    struct server *s = *state;
    int fd = connect_to(s);
    say(s, fd, "hold\n", 5);
    close(fd);
    for (int i = 0; i < 10; i++)
        turn(s);
    control_socket_answer(s->socket, s->held[0], "held");
    control_socket_answer(s->socket, 4711, "held");
    for (int i = 0; i < 10; i++)
        turn(s);
    assert_false(control_socket_send(s->socket, s->held[0], "more"));
}

static void a_line_of_a_mebibyte_is_taken_and_a_longer_one_refused(void **state)
{
    struct server *s = *state;
    char *line = malloc(CONTROL_LINE_MAX + 2);
    memset(line, 'x', CONTROL_LINE_MAX + 2);
    memcpy(line, "hold", 4);
    static const struct {
        size_t len;
        bool is_taken;
    } cases[] = { { CONTROL_LINE_MAX, true }, { CONTROL_LINE_MAX + 1, false } };
    for (size_t i = 0; i < 2; i++) {
        size_t before = s->lines;
        int fd = connect_to(s);
        line[cases[i].len] = '\n';
        say(s, fd, line, cases[i].len + 1);
        const char *heard = hear(s, fd);
        assert_int_equal(s->lines - before, cases[i].is_taken);
        if (!cases[i].is_taken) {
            assert_non_null(strstr(heard, "longer than 1 MiB"));
            assert_string_equal(hear(s, fd), "(closed)");
        }
        line[cases[i].len] = 'x';
        close(fd);
    }
    free(line);
}

static void a_client_that_does_not_read_is_closed_and_slows_no_other(void **state)
{
    struct server *s = *state;
    int slow = connect_to(s), other = connect_to(s);
    say(s, slow, "hello\n", 6);
    for (int i = 0; i < 10; i++)
        turn(s);
    uint64_t id = s->last_client;
    char *big = malloc(100001);
    memset(big, 'x', 100000);
    big[100000] = '\0';
    int sent = 0;
    while (sent < 200 && control_socket_send(s->socket, id, big))
        sent++;
    assert_true(sent > 150 && sent < 190); /* 16 MiB and what the kernel holds */
    free(big);
    say(s, other, "fine\n", 5);
    assert_string_equal(hear(s, other), "fine");
    close(slow);
    close(other);
}

static void one_client_too_many_is_told_so(void **state)
{
    struct server *s = *state;
    int fd[CONTROL_CLIENTS_MAX + 1];
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        fd[i] = connect_to(s);
        say(s, fd[i], "here\n", 5);
        assert_string_equal(hear(s, fd[i]), "here");
    }
    int more = connect_to(s);
    assert_non_null(strstr(hear(s, more), "Too many clients"));
    assert_string_equal(hear(s, more), "(closed)");
    close(more);
    close(fd[0]);
    for (int i = 0; i < 10; i++)
        turn(s);
    fd[0] = connect_to(s);
    say(s, fd[0], "again\n", 6);
    assert_string_equal(hear(s, fd[0]), "again");
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        close(fd[i]);
}

static void only_the_owner_may_use_it(void **state)
{
    struct server *s = *state;
    struct stat st;
    assert_int_equal(stat(s->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_socket_somebody_answers_on_is_left_alone_and_a_stale_one_replaced(void **state)
{
    struct server *s = *state;
    struct server second = { .loop = s->loop };
    memcpy(second.path, s->path, sizeof(s->path));
    uv_loop_init(&second.loop);
    assert_int_equal(open_socket(&second), -EADDRINUSE);
    assert_null(second.socket);
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    snprintf(second.path, sizeof(second.path), "%s/stale", s->folder);
    memcpy(a.sun_path, second.path, sizeof(a.sun_path));
    assert_int_equal(bind(stale, (struct sockaddr *)&a, sizeof(a)), 0);
    close(stale);
    assert_int_equal(open_socket(&second), 0);
    int fd = connect_to(&second);
    say(&second, fd, "new\n", 4);
    assert_string_equal(hear(&second, fd), "new");
    close(fd);
    control_socket_close(second.socket);
    uv_run(&second.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&second.loop), 0);
}

/* Between bind() and listen() a client that sees the name would be refused. */
static void its_name_appears_when_it_listens(void **state)
{
    struct server *s = *state;
    struct server second = { .loop = s->loop };
    snprintf(second.path, sizeof(second.path), "%s/second", s->folder);
    uv_loop_init(&second.loop);
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(inotify_add_watch(watch, s->folder, IN_CREATE | IN_MOVED_TO) >= 0);
    assert_int_equal(open_socket(&second), 0);
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t len = read(watch, buffer, sizeof(buffer));
    bool is_moved = false;
    for (ssize_t at = 0; at < len;) {
        const struct inotify_event *e = (const struct inotify_event *)(buffer + at);
        if (strcmp(e->name, "second") == 0) {
            assert_true(e->mask & IN_MOVED_TO);
            is_moved = true;
        }
        at += (ssize_t)sizeof(*e) + e->len;
    }
    assert_true(is_moved);
    close(watch);
    control_socket_close(second.socket);
    uv_run(&second.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&second.loop), 0);
    assert_false(folder_has(s->folder, "second"));
    assert_false(folder_has(s->folder, "second.new"));
}

static void a_path_too_long_for_a_socket_is_an_error(void **state)
{
    struct server *s = *state;
    char path[109];
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    struct control_socket_params params = { .loop = &s->loop, .path = path, .on_line = on_line };
    struct control_socket *second;
    assert_int_equal(control_socket_open(&second, &params), -ENAMETOOLONG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(several_lines_in_one_packet_are_answered_in_order),
        TEST(a_line_may_come_byte_by_byte),
        TEST(a_client_that_waits_holds_back_only_itself),
        TEST(a_client_may_end_its_side_and_still_gets_its_answers),
        TEST(an_answer_for_a_client_that_is_gone_goes_nowhere),
        TEST(a_line_of_a_mebibyte_is_taken_and_a_longer_one_refused),
        TEST(a_client_that_does_not_read_is_closed_and_slows_no_other),
        TEST(one_client_too_many_is_told_so),
        TEST(only_the_owner_may_use_it),
        TEST(a_socket_somebody_answers_on_is_left_alone_and_a_stale_one_replaced),
        TEST(its_name_appears_when_it_listens),
        TEST(a_path_too_long_for_a_socket_is_an_error),
    };
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
