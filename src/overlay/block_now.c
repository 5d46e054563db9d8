/* The lower third: what plays, who asked for it, how long it still takes. */
#include <stdio.h>
#include <string.h>

#include "overlay/layout.h"

struct now_block {
    struct text_style title_style, artist_style, badge_style, left_style;
    char title[DRAW_TEXT_MAX], artist[DRAW_TEXT_MAX], badge[DRAW_TEXT_MAX], left[32];
    int title_w, artist_w, badge_w, left_w;
    int left_column; /* wide enough for every time it will show */
    int icon_size;   /* pause mark before the time; 0: not paused */
    int pad_x, pad_y, bar_w, gap, badge_pad;
    int content_w, second_h; /* second_h 0: there is no second row */
};

static void format_left(char *out, size_t size, int64_t left_ms)
{
    int64_t s = (left_ms + 999) / 1000;
    if (s > 359999)
        s = 359999;
    int hours = (int)(s / 3600), minutes = (int)(s / 60 % 60), seconds = (int)(s % 60);
    if (hours > 0)
        snprintf(out, size, "%d:%02d:%02d", hours, minutes, seconds);
    else
        snprintf(out, size, "%d:%02d", minutes, seconds);
}

/* The time, in a column that does not change its width with the digits. */
static void measure_left(struct now_block *b, const struct layout *l)
{
    const struct text_metrics *m = l->metrics;
    b->left_w = b->left_column = 0;
    if (l->view->left_ms < 0)
        return;
    format_left(b->left, sizeof(b->left), l->view->left_ms);
    const char *widest = strlen(b->left) <= 5 ? "00:00" : "00:00:00";
    b->left_w = m->width(m->ctx, b->left, b->left_style.size, b->left_style.weight);
    b->left_column = m->width(m->ctx, widest, b->left_style.size, b->left_style.weight);
    if (b->left_column < b->left_w)
        b->left_column = b->left_w;
}

static int right_part(const struct now_block *b)
{
    int icon = b->icon_size > 0 ? b->icon_size + (b->left_column > 0 ? b->gap / 2 : 0) : 0;
    int w = icon + b->left_column;
    return w > 0 ? w + 2 * b->gap : 0;
}

/* The name gives way after the word. */
static void measure_badge(struct now_block *b, const struct layout *l, int max_w)
{
    const struct overlay_track *t = &l->view->now;
    const struct text_metrics *m = l->metrics;
    struct text_style style = b->badge_style;
    char name[DRAW_TEXT_MAX], whole[DRAW_TEXT_MAX + 16];
    b->badge_w = 0;
    if (!t->is_request)
        return;
    bool has_name = text_fit(m, style, t->requester, max_w, name) > 0;
    snprintf(whole, sizeof(whole), has_name ? "Request · %s" : "Request", name);
    if (m->width(m->ctx, whole, style.size, style.weight) <= max_w)
        b->badge_w = text_fit(m, style, whole, max_w, b->badge);
    else if (has_name)
        b->badge_w = text_fit(m, style, name, max_w, b->badge);
}

static void measure(struct now_block *b, const struct layout *l)
{
    const struct overlay_track *t = &l->view->now;
    measure_left(b, l);
    int fixed = 2 * b->pad_x + b->bar_w + b->gap;
    if (l->safe.w - fixed - right_part(b) < 5 * b->title_style.size)
        b->left_column = b->left_w = 0; /* a window too narrow for both: the title wins */
    int avail = l->safe.w - fixed - right_part(b);
    b->title_w = text_fit(l->metrics, b->title_style, t->title, avail, b->title);
    measure_badge(b, l, avail / 2 - 2 * b->badge_pad);
    int badge = b->badge_w > 0 ? b->badge_w + 2 * b->badge_pad : 0;
    if (b->title_w == 0) {
        b->title_w = text_fit(l->metrics, b->title_style, t->artist, avail, b->title);
        b->artist_w = 0;
    } else {
        int rest = avail - (badge > 0 ? badge + b->gap : 0);
        b->artist_w = text_fit(l->metrics, b->artist_style, t->artist, rest, b->artist);
    }
    if (b->title_w == 0)
        b->title_w = text_fit(l->metrics, b->title_style, "Unknown title", avail, b->title);
    int second = b->artist_w + (b->artist_w > 0 && badge > 0 ? b->gap : 0) + badge;
    b->content_w = b->title_w > second ? b->title_w : second;
    b->second_h = second > 0 ? text_line_height(b->artist_style.size) : 0;
}

static void draw_second_row(struct layout *l, const struct now_block *b, int x, int y)
{
    layout_text(l, b->artist_style, COLOUR_SOFT, x, y, b->artist_w, b->artist);
    if (b->badge_w == 0)
        return;
    int line = text_line_height(b->badge_style.size);
    x += b->artist_w > 0 ? b->artist_w + b->gap : 0;
    struct box pill = { x, y, b->badge_w + 2 * b->badge_pad, b->second_h };
    layout_rect(l, pill, b->second_h / 2, COLOUR_REQUEST);
    layout_text(l, b->badge_style, COLOUR_ON_PILL, x + b->badge_pad, y + (b->second_h - line) / 2,
                b->badge_w, b->badge);
}

static void draw_right_part(struct layout *l, const struct now_block *b, struct box panel)
{
    int right = panel.x + panel.w - b->pad_x, middle = panel.y + panel.h / 2;
    int line = text_line_height(b->left_style.size);
    layout_text(l, b->left_style, COLOUR_SOFT, right - b->left_w, middle - line / 2, b->left_w,
                b->left);
    if (b->icon_size == 0)
        return;
    int x = right - b->icon_size - (b->left_column > 0 ? b->left_w + b->gap / 2 : 0);
    struct box icon = { x, middle - b->icon_size / 2, b->icon_size, b->icon_size };
    layout_icon(l, ICON_PAUSE, icon, COLOUR_SOFT);
}

void block_now(struct layout *l)
{
    struct now_block b = {
        .title_style = layout_font(l, 50, WEIGHT_BOLD),
        .artist_style = layout_font(l, 36, WEIGHT_REGULAR),
        .badge_style = layout_font(l, 28, WEIGHT_BOLD),
        .left_style = layout_font(l, 44, WEIGHT_BOLD),
        .icon_size = l->view->is_paused ? layout_px(l, 36) : 0,
        .pad_x = layout_px(l, 24),
        .pad_y = layout_px(l, 17),
        .bar_w = layout_px(l, 6),
        .gap = layout_px(l, 18),
        .badge_pad = layout_px(l, 14),
    };
    measure(&b, l);
    int title_h = text_line_height(b.title_style.size);
    int row_gap = b.second_h > 0 ? layout_px(l, 5) : 0;
    int h = 2 * b.pad_y + title_h + row_gap + b.second_h;
    int w = 2 * b.pad_x + b.bar_w + b.gap + b.content_w + right_part(&b);
    struct box panel = { l->safe.x, l->safe.y + l->safe.h - h, w, h };
    if (b.title_w == 0 || !layout_place(l, panel))
        return;
    layout_panel(l, panel);
    struct box bar = { panel.x + b.pad_x, panel.y + b.pad_y, b.bar_w, h - 2 * b.pad_y };
    layout_rect(l, bar, b.bar_w / 2, COLOUR_ACCENT);
    int x = bar.x + b.bar_w + b.gap, y = panel.y + b.pad_y;
    layout_text(l, b.title_style, COLOUR_TEXT, x, y, b.title_w, b.title);
    draw_second_row(l, &b, x, y + title_h + row_gap);
    draw_right_part(l, &b, panel);
}
