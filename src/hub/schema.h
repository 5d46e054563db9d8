/* The migrations of hub.db, of all its modules in one row. */
#pragma once

#include "store/database.h"

extern const char documents_schema[]; /* migration 1: hub/documents_schema.c */
extern const char accounts_schema[];  /* migration 2 */
extern const char tokens_schema[];    /* migration 3: hub/accounts_schema.c */

const struct migrations *hub_migrations(void);
