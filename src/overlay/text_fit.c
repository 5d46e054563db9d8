#include "overlay/text_fit.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "overlay/unicode.h"

#define TEXT_CODES_MAX 1024 /* code points looked at of one text */

/* A text cleaned and cut into characters. `end[i]` is where character i ends in bytes. */
struct cut_text {
    char text[4 * TEXT_CODES_MAX + 1];
    size_t count;
    uint32_t end[TEXT_CODES_MAX];
    uint32_t first_code[TEXT_CODES_MAX];
    bool is_cut; /* there was more of it */
};

int text_line_height(int size)
{
    return (size * 5 + 3) / 4;
}

static void trim_end(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == ' ')
        text[--len] = '\0';
}

static void cut_text_init(struct cut_text *t, const char *text)
{
    uint32_t code[TEXT_CODES_MAX], offset[TEXT_CODES_MAX + 1];
    size_t n = 0, i = 0;
    size_t len = text_clean(t->text, sizeof(t->text), text ? text : "");
    bool was_cut = len + 4 >= sizeof(t->text);
    size_t lead = strspn(t->text, " ");
    memmove(t->text, t->text + lead, len - lead + 1);
    trim_end(t->text);
    len = strlen(t->text);
    while (i < len && n < TEXT_CODES_MAX) {
        size_t used;
        code[n] = utf8_decode(t->text + i, len - i, &used);
        offset[n++] = (uint32_t)i;
        i += used;
    }
    offset[n] = (uint32_t)i;
    t->is_cut = was_cut || i < len;
    t->text[i] = '\0';
    t->count = 0;
    for (size_t k = 0; k < n;) {
        t->first_code[t->count] = code[k];
        k += unicode_cluster(code + k, n - k);
        t->end[t->count++] = offset[k];
    }
}

static size_t char_start(const struct cut_text *t, size_t i)
{
    return i > 0 ? t->end[i - 1] : 0;
}

/* Characters [from, to) and `tail`. false: too long for `out`, which is then "". */
static bool cut_text_copy(const struct cut_text *t, size_t from, size_t to, const char *tail,
                          char out[DRAW_TEXT_MAX])
{
    size_t start = char_start(t, from), len = char_start(t, to) - start, tail_len = strlen(tail);
    out[0] = '\0';
    if (len + tail_len >= DRAW_TEXT_MAX)
        return false;
    memcpy(out, t->text + start, len);
    out[len] = '\0';
    trim_end(out);
    strcat(out, tail);
    return true;
}

/* Width of characters [from, to) with `tail`, or INT32_MAX when they are too long to draw. */
static int width_of(const struct text_metrics *m, struct text_style style, const struct cut_text *t,
                    size_t from, size_t to, const char *tail)
{
    char text[DRAW_TEXT_MAX];
    if (!cut_text_copy(t, from, to, tail, text))
        return INT32_MAX;
    return text[0] ? m->width(m->ctx, text, style.size, style.weight) : 0;
}

/* The largest `to` for which [from, to) with `tail` fits; from when nothing does. */
static size_t longest_fit(const struct text_metrics *m, struct text_style style,
                          const struct cut_text *t, size_t from, int max_w, const char *tail)
{
    size_t best = from, lo = from + 1, hi = t->count;
    while (lo <= hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (width_of(m, style, t, from, mid, tail) <= max_w) {
            best = mid;
            lo = mid + 1;
        } else {
            hi = mid - 1;
        }
    }
    return best;
}

/* The rest of the text from character `from`, with an ellipsis if it does not fit. */
static int fit_rest(const struct text_metrics *m, struct text_style style, const struct cut_text *t,
                    size_t from, int max_w, char out[DRAW_TEXT_MAX])
{
    int width = width_of(m, style, t, from, t->count, "");
    if (!t->is_cut && width <= max_w) {
        cut_text_copy(t, from, width > 0 ? t->count : from, "", out);
        return width;
    }
    size_t to = longest_fit(m, style, t, from, max_w, CODE_ELLIPSIS);
    cut_text_copy(t, from, to, CODE_ELLIPSIS, out);
    width = m->width(m->ctx, out, style.size, style.weight);
    if (width <= max_w && to > from)
        return width;
    out[0] = '\0';
    return 0;
}

int text_fit(const struct text_metrics *m, struct text_style style, const char *text, int max_w,
             char out[DRAW_TEXT_MAX])
{
    struct cut_text t;
    cut_text_init(&t, text);
    out[0] = '\0';
    return t.count > 0 && max_w > 0 ? fit_rest(m, style, &t, 0, max_w, out) : 0;
}

/* Characters that may not begin a line. */
static bool clings_to_previous(uint32_t code)
{
    static const uint32_t clinging[] = { '!',    ')',    ',',    '.',    ':',    ';',
                                         '?',    '%',    0x2019, 0x201d, 0x2026, 0x3001,
                                         0x3002, 0x3009, 0x300b, 0x300d, 0x300f, 0x3011,
                                         0x30fc, 0xff01, 0xff09, 0xff0c, 0xff0e, 0xff1f };
    for (size_t i = 0; i < sizeof(clinging) / sizeof(clinging[0]); i++) {
        if (clinging[i] == code)
            return true;
    }
    return false;
}

/* Whether a line may end before character i. */
static bool may_break(const struct cut_text *t, size_t i)
{
    uint32_t before = t->first_code[i - 1], after = t->first_code[i];
    if (before == ' ')
        return true;
    if (after == ' ' || clings_to_previous(after))
        return false;
    return unicode_is_ideograph(before) || unicode_is_ideograph(after);
}

size_t text_wrap(const struct text_metrics *m, struct text_style style, const char *text, int max_w,
                 char (*lines)[DRAW_TEXT_MAX], size_t max_lines)
{
    struct cut_text t;
    size_t from = 0, count = 0;
    cut_text_init(&t, text);
    while (count < max_lines && from < t.count && max_w > 0) {
        size_t to = longest_fit(m, style, &t, from, max_w, "");
        bool is_last = count + 1 == max_lines || to == t.count;
        if (is_last) {
            count += fit_rest(m, style, &t, from, max_w, lines[count]) > 0;
            break;
        }
        size_t at = to;
        while (at > from && !may_break(&t, at))
            at--;
        at = at > from ? at : to;
        if (at == from)
            break; /* not even one character is that narrow */
        cut_text_copy(&t, from, at, "", lines[count++]);
        for (from = at; from < t.count && t.first_code[from] == ' '; from++)
            ;
    }
    return count;
}
