#include "sync/stamp.h"

#include <stddef.h>
#include <stdio.h>

#include "base/compiler.h"

#define DAY_MS ((int64_t)86400000)

/* Days since 1970-01-01 of the Gregorian calendar (H. Hinnant's algorithm: years begin in March). */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719468;
}

static bool digits(const char **at, int count, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool number(const char **at, char before, int count, int *out)
{
    if (before && *(*at)++ != before)
        return false;
    return digits(at, count, out);
}

static int fraction_ms(const char **at)
{
    int ms = 0, weight = 100;
    if (**at != '.')
        return 0;
    for ((*at)++; **at >= '0' && **at <= '9'; (*at)++, weight /= 10)
        ms += (**at - '0') * weight;
    return ms;
}

/* Minutes east of Greenwich. */
static bool offset_min(const char *at, int *out)
{
    int hours = 0, minutes = 0, sign = *at == '-' ? -1 : 1;
    *out = 0;
    if (*at == '\0' || ((*at == 'Z' || *at == 'z') && at[1] == '\0'))
        return true;
    if (*at != '+' && *at != '-')
        return false;
    at++;
    if (!digits(&at, 2, &hours) || (*at == ':' && !*++at) || !digits(&at, 2, &minutes) || *at)
        return false;
    *out = sign * (hours * 60 + minutes);
    return true;
}

bool stamp_parse(const char *text, int64_t *ms)
{
    int year, month, day, hour, minute, second, east;
    const char *at = text;
    if (!at || !number(&at, 0, 4, &year) || !number(&at, '-', 2, &month) ||
        !number(&at, '-', 2, &day) || (*at != 'T' && *at != ' '))
        return false;
    at++;
    if (!number(&at, 0, 2, &hour) || !number(&at, ':', 2, &minute) || !number(&at, ':', 2, &second))
        return false;
    int part = fraction_ms(&at);
    if (!offset_min(at, &east) || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    int64_t minutes = (int64_t)hour * 60 + minute - east;
    *ms = days_of(year, month, day) * DAY_MS + (minutes * 60 + second) * 1000 + part;
    return true;
}

void stamp_format(int64_t ms, char out[STAMP_SIZE])
{
    ms = clamp_i64(ms, -62135596800000, 253402300799999);
    int64_t days = ms / DAY_MS - (ms % DAY_MS < 0), rest = ms - days * DAY_MS;
    int64_t shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t day_of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    int day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    month = month < 10 ? month + 3 : month - 9;
    year += era * 400 + (month <= 2);
    snprintf(out, STAMP_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)year & 16383,
             (unsigned)month & 15, (unsigned)day & 31, (unsigned)(rest / 3600000) & 31,
             (unsigned)(rest / 60000 % 60), (unsigned)(rest / 1000 % 60), (unsigned)(rest % 1000));
}
