/* processRequest: a guest's song goes to the tail of the requests, and into the book of requests. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/datetime.h"
#include "hub/functions_internal.h"
#include "hub/secret.h"
#include "wire/track_json.h"

#define SONG_MAX_S       300
#define ARTIST_MAX       3
#define ARTIST_WINDOW_MS ((int64_t)30 * 60 * 1000)
#define REQUESTS_SEEN    1000
#define ID_BYTES_MAX     255
#define PAID_CREDIT      0.5
#define WAIT_MINUTES     3.5 /* per entry before it */

/* One call: its fields, checked. */
struct request_call {
    const char *venue, *payment, *requester;
    struct message *song; /* the fields a guest may set */
    struct track *track;  /* the same as an entry of the queue */
    char id[SECRET_UUID_SIZE];
    char now_text[DATETIME_TEXT_MAX];
    int64_t now;
};

static const struct collection *queues(void)
{
    return collection_find("queues");
}

static const struct collection *requests(void)
{
    return collection_find("requests");
}

/* ---- what came --------------------------------------------------------------------------------- */

/* Guests name a song; which file is played, and when, is not theirs to say. */
static struct message *song_of(const struct message *given)
{
    static const char *const fields[] = { "videoId",  "title",     "artist",      "channelTitle",
                                          "duration", "thumbnail", "thumbnailUrl" };
    struct message *song = message_create();
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        message_set_field(song, fields[i], given, fields[i]);
    return song;
}

static bool is_id(const char *text)
{
    return *text && strlen(text) <= ID_BYTES_MAX;
}

/* 0, or what is missing. */
static const char *read_call(struct request_call *c, const struct message *in)
{
    const struct message *song = message_object(in, "song");
    c->venue = message_str(in, "venueId", "");
    c->payment = message_str(in, "paymentId", "");
    c->requester = message_str(in, "requesterId", "");
    c->song = song_of(song);
    c->track = track_from_message(c->song);
    if (!is_id(c->venue))
        return "venueId";
    if (!song || !is_id(c->track->video_id))
        return "song";
    if (!is_id(c->payment))
        return "paymentId";
    return is_id(c->requester) ? NULL : "requesterId";
}

static void call_finish(struct request_call *c)
{
    message_destroy(c->song);
    track_destroy(c->track);
}

/* ---- rules ------------------------------------------------------------------------------------- */

static bool is_by(const struct message *request, const char *artist)
{
    const char *text = message_str(request, "song", "");
    struct message *song = message_parse(text, strlen(text), NULL, 0);
    struct track *t = track_from_message(song);
    bool is_it = t && strcmp(t->artist, artist) == 0;
    track_destroy(t);
    message_destroy(song);
    return is_it;
}

/* How many of this artist the venue took within the window; none when the song does not name one. */
static bool count_artist(struct functions *f, const struct request_call *c, int *count,
                         struct api_error *e)
{
    struct query q;
    struct message *list;
    *count = 0;
    if (!*c->track->artist)
        return true;
    query_init(&q);
    if (!where_equal(&q, requests(), "venueId", c->venue, e) ||
        !where_between(&q, requests(), "timestamp", c->now - ARTIST_WINDOW_MS, c->now, e) ||
        !where_select(&q, requests(), "song", e) ||
        !where_limit(&q, requests(), REQUESTS_SEEN, e)) {
        query_finish(&q);
        return false;
    }
    if (!function_list(f, requests(), &q, &list, e))
        return false;
    for (size_t i = 0; i < message_count(list, "documents"); i++)
        *count += is_by(message_object_at(list, "documents", i), c->track->artist);
    message_destroy(list);
    return true;
}

/* ---- writing ----------------------------------------------------------------------------------- */

/* *out: the venue's queue document, which the caller destroys; NULL: there is none. */
static bool find_queue(struct functions *f, const char *venue, struct message **out,
                       struct api_error *e)
{
    struct query q;
    struct message *list;
    *out = NULL;
    query_init(&q);
    if (!where_equal(&q, queues(), "venueId", venue, e) || !where_limit(&q, queues(), 1, e)) {
        query_finish(&q);
        return false;
    }
    if (!function_list(f, queues(), &q, &list, e))
        return false;
    if (message_count(list, "documents"))
        *out = message_copy(message_object_at(list, "documents", 0));
    message_destroy(list);
    return true;
}

/* The entry carries the id of its request, by which the player finds it again. */
static struct track *entry_of(const struct request_call *c)
{
    struct track *t = track_copy(c->track);
    track_set(&t->id, c->id);
    track_set(&t->requested_at, c->now_text);
    track_set(&t->requester_id, c->requester);
    track_set(&t->payment_id, c->payment);
    t->is_request = true;
    t->paid_credit = PAID_CREDIT;
    return t;
}

/* *position: its place among the requests, from 1. */
static bool append_entry(struct functions *f, const struct request_call *c,
                         const struct message *queue, size_t *position, struct api_error *e)
{
    struct track_list list;
    track_list_parse(&list, message_str(queue, "priorityQueue", ""));
    track_list_append(&list, entry_of(c));
    *position = list.count;
    char *text = track_list_text(&list);
    struct message *data = message_create();
    message_set_str(data, "priorityQueue", text);
    message_set_str(data, "updatedAt", c->now_text);
    bool is_done = documents_update(f->documents, NULL, queues(), message_str(queue, "$id", ""),
                                    data, NULL, NULL, e);
    message_destroy(data);
    free(text);
    track_list_finish(&list);
    return is_done;
}

static bool insert_request(struct functions *f, const struct request_call *c, struct api_error *e)
{
    struct message *data = message_create();
    char *song = message_text(c->song, false);
    message_set_str(data, "requestId", c->id);
    message_set_str(data, "venueId", c->venue);
    message_set_str(data, "song", song);
    message_set_str(data, "requesterId", c->requester);
    message_set_str(data, "paymentId", c->payment);
    message_set_str(data, "status", "queued");
    message_set_str(data, "timestamp", c->now_text);
    bool is_done = documents_insert(f->documents, NULL, requests(), c->id, data, NULL, NULL, e);
    message_destroy(data);
    free(song);
    return is_done;
}

static void say_accepted(struct function_reply *r, const char *id, size_t position)
{
    r->body = message_create();
    message_set_bool(r->body, "success", true);
    message_set_str(r->body, "requestId", id);
    message_set_i64(r->body, "queuePosition", (int64_t)position);
    message_set_f64(r->body, "estimatedWait", (double)position * WAIT_MINUTES);
}

static bool accept(struct functions *f, const struct request_call *c, struct function_reply *r,
                   struct api_error *e)
{
    struct message *queue;
    size_t position = 0;
    if (!find_queue(f, c->venue, &queue, e))
        return false;
    if (!queue)
        return function_refuse(r, 500, "The venue has no queue");
    bool is_done = append_entry(f, c, queue, &position, e);
    message_destroy(queue);
    if (!is_done && e->kind == API_STRUCTURE_INVALID)
        return function_refuse(r, 500, "The queue is full");
    if (!is_done || !insert_request(f, c, e))
        return false;
    say_accepted(r, c->id, position);
    return true;
}

static bool judge(struct functions *f, struct request_call *c, struct function_reply *r,
                  struct api_error *e)
{
    int of_artist;
    size_t song_max = collection_attribute(requests(), "song")->size;
    if (c->track->duration_s > SONG_MAX_S)
        return function_refuse(r, 400, "The song is longer than %d seconds", SONG_MAX_S);
    if (track_json_chars(c->track) > song_max)
        return function_refuse(r, 400, "What is said of the song is too long");
    if (!functions_now(f, &c->now, e) || !count_artist(f, c, &of_artist, e))
        return false;
    if (of_artist >= ARTIST_MAX)
        return function_refuse(r, 429,
                               "%d songs of this artist were requested in the last %d minutes",
                               ARTIST_MAX, (int)(ARTIST_WINDOW_MS / 60000));
    datetime_text(c->now, c->now_text);
    secret_uuid(c->id);
    return accept(f, c, r, e);
}

bool request_run(struct functions *f, const struct message *in, struct function_reply *r,
                 struct api_error *e)
{
    struct request_call c = { 0 };
    const char *missing = read_call(&c, in);
    bool is_done = missing ? function_refuse(r, 400, "%s is missing or not valid", missing)
                           : judge(f, &c, r, e);
    call_finish(&c);
    return is_done;
}
