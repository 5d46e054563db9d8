#include "config/screen_mode.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#define SIDE_MIN    64
#define WIDTH_MAX   7680
#define HEIGHT_MAX  4320
#define REFRESH_MIN 10
#define REFRESH_MAX 500

/* Takes digits off *text. */
static bool take_number(const char **text, int min, int max, int *out)
{
    if (!isdigit((unsigned char)**text))
        return false;
    char *end;
    long n = strtol(*text, &end, 10);
    *text = end;
    *out = (int)n;
    return n >= min && n <= max;
}

static bool take_refresh(const char **text, int *mhz)
{
    int hz, unit = 100;
    if (!take_number(text, REFRESH_MIN, REFRESH_MAX, &hz))
        return false;
    *mhz = hz * 1000;
    if (**text != '.')
        return true;
    for (++*text; isdigit((unsigned char)**text) && unit > 0; ++*text, unit /= 10)
        *mhz += (**text - '0') * unit;
    return unit < 100;
}

bool screen_mode_parse(const char *text, struct screen_mode *out)
{
    struct screen_mode m = { 0 };
    *out = m;
    if (strcasecmp(text, "auto") == 0)
        return true;
    if (!take_number(&text, SIDE_MIN, WIDTH_MAX, &m.width) || (*text != 'x' && *text != 'X'))
        return false;
    text++;
    if (!take_number(&text, SIDE_MIN, HEIGHT_MAX, &m.height))
        return false;
    if (*text == '@' && (text++, !take_refresh(&text, &m.refresh_mhz)))
        return false;
    if (*text)
        return false;
    *out = m;
    return true;
}
