/* play: files here and now, in a zone of its own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/feeder.h"
#include "cli/keys.h"
#include "cli/launch.h"
#include "cli/outcome.h"
#include "cli/status_line.h"
#include "cli/uplink.h"
#include "cli/zone.h"
#include "config/config.h"

#define VOLUME_STEP   5
#define GIVE_UP_AFTER 6 /* starts of one program, within about three seconds */

struct play {
    struct cli *cli;
    struct launch launch;
    struct walk files;
    size_t given; /* of the files, as arguments of the player */
    bool off_screen;
    struct zone zone;
    struct supervisor *supervisor;
    uv_loop_t loop;
    struct feeder *feeder;
    struct keys *keys;
    struct uplink *uplink; /* carries keys, and what the status line says; NULL: neither is there */
    struct term term;      /* of the output */
    bool has_status;       /* a status line is shown */
    struct status_line status;
};

static void say_line(void *ctx, const char *text)
{
    struct play *p = ctx;
    supervisor_say(p->supervisor, "%s", text);
}

static struct message *request_of_key(enum key key)
{
    static const char *const commands[] = {
        [KEY_PAUSE] = "toggle-pause", [KEY_NEXT] = "skip",     [KEY_RESTART] = "seek",
        [KEY_LOUDER] = "volume",      [KEY_SOFTER] = "volume", [KEY_MUTE] = "mute",
    };
    struct message *m = cli_request(commands[key]);
    if (key == KEY_RESTART)
        message_set_f64(m, "position_s", 0);
    if (key == KEY_LOUDER || key == KEY_SOFTER)
        message_set_i64(m, "delta", key == KEY_LOUDER ? VOLUME_STEP : -VOLUME_STEP);
    return m;
}

static void on_key(void *ctx, enum key key)
{
    struct play *p = ctx;
    if (key == KEY_QUIT) {
        supervisor_stop(p->supervisor);
        return;
    }
    uplink_send(p->uplink, request_of_key(key));
}

/* Answers to keys say nothing new; a lost connection is made again by what is sent. */
static void on_answer(void *ctx, const struct message *answer)
{
    struct play *p = ctx;
    char text[STATUS_LINE_MAX];
    if (!p->has_status)
        return;
    if (!answer) {
        uplink_send(p->uplink, cli_request("watch"));
    } else if (message_has(answer, "state")) {
        term_measure(&p->term);
        status_line_set(&p->status,
                        status_line_text(text, sizeof(text), answer, p->term.width - 1));
    }
}

static void on_look(void *ctx)
{
    struct play *p = ctx;
    launch_look(&p->launch);
}

static void on_stop(void *ctx)
{
    struct play *p = ctx;
    status_line_set(&p->status, "");
    feeder_destroy(p->feeder);
    keys_destroy(p->keys);
    uplink_destroy(p->uplink);
    p->feeder = NULL;
    p->keys = NULL;
    p->uplink = NULL;
}

static void feed_the_rest(struct play *p)
{
    if (p->given == p->files.count)
        return;
    p->feeder = feeder_create(&(struct feeder_params){
        .loop = &p->loop,
        .runtime_dir = p->zone.runtime_dir,
        .path = p->files.path + p->given,
        .count = p->files.count - p->given,
        .waits_for_room = !args_has(&p->cli->args, ARG_LOOP),
        .say = say_line,
        .ctx = p,
    });
}

/* Keys and status line: after the signals are watched, so that each of them puts the terminal back. */
static void open_terminal(struct play *p)
{
    p->uplink = uplink_create(&(struct uplink_params){
        .loop = &p->loop, .runtime_dir = p->zone.runtime_dir, .on_answer = on_answer, .ctx = p });
    p->keys = keys_create(&p->loop, STDIN_FILENO, on_key, p);
    if (p->keys)
        supervisor_say(p->supervisor, "space pause, n next, up/down volume, m mute, q quit");
    if (p->has_status)
        uplink_send(p->uplink, cli_request("watch"));
}

static int run(struct play *p)
{
    int ret = uv_loop_init(&p->loop);
    if (ret < 0)
        return cli_fail(p->cli, CLI_FAILED, "event loop: %s", uv_strerror(ret));
    if (p->off_screen)
        supervisor_say(p->supervisor,
                       "no display is used: it plays off-screen; look with "
                       "`djamms screenshot FILE --runtime-dir %s`",
                       p->zone.runtime_dir);
    feed_the_rest(p);
    ret = supervisor_attach(p->supervisor, &p->loop);
    if (ret < 0)
        supervisor_stop(p->supervisor);
    if (!supervisor_is_stopping(p->supervisor))
        open_terminal(p);
    zone_sweep(&p->zone);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    uv_loop_close(&p->loop);
    return supervisor_ended_well(p->supervisor) && ret == 0 ? CLI_OK : CLI_FAILED;
}

/* Whether nobody has said how much is logged. */
static bool has_usual_log(const struct play *p)
{
    struct config c;
    struct config_error err;
    bool is_read = config_load_from(&c, p->cli->args.value[ARG_CONFIG], NULL, 0, &err) == 0;
    bool is_usual = is_read && c.log.level == LOG_INFO;
    config_finish(&c);
    return is_usual;
}

static int read_settings(struct play *p)
{
    const char *first[12] = { "queue.autostart=yes" };
    size_t n = 1;
    bool is_loop = args_has(&p->cli->args, ARG_LOOP);
    first[n++] = is_loop ? "queue.loop=yes" : "queue.loop=no";
    first[n++] = "queue.exit-at-end=yes";
    first[n++] = "backend.kind=none";
    first[n++] = "library.paths="; /* what is played is named */
    first[n++] = "library.removable=no";
    first[n++] = "hub.enabled=no";
    first[n++] = launch_has_window_system() ? "display.fullscreen=no" : "display.fullscreen=yes";
    if (p->term.is_terminal && has_usual_log(p))
        first[n++] = "log.level=warning";
    p->launch.runtime_dir = p->zone.runtime_dir;
    p->launch.state_dir = p->zone.state_dir;
    return launch_read_settings(p->cli, &p->launch, first, &p->off_screen);
}

/* Whether nobody else is talking with the user there. */
static bool is_in_front(int terminal_fd)
{
    pid_t front = tcgetpgrp(terminal_fd);
    return front < 0 || front == getpgrp();
}

static int start(struct play *p)
{
    struct cli *cli = p->cli;
    size_t bad = launch_find_media(cli, &p->files);
    if (p->files.count == 0)
        return CLI_FAILED;
    int ret = zone_create(&p->zone);
    if (ret < 0)
        return cli_fail(cli, CLI_FAILED, "no folder in memory for a zone can be made: %s",
                        strerror(-ret));
    ret = read_settings(p);
    if (ret != CLI_OK)
        return ret;
    struct term term = term_of(cli->err);
    p->has_status = p->term.has_escapes && is_in_front(STDOUT_FILENO);
    status_line_init(&p->status, STDOUT_FILENO);
    p->supervisor = supervisor_create(
        &(struct supervisor_params){ .log_fd = STDERR_FILENO,
                                     .has_colour = term.has_colour,
                                     .below = term.is_terminal ? &p->status : NULL,
                                     .give_up_after = GIVE_UP_AFTER,
                                     .on_stop = on_stop,
                                     .on_look = on_look,
                                     .ctx = p });
    ret = launch_start(cli, &p->launch, p->supervisor, &p->files, &p->given);
    if (ret == CLI_OK)
        ret = run(p);
    bad += outcome_report(cli, p->zone.state_dir);
    return ret == CLI_OK && bad ? CLI_FAILED : ret;
}

int play_run(struct cli *cli)
{
    struct play p = { .cli = cli, .zone = { .lock_fd = -1 }, .term = cli->term };
    walk_init(&p.files);
    int ret = start(&p);
    supervisor_destroy(p.supervisor);
    launch_finish(&p.launch);
    walk_finish(&p.files);
    zone_destroy(&p.zone);
    return ret;
}
