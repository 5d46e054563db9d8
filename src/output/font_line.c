#include "output/font_line.h"

#include <SDL_ttf.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/text.h"
#include "output/font_cache.h"
#include "output/font_list.h"
#include "overlay/text_fit.h"
#include "overlay/text_runs.h"

#define RUNS_MAX    96
#define LINE_MAX_PX 16384 /* width of a line; more is cut */

/* Where the baseline lies in a line box of 1.25 x the size, in thousandths of the size: capitals
 * then stand in the middle. */
#define BASELINE 980
/* Height of an emoji and how far it goes below the baseline, in thousandths of the size. */
#define EMOJI_HEIGHT  1080
#define EMOJI_DESCENT 200

struct kept_line {
    struct font_line line;
    uint64_t key;
    char *text;
    int size;
    enum draw_weight weight;
    bool is_drawn;
    uint8_t *mask; /* what `line` shows; owned */
    uint32_t *colour;
    size_t bytes;
    uint64_t used;
};

struct font_lines {
    struct log *log;
    struct font_list *list;
    struct font_cache *cache;
    struct kept_line *kept[FONT_LINES_MAX];
    size_t count, bytes;
    uint64_t turn;
};

int font_lines_open(struct font_lines **out, struct log *log)
{
    struct font_lines *l = xcalloc(1, sizeof(*l));
    l->log = log;
    int ret = font_list_open(&l->list, log);
    if (ret == 0)
        ret = font_cache_open(&l->cache, log);
    if (ret < 0) {
        font_lines_close(l);
        return ret;
    }
    *out = l;
    return 0;
}

static void forget(struct font_lines *l, size_t i)
{
    struct kept_line *k = l->kept[i];
    l->bytes -= k->bytes;
    l->kept[i] = l->kept[--l->count];
    free(k->text);
    free(k->mask);
    free(k->colour);
    free(k);
}

void font_lines_close(struct font_lines *l)
{
    if (!l)
        return;
    while (l->count > 0)
        forget(l, 0);
    font_cache_close(l->cache);
    font_list_close(l->list);
    free(l);
}

/* Drops the line not used for longest. */
static void forget_oldest(struct font_lines *l)
{
    size_t oldest = 0;
    for (size_t i = 1; i < l->count; i++) {
        if (l->kept[i]->used < l->kept[oldest]->used)
            oldest = i;
    }
    forget(l, oldest);
}

/* ---- one run --------------------------------------------------------------------------------- */

/* A run of one font, ready to be measured or drawn. */
struct run {
    TTF_Font *font;
    bool is_colour;
    int size;
    char text[4 * TEXT_RUNS_CHARS + 1];
};

struct pick_context {
    const struct font_list *list;
    enum draw_weight weight;
};

static int pick(void *ctx, uint32_t code, int previous)
{
    const struct pick_context *p = ctx;
    return font_list_pick(p->list, p->weight, code, previous);
}

static bool run_prepare(struct font_lines *l, const struct kept_line *k, const struct text_run *r,
                        struct run *out)
{
    const struct font_face *face = font_list_face(l->list, k->weight, r->font);
    out->font = font_cache_get(l->cache, face, k->size);
    out->is_colour = face->is_colour;
    out->size = k->size;
    if (!out->font || r->len >= sizeof(out->text))
        return false;
    memcpy(out->text, k->text + r->start, r->len);
    out->text[r->len] = '\0';
    char script[5] = { (char)(r->script >> 24), (char)(r->script >> 16), (char)(r->script >> 8),
                       (char)r->script, '\0' };
    TTF_SetFontScriptName(out->font, r->script ? script : "Zyyy");
    TTF_SetFontDirection(out->font, r->is_rtl ? TTF_DIRECTION_RTL : TTF_DIRECTION_LTR);
    return true;
}

/* Emoji may exist in one size only: all are scaled to the height of the text. */
static int emoji_px(const struct run *r, int px)
{
    int height = TTF_FontHeight(r->font), want = (r->size * EMOJI_HEIGHT + 500) / 1000;
    return height > 0 ? (int)(((int64_t)px * want + height / 2) / height) : px;
}

static int run_width(const struct run *r)
{
    int w = 0, h = 0;
    if (TTF_SizeUTF8(r->font, r->text, &w, &h) < 0)
        return 0;
    return r->is_colour ? emoji_px(r, w) : w;
}

/* SDL_ttf moves the baseline down when ink goes above the font's ascent, and does not say so:
 * the rows added at the top are those of the height that the bottom does not account for. */
static int rows_added_above(const SDL_Surface *s, TTF_Font *font)
{
    int added = s->h - TTF_FontHeight(font);
    if (added <= 0)
        return 0;
    int first = s->h, last = -1;
    for (int y = 0; y < s->h; y++) {
        const uint32_t *row = (const uint32_t *)((const uint8_t *)s->pixels + (size_t)y * s->pitch);
        bool has_ink = false;
        for (int x = 0; x < s->w && !has_ink; x++)
            has_ink = row[x] >> 24;
        if (has_ink) {
            first = y < first ? y : first;
            last = y;
        }
    }
    if (first > 0)
        return 0;
    return last < s->h - 1 ? added : added / 2;
}

/* ---- a line ---------------------------------------------------------------------------------- */

/* Runs of a line drawn by SDL_ttf, placed. */
struct piece {
    SDL_Surface *surface;
    int x, y, w, h; /* in the line box; w, h after scaling */
    bool is_colour;
};

static size_t line_runs(struct font_lines *l, const struct kept_line *k, struct text_run *runs)
{
    struct pick_context context = { l->list, k->weight };
    return text_runs(k->text, pick, &context, runs, RUNS_MAX);
}

static void measure(struct font_lines *l, struct kept_line *k)
{
    struct text_run runs[RUNS_MAX];
    struct run run;
    size_t count = line_runs(l, k, runs);
    int64_t width = 0;
    for (size_t i = 0; i < count; i++) {
        if (run_prepare(l, k, &runs[i], &run))
            width += run_width(&run);
    }
    k->line.width = width < LINE_MAX_PX ? (int)width : LINE_MAX_PX;
}

static bool draw_piece(const struct run *r, int x, struct piece *out)
{
    SDL_Color white = { 255, 255, 255, 255 };
    SDL_Surface *s = TTF_RenderUTF8_Blended(r->font, r->text, white);
    if (!s)
        return false;
    if (s->format->BytesPerPixel != 4) {
        SDL_FreeSurface(s);
        return false;
    }
    *out = (struct piece){ .surface = s, .x = x, .w = s->w, .h = s->h, .is_colour = r->is_colour };
    int baseline = (r->size * BASELINE + 500) / 1000;
    if (r->is_colour) {
        out->w = emoji_px(r, s->w);
        out->h = emoji_px(r, s->h);
        out->y = baseline + (r->size * EMOJI_DESCENT + 500) / 1000 - out->h;
    } else {
        out->y = baseline - TTF_FontAscent(r->font) - rows_added_above(s, r->font);
    }
    return true;
}

/* A channel of a pixel of a colour font: premultiplied, except where nothing or a glyph without
 * colours was drawn, which is white with the coverage as alpha. */
static uint32_t channel(uint32_t pixel, int c)
{
    uint32_t value = pixel >> (8 * c) & 0xff, alpha = pixel >> 24;
    return value < alpha ? value : alpha;
}

/* Mean of the source pixels under one target pixel; both ways at once, as an emoji is drawn once
 * and kept. Positions in 256ths of a pixel. */
static uint32_t box_mean(const SDL_Surface *s, const struct piece *p, int tx, int ty)
{
    int64_t x0 = (int64_t)tx * s->w * 256 / p->w, x1 = (int64_t)(tx + 1) * s->w * 256 / p->w;
    int64_t y0 = (int64_t)ty * s->h * 256 / p->h, y1 = (int64_t)(ty + 1) * s->h * 256 / p->h;
    uint64_t sum[4] = { 0 }, total = 0;
    for (int64_t y = y0 / 256; y * 256 < y1 && y < s->h; y++) {
        int64_t high = min_i64(y1, y * 256 + 256) - max_i64(y0, y * 256);
        const uint32_t *row = (const uint32_t *)((const uint8_t *)s->pixels + y * s->pitch);
        for (int64_t x = x0 / 256; x * 256 < x1 && x < s->w; x++) {
            int64_t wide = min_i64(x1, x * 256 + 256) - max_i64(x0, x * 256);
            for (int c = 0; c < 4; c++)
                sum[c] += (uint64_t)(wide * high) * channel(row[x], c);
            total += (uint64_t)(wide * high);
        }
    }
    uint32_t pixel = 0;
    for (int c = 0; total > 0 && c < 4; c++)
        pixel |= (uint32_t)(sum[c] / total) << (8 * c);
    return pixel;
}

static void put_colour(struct kept_line *k, const struct piece *p)
{
    for (int y = 0; y < p->h; y++) {
        int line_y = p->y + y - k->line.y;
        for (int x = 0; x < p->w; x++) {
            int line_x = p->x + x - k->line.x;
            if (line_y >= 0 && line_y < k->line.h && line_x >= 0 && line_x < k->line.w)
                k->colour[(size_t)line_y * k->line.w + line_x] = box_mean(p->surface, p, x, y);
        }
    }
}

static void put_mask(struct kept_line *k, const struct piece *p)
{
    for (int y = 0; y < p->h; y++) {
        int line_y = p->y + y - k->line.y;
        if (line_y < 0 || line_y >= k->line.h)
            continue;
        const uint8_t *row = (const uint8_t *)p->surface->pixels + (size_t)y * p->surface->pitch;
        uint8_t *out = k->mask + (size_t)line_y * k->line.w;
        for (int x = 0; x < p->w; x++) {
            int line_x = p->x + x - k->line.x;
            if (line_x < 0 || line_x >= k->line.w)
                continue;
            unsigned sum = out[line_x] + (((const uint32_t *)row)[x] >> 24);
            out[line_x] = sum < 255 ? (uint8_t)sum : 255;
        }
    }
}

/* The box around all pieces; ink may leave the line box by half the size, no more. */
static void find_bounds(struct kept_line *k, const struct piece *piece, size_t count)
{
    struct font_line *line = &k->line;
    int top = INT32_MAX, bottom = INT32_MIN, right = 0;
    bool has_colour = false;
    for (size_t i = 0; i < count; i++) {
        const struct piece *p = &piece[i];
        top = p->y < top ? p->y : top;
        bottom = p->y + p->h > bottom ? p->y + p->h : bottom;
        right = p->x + p->w > right ? p->x + p->w : right;
        has_colour = has_colour || p->is_colour;
    }
    int box_h = text_line_height(k->size), spare = k->size / 2;
    top = top < -spare ? -spare : top;
    bottom = bottom > box_h + spare ? box_h + spare : bottom;
    if (count == 0 || bottom <= top || right <= 0)
        return;
    line->y = top;
    line->h = bottom - top;
    line->w = right < LINE_MAX_PX ? right : LINE_MAX_PX;
    size_t pixels = (size_t)line->w * line->h;
    k->mask = calloc(pixels, 1);
    k->colour = has_colour ? calloc(pixels, sizeof(*k->colour)) : NULL;
    k->bytes = pixels * (has_colour ? 5 : 1);
    if (!k->mask || (has_colour && !k->colour))
        line->w = line->h = 0;
}

static void draw(struct font_lines *l, struct kept_line *k)
{
    struct text_run runs[RUNS_MAX];
    struct piece piece[RUNS_MAX];
    struct run run;
    size_t count = line_runs(l, k, runs), pieces = 0;
    int x = 0;
    for (size_t i = 0; i < count && x < LINE_MAX_PX; i++) {
        if (!run_prepare(l, k, &runs[i], &run))
            continue;
        pieces += draw_piece(&run, x, &piece[pieces]);
        x += run_width(&run);
    }
    find_bounds(k, piece, pieces);
    for (size_t i = 0; i < pieces; i++) {
        if (k->line.w > 0 && piece[i].is_colour)
            put_colour(k, &piece[i]);
        else if (k->line.w > 0)
            put_mask(k, &piece[i]);
        SDL_FreeSurface(piece[i].surface);
    }
    k->line.mask = k->mask;
    k->line.colour = k->colour;
    k->is_drawn = true;
    l->bytes += k->bytes;
}

/* ---- what is kept ---------------------------------------------------------------------------- */

static struct kept_line *find_or_add(struct font_lines *l, const char *text, int size,
                                     enum draw_weight weight)
{
    uint64_t key = text_hash(text, strlen(text)) ^ ((uint64_t)size << 1 | weight);
    l->turn++;
    for (size_t i = 0; i < l->count; i++) {
        struct kept_line *k = l->kept[i];
        if (k->key == key && k->size == size && k->weight == weight && strcmp(k->text, text) == 0) {
            k->used = l->turn;
            return k;
        }
    }
    if (l->count == FONT_LINES_MAX)
        forget_oldest(l);
    struct kept_line *k = xcalloc(1, sizeof(*k));
    *k = (struct kept_line){ .key = key, .text = xstrdup(text), .size = size, .weight = weight };
    k->used = l->turn;
    l->kept[l->count++] = k;
    measure(l, k);
    return k;
}

int font_lines_width(struct font_lines *l, const char *text, int size, enum draw_weight weight)
{
    assert(size > 0);
    return find_or_add(l, text, size, weight)->line.width;
}

const struct font_line *font_lines_draw(struct font_lines *l, const char *text, int size,
                                        enum draw_weight weight)
{
    assert(size > 0);
    struct kept_line *k = find_or_add(l, text, size, weight);
    if (!k->is_drawn)
        draw(l, k);
    while (l->bytes > FONT_LINES_MAX_BYTES && l->count > 1)
        forget_oldest(l); /* not this one: it was used last */
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): see above; the analyzer cannot compare `used`. */
    return &k->line;
}

struct font_lines_usage font_lines_usage(const struct font_lines *l)
{
    return (struct font_lines_usage){ l->count, l->bytes, font_cache_count(l->cache) };
}
