/* Keys typed in the terminal while something plays. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/compiler.h"

enum key {
    KEY_NONE,
    KEY_PAUSE,   /* space */
    KEY_NEXT,    /* n, right */
    KEY_RESTART, /* left */
    KEY_LOUDER,  /* up, + */
    KEY_SOFTER,  /* down, - */
    KEY_MUTE,    /* m */
    KEY_QUIT,    /* q, Q, escape */
};

/* Where in an escape sequence the input stands. Zero to begin. Pure. */
struct key_parser {
    int state;
};
enum key key_parse(struct key_parser *p, unsigned char byte);
/* Whether the next byte decides what the last one was. When none comes key_end() says which key it is. */
bool key_is_open(const struct key_parser *p);
enum key key_end(struct key_parser *p);

/* Reads keys of a terminal: takes it out of line mode, without echo; Ctrl-C still makes a signal. */
struct keys;

/* NULL: `input_fd` is no terminal, we are not its foreground program, or it cannot be watched. */
struct keys *keys_create(uv_loop_t *loop, int input_fd, void (*on_key)(void *ctx, enum key key),
                         void *ctx);
/* Puts the terminal back; frees itself within the next turn of the loop. NULL is fine. */
void keys_destroy(struct keys *k);
