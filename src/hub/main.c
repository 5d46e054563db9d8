/* djamms-hub: the backend of a house in one program. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/end_signal.h"
#include "base/paths.h"
#include "config/config.h"
#include "config/listen.h"
#include "hub/admin.h"
#include "hub/hub.h"

#define EXIT_USAGE 2

static const char help[] =
    "Usage: djamms-hub [OPTION]...\n"
    "       djamms-hub COMMAND ...\n"
    "\n"
    "Serves a DJAMMS venue to players, phones and web pages with Appwrite's protocol.\n"
    "The first line on standard output is the base URL. Normally `djamms up` starts it.\n"
    "\n"
    "  --config FILE            settings; see djamms.ini(5), section [hub]\n"
    "  --set SECTION.KEY=VALUE  one setting\n"
    "  --listen WHERE           localhost, lan, or ADDR:PORT; port 0: a free one\n"
    "  --data DIR               the folder of the database\n"
    "  --project ID             the project's id\n"
    "  --database ID            the database's id\n"
    "  --venue ID               the venue's id\n"
    "  --runtime-dir DIR        writes hub.json there, by which the zone finds the hub\n"
    "  --state-dir DIR          below it the data are, unless hub.data or --data says where\n"
    "  --help, --version\n"
    "\n"
    "Commands for a data folder:\n";

struct arguments {
    const char *runtime_dir, *state_dir; /* NULL: none; the zone's own */
};

/* Options that stand for a setting. */
static const char *setting_of(int option)
{
    switch (option) {
    case 'l': return "hub.listen";
    case 'd': return "hub.data";
    case 'p': return "hub.project";
    case 'b': return "hub.database";
    case 'v': return "hub.venue";
    default: return NULL;
    }
}

static int show(FILE *to, int status)
{
    fprintf(to, "%s%s", help, admin_usage);
    return status;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct arguments *a, struct config *config)
{
    static const struct option options[] = {
        { "listen", required_argument, NULL, 'l' },
        { "data", required_argument, NULL, 'd' },
        { "project", required_argument, NULL, 'p' },
        { "database", required_argument, NULL, 'b' },
        { "venue", required_argument, NULL, 'v' },
        { "runtime-dir", required_argument, NULL, 'r' },
        { "state-dir", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { 0 },
    };
    struct config_error error;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        const char *setting = setting_of(c);
        if (setting && config_set(config, setting, optarg, &error) < 0) {
            fprintf(stderr, "djamms-hub: %s\n", error.text);
            return EXIT_USAGE;
        }
        if (c == 'r')
            a->runtime_dir = optarg;
        else if (c == 's')
            a->state_dir = optarg;
        else if (c == 'V')
            return puts("djamms-hub " DJAMMS_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        else if (c == 'h')
            return show(stdout, EXIT_SUCCESS);
        else if (!setting)
            return show(stderr, EXIT_USAGE);
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "djamms-hub: %s: no such command; see --help\n", argv[optind]);
    return EXIT_USAGE;
}

static void stop(void *hub)
{
    hub_stop(hub);
}

static int serve(struct hub *hub, struct end_signal *end, const struct log *log)
{
    if (end_signal_await(end, stop, hub) < 0) {
        log_err(log, "no thread can be started");
        return EXIT_FAILURE;
    }
    printf("%s\n", hub_base_url(hub));
    fflush(stdout);
    hub_run(hub);
    end_signal_join(end);
    return EXIT_SUCCESS;
}

static const char *text_or_null(const char *text)
{
    return *text ? text : NULL;
}

static int run(const struct config *config, const struct arguments *args, const struct log *log)
{
    struct listen_address where;
    if (!listen_parse(config->hub.listen, config->hub.port, &where))
        return EXIT_USAGE; /* the setting was checked when it was read */
    struct end_signal end;
    struct hub *hub;
    struct service service = service_open(log);
    end_signal_block(&end);
    signal(SIGPIPE, SIG_IGN);
    char *state = args->state_dir ? xstrdup(args->state_dir) : path_state_dir();
    char *data = *config->hub.data ? xstrdup(config->hub.data) : xasprintf("%s/hub", state);
    int ret = hub_create(&hub, &(struct hub_params){
                                   .data_dir = data,
                                   .runtime_dir = args->runtime_dir,
                                   .address = where.address,
                                   .port = where.port,
                                   .takes_free_port = !where.has_port,
                                   .project_id = config->hub.project,
                                   .database_id = config->hub.database,
                                   .venue_id = config->hub.venue,
                                   .certificate = text_or_null(config->hub.certificate),
                                   .key = text_or_null(config->hub.key),
                                   .origins = config->hub.origins,
                                   .encodes_arrays = config->hub.encode_arrays,
                                   .log = log,
                                   .service = &service,
                               });
    free(data);
    free(state);
    if (ret < 0)
        return EXIT_FAILURE;
    int status = serve(hub, &end, log);
    hub_destroy(hub);
    return status;
}

int main(int argc, char **argv)
{
    if (argc > 1 && admin_is_command(argv[1]))
        return admin_run(argc, argv);
    struct log log = log_open("hub");
    struct config config;
    struct config_error error;
    struct arguments args = { 0 };
    int status = EXIT_USAGE;
    if (config_load(&config, &argc, argv, &error) < 0) {
        log_err(&log, "%s", error.text);
    } else if ((status = parse(argc, argv, &args, &config)) < 0) {
        log.level = (enum log_level)config.log.level;
        status = run(&config, &args, &log);
    }
    config_finish(&config);
    return status;
}
