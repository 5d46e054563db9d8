/* clipgen - coded test pictures (raw yuv420p on stdout) or the matching sound (WAV on stdout).
 *
 *   clipgen video W H FPS FRAMES CLIP ROW[,ROW...]
 *   clipgen audio FPS FRAMES CLIP
 *
 * Picture: a panned texture with sprites, so that the decoder has real motion to work on; the code strip
 * (code.h) at each ROW; large digits "CLIP FRAME" for people; a white box in flash frames.
 * Sound: a quiet steady tone, which shows gaps by its absence, and a 100 ms beep that starts at the time
 * stamp of the first flash frame of each odd second (1, 3, 5 ... s). */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "code.h"

#define TEXTURE 2048
#define RATE    48000
#define PI      3.14159265358979
#define WHITE   235

struct plane {
    uint8_t *px;
    int w, h;
};

struct picture_yuv {
    struct plane y, u, v;
};

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void add_octave(float *acc, int size, int cells, float gain, uint32_t *random)
{
    float *g = malloc((size_t)cells * (size_t)cells * sizeof(*g));
    if (!g)
        exit(1);
    for (int i = 0; i < cells * cells; i++)
        g[i] = (float)(next_random(random) & 0xffff) / 65535.0f;
    for (int y = 0; y < size; y++) {
        float fy = (float)y * (float)cells / (float)size;
        int y0 = (int)fy, y1 = (y0 + 1) % cells;
        fy -= (float)y0;
        for (int x = 0; x < size; x++) {
            float fx = (float)x * (float)cells / (float)size;
            int x0 = (int)fx, x1 = (x0 + 1) % cells;
            fx -= (float)x0;
            float top = g[y0 * cells + x0] * (1 - fx) + g[y0 * cells + x1] * fx;
            float low = g[y1 * cells + x0] * (1 - fx) + g[y1 * cells + x1] * fx;
            acc[(size_t)y * (size_t)size + (size_t)x] += gain * (top * (1 - fy) + low * fy);
        }
    }
    free(g);
}

/* Several octaves of smooth random values that wrap at the edges. */
static struct plane make_texture(int size, int low, int high, int first, uint32_t *random)
{
    size_t count = (size_t)size * (size_t)size;
    float *acc = calloc(count, sizeof(*acc)), gain = 1.0f, total = 0.0f;
    struct plane t = { malloc(count), size, size };
    if (!acc || !t.px)
        exit(1);
    for (int cells = first; cells <= size / 4; cells *= 4, gain *= 0.55f) {
        add_octave(acc, size, cells, gain, random);
        total += gain;
    }
    for (size_t i = 0; i < count; i++) {
        float v = (acc[i] / total - 0.5f) * 2.2f + 0.5f;
        v = v < 0 ? 0 : v > 1 ? 1 : v;
        t.px[i] = (uint8_t)((float)low + v * (float)(high - low));
    }
    free(acc);
    return t;
}

/* Copies a w x h window of the texture to (x, y). */
static void paste(struct plane *to, int x, int y, int w, int h, const struct plane *texture, int ox,
                  int oy)
{
    int mask = texture->w - 1;
    for (int r = 0; r < h; r++) {
        const uint8_t *row = texture->px + (size_t)((oy + r) & mask) * (size_t)texture->w;
        uint8_t *d = to->px + (size_t)(y + r) * (size_t)to->w + x;
        int at = ox & mask;
        for (int done = 0, n; done < w; done += n, at = 0) {
            n = texture->w - at < w - done ? texture->w - at : w - done;
            memcpy(d + done, row + at, (size_t)n);
        }
    }
}

static void fill(struct plane *p, int x0, int y0, int x1, int y1, int value)
{
    x0 = x0 < 0 ? 0 : x0;
    y0 = y0 < 0 ? 0 : y0;
    x1 = x1 > p->w ? p->w : x1;
    y1 = y1 > p->h ? p->h : y1;
    for (int r = y0; r < y1 && x1 > x0; r++)
        memset(p->px + (size_t)r * (size_t)p->w + x0, value, (size_t)(x1 - x0));
}

static void box(struct picture_yuv *p, int x0, int y0, int x1, int y1, int luma)
{
    fill(&p->y, x0, y0, x1, y1, luma);
    fill(&p->u, x0 / 2, y0 / 2, x1 / 2, y1 / 2, 128);
    fill(&p->v, x0 / 2, y0 / 2, x1 / 2, y1 / 2, 128);
}

/* Seven segments; 10 is a dash. */
static void digit(struct plane *p, int x, int top, int s, int d)
{
    static const uint8_t lit[11] = { 0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d,
                                     0x7d, 0x07, 0x7f, 0x6f, 0x40 };
    int b = s / 5;
    const struct {
        int x0, y0, x1, y1;
    } segment[7] = {
        { x, top, x + s, top + b },
        { x + s - b, top, x + s, top + s },
        { x + s - b, top + s, x + s, top + 2 * s },
        { x, top + 2 * s - b, x + s, top + 2 * s },
        { x, top + s, x + b, top + 2 * s },
        { x, top, x + b, top + s },
        { x, top + s - b / 2, x + s, top + s + b / 2 },
    };
    for (int i = 0; i < 7; i++)
        if (lit[d] >> i & 1)
            fill(p, segment[i].x0, segment[i].y0, segment[i].x1, segment[i].y1, WHITE);
}

static void draw_strip(struct picture_yuv *p, double row, const uint8_t bits[CODE_CELLS])
{
    int w = p->y.w, h = p->y.h, margin = h / 90;
    int y0 = (int)((row - CODE_HALF) * h + 0.5), y1 = (int)((row + CODE_HALF) * h + 0.5);
    double cell = (CODE_X1 - CODE_X0) * w / CODE_CELLS;
    box(p, (int)(CODE_X0 * w) - 2 * margin, y0 - margin, (int)(CODE_X1 * w) + 2 * margin,
        y1 + margin, 16);
    for (int c = 0; c < CODE_CELLS; c++)
        if (bits[c])
            fill(&p->y, (int)(CODE_X0 * w + c * cell + 0.5), y0,
                 (int)(CODE_X0 * w + (c + 1) * cell + 0.5), y1, WHITE);
}

static int is_flash(int frame, double fps)
{
    double t = frame / fps, s = floor(t + 1e-9);
    return ((int)s & 1) && t - s < 0.1 - 1e-9;
}

static void draw_background(struct picture_yuv *p, const struct plane texture[3], double t)
{
    int w = p->y.w, h = p->y.h;
    int ox = (int)(300 * sin(t * 0.7) + 120 * t), oy = (int)(200 * cos(t * 0.5));
    paste(&p->y, 0, 0, w, h, &texture[0], ox, oy);
    paste(&p->u, 0, 0, p->u.w, p->u.h, &texture[1], ox / 2, oy / 2);
    paste(&p->v, 0, 0, p->v.w, p->v.h, &texture[2], ox / 2, oy / 2);
    for (int s = 0; s < 6; s++) { /* sprites with their own motion */
        int sw = w / 7, sh = h / 6;
        int x = (int)((w - sw) * (0.5 + 0.5 * sin(t * (0.6 + 0.23 * s) + s * 2.1)));
        int y = (int)((h - sh) * (0.5 + 0.5 * cos(t * (0.5 + 0.19 * s) + s * 1.3)));
        paste(&p->y, x, y, sw, sh, &texture[0], 333 * s - ox * 2, 777 * s + oy);
    }
}

static void draw_for_people(struct picture_yuv *p, int clip, int frame, int flash)
{
    int w = p->y.w, h = p->y.h, s = h / 14, x = w / 2 - 5 * s, y = h / 2 - 2 * s;
    char text[16];
    snprintf(text, sizeof(text), "%02d %05d", clip % 100, frame % 100000);
    box(p, x - s, y - s, x + 11 * s, y + 3 * s, 20);
    for (int i = 0; text[i]; i++)
        digit(&p->y, x + i * s * 5 / 4, y, s, text[i] == ' ' ? 10 : text[i] - '0');
    if (flash)
        box(p, w / 4, h * 64 / 100, w * 3 / 4, h * 84 / 100, WHITE);
}

static int video(char **argv)
{
    int w = atoi(argv[2]), h = atoi(argv[3]), frames = atoi(argv[5]), clip = atoi(argv[6]);
    double fps = atof(argv[4]), row[8];
    int rows = 0;
    char *save = NULL;
    for (char *r = strtok_r(argv[7], ",", &save); r && rows < 8; r = strtok_r(NULL, ",", &save))
        row[rows++] = atof(r);
    size_t luma = (size_t)w * (size_t)h, chroma = (size_t)(w / 2) * (size_t)(h / 2);
    uint8_t *px = malloc(luma + 2 * chroma);
    if (!px)
        return 1;
    struct picture_yuv p = { { px, w, h },
                             { px + luma, w / 2, h / 2 },
                             { px + luma + chroma, w / 2, h / 2 } };
    uint32_t random = 0x9e3779b9u + (uint32_t)clip * 7919u;
    const struct plane texture[3] = { make_texture(TEXTURE, 40, 200, 8, &random),
                                      make_texture(TEXTURE / 2, 70, 186, 4, &random),
                                      make_texture(TEXTURE / 2, 70, 186, 4, &random) };
    for (int f = 0; f < frames; f++) {
        uint8_t bits[CODE_CELLS];
        code_bits((unsigned)clip, (unsigned)f, bits);
        draw_background(&p, texture, f / fps);
        draw_for_people(&p, clip, f, is_flash(f, fps));
        for (int r = 0; r < rows; r++)
            draw_strip(&p, row[r], bits);
        if (fwrite(px, 1, luma + 2 * chroma, stdout) != luma + 2 * chroma)
            return 1;
    }
    return 0;
}

static void put_le(uint32_t v, int bytes)
{
    for (; bytes > 0; bytes--, v >>= 8)
        putchar((int)(v & 255));
}

static int audio(char **argv)
{
    double fps = atof(argv[2]);
    int frames = atoi(argv[3]), clip = atoi(argv[4]);
    uint32_t count = (uint32_t)(frames / fps * RATE + 0.5);
    double beep_hz = 900 + 100 * (clip % 16);
    fputs("RIFF", stdout);
    put_le(36 + count * 4, 4);
    fputs("WAVEfmt ", stdout);
    put_le(16, 4);
    put_le(1, 2);
    put_le(2, 2);
    put_le(RATE, 4);
    put_le(RATE * 4, 4);
    put_le(4, 2);
    put_le(16, 2);
    fputs("data", stdout);
    put_le(count * 4, 4);
    for (uint32_t i = 0; i < count; i++) {
        double t = (double)i / RATE, second = floor(t + 1e-9);
        double at = ceil(second * fps - 1e-6) / fps; /* the first flash frame's time stamp */
        double s = 0.03 * sin(2 * PI * 220 * t);
        if (((int)second & 1) && t >= at - 1e-9 && t < at + 0.1)
            s += 0.5 * sin(2 * PI * beep_hz * (t - at));
        uint32_t v = (uint32_t)(int32_t)lrint(s * 32767) & 0xffff;
        put_le(v, 2);
        put_le(v, 2);
    }
    return ferror(stdout) ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc == 8 && strcmp(argv[1], "video") == 0)
        return video(argv);
    if (argc == 5 && strcmp(argv[1], "audio") == 0)
        return audio(argv);
    fprintf(stderr,
            "usage: clipgen video W H FPS FRAMES CLIP ROW[,ROW...] | audio FPS FRAMES CLIP\n");
    return 2;
}
