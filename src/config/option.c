#include "config/option.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "config/config.h"
#include "config/listen.h"
#include "config/screen_mode.h"

#define SIZE_MIN   64
#define WIDTH_MAX  7680
#define HEIGHT_MAX 4320

#define AT(field)          .offset = offsetof(struct config, field)
#define BOOL(field)        .type = OPTION_BOOL, AT(field)
#define TEXT(field)        .type = OPTION_TEXT, AT(field)
#define CHOICE(field, ...) .type = OPTION_CHOICE, AT(field), .choices = __VA_ARGS__
#define INT(field, lo, hi) .type = OPTION_INT, AT(field), .min = (lo), .max = (hi)

/* Settings of a section stand together. */
static const struct option options[] = {
    { "log.level", OPTION_LEVEL, AT(log.level), .choices = "error warning info debug trace",
      .def = "info", .help = "how much is written to the log" },
    { "library.paths", OPTION_PATHS, AT(library.paths), .def = "",
      .help = "folders with media, ':' between two; an indented line adds more" },
    { "library.removable", BOOL(library.removable), .def = "no",
      .help = "the media of USB sticks, too, mounted below /media or /run/media" },
    { "cache.dir", TEXT(cache.dir), .def = "",
      .help = "folder of fetched media; empty: djamms below the user's cache folder" },
    { "cache.size", INT(cache.size, 0, 100000000), .def = "20000",
      .help = "MB that fetched media may take; 0: as much as the disk has" },
    { "cache.free-floor", INT(cache.free_floor, 0, 100000000), .def = "2000",
      .help = "MB that always stay free on that disk" },
    { "fetch.profile", CHOICE(fetch.profile, "auto pi3 pi4 pi5 desktop"), .def = "auto",
      .help = "which formats are fetched: those this board plays with ease" },
    { "fetch.max-minutes", INT(fetch.max_minutes, 0, 100000), .def = "20",
      .help = "minutes that a song may last which guests ask for; 0: any" },
    { "fetch.max-mb", INT(fetch.max_mb, 0, 1000000), .def = "2000",
      .help = "MB that one song may have; 0: any" },
    { "fetch.live-minutes", INT(fetch.live_minutes, 0, 1440), .def = "0",
      .help = "minutes of a live stream that staff may add; then it is over. 0: none is played" },
    { "fetch.extractors", TEXT(fetch.extractors), .def = "default",
      .help = "yt-dlp's names of the sites that staff may add from, ',' between; default: all" },
    { "fetch.yt-dlp", TEXT(fetch.yt_dlp), .def = "",
      .help = "folder or zip file with the Python module yt_dlp; empty: the system's" },
    { "fetch.js-runtime", TEXT(fetch.js_runtime), .def = "",
      .help =
          "for YouTube: deno, node, quickjs or bun, with or without :PATH; empty: what is there" },
    { "extractor.channel", TEXT(extractor.channel), .def = "",
      .help =
          "address of the offer that keeps yt-dlp up to date: https or file; empty: it is not" },
    { "extractor.check-hours", INT(extractor.check_hours, 0, 1000), .def = "12",
      .help = "how often it is looked at; 0: only by `djamms extractor update`" },
    { "extractor.key-file", TEXT(extractor.key_file), .def = "",
      .help = "PEM file of the Ed25519 key; then nothing is taken that it did not sign" },
    { "extractor.test-items", TEXT(extractor.test_items), .def = "",
      .help = "addresses a new version must play before it is used; up to 8, blank between" },
    { "youtube.enabled", BOOL(youtube.enabled), .def = "no",
      .help = "fetch videos of YouTube; yes says that you have the rights to show them here" },
    { "youtube.fetch-solver", BOOL(youtube.fetch_solver), .def = "no",
      .help = "yt-dlp may get the solver of YouTube's challenge from github.com" },
    { "youtube.player-client", TEXT(youtube.player_client), .def = "",
      .help = "yt-dlp's player_client, for an emergency; empty: what it prefers" },
    { "youtube.cookies", TEXT(youtube.cookies), .def = "",
      .help = "file of cookies, Netscape format; the account may be banned for it",
      .is_credential = true },
    { "queue.loop", BOOL(queue.loop), .def = "yes",
      .help = "a finished track of the main list goes to its tail" },
    { "queue.autostart", BOOL(queue.autostart), .def = "yes",
      .help = "start playing as soon as something is in the queue" },
    { "queue.exit-at-end", BOOL(queue.exit_at_end), .def = "no",
      .help = "end the player when nothing is left to play" },
    { "display.driver", CHOICE(display.driver, "auto x11 wayland kmsdrm offscreen dummy"),
      .def = "auto", .help = "what shows the windows; offscreen and dummy need no screen" },
    { "display.renderer", CHOICE(display.renderer, "auto software opengl opengles2"), .def = "auto",
      .help = "what draws; software needs no graphics processor" },
    { "display.fullscreen", BOOL(display.fullscreen), .def = "yes",
      .help = "fill the screen; no: a window of display.size" },
    { "display.size", OPTION_SIZE, AT(display.width),
      .offset2 = offsetof(struct config, display.height), .def = "1280x720",
      .help = "size of a window in pixels, when not fullscreen" },
    { "display.mode", OPTION_MODE, AT(display.mode), .def = "auto",
      .help = "mode of displays driven directly (kmsdrm); auto: their own, on 4K ones 1080p60" },
    { "display.outputs", INT(display.outputs, 0, 8), .def = "0",
      .help = "how many windows; 0: one on every display" },
    { "display.overlay", BOOL(display.overlay), .def = "yes",
      .help = "draw the queue and the now-playing line over the video" },
    { "subtitles.show", BOOL(subtitles.show), .def = "no",
      .help = "subtitles and lyrics at the very first start; later the last choice is kept" },
    { "subtitles.languages", TEXT(subtitles.languages), .def = "en",
      .help = "languages of subtitles, best first, as en,de; others when there is none of these" },
    { "sound.driver", CHOICE(sound.driver, "auto alsa sdl null wav"), .def = "auto",
      .help = "what plays the sound; null is silent, wav writes sound.wav-file" },
    { "sound.device", TEXT(sound.device), .def = "",
      .help = "HDMI-A-1, hdmi, analogue, usb or the driver's own name; empty: the best there is" },
    { "sound.wav-file", TEXT(sound.wav_file), .def = "djamms.wav",
      .help = "file that the driver wav writes" },
    { "sound.volume", INT(sound.volume, 0, 100), .def = "75",
      .help = "volume at the very first start; later the last one is kept" },
    { "sound.delay-ms", INT(sound.delay_ms, -500, 500), .def = "0",
      .help = "ms; above 0 when the sound reaches the speakers later than the driver knows" },
    { "decode.threads", INT(decode.threads, 0, 16), .def = "0",
      .help = "decoder threads of a deck; 0: one per processor core" },
    { "decode.deinterlace", BOOL(decode.deinterlace), .def = "yes",
      .help = "deinterlace interlaced video" },
    { "decode.hardware", CHOICE(decode.hardware, "auto off"), .def = "auto",
      .help = "auto: the board's decoder, where it has one and needs it; off: software" },
    { "backend.kind", CHOICE(backend.kind, "hub appwrite none"), .def = "hub",
      .help =
          "whose queue is played: the hub's of this house, an Appwrite server's, or only our own" },
    { "backend.endpoint", TEXT(backend.endpoint), .def = "",
      .help = "the Appwrite server's address, https://HOST/v1; sign in with `djamms pair`" },
    { "backend.project", TEXT(backend.project), .def = "", .help = "project id on that server" },
    { "backend.database", TEXT(backend.database), .def = "", .help = "database id on that server" },
    { "backend.venue", TEXT(backend.venue), .def = "",
      .help = "id of the venue this box plays in, on that server" },
    { "backend.registry", TEXT(backend.registry), .def = "player-registry",
      .help = "id of the function there that says which box of a venue plays" },
    { "backend.ca-file", TEXT(backend.ca_file), .def = "",
      .help =
          "PEM file of the authority that signed the server's certificate; empty: the usual ones" },
    { "hub.enabled", BOOL(hub.enabled), .def = "yes",
      .help = "start the hub, the backend of this house, with `djamms up`" },
    { "hub.listen", OPTION_LISTEN, AT(hub.listen), .def = "localhost",
      .help = "where the hub listens; localhost: this box only; lan: all networks it is in" },
    { "hub.port", INT(hub.port, 0, 65535), .def = "8777",
      .help = "TCP port of the hub; a free one when it is taken; 0: any free one" },
    { "hub.data", TEXT(hub.data), .def = "",
      .help = "folder of the hub's database; empty: hub below the state folder" },
    { "hub.project", TEXT(hub.project), .def = "djamms", .help = "the hub's Appwrite project id" },
    { "hub.database", TEXT(hub.database), .def = "djamms",
      .help = "the hub's Appwrite database id" },
    { "hub.venue", TEXT(hub.venue), .def = "venue-001", .help = "the id of the hub's venue" },
    { "hub.certificate", TEXT(hub.certificate), .def = "",
      .help = "PEM file with the certificate for https; empty: plain http", .is_credential = true },
    { "hub.key", TEXT(hub.key), .def = "", .help = "PEM file with the certificate's private key",
      .is_credential = true },
    { "hub.origins", TEXT(hub.origins), .def = "",
      .help = "hosts of web pages that may use the hub, blank between; *.bar.example: all below" },
    { "hub.encode-arrays", BOOL(hub.encode_arrays), .def = "no",
      .help = "take arrays for JSON attributes, as an old admin page sends them, as their text" },
    { "metrics.file", TEXT(metrics.file), .def = "",
      .help = "file that gets the figures of the jukebox every 15 s, for Prometheus; empty: none" },
};

size_t option_count(void)
{
    return ARRAY_LEN(options);
}

const struct option *option_at(size_t i)
{
    return &options[i];
}

const struct option *option_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    }
    return NULL;
}

size_t option_section_len(const struct option *o)
{
    return strcspn(o->name, ".");
}

const char *option_key(const struct option *o)
{
    return o->name + option_section_len(o) + 1;
}

static void *field_of(struct config *c, size_t offset)
{
    return (char *)c + offset;
}

static const void *const_field_of(const struct config *c, size_t offset)
{
    return (const char *)c + offset;
}

static bool parse_bool(const char *value, bool *out)
{
    static const char *const words[][2] = {
        { "no", "yes" },
        { "off", "on" },
        { "false", "true" },
        { "0", "1" },
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        for (int v = 0; v < 2; v++) {
            if (strcasecmp(value, words[i][v]) == 0) {
                *out = v;
                return true;
            }
        }
    }
    return false;
}

/* A whole number up to `stop`, which is where it ends. */
static bool parse_int(const char *value, int min, int max, const char **stop, int *out)
{
    if (!isdigit((unsigned char)*value) && *value != '-' && *value != '+')
        return false;
    char *end;
    errno = 0;
    long n = strtol(value, &end, 10);
    if (end == value || errno || n < min || n > max)
        return false;
    *stop = end;
    *out = (int)n;
    return true;
}

static bool parse_size(const char *value, int *width, int *height)
{
    const char *p;
    int w, h;
    if (!parse_int(value, SIZE_MIN, WIDTH_MAX, &p, &w) || (*p != 'x' && *p != 'X'))
        return false;
    if (!parse_int(p + 1, SIZE_MIN, HEIGHT_MAX, &p, &h) || *p)
        return false;
    *width = w;
    *height = h;
    return true;
}

/* Index of `value` in the blank-separated words, or -1. */
static int choice_index(const char *choices, const char *value)
{
    size_t len = strlen(value);
    int i = 0;
    for (const char *p = choices; *p; i++) {
        size_t word = strcspn(p, " ");
        if (word == len && strncasecmp(p, value, len) == 0)
            return i;
        p += word + (p[word] == ' ');
    }
    return -1;
}

static const char *choice_at(const char *choices, int index, size_t *len)
{
    const char *p = choices;
    for (int i = 0; i < index && *p; i++) {
        p += strcspn(p, " ");
        p += *p == ' ';
    }
    *len = strcspn(p, " ");
    return p;
}

static bool is_one_line(const char *value)
{
    return strlen(value) <= OPTION_TEXT_MAX && !strpbrk(value, "\n\r");
}

static void replace(char **field, char *value)
{
    free(*field);
    *field = value;
}

bool option_set(const struct option *o, struct config *c, const char *value)
{
    void *field = field_of(c, o->offset);
    const char *end;
    size_t len;
    int n;
    switch (o->type) {
    case OPTION_BOOL: return parse_bool(value, field);
    case OPTION_INT:
        if (!parse_int(value, o->min, o->max, &end, &n) || *end)
            return false;
        *(int *)field = n;
        return true;
    case OPTION_SIZE: return parse_size(value, field, field_of(c, o->offset2));
    case OPTION_LEVEL:
    case OPTION_CHOICE:
        n = choice_index(o->choices, value);
        if (n < 0)
            return false;
        if (o->type == OPTION_LEVEL) {
            *(int *)field = n;
        } else {
            const char *word = choice_at(o->choices, n, &len);
            replace(field, xstrndup(word, len));
        }
        return true;
    case OPTION_LISTEN:
    case OPTION_MODE:
    case OPTION_TEXT:
    case OPTION_PATHS:
        if (!is_one_line(value) ||
            (o->type == OPTION_LISTEN && !listen_parse(value, 0, &(struct listen_address){ 0 })) ||
            (o->type == OPTION_MODE && !screen_mode_parse(value, &(struct screen_mode){ 0 })))
            return false;
        replace(field, xstrdup(value));
        return true;
    }
    return false;
}

const char *option_value(const struct option *o, const struct config *c, char *out, size_t size)
{
    const void *field = const_field_of(c, o->offset);
    size_t len;
    switch (o->type) {
    case OPTION_BOOL: snprintf(out, size, "%s", *(const bool *)field ? "yes" : "no"); break;
    case OPTION_INT: snprintf(out, size, "%d", *(const int *)field); break;
    case OPTION_SIZE:
        snprintf(out, size, "%dx%d", *(const int *)field,
                 *(const int *)const_field_of(c, o->offset2));
        break;
    case OPTION_LEVEL: {
        const char *word = choice_at(o->choices, *(const int *)field, &len);
        snprintf(out, size, "%.*s", (int)len, word);
        break;
    }
    case OPTION_CHOICE:
    case OPTION_LISTEN:
    case OPTION_MODE:
    case OPTION_TEXT:
    case OPTION_PATHS: snprintf(out, size, "%s", *(char *const *)field); break;
    }
    return out;
}

static void write_choices(const char *choices, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "one of ");
    for (const char *p = choices; *p && n + 3 < size;) {
        size_t len = strcspn(p, " ");
        bool is_last = !p[len];
        n += (size_t)snprintf(out + n, size - n, "%.*s%s", (int)len, p, is_last ? "" : ", ");
        p += len + !is_last;
    }
}

const char *option_allowed(const struct option *o, char *out, size_t size)
{
    switch (o->type) {
    case OPTION_BOOL: snprintf(out, size, "yes or no"); break;
    case OPTION_INT: snprintf(out, size, "a whole number from %d to %d", o->min, o->max); break;
    case OPTION_SIZE:
        snprintf(out, size, "WIDTHxHEIGHT, from %dx%d to %dx%d", SIZE_MIN, SIZE_MIN, WIDTH_MAX,
                 HEIGHT_MAX);
        break;
    case OPTION_LEVEL:
    case OPTION_CHOICE: write_choices(o->choices, out, size); break;
    case OPTION_TEXT:
        snprintf(out, size, "one line of text, up to %d bytes", OPTION_TEXT_MAX);
        break;
    case OPTION_LISTEN:
        snprintf(out, size, "localhost, lan or a numeric address, with or without :PORT");
        break;
    case OPTION_MODE:
        snprintf(out, size, "auto, WIDTHxHEIGHT or WIDTHxHEIGHT@HZ, as 1920x1080@50");
        break;
    case OPTION_PATHS:
        snprintf(out, size, "folders with ':' between two, up to %d bytes", OPTION_TEXT_MAX);
        break;
    }
    return out;
}

const char *option_env_name(const struct option *o, char *out, size_t size)
{
    snprintf(out, size, "DJAMMS_%s", o->name);
    for (char *p = out; *p; p++)
        *p = *p == '.' || *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    return out;
}
