/* What guests read on the screens and staff in the log, in a house with fake decks and a fake stage. */
#include <stdio.h>
#include <unistd.h>

#include "player/jukebox_bench.h"

static const struct scene *scene(const struct fake_house *h)
{
    return jukebox_scene(h->jukebox);
}

static void clear_all(struct fake_house *h)
{
    struct queue_op op = { .kind = OP_CLEAR, .all_lists = true };
    assert_int_equal(jukebox_apply(h->jukebox, &op), 0);
    house_brain_turn(h);
}

/* ---- cards ------------------------------------------------------------------------------------ */

static void nothing_can_be_played_is_said_until_something_can(void **state)
{
    struct fake_house *h = house_of("bad bad2", &looping);
    house_run(h, 60000); /* as long as it is so, not some seconds */
    assert_int_equal(scene(h)->notice, NOTICE_PROBLEM);
    assert_string_equal(scene(h)->notice_title, "Nothing in the queue can be played");
    assert_non_null(strstr(jukebox_advice(h->jukebox), "djamms queue"));
    clear_all(h);
    assert_int_equal(scene(h)->notice, NOTICE_NONE);
    assert_string_equal(
        scene(h)->idle_text,
        "The queue is empty. Staff can add songs at the box with its command “add”.");
    house_add(h, "/m/a.mp4");
    assert_true(house_run_until_playing(h, 1000));
    assert_int_equal(scene(h)->notice, NOTICE_NONE);
    assert_string_equal(jukebox_advice(h->jukebox), "");
    end(h);
}

static void a_good_song_among_bad_ones_takes_the_card_down(void **state)
{
    struct fake_house *h = house_of("bad bad2", &looping);
    house_run(h, 1000);
    assert_int_equal(scene(h)->notice, NOTICE_PROBLEM);
    house_add(h, "/m/a.mp4");
    assert_true(house_run_until_playing(h, 1000));
    assert_int_equal(scene(h)->notice, NOTICE_NONE);
    end(h);
}

static void the_card_of_one_bad_song_stays_its_time(void **state)
{
    struct fake_house *h = playing_house_of("bad a", &looping);
    house_run(h, 8000);
    assert_string_equal(scene(h)->notice_title, "Cannot play: bad");
    house_run(h, 5000);
    assert_int_equal(scene(h)->notice, NOTICE_NONE);
    end(h);
}

static void a_pause_that_is_restored_is_explained_until_somebody_resumes(void **state)
{
    struct fake_house *h = playing_house_of("a b", &looping);
    jukebox_set_paused(h->jukebox, true);
    house_run(h, 1000);
    assert_int_equal(scene(h)->notice, NOTICE_NONE); /* who paused it knows */
    house_save(h);
    house_power_cut(h);
    house_run(h, 60000);
    assert_int_equal(scene(h)->is_paused, 1);
    assert_string_equal(scene(h)->now.title, "a");
    assert_int_equal(scene(h)->notice, NOTICE_INFO);
    assert_int_equal(scene(h)->notice_until_ns, 0);
    assert_string_equal(scene(h)->notice_title, "Paused");
    assert_non_null(strstr(jukebox_advice(h->jukebox), "djamms resume"));
    jukebox_notice(h->jukebox, NOTICE_INFO, "Other", "news");
    house_run(h, 100);
    assert_string_equal(scene(h)->notice_title, "Other");
    assert_string_equal(jukebox_advice(h->jukebox), "");
    house_run(h, 6000);
    assert_string_equal(scene(h)->notice_title, "Paused");
    jukebox_set_paused(h->jukebox, false);
    house_brain_turn(h);
    assert_int_equal(scene(h)->notice, NOTICE_NONE);
    jukebox_set_paused(h->jukebox, true);
    house_brain_turn(h);
    assert_int_equal(scene(h)->notice, NOTICE_NONE);
    end(h);
}

static void a_start_that_waits_for_staff_says_so(void **state)
{
    struct jukebox_settings waits = { .loops = true };
    struct fake_house *h = house_of("", &waits);
    house_run(h, 100);
    assert_int_equal(scene(h)->notice, NOTICE_NONE); /* there is nothing to go on with */
    house_add(h, "/m/a.mp4");
    assert_string_equal(scene(h)->notice_title, "Paused");
    end(h);
}

static void no_card_tells_guests_a_command(void **state)
{
    static const char *const queues[] = { "", "bad", "bad bad2", "a", "bad a" };
    for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
        struct fake_house *h = house_of(queues[i], &once);
        h->settings.autostarts = i % 2;
        house_run(h, 2000);
        house_save(h);
        house_power_cut(h);
        house_run(h, 1000);
        const char *texts[] = { scene(h)->idle_text, scene(h)->notice_title,
                                scene(h)->notice_text };
        for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
            assert_null(strstr(texts[t], "djamms"));
            assert_null(strstr(texts[t], "FILE"));
            assert_true(strlen(texts[t]) <= 100);
        }
        end(h);
    }
}

static void a_reason_is_short_and_ends_with_a_whole_word(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        { "It is damaged.", "It is damaged." },
        { "", "" },
        /* 100 characters stay, of 101 the last word goes */
        { "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 "
          "1234567890 1",
          "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 "
          "1234567890 1" },
        { "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 "
          "1234567890 12",
          "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 "
          "1234567890…" },
    };
    struct fake_house *h = playing_house_of("a", &looping);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        jukebox_notice(h->jukebox, NOTICE_PROBLEM, "T", cases[i].text);
        house_brain_turn(h);
        assert_string_equal(scene(h)->notice_text, cases[i].shown);
    }
    char endless[1000], wide[1000] = "";
    memset(endless, 'x', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    jukebox_notice(h->jukebox, NOTICE_PROBLEM, "T", endless);
    house_brain_turn(h);
    assert_int_equal(strlen(scene(h)->notice_text), 100 + strlen("…"));
    while (strlen(wide) < sizeof(wide) - 4)
        strcat(wide, "夜");
    jukebox_notice(h->jukebox, NOTICE_PROBLEM, "T", wide);
    house_brain_turn(h);
    assert_int_equal(strlen(scene(h)->notice_text),
                     101 * strlen("夜")); /* "…" has three bytes, too */
    end(h);
}

static void a_card_names_the_song_in_its_heading_alone(void **state)
{
    static const struct {
        const char *path, *error, *shown;
    } cases[] = {
        { "/m/X - Y (Official).mp4", "X - Y (Official).mp4 is damaged: it has no end",
          "The file is damaged: it has no end" },
        { "/m/X - Y.mp4", "X - Y.mp4s are damaged", "X - Y.mp4s are damaged" },
        { "/m/X - Y.mp4", "It is damaged", "It is damaged" },
        { "file:///m/X - Y%FF.mp4", "X - Y\xff.mp4 is damaged", "The file is damaged" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fake_file broken[] = {
            files[0], files[1], { cases[i].path, FILE_BAD, 100, 0, cases[i].error }, { NULL }
        };
        char *path = path_from_source(cases[i].path);
        broken[2].path = path;
        struct fake_house *h = calloc(1, sizeof(*h));
        assert_non_null(h);
        house_open(h, broken, &looping);
        house_add(h, "/m/a.mp4");
        house_add(h, path);
        house_run(h, 1000);
        assert_true(strncmp(scene(h)->notice_title, "Cannot play: Y", 14) == 0);
        assert_string_equal(scene(h)->notice_text, cases[i].shown);
        assert_non_null(strstr(main_at(h, 1)->unplayable, "damaged"));
        end(h);
        free(path);
    }
}

/* ---- durations -------------------------------------------------------------------------------- */

static double known(const struct fake_house *h, const char *path)
{
    return jukebox_known_duration_s(h->jukebox, path);
}

static void a_duration_is_remembered_when_its_entry_is_gone(void **state)
{
    struct fake_house *h = playing_house_of("a b", &once);
    assert_true(known(h, "/m/a.mp4") == 10 && known(h, "/m/b.mp4") == 10);
    assert_true(known(h, "/m/c.mp4") == 0 && known(h, "") == 0);
    clear_all(h);
    assert_true(known(h, "/m/b.mp4") == 10);
    end(h);
}

static void a_duration_of_a_saved_queue_is_known_after_a_restart(void **state)
{
    struct fake_house *h = playing_house_of("a b c", &looping);
    house_save(h);
    house_power_cut(h);
    assert_true(known(h, "/m/b.mp4") == 10);
    assert_true(known(h, "/m/c.mp4") == 0); /* it was never loaded */
    end(h);
}

static void a_file_that_was_replaced_gets_its_new_duration(void **state)
{
    struct fake_file changing[] = { { "/m/a.mp4", FILE_OK, 100, 4000 },
                                    { "/m/b.mp4", FILE_OK, 100, 4000 },
                                    { NULL } };
    struct fake_house *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    house_open(h, changing, &looping);
    house_add(h, "/m/a.mp4");
    house_add(h, "/m/b.mp4");
    assert_true(house_run_until_playing(h, 1000));
    house_run(h, 500);
    assert_true(main_at(h, 1)->duration_s == 4);
    changing[1].duration_ms = 6000;
    house_run(h, 12000); /* b is loaded again after a */
    assert_true(known(h, "/m/b.mp4") == 6);
    for (size_t i = 0; i < 2; i++)
        if (strcmp(main_at(h, i)->source, "/m/b.mp4") == 0)
            assert_true(main_at(h, i)->duration_s == 6);
    end(h);
}

/* ---- the log ---------------------------------------------------------------------------------- */

struct captured {
    FILE *file;
    int stderr_fd;
    char text[16384];
};

static void capture(struct captured *c)
{
    c->file = tmpfile();
    assert_non_null(c->file);
    c->stderr_fd = dup(STDERR_FILENO);
    assert_true(dup2(fileno(c->file), STDERR_FILENO) >= 0);
}

static void release(struct captured *c)
{
    dup2(c->stderr_fd, STDERR_FILENO);
    close(c->stderr_fd);
    rewind(c->file);
    c->text[fread(c->text, 1, sizeof(c->text) - 1, c->file)] = '\0';
    fclose(c->file);
}

static unsigned times(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static const struct log info = { .module = "t", .level = LOG_INFO };

/* A house whose brain logs, from its second life on. */
static struct fake_house *logging_house_of(const char *names, struct captured *c)
{
    struct fake_house *h = playing_house_of(names, &looping);
    house_run(h, 2500);
    house_save(h);
    h->log = &info;
    capture(c);
    house_power_cut(h);
    return h;
}

static void a_bad_song_is_logged_once(void **state)
{
    struct captured c;
    struct fake_house *h = logging_house_of("a", &c);
    house_add(h, "/m/bad.mp4");
    house_run(h, 1000);
    house_apply(h, OP_PLAY_NOW, entry(h, QUEUE_MAIN, 1));
    house_run(h, 1000);
    house_add(h, "/m/bad2.mp4");
    house_run(h, 1000);
    release(&c);
    assert_int_equal(times(c.text, "bad.mp4: cannot be played: There is no such file."), 2);
    assert_int_equal(times(c.text, "bad2.mp4: cannot be played: There is no such file."), 1);
    assert_int_equal(times(c.text, "failed"), 0);
    end(h);
}

static void a_song_that_goes_on_from_disk_is_named_with_its_position(void **state)
{
    struct captured c;
    struct fake_house *h = logging_house_of("a b", &c);
    release(&c);
    char line[64];
    snprintf(line, sizeof(line), "a: goes on at %.1f s\n",
             (double)h->position.position_ns / (double)NS_PER_S);
    assert_non_null(strstr(c.text, line));
    assert_true(h->position.position_ns > SECONDS(1));
    end(h);
}

static void a_dead_deck_is_named_with_its_song(void **state)
{
    struct captured c;
    struct fake_house *h = logging_house_of("a b", &c);
    assert_true(house_run_until_playing(h, 3000));
    house_run(h, 1500);
    uint32_t deck = h->plan.now.deck;
    house_kill_deck(h, deck);
    house_run(h, 1000);
    release(&c);
    assert_non_null(strstr(c.text, deck == 0 ? "deck-a died with a\n" : "deck-b died with a\n"));
    assert_null(strstr(c.text, "load "));
    house_close(h);
    free(h);
}

/* All was ended, shared memory is as it was left. */
static void a_start_after_an_orderly_end_tells_of_no_dead_decks(void **state)
{
    struct captured c;
    struct fake_house *h = playing_house_of("a b", &looping);
    house_run(h, 1000);
    house_save(h);
    house_kill_brain(h);
    house_kill_stage(h);
    for (uint32_t d = 0; d < DECKS; d++)
        house_kill_deck(h, d);
    h->log = &info;
    capture(&c);
    house_start_brain(h);
    bool plays = house_run_until_playing(h, 3000);
    house_run(h, 1500);
    uint32_t deck = h->plan.now.deck;
    house_kill_deck(h, deck);
    house_run(h, 1000);
    release(&c);
    assert_true(plays);
    assert_int_equal(times(c.text, "died"), 1); /* the one of this life */
    assert_int_equal(times(c.text, "a: goes on"), 2);
    house_close(h);
    free(h);
}

/* The queue is empty, the plan in memory is not, and the deck it names is dead. */
static void with_a_lost_journal_nothing_is_said_about_a_song_that_nobody_knows(void **state)
{
    struct captured c;
    struct fake_house *h = playing_house_of("a b", &looping);
    house_run(h, 1000);
    house_kill_brain(h);
    house_kill_deck(h, h->plan.now.deck);
    free(h->journal);
    h->journal = NULL;
    h->log = &info;
    capture(&c);
    house_start_brain(h);
    house_run(h, 1000);
    release(&c);
    assert_null(strstr(c.text, "goes on"));
    assert_int_equal(h->plan.now.load, 0);
    house_close(h);
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_can_be_played_is_said_until_something_can),
        cmocka_unit_test(a_good_song_among_bad_ones_takes_the_card_down),
        cmocka_unit_test(the_card_of_one_bad_song_stays_its_time),
        cmocka_unit_test(a_pause_that_is_restored_is_explained_until_somebody_resumes),
        cmocka_unit_test(a_start_that_waits_for_staff_says_so),
        cmocka_unit_test(no_card_tells_guests_a_command),
        cmocka_unit_test(a_reason_is_short_and_ends_with_a_whole_word),
        cmocka_unit_test(a_card_names_the_song_in_its_heading_alone),
        cmocka_unit_test(a_duration_is_remembered_when_its_entry_is_gone),
        cmocka_unit_test(a_duration_of_a_saved_queue_is_known_after_a_restart),
        cmocka_unit_test(a_file_that_was_replaced_gets_its_new_duration),
        cmocka_unit_test(a_bad_song_is_logged_once),
        cmocka_unit_test(a_song_that_goes_on_from_disk_is_named_with_its_position),
        cmocka_unit_test(a_dead_deck_is_named_with_its_song),
        cmocka_unit_test(a_start_after_an_orderly_end_tells_of_no_dead_decks),
        cmocka_unit_test(with_a_lost_journal_nothing_is_said_about_a_song_that_nobody_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
