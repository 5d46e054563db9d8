/* Volume and mute at the upper left, the pause mark in the middle, the words of an idle screen, and
 * the connection at the lower right, or the upper left. */
#include <stdio.h>

#include "overlay/layout.h"

#define IDLE_LINES 3

struct volume_block {
    struct text_style style;
    int pad, gap, icon, bar_w, bar_h, number_w, h;
};

static struct volume_block volume_measure(const struct layout *l)
{
    const struct text_metrics *m = l->metrics;
    struct volume_block b = {
        .style = layout_font(l, 36, WEIGHT_BOLD),
        .pad = layout_px(l, 16),
        .gap = layout_px(l, 14),
        .icon = layout_px(l, 44),
        .bar_w = layout_px(l, 200),
        .bar_h = layout_px(l, 12),
    };
    int line = text_line_height(b.style.size);
    b.number_w = m->width(m->ctx, "100", b.style.size, b.style.weight);
    b.h = 2 * b.pad + (line > b.icon ? line : b.icon);
    return b;
}

struct box block_volume_size(const struct layout *l)
{
    struct volume_block b = volume_measure(l);
    return (struct box){ .w = 2 * b.pad + b.icon + b.gap + b.bar_w + b.gap + b.number_w, .h = b.h };
}

static void draw_volume_bar(struct layout *l, const struct volume_block *b, struct box panel, int x)
{
    int volume = l->view->volume < 0 ? 0 : l->view->volume > 100 ? 100 : l->view->volume;
    uint32_t colour = l->view->is_muted ? COLOUR_DIM : COLOUR_TEXT;
    struct box track = { x, panel.y + (panel.h - b->bar_h) / 2, b->bar_w, b->bar_h };
    layout_rect(l, track, b->bar_h / 2, COLOUR_TRACK);
    struct box filled = track;
    filled.w = b->bar_w * volume / 100;
    if (filled.w > 0)
        layout_rect(l, filled, (filled.w < b->bar_h ? filled.w : b->bar_h) / 2, colour);
    char number[16];
    snprintf(number, sizeof(number), "%d", volume);
    const struct text_metrics *m = l->metrics;
    int w = m->width(m->ctx, number, b->style.size, b->style.weight);
    layout_text(l, b->style, colour, panel.x + panel.w - b->pad - w,
                panel.y + (panel.h - text_line_height(b->style.size)) / 2, w, number);
}

void block_volume(struct layout *l)
{
    if (!l->view->shows_volume && !l->view->is_muted)
        return;
    struct volume_block b = volume_measure(l);
    struct box panel = block_volume_size(l);
    char muted[DRAW_TEXT_MAX];
    int muted_w = text_fit(l->metrics, b.style, "Muted", l->safe.w, muted);
    if (!l->view->shows_volume)
        panel.w = 2 * b.pad + b.icon + b.gap + muted_w;
    panel.x = l->safe.x;
    panel.y = layout_top(l);
    if (!layout_place(l, panel))
        return;
    layout_panel(l, panel);
    struct box icon = { panel.x + b.pad, panel.y + (panel.h - b.icon) / 2, b.icon, b.icon };
    layout_icon(l, l->view->is_muted ? ICON_MUTE : ICON_VOLUME, icon, COLOUR_TEXT);
    int x = icon.x + b.icon + b.gap;
    if (l->view->shows_volume)
        draw_volume_bar(l, &b, panel, x);
    else
        layout_text(l, b.style, COLOUR_TEXT, x,
                    panel.y + (panel.h - text_line_height(b.style.size)) / 2, muted_w, muted);
}

void block_paused(struct layout *l)
{
    const struct overlay_view *v = l->view;
    int d = layout_px(l, 130), size = d / 2;
    struct box disc = { (v->width - d) / 2, (v->height - d) / 2, d, d };
    if (!v->is_paused || !v->has_track || !layout_place(l, disc))
        return;
    layout_rect(l, disc, d / 2, COLOUR_PANEL);
    struct box icon = { disc.x + (d - size) / 2, disc.y + (d - size) / 2, size, size };
    layout_icon(l, ICON_PAUSE, icon, COLOUR_TEXT);
}

/* Lines of one style, in the middle of the screen. */
struct paragraph {
    struct text_style style;
    uint32_t colour;
    char line[IDLE_LINES][DRAW_TEXT_MAX];
    int width[IDLE_LINES], w, h; /* of each line; of all */
    size_t lines;
};

static void paragraph_measure(struct paragraph *p, const struct layout *l, const char *text,
                              int max_w)
{
    const struct text_metrics *m = l->metrics;
    p->lines = text_wrap(m, p->style, text, max_w, p->line, IDLE_LINES);
    for (size_t i = 0; i < p->lines; i++) {
        p->width[i] = m->width(m->ctx, p->line[i], p->style.size, p->style.weight);
        p->w = p->width[i] > p->w ? p->width[i] : p->w;
    }
    p->h = (int)p->lines * text_line_height(p->style.size);
}

static void paragraph_draw(const struct paragraph *p, struct layout *l, int y)
{
    for (size_t i = 0; i < p->lines; i++, y += text_line_height(p->style.size))
        layout_text(l, p->style, p->colour, (l->view->width - p->width[i]) / 2, y, p->width[i],
                    p->line[i]);
}

/* false: there is no place for it. */
static bool draw_idle(struct layout *l, const struct paragraph *text, const struct paragraph *help)
{
    const struct overlay_view *v = l->view;
    int pad = layout_px(l, 36), icon = layout_px(l, 90), gap = layout_px(l, 20);
    int w = text->w > help->w ? text->w : help->w;
    struct box panel = { .w = (w > icon ? w : icon) + 2 * pad,
                         .h = 2 * pad + icon + gap + text->h + (help->h ? gap + help->h : 0) };
    panel.x = (v->width - panel.w) / 2;
    panel.y = (v->height - panel.h) / 2;
    if (!layout_place(l, panel))
        return false;
    layout_panel(l, panel);
    struct box note = { (v->width - icon) / 2, panel.y + pad, icon, icon };
    layout_icon(l, ICON_NOTE, note, COLOUR_ACCENT);
    paragraph_draw(text, l, note.y + icon + gap);
    paragraph_draw(help, l, note.y + icon + gap + text->h + gap);
    return true;
}

void block_idle(struct layout *l)
{
    const struct paragraph none = { .lines = 0 };
    struct paragraph text = { .style = layout_font(l, 58, WEIGHT_BOLD), .colour = COLOUR_TEXT };
    struct paragraph help = { .style = layout_font(l, 32, WEIGHT_REGULAR), .colour = COLOUR_SOFT };
    int max_w = l->safe.w * 9 / 10 - 2 * layout_px(l, 36);
    paragraph_measure(&text, l, l->view->idle_text, max_w);
    paragraph_measure(&help, l, l->view->idle_help, max_w);
    if (text.lines > 0 && !draw_idle(l, &text, &help))
        draw_idle(l, &text, &none);
}

/* A dot when all is well, and a word with it when not. */
void block_link(struct layout *l)
{
    static const struct {
        uint32_t colour;
        const char *word;
    } look[] = {
        [LINK_DISCONNECTED] = { COLOUR_PROBLEM, "Offline" },
        [LINK_CONNECTING] = { COLOUR_REQUEST, "Connecting" },
        [LINK_CONNECTED] = { COLOUR_GOOD, "" },
    };
    enum overlay_link link = l->view->link;
    if (link <= LINK_HIDDEN || link > LINK_CONNECTED)
        return;
    struct text_style style = layout_font(l, 28, WEIGHT_REGULAR);
    char word[DRAW_TEXT_MAX];
    int w = text_fit(l->metrics, style, look[link].word, l->safe.w / 2, word);
    int dot = layout_px(l, 12), pad = layout_px(l, 8), line = text_line_height(style.size);
    struct box panel = { .w = 2 * pad + dot + (w > 0 ? pad + w : 0),
                         .h = w > 0 ? line + pad : 2 * pad + dot };
    panel.x = l->safe.x + l->safe.w - panel.w;
    panel.y = l->safe.y + l->safe.h - panel.h;
    if (!layout_place(l, panel)) { /* a long title is there */
        panel.x = l->safe.x;
        panel.y = layout_top(l);
        if (!layout_place(l, panel))
            return;
    }
    layout_panel(l, panel);
    struct box disc = { panel.x + pad, panel.y + (panel.h - dot) / 2, dot, dot };
    layout_rect(l, disc, dot / 2, look[link].colour);
    layout_text(l, style, COLOUR_SOFT, disc.x + dot + pad, panel.y + (panel.h - line) / 2, w, word);
}
