/* Which of ALSA's devices to play on. The sound of each HDMI port of a board is a card of its own that takes one
 * program at a time, and their numbers change from start to start: so they are known by their names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SOUND_CARDS_MAX   8
#define SOUND_NAME_MAX    256
#define SOUND_CHOICES_MAX (SOUND_CARDS_MAX + 1)

enum sound_port { SOUND_ANALOGUE, SOUND_HDMI, SOUND_USB };

/* Whether something that plays sound is at the other end. */
enum sound_sink { SOUND_SINK_UNKNOWN, SOUND_SINK_THERE, SOUND_SINK_AWAY };

struct sound_card {
    char id[16]; /* ALSA's name of it, "vc4hdmi0" */
    enum sound_port port;
    int connector; /* of an HDMI port: 1 is HDMI-A-1; else 0 */
    enum sound_sink sink;
};

/* Names of PCMs, the best first. */
struct sound_choice {
    struct sound_name {
        char text[SOUND_NAME_MAX];
        bool is_server; /* good only where it leads to a sound server */
    } name[SOUND_CHOICES_MAX];
    size_t count;
};

/* The cards of this machine, in ALSA's order; returns how many. What an HDMI port says of its sink is asked, else the state of its
 * connector below `drm_dir` ("/sys/class/drm"). */
size_t sound_cards_read(struct sound_card out[SOUND_CARDS_MAX], const char *drm_dir);

/* What to try. `wanted`: "" is the HDMI port of the first connector with a television that plays sound, else
 * the analogue jack, else USB; on a machine that has no such ports, ALSA's default. "HDMI-A-1" and so on, "hdmi",
 * "analogue", "usb": only those. Anything else is a PCM's name. Pure. */
void sound_choose(const struct sound_card *cards, size_t count, const char *wanted,
                  struct sound_choice *out);
/* Whether `now` has something better than `used`, which `then` led to; what was there already and could not be used
 * is not better. Pure. */
bool sound_choice_beats(const struct sound_choice *now, const struct sound_choice *then,
                        const char *used);
