/* processRequest: the queue, the book of requests, and the rules. */
#include "functions_call.h"

#include "wire/track_json.h"

/* ---- processRequest ---------------------------------------------------------------------------- */

static void furnish(struct rig *r)
{
    rig_must(r, documents_ensure_venue(r->documents, VENUE, NULL, &r->e));
}

static struct reply request_song(struct rig *r, const char *song)
{
    char *body = xasprintf("{\"venueId\":\"bar\",\"song\":%s,\"paymentId\":\"pi_1\","
                           "\"requesterId\":\"guest 7\"}",
                           song);
    struct reply reply = call(r, REQUEST, body);
    free(body);
    return reply;
}

static struct reply request_of(struct rig *r, const char *artist)
{
    char *song = xasprintf("{\"videoId\":\"dQw4w9WgXcQ\",\"title\":\"T\",\"artist\":\"%s\","
                           "\"duration\":213}",
                           artist);
    struct reply reply = request_song(r, song);
    free(song);
    return reply;
}

/* The inner status of a request. */
static int ask(struct rig *r, const char *artist)
{
    struct reply reply = request_of(r, artist);
    message_destroy(reply.body);
    return reply.status;
}

static struct message *queue_document(struct rig *r)
{
    struct message *queue;
    rig_must(r, documents_get(r->documents, NULL, collection_find("queues"), VENUE, &queue, &r->e));
    return queue;
}

static struct track_list requests_in_queue(struct rig *r)
{
    struct track_list all;
    struct message *queue = queue_document(r);
    track_list_parse(&all, message_str(queue, "priorityQueue", ""));
    message_destroy(queue);
    return all;
}

static void set_requests(struct rig *r, const char *text)
{
    struct message *data = message_create();
    message_set_str(data, "priorityQueue", text);
    rig_must(r, documents_update(r->documents, NULL, collection_find("queues"), VENUE, data, NULL,
                                 NULL, &r->e));
    message_destroy(data);
}

static void a_request_is_in_the_queue_and_in_the_book(void **state)
{
    struct rig *r = *state;
    furnish(r);
    struct reply first = request_of(r, "A"), second = request_of(r, "B");
    const char *id = message_str(second.body, "requestId", "");
    assert_int_equal(first.status, 200);
    assert_true(message_bool(second.body, "success", false));
    assert_int_equal(message_i64(second.body, "queuePosition", 0), 2);
    assert_true(message_f64(second.body, "estimatedWait", 0) == 7.0);
    struct track_list queue = requests_in_queue(r);
    assert_int_equal(queue.count, 2);
    const struct track *t = queue.at[1];
    assert_string_equal(t->id, id);
    assert_string_equal(t->video_id, "dQw4w9WgXcQ");
    assert_string_equal(t->artist, "B");
    assert_string_equal(t->requester_id, "guest 7");
    assert_string_equal(t->payment_id, "pi_1");
    assert_string_equal(t->requested_at, "2025-10-09T08:53:20.000+00:00");
    assert_true(t->is_request && t->duration_s == 213 && t->paid_credit == 0.5);
    struct message *book;
    rig_must(r, documents_get(r->documents, NULL, collection_find("requests"), id, &book, &r->e));
    assert_string_equal(message_str(book, "requestId", ""), id);
    assert_string_equal(message_str(book, "status", ""), "queued");
    assert_string_equal(message_str(book, "requesterId", ""), "guest 7");
    assert_string_equal(message_str(book, "timestamp", ""), t->requested_at);
    assert_contains(message_str(book, "song", ""), "\"artist\":\"B\"");
    message_destroy(book);
    track_list_finish(&queue);
    message_destroy(first.body);
    message_destroy(second.body);
}

static const struct {
    const char *body;
    int status;
    const char *says;
} bad_requests[] = {
    { "", 400, "JSON" },
    { "{\"song\":{\"videoId\":\"v\"},\"paymentId\":\"p\",\"requesterId\":\"r\"}", 400, "venueId" },
    { "{\"venueId\":\"bar\",\"paymentId\":\"p\",\"requesterId\":\"r\"}", 400, "song" },
    { "{\"venueId\":\"bar\",\"song\":\"s\",\"paymentId\":\"p\",\"requesterId\":\"r\"}", 400,
      "song" },
    { "{\"venueId\":\"bar\",\"song\":{},\"paymentId\":\"p\",\"requesterId\":\"r\"}", 400, "song" },
    { "{\"venueId\":\"bar\",\"song\":{\"videoId\":\"v\"},\"requesterId\":\"r\"}", 400,
      "paymentId" },
    { "{\"venueId\":\"bar\",\"song\":{\"videoId\":\"v\"},\"paymentId\":\"p\"}", 400,
      "requesterId" },
    { "{\"venueId\":\"bar\",\"song\":{\"videoId\":\"v\",\"duration\":301},\"paymentId\":\"p\","
      "\"requesterId\":\"r\"}",
      400, "300" },
    { "{\"venueId\":\"bar\",\"song\":{\"videoId\":\"v\",\"duration\":\"5:01\"},\"paymentId\":\"p\","
      "\"requesterId\":\"r\"}",
      400, "300" },
    { "{\"venueId\":\"nowhere\",\"song\":{\"videoId\":\"v\"},\"paymentId\":\"p\","
      "\"requesterId\":\"r\"}",
      500, "queue" },
    { "{\"venueId\":\"bar\",\"song\":{\"videoId\":\"v\",\"duration\":300},\"paymentId\":\"p\","
      "\"requesterId\":\"r\"}",
      200, NULL },
    { "{\"venueId\":\"bar\",\"song\":{\"videoId\":\"v\",\"duration\":\"Unknown\"},"
      "\"paymentId\":\"p\",\"requesterId\":\"r\"}",
      200, NULL },
};

static void a_refused_request_leaves_nothing_behind(void **state)
{
    struct rig *r = *state;
    size_t taken = 0;
    furnish(r);
    for (size_t i = 0; i < ARRAY_LEN(bad_requests); i++) {
        struct reply reply = call(r, REQUEST, bad_requests[i].body);
        if (reply.status != bad_requests[i].status)
            fail_msg("%s: %d", bad_requests[i].body, reply.status);
        if (bad_requests[i].says)
            assert_contains(message_str(reply.body, "error", ""), bad_requests[i].says);
        taken += reply.status == 200;
        message_destroy(reply.body);
        struct track_list queue = requests_in_queue(r);
        assert_int_equal(queue.count, taken);
        assert_int_equal(count(r, "requests"), taken);
        track_list_finish(&queue);
    }
}

static void an_artist_has_three_songs_in_half_an_hour(void **state)
{
    struct rig *r = *state;
    furnish(r);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(r, "A"), 200);
        rig_pass(r, 60000);
    }
    assert_int_equal(ask(r, "A"), 429);
    assert_int_equal(ask(r, "B"), 200);
    assert_int_equal(ask(r, "a"), 200); /* another text */
    rig_pass(r, 27 * 60000);
    assert_int_equal(ask(r, "A"), 429); /* 30 minutes after the first */
    rig_pass(r, 1);
    assert_int_equal(ask(r, "A"), 200);
    assert_int_equal(ask(r, "A"), 429);
    for (int i = 0; i < 5; i++) /* no artist is named: no limit */
        assert_int_equal(ask(r, ""), 200);
}

static void the_limit_is_of_the_venue(void **state)
{
    struct rig *r = *state;
    furnish(r);
    rig_must(r, documents_ensure_venue(r->documents, "another", NULL, &r->e));
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(r, "A"), 200);
    struct reply reply =
        call(r, REQUEST,
             "{\"venueId\":\"another\",\"song\":{\"videoId\":\"v\",\"artist\":\"A\"},"
             "\"paymentId\":\"p\",\"requesterId\":\"r\"}");
    assert_int_equal(reply.status, 200);
    message_destroy(reply.body);
}

static void a_guest_names_a_song_and_nothing_else(void **state)
{
    struct rig *r = *state;
    furnish(r);
    struct reply reply = request_song(
        r, "{\"videoId\":\"v\",\"title\":\"t\",\"source\":\"/etc/passwd\",\"playsNext\":true,"
           "\"id\":\"mine\",\"status\":\"playing\",\"unplayable\":\"x\",\"isPaid\":true,"
           "\"realEndOffset\":1,\"paidCredit\":100,\"requestedBy\":\"the boss\",\"other\":{}}");
    assert_int_equal(reply.status, 200);
    struct track_list queue = requests_in_queue(r);
    const struct track *t = queue.at[0];
    assert_string_equal(t->source, "");
    assert_string_equal(t->unplayable, "");
    assert_string_equal(t->requested_by, "");
    assert_string_equal(t->id, message_str(reply.body, "requestId", "?"));
    assert_false(t->plays_next || t->is_paid);
    assert_int_equal(t->status, TRACK_QUEUED);
    assert_true(t->real_end_s == 0 && t->paid_credit == 0.5);
    assert_null(t->unknown_json);
    struct message *book = list(r, "requests");
    assert_null(strstr(message_str(message_object_at(book, "documents", 0), "song", ""), "passwd"));
    message_destroy(book);
    track_list_finish(&queue);
    message_destroy(reply.body);
}

static const struct {
    const char *name, *before;
    size_t count; /* entries afterwards */
} broken_queues[] = {
    { "empty", "", 1 },
    { "no JSON", "[{", 1 },
    { "encoded twice", "\"[{\\\"videoId\\\":\\\"x\\\"}]\"", 2 },
    { "other elements", "[1,\"x\",{\"videoId\":\"x\"},null]", 2 },
    { "doubles", "[{\"videoId\":\"x\"},{\"videoId\":\"x\"}]", 3 },
};

static void a_broken_queue_is_repaired_and_none_of_it_is_lost(void **state)
{
    struct rig *r = *state;
    furnish(r);
    for (size_t i = 0; i < ARRAY_LEN(broken_queues); i++) {
        set_requests(r, broken_queues[i].before);
        assert_int_equal(ask(r, ""), 200);
        struct track_list queue = requests_in_queue(r);
        if (queue.count != broken_queues[i].count)
            fail_msg("%s: %zu", broken_queues[i].name, queue.count);
        track_list_finish(&queue);
    }
}

static void a_full_queue_refuses_and_books_nothing(void **state)
{
    struct rig *r = *state;
    int n = 0, status;
    furnish(r);
    while ((status = ask(r, "")) == 200 && n < 1000)
        n++;
    assert_int_equal(status, 500);
    assert_true(n > 200 && n < 500);
    struct track_list queue = requests_in_queue(r);
    assert_int_equal(queue.count, n);
    track_list_finish(&queue);
    struct message *book = list(r, "requests");
    assert_int_equal(message_i64(book, "total", 0), n);
    message_destroy(book);
}

static void fifty_phones_at_once_lose_nothing(void **state)
{
    struct rig *r = *state;
    char artist[16];
    furnish(r);
    for (int i = 0; i < 50; i++) {
        snprintf(artist, sizeof(artist), "artist %d", i);
        struct reply reply = request_of(r, artist);
        assert_int_equal(message_i64(reply.body, "queuePosition", 0), i + 1);
        message_destroy(reply.body);
    }
    struct track_list queue = requests_in_queue(r);
    assert_int_equal(queue.count, 50);
    for (size_t i = 0; i < 50; i++) {
        snprintf(artist, sizeof(artist), "artist %zu", i);
        assert_string_equal(queue.at[i]->artist, artist);
    }
    track_list_finish(&queue);
}

static void a_queue_under_another_id_is_found_by_its_venue(void **state)
{
    struct rig *r = *state;
    struct message *data = message_create();
    message_set_str(data, "venueId", VENUE);
    message_set_str(data, "mainQueue", "[]");
    message_set_str(data, "priorityQueue", "[]");
    message_set_str(data, "createdAt", "2025-10-16T06:05:33.410Z");
    rig_must(r, documents_insert(r->documents, NULL, collection_find("queues"),
                                 "0123456789abcdef0123", data, NULL, NULL, &r->e));
    assert_int_equal(ask(r, "A"), 200);
    message_destroy(data);
}

static void a_clock_from_the_past_limits_nobody(void **state)
{
    struct rig *r = *state;
    furnish(r);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(r, "A"), 200);
    rig_reboot(r, 5000);
    assert_int_equal(ask(r, "A"), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_request_is_in_the_queue_and_in_the_book),
        RIG_TEST(a_refused_request_leaves_nothing_behind),
        RIG_TEST(an_artist_has_three_songs_in_half_an_hour),
        RIG_TEST(the_limit_is_of_the_venue),
        RIG_TEST(a_guest_names_a_song_and_nothing_else),
        RIG_TEST(a_broken_queue_is_repaired_and_none_of_it_is_lost),
        RIG_TEST(a_full_queue_refuses_and_books_nothing),
        RIG_TEST(fifty_phones_at_once_lose_nothing),
        RIG_TEST(a_queue_under_another_id_is_found_by_its_venue),
        RIG_TEST(a_clock_from_the_past_limits_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
