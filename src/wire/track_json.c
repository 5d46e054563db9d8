#include "wire/track_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "wire/message.h"
#include "wire/wire_internal.h"

#define MAX_UNKNOWN_DEPTH 64

/* The fields of the written form, in its order, and the other names under which writers put the same. */
enum field_type { TEXT, FLAG, AMOUNT, DURATION, STATUS, POSITION };
enum presence { ALWAYS, WHEN_SET };

struct field {
    const char *name;
    enum field_type type;
    enum presence presence;
    size_t offset;
    const char *also[2];
};

#define IN_TRACK(member) offsetof(struct track, member)
static const struct field fields[] = {
    { "id", TEXT, WHEN_SET, IN_TRACK(id) },
    { "videoId", TEXT, ALWAYS, IN_TRACK(video_id) },
    { "title", TEXT, ALWAYS, IN_TRACK(title) },
    { "artist", TEXT, ALWAYS, IN_TRACK(artist), { "channelTitle" } },
    { "duration", DURATION, ALWAYS, IN_TRACK(duration_s) },
    { "thumbnail", TEXT, ALWAYS, IN_TRACK(thumbnail), { "thumbnailUrl" } },
    { "requestedBy", TEXT, ALWAYS, IN_TRACK(requested_by) },
    { "requestedAt", TEXT, ALWAYS, IN_TRACK(requested_at), { "timestamp", "addedAt" } },
    { "position", POSITION, ALWAYS, 0 },
    { "status", STATUS, ALWAYS, IN_TRACK(status) },
    { "isPaid", FLAG, ALWAYS, IN_TRACK(is_paid) },
    { "isRequest", FLAG, ALWAYS, IN_TRACK(is_request) },
    { "requesterId", TEXT, WHEN_SET, IN_TRACK(requester_id) },
    { "paidCredit", AMOUNT, WHEN_SET, IN_TRACK(paid_credit) },
    { "paymentId", TEXT, WHEN_SET, IN_TRACK(payment_id) },
    { "realEndOffset", AMOUNT, WHEN_SET, IN_TRACK(real_end_s) },
    { "source", TEXT, WHEN_SET, IN_TRACK(source) },
    { "seal", TEXT, WHEN_SET, IN_TRACK(seal) },
    { "playsNext", FLAG, WHEN_SET, IN_TRACK(plays_next) },
    { "unplayable", TEXT, WHEN_SET, IN_TRACK(unplayable) },
};

static const char *const status_names[] = {
    [TRACK_QUEUED] = "queued",
    [TRACK_PLAYING] = "playing",
    [TRACK_PLAYED] = "played",
    [TRACK_SKIPPED] = "skipped",
};

/* Text of a value; NULL when it has none. A NUL inside becomes U+FFFD. The caller frees. */
static char *value_text(const json_t *json)
{
    if (json_is_integer(json)) /* a careless writer's id or title */
        return xasprintf("%lld", (long long)json_integer_value(json));
    const char *s = json_string_value(json);
    if (!s)
        return NULL;
    size_t len = json_string_length(json), n = 0;
    char *out = xcalloc(3 * len + 1, 1);
    for (size_t i = 0; i < len; i++) {
        if (s[i])
            out[n++] = s[i];
        else
            n += utf8_encode(UNICODE_REPLACEMENT, out + n);
    }
    return out;
}

static char *field_text(const json_t *json, const struct field *f)
{
    const char *names[] = { f->name, f->also[0], f->also[1] };
    for (size_t i = 0; i < ARRAY_LEN(names) && names[i]; i++) {
        char *text = value_text(json_object_get(json, names[i]));
        if (text && *text)
            return text;
        free(text);
    }
    return NULL;
}

/* "M:SS" or "H:MM:SS"; anything else is 0. */
static double clock_text_s(const char *s)
{
    double total = 0;
    for (int part = 0;; part++) {
        size_t digits = strspn(s, "0123456789");
        double value = atof(s);
        bool is_first = part == 0;
        if (digits == 0 || (is_first ? digits > 6 : digits != 2 || value >= 60))
            return 0;
        total = total * 60 + value;
        s += digits;
        if (*s == '\0')
            return is_first ? 0 : total;
        if (*s++ != ':' || part == 2)
            return 0;
    }
}

static double duration_s(const json_t *json)
{
    double s = json_is_number(json)   ? json_number_value(json)
               : json_is_string(json) ? clock_text_s(json_string_value(json))
                                      : 0;
    return s > 0 && s <= TRACK_MAX_DURATION_S ? s : 0;
}

static enum track_status status_of(const json_t *json)
{
    const char *name = json_string_value(json);
    for (size_t i = 0; name && i < ARRAY_LEN(status_names); i++) {
        if (strcmp(name, status_names[i]) == 0)
            return (enum track_status)i;
    }
    return TRACK_QUEUED;
}

static bool is_our_field(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strcmp(name, fields[i].name) == 0)
            return true;
    }
    return false;
}

static bool is_deeper_than(json_t *json, int levels)
{
    if (!json_is_object(json) && !json_is_array(json))
        return false;
    if (levels == 0)
        return true;
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
    {
        if (is_deeper_than(value, levels - 1))
            return true;
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (is_deeper_than(json_array_get(json, i), levels - 1))
            return true;
    }
    return false;
}

static char *unknown_fields(json_t *json)
{
    json_t *rest = json_object();
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
    {
        if (!is_our_field(name) && !is_deeper_than(value, MAX_UNKNOWN_DEPTH))
            json_object_set(rest, name, value);
    }
    char *text = json_object_size(rest) ? json_write(rest) : NULL;
    json_decref(rest);
    return text;
}

static void read_field(struct track *t, const json_t *json, const struct field *f)
{
    void *to = (char *)t + f->offset;
    const json_t *value = json_object_get(json, f->name);
    char *text = NULL;
    switch (f->type) {
    case TEXT:
        text = field_text(json, f);
        track_set(to, text);
        free(text);
        break;
    case FLAG: *(bool *)to = json_is_true(value); break;
    case AMOUNT:
        *(double *)to = json_number_value(value); /* 0 when it is no number */
        break;
    case DURATION: *(double *)to = duration_s(value); break;
    case STATUS: *(enum track_status *)to = status_of(value); break;
    case POSITION: /* array order counts */ break;
    }
}

struct track *track_from_message(const struct message *m)
{
    if (!m)
        return NULL;
    struct track *t = track_create();
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        read_field(t, json_of(m), &fields[i]);
    t->is_request |= t->is_paid;
    t->unknown_json = unknown_fields(json_of(m));
    return t;
}

/* A new value, or NULL when the field is not set. */
static json_t *field_value(const struct track *t, const struct field *f, size_t position,
                           bool is_brief)
{
    const void *from = (const char *)t + f->offset;
    bool always = f->presence == ALWAYS && !is_brief;
    if (f->type == TEXT) {
        const char *text = *(char *const *)from;
        return *text || always ? json_text(text) : NULL;
    }
    if (f->type == FLAG) {
        bool on = *(const bool *)from;
        return on || always ? json_boolean(on) : NULL;
    }
    if (f->type == AMOUNT || f->type == DURATION) {
        double number = isfinite(*(const double *)from) ? *(const double *)from : 0;
        return number != 0 || always ? json_number(number) : NULL;
    }
    if (f->type == STATUS)
        return always || t->status != TRACK_QUEUED ? json_string(status_names[t->status]) : NULL;
    return always ? json_integer((json_int_t)position) : NULL;
}

static void add_unknown_fields(json_t *json, const char *unknown_json)
{
    json_error_t ignored;
    json_t *unknown = json_read(unknown_json, strlen(unknown_json), &ignored);
    if (json_is_object(unknown))
        json_object_update_missing(json, unknown);
    json_decref(unknown);
}

json_t *track_to_json(const struct track *t, size_t position, bool is_brief)
{
    json_t *json = json_object();
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        json_t *value = field_value(t, &fields[i], position, is_brief);
        if (value)
            json_object_set_new(json, fields[i].name, value);
    }
    if (t->unknown_json)
        add_unknown_fields(json, t->unknown_json);
    return json;
}

struct message *track_to_message(const struct track *t, size_t position)
{
    return message_of(track_to_json(t, position, false));
}
