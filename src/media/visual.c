#include "media/visual.h"

#include <math.h>
#include <string.h>

enum { LIGHTS = 3, GROUND = 22 };
#define TURN  6.2831853f
#define SWELL 0.12f /* how fast it follows the level */

struct light {
    float across[VISUAL_WIDTH]; /* brightness by column ... */
    float down[VISUAL_HEIGHT];  /* ... times by row: a bell curve is the product of two */
};

static void fill_bell(float *out, int count, float centre, float width, float height)
{
    for (int i = 0; i < count; i++) {
        float d = ((float)i - centre) / width;
        out[i] = height * expf(-d * d);
    }
}

/* Each light wanders on its own slow curve. */
static void place_light(struct light *l, int n, float time, float swell)
{
    float phase = TURN * (float)n / LIGHTS;
    float x = 0.5f + 0.36f * sinf(time * (0.21f + 0.05f * (float)n) + phase);
    float y = 0.5f + 0.30f * cosf(time * (0.17f + 0.07f * (float)n) + phase * 1.7f);
    float size = 90.0f + 70.0f * swell;
    fill_bell(l->across, VISUAL_WIDTH, x * VISUAL_WIDTH, size, 30.0f + 110.0f * swell);
    fill_bell(l->down, VISUAL_HEIGHT, y * VISUAL_HEIGHT, size * 0.8f, 1.0f);
}

static uint8_t to_byte(float v)
{
    return (uint8_t)(v < 16.0f ? 16.0f : v > 235.0f ? 235.0f : v);
}

static void draw_brightness(const struct light light[LIGHTS], AVFrame *f)
{
    for (int y = 0; y < VISUAL_HEIGHT; y++) {
        uint8_t *row = f->data[0] + (ptrdiff_t)y * f->linesize[0];
        float a = light[0].down[y], b = light[1].down[y], c = light[2].down[y];
        for (int x = 0; x < VISUAL_WIDTH; x++)
            row[x] = to_byte(GROUND + a * light[0].across[x] + b * light[1].across[x] +
                             c * light[2].across[x]);
    }
}

/* The tint turns round the colour circle in about a minute, a little ahead at the right. */
static void draw_tint(float time, AVFrame *f)
{
    uint8_t row[2][VISUAL_WIDTH / 2];
    for (int x = 0; x < VISUAL_WIDTH / 2; x++) {
        float angle = time * 0.1f + 1.5f * (float)x / (VISUAL_WIDTH / 2.0f);
        row[0][x] = to_byte(128.0f + 38.0f * cosf(angle));
        row[1][x] = to_byte(128.0f + 38.0f * sinf(angle));
    }
    for (int plane = 1; plane <= 2; plane++) {
        for (int y = 0; y < VISUAL_HEIGHT / 2; y++)
            memcpy(f->data[plane] + (ptrdiff_t)y * f->linesize[plane], row[plane - 1],
                   sizeof(row[0]));
    }
}

void visual_draw(struct visual *v, float level, AVFrame *f)
{
    struct light light[LIGHTS];
    v->swell += (fmaxf(0.0f, fminf(level, 1.0f)) - v->swell) * SWELL;
    float time = (float)v->index / VISUAL_RATE;
    for (int i = 0; i < LIGHTS; i++)
        place_light(&light[i], i, time, v->swell);
    draw_brightness(light, f);
    draw_tint(time, f);
}
