/* player-registry: one master player per venue, who gives a sign of life every 25 s and is over after 120 s. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "hub/datetime.h"
#include "hub/functions_internal.h"
#include "hub/id.h"

#define LIFE_MS         ((int64_t)120 * 1000)
#define ID_BYTES_MAX    255
#define AGENT_CHARS     500
#define PLAYERS_AT_ONCE 100

static const struct collection *players(void)
{
    return collection_find("players");
}

/* ---- time -------------------------------------------------------------------------------------- */

static bool write_life(struct functions *f, const char *id, const char *status, int64_t seen_ms,
                       int64_t ends_ms, struct api_error *e)
{
    struct message *data = message_create();
    message_set_str(data, "status", status);
    if (seen_ms != NO_TIME)
        message_set_i64(data, "lastHeartbeat", seen_ms);
    message_set_i64(data, "expiresAt", ends_ms);
    bool is_done = documents_update(f->documents, NULL, players(), id, data, NULL, NULL, e);
    message_destroy(data);
    return is_done;
}

static bool list_active(struct functions *f, const char *venue, struct message **out,
                        struct api_error *e)
{
    struct query q;
    query_init(&q);
    bool is_good = where_equal(&q, players(), "status", "active", e) &&
                   (!venue || where_equal(&q, players(), "venueId", venue, e)) &&
                   where_limit(&q, players(), PLAYERS_AT_ONCE, e);
    if (is_good)
        return function_list(f, players(), &q, out, e);
    query_finish(&q);
    return false;
}

/* A clock that was set makes nobody older or younger. A sign of life from the future is one of before the clock went
 * back. */
static bool move_lives(struct functions *f, int64_t now, int64_t step, struct api_error *e)
{
    struct message *list;
    if (!list_active(f, NULL, &list, e))
        return false;
    bool is_done = true;
    for (size_t i = 0; is_done && i < message_count(list, "documents"); i++) {
        const struct message *p = message_object_at(list, "documents", i);
        int64_t seen = message_i64(p, "lastHeartbeat", 0), moved = seen + step;
        if (moved > now)
            moved = now;
        if (moved != seen)
            is_done = write_life(f, message_str(p, "$id", ""), "active", moved, moved + LIFE_MS, e);
    }
    message_destroy(list);
    return is_done;
}

bool functions_now(struct functions *f, int64_t *now_ms, struct api_error *e)
{
    int64_t step = 0;
    *now_ms = steady_clock_ms(&f->clock, &step);
    bool is_first = !f->has_looked;
    f->has_looked = true;
    return (step == 0 && !is_first) || move_lives(f, *now_ms, step, e);
}

/* ---- who is master ----------------------------------------------------------------------------- */

/* The active player of the venue: the one of `device` if it is among them, else the one seen last. *out is NULL when
 * there is none; the caller destroys it. */
static bool find_master(struct functions *f, const char *venue, const char *device,
                        struct message **out, struct api_error *e)
{
    struct message *list;
    const struct message *best = NULL;
    *out = NULL;
    if (!list_active(f, venue, &list, e))
        return false;
    for (size_t i = 0; i < message_count(list, "documents"); i++) {
        const struct message *p = message_object_at(list, "documents", i);
        bool is_device = device && strcmp(message_str(p, "deviceId", ""), device) == 0;
        if (is_device || !best ||
            message_i64(p, "lastHeartbeat", 0) > message_i64(best, "lastHeartbeat", 0))
            best = p;
        if (is_device)
            break;
    }
    if (best)
        *out = message_copy(best);
    message_destroy(list);
    return true;
}

static bool is_device(const struct message *player, const char *device)
{
    return player && strcmp(message_str(player, "deviceId", ""), device) == 0;
}

static bool is_alive(const struct message *player, int64_t now)
{
    return player && now - message_i64(player, "lastHeartbeat", 0) < LIFE_MS;
}

/* Of all venues. */
static bool delete_expired(struct functions *f, int64_t now, struct api_error *e)
{
    struct query q;
    struct message *list = NULL;
    query_init(&q);
    bool is_done = where_number(&q, players(), "lessThan", "expiresAt", now, e) &&
                   where_limit(&q, players(), PLAYERS_AT_ONCE, e);
    if (is_done)
        is_done = function_list(f, players(), &q, &list, e);
    else
        query_finish(&q);
    for (size_t i = 0; is_done && i < message_count(list, "documents"); i++) {
        const char *id = message_str(message_object_at(list, "documents", i), "$id", "");
        is_done = documents_delete(f->documents, NULL, players(), id, NULL, e);
    }
    message_destroy(list);
    return is_done;
}

static bool create_player(struct functions *f, const char *venue, const char *device,
                          const char *agent, int64_t now, char id[HUB_ID_MAX + 1],
                          struct api_error *e)
{
    char player_id[40], created[DATETIME_TEXT_MAX], cut[AGENT_CHARS + 1];
    struct message *data = message_create();
    snprintf(player_id, sizeof(player_id), "player_%" PRId64, now);
    datetime_text(now, created);
    text_clean(cut, sizeof(cut), agent); /* so many bytes have as many characters at most */
    id_make(id);
    message_set_str(data, "playerId", player_id);
    message_set_str(data, "venueId", venue);
    message_set_str(data, "deviceId", device);
    message_set_str(data, "status", "active");
    message_set_i64(data, "lastHeartbeat", now);
    message_set_i64(data, "expiresAt", now + LIFE_MS);
    message_set_str(data, "userAgent", cut);
    message_set_str(data, "createdAt", created);
    bool is_done = documents_insert(f->documents, NULL, players(), id, data, NULL, NULL, e);
    message_destroy(data);
    return is_done;
}

/* ---- actions ----------------------------------------------------------------------------------- */

/* One call: its fields, checked. */
struct registry_call {
    const char *venue, *device, *agent;
    int64_t now;
};

static bool say_master(struct function_reply *r, const char *player_id, const char *status)
{
    r->body = message_create();
    message_set_bool(r->body, "success", true);
    message_set_bool(r->body, "isMaster", true);
    message_set_str(r->body, "playerId", player_id);
    message_set_str(r->body, "status", status);
    return true;
}

static bool say_occupied(struct function_reply *r, const struct message *master)
{
    struct message *who = message_create();
    message_set_field(who, "deviceId", master, "deviceId");
    message_set_field(who, "lastHeartbeat", master, "lastHeartbeat");
    r->body = message_create();
    message_set_bool(r->body, "success", false);
    message_set_bool(r->body, "isMaster", false);
    message_set_str(r->body, "reason", "MASTER_ACTIVE");
    message_set_object(r->body, "currentMaster", who);
    return true;
}

static bool say_done(struct function_reply *r, const char *text)
{
    r->body = message_create();
    message_set_bool(r->body, "success", true);
    message_set_str(r->body, "message", text);
    return true;
}

static bool register_player(struct functions *f, const struct registry_call *c,
                            struct function_reply *r, struct api_error *e)
{
    struct message *master = NULL;
    char id[HUB_ID_MAX + 1];
    if (!delete_expired(f, c->now, e) || !find_master(f, c->venue, c->device, &master, e))
        return false;
    bool is_done = true;
    if (is_device(master, c->device)) {
        const char *held = message_str(master, "$id", "");
        is_done = write_life(f, held, "active", c->now, c->now + LIFE_MS, e) &&
                  say_master(r, held, "reconnected");
    } else if (is_alive(master, c->now)) {
        say_occupied(r, master);
    } else {
        if (master)
            is_done = write_life(f, message_str(master, "$id", ""), "offline", NO_TIME, c->now, e);
        is_done = is_done && create_player(f, c->venue, c->device, c->agent, c->now, id, e) &&
                  say_master(r, id, "registered");
    }
    message_destroy(master);
    return is_done;
}

static bool heartbeat(struct functions *f, const struct registry_call *c, struct function_reply *r,
                      struct api_error *e)
{
    struct message *master;
    if (!find_master(f, c->venue, c->device, &master, e))
        return false;
    bool is_his = is_device(master, c->device);
    bool is_done = !is_his || write_life(f, message_str(master, "$id", ""), "active", c->now,
                                         c->now + LIFE_MS, e);
    message_destroy(master);
    if (!is_done)
        return false;
    return is_his ? say_done(r, "Heartbeat received")
                  : function_refuse(r, 404, "This player is not active");
}

static bool status(struct functions *f, const struct registry_call *c, struct function_reply *r,
                   struct api_error *e)
{
    struct message *master;
    if (!find_master(f, c->venue, NULL, &master, e))
        return false;
    bool has_master = is_alive(master, c->now);
    r->body = message_create();
    message_set_bool(r->body, "success", true);
    message_set_bool(r->body, "hasMaster", has_master);
    if (has_master) {
        message_set_field(r->body, "deviceId", master, "deviceId");
        message_set_field(r->body, "lastHeartbeat", master, "lastHeartbeat");
    }
    message_destroy(master);
    return true;
}

static bool release(struct functions *f, const struct registry_call *c, struct function_reply *r,
                    struct api_error *e)
{
    struct message *master;
    if (!find_master(f, c->venue, c->device, &master, e))
        return false;
    bool is_done = !is_device(master, c->device) ||
                   write_life(f, message_str(master, "$id", ""), "offline", NO_TIME, c->now, e);
    message_destroy(master);
    return is_done && say_done(r, "Released");
}

static const struct {
    const char *name;
    bool (*run)(struct functions *f, const struct registry_call *c, struct function_reply *r,
                struct api_error *e);
    bool needs_device;
} actions[] = {
    { "register", register_player, true },
    { "heartbeat", heartbeat, true },
    { "status", status, false },
    { "release", release, true },
};

bool registry_run(struct functions *f, const struct message *in, struct function_reply *r,
                  struct api_error *e)
{
    const char *name = message_str(in, "action", "");
    struct registry_call c = { .venue = message_str(in, "venueId", ""),
                               .device = message_str(in, "deviceId", ""),
                               .agent = message_str(in, "userAgent", "") };
    size_t i = 0;
    while (i < ARRAY_LEN(actions) && strcmp(actions[i].name, name) != 0)
        i++;
    if (!*name)
        return function_refuse(r, 400, "action is missing");
    if (i == ARRAY_LEN(actions))
        return function_refuse(r, 400, "There is no action %.60s", name);
    if (!*c.venue || strlen(c.venue) > ID_BYTES_MAX)
        return function_refuse(r, 400, "venueId is missing or too long");
    if (actions[i].needs_device && (!*c.device || strlen(c.device) > ID_BYTES_MAX))
        return function_refuse(r, 400, "deviceId is missing or too long");
    if (!*c.agent)
        c.agent = "unknown";
    return functions_now(f, &c.now, e) && actions[i].run(f, &c, r, e);
}
