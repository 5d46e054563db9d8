#include "source/tag_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"
#include "model/track.h"
#include "wire/message.h"

#define ANSWER_MAX ((size_t)64 * 1024)

struct tag_reader {
    char *program;
    const struct log *log;
    pid_t pid; /* 0: it does not run */
    int fd;
    bool is_asked;
    int64_t deadline_ns;
    struct buf answer;
};

struct tag_reader *tag_reader_create(const char *program, const struct log *log)
{
    struct tag_reader *r = xcalloc(1, sizeof(*r));
    r->program = xstrdup(program);
    r->log = log;
    r->fd = -1;
    buf_init(&r->answer, ANSWER_MAX);
    return r;
}

static void end_helper(struct tag_reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    if (r->pid > 0) {
        kill(r->pid, SIGKILL);
        while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    r->pid = 0;
    buf_consume(&r->answer, r->answer.len);
}

void tag_reader_destroy(struct tag_reader *r)
{
    if (!r)
        return;
    end_helper(r);
    buf_finish(&r->answer);
    free(r->program);
    free(r);
}

/* It reads and writes one socket. */
static int spawn_on(struct tag_reader *r, int fd)
{
    char name[] = "djamms-probe", *const argv[] = { name, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, usual;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
    posix_spawnattr_init(&attr);
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int ret = -posix_spawn(&r->pid, r->program, &actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    if (ret < 0)
        r->pid = 0;
    return ret;
}

static int start_helper(struct tag_reader *r)
{
    int fd[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
        return -errno;
    int ret = spawn_on(r, fd[1]);
    close(fd[1]);
    r->fd = fd[0];
    if (ret == 0 && fcntl(r->fd, F_SETFL, O_NONBLOCK) < 0)
        ret = -errno;
    if (ret < 0)
        end_helper(r);
    return ret;
}

/* A question is shorter than a socket's buffer: it is taken at once or never. */
static bool send_question(struct tag_reader *r, const char *path)
{
    char *source = path_to_source(path);
    struct message *m = message_create();
    message_set_str(m, "command", "tags");
    message_set_str(m, "path", source);
    char *text = message_text(m, false), *line = xasprintf("%s\n", text);
    size_t len = strlen(line);
    bool is_sent = send(r->fd, line, len, MSG_NOSIGNAL) == (ssize_t)len;
    free(line);
    free(text);
    message_destroy(m);
    free(source);
    return is_sent;
}

int tag_reader_ask(struct tag_reader *r, const char *path, int64_t deadline_ns)
{
    int ret = r->pid ? 0 : start_helper(r);
    if (ret < 0)
        return ret;
    if (!send_question(r, path)) { /* it ended since the last one */
        end_helper(r);
        ret = start_helper(r);
        if (ret == 0 && !send_question(r, path))
            ret = -EPIPE;
    }
    r->is_asked = ret == 0;
    r->deadline_ns = deadline_ns;
    return ret;
}

int tag_reader_fd(const struct tag_reader *r)
{
    return r->is_asked ? r->fd : -1;
}

static enum tag_answer parse(const struct tag_reader *r, size_t len, struct file_tags *out)
{
    struct message *m = message_parse(r->answer.data, len, NULL, 0);
    bool is_read = message_bool(m, "ok", false);
    double duration_s = message_f64(m, "duration_s", 0);
    text_clean(out->title, sizeof(out->title), message_str(m, "title", ""));
    text_clean(out->artist, sizeof(out->artist), message_str(m, "artist", ""));
    out->duration_s = isfinite(duration_s) && duration_s > 0 && duration_s <= TRACK_MAX_DURATION_S
                          ? duration_s
                          : 0;
    message_destroy(m);
    return is_read ? TAGS_READ : TAGS_NONE;
}

/* false: it has ended, or says more than it was asked. */
static bool read_answer(struct tag_reader *r)
{
    char bytes[4096];
    for (;;) {
        ssize_t n = recv(r->fd, bytes, sizeof(bytes), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        if (buf_append(&r->answer, bytes, (size_t)n) < 0)
            return false;
    }
}

enum tag_answer tag_reader_take(struct tag_reader *r, int64_t now_ns, struct file_tags *out)
{
    *out = (struct file_tags){ 0 };
    bool is_alive = read_answer(r);
    const char *end = r->answer.len ? memchr(r->answer.data, '\n', r->answer.len) : NULL;
    if (!end && is_alive && now_ns < r->deadline_ns)
        return TAGS_PENDING;
    r->is_asked = false;
    if (!end) {
        log_debug(r->log, "the helper %s", is_alive ? "hangs and is ended" : "died");
        end_helper(r);
        return TAGS_NONE;
    }
    size_t len = (size_t)(end - r->answer.data);
    enum tag_answer answer = parse(r, len, out);
    buf_consume(&r->answer, len + 1);
    if (!is_alive)
        end_helper(r);
    return answer;
}
