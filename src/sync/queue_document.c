#include "sync/queue_document.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/message.h"
#include "wire/track_json.h"

#define NOW_PLAYING_CHARS 10000

void queue_document_init(struct queue_document *d)
{
    *d = (struct queue_document){ .stamp_ms = INT64_MIN, .now.remaining_s = -1 };
    queue_init(&d->queue);
}

void queue_document_finish(struct queue_document *d)
{
    queue_finish(&d->queue);
    queue_document_init(d);
}

void queue_document_move(struct queue_document *to, struct queue_document *from)
{
    queue_finish(&to->queue);
    *to = *from;
    queue_document_init(from);
}

static void read_now_fields(struct now_fields *f, const struct message *now)
{
    *f = (struct now_fields){ .remaining_s = -1 };
    if (!now)
        return;
    snprintf(f->turn, sizeof(f->turn), "%s", message_str(now, "turn", ""));
    double remaining = message_f64(now, "remaining", -1);
    f->remaining_s = remaining >= 0 && remaining < TRACK_MAX_DURATION_S ? remaining : -1;
    f->start_ms = message_i64(now, "startTime", 0);
    f->has_left = message_bool(now, "left", false);
    size_t n = message_count(now, "pushed");
    for (size_t i = 0; i < n && f->mark_count < PUSH_MARKS; i++) {
        const struct message *m = message_object_at(now, "pushed", i);
        int64_t op = m ? message_i64(m, "op", 0) : 0;
        if (op > 0)
            now_fields_mark(f, message_str(m, "by", ""), (uint64_t)op);
    }
}

/* nowPlaying as an object: JSON text, or the object itself. The caller destroys *owned. */
static const struct message *now_object(const struct message *m, struct message **owned)
{
    const char *text = message_str(m, "nowPlaying", NULL);
    *owned = text ? message_parse(text, strlen(text), NULL, 0) : NULL;
    return *owned ? *owned : message_object(m, "nowPlaying");
}

uint64_t queue_document_hash(const struct message *m)
{
    static const char *const fields[] = { "nowPlaying", "mainQueue", "priorityQueue" };
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const char *text = message_str(m, fields[i], "");
        hash = hash * 31 + text_hash(text, strlen(text));
    }
    return hash ? hash : 1;
}

static bool is_list_text(const struct message *m, const char *field)
{
    const char *text = message_str(m, field, NULL);
    return text && text[strspn(text, " \t\r\n")] == '[';
}

bool queue_document_read(struct queue_document *d, const struct message *m)
{
    queue_document_init(d);
    const char *id = message_str(m, "$id", ""), *updated_at = message_str(m, "$updatedAt", "");
    int64_t stamp_ms;
    if (!*id || strlen(id) >= sizeof(d->id) || strlen(updated_at) >= sizeof(d->updated_at) ||
        !stamp_parse(updated_at, &stamp_ms))
        return false;
    memcpy(d->id, id, strlen(id) + 1);
    memcpy(d->updated_at, updated_at, strlen(updated_at) + 1);
    d->stamp_ms = stamp_ms;
    queue_from_message(&d->queue, m);
    d->hash = queue_document_hash(m);
    d->is_broken = !is_list_text(m, "mainQueue") || !is_list_text(m, "priorityQueue");
    struct message *owned;
    read_now_fields(&d->now, now_object(m, &owned));
    message_destroy(owned);
    if (!d->queue.now)
        d->now = (struct now_fields){ .remaining_s = -1 };
    return true;
}

void now_fields_mark(struct now_fields *f, const char *by, uint64_t op)
{
    size_t i = 0;
    while (i < f->mark_count && strcmp(f->mark[i].by, by) != 0)
        i++;
    if (i == PUSH_MARKS) { /* the oldest goes */
        memmove(f->mark, f->mark + 1, sizeof(f->mark[0]) * (PUSH_MARKS - 1));
        i = PUSH_MARKS - 1;
    } else if (i == f->mark_count) {
        f->mark_count++;
    }
    snprintf(f->mark[i].by, sizeof(f->mark[i].by), "%s", by);
    f->mark[i].op = op;
}

uint64_t now_fields_marked(const struct now_fields *f, const char *by)
{
    for (size_t i = 0; i < f->mark_count; i++) {
        if (strcmp(f->mark[i].by, by) == 0)
            return f->mark[i].op;
    }
    return 0;
}

static struct message *now_message(const struct track *now, const struct now_fields *f)
{
    struct message *m = track_to_message(now, 0);
    if (f->start_ms > 0)
        message_set_i64(m, "startTime", f->start_ms);
    if (f->remaining_s >= 0)
        message_set_i64(m, "remaining", (int64_t)floor(f->remaining_s));
    if (*f->turn)
        message_set_str(m, "turn", f->turn);
    if (f->has_left || message_has(m, "left")) /* it may be there as a field of an earlier writer */
        message_set_bool(m, "left", f->has_left);
    if (!f->mark_count)
        return m;
    message_set_str(m, "pushed", NULL); /* what an earlier writer put there is replaced */
    for (size_t i = 0; i < f->mark_count; i++) {
        struct message *mark = message_create();
        message_set_str(mark, "by", f->mark[i].by);
        message_set_i64(mark, "op", (int64_t)f->mark[i].op);
        message_append_object(m, "pushed", mark);
    }
    return m;
}

static void set_list(struct message *m, const char *field, const struct track_list *list)
{
    char *text = track_list_text(list);
    message_set_str(m, field, text);
    free(text);
}

struct message *queue_document_data(const struct queue *q, const struct now_fields *f,
                                    const char *updated_at)
{
    struct message *m = message_create();
    struct message *now = q->now ? now_message(q->now, f) : NULL;
    char *text = now ? message_text(now, false) : NULL;
    message_set_str(m, "nowPlaying", text);
    free(text);
    message_destroy(now);
    set_list(m, "mainQueue", &q->list[QUEUE_MAIN]);
    set_list(m, "priorityQueue", &q->list[QUEUE_REQUESTS]);
    if (updated_at)
        message_set_str(m, "updatedAt", updated_at);
    return m;
}

bool queue_document_fits(const struct message *data)
{
    return text_chars(message_str(data, "nowPlaying", "")) <= NOW_PLAYING_CHARS &&
           text_chars(message_str(data, "mainQueue", "")) <= QUEUE_SERVER_CHARS &&
           text_chars(message_str(data, "priorityQueue", "")) <= QUEUE_SERVER_CHARS;
}

static bool same_entry_state(const struct track *a, const struct track *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->video_id, b->video_id) == 0 &&
           strcmp(a->requested_at, b->requested_at) == 0 && a->status == b->status &&
           a->plays_next == b->plays_next && strcmp(a->unplayable, b->unplayable) == 0;
}

bool queue_same(const struct queue *a, const struct queue *b)
{
    if (!a->now != !b->now || (a->now && !same_entry_state(a->now, b->now)))
        return false;
    for (int l = 0; l < QUEUE_LISTS; l++) {
        if (a->list[l].count != b->list[l].count)
            return false;
        for (size_t i = 0; i < a->list[l].count; i++) {
            if (!same_entry_state(a->list[l].at[i], b->list[l].at[i]))
                return false;
        }
    }
    return true;
}

static bool same_names(const struct track *a, const struct track *b)
{
    return strcmp(a->title, b->title) == 0 && strcmp(a->artist, b->artist) == 0 &&
           a->duration_s == b->duration_s;
}

bool queue_same_names(const struct queue *a, const struct queue *b)
{
    bool is_same = !a->now || !b->now || same_names(a->now, b->now);
    for (int l = 0; l < QUEUE_LISTS && is_same; l++)
        for (size_t i = 0; i < a->list[l].count && is_same; i++)
            is_same = same_names(a->list[l].at[i], b->list[l].at[i]);
    return is_same;
}

bool track_is_remade(const struct track *t)
{
    return strncmp(t->id, "current_", 8) == 0 || strncmp(t->id, "local_", 6) == 0;
}

bool track_is_same_entry(const struct track *a, const struct track *b)
{
    bool a_own = track_id_is_identity(a->id), b_own = track_id_is_identity(b->id);
    if (a_own && b_own)
        return strcmp(a->id, b->id) == 0;
    return a_own == b_own && *a->requested_at && strcmp(a->video_id, b->video_id) == 0 &&
           strcmp(a->requested_at, b->requested_at) == 0;
}

struct message *queue_document_to_message(const struct queue_document *d)
{
    struct message *m = queue_to_message(&d->queue);
    message_set_object(m, "nowPlaying", d->queue.now ? now_message(d->queue.now, &d->now) : NULL);
    message_set_str(m, "$id", d->id);
    message_set_str(m, "$updatedAt", d->updated_at);
    return m;
}

bool queue_document_from_message(struct queue_document *d, const struct message *m)
{
    bool is_read = queue_document_read(d, m);
    d->is_broken = false; /* the journal's lists are arrays */
    return is_read;
}
