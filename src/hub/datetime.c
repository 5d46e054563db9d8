#include "hub/datetime.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

#define DAY_MS   ((int64_t)24 * 3600 * 1000)
#define FIRST_MS ((int64_t)-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define LAST_MS  ((int64_t)253402300799999) /* 9999-12-31T23:59:59.999Z */

/* Days since 1970-01-01 in the Gregorian calendar, also before it began (ISO 8601's proleptic one). */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153; /* months from March on */
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

/* Exactly `count` digits. */
static bool take_digits(const char **at, int count, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool take(const char **at, const char *any_of)
{
    if (!**at || !strchr(any_of, **at))
        return false;
    (*at)++;
    return true;
}

static bool take_date(const char **at, int64_t *days)
{
    static const int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year, month, day;
    if (!take_digits(at, 4, &year) || !take(at, "-") || !take_digits(at, 2, &month) ||
        !take(at, "-") || !take_digits(at, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1])
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month == 2 && day == 29 && !is_leap)
        return false;
    *days = days_of(year, month, day);
    return true;
}

static bool take_time(const char **at, int64_t *ms)
{
    int hour, minute, second = 0, fraction_ms = 0;
    if (!take_digits(at, 2, &hour) || !take(at, ":") || !take_digits(at, 2, &minute))
        return false;
    if (take(at, ":")) {
        if (!take_digits(at, 2, &second))
            return false;
        if (take(at, ".,")) {
            int digit, unit = 100;
            if (!take_digits(at, 1, &digit))
                return false;
            do {
                fraction_ms += digit * unit;
                unit /= 10;
            } while (**at >= '0' && **at <= '9' && take_digits(at, 1, &digit));
        }
    }
    *ms = ((hour * 60 + minute) * 60 + second) * (int64_t)1000 + fraction_ms;
    return hour < 24 && minute < 60 && second < 60;
}

/* Z, +HH:MM, +HHMM, +HH or nothing. */
static bool take_offset(const char **at, int64_t *ms)
{
    *ms = 0;
    if (!**at || take(at, "Zz"))
        return true;
    int sign = **at == '-' ? -1 : 1, hours, minutes = 0;
    if (!take(at, "+-") || !take_digits(at, 2, &hours))
        return false;
    bool has_colon = take(at, ":");
    if ((has_colon || **at) && !take_digits(at, 2, &minutes))
        return false;
    *ms = sign * (hours * 60 + minutes) * (int64_t)60000;
    return hours < 24 && minutes < 60;
}

bool datetime_parse(const char *text, int64_t *ms)
{
    int64_t days, time = 0, offset = 0;
    if (!take_date(&text, &days))
        return false;
    if (take(&text, "Tt ") && (!take_time(&text, &time) || !take_offset(&text, &offset)))
        return false;
    int64_t value = days * DAY_MS + time - offset;
    if (*text || value < FIRST_MS || value > LAST_MS)
        return false;
    *ms = value;
    return true;
}

void datetime_text(int64_t ms, char out[DATETIME_TEXT_MAX])
{
    ms = clamp_i64(ms, FIRST_MS, LAST_MS);
    int64_t days = (ms - FIRST_MS) / DAY_MS + FIRST_MS / DAY_MS;
    int rest = (int)(ms - days * DAY_MS), year, month, day;
    date_of(days, &year, &month, &day);
    unsigned y = (unsigned)year % 10000, mo = (unsigned)month % 100, d = (unsigned)day % 100;
    unsigned s = (unsigned)rest / 1000;
    snprintf(out, DATETIME_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03u+00:00", y, mo, d,
             s / 3600 % 24, s / 60 % 60, s % 60, (unsigned)rest % 1000);
}
