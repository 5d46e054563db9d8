/* A track object of the control protocol as text for people. */
#pragma once

#include <stddef.h>

#include "wire/message.h"

#define TRACK_LINE_MAX 512

/* "Artist - Title", the title alone, or the id. Returns `out`. */
const char *track_line(char *out, size_t size, const struct message *track);
