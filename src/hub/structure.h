/* Attributes of a document against the rules of its collection, in Appwrite's words. Pure. */
#pragma once

#include <stdbool.h>

#include "hub/api_error.h"
#include "hub/collection.h"

struct message;

/* `attributes` holds a document's, without nulls; what `data` says about them is checked and set there, datetimes in
 * their normal form; a null takes away, or sets the default. Names beginning with $ that GET adds are passed over.
 * false: *e names the first that is wrong, and `attributes` may be half changed. */
bool structure_set(struct message *attributes, const struct collection *c,
                   const struct message *data, bool encodes_arrays, struct api_error *e);
/* As structure_set(), for a whole document: what is required must be in `data`; what it lacks gets its default
 * where `attributes` has none. */
bool structure_set_whole(struct message *attributes, const struct collection *c,
                         const struct message *data, bool encodes_arrays, struct api_error *e);
