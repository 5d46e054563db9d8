#include "source/search_text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/text.h"

/* ---- letters ------------------------------------------------------------------------------------ */

/* The plain letter of each Latin one from U+00C0 and from U+1E00 on; '.': see below, or none. */
static const char latin[] = "aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.y"
                            "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkklllllll"
                            "lllnnnnnnn..oooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
                            "bb.....cc.d......ffg...ikkl.....oo..pp.....ttt.uu....zz........."
                            ".............aaiioouuuuuuuuuu.aaaa....ggkkoooo..j...gg..nnaa...."
                            "aaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy......a.....";
static const char latin_additional[] =
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
    "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
    "wwwwwwwwwwxxxxyyzzzzzzhtwy.s....aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";

#define LATIN_FROM      0xC0
#define ADDITIONAL_FROM 0x1E00

/* Letters that are two. */
static const struct {
    uint32_t code;
    const char *letters;
} doubles[] = {
    { 0xC6, "ae" },  { 0xE6, "ae" },  { 0xDE, "th" },  { 0xFE, "th" },   { 0xDF, "ss" },
    { 0x132, "ij" }, { 0x133, "ij" }, { 0x14A, "ng" }, { 0x14B, "ng" },  { 0x152, "oe" },
    { 0x153, "oe" }, { 0x1C4, "dz" }, { 0x1C5, "dz" }, { 0x1C6, "dz" },  { 0x1C7, "lj" },
    { 0x1C8, "lj" }, { 0x1C9, "lj" }, { 0x1CA, "nj" }, { 0x1CB, "nj" },  { 0x1CC, "nj" },
    { 0x1F1, "dz" }, { 0x1F2, "dz" }, { 0x1F3, "dz" }, { 0x1E9E, "ss" },
};

/* Signs beyond ASCII, and what is drawn without being a letter. */
static const struct {
    uint32_t from, to;
} signs[] = {
    { 0x80, 0xA9 },     { 0xAB, 0xB4 },     { 0xB6, 0xB9 },       { 0xBB, 0xBF },
    { 0xD7, 0xD7 },     { 0xF7, 0xF7 },     { 0x2B9, 0x2DF },     { 0x2000, 0x206F },
    { 0x20A0, 0x20CF }, { 0x2190, 0x2BFF }, { 0x3000, 0x3004 },   { 0x3008, 0x3020 },
    { 0xFE10, 0xFE6F }, { 0xFFF0, 0xFFFF }, { 0x1F000, 0x1FAFF },
};

static bool is_sign(uint32_t code)
{
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (code >= signs[i].from && code <= signs[i].to)
            return true;
    return false;
}

static bool is_mark(uint32_t code)
{
    return (code >= 0x300 && code <= 0x36F) || (code >= 0xFE00 && code <= 0xFE0F);
}

static bool is_apostrophe(uint32_t code)
{
    return code == '\'' || code == '`' || code == 0xB4 || code == 0x2018 || code == 0x2019 ||
           code == 0x2BC;
}

/* Greek and Cyrillic capitals lie at a fixed distance before the small letters. */
static uint32_t small(uint32_t code)
{
    if ((code >= 0x391 && code <= 0x3A9) || (code >= 0x410 && code <= 0x42F))
        return code + 0x20;
    if (code >= 0x400 && code <= 0x40F)
        return code + 0x50;
    return code;
}

/* Writes what stands for a letter; returns how many bytes, at most 4. */
static size_t fold_letter(uint32_t code, char out[4])
{
    char plain = '.';
    if (code >= LATIN_FROM && code < LATIN_FROM + sizeof(latin) - 1)
        plain = latin[code - LATIN_FROM];
    else if (code >= ADDITIONAL_FROM && code < ADDITIONAL_FROM + sizeof(latin_additional) - 1)
        plain = latin_additional[code - ADDITIONAL_FROM];
    if (plain != '.') {
        out[0] = plain;
        return 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(doubles); i++)
        if (doubles[i].code == code) {
            memcpy(out, doubles[i].letters, 2);
            return 2;
        }
    return utf8_encode(small(code), out);
}

static size_t fold_code(uint32_t code, char out[4])
{
    if (code >= 0xFF01 && code <= 0xFF5E) /* wide forms of ASCII */
        code -= 0xFF01 - '!';
    if (code < 0x80 && isalnum((int)code)) {
        out[0] = (char)tolower((int)code);
        return 1;
    }
    return code < 0x80 || is_sign(code) ? 0 : fold_letter(code, out);
}

static char *fold(const char *text, size_t len, size_t words_max)
{
    char *out = xcalloc(2 * len + 4, 1), *p = out, letters[4];
    size_t words = 0;
    bool is_in_word = false;
    for (size_t i = 0, used; i < len; i += used) {
        uint32_t code = utf8_decode(text + i, len - i, &used);
        if (is_mark(code) || is_apostrophe(code))
            continue;
        size_t n = fold_code(code, letters);
        if (n && !is_in_word) {
            if (words++ == words_max)
                break;
            if (p > out)
                *p++ = ' ';
        }
        is_in_word = n > 0;
        p = (char *)memcpy(p, letters, n) + n;
    }
    *p = '\0';
    return out;
}

char *search_fold(const char *text)
{
    return fold(text, strlen(text), SIZE_MAX);
}

char *search_fold_query(const char *text)
{
    return fold(text, strnlen(text, SEARCH_BYTES_MAX), SEARCH_WORDS_MAX);
}

/* ---- asking ------------------------------------------------------------------------------------- */

char *search_match(const char *query, bool at_start)
{
    if (!*query)
        return NULL;
    if (at_start)
        return xasprintf("{artist title} : ^ \"%s\" *", query);
    char *out = xcalloc(4 * strlen(query) + 8, 1), *p = out;
    *p++ = '"';
    for (; *query; query++)
        if (*query == ' ')
            p += sprintf(p, "\" \"");
        else
            *p++ = *query;
    sprintf(p, "\" *");
    return out;
}

/* ---- which is best ------------------------------------------------------------------------------ */

enum {
    SCORE_EQUAL = 100, /* the query is all of a name */
    SCORE_BEGINS = 30, /* a name begins with it, at the end of a word */
    SCORE_STARTS = 20, /* likewise, within a word */
    SCORE_WORD = 3,    /* for each of its words that is a word of a name */
};

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

static int score_name(const char *query, const char *name)
{
    size_t len = strlen(query);
    if (strncmp(name, query, len) != 0)
        return 0;
    return !name[len] ? SCORE_EQUAL : name[len] == ' ' ? SCORE_BEGINS : SCORE_STARTS;
}

static bool has_word(const char *name, const char *word, size_t len)
{
    for (const char *p = name; *p; p += strcspn(p, " "), p += *p == ' ')
        if (strncmp(p, word, len) == 0 && (!p[len] || p[len] == ' '))
            return true;
    return false;
}

int search_score(const char *query, const char *artist, const char *title)
{
    int score = max_int(score_name(query, artist), score_name(query, title));
    size_t artist_len = strlen(artist), query_len = strlen(query);
    /* "artist title", as it is read aloud */
    if (artist_len && query_len > artist_len && strncmp(query, artist, artist_len) == 0 &&
        query[artist_len] == ' ')
        score = max_int(score, SCORE_BEGINS + score_name(query + artist_len + 1, title));
    for (const char *p = query; *p; p += strcspn(p, " "), p += *p == ' ') {
        size_t len = strcspn(p, " ");
        if (has_word(artist, p, len) || has_word(title, p, len))
            score += SCORE_WORD;
    }
    return score;
}
