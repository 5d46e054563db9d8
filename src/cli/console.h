/* The virtual console that the jukebox was started on. While the stage drives the displays itself, nothing of it is
 * seen and no key reaches it. A small process of our own, the keeper, gives it back, however this one ends. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct console { /* all zero: there is none */
    pid_t keeper;
    int keeper_fd; /* the keeper waits until this is closed */
    int tty;
    bool is_muted;
    int display_mode, keyboard_mode; /* as they were */
};

/* Remembers how the console of this process is and starts the keeper; before anybody else changes it. 0; -ENOTTY: it
 * has none; else -errno. */
int console_open(struct console *c);
/* Gives it back as it was. Fine when there is none, as the next. */
void console_close(struct console *c);
/* The keyboard stays with the console where the stage could read none: else nobody could end the jukebox. */
void console_mute(struct console *c, bool is_muted);
