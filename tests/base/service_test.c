/* What systemd hears of a program, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/now.h"
#include "base/service.h"

static char told[256];

static int fake_notify(int unset_environment, const char *state)
{
    size_t n = strlen(told);
    snprintf(told + n, sizeof(told) - n, "%s ", state);
    return 1;
}

static void it_is_ready_first_and_gives_signs_of_life_when_they_are_due(void **state)
{
    struct service s = { .notify = fake_notify, .period_ns = MS(500) };
    static const struct {
        int64_t at_ms;
        const char *told;
    } turns[] = { { 1000, "READY=1 " },    { 1499, "" }, { 1500, "WATCHDOG=1 " }, { 1900, "" },
                  { 2600, "WATCHDOG=1 " }, { 3000, "" }, { 3100, "WATCHDOG=1 " } };
    for (size_t i = 0; i < ARRAY_LEN(turns); i++) {
        told[0] = '\0';
        service_alive(&s, MS(turns[i].at_ms));
        assert_string_equal(told, turns[i].told);
    }
}

static void without_a_watchdog_only_readiness_is_told(void **state)
{
    struct service s = { .notify = fake_notify }, nobody = { 0 };
    told[0] = '\0';
    service_alive(&s, SECONDS(1));
    service_alive(&s, SECONDS(1000));
    assert_string_equal(told, "READY=1 ");
    service_alive(&nobody, SECONDS(1));
    service_alive(NULL, SECONDS(1));
    assert_string_equal(told, "READY=1 ");
}

static void the_watchdog_waits_longer_for_something_long_and_no_longer_after_it(void **state)
{
    struct service s = { .notify = fake_notify, .period_ns = MS(500) }, nobody = { 0 };
    told[0] = '\0';
    service_busy(&s, SECONDS(60)); /* not ready: the limit of the start is another one */
    service_alive(&s, SECONDS(1));
    assert_string_equal(told, "EXTEND_TIMEOUT_USEC=60000000 READY=1 ");
    told[0] = '\0';
    service_busy(&s, SECONDS(60));
    assert_string_equal(told, "WATCHDOG_USEC=60000000 ");
    told[0] = '\0';
    service_alive(&s, MS(1001));
    service_alive(&s, MS(1500));
    assert_string_equal(told, "WATCHDOG_USEC=2000000 ");
    service_alive(&s, MS(1501));
    assert_string_equal(told, "WATCHDOG_USEC=2000000 WATCHDOG=1 ");
    service_busy(&nobody, SECONDS(60));
    service_busy(NULL, SECONDS(60));
}

static void the_manager_that_the_environment_names_is_told(void **state)
{
    char dir[] = "/tmp/djamms-notify-XXXXXX", text[64] = "";
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    assert_non_null(mkdtemp(dir));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", dir);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    struct service s = service_open(NULL);
    service_alive(&s, SECONDS(1));
    assert_true(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
    assert_string_equal(text, "READY=1");
    unsetenv("NOTIFY_SOCKET");
    close(fd);
    unlink(address.sun_path);
    rmdir(dir);
}

static void the_watchdog_is_ours_only_when_it_names_this_process(void **state)
{
    char own[32];
    snprintf(own, sizeof(own), "%ld", (long)getpid());
    const struct {
        const char *socket, *usec, *pid;
        int64_t period_ns;
    } cases[] = {
        { "/nowhere", "2000000", own, MS(500) },
        { "/nowhere", "2000000", NULL, MS(500) },
        { "/nowhere", "2000000", "1", 0 },
        { "/nowhere", "nonsense", own, 0 },
        { "/nowhere", "-5", own, 0 },
        { "/nowhere", NULL, own, 0 },
        { "/nowhere", "9223372036854775807", own, 0 },
        { NULL, "2000000", own, 0 },
        { "", "2000000", own, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsetenv("NOTIFY_SOCKET");
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (cases[i].socket)
            setenv("NOTIFY_SOCKET", cases[i].socket, 1);
        if (cases[i].usec)
            setenv("WATCHDOG_USEC", cases[i].usec, 1);
        if (cases[i].pid)
            setenv("WATCHDOG_PID", cases[i].pid, 1);
        assert_int_equal(service_open(NULL).period_ns, cases[i].period_ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_ready_first_and_gives_signs_of_life_when_they_are_due),
        cmocka_unit_test(without_a_watchdog_only_readiness_is_told),
        cmocka_unit_test(the_watchdog_waits_longer_for_something_long_and_no_longer_after_it),
        cmocka_unit_test(the_manager_that_the_environment_names_is_told),
        cmocka_unit_test(the_watchdog_is_ours_only_when_it_names_this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
