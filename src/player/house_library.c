/* The library of the house: which file a song plays, and songs whose file has come back. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "player/house_internal.h"

#define LIBRARY_FILE "library.db"
#define MEDIA_TOPS   "/media:/run/media"
#define KNOWN_MAX_NS SECONDS(2) /* of a start: a request is better played late than refused */

/* ---- its life ----------------------------------------------------------------------------------- */

char *program_beside(const char *name)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(path, '/');
    return xasprintf("%.*s/%s", slash ? (int)(slash - path) : 0, path, name);
}

/* Whether there are entries of which only the library may know a file. */
static bool needs_library(const struct house *h, const struct queue *q)
{
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < q->list[l].count; i++)
            if (!seal_is_whole(&h->seal, q->list[l].at[i]))
                return true;
    return false;
}

void songs_open(struct house *h, const struct house_params *p, const struct journal_state *state)
{
    const struct config *c = p->config;
    if (!*c->library.paths && !c->library.removable)
        return;
    char *path = xasprintf("%s/" LIBRARY_FILE, p->state_dir);
    char *probe = program_beside("djamms-probe");
    int ret = library_create(&h->library, &(struct library_params){
                                              .path = path,
                                              .paths = c->library.paths,
                                              .media_tops = c->library.removable ? MEDIA_TOPS : "",
                                              .probe = access(probe, X_OK) == 0 ? probe : NULL,
                                              .log = &h->log,
                                          });
    if (ret < 0)
        log_err(&h->log, "there is no library: %s", strerrordesc_np(-ret));
    else if (needs_library(h, &state->queue))
        library_wait_known(h->library, KNOWN_MAX_NS);
    free(probe);
    free(path);
}

void songs_finish(struct house *h)
{
    if (h->library)
        library_stop(h->library);
}

void songs_close(struct house *h)
{
    library_destroy(h->library);
    h->library = NULL;
}

/* ---- what a song plays -------------------------------------------------------------------------- */

/* The key under which the library knows a file; the caller frees. */
static char *key_of(const char *source)
{
    struct track *t = track_create();
    char *path = path_from_source(source);
    track_from_path(t, path);
    char *key = xstrdup(t->video_id);
    free(path);
    track_destroy(t);
    return key;
}

/* Where the library says that a file is; LIBRARY_UNKNOWN: it is not one of its own. */
static enum library_place place_of(struct house *h, const char *source, uint64_t *since)
{
    char *key = key_of(source);
    enum library_place place = library_find(h->library, key, source, NULL, since);
    free(key);
    return place;
}

bool songs_has_file(struct house *h, const char *source)
{
    return h->library && place_of(h, source, NULL) != LIBRARY_UNKNOWN;
}

char *songs_source(void *ctx, const struct track *t, const char *source, char *why, size_t why_size)
{
    struct house *h = ctx;
    char *found = NULL;
    enum library_place place = LIBRARY_UNKNOWN;
    char key[CACHE_KEY_MAX + 1];
    bool is_elsewhere = source_key(t, source, key), is_file = *source && !source_is_url(source);
    if (h->library && is_file)
        place = place_of(h, source, NULL);
    if (is_file && place != LIBRARY_AWAY)
        return xstrdup(source);
    bool is_away = place == LIBRARY_AWAY;
    if (h->library && t->video_id[0])
        place = library_find(h->library, t->video_id, NULL, &found, NULL);
    if (place == LIBRARY_HERE)
        return found;
    free(found);
    found = source_path(h, t, is_elsewhere ? source : "", why, why_size);
    if (!found && (is_away || place == LIBRARY_AWAY))
        snprintf(why, why_size, "The stick or folder with its file is not there.");
    else if (!found && *t->source && !track_is_guests(t) && !trust_may_open(h, t))
        snprintf(
            why, why_size,
            "It names a file that is not in the library, and that nobody has added at this box.");
    return found;
}

/* ---- songs that can be played again -------------------------------------------------------------- */

/* Whether a file of it has come since the library was last looked at. */
static bool has_come(struct house *h, const struct track *t)
{
    uint64_t since = 0;
    if (t->source[0] && place_of(h, t->source, &since) == LIBRARY_HERE && since > h->library_seen)
        return true;
    return t->video_id[0] &&
           library_find(h->library, t->video_id, NULL, NULL, &since) == LIBRARY_HERE &&
           since > h->library_seen;
}

/* One at a time: taking a mark off may start it, and change the lists. */
static bool lift_one(struct house *h)
{
    const struct queue *q = jukebox_queue(h->jukebox);
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < q->list[l].count; i++) {
            const struct track *t = q->list[l].at[i];
            if (!t->unplayable[0] || !has_come(h, t))
                continue;
            struct track *named = track_copy(t);
            struct queue_op op = { .kind = OP_MARK_UNPLAYABLE,
                                   .entry = entry_ref_of(named),
                                   .reason = "" };
            int ret = jukebox_apply(h->jukebox, &op);
            log_info(&h->log, "%s: its file is there again", named->title);
            track_destroy(named);
            return ret == 0;
        }
    return false;
}

static void on_change(void *ctx)
{
    struct house *h = ctx;
    uint64_t serial = library_serial(h->library);
    if (h->is_stopping)
        return;
    while (serial != h->library_seen && lift_one(h))
        ;
    h->library_seen = serial;
    house_turn(h);
    clients_go_on(h);
    house_quit_if_wanted(h);
}

void songs_attach(struct house *h)
{
    if (h->library && library_attach(h->library, &h->loop, on_change, h) < 0)
        log_err(&h->log, "changes of the library are not seen");
}
