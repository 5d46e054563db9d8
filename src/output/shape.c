#include "output/shape.h"

#include <math.h>
#include <stdlib.h>

/* ---- pixels ---------------------------------------------------------------------------------- */

/* All four channels times a / 255, rounded. Monotonic, so colour never exceeds alpha. */
static uint32_t pixel_scale(uint32_t pixel, uint32_t a)
{
    uint32_t even = (pixel & 0xff00ffu) * a + 0x800080u;
    uint32_t odd = (pixel >> 8 & 0xff00ffu) * a + 0x800080u;
    even = (even + (even >> 8 & 0xff00ffu)) >> 8 & 0xff00ffu;
    odd = (odd + (odd >> 8 & 0xff00ffu)) & 0xff00ff00u;
    return even | odd;
}

static uint32_t pixel_over(uint32_t below, uint32_t above)
{
    return above + pixel_scale(below, 255 - (above >> 24));
}

/* 0xRRGGBBAA -> premultiplied, B G R A in memory on the little-endian machines we run on. */
static uint32_t pixel_premultiplied(uint32_t rgba)
{
    return pixel_scale(rgba >> 8 | 0xff000000u, rgba & 0xff);
}

/* The part of r inside the bitmap, relative to r. */
static struct rect visible_part(const struct bitmap *b, struct rect r)
{
    int x0 = r.x > b->x ? r.x : b->x, y0 = r.y > b->y ? r.y : b->y;
    int x1 = r.x + r.w < b->x + b->w ? r.x + r.w : b->x + b->w;
    int y1 = r.y + r.h < b->y + b->h ? r.y + r.h : b->y + b->h;
    return (struct rect){ x0 - r.x, y0 - r.y, x1 > x0 ? x1 - x0 : 0, y1 > y0 ? y1 - y0 : 0 };
}

/* The pixel of the bitmap under (x, y) of r. */
static uint32_t *pixel_at(struct bitmap *b, struct rect r, int x, int y)
{
    return (uint32_t *)(b->pixels + (size_t)(r.y + y - b->y) * b->stride) + (r.x + x - b->x);
}

void shape_mask(struct bitmap *b, struct rect r, const uint8_t *mask, uint32_t rgba)
{
    struct rect part = visible_part(b, r);
    uint32_t colour = pixel_premultiplied(rgba);
    for (int y = part.y; y < part.y + part.h; y++) {
        const uint8_t *cover = mask + (size_t)y * r.w + part.x;
        uint32_t *out = pixel_at(b, r, part.x, y);
        for (int x = 0; x < part.w; x++) {
            if (cover[x])
                out[x] = pixel_over(out[x], pixel_scale(colour, cover[x]));
        }
    }
}

void shape_pixels(struct bitmap *b, struct rect r, const uint32_t *pixels, uint8_t alpha)
{
    struct rect part = visible_part(b, r);
    for (int y = part.y; y < part.y + part.h; y++) {
        const uint32_t *in = pixels + (size_t)y * r.w + part.x;
        uint32_t *out = pixel_at(b, r, part.x, y);
        for (int x = 0; x < part.w; x++) {
            if (in[x])
                out[x] = pixel_over(out[x], pixel_scale(in[x], alpha));
        }
    }
}

/* ---- rounded rectangles ---------------------------------------------------------------------- */

/* Distance of a pixel's middle into the corner square of side `radius`; <= 0: not in it. */
static float into_corner(int at, int length, int radius)
{
    float middle = (float)at + 0.5f, from_end = (float)length - middle;
    float near = middle < from_end ? middle : from_end;
    return (float)radius - near;
}

static uint32_t corner_cover(float dx, float dy, int radius)
{
    if (dx <= 0 || dy <= 0)
        return 255;
    float inside = (float)radius - sqrtf(dx * dx + dy * dy) + 0.5f;
    return inside <= 0 ? 0 : inside >= 1 ? 255 : (uint32_t)(inside * 255 + 0.5f);
}

void shape_rect(struct bitmap *b, struct rect r, int radius, uint32_t rgba)
{
    struct rect part = visible_part(b, r);
    uint32_t colour = pixel_premultiplied(rgba);
    int shorter = r.w < r.h ? r.w : r.h;
    radius = radius > shorter / 2 ? shorter / 2 : radius;
    for (int y = part.y; y < part.y + part.h; y++) {
        uint32_t *out = pixel_at(b, r, part.x, y);
        float dy = into_corner(y, r.h, radius);
        for (int x = 0; x < part.w; x++) {
            uint32_t cover = 255;
            if (dy > 0 && (part.x + x < radius || part.x + x >= r.w - radius))
                cover = corner_cover(into_corner(part.x + x, r.w, radius), dy, radius);
            out[x] = pixel_over(out[x], cover == 255 ? colour : pixel_scale(colour, cover));
        }
    }
}

/* ---- polygons -------------------------------------------------------------------------------- */

/* Each edge adds to `area`, per row, how the share covered changes from pixel to pixel; a
 * running sum over the row gives the share itself. `row` points to w + 2 values. */
static void edge_in_row(float *row, float x0, float x1, float height)
{
    float left = x0 < x1 ? x0 : x1, right = x0 < x1 ? x1 : x0;
    int first = (int)left, last = (int)ceilf(right);
    if (last <= first + 1) {
        float mean = 0.5f * (left + right) - (float)first;
        row[first] += height * (1 - mean);
        row[first + 1] += height * mean;
        return;
    }
    /* Up to x the edge covers a parabola, then a rectangle; a pixel's share is the difference at
     * its two sides. */
    float slope = height / (right - left), upto_before = 0, share_before = 0;
    for (int i = first; i <= last; i++) {
        float x = (float)(i + 1);
        float on_edge = (x < right ? x : right) - left, past = x > right ? x - right : 0;
        float upto = 0.5f * slope * on_edge * on_edge + height * past;
        float share = upto - upto_before;
        row[i] += share - share_before;
        upto_before = upto;
        share_before = share;
    }
}

static void edge_add(float *area, int w, int h, struct point from, struct point to)
{
    float sign = from.y < to.y ? 1.0f : -1.0f;
    struct point top = from.y < to.y ? from : to, bottom = from.y < to.y ? to : from;
    if (top.y == bottom.y)
        return;
    float slope = (bottom.x - top.x) / (bottom.y - top.y);
    for (int y = (int)top.y; y < h && (float)y < bottom.y; y++) {
        float y0 = top.y > (float)y ? top.y : (float)y;
        float y1 = bottom.y < (float)(y + 1) ? bottom.y : (float)(y + 1);
        float x0 = fminf(fmaxf(top.x + (y0 - top.y) * slope, 0), (float)w);
        float x1 = fminf(fmaxf(top.x + (y1 - top.y) * slope, 0), (float)w);
        edge_in_row(area + (size_t)y * (size_t)(w + 2), x0, x1, sign * (y1 - y0));
    }
}

/* The share of each pixel inside the polygon, as a new block the caller frees; NULL: no memory. */
static uint8_t *polygon_cover(int w, int h, const struct point *p, size_t count)
{
    float *area = calloc((size_t)(w + 2) * (size_t)h, sizeof(*area));
    uint8_t *cover = calloc((size_t)w * (size_t)h, 1);
    if (!area || !cover) {
        free(area);
        free(cover);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        struct point edge[2] = { p[i], p[(i + 1) % count] };
        for (int k = 0; k < 2; k++) {
            edge[k].x = fminf(fmaxf(edge[k].x, 0), (float)w);
            edge[k].y = fminf(fmaxf(edge[k].y, 0), (float)h);
        }
        edge_add(area, w, h, edge[0], edge[1]);
    }
    for (int y = 0; y < h; y++) {
        const float *row = area + (size_t)y * (size_t)(w + 2);
        float sum = 0;
        for (int x = 0; x < w; x++) {
            sum += row[x];
            float share = fabsf(sum);
            cover[(size_t)y * w + x] = share >= 1 ? 255 : (uint8_t)lrintf(share * 255);
        }
    }
    free(area);
    return cover;
}

void shape_polygon_add(uint8_t *mask, int w, int h, const struct point *p, size_t count)
{
    uint8_t *cover = polygon_cover(w, h, p, count);
    for (size_t i = 0; cover && i < (size_t)w * (size_t)h; i++)
        mask[i] = (uint8_t)(255 - ((255 - mask[i]) * (255 - cover[i]) + 127) / 255);
    free(cover);
}

void shape_polygon_cut(uint8_t *mask, int w, int h, const struct point *p, size_t count)
{
    uint8_t *cover = polygon_cover(w, h, p, count);
    for (size_t i = 0; cover && i < (size_t)w * (size_t)h; i++)
        mask[i] = (uint8_t)((mask[i] * (255 - cover[i]) + 127) / 255);
    free(cover);
}
