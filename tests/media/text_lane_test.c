/* The subtitles of a load come into the deck's ring while they are wanted. $DJAMMS_CORPUS names the media files. */
#include "media/support.h"

struct text_rig {
    struct rig rig;
    struct output_row_slot output[OUTPUTS_MAX];
    char media[128], beside[128];
};

static int make_rig(void **state)
{
    struct text_rig *t = calloc(1, sizeof(*t));
    rig_init(&t->rig);
    output_row_store(&t->output[1],
                     &(struct output_row){ .name = "TV", .width = 640, .height = 360 });
    t->rig.text = (struct text_settings){ .languages = "en", .outputs = t->output };
    *state = t;
    return 0;
}

static int drop_rig(void **state)
{
    struct text_rig *t = *state;
    unlink(t->media);
    unlink(t->beside);
    rig_finish(&t->rig);
    free(t);
    return 0;
}

/* A song of the corpus in the rig's folder, with a file beside it. */
static const char *song_with(struct text_rig *t, const char *name, const char *text)
{
    const char *corpus = getenv("DJAMMS_CORPUS");
    char path[1024];
    if (!corpus)
        fail_msg("DJAMMS_CORPUS is not set: run make_corpus.py FOLDER and name the folder");
    snprintf(path, sizeof(path), "%s/h264-aac.mp4", corpus);
    snprintf(t->media, sizeof(t->media), "%s/song.mp4", t->rig.dir);
    assert_int_equal(symlink(path, t->media), 0);
    snprintf(t->beside, sizeof(t->beside), "%s/%s", t->rig.dir, name);
    FILE *f = fopen(t->beside, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return t->media;
}

/* Waits until the load has as many cues. */
static void await_cues(struct rig *r, uint64_t count)
{
    int64_t deadline_ns = now_mono_ns() + SECONDS(60);
    while (atomic_load(&r->ring->text_head) < count) {
        uint32_t seen = doorbell_rings(&r->bell);
        if (atomic_load(&r->ring->text_head) >= count)
            return;
        assert_true(now_mono_ns() < deadline_ns);
        doorbell_wait(&r->bell, seen, now_mono_ns() + MS(100));
    }
}

static void await_name(struct rig *r, struct load *l, const char *name)
{
    struct deck_state s;
    int64_t deadline_ns = now_mono_ns() + SECONDS(60);
    for (;;) {
        uint32_t seen = doorbell_rings(&r->bell);
        load_state(l, &s);
        if (strcmp(s.text, name) == 0)
            return;
        assert_true(now_mono_ns() < deadline_ns);
        doorbell_wait(&r->bell, seen, now_mono_ns() + MS(100));
    }
}

static const char two_lines[] = "1\n00:00:00,100 --> 00:00:00,300\nOne\n\n"
                                "2\n00:00:00,400 --> 00:00:00,500\nTwo\n\n";

static void a_file_beside_the_song_is_painted_ahead_of_its_time(void **state)
{
    struct text_rig *t = *state;
    struct rig *r = &t->rig;
    struct load *l = rig_load(r, song_with(t, "song.srt", two_lines), 0, ORDER_ACTIVE | ORDER_TEXT);
    struct text_cue cue;
    int64_t next_ns;
    await_cues(r, 2); /* nobody has taken a sample yet */
    assert_false(text_cue_at(r->ring, 1, MS(50), &cue, &next_ns));
    assert_int_equal(next_ns, MS(100));
    assert_true(text_cue_at(r->ring, 1, MS(100), &cue, &next_ns));
    assert_int_equal(next_ns, MS(300));
    assert_int_equal(cue.width, 640);
    assert_int_equal(cue.height, 360);
    assert_false(text_cue_at(r->ring, 1, MS(300), &cue, &next_ns));
    assert_true(text_cue_at(r->ring, 1, MS(499), &cue, &next_ns));
    assert_false(text_cue_at(r->ring, 1, MS(500), &cue, &next_ns));
    assert_false(text_cue_at(r->ring, 2, MS(100), &cue, &next_ns)); /* another load's */
    await_name(r, l, "song.srt");
    load_destroy(l);
    assert_false(text_cue_at(r->ring, 1, MS(100), &cue, &next_ns));
}

static void nothing_is_painted_until_it_is_wanted(void **state)
{
    struct text_rig *t = *state;
    struct rig *r = &t->rig;
    struct load *l = rig_load(r, song_with(t, "song.srt", two_lines), 0, ORDER_ACTIVE);
    await_name(r, l, "song.srt");
    static struct played played;
    rig_follow(r, l, &played);
    load_destroy(l);
    assert_int_equal(atomic_load(&r->ring->text_head), 0);
    l = rig_load(r, t->media, 0, ORDER_ACTIVE);
    await_name(r, l, "song.srt");
    load_set_flags(l, ORDER_ACTIVE | ORDER_TEXT);
    await_cues(r, 2);
    load_destroy(l);
}

static void a_start_in_the_middle_shows_what_is_seen_there(void **state)
{
    struct text_rig *t = *state;
    struct rig *r = &t->rig;
    struct load *l =
        rig_load(r, song_with(t, "song.srt", two_lines), MS(200), ORDER_ACTIVE | ORDER_TEXT);
    struct text_cue cue;
    int64_t next_ns;
    await_cues(r, 2);
    assert_true(text_cue_at(r->ring, 1, MS(200), &cue, &next_ns));
    assert_int_equal(cue.from_ns, MS(200));
    load_destroy(l);
}

/* Karaoke fills the ring; its places are used again only when the sound has passed. */
static void what_moves_is_painted_no_further_than_there_are_places(void **state)
{
    struct text_rig *t = *state;
    struct rig *r = &t->rig;
    static const char karaoke[] =
        "[Script Info]\nPlayResX: 640\nPlayResY: 360\n[V4+ Styles]\nFormat: Name, Fontname, "
        "Fontsize\nStyle: Default,Sans,40\n[Events]\nFormat: Start, End, Style, Text\n"
        "Dialogue: 0:00:00.00,0:10:00.00,Default,{\\t(0,9000,\\fscx120)}mo{\\k9}ving\n";
    struct load *l = rig_load(r, song_with(t, "song.ass", karaoke), 0, ORDER_ACTIVE | ORDER_TEXT);
    struct text_cue cue;
    int64_t next_ns;
    await_cues(r, 18); /* 0.7 s ahead, 40 ms each */
    for (int64_t at_ns = 0; at_ns < MS(700); at_ns += MS(40)) {
        assert_true(text_cue_at(r->ring, 1, at_ns, &cue, &next_ns));
        assert_int_equal(cue.until_ns - cue.from_ns, MS(40));
    }
    load_destroy(l);
}

static void places_are_not_used_again_before_their_time(void **state)
{
    struct text_rig *t = *state;
    struct rig *r = &t->rig;
    static char text[20000];
    size_t n = 0;
    for (int i = 0; i < 400; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "1\n00:00:00,%03d --> 00:00:00,%03d\n%d\n\n", i, i + 1, i % 10);
    struct load *l = rig_load(r, song_with(t, "song.srt", text), 0, ORDER_ACTIVE | ORDER_TEXT);
    await_cues(r, TEXT_RING);
    load_destroy(l);
    assert_int_equal(atomic_load(&r->ring->text_head), TEXT_RING);
}

static void a_load_ends_at_once_whatever_its_subtitles_are(void **state)
{
    struct text_rig *t = *state;
    struct rig *r = &t->rig;
    for (int i = 0; i < 20; i++) {
        struct load *l = i == 0 ? rig_load(r, song_with(t, "song.srt", two_lines), 0, ORDER_TEXT)
                                : rig_load(r, t->media, 0, ORDER_TEXT);
        load_destroy(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_beside_the_song_is_painted_ahead_of_its_time,
                                        make_rig, drop_rig),
        cmocka_unit_test_setup_teardown(nothing_is_painted_until_it_is_wanted, make_rig, drop_rig),
        cmocka_unit_test_setup_teardown(a_start_in_the_middle_shows_what_is_seen_there, make_rig,
                                        drop_rig),
        cmocka_unit_test_setup_teardown(what_moves_is_painted_no_further_than_there_are_places,
                                        make_rig, drop_rig),
        cmocka_unit_test_setup_teardown(places_are_not_used_again_before_their_time, make_rig,
                                        drop_rig),
        cmocka_unit_test_setup_teardown(a_load_ends_at_once_whatever_its_subtitles_are, make_rig,
                                        drop_rig),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
