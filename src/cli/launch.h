/* Starting the programs of a zone: what `up` and `play` have in common. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/supervisor.h"
#include "cli/walk.h"
#include "shm/segment.h"

/* Settings of the zone. The strings are borrowed, but for `owned`. */
struct launch {
    const char *runtime_dir, *state_dir;
    const char *config_file; /* NULL: the usual one */
    const char **set;        /* "section.key=value" */
    size_t set_count;
    bool has_hub; /* the hub is started, too; as a wish before the settings are read */
    char *owned[2];
    bool exits_at_end; /* the player, by itself: then its exit is no death, whatever its status */
    struct console console;
    struct segment control; /* of launch_start(): where the programs give their signs of life */
};

void launch_finish(struct launch *l); /* after the supervisor is destroyed */

/* Finds the media that the words of the command line name. Prints a sentence for each word that is bad.
 * Returns how many were bad. */
size_t launch_find_media(struct cli *cli, struct walk *w);

/* Turns --window, --fullscreen, --size, --outputs and --set into settings and reads all of them once, so
 * that a mistake is told here and not by all programs. `first` (NULL at its end) come before them.
 * CLI_OK, or a sentence was printed. */
WARN_UNUSED int launch_read_settings(struct cli *cli, struct launch *launch,
                                     const char *const *first, bool *off_screen);

/* Whether a window system is there to open windows on. */
bool launch_has_window_system(void);

/* Where the programs are: $DJAMMS_LIBEXEC, else beside this one. The caller frees. */
char *launch_program_dir(void);

/* Starts decks, stage, player and, if wanted, the hub; as many files as fit are given to the player as
 * arguments, *given says how many. CLI_OK, or a sentence was printed. */
WARN_UNUSED int launch_start(struct cli *cli, struct launch *launch, struct supervisor *s,
                             const struct walk *files, size_t *given);
/* To be called now and then while the programs run: mutes the console while the stage drives the displays. */
void launch_look(struct launch *launch);
