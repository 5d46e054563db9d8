/* A JSON object being built or read: what the control socket carries, and what --json prints.
 * Typed access by field name; nothing of the JSON library shows. Thread-safety: one thread at a time
 * per message. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct message;

struct message *message_create(void);                  /* {} */
void message_destroy(struct message *m);               /* m may be NULL */
struct message *message_copy(const struct message *m); /* deep */
bool message_equal(const struct message *a,
                   const struct message *b); /* order of fields apart; 1 is not 1.0 */
/* NULL on bad JSON or anything but an object; `why` (may be NULL) gets one sentence with the place. */
struct message *message_parse(const char *text, size_t len, char *why, size_t why_size);
/* One line without newline, or indented; caller frees. Text that is not valid UTF-8 was cleaned when set.
 * A number has the fewest digits by which it is read as the same. */
char *message_text(const struct message *m, bool indented);

/* Setting replaces. A NULL text or object, a NaN and an infinity become JSON null. Objects are taken. */
void message_set_str(struct message *m, const char *field, const char *value);
void message_set_i64(struct message *m, const char *field, int64_t value);
void message_set_f64(struct message *m, const char *field, double value);
void message_set_bool(struct message *m, const char *field, bool value);
void message_set_object(struct message *m, const char *field, struct message *value);
void message_set_null(struct message *m, const char *field);
/* The value that a JSON text says, of any kind. false when it is no JSON: m is as it was. */
bool message_set_json(struct message *m, const char *field, const char *text, size_t len);
/* A copy of that field of `from`; nothing when it is missing there. */
void message_set_field(struct message *m, const char *field, const struct message *from,
                       const char *from_field);
void message_remove(struct message *m, const char *field);

/* Arrays: made, empty, when missing. */
void message_set_array(struct message *m, const char *field);
void message_append_object(struct message *m, const char *field, struct message *value);
void message_append_str(struct message *m, const char *field, const char *value);
bool message_append_json(struct message *m, const char *field, const char *text, size_t len);

/* The fallback when the field is missing, null or of another type. A number given as text is text; a
 * fraction is no i64; text with a NUL inside is no string of ours. Strings live as long as m. */
const char *message_str(const struct message *m, const char *field, const char *fallback);
int64_t message_i64(const struct message *m, const char *field, int64_t fallback);
double message_f64(const struct message *m, const char *field, double fallback);
bool message_bool(const struct message *m, const char *field, bool fallback);
bool message_has(const struct message *m, const char *field);
size_t message_count(const struct message *m, const char *field); /* array length; 0: none */
/* Borrowed views, valid while m lives; NULL when missing or of another type. Free none of them. */
const struct message *message_object(const struct message *m, const char *field);
const struct message *message_object_at(const struct message *m, const char *field, size_t i);
const char *message_str_at(const struct message *m, const char *field, size_t i);

/* What is there, whatever it is. Numbers with a fraction or an exponent are MESSAGE_REAL. */
enum message_kind {
    MESSAGE_MISSING,
    MESSAGE_NULL,
    MESSAGE_BOOL,
    MESSAGE_INTEGER,
    MESSAGE_REAL,
    MESSAGE_STRING,
    MESSAGE_ARRAY,
    MESSAGE_OBJECT,
};

enum message_kind message_kind(const struct message *m, const char *field);
enum message_kind message_kind_at(const struct message *m, const char *field, size_t i);
/* The fields in their order: the first for NULL, else the one after `field`, which must be a name that this gave. NULL
 * at the end. Values may be set meanwhile and fields already left be removed, none added. Borrowed.
 *     for (const char *f = NULL; (f = message_next(m, f));) */
const char *message_next(const struct message *m, const char *field);
size_t message_field_count(const struct message *m);
/* Compact JSON text of a value, strings with their quotes; the caller frees. NULL when it is missing. */
char *message_field_text(const struct message *m, const char *field);
char *message_text_at(const struct message *m, const char *field, size_t i);
/* Bytes of a string, also of one with a NUL inside; 0 when it is none. */
size_t message_str_size(const struct message *m, const char *field);
int64_t message_i64_at(const struct message *m, const char *field, size_t i, int64_t fallback);
double message_f64_at(const struct message *m, const char *field, size_t i, double fallback);
bool message_bool_at(const struct message *m, const char *field, size_t i, bool fallback);
