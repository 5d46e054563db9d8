#include "probe/probe.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/now.h"
#include "media/inspect.h"
#include "model/track.h"
#include "wire/message.h"

struct probe {
    struct probe_params params;
    struct doorbell bell;
    struct gate gate;

    /* The watchdog's, under the lock. */
    pthread_t watchdog;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t until_ns; /* NO_TIME: no look is under way */
    bool is_over;
};

/* ---- answers ------------------------------------------------------------------------------------ */

static int answer(const struct probe *p, const struct message *m)
{
    char *text = message_text(m, false), *line = xasprintf("%s\n", text);
    int ret = file_write_all(p->params.out_fd, line, strlen(line));
    free(line);
    free(text);
    return ret;
}

static struct message *error_message(const char *code, const char *why)
{
    struct message *m = message_create();
    message_set_bool(m, "ok", false);
    message_set_str(m, "error", why);
    message_set_str(m, "code", code);
    return m;
}

/* ---- the watchdog -------------------------------------------------------------------------------- */

static void wait_until(struct probe *p, int64_t at_ns)
{
    struct timespec t = { .tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S };
    pthread_cond_timedwait(&p->changed, &p->lock, &t);
}

/* Within the lock: the answer is this one's, not the other thread's. */
static void give_up(struct probe *p)
{
    struct message *m = error_message("failed", "It took too long to read.");
    (void)answer(p, m);
    message_destroy(m);
    p->params.give_up(p->params.ctx);
}

static void *watch(void *arg)
{
    struct probe *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->is_over) {
        int64_t now_ns = now_mono_ns(), until_ns = p->until_ns;
        if (until_ns == NO_TIME) {
            pthread_cond_wait(&p->changed, &p->lock);
        } else if (now_ns < until_ns) {
            wait_until(p, until_ns);
        } else if (now_ns < until_ns + p->params.grace_ns) {
            gate_stop(&p->gate);
            wait_until(p, until_ns + p->params.grace_ns);
        } else {
            give_up(p);
            p->until_ns = NO_TIME;
        }
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void set_deadline(struct probe *p, int64_t until_ns)
{
    pthread_mutex_lock(&p->lock);
    p->until_ns = until_ns;
    atomic_store(&p->gate.is_stopped, until_ns != NO_TIME && until_ns <= now_mono_ns());
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* ---- commands ----------------------------------------------------------------------------------- */

static struct message *tags(struct probe *p, const char *path, const struct message *request)
{
    struct inspect_tags t;
    char why[INSPECT_WHY_MAX];
    if (!inspect_read_tags(path, &p->gate, &t, why))
        return error_message("failed", why);
    struct message *m = message_create();
    message_set_bool(m, "ok", true);
    message_set_str(m, "title", t.title);
    message_set_str(m, "artist", t.artist);
    message_set_f64(m, "duration_s", t.duration_s);
    message_set_bool(m, "has_video", *t.video_codec);
    message_set_bool(m, "has_audio", *t.audio_codec);
    message_set_str(m, "video_codec", t.video_codec);
    message_set_str(m, "audio_codec", t.audio_codec);
    return m;
}

static struct message *check(struct probe *p, const char *path, const struct message *request)
{
    char why[INSPECT_WHY_MAX];
    double duration_s = message_f64(request, "duration_s", 0);
    if (!inspect_check(path, isfinite(duration_s) ? duration_s : 0, &p->gate, why))
        return error_message("failed", why);
    struct message *m = message_create();
    message_set_bool(m, "ok", true);
    return m;
}

static struct message *look(struct probe *p, const struct message *request)
{
    const char *command = message_str(request, "command", "");
    const char *source = message_str(request, "path", "");
    if (strcmp(command, "hello") == 0) {
        struct message *hello = message_create();
        message_set_bool(hello, "ok", true);
        return hello;
    }
    bool is_tags = strcmp(command, "tags") == 0, is_check = strcmp(command, "check") == 0;
    if (!is_tags && !is_check)
        return error_message("usage", "\"command\" must be tags, check or hello.");
    char *path = path_from_source(source);
    struct message *m;
    if (path[0] != '/') {
        m = error_message("usage", "\"path\" must be absolute.");
    } else {
        set_deadline(p, now_mono_ns() + (is_tags ? p->params.tags_max_ns : p->params.check_max_ns));
        m = (is_tags ? tags : check)(p, path, request);
        set_deadline(p, NO_TIME);
    }
    free(path);
    return m;
}

static int take_line(struct probe *p, const char *line, size_t len)
{
    char why[256] = "it is no JSON object", sentence[320];
    struct message *request = message_parse(line, len, why, sizeof(why)), *m;
    snprintf(sentence, sizeof(sentence), "This line cannot be read: %s.", why);
    m = request ? look(p, request) : error_message("usage", sentence);
    if (message_has(request, "n")) { /* the line protocol of source/worker.h */
        message_set_field(m, "n", request, "n");
        message_set_str(m, "event", "done");
    }
    message_destroy(request);
    int ret = answer(p, m);
    message_destroy(m);
    return ret;
}

static int serve(struct probe *p)
{
    char *line = NULL;
    size_t cap = 0;
    int ret = 0, fd = dup(p->params.in_fd);
    FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
    if (!in)
        return -errno;
    for (ssize_t len; ret == 0 && (len = getline(&line, &cap, in)) > 0;) {
        if ((size_t)len > PROBE_LINE_MAX)
            ret = -EMSGSIZE;
        else
            ret = take_line(p, line, (size_t)len);
    }
    free(line);
    fclose(in);
    return ret;
}

int probe_run(const struct probe_params *params)
{
    struct probe *p = xcalloc(1, sizeof(*p));
    pthread_condattr_t attr;
    p->params = *params;
    p->gate.bell = &p->bell;
    p->until_ns = NO_TIME;
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->changed, &attr);
    pthread_condattr_destroy(&attr);
    int ret = -pthread_create(&p->watchdog, NULL, watch, p);
    if (ret == 0) {
        ret = serve(p);
        pthread_mutex_lock(&p->lock);
        p->is_over = true;
        pthread_cond_signal(&p->changed);
        pthread_mutex_unlock(&p->lock);
        pthread_join(p->watchdog, NULL);
    }
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return ret;
}
