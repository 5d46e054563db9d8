/* cache: fetched media, through the jukebox that runs, else on their folder itself. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/now.h"
#include "base/paths.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/track_line.h"
#include "config/config.h"
#include "source/cache_answer.h"

#define SLICE_NS INT64_MAX / 2 /* nobody else waits */

struct caching {
    struct cli *cli;
    struct client client; /* is_running */
    bool is_running;
    struct cache *cache; /* else; NULL: there is none yet */
};

/* ---- whom to ask ------------------------------------------------------------------------------- */

/* What an empty cache answers, without making its folder. */
static struct message *answer_absent(const struct message *request)
{
    static const char *const numbers[] = { "media",   "pinned",  "partial",
                                           "checked", "removed", "freed" };
    struct message *m = message_create();
    const char *what = message_str(request, "do", "");
    bool is_pin = strcmp(what, "pin") == 0 || strcmp(what, "unpin") == 0;
    message_set_bool(m, "ok", !is_pin);
    if (is_pin) {
        message_set_str(m, "error", "The cache is empty.");
        message_set_str(m, "code", "not-found");
        return m;
    }
    message_set_array(m, "entries");
    message_set_array(m, "damaged");
    message_set_bool(m, "is_enough", true);
    message_set_null(m, "next");
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        message_set_i64(m, numbers[i], 0);
    return m;
}

static int open_folder(struct caching *g)
{
    struct cli *cli = g->cli;
    struct config c;
    struct config_error err;
    const char *file = cli->args.value[ARG_CONFIG];
    if (config_load_from(&c, file, cli->args.set, cli->args.set_count, &err) < 0) {
        config_finish(&c);
        return cli_fail(cli, CLI_USAGE, "%s", err.text);
    }
    char *dir = *c.cache.dir ? xstrdup(c.cache.dir) : path_cache_dir();
    struct log log = { .module = "djamms", .level = LOG_ERROR };
    int ret = access(dir, F_OK) < 0
                  ? 0
                  : cache_open(&g->cache, &(struct cache_params){
                                              .dir = dir,
                                              .max_bytes = (uint64_t)c.cache.size * 1000000,
                                              .floor_bytes = (uint64_t)c.cache.free_floor * 1000000,
                                              .now_ns = now_mono_ns(),
                                              .wall_ms = now_wall_ms(),
                                              .log = &log,
                                          });
    if (ret == -EWOULDBLOCK)
        cli_fail(cli, CLI_FAILED, "%s: another program works on it; try again", dir);
    else if (ret == -ENOTEMPTY)
        cli_fail(cli, CLI_FAILED, "%s holds other things; cache.dir names another folder", dir);
    else if (ret < 0)
        cli_fail(cli, CLI_FAILED, "%s: %s", dir, strerror(-ret));
    free(dir);
    config_finish(&c);
    return ret < 0 ? CLI_FAILED : CLI_OK;
}

static int caching_begin(struct caching *g, struct cli *cli)
{
    *g = (struct caching){ .cli = cli };
    int ret = client_open(&g->client, cli->runtime_dir);
    g->is_running = ret == 0;
    if (ret == -ENOENT || ret == -ECONNREFUSED)
        return open_folder(g);
    return ret < 0 ? cli_fail_exchange(cli, ret) : CLI_OK;
}

static void caching_end(struct caching *g)
{
    client_close(&g->client);
    cache_close(g->cache, now_mono_ns());
}

/* CLI_OK: *answer says ok and is the caller's. A jukebox takes as long as its disk does. */
static int ask(struct caching *g, const struct message *request, struct message **answer)
{
    int ret = 0;
    *answer = NULL;
    if (g->is_running) {
        ret = client_send(&g->client, request);
        if (ret == 0)
            ret = client_read(&g->client, -1, answer);
    } else if (g->cache) {
        *answer = cache_answer(g->cache, request, NULL, SLICE_NS);
    } else {
        *answer = answer_absent(request);
    }
    ret = ret < 0 ? cli_fail_exchange(g->cli, ret) : cli_check_answer(g->cli, *answer);
    if (ret == CLI_OK)
        return CLI_OK;
    message_destroy(*answer);
    *answer = NULL;
    return ret;
}

/* ---- what is shown ----------------------------------------------------------------------------- */

static const char *text_bytes(char *out, size_t size, int64_t bytes)
{
    if (bytes < 10 * 1000 * 1000)
        snprintf(out, size, "%.1f MB", (double)bytes / 1e6);
    else if (bytes < INT64_C(10) * 1000 * 1000 * 1000)
        snprintf(out, size, "%.0f MB", (double)bytes / 1e6);
    else
        snprintf(out, size, "%.1f GB", (double)bytes / 1e9);
    return out;
}

static const char *text_note(char *out, size_t size, const struct message *e)
{
    const char *pin = message_str(e, "pin", NULL);
    long long plays = (long long)message_i64(e, "plays", 0);
    int n = plays ? snprintf(out, size, "played %lld times%s", plays, pin ? ", " : "") : 0;
    if (pin)
        snprintf(out + n, size - (size_t)n, "pinned (%s)%s", pin,
                 message_bool(e, "is_here", true) ? "" : ", not fetched yet");
    else if (!plays)
        out[0] = '\0';
    return out;
}

static void print_list(struct cli *cli, const struct message *answer)
{
    static const char *const sums[] = { "media", "pinned", "partial", "budget", "free" };
    char text[5][32];
    struct table t;
    table_init(&t, 4, 1);
    t.right[2] = true;
    for (size_t i = 0; i < message_count(answer, "entries"); i++) {
        const struct message *e = message_object_at(answer, "entries", i);
        char line[TRACK_LINE_MAX], size[32], note[96];
        table_add(&t, STYLE_DIM, message_str(e, "id", message_str(e, "key", "")));
        table_add(&t, STYLE_PLAIN, track_line(line, sizeof(line), e));
        table_add(&t, STYLE_PLAIN, text_bytes(size, sizeof(size), message_i64(e, "bytes", 0)));
        table_add(&t, STYLE_PLAIN, text_note(note, sizeof(note), e));
    }
    bool is_empty = t.count == 0;
    table_print(&t, &cli->term);
    table_finish(&t);
    if (is_empty)
        fputs("the cache is empty\n", cli->out);
    if (is_empty && !message_has(answer, "budget"))
        return;
    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        text_bytes(text[i], sizeof(text[i]), message_i64(answer, sums[i], 0));
    fprintf(cli->out, "\n%s of at most %s, %s pinned, %s half fetched; %s free in %s\n", text[0],
            text[3], text[1], text[2], text[4], message_str(answer, "dir", ""));
}

/* ---- the words --------------------------------------------------------------------------------- */

static struct message *request_to(const char *what)
{
    struct message *m = cli_request("cache");
    message_set_str(m, "do", what);
    return m;
}

static int run_list(struct caching *g)
{
    struct message *request = request_to("list"), *answer;
    int ret = ask(g, request, &answer);
    if (ret == CLI_OK && !cli_print_json(g->cli, answer))
        print_list(g->cli, answer);
    message_destroy(answer);
    message_destroy(request);
    return ret;
}

static int run_pin(struct caching *g)
{
    const char *what = g->cli->args.word[0], *id = g->cli->args.word[1];
    struct message *request = request_to(what), *answer;
    message_set_str(request, "id", id);
    int ret = ask(g, request, &answer);
    if (ret == CLI_OK && !cli_print_json(g->cli, answer))
        fprintf(g->cli->out, "%s %s\n", message_str(answer, "key", id),
                *what == 'p' ? "stays" : "may go when room is needed");
    message_destroy(answer);
    message_destroy(request);
    return ret;
}

/* Adds what one slice found to the sum. */
static void add_slice(struct message *sum, const struct message *answer)
{
    message_set_i64(sum, "checked",
                    message_i64(sum, "checked", 0) + message_i64(answer, "checked", 0));
    for (size_t i = 0; i < message_count(answer, "damaged"); i++)
        message_append_object(sum, "damaged",
                              message_copy(message_object_at(answer, "damaged", i)));
}

static void print_verified(struct cli *cli, const struct message *sum)
{
    for (size_t i = 0; i < message_count(sum, "damaged"); i++) {
        const struct message *one = message_object_at(sum, "damaged", i);
        fprintf(cli->out, "%s is damaged and %s\n", message_str(one, "key", ""),
                message_bool(one, "is_dropped", true) ? "was dropped" : "still in use");
    }
    fprintf(cli->out, "%lld checked, %zu damaged\n", (long long)message_i64(sum, "checked", 0),
            message_count(sum, "damaged"));
}

static int run_verify(struct caching *g)
{
    struct message *request = request_to("verify"), *sum = message_create();
    int ret = CLI_OK;
    message_set_bool(request, "deep", args_has(&g->cli->args, ARG_DEEP));
    message_set_bool(sum, "ok", true);
    message_set_i64(sum, "checked", 0);
    message_set_array(sum, "damaged");
    for (bool goes_on = true; goes_on && ret == CLI_OK;) {
        struct message *answer;
        ret = ask(g, request, &answer);
        if (ret != CLI_OK)
            break;
        const char *next = message_str(answer, "next", NULL);
        add_slice(sum, answer);
        goes_on = next != NULL;
        if (goes_on)
            message_set_str(request, "after", next);
        message_destroy(answer);
    }
    bool is_damaged = message_count(sum, "damaged") > 0;
    message_set_bool(sum, "ok", !is_damaged);
    if (ret == CLI_OK && !cli_print_json(g->cli, sum))
        print_verified(g->cli, sum);
    message_destroy(sum);
    message_destroy(request);
    return ret == CLI_OK && is_damaged ? CLI_FAILED : ret;
}

/* "500M", "20G", "1T"; a plain number is MB, as in the settings. */
static bool parse_size(const char *text, int64_t *bytes)
{
    static const struct {
        char unit;
        int64_t bytes;
    } units[] = {
        { '\0', 1000000 }, { 'm', 1000000 }, { 'g', 1000000000 }, { 't', INT64_C(1000000000000) }
    };
    char number[16];
    long n;
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len >= sizeof(number) || (text[len] && text[len + 1]))
        return false;
    memcpy(number, text, len);
    number[len] = '\0';
    if (!parse_number(number, 0, 1000000, &n))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (tolower((unsigned char)text[len]) == units[i].unit) {
            *bytes = n * units[i].bytes;
            return true;
        }
    return false;
}

static int run_prune(struct caching *g)
{
    struct message *request = request_to("prune"), *answer;
    const char *to = g->cli->args.value[ARG_TO];
    int64_t bytes = 0;
    if (to && parse_size(to, &bytes))
        message_set_i64(request, "bytes", bytes);
    int ret = ask(g, request, &answer);
    bool is_enough = ret == CLI_OK && message_bool(answer, "is_enough", true);
    if (ret == CLI_OK && !cli_print_json(g->cli, answer)) {
        char freed[32], left[32];
        fprintf(g->cli->out, "%lld removed, %s freed; %s are left\n",
                (long long)message_i64(answer, "removed", 0),
                text_bytes(freed, sizeof(freed), message_i64(answer, "freed", 0)),
                text_bytes(left, sizeof(left), message_i64(answer, "media", 0)));
    }
    if (ret == CLI_OK && !is_enough)
        ret = cli_fail(g->cli, CLI_FAILED, "what is pinned or in the queue takes more");
    message_destroy(answer);
    message_destroy(request);
    return ret;
}

static const struct word {
    const char *name;
    bool takes_id;
    uint64_t options; /* that only this one takes */
    int (*run)(struct caching *g);
} words[] = {
    { "list", false, 0, run_list },
    { "pin", true, 0, run_pin },
    { "unpin", true, 0, run_pin },
    { "verify", false, ARG_BIT(ARG_DEEP), run_verify },
    { "prune", false, ARG_BIT(ARG_TO), run_prune },
};

static int check_words(struct cli *cli, const struct word *w)
{
    const uint64_t special = ARG_BIT(ARG_DEEP) | ARG_BIT(ARG_TO);
    enum arg_option foreign = args_foreign(&cli->args, ~special | w->options);
    int64_t bytes;
    if (foreign != ARG_OPTIONS)
        return cli_usage(cli, "cache %s takes no option --%s", w->name, arg_spec(foreign)->name);
    if (w->takes_id && cli->args.count < 2)
        return cli_usage(cli, "cache %s: something is missing: djamms cache %s ID", w->name,
                         w->name);
    if (!w->takes_id && cli->args.count > 1)
        return cli_usage(cli, "cache %s: \"%.60s\" is one word too many", w->name,
                         cli->args.word[1]);
    if (args_has(&cli->args, ARG_TO) && !parse_size(cli->args.value[ARG_TO], &bytes))
        return cli_usage(cli, "cache: \"%.60s\" is no size like 500M or 20G",
                         cli->args.value[ARG_TO]);
    return CLI_OK;
}

int cache_run(struct cli *cli)
{
    const struct word *w = words;
    while (w < words + ARRAY_LEN(words) && strcmp(w->name, cli->args.word[0]) != 0)
        w++;
    if (w == words + ARRAY_LEN(words))
        return cli_usage(cli, "cache has no command %.60s; it has: list pin unpin verify prune",
                         cli->args.word[0]);
    struct caching g;
    int ret = check_words(cli, w);
    if (ret != CLI_OK)
        return ret;
    ret = caching_begin(&g, cli);
    if (ret == CLI_OK)
        ret = w->run(&g);
    caching_end(&g);
    return ret;
}
