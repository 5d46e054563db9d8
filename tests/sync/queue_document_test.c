#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "sync/queue_document.h"
#include "wire/message.h"

#define SYSTEM "\"$id\":\"q\",\"$updatedAt\":\"2025-10-16T06:05:33.410+00:00\""

static bool read_text(struct queue_document *d, const char *text)
{
    struct message *m = message_parse(text, strlen(text), NULL, 0);
    assert_non_null(m);
    bool is_read = queue_document_read(d, m);
    message_destroy(m);
    return is_read;
}

static void test_broken_values_are_survived_and_marked_for_repair(void **state)
{
    static const struct {
        const char *text;
        size_t main, requests;
        bool is_broken;
    } cases[] = {
        { "{" SYSTEM ",\"mainQueue\":\"[{\\\"videoId\\\":\\\"a\\\"}]\",\"priorityQueue\":\"[]\"}",
          1, 0, false },
        { "{" SYSTEM ",\"mainQueue\":[{\"videoId\":\"a\"}],\"priorityQueue\":\"[]\"}", 1, 0, true },
        { "{" SYSTEM ",\"mainQueue\":\"\\\"[{\\\\\\\"vid\\\"\",\"priorityQueue\":\"[]\"}", 0, 0,
          true },
        { "{" SYSTEM ",\"mainQueue\":\"\",\"priorityQueue\":\"{no json\"}", 0, 0, true },
        { "{" SYSTEM ",\"mainQueue\":\"[1,null,\\\"x\\\",{\\\"videoId\\\":\\\"a\\\"}]\","
          "\"priorityQueue\":\"[]\"}",
          1, 0, false },
        { "{" SYSTEM ",\"mainQueue\":\"[{\\\"videoId\\\":\\\"a\\\"},{\\\"videoId\\\":\\\"a\\\"}]\","
          "\"priorityQueue\":\"[]\"}",
          2, 0, false },
        { "{" SYSTEM "}", 0, 0, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct queue_document d;
        assert_true(read_text(&d, cases[i].text));
        assert_int_equal(d.queue.list[QUEUE_MAIN].count, cases[i].main);
        assert_int_equal(d.queue.list[QUEUE_REQUESTS].count, cases[i].requests);
        assert_int_equal(d.is_broken, cases[i].is_broken);
        queue_document_finish(&d);
    }
}

static void test_without_id_or_time_it_is_no_document(void **state)
{
    struct queue_document d;
    assert_false(read_text(&d, "{\"$id\":\"q\",\"mainQueue\":\"[]\"}"));
    queue_document_finish(&d);
    assert_false(read_text(&d, "{\"$updatedAt\":\"2025-10-16T06:05:33Z\"}"));
    queue_document_finish(&d);
}

static void test_one_write_carries_all_and_is_read_back(void **state)
{
    struct queue_document d, back;
    assert_true(read_text(
        &d, "{" SYSTEM
            ",\"mainQueue\":\"[{\\\"id\\\":\\\"m1\\\",\\\"videoId\\\":\\\"a\\\",\\\"odd\\\":7}]\","
            "\"priorityQueue\":\"[]\",\"nowPlaying\":\"{\\\"id\\\":\\\"m1\\\",\\\"videoId\\\":"
            "\\\"a\\\"}\"}"));
    struct now_fields f = { .turn = "w-3", .remaining_s = 61.9, .start_ms = 5 };
    now_fields_mark(&f, "w", 4);
    now_fields_mark(&f, "w", 9);
    struct message *m = queue_document_data(&d.queue, &f, "2025-10-16T06:05:33.410Z");
    assert_non_null(strstr(message_str(m, "mainQueue", ""), "\"odd\":7"));
    assert_non_null(strstr(message_str(m, "nowPlaying", ""), "\"remaining\":61,"));
    assert_string_equal(message_str(m, "updatedAt", ""), "2025-10-16T06:05:33.410Z");
    message_set_str(m, "$id", "q");
    message_set_str(m, "$updatedAt", "2025-10-16T06:05:34.000Z");
    assert_true(queue_document_read(&back, m));
    assert_true(queue_same(&back.queue, &d.queue));
    assert_string_equal(back.now.turn, "w-3");
    assert_int_equal(now_fields_marked(&back.now, "w"), 9);
    assert_int_equal(now_fields_marked(&back.now, "other"), 0);
    message_destroy(m);
    queue_document_finish(&d);
    queue_document_finish(&back);
}

static void test_the_oldest_mark_makes_room(void **state)
{
    struct now_fields f = { 0 };
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        now_fields_mark(&f, names[i], i + 1);
    assert_int_equal(f.mark_count, PUSH_MARKS);
    assert_int_equal(now_fields_marked(&f, "a"), 0);
    assert_int_equal(now_fields_marked(&f, "i"), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken_values_are_survived_and_marked_for_repair),
        cmocka_unit_test(test_without_id_or_time_it_is_no_document),
        cmocka_unit_test(test_one_write_carries_all_and_is_read_back),
        cmocka_unit_test(test_the_oldest_mark_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
