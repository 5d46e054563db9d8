/* Many requests at once: read page by page, each in the queue once, as many as it has room for. */
#include "sync/bar.h"

#define CROWD_MAX 1200

/* The venue's `requests`, oldest first, at a server that gives pages. */
struct crowd {
    struct bar bar;
    struct guest {
        int64_t stamp_ms;
        char status[12];
    } guest[CROWD_MAX];
    int count;
    int pages;      /* that were asked for */
    int lost_after; /* pages: that cursor's document is gone; 0: none is */
    int64_t clock_ms;
};

static void append_guest(struct buf *b, const struct crowd *c, int i)
{
    char stamp[STAMP_SIZE];
    stamp_format(c->guest[i].stamp_ms, stamp);
    (void)!buf_printf(b,
                      "%s{\"$id\":\"req%05d\",\"$collectionId\":\"requests\",\"$updatedAt\":\"%s\","
                      "\"venueId\":\"" VENUE "\",\"requestId\":\"r\",\"requesterId\":\"g\","
                      "\"paymentId\":\"p%d\",\"status\":\"%s\",\"timestamp\":\"2025-10-16T06:%02d:"
                      "%02d.000+00:00\",\"song\":\"{\\\"videoId\\\":\\\"aaaaaaaaaaa\\\"}\"}",
                      b->len && b->data[b->len - 1] == '}' ? "," : "", i, stamp, i,
                      c->guest[i].status, i / 60 % 60, i % 60);
}

static bool is_wanted(const struct crowd *c, int i, bool only_open)
{
    const char *status = c->guest[i].status;
    return !only_open || strcmp(status, "queued") == 0 || strcmp(status, "playing") == 0;
}

/* After the document that the path names; -1: from the beginning. */
static int cursor_of(const char *path)
{
    const char *at = strstr(path, "cursorAfter");
    at = at ? strstr(at, "req") : NULL;
    return at ? atoi(at + 3) : -1;
}

/* The last ones written first: of those the number is as good as the time here. */
static struct reply list(struct crowd *c, const char *path)
{
    bool only_open = strstr(path, "queued");
    int after = cursor_of(path), given = 0;
    struct buf b;
    c->pages++;
    if (after >= 0 && c->lost_after && c->pages > c->lost_after) {
        c->lost_after = 0;
        return reply_error(400, "general_cursor_not_found");
    }
    buf_init(&b, 1 << 20);
    (void)!buf_printf(&b, "{\"documents\":[");
    for (int n = 0; n < c->count && given < 100; n++) {
        int i = only_open ? n : c->count - 1 - n;
        if (!is_wanted(c, i, only_open) || (only_open && i <= after))
            continue;
        append_guest(&b, c, i);
        given++;
    }
    (void)!buf_printf(&b, "]}");
    return (struct reply){ 200, b.data };
}

static struct reply update(struct crowd *c, const char *path, const char *body)
{
    struct guest *g = &c->guest[atoi(strrchr(path, '/') + 4)];
    struct message *m = message_parse(body, strlen(body), NULL, 0);
    struct buf b;
    snprintf(g->status, sizeof(g->status), "%s",
             message_str(message_object(m, "data"), "status", ""));
    message_destroy(m);
    g->stamp_ms = c->clock_ms++;
    buf_init(&b, 4096);
    append_guest(&b, c, (int)(g - c->guest));
    return (struct reply){ 200, b.data };
}

static bool serve(struct bar *bar, const struct sync_action *a, struct reply *out)
{
    struct crowd *c = (struct crowd *)bar;
    if (!strstr(a->path, "/requests/documents"))
        return false;
    *out = strcmp(a->method, "GET") == 0 ? list(c, a->path) : update(c, a->path, a->body);
    return true;
}

static struct crowd *open_crowd(int count)
{
    struct crowd *c = xcalloc(1, sizeof(*c));
    c->clock_ms = 1760000000000;
    open_bar(&c->bar, "secret");
    c->bar.serve = serve;
    add_queue(&c->bar);
    for (c->count = 0; c->count < count; c->count++) {
        strcpy(c->guest[c->count].status, "queued");
        c->guest[c->count].stamp_ms = c->clock_ms++;
    }
    return c;
}

static void close_crowd(struct crowd *c)
{
    close_bar(&c->bar);
    free(c);
}

static const struct track_list *requests(const struct crowd *c)
{
    return &sync_view(c->bar.sync)->list[QUEUE_REQUESTS];
}

/* How often each is in the queue, added to `seen`. */
static void look(const struct crowd *c, int seen[CROWD_MAX])
{
    for (size_t i = 0; i < requests(c)->count; i++)
        seen[atoi(requests(c)->at[i]->id + 3)]++;
}

static int closed(const struct crowd *c)
{
    int n = 0;
    for (int i = 0; i < c->count; i++)
        n += strcmp(c->guest[i].status, "cancelled") == 0;
    return n;
}

static void clear(struct crowd *c)
{
    struct queue_op op = { .kind = OP_CLEAR, .list = QUEUE_REQUESTS };
    assert_int_equal(sync_apply(c->bar.sync, &op, c->bar.now_ns), 0);
    settle(&c->bar);
}

static void every_open_request_is_in_the_queue_once_however_many_pages_they_are(void **state)
{
    static const int counts[] = { 1, 99, 100, 101, 200, 201, 290 };
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct crowd *c = open_crowd(counts[i]);
        int seen[CROWD_MAX] = { 0 };
        go(&c->bar, 120);
        look(c, seen);
        for (int k = 0; k < counts[i]; k++) {
            if (seen[k] != 1)
                fail_msg("of %d, number %d is in the queue %d times", counts[i], k, seen[k]);
        }
        assert_string_equal(status_of(&c->bar).problem, "");
        assert_int_equal(status_of(&c->bar).pending, 0);
        close_crowd(c);
    }
}

/* Staff clears them again and again: those that had no room come in, nobody's comes back. */
static void what_the_queue_has_no_room_for_follows_and_nothing_comes_twice(void **state)
{
    static const int counts[] = { 450, 1200 };
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct crowd *c = open_crowd(counts[i]);
        int seen[CROWD_MAX] = { 0 }, done = 0;
        go(&c->bar, 120);
        assert_true(requests(c)->count > 250);
        assert_contains(status_of(&c->bar).problem, "More songs are asked for");
        while (requests(c)->count) {
            look(c, seen);
            done += (int)requests(c)->count;
            clear(c);
            go(&c->bar, 200);
            assert_int_equal(closed(c), done);
        }
        for (int k = 0; k < counts[i]; k++) {
            if (seen[k] != 1)
                fail_msg("of %d, number %d was in the queue %d times", counts[i], k, seen[k]);
        }
        assert_string_equal(status_of(&c->bar).problem, "");
        close_crowd(c);
    }
}

/* Their documents are no more among the open ones, nothing told of it, and others were written since. An old copy of
 * the queue took out others, too: those are put back. */
static void a_request_that_others_ended_unseen_is_not_put_back(void **state)
{
    struct crowd *c = open_crowd(280);
    go(&c->bar, 120);
    assert_int_equal(requests(c)->count, 280);
    for (int i = 0; i < 150; i++)
        strcpy(c->guest[i].status, "cancelled");
    struct doc *d = server_find(&c->bar.server, "queues", VENUE);
    doc_set(d, "priorityQueue", "[{\"id\":\"req00279\",\"videoId\":\"aaaaaaaaaaa\"}]");
    server_touch(&c->bar.server, d, "update");
    go(&c->bar, 200);
    int seen[CROWD_MAX] = { 0 };
    look(c, seen);
    for (int i = 0; i < 280; i++)
        assert_int_equal(seen[i], i >= 150);
    close_crowd(c);
}

static void a_page_whose_beginning_was_deleted_is_read_from_the_beginning(void **state)
{
    struct crowd *c = open_crowd(250);
    c->lost_after = 2;
    go(&c->bar, 120);
    assert_int_equal(c->lost_after, 0);
    assert_int_equal(requests(c)->count, 250);
    assert_string_equal(status_of(&c->bar).problem, "");
    close_crowd(c);
}

static void a_request_whose_song_cannot_be_read_is_passed_over_and_harms_no_other(void **state)
{
    static const char *const songs_of[] = {
        NULL,   "",  "no JSON", "{\"videoId\":",
        "[]",   "7", "{}",      "{\"videoId\":\"ccccccccccc\",\"duration\":\"4:33\"}",
        "null",
    };
    struct bar b;
    open_good_bar(&b);
    for (size_t i = 0; i < ARRAY_LEN(songs_of); i++) {
        char id[24];
        snprintf(id, sizeof(id), "req%zu", i);
        struct doc *d = server_add(&b.server, "requests", id);
        doc_set(d, "venueId", VENUE);
        doc_set(d, "song", songs_of[i]);
        doc_set(d, "requesterId", "guest");
        doc_set(d, "paymentId", id);
        doc_set(d, "status", "queued");
        doc_set(d, "timestamp", "2025-10-16T06:05:33.410+00:00");
        server_touch(&b.server, d, "create");
    }
    go(&b, 90);
    const struct track_list *list = &sync_view(b.sync)->list[QUEUE_REQUESTS];
    assert_int_equal(list->count, 1);
    assert_string_equal(list->at[0]->video_id, "ccccccccccc");
    assert_true(list->at[0]->duration_s == 273);
    for (size_t i = 0; i < b.server.count; i++) {
        if (strcmp(b.server.at[i].collection, "requests") == 0)
            assert_string_equal(doc_get(&b.server.at[i], "status"), "queued");
    }
    close_bar(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_open_request_is_in_the_queue_once_however_many_pages_they_are),
        cmocka_unit_test(what_the_queue_has_no_room_for_follows_and_nothing_comes_twice),
        cmocka_unit_test(a_request_that_others_ended_unseen_is_not_put_back),
        cmocka_unit_test(a_page_whose_beginning_was_deleted_is_read_from_the_beginning),
        cmocka_unit_test(a_request_whose_song_cannot_be_read_is_passed_over_and_harms_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
