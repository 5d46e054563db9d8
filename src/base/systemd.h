/* libsystemd, loaded where systemd started the program: elsewhere nothing needs it. */
#pragma once

#include <stdbool.h>

#define SYSTEMD_LIBRARY "libsystemd.so.0" /* its interface since 2014 */

/* Puts the function of that name where `out` (a pointer to a pointer to such a function) points; NULL: it is not here. The
 * library stays loaded. */
void systemd_function(void *out, const char *name);

/* Whether systemd runs this machine, as sd_booted(3) has it. */
bool systemd_runs(void);
