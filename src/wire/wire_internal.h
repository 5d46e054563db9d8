/* For the files of this folder only: what a message is, and how text is read and written. */
#pragma once

#include <jansson.h>

#include "wire/message.h"

/* A message is a JSON object of the library under another name. */
static inline struct message *message_of(json_t *json)
{
    return (struct message *)json;
}

static inline json_t *json_of(const struct message *m)
{
    return (json_t *)m;
}

struct track;

/* A new object. `is_brief`: without the fields that say nothing. */
json_t *track_to_json(const struct track *t, size_t position, bool is_brief);

/* Any JSON value, or NULL with `error` filled in. Integers beyond 64 bits become reals. */
json_t *json_read(const char *text, size_t len, json_error_t *error);
/* Compact text; the caller frees. */
char *json_write(const json_t *json);
/* A JSON string of `text`, cleaned; JSON null when it is NULL. */
json_t *json_text(const char *text);
/* An integer when it is one, else a real; JSON null for NaN and infinity. */
json_t *json_number(double value);
