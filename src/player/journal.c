#include "player/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/twin_file.h"
#include "wire/message.h"
#include "wire/track_json.h"

#define POSITION_MAX    ((size_t)4096)
#define POSITION_MAX_NS (INT64_MAX / 4)
#define REVISION_MAX    ((int64_t)1 << 52)

void journal_state_init(struct journal_state *s)
{
    *s = (struct journal_state){ .is_new = true };
    queue_init(&s->queue);
}

void journal_state_finish(struct journal_state *s)
{
    queue_finish(&s->queue);
    free(s->sync);
}

/* 64 bits as text: JSON numbers of other readers keep 53. */
static void set_u64(struct message *m, const char *field, uint64_t value)
{
    char text[17];
    snprintf(text, sizeof(text), "%016" PRIx64, value);
    message_set_str(m, field, text);
}

static uint64_t get_u64(const struct message *m, const char *field)
{
    const char *text = message_str(m, field, "");
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 16);
    return errno || *end ? 0 : value;
}

/* The caller frees; takes `m`. */
static char *text_of(struct message *m)
{
    char *text = message_text(m, false);
    message_destroy(m);
    return text;
}

char *journal_text(const struct journal_state *s)
{
    struct message *m = message_create();
    message_set_i64(m, "version", JOURNAL_VERSION);
    message_set_i64(m, "volume", s->volume);
    message_set_bool(m, "is_paused", s->is_paused);
    message_set_bool(m, "is_muted", s->is_muted);
    message_set_bool(m, "subtitles", s->shows_text);
    set_u64(m, "left_load", s->left_load);
    set_u64(m, "arguments", s->arguments);
    message_set_i64(m, "queue_revision", (int64_t)s->queue_revision);
    message_set_bool(m, "is_joined", s->is_joined);
    message_set_object(m, "queue", queue_to_message(&s->queue));
    char *first = text_of(m);
    if (!s->sync)
        return first;
    char *text = xasprintf("%s\n%s", first, s->sync);
    free(first);
    return text;
}

char *journal_position_text(const struct journal_position *p)
{
    struct message *m = message_create();
    set_u64(m, "entry", p->entry);
    message_set_f64(m, "position_s", (double)p->position_ns / (double)NS_PER_S);
    message_set_f64(m, "played_s", (double)p->played_ns / (double)NS_PER_S);
    message_set_i64(m, "started_ms", p->started_wall_ms);
    return text_of(m);
}

static int fail(struct journal_state *s, struct message *m, char *why, size_t why_size,
                const char *sentence)
{
    if (sentence)
        snprintf(why, why_size, "%s", sentence);
    message_destroy(m);
    journal_state_init(s);
    return -EINVAL;
}

int journal_parse(struct journal_state *s, const char *text, size_t len, char *why, size_t why_size)
{
    const char *end = memchr(text, '\n', len);
    size_t line_len = end ? (size_t)(end - text) : len;
    struct message *m = message_parse(text, line_len, why, why_size);
    if (!m)
        return fail(s, NULL, why, why_size, NULL);
    int64_t version = message_i64(m, "version", 0);
    if (version > JOURNAL_VERSION)
        return fail(s, m, why, why_size, "it was written by a newer version of this program");
    const struct message *queue = message_object(m, "queue");
    if (version != JOURNAL_VERSION || !queue)
        return fail(s, m, why, why_size, "it does not hold a queue");
    *s = (struct journal_state){
        .volume = (uint32_t)clamp_i64(message_i64(m, "volume", 75), 0, 100),
        .is_paused = message_bool(m, "is_paused", false),
        .is_muted = message_bool(m, "is_muted", false),
        .shows_text = message_bool(m, "subtitles", false),
        .left_load = get_u64(m, "left_load"),
        .arguments = get_u64(m, "arguments"),
        .queue_revision = (uint64_t)clamp_i64(message_i64(m, "queue_revision", 0), 0, REVISION_MAX),
        .is_joined = message_bool(m, "is_joined", false),
    };
    if (end)
        s->sync = xstrndup(end + 1, len - line_len - 1);
    queue_from_message(&s->queue, queue);
    message_destroy(m);
    return 0;
}

static int64_t seconds_to_ns(double seconds)
{
    return seconds > 0 && seconds < (double)POSITION_MAX_NS / (double)NS_PER_S
               ? (int64_t)(seconds * (double)NS_PER_S)
               : 0;
}

void journal_position_parse(struct journal_position *p, const char *text, size_t len)
{
    *p = (struct journal_position){ 0 };
    struct message *m = message_parse(text, len, NULL, 0);
    if (!m)
        return;
    p->entry = get_u64(m, "entry");
    p->position_ns = seconds_to_ns(message_f64(m, "position_s", 0));
    p->played_ns = seconds_to_ns(message_f64(m, "played_s", 0));
    p->started_wall_ms = message_i64(m, "started_ms", 0);
    message_destroy(m);
}

static void set_aside(const char *path, const struct log *log, const char *why)
{
    if (twin_file_set_aside(path, "damaged") == 0)
        log_err(log, "%s cannot be used: %s. It is kept as %s.damaged; the queue starts empty",
                path, why, path);
    else
        log_err(log, "%s cannot be used: %s. The queue starts empty", path, why);
}

static const char *reason_of(int error)
{
    return error == -EBADMSG ? "its contents do not match their check number" : strerror(-error);
}

static void load_state(const char *dir, const struct log *log, struct journal_state *s)
{
    char *path = xasprintf("%s/" JOURNAL_FILE, dir);
    char *text = NULL, why[256] = "";
    size_t len;
    int ret = twin_file_read(path, JOURNAL_MAX, &text, &len);
    if (ret < 0)
        journal_state_init(s);
    else
        ret = journal_parse(s, text, len, why, sizeof(why));
    if (ret < 0 && ret != -ENOENT)
        set_aside(path, log, *why ? why : reason_of(ret));
    free(text);
    free(path);
}

void journal_load(const char *dir, const struct log *log, struct journal_state *s,
                  struct journal_position *p)
{
    load_state(dir, log, s);
    *p = (struct journal_position){ 0 };
    char *path = xasprintf("%s/" POSITION_FILE, dir);
    char *text = NULL;
    size_t len;
    int ret = twin_file_read(path, POSITION_MAX, &text, &len);
    if (ret == 0)
        journal_position_parse(p, text, len);
    else if (ret != -ENOENT)
        log_warn(log, "%s cannot be read: %s. The track starts from its beginning", path,
                 reason_of(ret));
    free(text);
    free(path);
}
