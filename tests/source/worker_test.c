#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "support/folder.h"
#include "source/worker.h"
#include "wire/message.h"

/* The answers of a well-behaved child, in sh. $n is the number of the request. */
#define READ      "read -r line; n=${line##*'\"n\":'}; n=${n%%[!0-9]*}; "
#define DONE      "printf '{\"n\": %s, \"event\": \"done\", \"pid\": %s}\\n' $n $$; "
#define GREET     READ DONE
#define SERVE     "while read -r line; do n=${line##*'\"n\":'}; n=${n%%[!0-9]*}; " DONE "done"
#define FOREVER   "while :; do sleep 1000; done"
#define WAIT_LONG "sleep 1000 & echo $! >> pids; sleep 1000 & echo $! >> pids; echo $$ >> pids; "

static const int64_t short_waits[] = { 1, 1, 1, 1 };

struct asked {
    bool is_over;
    enum worker_end end;
    char *answer; /* NULL: none */
    unsigned progress;
};

struct rig {
    uv_loop_t loop;
    uv_timer_t guard;
    char folder[64], script[128];
    const char *argv[3];
    struct worker_params params;
    struct worker *worker;
    struct asked asked[4];
};

static void on_guard(uv_timer_t *timer)
{
    fail_msg("nothing came within 30 s");
}

/* A child that does what `script` says, in its own folder. */
static struct rig *rig_start(const char *script)
{
    struct rig *r = calloc(1, sizeof(*r));
    signal(SIGPIPE, SIG_IGN);
    folder_make(r->folder);
    folder_write(r->folder, "child", script, strlen(script));
    snprintf(r->script, sizeof(r->script), "%s/child", r->folder);
    r->argv[0] = "/bin/sh";
    r->argv[1] = r->script;
    uv_loop_init(&r->loop);
    uv_timer_init(&r->loop, &r->guard);
    uv_timer_start(&r->guard, on_guard, 30000, 0);
    uv_unref((uv_handle_t *)&r->guard);
    r->params = (struct worker_params){
        .loop = &r->loop,
        .argv = r->argv,
        .scratch = r->folder,
        .greeting = "{\"request\": \"hello\"}",
        .waits_ms = short_waits,
    };
    return r;
}

static struct rig *rig_make(const char *script)
{
    struct rig *r = rig_start(script);
    r->worker = worker_create(&r->params);
    return r;
}

static void rig_end(struct rig *r)
{
    worker_close(r->worker);
    uv_close((uv_handle_t *)&r->guard, NULL);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&r->loop), 0); /* nothing is left open */
    folder_remove(r->folder);
    for (size_t i = 0; i < ARRAY_LEN(r->asked); i++)
        free(r->asked[i].answer);
    free(r);
}

static void on_end(void *ctx, enum worker_end end, const struct message *answer)
{
    struct asked *a = ctx;
    assert_false(a->is_over);
    a->is_over = true;
    a->end = end;
    a->answer = answer ? message_text(answer, false) : NULL;
}

static void on_progress(void *ctx, const struct message *progress)
{
    struct asked *a = ctx;
    a->progress++;
    assert_int_equal(message_i64(progress, "done", 0), a->progress);
}

static struct asked *ask_within(struct rig *r, size_t i, int64_t deadline_ms)
{
    struct message *m = message_create();
    message_set_str(m, "request", "resolve");
    struct worker_request request = { m, deadline_ms, on_end, on_progress, &r->asked[i] };
    assert_int_equal(worker_ask(r->worker, &request), 0);
    assert_false(r->asked[i].is_over);
    return &r->asked[i];
}

static struct asked *ask(struct rig *r, size_t i)
{
    return ask_within(r, i, 25000);
}

#define UNTIL(r, condition)                                                                        \
    while (!(condition))                                                                           \
    uv_run(&(r)->loop, UV_RUN_ONCE)

static struct worker_status status(const struct rig *r)
{
    struct worker_status s;
    worker_status(r->worker, &s);
    return s;
}

static void until_state(struct rig *r, enum worker_state state)
{
    UNTIL(r, status(r).state == state);
}

/* Gone, or only waiting for whoever adopted it to take notice. */
static bool is_dead(pid_t pid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return true;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    const char *state = strrchr(text, ')');
    return n <= 0 || !state || state[2] == 'Z' || state[2] == 'X';
}

/* All processes whose numbers the child wrote into the file "pids" are dead, soon. */
static void all_die(const struct rig *r, unsigned count)
{
    char path[128];
    long pid;
    unsigned n = 0;
    snprintf(path, sizeof(path), "%s/pids", r->folder);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (; fscanf(f, "%ld", &pid) == 1; n++) {
        while (!is_dead((pid_t)pid)) /* the signal was sent; the kernel has the last step */
            sched_yield();
    }
    fclose(f);
    assert_int_equal(n, count);
}

/* ---- the good days ----------------------------------------------------------------------------- */

static void a_request_is_answered_with_progress_before(void **state)
{
    struct rig *r = rig_make(
        GREET READ "printf '{\"n\": %s, \"event\": \"progress\", \"done\": 1}\\n' $n; "
                   "printf '{\"n\": %s, \"event\": \"progress\", \"done\": 2}\\n{\"n\": 999, "
                   "\"event\": \"done\"}\\n' $n; " DONE SERVE);
    struct asked *a = ask(r, 0); /* before it is ready */
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_ANSWERED);
    assert_int_equal(a->progress, 2);
    assert_int_equal(status(r).state, WORKER_IDLE);
    assert_int_equal(status(r).answered, 1);
    assert_non_null(status(r).greeted);
    assert_string_equal(status(r).last_failure, "");
    a = ask(r, 1);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_ANSWERED);
    assert_int_equal(status(r).starts, 1);
    rig_end(r);
}

static void an_answer_may_come_in_pieces(void **state)
{
    struct rig *r =
        rig_make(GREET READ "printf '{\"n\": '; sleep 0.05; printf '%s, \"event\"' $n; sleep 0.05; "
                            "printf ': \"done\"}'; sleep 0.05; echo; " SERVE);
    struct asked *a = ask(r, 0);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_ANSWERED);
    rig_end(r);
}

static void one_request_at_a_time_and_none_too_long(void **state)
{
    struct rig *r = rig_make(GREET SERVE);
    struct asked *a = ask(r, 0);
    struct worker_request second = { message_create(), 1000, on_end, NULL, &r->asked[1] };
    assert_int_equal(worker_ask(r->worker, &second), -EBUSY);
    UNTIL(r, a->is_over);
    char *text = malloc(WORKER_LINE_MAX + 1);
    memset(text, 'x', WORKER_LINE_MAX);
    text[WORKER_LINE_MAX] = '\0';
    second.message = message_create();
    message_set_str(second.message, "url", text);
    assert_int_equal(worker_ask(r->worker, &second), -EMSGSIZE);
    free(text);
    a = ask(r, 2); /* no harm was done */
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_ANSWERED);
    rig_end(r);
}

static void the_child_sees_nothing_of_our_environment(void **state)
{
    setenv("DJAMMS_SECRET", "token", 1);
    struct rig *r = rig_start("env > seen; echo \"cwd $(pwd)\" >> seen; " GREET SERVE);
    const char *env[] = { "EXTRA=yes", NULL };
    r->params.env = env;
    r->worker = worker_create(&r->params);
    until_state(r, WORKER_IDLE);
    char path[128], text[4096] = "", home[128];
    snprintf(path, sizeof(path), "%s/seen", r->folder);
    FILE *f = fopen(path, "r");
    assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
    fclose(f);
    assert_null(strstr(text, "DJAMMS_SECRET"));
    assert_non_null(strstr(text, "EXTRA=yes\n"));
    snprintf(home, sizeof(home), "HOME=%s\n", r->folder);
    assert_non_null(strstr(text, home));
    snprintf(home, sizeof(home), "cwd %s\n", r->folder);
    assert_non_null(strstr(text, home));
    assert_int_equal(getpgid(status(r).pid), status(r).pid);
    assert_int_not_equal(getpgid(status(r).pid), getpgrp());
    unsetenv("DJAMMS_SECRET");
    rig_end(r);
}

/* ---- faults ------------------------------------------------------------------------------------ */

static void a_child_that_hangs_is_killed_with_all_it_started(void **state)
{
    struct rig *r = rig_make(GREET READ WAIT_LONG FOREVER);
    struct asked *a = ask_within(r, 0, 300);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_TIMED_OUT);
    assert_null(a->answer);
    assert_int_equal(status(r).timeouts, 1);
    assert_int_equal(status(r).failures, 1);
    all_die(r, 3);
    until_state(r, WORKER_IDLE); /* the next one */
    assert_int_equal(status(r).starts, 2);
    rig_end(r);
}

static void a_child_that_forks_without_end_is_killed_with_all_of_them(void **state)
{
    struct rig *r = rig_make(
        GREET READ "i=0; while [ $i -lt 60 ]; do (trap '' TERM HUP; sh -c 'echo $$ >> pids; "
                   "sleep 1000 & wait') & i=$((i + 1)); done; "
                   "while [ \"$(wc -l < pids)\" -lt 60 ]; do sleep 0.01; done; "
                   "printf '{\"n\": %s, \"event\": \"progress\", \"done\": 1}\\n' $n; " FOREVER);
    struct asked *a = ask_within(r, 0, 25000);
    UNTIL(r, a->progress == 1);
    worker_close(r->worker);
    assert_true(a->is_over);
    assert_int_equal(a->end, WORKER_CANCELLED);
    r->worker = NULL;
    all_die(r, 60);
    rig_end(r);
}

static void what_a_dead_child_had_started_is_killed(void **state)
{
    struct rig *r = rig_make(GREET READ WAIT_LONG "kill -9 $$");
    struct asked *a = ask(r, 0);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_DIED);
    assert_non_null(strstr(status(r).last_failure, "signal 9"));
    all_die(r, 3);
    rig_end(r);
}

static void a_child_that_dies_is_replaced(void **state)
{
    struct rig *r =
        rig_make("if [ -e second ]; then " GREET SERVE "; fi; touch second; " GREET READ "exit 3");
    struct asked *a = ask(r, 0);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_DIED);
    assert_int_equal(status(r).deaths, 1);
    a = ask(r, 1); /* waits for the next */
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_ANSWERED);
    assert_int_equal(status(r).failures, 0);
    rig_end(r);
}

static void a_child_that_dies_while_idle_is_replaced(void **state)
{
    struct rig *r = rig_make(GREET SERVE);
    until_state(r, WORKER_IDLE);
    pid_t first = status(r).pid;
    kill(first, SIGKILL);
    UNTIL(r, status(r).starts == 2);
    until_state(r, WORKER_IDLE);
    assert_int_not_equal(status(r).pid, first);
    struct asked *a = ask(r, 0);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_ANSWERED);
    rig_end(r);
}

static void last_words_count(void **state)
{
    struct rig *r = rig_make(GREET READ DONE "exit 0");
    struct asked *a = ask(r, 0);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_ANSWERED);
    rig_end(r);
}

static void garbage_ends_the_child(void **state)
{
    static const char *const scripts[] = {
        GREET READ "echo 'Traceback (most recent call last):'; " FOREVER,
        GREET READ "echo '[1, 2]'; " FOREVER,
        GREET READ "echo '{}'; " FOREVER,
        GREET READ "echo; " FOREVER,
        GREET READ "printf '\\000\\377\\n'; " FOREVER,
        GREET READ "head -c 10485760 /dev/zero | tr '\\000' x; " FOREVER,
        GREET READ "head -c 2097152 /dev/zero | tr '\\000' ' '; echo; " FOREVER,
    };
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct rig *r = rig_make(scripts[i]);
        struct asked *a = ask(r, 0);
        UNTIL(r, a->is_over);
        assert_int_equal(a->end, WORKER_GARBAGE);
        assert_int_equal(status(r).garbage, 1);
        rig_end(r);
    }
}

static void half_a_line_is_no_answer(void **state)
{
    struct rig *r = rig_make(GREET READ "printf '{\"n\": %s, \"event\": \"done\"' $n; exit 0");
    struct asked *a = ask(r, 0);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_DIED);
    rig_end(r);
}

static void a_closed_output_is_a_death(void **state)
{
    struct rig *r = rig_make(GREET READ "exec >&-; " FOREVER);
    struct asked *a = ask(r, 0);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_DIED);
    rig_end(r);
}

static void an_answer_after_the_deadline_is_heard_by_nobody(void **state)
{
    /* The first child's answer is said by one that has left its group, when the second is there already. */
    struct rig *r =
        rig_make("if [ -e second ]; then " GREET READ
                 "while [ ! -e said ]; do sleep 0.01; done; printf '{\"n\": %s, \"event\": "
                 "\"done\", \"second\": true}\\n' $n; " SERVE "; fi; touch second; " GREET READ
                 "setsid sh -c \"trap '' PIPE; while [ -e child ] && [ ! -e go ]; do sleep 0.01; "
                 "done; printf '{\\\"n\\\": $n, "
                 "\\\"event\\\": \\\"done\\\"}\\n'; touch said\" & " FOREVER);
    struct asked *a = ask_within(r, 0, 200);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_TIMED_OUT);
    a = ask(r, 1);
    folder_write(r->folder, "go", "", 0);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_ANSWERED);
    assert_non_null(strstr(a->answer, "second"));
    rig_end(r);
}

static void an_answer_to_another_request_is_none(void **state)
{
    struct rig *r = rig_make(GREET READ "printf '{\"n\": 99, \"event\": \"done\"}\\n'; " FOREVER);
    struct asked *a = ask_within(r, 0, 200);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_TIMED_OUT);
    rig_end(r);
}

static void a_child_that_never_gets_ready_is_tried_again(void **state)
{
    struct rig *r = rig_start(READ FOREVER);
    r->params.start_ms = 50;
    r->worker = worker_create(&r->params);
    struct asked *a = ask_within(r, 0, 400);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_TIMED_OUT);
    assert_true(status(r).start_failures >= 2);
    assert_int_equal(status(r).timeouts, status(r).start_failures);
    rig_end(r);
}

static void a_child_that_cannot_start_says_why(void **state)
{
    struct rig *r =
        rig_make("printf '{\"n\": null, \"event\": \"error\", \"message\": \"No module named "
                 "yt_dlp\"}\\n'; exit 1");
    UNTIL(r, status(r).start_failures >= 3);
    assert_string_equal(status(r).last_failure, "does not start: No module named yt_dlp");
    rig_end(r);

    r = rig_start("");
    r->argv[0] = "/nowhere/djamms-fetch";
    r->worker = worker_create(&r->params);
    assert_int_equal(status(r).state, WORKER_WAITING);
    assert_int_equal(status(r).pid, 0);
    UNTIL(r, status(r).start_failures >= 3);
    assert_non_null(strstr(status(r).last_failure, "cannot be started: No such file"));
    rig_end(r);
}

static void the_wait_before_a_start_grows(void **state)
{
    static const int64_t waits[] = { 20, 60, 120, 250 };
    struct rig *r = rig_start("exit 1");
    r->params.waits_ms = waits;
    r->worker = worker_create(&r->params);
    int64_t began[6] = { (int64_t)uv_hrtime() };
    for (unsigned i = 1; i < ARRAY_LEN(began); i++) {
        UNTIL(r, status(r).starts == i + 1);
        began[i] = (int64_t)uv_hrtime();
        /* Never sooner. Later is the machine's affair. */
        assert_true(began[i] - began[i - 1] >= MS(waits[i > 4 ? 3 : i - 1]) - MS(2));
    }
    rig_end(r);
}

/* ---- ends on purpose --------------------------------------------------------------------------- */

static void a_child_that_has_served_long_is_replaced_at_once(void **state)
{
    struct rig *r = rig_start(GREET SERVE);
    int64_t long_waits[] = { 60000, 60000, 60000, 60000 }; /* none of them is waited for */
    r->params.waits_ms = long_waits;
    r->params.max_requests = 2;
    r->worker = worker_create(&r->params);
    for (size_t i = 0; i < 4; i++) {
        struct asked *a = ask(r, i);
        UNTIL(r, a->is_over);
        assert_int_equal(a->end, WORKER_ANSWERED);
    }
    until_state(r, WORKER_IDLE);
    assert_int_equal(status(r).starts, 3);
    assert_int_equal(status(r).replaced, 2);
    assert_int_equal(status(r).failures, 0);
    worker_replace(r->worker);
    until_state(r, WORKER_IDLE);
    assert_int_equal(status(r).starts, 4);
    rig_end(r);
}

static void one_that_waits_for_its_start_is_started_at_once_when_it_is_replaced(void **state)
{
    struct rig *r = rig_start("[ -e good ] || exit 1; " GREET SERVE);
    int64_t long_waits[] = { 1, 60000, 60000, 60000 };
    r->params.waits_ms = long_waits;
    r->worker = worker_create(&r->params);
    UNTIL(r, status(r).start_failures == 2);
    assert_int_equal(status(r).state, WORKER_WAITING);
    folder_write(r->folder, "good", "", 0); /* the new program */
    worker_replace(r->worker);
    assert_int_equal(status(r).start_failures, 0);
    until_state(r, WORKER_IDLE);
    assert_int_equal(status(r).starts, 3);
    rig_end(r);
}

static void a_child_that_has_grown_is_replaced(void **state)
{
    struct rig *r = rig_start("if [ ! -e second ]; then touch second; x=$(head -c 8000000 "
                              "/dev/zero | tr '\\000' x); fi; " GREET SERVE);
    r->params.max_rss_kb = 7000;
    r->worker = worker_create(&r->params);
    UNTIL(r, status(r).replaced == 1);
    until_state(r, WORKER_IDLE);
    struct asked *a = ask(r, 0);
    UNTIL(r, a->is_over);
    assert_int_equal(status(r).replaced, 1);
    rig_end(r);
}

static void a_cancelled_request_ends_as_the_child_says(void **state)
{
    struct rig *r =
        rig_make(GREET READ READ
                 "printf '{\"n\": %s, \"event\": \"error\", \"exception\": \"Cancelled\"}\\n' "
                 "$n; " SERVE);
    struct asked *a = ask(r, 0);
    UNTIL(r, status(r).state == WORKER_BUSY);
    worker_cancel(r->worker);
    worker_cancel(r->worker);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_ANSWERED);
    assert_non_null(strstr(a->answer, "Cancelled"));
    assert_int_equal(status(r).starts, 1);
    worker_cancel(r->worker); /* nothing is under way */
    a = ask(r, 1);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_ANSWERED);
    rig_end(r);
}

static void a_child_that_does_not_let_go_is_killed(void **state)
{
    struct rig *r = rig_start(GREET READ FOREVER);
    r->params.grace_ms = 50;
    r->worker = worker_create(&r->params);
    struct asked *a = ask(r, 0);
    UNTIL(r, status(r).state == WORKER_BUSY);
    worker_cancel(r->worker);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_CANCELLED);
    rig_end(r);
}

static void a_request_that_waits_for_the_start_can_be_cancelled(void **state)
{
    struct rig *r = rig_make(READ FOREVER);
    struct asked *a = ask(r, 0);
    worker_cancel(r->worker);
    assert_false(a->is_over);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_CANCELLED);
    assert_int_equal(status(r).failures, 0);
    rig_end(r);
}

static void cancel_now(uv_prepare_t *prepare)
{
    worker_cancel(prepare->data);
    uv_close((uv_handle_t *)prepare, NULL);
}

static void a_child_that_greets_as_its_request_is_cancelled_lives_on(void **state)
{
    struct rig *r = rig_make(GREET "echo > greeted; " SERVE);
    struct asked *a = ask(r, 0);
    while (
        !folder_has(r->folder, "greeted")) /* its answer lies in the pipe, and nobody has read it */
        sched_yield();
    uv_prepare_t prepare;
    uv_prepare_init(&r->loop, &prepare);
    prepare.data = r->worker;
    uv_prepare_start(&prepare, cancel_now);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_CANCELLED);
    a = ask(r, 1);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_ANSWERED);
    assert_int_equal(status(r).starts, 1);
    assert_int_equal(status(r).failures, 0);
    rig_end(r);
}

static void a_line_may_be_told_during_a_request(void **state)
{
    struct rig *r =
        rig_make(GREET READ "first=$n; read -r line; echo \"$line\" > told; n=$first; " DONE SERVE);
    struct asked *a = ask(r, 0);
    UNTIL(r, status(r).state == WORKER_BUSY);
    struct message *m = message_create();
    message_set_i64(m, "rate_limit", 1000);
    worker_tell(r->worker, m);
    UNTIL(r, a->is_over);
    assert_int_equal(a->end, WORKER_ANSWERED);
    assert_true(folder_has(r->folder, "told"));
    rig_end(r);
}

struct again {
    struct rig *rig;
    struct asked *next;
};

static void ask_again(void *ctx, enum worker_end end, const struct message *answer)
{
    struct again *again = ctx;
    assert_int_equal(end, WORKER_ANSWERED);
    again->next = ask(again->rig, 1);
}

static void close_it(void *ctx, enum worker_end end, const struct message *answer)
{
    struct rig *r = ctx;
    worker_close(r->worker);
    r->worker = NULL;
}

static void the_end_of_one_request_may_begin_the_next_or_close_all(void **state)
{
    struct rig *r = rig_make(GREET SERVE);
    struct again again = { r };
    struct worker_request request = { message_create(), 20000, ask_again, NULL, &again };
    assert_int_equal(worker_ask(r->worker, &request), 0);
    UNTIL(r, again.next && again.next->is_over);
    assert_int_equal(again.next->end, WORKER_ANSWERED);
    request = (struct worker_request){ message_create(), 20000, close_it, NULL, r };
    assert_int_equal(worker_ask(r->worker, &request), 0);
    UNTIL(r, !r->worker);
    rig_end(r);

    r = rig_make(GREET READ "exit 1");
    request = (struct worker_request){ message_create(), 20000, close_it, NULL, r };
    assert_int_equal(worker_ask(r->worker, &request), 0);
    UNTIL(r, !r->worker);
    rig_end(r);
}

static void ends_have_names_for_the_classes_of_failures(void **state)
{
    assert_null(worker_end_exception(WORKER_ANSWERED));
    assert_string_equal(worker_end_exception(WORKER_TIMED_OUT), "WorkerTimeout");
    assert_string_equal(worker_end_exception(WORKER_CANCELLED), "Cancelled");
    assert_string_equal(worker_state_name(WORKER_WAITING), "waiting");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered_with_progress_before),
        cmocka_unit_test(an_answer_may_come_in_pieces),
        cmocka_unit_test(one_request_at_a_time_and_none_too_long),
        cmocka_unit_test(the_child_sees_nothing_of_our_environment),
        cmocka_unit_test(a_child_that_hangs_is_killed_with_all_it_started),
        cmocka_unit_test(a_child_that_forks_without_end_is_killed_with_all_of_them),
        cmocka_unit_test(what_a_dead_child_had_started_is_killed),
        cmocka_unit_test(a_child_that_dies_is_replaced),
        cmocka_unit_test(a_child_that_dies_while_idle_is_replaced),
        cmocka_unit_test(last_words_count),
        cmocka_unit_test(garbage_ends_the_child),
        cmocka_unit_test(half_a_line_is_no_answer),
        cmocka_unit_test(a_closed_output_is_a_death),
        cmocka_unit_test(an_answer_after_the_deadline_is_heard_by_nobody),
        cmocka_unit_test(an_answer_to_another_request_is_none),
        cmocka_unit_test(a_child_that_never_gets_ready_is_tried_again),
        cmocka_unit_test(a_child_that_cannot_start_says_why),
        cmocka_unit_test(the_wait_before_a_start_grows),
        cmocka_unit_test(a_child_that_has_served_long_is_replaced_at_once),
        cmocka_unit_test(one_that_waits_for_its_start_is_started_at_once_when_it_is_replaced),
        cmocka_unit_test(a_child_that_has_grown_is_replaced),
        cmocka_unit_test(a_cancelled_request_ends_as_the_child_says),
        cmocka_unit_test(a_child_that_does_not_let_go_is_killed),
        cmocka_unit_test(a_request_that_waits_for_the_start_can_be_cancelled),
        cmocka_unit_test(a_child_that_greets_as_its_request_is_cancelled_lives_on),
        cmocka_unit_test(a_line_may_be_told_during_a_request),
        cmocka_unit_test(the_end_of_one_request_may_begin_the_next_or_close_all),
        cmocka_unit_test(ends_have_names_for_the_classes_of_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
