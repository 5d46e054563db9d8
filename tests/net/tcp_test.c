#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tcp.h"

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static void silent_peer_is_given_up_within_half_a_minute(void **state)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    tcp_prepare(fd);
    assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    int idle = option(fd, IPPROTO_TCP, TCP_KEEPIDLE);
    int interval = option(fd, IPPROTO_TCP, TCP_KEEPINTVL);
    assert_in_range(idle + interval * option(fd, IPPROTO_TCP, TCP_KEEPCNT), 20, 30);
    assert_in_range(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 10000, 30000);
    close(fd);
}

static void started_programs_do_not_inherit_it(void **state)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    tcp_prepare(fd);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
}

static void other_sockets_are_left_alone(void **state)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    tcp_prepare(pair[0]);
    assert_int_equal(write(pair[0], "a", 1), 1);
    close(pair[0]);
    close(pair[1]);
    tcp_prepare(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent_peer_is_given_up_within_half_a_minute),
        cmocka_unit_test(started_programs_do_not_inherit_it),
        cmocka_unit_test(other_sockets_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
