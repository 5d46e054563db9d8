/* djamms-player: the brain of a zone. */
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/paths.h"
#include "config/config.h"
#include "player/house.h"

#define EXIT_USAGE 2

struct arguments {
    char *runtime_dir, *state_dir;
    char **files; /* absolute */
    size_t file_count;
};

static const char usage[] =
    "Usage: djamms-player [--runtime-dir DIR] [--state-dir DIR] [--config FILE]\n"
    "                     [--set SECTION.KEY=VALUE]... [FILE...]\n"
    "The brain of the jukebox: holds the queue and tells decks and stage what plays.\n"
    "FILEs are added to the queue.\n";

static char *absolute(const char *path)
{
    if (path[0] == '/')
        return xstrdup(path);
    char folder[PATH_MAX];
    if (!getcwd(folder, sizeof(folder)))
        return xstrdup(path);
    return xasprintf("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, path);
}

static void arguments_finish(struct arguments *a)
{
    for (size_t i = 0; i < a->file_count; i++)
        free(a->files[i]);
    free(a->files);
    free(a->runtime_dir);
    free(a->state_dir);
}

/* -1: go on; else the exit status. */
static int arguments_parse(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {
        { "runtime-dir", required_argument, NULL, 'r' },
        { "state-dir", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { 0 },
    };
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'r' || c == 's') {
            char **dir = c == 'r' ? &a->runtime_dir : &a->state_dir;
            free(*dir);
            *dir = absolute(optarg);
        } else if (c == 'h') {
            fputs(usage, stdout);
            config_write_help(stdout);
            return EXIT_SUCCESS;
        } else if (c == 'V') {
            puts("djamms-player " DJAMMS_VERSION);
            return EXIT_SUCCESS;
        } else {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    a->file_count = (size_t)(argc - optind);
    a->files = xcalloc(a->file_count + 1, sizeof(*a->files));
    for (size_t i = 0; i < a->file_count; i++)
        a->files[i] = absolute(argv[optind + (int)i]);
    if (!a->runtime_dir)
        a->runtime_dir = path_runtime_dir();
    if (!a->state_dir)
        a->state_dir = path_state_dir();
    return -1;
}

static int make_folders(const struct arguments *a, const struct log *log)
{
    const char *dirs[] = { a->runtime_dir, a->state_dir };
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        int ret = dir_make(dirs[i]);
        if (ret < 0) {
            log_err(log, "%s: %s", dirs[i], strerror(-ret));
            return ret;
        }
    }
    return 0;
}

static int run(const struct arguments *a, const struct config *config, const struct log *log)
{
    struct house *house;
    struct service service = service_open(log);
    if (make_folders(a, log) < 0)
        return EXIT_FAILURE;
    int ret = house_create(&house, &(struct house_params){
                                       .config = config,
                                       .runtime_dir = a->runtime_dir,
                                       .state_dir = a->state_dir,
                                       .files = a->files,
                                       .file_count = a->file_count,
                                       .log = log,
                                       .service = &service,
                                   });
    if (ret < 0)
        return EXIT_FAILURE;
    int status = house_run(house);
    house_destroy(house);
    return status;
}

int main(int argc, char **argv)
{
    struct config config;
    struct config_error error;
    struct arguments arguments = { 0 };
    struct log log = log_open("player");
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    int status = EXIT_USAGE;
    if (config_load(&config, &argc, argv, &error) < 0) {
        log_err(&log, "%s", error.text);
    } else {
        if (!getenv("DJAMMS_LOG"))
            log.level = (enum log_level)config.log.level;
        status = arguments_parse(&arguments, argc, argv);
        if (status < 0)
            status = run(&arguments, &config, &log);
    }
    arguments_finish(&arguments);
    config_finish(&config);
    return status;
}
