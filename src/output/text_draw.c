#include "output/text_draw.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "output/font_line.h"
#include "output/shape.h"

#define BITMAP_MAX_PX 16384 /* of a side */

struct text_draw {
    struct log *log;
    struct font_lines *lines;
};

/* Items that touch are painted into one bitmap. */
struct groups {
    size_t count;
    struct rect area[DRAW_ITEMS_MAX];
    size_t of_item[DRAW_ITEMS_MAX];
};

int text_draw_open(struct text_draw **out, struct log *log)
{
    struct text_draw *t = xcalloc(1, sizeof(*t));
    t->log = log;
    int ret = font_lines_open(&t->lines, log);
    if (ret < 0) {
        free(t);
        return ret;
    }
    *out = t;
    return 0;
}

void text_draw_close(struct text_draw *t)
{
    if (!t)
        return;
    font_lines_close(t->lines);
    free(t);
}

static int width(void *ctx, const char *text, int size, enum draw_weight weight)
{
    struct text_draw *t = ctx;
    return font_lines_width(t->lines, text, size, weight);
}

struct text_metrics text_draw_metrics(struct text_draw *t)
{
    return (struct text_metrics){ .width = width, .ctx = t };
}

/* ---- grouping -------------------------------------------------------------------------------- */

static struct rect rect_union(struct rect a, struct rect b)
{
    int x0 = a.x < b.x ? a.x : b.x, y0 = a.y < b.y ? a.y : b.y;
    int x1 = a.x + a.w > b.x + b.w ? a.x + a.w : b.x + b.w;
    int y1 = a.y + a.h > b.y + b.h ? a.y + a.h : b.y + b.h;
    return (struct rect){ x0, y0, x1 - x0, y1 - y0 };
}

static bool rects_touch(struct rect a, struct rect b)
{
    return a.x <= b.x + b.w && b.x <= a.x + a.w && a.y <= b.y + b.h && b.y <= a.y + a.h;
}

/* Where an item has pixels: ink may leave its line box. */
static struct rect item_area(struct text_draw *t, const struct draw_item *item)
{
    struct rect box = { item->x, item->y, item->w, item->h };
    if (item->kind != DRAW_TEXT || item->size <= 0)
        return box;
    const struct font_line *line = font_lines_draw(t->lines, item->text, item->size, item->weight);
    struct rect ink = { item->x + line->x, item->y + line->y, line->w, line->h };
    return line->w > 0 ? rect_union(box, ink) : box;
}

/* Group `b` becomes part of `a`; the last group takes its place. */
static void groups_merge(struct groups *g, size_t items, size_t a, size_t b)
{
    size_t last = --g->count;
    g->area[a] = rect_union(g->area[a], g->area[b]);
    g->area[b] = g->area[last];
    for (size_t i = 0; i < items; i++) {
        if (g->of_item[i] == b)
            g->of_item[i] = a;
        else if (g->of_item[i] == last)
            g->of_item[i] = b;
    }
}

static bool merge_touching(struct groups *g, size_t items)
{
    for (size_t a = 0; a < g->count; a++) {
        for (size_t b = a + 1; b < g->count; b++) {
            if (rects_touch(g->area[a], g->area[b])) {
                groups_merge(g, items, a, b);
                return true;
            }
        }
    }
    return false;
}

/* Merges the two that waste the least area together. */
static void merge_nearest(struct groups *g, size_t items)
{
    size_t best_a = 0, best_b = 1;
    int64_t least = INT64_MAX;
    for (size_t a = 0; a < g->count; a++) {
        for (size_t b = a + 1; b < g->count; b++) {
            struct rect ra = g->area[a], rb = g->area[b], both = rect_union(ra, rb);
            int64_t waste = (int64_t)both.w * both.h - (int64_t)ra.w * ra.h - (int64_t)rb.w * rb.h;
            if (waste < least) {
                least = waste;
                best_a = a;
                best_b = b;
            }
        }
    }
    groups_merge(g, items, best_a, best_b);
}

static void groups_find(struct text_draw *t, const struct draw_list *list, size_t max,
                        struct groups *g)
{
    g->count = 0;
    for (size_t i = 0; i < list->count; i++) {
        g->of_item[i] = g->count;
        g->area[g->count++] = item_area(t, &list->item[i]);
    }
    do {
        while (merge_touching(g, list->count))
            ;
        if (g->count <= max)
            break;
        merge_nearest(g, list->count);
    } while (true);
}

/* ---- painting -------------------------------------------------------------------------------- */

static void paint_text(struct text_draw *t, const struct draw_item *item, struct bitmap *b)
{
    if (item->size <= 0)
        return;
    const struct font_line *line = font_lines_draw(t->lines, item->text, item->size, item->weight);
    if (line->w <= 0)
        return;
    struct rect ink = { item->x + line->x, item->y + line->y, line->w, line->h };
    shape_mask(b, ink, line->mask, item->rgba);
    if (line->colour)
        shape_pixels(b, ink, line->colour, (uint8_t)(item->rgba & 0xff));
}

static void paint_item(struct text_draw *t, const struct draw_item *item, struct bitmap *b)
{
    struct rect box = { item->x, item->y, item->w, item->h };
    switch (item->kind) {
    case DRAW_RECT: shape_rect(b, box, item->radius, item->rgba); break;
    case DRAW_TEXT: paint_text(t, item, b); break;
    case DRAW_ICON: shape_icon(b, item->icon, box, item->rgba); break;
    }
}

/* Transparent; NULL: an empty or absurd size, or no memory. */
static struct bitmap *bitmap_create(struct rect r)
{
    if (r.w <= 0 || r.h <= 0 || r.w > BITMAP_MAX_PX || r.h > BITMAP_MAX_PX)
        return NULL;
    uint8_t *pixels = calloc((size_t)r.h, (size_t)r.w * 4);
    if (!pixels)
        return NULL;
    struct bitmap *b = xcalloc(1, sizeof(*b));
    *b = (struct bitmap){ r.x, r.y, r.w, r.h, .stride = r.w * 4, .pixels = pixels };
    return b;
}

int text_draw_paint(struct text_draw *t, const struct draw_list *list, struct bitmap **out, int max)
{
    struct groups g;
    int count = 0;
    assert(list->count <= DRAW_ITEMS_MAX);
    if (max <= 0 || list->count == 0)
        return 0;
    groups_find(t, list, (size_t)max, &g);
    for (size_t i = 0; i < g.count; i++) {
        struct bitmap *b = bitmap_create(g.area[i]);
        if (!b) {
            log_warn(t->log, "overlay: no bitmap of %dx%d", g.area[i].w, g.area[i].h);
            continue;
        }
        for (size_t k = 0; k < list->count; k++) {
            if (g.of_item[k] == i)
                paint_item(t, &list->item[k], b);
        }
        out[count++] = b;
    }
    return count;
}
