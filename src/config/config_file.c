#include "config/config.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "config/config_error.h"
#include "config/option.h"

#define FILE_MAX_BYTES  ((size_t)256 * 1024)
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* One reading of a file. The lines are served to the INI parser one by one, so that every error can
 * name its line. */
struct reading {
    struct config *config;
    const char *path;
    const char *rest;  /* what is not read yet */
    int line;          /* of the last line served; from 1 */
    bool is_continued; /* that line belongs to the setting above it */
    bool is_open;      /* that line should be a setting, and the parser has not said so yet */
    int *set_in_line;  /* per option: where it was set; 0: nowhere */
    int ret;           /* the first error */
    struct config_error *err; /* `max` of them; the first ones are kept */
    size_t max, count;        /* count: of errors found */
    bool goes_on;             /* after an error */
};

/* Where the next sentence goes. */
static struct config_error *next_error(struct reading *r, struct config_error *lost)
{
    return r->count < r->max ? &r->err[r->count] : lost;
}

static void count_error(struct reading *r, int code)
{
    r->count++;
    if (r->ret == 0)
        r->ret = code;
}

static void fail_at_line(struct reading *r, int code, const char *what)
{
    struct config_error lost;
    count_error(r, config_fail(next_error(r, &lost), code, "%s:%d: %s", r->path, r->line, what));
}

static void set_at_line(struct reading *r, const char *name, const char *value)
{
    struct config_error lost;
    char where[320];
    snprintf(where, sizeof(where), "%.300s:%d: ", r->path, r->line);
    int ret = config_set_from(r->config, where, name, value, next_error(r, &lost));
    if (ret < 0)
        count_error(r, ret);
}

/* An indented folder goes on with the list of folders above; any other indented line is a line like
 * the others. */
static bool is_folder_line(const char *text)
{
    return *text == '/' || *text == '~' || *text == '.';
}

/* Length of the line without a comment at its end, which starts with a blank and ';'. Versions of the
 * parser differ in doing this for continued lines. */
static size_t length_before_comment(const char *text, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        if (text[i] == ';' && (text[i - 1] == ' ' || text[i - 1] == '\t'))
            return i - 1;
    }
    return len;
}

/* The parser passes over a line that it cannot read. */
static void close_line(struct reading *r)
{
    if (r->is_open)
        fail_at_line(r, -EINVAL, "neither [section] nor key = value nor a comment");
    r->is_open = false;
}

static bool is_blank(const char *text, size_t len)
{
    return strspn(text, " \t\r\v\f") >= len;
}

static bool is_section(const char *text, size_t len)
{
    return *text == '[' && memchr(text, ']', len);
}

static char *serve_line(char *out, int size, void *ctx)
{
    struct reading *r = ctx;
    close_line(r);
    if (!*r->rest || (r->ret < 0 && !r->goes_on))
        return NULL;
    r->line++;
    const char *text = r->rest;
    size_t len = strcspn(text, "\n");
    r->rest += len + (text[len] == '\n');
    size_t blanks = strspn(text, " \t");
    r->is_continued = blanks > 0 && is_folder_line(text + blanks);
    if (blanks > 0 && blanks <= len && !r->is_continued) {
        text += blanks;
        len -= blanks;
    }
    if (*text == '#' || *text == ';')
        len = 0;
    len = length_before_comment(text, len);
    if (len + 2 > (size_t)size) {
        fail_at_line(r, -EINVAL,
                     "the line is too long; a list of folders may go on in an indented line");
        len = 0;
    }
    r->is_open = !is_blank(text, len) && !is_section(text, len);
    memcpy(out, text, len);
    memcpy(out + len, "\n", 2);
    return out;
}

static size_t option_index(const struct option *o)
{
    return (size_t)(o - option_at(0));
}

static void set_once(struct reading *r, const char *name, const char *value)
{
    char text[128];
    const struct option *o = option_find(name);
    int *before = o ? &r->set_in_line[option_index(o)] : NULL;
    if (before && *before) {
        snprintf(text, sizeof(text), "%.60s is set twice; the first time in line %d", option_key(o),
                 *before);
        fail_at_line(r, -EINVAL, text);
        return;
    }
    if (before)
        *before = r->line;
    set_at_line(r, name, value);
}

/* An indented line adds a folder. */
static void add_to_paths(struct reading *r, const char *name, const char *value)
{
    const struct option *o = option_find(name);
    if (!o || o->type != OPTION_PATHS) {
        fail_at_line(r, -EINVAL, "only a list of folders may go on in an indented line");
        return;
    }
    char old[OPTION_TEXT_MAX + 1];
    option_value(o, r->config, old, sizeof(old));
    const char *colon = *old && old[strlen(old) - 1] != ':' ? ":" : "";
    char *all = xasprintf("%s%s%s", old, colon, value);
    set_at_line(r, name, all);
    free(all);
}

/* 1: go on, as the INI parser wants it; where to stop serve_line() knows. */
static int on_setting(void *ctx, const char *section, const char *key, const char *value)
{
    struct reading *r = ctx;
    r->is_open = false;
    char name[160];
    snprintf(name, sizeof(name), "%s.%s", section, key);
    if (!*section)
        fail_at_line(r, -EINVAL, "a setting stands before the first [section]");
    else if (r->is_continued)
        add_to_paths(r, name, value);
    else
        set_once(r, name, value);
    return 1;
}

/* All of the file as text, which the caller frees; NULL after an error. */
static char *read_text(struct reading *r)
{
    char *data = NULL;
    size_t len;
    int ret = file_read(r->path, FILE_MAX_BYTES, &data, &len);
    if (ret == -EFBIG)
        config_fail(r->err, ret, "%s: larger than %zu KiB: this is no settings file", r->path,
                    FILE_MAX_BYTES / 1024);
    else if (ret < 0)
        config_fail(r->err, ret, "%s: cannot be read: %s", r->path, strerror(-ret));
    else if (memchr(data, '\0', len))
        ret = config_fail(r->err, -EINVAL, "%s: this is no text file", r->path);
    if (ret == 0)
        return data;
    free(data);
    count_error(r, ret);
    return NULL;
}

static void read_file(struct reading *r)
{
    char *data = read_text(r);
    if (!data)
        return;
    r->rest = strncmp(data, BYTE_ORDER_MARK, 3) == 0 ? data + 3 : data;
    r->set_in_line = xcalloc(option_count(), sizeof(*r->set_in_line));
    if (ini_parse_stream(serve_line, r, on_setting, r) < 0 && r->ret == 0)
        count_error(r, config_fail(r->err, -ENOMEM, "%s: no memory", r->path));
    free(r->set_in_line);
    free(data);
}

int config_read_file(struct config *c, const char *path, struct config_error *err)
{
    struct reading r = { .config = c, .path = path, .err = err, .max = 1 };
    read_file(&r);
    return r.ret;
}

size_t config_check_file(const char *path, struct config_error *err, size_t max)
{
    struct config c;
    struct reading r = { .config = &c, .path = path, .err = err, .max = max, .goes_on = true };
    config_init(&c);
    read_file(&r);
    config_finish(&c);
    return r.count;
}
