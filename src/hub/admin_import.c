/* import: the documents of an Appwrite venue, page by page. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "hub/admin_internal.h"
#include "hub/fetch.h"
#include "hub/id.h"
#include "hub/import.h"
#include "hub/secret.h"
#include "net/url.h"

#define PAGE        50
#define ANSWER_MAX  ((size_t)32 * 1024 * 1024)
#define URL_MAX     ((size_t)8192)
#define PAGES_MAX   10000
#define HEADERS_MAX 4

struct import {
    struct admin *admin;
    struct fetch *fetch;
    char *endpoint;         /* without '/' at its end */
    const char *venue;      /* NULL: all */
    struct message *counts; /* by collection */
    int64_t stored, refused;
};

/* ---- asking ------------------------------------------------------------------------------------ */

static int append_encoded(struct buf *url, const char *text)
{
    int ret = 0;
    for (; *text && ret == 0; text++)
        ret = isalnum((unsigned char)*text) || strchr("-._~", *text)
                  ? buf_append(url, text, 1)
                  : buf_printf(url, "%%%02X", (unsigned char)*text);
    return ret;
}

/* One more query of the URL. */
static int append_query(struct buf *url, int *n, const char *method, const char *attribute,
                        const char *value)
{
    struct message *m = message_create();
    message_set_str(m, "method", method);
    if (attribute)
        message_set_str(m, "attribute", attribute);
    if (attribute || strcmp(method, "limit") != 0)
        message_append_str(m, "values", value);
    else
        message_append_json(m, "values", value, strlen(value));
    char *text = message_text(m, false);
    int ret = buf_printf(url, "%squeries%%5B%d%%5D=", *n ? "&" : "?", *n);
    if (ret == 0)
        ret = append_encoded(url, text);
    (*n)++;
    free(text);
    message_destroy(m);
    return ret;
}

/* The address of a page; `after` NULL: the first. */
static int make_url(struct import *im, const struct collection *c, const char *after,
                    struct buf *url)
{
    const char *const *o = im->admin->option;
    char limit[16];
    int n = 0;
    bool has_venue = im->venue && collection_attribute(c, "venueId") &&
                     strcmp(c->id, "playlists") != 0 && strcmp(c->id, "users") != 0;
    snprintf(limit, sizeof(limit), "%d", PAGE);
    int ret = buf_printf(url, "%s/databases/%s/collections/%s/documents", im->endpoint,
                         o[ADMIN_DATABASE], c->id);
    if (ret == 0)
        ret = append_query(url, &n, "limit", NULL, limit);
    if (ret == 0 && has_venue)
        ret = append_query(url, &n, "equal", "venueId", im->venue);
    if (ret == 0 && after)
        ret = append_query(url, &n, "cursorAfter", NULL, after);
    return ret;
}

/* ---- judging the answer ------------------------------------------------------------------------- */

/* What the server said of its refusal. */
static int fail_answer(struct import *im, const struct collection *c, const struct fetched *r)
{
    struct message *m = message_parse(r->body, r->len, NULL, 0);
    const char *said = message_str(m, "message", "");
    int ret = r->status == 0
                  ? admin_fail(im->admin, ADMIN_FAILED, "%s: %s", im->endpoint, r->error)
                  : admin_fail(im->admin, ADMIN_FAILED, "%s: %s: the server answered %d%s%.300s",
                               im->endpoint, c->id, r->status, *said ? ": " : "", said);
    message_destroy(m);
    return ret;
}

static void note(struct import *im, const char *what, const char *id, const char *why)
{
    if (!im->admin->is_json)
        fprintf(im->admin->err, "djamms-hub: %s%s%s: %s\n", what, *id ? "/" : "", id, why);
}

/* A collection that is not there, or for keys only, is passed over. */
static bool is_closed(struct import *im, const struct collection *c, const struct fetched *r)
{
    struct message *m = message_parse(r->body, r->len, NULL, 0);
    const char *type = message_str(m, "type", "");
    bool is_absent = r->status == 404 && strcmp(type, "collection_not_found") == 0;
    bool is_forbidden =
        r->status == 401 && !im->admin->option[ADMIN_KEY_FILE] &&
        (strcmp(type, "user_unauthorized") == 0 || strcmp(type, "general_unauthorized_scope") == 0);
    message_destroy(m);
    if (is_absent)
        note(im, c->id, "", "is not there");
    if (is_forbidden)
        note(im, c->id, "", "is not for everybody: --key-file with an API key would read it");
    return is_absent || is_forbidden;
}

/* ---- storing ----------------------------------------------------------------------------------- */

static bool is_of_venue(const struct import *im, const struct message *document)
{
    const char *venue = message_str(document, "venueId", NULL);
    return !im->venue || !venue || strcmp(venue, im->venue) == 0;
}

/* One page in one transaction, so that a hub that runs is held up for moments only. */
static int store_page(struct import *im, const struct collection *c, const struct message *page)
{
    struct admin *a = im->admin;
    int64_t before = message_i64(im->counts, c->id, 0), n = 0;
    for (size_t i = 0; i < message_count(page, "documents"); i++) {
        const struct message *document = message_object_at(page, "documents", i);
        struct api_error e;
        if (!is_of_venue(im, document))
            continue;
        if (import_store(a->documents, c, document, &e)) {
            n++;
            continue;
        }
        if (e.kind == API_STORAGE)
            return admin_fail_api(a, &e);
        im->refused++;
        note(im, c->id, message_str(document, "$id", ""), e.message);
    }
    int ret = admin_commit(a);
    if (ret == 0) {
        im->stored += n;
        message_set_i64(im->counts, c->id, before + n);
    }
    return ret;
}

/* One page. *after: the last document's id, the caller's; NULL at the end. */
static int take_page(struct import *im, const struct collection *c, char **after)
{
    struct buf url;
    struct fetched r;
    char why[160];
    buf_init(&url, URL_MAX);
    int ret = make_url(im, c, *after, &url) < 0
                  ? admin_fail(im->admin, ADMIN_USAGE, "the address is too long")
                  : 0;
    free(*after);
    *after = NULL;
    if (ret == 0)
        fetch_get(im->fetch, url.data, &r);
    buf_finish(&url);
    if (ret)
        return ret;
    if (r.status != 200) {
        ret = is_closed(im, c, &r) ? 0 : fail_answer(im, c, &r);
        fetched_finish(&r);
        return ret;
    }
    struct message *page = message_parse(r.body, r.len, why, sizeof(why));
    fetched_finish(&r);
    if (!page)
        return admin_fail(im->admin, ADMIN_FAILED, "%s: %s: not Appwrite's answer: %s",
                          im->endpoint, c->id, why);
    size_t n = message_count(page, "documents");
    ret = store_page(im, c, page);
    if (n == PAGE)
        *after = xstrdup(message_str(message_object_at(page, "documents", n - 1), "$id", NULL));
    message_destroy(page);
    return ret;
}

static int take_collection(struct import *im, const struct collection *c)
{
    char *after = NULL;
    int ret = 0, pages = 0;
    do
        ret = take_page(im, c, &after);
    while (ret == 0 && after && ++pages < PAGES_MAX);
    free(after);
    return ret;
}

/* ---- the command ------------------------------------------------------------------------------- */

static int check_options(struct admin *a)
{
    static const enum admin_option wanted[] = { ADMIN_ENDPOINT, ADMIN_PROJECT, ADMIN_DATABASE };
    struct url url;
    const char *const *o = a->option;
    if (a->word_count)
        return admin_fail(a, ADMIN_USAGE, "import: \"%.60s\" is one word too many", a->word[0]);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        if (!o[wanted[i]])
            return admin_fail(a, ADMIN_USAGE,
                              "import: --endpoint, --project and --database are wanted");
    }
    if (!url_parse(o[ADMIN_ENDPOINT], &url) || url.is_websocket || strchr(url.path, '?'))
        return admin_fail(a, ADMIN_USAGE, "--endpoint: an address like https://HOST/v1 is wanted");
    if (!id_is_legal(o[ADMIN_PROJECT]) || !id_is_legal(o[ADMIN_DATABASE]))
        return admin_fail(a, ADMIN_USAGE, "--project and --database want ids");
    return 0;
}

static int open_fetch(struct import *im)
{
    struct admin *a = im->admin;
    const char *key_file = a->option[ADMIN_KEY_FILE];
    char *header[HEADERS_MAX] = { xasprintf("X-Appwrite-Project: %s", a->option[ADMIN_PROJECT]),
                                  xstrdup("X-Appwrite-Response-Format: 1.8.0"),
                                  xstrdup("Accept: application/json") };
    size_t n = 3;
    int ret = 0;
    if (key_file) {
        char *key = admin_read_secret(a, key_file, "API key");
        if (key)
            header[n++] = xasprintf("X-Appwrite-Key: %s", key);
        else
            ret = ADMIN_FAILED;
        secret_free(key);
    }
    if (ret == 0 &&
        fetch_create(&im->fetch, &(struct fetch_params){ .header = (const char **)header,
                                                         .header_count = n,
                                                         .answer_max = ANSWER_MAX,
                                                         .log = &a->log }) < 0)
        ret = admin_fail(a, ADMIN_FAILED, "the network cannot be used");
    for (size_t i = 0; i < n; i++)
        secret_free(header[i]);
    return ret;
}

static int take_all(struct import *im)
{
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < collection_count(); i++) {
        const struct collection *c = collection_at(i);
        if (import_takes(c))
            ret = take_collection(im, c);
    }
    return ret;
}

/* Takes `counts`. */
static void say_result(struct import *im)
{
    struct admin *a = im->admin;
    for (const char *c = NULL; !a->is_json && (c = message_next(im->counts, c));)
        fprintf(a->out, "%-16s %lld\n", c, (long long)message_i64(im->counts, c, 0));
    if (!a->is_json && im->refused)
        fprintf(a->out, "%-16s %lld\n", "not taken", (long long)im->refused);
    struct message *m = message_create();
    message_set_object(m, "imported", im->counts);
    message_set_i64(m, "refused", im->refused);
    im->counts = NULL;
    admin_print_json(a, m);
}

int admin_import(struct admin *a)
{
    struct import im = { .admin = a, .venue = a->option[ADMIN_VENUE] };
    int ret = check_options(a);
    if (ret)
        return ret;
    im.endpoint = xstrdup(a->option[ADMIN_ENDPOINT]);
    for (size_t n = strlen(im.endpoint); n && im.endpoint[n - 1] == '/'; n--)
        im.endpoint[n - 1] = '\0';
    im.counts = message_create();
    ret = open_fetch(&im);
    if (ret == 0)
        ret = admin_open(a);
    if (ret == 0)
        ret = take_all(&im);
    if (ret == 0)
        say_result(&im);
    else if (im.stored && !a->is_json)
        fprintf(a->err, "djamms-hub: %lld documents are stored; run it again to go on\n",
                (long long)im.stored);
    fetch_destroy(im.fetch);
    message_destroy(im.counts);
    free(im.endpoint);
    return ret;
}
