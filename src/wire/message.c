#include "wire/message.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "wire/wire_internal.h"

#define SHORT_DIGITS   15 /* a number written with so many comes back as it was written */
#define LONG_DIGITS    17 /* any number comes back */
#define SHORT_REAL_MAX 40

json_t *json_read(const char *text, size_t len, json_error_t *error)
{
    size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *json = json_loadb(text, len, flags, error);
    if (!json && json_error_code(error) == json_error_numeric_overflow)
        json = json_loadb(text, len, flags | JSON_DECODE_INT_AS_REAL, error);
    return json;
}

/* What we hold is valid, so only memory can be missing. */
static void fail_without_memory(void)
{
    fputs("out of memory\n", stderr);
    abort();
}

/* The string at `text`, with its quotation marks. */
static size_t string_length(const char *text)
{
    size_t len = 1;
    while (text[len] != '"')
        len += text[len] == '\\' ? 2 : strcspn(text + len, "\"\\");
    return len + 1;
}

/* The shortest form of a real with 17 digits, to `out`, that is read as the same number; 0: it has none. */
static size_t shorter_real(const char *text, size_t len, char out[SHORT_REAL_MAX])
{
    if (len <= SHORT_DIGITS || !memchr(text, '.', len) || memchr(text, 'e', len))
        return 0;
    double value = strtod(text, NULL);
    for (int digits = SHORT_DIGITS; digits < LONG_DIGITS; digits++) {
        size_t n = (size_t)snprintf(out, SHORT_REAL_MAX, "%.*g", digits, value);
        if (n < len && memchr(out, '.', n) && !memchr(out, 'e', n) && strtod(out, NULL) == value)
            return n;
    }
    return 0;
}

/* The library writes 22.008 as 22.007999999999999, and there is no other way to tell it. */
static void shorten_reals(char *text)
{
    char *to = text, real[SHORT_REAL_MAX];
    for (const char *at = text; *at;) {
        size_t len = *at == '"' ? string_length(at) : strspn(at, "+-.0123456789e"), shorter = 0;
        if (len == 0)
            len = strcspn(at, "\"-0123456789");
        else if (*at != '"')
            shorter = shorter_real(at, len, real);
        memmove(to, shorter ? real : at, shorter ? shorter : len);
        to += shorter ? shorter : len;
        at += len;
    }
    *to = '\0';
}

static char *write_json(const json_t *json, size_t flags)
{
    char *text = json_dumps(json, flags | JSON_ENCODE_ANY);
    if (!text)
        fail_without_memory();
    shorten_reals(text);
    return text;
}

char *json_write(const json_t *json)
{
    return write_json(json, JSON_COMPACT);
}

json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    char *clean = utf8_repair(text);
    json_t *json = json_string(clean);
    free(clean);
    return json;
}

json_t *json_number(double value)
{
    if (!isfinite(value))
        return json_null();
    bool is_whole = fabs(value) < 9e15 && value == floor(value);
    return is_whole ? json_integer((json_int_t)value) : json_real(value);
}

struct message *message_create(void)
{
    return message_of(json_object());
}

void message_destroy(struct message *m)
{
    json_decref(json_of(m));
}

bool message_equal(const struct message *a, const struct message *b)
{
    return json_equal(json_of(a), json_of(b));
}

struct message *message_parse(const char *text, size_t len, char *why, size_t why_size)
{
    json_error_t error;
    json_t *json = json_read(text, len, &error);
    if (json_is_object(json))
        return message_of(json);
    if (why && why_size) {
        char *sentence =
            json ? xstrdup("not a JSON object")
                 : xasprintf("line %d, column %d: %s", error.line, error.column, error.text);
        text_clean(why, why_size, sentence);
        free(sentence);
    }
    json_decref(json);
    return NULL;
}

struct message *message_copy(const struct message *m)
{
    json_t *copy = json_deep_copy(json_of(m));
    if (!copy)
        fail_without_memory();
    return message_of(copy);
}

char *message_text(const struct message *m, bool indented)
{
    return write_json(json_of(m), indented ? JSON_INDENT(2) : JSON_COMPACT);
}

/* Takes `value`. */
static void set(struct message *m, const char *field, json_t *value)
{
    json_object_set_new(json_of(m), field, value);
}

void message_set_str(struct message *m, const char *field, const char *value)
{
    set(m, field, json_text(value));
}

void message_set_i64(struct message *m, const char *field, int64_t value)
{
    set(m, field, json_integer(value));
}

void message_set_f64(struct message *m, const char *field, double value)
{
    set(m, field, isfinite(value) ? json_real(value) : json_null());
}

void message_set_bool(struct message *m, const char *field, bool value)
{
    set(m, field, json_boolean(value));
}

void message_set_object(struct message *m, const char *field, struct message *value)
{
    set(m, field, value ? json_of(value) : json_null());
}

void message_set_null(struct message *m, const char *field)
{
    set(m, field, json_null());
}

bool message_set_json(struct message *m, const char *field, const char *text, size_t len)
{
    json_error_t error;
    json_t *json = json_read(text, len, &error);
    if (json)
        set(m, field, json);
    return json != NULL;
}

void message_set_field(struct message *m, const char *field, const struct message *from,
                       const char *from_field)
{
    json_t *json = json_object_get(json_of(from), from_field);
    if (json)
        set(m, field, json_deep_copy(json));
}

void message_remove(struct message *m, const char *field)
{
    json_object_del(json_of(m), field);
}

static json_t *array_of(struct message *m, const char *field)
{
    json_t *array = json_object_get(json_of(m), field);
    if (!json_is_array(array)) {
        array = json_array();
        set(m, field, array);
    }
    return array;
}

void message_append_object(struct message *m, const char *field, struct message *value)
{
    json_array_append_new(array_of(m, field), json_of(value));
}

void message_append_str(struct message *m, const char *field, const char *value)
{
    json_array_append_new(array_of(m, field), json_text(value));
}

bool message_append_json(struct message *m, const char *field, const char *text, size_t len)
{
    json_error_t error;
    json_t *json = json_read(text, len, &error);
    if (json)
        json_array_append_new(array_of(m, field), json);
    return json != NULL;
}

void message_set_array(struct message *m, const char *field)
{
    (void)array_of(m, field);
}

static json_t *get(const struct message *m, const char *field)
{
    return json_object_get(json_of(m), field);
}

static json_t *get_at(const struct message *m, const char *field, size_t i)
{
    return json_array_get(get(m, field), i); /* NULL when that is no array */
}

static const char *string_or(const json_t *json, const char *fallback)
{
    const char *text = json_string_value(json);
    return text && strlen(text) == json_string_length(json) ? text : fallback;
}

const char *message_str(const struct message *m, const char *field, const char *fallback)
{
    return string_or(get(m, field), fallback);
}

static int64_t i64_or(const json_t *json, int64_t fallback)
{
    if (json_is_integer(json))
        return json_integer_value(json);
    double value = json_is_real(json) ? json_real_value(json) : NAN;
    return value == floor(value) && fabs(value) < 9e15 ? (int64_t)value : fallback;
}

static double f64_or(const json_t *json, double fallback)
{
    return json_is_number(json) ? json_number_value(json) : fallback;
}

static bool bool_or(const json_t *json, bool fallback)
{
    return json_is_boolean(json) ? json_boolean_value(json) : fallback;
}

int64_t message_i64(const struct message *m, const char *field, int64_t fallback)
{
    return i64_or(get(m, field), fallback);
}

double message_f64(const struct message *m, const char *field, double fallback)
{
    return f64_or(get(m, field), fallback);
}

bool message_bool(const struct message *m, const char *field, bool fallback)
{
    return bool_or(get(m, field), fallback);
}

bool message_has(const struct message *m, const char *field)
{
    return get(m, field) != NULL;
}

size_t message_count(const struct message *m, const char *field)
{
    return json_array_size(get(m, field));
}

static const struct message *object_or_null(json_t *json)
{
    return json_is_object(json) ? message_of(json) : NULL;
}

const struct message *message_object(const struct message *m, const char *field)
{
    return object_or_null(get(m, field));
}

const struct message *message_object_at(const struct message *m, const char *field, size_t i)
{
    return object_or_null(get_at(m, field, i));
}

const char *message_str_at(const struct message *m, const char *field, size_t i)
{
    return string_or(get_at(m, field, i), NULL);
}

static enum message_kind kind_of(const json_t *json)
{
    if (!json)
        return MESSAGE_MISSING;
    switch (json_typeof(json)) {
    case JSON_OBJECT: return MESSAGE_OBJECT;
    case JSON_ARRAY: return MESSAGE_ARRAY;
    case JSON_STRING: return MESSAGE_STRING;
    case JSON_INTEGER: return MESSAGE_INTEGER;
    case JSON_REAL: return MESSAGE_REAL;
    case JSON_TRUE:
    case JSON_FALSE: return MESSAGE_BOOL;
    case JSON_NULL: break;
    }
    return MESSAGE_NULL;
}

enum message_kind message_kind(const struct message *m, const char *field)
{
    return kind_of(get(m, field));
}

enum message_kind message_kind_at(const struct message *m, const char *field, size_t i)
{
    return kind_of(get_at(m, field, i));
}

const char *message_next(const struct message *m, const char *field)
{
    json_t *json = json_of(m);
    void *at = field ? json_object_iter_next(json, json_object_key_to_iter(field))
                     : json_object_iter(json);
    return json_object_iter_key(at); /* NULL for NULL */
}

size_t message_field_count(const struct message *m)
{
    return json_object_size(json_of(m));
}

char *message_field_text(const struct message *m, const char *field)
{
    const json_t *json = get(m, field);
    return json ? json_write(json) : NULL;
}

char *message_text_at(const struct message *m, const char *field, size_t i)
{
    const json_t *json = get_at(m, field, i);
    return json ? json_write(json) : NULL;
}

size_t message_str_size(const struct message *m, const char *field)
{
    return json_string_length(get(m, field)); /* 0 when it is no string */
}

int64_t message_i64_at(const struct message *m, const char *field, size_t i, int64_t fallback)
{
    return i64_or(get_at(m, field, i), fallback);
}

double message_f64_at(const struct message *m, const char *field, size_t i, double fallback)
{
    return f64_or(get_at(m, field, i), fallback);
}

bool message_bool_at(const struct message *m, const char *field, size_t i, bool fallback)
{
    return bool_or(get_at(m, field, i), fallback);
}
