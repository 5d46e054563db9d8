#include "overlay/overlay.h"

#include <assert.h>
#include <stdio.h>

#include "overlay/layout.h"

#define SIZE_MAX_PX    32768 /* of an output: no arithmetic below overflows */
#define FONT_MIN_PX    8
#define UNIT_MIN_PX    36 /* below, nothing could be read */
#define MARGIN_PERCENT 5  /* of each side: televisions may hide so much */

int layout_px(const struct layout *l, int thousandths)
{
    int px = (l->unit * thousandths + 500) / 1000;
    return px > 0 ? px : 1;
}

struct text_style layout_font(const struct layout *l, int thousandths, enum draw_weight weight)
{
    int px = layout_px(l, thousandths);
    return (struct text_style){ .size = px > FONT_MIN_PX ? px : FONT_MIN_PX, .weight = weight };
}

static bool boxes_crowd(struct box a, struct box b, int gap)
{
    return a.x < b.x + b.w + gap && b.x < a.x + a.w + gap && a.y < b.y + b.h + gap &&
           b.y < a.y + a.h + gap;
}

bool layout_place(struct layout *l, struct box b)
{
    struct box s = l->safe;
    if (b.x < s.x || b.y < s.y || b.x + b.w > s.x + s.w || b.y + b.h > s.y + s.h)
        return false;
    for (size_t i = 0; i < l->placed_count; i++) {
        if (boxes_crowd(l->placed[i], b, layout_px(l, 10)))
            return false;
    }
    assert(l->placed_count < sizeof(l->placed) / sizeof(l->placed[0]));
    l->placed[l->placed_count++] = b;
    return true;
}

int layout_top(const struct layout *l)
{
    return (l->view->height * 125 + 999) / 1000;
}

static struct draw_item *add_item(struct layout *l, enum draw_kind kind, struct box b,
                                  uint32_t rgba)
{
    assert(l->out->count < DRAW_ITEMS_MAX);
    struct draw_item *item = &l->out->item[l->out->count++];
    *item =
        (struct draw_item){ .kind = kind, .x = b.x, .y = b.y, .w = b.w, .h = b.h, .rgba = rgba };
    return item;
}

void layout_rect(struct layout *l, struct box b, int radius, uint32_t rgba)
{
    add_item(l, DRAW_RECT, b, rgba)->radius = radius;
}

void layout_panel(struct layout *l, struct box b)
{
    layout_rect(l, b, layout_px(l, 14), COLOUR_PANEL);
}

void layout_icon(struct layout *l, enum draw_icon icon, struct box b, uint32_t rgba)
{
    add_item(l, DRAW_ICON, b, rgba)->icon = icon;
}

void layout_text(struct layout *l, struct text_style style, uint32_t rgba, int x, int y, int w,
                 const char *text)
{
    if (w <= 0)
        return;
    struct box b = { x, y, w, text_line_height(style.size) };
    struct draw_item *item = add_item(l, DRAW_TEXT, b, rgba);
    item->size = style.size;
    item->weight = style.weight;
    snprintf(item->text, sizeof(item->text), "%s", text);
}

void overlay_layout(const struct overlay_view *v, const struct text_metrics *metrics,
                    struct draw_list *out)
{
    out->count = 0;
    if (v->width <= 0 || v->height <= 0 || v->width > SIZE_MAX_PX || v->height > SIZE_MAX_PX)
        return;
    int margin_x = (v->width * MARGIN_PERCENT + 99) / 100;
    int margin_y = (v->height * MARGIN_PERCENT + 99) / 100;
    int narrow = v->width * 9 / 10;
    struct layout l = {
        .view = v,
        .metrics = metrics,
        .out = out,
        .unit = v->height < narrow ? v->height : narrow,
        .safe = { margin_x, margin_y, v->width - 2 * margin_x, v->height - 2 * margin_y },
    };
    if (l.unit < UNIT_MIN_PX)
        return;
    if (v->has_track)
        block_now(&l);
    else
        block_idle(&l);
    block_notice(&l);
    block_volume(&l);
    block_paused(&l);
    block_next(&l);
    block_link(&l);
}
