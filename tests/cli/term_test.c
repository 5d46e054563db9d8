/* Columns, cutting, tables, lines of several programs, keys, restarts: what is pure. */
#include "support.h"

#include <locale.h>

#include "cli/keys.h"
#include "cli/line_split.h"
#include "cli/local_time.h"
#include "cli/log_merge.h"
#include "cli/restart.h"
#include "cli/status_line.h"
#include "cli/term.h"

static const struct {
    const char *text;
    int columns;
    const char *want;
    int shown;
} fit_cases[] = {
    { "abc", 0, "abc", 3 },
    { "abc", 3, "abc", 3 },
    { "abcd", 3, "ab\xe2\x80\xa6", 3 },
    { "abcd", 1, "\xe2\x80\xa6", 1 },
    { "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 6, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 6 },
    { "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 5, "\xe6\x97\xa5\xe6\x9c\xac\xe2\x80\xa6", 5 },
    { "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, "\xe6\x97\xa5\xe2\x80\xa6", 3 },
    { "e\xcc\x81"
      "a",
      2,
      "e\xcc\x81"
      "a",
      2 },
    { "a\nb\x1b[31mc", 0, "a b [31mc", 9 },
    { "a\xff", 0, "a\xef\xbf\xbd", 2 },
    { "", 5, "", 0 },
};

static void text_is_cut_by_columns_not_by_bytes(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(fit_cases); i++) {
        char out[64];
        int shown = text_fit(out, sizeof(out), fit_cases[i].text, fit_cases[i].columns);
        assert_string_equal(out, fit_cases[i].want);
        assert_int_equal(shown, fit_cases[i].shown);
    }
}

static void text_longer_than_its_buffer_is_cut_at_a_character(void **state)
{
    char out[5];
    text_fit(out, sizeof(out), "a\xe6\x97\xa5\xe6\x97\xa5", 0);
    assert_string_equal(out, "a\xe6\x97\xa5");
}

static const struct {
    double seconds;
    const char *want;
} duration_cases[] = {
    { 0, "-:--" },       { -1, "-:--" },      { 1e300, "-:--" },
    { 1, "0:01" },       { 59.6, "1:00" },    { 187, "3:07" },
    { 3599.4, "59:59" }, { 3723, "1:02:03" }, { 36000, "10:00:00" },
};

static void durations_are_short_and_unknown_ones_are_dashes(void **state)
{
    char out[32];
    for (size_t i = 0; i < ARRAY_LEN(duration_cases); i++)
        assert_string_equal(text_duration(out, sizeof(out), duration_cases[i].seconds),
                            duration_cases[i].want);
    assert_string_equal(text_duration(out, sizeof(out), 0.0 / 0.0 * 1), "-:--");
}

static char *print_table(int width)
{
    static const char *const cells[] = { "1", "a long title here", "1:00", "22", "x", "-:--" };
    char *text;
    size_t len;
    struct term term = { .out = open_memstream(&text, &len), .width = width };
    struct table t;
    table_init(&t, 3, 1);
    t.right[0] = true;
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        table_add(&t, STYLE_BAD, cells[i]);
    table_print(&t, &term);
    table_finish(&t);
    fclose(term.out);
    return text;
}

static void tables_are_aligned_and_fit_the_terminal_without_colour_in_files(void **state)
{
    char *text = print_table(0);
    assert_string_equal(text, " 1  a long title here  1:00\n22  x                  -:--\n");
    free(text);
    text = print_table(20);
    assert_string_equal(text, " 1  a long ti\xe2\x80\xa6  1:00\n22  x           -:--\n");
    free(text);
}

static void one_long_cell_does_not_fill_the_rows_of_a_file(void **state)
{
    char *text, name[201] = "";
    size_t len;
    memset(name, 'x', sizeof(name) - 1);
    struct term term = { .out = open_memstream(&text, &len) };
    struct table t;
    table_init(&t, 2, 0);
    const char *const cells[] = { name, "1:00", "short", "2:00" };
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        table_add(&t, STYLE_PLAIN, cells[i]);
    table_print(&t, &term);
    table_finish(&t);
    fclose(term.out);
    char *second = strchr(text, '\n') + 1;
    assert_int_equal(strspn(text, "x"), 200); /* nothing is cut */
    assert_true(strlen(second) < 60);
    assert_contains(second, "short  ");
    free(text);
}

static const struct {
    const char *zone, *utc, *text, *iso;
} time_cases[] = {
    { "UTC0", "2026-01-31T23:59:59.999Z", "2026-01-31 23:59", "2026-01-31T23:59:59.999+00:00" },
    { "XXX-5:30", "2026-01-31T23:59:59Z", "2026-02-01 05:29", "2026-02-01T05:29:59+05:30" },
    { "XXX3:30", "2026-01-01T00:00:00Z", "2025-12-31 20:30", "2025-12-31T20:30:00-03:30" },
    { "UTC0", "2026-01-31", "2026-01-31", "2026-01-31" },
    { "UTC0", "2026-01-31T23:59:59+01:00", "2026-01-31T23:59:59+01:00",
      "2026-01-31T23:59:59+01:00" },
    { "UTC0", "2026-01-31T23:59:59.0000000000000000Z", "2026-01-31T23:59:59.0000000000000000Z",
      NULL },
    { "UTC0", "", "", "" },
};

static void times_are_shown_in_the_zone_of_the_machine(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(time_cases); i++) {
        char out[64];
        setenv("TZ", time_cases[i].zone, 1);
        const char *iso = time_cases[i].iso ? time_cases[i].iso : time_cases[i].text;
        assert_string_equal(local_time_text(out, sizeof(out), time_cases[i].utc),
                            time_cases[i].text);
        assert_string_equal(local_time_iso(out, sizeof(out), time_cases[i].utc), iso);
    }
    unsetenv("TZ");
}

/* ---- lines --------------------------------------------------------------------------------------- */

static void collect(void *ctx, const char *line)
{
    struct buf *b = ctx;
    assert_int_equal(buf_printf(b, "[%s]", line), 0);
}

static void lines_come_whole_however_they_are_cut(void **state)
{
    static const char text[] = "one\n\ntwo three\nfour";
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        struct buf got;
        struct line_split l;
        buf_init(&got, 4096);
        line_split_init(&l, collect, &got);
        for (size_t i = 0; i < strlen(text); i += piece) {
            size_t left = strlen(text) - i;
            line_split_feed(&l, text + i, left < piece ? left : piece);
        }
        line_split_end(&l);
        assert_string_equal(got.data, "[one][][two three][four]");
        buf_finish(&got);
    }
}

static void a_line_without_end_is_given_in_parts(void **state)
{
    struct buf got;
    struct line_split l;
    char *text = xcalloc(1, 5001);
    memset(text, 'x', 5000);
    buf_init(&got, 16384);
    line_split_init(&l, collect, &got);
    line_split_feed(&l, text, 5000);
    line_split_end(&l);
    assert_int_equal(got.len, 5000 + 2 * 3); /* three parts in brackets */
    buf_finish(&got);
    free(text);
}

static void lines_about_as_long_as_the_buffer_lose_nothing(void **state)
{
    for (size_t len = LINE_SPLIT_MAX - 4; len < LINE_SPLIT_MAX + 4; len++) {
        struct buf got;
        struct line_split l;
        char *text = xcalloc(1, len + 6), *want = xcalloc(1, len + 16);
        memset(text, 'x', len);
        strcpy(text + len, "\nend\n");
        size_t first = len < LINE_SPLIT_MAX ? len : LINE_SPLIT_MAX - 1;
        snprintf(want, len + 16, first < len ? "[%.*s][%.*s][end]" : "[%.*s]%.*s[end]", (int)first,
                 text, (int)(len - first), text);
        buf_init(&got, 16384);
        line_split_init(&l, collect, &got);
        line_split_feed(&l, text, len + 5);
        line_split_end(&l);
        assert_string_equal(got.data, want);
        buf_finish(&got);
        free(text);
        free(want);
    }
}

static void lines_stand_behind_an_aligned_name(void **state)
{
    int ends[2];
    char got[256];
    struct log_merge m;
    assert_int_equal(pipe(ends), 0);
    log_merge_init(&m, ends[1], false, 6);
    log_merge_line(&m, 0, "stage", "hello\x1b[2J \xff");
    log_merge_line(&m, 1, "player", "x");
    ssize_t n = read(ends[0], got, sizeof(got) - 1);
    got[n > 0 ? n : 0] = '\0';
    assert_string_equal(got, "stage  | hello [2J \xef\xbf\xbd\nplayer | x\n");
    log_merge_init(&m, ends[1], true, 6);
    log_merge_line(&m, 0, "stage", "x");
    n = read(ends[0], got, sizeof(got) - 1);
    got[n > 0 ? n : 0] = '\0';
    assert_string_equal(got, "\x1b[36mstage \x1b[0m | x\n");
    close(ends[0]);
    close(ends[1]);
}

static void a_reader_that_takes_nothing_never_blocks_and_losses_are_counted(void **state)
{
    int ends[2];
    char got[8192];
    struct log_merge m;
    assert_int_equal(pipe(ends), 0);
    log_merge_init(&m, ends[1], false, 6);
    for (int i = 0; i < 20000; i++)
        log_merge_line(&m, 0, "stage", "line");
    unsigned lost = m.lost;
    assert_true(lost > 0 && lost < 20000);
    assert_int_equal(read(ends[0], got, sizeof(got)), sizeof(got)); /* room again */
    log_merge_line(&m, 0, "stage", "last");
    assert_int_equal(m.lost, 0);
    char want[64], *all = xcalloc(1, 200000);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    for (ssize_t n, at = 0; (n = read(ends[0], all + at, 4096)) > 0; at += n)
        ;
    snprintf(want, sizeof(want), "djamms | %u lines were lost here\nstage  | last\n", lost);
    assert_contains(all, want);
    free(all);
    close(ends[0]);
    close(ends[1]);
}

static void a_line_below_gives_way_to_what_is_written_and_comes_back(void **state)
{
    int ends[2];
    char got[256];
    struct log_merge m;
    struct status_line below;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    log_merge_init(&m, ends[1], false, 6);
    status_line_init(&below, ends[1]);
    m.below = &below;
    log_merge_line(&m, 0, "stage", "first"); /* nothing is below yet */
    status_line_set(&below, "A 0:01");
    status_line_set(&below, "A 0:01"); /* the same: not drawn again */
    status_line_set(&below, "A 0:02");
    log_merge_line(&m, 0, "stage", "second");
    status_line_set(&below, "");
    log_merge_line(&m, 0, "stage", "third");
    ssize_t n = read(ends[0], got, sizeof(got) - 1);
    got[n > 0 ? n : 0] = '\0';
    assert_string_equal(got, "stage  | first\nA 0:01\r\x1b[KA 0:02\r\x1b[Kstage  | second\nA 0:02"
                             "\r\x1b[Kstage  | third\n");
    close(ends[0]);
    close(ends[1]);
}

static const struct {
    const char *status;
    int columns;
    const char *want;
} status_line_cases[] = {
    { "{\"state\":\"playing\",\"volume\":60,\"now\":{\"title\":\"T\",\"artist\":\"A\","
      "\"position_s\":0.2,\"duration_s\":200}}",
      79, "playing  A - T  0:00 / 3:20  volume 60" },
    { "{\"state\":\"paused\",\"volume\":60,\"is_muted\":true,\"now\":{\"title\":\"a long "
      "\\u001btitle "
      "here\",\"position_s\":61}}",
      50, "paused  a long  t\xe2\x80\xa6  1:01 / -:--  volume 60 (muted)" },
    { "{\"state\":\"idle\",\"volume\":0}", 79, "idle  nothing plays  volume 0" },
    { "{\"state\":\"playing\",\"volume\":60}", 12, "playing  no\xe2\x80\xa6" },
    { "{\"volume\":9e18,\"now\":{\"position_s\":1e300,\"duration_s\":-1}}", 60, NULL },
};

static void the_status_line_fits_the_terminal(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(status_line_cases); i++) {
        char out[STATUS_LINE_MAX];
        const char *text = status_line_cases[i].status;
        struct message *m = message_parse(text, strlen(text), NULL, 0);
        assert_non_null(m);
        status_line_text(out, sizeof(out), m, status_line_cases[i].columns);
        if (status_line_cases[i].want)
            assert_string_equal(out, status_line_cases[i].want);
        assert_true(text_columns(out) <= status_line_cases[i].columns);
        message_destroy(m);
    }
}

/* ---- keys ---------------------------------------------------------------------------------------- */

static const struct {
    const char *bytes;
    enum key want[4];
} key_cases[] = {
    { " ", { KEY_PAUSE } },
    { "n", { KEY_NEXT } },
    { "q", { KEY_QUIT } },
    { "m", { KEY_MUTE } },
    { "\x1b[C", { KEY_NEXT } },
    { "\x1b[D", { KEY_RESTART } },
    { "\x1b[A\x1b[B", { KEY_LOUDER, KEY_SOFTER } },
    { "\x1bOA", { KEY_LOUDER } },
    { "\x1b[1;5C", { KEY_NEXT } },
    { "\x1b[3~q", { KEY_QUIT } },
    { "\x1bq", { KEY_QUIT } },
    { "\x1b\x1b[A", { KEY_LOUDER } },
    { "zN\x80\x7f", { KEY_NONE } },
    { "[A", { KEY_NONE } },
};

static void keys_and_arrow_sequences_are_known(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(key_cases); i++) {
        struct key_parser p = { 0 };
        size_t n = 0;
        for (const char *b = key_cases[i].bytes; *b; b++) {
            enum key key = key_parse(&p, (unsigned char)*b);
            if (key != KEY_NONE)
                assert_int_equal(key, key_cases[i].want[n++]);
        }
        assert_int_equal(key_cases[i].want[n], KEY_NONE);
    }
}

static void escape_alone_quits_and_a_sequence_does_not(void **state)
{
    struct key_parser p = { 0 };
    assert_false(key_is_open(&p));
    assert_int_equal(key_parse(&p, 0x1b), KEY_NONE);
    assert_true(key_is_open(&p));
    assert_int_equal(key_end(&p), KEY_QUIT);
    assert_int_equal(key_parse(&p, 'n'), KEY_NEXT); /* no longer behind an escape */
    assert_int_equal(key_parse(&p, 0x1b), KEY_NONE);
    assert_int_equal(key_parse(&p, '['), KEY_NONE);
    assert_false(key_is_open(&p));
    assert_int_equal(key_end(&p), KEY_NONE);
}

/* ---- restarts ------------------------------------------------------------------------------------ */

static void restarts_are_immediate_once_then_wait_longer_but_never_long(void **state)
{
    static const int64_t want_ms[] = { 0, 100, 200, 400, 800, 800, 800, 800 };
    struct restart r = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(want_ms); i++)
        assert_int_equal(restart_wait_ms(&r, MS(500)), want_ms[i]);
    assert_int_equal(restart_wait_ms(&r, RESTART_STEADY_NS - 1), 800);
    assert_int_equal(restart_wait_ms(&r, RESTART_STEADY_NS), 0);
    assert_int_equal(restart_wait_ms(&r, 0), 100);
    for (int i = 0; i < 1000; i++)
        assert_in_range(restart_wait_ms(&r, 0), 100, 800);
}

int main(void)
{
    term_use_utf8();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cut_by_columns_not_by_bytes),
        cmocka_unit_test(text_longer_than_its_buffer_is_cut_at_a_character),
        cmocka_unit_test(durations_are_short_and_unknown_ones_are_dashes),
        cmocka_unit_test(tables_are_aligned_and_fit_the_terminal_without_colour_in_files),
        cmocka_unit_test(one_long_cell_does_not_fill_the_rows_of_a_file),
        cmocka_unit_test(times_are_shown_in_the_zone_of_the_machine),
        cmocka_unit_test(lines_come_whole_however_they_are_cut),
        cmocka_unit_test(a_line_without_end_is_given_in_parts),
        cmocka_unit_test(lines_about_as_long_as_the_buffer_lose_nothing),
        cmocka_unit_test(lines_stand_behind_an_aligned_name),
        cmocka_unit_test(a_reader_that_takes_nothing_never_blocks_and_losses_are_counted),
        cmocka_unit_test(a_line_below_gives_way_to_what_is_written_and_comes_back),
        cmocka_unit_test(the_status_line_fits_the_terminal),
        cmocka_unit_test(escape_alone_quits_and_a_sequence_does_not),
        cmocka_unit_test(keys_and_arrow_sequences_are_known),
        cmocka_unit_test(restarts_are_immediate_once_then_wait_longer_but_never_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
