#include "player/saver.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct saver {
    struct saver_params params;
    struct twin_file *file;
    uv_work_t work;
    bool is_busy;

    /* The pool thread's while is_busy. */
    char *text;
    uint64_t revision;
    int error;

    /* Waits for its turn; NULL: nothing. */
    char *waiting_text;
    uint64_t waiting_revision;
};

struct saver *saver_create(const struct saver_params *params)
{
    struct saver *s = xcalloc(1, sizeof(*s));
    s->params = *params;
    s->file = twin_file_create(params->path);
    if (!s->params.write)
        s->params.write = twin_file_write;
    s->work.data = s;
    return s;
}

void saver_destroy(struct saver *s)
{
    if (!s)
        return;
    assert(!s->is_busy);
    free(s->waiting_text);
    twin_file_destroy(s->file);
    free(s);
}

static void write_file(uv_work_t *work)
{
    struct saver *s = work->data;
    s->error = s->params.write(s->file, s->text, strlen(s->text));
}

static void start(struct saver *s, char *text, uint64_t revision);

static void written(uv_work_t *work, int status)
{
    struct saver *s = work->data;
    uint64_t revision = s->revision;
    int error = status < 0 ? status : s->error;
    free(s->text);
    s->text = NULL;
    s->is_busy = false;
    if (s->waiting_text) {
        char *text = s->waiting_text;
        s->waiting_text = NULL;
        start(s, text, s->waiting_revision);
    }
    if (s->params.done)
        s->params.done(s->params.arg, revision, error);
}

static void start(struct saver *s, char *text, uint64_t revision)
{
    s->text = text;
    s->revision = revision;
    s->is_busy = true;
    int ret = uv_queue_work(s->params.loop, &s->work, write_file, written);
    assert(ret == 0); /* only a missing callback can fail */
    (void)ret;
}

void saver_put(struct saver *s, char *text, uint64_t revision)
{
    if (!s->is_busy) {
        start(s, text, revision);
        return;
    }
    free(s->waiting_text);
    s->waiting_text = text;
    s->waiting_revision = revision;
}

bool saver_is_busy(const struct saver *s)
{
    return s->is_busy;
}

int saver_put_now(struct saver *s, const char *text)
{
    assert(!s->is_busy);
    return s->params.write(s->file, text, strlen(text));
}
