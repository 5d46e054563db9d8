/* Tracks and queues as the documents of all known writers hold them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/text.h"
#include "wire/message.h"
#include "wire/track_json.h"

static struct track *read_track(const char *text)
{
    struct message *m = message_parse(text, strlen(text), NULL, 0);
    assert_non_null(m);
    struct track *t = track_from_message(m);
    message_destroy(m);
    return t;
}

static void assert_written(const struct track *t, const char *want)
{
    struct message *m = track_to_message(t, 3);
    char *text = message_text(m, false);
    assert_string_equal(text, want);
    free(text);
    message_destroy(m);
}

static void every_writer_is_read_and_the_superset_written(void **state)
{
    static const struct {
        const char *read, *written;
    } cases[] = {
        /* the web queue writer */
        { "{\"id\":\"unique()\",\"videoId\":\"v\",\"title\":\"T\",\"artist\":\"A\",\"duration\":"
          "213,"
          "\"thumbnail\":\"u\",\"requestedBy\":\"System\",\"requestedByEmail\":\"s@d\","
          "\"requestedAt\":\"2025-10-16T06:05:33.410Z\",\"position\":0,\"status\":\"queued\","
          "\"isPaid\":true,\"paidAmount\":0.5}",
          "{\"id\":\"unique()\",\"videoId\":\"v\",\"title\":\"T\",\"artist\":\"A\",\"duration\":"
          "213,"
          "\"thumbnail\":\"u\",\"requestedBy\":\"System\","
          "\"requestedAt\":\"2025-10-16T06:05:33.410Z\",\"position\":3,\"status\":\"queued\","
          "\"isPaid\":true,\"isRequest\":true,\"requestedByEmail\":\"s@d\",\"paidAmount\":0.5}" },
        /* the request function: no id, timestamp, 1-based position */
        { "{\"videoId\":\"v\",\"title\":\"T\",\"artist\":\"A\",\"duration\":213,\"position\":4,"
          "\"isRequest\":true,\"requesterId\":\"u1\",\"paidCredit\":0.5,\"paymentId\":\"p\","
          "\"timestamp\":\"t\"}",
          "{\"videoId\":\"v\",\"title\":\"T\",\"artist\":\"A\",\"duration\":213,\"thumbnail\":\"\","
          "\"requestedBy\":\"\",\"requestedAt\":\"t\",\"position\":3,\"status\":\"queued\","
          "\"isPaid\":false,\"isRequest\":true,\"requesterId\":\"u1\",\"paidCredit\":0.5,"
          "\"paymentId\":\"p\",\"timestamp\":\"t\"}" },
        /* the default playlist: channelTitle, text duration, addedAt */
        { "{\"videoId\":\"v\",\"title\":\"T\",\"channelTitle\":\"C\",\"thumbnail\":\"u\","
          "\"duration\":\"4:33\",\"position\":0,\"addedAt\":\"t\"}",
          "{\"videoId\":\"v\",\"title\":\"T\",\"artist\":\"C\",\"duration\":273,\"thumbnail\":"
          "\"u\","
          "\"requestedBy\":\"\",\"requestedAt\":\"t\",\"position\":3,\"status\":\"queued\","
          "\"isPaid\":false,\"isRequest\":false,\"channelTitle\":\"C\",\"addedAt\":\"t\"}" },
        /* ours: marks and a local file */
        { "{\"id\":\"i\",\"videoId\":\"v\",\"status\":\"playing\",\"realEndOffset\":200.25,"
          "\"source\":\"/a b.mp4\",\"seal\":\"5e\",\"unplayable\":\"broken\",\"playsNext\":true}",
          "{\"id\":\"i\",\"videoId\":\"v\",\"title\":\"\",\"artist\":\"\",\"duration\":0,"
          "\"thumbnail\":\"\",\"requestedBy\":\"\",\"requestedAt\":\"\",\"position\":3,"
          "\"status\":\"playing\",\"isPaid\":false,\"isRequest\":false,\"realEndOffset\":200.25,"
          "\"source\":\"/a b.mp4\",\"seal\":\"5e\",\"playsNext\":true,\"unplayable\":\"broken\"}" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct track *t = read_track(cases[i].read);
        assert_written(t, cases[i].written);
        track_destroy(t);
        t = read_track(cases[i].written); /* and what we wrote reads the same */
        assert_written(t, cases[i].written);
        track_destroy(t);
    }
}

static void the_first_of_several_names_counts(void **state)
{
    static const struct {
        const char *json, *artist, *requested_at, *thumbnail;
    } cases[] = {
        { "{\"artist\":\"A\",\"channelTitle\":\"C\"}", "A", "", "" },
        { "{\"artist\":\"\",\"channelTitle\":\"C\"}", "C", "", "" },
        { "{\"artist\":null,\"channelTitle\":\"C\"}", "C", "", "" },
        { "{\"requestedAt\":\"r\",\"timestamp\":\"t\",\"addedAt\":\"a\"}", "", "r", "" },
        { "{\"timestamp\":\"t\",\"addedAt\":\"a\"}", "", "t", "" },
        { "{\"addedAt\":\"a\"}", "", "a", "" },
        { "{\"thumbnailUrl\":\"u\"}", "", "", "u" },
        { "{\"thumbnail\":\"x\",\"thumbnailUrl\":\"u\"}", "", "", "x" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct track *t = read_track(cases[i].json);
        assert_string_equal(t->artist, cases[i].artist);
        assert_string_equal(t->requested_at, cases[i].requested_at);
        assert_string_equal(t->thumbnail, cases[i].thumbnail);
        track_destroy(t);
    }
}

static void durations_in_every_form(void **state)
{
    static const struct {
        const char *json;
        double s;
    } cases[] = {
        { "213", 213 },
        { "213.5", 213.5 },
        { "0", 0 },
        { "-5", 0 },
        { "1e300", 0 },
        { "1e999", 0 },
        { "null", 0 },
        { "true", 0 },
        { "[]", 0 },
        { "\"4:33\"", 273 },
        { "\"0:07\"", 7 },
        { "\"1:02:03\"", 3723 },
        { "\"75:00\"", 4500 },
        { "\"Unknown\"", 0 },
        { "\"\"", 0 },
        { "\"213\"", 0 },
        { "\"4:5\"", 0 },
        { "\"4:60\"", 0 },
        { "\"4:33 \"", 0 },
        { "\"-1:30\"", 0 },
        { "\"1:2:3:4\"", 0 },
        { "\"1:02:03:04\"", 0 },
        { "\":33\"", 0 },
        { "\"4:\"", 0 },
        { "\"4:033\"", 0 },
        { "\"99999999999:00\"", 0 },
        { "\"1.5:00\"", 0 },
        { "99999999999999999999", 0 },
        { "\"PT4M33S\"", 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *json = xasprintf("{\"videoId\":\"v\",\"duration\":%s}", cases[i].json);
        struct message *m = message_parse(json, strlen(json), NULL, 0);
        struct track *t = m ? track_from_message(m) : NULL; /* 1e999 is no JSON number of ours */
        if (t && t->duration_s != cases[i].s)
            fail_msg("%s: %g", cases[i].json, t->duration_s);
        assert_true(t || strcmp(cases[i].json, "1e999") == 0);
        track_destroy(t);
        message_destroy(m);
        free(json);
    }
}

static void wrong_types_are_survived(void **state)
{
    struct track *t = read_track(
        "{\"id\":17,\"videoId\":[],\"title\":99,\"artist\":{},\"isRequest\":\"true\",\"isPaid\":1,"
        "\"status\":\"cancelled\",\"paidCredit\":\"x\",\"realEndOffset\":null,\"thumbnail\":false,"
        "\"requestedBy\":\"a\\u0000b\"}");
    assert_string_equal(t->id, "17");
    assert_string_equal(t->video_id, "");
    assert_string_equal(t->title, "99");
    assert_string_equal(t->artist, "");
    assert_string_equal(t->requested_by, "a\xef\xbf\xbd"
                                         "b");
    assert_false(t->is_request);
    assert_false(t->is_paid);
    assert_int_equal(t->status, TRACK_QUEUED);
    assert_true(t->paid_credit == 0 && t->real_end_s == 0);
    track_destroy(t);
    assert_null(track_from_message(NULL));
}

static void unknown_fields_come_back_unchanged(void **state)
{
    static const char unknown[] =
        "\"a\":null,\"b\":[1,2.5,{\"c\":\"\\u0001\\\"\xe5\xa4\x9c\"}],\"d\":{\"e\":{}},\"f\":-0.1,"
        "\"g\":9007199254740993,\"h\":\"\\u0000\",\"i\":1.0000000000000001e30";
    char *json = xasprintf("{\"videoId\":\"v\",%s}", unknown);
    struct track *t = read_track(json);
    struct message *m = track_to_message(t, 0);
    char *once = message_text(m, false);
    struct track *again = read_track(once);
    struct message *m2 = track_to_message(again, 0);
    char *twice = message_text(m2, false);
    assert_string_equal(once, twice);
    assert_non_null(strstr(once, "\"a\":null,\"b\":[1,2.5,{\"c\":\"\\u0001\\\"\xe5\xa4\x9c\"}],"
                                 "\"d\":{\"e\":{}},\"f\":-0.1"));
    assert_non_null(strstr(once, "\"g\":9007199254740993,\"h\":\"\\u0000\""));
    track_destroy(t);
    track_destroy(again);
    message_destroy(m);
    message_destroy(m2);
    free(json);
    free(once);
    free(twice);
}

static void an_unknown_field_never_hides_one_of_ours(void **state)
{
    struct track *t = read_track("{\"videoId\":\"v\",\"title\":\"T\"}");
    t->unknown_json = xstrdup("{\"title\":\"other\",\"x\":1}");
    struct message *m = track_to_message(t, 0);
    assert_string_equal(message_str(m, "title", ""), "T");
    assert_int_equal(message_i64(m, "x", 0), 1);
    message_destroy(m);
    free(t->unknown_json);
    t->unknown_json = xstrdup("[no object");
    m = track_to_message(t, 0);
    assert_string_equal(message_str(m, "title", ""), "T");
    message_destroy(m);
    track_destroy(t);
}

static void nesting_without_end_never_makes_a_journal_unreadable(void **state)
{
    for (size_t depth = 10; depth < 2040; depth += 50) {
        char nested[5000];
        memset(nested, '[', depth);
        memset(nested + depth, ']', depth);
        nested[2 * depth] = '\0';
        char *list = xasprintf("[{\"videoId\":\"v\",\"deep\":%s}]", nested);
        struct queue q, back;
        queue_init(&q);
        track_list_parse(&q.list[QUEUE_MAIN], list);
        assert_int_equal(q.list[QUEUE_MAIN].count, 1);
        assert_int_equal(q.list[QUEUE_MAIN].at[0]->unknown_json != NULL, depth <= 64);
        struct message *m = queue_to_message(&q);
        char *text = message_text(m, false);
        struct message *m2 = message_parse(text, strlen(text), NULL, 0);
        assert_non_null(m2);
        queue_from_message(&back, m2);
        assert_int_equal(back.list[QUEUE_MAIN].count, 1);
        queue_finish(&q);
        queue_finish(&back);
        message_destroy(m);
        message_destroy(m2);
        free(text);
        free(list);
    }
}

static void every_broken_list_is_survived(void **state)
{
    static const struct {
        const char *text;
        size_t count;
    } cases[] = {
        { NULL, 0 },
        { "", 0 },
        { "null", 0 },
        { "{}", 0 },
        { "17", 0 },
        { "[", 0 },
        { "[{\"videoId\":\"a\"},{\"videoId\":\"b\"}]", 2 },
        { "\"[{\\\"videoId\\\":\\\"a\\\"}]\"", 1 }, /* encoded once more */
        { "\"[{\\\"videoId\\\":\\\"a\\\",\\\"title\\\":\\\"Ne\"",
          0 }, /* and cut at 50 characters */
        { "\"\\\"[{\\\\\\\"videoId\\\\\\\":\\\\\\\"a\\\\\\\"}]\\\"\"",
          0 }, /* and once more again */
        { "[\"[\",\"{\",\"v\",{\"videoId\":\"a\"},null,3,[]]",
          1 }, /* elements that are no objects */
        { "[{\"videoId\":\"a\"},{\"videoId\":\"a\"},{\"videoId\":\"a\"}]", 3 }, /* kept */
        { "[{},{\"id\":\"unique()\"},{\"title\":\"T\"}]", 0 }, /* nothing names them */
        { "[{\"id\":\"9f\"},{\"source\":\"/a.mp4\"}]", 2 },
        { "[{\"videoId\":\"a\",\"n\":123456789012345678901234567890}]", 1 },
        { "[{\"videoId\":\"a\"}] x", 0 },
        { "[{\"videoId\":\"\xff\"}]", 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct track_list list;
        track_list_parse(&list, cases[i].text);
        if (list.count != cases[i].count)
            fail_msg("%s: %zu", cases[i].text, list.count);
        for (size_t k = 0; k < list.count; k++)
            assert_true(*list.at[k]->video_id || track_id_is_identity(list.at[k]->id));
        track_list_finish(&list);
    }
}

static void lists_are_written_with_positions_from_0(void **state)
{
    struct track_list list;
    track_list_parse(&list,
                     "[{\"videoId\":\"a\",\"position\":7},{\"videoId\":\"b\",\"position\":7}]");
    char *text = track_list_text(&list);
    const char *first = strstr(text, "\"position\":0"), *second = strstr(text, "\"position\":1");
    assert_true(first && second && first < second);
    free(text);
    track_list_finish(&list);
    text = track_list_text(&list);
    assert_string_equal(text, "[]");
    free(text);
}

/* A writer that says little of a song may have filled a list that our form has no room for. */
static void a_list_too_long_for_a_server_is_written_without_what_says_nothing(void **state)
{
    struct track_list list = { 0 }, again;
    for (int i = 0; i < 900; i++) {
        char id[16];
        struct track *t = track_create();
        snprintf(id, sizeof(id), "video%06d", i);
        track_set(&t->video_id, id);
        track_set(&t->title, "A song of the house whose title is not short");
        t->status = i ? TRACK_QUEUED : TRACK_PLAYING;
        t->is_request = i == 1;
        t->duration_s = i == 2 ? 213 : 0;
        track_list_append(&list, t);
    }
    char *text = track_list_text(&list);
    assert_in_range(strlen(text), 60000, QUEUE_SERVER_CHARS);
    assert_null(strstr(text, "requestedBy"));
    track_list_parse(&again, text);
    assert_int_equal(again.count, 900);
    for (size_t i = 0; i < 900; i++) {
        const struct track *a = list.at[i], *b = again.at[i];
        assert_string_equal(a->video_id, b->video_id);
        assert_string_equal(a->title, b->title);
        assert_true(a->status == b->status && a->is_request == b->is_request &&
                    a->duration_s == b->duration_s);
    }
    free(text);
    track_list_finish(&list);
    track_list_finish(&again);
}

static void read_queue(struct queue *q, const char *json)
{
    struct message *m = message_parse(json, strlen(json), NULL, 0);
    assert_non_null(m);
    queue_from_message(q, m);
    message_destroy(m);
}

static void a_queue_is_read_as_journal_and_as_server_document(void **state)
{
    static const char *const documents[] = {
        "{\"nowPlaying\":{\"id\":\"x\",\"videoId\":\"a\"},\"mainQueue\":[{\"id\":\"x\","
        "\"videoId\":\"a\"},{\"videoId\":\"b\"}],\"priorityQueue\":[{\"videoId\":\"c\"}]}",
        "{\"nowPlaying\":\"{\\\"id\\\":\\\"x\\\",\\\"videoId\\\":\\\"a\\\"}\","
        "\"mainQueue\":\"[{\\\"id\\\":\\\"x\\\",\\\"videoId\\\":\\\"a\\\"},{\\\"videoId\\\":"
        "\\\"b\\\"}]\","
        "\"priorityQueue\":\"[{\\\"videoId\\\":\\\"c\\\"}]\",\"venueId\":\"venue-001\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        struct queue q;
        read_queue(&q, documents[i]);
        struct entry_place place;
        assert_true(queue_playing(&q, &place));
        assert_int_equal(place.index, 0);
        assert_int_equal(q.list[QUEUE_MAIN].count, 2);
        assert_int_equal(q.list[QUEUE_REQUESTS].count, 1);
        assert_true(q.list[QUEUE_REQUESTS].at[0]->is_request);
        assert_false(q.list[QUEUE_MAIN].at[1]->is_request);
        assert_true(q.loops);
        queue_finish(&q);
    }
}

static void every_broken_queue_is_survived(void **state)
{
    static const char *const documents[] = {
        "{}",
        "{\"nowPlaying\":null,\"mainQueue\":\"\",\"priorityQueue\":null}",
        "{\"nowPlaying\":\"\",\"mainQueue\":\"[{\",\"priorityQueue\":{}}",
        "{\"nowPlaying\":\"null\",\"mainQueue\":17,\"priorityQueue\":\"\\\"[{\\\\\\\"vid\\\"\"}",
        "{\"nowPlaying\":{},\"mainQueue\":[null],\"priorityQueue\":[[]]}",
        "{\"nowPlaying\":[],\"mainQueue\":\"{}\",\"priorityQueue\":\"\\\"x\\\"\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        struct queue q;
        read_queue(&q, documents[i]);
        assert_null(q.now);
        assert_int_equal(q.list[QUEUE_MAIN].count + q.list[QUEUE_REQUESTS].count, 0);
        struct message *m = queue_to_message(&q); /* repaired by the next write */
        char *text = message_text(m, false);
        assert_string_equal(text, "{\"nowPlaying\":null,\"mainQueue\":[],\"priorityQueue\":[]}");
        free(text);
        message_destroy(m);
        queue_finish(&q);
    }
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % below;
}

/* Quotes, control characters, any code point, and bytes that are none. */
static void random_text(uint64_t *state, char *out, size_t size)
{
    size_t n = 0, limit = (size_t)draw(state, size - 4);
    while (n < limit) {
        switch (draw(state, 6)) {
        case 0: out[n++] = "\"\\/\x7f"[draw(state, 4)]; break;
        case 1: out[n++] = (char)(1 + draw(state, 31)); break;
        case 2: out[n++] = (char)(0x80 + draw(state, 128)); break;
        case 3: n += utf8_encode((uint32_t)(0x10000 + draw(state, 0x100000)), out + n); break;
        default: n += utf8_encode((uint32_t)(32 + draw(state, 0xd7e0)), out + n); break;
        }
    }
    out[n] = '\0';
}

static struct track *random_track(uint64_t *state)
{
    struct track *t = track_create();
    char **fields[] = { &t->id,           &t->video_id,     &t->title,      &t->artist,
                        &t->source,       &t->seal,         &t->thumbnail,  &t->requested_by,
                        &t->requested_at, &t->requester_id, &t->payment_id, &t->unplayable };
    static const double numbers[] = { 0, 213, 213.5, 1.0 / 3, 99999999.123456789, 1e8, 4.1 };
    char text[200];
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        random_text(state, text, sizeof(text));
        if (draw(state, 3))
            track_set(fields[i], text);
    }
    t->duration_s = numbers[draw(state, ARRAY_LEN(numbers))];
    t->paid_credit = draw(state, 2) ? 0 : -1.2345678901234567e-300;
    t->real_end_s = numbers[draw(state, ARRAY_LEN(numbers))];
    t->status = (enum track_status)draw(state, 4);
    t->is_paid = draw(state, 2);
    t->is_request = t->is_paid || draw(state, 2);
    t->plays_next = draw(state, 2);
    if (draw(state, 2)) {
        struct message *m = message_create();
        random_text(state, text, sizeof(text));
        message_set_str(m, "note", text);
        message_set_f64(m, "weight", 1.0 / (double)(1 + draw(state, 1000)));
        t->unknown_json = message_text(m, false);
        message_destroy(m);
    }
    return t;
}

static size_t utf16_length(const char *s)
{
    size_t len = strlen(s), n = 0;
    for (size_t i = 0, used; i < len; i += used)
        n += utf8_decode(s + i, len - i, &used) > 0xffff ? 2 : 1;
    return n;
}

static void the_model_never_underestimates_the_written_length(void **state)
{
    uint64_t random = *(uint64_t *)*state;
    for (int round = 0; round < 300; round++) {
        struct track_list list = { 0 };
        for (uint64_t n = draw(&random, 15); n > 0; n--)
            track_list_append(&list, random_track(&random));
        char *text = track_list_text(&list);
        size_t real = utf16_length(text), estimate = track_list_json_chars(&list);
        if (estimate < real || estimate > real + 2 + 100 * list.count)
            fail_msg("seed %llu, round %d: estimate %zu, written %zu, %zu tracks",
                     (unsigned long long)*(uint64_t *)*state, round, estimate, real, list.count);
        free(text);
        track_list_finish(&list);
    }
}

static void any_queue_comes_back_from_its_text(void **state)
{
    uint64_t random = *(uint64_t *)*state;
    for (int round = 0; round < 300; round++) {
        struct queue q, back;
        queue_init(&q);
        for (uint64_t n = draw(&random, 10); n > 0; n--) {
            struct track *t = random_track(&random);
            track_set(&t->video_id, "v"); /* always nameable */
            t->is_request = true;
            track_list_append(&q.list[draw(&random, QUEUE_LISTS)], t);
        }
        if (q.list[QUEUE_MAIN].count)
            q.now = track_copy(q.list[QUEUE_MAIN].at[0]);
        struct message *m = queue_to_message(&q);
        char *text = message_text(m, false);
        read_queue(&back, text);
        struct message *m2 = queue_to_message(&back);
        char *again = message_text(m2, false);
        assert_string_equal(text, again);
        queue_finish(&q);
        queue_finish(&back);
        message_destroy(m);
        message_destroy(m2);
        free(text);
        free(again);
    }
}

int main(int argc, char **argv)
{
    const char *given = argc > 1 ? argv[1] : getenv("DJAMMS_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20251016;
    printf("seed %llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_writer_is_read_and_the_superset_written),
        cmocka_unit_test(the_first_of_several_names_counts),
        cmocka_unit_test(durations_in_every_form),
        cmocka_unit_test(wrong_types_are_survived),
        cmocka_unit_test(unknown_fields_come_back_unchanged),
        cmocka_unit_test(an_unknown_field_never_hides_one_of_ours),
        cmocka_unit_test(nesting_without_end_never_makes_a_journal_unreadable),
        cmocka_unit_test(every_broken_list_is_survived),
        cmocka_unit_test(lists_are_written_with_positions_from_0),
        cmocka_unit_test(a_list_too_long_for_a_server_is_written_without_what_says_nothing),
        cmocka_unit_test(a_queue_is_read_as_journal_and_as_server_document),
        cmocka_unit_test(every_broken_queue_is_survived),
        cmocka_unit_test_prestate(the_model_never_underestimates_the_written_length, &seed),
        cmocka_unit_test_prestate(any_queue_comes_back_from_its_text, &seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
