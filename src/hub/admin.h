/* The commands of djamms-hub that work on a data folder, whether a hub runs there or not: user, key, claim,
 * backup, restore, import. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* Whether `word` is one of them; NULL is none. main() then leaves the rest to admin_run(). */
bool admin_is_command(const char *word);
/* argv as main() got it, argv[1] the command. Returns the exit status: 0 done, 1 failed, 2 wrong usage. Blocks on
 * disk and network. Passwords and keys come from files or standard input only. */
int admin_run(int argc, char **argv);
/* The same with other streams. */
int admin_run_on(int argc, char **argv, FILE *in, FILE *out, FILE *err);
/* The usage of all of them, a line each, for --help. */
extern const char admin_usage[];
