/* An endless order without repeats: each round has every song once, in an order of its own, whatever comes and goes
 * meanwhile. Songs are named by their keys. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct shuffle {    /* all zero: nothing was taken yet; `round` may be random bits */
    uint64_t round; /* each has another order */
    uint64_t place; /* what was taken of this round is up to here */
    uint64_t last;  /* the song that was taken last */
};

/* Where the next one is looked for, in turn: in what is left of this round; in the next one, but for the song that was
 * last; in all of the next one. */
#define SHUFFLE_LOOKS 3

/* One look: every song is offered, the best is taken. */
struct shuffle_look {
    uint64_t round, after, not_this;
    uint64_t place, song; /* of the best so far; place 0: none yet */
};

struct shuffle_look shuffle_look(const struct shuffle *s, int number);
/* Whether it is better than all that were offered before. */
bool shuffle_offer(struct shuffle_look *l, const char *key);
void shuffle_take(struct shuffle *s, const struct shuffle_look *l); /* its best becomes the last */
