/* Queues as short text, for tables. "A B!|r|A": main list A and B, B marked unplayable; requests r;
 * A plays (its entry when a list has it, else a detached track). A letter is the title; its id is
 * "id-" and the letter, its video_id "v-" and the letter. '>' after a letter: asked for by PLAY_NOW.
 * "..-" after the last bar: the queue does not loop. */
#pragma once

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/queue.h"

static inline struct track *script_track(char letter)
{
    struct track *t = track_create();
    char text[16];
    snprintf(text, sizeof(text), "%c", letter);
    track_set(&t->title, text);
    snprintf(text, sizeof(text), "id-%c", letter);
    track_set(&t->id, text);
    snprintf(text, sizeof(text), "v-%c", letter);
    track_set(&t->video_id, text);
    return t;
}

static inline bool script_find(const struct queue *q, char letter, struct entry_place *place)
{
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < q->list[list].count; i++) {
            if (q->list[list].at[i]->title[0] != letter)
                continue;
            *place = (struct entry_place){ (enum queue_list)list, i };
            return true;
        }
    }
    return false;
}

static inline void script_queue(struct queue *q, const char *script)
{
    queue_init(q);
    int part = QUEUE_MAIN;
    for (const char *p = script; *p; p++) {
        struct entry_place place;
        if (*p == '|') {
            part++;
        } else if (part < QUEUE_LISTS && isalpha((unsigned char)*p)) {
            struct track *t = script_track(*p);
            t->is_request = part == QUEUE_REQUESTS;
            track_list_append(&q->list[part], t);
            if (p[1] == '!')
                track_set(&t->unplayable, "broken");
            t->plays_next = p[1] == '>';
        } else if (isalpha((unsigned char)*p)) {
            struct track *entry = script_find(q, *p, &place) ? queue_at(q, place) : NULL;
            if (entry)
                entry->status = TRACK_PLAYING;
            q->now = entry ? track_copy(entry) : script_track(*p);
            q->now->status = TRACK_PLAYING;
        } else if (*p == '-') {
            q->loops = false;
        }
    }
}

static inline size_t script_put(char *out, size_t n, const struct track *t)
{
    out[n++] = t->title[0];
    if (*t->unplayable)
        out[n++] = '!';
    if (t->plays_next)
        out[n++] = '>';
    return n;
}

/* The queue in the notation above, after "name: ", in a static-sized buffer of the caller. */
#define SCRIPT_MAX 1024
static inline const char *script_text(const struct queue *q, const char *name, char out[SCRIPT_MAX])
{
    size_t n = (size_t)snprintf(out, SCRIPT_MAX, "%.300s: ", name);
    for (int list = 0; list < QUEUE_LISTS; list++) {
        for (size_t i = 0; i < q->list[list].count; i++) {
            if (i)
                out[n++] = ' ';
            n = script_put(out, n, q->list[list].at[i]);
        }
        out[n++] = '|';
    }
    if (q->now)
        out[n++] = q->now->title[0];
    if (!q->loops)
        out[n++] = '-';
    out[n] = '\0';
    return out;
}

static inline const char *script_expect(const char *script, const char *name, char out[SCRIPT_MAX])
{
    snprintf(out, SCRIPT_MAX, "%.300s: %s", name, script);
    return out;
}
