/* How people name an entry: its id, its key (16 hex digits), main:INDEX, requests:INDEX, a video id. */
#pragma once

#include "model/queue.h"

bool entry_find_by_name(const struct queue *q, const char *name, struct entry_place *out);
