/* Looks at the jukebox as a service of systemd, by what `systemctl show` says. */
#pragma once

#include <stdbool.h>

#include "cli/finding.h"
#include "cli/machine_check.h"

#define SERVICE_PROPERTIES "--property=Id,LoadState,ActiveState,UnitFileState,Result,NRestarts"

/* The units that `systemctl show` is to be asked for; NULL at the end. */
extern const char *const service_units[];

/* `shown`: a block for each of them, with an empty line between. Returns whether the jukebox is to start with the machine. */
bool service_check(struct findings *f, const char *shown);
/* The hardware watchdog of the machine. `shown`: RuntimeWatchdogUSec of systemd itself. `is_service`: as above. */
void watchdog_check(struct findings *f, const struct machine *m, const char *shown,
                    bool is_service);
