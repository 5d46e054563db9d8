/* Upper right: what comes next. */
#include <stdio.h>

#include "overlay/layout.h"

#define ROWS       3
#define ARTIST_MIN 4 /* width of what is still worth showing, in sizes of its font */

struct next_row {
    char title[DRAW_TEXT_MAX], artist[DRAW_TEXT_MAX], requester[DRAW_TEXT_MAX];
    int title_w, artist_w, requester_w;
    bool is_request;
};

struct next_block {
    struct text_style head_style, row_style, by_style;
    struct next_row row[ROWS];
    size_t rows;
    char more[48];
    int more_w, head_w, dash_w;
    int pad, gap, row_gap, dot, dot_gap;
    int content_w;
};

static const char heading[] = "Up next", dash[] = "–", request[] = "Request";

static int request_width(const struct next_block *b, const struct next_row *r)
{
    int name = r->requester_w > 0 ? b->dot_gap + r->requester_w : 0;
    return r->is_request ? 2 * b->gap + b->dot + name : 0;
}

static int row_width(const struct next_block *b, const struct next_row *r)
{
    int artist = r->artist_w > 0 ? b->gap + b->dash_w + r->artist_w : 0;
    return r->title_w + artist + request_width(b, r);
}

/* Who asked for it: at most a third of the row, more where the song leaves it. Without a name a word
 * says it, and without room for the word the dot alone. */
static void measure_requester(struct next_block *b, const struct layout *l,
                              const struct overlay_track *t, struct next_row *r, int max_w)
{
    const struct text_metrics *m = l->metrics;
    if (!t->is_request)
        return;
    int rest = max_w - row_width(b, r) - b->dot_gap;
    int third = max_w / 3;
    rest = rest > third ? rest : third;
    r->requester_w = text_fit(m, b->by_style, t->requester, rest, r->requester);
    int word_w = m->width(m->ctx, request, b->by_style.size, b->by_style.weight);
    if (r->requester_w == 0 && word_w <= rest)
        r->requester_w = text_fit(m, b->by_style, request, rest, r->requester);
}

/* Title and artist share what is left; the title gives way last. */
static void measure_song(struct next_block *b, const struct layout *l,
                         const struct overlay_track *t, struct next_row *r, int rest)
{
    const struct text_metrics *m = l->metrics;
    r->artist_w = text_fit(m, b->row_style, t->artist, rest, r->artist);
    r->title_w = text_fit(m, b->row_style, t->title, rest, r->title);
    if (r->title_w == 0) {
        r->title_w = r->artist_w;
        snprintf(r->title, sizeof(r->title), "%s", r->artist);
        r->artist_w = 0;
    }
    if (r->title_w == 0)
        r->title_w = text_fit(m, b->row_style, "Unknown title", rest, r->title);
    int both = rest - b->gap - b->dash_w;
    if (r->artist_w == 0 || r->title_w + r->artist_w <= both)
        return;
    int least = both * 2 / 3;
    int for_title = both - r->artist_w > least ? both - r->artist_w : least;
    int for_artist = both - (r->title_w < for_title ? r->title_w : for_title);
    if (r->artist_w > for_artist && for_artist <= ARTIST_MIN * b->row_style.size) {
        r->artist_w = 0; /* a few letters tell nothing */
        return;
    }
    r->title_w = text_fit(m, b->row_style, t->title, for_title, r->title);
    r->artist_w = text_fit(m, b->row_style, t->artist, both - r->title_w, r->artist);
}

static void measure_row(struct next_block *b, const struct layout *l, const struct overlay_track *t,
                        struct next_row *r, int max_w)
{
    r->is_request = t->is_request;
    r->requester_w = 0;
    measure_song(b, l, t, r, max_w);
    measure_requester(b, l, t, r, max_w);
    measure_song(b, l, t, r, max_w - request_width(b, r));
}

static void measure(struct next_block *b, const struct layout *l, int max_w)
{
    const struct text_metrics *m = l->metrics;
    char text[DRAW_TEXT_MAX];
    b->head_w = text_fit(m, b->head_style, heading, max_w, text);
    b->dash_w = m->width(m->ctx, dash, b->row_style.size, b->row_style.weight) + b->gap;
    b->content_w = b->head_w;
    for (size_t i = 0; i < b->rows; i++) {
        measure_row(b, l, &l->view->next[i], &b->row[i], max_w);
        int w = row_width(b, &b->row[i]);
        b->content_w = w > b->content_w ? w : b->content_w;
    }
}

/* "+N more" counts what is not shown; returns the height of the whole block. */
static int measure_height(struct next_block *b, const struct layout *l)
{
    size_t hidden = l->view->more_count + l->view->next_count - b->rows;
    b->more_w = 0;
    if (hidden > 0) {
        snprintf(b->more, sizeof(b->more), "+%zu more", hidden);
        const struct text_metrics *m = l->metrics;
        b->more_w = m->width(m->ctx, b->more, b->head_style.size, b->head_style.weight);
    }
    int head = text_line_height(b->head_style.size), row = text_line_height(b->row_style.size);
    return 2 * b->pad + head + (int)b->rows * (row + b->row_gap) +
           (b->more_w > 0 ? head + b->row_gap : 0);
}

static void draw_row(struct layout *l, const struct next_block *b, const struct next_row *r, int x,
                     int y)
{
    int line = text_line_height(b->row_style.size);
    layout_text(l, b->row_style, COLOUR_TEXT, x, y, r->title_w, r->title);
    if (r->artist_w > 0) {
        int dash_x = x + r->title_w + b->gap, dash_w = b->dash_w - b->gap;
        layout_text(l, b->row_style, COLOUR_DIM, dash_x, y, dash_w, dash);
        layout_text(l, b->row_style, COLOUR_SOFT, dash_x + b->dash_w, y, r->artist_w, r->artist);
    }
    if (!r->is_request)
        return;
    int by_line = text_line_height(b->by_style.size), right = x + b->content_w;
    layout_text(l, b->by_style, COLOUR_REQUEST, right - r->requester_w, y + (line - by_line) / 2,
                r->requester_w, r->requester);
    int name = r->requester_w > 0 ? r->requester_w + b->dot_gap : 0;
    struct box dot = { right - name - b->dot, y + (line - b->dot) / 2, b->dot, b->dot };
    layout_rect(l, dot, b->dot / 2, COLOUR_REQUEST);
}

static void draw(struct layout *l, const struct next_block *b, struct box panel)
{
    int head = text_line_height(b->head_style.size), row = text_line_height(b->row_style.size);
    int x = panel.x + b->pad, y = panel.y + b->pad;
    layout_panel(l, panel);
    layout_text(l, b->head_style, COLOUR_ACCENT, x, y, b->head_w, heading);
    y += head + b->row_gap;
    for (size_t i = 0; i < b->rows; i++, y += row + b->row_gap)
        draw_row(l, b, &b->row[i], x, y);
    layout_text(l, b->head_style, COLOUR_DIM, x, y, b->more_w, b->more);
}

void block_next(struct layout *l)
{
    const struct overlay_view *v = l->view;
    struct next_block b = {
        .head_style = layout_font(l, 28, WEIGHT_BOLD),
        .row_style = layout_font(l, 33, WEIGHT_REGULAR),
        .by_style = layout_font(l, 28, WEIGHT_BOLD),
        .rows = v->next_count < ROWS ? v->next_count : ROWS,
        .pad = layout_px(l, 18),
        .gap = layout_px(l, 10),
        .row_gap = layout_px(l, 5),
        .dot = layout_px(l, 12),
        .dot_gap = layout_px(l, 7),
    };
    if (b.rows == 0)
        return;
    int wide = v->width * 46 / 100, usual = layout_px(l, 820);
    int max_w = wide > usual ? wide : usual;
    max_w = (max_w < l->safe.w ? max_w : l->safe.w) - 2 * b.pad;
    measure(&b, l, max_w);
    struct box volume = block_volume_size(l);
    int y = layout_top(l), beside = max_w + 2 * b.pad + b.pad + volume.w;
    if (beside > l->safe.w)
        y += volume.h + b.pad;
    for (; b.rows > 0; b.rows--) {
        int h = measure_height(&b, l);
        b.content_w = b.more_w > b.content_w ? b.more_w : b.content_w;
        int w = b.content_w + 2 * b.pad;
        struct box panel = { l->safe.x + l->safe.w - w, y, w, h };
        if (b.head_w > 0 && layout_place(l, panel)) {
            draw(l, &b, panel);
            return;
        }
    }
}
