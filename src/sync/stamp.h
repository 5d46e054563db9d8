/* Times as documents carry them: ISO 8601 <-> ms since 1970. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define STAMP_SIZE 40

/* "2025-10-16T06:05:33.410+00:00", with Z, any offset or none, any number of decimals (cut to ms). */
bool stamp_parse(const char *text, int64_t *ms); /* text may be NULL */
/* "2025-10-16T06:05:33.410Z"; years 1..9999, others are clamped. */
void stamp_format(int64_t ms, char out[STAMP_SIZE]);
