/* Plays every file of the generated corpus through a load and compares with the manifest beside them.
 * $DJAMMS_CORPUS names the folder; $DJAMMS_CORPUS_ONLY limits it to one file. */
#include "media/support.h"

#include <libavutil/log.h>

/* More than any file here may give, however it is damaged. */
enum { FRAMES_BOUND = 400, SAMPLES_BOUND = 60 * SAMPLE_RATE, SAMPLES_NEAR = 1024 };

struct row {
    char name[128], kind[8], fmt[8], sar[16], flags[64];
    int frames, samples, width, height, rotation, first_loud;
};

static const struct {
    const char *name;
    enum pixel_format format;
} formats[] = {
    { "I420", PIXEL_I420 }, { "I422", PIXEL_I422 }, { "I444", PIXEL_I444 }, { "I010", PIXEL_I010 },
    { "I210", PIXEL_I210 }, { "I410", PIXEL_I410 }, { "GRAY", PIXEL_GRAY }, { "BGRA", PIXEL_BGRA },
};

static bool has_flag(const struct row *r, const char *flag)
{
    return strstr(r->flags, flag) != NULL;
}

static int failures;

#define EXPECT(r, condition, ...)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            failures++;                                                                            \
            fprintf(stderr, "%s: %s: ", (r)->name, #condition);                                    \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
        }                                                                                          \
    } while (0)

static void unescape(char *s)
{
    char *out = s;
    for (; *s; s++, out++) {
        if (*s == '\\' && s[1])
            *out = *++s == 'n' ? '\n' : *s;
        else
            *out = *s;
    }
    *out = '\0';
}

static bool read_row(char *line, struct row *r)
{
    *r = (struct row){ 0 };
    int n =
        sscanf(line, "%127[^\t]\t%7[^\t]\t%d\t%d\t%d\t%d\t%7[^\t]\t%d\t%15[^\t]\t%d\t%63[^\t\n]",
               r->name, r->kind, &r->frames, &r->samples, &r->width, &r->height, r->fmt,
               &r->rotation, r->sar, &r->first_loud, r->flags);
    unescape(r->name);
    return n == 11;
}

/* What holds for every file, whole or damaged. */
static void check_always(const struct row *r, const struct played *p)
{
    EXPECT(r, p->frames <= FRAMES_BOUND, "%llu frames", (unsigned long long)p->frames);
    EXPECT(r, p->samples <= SAMPLES_BOUND, "%llu samples", (unsigned long long)p->samples);
    EXPECT(r, p->state.duration_ns >= 0 && p->state.duration_ns <= SECONDS(24 * 3600), "%lld ns",
           (long long)p->state.duration_ns);
    for (uint64_t i = 0; i < p->frames && i < FRAMES_KEPT; i++) {
        const struct frame_desc *f = &p->frame[i];
        EXPECT(r, f->duration_ns > 0, "frame %llu", (unsigned long long)i);
        EXPECT(r, i == 0 || f->pts_ns > f[-1].pts_ns, "frame %llu at %.3f after %.3f",
               (unsigned long long)i, f->pts_ns / 1e9, f[-1].pts_ns / 1e9);
        EXPECT(r, i == 0 || f->pts_ns - f[-1].pts_ns <= SECONDS(10), "frame %llu",
               (unsigned long long)i);
    }
    if (p->state.phase == DECK_DONE) {
        EXPECT(r, p->state.end_ns >= 0 && p->state.end_ns < SECONDS(100), "ends at %.3f",
               p->state.end_ns / 1e9);
        EXPECT(r, p->state.error[0] == '\0', "%s", p->state.error);
    }
}

static void check_pictures(const struct row *r, const struct played *p)
{
    const struct deck_state *s = &p->state;
    EXPECT(r, s->has_video == 1, "no video");
    EXPECT(r, (int)s->width == r->width && (int)s->height == r->height, "%ux%u", s->width,
           s->height);
    EXPECT(r, (s->is_cover != 0) == has_flag(r, "cover"), "is_cover %u", s->is_cover);
    if (r->frames >= 0)
        EXPECT(r, (int)p->frames == r->frames, "%llu frames", (unsigned long long)p->frames);
    else /* the visual: one picture for each 40 ms of sound */
        EXPECT(r, p->frames == p->samples / 1920, "%llu pictures", (unsigned long long)p->frames);
    if (p->frames == 0)
        return;
    const struct frame_desc *f = &p->frame[0];
    unsigned num = 0, den = 0;
    sscanf(r->sar, "%u:%u", &num, &den);
    EXPECT(r, f->sar_num == num && f->sar_den == den, "sar %u:%u", f->sar_num, f->sar_den);
    EXPECT(r, (int)f->rotation == r->rotation, "rotation %u", f->rotation);
    if (!has_flag(r, "cover"))
        EXPECT(r, f->is_full_range == has_flag(r, "full") || f->format == PIXEL_BGRA, "range %u",
               f->is_full_range);
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (strcmp(formats[i].name, r->fmt) == 0)
            EXPECT(r, f->format == formats[i].format, "format %u", f->format);
    }
}

/* The brightness in the middle says which picture it is. */
static void check_order(const struct row *r, const struct played *p)
{
    if (r->frames < 2 || has_flag(r, "vfr") || has_flag(r, "unordered"))
        return;
    for (uint64_t i = 0; i < p->frames && i < FRAMES_KEPT; i++) {
        int want = 40 + 12 * (int)(i % 15);
        if (!p->frame[i].is_full_range)
            want = 16 + want * 219 / 255;
        int near = has_flag(r, "coarse") ? 24 : 6; /* a palette has few greys */
        EXPECT(r, abs(p->code[i] - want) <= near, "frame %llu has %d, not %d",
               (unsigned long long)i, p->code[i], want);
    }
}

static void check_sound(const struct row *r, const struct played *p)
{
    EXPECT(r, (p->state.has_audio == 0) == has_flag(r, "silent"), "has_audio %u",
           p->state.has_audio);
    int64_t missing = r->samples - (int64_t)p->samples;
    /* Containers that do not say where the sound ends keep what fills the codec's last packets. */
    int64_t near = has_flag(r, "lossy-end") ? 5 * SAMPLES_NEAR : SAMPLES_NEAR / 16;
    EXPECT(r, missing <= SAMPLES_NEAR && missing >= -near, "%llu samples",
           (unsigned long long)p->samples);
    if (has_flag(r, "silent")) {
        EXPECT(r, p->peak == 0, "peak %g", (double)p->peak);
        return;
    }
    double mean = p->energy / (double)(p->samples ? p->samples : 1);
    EXPECT(r, mean > 1e-4 && p->peak < 1.1f, "energy %g, peak %g", mean, (double)p->peak);
    int64_t late = (int64_t)p->first_loud - r->first_loud;
    EXPECT(r, late >= -64 && late <= 3 * SAMPLES_NEAR, "first sound at sample %lld",
           (long long)p->first_loud);
}

static void check_good(const struct row *r, const struct played *p)
{
    EXPECT(r, p->state.phase == DECK_DONE, "phase %u: %s", p->state.phase, p->state.error);
    check_pictures(r, p);
    check_order(r, p);
    check_sound(r, p);
    int64_t end = p->samples * NS_PER_S / SAMPLE_RATE;
    if (p->frames > 0 && !has_flag(r, "cover")) {
        const struct frame_desc *last = &p->frame[p->frames - 1];
        end = max_i64(end, last->pts_ns + last->duration_ns);
    }
    EXPECT(r, llabs(p->state.end_ns - end) < MS(1), "ends at %.4f, not %.4f", p->state.end_ns / 1e9,
           end / 1e9);
    if (has_flag(r, "tagged")) {
        EXPECT(r, strcmp(p->state.title, "Ein Lied") == 0, "title %s", p->state.title);
        EXPECT(r, strcmp(p->state.artist, "Wer") == 0, "artist %s", p->state.artist);
    }
    if (p->frames > 0) /* wherever the file's own time begins */
        EXPECT(r, llabs(p->frame[0].pts_ns) < MS(60), "begins at %.3f", p->frame[0].pts_ns / 1e9);
    if (has_flag(r, "still"))
        EXPECT(r, p->frames == 1 && p->frame[0].duration_ns >= SECONDS(5), "shown for %lld ns",
               (long long)p->frame[0].duration_ns);
}

static void check_bad(const struct row *r, const struct played *p)
{
    if (strcmp(r->kind, "fail") == 0)
        EXPECT(r, p->state.phase == DECK_FAILED, "phase %u", p->state.phase);
    else if (strcmp(r->kind, "done") == 0)
        EXPECT(r, p->state.phase == DECK_DONE, "phase %u: %s", p->state.phase, p->state.error);
    if (p->state.phase == DECK_DONE)
        EXPECT(r, p->frames > 0 || p->samples > 0, "done with nothing");
    if (p->state.phase != DECK_FAILED)
        return;
    /* A name with a line feed is shown with a blank. */
    char shown[128];
    snprintf(shown, sizeof(shown), "%s", r->name);
    for (char *c = shown; *c; c++)
        *c = *c == '\n' ? ' ' : *c;
    EXPECT(r,
           strncmp(p->state.error, shown, strlen(shown)) == 0 &&
               strlen(p->state.error) > strlen(shown) + 5,
           "the sentence is: %s", p->state.error);
}

static void play_row(const char *folder, const struct row *r)
{
    static struct played p; /* too large for a stack */
    char path[1024];
    struct rig rig;
    snprintf(path, sizeof(path), "%s/%s", folder, r->name);
    rig_init(&rig);
    rig_play(&rig, path, 0, &p);
    check_always(r, &p);
    if (strcmp(r->kind, "good") == 0)
        check_good(r, &p);
    else
        check_bad(r, &p);
    rig_finish(&rig);
}

static void every_file_of_the_corpus_gives_what_it_holds(void **state)
{
    const char *folder = getenv("DJAMMS_CORPUS"), *only = getenv("DJAMMS_CORPUS_ONLY");
    if (!folder)
        fail_msg("DJAMMS_CORPUS is not set: run make_corpus.py FOLDER and name the folder");
    char path[1024], line[512];
    int whole = 0, damaged = 0;
    snprintf(path, sizeof(path), "%s/manifest.tsv", folder);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        struct row r;
        if (line[0] == '#' || !read_row(line, &r) || (only && strcmp(only, r.name) != 0))
            continue;
        play_row(folder, &r);
        *(strcmp(r.kind, "good") == 0 ? &whole : &damaged) += 1;
    }
    fclose(f);
    if (!only && (whole < 60 || damaged < 30))
        fail_msg("only %d whole and %d damaged files", whole, damaged);
    assert_int_equal(failures, 0);
}

int main(void)
{
    av_log_set_level(AV_LOG_QUIET);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_of_the_corpus_gives_what_it_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
