#include "hub/collection.h"

#include <string.h>

#include "base/compiler.h"

/* Sizes and types as deployed on the cloud. */
#define STRING(chars)  .type = ATTR_STRING, .size = (chars)
#define JSON(chars)    .type = ATTR_STRING, .size = (chars), .is_json = true
#define DATETIME       .type = ATTR_DATETIME
#define INTEGER        .type = ATTR_INTEGER
#define AMOUNT(lo, hi) .type = ATTR_INTEGER, .min = (lo), .max = (hi)
#define BOOLEAN        .type = ATTR_BOOLEAN
#define ENUM(words)    .type = ATTR_ENUM, .choices = (words)
#define URL            .type = ATTR_URL
#define REQUIRED       .is_required = true
#define UNIQUE         .is_required = true, .is_unique = true

static const struct attribute users[] = {
    { "userId", STRING(255), REQUIRED },
    { "email", STRING(255), UNIQUE },
    { "role", ENUM("admin staff viewer"), .def = "\"staff\"" },
    { "autoplay", BOOLEAN, .def = "true" },
    { "venueId", STRING(255) },
    { "createdAt", DATETIME, REQUIRED },
    { "updatedAt", DATETIME },
    { "avatar_url", URL },
};

static const struct attribute venues[] = {
    { "venueId", STRING(255), REQUIRED },
    { "name", STRING(255), REQUIRED },
    { "slug", STRING(255), UNIQUE },
    { "ownerId", STRING(255), REQUIRED },
    { "activePlayerInstanceId", STRING(255) },
    { "createdAt", DATETIME, REQUIRED },
    { "users", JSON(1000000), .def = "\"[]\"" },
    { "defaultPlaylistId", STRING(255) },
    { "mode", STRING(255) },
    { "creditCost", AMOUNT(0, 1000000000) },
    { "priorityCost", AMOUNT(0, 1000000000) },
};

static const struct attribute queues[] = {
    { "venueId", STRING(255), UNIQUE },      { "nowPlaying", JSON(10000) },
    { "mainQueue", JSON(100000), REQUIRED }, { "priorityQueue", JSON(100000), REQUIRED },
    { "createdAt", DATETIME, REQUIRED },     { "updatedAt", DATETIME },
};

static const struct attribute players[] = {
    { "playerId", STRING(255), REQUIRED },
    { "venueId", STRING(255), REQUIRED },
    { "deviceId", STRING(255), REQUIRED },
    { "status", ENUM("active idle offline"), .def = "\"idle\"" },
    { "lastHeartbeat", INTEGER, REQUIRED },
    { "expiresAt", INTEGER, REQUIRED },
    { "userAgent", STRING(500), REQUIRED },
    { "createdAt", DATETIME, REQUIRED },
};

static const struct attribute playlists[] = {
    { "playlistId", STRING(255), REQUIRED },
    { "name", STRING(255), REQUIRED },
    { "description", STRING(1000) },
    { "ownerId", STRING(255), REQUIRED },
    { "venueId", STRING(255) },
    { "tracks", JSON(100000), REQUIRED },
    { "createdAt", DATETIME, REQUIRED },
    { "updatedAt", DATETIME },
};

static const struct attribute requests[] = {
    { "requestId", STRING(255), REQUIRED },
    { "venueId", STRING(255), REQUIRED },
    { "song", JSON(10000), REQUIRED },
    { "requesterId", STRING(255), REQUIRED },
    { "paymentId", STRING(255) },
    { "status", ENUM("queued playing completed cancelled"), .def = "\"queued\"" },
    { "timestamp", DATETIME, REQUIRED },
    { "completedAt", DATETIME },
    { "cancelledAt", DATETIME },
    { "cancelReason", STRING(500) },
};

static const struct attribute magic_links[] = {
    { "email", STRING(255), REQUIRED },  { "token", STRING(255), REQUIRED },
    { "redirectUrl", URL, REQUIRED },    { "expiresAt", INTEGER, REQUIRED },
    { "used", BOOLEAN, .def = "false" },
};

/* The three below were named by the cloud's system but never deployed there; times in ms since 1970. */
static const struct attribute player_commands[] = {
    { "venueId", STRING(255), REQUIRED },
    { "command", STRING(64), REQUIRED },
    { "payload", JSON(10000) },
    { "issuedBy", STRING(255) },
    { "issuedAt", INTEGER },
    { "executedBy", STRING(255) },
    { "executedAt", INTEGER },
};

static const struct attribute player_state[] = {
    { "venueId", STRING(255), UNIQUE }, { "nowPlaying", JSON(10000) }, { "isPlaying", BOOLEAN },
    { "volume", AMOUNT(0, 100) },       { "lastUpdated", INTEGER },    { "updatedBy", STRING(255) },
};

static const struct attribute player_settings[] = {
    { "venueId", STRING(255), UNIQUE },
    { "settings", JSON(100000) },
    { "updatedAt", DATETIME },
    { "updatedBy", STRING(255) },
};

/* Read by anybody, written by whoever is signed in. */
#define OPEN                                                                                       \
    {                                                                                              \
        "any", "users", "users", "users"                                                           \
    }
#define KEY_ONLY                                                                                   \
    {                                                                                              \
        "", "", "", ""                                                                             \
    }

static const struct collection collections[] = {
    { "users", users, ARRAY_LEN(users), KEY_ONLY },
    { "venues", venues, ARRAY_LEN(venues), OPEN },
    { "queues", queues, ARRAY_LEN(queues), OPEN },
    { "players", players, ARRAY_LEN(players), KEY_ONLY },
    { "playlists", playlists, ARRAY_LEN(playlists), OPEN },
    { "requests", requests, ARRAY_LEN(requests), OPEN },
    { "magicLinks", magic_links, ARRAY_LEN(magic_links), KEY_ONLY },
    { "player_commands", player_commands, ARRAY_LEN(player_commands), OPEN },
    { "player_state", player_state, ARRAY_LEN(player_state), OPEN },
    { "player_settings", player_settings, ARRAY_LEN(player_settings), OPEN },
};

size_t collection_count(void)
{
    return ARRAY_LEN(collections);
}

const struct collection *collection_at(size_t i)
{
    return &collections[i];
}

const struct collection *collection_find(const char *id)
{
    for (size_t i = 0; i < ARRAY_LEN(collections); i++)
        if (!strcmp(collections[i].id, id))
            return &collections[i];
    return NULL;
}

const struct attribute *collection_attribute(const struct collection *c, const char *name)
{
    for (size_t i = 0; i < c->attribute_count; i++)
        if (!strcmp(c->attribute[i].name, name))
            return &c->attribute[i];
    return NULL;
}
