#include "wire/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "wire/message.h"

enum shape {
    NUMBER, /* the field */
    FLAG,   /* 1: it is true */
    IS,     /* 1: it is `text` */
    FILLED, /* 1: it is a text with something in it */
    INFO,   /* always 1: the text is the label `text` */
};

struct metric {
    const char *name, *type, *help;
    /* An object of the answer, or an array with a sample for each row; NULL: the answer itself. */
    const char *place;
    const char *field;
    enum shape shape;
    const char *text;
    /* Of the sample: a row's is `label`="its name", with the stage where it has one; another's is all of it; NULL: none. */
    const char *label;
    double scale; /* of a NUMBER: one of its units in base units; 0: it is in those */
};

/* Samples of one name stand together. */
static const struct metric metrics[] = {
    { "djamms_build_info", "gauge", "The version of the jukebox.", NULL, "version", INFO,
      "version" },
    { "djamms_uptime_seconds", "gauge", "Time since the player started.", NULL, "uptime_s",
      NUMBER },
    { "djamms_state", "gauge", "What the jukebox does: 1 for the state it is in.", NULL, "state",
      IS, "playing", "state=\"playing\"" },
    { "djamms_state", NULL, NULL, NULL, "state", IS, "paused", "state=\"paused\"" },
    { "djamms_state", NULL, NULL, NULL, "state", IS, "idle", "state=\"idle\"" },
    { "djamms_state", NULL, NULL, NULL, "state", IS, "waiting", "state=\"waiting\"" },
    { "djamms_plays_house_music", "gauge", "1: the house plays because the queue cannot.", "now",
      "is_house", FLAG },
    { "djamms_queue_entries", "gauge", "Songs in the queue.", "counts", "main", NUMBER, NULL,
      "list=\"main\"" },
    { "djamms_queue_entries", NULL, NULL, "counts", "requests", NUMBER, NULL, "list=\"requests\"" },
    { "djamms_songs_played_total", "counter", "Songs that ended, were skipped or taken out.",
      "played", "songs", NUMBER },
    { "djamms_requests_played_total", "counter", "Those of them that guests had asked for.",
      "played", "requests", NUMBER },
    { "djamms_songs_failed_total", "counter", "Songs that could not be played.", "played", "failed",
      NUMBER },
    { "djamms_volume_ratio", "gauge", "The volume; 1 is the loudest.", NULL, "volume", NUMBER,
      .scale = 0.01 },
    { "djamms_muted", "gauge", "1: it is muted.", NULL, "is_muted", FLAG },
    { "djamms_sound_underruns_total", "counter", "Times a deck had no samples in time.", NULL,
      "underruns", NUMBER },
    { "djamms_sound_xruns_total", "counter", "Times the sound device ran dry.", "sound", "xruns",
      NUMBER },
    { "djamms_output_frames_presented_total", "counter", "Pictures handed to the display.",
      "outputs", "presented", NUMBER, NULL, "output" },
    { "djamms_output_frames_late_total", "counter",
      "Pictures presented more than half a frame after they were due.", "outputs", "late", NUMBER,
      NULL, "output" },
    { "djamms_output_frames_dropped_total", "counter",
      "Pictures never presented, because a newer one was due.", "outputs", "dropped", NUMBER, NULL,
      "output" },
    { "djamms_output_frames_repeated_total", "counter",
      "Times a picture stood although a newer one was due.", "outputs", "repeated", NUMBER, NULL,
      "output" },
    { "djamms_output_refresh_hertz", "gauge", "Pictures a second of the display; 0: unknown.",
      "outputs", "refresh_hz", NUMBER, NULL, "output" },
    { "djamms_process_up", "gauge", "1: the process runs.", "processes", "is_alive", FLAG, NULL,
      "process" },
    { "djamms_process_starts_total", "counter", "Times the process was started.", "processes",
      "starts", NUMBER, NULL, "process" },
    { "djamms_sync_connected", "gauge", "1: there is a connection to the backend.", "backend",
      "link", IS, "connected" },
    { "djamms_sync_reachable", "gauge", "1: the backend answers.", "backend", "is_reachable",
      FLAG },
    { "djamms_sync_master", "gauge", "1: of the players of the venue this one sounds.", "backend",
      "role", IS, "master" },
    { "djamms_sync_trouble", "gauge", "1: the backend has a problem.", "backend", "problem",
      FILLED },
    { "djamms_sync_changes_pending", "gauge", "Changes that the backend has not confirmed.",
      "backend", "pending", NUMBER },
    { "djamms_sync_conflicts_total", "counter", "Changes that were applied again.", "backend",
      "conflicts", NUMBER },
    { "djamms_sync_reconnects_total", "counter", "Connections that were made anew.", "backend",
      "reconnects", NUMBER },
    { "djamms_sync_events_total", "counter", "Events of the backend.", "backend", "events",
      NUMBER },
    { "djamms_sync_polls_total", "counter", "Times the backend was asked.", "backend", "polls",
      NUMBER },
    { "djamms_extractor_info", "gauge", "The version of yt-dlp.", "fetching", "yt_dlp", INFO,
      "version" },
    { "djamms_extractor_trouble", "gauge", "1: songs cannot be fetched.", "fetching", "problem",
      FILLED },
    { "djamms_extractor_online", "gauge", "1: the internet is there, as far as fetching shows.",
      "fetching", "is_online", FLAG },
    { "djamms_extractor_starts_total", "counter", "Times the worker around yt-dlp was started.",
      "fetching", "starts", NUMBER },
    { "djamms_fetches_under_way", "gauge", "Songs that are fetched.", "fetching", "under_way",
      NUMBER },
    { "djamms_fetch_bytes_per_second", "gauge", "How fast songs came lately.", "fetching",
      "bytes_s", NUMBER },
    { "djamms_library_songs", "gauge", "Songs of the library.", "library", "files", NUMBER },
    { "djamms_library_songs_away", "gauge", "Those of them whose folder or stick is not there.",
      "library", "away", NUMBER },
    { "djamms_board_info", "gauge", "The model of the board.", "health", "board", INFO, "model" },
    { "djamms_board_temperature_celsius", "gauge", "Of the processor.", "health", "temperature_c",
      NUMBER },
    { "djamms_board_undervoltage", "gauge", "1: the power supply is too weak.", "health",
      "undervoltage", FLAG },
    { "djamms_board_throttled", "gauge", "1: the processor is slowed down.", "health", "throttled",
      FLAG },
    { "djamms_board_undervoltages_total", "counter",
      "Times the power supply was found to be too weak.", "health", "undervoltages", NUMBER },
    { "djamms_board_throttlings_total", "counter", "Times the processor was found slowed down.",
      "health", "throttlings", NUMBER },
    { "djamms_disk_free_bytes", "gauge", "Free where the queue (state) and fetched songs are kept.",
      "health", "state_free", NUMBER, NULL, "folder=\"state\"" },
    { "djamms_disk_free_bytes", NULL, NULL, "health", "cache_free", NUMBER, NULL,
      "folder=\"cache\"" },
    { "djamms_disk_size_bytes", "gauge", "The size of those disks.", "health", "state_size", NUMBER,
      NULL, "folder=\"state\"" },
    { "djamms_disk_size_bytes", NULL, NULL, "health", "cache_size", NUMBER, NULL,
      "folder=\"cache\"" },
};

/* ---- samples ------------------------------------------------------------------------------------ */

/* The value of a sample; NaN: there is none. */
static double value_of(const struct metric *m, const struct message *from)
{
    enum message_kind kind = message_kind(from, m->field);
    bool is_number = kind == MESSAGE_INTEGER || kind == MESSAGE_REAL;
    const char *text = message_str(from, m->field, NULL);
    switch (m->shape) {
    case NUMBER:
        return is_number ? message_f64(from, m->field, NAN) * (m->scale ? m->scale : 1) : NAN;
    case FLAG: return kind == MESSAGE_BOOL ? message_bool(from, m->field, false) : NAN;
    case IS: return text ? strcmp(text, m->text) == 0 : NAN;
    case FILLED: return text ? *text != '\0' : NAN;
    case INFO: return text && *text ? 1 : NAN;
    }
    return NAN;
}

/* The value of a label: UTF-8 with what would end it behind a backslash. */
static int put_escaped(struct buf *out, const char *text)
{
    int ret = 0;
    for (; *text && ret == 0; text++) {
        if (*text == '\n')
            ret = buf_append(out, "\\n", 2);
        else if (*text == '"' || *text == '\\')
            ret = buf_printf(out, "\\%c", *text);
        else
            ret = buf_append(out, text, 1);
    }
    return ret;
}

/* `before`: "{", or "," behind another one. */
static int put_label(struct buf *out, char before, const char *label, const char *value)
{
    int ret = buf_printf(out, "%c%s=\"", before, label);
    if (ret == 0)
        ret = put_escaped(out, value);
    return ret < 0 ? ret : buf_append(out, "\"", 1);
}

/* Displays of two stages may have one name. */
static int put_stage(struct buf *out, const struct message *row)
{
    if (message_kind(row, "stage") != MESSAGE_INTEGER)
        return 0;
    char stage[24];
    snprintf(stage, sizeof(stage), "%lld", (long long)message_i64(row, "stage", 0));
    return put_label(out, ',', "stage", stage);
}

static int put_labels(struct buf *out, const struct metric *m, const struct message *from,
                      bool is_row)
{
    bool is_info = m->shape == INFO;
    if (!is_info && !is_row)
        return m->label ? buf_printf(out, "{%s}", m->label) : 0;
    int ret = put_label(out, '{', is_info ? m->text : m->label,
                        message_str(from, is_info ? m->field : "name", ""));
    if (ret == 0 && is_row)
        ret = put_stage(out, from);
    return ret < 0 ? ret : buf_append(out, "}", 1);
}

/* Whole numbers as such, up to where a double holds each of them. */
static int put_number(struct buf *out, double value)
{
    bool is_whole = value == floor(value) && fabs(value) < 9e15;
    return buf_printf(out, is_whole ? " %.0f\n" : " %.10g\n", value);
}

struct writer {
    struct buf *out;
    const char *name, *type, *help; /* of the metric under way */
    bool has_head;                  /* they are written */
};

static int put_sample(struct writer *w, const struct metric *m, const struct message *from,
                      bool is_row)
{
    double value = from ? value_of(m, from) : NAN;
    int ret = 0;
    if (isnan(value))
        return 0;
    if (!w->has_head)
        ret =
            buf_printf(w->out, "# HELP %s %s\n# TYPE %s %s\n", w->name, w->help, w->name, w->type);
    w->has_head = true;
    if (ret == 0)
        ret = buf_append(w->out, m->name, strlen(m->name));
    if (ret == 0)
        ret = put_labels(w->out, m, from, is_row);
    return ret < 0 ? ret : put_number(w->out, value);
}

static int put_metric(struct writer *w, const struct metric *m, const struct message *status)
{
    int ret = 0;
    bool has_rows = m->place && message_kind(status, m->place) == MESSAGE_ARRAY;
    if (m->type)
        *w = (struct writer){ .out = w->out, .name = m->name, .type = m->type, .help = m->help };
    if (!has_rows)
        return put_sample(w, m, m->place ? message_object(status, m->place) : status, false);
    for (size_t i = 0; i < message_count(status, m->place) && ret == 0; i++)
        ret = put_sample(w, m, message_object_at(status, m->place, i), true);
    return ret;
}

int metrics_write(struct buf *out, const struct message *status)
{
    struct writer w = { .out = out };
    int ret = 0;
    for (size_t i = 0; i < ARRAY_LEN(metrics) && ret == 0; i++)
        ret = put_metric(&w, &metrics[i], status);
    return ret;
}
