/* What the engine carries over from one life to the next. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "sync/sync.h"

static struct sync *engine(const char *venue, const char *journal, size_t len)
{
    struct sync_params p = { .project_id = "p",
                             .database_id = "d",
                             .venue_id = venue,
                             .device_id = "device_1",
                             .user_agent = "test",
                             .registry_id = "player-registry",
                             .session = "secret",
                             .seed = 7 };
    return sync_create(&p, journal, len, SECONDS(5));
}

static void add(struct sync *s, const char *id, bool is_request)
{
    struct track *t = track_create();
    track_set(&t->id, id);
    track_set(&t->video_id, "aaaaaaaaaaa");
    track_set(&t->title, id);
    t->is_request = is_request;
    struct queue_op op = { .kind = OP_ADD, .track = t };
    assert_int_equal(sync_apply(s, &op, SECONDS(6)), 0);
    track_destroy(t);
}

/* The journal of a box with one song, which the server has not seen yet. */
static char *journal_of(const char *venue)
{
    uint64_t revision;
    struct sync *s = engine(venue, NULL, 0);
    add(s, "5f3759df5f3759df5f37", false);
    char *text = sync_journal(s, &revision);
    assert_true(revision == sync_revision(s));
    assert_null(strchr(text, '\n'));
    sync_destroy(s);
    return text;
}

static size_t songs(const struct sync *s)
{
    return sync_view(s)->list[QUEUE_MAIN].count;
}

static void what_was_not_told_yet_is_in_the_next_life(void **state)
{
    char *text = journal_of("bar");
    struct sync *s = engine("bar", text, strlen(text));
    struct sync_status status;
    sync_status(s, &status);
    assert_true(sync_is_continued(s));
    assert_int_equal(songs(s), 1);
    assert_int_equal(status.pending, 1);
    assert_false(status.has_document);
    sync_destroy(s);
    free(text);
}

static void a_journal_of_another_venue_is_a_new_start(void **state)
{
    char *text = journal_of("bar");
    struct sync *s = engine("cafe", text, strlen(text));
    assert_false(sync_is_continued(s));
    assert_int_equal(songs(s), 0);
    sync_destroy(s);
    free(text);
}

static void a_damaged_journal_is_a_new_start_or_carried_on_whole(void **state)
{
    char *text = journal_of("bar");
    size_t len = strlen(text);
    for (size_t cut = 0; cut <= len; cut++) {
        struct sync *s = engine("bar", text, cut);
        assert_int_equal(songs(s), sync_is_continued(s) ? 1 : 0);
        assert_true(sync_is_continued(s) == (cut == len));
        sync_destroy(s);
    }
    for (size_t i = 0; i < len; i++) { /* whatever it holds, it harms nobody */
        char was = text[i];
        text[i] = (char)(was ^ (1 << (i % 7)));
        struct sync *s = engine("bar", text, len);
        assert_true(songs(s) <= 1);
        sync_destroy(s);
        text[i] = was;
    }
    free(text);
}

static void a_box_that_asked_nobody_yet_sounds(void **state)
{
    struct sync *s = engine("bar", NULL, 0);
    struct sync_status status;
    sync_status(s, &status);
    assert_int_equal(status.role, SYNC_UNDECIDED);
    assert_true(status.sounds);
    sync_destroy(s);
}

static void a_box_that_was_silent_before_stays_so_until_it_knows(void **state)
{
    char *text = journal_of("bar");
    char *at = strstr(text, "\"wasOther\":false");
    assert_non_null(at);
    char *other = xasprintf("%.*s\"wasOther\":true%s", (int)(at - text), text,
                            at + strlen("\"wasOther\":false"));
    struct sync *s = engine("bar", other, strlen(other));
    struct sync_status status;
    sync_status(s, &status);
    assert_int_equal(status.role, SYNC_UNDECIDED);
    assert_false(status.sounds);
    sync_destroy(s);
    free(other);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_told_yet_is_in_the_next_life),
        cmocka_unit_test(a_journal_of_another_venue_is_a_new_start),
        cmocka_unit_test(a_damaged_journal_is_a_new_start_or_carried_on_whole),
        cmocka_unit_test(a_box_that_asked_nobody_yet_sounds),
        cmocka_unit_test(a_box_that_was_silent_before_stays_so_until_it_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
