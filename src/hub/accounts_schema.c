#include "hub/schema.h"

/* account_users: email and password are NULL for anonymous ones. account_sessions.number grows: the order of sign-ins.
 * account_values: jwt_key, claim_code; the time. */
const char accounts_schema[] =
    "CREATE TABLE account_users("
    " id TEXT PRIMARY KEY, email TEXT UNIQUE, label TEXT NOT NULL, password TEXT,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, password_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE account_sessions("
    " number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL,"
    " digest BLOB NOT NULL UNIQUE, provider TEXT NOT NULL, peer TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX account_sessions_user ON account_sessions(user_id, number);"
    "CREATE INDEX account_sessions_provider ON account_sessions(provider, number);"
    "CREATE INDEX account_sessions_expiry ON account_sessions(expires_ms);"
    "CREATE TABLE account_keys("
    " id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, digest BLOB NOT NULL UNIQUE,"
    " created_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE account_values(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE account_time("
    " id INTEGER PRIMARY KEY CHECK(id = 1), now_ms INTEGER NOT NULL, skipped_ms INTEGER NOT NULL"
    ") STRICT;";

/* Two users may have the same short secret. */
const char tokens_schema[] =
    "CREATE TABLE account_tokens("
    " number INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, digest BLOB NOT NULL,"
    " expires_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX account_tokens_user ON account_tokens(user_id, number);";
