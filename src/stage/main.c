/* djamms-stage: shows and sounds what the player plans. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"
#include "shm/control.h"
#include "stage/stage.h"

#define EXIT_USAGE 2

/* Written by the signal handler, so it has to live at file scope. */
static volatile sig_atomic_t stop_wanted;

static void on_signal(int sig)
{
    stop_wanted = sig;
}

static const char help[] =
    "Usage: djamms-stage [--runtime-dir DIR] [--stage N] [--config FILE] [--set "
    "SECTION.KEY=VALUE]...\n"
    "\n"
    "Shows the pictures and plays the sound of a zone. Normally `djamms up` starts it.\n"
    "  --stage N   0: has the sound and keeps the time; 1 to 3: a further display that follows\n";

struct arguments {
    const char *runtime_dir;
    int stage;
};

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        { "stage", required_argument, NULL, 's' },
        { "runtime-dir", required_argument, NULL, 'r' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    const char *stage = "0";
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 's') {
            stage = optarg;
        } else if (c == 'r') {
            a->runtime_dir = optarg;
        } else {
            fputs(help, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
        }
    }
    a->stage = stage[0] - '0';
    if (optind == argc && a->stage >= 0 && a->stage < STAGES_MAX && !stage[1])
        return -1;
    fprintf(stderr,
            "djamms-stage: --stage is a number from 0 to %d; no words are taken; see --help\n",
            STAGES_MAX - 1);
    return EXIT_USAGE;
}

static int run(const struct config *config, const struct arguments *args, struct log *log)
{
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    struct service service = service_open(log);
    char *dir = path_runtime_dir();
    int ret = stage_run(&(struct stage_params){
        .config = config,
        .runtime_dir = args->runtime_dir ? args->runtime_dir : dir,
        .index = args->stage,
        .stop = &stop_wanted,
        .log = log,
        .service = &service,
    });
    free(dir);
    return ret;
}

int main(int argc, char **argv)
{
    struct log log = log_open("stage");
    struct config config;
    struct config_error error;
    struct arguments args = { 0 };
    int status = EXIT_USAGE;
    if (config_load(&config, &argc, argv, &error) < 0) {
        log_err(&log, "%s", error.text);
    } else if ((status = parse(argc, argv, &args)) < 0) {
        log.level = (enum log_level)config.log.level;
        status = run(&config, &args, &log) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    config_finish(&config);
    return status;
}
