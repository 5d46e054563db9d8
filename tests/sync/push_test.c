/* What one write of the queue holds, and when it is made. */
#include "base/text.h"
#include "sync/bar.h"
#include "wire/track_json.h"

static void end_first(struct bar *b)
{
    const struct track_list *list = &sync_view(b->sync)->list[QUEUE_MAIN];
    struct track *first = track_copy(list->at[0]), *second = track_copy(list->at[1]);
    struct queue_op end = { .kind = OP_END, .entry = entry_ref_of(first) };
    struct queue_op start = { .kind = OP_START, .entry = entry_ref_of(second) };
    assert_int_equal(sync_apply(b->sync, &end, b->now_ns), 0);
    settle(b);
    assert_int_equal(sync_apply(b->sync, &start, b->now_ns), 0);
    settle(b);
    track_destroy(first);
    track_destroy(second);
}

static const char *now_playing(struct bar *b)
{
    return doc_get(server_find(&b->server, "queues", VENUE), "nowPlaying");
}

/* Also when the end is on disk before the start is. */
static void an_end_and_the_start_after_it_are_one_write(void **state)
{
    struct bar b;
    open_good_bar(&b);
    add_song(&b);
    play(&b);
    go(&b, 5);
    assert_contains(now_playing(&b), "aaaaaaaaaaa");
    b.saves_late = true;
    int pushes = b.pushes;
    uint64_t before = b.revision;
    end_first(&b);
    sync_saved(b.sync, before + 1, b.now_ns);
    settle(&b);
    assert_int_equal(b.pushes, pushes);
    assert_contains(now_playing(&b), "aaaaaaaaaaa");
    sync_saved(b.sync, b.revision, b.now_ns);
    settle(&b);
    assert_int_equal(b.pushes, pushes + 1);
    assert_contains(now_playing(&b), "bbbbbbbbbbb");
    close_bar(&b);
}

static void nothing_is_told_that_a_power_cut_could_take(void **state)
{
    struct bar b;
    open_good_bar(&b);
    b.saves_late = true;
    int pushes = b.pushes;
    add_song(&b);
    go(&b, 100);
    assert_int_equal(b.pushes, pushes);
    sync_saved(b.sync, b.revision, b.now_ns);
    settle(&b);
    assert_int_equal(b.pushes, pushes + 1);
    close_bar(&b);
}

/* Else it would look like the skip of a web admin, and the song come back. */
static void a_box_that_does_not_play_takes_a_song_out_and_leaves_what_plays(void **state)
{
    struct bar b;
    open_bar(&b, "secret");
    snprintf(b.server.master, sizeof(b.server.master), "device_2");
    add_queue(&b);
    struct doc *d = server_find(&b.server, "queues", VENUE);
    doc_set(d, "nowPlaying",
            "{\"id\":\"song0\",\"videoId\":\"aaaaaaaaaaa\",\"turn\":\"deadbeefdeadbeef-9\"}");
    server_touch(&b.server, d, "update");
    go(&b, 20);
    assert_int_equal(status_of(&b).role, SYNC_OTHER);
    struct queue_op remove = { .kind = OP_REMOVE, .entry = { .id = "song0" } };
    assert_int_equal(sync_apply(b.sync, &remove, b.now_ns), 0);
    settle(&b);
    go(&b, 10);
    assert_string_equal(doc_get(d, "mainQueue"), "[]");
    assert_non_null(now_playing(&b));
    assert_contains(now_playing(&b), "deadbeefdeadbeef-9");
    assert_int_equal(status_of(&b).pending, 0);
    close_bar(&b);
}

/* ---- names that were found ------------------------------------------------------------------------ */

static void name_song(struct bar *b, const char *video_id, const char *title)
{
    struct track *t = track_create();
    track_set(&t->video_id, video_id);
    track_set(&t->title, title);
    track_set(&t->artist, "Band");
    t->duration_s = 213;
    struct queue_op op = { .kind = OP_NAME, .track = t };
    assert_true(sync_apply(b->sync, &op, b->now_ns) >= 0);
    track_destroy(t);
    settle(b);
}

static void write_main(struct bar *b, const char *text)
{
    struct doc *d = server_find(&b->server, "queues", VENUE);
    doc_set(d, "mainQueue", text);
    server_touch(&b->server, d, "update");
    go(b, 70);
}

static void names_that_were_found_are_written_once_where_there_are_none(void **state)
{
    static const char songs[] =
        "[{\"id\":\"s1\",\"videoId\":\"aaaaaaaaaaa\",\"title\":"
        "\"aaaaaaaaaaa\",\"mood\":\"blue\"},"
        "{\"id\":\"s2\",\"videoId\":\"bbbbbbbbbbb\",\"title\":\"Mine\",\"duration\":100}]";
    struct bar b;
    open_good_bar(&b);
    struct doc *d = server_find(&b.server, "queues", VENUE);
    write_main(&b, songs);
    int pushes = b.pushes;
    name_song(&b, "aaaaaaaaaaa", "Song");
    name_song(&b, "bbbbbbbbbbb", "Another"); /* it has one */
    name_song(&b, "ccccccccccc", "Nobody's");
    go(&b, 70);
    assert_int_equal(b.pushes, pushes + 1);
    assert_contains(doc_get(d, "mainQueue"), "\"Song\"");
    assert_contains(doc_get(d, "mainQueue"), "213");
    assert_contains(doc_get(d, "mainQueue"), "\"mood\":\"blue\"");
    assert_contains(doc_get(d, "mainQueue"), "\"Mine\"");
    assert_string_equal(sync_view(b.sync)->list[QUEUE_MAIN].at[0]->title, "Song");
    name_song(&b, "aaaaaaaaaaa", "Song of another site");
    go(&b, 70);
    assert_int_equal(b.pushes, pushes + 1);
    assert_int_equal(status_of(&b).pending, 0);
    close_bar(&b);
}

/* Two boxes that find it out at the same time write it once. */
static void a_name_that_another_box_wrote_meanwhile_is_not_written_again(void **state)
{
    struct bar b;
    open_good_bar(&b);
    write_main(&b, "[{\"id\":\"s1\",\"videoId\":\"aaaaaaaaaaa\",\"title\":\"\"}]");
    b.saves_late = true; /* so ours waits */
    int pushes = b.pushes;
    name_song(&b, "aaaaaaaaaaa", "Song");
    write_main(
        &b,
        "[{\"id\":\"s1\",\"videoId\":\"aaaaaaaaaaa\",\"title\":\"Their Song\",\"duration\":90}]");
    b.saves_late = false;
    sync_saved(b.sync, b.revision, b.now_ns);
    settle(&b);
    go(&b, 70);
    assert_int_equal(b.pushes, pushes);
    assert_int_equal(status_of(&b).pending, 0);
    assert_string_equal(sync_view(b.sync)->list[QUEUE_MAIN].at[0]->title, "Their Song");
    close_bar(&b);
}

/* ---- lists of others that are long ---------------------------------------------------------------- */

/* As the venue's collection is made: what is longer is refused. */
static bool refuse_long(struct bar *b, const struct sync_action *a, struct reply *out)
{
    if (strcmp(a->method, "PATCH") != 0 || !strstr(a->path, "/queues/"))
        return false;
    struct message *m = message_parse(a->body, strlen(a->body), NULL, 0);
    size_t chars = text_chars(message_str(message_object(m, "data"), "mainQueue", ""));
    message_destroy(m);
    if (chars <= QUEUE_SERVER_CHARS)
        return false;
    *out = reply_error(400, "document_invalid_structure");
    b->ruled++;
    return true;
}

/* `count` songs as a careless writer puts them there, of `chars` characters in all. */
static void write_songs(struct bar *b, int count, size_t chars)
{
    struct buf text;
    buf_init(&text, QUEUE_SERVER_CHARS);
    for (int i = 0; i < count; i++)
        assert_int_equal(
            buf_printf(&text, "%s{\"videoId\":\"video%06d\",\"title\":\"", i ? "," : "[", i), 0);
    size_t fill = chars - text.len - (size_t)count * 2 - 1; /* of the titles */
    buf_finish(&text);
    for (int i = 0; i < count; i++) {
        size_t n = fill / (size_t)count + (i < (int)(fill % (size_t)count));
        assert_int_equal(buf_printf(&text, "%s{\"videoId\":\"video%06d\",\"title\":\"%0*d\"}",
                                    i ? "," : "[", i, (int)n, 7),
                         0);
    }
    assert_int_equal(buf_printf(&text, "]"), 0);
    assert_int_equal(text.len, chars);
    doc_set(server_find(&b->server, "queues", VENUE), "mainQueue", text.data);
    server_touch(&b->server, server_find(&b->server, "queues", VENUE), "update");
    buf_finish(&text);
}

static size_t songs_there(struct bar *b)
{
    struct track_list list;
    track_list_parse(&list, doc_get(server_find(&b->server, "queues", VENUE), "mainQueue"));
    size_t count = list.count;
    track_list_finish(&list);
    return count;
}

/* What the journal says to be over. */
static size_t remembered(const struct bar *b)
{
    uint64_t revision;
    char *text = sync_journal(b->sync, &revision);
    struct message *m = message_parse(text, strlen(text), NULL, 0);
    size_t count = message_count(m, "over");
    message_destroy(m);
    free(text);
    return count;
}

/* In our form each of them would be three times as long. */
static void a_long_list_of_others_is_written_back_as_short_as_it_came(void **state)
{
    for (int count = 300; count <= 1800; count += 300) {
        struct bar b;
        open_good_bar(&b);
        b.serve = refuse_long;
        write_songs(&b, count, 90000);
        go(&b, 70);
        assert_int_equal(songs(&b), count);
        play(&b);
        for (int turn = 0; turn < 3; turn++) {
            go(&b, 20);
            end_first(&b);
        }
        go(&b, 20);
        assert_int_equal(b.ruled, 0);
        assert_int_equal(songs_there(&b), count);
        assert_contains(now_playing(&b), "video000003");
        assert_int_equal(status_of(&b).pending, 0);
        assert_string_equal(status_of(&b).problem, "");
        assert_int_equal(remembered(&b), 0);
        close_bar(&b);
    }
}

/* The web admin's Skip, and another song put there: of entries that have neither id nor time. */
static void a_nameless_song_is_skipped_and_replaced_from_far_away(void **state)
{
    static const char *const now[] = { NULL, "{\"videoId\":\"video000003\"}" };
    for (size_t i = 0; i < ARRAY_LEN(now); i++) {
        struct bar b;
        open_good_bar(&b);
        write_songs(&b, 5, 300);
        go(&b, 70);
        play(&b);
        go(&b, 20);
        assert_contains(now_playing(&b), "video000000");
        assert_false(sync_take_skip(b.sync));
        doc_set(server_find(&b.server, "queues", VENUE), "nowPlaying", now[i]);
        server_touch(&b.server, server_find(&b.server, "queues", VENUE), "update");
        go(&b, 20);
        const struct queue *q = sync_view(b.sync);
        assert_true(sync_take_skip(b.sync));
        assert_true((q->now != NULL) == (now[i] != NULL));
        assert_string_equal(q->list[QUEUE_MAIN].at[0]->video_id,
                            now[i] ? "video000003" : "video000001");
        assert_string_equal(q->list[QUEUE_MAIN].at[4]->video_id, "video000000");
        assert_int_equal(songs(&b), 5);
        close_bar(&b);
    }
}

static void what_a_full_list_has_no_room_for_waits_and_is_said_once(void **state)
{
    struct bar b;
    open_good_bar(&b);
    b.serve = refuse_long;
    write_songs(&b, 1000, QUEUE_SERVER_CHARS - 3);
    go(&b, 70);
    play(&b); /* the word "playing" is too much */
    int pushes = b.pushes;
    for (int turn = 0; turn < 5; turn++) {
        go(&b, 100);
        assert_contains(status_of(&b).problem, "queue is too long");
        assert_non_null(sync_view(b.sync)->now);
        end_first(&b);
        assert_int_equal(songs(&b), 1000);
    }
    assert_int_equal(b.pushes, pushes);
    write_songs(&b, 900, 90000); /* staff took some out */
    go(&b, 100);
    assert_int_equal(status_of(&b).pending, 0);
    assert_string_equal(status_of(&b).problem, "");
    assert_contains(now_playing(&b), "video000005");
    assert_int_equal(b.ruled, 0);
    close_bar(&b);
}

/* A venue whose collection is narrower than ours: what plays goes on and is not begun again and again. */
static void what_plays_is_not_taken_back_when_the_queue_is_refused(void **state)
{
    struct bar b;
    open_good_bar(&b);
    b.rule = (struct rule){ "PATCH", "/queues/", 400, ERROR("document_invalid_structure"), 0, 0 };
    play(&b);
    for (int s = 0; s < 600; s++) {
        go(&b, 1);
        assert_non_null(sync_view(b.sync)->now);
    }
    assert_in_range(b.ruled, 1, 4);
    assert_contains(status_of(&b).problem, "refuses the queue");
    assert_true(status_of(&b).pending > 0);
    b.rule = (struct rule){ 0 };
    go(&b, 310);
    assert_int_equal(status_of(&b).pending, 0);
    assert_contains(now_playing(&b), "aaaaaaaaaaa");
    close_bar(&b);
}

/* ---- what others broke -------------------------------------------------------------------------- */

#define SONG "{\"id\":\"song0\",\"videoId\":\"aaaaaaaaaaa\"}"

/* A value that is no list is replaced by the one who plays; what can be read of it stays. */
static void a_broken_list_is_mended_and_what_can_be_read_of_it_stays(void **state)
{
    static const struct {
        const char *text;
        size_t songs;
        bool is_mended_at_once; /* false: by the next write */
    } cases[] = {
        { NULL, 0, true },
        { "", 0, true },
        { "no JSON", 0, true },
        { "[" SONG, 0, false },
        { "{}", 0, true },
        { "7", 0, true },
        { "\"\"", 0, true },
        { "\"[{\\\"vid\"", 0, true },
        { "\"[{\\\"id\\\":\\\"song0\\\",\\\"videoId\\\":\\\"aaaaaaaaaaa\\\"}]\"", 1, true },
        { "[1,null,\"x\"," SONG ",[]]", 1, false },
        { "[" SONG "," SONG "]", 2, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bar b;
        open_good_bar(&b);
        write_main(&b, cases[i].text);
        assert_int_equal(songs(&b), cases[i].songs);
        assert_int_equal(status_of(&b).role, SYNC_MASTER);
        const char *main = doc_get(server_find(&b.server, "queues", VENUE), "mainQueue");
        if (cases[i].is_mended_at_once && (!main || main[0] != '['))
            fail_msg("%s became %s", cases[i].text, main);
        add_song(&b);
        go(&b, 70);
        struct track_list list;
        main = doc_get(server_find(&b.server, "queues", VENUE), "mainQueue");
        assert_int_equal(main[0], '[');
        track_list_parse(&list, main);
        if (list.count != cases[i].songs + 1 || strstr(main, "null") || strstr(main, "\"x\""))
            fail_msg("%s became %s", cases[i].text, main);
        track_list_finish(&list);
        close_bar(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_and_the_start_after_it_are_one_write),
        cmocka_unit_test(nothing_is_told_that_a_power_cut_could_take),
        cmocka_unit_test(a_box_that_does_not_play_takes_a_song_out_and_leaves_what_plays),
        cmocka_unit_test(names_that_were_found_are_written_once_where_there_are_none),
        cmocka_unit_test(a_name_that_another_box_wrote_meanwhile_is_not_written_again),
        cmocka_unit_test(a_long_list_of_others_is_written_back_as_short_as_it_came),
        cmocka_unit_test(a_nameless_song_is_skipped_and_replaced_from_far_away),
        cmocka_unit_test(what_a_full_list_has_no_room_for_waits_and_is_said_once),
        cmocka_unit_test(what_plays_is_not_taken_back_when_the_queue_is_refused),
        cmocka_unit_test(a_broken_list_is_mended_and_what_can_be_read_of_it_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
