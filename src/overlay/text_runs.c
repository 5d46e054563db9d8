#include "overlay/text_runs.h"

#include <assert.h>
#include <fribidi.h>
#include <string.h>

#include "base/compiler.h"
#include "base/text.h"
#include "overlay/unicode.h"

#define FONT_NONE (-1)
#define MARKS_MAX 4 /* on one base: real scripts need no more, jokes do */

/* The line as code points; all arrays have `count` elements in logical order. */
struct line {
    size_t count;
    uint32_t code[TEXT_RUNS_CHARS];
    uint32_t start[TEXT_RUNS_CHARS + 1]; /* byte offsets */
    uint32_t script[TEXT_RUNS_CHARS];
    int font[TEXT_RUNS_CHARS];
    FriBidiLevel level[TEXT_RUNS_CHARS];
};

static void line_decode(struct line *l, const char *text)
{
    size_t len = strlen(text), i = 0;
    l->count = 0;
    while (i < len && l->count < TEXT_RUNS_CHARS) {
        size_t used;
        l->code[l->count] = utf8_decode(text + i, len - i, &used);
        l->start[l->count++] = (uint32_t)i;
        i += used;
    }
    l->start[l->count] = (uint32_t)i;
}

static void line_find_levels(struct line *l)
{
    FriBidiCharType types[TEXT_RUNS_CHARS];
    FriBidiBracketType brackets[TEXT_RUNS_CHARS];
    FriBidiStrIndex count = (FriBidiStrIndex)l->count;
    FriBidiParType base = FRIBIDI_PAR_ON;
    fribidi_get_bidi_types(l->code, count, types);
    fribidi_get_bracket_types(l->code, count, types, brackets);
    if (!fribidi_get_par_embedding_levels_ex(types, brackets, count, &base, l->level))
        memset(l->level, 0, sizeof(l->level));
}

static void line_find_scripts(struct line *l)
{
    uint32_t script = 0;
    for (size_t i = 0; i < l->count; i++) {
        uint32_t own = unicode_script(l->code[i]);
        script = own ? own : script;
        l->script[i] = script;
    }
    /* What stands before the first letter belongs to it. */
    for (size_t i = l->count; i > 1; i--) {
        if (!l->script[i - 2])
            l->script[i - 2] = l->script[i - 1];
    }
}

/* The font for a character of `n` code points; one that has its marks, too, if there is any. */
static int pick_for_cluster(const uint32_t *code, size_t n, pick_font *pick, void *ctx,
                            int previous)
{
    int wish = unicode_cluster_is_emoji(code, n) ? PICK_EMOJI
               : unicode_is_blank(code[0])       ? previous
                                                 : PICK_ANY;
    int font = pick(ctx, code[0], wish);
    for (size_t i = 1; font >= 0 && i < n; i++) {
        if (unicode_is_silent(code[i]) || pick(ctx, code[i], font) == font)
            continue;
        int other = pick(ctx, code[i], PICK_ANY);
        if (other >= 0 && pick(ctx, code[0], other) == other)
            return other;
    }
    return font;
}

static void line_find_fonts(struct line *l, pick_font *pick, void *ctx)
{
    int previous = PICK_ANY;
    for (size_t i = 0, n; i < l->count; i += n) {
        const uint32_t *code = l->code + i;
        n = unicode_cluster(code, l->count - i);
        bool has_base = !unicode_is_hidden(code[0]) && !unicode_is_mark(code[0]);
        int font = has_base ? pick_for_cluster(code, n, pick, ctx, previous) : FONT_NONE;
        l->font[i] = font;
        int marks = 0;
        for (size_t k = 1; k < n; k++) {
            bool is_silent = unicode_is_silent(code[k]);
            bool is_shown = font >= 0 && (is_silent || pick(ctx, code[k], font) == font);
            marks += is_shown && !is_silent && unicode_is_mark(code[k]);
            l->font[i + k] = is_shown && marks <= MARKS_MAX ? font : FONT_NONE;
        }
        if (font >= 0) /* a blank of the emoji font would be as wide as an emoji */
            previous = unicode_cluster_is_emoji(code, n) ? PICK_ANY : font;
    }
}

/* Runs in logical order, each with its level. */
static size_t line_cut(const struct line *l, struct text_run *runs, FriBidiLevel *level, size_t max)
{
    size_t count = 0;
    bool is_open = false;
    for (size_t i = 0; i < l->count; i++) {
        if (l->font[i] < 0) {
            is_open = false;
            continue;
        }
        struct text_run *last = count > 0 ? &runs[count - 1] : NULL;
        size_t bytes = l->start[i + 1] - l->start[i];
        if (is_open && last->font == l->font[i] && last->script == l->script[i] &&
            level[count - 1] == l->level[i]) {
            last->len += bytes;
            continue;
        }
        if (count == max)
            break;
        level[count] = l->level[i];
        runs[count++] = (struct text_run){
            .start = l->start[i],
            .len = bytes,
            .script = l->script[i],
            .is_rtl = l->level[i] & 1,
            .font = l->font[i],
        };
        is_open = true;
    }
    return count;
}

/* Rule L2: from the highest level down, reverse every stretch of runs at it or above. */
static void runs_reorder(struct text_run *runs, FriBidiLevel *level, size_t count)
{
    FriBidiLevel highest = 0;
    for (size_t i = 0; i < count; i++)
        highest = level[i] > highest ? level[i] : highest;
    for (FriBidiLevel at = highest; at > 0; at--) {
        for (size_t i = 0, end; i < count; i = end + 1) {
            for (end = i; end < count && level[end] >= at; end++)
                ;
            for (size_t a = i, b = end; a + 1 < b; a++, b--) {
                struct text_run run = runs[a];
                runs[a] = runs[b - 1];
                runs[b - 1] = run;
                FriBidiLevel swapped = level[a];
                level[a] = level[b - 1];
                level[b - 1] = swapped;
            }
        }
    }
}

size_t text_runs(const char *text, pick_font *pick, void *ctx, struct text_run *runs, size_t max)
{
    struct line line;
    FriBidiLevel level[TEXT_RUNS_CHARS];
    assert(text && pick && (runs || max == 0));
    line_decode(&line, text);
    if (line.count == 0)
        return 0;
    line_find_levels(&line);
    line_find_scripts(&line);
    line_find_fonts(&line, pick, ctx);
    size_t count = line_cut(&line, runs, level, max < TEXT_RUNS_CHARS ? max : TEXT_RUNS_CHARS);
    runs_reorder(runs, level, count);
    return count;
}
