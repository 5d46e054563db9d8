#include "cli/local_time.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* `fraction` gets what stands behind the seconds: "" or ".250". */
static bool to_local(const char *utc, struct tm *local, char fraction[16])
{
    struct tm tm = { 0 };
    int used = 0;
    if (sscanf(utc, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &used) != 6)
        return false;
    size_t len = strspn(utc + used, ".0123456789");
    if (len >= 16 || strcmp(utc + used + len, "Z") != 0)
        return false;
    snprintf(fraction, 16, "%.*s", (int)len, utc + used);
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    time_t seconds = timegm(&tm);
    tzset();
    return localtime_r(&seconds, local) != NULL;
}

const char *local_time_text(char *out, size_t size, const char *utc)
{
    struct tm tm;
    char fraction[16];
    if (!to_local(utc, &tm, fraction) || !strftime(out, size, "%Y-%m-%d %H:%M", &tm))
        snprintf(out, size, "%s", utc);
    return out;
}

const char *local_time_iso(char *out, size_t size, const char *utc)
{
    struct tm tm;
    char fraction[16], seconds[32];
    if (!to_local(utc, &tm, fraction) ||
        !strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm)) {
        snprintf(out, size, "%s", utc);
        return out;
    }
    long minutes = labs(tm.tm_gmtoff / 60);
    snprintf(out, size, "%s%s%c%02ld:%02ld", seconds, fraction, tm.tm_gmtoff < 0 ? '-' : '+',
             minutes / 60, minutes % 60);
    return out;
}
