/* djamms-deck: decodes what the player orders into the rings of one deck. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/end_signal.h"
#include "base/paths.h"
#include "config/config.h"
#include "deck/deck.h"
#include "media/av_log.h"

#define EXIT_USAGE 2

static const char help[] =
    "Usage: djamms-deck --deck a|b [--runtime-dir DIR] [--config FILE] [--set "
    "SECTION.KEY=VALUE]...\n"
    "\n"
    "Decodes media files into shared memory for djamms-stage. Normally `djamms up` starts it.\n";

struct arguments {
    const char *runtime_dir; /* NULL: the zone's own */
    uint32_t deck;
};

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        { "deck", required_argument, NULL, 'd' },
        { "runtime-dir", required_argument, NULL, 'r' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    const char *deck = "";
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (c == 'd') {
            deck = optarg;
        } else if (c == 'r') {
            a->runtime_dir = optarg;
        } else {
            fputs(help, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
        }
    }
    a->deck = strcmp(deck, "b") == 0;
    if (optind == argc && (a->deck || strcmp(deck, "a") == 0))
        return -1;
    fputs("djamms-deck: --deck a or --deck b is needed, and nothing else; see --help\n", stderr);
    return EXIT_USAGE;
}

static void stop(void *deck)
{
    deck_stop(deck);
}

static struct hardware_settings hardware_of(const struct config *config)
{
    bool is_off = strcmp(config->decode.hardware, "off") == 0;
    return (struct hardware_settings){ .dev_dir = is_off ? NULL : "/dev",
                                       .board = board_kind_here() };
}

static int run(const struct config *config, const struct arguments *args, const struct log *log)
{
    struct end_signal end;
    struct deck *deck;
    struct service service = service_open(log);
    char *dir = path_runtime_dir();
    end_signal_block(&end);
    int ret = deck_create(&deck, &(struct deck_params){
                                     .runtime_dir = args->runtime_dir ? args->runtime_dir : dir,
                                     .index = args->deck,
                                     .threads = config->decode.threads,
                                     .deinterlace = config->decode.deinterlace,
                                     .hardware = hardware_of(config),
                                     .languages = config->subtitles.languages,
                                     .has_overlay = config->display.overlay,
                                     .log = log,
                                     .service = &service,
                                 });
    if (ret < 0) {
        log_err(log, "shared memory in %s cannot be used: %s",
                args->runtime_dir ? args->runtime_dir : dir, strerrordesc_np(-ret));
    } else if (end_signal_await(&end, stop, deck) < 0) {
        log_err(log, "no thread can be started");
        deck_destroy(deck);
        ret = -EAGAIN;
    } else {
        deck_run(deck);
        end_signal_join(&end);
        deck_destroy(deck);
    }
    free(dir);
    return ret;
}

int main(int argc, char **argv)
{
    struct log log = log_open("deck");
    struct config config;
    struct config_error error;
    struct arguments args = { 0 };
    int status = EXIT_USAGE;
    if (config_load(&config, &argc, argv, &error) < 0) {
        log_err(&log, "%s", error.text);
    } else if ((status = parse(argc, argv, &args)) < 0) {
        log.module = args.deck == 0 ? "deck-a" : "deck-b";
        log.level = (enum log_level)config.log.level;
        av_log_route(&log);
        status = run(&config, &args, &log) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    config_finish(&config);
    return status;
}
