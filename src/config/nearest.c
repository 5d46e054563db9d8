#include "config/nearest.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 63

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int folded(const char *s, size_t i)
{
    return tolower((unsigned char)s[i]);
}

/* Optimal string alignment: three rows of the usual table. */
size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    size_t len_a = strnlen(a, WORD_MAX), len_b = strnlen(b, WORD_MAX);
    for (size_t j = 0; j <= len_b; j++)
        last[j] = before[j] = j;
    for (size_t i = 1; i <= len_a; i++) {
        now[0] = i;
        for (size_t j = 1; j <= len_b; j++) {
            size_t change = folded(a, i - 1) != folded(b, j - 1);
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + change);
            if (i > 1 && j > 1 && folded(a, i - 1) == folded(b, j - 2) &&
                folded(a, i - 2) == folded(b, j - 1))
                now[j] = least(now[j], before[j - 2] + 1);
        }
        size_t *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[len_b];
}

struct nearest nearest_to(const char *word)
{
    /* A third of the letters may be wrong; more is another word. */
    return (struct nearest){ .word = word, .distance = strlen(word) / 3 + 2 };
}

void nearest_consider(struct nearest *n, const char *candidate)
{
    size_t distance = edit_distance(n->word, candidate);
    if (distance < n->distance && distance < strlen(candidate)) {
        n->distance = distance;
        n->name = candidate;
    }
}
