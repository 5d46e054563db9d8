/* A line of text cut into runs that one font and one direction can draw, in visual order from
 * left to right (Unicode bidirectional algorithm, UAX #9, by fribidi). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_RUNS_CHARS 1024 /* code points looked at; a line on a screen has fewer */

struct text_run {
    size_t start, len; /* bytes of the logical text */
    uint32_t script;   /* ISO 15924 tag as four bytes 'A''r''a''b'; 0: common */
    bool is_rtl;
    int font; /* what pick_font said */
};

#define PICK_ANY   (-1) /* the first font that has it */
#define PICK_EMOJI (-2) /* the one with colour pictures if it has it, else as PICK_ANY */

/* Says which font (>= 0) has the character, -1: none has it. `previous` >= 0: this font if it
 * has it, else as PICK_ANY: so that blanks and marks stay with their neighbours. */
typedef int pick_font(void *ctx, uint32_t code, int previous);

/* Fills up to `max` runs; returns how many. Characters that no font has, unassigned ones and
 * control characters are left out of all runs: no missing-glyph boxes. Bytes that are no UTF-8
 * are left out, too. */
size_t text_runs(const char *text, pick_font *pick, void *ctx, struct text_run *runs, size_t max);
