#include "hub/schema.h"

const struct migrations *hub_migrations(void)
{
    static const char *const sql[] = { documents_schema, accounts_schema, tokens_schema };
    static const struct migrations all = { sql, ARRAY_LEN(sql) };
    return &all;
}
