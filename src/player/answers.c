#include "player/answers.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "source/library.h"
#include "wire/message.h"

#define WAITS_MAX 256

double answer_seconds(int64_t ns)
{
    return round((double)ns / (double)NS_PER_MS) / 1000;
}

static struct message *track_message(const struct track *t, uint64_t entry)
{
    struct message *m = message_create();
    char key[17], title[256], artist[256];
    snprintf(key, sizeof(key), "%016" PRIx64, entry);
    track_display_title(t, title, sizeof(title));
    track_display_artist(t, artist, sizeof(artist));
    message_set_str(m, "id", t->id);
    message_set_str(m, "key", key);
    message_set_str(m, "title", title);
    message_set_str(m, "artist", artist);
    message_set_str(m, "source", t->source);
    message_set_f64(m, "duration_s", round(t->duration_s * 1000) / 1000);
    message_set_bool(m, "is_request", t->is_request);
    message_set_str(m, "requested_by", t->requested_by);
    message_set_str(m, "unplayable", t->unplayable);
    return m;
}

static void set_place(struct message *m, struct entry_place place)
{
    message_set_str(m, "list", place.list == QUEUE_MAIN ? "main" : "requests");
    message_set_i64(m, "index", (int64_t)place.index);
}

/* `playing`: the place of what plays; NULL: nothing of the queue does. */
static struct message *entry_message(const struct command_world *w, const struct queue *q,
                                     struct entry_place place, uint64_t entry,
                                     const struct entry_place *playing)
{
    struct message *m = track_message(queue_at(q, place), entry);
    char text[WAITS_MAX] = "";
    if (w && w->waits)
        w->waits(w->ctx, queue_at(q, place), text, sizeof(text));
    message_set_str(m, "waits", text);
    set_place(m, place);
    message_set_bool(m, "is_playing",
                     playing && playing->list == place.list && playing->index == place.index);
    return m;
}

struct message *answer_track(const struct command_world *w, const struct queue *q,
                             struct entry_place place)
{
    struct entry_place playing;
    bool plays = queue_playing(q, &playing);
    return entry_message(w, q, place, entry_key(q, queue_at(q, place)), plays ? &playing : NULL);
}

struct message *answer_now(const struct jukebox *j)
{
    const struct queue *q = jukebox_queue(j);
    struct entry_place place;
    if (!q->now || jukebox_is_away(j))
        return NULL;
    struct message *m;
    if (queue_playing(q, &place)) {
        m = answer_track(NULL, q, place);
    } else { /* taken out of the queue while it plays */
        m = track_message(q->now, entry_key(q, q->now));
        message_set_str(m, "list", NULL);
        message_set_i64(m, "index", -1);
        message_set_bool(m, "is_playing", true);
    }
    message_set_bool(m, "is_house", jukebox_plays_house(j));
    message_set_f64(m, "duration_s", answer_seconds(jukebox_duration_ns(j)));
    message_set_f64(m, "position_s", answer_seconds(jukebox_position_ns(j)));
    return m;
}

struct message *answer_error(const char *code, const char *sentence)
{
    struct message *m = message_create();
    message_set_bool(m, "ok", false);
    message_set_str(m, "code", code);
    message_set_str(m, "error", sentence);
    return m;
}

/* ---- status ----------------------------------------------------------------------------------- */

static void set_next(struct message *m, const struct command_world *w)
{
    const struct jukebox *j = w->jukebox;
    const struct queue *q = jukebox_queue(j);
    const struct scene *s = jukebox_scene(j);
    struct entry_place place;
    message_set_array(m, "next");
    for (uint32_t i = 0; i < s->next_count && i < NEXT_SHOWN; i++)
        if (queue_find_key(q, s->next[i].entry, &place))
            message_append_object(m, "next", answer_track(w, q, place));
}

static void set_notice(struct message *m, const struct jukebox *j)
{
    const struct scene *s = jukebox_scene(j);
    const char *advice = jukebox_advice(j);
    struct message *n = NULL;
    if (s->notice != NOTICE_NONE) {
        n = message_create();
        message_set_str(n, "title", s->notice_title);
        message_set_str(n, "text", *advice ? advice : s->notice_text);
        message_set_bool(n, "is_problem", s->notice == NOTICE_PROBLEM);
    } else if (jukebox_plays_house(j)) { /* as long as it does so */
        char why[192];
        jukebox_why_idle(j, why, sizeof(why));
        n = message_create();
        message_set_str(n, "title", "Music of the house plays");
        message_set_str(n, "text", why);
        message_set_bool(n, "is_problem", false);
    }
    message_set_object(m, "notice", n);
}

/* `mark`: the row as it was at the start of the jukebox. */
static void append_output(struct message *m, struct output_row *row, const struct output_row *mark)
{
    static const struct output_row none;
    row->name[sizeof(row->name) - 1] = '\0';
    if (row->stage != mark->stage || strncmp(row->name, mark->name, sizeof(row->name)) != 0)
        mark = &none; /* of another output */
    if (!output_is_here(row) && row->presented == mark->presented)
        return; /* it has not been there since */
    struct message *o = message_create();
    message_set_str(o, "name", row->name);
    message_set_i64(o, "stage", row->stage);
    message_set_i64(o, "width", row->width);
    message_set_i64(o, "height", row->height);
    message_set_f64(o, "refresh_hz", row->refresh_mhz / 1000.0);
    message_set_i64(o, "presented", (int64_t)count_since(row->presented, mark->presented));
    message_set_i64(o, "late", (int64_t)count_since(row->late, mark->late));
    message_set_i64(o, "dropped", (int64_t)count_since(row->dropped, mark->dropped));
    message_set_i64(o, "repeated", (int64_t)count_since(row->repeated, mark->repeated));
    message_append_object(m, "outputs", o);
}

static void set_outputs(struct message *m, struct control *control, const struct start_marks *marks)
{
    message_set_array(m, "outputs");
    for (size_t i = 0; i < OUTPUTS_MAX; i++) {
        struct output_row row;
        if (output_row_load(&control->output[i], &row) && row.name[0])
            append_output(m, &row, &marks->output[i]);
    }
}

static void set_sound(struct message *m, struct control *control, const struct start_marks *marks)
{
    struct sound_row row;
    if (!sound_row_load(&control->sound, &row))
        row = (struct sound_row){ 0 };
    row.driver[sizeof(row.driver) - 1] = row.device[sizeof(row.device) - 1] = '\0';
    struct message *sound = message_create();
    message_set_str(sound, "driver", row.driver);
    message_set_str(sound, "device", row.device);
    message_set_i64(sound, "xruns", (int64_t)count_since(row.xruns, marks->xruns));
    message_set_object(m, "sound", sound);
}

static void append_hardware(struct message *m, const char *field, uint32_t set)
{
    message_set_array(m, field);
    if (set & DECK_HARDWARE_H264)
        message_append_str(m, field, "h264");
    if (set & DECK_HARDWARE_HEVC)
        message_append_str(m, field, "hevc");
}

static void set_hardware(struct message *m, const struct jukebox *j)
{
    const struct hardware_faults *f = jukebox_hardware_faults(j);
    struct message *hardware = message_create();
    append_hardware(hardware, "plays", jukebox_hardware(j));
    append_hardware(hardware, "given_up", hardware_faults_given_up(f));
    message_set_i64(hardware, "files", (int64_t)f->count);
    message_set_object(m, "hardware", hardware);
}

static void set_processes(struct message *m, const struct control *control,
                          const struct start_marks *marks)
{
    static const char *const names[PROCESS_COUNT] = {
        [PROCESS_BRAIN] = "player",       [PROCESS_DECK_A] = "deck-a",
        [PROCESS_DECK_B] = "deck-b",      [PROCESS_STAGE0] = "stage",
        [PROCESS_STAGE0 + 1] = "stage-1", [PROCESS_STAGE0 + 2] = "stage-2",
        [PROCESS_STAGE0 + 3] = "stage-3",
    };
    message_set_array(m, "processes");
    for (int i = 0; i < PROCESS_COUNT; i++) {
        const struct process_row *row = &control->process[i];
        uint64_t starts = count_since(atomic_load(&row->starts), marks->starts[i]);
        if (starts == 0)
            continue;
        struct message *p = message_create();
        message_set_str(p, "name", names[i]);
        message_set_i64(p, "pid", atomic_load(&row->pid));
        message_set_i64(p, "starts", (int64_t)starts);
        message_set_bool(p, "is_alive", process_is_alive(control, (enum process_role)i));
        message_append_object(m, "processes", p);
    }
}

struct message *answer_subtitles(const struct jukebox *j)
{
    struct message *m = message_create();
    message_set_bool(m, "on", jukebox_shows_text(j));
    message_set_str(m, "source", jukebox_text_name(j));
    return m;
}

static void set_played(struct message *m, const struct play_counts *counts)
{
    if (!counts)
        return;
    struct message *played = message_create();
    message_set_i64(played, "songs", (int64_t)counts->songs);
    message_set_i64(played, "requests", (int64_t)counts->requests);
    message_set_i64(played, "failed", (int64_t)counts->failed);
    message_set_object(m, "played", played);
}

struct message *answer_status(const struct command_world *w)
{
    const struct jukebox *j = w->jukebox;
    const struct queue *q = jukebox_queue(j);
    const struct scene *s = jukebox_scene(j);
    struct play_clock clock = { 0 };
    struct start_marks marks;
    struct message *m = message_create(), *counts = message_create();
    message_set_bool(m, "ok", true);
    message_set_str(m, "version", DJAMMS_VERSION);
    message_set_f64(m, "uptime_s", answer_seconds(w->now_ns - w->started_ns));
    message_set_str(m, "state", jukebox_state_name(jukebox_state(j)));
    message_set_i64(m, "revision", (int64_t)jukebox_queue_revision(j));
    message_set_object(m, "now", answer_now(j));
    set_next(m, w);
    message_set_i64(counts, "main", (int64_t)q->list[QUEUE_MAIN].count);
    message_set_i64(counts, "requests", (int64_t)q->list[QUEUE_REQUESTS].count);
    message_set_object(m, "counts", counts);
    message_set_i64(m, "volume", s->volume);
    message_set_bool(m, "is_muted", s->is_muted);
    message_set_object(m, "subtitles", answer_subtitles(j));
    set_notice(m, j);
    message_set_object(m, "library", answer_library(w->library));
    message_set_object(m, "fetching", w->fetching ? w->fetching(w->ctx) : NULL);
    message_set_object(m, "backend", w->backend ? w->backend(w->ctx) : NULL);
    control_load_marks(w->control, &marks);
    set_outputs(m, w->control, &marks);
    set_sound(m, w->control, &marks);
    set_hardware(m, j);
    set_processes(m, w->control, &marks);
    struct message *hub = w->hub ? w->hub(w->ctx) : NULL;
    if (hub)
        message_append_object(m, "processes", hub);
    if (!play_clock_load(&w->control->clock, &clock))
        clock.underruns = 0;
    message_set_i64(m, "underruns", (int64_t)count_since(clock.underruns, marks.underruns));
    set_played(m, w->played);
    message_set_object(m, "health", w->health ? w->health(w->ctx) : NULL);
    return m;
}

struct message *answer_library(struct library *library)
{
    struct library_status s;
    if (!library)
        return NULL;
    library_status(library, &s);
    struct message *m = message_create();
    message_set_i64(m, "files", (int64_t)s.files);
    message_set_i64(m, "away", (int64_t)s.away);
    message_set_i64(m, "folders", (int64_t)s.folders);
    message_set_bool(m, "is_scanning", s.is_scanning);
    message_set_bool(m, "has_scanned", s.has_scanned);
    message_set_f64(m, "scan_s", s.scan_s);
    message_set_str(m, "problem", s.problem);
    return m;
}

struct message *answer_songs(const struct library_songs *songs)
{
    struct message *m = message_create();
    message_set_bool(m, "ok", true);
    message_set_array(m, "songs");
    for (size_t i = 0; i < songs->count; i++) {
        const struct library_song *s = &songs->at[i];
        struct message *song = message_create();
        message_set_str(song, "id", s->key);
        message_set_str(song, "title", s->title);
        message_set_str(song, "artist", s->artist);
        message_set_f64(song, "duration_s", s->duration_s);
        message_set_str(song, "source", s->source);
        message_append_object(m, "songs", song);
    }
    message_set_bool(m, "is_cut", songs->is_cut);
    return m;
}

struct message *answer_queue(const struct command_world *w)
{
    static const char *const names[QUEUE_LISTS] = {
        [QUEUE_MAIN] = "main", [QUEUE_REQUESTS] = "requests"
    };
    const struct queue *q = jukebox_queue(w->jukebox);
    struct message *m = message_create();
    struct entry_place playing;
    bool plays = queue_playing(q, &playing);
    message_set_bool(m, "ok", true);
    message_set_i64(m, "revision", (int64_t)jukebox_queue_revision(w->jukebox));
    for (int l = 0; l < QUEUE_LISTS; l++) {
        size_t count = q->list[l].count;
        uint64_t *keys = xcalloc(count + 1, sizeof(*keys));
        queue_keys(q, (enum queue_list)l, keys);
        message_set_array(m, names[l]);
        for (size_t i = 0; i < count; i++)
            message_append_object(m, names[l],
                                  entry_message(w, q, (struct entry_place){ l, i }, keys[i],
                                                plays ? &playing : NULL));
        free(keys);
    }
    return m;
}
