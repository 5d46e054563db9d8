/* Words typed and words written meet; what FTS5 is asked for is no language of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "source/search_text.h"

static const struct {
    const char *text, *folded;
} fold_cases[] = {
    { "", "" },
    { "AC/DC", "ac dc" },
    { "  Guns N' Roses -- (Live!)  ", "guns n roses live" },
    { "Don’t Stop", "dont stop" },
    { "Beyoncé", "beyonce" },
    { "Beyonce\xcc\x81", "beyonce" }, /* the accent as a sign of its own */
    { "Die Ärzte", "die arzte" },
    { "Straße STRAẞE", "strasse strasse" },
    { "Bjørn Æbeltoft", "bjorn aebeltoft" },
    { "Łódź Đorđe", "lodz dorde" },
    { "Œuvre Þór ıİ", "oeuvre thor ii" },
    { "Tiếng Việt", "tieng viet" },
    { "Песня ПЕСНЯ Ёлка", "песня песня ёлка" },
    { "ΩΜΕΓΑ", "ωμεγα" },
    { "夜に駆ける", "夜に駆ける" },
    { "ＡＢＢＡ", "abba" }, /* wide */
    { "one…two—three“four”", "one two three four" },
    { "♥ love ♥ 🎵", "love" },
    { "a\xff"
      "b \xc3",
      "a b" },
    { "line\nbreak\ttab", "line break tab" },
    { "2 Unlimited", "2 unlimited" },
};

static void case_accents_and_signs_make_no_difference(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(fold_cases); i++) {
        char *got = search_fold(fold_cases[i].text);
        assert_string_equal(got, fold_cases[i].folded);
        free(got);
    }
}

static void a_query_is_cut_after_some_words_and_bytes(void **state)
{
    char *long_text = xcalloc(1, 20001);
    for (size_t i = 0; i < 20000; i += 2)
        memcpy(long_text + i, "a ", 2);
    char *got = search_fold_query(long_text);
    assert_int_equal(strlen(got), 2 * SEARCH_WORDS_MAX - 1);
    free(got);
    memset(long_text, 'x', 20000);
    got = search_fold_query(long_text);
    assert_int_equal(strlen(got), SEARCH_BYTES_MAX);
    free(got);
    free(long_text);
}

/* ---- against the real FTS5 ---------------------------------------------------------------------- */

static sqlite3 *open_songs(void)
{
    static const char *const songs[][2] = {
        { "Beyoncé", "Halo" },           { "ABBA", "Dancing Queen" },
        { "Queen", "We Will Rock You" }, { "Near", "Far and near" },
        { "Sigur Rós", "Sæglópur OR" },  { "Motörhead", "Ace of Spades" },
    };
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "CREATE VIRTUAL TABLE w USING fts5(artist, title, prefix = '1 2 3',"
                     " tokenize = 'unicode61 remove_diacritics 2')",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_prepare_v2(db, "INSERT INTO w VALUES(?1, ?2)", -1, &s, NULL);
    for (size_t i = 0; i < ARRAY_LEN(songs); i++) {
        char *artist = search_fold(songs[i][0]), *title = search_fold(songs[i][1]);
        sqlite3_bind_text(s, 1, artist, -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(s, 2, title, -1, SQLITE_TRANSIENT);
        assert_int_equal(sqlite3_step(s), SQLITE_DONE);
        sqlite3_reset(s);
        free(artist);
        free(title);
    }
    sqlite3_finalize(s);
    return db;
}

/* How many songs; -1: FTS5 did not understand. */
static int count(sqlite3 *db, const char *text, bool at_start)
{
    char *query = search_fold_query(text), *match = search_match(query, at_start);
    sqlite3_stmt *s;
    int n = 0, code = SQLITE_DONE;
    free(query);
    if (!match)
        return 0;
    sqlite3_prepare_v2(db, "SELECT rowid FROM w WHERE w MATCH ?1", -1, &s, NULL);
    sqlite3_bind_text(s, 1, match, -1, SQLITE_TRANSIENT);
    while ((code = sqlite3_step(s)) == SQLITE_ROW)
        n++;
    sqlite3_finalize(s);
    free(match);
    return code == SQLITE_DONE ? n : -1;
}

static const struct {
    const char *text;
    int all, at_start; /* how many are found */
} match_cases[] = {
    { "queen", 2, 1 },
    { "QUE", 2, 1 },
    { "dancing que", 1, 1 },
    { "queen dancing", 1, 0 }, /* any order */
    { "anci", 0, 0 },          /* a beginning, not a middle */
    { "que dancing", 0, 0 },   /* only the last word is a beginning */
    { "beyonce halo", 1, 0 },
    { "BEYONCÉ", 1, 1 },
    { "saeglo", 1, 1 },
    { "motorhead", 1, 1 },
    { "", 0, 0 },
    { "\"", 0, 0 },
    { "*", 0, 0 },
    { "()", 0, 0 },
    { "queen\"", 2, 1 },
    { "\"queen", 2, 1 },
    { "queen*", 2, 1 },
    { "NEAR(", 1, 1 },
    { "NEAR(far near, 2)", 0, 0 },
    { "far AND near", 1, 1 },
    { "far OR near", 0, 0 },
    { "NOT near", 0, 0 },
    { "or", 1, 0 },
    { "title:halo", 0, 0 },
    { "^halo", 1, 1 },
    { "-halo", 1, 1 },
    { "{artist}: halo", 0, 0 },
    { "halo; DROP TABLE w", 0, 0 },
    { "\\", 0, 0 },
    { "halo\n", 1, 1 },
    { "\xff\xfe", 0, 0 },
    { "…", 0, 0 },
};

static void no_sign_of_a_query_means_anything(void **state)
{
    sqlite3 *db = open_songs();
    for (size_t i = 0; i < ARRAY_LEN(match_cases); i++) {
        int all = count(db, match_cases[i].text, false),
            start = count(db, match_cases[i].text, true);
        if (all != match_cases[i].all || start != match_cases[i].at_start)
            fail_msg("\"%s\" finds %d, %d at the start", match_cases[i].text, all, start);
    }
    for (int c = 1; c < 256; c++) { /* each byte alone, doubled, and at a word */
        char text[] = { (char)c, (char)c, ' ', 'h', 'a', 'l', 'o', (char)c, '\0' };
        assert_true(count(db, text, false) >= 0);
        assert_true(count(db, text, true) >= 0);
        text[1] = '\0';
        assert_true(count(db, text, false) >= 0);
    }
    char *long_text = xcalloc(1, 10241);
    for (size_t i = 0; i < 10240; i++)
        long_text[i] = "\"halo* NEAR("[i % 12];
    assert_true(count(db, long_text, false) >= 0);
    free(long_text);
    sqlite3_close(db);
}

/* ---- order -------------------------------------------------------------------------------------- */

static const struct {
    const char *query;
    const char *better[2], *worse[2]; /* artist, title */
} order_cases[] = {
    { "queen", { "queen", "innuendo" }, { "abba", "dancing queen" } },
    { "queen", { "queen", "innuendo" }, { "queens of the stone age", "no one knows" } },
    { "love", { "x", "love" }, { "x", "love me tender" } },
    { "love", { "x", "love me tender" }, { "x", "lovely" } },
    { "love", { "x", "lovely" }, { "x", "all you need is lovely" } },
    { "abba waterloo", { "abba", "waterloo" }, { "waterloo", "abba" } },
    { "abba wat", { "abba", "waterloo" }, { "tribute", "abba sing waterloo" } },
    { "need love", { "x", "all you need is love" }, { "x", "all you need is lovely" } },
};

static void the_nearer_name_is_better(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(order_cases); i++) {
        const char *q = order_cases[i].query, *const *a = order_cases[i].better,
                   *const *b = order_cases[i].worse;
        if (search_score(q, a[0], a[1]) <= search_score(q, b[0], b[1]))
            fail_msg("%s: %s - %s is not before %s - %s", q, a[0], a[1], b[0], b[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_accents_and_signs_make_no_difference),
        cmocka_unit_test(a_query_is_cut_after_some_words_and_bytes),
        cmocka_unit_test(no_sign_of_a_query_means_anything),
        cmocka_unit_test(the_nearer_name_is_better),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
