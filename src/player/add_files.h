/* Adding songs to the queue: what is added and what is refused goes into the answer's arrays `added` and
 * `refused`. Looks at files: blocks on disk. */
#pragma once

#include "player/jukebox.h"

struct command_world;
struct library;
struct message;

struct add_request {
    bool at_front;
    const char *requester; /* NULL: not a request */
    int64_t wall_ms;
    uint64_t seed;                     /* changed with every addition */
    struct library *library;           /* knows the files of ids; NULL: there is none */
    const struct command_world *world; /* NULL: nothing is fetched, or marked as named here */
    size_t placed;                     /* so many were added at the front */
    bool
        is_full; /* set when the queue took no more: what comes after is refused, so that the order of
                      what was asked for holds */
};

/* `source` is an absolute path as path_to_source() writes it; NULL (no text in the array) is refused.
 * `answer` may be NULL. true: added. */
bool add_file(struct jukebox *j, struct add_request *add, const char *source,
              struct message *answer);
/* An address that somebody typed: for a request one of YouTube or a song of the house, else any of the web, too. */
bool add_url(struct jukebox *j, struct add_request *add, const char *text, struct message *answer);
/* Once more an entry of the queue, named by its id, key or video id; else the song of that id of the library; else, of
 * YouTube. */
bool add_id(struct jukebox *j, struct add_request *add, const char *id, struct message *answer);
