/* The thread that follows the folders: it alone writes the index. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/now.h"
#include "base/path_list.h"
#include "model/track.h"
#include "source/library_internal.h"
#include "source/library_scan.h"
#include "source/mounts.h"
#include "source/tag_reader.h"

#define MOUNTS_BYTES  ((size_t)1024 * 1024)
#define TAGS_MAX_NS   SECONDS(20)
#define SETTLE_MAX    8 /* times settle_ns: changes that do not end are looked at meanwhile */
#define AGAIN_FAIL_NS SECONDS(10)
#define FORGET_MS     ((int64_t)60 * 24 * 3600 * 1000)
#define TAGS_BATCH    50
#define NEWS_BATCH    2000 /* files, until others are told again */

struct scanner {
    struct library *library;
    struct library_index *index;
    struct folder_watch *watch; /* NULL: there is none */
    struct scan *scan;
    int mounts_fd; /* POLLPRI: something was mounted or unmounted; -1 */

    char **root;
    size_t root_count;

    bool must_scan;     /* all */
    int64_t again_ns;   /* all, from then on; 0: never */
    int64_t changed_ns; /* of the newest change that was not looked at; 0: none */
    int64_t settled_by_ns;

    struct tag_reader *tags;   /* NULL: nobody reads tags */
    struct library_file asked; /* row and texts, owned: the file it was asked about; row 0: none */
    int64_t tags_deadline_ns;
    bool asked_is_old; /* it has changed since */
    bool tags_wanted;  /* there may be files that want them */
    size_t news;
    size_t tags_uncommitted;
};

/* ---- what others see ---------------------------------------------------------------------------- */

static bool is_stopped(void *ctx)
{
    return atomic_load(&((struct scanner *)ctx)->library->stops);
}

static void describe_problem(const struct scanner *s, int error, char *out, size_t size)
{
    const struct scan_counts *c = scan_counts(s->scan);
    if (error < 0)
        snprintf(out, size, "The index of the library cannot be written: %s.",
                 strerrordesc_np(-error));
    else if (c->unreadable > 1)
        snprintf(out, size, "%.400s; %zu folders like that", c->problem, c->unreadable);
    else if (*c->problem)
        snprintf(out, size, "%s", c->problem);
    else if (c->is_cut)
        snprintf(out, size, "The library is too large: some files are left out (%zu are in it).",
                 c->files);
    else if (c->is_unwatched)
        snprintf(out, size,
                 "Not all folders can be watched: changes are found late "
                 "(fs.inotify.max_user_watches).");
    else
        *out = '\0';
}

static void publish(struct scanner *s, bool is_scanning, int error)
{
    struct library *l = s->library;
    const struct scan_counts *c = scan_counts(s->scan);
    char problem[sizeof(l->status.problem)];
    describe_problem(s, error, problem, sizeof(problem));
    pthread_mutex_lock(&l->lock);
    l->status.folders = c->folders;
    l->status.files = c->files;
    l->status.away = c->away;
    l->status.is_scanning = is_scanning;
    memcpy(l->status.problem, problem, sizeof(problem));
    l->news++;
    library_ring(l);
    pthread_mutex_unlock(&l->lock);
}

static void on_file(void *ctx, const struct library_file *f, unsigned root, enum file_event event)
{
    struct scanner *s = ctx;
    struct library *l = s->library;
    char *path = xasprintf("%s/%s", strcmp(f->folder, "/") == 0 ? "" : f->folder, f->name);
    char *source = path_to_source(path);
    pthread_mutex_lock(&l->lock);
    if (event == FILE_FORGOTTEN)
        file_map_remove(l->map, f->key, f->row);
    else
        file_map_put(l->map, &(struct mapped_file){ .row = f->row,
                                                    .folder = root,
                                                    .is_here = !f->absent_ms,
                                                    .since = event == FILE_NEW ? ++l->serial : 0,
                                                    .key = f->key,
                                                    .source = source });
    pthread_mutex_unlock(&l->lock);
    free(source);
    free(path);
    if (event != FILE_NEW)
        return;
    s->tags_wanted = true;
    s->asked_is_old |= f->row == s->asked.row;
    if (++s->news % NEWS_BATCH == 0)
        publish(s, true, 0);
}

/* `error`: why there is no index. */
static void publish_known(struct library *l, int error)
{
    pthread_mutex_lock(&l->lock);
    l->is_known = true;
    l->index_is_made = error == 0;
    l->status.is_scanning = error == 0;
    for (struct search *s; error < 0 && (s = search_list_take(&l->waiting));) {
        s->error = error;
        search_list_add(&l->answered, s);
    }
    if (error < 0) {
        snprintf(l->status.problem, sizeof(l->status.problem),
                 "The index of the library cannot be opened: %s.", strerrordesc_np(-error));
        l->news++;
        library_ring(l);
    }
    pthread_cond_broadcast(&l->known_changed);
    pthread_cond_broadcast(&l->searches_changed);
    pthread_mutex_unlock(&l->lock);
}

/* ---- roots -------------------------------------------------------------------------------------- */

static void forget_roots(struct scanner *s)
{
    for (size_t i = 0; i < s->root_count; i++)
        free(s->root[i]);
    free(s->root);
    s->root = NULL;
    s->root_count = 0;
}

static void add_root(struct scanner *s, char *path)
{
    s->root = xrealloc(s->root, (s->root_count + 1) * sizeof(*s->root));
    s->root[s->root_count++] = path;
}

static void add_mounts(struct scanner *s)
{
    const struct library_params *p = &s->library->params;
    char *text = NULL;
    size_t len;
    struct mounts mounts;
    if (!*p->media_tops || file_read(p->mounts_file, MOUNTS_BYTES, &text, &len) < 0)
        return;
    mounts_parse(&mounts, text, p->media_tops);
    for (size_t i = 0; i < mounts.count; i++)
        add_root(s, xstrdup(mounts.path[i]));
    mounts_finish(&mounts);
    free(text);
}

/* Takes `path`. */
static char *absolute(char *path)
{
    char *cwd = *path == '/' ? NULL : getcwd(NULL, 0);
    if (!cwd)
        return path;
    char *out = xasprintf("%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, path);
    free(cwd);
    free(path);
    return out;
}

static void find_roots(struct scanner *s)
{
    const char *paths = s->library->params.paths;
    forget_roots(s);
    for (char *path; (path = path_list_next(&paths));)
        add_root(s, absolute(path));
    add_mounts(s);
}

/* ---- scans -------------------------------------------------------------------------------------- */

static void end_scan(struct scanner *s, int ret, bool is_whole, int64_t began_ns)
{
    struct library *l = s->library;
    const struct scan_counts *c = scan_counts(s->scan);
    int64_t now_ns = now_mono_ns();
    if (ret == -ECANCELED)
        return;
    bool needs_again = c->is_unwatched || !s->watch || *c->problem;
    if (ret < 0)
        s->again_ns = now_ns + AGAIN_FAIL_NS;
    else if (needs_again && (is_whole || !s->again_ns))
        s->again_ns = now_ns + l->params.again_ns;
    else if (!needs_again)
        s->again_ns = 0;
    s->changed_ns = 0;
    pthread_mutex_lock(&l->lock);
    if (is_whole && ret == 0) {
        l->status.scan_s = (double)(now_ns - began_ns) / (double)NS_PER_S;
        l->status.has_scanned = true;
    }
    pthread_mutex_unlock(&l->lock);
    publish(s, false, ret);
    log_debug(&l->log, "%s: %zu files in %zu folders, %zu away, %.3f s",
              is_whole ? "all folders" : "changed folders", c->files, c->folders, c->away,
              (double)(now_ns - began_ns) / (double)NS_PER_S);
}

static void scan_everything(struct scanner *s)
{
    int64_t began_ns = now_mono_ns(), wall_ms = now_wall_ms();
    s->must_scan = false;
    find_roots(s);
    publish(s, true, 0);
    int ret = scan_all(s->scan, s->root, s->root_count, wall_ms);
    if (ret == 0)
        ret = scan_forget(s->scan, wall_ms - FORGET_MS);
    end_scan(s, ret, true, began_ns);
}

static void scan_changes(struct scanner *s)
{
    int64_t began_ns = now_mono_ns();
    end_scan(s, scan_marked(s->scan, now_wall_ms()), false, began_ns);
}

static void on_folder_changed(void *ctx, const char *path)
{
    struct scanner *s = ctx;
    if (path)
        scan_mark(s->scan, path);
    else
        s->must_scan = true;
}

static void take_changes(struct scanner *s, int64_t now_ns)
{
    folder_watch_take(s->watch, on_folder_changed, s);
    if (!scan_is_marked(s->scan))
        return;
    if (!s->changed_ns)
        s->settled_by_ns = now_ns + SETTLE_MAX * s->library->params.settle_ns;
    s->changed_ns = now_ns;
}

static int64_t changes_due_ns(const struct scanner *s)
{
    return min_i64(s->changed_ns + s->library->params.settle_ns, s->settled_by_ns);
}

/* ---- tags --------------------------------------------------------------------------------------- */

static void set_asked(void *ctx, const struct library_file *f)
{
    struct scanner *s = ctx;
    s->asked = (struct library_file){
        .row = f->row,
        .folder = xstrdup(f->folder),
        .name = xstrdup(f->name),
    };
}

static void clear_asked(struct scanner *s)
{
    free((char *)s->asked.folder);
    free((char *)s->asked.name);
    s->asked = (struct library_file){ 0 };
    s->asked_is_old = false;
}

static void give_tags_up(struct scanner *s, int error)
{
    log_warn(&s->library->log, "%s: %s; tags of files are not read", s->library->params.probe,
             strerrordesc_np(-error));
    tag_reader_destroy(s->tags);
    s->tags = NULL;
}

static int commit_tags(struct scanner *s)
{
    s->tags_uncommitted = 0;
    return library_index_commit(s->index);
}

static void ask_next(struct scanner *s, int64_t now_ns)
{
    int found = library_index_next_untagged(s->index, set_asked, s);
    if (found <= 0) {
        s->tags_wanted = false;
        if (commit_tags(s) == 0 && found == 0)
            publish(s, false, 0);
        return;
    }
    char *path =
        xasprintf("%s/%s", strcmp(s->asked.folder, "/") == 0 ? "" : s->asked.folder, s->asked.name);
    s->tags_deadline_ns = now_ns + TAGS_MAX_NS;
    int ret = tag_reader_ask(s->tags, path, s->tags_deadline_ns);
    free(path);
    if (ret < 0) {
        clear_asked(s);
        give_tags_up(s, ret);
    }
}

static void take_tags(struct scanner *s, int64_t now_ns)
{
    struct file_tags t;
    enum tag_answer answer = tag_reader_take(s->tags, now_ns, &t);
    if (answer == TAGS_PENDING)
        return;
    /* A title alone says no more than the name did, or less. */
    bool has_artist = answer == TAGS_READ && *t.artist;
    int ret = 0;
    if (!s->asked_is_old)
        ret =
            library_index_set_tags(s->index, s->asked.row, has_artist && *t.title ? t.title : NULL,
                                   has_artist ? t.artist : NULL, t.duration_s);
    clear_asked(s);
    if (ret == 0 && ++s->tags_uncommitted >= TAGS_BATCH)
        ret = commit_tags(s);
    if (ret < 0) /* a full disk: not again before something changes */
        s->tags_wanted = false;
}

/* ---- the loop ----------------------------------------------------------------------------------- */

enum { WAKE, WATCH, MOUNTS, TAGS, SOURCES };

static int timeout_ms(const struct scanner *s, int64_t now_ns)
{
    int64_t at_ns = INT64_MAX;
    if (s->changed_ns)
        at_ns = changes_due_ns(s);
    if (s->again_ns)
        at_ns = min_i64(at_ns, s->again_ns);
    if (s->asked.row)
        at_ns = min_i64(at_ns, s->tags_deadline_ns);
    if (at_ns == INT64_MAX)
        return -1;
    return (int)clamp_i64((at_ns - now_ns) / NS_PER_MS + 1, 0, 60000);
}

static void wait_for_something(struct scanner *s)
{
    struct pollfd p[SOURCES] = {
        [WAKE] = { .fd = s->library->wake_fd, .events = POLLIN },
        [WATCH] = { .fd = s->watch ? folder_watch_fd(s->watch) : -1, .events = POLLIN },
        [MOUNTS] = { .fd = s->mounts_fd, .events = POLLPRI },
        [TAGS] = { .fd = s->tags ? tag_reader_fd(s->tags) : -1, .events = POLLIN },
    };
    uint64_t rings;
    if (poll(p, SOURCES, timeout_ms(s, now_mono_ns())) < 0)
        return;
    if (p[WAKE].revents && read(s->library->wake_fd, &rings, sizeof(rings)) < 0)
        log_debug(&s->library->log, "woken by nobody");
    if (p[MOUNTS].revents & (POLLPRI | POLLERR))
        s->must_scan = true;
    if (p[WATCH].revents)
        take_changes(s, now_mono_ns());
}

static bool is_rescan_wanted(struct library *l)
{
    pthread_mutex_lock(&l->lock);
    bool is_wanted = l->must_rescan;
    l->must_rescan = false;
    pthread_mutex_unlock(&l->lock);
    return is_wanted;
}

static void do_what_is_due(struct scanner *s)
{
    int64_t now_ns = now_mono_ns();
    bool is_due = s->again_ns && now_ns >= s->again_ns;
    if (s->asked.row) /* what it says is of the version that was asked about */
        take_tags(s, now_ns);
    if (is_rescan_wanted(s->library) || s->must_scan || is_due)
        scan_everything(s);
    else if (s->changed_ns && now_ns >= changes_due_ns(s))
        scan_changes(s);
    if (s->tags && s->tags_wanted && !s->asked.row && !s->changed_ns)
        ask_next(s, now_mono_ns());
}

static int open_all(struct scanner *s)
{
    struct library *l = s->library;
    int ret = library_index_open(&s->index, l->params.path, true, &l->log);
    if (ret < 0)
        return ret;
    ret = folder_watch_create(&s->watch);
    if (ret < 0)
        log_warn(&l->log, "folders cannot be watched: %s", strerrordesc_np(-ret));
    s->mounts_fd = open(l->params.mounts_file, O_RDONLY | O_CLOEXEC);
    if (l->params.probe)
        s->tags = tag_reader_create(l->params.probe, &l->log);
    find_roots(s);
    struct scan_params params = {
        .index = s->index,
        .watch = s->watch,
        .files_max = l->params.files_max,
        .reads_tags = s->tags != NULL,
        .on_file = on_file,
        .is_stopped = is_stopped,
        .ctx = s,
        .log = &l->log,
    };
    return scan_create(&s->scan, &params, s->root, s->root_count);
}

static void close_all(struct scanner *s)
{
    if (s->index && library_index_commit(s->index) < 0)
        log_debug(&s->library->log, "the last tags are lost");
    tag_reader_destroy(s->tags);
    clear_asked(s);
    scan_destroy(s->scan);
    folder_watch_destroy(s->watch);
    library_index_close(s->index);
    forget_roots(s);
    if (s->mounts_fd >= 0)
        close(s->mounts_fd);
}

void *library_scan_thread(void *library)
{
    struct scanner s = {
        .library = library, .mounts_fd = -1, .must_scan = true, .tags_wanted = true
    };
    struct library *l = library;
    int ret = open_all(&s);
    publish_known(l, ret);
    while (ret == 0 && !atomic_load(&l->stops)) {
        do_what_is_due(&s);
        if (!atomic_load(&l->stops) && (s.asked.row || !s.tags || !s.tags_wanted || s.changed_ns))
            wait_for_something(&s);
    }
    close_all(&s);
    return NULL;
}
