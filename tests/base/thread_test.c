/* Threads that go before others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/thread.h"

static int policy(void)
{
    return sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
}

static int level(void)
{
    struct sched_param p;
    return sched_getparam(0, &p) == 0 ? p.sched_priority : -1;
}

/* Asked of another process, for nothing of it stays. */
static bool system_allows_it(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 }) != 0);
    int status = 1;
    return waitpid(child, &status, 0) == child && status == 0;
}

static void *tell_policy(void *out)
{
    *(int *)out = policy();
    return NULL;
}

static void a_hurried_thread_goes_before_others_and_its_children_do_not(void **state)
{
    int of_child = -1;
    pthread_t child;
    if (!system_allows_it()) {
        print_message("skipped: this machine allows no real-time threads (RLIMIT_RTPRIO)\n");
        skip();
    }
    thread_hurry(THREAD_PICTURE);
    assert_int_equal(policy(), SCHED_FIFO);
    assert_int_equal(level(), THREAD_PICTURE);
    thread_hurry(THREAD_SOUND);
    assert_int_equal(level(), THREAD_SOUND);
    assert_int_equal(pthread_create(&child, NULL, tell_policy, &of_child), 0);
    pthread_join(child, NULL);
    assert_int_equal(of_child, SCHED_OTHER);
}

/* A user without any right, in a process of its own. */
static int hurry_as_nobody(void)
{
    const struct rlimit none = { 0, 0 };
    if (setrlimit(RLIMIT_RTPRIO, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0))
        return 1;
    thread_hurry(THREAD_PICTURE);
    return policy() == SCHED_OTHER ? 0 : 2;
}

static void where_it_is_not_allowed_nothing_changes(void **state)
{
    pid_t child = fork();
    if (child == 0)
        _exit(hurry_as_nobody());
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void levels_are_in_the_order_of_what_is_noticed_first(void **state)
{
    assert_true(THREAD_PICTURE < THREAD_SOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hurried_thread_goes_before_others_and_its_children_do_not),
        cmocka_unit_test(where_it_is_not_allowed_nothing_changes),
        cmocka_unit_test(levels_are_in_the_order_of_what_is_noticed_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
