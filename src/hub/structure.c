#include "hub/structure.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "hub/datetime.h"
#include "wire/message.h"

#define URL_CHARS_MAX 2000

static size_t count_chars(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);
    for (const char *at = choices; *(at += strspn(at, " ")); at += strcspn(at, " "))
        if (strcspn(at, " ") == len && !memcmp(at, text, len))
            return true;
    return false;
}

/* SCHEME://HOST..., without blanks and control characters. */
static bool is_url(const char *text)
{
    size_t scheme =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
    if (!scheme || strncmp(text + scheme, "://", 3) != 0 || strlen(text) > URL_CHARS_MAX)
        return false;
    const char *host = text + scheme + 3;
    if (!*host || strchr("/?#:", *host))
        return false;
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return false;
    return true;
}

static bool fail_type(const struct attribute *a, struct api_error *e)
{
    char what[96];
    switch (a->type) {
    case ATTR_STRING:
        snprintf(what, sizeof(what), "string and no longer than %zu chars", a->size);
        break;
    case ATTR_INTEGER: snprintf(what, sizeof(what), "integer"); break;
    case ATTR_FLOAT: snprintf(what, sizeof(what), "float"); break;
    case ATTR_BOOLEAN: snprintf(what, sizeof(what), "boolean"); break;
    case ATTR_DATETIME: snprintf(what, sizeof(what), "date"); break;
    case ATTR_ENUM:
    case ATTR_URL: snprintf(what, sizeof(what), "string"); break;
    }
    return api_fail(e, API_STRUCTURE_INVALID,
                    "Invalid document structure: Attribute \"%s\" has invalid type. Value must be "
                    "a valid %s",
                    a->name, what);
}

static bool fail_format(const struct attribute *a, const char *what, struct api_error *e)
{
    return api_fail(e, API_STRUCTURE_INVALID,
                    "Invalid document structure: Attribute \"%s\" has invalid format. Value must "
                    "be %s",
                    a->name, what);
}

static bool fail_choice(const struct attribute *a, struct api_error *e)
{
    char what[256] = "one of (";
    size_t len = strlen(what);
    for (const char *at = a->choices; *at && len + 4 < sizeof(what); at++) {
        if (*at == ' ')
            what[len++] = ',';
        what[len++] = *at;
    }
    what[len++] = ')';
    what[len] = '\0';
    return fail_format(a, what, e);
}

static bool set_string(struct message *to, const struct attribute *a, const char *text,
                       struct api_error *e)
{
    if (!text || count_chars(text) > a->size)
        return fail_type(a, e);
    message_set_str(to, a->name, text);
    return true;
}

static bool set_encoded(struct message *to, const struct attribute *a, const struct message *data,
                        struct api_error *e)
{
    char *text = message_field_text(data, a->name);
    bool is_good = set_string(to, a, text, e);
    free(text);
    return is_good;
}

static bool set_integer(struct message *to, const struct attribute *a, const struct message *data,
                        struct api_error *e)
{
    if (message_kind(data, a->name) != MESSAGE_INTEGER)
        return fail_type(a, e);
    int64_t value = message_i64(data, a->name, 0);
    if ((a->min || a->max) && (value < a->min || value > a->max)) {
        char what[96];
        snprintf(what, sizeof(what), "a valid range between %lld and %lld", a->min, a->max);
        return fail_format(a, what, e);
    }
    message_set_i64(to, a->name, value);
    return true;
}

static bool set_datetime(struct message *to, const struct attribute *a, const char *text,
                         struct api_error *e)
{
    int64_t ms;
    char normal[DATETIME_TEXT_MAX];
    if (!text || !datetime_parse(text, &ms))
        return fail_type(a, e);
    datetime_text(ms, normal);
    message_set_str(to, a->name, normal);
    return true;
}

static bool set_null(struct message *to, const struct attribute *a, struct api_error *e)
{
    if (a->is_required)
        return fail_type(a, e);
    message_remove(to, a->name);
    if (a->def)
        (void)message_set_json(to, a->name, a->def, strlen(a->def)); /* our own constant */
    return true;
}

static bool set_value(struct message *to, const struct attribute *a, const struct message *data,
                      bool encodes_arrays, struct api_error *e)
{
    enum message_kind kind = message_kind(data, a->name);
    const char *text = message_str(data, a->name, NULL);
    if (kind == MESSAGE_NULL)
        return set_null(to, a, e);
    switch (a->type) {
    case ATTR_STRING:
        if (a->is_json && encodes_arrays && (kind == MESSAGE_ARRAY || kind == MESSAGE_OBJECT))
            return set_encoded(to, a, data, e);
        return set_string(to, a, text, e);
    case ATTR_INTEGER: return set_integer(to, a, data, e);
    case ATTR_FLOAT:
        if (kind != MESSAGE_INTEGER && kind != MESSAGE_REAL)
            return fail_type(a, e);
        message_set_f64(to, a->name, message_f64(data, a->name, 0));
        return true;
    case ATTR_BOOLEAN:
        if (kind != MESSAGE_BOOL)
            return fail_type(a, e);
        message_set_bool(to, a->name, message_bool(data, a->name, false));
        return true;
    case ATTR_DATETIME: return set_datetime(to, a, text, e);
    case ATTR_ENUM:
        if (!text || !is_choice(a->choices, text))
            return text ? fail_choice(a, e) : fail_type(a, e);
        message_set_str(to, a->name, text);
        return true;
    case ATTR_URL:
        if (!text || !is_url(text))
            return text ? fail_format(a, "a valid URL", e) : fail_type(a, e);
        message_set_str(to, a->name, text);
        return true;
    }
    return false;
}

static bool is_system(const char *name)
{
    static const char *const names[] = {
        "$id",         "$sequence",     "$createdAt", "$updatedAt", "$permissions",
        "$databaseId", "$collectionId", "$tableId",   "$tenant",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static bool check_names(const struct collection *c, const struct message *data, struct api_error *e)
{
    for (const char *name = NULL; (name = message_next(data, name));)
        if (!is_system(name) && !collection_attribute(c, name))
            return api_fail(e, API_STRUCTURE_INVALID,
                            "Invalid document structure: Unknown attribute: \"%.100s\"", name);
    return true;
}

bool structure_set(struct message *attributes, const struct collection *c,
                   const struct message *data, bool encodes_arrays, struct api_error *e)
{
    if (!check_names(c, data, e))
        return false;
    for (size_t i = 0; i < c->attribute_count; i++) {
        const struct attribute *a = &c->attribute[i];
        if (message_has(data, a->name) && !set_value(attributes, a, data, encodes_arrays, e))
            return false;
    }
    return true;
}

bool structure_set_whole(struct message *attributes, const struct collection *c,
                         const struct message *data, bool encodes_arrays, struct api_error *e)
{
    for (size_t i = 0; i < c->attribute_count; i++) {
        const struct attribute *a = &c->attribute[i];
        enum message_kind kind = message_kind(data, a->name);
        if (a->is_required && (kind == MESSAGE_MISSING || kind == MESSAGE_NULL))
            return api_fail(e, API_STRUCTURE_INVALID,
                            "Invalid document structure: Missing required attribute \"%s\"",
                            a->name);
        if (a->def && !message_has(attributes, a->name))
            (void)message_set_json(attributes, a->name, a->def, strlen(a->def));
    }
    return structure_set(attributes, c, data, encodes_arrays, e);
}
