#include "cli/extractor_update.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/now.h"
#include "cli/download.h"
#include "cli/fetch_hello.h"
#include "net/signature.h"
#include "source/canary.h"
#include "source/extractor_store.h"
#include "source/fetch_command.h"
#include "source/folders.h"

#define OFFER_MAX   ((size_t)64 * 1024)
#define OFFER_MS    30000
#define FILE_MS     600000
#define LOOK_NAME   "checked"
#define LOOK_MAX    ((size_t)8192)
#define CANARY_NAME "canary"
#define BLANKS      " \t"
#define TEXT_SIZE   600

enum result {
    RESULT_UPDATED,
    RESULT_NEWEST,
    RESULT_OFF,
    RESULT_BUSY,
    RESULT_UNREACHABLE,
    RESULT_BAD_OFFER,
    RESULT_BAD_SIGNATURE,
    RESULT_REFUSED_BEFORE,
    RESULT_BAD_FILE,
    RESULT_REFUSED,
    RESULT_UNTRIED,
    RESULT_FAILED,
};

static const char *const result_names[] = {
    [RESULT_UPDATED] = "updated",
    [RESULT_NEWEST] = "newest",
    [RESULT_OFF] = "off",
    [RESULT_BUSY] = "busy",
    [RESULT_UNREACHABLE] = "unreachable",
    [RESULT_BAD_OFFER] = "bad-offer",
    [RESULT_BAD_SIGNATURE] = "bad-signature",
    [RESULT_REFUSED_BEFORE] = "refused-before",
    [RESULT_BAD_FILE] = "bad-file",
    [RESULT_REFUSED] = "refused",
    [RESULT_UNTRIED] = "untried",
    [RESULT_FAILED] = "failed",
};

struct updating {
    const struct config *config;
    const char *state_dir;
    char *dir;
    bool again;
    char *in_use; /* the version; NULL: nothing starts */
    struct extractor_offer offer;
    char *item[CANARY_ITEMS_MAX];
    size_t item_count;

    enum result result;
    char text[TEXT_SIZE];
};

/* false, so that it ends there. */
PRINTF_LIKE(3, 4)
static bool end(struct updating *u, enum result result, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(u->text, sizeof(u->text), fmt, ap);
    va_end(ap);
    u->result = result;
    return false;
}

/* Behind all other programs, and what it starts too. */
static void step_back(void)
{
    (void)setpriority(PRIO_PROCESS, 0, 19);
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

/* ---- what is offered ------------------------------------------------------------------------------ */

static struct download_params download(const struct updating *u, const char *url)
{
    return (struct download_params){
        .url = url,
        .takes_files = strncmp(u->config->extractor.channel, "file://", 7) == 0,
        .takes_http = *u->config->extractor.key_file != '\0',
    };
}

static bool is_signed(struct updating *u)
{
    const char *key = u->config->extractor.key_file;
    if (!*key)
        return true;
    char *text = extractor_offer_signed_text(&u->offer);
    int ret = signature_check(key, text, strlen(text), u->offer.signature);
    free(text);
    if (ret == -EBADMSG)
        return end(
            u, RESULT_BAD_SIGNATURE,
            *u->offer.signature
                ? "Version %s of the channel is not signed by the key of this house. Nothing "
                  "was changed."
                : "Version %s of the channel is not signed. Nothing was changed.",
            u->offer.version);
    if (ret == -EINVAL)
        return end(u, RESULT_FAILED, "%.200s holds no public Ed25519 key. Nothing was changed.",
                   key);
    return ret == 0 ||
           end(u, RESULT_FAILED, "%.200s: %s. Nothing was changed.", key, strerror(-ret));
}

static bool get_offer(struct updating *u)
{
    const char *channel = u->config->extractor.channel;
    struct download_params p = download(u, channel);
    char *text, why[DOWNLOAD_WHY_SIZE];
    size_t len;
    p.max = OFFER_MAX;
    p.timeout_ms = OFFER_MS;
    if (!download_may(&p, why))
        return end(u, RESULT_FAILED, "extractor.channel is not used: %s.", why);
    if (download_get(&p, &text, &len, why) < 0)
        return end(u, RESULT_UNREACHABLE, "The channel cannot be reached: %s. Nothing was changed.",
                   why);
    bool is_good = extractor_offer_read(&u->offer, text, len, why, sizeof(why));
    free(text);
    if (!is_good)
        return end(u, RESULT_BAD_OFFER,
                   "What the channel says is no offer: %s. Nothing was changed.", why);
    return is_signed(u);
}

static bool is_wanted(struct updating *u)
{
    char *program, why[EXTRACTOR_WHY_SIZE];
    struct message *hello;
    if (fetch_hello(u->config, u->state_dir, &program, &hello) == 0) {
        const char *version = message_str(hello, "yt_dlp", "");
        u->in_use = *version ? xstrdup(version) : NULL;
    }
    message_destroy(hello);
    free(program);
    if (u->in_use && extractor_version_compare(u->offer.version, u->in_use) <= 0)
        return end(u, RESULT_NEWEST, "Version %s is in use; the channel has %s.", u->in_use,
                   u->offer.version);
    if (!u->again && extractor_is_refused(u->dir, u->offer.version, why))
        return end(u, RESULT_REFUSED_BEFORE,
                   "The channel has version %s, which was tried and refused: %.300s",
                   u->offer.version, why);
    return true;
}

/* ---- its file ------------------------------------------------------------------------------------- */

static bool is_offered(const struct updating *u, const char *data, size_t len)
{
    char sum[SHA256_TEXT_SIZE];
    struct sha256 s;
    sha256_init(&s);
    sha256_add(&s, data, len);
    sha256_finish_text(&s, sum);
    return len == (size_t)u->offer.size && strcmp(sum, u->offer.sha256) == 0;
}

static bool get_file(struct updating *u)
{
    char *url = extractor_offer_address(&u->offer, u->config->extractor.channel);
    struct download_params p = download(u, url);
    char *data, why[DOWNLOAD_WHY_SIZE];
    size_t len;
    p.max = (size_t)EXTRACTOR_BYTES_MAX;
    p.timeout_ms = FILE_MS;
    int ret = download_get(&p, &data, &len, why);
    free(url);
    if (ret < 0)
        return end(u, ret == -EFBIG || ret == -EPERM ? RESULT_BAD_FILE : RESULT_UNREACHABLE,
                   "Version %s could not be fetched: %s. Nothing was changed.", u->offer.version,
                   why);
    if (is_offered(u, data, len))
        ret = extractor_put(u->dir, &u->offer, data, len);
    else
        end(u, RESULT_BAD_FILE,
            "The file of version %s is not the one that was offered (sha256, size). Nothing was "
            "changed.",
            u->offer.version);
    if (ret < 0)
        end(u, RESULT_FAILED, "%s: %s. Nothing was changed.", u->dir, strerror(-ret));
    free(data);
    return u->result == RESULT_UPDATED;
}

/* ---- whether it works ----------------------------------------------------------------------------- */

static void split_items(struct updating *u)
{
    const char *p = u->config->extractor.test_items;
    while (u->item_count < CANARY_ITEMS_MAX && *(p += strspn(p, BLANKS))) {
        size_t len = strcspn(p, BLANKS);
        u->item[u->item_count++] = xstrndup(p, len);
        p += len;
    }
}

/* With the module `yt_dlp`; NULL: the one in use. */
static int try(struct updating *u, const char *yt_dlp, const char *version, char *const *item,
               size_t count, struct canary_report *out)
{
    char *scratch = xasprintf("%s/" CANARY_NAME, u->dir);
    char **words = fetch_words(u->config, u->state_dir, yt_dlp);
    int ret = folder_remove(scratch);
    *out = (struct canary_report){ .starts = false };
    if (ret == 0)
        ret = dir_make(scratch);
    if (ret == 0)
        ret = canary_try(&(struct canary_params){ .argv = (const char *const *)words,
                                                  .version = version,
                                                  .scratch = scratch,
                                                  .profile = u->config->fetch.profile,
                                                  .item = (const char *const *)item,
                                                  .item_count = count },
                         out);
    (void)!folder_remove(scratch);
    fetch_command_free(words);
    free(scratch);
    return ret;
}

/* Not the song and not yt-dlp: it says nothing of either. */
static bool is_of_elsewhere(enum failure f)
{
    enum failure_scope scope = failure_traits(f)->scope;
    return scope == FAILURE_OF_NET || scope == FAILURE_OF_BOX || scope == FAILURE_OF_SOURCE;
}

static bool refuse(struct updating *u, const char *why)
{
    int ret = extractor_refuse(u->dir, u->offer.version, why);
    return end(u, RESULT_REFUSED, "Version %s is not taken: %.300s The one in use stays.%s",
               u->offer.version, why, ret < 0 ? " (This cannot be noted on disk.)" : "");
}

/* What does not play with the one in use either is no test of the new one. */
static bool judge(struct updating *u, const struct canary_report *r)
{
    size_t works = 0, useless = 0;
    for (size_t i = 0; i < u->item_count; i++) {
        const struct canary_item *item = &r->item[i];
        struct canary_report old;
        char why[CANARY_WHY_SIZE + 200];
        if (item->works) {
            works++;
            continue;
        }
        if (is_of_elsewhere(item->failure))
            return end(u, RESULT_UNTRIED,
                       "Version %s could not be tried, with %.100s: %.200s The one in use stays.",
                       u->offer.version, u->item[i], item->why);
        if (try(u, NULL, NULL, &u->item[i], 1, &old) == 0 && old.item[0].works) {
            snprintf(why, sizeof(why), "It does not play %.100s, which the one in use does: %s",
                     u->item[i], item->why);
            return refuse(u, why);
        }
        useless++;
    }
    if (useless && !works)
        return end(
            u, RESULT_UNTRIED,
            "Version %s could not be tried: none of extractor.test-items plays, neither with it "
            "nor with the one in use.",
            u->offer.version);
    return true;
}

static bool works(struct updating *u)
{
    char *file = extractor_file(u->dir, u->offer.version);
    struct canary_report r;
    int ret = try(u, file, u->offer.version, u->item, u->item_count, &r);
    free(file);
    if (ret < 0)
        return end(u, RESULT_FAILED, "Version %s could not be tried: %s. Nothing was changed.",
                   u->offer.version, strerror(-ret));
    return r.starts ? judge(u, &r) : refuse(u, r.why);
}

/* ---- all of it ------------------------------------------------------------------------------------ */

static void update(struct updating *u)
{
    if (!get_offer(u) || !is_wanted(u) || !get_file(u) || !works(u))
        return;
    int ret = extractor_use(u->dir, u->offer.version);
    if (ret < 0)
        end(u, RESULT_FAILED, "%s: %s", u->dir, strerror(-ret));
    else
        end(u, RESULT_UPDATED, "Version %s is in use from now on; before it was %s.",
            u->offer.version, u->in_use ? u->in_use : "none");
}

static struct message *answer(const struct updating *u)
{
    struct message *m = message_create();
    message_set_bool(m, "ok", u->result == RESULT_UPDATED || u->result == RESULT_NEWEST);
    message_set_str(m, "result", result_names[u->result]);
    message_set_str(m, "version", u->offer.version);
    message_set_str(m, "text", u->text);
    message_set_i64(m, "at_ms", now_wall_ms());
    return m;
}

static void keep(const struct updating *u, const struct message *m)
{
    char *path = xasprintf("%s/" LOOK_NAME, u->dir), *text = message_text(m, false);
    (void)!file_replace(path, text, strlen(text)); /* only for people */
    free(text);
    free(path);
}

struct message *extractor_last_look(const char *dir)
{
    char *path = xasprintf("%s/" LOOK_NAME, dir), *text = NULL;
    size_t len;
    struct message *m =
        file_read(path, LOOK_MAX, &text, &len) == 0 ? message_parse(text, len, NULL, 0) : NULL;
    free(text);
    free(path);
    return m;
}

struct message *extractor_update(const struct extractor_update *p)
{
    struct updating u = { .config = p->config,
                          .state_dir = p->state_dir,
                          .dir = extractor_dir(p->state_dir),
                          .again = p->again };
    int lock = -1;
    if (!*p->config->extractor.channel)
        end(&u, RESULT_OFF, "There is no channel: extractor.channel is empty.");
    else if (*p->config->fetch.yt_dlp)
        end(&u, RESULT_OFF,
            "fetch.yt-dlp names the yt-dlp to use; an update would change nothing.");
    else if ((lock = extractor_lock(u.dir, 0)) == -EWOULDBLOCK)
        end(&u, RESULT_BUSY, "Another program updates it already.");
    else if (lock < 0)
        end(&u, RESULT_FAILED, "%s: %s", u.dir, strerror(-lock));
    if (lock >= 0) {
        step_back();
        split_items(&u);
        extractor_clean(u.dir);
        update(&u);
    }
    struct message *m = answer(&u);
    if (lock >= 0) {
        keep(&u, m);
        close(lock);
    }
    for (size_t i = 0; i < u.item_count; i++)
        free(u.item[i]);
    extractor_offer_finish(&u.offer);
    free(u.in_use);
    free(u.dir);
    return m;
}
