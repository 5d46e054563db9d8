/* A card with plain words, above the lower third: something failed, or is good to know. */
#include "overlay/layout.h"

#define LINES 3

struct notice_block {
    struct text_style title_style, text_style;
    char title[DRAW_TEXT_MAX], text[LINES][DRAW_TEXT_MAX];
    int title_w, text_w[LINES];
    size_t lines;
    int pad, icon, gap, bar_w;
    int content_w;
};

static void measure(struct notice_block *b, const struct layout *l, size_t max_lines)
{
    const struct text_metrics *m = l->metrics;
    const struct overlay_view *v = l->view;
    int wide = v->width * 56 / 100, usual = layout_px(l, 1000);
    int max_w = wide > usual ? wide : usual;
    max_w = (max_w < l->safe.w ? max_w : l->safe.w) - 2 * b->pad - b->icon - b->gap;
    b->title_w = text_fit(m, b->title_style, v->notice_title, max_w, b->title);
    b->lines = text_wrap(m, b->text_style, v->notice_text, max_w, b->text, max_lines);
    b->content_w = b->title_w;
    for (size_t i = 0; i < b->lines; i++) {
        b->text_w[i] = m->width(m->ctx, b->text[i], b->text_style.size, b->text_style.weight);
        b->content_w = b->text_w[i] > b->content_w ? b->text_w[i] : b->content_w;
    }
}

static void draw(struct layout *l, const struct notice_block *b, struct box panel, int head_h)
{
    bool is_problem = l->view->notice_is_problem;
    uint32_t colour = is_problem ? COLOUR_PROBLEM : COLOUR_ACCENT;
    layout_panel(l, panel);
    struct box icon = { panel.x + b->pad, panel.y + b->pad + (head_h - b->icon) / 2, b->icon,
                        b->icon };
    layout_icon(l, is_problem ? ICON_WARNING : ICON_NOTE, icon, colour);
    int x = icon.x + b->icon + b->gap, y = panel.y + b->pad;
    layout_text(l, b->title_style, colour, x, y, b->title_w, b->title);
    y += b->title_w > 0 ? head_h : (head_h - text_line_height(b->text_style.size)) / 2;
    for (size_t i = 0; i < b->lines; i++) {
        layout_text(l, b->text_style, COLOUR_TEXT, x, y, b->text_w[i], b->text[i]);
        y += text_line_height(b->text_style.size);
    }
}

/* The lowest place for a block of height `h`: on top of what stands at the bottom already. */
static int bottom_y(const struct layout *l, int h, int gap)
{
    int bottom = l->safe.y + l->safe.h;
    if (l->view->has_track && l->placed_count > 0)
        bottom = l->placed[0].y - gap;
    return bottom - h;
}

void block_notice(struct layout *l)
{
    struct notice_block b = {
        .title_style = layout_font(l, 36, WEIGHT_BOLD),
        .text_style = layout_font(l, 32, WEIGHT_REGULAR),
        .pad = layout_px(l, 20),
        .icon = layout_px(l, 44),
        .gap = layout_px(l, 16),
    };
    if (!l->view->has_notice)
        return;
    for (size_t lines = LINES; lines > 0; lines--) {
        measure(&b, l, lines);
        if (b.content_w == 0)
            return;
        int title_h = text_line_height(b.title_style.size);
        int head_h = title_h > b.icon ? title_h : b.icon;
        int text_h = (int)b.lines * text_line_height(b.text_style.size);
        int h = 2 * b.pad + (b.title_w > 0 ? head_h + text_h : text_h > head_h ? text_h : head_h);
        int w = 2 * b.pad + b.icon + b.gap + b.content_w;
        struct box panel = { l->safe.x, bottom_y(l, h, b.gap), w, h };
        if (layout_place(l, panel)) {
            draw(l, &b, panel, head_h);
            return;
        }
    }
}
