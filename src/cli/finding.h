/* What the doctor found: one finding per thing looked at. */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "base/compiler.h"

enum finding_result { FINDING_OK, FINDING_WARNING, FINDING_PROBLEM };

struct finding {
    enum finding_result result;
    const char *name; /* "display"; static */
    char text[256];   /* what is so */
    char advice[256]; /* what to do; empty: nothing */
};

#define FINDINGS_MAX 48

struct findings {
    struct finding at[FINDINGS_MAX];
    size_t count;
};

/* `advice` may be NULL. Beyond FINDINGS_MAX they are dropped. */
void finding_add(struct findings *f, enum finding_result result, const char *name,
                 const char *advice, const char *fmt, ...) PRINTF_LIKE(5, 6);
const char *finding_result_name(enum finding_result result);
enum finding_result findings_worst(const struct findings *f);
