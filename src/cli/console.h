/* The virtual console that the jukebox was started on, while it drives the displays itself: nothing of it is seen, and
 * no key reaches it. A small process of our own gives it back, however this one ends. */
#pragma once

#include <sys/types.h>

struct console {   /* all zero: nothing is muted */
    pid_t keeper;  /* 0: none */
    int keeper_fd; /* it waits until this is closed */
};

/* Mutes the console that this process belongs to. 0; -ENOTTY: it belongs to none; -EACCES: no keyboard could be
 * read by the stage, so that nobody could end the jukebox any more; else -errno. Before threads are started. */
int console_mute(struct console *c);
/* Gives it back as it was. Fine when nothing was muted. */
void console_release(struct console *c);
