/* up: the jukebox in one terminal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/paths.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/feeder.h"
#include "cli/launch.h"
#include "cli/up_lock.h"
#include "shm/control.h"

struct up {
    struct cli *cli;
    struct launch launch;
    struct walk files;
    size_t given; /* of the files, as arguments of the player */
    bool off_screen;
    char *state_dir;
    int lock_fd; /* held while this jukebox runs; -1: not */
    struct supervisor *supervisor;
    uv_loop_t loop;
    struct feeder *feeder;
};

/* One jukebox a zone: a lock for those started by us, the socket for any other way. */
static int claim_zone(struct up *u)
{
    struct cli *cli = u->cli;
    int ret = dir_make(cli->runtime_dir);
    if (ret < 0)
        return cli_fail(cli, CLI_FAILED, "%s: cannot be made: %s", cli->runtime_dir,
                        strerror(-ret));
    u->lock_fd = up_lock_take(cli->runtime_dir);
    if (u->lock_fd < 0 && u->lock_fd != -EWOULDBLOCK)
        return cli_fail(cli, CLI_FAILED, "%s/up.lock: %s", cli->runtime_dir, strerror(-u->lock_fd));
    if (u->lock_fd < 0 || control_is_running(cli->runtime_dir))
        return cli_fail(cli, CLI_FAILED,
                        "a jukebox runs already in %s; `djamms status` shows it, "
                        "`djamms add FILE` gives it more",
                        cli->runtime_dir);
    return CLI_OK;
}

/* Without it the player ends at each start. */
static int claim_state_dir(struct up *u)
{
    int ret = dir_make(u->state_dir);
    if (ret == 0 && access(u->state_dir, R_OK | W_OK | X_OK) < 0)
        ret = -errno;
    if (ret < 0)
        return cli_fail(u->cli, CLI_FAILED,
                        "%s: the queue cannot be kept there: %s; --state-dir names another folder",
                        u->state_dir, strerror(-ret));
    return CLI_OK;
}

/* What is counted in shared memory counts from here. */
static int mark_start(struct up *u)
{
    struct segment segment;
    struct control *control;
    int ret = control_open(&segment, u->cli->runtime_dir, &control);
    if (ret < 0)
        return cli_fail(u->cli, CLI_FAILED, "shared memory in %s: %s", u->cli->runtime_dir,
                        strerror(-ret));
    control_mark_start(control);
    segment_close(&segment);
    return CLI_OK;
}

static void say_line(void *ctx, const char *text)
{
    struct up *u = ctx;
    supervisor_say(u->supervisor, "%s", text);
}

static void on_look(void *ctx)
{
    struct up *u = ctx;
    launch_look(&u->launch);
}

static void on_stop(void *ctx)
{
    struct up *u = ctx;
    feeder_destroy(u->feeder);
    u->feeder = NULL;
}

static void say_hello(struct up *u)
{
    supervisor_say(u->supervisor, "Ctrl-C ends the jukebox; `djamms status` in another terminal");
    if (u->off_screen)
        supervisor_say(
            u->supervisor,
            "no display is used: it plays off-screen; look with `djamms screenshot FILE`");
}

static int run(struct up *u)
{
    int ret = uv_loop_init(&u->loop);
    if (ret < 0)
        return cli_fail(u->cli, CLI_FAILED, "event loop: %s", uv_strerror(ret));
    say_hello(u);
    if (u->given < u->files.count)
        u->feeder = feeder_create(&(struct feeder_params){
            .loop = &u->loop,
            .runtime_dir = u->cli->runtime_dir,
            .path = u->files.path + u->given,
            .count = u->files.count - u->given,
            .say = say_line,
            .ctx = u,
        });
    ret = supervisor_attach(u->supervisor, &u->loop);
    if (ret < 0)
        supervisor_stop(u->supervisor);
    uv_run(&u->loop, UV_RUN_DEFAULT);
    uv_loop_close(&u->loop);
    return supervisor_ended_well(u->supervisor) && ret == 0 ? CLI_OK : CLI_FAILED;
}

static int start(struct up *u)
{
    struct cli *cli = u->cli;
    size_t bad = launch_find_media(cli, &u->files);
    if (bad && u->files.count == 0)
        return CLI_FAILED;
    const char *state = cli->args.value[ARG_STATE_DIR];
    u->state_dir = state ? xstrdup(state) : path_state_dir();
    u->launch.runtime_dir = cli->runtime_dir;
    u->launch.state_dir = u->state_dir;
    u->launch.has_hub = true;
    int ret = launch_read_settings(cli, &u->launch, NULL, &u->off_screen);
    if (ret == CLI_OK)
        ret = claim_zone(u);
    if (ret == CLI_OK)
        ret = claim_state_dir(u);
    if (ret == CLI_OK)
        ret = mark_start(u);
    if (ret != CLI_OK)
        return ret;
    struct term term = term_of(cli->err);
    u->supervisor = supervisor_create(&(struct supervisor_params){ .log_fd = STDERR_FILENO,
                                                                   .has_colour = term.has_colour,
                                                                   .on_stop = on_stop,
                                                                   .on_look = on_look,
                                                                   .ctx = u });
    ret = launch_start(cli, &u->launch, u->supervisor, &u->files, &u->given);
    return ret == CLI_OK ? run(u) : ret;
}

int up_run(struct cli *cli)
{
    struct up u = { .cli = cli, .lock_fd = -1 };
    walk_init(&u.files);
    int ret = start(&u);
    supervisor_destroy(u.supervisor);
    launch_finish(&u.launch);
    walk_finish(&u.files);
    free(u.state_dir);
    if (u.lock_fd >= 0)
        close(u.lock_fd);
    return ret;
}
