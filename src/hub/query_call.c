#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/query_internal.h"
#include "wire/message.h"

#define BLANKS " \t\r\n"

/* Where we are in the text, and what came out so far. */
struct reader {
    const char *at;
    struct message *out;
    const char *why;
};

static bool fail(struct reader *r, const char *why)
{
    r->why = why;
    return false;
}

static void skip_blanks(struct reader *r)
{
    r->at += strspn(r->at, BLANKS);
}

static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

/* A text in either kind of quotes; a backslash keeps the quote or backslash after it. The caller frees. */
static char *take_text(struct reader *r)
{
    char quote = *r->at++;
    char *text = xcalloc(1, strlen(r->at) + 1);
    size_t len = 0;
    for (; *r->at && *r->at != quote; r->at++) {
        if (*r->at == '\\' && (r->at[1] == quote || r->at[1] == '\\'))
            r->at++;
        text[len++] = *r->at;
    }
    if (*r->at == quote) {
        r->at++;
        return text;
    }
    free(text);
    fail(r, "a quote is not closed");
    return NULL;
}

/* A text, a number, true, false or null, added to the values. */
static bool take_value(struct reader *r)
{
    skip_blanks(r);
    if (*r->at == '"' || *r->at == '\'') {
        char *text = take_text(r);
        if (!text)
            return false;
        message_append_str(r->out, "values", text);
        free(text);
        return true;
    }
    size_t len = strcspn(r->at, ",])" BLANKS);
    const char *word = r->at;
    r->at += len;
    if (!len || strchr("[{\"", *word) || !message_append_json(r->out, "values", word, len))
        return fail(r, "a value is neither text nor number, true, false or null");
    return true;
}

static bool take_list(struct reader *r)
{
    message_set_array(r->out, "values");
    if (take(r, ']'))
        return true;
    do {
        if (!take_value(r))
            return false;
    } while (take(r, ','));
    return take(r, ']') || fail(r, "a list is not closed");
}

static bool take_arguments(struct reader *r)
{
    if (take(r, ')'))
        return true;
    do {
        if (take(r, '[') ? !take_list(r) : !take_value(r))
            return false;
    } while (take(r, ','));
    return take(r, ')') || fail(r, "a parenthesis is not closed");
}

/* limit(5), cursorAfter("x"), select([..]) have no attribute; all others begin with it. */
static bool has_attribute(const char *method)
{
    static const char *const plain[] = { "limit",  "offset", "cursorAfter", "cursorBefore",
                                         "select", "or",     "and" };
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        if (!strcmp(plain[i], method))
            return false;
    return true;
}

static bool take_call(struct reader *r)
{
    skip_blanks(r);
    size_t len = strspn(r->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    char *method = xstrndup(r->at, len);
    r->at += len;
    message_set_str(r->out, "method", method);
    bool is_attribute_due = has_attribute(method);
    free(method);
    if (!len || !take(r, '('))
        return fail(r, "it is neither a JSON object nor method(...)");
    if (is_attribute_due) {
        skip_blanks(r);
        if (*r->at != '"' && *r->at != '\'')
            return fail(r, "the attribute's name in quotes is missing");
        char *name = take_text(r);
        if (!name)
            return false;
        message_set_str(r->out, "attribute", name);
        free(name);
        if (!take(r, ','))
            return take(r, ')') || fail(r, "a parenthesis is not closed");
    }
    return take_arguments(r);
}

struct message *query_read_call(const char *text, const char **why)
{
    struct reader r = { .at = text, .out = message_create() };
    bool is_good = take_call(&r);
    skip_blanks(&r);
    if (is_good && *r.at)
        is_good = fail(&r, "something follows its end");
    if (is_good)
        return r.out;
    *why = r.why;
    message_destroy(r.out);
    return NULL;
}
