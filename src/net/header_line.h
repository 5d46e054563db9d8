/* One header of a request, as "Name: value". Pure. */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"

/* A name of RFC 9110 tokens, a colon, and a value without control characters: what cannot smuggle another header in.
 * *value (may be NULL) is where the value begins. */
WARN_UNUSED bool header_line_check(const char *line, const char **value);
