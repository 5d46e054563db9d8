#include "wire/figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/message.h"

#define PREFIX "figures:"

enum course { GROWS, HIGHEST, LAST };

static const struct {
    const char *name;
    enum course course;
    /* In the answer to `status`: field of an object or of the rows of an array, or of the answer itself. */
    const char *place, *field;
    double scale;
} figures[FIGURES] = {
    [FIGURE_SONGS] = { "songs", GROWS, "played", "songs", 1 },
    [FIGURE_REQUESTS] = { "requests", GROWS, "played", "requests", 1 },
    [FIGURE_FAILED] = { "failed", GROWS, "played", "failed", 1 },
    [FIGURE_LATE] = { "late", GROWS, "outputs", "late", 1 },
    [FIGURE_UNDERRUNS] = { "underruns", GROWS, NULL, "underruns", 1 },
    [FIGURE_XRUNS] = { "xruns", GROWS, "sound", "xruns", 1 },
    [FIGURE_UNDERVOLTAGES] = { "undervoltages", GROWS, "health", "undervoltages", 1 },
    [FIGURE_THROTTLINGS] = { "throttlings", GROWS, "health", "throttlings", 1 },
    [FIGURE_HOTTEST_C] = { "hottest_c", HIGHEST, "health", "temperature_c", 1 },
    [FIGURE_STATE_FREE_MB] = { "state_free_mb", LAST, "health", "state_free", 1e-6 },
    [FIGURE_CACHE_FREE_MB] = { "cache_free_mb", LAST, "health", "cache_free", 1e-6 },
};

const char *figure_name(enum figure which)
{
    return figures[which].name;
}

void figures_init(struct figures *f)
{
    for (int i = 0; i < FIGURES; i++)
        f->at[i] = NAN;
}

/* ---- of status ---------------------------------------------------------------------------------- */

static double sum_of_rows(const struct message *status, const char *array, const char *field)
{
    double sum = 0;
    for (size_t i = 0; i < message_count(status, array); i++)
        sum += message_f64(message_object_at(status, array, i), field, 0);
    return sum;
}

void figures_of(struct figures *f, const struct message *status)
{
    for (int i = 0; i < FIGURES; i++) {
        const char *place = figures[i].place, *field = figures[i].field;
        const struct message *object = place ? message_object(status, place) : status;
        bool has_rows = place && message_kind(status, place) == MESSAGE_ARRAY;
        double value = has_rows ? sum_of_rows(status, place, field)
                       : object ? message_f64(object, field, NAN)
                                : NAN;
        f->at[i] = value * figures[i].scale;
    }
}

/* ---- as text ------------------------------------------------------------------------------------ */

const char *figures_text(const struct figures *f, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, PREFIX);
    for (int i = 0; i < FIGURES && n < size; i++)
        if (isfinite(f->at[i]))
            n += (size_t)snprintf(out + n, size - n, " %s=%.*f", figures[i].name,
                                  figures[i].course == HIGHEST, f->at[i]);
    return out;
}

static void take_word(struct figures *f, const char *word, size_t len)
{
    const char *equals = memchr(word, '=', len);
    char number[32], *end;
    if (!equals)
        return;
    snprintf(number, sizeof(number), "%.*s", (int)(len - (size_t)(equals - word) - 1), equals + 1);
    double value = strtod(number, &end);
    for (int i = 0; i < FIGURES && end != number && !*end; i++)
        if (strlen(figures[i].name) == (size_t)(equals - word) &&
            strncmp(figures[i].name, word, (size_t)(equals - word)) == 0)
            f->at[i] = value;
}

bool figures_parse(struct figures *f, const char *text)
{
    if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
        return false;
    figures_init(f);
    for (const char *p = text + strlen(PREFIX); *p;) {
        p += strspn(p, " ");
        size_t len = strcspn(p, " ");
        take_word(f, p, len);
        p += len;
    }
    return true;
}

/* ---- over a time -------------------------------------------------------------------------------- */

void figures_sum_init(struct figures_sum *s, bool from_start)
{
    figures_init(&s->sum);
    figures_init(&s->last);
    for (int i = 0; i < FIGURES && from_start; i++)
        if (figures[i].course == GROWS)
            s->last.at[i] = 0;
}

static double grown(double sum, double last, double value)
{
    double before = isnan(sum) ? 0 : sum;
    if (isnan(last))
        return before;
    return before + (value >= last ? value - last : value); /* less: it began anew */
}

void figures_sum_add(struct figures_sum *s, const struct figures *f)
{
    for (int i = 0; i < FIGURES; i++) {
        double *sum = &s->sum.at[i], value = f->at[i];
        if (isnan(value))
            continue;
        switch (figures[i].course) {
        case GROWS: *sum = grown(*sum, s->last.at[i], value); break;
        case HIGHEST: *sum = fmax(*sum, value); break; /* what is not a number gives way */
        case LAST: *sum = value; break;
        }
        s->last.at[i] = value;
    }
}
