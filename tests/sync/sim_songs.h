/* Songs that somebody added at a box, and what they were promised: a box answers when its journal is on disk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

#define ADDED_MAX 12

/* What a box was told, and the journal that holds it first. */
struct sim_promise {
    int who;
    unsigned life;
    uint64_t revision; /* 0: nothing was asked for */
    bool is_given;
};

struct sim_song {
    char id[16];
    bool is_request;
    bool was_heard;  /* a request is over then */
    bool is_excused; /* staff may have taken it out */
    struct sim_promise added, removed;
};

struct sim_songs {
    struct sim_song at[ADDED_MAX];
    size_t count;
};

static inline struct sim_song *songs_find(struct sim_songs *s, const char *id)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->at[i].id, id) == 0)
            return &s->at[i];
    }
    return NULL;
}

static inline void songs_excuse(struct sim_songs *s, const char *id)
{
    struct sim_song *song = songs_find(s, id);
    if (song)
        song->is_excused = true;
}

/* That box has written that journal. */
static inline void songs_saved(struct sim_songs *s, int who, unsigned life, uint64_t revision)
{
    for (size_t i = 0; i < s->count; i++) {
        struct sim_promise *all[] = { &s->at[i].added, &s->at[i].removed };
        for (size_t k = 0; k < ARRAY_LEN(all); k++)
            all[k]->is_given |= all[k]->revision && all[k]->revision <= revision &&
                                all[k]->who == who && all[k]->life == life;
    }
}
