#include "cli/machine_check.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

#define SMALL_FILE ((size_t)64 * 1024)

/* What of a folder's entries with a prefix may be used. */
struct device_count {
    int found, usable;
    char first[128]; /* name of the first found */
};

static struct device_count count_devices(const struct machine *m, const char *folder,
                                         const char *prefix, const char *suffix)
{
    struct device_count count = { 0 };
    char *path = xasprintf("%s%s", m->root, folder);
    DIR *dir = opendir(path);
    for (struct dirent *d; dir && (d = readdir(dir));) {
        size_t len = strlen(d->d_name), tail = strlen(suffix);
        if (strncmp(d->d_name, prefix, strlen(prefix)) != 0 || len < tail ||
            strcmp(d->d_name + len - tail, suffix) != 0)
            continue;
        char *device = xasprintf("%s/%s", path, d->d_name);
        if (count.found++ == 0)
            snprintf(count.first, sizeof(count.first), "%.120s", d->d_name);
        count.usable += access(device, R_OK | W_OK) == 0;
        free(device);
    }
    if (dir)
        closedir(dir);
    free(path);
    return count;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* ---- display ----------------------------------------------------------------------------------- */

static void check_x(struct findings *f, const struct machine *m)
{
    const char *number = strchr(m->x_display, ':');
    if (!number || number != m->x_display) { /* of another machine: only a connection could tell */
        finding_add(f, FINDING_OK, "display", NULL, "X display %s", m->x_display);
        return;
    }
    char *socket = xasprintf("%s/tmp/.X11-unix/X%d", m->root, atoi(number + 1));
    if (access(socket, F_OK) == 0)
        finding_add(f, FINDING_OK, "display", NULL, "X display %s", m->x_display);
    else
        finding_add(f, FINDING_PROBLEM, "display",
                    "log in to a desktop, or unset DISPLAY to use the screen directly",
                    "DISPLAY is %s, but no X server is there", m->x_display);
    free(socket);
}

static void check_wayland(struct findings *f, const struct machine *m)
{
    bool is_path = m->wayland[0] == '/';
    char *socket = xasprintf("%s%s%s%s", m->root, is_path || !m->session_dir ? "" : m->session_dir,
                             is_path ? "" : "/", m->wayland);
    if (access(socket, R_OK | W_OK) == 0)
        finding_add(f, FINDING_OK, "display", NULL, "Wayland display %s", m->wayland);
    else
        finding_add(f, FINDING_PROBLEM, "display",
                    "start it from within the desktop, as the same user",
                    "WAYLAND_DISPLAY is %s, but it cannot be reached", m->wayland);
    free(socket);
}

/* The names of connectors with a screen, as "HDMI-A-1, HDMI-A-2". Returns how many. */
static int list_connected(const struct machine *m, char *out, size_t size)
{
    int count = 0;
    size_t n = 0;
    char *path = xasprintf("%s/sys/class/drm", m->root);
    DIR *dir = opendir(path);
    out[0] = '\0';
    for (struct dirent *d; dir && (d = readdir(dir));) {
        const char *connector = strchr(d->d_name, '-');
        if (!starts_with(d->d_name, "card") || !connector)
            continue;
        char *status = xasprintf("%s/%s/status", path, d->d_name), *text = NULL;
        if (file_read(status, SMALL_FILE, &text, NULL) == 0 && starts_with(text, "connected")) {
            if (n < size)
                n += (size_t)snprintf(out + n, size - n, "%s%s", count ? ", " : "", connector + 1);
            count++;
        }
        free(text);
        free(status);
    }
    if (dir)
        closedir(dir);
    free(path);
    return count;
}

static void check_screen(struct findings *f, const struct machine *m)
{
    char connected[160];
    struct device_count cards = count_devices(m, "/dev/dri", "card", "");
    if (!cards.found) {
        finding_add(
            f, FINDING_WARNING, "display",
            "connect a screen or start it in a desktop; off-screen, `djamms screenshot FILE` "
            "shows what plays",
            "no desktop and no graphics card: it would play off-screen");
        return;
    }
    if (!cards.usable) {
        finding_add(f, FINDING_PROBLEM, "display",
                    "sudo usermod -aG video $USER, then log in again",
                    "there is no permission to use /dev/dri/%s", cards.first);
        return;
    }
    if (list_connected(m, connected, sizeof(connected)))
        finding_add(f, FINDING_OK, "display", NULL, "screens without a desktop: %s", connected);
    else
        finding_add(f, FINDING_WARNING, "display", "check the cable and that the screen is on",
                    "no screen is connected to /dev/dri/%s", cards.first);
}

void check_display(struct findings *f, const struct machine *m)
{
    if (m->wayland && *m->wayland)
        check_wayland(f, m);
    else if (m->x_display && *m->x_display)
        check_x(f, m);
    else
        check_screen(f, m);
}

/* ---- sound ------------------------------------------------------------------------------------- */

static bool has_sound_server(const struct machine *m, const char **name)
{
    static const char *const servers[][2] = { { "pipewire-0", "PipeWire" },
                                              { "pulse/native", "PulseAudio" } };
    for (size_t i = 0; m->session_dir && i < ARRAY_LEN(servers); i++) {
        char *path = xasprintf("%s%s/%s", m->root, m->session_dir, servers[i][0]);
        bool is_there = access(path, R_OK | W_OK) == 0;
        free(path);
        if (is_there) {
            *name = servers[i][1];
            return true;
        }
    }
    return false;
}

/* "0 [PCH   ]: HDA-Intel - HDA Intel PCH": what follows the dash. false: no card at all. */
static bool first_card(const struct machine *m, char *out, size_t size)
{
    char *path = xasprintf("%s/proc/asound/cards", m->root), *text = NULL;
    bool is_found = false;
    if (file_read(path, SMALL_FILE, &text, NULL) == 0) {
        const char *dash = strstr(text, " - ");
        is_found = dash && strchr(text, '[');
        if (is_found)
            snprintf(out, size, "%.*s", (int)strcspn(dash + 3, "\n"), dash + 3);
    }
    free(text);
    free(path);
    return is_found;
}

void check_sound(struct findings *f, const struct machine *m)
{
    char card[128] = "";
    const char *server = NULL;
    if (has_sound_server(m, &server)) {
        finding_add(f, FINDING_OK, "sound", NULL, "%s runs", server);
        return;
    }
    struct device_count outputs = count_devices(m, "/dev/snd", "pcm", "p");
    if (!first_card(m, card, sizeof(card)) || !outputs.found)
        finding_add(
            f, FINDING_WARNING, "sound",
            "connect a sound device, or start PipeWire; without one the music plays unheard",
            "there is no sound device");
    else if (!outputs.usable)
        finding_add(f, FINDING_PROBLEM, "sound", "sudo usermod -aG audio $USER, then log in again",
                    "there is no permission to use %s", card);
    else
        finding_add(f, FINDING_OK, "sound", NULL, "%s", card);
}

/* ---- inputs and memory ------------------------------------------------------------------------- */

void check_inputs(struct findings *f, const struct machine *m)
{
    if ((m->wayland && *m->wayland) || (m->x_display && *m->x_display)) {
        finding_add(f, FINDING_OK, "inputs", NULL, "keys come from the desktop");
        return;
    }
    struct device_count events = count_devices(m, "/dev/input", "event", "");
    if (!events.found)
        finding_add(f, FINDING_WARNING, "inputs",
                    "connect a keyboard, remote or gamepad; the command line works without",
                    "there is no input device");
    else if (!events.usable)
        finding_add(f, FINDING_WARNING, "inputs", "sudo usermod -aG input $USER, then log in again",
                    "there is no permission to use /dev/input/%s", events.first);
    else
        finding_add(f, FINDING_OK, "inputs", NULL, "%d of %d devices can be used", events.usable,
                    events.found);
}

void check_memory(struct findings *f, const struct machine *m)
{
    char *path = xasprintf("%s/proc/meminfo", m->root), *text = NULL;
    long kib = -1;
    if (file_read(path, SMALL_FILE, &text, NULL) == 0) {
        const char *line = strstr(text, "MemAvailable:");
        if (line)
            kib = strtol(line + strlen("MemAvailable:"), NULL, 10);
    }
    free(text);
    free(path);
    if (kib < 0)
        finding_add(f, FINDING_WARNING, "memory", NULL, "how much is free cannot be read");
    else
        finding_add(f,
                    kib < 128 * 1024   ? FINDING_PROBLEM
                    : kib < 384 * 1024 ? FINDING_WARNING
                                       : FINDING_OK,
                    "memory", kib < 384 * 1024 ? "end other programs" : NULL, "%ld MiB are free",
                    kib / 1024);
}

void check_time(struct findings *f, int clock)
{
    if (clock < 0)
        finding_add(f, FINDING_OK, "time", NULL, "whether the clock is set is not known here");
    else if (clock == TIME_ERROR)
        finding_add(f, FINDING_WARNING, "time",
                    "sudo timedatectl set-ntp true, or connect the network",
                    "the clock is not set by the network: times in lists and logs may be wrong");
    else
        finding_add(f, FINDING_OK, "time", NULL, "the clock is set by the network");
}
