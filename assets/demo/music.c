/* music - the demo clips' music: a small sequencer and synthesizer.
 *
 *   music SONG SECONDS > out.wav        48 kHz stereo, 16 bit
 *
 * A song is a row of `songs`: tempo, key, a progression of four chords, and which voices play. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE  48000
#define PI    3.14159265358979
#define STEPS 16 /* sixteenths in a bar */

enum voice { PAD = 1, BASS = 2, PLUCK = 4, LEAD = 8, DRUMS = 16, OFFBEAT = 32 };

struct song {
    const char *name;
    double bpm;
    int key;      /* MIDI note of the first degree */
    int scale[7]; /* semitones above the key */
    int chord[4]; /* degrees, one a bar */
    unsigned voices;
    const char *kick, *snare, *hat, *bass; /* one character a sixteenth, 'x' plays */
    int arpeggio[8];                       /* chord tones of the pluck, in eighths; -1 rests */
    double swing;                          /* 0..0.3 of a sixteenth */
};

#define MINOR                                                                                      \
    {                                                                                              \
        0, 2, 3, 5, 7, 8, 10                                                                       \
    }
#define MAJOR                                                                                      \
    {                                                                                              \
        0, 2, 4, 5, 7, 9, 11                                                                       \
    }
#define DORIAN                                                                                     \
    {                                                                                              \
        0, 2, 3, 5, 7, 9, 10                                                                       \
    }
#define HIJAZ                                                                                      \
    {                                                                                              \
        0, 1, 4, 5, 7, 8, 10                                                                       \
    }
#define HIRAJO                                                                                     \
    {                                                                                              \
        0, 2, 3, 7, 8, 12, 14                                                                      \
    }

static const struct song songs[] = {
    { "tide",
      84,
      45,
      MINOR,
      { 0, 5, 2, 6 },
      PAD | BASS | PLUCK | DRUMS,
      "x.......x.......",
      "....x.......x...",
      "..x...x...x...x.",
      "x.....x...x.....",
      { 0, 1, 2, 3, 2, 1, 2, 1 },
      0.0 },
    { "copper",
      112,
      48,
      MAJOR,
      { 0, 4, 5, 3 },
      PAD | BASS | PLUCK | LEAD | DRUMS,
      "x...x...x...x...",
      "....x.......x..x",
      "x.x.x.x.x.x.x.x.",
      "x..x..x.x..x..x.",
      { 0, 2, 1, 3, 2, 3, 1, 2 },
      0.0 },
    { "dawn",
      72,
      50,
      HIRAJO,
      { 0, 3, 1, 4 },
      PAD | PLUCK | LEAD | BASS,
      "................",
      "................",
      "................",
      "x.......x.......",
      { 0, -1, 2, 1, 3, -1, 2, 4 },
      0.0 },
    { "north",
      126,
      43,
      DORIAN,
      { 0, 3, 6, 4 },
      PAD | BASS | PLUCK | DRUMS | OFFBEAT,
      "x...x...x...x...",
      "....x.......x...",
      "..x...x...x...x.",
      "..xx..x...xx..x.",
      { 0, 1, 3, 1, 2, 1, 3, 2 },
      0.0 },
    { "city",
      98,
      50,
      HIJAZ,
      { 0, 1, 0, 6 },
      PAD | BASS | PLUCK | LEAD | DRUMS,
      "x.....x.x.......",
      "....x.......x.x.",
      "x.xxx.xxx.xxx.xx",
      "x.....x.x...x...",
      { 0, 1, 2, 1, 0, 3, 2, 1 },
      0.0 },
    { "glass",
      140,
      52,
      MINOR,
      { 0, 6, 5, 6 },
      BASS | PLUCK | LEAD | DRUMS,
      "x..x..x...x.x...",
      "....x.......x...",
      "x.xxx.xxx.xxx.xx",
      "x.x.x.x.x.x.x.x.",
      { 3, 2, 1, 0, 1, 2, 3, 4 },
      0.0 },
    { "meridian",
      122,
      41,
      DORIAN,
      { 0, 0, 3, 4 },
      PAD | BASS | DRUMS | OFFBEAT,
      "x...x...x...x...",
      "....x.......x...",
      "..x...x...x...x.",
      "..x...x..x....x.",
      { 0, 2, 4, 2, 0, 2, 4, 3 },
      0.25 },
};

struct mix {
    float *left, *right;
    size_t count;
    float *echo_left, *echo_right; /* what goes to the echo as well */
    uint32_t noise;
};

static double hz_of(double note)
{
    return 440.0 * pow(2.0, (note - 69.0) / 12.0);
}

static double noise(struct mix *m)
{
    m->noise = m->noise * 1664525u + 1013904223u;
    return (double)(int32_t)m->noise / 2147483648.0;
}

static double saw(double phase)
{
    return 2.0 * (phase - floor(phase)) - 1.0;
}

static void add(struct mix *m, size_t at, double v, double pan, double echo)
{
    if (at >= m->count)
        return;
    m->left[at] += (float)(v * (1.0 - pan));
    m->right[at] += (float)(v * (1.0 + pan));
    m->echo_left[at] += (float)(v * echo * (1.0 + pan));
    m->echo_right[at] += (float)(v * echo * (1.0 - pan));
}

/* Three detuned saws through a low pass that opens and closes slowly. */
static void pad(struct mix *m, size_t at, size_t len, double note, double pan)
{
    double hz = hz_of(note), low = 0, lower = 0;
    size_t fade = RATE / 3;
    for (size_t i = 0; i < len + fade; i++) {
        double t = (double)i / RATE;
        double v = saw(t * hz) + saw(t * hz * 1.006) + saw(t * hz * 0.995 + 0.3);
        double cut = 0.03 + 0.025 * sin(t * 1.7 + note);
        low += cut * (v - low);
        lower += cut * (low - lower);
        double gain = i < fade ? (double)i / (double)fade : 1.0;
        if (i > len)
            gain *= 1.0 - (double)(i - len) / (double)fade;
        add(m, at + i, lower * gain * 0.055, pan, 0.25);
    }
}

static void bass(struct mix *m, size_t at, size_t len, double note)
{
    double hz = hz_of(note), low = 0;
    for (size_t i = 0; i < len; i++) {
        double t = (double)i / RATE;
        double v = saw(t * hz) + 0.8 * sin(2 * PI * t * hz);
        low += (0.04 + 0.12 * exp(-t * 14)) * (v - low);
        double gain = fmin(1.0, (double)i / 200.0) * fmin(1.0, (double)(len - i) / 600.0);
        add(m, at + i, low * gain * 0.20, 0, 0);
    }
}

/* Two-operator frequency modulation: a bell, a harp or a string, by `bright`. */
static void pluck(struct mix *m, size_t at, double note, double bright, double gain, double pan)
{
    double hz = hz_of(note);
    for (size_t i = 0; i < RATE; i++) {
        double t = (double)i / RATE;
        double v = sin(2 * PI * hz * t + bright * exp(-t * 9) * sin(2 * PI * hz * 2.001 * t));
        add(m, at + i, v * exp(-t * 5.5) * fmin(1.0, (double)i / 60.0) * gain, pan, 0.5);
    }
}

static void lead(struct mix *m, size_t at, size_t len, double note)
{
    double hz = hz_of(note), phase = 0;
    for (size_t i = 0; i < len; i++) {
        double t = (double)i / RATE;
        phase += hz * (1.0 + 0.004 * sin(2 * PI * 5.2 * t) * fmin(1.0, t * 3)) / RATE;
        double v = sin(2 * PI * phase) + 0.33 * sin(6 * PI * phase) + 0.15 * sin(10 * PI * phase);
        double gain = fmin(1.0, t * 25) * fmin(1.0, (double)(len - i) / 4000.0);
        add(m, at + i, v * gain * 0.075, 0.15, 0.6);
    }
}

static void kick(struct mix *m, size_t at)
{
    double phase = 0;
    for (size_t i = 0; i < RATE / 3; i++) {
        double t = (double)i / RATE;
        phase += (45.0 + 140.0 * exp(-t * 32)) / RATE;
        add(m, at + i, sin(2 * PI * phase) * exp(-t * 11) * 0.55, 0, 0);
    }
}

static void snare(struct mix *m, size_t at)
{
    double last = 0;
    for (size_t i = 0; i < RATE / 4; i++) {
        double t = (double)i / RATE, n = noise(m);
        double v = (n - 0.6 * last) * exp(-t * 19) + 0.7 * sin(2 * PI * 190 * t) * exp(-t * 26);
        last = n;
        add(m, at + i, v * 0.20, -0.05, 0.15);
    }
}

static void hat(struct mix *m, size_t at, double gain)
{
    double last = 0;
    for (size_t i = 0; i < RATE / 12; i++) {
        double n = noise(m);
        add(m, at + i, (n - last) * exp(-(double)i / RATE * 60) * gain, 0.3, 0.05);
        last = n;
    }
}

static int degree(const struct song *s, int d)
{
    return s->key + s->scale[d % 7] + 12 * (d / 7);
}

static void play_chord(struct mix *m, const struct song *s, size_t at, size_t bar, int root)
{
    if (s->voices & PAD)
        for (int k = 0; k < 3; k++)
            pad(m, at, bar, degree(s, root + 2 * k) + 12, 0.3 * (k - 1));
}

static void play_step(struct mix *m, const struct song *s, size_t at, size_t step_len, int bar,
                      int step)
{
    int root = s->chord[bar % 4];
    if ((s->voices & BASS) && s->bass[step] == 'x')
        bass(m, at, step_len * 2, degree(s, root) - (s->key > 46 ? 24 : 12));
    if ((s->voices & PLUCK) && step % 2 == 0 && s->arpeggio[step / 2] >= 0)
        pluck(m, at, degree(s, root + 2 * s->arpeggio[step / 2]) + 12, 1.5 + 0.5 * (bar % 3), 0.11,
              step % 4 ? 0.35 : -0.35);
    if ((s->voices & OFFBEAT) && step % 4 == 2)
        for (int k = 0; k < 3; k++)
            pluck(m, at, degree(s, root + 2 * k) + 12, 3.0, 0.08, 0.0);
    if ((s->voices & LEAD) && bar % 4 >= 1 && (step == 0 || step == 6 || step == 10)) {
        int up = (bar * 5 + step * 3) % 5;
        lead(m, at, step_len * (step == 10 ? 6 : 5), degree(s, root + up) + 24);
    }
    if (!(s->voices & DRUMS) || bar == 0)
        return;
    if (s->kick[step] == 'x')
        kick(m, at);
    if (s->snare[step] == 'x')
        snare(m, at);
    if (s->hat[step] == 'x')
        hat(m, at, step % 4 == 2 ? 0.09 : 0.05);
}

static void compose(struct mix *m, const struct song *s)
{
    size_t step_len = (size_t)(RATE * 60.0 / s->bpm / 4.0);
    for (int bar = 0; (size_t)bar * STEPS * step_len < m->count; bar++) {
        size_t start = (size_t)bar * STEPS * step_len;
        play_chord(m, s, start, STEPS * step_len, s->chord[bar % 4]);
        for (int step = 0; step < STEPS; step++) {
            double late = step % 2 ? s->swing : 0.0;
            play_step(m, s, start + (size_t)((step + late) * (double)step_len), step_len, bar,
                      step);
        }
    }
}

/* Echo of three sixteenths that crosses sides, then soft limiting and fades at both ends. */
static void finish(struct mix *m, const struct song *s)
{
    size_t delay = (size_t)(RATE * 60.0 / s->bpm / 4.0 * 3.0), fade = RATE;
    for (size_t i = 0; i < m->count; i++) {
        if (i >= delay) {
            m->echo_left[i] += 0.45f * m->echo_right[i - delay];
            m->echo_right[i] += 0.45f * m->echo_left[i - delay];
            m->left[i] += 0.5f * m->echo_left[i - delay];
            m->right[i] += 0.5f * m->echo_right[i - delay];
        }
        double gain = fmin(1.0, (double)(m->count - i) / (double)fade);
        gain *= fmin(1.0, (double)i / 480.0);
        m->left[i] = (float)(tanh(m->left[i] * 1.3) * gain * 0.85);
        m->right[i] = (float)(tanh(m->right[i] * 1.3) * gain * 0.85);
    }
}

static void put_le(uint32_t v, int bytes)
{
    for (; bytes > 0; bytes--, v >>= 8)
        putchar((int)(v & 255));
}

static void write_wav(const struct mix *m)
{
    uint32_t bytes = (uint32_t)m->count * 4;
    fputs("RIFF", stdout);
    put_le(36 + bytes, 4);
    fputs("WAVEfmt ", stdout);
    put_le(16, 4);
    put_le(1, 2);
    put_le(2, 2);
    put_le(RATE, 4);
    put_le(RATE * 4, 4);
    put_le(4, 2);
    put_le(16, 2);
    fputs("data", stdout);
    put_le(bytes, 4);
    for (size_t i = 0; i < m->count; i++) {
        put_le((uint32_t)(int32_t)lrintf(m->left[i] * 32767.0f), 2);
        put_le((uint32_t)(int32_t)lrintf(m->right[i] * 32767.0f), 2);
    }
}

int main(int argc, char **argv)
{
    const struct song *song = NULL;
    for (size_t i = 0; argc == 3 && i < sizeof(songs) / sizeof(songs[0]); i++)
        if (strcmp(songs[i].name, argv[1]) == 0)
            song = &songs[i];
    int seconds = argc == 3 ? atoi(argv[2]) : 0;
    if (!song || seconds < 1 || seconds > 600) {
        fprintf(stderr, "usage: music SONG SECONDS\n");
        return 2;
    }
    struct mix m = { .count = (size_t)seconds * RATE, .noise = 1 };
    float *block = calloc(m.count * 4, sizeof(*block));
    if (!block)
        return 1;
    m.left = block;
    m.right = block + m.count;
    m.echo_left = block + 2 * m.count;
    m.echo_right = block + 3 * m.count;
    compose(&m, song);
    finish(&m, song);
    write_wav(&m);
    free(block);
    return ferror(stdout) ? 1 : 0;
}
