/* What becomes of a document of an Appwrite venue when it is taken into a hub. Pure but for documents.h. */
#pragma once

#include "hub/documents.h"

/* Whether documents of this collection are taken: not leases, commands and sign-in links, which mean nothing here. */
bool import_takes(const struct collection *c);
/* Its attributes as this hub stores them: unknown ones are left out, lists that are broken are repaired as a player
 * reads them. The caller destroys it. */
struct message *import_data(const struct collection *c, const struct message *document);
/* Stores it under its id; where another document has the same unique attribute (the queue of a venue), that one gets
 * the data. false: *e says why not. */
bool import_store(struct documents *d, const struct collection *c, const struct message *document,
                  struct api_error *e);
