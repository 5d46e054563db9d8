/* Names for people. */
#include "model/track.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define WORK_BYTES     1001 /* of a title; the rest is not looked at */
#define YOUTUBE_ID_LEN 11

/* For each opening bracket the index of the one that closes it; 0: never closed. Bracket kinds need not
 * match: people mix them. */
static void match_brackets(const char *s, uint16_t closes[WORK_BYTES])
{
    uint16_t open[WORK_BYTES];
    size_t depth = 0;
    for (uint16_t i = 0; s[i]; i++) {
        closes[i] = 0;
        if (s[i] == '(' || s[i] == '[')
            open[depth++] = i;
        else if ((s[i] == ')' || s[i] == ']') && depth)
            closes[open[--depth]] = i;
    }
}

/* One blank where there were several, none at the ends. */
static void squeeze(char *s)
{
    size_t n = 0;
    for (const char *p = s; *p; p++) {
        if (*p != ' ' || (n && s[n - 1] != ' '))
            s[n++] = *p;
    }
    while (n && s[n - 1] == ' ')
        n--;
    s[n] = '\0';
}

static bool ends_with(const char *s, const char *end)
{
    size_t len = strlen(s), n = strlen(end);
    return len >= n && strcmp(s + len - n, end) == 0;
}

static void without_brackets(const char *s, char out[WORK_BYTES])
{
    uint16_t closes[WORK_BYTES];
    match_brackets(s, closes);
    size_t n = 0;
    for (size_t i = 0; s[i]; i++) {
        if (closes[i]) {
            i = closes[i];
            out[n++] = ' ';
        } else {
            out[n++] = s[i];
        }
    }
    out[n] = '\0';
    squeeze(out);
    while (ends_with(out, " -") || ends_with(out, " |")) /* led to what was in the brackets */
        out[strlen(out) - 2] = '\0';
}

/* "Title -- YTID" for any id; after other separators only the id we know to be this track's, for many
 * words have eleven letters. */
static void without_id(char *s, const char *video_id)
{
    static const char *const separators[] = { " -- ", " - ", " | ", "_", "-", " " };
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t len = strlen(s);
    if (len <= YOUTUBE_ID_LEN)
        return;
    char *id = s + len - YOUTUBE_ID_LEN;
    if (strspn(id, letters) != YOUTUBE_ID_LEN)
        return;
    bool is_ours = strcmp(id, video_id) == 0;
    for (size_t i = 0; i < (is_ours ? sizeof(separators) / sizeof(separators[0]) : 1); i++) {
        size_t n = strlen(separators[i]);
        if (len - YOUTUBE_ID_LEN > n && memcmp(id - n, separators[i], n) == 0) {
            id[-(ptrdiff_t)n] = '\0';
            squeeze(s);
            return;
        }
    }
}

void track_display_title(const struct track *t, char *out, size_t size)
{
    char plain[WORK_BYTES], work[WORK_BYTES];
    text_clean(plain, sizeof(plain), t->title);
    without_brackets(plain, work);
    if (!*work) {
        memcpy(work, plain, sizeof(work));
        squeeze(work);
    }
    without_id(work, t->video_id);
    text_clean(out, size, *work ? work : plain);
}

void track_display_artist(const struct track *t, char *out, size_t size)
{
    static const char topic[] = " - Topic";
    char work[WORK_BYTES];
    text_clean(work, sizeof(work), t->artist);
    if (ends_with(work, topic) && strlen(work) > strlen(topic))
        work[strlen(work) - strlen(topic)] = '\0';
    text_clean(out, size, work);
}
