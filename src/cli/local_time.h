/* Times of the control protocol (ISO, UTC) in the time zone of this machine. */
#pragma once

#include <stddef.h>

/* "2026-08-14T22:15:03.250Z" as "2026-08-15 00:15", for people, or as "2026-08-15T00:15:03.250+02:00". Text of
 * another form is copied. Returns `out`. */
const char *local_time_text(char *out, size_t size, const char *utc);
const char *local_time_iso(char *out, size_t size, const char *utc);
