#include "player/history.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "wire/message.h"

#define WAITING_MAX ((size_t)64 * 1024) /* bytes not written yet; more are dropped */
#define LINES_MAX   ((size_t)2 * HISTORY_MAX_BYTES)

struct history {
    uv_loop_t *loop;
    struct log log;
    char *path, *old_path;
    uv_work_t work;
    bool is_busy, has_failed;
    struct buf waiting;
    struct buf writing; /* the pool thread's while is_busy */
    int error;
};

struct history *history_create(uv_loop_t *loop, const char *dir, const struct log *log)
{
    struct history *h = xcalloc(1, sizeof(*h));
    h->loop = loop;
    h->log = log_child(log, "history");
    h->path = xasprintf("%s/" HISTORY_FILE, dir);
    h->old_path = xasprintf("%s.1", h->path);
    h->work.data = h;
    buf_init(&h->waiting, WAITING_MAX);
    buf_init(&h->writing, WAITING_MAX);
    return h;
}

void history_destroy(struct history *h)
{
    if (!h)
        return;
    assert(!h->is_busy);
    buf_finish(&h->waiting);
    buf_finish(&h->writing);
    free(h->path);
    free(h->old_path);
    free(h);
}

/* ---- writing ---------------------------------------------------------------------------------- */

static int append(const struct history *h, const struct buf *lines)
{
    struct stat st;
    if (stat(h->path, &st) == 0 && (uint64_t)st.st_size + lines->len > HISTORY_MAX_BYTES &&
        rename(h->path, h->old_path) < 0)
        return -errno;
    int fd = open(h->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, lines->data, lines->len);
    int ret = n == (ssize_t)lines->len ? 0 : n < 0 ? -errno : -ENOSPC;
    if (close(fd) < 0 && ret == 0)
        ret = -errno;
    return ret;
}

static void report(struct history *h, int error)
{
    if (error && !h->has_failed)
        log_err(&h->log, "%s cannot be written: %s", h->path, strerror(-error));
    h->has_failed = error != 0;
}

static void write_lines(uv_work_t *work)
{
    struct history *h = work->data;
    h->error = append(h, &h->writing);
}

static void start(struct history *h);

static void written(uv_work_t *work, int status)
{
    struct history *h = work->data;
    h->is_busy = false;
    buf_consume(&h->writing, h->writing.len);
    report(h, status < 0 ? status : h->error);
    if (h->waiting.len)
        start(h);
}

static void start(struct history *h)
{
    struct buf lines = h->waiting;
    h->waiting = h->writing;
    h->writing = lines;
    h->is_busy = true;
    uv_queue_work(h->loop, &h->work, write_lines, written);
}

static void set_time(struct message *m, const char *field, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char date[32], text[48];
    if (!gmtime_r(&seconds, &tm) || !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm))
        return;
    snprintf(text, sizeof(text), "%s.%03dZ", date, (int)(wall_ms % 1000));
    message_set_str(m, field, text);
}

void history_add(struct history *h, const struct played *p)
{
    struct message *m = message_create();
    message_set_str(m, "title", p->title);
    message_set_str(m, "artist", p->artist);
    message_set_str(m, "id", p->id);
    set_time(m, "started_at", p->started_wall_ms);
    set_time(m, "ended_at", p->ended_wall_ms);
    message_set_f64(m, "played_s", round(p->played_s * 1000) / 1000);
    message_set_str(m, "how", played_how_name(p->how));
    char *line = message_text(m, false);
    if (buf_printf(&h->waiting, "%s\n", line) < 0)
        report(h, -EMSGSIZE);
    free(line);
    message_destroy(m);
    if (!h->is_busy && h->waiting.len)
        start(h);
}

void history_flush(struct history *h)
{
    assert(!h->is_busy);
    if (h->waiting.len)
        report(h, append(h, &h->waiting));
    buf_consume(&h->waiting, h->waiting.len);
}

/* ---- reading ---------------------------------------------------------------------------------- */

struct reading {
    uv_work_t work;
    char *path, *old_path;
    size_t limit;
    history_read_fn *done;
    void *arg;
    uint64_t tag;
    char *text, *old_text; /* NULL: there is none */
};

static void read_files(uv_work_t *work)
{
    struct reading *r = work->data;
    if (file_read(r->path, LINES_MAX, &r->text, NULL) < 0)
        r->text = NULL;
    if (file_read(r->old_path, LINES_MAX, &r->old_text, NULL) < 0)
        r->old_text = NULL;
}

/* Appends the lines of `text` from its end; returns how many of `limit` are left to take. */
static size_t take_lines(struct message *out, const char *text, size_t limit)
{
    size_t end = text ? strlen(text) : 0;
    while (end > 0 && limit > 0) {
        size_t begin = end;
        while (begin > 0 && text[begin - 1] != '\n')
            begin--;
        struct message *line =
            end > begin ? message_parse(text + begin, end - begin, NULL, 0) : NULL;
        if (line) {
            message_append_object(out, "tracks", line);
            limit--;
        }
        end = begin > 0 ? begin - 1 : 0;
    }
    return limit;
}

static void have_read(uv_work_t *work, int status)
{
    struct reading *r = work->data;
    (void)status;
    struct message *out = message_create();
    message_set_array(out, "tracks");
    size_t left = take_lines(out, r->text, r->limit);
    take_lines(out, r->old_text, left);
    r->done(r->arg, r->tag, out);
    free(r->text);
    free(r->old_text);
    free(r->path);
    free(r->old_path);
    free(r);
}

void history_read(struct history *h, size_t limit, history_read_fn *done, void *arg, uint64_t tag)
{
    struct reading *r = xcalloc(1, sizeof(*r));
    r->work.data = r;
    r->path = xstrdup(h->path);
    r->old_path = xstrdup(h->old_path);
    r->limit = limit < HISTORY_LIMIT_MAX ? limit : HISTORY_LIMIT_MAX;
    r->done = done;
    r->arg = arg;
    r->tag = tag;
    uv_queue_work(h->loop, &r->work, read_files, have_read);
}
