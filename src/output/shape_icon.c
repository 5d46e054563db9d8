/* The five icons as polygons in a square of side 1. */
#include <math.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "output/shape.h"

#define POINTS_MAX  80
#define ICON_MAX_PX 4096
#define PI          3.14159265f

/* A mask under construction. */
struct sketch {
    uint8_t *mask;
    int w, h;
};

static void polygon(const struct sketch *s, const struct point *unit, size_t count, bool is_cut)
{
    struct point p[POINTS_MAX];
    for (size_t i = 0; i < count && i < POINTS_MAX; i++)
        p[i] = (struct point){ unit[i].x * (float)s->w, unit[i].y * (float)s->h };
    if (is_cut)
        shape_polygon_cut(s->mask, s->w, s->h, p, count);
    else
        shape_polygon_add(s->mask, s->w, s->h, p, count);
}

/* A line with round ends. */
static void stroke(const struct sketch *s, struct point a, struct point b, float width, bool is_cut)
{
    struct point p[24];
    float along = atan2f(b.y - a.y, b.x - a.x);
    for (int i = 0; i < 12; i++) {
        float turn = along + PI / 2 + PI * (float)i / 11;
        p[i] = (struct point){ a.x + width / 2 * cosf(turn), a.y + width / 2 * sinf(turn) };
        p[12 + i] = (struct point){ b.x - width / 2 * cosf(turn), b.y - width / 2 * sinf(turn) };
    }
    polygon(s, p, ARRAY_LEN(p), is_cut);
}

/* An ellipse, turned by `angle`. */
static void ellipse(const struct sketch *s, struct point middle, float rx, float ry, float angle)
{
    struct point p[48];
    for (int i = 0; i < 48; i++) {
        float t = 2 * PI * (float)i / 48, x = rx * cosf(t), y = ry * sinf(t);
        p[i] = (struct point){ middle.x + x * cosf(angle) - y * sinf(angle),
                               middle.y + x * sinf(angle) + y * cosf(angle) };
    }
    polygon(s, p, ARRAY_LEN(p), false);
}

/* A part of a ring around the mouth of the loudspeaker. */
static void sound_wave(const struct sketch *s, float radius, float width)
{
    struct point p[40];
    for (int i = 0; i < 20; i++) {
        float turn = -0.8f + 1.6f * (float)i / 19;
        float x = cosf(turn), y = sinf(turn);
        p[i] = (struct point){ 0.44f + (radius + width / 2) * x, 0.5f + (radius + width / 2) * y };
        p[39 - i] =
            (struct point){ 0.44f + (radius - width / 2) * x, 0.5f + (radius - width / 2) * y };
    }
    polygon(s, p, ARRAY_LEN(p), false);
}

static void loudspeaker(const struct sketch *s)
{
    static const struct point body[] = { { 0.06f, 0.36f }, { 0.22f, 0.36f }, { 0.44f, 0.15f },
                                         { 0.44f, 0.85f }, { 0.22f, 0.64f }, { 0.06f, 0.64f } };
    polygon(s, body, ARRAY_LEN(body), false);
}

static void draw_pause(const struct sketch *s)
{
    stroke(s, (struct point){ 0.30f, 0.20f }, (struct point){ 0.30f, 0.80f }, 0.2f, false);
    stroke(s, (struct point){ 0.70f, 0.20f }, (struct point){ 0.70f, 0.80f }, 0.2f, false);
}

static void draw_volume(const struct sketch *s)
{
    loudspeaker(s);
    sound_wave(s, 0.22f, 0.09f);
    sound_wave(s, 0.42f, 0.09f);
}

static void draw_mute(const struct sketch *s)
{
    loudspeaker(s);
    stroke(s, (struct point){ 0.60f, 0.37f }, (struct point){ 0.88f, 0.63f }, 0.1f, false);
    stroke(s, (struct point){ 0.88f, 0.37f }, (struct point){ 0.60f, 0.63f }, 0.1f, false);
}

static void draw_warning(const struct sketch *s)
{
    static const struct point inner[] = { { 0.50f, 0.14f }, { 0.92f, 0.86f }, { 0.08f, 0.86f } };
    const float round = 0.12f;
    polygon(s, inner, ARRAY_LEN(inner), false);
    for (size_t i = 0; i < ARRAY_LEN(inner); i++)
        stroke(s, inner[i], inner[(i + 1) % ARRAY_LEN(inner)], round, false);
    stroke(s, (struct point){ 0.5f, 0.38f }, (struct point){ 0.5f, 0.60f }, 0.1f, true);
    stroke(s, (struct point){ 0.5f, 0.75f }, (struct point){ 0.5f, 0.751f }, 0.11f, true);
}

static void draw_note(const struct sketch *s)
{
    static const struct point flag[] = {
        { 0.36f, 0.14f }, { 0.84f, 0.05f }, { 0.84f, 0.24f }, { 0.36f, 0.33f }
    };
    polygon(s, flag, ARRAY_LEN(flag), false);
    stroke(s, (struct point){ 0.40f, 0.2f }, (struct point){ 0.40f, 0.8f }, 0.08f, false);
    stroke(s, (struct point){ 0.80f, 0.11f }, (struct point){ 0.80f, 0.7f }, 0.08f, false);
    ellipse(s, (struct point){ 0.27f, 0.81f }, 0.18f, 0.13f, -0.35f);
    ellipse(s, (struct point){ 0.67f, 0.72f }, 0.18f, 0.13f, -0.35f);
}

void shape_icon(struct bitmap *b, enum draw_icon icon, struct rect r, uint32_t rgba)
{
    static void (*const draw[])(const struct sketch *s) = {
        [ICON_PAUSE] = draw_pause,     [ICON_VOLUME] = draw_volume, [ICON_MUTE] = draw_mute,
        [ICON_WARNING] = draw_warning, [ICON_NOTE] = draw_note,
    };
    if ((size_t)icon >= ARRAY_LEN(draw) || r.w <= 0 || r.h <= 0 || r.w > ICON_MAX_PX ||
        r.h > ICON_MAX_PX)
        return;
    struct sketch s = { calloc((size_t)r.w * (size_t)r.h, 1), r.w, r.h };
    if (!s.mask)
        return;
    draw[icon](&s);
    shape_mask(b, r, s.mask, rgba);
    free(s.mask);
}
