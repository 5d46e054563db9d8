#include "cli/term.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/text.h"

#define CELL_MAX_BYTES 4096
#define WIDTH_MIN      20
#define FILE_COLUMNS   48 /* of a table's column in a file or a pipe; longer cells stand out */

void term_use_utf8(void)
{
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        setlocale(LC_CTYPE, "");
}

struct term term_of(FILE *out)
{
    struct term t = { .out = out };
    int fd = fileno(out); /* -1: a stream in memory */
    t.is_terminal = fd >= 0 && isatty(fd);
    const char *no_colour = getenv("NO_COLOR"), *kind = getenv("TERM");
    t.has_escapes = t.is_terminal && kind && strcmp(kind, "dumb") != 0;
    t.has_colour = t.has_escapes && !(no_colour && *no_colour);
    term_measure(&t);
    return t;
}

void term_measure(struct term *t)
{
    if (!t->is_terminal) {
        t->width = 0;
        return;
    }
    struct winsize size;
    bool is_known = ioctl(fileno(t->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    t->width = !is_known ? 80 : size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}

static int code_columns(uint32_t code)
{
    int n = wcwidth((wchar_t)code);
    return n < 0 ? 1 : n;
}

int text_columns(const char *text)
{
    int columns = 0;
    size_t len = strlen(text);
    for (size_t i = 0, used; i < len; i += used)
        columns += code_columns(utf8_decode(text + i, len - i, &used));
    return columns;
}

int text_fit(char *out, size_t size, const char *text, int columns)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    char clean[CELL_MAX_BYTES];
    size_t len = text_clean(clean, sizeof(clean), text);
    int total = text_columns(clean);
    if (columns <= 0 || total <= columns) {
        size_t n = text_clean(out, size, clean);
        return n == len ? total : text_columns(out);
    }
    size_t i = 0, used;
    int shown = 0;
    for (; i < len; i += used) {
        int width = code_columns(utf8_decode(clean + i, len - i, &used));
        if (shown + width > columns - 1 || i + used + sizeof(ellipsis) > size)
            break;
        shown += width;
    }
    snprintf(out, size, "%.*s%s", (int)i, clean, ellipsis);
    return shown + 1;
}

static const char *style_code(enum style style)
{
    static const char *const codes[] = {
        [STYLE_PLAIN] = "",        [STYLE_BOLD] = "\x1b[1m",     [STYLE_DIM] = "\x1b[2m",
        [STYLE_GOOD] = "\x1b[32m", [STYLE_WARNING] = "\x1b[33m", [STYLE_BAD] = "\x1b[31m",
    };
    return codes[style];
}

static int put(const struct term *t, enum style style, const char *text, int columns)
{
    char fitted[CELL_MAX_BYTES];
    bool is_styled = t->has_colour && style != STYLE_PLAIN;
    int shown = text_fit(fitted, sizeof(fitted), text, columns);
    fprintf(t->out, "%s%s%s", is_styled ? style_code(style) : "", fitted,
            is_styled ? "\x1b[0m" : "");
    return shown;
}

void term_put(const struct term *t, enum style style, const char *text)
{
    put(t, style, text, 0);
}

void term_put_padded(const struct term *t, enum style style, const char *text, int columns)
{
    int shown = put(t, style, text, columns);
    fprintf(t->out, "%*s", columns > shown ? columns - shown : 0, "");
}

const char *text_duration(char *out, size_t size, double seconds)
{
    if (!(seconds > 0 && seconds < 1e9)) {
        snprintf(out, size, "-:--");
        return out;
    }
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(out, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, size, "%ld:%02ld", s / 60, s % 60);
    return out;
}

const char *text_position(char *out, size_t size, double seconds)
{
    if (seconds >= 0.5)
        return text_duration(out, size, seconds);
    snprintf(out, size, "0:00");
    return out;
}

/* ---- tables ----------------------------------------------------------------------------------- */

void table_init(struct table *t, int columns, int flexible)
{
    *t = (struct table){ .columns = columns, .flexible = flexible };
}

void table_finish(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->cell[i].text);
    free(t->cell);
    *t = (struct table){ 0 };
}

void table_add(struct table *t, enum style style, const char *text)
{
    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->cell = xrealloc(t->cell, t->cap * sizeof(*t->cell));
    }
    char clean[CELL_MAX_BYTES];
    text_clean(clean, sizeof(clean), text ? text : "");
    t->cell[t->count++] = (struct table_cell){ .text = xstrdup(clean), .style = style };
}

static void measure(const struct table *t, const struct term *term, int width[TABLE_COLUMNS])
{
    for (size_t i = 0; i < t->count; i++) {
        int n = text_columns(t->cell[i].text);
        int *w = &width[i % (size_t)t->columns];
        *w = n > *w ? n : *w;
    }
    int total = t->indent + TABLE_GAP * (t->columns - 1);
    for (int i = 0; i < t->columns; i++)
        total += width[i];
    if (!term->width) { /* one long cell does not fill all rows */
        for (int i = 0; i < t->columns; i++)
            width[i] = width[i] < FILE_COLUMNS ? width[i] : FILE_COLUMNS;
    } else if (total > term->width) {
        int left = width[t->flexible] - (total - term->width);
        width[t->flexible] = left < 8 ? 8 : left;
    }
}

/* Whether nothing follows in the row of cell `i`: then it needs no filling. */
static bool is_last_text(const struct table *t, size_t i)
{
    for (size_t k = i + 1; k % (size_t)t->columns != 0; k++) {
        if (t->cell[k].text[0])
            return false;
    }
    return true;
}

static void print_cell(const struct table *t, const struct term *term, size_t i, int width)
{
    const struct table_cell *cell = &t->cell[i];
    size_t column = i % (size_t)t->columns;
    int columns = text_columns(cell->text);
    if (t->right[column] && columns < width)
        fprintf(term->out, "%*s", width - columns, "");
    if (t->right[column] || is_last_text(t, i) || (!term->width && columns > width))
        put(term, cell->style, cell->text, term->width ? width : 0);
    else
        term_put_padded(term, cell->style, cell->text, width);
}

void table_print(const struct table *t, const struct term *term)
{
    int width[TABLE_COLUMNS] = { 0 };
    measure(t, term, width);
    for (size_t i = 0; i < t->count; i += (size_t)t->columns) {
        for (size_t k = 0; k < (size_t)t->columns; k++) {
            bool is_empty_rest = k > 0 && is_last_text(t, i + k) && !t->cell[i + k].text[0];
            if (is_empty_rest)
                break;
            fprintf(term->out, "%*s", k ? TABLE_GAP : t->indent, "");
            print_cell(t, term, i + k, width[k]);
        }
        fputc('\n', term->out);
    }
}
