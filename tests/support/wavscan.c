/* wavscan - what is in a recording of coded clips (clipgen.c). Positions are sample frames of the file.
 *
 *   wavscan FILE [FROM [TO]]
 *
 * Output:
 *   info RATE FRAMES PEAK        PEAK as a fraction of full scale
 *   beep START END HZ            a beep; HZ tells the clip: 900 + 100 * (clip % 16)
 *   quiet START END              no steady tone for at least 1 ms
 *   shift AT SAMPLES            the steady tone's phase jumps: so many samples (modulo a period of 218)
 *                                were left out (+) or put in (-) in the 150 ms before AT
 *
 * Levels are relative to the loudest sample: beeps have 0.53 of full scale, the tone 0.03. Reads 16-bit and
 * float WAV, mono or stereo (left); a header without lengths (still being written) means: to the end. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PI         3.14159265358979
#define TONE_HZ    220.0
#define TONE       (0.03 / 0.53) /* of the peak */
#define WINDOW     2400          /* 50 ms: 11 periods of the tone, whole periods of every beep */
#define FRAMES_MAX (48000u * 3600u)

struct sound {
    float *at;
    size_t count, first; /* first: position of at[0] in the file */
    uint32_t rate;
    float peak;
};

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

struct format {
    uint32_t rate, channels, bits, is_float;
};

/* Leaves the file at the first sample. *bytes: of samples; UINT32_MAX: not written yet. */
static bool read_header(FILE *f, struct format *fmt, uint32_t *bytes)
{
    uint8_t riff[12], chunk[8], body[64];
    if (fread(riff, 1, 12, f) != 12 || memcmp(riff, "RIFF", 4) != 0 ||
        memcmp(riff + 8, "WAVE", 4) != 0)
        return false;
    *fmt = (struct format){ 0 };
    while (fread(chunk, 1, 8, f) == 8) {
        uint32_t len = le32(chunk + 4);
        if (memcmp(chunk, "data", 4) == 0) {
            *bytes = len == 0 ? UINT32_MAX : len;
            return fmt->channels > 0 && (fmt->bits == 16 || (fmt->bits == 32 && fmt->is_float));
        }
        if (memcmp(chunk, "fmt ", 4) == 0 && len >= 16 && len <= sizeof(body)) {
            if (fread(body, 1, len, f) != len)
                return false;
            fmt->is_float = body[0] == 3 || (body[0] == 0xfe && len >= 26 && body[24] == 3);
            fmt->channels = body[2];
            fmt->rate = le32(body + 4);
            fmt->bits = body[14];
        } else if (fseek(f, (long)(len + (len & 1)), SEEK_CUR) != 0) {
            return false;
        }
    }
    return false;
}

static bool read_sound(const char *path, size_t from, size_t to, struct sound *s)
{
    struct format fmt;
    uint32_t bytes = 0;
    FILE *f = fopen(path, "rb");
    if (!f || !read_header(f, &fmt, &bytes)) {
        fprintf(stderr, "wavscan: %s: %s\n", path, f ? "no WAV file" : strerror(errno));
        if (f)
            fclose(f);
        return false;
    }
    size_t frame = (size_t)fmt.channels * fmt.bits / 8, room = 0;
    uint8_t sample[64];
    *s = (struct sound){ .first = from, .rate = fmt.rate };
    if (to > bytes / frame)
        to = bytes / frame;
    bool is_there = frame <= sizeof(sample) && fseek(f, (long)(from * frame), SEEK_CUR) == 0;
    while (is_there && from + s->count < to && s->count < FRAMES_MAX &&
           fread(sample, 1, frame, f) == frame) {
        if (s->count == room) {
            room = room ? room * 2 : 1u << 20;
            s->at = realloc(s->at, room * sizeof(*s->at));
            if (!s->at)
                abort();
        }
        float v;
        if (fmt.is_float)
            memcpy(&v, sample, sizeof(v));
        else
            v = (float)(int16_t)(sample[0] | sample[1] << 8) / 32768.0f;
        s->at[s->count++] = v;
        s->peak = fabsf(v) > s->peak ? fabsf(v) : s->peak;
    }
    fclose(f);
    return true;
}

/* Frequency by its zero crossings. */
static double frequency(const struct sound *s, size_t start, size_t end)
{
    size_t first = 0, last = 0;
    int crossings = 0;
    for (size_t i = start + 1; i < end; i++)
        if (s->at[i - 1] < 0 && s->at[i] >= 0) {
            if (crossings++ == 0)
                first = i;
            last = i;
        }
    return crossings > 1 ? (double)(crossings - 1) * s->rate / (double)(last - first) : 0;
}

static void print_beeps(const struct sound *s)
{
    size_t pause = s->rate / 50, start = 0, last = 0;
    bool is_on = false;
    for (size_t i = 0; i <= s->count; i++) {
        bool is_loud = i < s->count && fabsf(s->at[i]) > 0.3f * s->peak;
        if (is_on && (i == s->count || (is_loud ? 0 : i - last > pause))) {
            printf("beep %zu %zu %.0f\n", s->first + start, s->first + last + 1,
                   frequency(s, start, last + 1));
            is_on = false;
        }
        if (!is_loud)
            continue;
        if (!is_on)
            start = i;
        is_on = true;
        last = i;
    }
}

static void print_quiet(const struct sound *s)
{
    float level = (float)(TONE * 0.25) * s->peak;
    size_t least = s->rate / 1000, run = 0;
    for (size_t i = 0; i <= s->count; i++) {
        if (i < s->count && fabsf(s->at[i]) < level) {
            run++;
            continue;
        }
        if (run >= least)
            printf("quiet %zu %zu\n", s->first + i - run, s->first + i);
        run = 0;
    }
}

/* Phase of the tone in one window, in samples, and its strength. */
static double tone_phase(const struct sound *s, size_t start, double *strength)
{
    double re = 0, im = 0, step = 2 * PI * TONE_HZ / s->rate;
    for (size_t i = start; i < start + WINDOW; i++) {
        double a = step * (double)((s->first + i) % s->rate);
        re += s->at[i] * cos(a);
        im += s->at[i] * sin(a);
    }
    *strength = 2 * hypot(re, im) / WINDOW;
    return -atan2(-re, im) / step;
}

static double nearest_turn(double samples, double period)
{
    return samples - period * floor(samples / period + 0.5);
}

static bool has_beep(const struct sound *s, size_t start)
{
    for (size_t i = start; i < start + WINDOW; i++)
        if (fabsf(s->at[i]) > 0.3f * s->peak)
            return true;
    return false;
}

/* A phase counts when two windows in a row agree on it, so that a jump inside a window is told once. */
static void print_shifts(const struct sound *s)
{
    double period = s->rate / TONE_HZ, steady = 0, last = 0;
    bool has_steady = false, has_last = false;
    for (size_t i = 0; i + WINDOW <= s->count; i += WINDOW) {
        double strength, now = tone_phase(s, i, &strength);
        bool is_clean = strength > TONE * 0.5 * s->peak && !has_beep(s, i);
        if (is_clean && has_last && fabs(nearest_turn(now - last, period)) < 0.3) {
            double jump = nearest_turn(now - steady, period);
            if (has_steady && fabs(jump) > 0.7)
                printf("shift %zu %.1f\n", s->first + i, jump);
            steady = now;
            has_steady = true;
        }
        last = now;
        has_last = is_clean;
    }
}

int main(int argc, char **argv)
{
    struct sound s;
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: wavscan FILE [FROM [TO]]\n");
        return 2;
    }
    size_t from = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    size_t to = argc > 3 ? strtoull(argv[3], NULL, 10) : SIZE_MAX;
    if (!read_sound(argv[1], from, to, &s))
        return 1;
    printf("info %u %zu %.4f\n", s.rate, s.count, (double)s.peak);
    if (s.peak > 0.005f) {
        print_beeps(&s);
        print_quiet(&s);
        print_shifts(&s);
    } else if (s.count > 0) {
        printf("quiet %zu %zu\n", s.first, s.first + s.count);
    }
    free(s.at);
    return 0;
}
