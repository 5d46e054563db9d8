/* import: from a server that is this test. */
#include "admin_house.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "net/server.h"

/* An Appwrite server with a venue; one of its lists has more than a page. */
struct source {
    bool is_failing_once; /* the first answer is 500 */
    bool is_down;         /* every answer is an HTML page of a proxy */
    int requests;
    char last_key[64];
    struct server *server;
    atomic_bool is_ending;
};

static void add_request_documents(struct buf *b, int first, int count)
{
    for (int i = first; i < first + count; i++)
        assert_int_equal(
            buf_printf(b,
                       "%s{\"$id\":\"r%d\",\"$createdAt\":\"2025-10-08T00:30:25.726+00:00\","
                       "\"requestId\":\"unique()\",\"venueId\":\"bar\",\"song\":\"{}\","
                       "\"requesterId\":\"u\",\"status\":\"completed\","
                       "\"timestamp\":\"2025-10-08T00:30:25.726+00:00\",\"extra\":1}",
                       i == first ? "" : ",", i),
            0);
}

static const char queue_page[] =
    "{\"total\":1,\"documents\":[{\"$id\":\"68f0\",\"$createdAt\":\"2025-10-16T06:05:33.410+00:"
    "00\","
    "\"$updatedAt\":\"2025-10-16T06:05:33.410+00:00\",\"$permissions\":[],\"$databaseId\":\"d\","
    "\"$collectionId\":\"queues\",\"venueId\":\"bar\",\"nowPlaying\":\"\","
    "\"mainQueue\":\"[{\\\"videoId\\\":\\\"a\\\",\\\"kept\\\":1}]\","
    "\"priorityQueue\":\"\\\"[{\\\\\\\"videoId\\\\\\\":\\\\\\\"b\\\\\\\"}]\\\"\","
    "\"createdAt\":null,\"isPlaying\":true}]}";

static const char playlist_page[] =
    "{\"total\":3,\"documents\":["
    "{\"$id\":\"p1\",\"playlistId\":\"p1\",\"name\":\"Ours\",\"ownerId\":\"o\",\"venueId\":\"bar\","
    "\"tracks\":[],\"createdAt\":\"2025-10-16T06:05:33.410Z\"},"
    "{\"$id\":\"p2\",\"playlistId\":\"p2\",\"name\":\"Theirs\",\"ownerId\":\"o\",\"venueId\":"
    "\"pub\","
    "\"tracks\":\"[]\",\"createdAt\":\"2025-10-16T06:05:33.410Z\"},"
    "{\"$id\":\"p3\",\"playlistId\":\"p3\",\"name\":\"Everybody's\",\"ownerId\":\"o\",\"venueId\":"
    "null,"
    "\"tracks\":\"[]\",\"createdAt\":\"2025-10-16T06:05:33.410Z\"},"
    "{\"$id\":\"p4\",\"playlistId\":\"p4\",\"name\":null,\"tracks\":\"[]\"}]}";

static const char venue_page[] =
    "{\"total\":1,\"documents\":[{\"$id\":\"abc\",\"venueId\":\"bar\",\"name\":\"The Bar\","
    "\"slug\":\"the-bar\",\"ownerId\":\"o\",\"defaultPlaylistId\":\"p1\","
    "\"createdAt\":\"2025-10-16T06:05:33.410Z\"}]}";

static void answer(struct exchange *x, int status, const char *type, const char *body)
{
    exchange_answer(
        x, &(struct http_answer){
               .status = status, .content_type = type, .body = body, .len = strlen(body) });
}

static void answer_requests(struct exchange *x)
{
    struct buf b;
    const char *query = exchange_query(x);
    bool is_second = strstr(query, "cursorAfter") && strstr(query, "r49");
    buf_init(&b, 1 << 20);
    assert_int_equal(buf_printf(&b, "{\"total\":60,\"documents\":["), 0);
    add_request_documents(&b, is_second ? 50 : 0, is_second ? 10 : 50);
    assert_int_equal(buf_printf(&b, "]}"), 0);
    answer(x, 200, "application/json", b.data);
    buf_finish(&b);
}

static void answer_page(struct exchange *x)
{
    static const struct {
        const char *collection;
        int status;
        const char *body;
    } pages[] = {
        { "queues", 200, queue_page },
        { "playlists", 200, playlist_page },
        { "venues", 200, venue_page },
        { "users", 401, "{\"message\":\"no\",\"code\":401,\"type\":\"user_unauthorized\"}" },
        { "", 404, "{\"message\":\"no\",\"code\":404,\"type\":\"collection_not_found\"}" },
    };
    const char *path = exchange_path(x) + strlen("/v1/databases/main/collections/");
    size_t i = 0;
    if (strncmp(path, "requests/", 9) == 0) {
        answer_requests(x);
        return;
    }
    while (strncmp(path, pages[i].collection, strlen(pages[i].collection)) != 0)
        i++;
    answer(x, pages[i].status, "application/json", pages[i].body);
}

static void on_request(void *ctx, struct exchange *x)
{
    struct source *s = ctx;
    const char *key = exchange_header(x, "X-Appwrite-Key");
    const char *project = exchange_header(x, "X-Appwrite-Project");
    snprintf(s->last_key, sizeof(s->last_key), "%s", key ? key : "");
    s->requests++;
    if (s->is_down || (s->is_failing_once && s->requests == 1))
        answer(x, s->is_down ? 403 : 500, "text/html", "<html>not now</html>");
    else if (!project || strcmp(project, "src") != 0 ||
             strncmp(exchange_path(x), "/v1/databases/main/", 19) != 0)
        answer(x, 404, "application/json", "{}");
    else
        answer_page(x);
}

static void on_gone(void *ctx, struct exchange *x)
{
}

static int on_turn(void *ctx, struct http_answer *instead)
{
    return 0;
}

static void *serve(void *arg)
{
    struct source *s = arg;
    while (!atomic_load(&s->is_ending))
        server_turn(s->server, 1000);
    return NULL;
}

static struct run import_venue(struct house *h, struct source *s, const char *venue,
                               const char *key_file)
{
    static const struct server_callbacks callbacks = { .on_request = on_request,
                                                       .on_gone = on_gone,
                                                       .on_turn = on_turn };
    pthread_t thread;
    assert_int_equal(server_create(&s->server, &(struct server_params){ .address = "127.0.0.1",
                                                                        .callbacks = &callbacks,
                                                                        .ctx = s,
                                                                        .log = &rig_log }),
                     0);
    char *url = xasprintf("http://127.0.0.1:%d/v1/", server_port(s->server));
    assert_int_equal(pthread_create(&thread, NULL, serve, s), 0);
    struct run r = RUN(h, "import", "--endpoint", url, "--project", "src", "--database", "main",
                       "--venue", venue, key_file ? "--key-file" : NULL, key_file);
    atomic_store(&s->is_ending, true);
    server_wake(s->server);
    pthread_join(thread, NULL);
    server_destroy(s->server);
    atomic_store(&s->is_ending, false);
    free(url);
    return r;
}

/* The one document of the venue; the caller destroys it. */
static struct message *only_venue(struct rig *r)
{
    struct query q;
    struct message *all;
    query_init(&q);
    rig_must(r, documents_list(r->documents, NULL, collection_find("venues"), &q, &all, &r->e));
    assert_int_equal(message_i64(all, "total", 0), 1);
    struct message *venue = message_copy(message_object_at(all, "documents", 0));
    query_finish(&q);
    message_destroy(all);
    return venue;
}

static size_t count(struct rig *r, const char *collection)
{
    struct query q;
    struct message *all;
    query_init(&q);
    rig_must(r, documents_list(r->documents, NULL, collection_find(collection), &q, &all, &r->e));
    size_t n = (size_t)message_i64(all, "total", 0);
    query_finish(&q);
    message_destroy(all);
    return n;
}

static void a_venue_is_copied_page_by_page_and_repaired(void **state)
{
    struct house *h = *state;
    struct source s = { .is_failing_once = true };
    write_queue(h, "[]");         /* the hub has made its own queue document, under another id */
    for (int i = 0; i < 2; i++) { /* again changes nothing */
        struct run r = import_venue(h, &s, "bar", NULL);
        assert_int_equal(r.status, 0);
        assert_contains(r.out, "requests         60\n");
        assert_contains(r.out, "playlists        2\n");
        assert_contains(r.out, "not taken        1\n"); /* p4 */
        assert_contains(r.err, "users: is not for everybody");
        assert_contains(r.err, "playlists/p4: ");
        run_finish(&r);
    }
    struct message *queue = read_queue(h);
    assert_string_equal(message_str(queue, "mainQueue", ""), "[{\"videoId\":\"a\",\"kept\":1}]");
    assert_contains(message_str(queue, "priorityQueue", ""), "\"videoId\":\"b\"");
    assert_int_equal(message_kind(queue, "nowPlaying"), MESSAGE_NULL);
    message_destroy(queue);
    struct rig *r = open_rig(h);
    assert_int_equal(count(r, "requests"), 60);
    assert_int_equal(count(r, "queues"), 1);
    assert_int_equal(count(r, "playlists"), 3); /* with the default one */
    close_rig(r);
}

static void the_document_that_the_hub_made_of_its_venue_becomes_what_was_imported(void **state)
{
    struct house *h = *state;
    struct source s = { 0 };
    struct rig *r = open_rig(h);
    rig_must(r, documents_ensure_venue(r->documents, "bar", NULL, &r->e));
    close_rig(r);
    struct run run = import_venue(h, &s, "bar", NULL);
    assert_int_equal(run.status, 0);
    run_finish(&run);
    r = open_rig(h);
    struct message *venue = only_venue(r);
    assert_string_equal(message_str(venue, "$id", ""), "bar");
    assert_string_equal(message_str(venue, "slug", ""), "the-bar");
    assert_string_equal(message_str(venue, "defaultPlaylistId", ""), "p1");
    message_destroy(venue);
    close_rig(r);
}

static void a_venue_fills_an_empty_hub(void **state)
{
    struct house *h = *state;
    struct source s = { 0 };
    struct run r = import_venue(h, &s, "bar", NULL);
    struct rig *rig = open_rig(h);
    struct message *queue;
    assert_int_equal(r.status, 0);
    rig_must(rig, documents_get(rig->documents, NULL, collection_find("queues"), "68f0", &queue,
                                &rig->e));
    assert_string_equal(message_str(queue, "createdAt", ""), "2025-10-16T06:05:33.410+00:00");
    message_destroy(queue);
    close_rig(rig);
    run_finish(&r);
}

static void the_key_goes_to_the_server_and_nowhere_else(void **state)
{
    struct house *h = *state;
    struct source s = { 0 };
    char *file = write_file(h->dir, "key", "standard_abc\n");
    struct run r = import_venue(h, &s, "bar", file);
    assert_string_equal(s.last_key, "standard_abc");
    assert_int_equal(r.status, 1); /* with a key, 401 is no reason to go on */
    assert_contains(r.err, "401");
    assert_null(strstr(r.err, "standard_abc"));
    assert_null(strstr(r.out, "standard_abc"));
    free(file);
    run_finish(&r);
}

static void a_server_that_is_none_ends_the_import_with_a_reason(void **state)
{
    struct house *h = *state;
    struct source s = { .is_down = true };
    struct run r = import_venue(h, &s, "bar", NULL);
    assert_int_equal(r.status, 1);
    assert_contains(r.err, "403");
    run_finish(&r);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        HOUSE_TEST(a_venue_is_copied_page_by_page_and_repaired),
        HOUSE_TEST(the_document_that_the_hub_made_of_its_venue_becomes_what_was_imported),
        HOUSE_TEST(a_venue_fills_an_empty_hub),
        HOUSE_TEST(the_key_goes_to_the_server_and_nowhere_else),
        HOUSE_TEST(a_server_that_is_none_ends_the_import_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
