/* Whole commands against a player that answers what the test says: requests, output, exit status. */
#include "support.h"

#include <png.h>

#include "shm/control.h"

static const char *const client_commands[][4] = {
    { "status" },
    { "status", "--watch" },
    { "queue" },
    { "skip" },
    { "pause" },
    { "resume" },
    { "seek", "1:30" },
    { "volume" },
    { "volume", "+5" },
    { "mute" },
    { "mute", "on" },
    { "subtitles", "on" },
    { "subtitles", "status" },
    { "remove", "main:1" },
    { "promote", "main:1" },
    { "play-now", "main:1" },
    { "move", "main:1", "2" },
    { "shuffle" },
    { "clear" },
    { "history" },
    { "screenshot", "/tmp/never.png" },
    { "add", "dQw4w9WgXcQ" },
    { "search", "abba" },
};

static void without_a_jukebox_every_client_command_ends_with_3_and_says_so(void **state)
{
    char *dir = temp_dir();
    setenv("DJAMMS_RUNTIME_DIR", dir, 1);
    for (size_t i = 0; i < ARRAY_LEN(client_commands); i++) {
        const char *const *c = client_commands[i];
        struct run r = RUN(c[0], c[1], c[1] ? c[2] : NULL);
        assert_int_equal(r.code, 3);
        assert_string_equal(r.err,
                            "djamms: the jukebox is not running; start it with `djamms up`\n");
        assert_string_equal(r.out, "");
        run_finish(&r);
    }
    unsetenv("DJAMMS_RUNTIME_DIR");
    remove_dir(dir);
}

static void a_player_that_dies_in_the_middle_of_an_answer_is_a_failure(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(client_commands); i++) {
        const char *const *c = client_commands[i];
        if (c[1] && strcmp(c[1], "--watch") == 0)
            continue;
        struct fake_player p = FAKE_PLAYER("!{\"ok\": tr");
        setenv("DJAMMS_RUNTIME_DIR", p.dir, 1);
        struct run r = RUN(c[0], c[1], c[1] ? c[2] : NULL);
        assert_int_equal(r.code, 1);
        assert_contains(r.err, "the jukebox ended before it answered");
        run_finish(&r);
        free(fake_player_finish(&p));
    }
    unsetenv("DJAMMS_RUNTIME_DIR");
}

static const struct {
    const char *words[5];
    const char *answer;
    const char *request; /* part of what is sent */
    int code;
    const char *out; /* all of it; NULL: any */
    const char *err; /* part of it; NULL: nothing is said */
} exchange_cases[] = {
    { { "skip" },
      "{\"ok\":true,\"now\":{\"title\":\"T\",\"artist\":\"A\"}}",
      "\"skip\"",
      0,
      "A - T\n",
      NULL },
    { { "skip" }, "{\"ok\":true,\"now\":null}", "\"skip\"", 0, "nothing is left\n", NULL },
    { { "pause" },
      "{\"ok\":true,\"state\":\"paused\",\"now\":{\"title\":\"T\"}}",
      "\"pause\"",
      0,
      "paused: T\n",
      NULL },
    { { "resume" },
      "{\"ok\":true,\"state\":\"idle\",\"now\":null}",
      "\"resume\"",
      0,
      "idle: nothing is there to play\n",
      NULL },
    { { "seek", "1:30" }, "{\"ok\":true,\"position_s\":90}", "\"position_s\"", 0, "1:30\n", NULL },
    { { "seek", "-10" }, "{\"ok\":true,\"position_s\":0}", "\"delta_s\"", 0, "0:00\n", NULL },
    { { "seek", "soon" }, NULL, NULL, 2, "", "\"soon\" is no time" },
    { { "volume", "40" }, "{\"ok\":true,\"volume\":40}", "\"value\"", 0, "40\n", NULL },
    { { "volume", "-5" }, "{\"ok\":true,\"volume\":35}", "\"delta\"", 0, "35\n", NULL },
    { { "volume" }, "{\"ok\":true,\"volume\":35}", "\"status\"", 0, "35\n", NULL },
    { { "volume", "+500" }, "{\"ok\":true,\"volume\":100}", "\"delta\":100}", 0, "100\n", NULL },
    { { "volume", "-101" }, "{\"ok\":true,\"volume\":0}", "\"delta\":-100}", 0, "0\n", NULL },
    { { "volume", "+x" }, NULL, NULL, 2, "", "\"+x\" is no step" },
    { { "volume", "101" }, NULL, NULL, 2, "", "no number from 0 to 100" },
    { { "volume", "--json" },
      "{\"ok\":true,\"volume\":35}",
      "\"status\"",
      0,
      "{\"ok\":true,\"volume\":35}\n",
      NULL },
    { { "mute" }, "{\"ok\":true,\"is_muted\":true}", "\"mute\"", 0, "muted\n", NULL },
    { { "mute", "off" }, "{\"ok\":true,\"is_muted\":false}", "\"on\"", 0, "not muted\n", NULL },
    { { "subtitles", "on" },
      "{\"ok\":true,\"subtitles\":{\"on\":true,\"source\":\"song.de.srt\"}}",
      "\"on\":true",
      0,
      "subtitles are on\nthis song: song.de.srt\n",
      NULL },
    { { "subtitles", "status" },
      "{\"ok\":true,\"subtitles\":{\"on\":false,\"source\":\"\"}}",
      "\"subtitles\"",
      0,
      "subtitles are off\nthis song has none\n",
      NULL },
    { { "subtitles", "status", "--json" },
      "{\"ok\":true,\"subtitles\":{\"on\":false,\"source\":\"\"}}",
      "\"subtitles\"",
      0,
      "{\"ok\":true,\"subtitles\":{\"on\":false,\"source\":\"\"}}\n",
      NULL },
    { { "subtitles", "loud" }, NULL, NULL, 2, "", "neither on, off nor status" },
    { { "mute", "loud" }, NULL, NULL, 2, "", "neither on nor off" },
    { { "remove", "main:1" },
      "{\"ok\":true,\"track\":{\"title\":\"T\"}}",
      "\"main:1\"",
      0,
      "removed: T\n",
      NULL },
    { { "remove", "main:9" },
      "{\"ok\":false,\"code\":\"not-found\",\"error\":\"there is no main:9\"}",
      "\"remove\"",
      1,
      "",
      "there is no main:9" },
    { { "move", "main:3", "1" },
      "{\"ok\":true,\"track\":{\"id\":\"x\"}}",
      "\"index\"",
      0,
      "moved: x\n",
      NULL },
    { { "move", "main:3", "0" },
      "{\"ok\":true,\"track\":{\"title\":\"T\",\"list\":\"main\",\"index\":1},\"is_moved\":true}",
      "\"index\"",
      0,
      "moved to main:1: T\n",
      NULL },
    { { "move", "main:2", "2" },
      "{\"ok\":true,\"track\":{\"title\":\"T\",\"list\":\"main\",\"index\":2},\"is_moved\":false}",
      "\"index\"",
      0,
      "stays at main:2: T\n",
      NULL },
    { { "move", "main:0", "3" },
      "{\"ok\":true,\"track\":{\"title\":\"T\",\"list\":\"main\",\"index\":0,\"is_playing\":true},"
      "\"is_moved\":false}",
      "\"index\"",
      0,
      "stays at main:0, it is playing: T\n",
      NULL },
    { { "promote", "main:0" },
      "{\"ok\":true,\"track\":{\"title\":\"T\",\"list\":\"main\",\"index\":0,\"is_playing\":true},"
      "\"is_moved\":false}",
      "\"promote\"",
      0,
      "stays at main:0, it is playing: T\n",
      NULL },
    { { "promote", "main:1" },
      "{\"ok\":true,\"track\":{\"title\":\"T\",\"list\":\"main\",\"index\":1},\"is_moved\":false}",
      "\"promote\"",
      0,
      "next of its list: T\n",
      NULL },
    { { "move", "main:0", "3", "--json" },
      "{\"ok\":true,\"track\":{\"index\":0},\"is_moved\":false}",
      "\"index\"",
      0,
      "{\"ok\":true,\"track\":{\"index\":0},\"is_moved\":false}\n",
      NULL },
    { { "skip" },
      "{\"ok\":false,\"code\":\"not-found\",\"error\":\"Nothing plays.\"}",
      "\"skip\"",
      1,
      "",
      "djamms: Nothing plays.\n" },
    { { "move", "main:3", "-1" }, NULL, NULL, 2, "", "is no index" },
    { { "promote", "k" },
      "{\"ok\":true,\"track\":{\"title\":\"T\"}}",
      "\"promote\"",
      0,
      "next of its list: T\n",
      NULL },
    { { "play-now", "k" }, "{\"ok\":true}", "\"play-now\"", 0, "now: k\n", NULL },
    { { "shuffle" },
      "{\"ok\":true,\"count\":12}",
      "\"shuffle\"",
      0,
      "12 entries shuffled\n",
      NULL },
    { { "clear" }, "{\"ok\":true,\"removed\":1}", "\"main\"", 0, "1 entry removed\n", NULL },
    { { "clear", "all" },
      "{\"ok\":true,\"removed\":0}",
      "\"all\"",
      0,
      "0 entries removed\n",
      NULL },
    { { "clear", "everything" }, NULL, NULL, 2, "", "none of main, requests, all" },
    { { "skip" },
      "{\"ok\":false,\"code\":\"usage\",\"error\":\"no\"}",
      "\"skip\"",
      2,
      "",
      "djamms: no" },
    { { "skip" }, "{\"ok\":false}", "\"skip\"", 1, "", "the jukebox refused" },
    { { "skip" }, "[1,2]", "\"skip\"", 1, "", "no JSON object" },
    { { "skip" }, "not json", "\"skip\"", 1, "", "no JSON object" },
    { { "queue", "--json" },
      "{\"ok\":true,\"main\":[]}",
      "\"queue\"",
      0,
      "{\"ok\":true,\"main\":[]}\n",
      NULL },
    { { "queue" },
      "{\"ok\":true,\"main\":[],\"requests\":[]}",
      "\"queue\"",
      0,
      "the queue is empty; `djamms add FILE` fills it\n",
      NULL },
    { { "history" }, "{\"ok\":true,\"tracks\":[]}", "50", 0, "nothing was played yet\n", NULL },
    { { "history", "--limit", "3" }, "{\"ok\":true,\"tracks\":[]}", "3", 0, NULL, NULL },
    { { "history", "--limit", "0" }, NULL, NULL, 2, "", "no number from 1" },
    { { "search", "ab", "--next" }, NULL, NULL, 2, "", "search takes no option --next" },
    { { "search", "ab b\"a", "--json" },
      "{\"ok\":true,\"songs\":[{\"id\":\"x\"}],\"is_cut\":false}",
      "{\"command\":\"search\",\"words\":\"ab b\\\"a\",\"limit\":20}",
      0,
      "{\"ok\":true,\"songs\":[{\"id\":\"x\"}],\"is_cut\":false}\n",
      NULL },
    { { "search", "x", "--limit=2" },
      "{\"ok\":true,\"songs\":[{\"id\":\"dQw4w9WgXcQ\",\"title\":\"Li\\nne\",\"artist\":\"A\","
      "\"duration_s\":63,\"source\":\"/m/x y/A - B.mp4\"},{\"id\":\"file:00000000000000ff\","
      "\"title\":\"B\",\"artist\":\"\",\"duration_s\":0,\"source\":\"file:///m%FF/b.mp4\"}],"
      "\"is_cut\":true}",
      "\"limit\":2",
      0,
      "dQw4w9WgXcQ            A - Li ne  1:03  /m/x y\n"
      "file:00000000000000ff  B          -:--  /m\xef\xbf\xbd\n"
      "and more; --limit N shows them\n",
      NULL },
    { { "search", "x" },
      "{\"ok\":true,\"songs\":[],\"is_cut\":false}",
      "\"search\"",
      1,
      "no song of the library has these words\n",
      NULL },
    { { "search" }, NULL, NULL, 2, "", "something is missing: djamms search WORDS" },
    { { "search", "a", "--limit=0" }, NULL, NULL, 2, "", "no number from 1 to 500" },
    { { "status", "--next" }, NULL, NULL, 2, "", "status takes no option --next" },
    { { "add", "" }, NULL, NULL, 2, "", "add: an empty word names nothing" },
    { { "remove", "" }, NULL, NULL, 2, "", "remove: an empty word names nothing" },
    { { "screenshot", "x.jpg" }, NULL, NULL, 2, "", "x.jpg: only PNG pictures are written" },
    { { "screenshot", "/a.b/c.png.gif" }, NULL, NULL, 2, "", "only PNG pictures" },
    { { "screenshot", "/a.b/c" }, "{\"ok\":true}", "\"screenshot\"", 1, "", "cannot be read" },
    { { "screenshot", "/a.b/c.PNG" }, "{\"ok\":true}", "\"screenshot\"", 1, "", "cannot be read" },
    { { "status", "now" }, NULL, NULL, 2, "", "\"now\" is one word too many" },
    { { "remove" }, NULL, NULL, 2, "", "something is missing: djamms remove ENTRY" },
    { { "stauts" }, NULL, NULL, 2, "", "did you mean status?" },
};

static void commands_send_print_and_end_as_promised(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(exchange_cases); i++) {
        const char *answer = exchange_cases[i].answer;
        const char *text = answer ? answer : "{}";
        struct fake_player p = FAKE_PLAYER(text, text); /* some ask again what is so now */
        setenv("DJAMMS_RUNTIME_DIR", p.dir, 1);
        struct run r = run_words(exchange_cases[i].words);
        char *requests = fake_player_finish(&p);
        if (r.code != exchange_cases[i].code)
            fail_msg("%s: ended with %d: %s", exchange_cases[i].words[0], r.code, r.err);
        if (exchange_cases[i].out)
            assert_string_equal(r.out, exchange_cases[i].out);
        if (exchange_cases[i].err)
            assert_contains(r.err, exchange_cases[i].err);
        else
            assert_string_equal(r.err, "");
        if (exchange_cases[i].request)
            assert_contains(requests, exchange_cases[i].request);
        else
            assert_string_equal(requests, "");
        free(requests);
        run_finish(&r);
    }
    unsetenv("DJAMMS_RUNTIME_DIR");
}

static const char status_line[] =
    "{\"ok\":true,\"state\":\"playing\",\"now\":{\"title\":\"Ti\\ntle \\\"x\\\"\",\"artist\":\"A\","
    "\"position_s\":61,\"duration_s\":200,\"is_request\":true,\"requested_by\":\"Bo\\u001b[31m\"},"
    "\"next\":[{\"title\":\"N1\"},{\"title\":\"N2\"}],\"counts\":{\"main\":4,\"requests\":1},"
    "\"volume\":60,\"is_muted\":true,\"notice\":{\"title\":\"Oh\",\"text\":\"why\",\"is_problem\":"
    "true},\"library\":{\"files\":3,\"away\":1,\"is_scanning\":true,\"problem\":\"/x: no\\u001b\"},"
    "\"outputs\":[{\"name\":\"HDMI-A-1\",\"width\":1920,\"height\":1080,\"refresh_hz\":59.94,"
    "\"presented\":100,\"late\":1,\"dropped\":2,\"repeated\":3}],\"sound\":{\"driver\":\"alsa\","
    "\"device\":\"hdmi\\u001b\",\"xruns\":2},\"hardware\":{\"plays\":[\"h264\"],\"files\":3,"
    "\"given_up\":[\"hevc\",7]},\"processes\":[{\"name\":"
    "\"stage\","
    "\"pid\":7,\"starts\":2,\"is_alive\":false},{\"name\":\"hub\",\"pid\":9,\"is_alive\":true,"
    "\"address\":\"http://h:1/v1\"},{\"name\":\"gone\",\"pid\":0,\"is_alive\":false,"
    "\"address\":\"\"}],\"underruns\":5}";

static void figures_are_printed_as_they_are_told(void **state)
{
    struct fake_player p = FAKE_PLAYER(status_line);
    struct run r = RUN("metrics", "--runtime-dir", p.dir);
    assert_int_equal(r.code, 0);
    assert_contains(r.out, "# TYPE djamms_output_frames_late_total counter\n"
                           "djamms_output_frames_late_total{output=\"HDMI-A-1\"} 1\n");
    assert_contains(r.out, "djamms_sound_underruns_total 5\n");
    run_finish(&r);
    char *request = fake_player_finish(&p);
    assert_contains(request, "status");
    free(request);
    r = RUN("metrics", "--runtime-dir", "/nonexistent");
    assert_int_equal(r.code, 3);
    assert_string_equal(r.out, "");
    run_finish(&r);
}

static void the_board_is_shown_where_it_says_something(void **state)
{
    static const char *const shown[][2] = {
        { "null", NULL },
        { "{\"board\":null,\"temperature_c\":null,\"undervoltage\":null}", NULL },
        { "{\"board\":\"Raspberry Pi 4\",\"temperature_c\":61.3,\"throttled\":false}",
          "board      Raspberry Pi 4, 61.3 C\n" },
        { "{\"temperature_c\":82,\"undervoltage\":true,\"throttled\":true}",
          "board      82.0 C; its power supply is too weak; it is slowed down\n" },
    };
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        char *line = xasprintf("{\"ok\":true,\"state\":\"idle\",\"health\":%s}", shown[i][0]);
        struct fake_player p = FAKE_PLAYER(line);
        struct run r = RUN("status", "--runtime-dir", p.dir);
        if (shown[i][1])
            assert_contains(r.out, shown[i][1]);
        else
            assert_null(strstr(r.out, "board"));
        run_finish(&r);
        free(fake_player_finish(&p));
        free(line);
    }
}

static void status_tells_all_and_lets_no_control_bytes_through(void **state)
{
    static const char *const parts[] = { "playing",
                                         "A - Ti tle \"x\"",
                                         "1:01 / 3:20",
                                         "a request of Bo",
                                         "N1",
                                         "N2",
                                         "4 main, 1 requests",
                                         "60 (muted)",
                                         "Oh: why",
                                         "library    3 songs, 1 not there now; its folders are",
                                         "/x: no",
                                         "HDMI-A-1  1920x1080  59.94 Hz",
                                         "presented 100, late 1, dropped 2, repeated 3",
                                         "sound      alsa hdmi",
                                         "ran dry 2 times",
                                         "decoding   h264 by the board's decoder; it has failed 3",
                                         ", hevc is given up",
                                         "stage  pid 7  not running  started 2 times",
                                         "hub  pid 9  http://h:1/v1\n",
                                         "gone  not running\n",
                                         "5" };
    struct fake_player p = FAKE_PLAYER(status_line);
    struct run r = RUN("status", "--runtime-dir", p.dir);
    assert_int_equal(r.code, 0);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        assert_contains(r.out, parts[i]);
    assert_null(strchr(r.out, '\x1b'));
    run_finish(&r);
    free(fake_player_finish(&p));
}

/* Answers of any shape: fields missing, of other types, absurd numbers. */
static void answers_of_any_shape_do_no_harm(void **state)
{
    static const char *const answers[] = {
        "{\"ok\":true}",
        "{\"ok\":true,\"now\":[],\"next\":{},\"counts\":7,\"outputs\":[1,null,{}],\"processes\":[[]"
        "],"
        "\"notice\":{},\"volume\":\"x\",\"main\":[1,{},null],\"requests\":{\"a\":1},\"tracks\":[3,{"
        "}],"
        "\"track\":4,\"added\":5,\"refused\":[1,{}]}",
        "{\"ok\":true,\"now\":{\"position_s\":1e300,\"duration_s\":-5,\"title\":5},\"volume\":1e18,"
        "\"main\":[{\"duration_s\":1e300,\"index\":-9e18,\"title\":\"\"}],\"tracks\":[{\"played_"
        "s\":-1}],"
        "\"position_s\":1e300,\"count\":-1,\"removed\":1e30,\"width\":-1,\"height\":1e18,"
        "\"stride\":9e18}",
    };
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        for (size_t k = 0; k < ARRAY_LEN(client_commands); k++) {
            const char *const *c = client_commands[k];
            if (c[1] && strcmp(c[1], "--watch") == 0)
                continue;
            struct fake_player p = FAKE_PLAYER(answers[i], answers[i]);
            setenv("DJAMMS_RUNTIME_DIR", p.dir, 1);
            struct run r = RUN(c[0], c[1], c[1] ? c[2] : NULL);
            assert_true(r.code == 0 || r.code == 1);
            run_finish(&r);
            free(fake_player_finish(&p));
        }
    }
    unsetenv("DJAMMS_RUNTIME_DIR");
}

static void the_queue_is_listed_in_aligned_columns(void **state)
{
    struct fake_player p = FAKE_PLAYER(
        "{\"ok\":true,\"requests\":[{\"title\":\"R\",\"index\":0,\"duration_s\":65,\"requested_"
        "by\":\"Ann\"}],"
        "\"main\":[{\"title\":\"\xe6\x97\xa5\xe6\x9c\xac\",\"artist\":\"A\",\"index\":0,\"duration_"
        "s\":3600,"
        "\"is_playing\":true},{\"title\":\"Bad\",\"index\":1,\"unplayable\":\"no video\"}]}");
    struct run r = RUN("queue", "--runtime-dir", p.dir);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.out, "requests:0  R            1:05  for Ann\n"
                               "main:0      A - \xe6\x97\xa5\xe6\x9c\xac  1:00:00  playing\n"
                               "main:1      Bad          -:--  cannot be played: no video\n");
    run_finish(&r);
    free(fake_player_finish(&p));
}

static void the_history_is_in_local_time(void **state)
{
    static const char answer[] =
        "{\"ok\":true,\"tracks\":[{\"title\":\"T\",\"started_at\":\"2026-08-14T22:15:03.250Z\","
        "\"ended_at\":\"2026-08-14T22:17:03Z\",\"played_s\":120,\"how\":\"ended\"},null,"
        "{\"title\":\"U\",\"started_at\":\"soon\",\"how\":\"failed\"},"
        "{\"title\":\"V\",\"started_at\":\"now\",\"played_s\":0.3,\"how\":\"skipped\"},"
        "{\"title\":\"W\",\"started_at\":\"now\",\"played_s\":0,\"how\":\"failed\"}]}";
    struct fake_player p = FAKE_PLAYER(answer, answer);
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    struct run r = RUN("history", "--runtime-dir", p.dir);
    assert_string_equal(r.out, "2026-08-15 00:15  T  2:00  ended\n"
                               "soon              U  -:--  failed\n"
                               "now               V  0:00  skipped\n"
                               "now               W  0:00  failed\n");
    run_finish(&r);
    r = RUN("history", "--json", "--runtime-dir", p.dir);
    assert_contains(r.out, "{\"ok\":true,\"tracks\":[{\"title\":\"T\","
                           "\"started_at\":\"2026-08-15T00:15:03.250+02:00\","
                           "\"ended_at\":\"2026-08-15T00:17:03+02:00\",\"played_s\":120");
    assert_contains(r.out, "\"started_at\":\"soon\"");
    run_finish(&r);
    unsetenv("TZ");
    free(fake_player_finish(&p));
}

static void watch_prints_changes_until_the_jukebox_ends(void **state)
{
    /* The third line changes only the position. */
    struct fake_player p = FAKE_PLAYER("!{\"ok\":true,\"state\":\"playing\",\"volume\":5,\"now\":{"
                                       "\"title\":\"A\",\"position_s\":1}}\n"
                                       "{\"ok\":true,\"state\":\"paused\",\"volume\":5,\"now\":{"
                                       "\"title\":\"A\",\"position_s\":2}}\n"
                                       "{\"ok\":true,\"state\":\"paused\",\"volume\":5,\"now\":{"
                                       "\"title\":\"A\",\"position_s\":3}}\n");
    struct run r = RUN("status", "--watch", "--runtime-dir", p.dir);
    assert_int_equal(r.code, 3);
    assert_string_equal(r.out, "playing  volume 5  A\npaused  volume 5  A\n");
    assert_contains(r.err, "the jukebox ended");
    run_finish(&r);
    free(fake_player_finish(&p));
}

static void a_watch_that_is_refused_ends_with_the_reason(void **state)
{
    struct fake_player p =
        FAKE_PLAYER("{\"ok\":false,\"code\":\"full\",\"error\":\"Too many clients.\"}");
    struct run r = RUN("status", "--watch", "--runtime-dir", p.dir);
    assert_int_equal(r.code, 1);
    assert_string_equal(r.out, "");
    assert_string_equal(r.err, "djamms: Too many clients.\n");
    run_finish(&r);
    free(fake_player_finish(&p));
}

/* ---- screenshot ------------------------------------------------------------------------------------ */

static const struct {
    long width, height, stride, pixel_bytes;
    const char *err; /* NULL: it works */
} shot_cases[] = {
    { 4, 2, 16, 4096, NULL },
    { 4, 2, 16, 32, NULL },
    { 4, 2, 16, 31, "damaged" },
    { 4, 2, 15, 4096, "damaged" },
    { 0, 0, 0, 4096, "damaged" },
    { -4, 2, 16, 4096, "damaged" },
    { 1L << 40, 1L << 40, 1L << 42, 4096, "damaged" },
    { 16384, 16384, 65536, 4096, "damaged" },
};

static void make_segment(const char *dir, long pixel_bytes)
{
    char *path = xasprintf("%s/shm", dir);
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    free(path);
    path = xasprintf("%s/shm/shot", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    off_t head = offsetof(struct shot_segment, pixels);
    assert_int_equal(ftruncate(fd, head + pixel_bytes), 0);
    assert_int_equal(pwrite(fd, "\x01\x02\x03\x00", 4, head), 4);
    close(fd);
    free(path);
}

static void a_screenshot_is_a_picture_and_its_measures_are_not_trusted(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(shot_cases); i++) {
        char answer[256];
        snprintf(
            answer, sizeof(answer),
            "{\"ok\":true,\"output\":\"HDMI-A-1\",\"width\":%ld,\"height\":%ld,\"stride\":%ld}",
            shot_cases[i].width, shot_cases[i].height, shot_cases[i].stride);
        struct fake_player p = FAKE_PLAYER(answer);
        char *file = xasprintf("%s/out.png", p.dir);
        make_segment(p.dir, shot_cases[i].pixel_bytes);
        struct run r = RUN("screenshot", file, "--output", "HDMI-A-1", "--runtime-dir", p.dir);
        assert_int_equal(r.code, shot_cases[i].err ? 1 : 0);
        if (shot_cases[i].err) {
            assert_contains(r.err, shot_cases[i].err);
            assert_int_equal(access(file, F_OK), -1);
        } else {
            png_image image = { .version = PNG_IMAGE_VERSION };
            assert_contains(r.out, "4x2 of HDMI-A-1: ");
            assert_int_not_equal(png_image_begin_read_from_file(&image, file), 0);
            assert_int_equal(image.width, 4);
            png_image_free(&image);
        }
        run_finish(&r);
        free(file);
        char *requests = fake_player_finish(&p);
        assert_contains(requests, "\"output\":\"HDMI-A-1\"");
        free(requests);
    }
}

static void a_missing_picture_segment_is_told(void **state)
{
    struct fake_player p = FAKE_PLAYER("{\"ok\":true,\"width\":4,\"height\":2,\"stride\":16}");
    struct run r = RUN("screenshot", "/tmp/never.png", "--runtime-dir", p.dir);
    assert_int_equal(r.code, 1);
    assert_contains(r.err, "cannot be read: No such file");
    run_finish(&r);
    free(fake_player_finish(&p));
}

static void a_screenshot_never_replaces_what_is_no_file(void **state)
{
    struct fake_player p = FAKE_PLAYER("{\"ok\":true,\"width\":4,\"height\":2,\"stride\":16}");
    char *pipe = xasprintf("%s/pipe", p.dir);
    struct stat st;
    make_segment(p.dir, 4096);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    struct run r = RUN("screenshot", pipe, "--runtime-dir", p.dir);
    assert_int_equal(r.code, 1);
    assert_contains(r.err, "/pipe: this is no regular file");
    assert_int_equal(stat(pipe, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    run_finish(&r);
    free(pipe);
    free(fake_player_finish(&p));
}

/* ---- what is printed ------------------------------------------------------------------------------- */

/* Runs `help` on an output that takes nothing. */
static int run_help_on(FILE *out, char **err)
{
    const char *argv[] = { "djamms", "help" };
    size_t len;
    FILE *errors = open_memstream(err, &len);
    int code = cli_run(2, (char **)argv, out, errors);
    fclose(errors);
    fclose(out);
    return code;
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
    char *err;
    int ends[2];
    assert_int_equal(run_help_on(fopen("/dev/full", "w"), &err), 1);
    assert_string_equal(err, "djamms: not all output could be written: No space left on device\n");
    free(err);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(run_help_on(fdopen(ends[1], "w"), &err), 1);
    assert_string_equal(err, ""); /* who does not read on has seen enough */
    free(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_jukebox_every_client_command_ends_with_3_and_says_so),
        cmocka_unit_test(a_player_that_dies_in_the_middle_of_an_answer_is_a_failure),
        cmocka_unit_test(commands_send_print_and_end_as_promised),
        cmocka_unit_test(figures_are_printed_as_they_are_told),
        cmocka_unit_test(the_board_is_shown_where_it_says_something),
        cmocka_unit_test(status_tells_all_and_lets_no_control_bytes_through),
        cmocka_unit_test(answers_of_any_shape_do_no_harm),
        cmocka_unit_test(the_queue_is_listed_in_aligned_columns),
        cmocka_unit_test(the_history_is_in_local_time),
        cmocka_unit_test(watch_prints_changes_until_the_jukebox_ends),
        cmocka_unit_test(a_watch_that_is_refused_ends_with_the_reason),
        cmocka_unit_test(a_screenshot_is_a_picture_and_its_measures_are_not_trusted),
        cmocka_unit_test(a_missing_picture_segment_is_told),
        cmocka_unit_test(a_screenshot_never_replaces_what_is_no_file),
        cmocka_unit_test(output_that_cannot_be_written_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
