/* The words and options of a command line. Options may stand anywhere; "--" ends them; a word like "-10"
 * is a number, not an option. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum arg_option {
    ARG_HELP,
    ARG_VERSION,
    ARG_JSON,
    ARG_WATCH,
    ARG_LATENCY,
    ARG_NEXT,
    ARG_REQUEST,
    ARG_OUTPUT,
    ARG_LIMIT,
    ARG_WINDOW,
    ARG_FULLSCREEN,
    ARG_SIZE,
    ARG_OUTPUTS,
    ARG_LOOP,
    ARG_CONFIG,
    ARG_SET,
    ARG_RUNTIME_DIR,
    ARG_STATE_DIR,
    ARG_DATA,
    ARG_ROLE,
    ARG_PASSWORD_FILE,
    ARG_ENDPOINT,
    ARG_PROJECT,
    ARG_DATABASE,
    ARG_VENUE,
    ARG_KEY_FILE,
    ARG_DEEP,
    ARG_TO,
    ARG_TOKEN,
    ARG_TOKEN_FILE,
    ARG_FOLLOW,
    ARG_SINCE,
    ARG_SUMMARY,
    ARG_OPTIONS,
};

/* A set of options is a uint64_t. */
#define ARG_BIT(option) (UINT64_C(1) << (option))
static_assert(ARG_OPTIONS <= 64, "a set has a bit for each option");
/* What every command takes. */
#define ARG_COMMON (ARG_BIT(ARG_HELP) | ARG_BIT(ARG_RUNTIME_DIR))

struct arg_spec {
    const char *name;  /* without the dashes */
    char letter;       /* short form; 0: none */
    const char *value; /* name of its value; NULL: it has none */
    const char *help;
};

/* All strings are borrowed from argv. */
struct args {
    const char **word; /* NULL at the end */
    size_t count;
    const char *value[ARG_OPTIONS]; /* NULL: not given; "" for options without a value */
    const char **set;               /* values of --set, in order */
    size_t set_count;
    uint64_t by_letter; /* ARG_BIT()s of the given options that were named by their letter */
};

const struct arg_spec *arg_spec(enum arg_option option);

/* argv[0] is skipped. 0, or -EINVAL with one sentence in `why`. Finish `a` in any case. */
WARN_UNUSED int args_parse(struct args *a, int argc, char **argv, char *why, size_t size);
void args_finish(struct args *a);
/* A letter that several options share means the one of the set `allowed`. */
void args_settle(struct args *a, uint64_t allowed);
/* The first given option outside the set `allowed` of ARG_BIT()s; ARG_OPTIONS: none. */
enum arg_option args_foreign(const struct args *a, uint64_t allowed);

static inline bool args_has(const struct args *a, enum arg_option option)
{
    return a->value[option] != NULL;
}

/* Values. false: not one. */
bool parse_number(const char *text, long min, long max, long *out);
/* "90", "1:30", "1:02:03", "12.5": seconds; with a sign in front *is_step is true. */
bool parse_time(const char *text, double *seconds, bool *is_step);
