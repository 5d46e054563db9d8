/* Looks at what this machine has: read only, nothing is opened for use. Blocks on disk. */
#pragma once

#include "cli/finding.h"

struct machine {
    const char *root;        /* before /proc, /dev, /sys: "" but in tests */
    const char *x_display;   /* $DISPLAY; NULL: none */
    const char *wayland;     /* $WAYLAND_DISPLAY; NULL: none */
    const char *session_dir; /* $XDG_RUNTIME_DIR; NULL: none */
};

void check_display(struct findings *f, const struct machine *m);
void check_sound(struct findings *f, const struct machine *m);
void check_inputs(struct findings *f, const struct machine *m);
void check_memory(struct findings *f, const struct machine *m);
/* `clock`: what adjtimex(2) returned for the machine's clock; < 0: it does not say. */
void check_time(struct findings *f, int clock);
