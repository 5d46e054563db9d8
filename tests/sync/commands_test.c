/* Commands of remotes: each is understood in every form, done once, in its order, while it is young, and acknowledged. */
#include <inttypes.h>

#include "sync/bar.h"

#define PAGE  32 /* of the list of those that wait */
#define BURST 80

static void open_live(struct bar *b)
{
    open_bar(b, "secret");
    add_queue(b);
    b->has_realtime = true;
    go(b, 20);
    assert_int_equal(status_of(b).link, SYNC_CONNECTED);
    assert_int_equal(status_of(b).role, SYNC_MASTER);
}

static struct doc *add_command(struct bar *b, const char *name, const char *payload)
{
    char id[24];
    snprintf(id, sizeof(id), "command%03zu", b->server.count);
    struct doc *d = server_add(&b->server, "player_commands", id);
    assert_non_null(d);
    doc_set(d, "venueId", VENUE);
    doc_set(d, "command", name);
    doc_set(d, "payload", payload);
    server_touch(&b->server, d, "create");
    return d;
}

static int unacknowledged(const struct bar *b)
{
    int n = 0;
    for (size_t i = 0; i < b->server.count; i++) {
        const struct doc *d = &b->server.at[i];
        n += strcmp(d->collection, "player_commands") == 0 && !doc_get(d, "executedBy");
    }
    return n;
}

/* ---- what they are ------------------------------------------------------------------------------ */

enum { NOTHING = -1, SKIPPED = -2 };

static const struct {
    const char *name, *payload;
    int order; /* enum sync_command, or one of the above */
    double value;
} forms[] = {
    { "play", NULL, SYNC_PLAY, 0 },
    { "resume", NULL, SYNC_PLAY, 0 },
    { "pause", "", SYNC_PAUSE, 0 },
    { "pause", "null", SYNC_PAUSE, 0 },
    { "pause", "no JSON", SYNC_PAUSE, 0 },
    { "skip", NULL, SKIPPED, 0 },
    { "previous", NULL, SYNC_PREVIOUS, 0 },
    { "seek", "{\"position\":61.5}", SYNC_SEEK, 61.5 },
    { "seek", "{\"time\":7}", SYNC_SEEK, 7 },
    { "seek", "{\"seconds\":0}", SYNC_SEEK, 0 },
    { "seek", "{\"position\":-1}", NOTHING, 0 },
    { "seek", "{\"position\":1e12}", NOTHING, 0 },
    { "seek", "{\"position\":\"far\"}", NOTHING, 0 },
    { "seek", NULL, NOTHING, 0 },
    { "volume", "{\"volume\":75}", SYNC_VOLUME, 75 },
    { "volume", "{\"level\":12}", SYNC_VOLUME, 12 },
    { "volume", "{\"value\":0}", SYNC_VOLUME, 0 },
    { "volume", "{\"volume\":150}", SYNC_VOLUME, 100 },
    { "volume", "{\"volume\":-5}", SYNC_VOLUME, 0 },
    { "volume", "[75]", NOTHING, 0 },
    { "volume", NULL, NOTHING, 0 },
    { "mute", NULL, SYNC_MUTE, 0 },
    { "mute", "{\"muted\":true}", SYNC_MUTE, 0 },
    { "mute", "{\"muted\":false}", SYNC_UNMUTE, 0 },
    { "unmute", NULL, SYNC_UNMUTE, 0 },
    { "player_refresh", NULL, SYNC_RESTART, 0 },
    { "queue_add", "{}", NOTHING, 0 },
    { "queue_remove", "{\"id\":\"nobody's\"}", NOTHING, 0 },
    { "queue_move", NULL, NOTHING, 0 },
    { "load_playlist", "{}", NOTHING, 0 },
    { "overlay_settings_update", "{\"opacity\":40}", NOTHING, 0 },
    { "Play", NULL, NOTHING, 0 },
    { "", NULL, NOTHING, 0 },
    { NULL, NULL, NOTHING, 0 },
};

static void a_command_is_understood_in_every_form_or_does_nothing_and_is_acknowledged(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct bar b;
        open_live(&b);
        play(&b);
        tell_of(&b, add_command(&b, forms[i].name, forms[i].payload), "create");
        settle(&b);
        int got = b.order_count            ? (int)b.order[0].command
                  : sync_take_skip(b.sync) ? SKIPPED
                                           : NOTHING;
        bool is_good = b.order_count <= 1 && got == forms[i].order &&
                       (got < 0 || b.order[0].value == forms[i].value) && songs(&b) == 1;
        if (!is_good || unacknowledged(&b))
            fail_msg("%s %s: %d, %d orders, %zu songs, %d to be acknowledged", forms[i].name,
                     forms[i].payload, got, b.order_count, songs(&b), unacknowledged(&b));
        close_bar(&b);
    }
}

/* By the clock of the server, however it came. */
static void an_old_command_is_acknowledged_and_not_done(void **state)
{
    static const struct {
        int64_t age_ms;
        bool is_event, is_done;
    } cases[] = {
        { 28000, true, true },  { 31000, true, false },  { 3600000, true, false },
        { 28000, false, true }, { 31000, false, false }, { 3600000, false, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar b;
        open_live(&b);
        struct doc *d = add_command(&b, "pause", NULL);
        d->created_ms = b.server.clock_ms - cases[i].age_ms;
        server_touch(&b.server, d, "create");
        if (cases[i].is_event) {
            tell_of(&b, d, "create");
            settle(&b);
        } else {
            tell_of(&b, server_find(&b.server, "queues", VENUE), "update"); /* says the time */
            hang_up(&b);
            go(&b, 2);
        }
        if (b.order_count != cases[i].is_done || unacknowledged(&b))
            fail_msg("%" PRId64 " ms, event %d: %d orders, %d to be acknowledged", cases[i].age_ms,
                     cases[i].is_event, b.order_count, unacknowledged(&b));
        close_bar(&b);
    }
}

static void a_command_is_done_once_however_often_it_comes_also_after_a_power_cut(void **state)
{
    struct bar b;
    open_live(&b);
    b.rule =
        (struct rule){ "PATCH", "/player_commands/", 0, NULL, 0, 0 }; /* the answers are lost */
    struct doc *d = add_command(&b, "pause", NULL);
    for (int n = 0; n < 3; n++) {
        tell_of(&b, d, "create");
        settle(&b);
    }
    hang_up(&b);
    go(&b, 5);
    assert_int_equal(b.order_count, 1);
    uint64_t revision;
    char *journal = sync_journal(b.sync, &revision);
    sync_destroy(b.sync);
    b.sync = create_sync("secret", journal, b.now_ns);
    free(journal);
    b.rule = (struct rule){ 0 };
    go(&b, 10);
    assert_int_equal(b.order_count, 1);
    assert_int_equal(unacknowledged(&b), 0);
    close_bar(&b);
}

/* ---- many at once ------------------------------------------------------------------------------- */

/* A page of those not acknowledged, the oldest first. */
static bool serve_pages(struct bar *b, const struct sync_action *a, struct reply *out)
{
    if (strcmp(a->method, "GET") != 0 || !strstr(a->path, "/player_commands/"))
        return false;
    struct message *m = message_create();
    message_set_array(m, "documents");
    for (size_t i = 0, n = 0; i < b->server.count && n < PAGE; i++) {
        const struct doc *d = &b->server.at[i];
        if (strcmp(d->collection, "player_commands") != 0 || doc_get(d, "executedAt"))
            continue;
        message_append_object(m, "documents", doc_message(d));
        n++;
    }
    *out = (struct reply){ 200, message_text(m, false) };
    message_destroy(m);
    return true;
}

/* All in one turn, before anything can be answered: for the jukebox, or for the queue. */
static void send_burst(struct bar *b, bool is_of_queue)
{
    for (int i = 0; i < BURST; i++) {
        char payload[48];
        snprintf(payload, sizeof(payload),
                 is_of_queue ? "{\"videoId\":\"video%06d\"}" : "{\"volume\":%d}", i);
        tell_of(b, add_command(b, is_of_queue ? "queue_add" : "volume", payload), "create");
    }
}

static void check_burst(const struct bar *b, bool is_of_queue)
{
    const struct track_list *list = &sync_view(b->sync)->list[QUEUE_MAIN];
    assert_int_equal(is_of_queue ? (int)list->count - 1 : b->order_count, BURST);
    for (int i = 0; i < BURST; i++) {
        double got = is_of_queue ? atoi(list->at[i + 1]->video_id + 5) : b->order[i].value;
        assert_true(got == i);
    }
}

/* Also when the list is read again in the middle of it. */
static void of_many_commands_at_once_each_is_done_once_and_in_its_order(void **state)
{
    for (int i = 0; i < 4; i++) {
        bool is_of_queue = i & 1, is_lost = i & 2;
        struct bar b;
        open_live(&b);
        b.serve = serve_pages;
        send_burst(&b, is_of_queue);
        if (is_lost)
            hang_up(&b);
        settle(&b);
        go(&b, 5);
        check_burst(&b, is_of_queue);
        assert_int_equal(unacknowledged(&b), 0);
        int count = b.order_count;
        tell_of(&b, add_command(&b, "pause", NULL), "create"); /* events count again */
        settle(&b);
        assert_int_equal(b.order_count, count + 1);
        go(&b, 100);
        assert_int_equal(b.order_count, count + 1);
        close_bar(&b);
    }
}

static bool is_list(const struct sync_action *a)
{
    return a->kind == SYNC_HTTP && strstr(a->path, "/player_commands/documents?");
}

/* Up to the list of that number. */
static struct sync_action go_to_list(struct bar *b, int number)
{
    struct sync_action a;
    while (sync_next_action(b->sync, &a) && !(is_list(&a) && --number == 0)) {
        if (a.kind == SYNC_COMMAND)
            note_order(b, &a);
        if (a.kind == SYNC_HTTP)
            answer(b, &a);
        if (a.kind == SYNC_SAVE)
            sync_saved(b->sync, a.revision, b->now_ns);
    }
    assert_int_equal(number, 0);
    return a;
}

/* One that comes while a list is on its way, which does not hold it yet. */
static void a_command_that_comes_behind_many_is_done_after_them(void **state)
{
    for (int number = 1; number <= 2; number++) {
        struct bar b;
        struct reply then;
        open_live(&b);
        b.serve = serve_pages;
        send_burst(&b, false);
        struct sync_action a = go_to_list(&b, number);
        uint64_t id = a.id;
        assert_true(serve_pages(&b, &a, &then)); /* as the server has them now */
        tell_of(&b, add_command(&b, "volume", "{\"volume\":99}"), "create");
        sync_http_done(b.sync, id, then.status, then.body, strlen(then.body), -1, b.now_ns);
        free(then.body);
        settle(&b);
        go(&b, 5);
        assert_int_equal(b.order_count, BURST + 1);
        assert_true(b.order[BURST].value == 99);
        b.order_count--;
        check_burst(&b, false);
        assert_int_equal(unacknowledged(&b), 0);
        close_bar(&b);
    }
}

/* A venue that lets nobody acknowledge: they are done all the same, and the server is not asked all the time. */
static void commands_that_cannot_be_acknowledged_are_done_once_and_hold_up_none(void **state)
{
    static const struct {
        int status;
        const char *body;
        int tries_max; /* within ten minutes */
    } cases[] = {
        { 400, ERROR("document_invalid_structure"), 700 },
        { 401, ERROR("user_unauthorized"), 8 },
        { 403, ERROR("user_blocked"), 8 },
        { 404, ERROR("collection_not_found"), 700 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar b;
        open_live(&b);
        b.serve = serve_pages;
        b.rule =
            (struct rule){ "PATCH", "/player_commands/", cases[i].status, cases[i].body, 0, 0 };
        for (int n = 0; n < BURST; n++) {
            tell_of(&b, add_command(&b, "pause", NULL), "create");
            settle(&b);
        }
        int done = b.order_count;
        for (int n = 0; n < 600; n++, b.server.clock_ms += 1000) /* they grow old */
            go(&b, 1);
        if (done != BURST || b.order_count != BURST || b.ruled > cases[i].tries_max)
            fail_msg("%d: %d done, then %d, %d tries", cases[i].status, done, b.order_count - done,
                     b.ruled);
        close_bar(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_understood_in_every_form_or_does_nothing_and_is_acknowledged),
        cmocka_unit_test(an_old_command_is_acknowledged_and_not_done),
        cmocka_unit_test(a_command_is_done_once_however_often_it_comes_also_after_a_power_cut),
        cmocka_unit_test(of_many_commands_at_once_each_is_done_once_and_in_its_order),
        cmocka_unit_test(a_command_that_comes_behind_many_is_done_after_them),
        cmocka_unit_test(commands_that_cannot_be_acknowledged_are_done_once_and_hold_up_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
