#include "source/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/now.h"
#include "wire/message.h"

#define CHUNK ((size_t)64 * 1024)
#define WAITS 4

static const int64_t standard_waits_ms[WAITS] = { 1000, 2000, 5000, 30000 };

/* One child. An object of its own: the end of one may still be on its way when the next has begun. */
struct life {
    struct worker *worker;
    uv_process_t process;
    uv_pipe_t in, out; /* the child's stdin and stdout */
    pid_t pid;         /* also its group; 0: gone */
    unsigned handles;  /* open */
    bool is_ended;     /* we are done with it */
    bool has_greeted;
    unsigned answered;
    struct buf line;
    char chunk[CHUNK];
};

struct request {
    bool is_there, is_sent, is_cancelled;
    int64_t n;
    char *line; /* NULL: sent */
    worker_end_fn *on_end;
    worker_progress_fn *on_progress;
    void *ctx;
};

struct worker {
    /* Set at the beginning. */
    struct worker_params params;
    char **argv, **env;
    char *scratch, *greeting;

    enum worker_state state;
    bool is_to_replace;
    struct life *life; /* the present one; NULL: none */
    struct request request;
    int64_t last_n, greeting_n;
    uv_timer_t deadline;   /* of the request */
    uv_timer_t life_timer; /* of the start, of the wait before it, or of a cancelled request */
    unsigned handles;      /* timers and lives that are not closed yet */
    struct message *greeted;
    struct worker_status count;
};

static void start(struct worker *w);
static void send_request(struct worker *w);

/* ---- memory ------------------------------------------------------------------------------------ */

static char **copy_list(const char *const *list, size_t room)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    char **out = xcalloc(n + room + 1, sizeof(*out));
    for (size_t i = 0; i < n; i++)
        out[i] = xstrdup(list[i]);
    return out;
}

static void free_list(char **list)
{
    for (char **s = list; *s; s++)
        free(*s);
    free(list);
}

/* All that the child gets of the world. */
static char **make_env(const struct worker_params *p)
{
    const char *path = getenv("PATH");
    char **env = copy_list(p->env, 4);
    size_t n = 0;
    while (env[n])
        n++;
    env[n++] = xasprintf("PATH=%s", path && *path ? path : "/usr/local/bin:/usr/bin:/bin");
    env[n++] = xstrdup("LANG=C.UTF-8");
    env[n++] = xasprintf("HOME=%s", p->scratch);
    env[n++] = xasprintf("TMPDIR=%s", p->scratch);
    return env;
}

static void drop_handle(struct worker *w)
{
    if (--w->handles > 0)
        return;
    free_list(w->argv);
    free_list(w->env);
    free(w->scratch);
    free(w->greeting);
    message_destroy(w->greeted);
    free(w);
}

/* ---- the end of a request ---------------------------------------------------------------------- */

static void end_request(struct worker *w, enum worker_end end, const struct message *answer)
{
    struct request r = w->request;
    w->request = (struct request){ 0 };
    uv_timer_stop(&w->deadline);
    free(r.line);
    if (r.is_there)
        r.on_end(r.ctx, end, answer); /* the last: it may ask again, or close us */
}

/* ---- the end of a child ------------------------------------------------------------------------ */

static void life_handle_closed(uv_handle_t *handle)
{
    struct life *l = handle->data;
    if (--l->handles > 0)
        return;
    struct worker *w = l->worker;
    buf_finish(&l->line);
    free(l);
    drop_handle(w);
}

static void close_handle(struct life *l, uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, life_handle_closed);
}

/* Kills it and whatever it has started; from now on nothing is heard of it. */
static void end_life(struct life *l)
{
    if (l->worker->life == l)
        l->worker->life = NULL;
    uv_timer_stop(&l->worker->life_timer);
    l->is_ended = true;
    if (l->pid > 0)
        kill(-l->pid, SIGKILL);
    close_handle(l, (uv_handle_t *)&l->in);
    close_handle(l, (uv_handle_t *)&l->out);
}

static void on_start_time(uv_timer_t *timer)
{
    start(timer->data);
}

static void wait_for_start(struct worker *w)
{
    const int64_t *waits = w->params.waits_ms ? w->params.waits_ms : standard_waits_ms;
    unsigned failures = w->count.failures;
    int64_t wait_ms = waits[failures > WAITS ? WAITS - 1 : failures - 1];
    w->state = WORKER_WAITING;
    w->count.next_start_ns = now_mono_ns() + MS(wait_ms);
    uv_timer_start(&w->life_timer, on_start_time, (uint64_t)wait_ms, 0);
}

/* The present child is of no use any more. The request it had ends with `end`; one that it did not have waits for the
 * next. */
PRINTF_LIKE(3, 4) static void fail(struct worker *w, enum worker_end end, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(w->count.last_failure, sizeof(w->count.last_failure), fmt, ap);
    va_end(ap);
    log_warn(w->params.log, "%s %s", w->argv[0], w->count.last_failure);
    w->count.failures++;
    w->count.start_failures += w->state == WORKER_STARTING;
    w->count.deaths += end == WORKER_DIED;
    w->count.garbage += end == WORKER_GARBAGE;
    w->count.timeouts += end == WORKER_TIMED_OUT || end == WORKER_CANCELLED;
    if (w->life)
        end_life(w->life);
    wait_for_start(w);
    if (w->request.is_sent)
        end_request(w, end, NULL);
}

/* ---- what it says ------------------------------------------------------------------------------ */

static size_t rss_kb(pid_t pid)
{
    char path[64], text[128] = "";
    snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    unsigned long pages = 0;
    if (n <= 0 || sscanf(text, "%*u %lu", &pages) != 1)
        return 0;
    return pages * (size_t)(sysconf(_SC_PAGESIZE) / 1024);
}

static bool has_served(const struct worker *w)
{
    unsigned max_requests = w->params.max_requests ? w->params.max_requests : 500;
    size_t max_kb = w->params.max_rss_kb ? w->params.max_rss_kb : (size_t)250 * 1024;
    return w->is_to_replace || w->life->answered >= max_requests || rss_kb(w->life->pid) > max_kb;
}

static void replace(struct worker *w)
{
    w->count.replaced++;
    end_life(w->life);
    start(w);
}

static void become_idle(struct worker *w)
{
    uv_timer_stop(&w->life_timer);
    w->state = WORKER_IDLE;
    if (has_served(w))
        replace(w);
}

static void on_greeted(struct worker *w, struct message *answer)
{
    message_destroy(w->greeted);
    w->greeted = message_copy(answer);
    w->life->has_greeted = true;
    w->count.start_failures = 0;
    become_idle(w);
    /* One that was cancelled in this turn of the loop is about to end, and nothing for the child. */
    if (w->state == WORKER_IDLE && w->request.is_there && !w->request.is_cancelled)
        send_request(w);
}

static void on_answered(struct worker *w, const struct message *answer)
{
    w->life->answered++;
    w->count.failures = 0;
    become_idle(w);
    end_request(w, WORKER_ANSWERED, answer);
}

static void on_message(struct worker *w, struct message *m)
{
    const char *event = message_str(m, "event", "");
    int64_t n = message_i64(m, "n", 0);
    bool is_end = strcmp(event, "done") == 0 || strcmp(event, "error") == 0;
    if (!is_end && strcmp(event, "progress") != 0)
        fail(w, WORKER_GARBAGE, "said something that is no answer");
    else if (w->state == WORKER_STARTING && strcmp(event, "error") == 0)
        fail(w, WORKER_DIED, "does not start: %.120s",
             message_str(m, "message", "no reason given"));
    else if (w->state == WORKER_STARTING && is_end && n == w->greeting_n)
        on_greeted(w, m);
    else if (w->request.is_sent && n == w->request.n && is_end)
        on_answered(w, m);
    else if (w->request.is_sent && n == w->request.n && w->request.on_progress)
        w->request.on_progress(w->request.ctx, m);
    /* The rest answers what nobody waits for, such as a line of worker_tell(). */
}

static void on_line(struct worker *w, const char *text, size_t len)
{
    struct message *m = message_parse(text, len, NULL, 0);
    if (!m) {
        fail(w, WORKER_GARBAGE, "said something that is no JSON object");
        return;
    }
    on_message(w, m);
    message_destroy(m);
}

static void feed(struct life *l, const char *data, size_t len)
{
    struct worker *w = l->worker;
    while (len && !l->is_ended) {
        const char *end = memchr(data, '\n', len);
        size_t take = end ? (size_t)(end - data) : len;
        if (buf_append(&l->line, data, take) < 0) {
            fail(w, WORKER_GARBAGE, "said a line of more than %zu bytes", WORKER_LINE_MAX);
            return;
        }
        data += take;
        len -= take;
        if (!end)
            return;
        data++;
        len--;
        on_line(w, l->line.data ? l->line.data : "", l->line.len);
        l->line.len = 0;
    }
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct life *l = handle->data;
    *buf = uv_buf_init(l->chunk, sizeof(l->chunk));
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct life *l = stream->data;
    if (l->is_ended)
        return;
    if (n > 0)
        feed(l, buf->base, (size_t)n);
    else if (n < 0)
        fail(l->worker, WORKER_DIED, "closed its output");
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    struct life *l = process->data;
    pid_t group = l->pid;
    l->pid = 0;
    /* Its last words were heard: the loop reads pipes before it looks for signals.
     * What it has started may live on. The number is no one else's as long as one of the group lives; when none does,
     * nobody can have been given it in the instant since the loop has waited for the child. */
    kill(-group, SIGKILL);
    if (!l->is_ended && signal)
        fail(l->worker, WORKER_DIED, "was killed by signal %d (%s)", signal, strsignal(signal));
    else if (!l->is_ended)
        fail(l->worker, WORKER_DIED, "ended with status %d", (int)status);
    close_handle(l, (uv_handle_t *)process);
}

/* ---- saying something to it -------------------------------------------------------------------- */

struct out_line {
    uv_write_t write;
    char *text;
};

static void on_written(uv_write_t *write, int status)
{
    struct out_line *o =
        write->data; /* when it failed the child is dead or dying, and we hear of that */
    free(o->text);
    free(o);
}

/* Takes text, which ends with a newline. */
static void say(struct life *l, char *text)
{
    struct out_line *o = xcalloc(1, sizeof(*o));
    uv_buf_t buf = uv_buf_init(text, (unsigned)strlen(text));
    o->text = text;
    o->write.data = o;
    if (uv_write(&o->write, (uv_stream_t *)&l->in, &buf, 1, on_written) < 0)
        on_written(&o->write, -EPIPE);
}

static char *line_of(const struct message *m)
{
    char *text = message_text(m, false), *line = xasprintf("%s\n", text);
    free(text);
    return line;
}

static void send_request(struct worker *w)
{
    w->state = WORKER_BUSY;
    w->request.is_sent = true;
    say(w->life, w->request.line);
    w->request.line = NULL;
}

/* ---- the start of a child ---------------------------------------------------------------------- */

static void on_start_deadline(uv_timer_t *timer)
{
    fail(timer->data, WORKER_TIMED_OUT, "did not get ready in time");
}

static void greet(struct worker *w)
{
    struct message *m = message_parse(w->greeting, strlen(w->greeting), NULL, 0);
    if (!m)
        m = message_create();
    w->greeting_n = ++w->last_n;
    message_set_i64(m, "n", w->greeting_n);
    say(w->life, line_of(m));
    message_destroy(m);
    int64_t start_ms = w->params.start_ms ? w->params.start_ms : 30000;
    uv_timer_start(&w->life_timer, on_start_deadline, (uint64_t)start_ms, 0);
}

static struct life *life_create(struct worker *w)
{
    struct life *l = xcalloc(1, sizeof(*l));
    l->worker = w;
    l->process.data = l->in.data = l->out.data = l;
    buf_init(&l->line, WORKER_LINE_MAX);
    uv_pipe_init(w->params.loop, &l->in, 0);
    uv_pipe_init(w->params.loop, &l->out, 0);
    l->handles = 3;
    w->handles++;
    return l;
}

static int spawn(struct life *l)
{
    struct worker *w = l->worker;
    uv_stdio_container_t stdio[] = {
        { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&l->in },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&l->out },
        { .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
    };
    uv_process_options_t options = {
        .exit_cb = on_exit_of,
        .file = w->argv[0],
        .args = w->argv,
        .env = w->env,
        .cwd = w->scratch,
        .flags = UV_PROCESS_DETACHED, /* a group of its own */
        .stdio = stdio,
        .stdio_count = ARRAY_LEN(stdio),
    };
    int ret = uv_spawn(w->params.loop, &l->process, &options);
    if (ret < 0)
        return ret;
    l->pid = (pid_t)l->process.pid;
    return uv_read_start((uv_stream_t *)&l->out, give_buffer, on_bytes);
}

static void start(struct worker *w)
{
    struct life *l = life_create(w);
    w->state = WORKER_STARTING;
    w->is_to_replace = false;
    w->life = l;
    w->count.starts++;
    int ret = spawn(l);
    if (ret < 0) {
        if (l->pid == 0) /* there will be no end of it to hear of */
            close_handle(l, (uv_handle_t *)&l->process);
        fail(w, WORKER_DIED, "cannot be started: %s", strerror(-ret));
        return;
    }
    greet(w);
}

/* ---- for the owner ----------------------------------------------------------------------------- */

struct worker *worker_create(const struct worker_params *params)
{
    struct worker *w = xcalloc(1, sizeof(*w));
    w->params = *params;
    w->argv = copy_list(params->argv, 0);
    w->env = make_env(params);
    w->scratch = xstrdup(params->scratch);
    w->greeting = xstrdup(params->greeting);
    w->params.argv = NULL;
    w->params.env = NULL;
    w->params.scratch = w->params.greeting = NULL;
    uv_timer_init(params->loop, &w->deadline);
    uv_timer_init(params->loop, &w->life_timer);
    w->deadline.data = w->life_timer.data = w;
    w->handles = 2;
    start(w);
    return w;
}

static void on_timer_closed(uv_handle_t *handle)
{
    drop_handle(handle->data);
}

void worker_close(struct worker *w)
{
    if (!w || w->state == WORKER_CLOSING)
        return;
    w->state = WORKER_CLOSING;
    if (w->life)
        end_life(w->life);
    uv_close((uv_handle_t *)&w->life_timer, on_timer_closed);
    end_request(w, WORKER_CANCELLED, NULL);
    uv_close((uv_handle_t *)&w->deadline, on_timer_closed);
}

static void on_deadline(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    if (w->request.is_cancelled && !w->request.is_sent)
        end_request(w, WORKER_CANCELLED, NULL);
    else if (!w->request.is_sent)
        end_request(w, WORKER_TIMED_OUT, NULL);
    else
        fail(w, WORKER_TIMED_OUT, "did not answer in time");
}

int worker_ask(struct worker *w, const struct worker_request *request)
{
    assert(request->deadline_ms > 0 && request->on_end);
    int ret = w->state == WORKER_CLOSING ? -ESHUTDOWN : w->request.is_there ? -EBUSY : 0;
    char *line = NULL;
    if (ret == 0) {
        message_set_i64(request->message, "n", ++w->last_n);
        line = line_of(request->message);
        ret = strlen(line) > WORKER_LINE_MAX ? -EMSGSIZE : 0;
    }
    message_destroy(request->message);
    if (ret < 0) {
        free(line);
        return ret;
    }
    w->request = (struct request){
        .is_there = true,
        .n = w->last_n,
        .line = line,
        .on_end = request->on_end,
        .on_progress = request->on_progress,
        .ctx = request->ctx,
    };
    uv_timer_start(&w->deadline, on_deadline, (uint64_t)request->deadline_ms, 0);
    if (w->state == WORKER_IDLE)
        send_request(w);
    return 0;
}

static void on_grace_time(uv_timer_t *timer)
{
    fail(timer->data, WORKER_CANCELLED, "did not let go of a request");
}

void worker_cancel(struct worker *w)
{
    if (!w->request.is_there || w->request.is_cancelled)
        return;
    w->request.is_cancelled = true;
    if (!w->request.is_sent) {
        uv_timer_start(&w->deadline, on_deadline, 0, 0); /* from the loop, not from within */
        return;
    }
    char line[96];
    snprintf(line, sizeof(line), "{\"n\":%lld,\"request\":\"cancel\"}\n", (long long)w->request.n);
    say(w->life, xstrdup(line));
    int64_t grace_ms = w->params.grace_ms ? w->params.grace_ms : 2000;
    uv_timer_start(&w->life_timer, on_grace_time, (uint64_t)grace_ms, 0);
}

void worker_tell(struct worker *w, struct message *line)
{
    if (w->state == WORKER_IDLE || w->state == WORKER_BUSY) {
        message_set_i64(line, "n", 0);
        say(w->life, line_of(line));
    }
    message_destroy(line);
}

void worker_replace(struct worker *w)
{
    w->is_to_replace = true;
    if (w->state == WORKER_IDLE) {
        replace(w);
    } else if (w->state == WORKER_WAITING) {
        w->count.failures = w->count.start_failures = 0; /* they were the former program's */
        uv_timer_start(&w->life_timer, on_start_time, 0, 0);
    }
}

void worker_status(const struct worker *w, struct worker_status *out)
{
    *out = w->count;
    out->state = w->state;
    out->pid = w->life ? w->life->pid : 0;
    out->answered = w->life ? w->life->answered : 0;
    out->greeted = w->greeted;
}

const char *worker_state_name(enum worker_state s)
{
    static const char *const names[] = {
        [WORKER_STARTING] = "starting", [WORKER_IDLE] = "idle",       [WORKER_BUSY] = "busy",
        [WORKER_WAITING] = "waiting",   [WORKER_CLOSING] = "closing",
    };
    return names[s];
}

const char *worker_end_exception(enum worker_end e)
{
    static const char *const names[] = {
        [WORKER_TIMED_OUT] = "WorkerTimeout",
        [WORKER_DIED] = "WorkerDied",
        [WORKER_GARBAGE] = "WorkerGarbage",
        [WORKER_CANCELLED] = "Cancelled",
    };
    return e == WORKER_ANSWERED ? NULL : names[e];
}
