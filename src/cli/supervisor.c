#include "cli/supervisor.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/now.h"
#include "cli/child.h"
#include "cli/line_split.h"
#include "cli/log_merge.h"
#include "cli/restart.h"
#include "shm/control.h"

#define TERM_MS_DEFAULT 2000
#define NAME_COLUMNS    6
#define READ_BYTES      8192
#define DRAIN_READS     64 /* of READ_BYTES each: more than a pipe holds */
#define LOOK_MS         250

/* After so long without a look nothing is judged: all of us stood still. */
#define LOOK_LATE_NS SECONDS(1)

static const int watched[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define SIGNALS ARRAY_LEN(watched)

struct child;

/* What one life of a child writes. A heap object of its own: the end of it may still be on its way when
 * the next life begins. */
struct output {
    struct child *child;
    uv_pipe_t pipe;
    struct line_split lines;
    char bytes[READ_BYTES];
};

struct child {
    struct supervisor *owner;
    unsigned index;
    const char *name;
    char *program;
    char **argv;
    enum child_end ends_all;
    int64_t delay_ms; /* of the first start; 0: it was at once */
    const struct process_row *row;
    int64_t busy_ns; /* when its main thread was last seen to compute, or to wait for a processor */
    bool is_given_up;      /* killed for it, the end is on its way */
    pid_t pid;             /* 0: not running */
    int output_fd;         /* -1: given to `output` */
    struct output *output; /* of the present life; NULL: at its end */
    int64_t started_ns;
    struct restart restart;
    uv_timer_t timer;
};

struct supervisor {
    struct supervisor_params params;
    struct log_merge log;
    uv_loop_t *loop; /* NULL until attached */
    struct child child[CHILDREN_MAX];
    size_t count;
    uv_signal_t signal[SIGNALS];
    uv_timer_t kill_timer;
    uv_timer_t look_timer;
    int64_t looked_ns;
    unsigned handles; /* open: signals, timers, outputs */
    bool is_stopping, has_failed;
};

void supervisor_say(struct supervisor *s, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_merge_line(&s->log, CHILDREN_MAX, "djamms", text);
}

/* ---- output of a child ------------------------------------------------------------------------- */

/* "warning: deck-a: text" without the name, which stands in front of the line already. */
static void on_line(void *ctx, const char *line)
{
    struct child *c = ctx;
    char text[LINE_SPLIT_MAX];
    size_t level = 0, len = strlen(c->name);
    if (strncmp(line, "error: ", 7) == 0 || strncmp(line, "warning: ", 9) == 0)
        level = strcspn(line, ":") + 2;
    const char *rest = line + level;
    if (strncmp(rest, c->name, len) == 0 && strncmp(rest + len, ": ", 2) == 0)
        rest += len + 2;
    snprintf(text, sizeof(text), "%.*s%s", (int)level, line, rest);
    log_merge_line(&c->owner->log, c->index, c->name, text);
}

static void on_output_closed(uv_handle_t *handle)
{
    struct output *o = handle->data;
    struct supervisor *s = o->child->owner;
    s->handles--;
    free(o);
}

static void close_output(struct output *o)
{
    if (o->child->output == o)
        o->child->output = NULL;
    line_split_end(&o->lines);
    uv_close((uv_handle_t *)&o->pipe, on_output_closed);
}

/* Takes what is in the pipe already, then closes it: something else may hold its other end open. */
static void drain_output(struct output *o)
{
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&o->pipe, &fd) == 0) {
        for (int i = 0; i < DRAIN_READS; i++) {
            ssize_t n = read(fd, o->bytes, sizeof(o->bytes));
            if (n <= 0)
                break;
            line_split_feed(&o->lines, o->bytes, (size_t)n);
        }
    }
    close_output(o);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct output *o = handle->data;
    *buf = uv_buf_init(o->bytes, sizeof(o->bytes));
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct output *o = stream->data;
    if (n > 0)
        line_split_feed(&o->lines, buf->base, (size_t)n);
    else if (n < 0)
        close_output(o);
}

static void watch_output(struct child *c)
{
    if (c->output_fd < 0)
        return;
    struct output *o = xcalloc(1, sizeof(*o));
    o->child = c;
    o->pipe.data = o;
    line_split_init(&o->lines, on_line, c);
    uv_pipe_init(c->owner->loop, &o->pipe, 0);
    c->owner->handles++;
    c->output = o;
    int ret = uv_pipe_open(&o->pipe, c->output_fd);
    if (ret < 0)
        close(c->output_fd);
    c->output_fd = -1;
    if (ret == 0)
        ret = uv_read_start((uv_stream_t *)&o->pipe, give_buffer, on_bytes);
    if (ret < 0)
        close_output(o);
}

/* ---- start and end of a child ------------------------------------------------------------------ */

static int start(struct child *c)
{
    c->is_given_up = false;
    c->started_ns = now_mono_ns(); /* of a failed start too: it counts as a quick death */
    pid_t pid = child_spawn(c->program, c->argv, &c->output_fd);
    if (pid < 0)
        return (int)pid;
    c->pid = pid;
    return 0;
}

static void plan_restart(struct child *c);

static void on_start_time(uv_timer_t *timer)
{
    struct child *c = timer->data;
    if (c->owner->is_stopping)
        return;
    if (c->output)
        drain_output(c->output);
    int ret = start(c);
    if (ret < 0) {
        supervisor_say(c->owner, "%s cannot be started: %s", c->name, strerror(-ret));
        plan_restart(c);
        return;
    }
    watch_output(c);
}

static void describe_end(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(out, size, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
}

static void plan_restart(struct child *c)
{
    struct supervisor *s = c->owner;
    int64_t wait_ms = restart_wait_ms(&c->restart, now_mono_ns() - c->started_ns);
    if (s->params.give_up_after && c->restart.failures >= s->params.give_up_after) {
        supervisor_say(s, "%s ends again and again: giving up", c->name);
        s->has_failed = true;
        supervisor_stop(s);
        return;
    }
    uv_timer_start(&c->timer, on_start_time, (uint64_t)wait_ms, 0);
}

static bool is_end_of_all(const struct child *c, int status)
{
    bool is_wanted_end = c->ends_all == END_EXIT || WEXITSTATUS(status) == 0;
    return c->ends_all != END_NEVER && WIFEXITED(status) && is_wanted_end;
}

static void on_child_end(struct child *c, int status)
{
    struct supervisor *s = c->owner;
    char how[96];
    c->pid = 0;
    if (s->is_stopping)
        return;
    if (is_end_of_all(c, status)) {
        s->has_failed = WEXITSTATUS(status) != 0;
        supervisor_stop(s);
        return;
    }
    describe_end(status, how, sizeof(how));
    supervisor_say(s, "%s %s; it is started again", c->name, how);
    plan_restart(c);
}

static void maybe_finish(struct supervisor *s);

static void reap(struct supervisor *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct child *c = &s->child[i];
        int status;
        if (c->pid > 0 && waitpid(c->pid, &status, WNOHANG) == c->pid)
            on_child_end(c, status);
    }
    maybe_finish(s);
}

/* ---- signs of life ----------------------------------------------------------------------------- */

/* The state of its main thread as the kernel gives it: 'R', 'S', ...; 0: gone. */
static char thread_state(pid_t pid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    const char *name_end = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
    fclose(f);
    return name_end && name_end[1] ? name_end[2] : (char)0;
}

/* Who stands still for its limit hangs; who computes all the time may be starved, and has twice that. */
static bool hangs(struct child *c, int64_t now_ns)
{
    if (!c->row || c->pid == 0 || c->is_given_up)
        return false;
    int64_t beat_ns = atomic_load(&c->row->beat_ns), limit_ns = atomic_load(&c->row->limit_ns);
    bool is_of_this_life = beat_ns > c->started_ns;
    if (!is_of_this_life || limit_ns <= 0 || now_ns <= beat_ns + limit_ns)
        return false;
    if (thread_state(c->pid) == 'R')
        c->busy_ns = now_ns;
    return now_ns > c->busy_ns + limit_ns || now_ns > beat_ns + 2 * limit_ns;
}

static void on_look_time(uv_timer_t *timer)
{
    struct supervisor *s = timer->data;
    int64_t now_ns = now_mono_ns();
    bool was_awake = now_ns - s->looked_ns < LOOK_LATE_NS;
    s->looked_ns = now_ns;
    for (size_t i = 0; was_awake && !s->is_stopping && i < s->count; i++) {
        struct child *c = &s->child[i];
        if (!hangs(c, now_ns))
            continue;
        supervisor_say(s, "%s gives no sign of life: it is killed", c->name);
        c->is_given_up = true;
        kill(c->pid, SIGKILL);
    }
    if (s->params.on_look && !s->is_stopping)
        s->params.on_look(s->params.ctx);
}

/* ---- the end of all ---------------------------------------------------------------------------- */

static void send_all(const struct supervisor *s, int sig)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->child[i].pid > 0)
            kill(s->child[i].pid, sig);
    }
}

/* Handles of the supervisor carry it, timers of children their child. */
static void on_handle_closed(uv_handle_t *handle)
{
    struct supervisor *s = handle->data;
    s->handles--;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct child *c = handle->data;
    c->owner->handles--;
}

/* Closes everything once nothing runs any more. */
static void maybe_finish(struct supervisor *s)
{
    if (!s->is_stopping || !s->loop || uv_is_closing((uv_handle_t *)&s->kill_timer))
        return;
    for (size_t i = 0; i < s->count; i++) {
        if (s->child[i].pid > 0)
            return;
    }
    for (size_t i = 0; i < s->count; i++) {
        struct child *c = &s->child[i];
        if (c->output)
            drain_output(c->output);
        uv_close((uv_handle_t *)&c->timer, on_timer_closed);
    }
    for (size_t i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&s->signal[i], on_handle_closed);
    uv_close((uv_handle_t *)&s->look_timer, on_handle_closed);
    uv_close((uv_handle_t *)&s->kill_timer, on_handle_closed);
}

static void on_kill_time(uv_timer_t *timer)
{
    struct supervisor *s = timer->data;
    for (size_t i = 0; i < s->count; i++) {
        if (s->child[i].pid > 0)
            supervisor_say(s, "%s does not end: it is killed", s->child[i].name);
    }
    send_all(s, SIGKILL);
}

void supervisor_stop(struct supervisor *s)
{
    if (s->is_stopping) {
        send_all(s, SIGKILL);
        return;
    }
    s->is_stopping = true;
    send_all(s, SIGTERM);
    if (!s->loop)
        return;
    int64_t wait_ms = s->params.term_ms ? s->params.term_ms : TERM_MS_DEFAULT;
    for (size_t i = 0; i < s->count; i++)
        uv_timer_stop(&s->child[i].timer);
    uv_timer_start(&s->kill_timer, on_kill_time, (uint64_t)wait_ms, 0);
    if (s->params.on_stop)
        s->params.on_stop(s->params.ctx);
    maybe_finish(s);
}

bool supervisor_is_stopping(const struct supervisor *s)
{
    return s->is_stopping;
}

bool supervisor_ended_well(const struct supervisor *s)
{
    return s->is_stopping && !s->has_failed;
}

bool supervisor_is_done(const struct supervisor *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->child[i].pid > 0)
            return false;
    }
    return s->handles == 0;
}

/* ---- setting up -------------------------------------------------------------------------------- */

struct supervisor *supervisor_create(const struct supervisor_params *p)
{
    struct supervisor *s = xcalloc(1, sizeof(*s));
    s->params = *p;
    log_merge_init(&s->log, p->log_fd, p->has_colour, NAME_COLUMNS);
    s->log.below = p->below;
    return s;
}

static char **copy_argv(char *const *argv)
{
    size_t n = 0;
    while (argv[n])
        n++;
    char **out = xcalloc(n + 1, sizeof(*out));
    for (size_t i = 0; i < n; i++)
        out[i] = xstrdup(argv[i]);
    return out;
}

int supervisor_spawn(struct supervisor *s, const struct child_params *p)
{
    assert(s->count < CHILDREN_MAX && !s->loop);
    struct child *c = &s->child[s->count];
    *c = (struct child){ .owner = s,
                         .index = (unsigned)s->count,
                         .name = p->name,
                         .program = xstrdup(p->program),
                         .argv = copy_argv(p->argv),
                         .ends_all = p->ends_all,
                         .delay_ms = p->delay_ms,
                         .row = p->row,
                         .output_fd = -1 };
    s->count++;
    return c->delay_ms ? 0 : start(c);
}

static void on_signal(uv_signal_t *handle, int sig)
{
    struct supervisor *s = handle->data;
    if (sig == SIGCHLD)
        reap(s);
    else
        supervisor_stop(s);
}

/* A hang-up that was ignored from the start is so on purpose: see nohup(1). */
static bool is_wanted(int sig)
{
    struct sigaction now;
    return sig != SIGHUP || sigaction(sig, NULL, &now) < 0 || now.sa_handler != SIG_IGN;
}

int supervisor_attach(struct supervisor *s, uv_loop_t *loop)
{
    s->loop = loop;
    int ret = uv_timer_init(loop, &s->kill_timer);
    uv_timer_init(loop, &s->look_timer);
    uv_timer_start(&s->look_timer, on_look_time, LOOK_MS, LOOK_MS);
    s->kill_timer.data = s->look_timer.data = s;
    s->looked_ns = now_mono_ns();
    s->handles = 2;
    for (size_t i = 0; i < SIGNALS; i++) {
        uv_signal_init(loop, &s->signal[i]);
        s->signal[i].data = s;
        s->handles++;
        int error =
            is_wanted(watched[i]) ? uv_signal_start(&s->signal[i], on_signal, watched[i]) : 0;
        ret = ret < 0 ? ret : error;
    }
    for (size_t i = 0; i < s->count; i++) {
        struct child *c = &s->child[i];
        uv_timer_init(loop, &c->timer);
        c->timer.data = c;
        s->handles++;
        if (c->delay_ms)
            uv_timer_start(&c->timer, on_start_time, (uint64_t)c->delay_ms, 0);
        else
            watch_output(c);
    }
    reap(s); /* those that died before the signal was watched */
    return ret;
}

void supervisor_destroy(struct supervisor *s)
{
    if (!s)
        return;
    assert(!s->loop || supervisor_is_done(s));
    for (size_t i = 0; i < s->count; i++) {
        struct child *c = &s->child[i];
        if (c->pid > 0) {
            kill(c->pid, SIGKILL);
            waitpid(c->pid, NULL, 0);
        }
        if (c->output_fd >= 0)
            close(c->output_fd);
        for (char **arg = c->argv; *arg; arg++)
            free(*arg);
        free(c->argv);
        free(c->program);
    }
    free(s);
}
