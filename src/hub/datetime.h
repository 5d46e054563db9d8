/* Points in time as Appwrite writes them: 2025-10-11T12:34:56.789+00:00. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DATETIME_TEXT_MAX 32

/* ISO 8601: a date, or date and time with blank or T, any fraction (cut to ms), Z or an offset; none means UTC. false:
 * it is none, or outside the years 0 to 9999. */
bool datetime_parse(const char *text, int64_t *ms);
/* Always 29 characters; outside those years the nearest of them. */
void datetime_text(int64_t ms, char out[DATETIME_TEXT_MAX]);
