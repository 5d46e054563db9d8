/* Words as people type them and as names write them: without case, accents and signs, so that both meet. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SEARCH_WORDS_MAX 16
#define SEARCH_BYTES_MAX 1000 /* of what is typed; the rest is not looked at */

/* Words of letters and digits in lower case with one blank between two: accents and apostrophes are gone, ß is ss, ø is
 * o, ł is l, æ is ae; bytes that are no UTF-8 separate words. "": there are none. The caller frees. */
char *search_fold(const char *text);
/* Likewise of what somebody types: its first SEARCH_WORDS_MAX words. The caller frees. */
char *search_fold_query(const char *text);

/* What FTS5 is asked for: all words of a folded query in any order, the last one as a beginning; with `at_start`,
 * only where artist or title begin with them. No sign of the query is one for FTS5. NULL: no words. The caller frees. */
char *search_match(const char *query, bool at_start);

/* How well a song (folded names) answers a folded query; higher is better. */
int search_score(const char *query, const char *artist, const char *title);
