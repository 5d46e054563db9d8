/* Looks at the jukebox that runs, by its answer to `status`. */
#pragma once

#include "cli/finding.h"
#include "wire/message.h"

void jukebox_check(struct findings *f, const struct message *status);
