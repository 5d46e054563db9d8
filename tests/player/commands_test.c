/* Every command of the control socket, against a jukebox in a fake house. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "player/commands.h"
#include "player/fake_house.c"
#include "support/folder.h"
#include "wire/figures.h"
#include "wire/message.h"

static const struct fake_file files[] = {
    { "/m/Band - One.mp4", FILE_OK, 40, 10000 },
    { "/m/Band - Two (Official Video).mp4", FILE_OK, 40, 10000 },
    { "/m/Band - Three.mp4", FILE_OK, 40, 10000 },
    { NULL },
};

struct desk {
    struct fake_house house;
    struct control *control;
    struct command_result result;
    char folder[64];
    uint64_t seed;
    const char *no_youtube, *cached; /* id of a song */
};

static int setup(void **state)
{
    static const struct jukebox_settings settings = { .autostarts = true, .loops = true };
    struct desk *d = calloc(1, sizeof(*d));
    house_open(&d->house, files, &settings);
    for (size_t i = 0; files[i].path; i++)
        house_add(&d->house, files[i].path);
    assert_true(house_run_until_playing(&d->house, 2000));
    d->control = calloc(1, sizeof(*d->control));
    folder_make(d->folder);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct desk *d = *state;
    message_destroy(d->result.answer);
    house_close(&d->house);
    folder_remove(d->folder);
    free(d->control);
    free(d);
    return 0;
}

static void retry(void *desk, const char *video_id, const char *source)
{
}

static const char *no_youtube(const void *desk, const char *id)
{
    const struct desk *d = desk;
    return d->cached && strcmp(id, d->cached) == 0 ? NULL : d->no_youtube;
}

/* The answer is valid until the next line. */
static const struct message *say(struct desk *d, const char *line)
{
    message_destroy(d->result.answer);
    house_brain_turn(&d->house);
    struct command_world w = {
        .jukebox = d->house.jukebox,
        .control = d->control,
        .now_ns = d->house.now_ns,
        .started_ns = SECONDS(99),
        .wall_ms = 1700000000000,
        .seed = d->seed += 1000,
        .retry = d->no_youtube ? retry : NULL,
        .no_youtube = d->no_youtube ? no_youtube : NULL,
        .ctx = d,
    };
    command_run(&w, line, strlen(line), &d->result);
    house_brain_turn(&d->house);
    return d->result.answer;
}

static const struct message *say_ok(struct desk *d, const char *line)
{
    const struct message *m = say(d, line);
    if (!m || !message_bool(m, "ok", false))
        print_error("%s: %s\n", line, m ? message_str(m, "error", "?") : "no answer");
    assert_true(m && message_bool(m, "ok", false));
    return m;
}

static const char *title_at(struct desk *d, const char *list, size_t i)
{
    const struct message *q = say_ok(d, "{\"command\":\"queue\"}");
    return message_str(message_object_at(q, list, i), "title", "(none)");
}

static void what_is_wrong_is_said_in_a_sentence(void **state)
{
    static const struct {
        const char *line, *code, *part;
    } cases[] = {
        { "", "usage", "cannot be read" },
        { "{", "usage", "cannot be read" },
        { "[1]", "usage", "cannot be read" },
        { "{}", "usage", "\"command\"" },
        { "{\"command\":5}", "usage", "\"command\"" },
        { "{\"command\":\"dance\"}", "usage", "There is no command \"dance\"" },
        { "{\"command\":\"add\"}", "usage", "\"files\"" },
        { "{\"command\":\"add\",\"files\":\"/m/x.mp4\"}", "usage", "arrays" },
        { "{\"command\":\"seek\"}", "usage", "number of seconds" },
        { "{\"command\":\"seek\",\"position_s\":\"5\"}", "usage", "number of seconds" },
        { "{\"command\":\"subtitles\",\"on\":1}", "usage", "true or false" },
        { "{\"command\":\"volume\"}", "usage", "must be a number" },
        { "{\"command\":\"volume\",\"value\":\"loud\"}", "usage", "\"value\" must be a number" },
        { "{\"command\":\"volume\",\"delta\":{}}", "usage", "\"delta\" must be a number" },
        { "{\"command\":\"volume\",\"value\":101}", "usage", "0 to 100" },
        { "{\"command\":\"mute\",\"on\":\"yes\"}", "usage", "\"on\" must be true or false" },
        { "{\"command\":\"remove\"}", "usage", "\"entry\"" },
        { "{\"command\":\"remove\",\"entry\":7}", "usage", "\"entry\"" },
        { "{\"command\":\"remove\",\"entry\":\"nobody\"}", "not-found", "no entry \"nobody\"" },
        { "{\"command\":\"remove\",\"entry\":\"main:99\"}", "not-found", "main:99" },
        { "{\"command\":\"remove\",\"entry\":\"main:-1\"}", "not-found", "main:-1" },
        { "{\"command\":\"remove\",\"entry\":\"main:99999999999999999999999\"}", "not-found", "" },
        { "{\"command\":\"move\",\"entry\":\"main:1\"}", "usage", "\"index\"" },
        { "{\"command\":\"move\",\"entry\":\"main:1\",\"index\":-1}", "usage", "\"index\"" },
        { "{\"command\":\"move\",\"entry\":\"main:1\",\"index\":1.5}", "usage", "\"index\"" },
        { "{\"command\":\"clear\"}", "usage", "\"lists\"" },
        { "{\"command\":\"clear\",\"lists\":\"everything\"}", "usage", "\"lists\"" },
        { "{\"command\":\"history\",\"limit\":\"all\"}", "usage", "\"limit\"" },
        { "{\"command\":\"search\"}", "usage", "\"words\"" },
        { "{\"command\":\"search\",\"words\":5}", "usage", "\"words\"" },
        { "{\"command\":\"search\",\"words\":\"a\",\"limit\":0}", "usage", "\"limit\"" },
        { "{\"command\":\"search\",\"words\":\"a\",\"limit\":\"x\"}", "usage", "\"limit\"" },
        { "{\"command\":\"search\",\"words\":\"a\"}", "not-found", "no library" },
        { "{\"command\":\"screenshot\"}", "not-found", "no stage" },
        { "{\"command\":\"screenshot\",\"output\":\"TV\"}", "not-found", "no output \"TV\"" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct message *m = say(*state, cases[i].line);
        assert_non_null(m);
        assert_false(message_bool(m, "ok", true));
        assert_string_equal(message_str(m, "code", ""), cases[i].code);
        if (!strstr(message_str(m, "error", ""), cases[i].part))
            print_error("%s: %s\n", cases[i].line, message_str(m, "error", ""));
        assert_non_null(strstr(message_str(m, "error", ""), cases[i].part));
    }
}

static void answers_to_changes_of_the_queue_wait_for_the_disk(void **state)
{
    static const struct {
        const char *line;
        enum command_when when;
    } cases[] = {
        { "{\"command\":\"status\"}", ANSWER_NOW },
        { "{\"command\":\"watch\"}", ANSWER_WATCH },
        { "{\"command\":\"queue\"}", ANSWER_NOW },
        { "{\"command\":\"pause\"}", ANSWER_NOW },
        { "{\"command\":\"resume\"}", ANSWER_NOW },
        { "{\"command\":\"toggle-pause\"}", ANSWER_NOW },
        { "{\"command\":\"seek\",\"delta_s\":1}", ANSWER_NOW },
        { "{\"command\":\"volume\",\"delta\":1}", ANSWER_NOW },
        { "{\"command\":\"mute\"}", ANSWER_NOW },
        { "{\"command\":\"add\",\"files\":[\"/none\"]}", ANSWER_WHEN_SAVED },
        { "{\"command\":\"promote\",\"entry\":\"main:2\"}", ANSWER_WHEN_SAVED },
        { "{\"command\":\"move\",\"entry\":\"main:2\",\"index\":1}", ANSWER_WHEN_SAVED },
        { "{\"command\":\"play-now\",\"entry\":\"main:1\"}", ANSWER_WHEN_SAVED },
        { "{\"command\":\"skip\"}", ANSWER_WHEN_SAVED },
        { "{\"command\":\"shuffle\"}", ANSWER_WHEN_SAVED },
        { "{\"command\":\"remove\",\"entry\":\"main:1\"}", ANSWER_WHEN_SAVED },
        { "{\"command\":\"clear\",\"lists\":\"all\"}", ANSWER_WHEN_SAVED },
        { "{\"command\":\"quit\"}", ANSWER_AND_QUIT },
    };
    struct desk *d = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        say_ok(d, cases[i].line);
        assert_int_equal(d->result.when, cases[i].when);
    }
    assert_null(say(d, "{\"command\":\"history\"}"));
    assert_int_equal(d->result.when, ANSWER_WITH_HISTORY);
    assert_int_equal(d->result.limit, 50);
    assert_null(say(d, "{\"command\":\"cache\",\"do\":\"list\"}"));
    assert_int_equal(d->result.when, ANSWER_WITH_CACHE);
    assert_string_equal(message_str(d->result.request, "do", ""), "list");
    message_destroy(d->result.request);
}

static void status_tells_what_plays(void **state)
{
    struct desk *d = *state;
    struct output_row row = { .name = "TV", .width = 1920, .height = 1080, .refresh_mhz = 59940 };
    output_row_store(&d->control->output[3], &row);
    process_enter(d->control, PROCESS_BRAIN, 1);
    const struct message *m = say_ok(d, "{\"command\":\"status\"}");
    assert_string_equal(message_str(m, "state", ""), "playing");
    assert_true(message_f64(m, "uptime_s", 0) > 1);
    const struct message *now = message_object(m, "now");
    assert_string_equal(message_str(now, "title", ""), "One");
    assert_string_equal(message_str(now, "artist", ""), "Band");
    assert_true(message_f64(now, "duration_s", 0) == 10);
    assert_true(message_f64(now, "position_s", -1) >= 0);
    assert_true(message_bool(now, "is_playing", false));
    assert_int_equal(message_count(m, "next"), 2);
    assert_string_equal(message_str(message_object_at(m, "next", 0), "title", ""), "Two");
    assert_int_equal(message_i64(message_object(m, "counts"), "main", 0), 3);
    assert_int_equal(message_i64(m, "volume", 0), 75);
    const struct message *output = message_object_at(m, "outputs", 0);
    assert_string_equal(message_str(output, "name", ""), "TV");
    assert_true(message_f64(output, "refresh_hz", 0) == 59.94);
    const struct message *process = message_object_at(m, "processes", 0);
    assert_string_equal(message_str(process, "name", ""), "player");
    assert_true(message_bool(process, "is_alive", false));
}

/* As they were left by lives before this start, and grew in it. */
static void counters_are_told_since_the_start_of_the_jukebox(void **state)
{
    struct desk *d = *state;
    struct output_row tv = {
        .name = "TV", .presented = 900, .late = 40, .dropped = 30, .repeated = 313251
    };
    struct play_clock clock = { .underruns = 32 };
    for (int i = 0; i < 6; i++)
        process_enter(d->control, PROCESS_BRAIN, 1);
    process_enter(d->control, PROCESS_STAGE0 + 1, 1); /* it is not started this time */
    process_leave(d->control, PROCESS_STAGE0 + 1);
    output_row_store(&d->control->output[0], &tv);
    output_row_store(&d->control->output[1], &tv);
    play_clock_store(&d->control->clock, &clock);
    sound_row_store(&d->control->sound, &(struct sound_row){ .driver = "alsa", .xruns = 7 });
    control_mark_start(d->control);
    process_enter(d->control, PROCESS_BRAIN, 1);
    process_enter(d->control, PROCESS_BRAIN, 1);
    tv = (struct output_row){
        .name = "TV", .presented = 910, .late = 41, .dropped = 30, .repeated = 313255
    };
    clock.underruns = 33;
    output_row_store(&d->control->output[0], &tv);
    sound_row_store(
        &d->control->sound,
        &(struct sound_row){ .driver = "alsa", .device = "sysdefault:CARD=vc4hdmi0", .xruns = 9 });
    snprintf(tv.name, sizeof(tv.name), "hall"); /* another one in that row */
    output_row_store(&d->control->output[1], &tv);
    play_clock_store(&d->control->clock, &clock);
    const struct message *m = say_ok(d, "{\"command\":\"status\"}");
    assert_int_equal(message_count(m, "processes"), 1);
    assert_int_equal(message_i64(message_object_at(m, "processes", 0), "starts", 0), 2);
    assert_int_equal(message_i64(m, "underruns", -1), 1);
    const struct message *sound = message_object(m, "sound");
    assert_string_equal(message_str(sound, "driver", ""), "alsa");
    assert_string_equal(message_str(sound, "device", ""), "sysdefault:CARD=vc4hdmi0");
    assert_int_equal(message_i64(sound, "xruns", -1), 2);
    const struct message *row = message_object_at(m, "outputs", 0);
    assert_int_equal(message_i64(row, "presented", -1), 10);
    assert_int_equal(message_i64(row, "late", -1), 1);
    assert_int_equal(message_i64(row, "dropped", -1), 0);
    assert_int_equal(message_i64(row, "repeated", -1), 4);
    row = message_object_at(m, "outputs", 1);
    assert_int_equal(message_i64(row, "repeated", -1), 313255);
}

static double late_of(struct desk *d)
{
    struct figures f;
    figures_of(&f, say_ok(d, "{\"command\":\"status\"}"));
    return f.at[FIGURE_LATE];
}

/* One of two displays is unplugged: what came late on it came late. */
static void an_output_that_goes_does_not_take_its_counts_away(void **state)
{
    struct desk *d = *state;
    struct output_row hall = { .name = "hall", .width = 640, .presented = 50, .late = 5 };
    struct output_row bar = { .name = "bar", .width = 640, .presented = 90, .late = 4 };
    output_row_store(&d->control->output[0], &(struct output_row){ .name = "old", .presented = 7 });
    output_row_store(&d->control->output[1], &hall);
    control_mark_start(d->control);
    hall.presented = 80;
    hall.late = 7;
    output_row_store(&d->control->output[1], &hall);
    output_row_store(&d->control->output[2], &bar);
    assert_true(late_of(d) == 6);
    hall.width = 0;
    output_row_store(&d->control->output[1], &hall);
    assert_true(late_of(d) == 6);
    const struct message *m = say_ok(d, "{\"command\":\"status\"}");
    assert_int_equal(message_count(m, "outputs"), 2); /* not the one of a former start */
    assert_int_equal(message_i64(message_object_at(m, "outputs", 0), "width", -1), 0);
}

static void a_screenshot_names_its_output_or_takes_the_first(void **state)
{
    struct desk *d = *state;
    output_row_store(&d->control->output[2], &(struct output_row){ .name = "bar", .width = 640 });
    output_row_store(&d->control->output[5], &(struct output_row){ .name = "hall", .width = 640 });
    output_row_store(&d->control->output[1], &(struct output_row){ .name = "gone" });
    assert_null(say(d, "{\"command\":\"screenshot\"}"));
    assert_int_equal(d->result.when, ANSWER_WITH_SHOT);
    assert_int_equal(d->result.output, 2);
    assert_null(say(d, "{\"command\":\"screenshot\",\"output\":\"hall\"}"));
    assert_int_equal(d->result.output, 5);
}

static void files_are_added_or_refused_one_by_one(void **state)
{
    struct desk *d = *state;
    char line[1024], sub[128];
    folder_write(d->folder, "A - B.mp4", "x", 1);
    folder_write(d->folder, "empty.mp4", "", 0);
    folder_write(d->folder, "notes.txt", "x", 1);
    snprintf(sub, sizeof(sub), "%s/folder.mp4", d->folder);
    mkdir(sub, 0700);
    snprintf(sub, sizeof(sub), "%s/pipe.mp4", d->folder);
    mkfifo(sub, 0600);
    snprintf(line, sizeof(line),
             "{\"command\":\"add\",\"files\":[\"%s/A - B.mp4\",\"%s/A - B.mp4\",\"%s/none.mp4\","
             "\"%s/empty.mp4\",\"%s/notes.txt\",\"%s/folder.mp4\",\"%s/pipe.mp4\",\"b.mp4\",7]}",
             d->folder, d->folder, d->folder, d->folder, d->folder, d->folder, d->folder);
    const struct message *m = say_ok(d, line);
    assert_int_equal(message_count(m, "added"), 2); /* the same twice is what was asked for */
    assert_string_equal(message_str(message_object_at(m, "added", 1), "artist", ""), "A");
    static const char *const sentences[] = {
        "There is no such file.", "It is empty (0 bytes).", "does not end like", "It is a folder",
        "not a regular file",     "absolute path",          "absolute path",
    };
    assert_int_equal(message_count(m, "refused"), ARRAY_LEN(sentences));
    for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
        const struct message *r = message_object_at(m, "refused", i);
        assert_non_null(strstr(message_str(r, "error", ""), sentences[i]));
    }
    assert_string_equal(title_at(d, "main", 4), "B");
}

static void next_request_and_ids(void **state)
{
    struct desk *d = *state;
    char line[512];
    folder_write(d->folder, "New.mp4", "x", 1);
    snprintf(line, sizeof(line), "{\"command\":\"add\",\"files\":[\"%s/New.mp4\"],\"next\":true}",
             d->folder);
    say_ok(d, line);
    assert_string_equal(title_at(d, "main", 1), "New");
    snprintf(line, sizeof(line),
             "{\"command\":\"add\",\"files\":[\"%s/New.mp4\"],\"request\":\"Zoë\"}", d->folder);
    const struct message *m = say_ok(d, line);
    assert_string_equal(message_str(message_object_at(m, "added", 0), "requested_by", ""), "Zoë");
    assert_string_equal(message_str(message_object_at(m, "added", 0), "list", ""), "requests");
    const struct track_list *requests = &jukebox_queue(d->house.jukebox)->list[QUEUE_REQUESTS];
    assert_string_equal(requests->at[0]->requester_id, "djamms-box"); /* no guest of the venue */
    m = say_ok(d, "{\"command\":\"add\",\"ids\":[\"main:2\",\"dQw4w9WgXcQ\"]}");
    assert_int_equal(message_count(m, "added"), 1);
    assert_int_equal(message_count(m, "refused"), 1);
    assert_string_equal(title_at(d, "main", 4), "Two");
}

static void while_youtube_is_off_its_owner_is_told_first_what_turns_it_on(void **state)
{
    static const char *const words[] = { "https://www.youtube.com/watch?v=abcdefghij0",
                                         "abcdefghij0" };
    struct desk *d = *state;
    d->no_youtube = "YouTube is off: so it is turned on.";
    const struct message *m = say_ok(d, "{\"command\":\"add\",\"urls\":[\"https://"
                                        "www.youtube.com/watch?v=abcdefghij0\",\"abcdefghij0\"],"
                                        "\"ids\":[\"abcdefghij0\"]}");
    assert_int_equal(message_count(m, "added"), 0);
    assert_int_equal(message_count(m, "refused"), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct message *r = message_object_at(m, "refused", i);
        const char *error = message_str(r, "error", "");
        assert_ptr_equal(strstr(error, d->no_youtube), error);
        assert_null(strstr(error, "has this id"));
        assert_string_equal(message_str(r, "file", ""), words[i != 1]);
    }
}

static void a_song_of_youtube_that_is_in_the_cache_is_added_while_youtube_is_off(void **state)
{
    struct desk *d = *state;
    d->no_youtube = "YouTube is off.";
    d->cached = "abcdefghij0";
    const struct message *m =
        say_ok(d, "{\"command\":\"add\",\"urls\":[\"https://youtu.be/abcdefghij0\"],"
                  "\"ids\":[\"abcdefghij0\",\"abcdefghij1\"]}");
    assert_int_equal(message_count(m, "added"), 2);
    assert_int_equal(message_count(m, "refused"), 1);
}

static void several_added_as_next_keep_their_order(void **state)
{
    struct desk *d = *state;
    char line[512];
    folder_write(d->folder, "N1.mp4", "x", 1);
    folder_write(d->folder, "N2.mp4", "x", 1);
    snprintf(line, sizeof(line),
             "{\"command\":\"add\",\"files\":[\"%s/N1.mp4\",\"%s/N2.mp4\"],\"next\":true}",
             d->folder, d->folder);
    say_ok(d, line);
    assert_string_equal(title_at(d, "main", 1), "N1");
    assert_string_equal(title_at(d, "main", 2), "N2");
}

static void a_full_queue_refuses_the_rest_in_order(void **state)
{
    struct desk *d = *state;
    enum { FILES = 1500, LONG = 50000 };
    folder_write(d->folder, "Song.mp4", "x", 1);
    struct track *t = track_create(); /* a few of these leave no room for so many songs */
    char *title = calloc(1, LONG + 1);
    memset(title, 'x', LONG);
    track_set(&t->title, title);
    for (uint64_t i = 0; i + 2 < QUEUE_LOCAL_CHARS / LONG; i++) {
        struct queue_op op = { .kind = OP_ADD, .track = t, .seed = i };
        assert_int_equal(jukebox_apply(d->house.jukebox, &op), 0);
    }
    free(title);
    track_destroy(t);
    struct message *request = message_create();
    char path[128];
    snprintf(path, sizeof(path), "%s/Song.mp4", d->folder);
    message_set_str(request, "command", "add");
    for (int i = 0; i < FILES; i++)
        message_append_str(request, "files", path);
    char *line = message_text(request, false);
    const struct message *m = say_ok(d, line);
    size_t refused = message_count(m, "refused");
    assert_true(refused > 0 && message_count(m, "added") > 0);
    assert_int_equal(message_count(m, "added") + refused, FILES);
    for (size_t i = 0; i < refused; i++)
        assert_string_equal(message_str(message_object_at(m, "refused", i), "code", ""), "full");
    char part[64];
    size_t count = jukebox_queue(d->house.jukebox)->list[QUEUE_MAIN].count;
    snprintf(part, sizeof(part), "it holds %zu songs and 0 requests. Remove some", count);
    assert_non_null(strstr(message_str(message_object_at(m, "refused", 0), "error", ""), part));
    free(line);
    message_destroy(request);
}

static void a_file_that_is_added_again_has_its_duration(void **state)
{
    struct desk *d = *state;
    char line[256];
    snprintf(line, sizeof(line), "{\"command\":\"add\",\"files\":[\"%s/Again.mp4\"]}", d->folder);
    folder_write(d->folder, "Again.mp4", "x", 1);
    const struct message *m = say_ok(d, line);
    const struct message *t = message_object_at(m, "added", 0);
    assert_true(message_f64(t, "duration_s", -1) == 0);
    struct journal_state saved;
    jukebox_save(d->house.jukebox, &saved);
    size_t last = saved.queue.list[QUEUE_MAIN].count - 1;
    saved.queue.list[QUEUE_MAIN].at[last]->duration_s = 61;
    free(d->house.journal);
    d->house.journal = journal_text(&saved);
    journal_state_finish(&saved);
    house_power_cut(&d->house);
    say_ok(d, "{\"command\":\"clear\",\"lists\":\"all\"}");
    m = say_ok(d, line);
    t = message_object_at(m, "added", 0);
    assert_true(message_f64(t, "duration_s", -1) == 61);
}

static void status_tells_staff_what_to_do(void **state)
{
    struct desk *d = *state;
    const struct message *notice = message_object(say_ok(d, "{\"command\":\"status\"}"), "notice");
    assert_null(notice);
    jukebox_notice(d->house.jukebox, NOTICE_INFO, "Hello", "guests");
    notice = message_object(say_ok(d, "{\"command\":\"status\"}"), "notice");
    assert_string_equal(message_str(notice, "text", ""), "guests");
    house_run(&d->house, 6000);
    jukebox_set_paused(d->house.jukebox, true);
    house_save(&d->house);
    house_power_cut(&d->house);
    notice = message_object(say_ok(d, "{\"command\":\"status\"}"), "notice");
    assert_string_equal(message_str(notice, "title", ""), "Paused");
    assert_non_null(strstr(message_str(notice, "text", ""), "djamms resume"));
}

static void entries_are_named_by_id_key_or_index(void **state)
{
    struct desk *d = *state;
    static const char *const fields[] = { "id", "key" };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const struct message *q = say_ok(d, "{\"command\":\"queue\"}");
        char line[256], name[128];
        snprintf(name, sizeof(name), "%s",
                 message_str(message_object_at(q, "main", 2), fields[i], ""));
        snprintf(line, sizeof(line), "{\"command\":\"promote\",\"entry\":\"%s\"}", name);
        const struct message *m = say_ok(d, line);
        assert_int_equal(message_i64(message_object(m, "track"), "index", -1), 1);
        assert_string_equal(message_str(message_object(m, "track"), fields[i], ""), name);
    }
}

static void the_queue_is_changed_as_told(void **state)
{
    struct desk *d = *state;
    say_ok(d, "{\"command\":\"move\",\"entry\":\"main:2\",\"index\":1}");
    assert_string_equal(title_at(d, "main", 1), "Three");
    const struct message *m = say_ok(d, "{\"command\":\"remove\",\"entry\":\"main:1\"}");
    assert_string_equal(message_str(message_object(m, "track"), "title", ""), "Three");
    assert_string_equal(title_at(d, "main", 1), "Two");
    m = say_ok(d, "{\"command\":\"skip\"}");
    assert_string_equal(message_str(message_object(m, "now"), "title", ""), "Two");
    say_ok(d, "{\"command\":\"play-now\",\"entry\":\"main:1\"}");
    m = say_ok(d, "{\"command\":\"status\"}");
    assert_string_equal(message_str(message_object(m, "now"), "title", ""), "One");
    m = say_ok(d, "{\"command\":\"clear\",\"lists\":\"all\"}");
    assert_int_equal(message_i64(m, "removed", -1), 2);
    m = say_ok(d, "{\"command\":\"status\"}");
    assert_int_equal(message_i64(message_object(m, "now"), "index", 0), -1); /* it plays on */
}

static void what_plays_is_not_moved_and_the_answer_says_so(void **state)
{
    static const struct {
        const char *line;
        int index;
        bool is_moved;
    } cases[] = {
        { "{\"command\":\"move\",\"entry\":\"main:0\",\"index\":2}", 0, false },
        { "{\"command\":\"promote\",\"entry\":\"main:0\"}", 0, false },
        { "{\"command\":\"move\",\"entry\":\"main:2\",\"index\":0}", 1, true },
        { "{\"command\":\"promote\",\"entry\":\"main:1\"}", 1, false },
        { "{\"command\":\"move\",\"entry\":\"main:1\",\"index\":99}", 2, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct message *m = say_ok(*state, cases[i].line);
        const struct message *track = message_object(m, "track");
        assert_int_equal(message_i64(track, "index", -1), cases[i].index);
        assert_int_equal(message_bool(m, "is_moved", !cases[i].is_moved), cases[i].is_moved);
        assert_int_equal(message_bool(track, "is_playing", false), cases[i].index == 0);
    }
}

static void where_nothing_plays_nothing_is_skipped_or_sought(void **state)
{
    static const char *const lines[] = { "{\"command\":\"skip\"}",
                                         "{\"command\":\"seek\",\"position_s\":1}" };
    struct desk *d = *state;
    say_ok(d, "{\"command\":\"clear\",\"lists\":\"all\"}");
    assert_true(message_object(say_ok(d, "{\"command\":\"skip\"}"), "now") == NULL);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        const struct message *m = say(d, lines[i]);
        assert_false(message_bool(m, "ok", true));
        assert_string_equal(message_str(m, "code", ""), "not-found");
        assert_string_equal(message_str(m, "error", ""), "Nothing plays.");
    }
}

static void sound_and_position(void **state)
{
    struct desk *d = *state;
    assert_int_equal(message_i64(say_ok(d, "{\"command\":\"volume\",\"value\":30}"), "volume", 0),
                     30);
    assert_int_equal(message_i64(say_ok(d, "{\"command\":\"volume\",\"delta\":-50}"), "volume", 9),
                     0);
    assert_int_equal(message_i64(say_ok(d, "{\"command\":\"volume\",\"delta\":1e9}"), "volume", 0),
                     100);
    assert_true(message_bool(say_ok(d, "{\"command\":\"mute\"}"), "is_muted", false));
    assert_true(message_bool(say_ok(d, "{\"command\":\"mute\",\"on\":true}"), "is_muted", false));
    assert_false(message_bool(say_ok(d, "{\"command\":\"mute\"}"), "is_muted", true));
    static const char *const lines[] = {
        "{\"command\":\"subtitles\"}",
        "{\"command\":\"subtitles\",\"on\":true}",
        "{\"command\":\"subtitles\"}",
        "{\"command\":\"status\"}",
        "{\"command\":\"subtitles\",\"on\":false}",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        const struct message *s = message_object(say_ok(d, lines[i]), "subtitles");
        assert_int_equal(message_bool(s, "on", false), i > 0 && i < 4);
        assert_string_equal(message_str(s, "source", "?"), "");
    }
    const struct message *m = say_ok(d, "{\"command\":\"seek\",\"position_s\":4}");
    assert_true(message_f64(m, "position_s", 0) == 4);
    m = say_ok(d, "{\"command\":\"seek\",\"position_s\":3.0000004}");
    assert_true(message_f64(m, "position_s", 0) == 3); /* told to the millisecond */
    m = say_ok(d, "{\"command\":\"seek\",\"delta_s\":1e300}");
    assert_true(message_f64(m, "position_s", 0) == 9);
    say_ok(d, "{\"command\":\"toggle-pause\"}");
    m = say_ok(d, "{\"command\":\"status\"}");
    assert_string_equal(message_str(m, "state", ""), "paused");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_wrong_is_said_in_a_sentence),
        TEST(answers_to_changes_of_the_queue_wait_for_the_disk),
        TEST(status_tells_what_plays),
        TEST(counters_are_told_since_the_start_of_the_jukebox),
        TEST(an_output_that_goes_does_not_take_its_counts_away),
        TEST(a_screenshot_names_its_output_or_takes_the_first),
        TEST(files_are_added_or_refused_one_by_one),
        TEST(several_added_as_next_keep_their_order),
        TEST(a_full_queue_refuses_the_rest_in_order),
        TEST(a_file_that_is_added_again_has_its_duration),
        TEST(status_tells_staff_what_to_do),
        TEST(next_request_and_ids),
        TEST(while_youtube_is_off_its_owner_is_told_first_what_turns_it_on),
        TEST(a_song_of_youtube_that_is_in_the_cache_is_added_while_youtube_is_off),
        TEST(entries_are_named_by_id_key_or_index),
        TEST(the_queue_is_changed_as_told),
        TEST(what_plays_is_not_moved_and_the_answer_says_so),
        TEST(where_nothing_plays_nothing_is_skipped_or_sought),
        TEST(sound_and_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
