#include "hub/schema.h"

/* data holds every attribute that is not null. An index speaks of one collection only, and a query is given the
 * collection's id as a literal, so that the index can serve it.
 * document_clock: the latest time ever given to a document, also to one that is gone. */
const char documents_schema[] =
    "CREATE TABLE documents("
    " sequence INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, id TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, permissions TEXT NOT NULL,"
    " data TEXT NOT NULL"
    ") STRICT;"
    "CREATE UNIQUE INDEX documents_id ON documents(collection, id);"
    "CREATE TABLE document_clock("
    " id INTEGER PRIMARY KEY CHECK(id = 1), latest_ms INTEGER NOT NULL"
    ") STRICT;"
    "INSERT INTO document_clock(id, latest_ms) VALUES(1, 0);"

    "CREATE UNIQUE INDEX users_email ON documents(json_extract(data, '$.email'))"
    " WHERE collection = 'users';"
    "CREATE UNIQUE INDEX venues_slug ON documents(json_extract(data, '$.slug'))"
    " WHERE collection = 'venues';"
    "CREATE UNIQUE INDEX queues_venue ON documents(json_extract(data, '$.venueId'))"
    " WHERE collection = 'queues';"
    "CREATE UNIQUE INDEX player_state_venue ON documents(json_extract(data, '$.venueId'))"
    " WHERE collection = 'player_state';"
    "CREATE UNIQUE INDEX player_settings_venue ON documents(json_extract(data, '$.venueId'))"
    " WHERE collection = 'player_settings';"

    "CREATE INDEX venues_venue ON documents(json_extract(data, '$.venueId'))"
    " WHERE collection = 'venues';"
    "CREATE INDEX players_venue ON documents(json_extract(data, '$.venueId'))"
    " WHERE collection = 'players';"
    "CREATE INDEX player_commands_venue ON documents(json_extract(data, '$.venueId'))"
    " WHERE collection = 'player_commands';"
    "CREATE INDEX playlists_venue ON documents(json_extract(data, '$.venueId'))"
    " WHERE collection = 'playlists';"
    "CREATE INDEX requests_status ON documents(json_extract(data, '$.venueId'),"
    " json_extract(data, '$.status'), json_extract(data, '$.timestamp'))"
    " WHERE collection = 'requests';"
    "CREATE INDEX requests_time ON documents(json_extract(data, '$.venueId'),"
    " json_extract(data, '$.timestamp')) WHERE collection = 'requests';"
    "CREATE INDEX magic_links_token ON documents(json_extract(data, '$.token'))"
    " WHERE collection = 'magicLinks';";
