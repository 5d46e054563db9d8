/* The settings of a zone: one table of options, one typed struct. Sources, later ones win: defaults,
 * credentials, the INI file, environment ($DJAMMS_SECTION_KEY, upper case, '-' as '_'), command line (--set
 * section.key=value). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/log.h"

/* Strings are owned by the config and never NULL. */
struct config {
    struct {
        int level; /* log.level: error warning info debug trace */
    } log;
    struct {
        char *paths; /* library.paths: folders with media, ':' between */
        bool
            removable; /* library.removable: no. What is mounted below /media and /run/media, too */
    } library;
    struct {
        char *dir;      /* cache.dir: "" (path_cache_dir()) */
        int size;       /* cache.size: MB, 20000; 0: as much as the disk has */
        int free_floor; /* cache.free-floor: MB, 2000 */
    } cache;
    struct {
        char *profile;    /* fetch.profile: auto pi3 pi4 pi5 desktop */
        int max_minutes;  /* fetch.max-minutes: of what guests ask for, 20; 0: any */
        int max_mb;       /* fetch.max-mb: 2000; 0: any */
        int live_minutes; /* fetch.live-minutes: of what staff adds, 0: no live streams */
        char *extractors; /* fetch.extractors: "default" (all), else names of yt-dlp's, with ',' */
        char *yt_dlp;     /* fetch.yt-dlp: "" (the system's), folder or zip with its module */
        char *js_runtime; /* fetch.js-runtime: "" (those there are), NAME[:PATH] */
    } fetch;
    struct {
        char *channel;    /* extractor.channel: "" (yt-dlp is not updated), address of an offer */
        int check_hours;  /* extractor.check-hours: 12; 0: only by hand */
        char *key_file;   /* extractor.key-file: "", PEM file */
        char *test_items; /* extractor.test-items: "", addresses, blank between */
    } extractor;
    struct {
        bool enabled;        /* youtube.enabled: no */
        bool fetch_solver;   /* youtube.fetch-solver: no. yt-dlp may get its solver from github */
        char *player_client; /* youtube.player-client: "" */
        char *cookies;       /* youtube.cookies: "", file */
    } youtube;
    struct {
        bool loop;        /* queue.loop: yes. Finished main tracks go to the tail */
        bool autostart;   /* queue.autostart: yes */
        bool exit_at_end; /* queue.exit-at-end: no. The player ends when nothing is left */
    } queue;
    struct {
        char *driver;      /* display.driver: auto x11 wayland kmsdrm offscreen dummy */
        char *renderer;    /* display.renderer: auto software opengl opengles2 */
        bool fullscreen;   /* display.fullscreen: yes */
        int width, height; /* display.size: 1280x720; windows only. 64..7680 x 64..4320 */
        char *mode;        /* display.mode: auto, WIDTHxHEIGHT[@HZ]; kmsdrm only */
        int outputs;       /* display.outputs: 0 (one per display) .. 8 */
        bool overlay;      /* display.overlay: yes */
    } display;
    struct {
        bool show;       /* subtitles.show: no; at the very first start */
        char *languages; /* subtitles.languages: "en"; comma between, best first */
    } subtitles;
    struct {
        char *driver;   /* sound.driver: auto alsa sdl null wav */
        char *device;   /* sound.device: "" (the driver's default) */
        char *wav_file; /* sound.wav-file: path for driver wav */
        int volume;     /* sound.volume: 0..100, default 75; at the very first start */
        int delay_ms;   /* sound.delay-ms: -500..500, default 0: > 0 when the sound arrives later
                                   at the speakers than the driver knows */
    } sound;
    struct {
        int threads;      /* decode.threads: 0 (one per core) .. 16 */
        bool deinterlace; /* decode.deinterlace: yes */
        char *hardware;   /* decode.hardware: auto off */
    } decode;
    struct {
        char *kind;     /* backend.kind: hub (the zone's own), appwrite, none */
        char *endpoint; /* backend.endpoint: "http(s)://host[:port]/v1" of kind appwrite */
        char *project;  /* backend.project: "" */
        char *database; /* backend.database: "" */
        char *venue;    /* backend.venue: "" */
        char *registry; /* backend.registry: player-registry */
        char *ca_file;  /* backend.ca-file: "", PEM file of an own authority */
    } backend;
    struct {
        bool enabled;       /* hub.enabled: yes. `djamms up` starts djamms-hub */
        char *listen;       /* hub.listen: localhost, lan, ADDR or ADDR:PORT */
        int port;           /* hub.port: 8777, or a free one when that is taken; 0: a free one */
        char *data;         /* hub.data: "" (hub below the state folder) */
        char *project;      /* hub.project: djamms */
        char *database;     /* hub.database: djamms */
        char *venue;        /* hub.venue: venue-001 */
        char *certificate;  /* hub.certificate: "" (plain http), PEM file */
        char *key;          /* hub.key: "", PEM file */
        char *origins;      /* hub.origins: "", hosts of web pages, blank between */
        bool encode_arrays; /* hub.encode-arrays: no */
    } hub;
    struct {
        char *file; /* metrics.file: "" (none is written) */
    } metrics;
};

struct config_error {
    char text[512]; /* one sentence: file, line, key, what is wrong, what is allowed */
};

void config_init(struct config *c); /* defaults */
void config_finish(struct config *c);
/* One setting by its full name "section.key". 0, or -EINVAL / -ENOENT with err->text. */
WARN_UNUSED int config_set(struct config *c, const char *name, const char *value,
                           struct config_error *err);
/* Reads an INI file; the first error ends it with file and line. A missing file is -ENOENT. */
WARN_UNUSED int config_read_file(struct config *c, const char *path, struct config_error *err);
/* Reads all of an INI file and returns how many mistakes it has; the first `max` (> 0) of them are in err[],
 * in the order of their lines. A file that cannot be read is one mistake. */
WARN_UNUSED size_t config_check_file(const char *path, struct config_error *err, size_t max);
/* A file of $CREDENTIALS_DIRECTORY (systemd) that has the name of a setting which is to name such a file ("hub.key") is
 * the one that the setting names. */
void config_read_credentials(struct config *c);
WARN_UNUSED int config_read_environment(struct config *c, struct config_error *err);
/* What every program of ours does first: defaults, credentials, file (path_config_file() unless --config names one,
 * which must then exist), environment, then --set of argv, which are taken out of argv (also --config FILE).
 * `argc` and `argv` keep the rest, in order. 0 or -errno with err->text. `c` is initialised in any case. */
WARN_UNUSED int config_load(struct config *c, int *argc, char **argv, struct config_error *err);
/* The same for a program that reads its arguments itself. `file` may be NULL: path_config_file(). */
WARN_UNUSED int config_load_from(struct config *c, const char *file, const char *const *sets,
                                 size_t set_count, struct config_error *err);
/* A commented INI with every option at its default. */
void config_write_example(FILE *out);
/* One option per line: name, values, default, help; for --help and the man page. */
void config_write_help(FILE *out);
