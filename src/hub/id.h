/* Ids of documents, users and sessions. */
#pragma once

#include <stdbool.h>

#include "hub/caller.h"

bool id_is_legal(const char *id);       /* 1..36 of [A-Za-z0-9._-], the first a letter or digit */
void id_make(char out[HUB_ID_MAX + 1]); /* 20 random hex digits */
