/* The table of all settings: what the parser, the example file, the help text and the tests walk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct config;

enum option_type {
    OPTION_BOOL,   /* bool */
    OPTION_INT,    /* int, min..max */
    OPTION_SIZE,   /* two int, at `offset` and `offset2`: WIDTHxHEIGHT */
    OPTION_CHOICE, /* char *: one of `choices` */
    OPTION_LEVEL,  /* int: index in `choices` */
    OPTION_TEXT,   /* char *: anything of one line */
    OPTION_LISTEN, /* char *: where to listen, see config/listen.h */
    OPTION_MODE,   /* char *: a display's mode, see config/screen_mode.h */
    OPTION_PATHS,  /* char *: folders with ':' between; an indented line in the file adds to it */
};

struct option {
    const char *name; /* "section.key" */
    enum option_type type;
    size_t offset, offset2; /* in struct config */
    int min, max;           /* OPTION_INT */
    const char *choices;    /* blank between two */
    const char *def;
    const char *help;   /* one line */
    bool is_credential; /* it names a file; see config_read_credentials() */
};

#define OPTION_TEXT_MAX 4095 /* bytes of a value */

size_t option_count(void);
const struct option *option_at(size_t i);           /* i < option_count() */
const struct option *option_find(const char *name); /* NULL: no such setting */

/* Stores `value`. false: not allowed, *c is unchanged. */
WARN_UNUSED bool option_set(const struct option *o, struct config *c, const char *value);
/* The value as option_set() takes it; always terminated. Returns `out`. */
const char *option_value(const struct option *o, const struct config *c, char *out, size_t size);
/* What is allowed, as the end of a sentence: "a whole number from 0 to 100". Returns `out`. */
const char *option_allowed(const struct option *o, char *out, size_t size);
/* "DJAMMS_DISPLAY_SIZE". Returns `out`. */
const char *option_env_name(const struct option *o, char *out, size_t size);
/* The part of the name before (without) and after the dot. */
size_t option_section_len(const struct option *o);
const char *option_key(const struct option *o);
