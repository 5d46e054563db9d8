#include "output/font_list.h"

#include <assert.h>
#include <errno.h>
#include <fontconfig/fontconfig.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/compiler.h"

#define FACES_MAX    256
#define EMOJI_SAMPLE 0x1f600u

struct weight_list {
    FcFontSet *set; /* owns files and coverages */
    struct font_face face[FACES_MAX];
    const FcCharSet *coverage[FACES_MAX];
    int count;
    int emoji; /* face with colour emoji; -1: none */
};

struct font_list {
    FcConfig *config;
    struct weight_list weight[2]; /* enum draw_weight */
};

/* Wanted first, in this order, where they are installed; what follows is fontconfig's choice.
 * The Noto faces stand before DejaVu Sans, whose Arabic and Hebrew are an emergency. */
static const char *const families[] = {
    "Noto Sans",          "Noto Sans Arabic",     "Noto Sans Hebrew",
    "Noto Sans Thai",     "Noto Sans Devanagari", "Noto Sans Armenian",
    "Noto Sans Georgian", "Noto Sans Lao",        "DejaVu Sans",
    "sans-serif",
};

/* Outlines that SDL_ttf can draw, or colour pictures. */
static bool face_is_usable(FcPattern *p, bool is_colour)
{
    FcBool scalable = FcFalse;
    FcChar8 *format = NULL;
    FcPatternGetBool(p, FC_SCALABLE, 0, &scalable);
    if (FcPatternGetString(p, FC_FONTFORMAT, 0, &format) != FcResultMatch)
        return false;
    bool is_sfnt =
        strcmp((const char *)format, "TrueType") == 0 || strcmp((const char *)format, "CFF") == 0;
    return is_sfnt && (scalable || is_colour);
}

static void add_face(struct weight_list *w, FcPattern *p)
{
    FcChar8 *file = NULL;
    FcCharSet *coverage = NULL;
    int index = 0;
    FcBool is_colour = FcFalse, is_variable = FcFalse;
    FcPatternGetBool(p, FC_COLOR, 0, &is_colour);
    FcPatternGetBool(p, FC_VARIABLE, 0, &is_variable);
    FcPatternGetInteger(p, FC_INDEX, 0, &index);
    if (w->count == FACES_MAX || !face_is_usable(p, is_colour) ||
        FcPatternGetString(p, FC_FILE, 0, &file) != FcResultMatch ||
        FcPatternGetCharSet(p, FC_CHARSET, 0, &coverage) != FcResultMatch)
        return;
    if (is_colour && (w->emoji >= 0 || !FcCharSetHasChar(coverage, EMOJI_SAMPLE)))
        return;
    if (is_colour)
        w->emoji = w->count;
    w->coverage[w->count] = coverage;
    w->face[w->count++] = (struct font_face){
        .file = (const char *)file,
        .index = is_variable ? index & 0xffff : index,
        .is_colour = is_colour,
    };
}

static FcPattern *make_pattern(FcConfig *config, int fc_weight, const char *const *names,
                               size_t count)
{
    FcPattern *p = FcPatternCreate();
    bool ok = p && FcPatternAddInteger(p, FC_WEIGHT, fc_weight);
    for (size_t i = 0; ok && i < count; i++)
        ok = FcPatternAddString(p, FC_FAMILY, (const FcChar8 *)names[i]);
    if (!ok || !FcConfigSubstitute(config, p, FcMatchPattern)) {
        if (p)
            FcPatternDestroy(p);
        return NULL;
    }
    FcDefaultSubstitute(p);
    return p;
}

/* fontconfig sorts by family before anything else, so an emoji face that adds nothing new may
 * have been trimmed away; ask for it by name. */
static void add_emoji(struct weight_list *w, FcConfig *config)
{
    static const char *const names[] = { "Noto Color Emoji", "emoji" };
    FcResult result;
    FcPattern *p = make_pattern(config, FC_WEIGHT_REGULAR, names, ARRAY_LEN(names));
    if (!p)
        return;
    FcPatternAddBool(p, FC_COLOR, FcTrue);
    FcPattern *best = FcFontMatch(config, p, &result);
    FcPatternDestroy(p);
    if (!best)
        return;
    FcBool is_colour = FcFalse;
    FcPatternGetBool(best, FC_COLOR, 0, &is_colour);
    if (is_colour && FcFontSetAdd(w->set, best))
        add_face(w, best); /* the set owns it now */
    else
        FcPatternDestroy(best);
}

static int load_weight(struct weight_list *w, FcConfig *config, int fc_weight)
{
    FcResult result = FcResultMatch;
    w->emoji = -1;
    FcPattern *p = make_pattern(config, fc_weight, families, ARRAY_LEN(families));
    if (!p)
        return -EIO;
    w->set = FcFontSort(config, p, FcTrue, NULL, &result);
    FcPatternDestroy(p);
    if (!w->set)
        return -EIO;
    for (int i = 0; i < w->set->nfont; i++)
        add_face(w, w->set->fonts[i]);
    if (w->emoji < 0)
        add_emoji(w, config);
    return w->count > 0 ? 0 : -ENOENT;
}

int font_list_open(struct font_list **out, struct log *log)
{
    struct font_list *l = xcalloc(1, sizeof(*l));
    int ret = -EIO;
    l->config = FcInitLoadConfigAndFonts();
    if (l->config)
        ret = load_weight(&l->weight[WEIGHT_REGULAR], l->config, FC_WEIGHT_REGULAR);
    if (ret == 0)
        ret = load_weight(&l->weight[WEIGHT_BOLD], l->config, FC_WEIGHT_BOLD);
    if (ret < 0) {
        log_err(log, "no fonts found: install fonts-noto-core (or fonts-dejavu-core)");
        font_list_close(l);
        return ret;
    }
    if (l->weight[WEIGHT_REGULAR].emoji < 0)
        log_info(log, "no colour emoji: install fonts-noto-color-emoji");
    log_debug(log, "base font %s, %d fallback faces", l->weight[WEIGHT_REGULAR].face[0].file,
              l->weight[WEIGHT_REGULAR].count - 1);
    *out = l;
    return 0;
}

void font_list_close(struct font_list *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < ARRAY_LEN(l->weight); i++) {
        if (l->weight[i].set)
            FcFontSetDestroy(l->weight[i].set);
    }
    if (l->config)
        FcConfigDestroy(l->config);
    free(l);
}

static bool face_has(const struct weight_list *w, int face, uint32_t code)
{
    return FcCharSetHasChar(w->coverage[face], code);
}

int font_list_pick(const struct font_list *l, enum draw_weight weight, uint32_t code, int previous)
{
    const struct weight_list *w = &l->weight[weight];
    int wish = previous == PICK_EMOJI ? w->emoji : previous;
    if (wish >= 0 && wish < w->count && face_has(w, wish, code))
        return wish;
    for (int i = 0; i < w->count; i++) {
        if (i != w->emoji && face_has(w, i, code))
            return i;
    }
    return w->emoji >= 0 && face_has(w, w->emoji, code) ? w->emoji : -1;
}

const struct font_face *font_list_face(const struct font_list *l, enum draw_weight weight, int face)
{
    assert(face >= 0 && face < l->weight[weight].count);
    return &l->weight[weight].face[face];
}

int font_list_count(const struct font_list *l, enum draw_weight weight)
{
    return l->weight[weight].count;
}
