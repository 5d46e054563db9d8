#include "model/track.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

/* Every text field; unknown_json is not one, for it may be NULL. */
static const struct {
    size_t offset;
    const char
        *optional_form; /* what a text that is not empty costs besides; NULL: always written */
} text_fields[] = {
    { offsetof(struct track, id), NULL },
    { offsetof(struct track, video_id), NULL },
    { offsetof(struct track, title), NULL },
    { offsetof(struct track, artist), NULL },
    { offsetof(struct track, thumbnail), NULL },
    { offsetof(struct track, requested_by), NULL },
    { offsetof(struct track, requested_at), NULL },
    { offsetof(struct track, requester_id), ",\"requesterId\":\"\"" },
    { offsetof(struct track, payment_id), ",\"paymentId\":\"\"" },
    { offsetof(struct track, source), ",\"source\":\"\"" },
    { offsetof(struct track, seal), ",\"seal\":\"\"" },
    { offsetof(struct track, unplayable), NULL },
};

static char **text_field(struct track *t, size_t i)
{
    return (char **)((char *)t + text_fields[i].offset);
}

static const char *text_of(const struct track *t, size_t i)
{
    return *(char *const *)((const char *)t + text_fields[i].offset);
}

struct track *track_create(void)
{
    struct track *t = xcalloc(1, sizeof(*t));
    for (size_t i = 0; i < ARRAY_LEN(text_fields); i++)
        *text_field(t, i) = xstrdup("");
    return t;
}

void track_destroy(struct track *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < ARRAY_LEN(text_fields); i++)
        free(*text_field(t, i));
    free(t->unknown_json);
    free(t);
}

struct track *track_copy(const struct track *t)
{
    struct track *copy = xcalloc(1, sizeof(*copy));
    *copy = *t;
    for (size_t i = 0; i < ARRAY_LEN(text_fields); i++)
        *text_field(copy, i) = xstrdup(text_of(t, i));
    copy->unknown_json = xstrdup(t->unknown_json);
    return copy;
}

void track_set(char **field, const char *text)
{
    char *fresh = utf8_repair(text ? text : "");
    free(*field);
    *field = fresh;
}

bool track_id_is_identity(const char *id)
{
    return *id && strcmp(id, "unique()") != 0 && strncmp(id, "current_", 8) != 0 &&
           strncmp(id, "local_", 6) != 0;
}

void track_ensure_id(struct track *t, uint64_t random)
{
    if (track_id_is_identity(t->id))
        return;
    char *what = xasprintf("%016llx\n%s\n%s\n%s\n", (unsigned long long)random, t->video_id,
                           t->source, t->requested_at);
    size_t len = strlen(what);
    uint64_t high = text_hash(what, len), low = text_hash(what, len - 1);
    char id[21];
    snprintf(id, sizeof(id), "%016llx%04x", (unsigned long long)high, (unsigned)(low >> 48));
    free(what);
    track_set(&t->id, id);
}

/* What every track costs but for its text: the fields always written, at their longest, and our marks, for
 * which there must be room at any time. A list that is not too long has less than 100,000 entries. */
static const char *const fixed_form[] = {
    "{\"id\":\"\",\"videoId\":\"\",\"title\":\"\",\"artist\":\"\",",
    "\"duration\":,\"thumbnail\":\"\",\"requestedBy\":\"\",",
    "\"requestedAt\":\"\",\"position\":99999,\"status\":\"skipped\",",
    "\"isPaid\":false,\"isRequest\":false,",
    "\"playsNext\":true,\"unplayable\":\"\"}",
};

/* As UTF-16 counts them, in a JSON string. */
static size_t escaped_chars(uint32_t code)
{
    if (code < 0x20)
        return strchr("\b\f\n\r\t", (int)code) ? 2 : 6; /* \n, \u00XX */
    return code == '"' || code == '\\' || code > 0xffff ? 2 : 1;
}

static size_t count_chars(const char *text, bool is_json)
{
    size_t len = strlen(text), chars = 0;
    for (size_t i = 0, used; i < len; i += used) {
        uint32_t code = utf8_decode(text + i, len - i, &used);
        chars += !is_json ? escaped_chars(code) : code > 0xffff ? 2 : 1;
    }
    return chars;
}

#define NUMBER_CHARS_MAX 26 /* of number_chars() */

static size_t number_chars(double value)
{
    char text[40];
    return (size_t)snprintf(text, sizeof(text), "%.17g", value) + 2; /* ".0" may be added */
}

size_t track_json_chars(const struct track *t)
{
    size_t chars = NUMBER_CHARS_MAX; /* the duration: it may be learned at any time */
    for (size_t i = 0; i < ARRAY_LEN(fixed_form); i++)
        chars += strlen(fixed_form[i]);
    for (size_t i = 0; i < ARRAY_LEN(text_fields); i++) {
        const char *text = text_of(t, i), *form = text_fields[i].optional_form;
        chars += count_chars(text, false) + (form && *text ? strlen(form) : 0);
    }
    size_t mark = count_chars(t->unplayable, false), least = strlen(TRACK_MARK_SHORT);
    chars += mark < least ? least - mark : 0;
    if (t->paid_credit != 0)
        chars += strlen(",\"paidCredit\":") + number_chars(t->paid_credit);
    if (t->real_end_s != 0)
        chars += strlen(",\"realEndOffset\":") + number_chars(t->real_end_s);
    if (t->unknown_json) /* JSON already; its braces pay for the comma before it */
        chars += count_chars(t->unknown_json, true);
    return chars;
}

bool track_is_house(const struct track *t)
{
    return strcmp(t->requester_id, TRACK_HOUSE_REQUESTER) == 0;
}

bool track_is_guests(const struct track *t)
{
    bool has_requester = *t->requester_id && strcmp(t->requester_id, TRACK_BOX_REQUESTER) != 0;
    return t->is_request && (has_requester || *t->payment_id);
}
