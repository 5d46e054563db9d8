#include "stage/idle_reel.h"

#include <math.h>
#include <string.h>

#include "base/compiler.h"

#define PERIOD_NS MS(80)
#define TURN      6.2831853f
#define GROUND    44.0f /* brightness where no light is: dark, and not black */

enum { LIGHTS = 3 };

struct light {
    float across[IDLE_WIDTH]; /* brightness by column ... */
    float down[IDLE_HEIGHT];  /* ... times by row: a bell curve is the product of two */
};

uint64_t idle_reel_number(int64_t now_ns)
{
    return (uint64_t)(now_ns / PERIOD_NS) + 1;
}

int64_t idle_reel_next_ns(int64_t now_ns)
{
    return (now_ns / PERIOD_NS + 1) * PERIOD_NS;
}

static void fill_bell(float *out, int count, float centre, float width, float height)
{
    for (int i = 0; i < count; i++) {
        float d = ((float)i - centre) / width;
        out[i] = height * expf(-d * d);
    }
}

/* Each goes its own way, once round in about a minute. */
static void place_light(struct light *l, int n, double seconds)
{
    float angle = (float)fmod(seconds / (52.0 + 11.0 * n), 1.0) * TURN + (float)n * TURN / LIGHTS;
    float x = 0.5f + 0.38f * sinf(angle), y = 0.5f + 0.34f * cosf(2 * angle + (float)n);
    fill_bell(l->across, IDLE_WIDTH, x * IDLE_WIDTH, 70.0f, 62.0f);
    fill_bell(l->down, IDLE_HEIGHT, y * IDLE_HEIGHT, 55.0f, 1.0f);
}

static void draw_brightness(struct idle_reel *r, const struct light light[LIGHTS])
{
    for (int y = 0; y < IDLE_HEIGHT; y++)
        for (int x = 0; x < IDLE_WIDTH; x++) {
            float v = GROUND;
            for (int n = 0; n < LIGHTS; n++)
                v += light[n].down[y] * light[n].across[x];
            r->luma[y][x] = (uint8_t)fminf(v, 235.0f);
        }
}

/* From blue to violet and back, a little ahead at the right. */
static void draw_tint(struct idle_reel *r, double seconds)
{
    float angle = (float)fmod(seconds / 90.0, 1.0) * TURN;
    for (int x = 0; x < IDLE_WIDTH / 2; x++) {
        float turn = sinf(angle + 1.2f * (float)x / (IDLE_WIDTH / 2.0f));
        r->chroma[0][0][x] = (uint8_t)(152.0f + 8.0f * turn);
        r->chroma[1][0][x] = (uint8_t)(124.0f + 14.0f * turn);
    }
    for (int plane = 0; plane < 2; plane++)
        for (int y = 1; y < IDLE_HEIGHT / 2; y++)
            memcpy(r->chroma[plane][y], r->chroma[plane][0], sizeof(r->chroma[plane][0]));
}

struct picture idle_reel_picture(struct idle_reel *r, uint64_t number)
{
    if (r->number != number) {
        struct light light[LIGHTS];
        double seconds = (double)number * ((double)PERIOD_NS / (double)NS_PER_S);
        for (int n = 0; n < LIGHTS; n++)
            place_light(&light[n], n, seconds);
        draw_brightness(r, light);
        draw_tint(r, seconds);
        r->number = number;
    }
    return (struct picture){
        .desc = { .number = number,
                  .load = IDLE_LOAD,
                  .duration_ns = PERIOD_NS,
                  .stride = { IDLE_WIDTH, IDLE_WIDTH / 2, IDLE_WIDTH / 2 },
                  .width = IDLE_WIDTH,
                  .height = IDLE_HEIGHT,
                  .sar_num = 1,
                  .sar_den = 1,
                  .format = PIXEL_I420,
                  .matrix = MATRIX_BT601 },
        .plane = { r->luma[0], r->chroma[0][0], r->chroma[1][0] },
    };
}
