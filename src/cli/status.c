/* status, status --watch */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/track_line.h"

#define LABEL_COLUMNS   11
#define RECONNECT_TRIES 50 /* a player that died is back in about a second */
#define RECONNECT_MS    100
#define ABSENT_TRIES    5

static void put_label(const struct term *t, const char *label)
{
    term_put_padded(t, STYLE_DIM, label, LABEL_COLUMNS);
}

static enum style style_of_state(const char *state)
{
    return strcmp(state, "playing") == 0  ? STYLE_GOOD
           : strcmp(state, "paused") == 0 ? STYLE_WARNING
                                          : STYLE_PLAIN;
}

static void put_line(const struct term *t, enum style style, const char *text)
{
    char fitted[TRACK_LINE_MAX * 2];
    text_fit(fitted, sizeof(fitted), text, t->width ? t->width - LABEL_COLUMNS : 0);
    term_put(t, style, fitted);
    fputc('\n', t->out);
}

static void put_now(const struct term *t, const struct message *status)
{
    const char *state = message_str(status, "state", "?");
    const struct message *now = message_object(status, "now");
    term_put_padded(t, style_of_state(state), state, LABEL_COLUMNS);
    if (!now) {
        const struct message *counts = message_object(status, "counts");
        bool is_empty = counts && message_i64(counts, "main", 1) == 0 &&
                        message_i64(counts, "requests", 1) == 0;
        put_line(t, STYLE_PLAIN,
                 is_empty ? "nothing plays; `djamms add FILE` adds songs" : "nothing plays");
        return;
    }
    char line[TRACK_LINE_MAX], position[32], length[32], fitted[TRACK_LINE_MAX];
    text_duration(length, sizeof(length), message_f64(now, "duration_s", 0));
    text_position(position, sizeof(position), message_f64(now, "position_s", 0));
    int times = (int)(strlen(position) + strlen(length)) + 5;
    text_fit(fitted, sizeof(fitted), track_line(line, sizeof(line), now),
             t->width ? t->width - LABEL_COLUMNS - times : 0);
    term_put(t, STYLE_BOLD, fitted);
    fprintf(t->out, "  %s / %s\n", position, length);
    if (message_bool(now, "is_house", false)) {
        put_label(t, "");
        put_line(t, STYLE_PLAIN, "music of the house; it gives way to the queue");
    }
    if (message_bool(now, "is_request", false)) {
        char text[TRACK_LINE_MAX];
        const char *by = message_str(now, "requested_by", "");
        snprintf(text, sizeof(text), "a request%s%s", *by ? " of " : "", by);
        put_label(t, "");
        put_line(t, STYLE_PLAIN, text);
    }
}

static void put_next(const struct term *t, const struct message *status)
{
    for (size_t i = 0; i < message_count(status, "next"); i++) {
        char line[TRACK_LINE_MAX];
        const struct message *track = message_object_at(status, "next", i);
        put_label(t, i == 0 ? "next" : "");
        put_line(t, STYLE_PLAIN, track_line(line, sizeof(line), track));
    }
}

static void put_counts(const struct term *t, const struct message *status)
{
    const struct message *counts = message_object(status, "counts");
    put_label(t, "queue");
    fprintf(t->out, "%lld main, %lld requests\n",
            (long long)(counts ? message_i64(counts, "main", 0) : 0),
            (long long)(counts ? message_i64(counts, "requests", 0) : 0));
    put_label(t, "volume");
    fprintf(t->out, "%lld%s\n", (long long)message_i64(status, "volume", 0),
            message_bool(status, "is_muted", false) ? " (muted)" : "");
    const struct message *subtitles = message_object(status, "subtitles");
    if (subtitles && message_bool(subtitles, "on", false)) {
        const char *source = message_str(subtitles, "source", "");
        put_label(t, "subtitles");
        put_line(t, STYLE_PLAIN, *source ? source : "on; this song has none");
    }
    const struct message *notice = message_object(status, "notice");
    if (notice) {
        char text[TRACK_LINE_MAX];
        bool is_problem = message_bool(notice, "is_problem", false);
        snprintf(text, sizeof(text), "%s: %s", message_str(notice, "title", ""),
                 message_str(notice, "text", ""));
        put_label(t, "notice");
        put_line(t, is_problem ? STYLE_BAD : STYLE_PLAIN, text);
    }
}

static void put_backend(const struct term *t, const struct message *status)
{
    const struct message *b = message_object(status, "backend");
    if (!b)
        return;
    char text[TRACK_LINE_MAX];
    const char *link = message_str(b, "link", "?"), *role = message_str(b, "role", "");
    const char *problem = message_str(b, "problem", "");
    long long pending = (long long)message_i64(b, "pending", 0);
    bool is_other = strcmp(role, "other") == 0;
    size_t n =
        (size_t)snprintf(text, sizeof(text), "%s, venue %.80s", link, message_str(b, "venue", "?"));
    if (is_other)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "; the music comes from %.80s",
                              message_str(b, "master", "another player"));
    if (pending)
        snprintf(text + n, sizeof(text) - n, "; %lld change%s not told yet", pending,
                 pending == 1 ? "" : "s");
    put_label(t, message_str(b, "kind", "backend"));
    put_line(t, strcmp(link, "connected") == 0 ? STYLE_PLAIN : STYLE_WARNING, text);
    if (*problem) {
        put_label(t, "");
        put_line(t, STYLE_BAD, problem);
    }
}

static void put_library(const struct term *t, const struct message *status)
{
    const struct message *l = message_object(status, "library");
    if (!l)
        return;
    char text[TRACK_LINE_MAX];
    const char *problem = message_str(l, "problem", "");
    long long files = (long long)message_i64(l, "files", 0),
              away = (long long)message_i64(l, "away", 0);
    size_t n = (size_t)snprintf(text, sizeof(text), "%lld song%s", files, files == 1 ? "" : "s");
    if (away)
        n += (size_t)snprintf(text + n, sizeof(text) - n, ", %lld not there now", away);
    if (message_bool(l, "is_scanning", false))
        snprintf(text + n, sizeof(text) - n, "; its folders are being read");
    put_label(t, "library");
    put_line(t, STYLE_PLAIN, text);
    if (*problem) {
        put_label(t, "");
        put_line(t, STYLE_WARNING, problem);
    }
}

static void put_outputs(const struct term *t, const struct message *status)
{
    for (size_t i = 0; i < message_count(status, "outputs"); i++) {
        const struct message *o = message_object_at(status, "outputs", i);
        if (!o)
            continue;
        char text[TRACK_LINE_MAX], size[48] = "gone", rate[32] = "";
        long long width = (long long)message_i64(o, "width", 0);
        double refresh_hz = message_f64(o, "refresh_hz", 0);
        if (refresh_hz > 0)
            snprintf(rate, sizeof(rate), "  %.4g Hz", refresh_hz);
        if (width > 0)
            snprintf(size, sizeof(size), "%lldx%lld", width,
                     (long long)message_i64(o, "height", 0));
        snprintf(text, sizeof(text),
                 "%s  %s%s  presented %lld, late %lld, dropped %lld, repeated %lld",
                 message_str(o, "name", "?"), size, rate, (long long)message_i64(o, "presented", 0),
                 (long long)message_i64(o, "late", 0), (long long)message_i64(o, "dropped", 0),
                 (long long)message_i64(o, "repeated", 0));
        put_label(t, i == 0 ? "outputs" : "");
        put_line(t, STYLE_PLAIN, text);
    }
}

/* Only what the board can tell. */
static void put_health(const struct term *t, const struct message *status)
{
    const struct message *h = message_object(status, "health");
    const char *board = h ? message_str(h, "board", "") : "";
    double c = h ? message_f64(h, "temperature_c", NAN) : NAN;
    bool is_weak = h && message_bool(h, "undervoltage", false);
    bool is_slow = h && message_bool(h, "throttled", false);
    char text[TRACK_LINE_MAX], heat[32] = "";
    if (!*board && isnan(c) && !is_weak && !is_slow)
        return;
    if (!isnan(c))
        snprintf(heat, sizeof(heat), "%.1f C", c);
    snprintf(text, sizeof(text), "%.96s%s%s%s%s", board, *board && *heat ? ", " : "", heat,
             is_weak ? "; its power supply is too weak" : "", is_slow ? "; it is slowed down" : "");
    put_label(t, "board");
    put_line(t, is_weak || is_slow ? STYLE_BAD : STYLE_PLAIN, text);
}

static void put_sound(const struct term *t, const struct message *status)
{
    const struct message *s = message_object(status, "sound");
    const char *driver = s ? message_str(s, "driver", "") : "";
    if (!*driver)
        return;
    char text[TRACK_LINE_MAX];
    bool is_heard = strcmp(driver, "null") != 0;
    long long xruns = (long long)message_i64(s, "xruns", 0);
    size_t n = (size_t)snprintf(text, sizeof(text), "%.15s %.80s", driver,
                                is_heard ? message_str(s, "device", "") : "(nothing is heard)");
    if (xruns)
        snprintf(text + n, sizeof(text) - n, "  ran dry %lld time%s", xruns, xruns == 1 ? "" : "s");
    put_label(t, "sound");
    put_line(t, is_heard ? STYLE_PLAIN : STYLE_WARNING, text);
}

/* Only where the board has a decoder, or had one. */
static void put_hardware(const struct term *t, const struct message *status)
{
    const struct message *h = message_object(status, "hardware");
    const char *plays = h ? message_str_at(h, "plays", 0) : NULL;
    long long files = h ? (long long)message_i64(h, "files", 0) : 0;
    if (!plays && files <= 0)
        return;
    char text[TRACK_LINE_MAX];
    size_t n = (size_t)snprintf(text, sizeof(text), "%.16s%s", plays ? plays : "in software",
                                plays ? " by the board's decoder" : "");
    if (files > 0)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "; it has failed %lld song%s", files,
                              files == 1 ? "" : "s");
    for (size_t i = 0; h && i < message_count(h, "given_up") && n < sizeof(text) - 64; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, ", %.16s is given up",
                              message_str_at(h, "given_up", i) ? message_str_at(h, "given_up", i)
                                                               : "?");
    put_label(t, "decoding");
    put_line(t, files > 0 ? STYLE_WARNING : STYLE_PLAIN, text);
}

static void put_processes(const struct term *t, const struct message *status)
{
    for (size_t i = 0; i < message_count(status, "processes"); i++) {
        const struct message *p = message_object_at(status, "processes", i);
        if (!p)
            continue;
        char text[TRACK_LINE_MAX];
        bool is_alive = message_bool(p, "is_alive", false);
        long long starts = (long long)message_i64(p, "starts", 0);
        char pid[32] = "";
        const char *address = message_str(p, "address", "");
        if (message_i64(p, "pid", 0))
            snprintf(pid, sizeof(pid), "  pid %lld", (long long)message_i64(p, "pid", 0));
        snprintf(text, sizeof(text), "%s%s%s%s%.200s", message_str(p, "name", "?"), pid,
                 is_alive ? "" : "  not running", *address ? "  " : "", address);
        if (starts > 1)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "  started %lld times",
                     starts);
        put_label(t, i == 0 ? "processes" : "");
        put_line(t, is_alive ? STYLE_PLAIN : STYLE_BAD, text);
    }
}

static void put_status(const struct term *t, const struct message *status)
{
    put_now(t, status);
    put_next(t, status);
    put_counts(t, status);
    put_library(t, status);
    put_backend(t, status);
    put_outputs(t, status);
    put_sound(t, status);
    put_hardware(t, status);
    put_health(t, status);
    put_processes(t, status);
    long long underruns = (long long)message_i64(status, "underruns", 0);
    if (underruns) {
        put_label(t, "underruns");
        fprintf(t->out, "%lld\n", underruns);
    }
}

/* ---- watch ------------------------------------------------------------------------------------- */

/* Without a terminal: one line when something but the position changed. */
static void put_change(struct cli *cli, const struct message *status, char last[TRACK_LINE_MAX])
{
    char text[TRACK_LINE_MAX], line[TRACK_LINE_MAX - 64];
    const struct message *now = message_object(status, "now");
    snprintf(text, sizeof(text), "%s  volume %lld%s  %s", message_str(status, "state", "?"),
             (long long)message_i64(status, "volume", 0),
             message_bool(status, "is_muted", false) ? " (muted)" : "",
             now ? track_line(line, sizeof(line), now) : "nothing plays");
    if (strcmp(text, last) == 0)
        return;
    term_put(&cli->term, STYLE_PLAIN, text);
    fputc('\n', cli->out);
    memcpy(last, text, sizeof(text));
}

static void show_watched(struct cli *cli, const struct message *status, char last[TRACK_LINE_MAX])
{
    if (args_has(&cli->args, ARG_JSON)) {
        char *text = message_text(status, false);
        fprintf(cli->out, "%s\n", text);
        free(text);
    } else if (cli->term.is_terminal) {
        term_measure(&cli->term);
        fputs("\x1b[H\x1b[J", cli->out);
        put_status(&cli->term, status);
    } else {
        put_change(cli, status, last);
    }
    fflush(cli->out);
}

/* Lines until the connection ends: *error says how. CLI_OK, or the reason to go on no longer. */
static int watch_connection(struct cli *cli, struct client *client, char last[TRACK_LINE_MAX],
                            int *error)
{
    struct message *request = cli_request("watch"), *status;
    int ret = CLI_OK;
    *error = client_send(client, request);
    message_destroy(request);
    while (ret == CLI_OK && *error == 0) {
        *error = client_read(client, CLIENT_TIMEOUT_MS, &status);
        if (*error < 0)
            break;
        ret = cli_check_answer(cli, status);
        if (ret == CLI_OK)
            show_watched(cli, status, last);
        message_destroy(status);
        if (ferror(cli->out))
            ret = CLI_FAILED;
    }
    return ret;
}

/* A player that died comes back and binds its socket anew; one that ended takes it away for good. */
static int reconnect(struct cli *cli, struct client *client)
{
    int absent = 0;
    for (int i = 0; i < RECONNECT_TRIES && absent < ABSENT_TRIES; i++) {
        int ret = client_open(client, cli->runtime_dir);
        if (ret == 0)
            return 0;
        client_close(client);
        absent += ret == -ENOENT;
        poll(NULL, 0, RECONNECT_MS);
    }
    return -ECONNREFUSED;
}

static int watch(struct cli *cli)
{
    struct client client;
    char last[TRACK_LINE_MAX] = "";
    int ret = cli_connect(cli, &client);
    if (ret != CLI_OK)
        return ret;
    for (;;) {
        int error;
        ret = watch_connection(cli, &client, last, &error);
        client_close(&client);
        if (ret != CLI_OK)
            return ret;
        if (error != -EPIPE && error != -ETIMEDOUT)
            return cli_fail_exchange(cli, error);
        if (reconnect(cli, &client) < 0)
            return cli_fail(cli, CLI_NOT_RUNNING, "the jukebox ended");
    }
}

/* ---- latency ----------------------------------------------------------------------------------- */

static const char *hop_words(const char *name)
{
    static const char *const words[][2] = {
        { "memory", "an action -> other processes" },
        { "screen", "a change -> on a screen" },
        { "disk", "an own change -> on disk" },
        { "server", "an own change -> at the server" },
        { "view", "an event -> in the queue" },
        { "event", "an event -> on a screen" },
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i][0], name) == 0)
            return words[i][1];
    }
    return name;
}

static void put_latency(const struct term *t, const struct message *answer)
{
    fprintf(t->out, "%-32s%8s%11s%11s%11s\n", "", "count", "P50 ms", "P95 ms", "P99 ms");
    for (size_t i = 0; i < message_count(answer, "hops"); i++) {
        const struct message *hop = message_object_at(answer, "hops", i);
        fprintf(t->out, "%-32s%8lld%11.3f%11.3f%11.3f\n", hop_words(message_str(hop, "name", "?")),
                (long long)message_i64(hop, "count", 0), message_f64(hop, "p50_ms", 0),
                message_f64(hop, "p95_ms", 0), message_f64(hop, "p99_ms", 0));
    }
}

int status_run(struct cli *cli)
{
    bool is_latency = args_has(&cli->args, ARG_LATENCY);
    if (args_has(&cli->args, ARG_WATCH))
        return is_latency ? cli_usage(cli, "--latency is not watched") : watch(cli);
    struct message *answer;
    int ret = cli_call(cli, cli_request(is_latency ? "latency" : "status"), &answer);
    if (ret != CLI_OK)
        return ret;
    if (!cli_print_json(cli, answer))
        (is_latency ? put_latency : put_status)(&cli->term, answer);
    message_destroy(answer);
    return CLI_OK;
}
