/* The connection of realtime: its signs of life, how it is dialled anew, and the reading below it that never rests. */
#include "sync/bar.h"

/* The server has said whose session it is, and the connection lives. */
static void open_live(struct bar *b)
{
    open_good_bar(b);
    b->has_realtime = true;
    go(b, 40);
    assert_int_equal(status_of(b).link, SYNC_CONNECTED);
}

/* Another song, of which no event tells. */
static void add_unseen(struct bar *b)
{
    struct doc *d = server_find(&b->server, "queues", VENUE);
    doc_set(d, "mainQueue",
            "[{\"id\":\"song0\",\"videoId\":\"aaaaaaaaaaa\"},"
            "{\"id\":\"song1\",\"videoId\":\"bbbbbbbbbbb\"}]");
    server_touch(&b->server, d, "update");
}

/* ---- signs of life ------------------------------------------------------------------------------ */

static void a_connection_is_pinged_every_20_s_and_given_up_50_s_after_its_last_word(void **state)
{
    struct bar b;
    open_live(&b);
    b.pings = 0;
    go(&b, 600);
    assert_int_equal(b.pings, 30);
    assert_int_equal(b.closes, 0);
    b.silence = NO_PONG; /* half open: what is sent vanishes */
    tell(&b, "{\"type\":\"pong\"}");
    go_ms(&b, 49900);
    assert_int_equal(status_of(&b).link, SYNC_CONNECTED);
    tell_of(&b, server_find(&b.server, "queues", VENUE), "update"); /* any word is one */
    go_ms(&b, 49900);
    assert_int_equal(status_of(&b).link, SYNC_CONNECTED);
    b.has_realtime = false;
    go_ms(&b, 200);
    assert_int_equal(status_of(&b).link, SYNC_DISCONNECTED);
    assert_int_equal(b.closes, 1);
    close_bar(&b);
}

static void a_dial_that_gets_nowhere_is_given_up(void **state)
{
    static const struct {
        enum bar_silence silence;
        int64_t given_up_s;
    } cases[] = { { NO_UPGRADE, 12 }, { NO_HELLO, 10 } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar b;
        open_bar(&b, "secret");
        add_queue(&b);
        b.has_realtime = true;
        b.silence = cases[i].silence;
        go_ms(&b, cases[i].given_up_s * 1000 - 100);
        assert_int_equal(status_of(&b).link, SYNC_CONNECTING);
        assert_int_equal(b.dials, 1);
        assert_int_equal(b.closes, 0);
        b.silence = ANSWERS;
        go_ms(&b, 1300); /* and dialled anew within a second */
        assert_int_equal(b.closes, 1);
        assert_int_equal(b.dials, 2);
        assert_int_equal(status_of(&b).link, SYNC_CONNECTED);
        close_bar(&b);
    }
}

/* ---- dialled anew ------------------------------------------------------------------------------- */

#define DIALS 400

/* So long after the one before each dial came, in s. */
static int gaps_of(struct bar *b, int64_t s, double gap[DIALS])
{
    int64_t last_ns = b->now_ns, end_ns = b->now_ns + SECONDS(s);
    int count = 0, dials = b->dials;
    while (b->now_ns < end_ns) {
        go_ms(b, 50);
        if (b->socket)
            hang_up(b);
        for (; dials < b->dials; dials++) {
            assert_true(count < DIALS);
            gap[count++] = (double)(b->now_ns - last_ns) / (double)NS_PER_S;
            last_ns = b->now_ns;
        }
    }
    return count;
}

/* Full jitter: a hundred venues do not come back in the same second. */
static void check_gaps(const double gap[DIALS], int count)
{
    double least = 30, most = 0, sum = 0;
    for (int i = 0; i < count; i++) {
        double limit = i < 5 ? 1 << i : 30;
        if (gap[i] > limit + 0.2)
            fail_msg("dial %d came after %.2f s", i, gap[i]);
        if (i < 5)
            continue;
        least = gap[i] < least ? gap[i] : least;
        most = gap[i] > most ? gap[i] : most;
        sum += gap[i];
    }
    double mean = sum / (count - 5);
    if (least > 3 || most < 27 || mean < 12 || mean > 18)
        fail_msg("%d dials, %.1f .. %.1f s, %.1f s on average", count, least, most, mean);
}

static void a_lost_network_is_dialled_at_random_within_1_2_4_up_to_30_s_without_end(void **state)
{
    struct bar b;
    double gap[DIALS];
    open_live(&b);
    go(&b, 60);
    b.has_realtime = false;
    hang_up(&b);
    check_gaps(gap, gaps_of(&b, 3600, gap));
    go(&b, 86400);
    int dials = b.dials;
    go(&b, 60);
    assert_true(b.dials > dials);
    close_bar(&b);
}

/* Only a minute of life begins anew, not a connection that opens. */
static void a_server_that_hangs_up_at_once_is_dialled_no_faster_than_one_that_is_gone(void **state)
{
    struct bar b;
    double gap[DIALS];
    open_live(&b);
    go(&b, 60);
    hang_up(&b);
    check_gaps(gap, gaps_of(&b, 3600, gap));
    b.has_realtime = true;
    go(&b, 31 + 61);
    hang_up(&b);
    go_ms(&b, 1100);
    assert_int_equal(status_of(&b).link, SYNC_CONNECTED);
    close_bar(&b);
}

static bool no_network(struct bar *b, const struct sync_action *a, struct reply *out)
{
    *out = (struct reply){ 0 };
    return true;
}

/* By then the next dial may be half a minute away. */
static void an_answer_after_silence_brings_the_connection_back_soon(void **state)
{
    for (int i = 0; i < 20; i++) {
        struct bar b;
        open_live(&b);
        b.has_realtime = false;
        b.serve = no_network;
        hang_up(&b);
        go(&b, 120 + i);
        assert_int_not_equal(status_of(&b).link, SYNC_CONNECTED);
        b.has_realtime = true;
        b.serve = NULL;
        for (int reads = b.reads, ms = 0; b.reads == reads; ms += 10) {
            assert_true(ms < 120000);
            go_ms(&b, 10);
        }
        go_ms(&b, 300);
        assert_int_equal(status_of(&b).link, SYNC_CONNECTED);
        close_bar(&b);
    }
}

/* ---- what the server says ----------------------------------------------------------------------- */

static void an_error_message_has_its_pace(void **state)
{
    static const struct {
        int code;
        int64_t wait_s; /* -1: it goes on */
        int asks_account;
    } cases[] = {
        { 1003, -1, 0 }, { 1008, 300, 1 }, { 401, 300, 1 }, { 403, 300, 1 },
        { 1013, 60, 0 }, { 500, 0, 0 },    { 0, 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar b;
        char text[80];
        open_live(&b);
        int dials = b.dials;
        int64_t wait_s = cases[i].wait_s;
        snprintf(text, sizeof(text),
                 "{\"type\":\"error\",\"data\":{\"code\":%d,\"message\":\"no\"}}", cases[i].code);
        tell(&b, text);
        settle(&b);
        assert_int_equal(b.closes, wait_s >= 0);
        go(&b, wait_s > 2 ? wait_s - 2 : 0);
        assert_int_equal(b.dials, dials);
        assert_int_equal(b.asked_account, cases[i].asks_account);
        go(&b, 33);
        assert_int_equal(b.dials, dials + (wait_s >= 0));
        assert_int_equal(status_of(&b).link, SYNC_CONNECTED);
        close_bar(&b);
    }
}

/* There is no error: the session was not taken. */
static void a_box_that_is_taken_for_a_guest_asks_who_it_is(void **state)
{
    static const struct {
        const char *session;
        bool knows_nobody;
        int asks;
    } cases[] = { { "secret", true, 1 }, { "secret", false, 0 }, { NULL, true, 0 } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar b;
        open_bar(&b, cases[i].session);
        add_queue(&b);
        b.has_realtime = true;
        b.knows_nobody = cases[i].knows_nobody;
        go(&b, 20);
        assert_int_equal(b.asked_account, cases[i].asks);
        close_bar(&b);
    }
}

static void what_is_no_message_changes_nothing(void **state)
{
    static const char *const texts[] = {
        "",
        "no JSON",
        "[]",
        "7",
        "{}",
        "{\"type\":7}",
        "{\"type\":\"event\"}",
        "{\"type\":\"event\",\"data\":[]}",
        "{\"type\":\"event\",\"data\":{\"payload\":\"x\"}}",
        "{\"type\":\"event\",\"data\":{\"payload\":{\"$id\":\"bar\",\"venueId\":\"bar\"}}}",
        ("{\"type\":\"event\",\"data\":{\"events\":[7],\"payload\":{\"$collectionId\":\"queues\","
         "\"venueId\":\"bar\",\"$id\":\"bar\",\"mainQueue\":\"[]\"}}}"),
        "{\"type\":\"surprise\",\"data\":{\"code\":1008}}",
        "{\"type\":\"connected\",\"data\":{\"user\":null}}",
    };
    struct bar b;
    open_live(&b);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        tell(&b, texts[i]);
        settle(&b);
        go_ms(&b, 100);
        if (songs(&b) != 1 || b.closes || b.asked_account)
            fail_msg("after %s: %zu songs, %d closed", texts[i], songs(&b), b.closes);
    }
    assert_int_equal(status_of(&b).link, SYNC_CONNECTED);
    close_bar(&b);
}

/* ---- reading ------------------------------------------------------------------------------------ */

static void what_changed_while_it_was_away_is_read_as_soon_as_it_listens(void **state)
{
    static const char *const parts[] = {
        "/realtime?project=p&",
        "databases.d.collections.queues.documents",
        "databases.d.collections.requests.documents",
        "databases.d.collections.players.documents",
        "databases.d.collections.player_commands.documents",
    };
    struct bar b;
    open_live(&b);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        assert_contains(b.dialled, parts[i]);
    assert_lacks(b.dialled, "secret");
    b.has_realtime = false;
    hang_up(&b);
    go(&b, 10);
    add_unseen(&b);
    assert_int_equal(songs(&b), 1);
    b.has_realtime = true;
    while (!b.socket)
        go_ms(&b, 10);
    assert_int_equal(songs(&b), 2);
    close_bar(&b);
}

/* A connection that lives proves nothing: an event may be lost all the same. */
static void what_no_event_told_of_is_found_within_a_minute(void **state)
{
    struct bar b;
    open_live(&b);
    add_unseen(&b);
    go(&b, 60);
    assert_int_equal(songs(&b), 2);
    assert_int_equal(status_of(&b).link, SYNC_CONNECTED);
    close_bar(&b);
}

static void the_queue_is_read_as_often_as_somebody_would_notice(void **state)
{
    static const struct {
        const char *name;
        bool is_live, plays, has_request;
        int least, most; /* within ten minutes */
    } cases[] = {
        { "connected", true, true, true, 10, 12 },
        { "playing", false, true, true, 120, 134 },
        { "a request waits", false, false, true, 40, 45 },
        { "idle", false, false, false, 10, 12 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar b;
        open_live(&b);
        if (cases[i].has_request) {
            struct doc *d = server_find(&b.server, "queues", VENUE);
            doc_set(d, "priorityQueue", "[{\"id\":\"asked\",\"videoId\":\"ccccccccccc\"}]");
            server_touch(&b.server, d, "update");
            tell_of(&b, d, "update");
        }
        if (cases[i].plays)
            play(&b);
        b.has_realtime = cases[i].is_live;
        if (!cases[i].is_live)
            hang_up(&b);
        go(&b, 70);
        b.reads = 0;
        go(&b, 600);
        if (b.reads < cases[i].least || b.reads > cases[i].most)
            fail_msg("%s: read %d times", cases[i].name, b.reads);
        close_bar(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_pinged_every_20_s_and_given_up_50_s_after_its_last_word),
        cmocka_unit_test(a_dial_that_gets_nowhere_is_given_up),
        cmocka_unit_test(a_lost_network_is_dialled_at_random_within_1_2_4_up_to_30_s_without_end),
        cmocka_unit_test(an_answer_after_silence_brings_the_connection_back_soon),
        cmocka_unit_test(a_server_that_hangs_up_at_once_is_dialled_no_faster_than_one_that_is_gone),
        cmocka_unit_test(an_error_message_has_its_pace),
        cmocka_unit_test(a_box_that_is_taken_for_a_guest_asks_who_it_is),
        cmocka_unit_test(what_is_no_message_changes_nothing),
        cmocka_unit_test(what_changed_while_it_was_away_is_read_as_soon_as_it_listens),
        cmocka_unit_test(what_no_event_told_of_is_found_within_a_minute),
        cmocka_unit_test(the_queue_is_read_as_often_as_somebody_would_notice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
