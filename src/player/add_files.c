#include "player/add_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "player/answers.h"
#include "player/entry_names.h"
#include "player/media_file.h"
#include "source/address.h"
#include "source/library.h"
#include "wire/message.h"

static bool refuse(struct message *answer, const char *file, const char *code, const char *why)
{
    if (!answer)
        return false;
    struct message *m = message_create();
    message_set_str(m, "file", file ? file : "");
    message_set_str(m, "error", why);
    message_set_str(m, "code", code);
    message_append_object(answer, "refused", m);
    return false;
}

static bool refuse_full(struct message *answer, const struct jukebox *j, const char *file)
{
    const struct queue *q = jukebox_queue(j);
    char why[160];
    snprintf(
        why, sizeof(why),
        "The queue is full: it holds %zu songs and %zu requests. Remove some, or clear it, and "
        "add again.",
        q->list[QUEUE_MAIN].count, q->list[QUEUE_REQUESTS].count);
    return refuse(answer, file, "full", why);
}

static void set_requester(struct track *t, const struct add_request *add)
{
    time_t seconds = (time_t)(add->wall_ms / 1000);
    struct tm tm;
    char date[32], text[48];
    t->is_request = add->requester != NULL;
    if (!t->is_request)
        return;
    track_set(&t->requested_by, add->requester);
    track_set(&t->requester_id, TRACK_BOX_REQUESTER);
    if (gmtime_r(&seconds, &tm) && strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm)) {
        snprintf(text, sizeof(text), "%s.%03dZ", date, (int)(add->wall_ms % 1000));
        track_set(&t->requested_at, text);
    }
}

/* Several that are added as next stay in the order they were named in. */
static void keep_order(struct jukebox *j, struct add_request *add, const struct track *t)
{
    struct entry_place place;
    if (add->at_front && add->placed++ > 0 && queue_find(jukebox_queue(j), entry_ref_of(t), &place))
        (void)jukebox_apply(j, &(struct queue_op){
                                   .kind = OP_MOVE,
                                   .entry = entry_ref_of(t),
                                   .index = place.index + add->placed - 1,
                               });
}

static bool add_track(struct jukebox *j, struct add_request *add, struct track *t, const char *name,
                      struct message *answer)
{
    set_requester(t, add);
    track_ensure_id(t, add->seed);
    struct queue_op op = {
        .kind = OP_ADD,
        .track = t,
        .at_front = add->at_front,
        .seed = add->seed++,
    };
    int ret = jukebox_apply(j, &op);
    struct entry_place place;
    add->is_full = ret == -EMSGSIZE;
    if (add->is_full)
        return refuse_full(answer, j, name);
    if (ret < 0)
        return refuse(answer, name, "failed", strerror(-ret));
    keep_order(j, add, t);
    if (answer && queue_find(jukebox_queue(j), entry_ref_of(t), &place))
        message_append_object(answer, "added", answer_track(add->world, jukebox_queue(j), place));
    return true;
}

/* Who adds it here has named its file or address. */
static void set_seal(struct track *t, const struct add_request *add)
{
    const struct command_world *w = add->world;
    if (!w || !w->seal || !t->source[0])
        return;
    char *seal = w->seal(w->ctx, t->source);
    track_set(&t->seal, seal);
    free(seal);
}

bool add_file(struct jukebox *j, struct add_request *add, const char *source,
              struct message *answer)
{
    char why[256];
    if (add->is_full)
        return refuse_full(answer, j, source);
    char *path = path_from_source(source ? source : "");
    bool is_added = false;
    if (path[0] != '/') {
        refuse(answer, source, "usage", "Files are named by their absolute path.");
    } else if (!media_file_check(path, why, sizeof(why))) {
        refuse(answer, source, "failed", why);
    } else {
        struct track *t = track_create();
        track_from_path(t, path);
        set_seal(t, add);
        t->duration_s = jukebox_known_duration_s(j, t->source);
        is_added = add_track(j, add, t, source, answer);
        track_destroy(t);
    }
    free(path);
    return is_added;
}

/* ---- songs from elsewhere ----------------------------------------------------------------------- */

/* NULL: nothing is against it. */
static const char *why_no_youtube(const struct add_request *add, const char *id)
{
    const struct command_world *w = add->world;
    bool is_of_it = address_is_youtube_id(id, strlen(id));
    return w && w->no_youtube && is_of_it ? w->no_youtube(w->ctx, id) : NULL;
}

static bool add_address(struct jukebox *j, struct add_request *add, const struct address *a,
                        const char *text, struct message *answer)
{
    const struct command_world *w = add->world;
    const char *why_not = a->kind == ADDRESS_YOUTUBE ? why_no_youtube(add, a->key) : NULL;
    if (why_not)
        return refuse(answer, text, "failed", why_not);
    struct track *t = track_create();
    track_set(&t->video_id, a->key);
    if (a->kind == ADDRESS_URL)
        track_from_url(t, a->target);
    else
        track_set(&t->title, a->key);
    set_seal(t, add);
    if (w->retry)
        w->retry(w->ctx, t->video_id, t->source);
    bool is_added = add_track(j, add, t, text, answer);
    track_destroy(t);
    return is_added;
}

static bool is_of_youtube(const struct add_request *add, const char *id)
{
    return add->world && add->world->retry && address_is_youtube_id(id, strlen(id)) &&
           !why_no_youtube(add, id);
}

static bool add_from_youtube(struct jukebox *j, struct add_request *add, const char *id,
                             struct message *answer)
{
    struct address *a = xcalloc(1, sizeof(*a));
    bool is_added = address_read(id, strlen(id), ADDRESS_BY_GUEST, a) == ADDRESS_OK &&
                    add_address(j, add, a, id, answer);
    free(a);
    return is_added;
}

/* An id that can only have been meant for YouTube: first what can be done about that. */
static bool refuse_youtube(struct message *answer, const struct add_request *add, const char *name,
                           const char *why_not)
{
    struct library_status s = { .has_scanned = true };
    char why[1024];
    if (add->library)
        library_status(add->library, &s);
    snprintf(why, sizeof(why), "%s The house itself has no such song%s.", why_not,
             s.has_scanned ? "" : " so far; its folders are still being read");
    return refuse(answer, name, "failed", why);
}

static bool refuse_unknown(struct message *answer, const struct add_request *add, const char *id,
                           const char *name)
{
    struct library_status s;
    char why[1024];
    const char *why_not = why_no_youtube(add, id);
    if (why_not)
        return refuse_youtube(answer, add, name, why_not);
    if (!add->library)
        return refuse(answer, name, "not-found",
                      "No entry of the queue has this id, and library.paths names no folder to "
                      "look in.");
    library_status(add->library, &s);
    snprintf(why, sizeof(why),
             "No entry of the queue and no file of the library has this id%s%s%s.",
             s.has_scanned ? "" : "; its folders are still being read", *s.problem ? "; " : "",
             s.problem);
    return refuse(answer, name, "not-found", why);
}

static bool add_from_library(struct jukebox *j, struct add_request *add, const char *id,
                             const char *name, struct message *answer)
{
    char *source = NULL;
    enum library_place place =
        add->library ? library_find(add->library, id, NULL, &source, NULL) : LIBRARY_UNKNOWN;
    bool is_added = false;
    if (place == LIBRARY_HERE)
        is_added = add_file(j, add, source, answer);
    else if (is_of_youtube(add, id))
        is_added = add_from_youtube(j, add, id, answer);
    else if (place == LIBRARY_AWAY)
        refuse(answer, name, "not-found", "The stick or folder with it is not there.");
    else
        refuse_unknown(answer, add, id, name);
    free(source);
    return is_added;
}

/* `name`: what was typed for it. */
static bool add_known(struct jukebox *j, struct add_request *add, const char *id, const char *name,
                      struct message *answer)
{
    struct entry_place place;
    if (!entry_find_by_name(jukebox_queue(j), id, &place))
        return add_from_library(j, add, id, name, answer);
    struct track *t = track_copy(queue_at(jukebox_queue(j), place));
    track_set(&t->id, NULL);
    track_set(&t->unplayable, NULL);
    track_set(&t->requested_by, NULL);
    track_set(&t->requested_at, NULL);
    track_set(&t->requester_id, NULL);
    track_set(&t->payment_id, NULL);
    t->status = TRACK_QUEUED;
    t->is_paid = t->plays_next = false;
    t->paid_credit = 0;
    if (add->world && add->world->retry)
        add->world->retry(add->world->ctx, t->video_id, t->source);
    bool is_added = add_track(j, add, t, name, answer);
    track_destroy(t);
    return is_added;
}

bool add_id(struct jukebox *j, struct add_request *add, const char *id, struct message *answer)
{
    if (add->is_full)
        return refuse_full(answer, j, id);
    if (!id || !*id)
        return refuse(answer, id, "usage", "An id is text.");
    return add_known(j, add, id, id, answer);
}

bool add_url(struct jukebox *j, struct add_request *add, const char *text, struct message *answer)
{
    struct address *a = xcalloc(1, sizeof(*a));
    enum address_who who = add->requester ? ADDRESS_BY_GUEST : ADDRESS_BY_STAFF;
    enum address_verdict verdict = address_read(text ? text : "", text ? strlen(text) : 0, who, a);
    bool is_added = false;
    if (add->is_full)
        refuse_full(answer, j, text);
    else if (verdict != ADDRESS_OK)
        refuse(answer, text, "usage", address_verdict_text(verdict));
    else if (a->kind == ADDRESS_FILE)
        is_added = add_file(j, add, a->target, answer);
    else if (a->kind == ADDRESS_URL && add->world)
        is_added = add_address(j, add, a, text, answer);
    else
        is_added = add_known(j, add, a->key, text, answer);
    free(a);
    return is_added;
}
