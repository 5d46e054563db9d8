#include "cli/log_summary.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* SD_MESSAGE_UNIT_RESTART_SCHEDULED of sd-messages(3). */
#define RESTART_MESSAGE "5eb03494b6584870a536b337290809b3"
/* What `djamms up` says when it starts a program anew. */
#define RESTART_WORDS "; it is started again"
#define KINDS_SHOWN   3

void log_summary_init(struct log_summary *s, bool from_start)
{
    *s = (struct log_summary){ .errors = 0 };
    figures_sum_init(&s->figures, from_start);
}

/* ---- taking ------------------------------------------------------------------------------------- */

/* A file that a sentence begins with may have blanks in its name. */
static const char *end_of_path(const char *path, bool is_first)
{
    const char *colon = is_first ? strstr(path, ": ") : NULL;
    return colon ? colon : path + strcspn(path, " :,;)'");
}

/* The text without what differs from one time to the next. */
static void make_kind(char *out, size_t size, const char *module, const char *text)
{
    char kind[1200];
    size_t n = (size_t)snprintf(kind, sizeof(kind), "%.60s%s", module, *module ? ": " : "");
    for (const char *p = text; *p && n + 4 < sizeof(kind);) {
        bool is_word = p == text || !isalnum((unsigned char)p[-1]);
        const char *end = *p == '"' ? strchr(p + 1, '"') : NULL;
        if (isdigit((unsigned char)*p)) {
            kind[n++] = 'N';
            p += strspn(p, "0123456789");
        } else if (end) {
            n += (size_t)sprintf(kind + n, "\"-\"");
            p = end + 1;
        } else if (*p == '/' && is_word && p[1] && p[1] != ' ') {
            kind[n++] = '/';
            p = end_of_path(p, p == text);
        } else {
            kind[n++] = *p++;
        }
    }
    kind[n] = '\0';
    text_clean(out, size, kind);
}

static void count_kind(struct log_summary *s, enum log_level level, const char *module,
                       const char *text)
{
    char kind[sizeof(s->kind[0].text)];
    *(level == LOG_ERROR ? &s->errors : &s->warnings) += 1;
    make_kind(kind, sizeof(kind), module, text);
    for (size_t i = 0; i < s->kind_count; i++) {
        if (s->kind[i].level == level && strcmp(s->kind[i].text, kind) == 0) {
            s->kind[i].count++;
            return;
        }
    }
    if (s->kind_count == SUMMARY_KINDS)
        return;
    struct log_kind *k = &s->kind[s->kind_count++];
    k->level = level;
    k->count = 1;
    memcpy(k->text, kind, sizeof(kind));
}

static void count_restart(struct log_summary *s, const char *program, size_t len)
{
    char name[sizeof(s->restart[0].program)];
    snprintf(name, sizeof(name), "%.*s", (int)len, program);
    size_t i = 0;
    while (i < s->restart_count && strcmp(s->restart[i].program, name) != 0)
        i++;
    if (i == SUMMARY_PROGRAMS)
        return;
    if (i == s->restart_count)
        memcpy(s->restart[s->restart_count++].program, name, sizeof(name));
    s->restart[i].count++;
}

static void take_figures(struct log_summary *s, const char *text)
{
    struct figures f;
    if (figures_parse(&f, text))
        figures_sum_add(&s->figures, &f);
}

/* "djamms-deck@a.service" is the program deck@a. */
static void take_restarted_unit(struct log_summary *s, const char *unit)
{
    const char *name = strncmp(unit, "djamms-", 7) == 0 ? unit + 7 : unit;
    const char *end = strstr(name, ".service");
    count_restart(s, name, end ? (size_t)(end - name) : strlen(name));
}

void log_summary_entry(struct log_summary *s, const struct message *entry)
{
    const char *unit = message_str(entry, "UNIT", NULL), *text = message_str(entry, "MESSAGE", "");
    long priority = strtol(message_str(entry, "PRIORITY", "6"), NULL, 10);
    if (unit) { /* systemd speaks of it */
        if (strcmp(message_str(entry, "MESSAGE_ID", ""), RESTART_MESSAGE) == 0)
            take_restarted_unit(s, unit);
    } else if (priority <= 4) {
        count_kind(s, priority == 4 ? LOG_WARNING : LOG_ERROR,
                   message_str(entry, "DJAMMS_MODULE", ""), text);
    } else {
        take_figures(s, text);
    }
}

void log_summary_line(struct log_summary *s, const char *line)
{
    static const struct {
        const char *words;
        enum log_level level;
    } levels[] = { { "error: ", LOG_ERROR }, { "warning: ", LOG_WARNING } };
    const char *bar = strstr(line, " | "), *text = bar ? bar + 3 : line;
    if (strncmp(line, "djamms ", 7) == 0 && strstr(text, RESTART_WORDS)) {
        count_restart(s, text, strcspn(text, " "));
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (strncmp(text, levels[i].words, strlen(levels[i].words)) == 0) {
            count_kind(s, levels[i].level, "", text + strlen(levels[i].words));
            return;
        }
    }
    const char *colon = strstr(text, ": "); /* behind the module */
    if (colon)
        take_figures(s, colon + 2);
}

void log_summary_status(struct log_summary *s, const struct message *status)
{
    struct figures f;
    figures_of(&f, status);
    figures_sum_add(&s->figures, &f);
}

/* ---- telling ------------------------------------------------------------------------------------ */

struct text {
    char *out;
    size_t size, len;
};

static void PRINTF_LIKE(2, 3) put(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = t->len < t->size ? vsnprintf(t->out + t->len, t->size - t->len, fmt, ap) : 0;
    va_end(ap);
    t->len += n > 0 ? (size_t)n : 0;
}

/* Most first. */
static int compare_kinds(const void *a, const void *b)
{
    const struct log_kind *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->text, y->text);
}

/* The kinds of that level, most first. Returns how many. */
static size_t sort_kinds(const struct log_summary *s, enum log_level level,
                         struct log_kind out[SUMMARY_KINDS])
{
    size_t n = 0;
    for (size_t i = 0; i < s->kind_count; i++)
        if (s->kind[i].level == level)
            out[n++] = s->kind[i];
    qsort(out, n, sizeof(*out), compare_kinds);
    return n;
}

static void put_kinds(struct text *t, const struct log_summary *s, enum log_level level,
                      uint64_t count)
{
    struct log_kind kinds[SUMMARY_KINDS];
    size_t n = sort_kinds(s, level, kinds);
    if (!count)
        put(t, "none");
    else
        put(t, "%" PRIu64, count);
    for (size_t i = 0; i < n && i < KINDS_SHOWN; i++)
        put(t, "%s %" PRIu64 " x %.100s", i ? "," : ":", kinds[i].count, kinds[i].text);
    if (n > KINDS_SHOWN)
        put(t, ", and others");
}

static void put_restarts(struct text *t, const struct log_summary *s)
{
    if (!s->restart_count)
        put(t, "none");
    for (size_t i = 0; i < s->restart_count; i++)
        put(t, "%s%s %" PRIu64, i ? ", " : "", s->restart[i].program, s->restart[i].count);
}

/* The figure with so many digits behind the point, and `words`; where it is not known, that. */
static void put_figure(struct text *t, double value, int digits, const char *words)
{
    if (isnan(value))
        put(t, "not known here");
    else
        put(t, "%.*f%s", digits, value, words);
}

static void put_songs(struct text *t, const double *figure)
{
    put_figure(t, figure[FIGURE_SONGS], 0, " played");
    if (figure[FIGURE_REQUESTS] > 0)
        put(t, ", %.0f of them requests", figure[FIGURE_REQUESTS]);
    if (figure[FIGURE_FAILED] > 0)
        put(t, ", %.0f could not be", figure[FIGURE_FAILED]);
}

static void put_heat(struct text *t, const double *figure)
{
    put_figure(t, figure[FIGURE_HOTTEST_C], 1, " C at most");
    if (figure[FIGURE_THROTTLINGS] > 0)
        put(t, "; slowed down, times: %.0f", figure[FIGURE_THROTTLINGS]);
}

static void put_sound(struct text *t, const double *figure)
{
    put_figure(t, figure[FIGURE_UNDERRUNS], 0, " interruptions");
    if (figure[FIGURE_XRUNS] > 0)
        put(t, ", the device ran dry, times: %.0f", figure[FIGURE_XRUNS]);
}

static void put_power(struct text *t, const double *figure)
{
    if (figure[FIGURE_UNDERVOLTAGES] == 0)
        put(t, "strong enough");
    else
        put_figure(t, figure[FIGURE_UNDERVOLTAGES], 0, " times too weak");
}

static void put_disk(struct text *t, const double *figure)
{
    put_figure(t, figure[FIGURE_STATE_FREE_MB] / 1000, 1, " GB free for the queue");
    if (figure[FIGURE_CACHE_FREE_MB] >= 0)
        put(t, ", %.1f GB for fetched songs", figure[FIGURE_CACHE_FREE_MB] / 1000);
}

void log_summary_parts(const struct log_summary *s, struct summary_part out[SUMMARY_PARTS])
{
    static const char *const labels[SUMMARY_PARTS] = { "songs", "restarts", "pictures",
                                                       "sound", "heat",     "power",
                                                       "disk",  "errors",   "warnings" };
    struct text t[SUMMARY_PARTS];
    for (size_t i = 0; i < SUMMARY_PARTS; i++) {
        out[i] = (struct summary_part){ .label = labels[i] };
        t[i] = (struct text){ .out = out[i].text, .size = sizeof(out[i].text) };
    }
    const double *figure = s->figures.sum.at;
    put_songs(&t[0], figure);
    put_restarts(&t[1], s);
    put_figure(&t[2], figure[FIGURE_LATE], 0, " late");
    put_sound(&t[3], figure);
    put_heat(&t[4], figure);
    put_power(&t[5], figure);
    put_disk(&t[6], figure);
    put_kinds(&t[7], s, LOG_ERROR, s->errors);
    put_kinds(&t[8], s, LOG_WARNING, s->warnings);
}

static void append_kinds(struct message *m, const struct log_summary *s, enum log_level level)
{
    struct log_kind kinds[SUMMARY_KINDS];
    size_t n = sort_kinds(s, level, kinds);
    for (size_t i = 0; i < n; i++) {
        struct message *one = message_create();
        message_set_str(one, "level", level == LOG_ERROR ? "error" : "warning");
        message_set_str(one, "text", kinds[i].text);
        message_set_i64(one, "count", (int64_t)kinds[i].count);
        message_append_object(m, "kinds", one);
    }
}

struct message *log_summary_message(const struct log_summary *s)
{
    struct message *m = message_create();
    message_set_bool(m, "ok", true);
    for (int i = 0; i < FIGURES; i++)
        message_set_f64(m, figure_name((enum figure)i), s->figures.sum.at[i]);
    message_set_array(m, "restarts");
    for (size_t i = 0; i < s->restart_count; i++) {
        struct message *one = message_create();
        message_set_str(one, "program", s->restart[i].program);
        message_set_i64(one, "count", (int64_t)s->restart[i].count);
        message_append_object(m, "restarts", one);
    }
    message_set_i64(m, "errors", (int64_t)s->errors);
    message_set_i64(m, "warnings", (int64_t)s->warnings);
    message_set_array(m, "kinds");
    append_kinds(m, s, LOG_ERROR);
    append_kinds(m, s, LOG_WARNING);
    return m;
}
