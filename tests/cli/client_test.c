/* The client's side of the control socket beside a jukebox that does not take part. */
#include "support.h"

#include <sys/inotify.h>

#include "cli/client.h"
#include "cli/up_lock.h"

/* Listens in `dir` and never accepts. */
static int listen_only(const char *dir)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static struct message *long_request(void)
{
    char *text = xcalloc(1, 900 * 1024);
    memset(text, 'x', 900 * 1024 - 1);
    struct message *m = cli_request("add");
    message_set_str(m, "request", text);
    free(text);
    return m;
}

static void a_jukebox_that_reads_nothing_is_not_waited_for_without_end(void **state)
{
    char *dir = temp_dir();
    int listener = listen_only(dir);
    struct client c;
    struct timeval limit;
    socklen_t size = sizeof(limit);
    assert_int_equal(client_open(&c, dir), 0);
    assert_int_equal(getsockopt(c.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &size), 0);
    assert_int_equal(limit.tv_sec * 1000, CLIENT_TIMEOUT_MS);
    /* The same limit made short: more than the socket's buffer holds is given up on. */
    limit = (struct timeval){ .tv_usec = 1 };
    assert_int_equal(setsockopt(c.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
    struct message *m = long_request(), *answer;
    assert_int_equal(client_send(&c, m), -ETIMEDOUT);
    assert_int_equal(client_read(&c, 0, &answer), -ETIMEDOUT);
    message_destroy(m);
    client_close(&c);
    close(listener);
    remove_dir(dir);
}

static void a_jukebox_that_ended_is_an_error_and_no_signal(void **state)
{
    char *dir = temp_dir();
    int listener = listen_only(dir);
    struct client c;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(client_open(&c, dir), 0);
    assert_true(control_is_running(dir));
    close(listener);
    struct message *m = long_request();
    assert_int_equal(client_send(&c, m), -EPIPE);
    message_destroy(m);
    client_close(&c);
    assert_false(control_is_running(dir));
    assert_int_equal(client_open(&c, dir), -ECONNREFUSED);
    client_close(&c);
    remove_dir(dir);
}

/* ---- while a player that died is started again ------------------------------------------------------- */

static void the_lock_of_a_zone_is_seen_without_being_taken(void **state)
{
    char *dir = temp_dir();
    assert_false(up_lock_is_held(dir)); /* no file */
    int fd = up_lock_take(dir);
    assert_true(fd >= 0);
    assert_true(up_lock_is_held(dir));
    assert_int_equal(up_lock_take(dir), -EWOULDBLOCK);
    close(fd);
    assert_false(up_lock_is_held(dir));
    fd = up_lock_take(dir);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(up_lock_take("/nonexistent"), -ENOENT);
    remove_dir(dir);
}

/* Becomes a player once somebody has looked whether the lock is held: not before the first try. */
static pid_t start_late_player(char *dir)
{
    int watch = inotify_init1(IN_CLOEXEC);
    assert_true(inotify_add_watch(watch, dir, IN_OPEN) >= 0);
    pid_t pid = fork();
    if (pid == 0) {
        char events[4096];
        if (read(watch, events, sizeof(events)) <= 0)
            _exit(1);
        struct fake_player p =
            fake_player_at(dir, (const char *const[]){ "{\"ok\":true,\"volume\":7}", NULL });
        waitpid(p.pid, NULL, 0);
        _exit(0);
    }
    close(watch);
    return pid;
}

static void a_player_that_is_started_again_is_waited_for(void **state)
{
    char *dir = temp_dir();
    int fd = up_lock_take(dir);
    pid_t pid = start_late_player(dir);
    struct run r = RUN("volume", "--runtime-dir", dir);
    assert_string_equal(r.err, "");
    assert_int_equal(r.code, 0);
    assert_string_equal(r.out, "7\n");
    run_finish(&r);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(fd);
    remove_dir(dir);
}

static void one_that_does_not_come_back_is_waited_for_no_longer(void **state)
{
    char *dir = temp_dir();
    int fd = up_lock_take(dir);
    struct run r = RUN("volume", "--runtime-dir", dir);
    assert_int_equal(r.code, 3);
    assert_contains(r.err, "is being started again");
    run_finish(&r);
    close(fd);
    remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jukebox_that_reads_nothing_is_not_waited_for_without_end),
        cmocka_unit_test(a_jukebox_that_ended_is_an_error_and_no_signal),
        cmocka_unit_test(the_lock_of_a_zone_is_seen_without_being_taken),
        cmocka_unit_test(a_player_that_is_started_again_is_waited_for),
        cmocka_unit_test(one_that_does_not_come_back_is_waited_for_no_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
