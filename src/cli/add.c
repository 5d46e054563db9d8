/* add: what is named is sorted into files, folders, ids and addresses, then sent in portions. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/find_media.h"
#include "model/track.h"
#include "source/address.h"

#define REFUSED_SHOWN 10

struct adding {
    struct cli *cli;
    struct client client;
    struct walk walk;
    struct progress progress;
    const char **id, **url; /* borrowed words */
    size_t id_count, url_count;
    size_t added, refused;
    bool is_full;
    char place[48];         /* of the first one that was added, as "main:3"; empty: unknown */
    struct message *result; /* what --json prints */
};

static void refuse(struct adding *a, const char *what, const char *why)
{
    progress_clear(&a->progress);
    if (a->refused++ < REFUSED_SHOWN)
        cli_fail(a->cli, CLI_FAILED, "%s: %s", what, why);
    struct message *m = message_create();
    message_set_str(m, "file", what);
    message_set_str(m, "error", why);
    message_append_object(a->result, "refused", m);
}

/* A word that is no file is an id, unless it can only have been meant as a file. */
static bool is_id(const char *word)
{
    return access(word, F_OK) < 0 && errno == ENOENT && !strchr(word, '/') && !path_is_media(word);
}

/* With a scheme, or as people copy those of YouTube. */
static bool is_address(const char *word)
{
    struct address a;
    bool has_scheme = strncasecmp(word, "http://", 7) == 0 || strncasecmp(word, "https://", 8) == 0;
    return has_scheme || (strchr(word, '/') && access(word, F_OK) < 0 &&
                          address_read(word, strlen(word), ADDRESS_BY_GUEST, &a) == ADDRESS_OK);
}

static void sort_word(struct adding *a, const char *word)
{
    char why[MEDIA_WHY_MAX];
    if (is_address(word))
        a->url[a->url_count++] = word;
    else if (is_id(word))
        a->id[a->id_count++] = word;
    else if (!find_media(&a->walk, word, why))
        refuse(a, word, why);
}

static void take_refused(struct adding *a, const struct message *r)
{
    if (strcmp(message_str(r, "code", ""), "full") != 0)
        refuse(a, message_str(r, "file", "?"), message_str(r, "error", "refused"));
}

/* What is added to play next stands before what was added so far. */
static void note_place(struct adding *a, const struct message *first)
{
    const char *list = message_str(first, "list", "");
    int64_t index = message_i64(first, "index", -1);
    bool is_first = !a->added || args_has(&a->cli->args, ARG_NEXT);
    if (is_first && *list && index >= 0)
        snprintf(a->place, sizeof(a->place), "%.20s:%" PRId64, list, index);
}

static void take_answer(struct adding *a, const struct message *answer)
{
    const struct message *first = message_object_at(answer, "added", 0);
    if (first)
        note_place(a, first);
    a->added += message_count(answer, "added");
    for (size_t i = 0; i < message_count(answer, "added"); i++) {
        const struct message *track = message_object_at(answer, "added", i);
        if (track)
            message_append_object(a->result, "added", message_copy(track));
    }
    for (size_t i = 0; i < message_count(answer, "refused"); i++) {
        const struct message *r = message_object_at(answer, "refused", i);
        if (r)
            take_refused(a, r);
    }
}

static int send_batch(struct adding *a, struct message *request)
{
    struct message *answer;
    if (args_has(&a->cli->args, ARG_NEXT))
        message_set_bool(request, "next", true);
    if (args_has(&a->cli->args, ARG_REQUEST))
        message_set_str(request, "request", a->cli->args.value[ARG_REQUEST]);
    int ret = cli_exchange(a->cli, &a->client, request, &answer);
    message_destroy(request);
    if (ret != CLI_OK)
        return ret;
    a->is_full = batch_found_full(answer);
    if (!a->is_full)
        ret = cli_check_answer(a->cli, answer);
    take_answer(a, answer);
    message_destroy(answer);
    return ret;
}

static int send_files(struct adding *a, const struct walk *w)
{
    size_t *start = xcalloc(w->count + 1, sizeof(*start)), batches = 0;
    for (size_t i = 0; i < w->count; i += batch_length(w->path + i, w->count - i))
        start[batches++] = i;
    start[batches] = w->count;
    int ret = CLI_OK;
    for (size_t i = 0; ret == CLI_OK && !a->is_full && i < batches; i++) {
        /* What comes next goes before what came next before: the last portion is sent first. */
        size_t batch = args_has(&a->cli->args, ARG_NEXT) ? batches - 1 - i : i;
        ret = send_batch(a, batch_request(w->path + start[batch], start[batch + 1] - start[batch]));
        progress_show(&a->progress, "added %zu of %zu", a->added, w->count);
    }
    free(start);
    return ret;
}

static int send_ids(struct adding *a)
{
    if (a->id_count + a->url_count == 0 || a->is_full)
        return CLI_OK;
    struct message *request = cli_request("add");
    for (size_t i = 0; i < a->id_count; i++)
        message_append_str(request, "ids", a->id[i]);
    for (size_t i = 0; i < a->url_count; i++)
        message_append_str(request, "urls", a->url[i]);
    return send_batch(a, request);
}

static void print_added(const struct adding *a)
{
    FILE *out = a->cli->out;
    fprintf(out, "added %zu %s", a->added, a->added == 1 ? "track" : "tracks");
    if (*a->place) {
        fputs(a->added == 1 ? " at " : ", the first at ", out);
        term_put(&a->cli->term, STYLE_PLAIN, a->place);
    }
    fputc('\n', out);
}

/* Says what came of it, after it ended with `ret`; the exit code. */
static int report(struct adding *a, int ret)
{
    struct cli *cli = a->cli;
    size_t wanted = a->walk.count + a->id_count + a->url_count;
    progress_clear(&a->progress);
    if (a->refused > REFUSED_SHOWN)
        cli_fail(cli, CLI_FAILED, "and %zu more refused", a->refused - REFUSED_SHOWN);
    bool is_whole = find_media_report(cli, &a->walk) && !a->refused && !a->is_full;
    if (a->is_full)
        cli_fail(cli, CLI_FAILED, "the queue is full: %zu of %zu were added", a->added, wanted);
    message_set_bool(a->result, "ok", is_whole && ret == CLI_OK);
    message_set_i64(a->result, "count", (int64_t)a->added);
    message_set_bool(a->result, "is_full", a->is_full);
    message_set_array(a->result, "added");
    message_set_array(a->result, "refused");
    if (!cli_print_json(cli, a->result))
        print_added(a);
    return ret != CLI_OK ? ret : is_whole ? CLI_OK : CLI_FAILED;
}

int add_run(struct cli *cli)
{
    struct adding a = { .cli = cli };
    int ret = cli_connect(cli, &a.client);
    if (ret != CLI_OK)
        return ret;
    walk_init(&a.walk);
    progress_init(&a.progress, cli->err);
    find_media_show(&a.walk, &a.progress);
    a.id = xcalloc(cli->args.count, sizeof(*a.id));
    a.url = xcalloc(cli->args.count, sizeof(*a.url));
    a.result = message_create();
    message_set_bool(a.result, "ok", false); /* the first field, as of every answer */
    for (size_t i = 0; i < cli->args.count; i++)
        sort_word(&a, cli->args.word[i]);
    ret = send_files(&a, &a.walk);
    if (ret == CLI_OK)
        ret = send_ids(&a);
    ret = report(&a, ret);
    message_destroy(a.result);
    free(a.id);
    free(a.url);
    walk_finish(&a.walk);
    client_close(&a.client);
    return ret;
}
