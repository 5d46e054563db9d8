/* "Did you mean": which of several names is nearest to a mistyped one. Pure. */
#pragma once

#include <stddef.h>

struct nearest {
    const char *word; /* what was typed */
    const char *name; /* the best candidate so far; NULL: none is near. Borrowed */
    size_t distance;
};

/* `word` must outlive the search. */
struct nearest nearest_to(const char *word);
/* Keeps `candidate` when it is nearer than those before it. */
void nearest_consider(struct nearest *n, const char *candidate);

/* Letters to insert, remove, change or swap to make one of the other; upper and lower case are the same.
 * Words longer than 63 bytes are cut. */
size_t edit_distance(const char *a, const char *b);
