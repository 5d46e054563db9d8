/* extractor: which yt-dlp is used, the update over its channel, and the way back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/paths.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/extractor_update.h"
#include "cli/fetch_hello.h"
#include "cli/walk.h"
#include "config/config.h"
#include "source/extractor_store.h"

/* An update under way is waited for so long: the player looks at the channel by itself, and who wants to go back is not to
 * try again and again. */
#define UPDATE_NS SECONDS(60)

struct extracting {
    struct cli *cli;
    struct config config;
    char *state_dir, *dir;
};

/* ---- status ------------------------------------------------------------------------------------- */

/* Where the one in use is, and whether it came over the channel. */
static void add_used(const struct extracting *x, struct message *m)
{
    char *program, *real = realpath(x->dir, NULL);
    struct message *hello;
    int ret = fetch_hello(&x->config, x->state_dir, &program, &hello);
    const char *path = message_str(hello, "yt_dlp_path", "");
    bool is_channels = real && strncmp(path, real, strlen(real)) == 0 && path[strlen(real)] == '/';
    message_set_str(m, "version", message_str(hello, "yt_dlp", NULL));
    message_set_str(m, "path", *path ? path : NULL);
    message_set_str(m, "from",
                    !*path                    ? NULL
                    : *x->config.fetch.yt_dlp ? "settings"
                    : is_channels             ? "channel"
                                              : "system");
    message_set_str(m, "problem",
                    *path ? NULL : message_str(hello, "message", ret < 0 ? strerror(-ret) : "?"));
    message_destroy(hello);
    free(program);
    free(real);
}

static void add_linked(const struct extracting *x, struct message *m, const char *link)
{
    char version[EXTRACTOR_VERSION_SIZE];
    message_set_str(m, link, extractor_linked(x->dir, link, version) ? version : NULL);
}

struct adding {
    const struct extracting *x;
    struct message *m;
};

static void add_refused(void *ctx, const char *version)
{
    struct adding *a = ctx;
    char why[EXTRACTOR_WHY_SIZE];
    if (!extractor_is_refused(a->x->dir, version, why))
        return;
    struct message *one = message_create();
    message_set_str(one, "version", version);
    message_set_str(one, "why", why);
    message_append_object(a->m, "refused", one);
}

static struct message *status_message(const struct extracting *x)
{
    struct message *m = message_create();
    const char *channel = x->config.extractor.channel;
    message_set_bool(m, "ok", true);
    add_used(x, m);
    add_linked(x, m, EXTRACTOR_CURRENT);
    add_linked(x, m, EXTRACTOR_PREVIOUS);
    const char *current = message_str(m, EXTRACTOR_CURRENT, NULL);
    message_set_bool(m, "is_whole", !current || extractor_is_whole(x->dir, current));
    message_set_str(m, "channel", *channel ? channel : NULL);
    message_set_i64(m, "check_hours", x->config.extractor.check_hours);
    message_set_bool(m, "is_signed", *x->config.extractor.key_file);
    message_set_array(m, "refused");
    extractor_refused(x->dir, add_refused, &(struct adding){ x, m });
    message_set_object(m, "checked", extractor_last_look(x->dir));
    return m;
}

static const char *text_time(char *out, size_t size, int64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm tm;
    if (!localtime_r(&seconds, &tm) || !strftime(out, size, "%Y-%m-%d %H:%M", &tm))
        snprintf(out, size, "?");
    return out;
}

static void print_status(struct cli *cli, const struct message *m)
{
    const char *from = message_str(m, "from", ""), *channel = message_str(m, "channel", NULL);
    const struct message *checked = message_object(m, "checked");
    char when[64];
    if (*from)
        fprintf(cli->out, "in use     yt-dlp %s, %s: %s\n", message_str(m, "version", "?"),
                strcmp(from, "channel") == 0    ? "from the channel"
                : strcmp(from, "settings") == 0 ? "as fetch.yt-dlp says"
                                                : "the system's own",
                message_str(m, "path", "?"));
    else
        fprintf(cli->out, "in use     none starts: %s\n", message_str(m, "problem", "?"));
    if (!message_bool(m, "is_whole", true))
        fprintf(cli->out, "damaged    %s on disk\n", message_str(m, "current", "?"));
    if (message_str(m, "current", NULL))
        fprintf(cli->out, "before     %s\n", message_str(m, "previous", "the system's own"));
    fprintf(cli->out, "channel    %s\n", channel ? channel : "none (extractor.channel)");
    if (checked)
        fprintf(cli->out, "last look  %s: %s\n",
                text_time(when, sizeof(when), message_i64(checked, "at_ms", 0)),
                message_str(checked, "text", "?"));
    for (size_t i = 0; i < message_count(m, "refused"); i++) {
        const struct message *one = message_object_at(m, "refused", i);
        fprintf(cli->out, "refused    %s: %s\n", message_str(one, "version", "?"),
                message_str(one, "why", "?"));
    }
}

static int run_status(struct extracting *x)
{
    struct message *m = status_message(x);
    if (!cli_print_json(x->cli, m))
        print_status(x->cli, m);
    message_destroy(m);
    return CLI_OK;
}

/* ---- update ------------------------------------------------------------------------------------- */

/* The sentences of `m`, as JSON or as text. */
static int tell(struct extracting *x, const struct message *m)
{
    bool is_good = message_bool(m, "ok", false);
    const char *text = message_str(m, "text", "?");
    if (cli_print_json(x->cli, m))
        return is_good ? CLI_OK : CLI_FAILED;
    if (!is_good)
        return cli_fail(x->cli, CLI_FAILED, "%s", text);
    fprintf(x->cli->out, "%s\n", text);
    return CLI_OK;
}

static int run_update(struct extracting *x)
{
    const char *word = x->cli->args.count > 1 ? x->cli->args.word[1] : NULL;
    if (word && strcmp(word, "again") != 0)
        return cli_usage(x->cli, "extractor update: \"%.60s\" is not known; it may say: again",
                         word);
    struct message *m = extractor_update(&(struct extractor_update){
        .config = &x->config, .state_dir = x->state_dir, .again = word != NULL });
    int ret = tell(x, m);
    message_destroy(m);
    return ret;
}

/* ---- rollback ----------------------------------------------------------------------------------- */

static int run_rollback(struct extracting *x)
{
    const char *why = x->cli->args.count > 1 ? x->cli->args.word[1] : "It was taken back by hand.";
    char from[EXTRACTOR_VERSION_SIZE] = "", to[EXTRACTOR_VERSION_SIZE], text[512];
    struct message *m = message_create();
    int lock = extractor_linked(x->dir, EXTRACTOR_CURRENT, from) ? extractor_lock(x->dir, UPDATE_NS)
                                                                 : -ENOENT;
    int ret = lock;
    if (lock >= 0) /* from the one of an update that was waited for */
        ret = extractor_linked(x->dir, EXTRACTOR_CURRENT, from) ? extractor_go_back(x->dir, why)
                                                                : -ENOENT;
    if (lock >= 0)
        close(lock);
    bool is_channels = extractor_linked(x->dir, EXTRACTOR_CURRENT, to);
    if (ret == 0)
        snprintf(text, sizeof(text), "Version %s is no longer used; now it is %s.", from,
                 is_channels ? to : "the system's own");
    else if (ret == -ENOENT)
        snprintf(text, sizeof(text),
                 "There is nothing to go back from: no version of the channel is "
                 "in use.");
    else if (ret == -EWOULDBLOCK)
        snprintf(text, sizeof(text), "An update is under way, for a minute already; try again.");
    else
        snprintf(text, sizeof(text), "%.200s: %s", x->dir, strerror(-ret));
    message_set_bool(m, "ok", ret == 0);
    message_set_str(m, "version", ret == 0 && is_channels ? to : NULL);
    message_set_str(m, "text", text);
    ret = tell(x, m);
    message_destroy(m);
    return ret;
}

/* ---- the command -------------------------------------------------------------------------------- */

static const struct word {
    const char *name;
    size_t words_max;
    int (*run)(struct extracting *x);
} words[] = {
    { "status", 1, run_status },
    { "update", 2, run_update },
    { "rollback", 2, run_rollback },
};

static int extracting_begin(struct extracting *x, struct cli *cli)
{
    struct config_error err;
    const char *named = cli->args.value[ARG_STATE_DIR];
    *x = (struct extracting){ .cli = cli };
    char *dir = named ? xstrdup(named) : path_state_dir();
    x->state_dir = path_absolute(dir);
    x->dir = extractor_dir(x->state_dir);
    free(dir);
    if (config_load_from(&x->config, cli->args.value[ARG_CONFIG], cli->args.set,
                         cli->args.set_count, &err) < 0)
        return cli_fail(cli, CLI_USAGE, "%s", err.text);
    return CLI_OK;
}

int extractor_run(struct cli *cli)
{
    const struct word *w = words;
    while (w < words + ARRAY_LEN(words) && strcmp(w->name, cli->args.word[0]) != 0)
        w++;
    if (w == words + ARRAY_LEN(words))
        return cli_usage(cli, "extractor has no command %.60s; it has: status update rollback",
                         cli->args.word[0]);
    if (cli->args.count > w->words_max)
        return cli_usage(cli, "extractor %s: \"%.60s\" is one word too many", w->name,
                         cli->args.word[w->words_max]);
    struct extracting x;
    int ret = extracting_begin(&x, cli);
    if (ret == CLI_OK)
        ret = w->run(&x);
    config_finish(&x.config);
    free(x.dir);
    free(x.state_dir);
    return ret;
}
