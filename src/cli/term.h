/* Text for people: columns, colour, tables. Nothing that a file name may hold gets to the terminal
 * raw. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct term {
    FILE *out;
    bool is_terminal;
    bool has_escapes; /* obeys escape sequences */
    bool has_colour;
    int width; /* columns; 0: no limit (a file or a pipe) */
};

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_WARNING, STYLE_BAD };

/* Makes column widths known to the C library (LC_CTYPE of the process becomes C.UTF-8). */
void term_use_utf8(void);
/* What `out` is. Colour: only on a terminal, without $NO_COLOR and not with TERM=dumb. */
struct term term_of(FILE *out);
/* Width again, after the window changed. */
void term_measure(struct term *t);

/* Columns of cleaned text. */
int text_columns(const char *text);
/* Cleans `text` and cuts it to `columns` (0: no limit), the last one then being an ellipsis. Returns the
 * columns used. */
int text_fit(char *out, size_t size, const char *text, int columns);

/* Prints cleaned text in a style. */
void term_put(const struct term *t, enum style style, const char *text);
/* The same, cut and filled to exactly `columns`. */
void term_put_padded(const struct term *t, enum style style, const char *text, int columns);

/* "3:07", "1:02:03", "-:--" for 0 or less. Returns `out`. */
const char *text_duration(char *out, size_t size, double seconds);
/* The same for a position: "0:00" for 0 or less. */
const char *text_position(char *out, size_t size, double seconds);

/* ---- tables ----------------------------------------------------------------------------------- */

#define TABLE_COLUMNS 8
#define TABLE_GAP     2 /* blanks between two columns */

struct table_cell {
    char *text;
    enum style style;
};

struct table {
    int columns;
    int flexible; /* this column is cut when the row is wider than the terminal */
    int indent;
    bool right[TABLE_COLUMNS]; /* aligned to the right */
    struct table_cell *cell;   /* row after row */
    size_t count, cap;
};

void table_init(struct table *t, int columns, int flexible);
void table_finish(struct table *t);
/* Next cell; `text` is copied, NULL is "". */
void table_add(struct table *t, enum style style, const char *text);
void table_print(const struct table *t, const struct term *term);
