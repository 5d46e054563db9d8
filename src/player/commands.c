#include "player/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "player/add_files.h"
#include "player/entry_names.h"
#include "player/history.h"
#include "source/library.h"
#include "wire/message.h"

#define HISTORY_LIMIT 50
#define SONGS_LIMIT   20
#define SONGS_MAX     500

typedef void command_fn(const struct command_world *w, const struct message *request,
                        struct command_result *out);

/* ---- answers ---------------------------------------------------------------------------------- */

static struct message *ok(void)
{
    struct message *m = message_create();
    message_set_bool(m, "ok", true);
    return m;
}

static void PRINTF_LIKE(3, 4)
    refuse(struct command_result *out, const char *code, const char *fmt, ...)
{
    char sentence[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, args);
    va_end(args);
    message_destroy(out->answer);
    *out = (struct command_result){ .answer = answer_error(code, sentence), .when = ANSWER_NOW };
}

/* What queue_apply() returned, in words. */
static bool is_accepted(struct command_result *out, int ret)
{
    if (ret >= 0)
        return true;
    if (ret == -EMSGSIZE)
        refuse(out, "full", "The queue is full.");
    else if (ret == -ENOENT)
        refuse(out, "not-found", "This entry is no longer in the queue.");
    else if (ret == -EPERM)
        refuse(out, "failed", "Another player of this venue has the music; say it there.");
    else
        refuse(out, "failed", "The queue did not take it: %s.", strerror(-ret));
    return false;
}

/* ---- fields ----------------------------------------------------------------------------------- */

enum field { FIELD_MISSING, FIELD_WRONG, FIELD_GOOD };

static enum field number_field(const struct message *m, const char *name, double *out)
{
    if (!message_has(m, name))
        return FIELD_MISSING;
    *out = message_f64(m, name, NAN);
    return isfinite(*out) ? FIELD_GOOD : FIELD_WRONG;
}

static bool refuse_number(struct command_result *out, const char *name)
{
    refuse(out, "usage", "\"%s\" must be a number.", name);
    return false;
}

static const struct queue *queue_of(const struct command_world *w)
{
    return jukebox_queue(w->jukebox);
}

/* The entry that the request names; false: refused. */
static bool entry_field(const struct command_world *w, const struct message *request,
                        struct entry_place *place, struct command_result *out)
{
    const char *name = message_str(request, "entry", NULL);
    if (!name || !*name) {
        refuse(out, "usage",
               "\"entry\" must name an entry: its id, its key, main:INDEX or requests:INDEX.");
        return false;
    }
    if (entry_find_by_name(queue_of(w), name, place))
        return true;
    refuse(out, "not-found", "There is no entry \"%.80s\" in the queue.", name);
    return false;
}

/* ---- handlers --------------------------------------------------------------------------------- */

static void run_status(const struct command_world *w, const struct message *request,
                       struct command_result *out)
{
    out->answer = answer_status(w);
}

static void run_watch(const struct command_world *w, const struct message *request,
                      struct command_result *out)
{
    out->answer = answer_status(w);
    out->when = ANSWER_WATCH;
}

static void run_queue(const struct command_world *w, const struct message *request,
                      struct command_result *out)
{
    out->answer = answer_queue(w);
}

/* Whether an id is asked for that the library may be about to find. */
static bool is_worth_waiting(const struct command_world *w, const struct message *request)
{
    struct library_status s;
    struct entry_place place;
    if (!w->may_wait || !w->library)
        return false;
    library_status(w->library, &s);
    for (size_t i = 0; !s.has_scanned && s.is_scanning && i < message_count(request, "ids"); i++) {
        const char *id = message_str_at(request, "ids", i);
        if (id && *id && !entry_find_by_name(queue_of(w), id, &place) &&
            library_find(w->library, id, NULL, NULL, NULL) == LIBRARY_UNKNOWN)
            return true;
    }
    return false;
}

static void run_add(const struct command_world *w, const struct message *request,
                    struct command_result *out)
{
    struct add_request add = {
        .at_front = message_bool(request, "next", false),
        .requester = message_str(request, "request", NULL),
        .wall_ms = w->wall_ms,
        .seed = w->seed,
        .library = w->library,
        .world = w,
    };
    if (is_worth_waiting(w, request)) {
        out->when = ANSWER_LATER;
        return;
    }
    if (message_count(request, "files") + message_count(request, "ids") +
            message_count(request, "urls") ==
        0) {
        refuse(out, "usage",
               "Name what to add: \"files\", \"ids\" and \"urls\" are arrays of text.");
        return;
    }
    out->answer = ok();
    out->when = ANSWER_WHEN_SAVED;
    message_set_array(out->answer, "added");
    message_set_array(out->answer, "refused");
    for (size_t i = 0; i < message_count(request, "files"); i++)
        add_file(w->jukebox, &add, message_str_at(request, "files", i), out->answer);
    for (size_t i = 0; i < message_count(request, "ids"); i++)
        add_id(w->jukebox, &add, message_str_at(request, "ids", i), out->answer);
    for (size_t i = 0; i < message_count(request, "urls"); i++)
        add_url(w->jukebox, &add, message_str_at(request, "urls", i), out->answer);
}

static void run_skip(const struct command_world *w, const struct message *request,
                     struct command_result *out)
{
    if (!queue_of(w)->now && !jukebox_is_away(w->jukebox)) {
        refuse(out, "not-found", "Nothing plays.");
        return;
    }
    if (!is_accepted(out, jukebox_apply(w->jukebox, &(struct queue_op){ .kind = OP_SKIP })))
        return;
    out->answer = ok();
    out->when = ANSWER_WHEN_SAVED;
    message_set_object(out->answer, "now", answer_now(w->jukebox));
}

static void run_pause(const struct command_world *w, const struct message *request,
                      struct command_result *out)
{
    jukebox_set_paused(w->jukebox, true);
    out->answer = ok();
}

static void run_resume(const struct command_world *w, const struct message *request,
                       struct command_result *out)
{
    jukebox_set_paused(w->jukebox, false);
    out->answer = ok();
}

static void run_toggle_pause(const struct command_world *w, const struct message *request,
                             struct command_result *out)
{
    jukebox_set_paused(w->jukebox, !jukebox_is_paused(w->jukebox));
    out->answer = ok();
}

static int64_t to_ns(double seconds)
{
    const double limit = 1e9;
    return (int64_t)(fmax(-limit, fmin(limit, seconds)) * (double)NS_PER_S);
}

static void run_seek(const struct command_world *w, const struct message *request,
                     struct command_result *out)
{
    double to = 0, by = 0;
    enum field has_to = number_field(request, "position_s", &to);
    enum field has_by = number_field(request, "delta_s", &by);
    if (has_to != FIELD_GOOD && has_by != FIELD_GOOD) {
        refuse(out, "usage", "Say where: \"position_s\" or \"delta_s\", a number of seconds.");
        return;
    }
    int ret = has_to == FIELD_GOOD ? jukebox_seek(w->jukebox, to_ns(to))
                                   : jukebox_seek_by(w->jukebox, to_ns(by));
    if (ret < 0) {
        refuse(out, "not-found", "Nothing plays.");
        return;
    }
    out->answer = ok();
    message_set_f64(out->answer, "position_s", answer_seconds(jukebox_position_ns(w->jukebox)));
}

static void run_volume(const struct command_world *w, const struct message *request,
                       struct command_result *out)
{
    double value = 0, delta = 0;
    enum field has_value = number_field(request, "value", &value);
    enum field has_delta = number_field(request, "delta", &delta);
    if (has_value == FIELD_WRONG || has_delta == FIELD_WRONG ||
        (has_value == FIELD_MISSING && has_delta == FIELD_MISSING)) {
        refuse_number(out, has_delta == FIELD_WRONG ? "delta" : "value");
        return;
    }
    if (has_value == FIELD_GOOD && (value < 0 || value > 100)) {
        refuse(out, "usage", "The volume goes from 0 to 100.");
        return;
    }
    if (has_value == FIELD_MISSING)
        value = jukebox_volume(w->jukebox) + fmax(-100, fmin(100, delta));
    jukebox_set_volume(w->jukebox, (int64_t)lround(value));
    out->answer = ok();
    message_set_i64(out->answer, "volume", jukebox_volume(w->jukebox));
}

static void run_mute(const struct command_world *w, const struct message *request,
                     struct command_result *out)
{
    bool is_muted = message_bool(request, "on", !jukebox_is_muted(w->jukebox));
    if (message_has(request, "on") && is_muted != message_bool(request, "on", !is_muted)) {
        refuse(out, "usage", "\"on\" must be true or false.");
        return;
    }
    jukebox_set_muted(w->jukebox, is_muted);
    out->answer = ok();
    message_set_bool(out->answer, "is_muted", is_muted);
}

static void run_subtitles(const struct command_world *w, const struct message *request,
                          struct command_result *out)
{
    bool is_on = message_bool(request, "on", jukebox_shows_text(w->jukebox));
    if (message_has(request, "on") && is_on != message_bool(request, "on", !is_on)) {
        refuse(out, "usage", "\"on\" must be true or false.");
        return;
    }
    jukebox_set_text(w->jukebox, is_on);
    out->answer = ok();
    message_set_object(out->answer, "subtitles", answer_subtitles(w->jukebox));
}

/* An operation on the named entry, answered with its track. */
static void run_on_entry(const struct command_world *w, const struct message *request,
                         struct queue_op op, struct command_result *out)
{
    struct entry_place place, old;
    if (!entry_field(w, request, &place, out))
        return;
    old = place;
    struct track *named = track_copy(queue_at(queue_of(w), place));
    struct message *before = answer_track(w, queue_of(w), place);
    op.entry = entry_ref_of(named);
    if (is_accepted(out, jukebox_apply(w->jukebox, &op))) {
        out->answer = ok();
        out->when = ANSWER_WHEN_SAVED;
        bool is_there = queue_find(queue_of(w), op.entry, &place);
        message_set_object(out->answer, "track",
                           is_there ? answer_track(w, queue_of(w), place) : before);
        if (op.kind == OP_MOVE || op.kind == OP_PROMOTE)
            message_set_bool(out->answer, "is_moved",
                             is_there && (place.list != old.list || place.index != old.index));
        before = is_there ? before : NULL;
    }
    message_destroy(before);
    track_destroy(named);
}

static void run_remove(const struct command_world *w, const struct message *request,
                       struct command_result *out)
{
    run_on_entry(w, request, (struct queue_op){ .kind = OP_REMOVE }, out);
}

static void run_promote(const struct command_world *w, const struct message *request,
                        struct command_result *out)
{
    run_on_entry(w, request, (struct queue_op){ .kind = OP_PROMOTE }, out);
}

static void run_play_now(const struct command_world *w, const struct message *request,
                         struct command_result *out)
{
    struct entry_place place;
    const char *name = message_str(request, "entry", "");
    if (w->retry && *name && entry_find_by_name(queue_of(w), name, &place)) {
        const struct track *t = queue_at(queue_of(w), place);
        w->retry(w->ctx, t->video_id, jukebox_source(w->jukebox, t));
    }
    run_on_entry(w, request, (struct queue_op){ .kind = OP_PLAY_NOW }, out);
}

static void run_move(const struct command_world *w, const struct message *request,
                     struct command_result *out)
{
    int64_t index = message_i64(request, "index", -1);
    if (index < 0) {
        refuse(out, "usage", "\"index\" must be a whole number, 0 or more.");
        return;
    }
    run_on_entry(w, request, (struct queue_op){ .kind = OP_MOVE, .index = (size_t)index }, out);
}

static void run_shuffle(const struct command_world *w, const struct message *request,
                        struct command_result *out)
{
    struct queue_op op = { .kind = OP_SHUFFLE, .seed = w->seed };
    if (!is_accepted(out, jukebox_apply(w->jukebox, &op)))
        return;
    out->answer = ok();
    out->when = ANSWER_WHEN_SAVED;
    message_set_i64(out->answer, "count", (int64_t)queue_of(w)->list[QUEUE_MAIN].count);
}

static void run_clear(const struct command_world *w, const struct message *request,
                      struct command_result *out)
{
    static const struct {
        const char *name;
        struct queue_op op;
    } choices[] = {
        { "main", { .kind = OP_CLEAR, .list = QUEUE_MAIN } },
        { "requests", { .kind = OP_CLEAR, .list = QUEUE_REQUESTS } },
        { "all", { .kind = OP_CLEAR, .all_lists = true } },
    };
    const char *lists = message_str(request, "lists", "");
    for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
        if (strcmp(lists, choices[i].name) != 0)
            continue;
        const struct track_list *list = queue_of(w)->list;
        size_t before = list[QUEUE_MAIN].count + list[QUEUE_REQUESTS].count;
        if (!is_accepted(out, jukebox_apply(w->jukebox, &choices[i].op)))
            return;
        out->answer = ok();
        out->when = ANSWER_WHEN_SAVED;
        message_set_i64(out->answer, "removed",
                        (int64_t)(before - list[QUEUE_MAIN].count - list[QUEUE_REQUESTS].count));
        return;
    }
    refuse(out, "usage", "\"lists\" must be \"main\", \"requests\" or \"all\".");
}

static void run_screenshot(const struct command_world *w, const struct message *request,
                           struct command_result *out)
{
    const char *name = message_str(request, "output", NULL);
    for (uint32_t i = 0; i < OUTPUTS_MAX; i++) {
        struct output_row row;
        if (!output_row_load(&w->control->output[i], &row) || !output_is_here(&row))
            continue;
        row.name[sizeof(row.name) - 1] = '\0';
        if (name && strcmp(name, row.name) != 0)
            continue;
        out->when = ANSWER_WITH_SHOT;
        out->output = i;
        return;
    }
    if (name)
        refuse(out, "not-found", "There is no output \"%.48s\"; see: djamms status.", name);
    else
        refuse(out, "not-found", "There is no output: no stage is running.");
}

static void run_history(const struct command_world *w, const struct message *request,
                        struct command_result *out)
{
    int64_t limit =
        message_i64(request, "limit", message_has(request, "limit") ? -1 : HISTORY_LIMIT);
    if (limit < 0) {
        refuse(out, "usage", "\"limit\" must be a whole number, 0 or more.");
        return;
    }
    out->when = ANSWER_WITH_HISTORY;
    out->limit = (size_t)(limit < HISTORY_LIMIT_MAX ? limit : HISTORY_LIMIT_MAX);
}

static void run_search(const struct command_world *w, const struct message *request,
                       struct command_result *out)
{
    const char *words = message_str(request, "words", NULL);
    int64_t limit = message_i64(request, "limit", message_has(request, "limit") ? -1 : SONGS_LIMIT);
    if (!words) {
        refuse(out, "usage", "\"words\" must be text.");
    } else if (limit < 1) {
        refuse(out, "usage", "\"limit\" must be a whole number, 1 or more.");
    } else if (!w->library) {
        refuse(out, "not-found", "There is no library: library.paths names no folder.");
    } else {
        out->when = ANSWER_WITH_SONGS;
        out->words = xstrdup(words);
        out->limit = (size_t)(limit < SONGS_MAX ? limit : SONGS_MAX);
    }
}

static void run_library(const struct command_world *w, const struct message *request,
                        struct command_result *out)
{
    out->answer = ok();
    message_set_object(out->answer, "library", answer_library(w->library));
}

static void run_cache(const struct command_world *w, const struct message *request,
                      struct command_result *out)
{
    out->when = ANSWER_WITH_CACHE;
    out->request = message_copy(request);
}

static void run_latency(const struct command_world *w, const struct message *request,
                        struct command_result *out)
{
    if (w->latency)
        out->answer = w->latency(w->ctx);
    else
        refuse(out, "failed", "Nothing is measured here.");
}

static void run_quit(const struct command_world *w, const struct message *request,
                     struct command_result *out)
{
    out->answer = ok();
    out->when = ANSWER_AND_QUIT;
}

/* ---- the table -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    command_fn *run;
} commands[] = {
    { "status", run_status },   { "watch", run_watch },
    { "queue", run_queue },     { "add", run_add },
    { "skip", run_skip },       { "pause", run_pause },
    { "resume", run_resume },   { "toggle-pause", run_toggle_pause },
    { "seek", run_seek },       { "volume", run_volume },
    { "mute", run_mute },       { "remove", run_remove },
    { "promote", run_promote }, { "play-now", run_play_now },
    { "move", run_move },       { "shuffle", run_shuffle },
    { "clear", run_clear },     { "screenshot", run_screenshot },
    { "history", run_history }, { "latency", run_latency },
    { "search", run_search },   { "library", run_library },
    { "cache", run_cache },     { "subtitles", run_subtitles },
    { "quit", run_quit },
};

void command_run(const struct command_world *w, const char *line, size_t len,
                 struct command_result *out)
{
    char why[256] = "it is no JSON object";
    *out = (struct command_result){ .when = ANSWER_NOW };
    struct message *request = message_parse(line, len, why, sizeof(why));
    const char *name = request ? message_str(request, "command", NULL) : NULL;
    if (!request) {
        refuse(out, "usage", "This line cannot be read: %s.", why);
    } else if (!name) {
        refuse(out, "usage", "\"command\" must name a command.");
    } else {
        size_t i = 0;
        while (i < ARRAY_LEN(commands) && strcmp(commands[i].name, name) != 0)
            i++;
        if (i < ARRAY_LEN(commands))
            commands[i].run(w, request, out);
        else
            refuse(out, "usage", "There is no command \"%.40s\".", name);
    }
    message_destroy(request);
}
