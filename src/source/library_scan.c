#include "source/library_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "model/track.h"
#include "source/folder_set.h"

#define BATCH 1000 /* files written in one transaction */

struct scan {
    struct scan_params params;
    struct folder_set *folders;
    struct scan_counts counts;
    uint64_t number; /* of this scan, whole or not */
    bool is_whole;   /* it is one of everything */
    int64_t wall_ms; /* when it began */
    size_t uncommitted;
    bool has_marked, said_unwatched;
    struct track *track; /* to parse names with */
};

/* ---- telling ------------------------------------------------------------------------------------ */

static void tell(struct scan *s, const struct library_file *f, unsigned root, enum file_event event)
{
    s->params.on_file(s->params.ctx, f, root, event);
}

static bool is_stopped(const struct scan *s)
{
    return s->params.is_stopped(s->params.ctx);
}

static void note_problem(struct scan *s, const char *path, int error)
{
    if (s->is_whole && s->counts.unreadable++ > 0)
        return;
    char clean[384];
    text_clean(clean, sizeof(clean), path);
    snprintf(s->counts.problem, sizeof(s->counts.problem), "%s: cannot be read: %s", clean,
             strerrordesc_np(-error));
}

static int commit(struct scan *s)
{
    s->uncommitted = 0;
    return library_index_commit(s->params.index);
}

static int wrote(struct scan *s, int ret)
{
    if (ret < 0)
        return ret;
    return ++s->uncommitted < BATCH ? 0 : commit(s);
}

/* ---- the files of a folder that the index knows -------------------------------------------------- */

/* What is needed of one to see whether it has changed. */
struct known {
    char *name;
    int64_t row, size, mtime_ns;
    bool is_away;
};

struct known_list {
    struct known *at;
    size_t count, cap;
};

static void keep_known(void *ctx, const struct library_file *f)
{
    struct known_list *list = ctx;
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 64;
        list->at = xrealloc(list->at, list->cap * sizeof(*list->at));
    }
    list->at[list->count++] = (struct known){
        .name = xstrdup(f->name),
        .row = f->row,
        .size = f->size,
        .mtime_ns = f->mtime_ns,
        .is_away = f->absent_ms > 0,
    };
}

static void known_finish(struct known_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->at[i].name);
    free(list->at);
    *list = (struct known_list){ 0 };
}

static int load_known(struct scan *s, const struct folder *f, struct known_list *list)
{
    *list = (struct known_list){ 0 };
    return f->row ? library_index_each_file(s->params.index, f->row, keep_known, list) : 0;
}

/* ---- what a folder holds ------------------------------------------------------------------------- */

struct found {
    char *name;
    int64_t size, mtime_ns;
};

struct found_folder {
    char *path;
    bool is_link;
};

struct listing {
    struct found *file;
    size_t file_count, file_cap;
    struct found_folder *folder;
    size_t folder_count, folder_cap;
};

static void listing_finish(struct listing *l)
{
    for (size_t i = 0; i < l->file_count; i++)
        free(l->file[i].name);
    for (size_t i = 0; i < l->folder_count; i++)
        free(l->folder[i].path);
    free(l->file);
    free(l->folder);
}

static int compare_found(const void *a, const void *b)
{
    return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static char *join(const char *folder, const char *name)
{
    return xasprintf("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
}

static void keep_file(struct listing *l, const char *name, const struct stat *st)
{
    if (l->file_count == l->file_cap) {
        l->file_cap = l->file_cap ? l->file_cap * 2 : 64;
        l->file = xrealloc(l->file, l->file_cap * sizeof(*l->file));
    }
    l->file[l->file_count++] = (struct found){
        .name = xstrdup(name),
        .size = st->st_size,
        .mtime_ns = (int64_t)st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec,
    };
}

/* The same at every scan, and a folder before what only leads to it. */
static int compare_folders(const void *a, const void *b)
{
    const struct found_folder *x = a, *y = b;
    return x->is_link != y->is_link ? (x->is_link ? 1 : -1) : strcmp(x->path, y->path);
}

static void keep_folder(struct listing *l, char *path, bool is_link)
{
    if (l->folder_count == l->folder_cap) {
        l->folder_cap = l->folder_cap ? l->folder_cap * 2 : 16;
        l->folder = xrealloc(l->folder, l->folder_cap * sizeof(*l->folder));
    }
    l->folder[l->folder_count++] = (struct found_folder){ path, is_link };
}

static void take_entry(const struct folder *f, DIR *dir, const struct dirent *d, struct listing *l)
{
    struct stat st;
    bool may_be_folder = d->d_type == DT_DIR || d->d_type == DT_LNK || d->d_type == DT_UNKNOWN;
    if (d->d_name[0] == '.' || (!may_be_folder && !path_is_media(d->d_name)))
        return;
    if (d->d_type == DT_DIR)
        keep_folder(l, join(f->path, d->d_name), false);
    else if (fstatat(dirfd(dir), d->d_name, &st, 0) < 0)
        return; /* gone, or a link to nowhere */
    else if (S_ISDIR(st.st_mode))
        keep_folder(l, join(f->path, d->d_name), d->d_type == DT_LNK);
    else if (S_ISREG(st.st_mode) && path_is_media(d->d_name))
        keep_file(l, d->d_name, &st);
}

/* Whether that folder is still known under its other name: it may just have got this one. */
static bool is_still_there(const struct folder *f)
{
    struct stat st;
    return stat(f->path, &st) == 0 && st.st_dev == f->device && st.st_ino == f->inode;
}

/* 0 or -errno; 1: it is a folder that was read already, under another name. */
static int read_folder(struct scan *s, struct folder *f, struct listing *l)
{
    *l = (struct listing){ 0 };
    DIR *dir = opendir(f->path);
    if (!dir)
        return -errno;
    struct stat st;
    int ret = fstat(dirfd(dir), &st) < 0 ? -errno : 0;
    if (ret == 0) {
        folder_set_place(s->folders, f, st.st_dev, st.st_ino);
        const struct folder *other = folder_set_double(s->folders, f);
        if (other && (s->is_whole ? other->seen == s->number : is_still_there(other)))
            ret = 1;
    }
    errno = 0;
    for (struct dirent *d; ret == 0 && (d = readdir(dir)); errno = 0)
        if (l->file_count < s->params.files_max && l->folder_count < s->params.files_max)
            take_entry(f, dir, d, l);
        else
            s->counts.is_cut = true;
    if (ret == 0 && errno) /* a disk that fails: what it did not tell is not away */
        ret = -errno;
    closedir(dir);
    if (l->file_count)
        qsort(l->file, l->file_count, sizeof(*l->file), compare_found);
    if (l->folder_count)
        qsort(l->folder, l->folder_count, sizeof(*l->folder), compare_folders);
    return ret;
}

/* ---- what has changed ---------------------------------------------------------------------------- */

static int write_file(struct scan *s, const struct folder *f, const struct found *found,
                      const struct known *known)
{
    if ((!known || known->is_away) && s->counts.files >= s->params.files_max) {
        s->counts.is_cut = true;
        return 0;
    }
    char *path = join(f->path, found->name);
    track_from_path(s->track, path);
    free(path);
    struct library_file file = {
        .row = known ? known->row : 0,
        .folder_row = f->row,
        .folder = f->path,
        .name = found->name,
        .size = found->size,
        .mtime_ns = found->mtime_ns,
        .key = s->track->video_id,
        .title = s->track->title,
        .artist = s->track->artist,
        .wants_tags = s->params.reads_tags && !*s->track->artist && found->size > 0,
    };
    int ret = library_index_put(s->params.index, &file);
    if (ret < 0)
        return ret;
    s->counts.files += !known || known->is_away;
    s->counts.away -= known && known->is_away;
    tell(s, &file, f->root, FILE_NEW);
    return wrote(s, 0);
}

static void tell_away(struct scan *s, const struct folder *f, const struct known *k)
{
    char *path = join(f->path, k->name);
    track_from_path(s->track, path);
    free(path);
    struct library_file file = { .row = k->row,
                                 .folder_row = f->row,
                                 .folder = f->path,
                                 .name = k->name,
                                 .key = s->track->video_id,
                                 .title = s->track->title,
                                 .artist = s->track->artist,
                                 .absent_ms = s->wall_ms };
    tell(s, &file, f->root, FILE_AWAY);
}

static int lose_file(struct scan *s, const struct folder *f, const struct known *k)
{
    if (k->is_away)
        return 0;
    int ret = library_index_set_absent(s->params.index, k->row, max_i64(s->wall_ms, 1));
    if (ret < 0)
        return ret;
    s->counts.files--;
    s->counts.away++;
    tell_away(s, f, k);
    return wrote(s, 0);
}

/* A version that was seen before and is back needs no second look, and its tags are still known. */
static int bring_back(struct scan *s, const struct folder *f, const struct found *found,
                      const struct known *k)
{
    if (s->counts.files >= s->params.files_max) {
        s->counts.is_cut = true;
        return 0;
    }
    int ret = library_index_set_absent(s->params.index, k->row, 0);
    if (ret < 0)
        return ret;
    char *path = join(f->path, found->name);
    track_from_path(s->track, path);
    free(path);
    struct library_file file = { .row = k->row,
                                 .folder_row = f->row,
                                 .folder = f->path,
                                 .name = found->name,
                                 .key = s->track->video_id,
                                 .title = s->track->title,
                                 .artist = s->track->artist };
    s->counts.files++;
    s->counts.away--;
    tell(s, &file, f->root, FILE_NEW);
    return wrote(s, 0);
}

static int compare_file(struct scan *s, const struct folder *f, const struct found *found,
                        const struct known *k)
{
    if (found->size != k->size || found->mtime_ns != k->mtime_ns)
        return write_file(s, f, found, k);
    return k->is_away ? bring_back(s, f, found, k) : 0;
}

/* Both lists in the order of strcmp(). */
static int merge(struct scan *s, const struct folder *f, const struct listing *l,
                 const struct known_list *known)
{
    int ret = 0;
    for (size_t i = 0, k = 0; ret == 0 && (i < l->file_count || k < known->count);) {
        int order = i == l->file_count  ? 1
                    : k == known->count ? -1
                                        : strcmp(l->file[i].name, known->at[k].name);
        if (is_stopped(s))
            ret = -ECANCELED;
        else if (order < 0)
            ret = write_file(s, f, &l->file[i++], NULL);
        else if (order > 0)
            ret = lose_file(s, f, &known->at[k++]);
        else
            ret = compare_file(s, f, &l->file[i++], &known->at[k++]);
    }
    return ret;
}

static int follow_files(struct scan *s, struct folder *f, const struct listing *l)
{
    struct known_list known;
    int ret = 0;
    if (!f->row && l->file_count)
        ret = library_index_add_folder(s->params.index, f->path, &f->row);
    if (ret == 0)
        ret = load_known(s, f, &known);
    else
        known = (struct known_list){ 0 };
    if (ret == 0)
        ret = merge(s, f, l, &known);
    known_finish(&known);
    return ret;
}

/* It is not there, or cannot be read: nor can its files. */
static int lose_folder(struct scan *s, struct folder *f)
{
    static const struct listing nothing = { 0 };
    int ret = f->is_here ? follow_files(s, f, &nothing) : 0;
    if (ret == 0) {
        s->counts.folders -= f->is_counted;
        f->is_here = f->is_dirty = f->is_counted = false;
        folder_set_place(s->folders, f, 0, 0);
        if (s->params.watch)
            folder_watch_remove(s->params.watch, f->path);
    }
    return ret;
}

static bool is_below(const struct folder *f, const struct folder *top)
{
    size_t len = strlen(top->path);
    return strncmp(f->path, top->path, len) == 0 && (!f->path[len] || f->path[len] == '/');
}

static int lose_tree(struct scan *s, const struct folder *top)
{
    int ret = 0;
    for (struct folder *f = s->folders->first; ret == 0 && f; f = f->next)
        if (f->is_here && is_below(f, top))
            ret = lose_folder(s, f);
    return ret;
}

/* ---- walking ------------------------------------------------------------------------------------ */

static void watch(struct scan *s, const char *path)
{
    if (!s->params.watch)
        return;
    int ret = folder_watch_add(s->params.watch, path);
    if (ret != -ENOSPC && ret != -ENOMEM)
        return;
    s->counts.is_unwatched = true;
    if (!s->said_unwatched)
        log_warn(s->params.log,
                 "the library has more folders than this machine lets one watch: changes are found "
                 "by looking again from time to time (fs.inotify.max_user_watches)");
    s->said_unwatched = true;
}

static int scan_folder(struct scan *s, struct folder *f, int depth);

static int scan_below(struct scan *s, struct folder *f, const struct listing *l, int depth)
{
    int ret = 0;
    if (depth >= SCAN_DEPTH_MAX && l->folder_count) {
        s->counts.is_cut = true;
        return 0;
    }
    for (size_t i = 0; ret == 0 && i < l->folder_count; i++) {
        struct folder *below = folder_set_add(s->folders, l->folder[i].path);
        below->parent = f;
        below->root = f->root;
        if (s->is_whole || !below->is_here)
            ret = scan_folder(s, below, depth + 1);
    }
    return ret;
}

/* Folders that were in `f` and are in its listing no more. */
static int lose_missing(struct scan *s, const struct folder *f, const struct listing *l)
{
    int ret = 0;
    for (size_t i = 0; i < l->folder_count; i++) {
        struct folder *below = folder_set_find(s->folders, l->folder[i].path);
        if (below)
            below->seen = s->number;
    }
    for (struct folder *o = s->folders->first; ret == 0 && o; o = o->next)
        if (o->parent == f && o->is_here && o->seen != s->number)
            ret = lose_tree(s, o);
    return ret;
}

/* 0, or -errno of the index or -ECANCELED; a folder that cannot be read is a problem, and lost. */
static int scan_folder(struct scan *s, struct folder *f, int depth)
{
    struct listing l;
    if (is_stopped(s))
        return -ECANCELED;
    watch(s, f->path); /* first: what changes while it is read is seen */
    int ret = read_folder(s, f, &l);
    f->is_dirty = false;
    if (ret != 0) {
        if (ret < 0 && (ret != -ENOENT || !f->parent))
            note_problem(s, f->path, ret);
        listing_finish(&l);
        return s->is_whole ? lose_folder(s, f) : lose_tree(s, f);
    }
    s->counts.folders += !f->is_counted;
    f->is_here = f->is_counted = true;
    f->seen = s->number;
    ret = follow_files(s, f, &l);
    if (ret == 0 && !s->is_whole)
        ret = lose_missing(s, f, &l);
    if (ret == 0)
        ret = scan_below(s, f, &l, depth);
    listing_finish(&l);
    return ret;
}

static void begin(struct scan *s, bool is_whole, int64_t wall_ms)
{
    s->number++;
    s->is_whole = is_whole;
    s->wall_ms = wall_ms;
}

static int end(struct scan *s, int ret)
{
    int committed = commit(s);
    return ret < 0 ? ret : committed;
}

static struct folder *add_root(struct scan *s, const char *path, size_t number)
{
    char *plain = xstrdup(path);
    for (size_t len = strlen(plain); len > 1 && plain[len - 1] == '/';)
        plain[--len] = '\0';
    struct folder *f = folder_set_add(s->folders, plain);
    free(plain);
    f->root = (unsigned)number;
    return f;
}

int scan_all(struct scan *s, char *const roots[], size_t root_count, int64_t wall_ms)
{
    begin(s, true, wall_ms);
    s->counts.unreadable = 0;
    s->counts.problem[0] = '\0';
    s->counts.is_cut = s->counts.is_unwatched = false;
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < root_count; i++) {
        struct folder *f = add_root(s, roots[i], i);
        if (f->seen != s->number) /* within one that was named before */
            ret = scan_folder(s, f, 0);
    }
    for (struct folder *f = s->folders->first; ret == 0 && f; f = f->next)
        if (f->is_here && f->seen != s->number)
            ret = lose_folder(s, f);
    s->has_marked = false;
    return end(s, ret);
}

/* ---- folders in which something changed ---------------------------------------------------------- */

void scan_mark(struct scan *s, const char *path)
{
    struct folder *f = folder_set_find(s->folders, path);
    if (f && f->is_here)
        f->is_dirty = s->has_marked = true;
}

bool scan_is_marked(const struct scan *s)
{
    return s->has_marked;
}

int scan_marked(struct scan *s, int64_t wall_ms)
{
    int ret = 0;
    begin(s, false, wall_ms);
    s->has_marked = false;
    for (struct folder *f = s->folders->first; ret == 0 && f; f = f->next)
        if (f->is_dirty && f->is_here)
            ret = scan_folder(s, f, 0);
    if (ret < 0)
        s->has_marked = true;
    return end(s, ret);
}

/* ---- birth and end ------------------------------------------------------------------------------ */

struct loading {
    struct scan *scan;
    char *const *roots;
    size_t root_count;
};

/* Which root a folder of an earlier life is in; root_count: none any more. */
static size_t root_of(const struct loading *l, const char *path)
{
    for (size_t i = 0; i < l->root_count; i++) {
        size_t len = strlen(l->roots[i]);
        while (len > 0 && l->roots[i][len - 1] == '/')
            len--;
        if (strncmp(path, l->roots[i], len) == 0 && (!path[len] || path[len] == '/'))
            return i;
    }
    return l->root_count;
}

static void load_folder(void *ctx, int64_t row, const char *path)
{
    struct loading *l = ctx;
    struct folder *f = folder_set_add(l->scan->folders, path);
    f->row = row;
    f->root = (unsigned)root_of(l, path);
    f->is_here = true; /* until the first scan says otherwise */
}

static void load_file(void *ctx, const struct library_file *file)
{
    struct scan *s = ((struct loading *)ctx)->scan;
    const struct folder *f = folder_set_find(s->folders, file->folder);
    s->counts.files += !file->absent_ms;
    s->counts.away += file->absent_ms > 0;
    tell(s, file, f ? f->root : 0, FILE_KNOWN);
}

int scan_create(struct scan **out, const struct scan_params *params, char *const roots[],
                size_t root_count)
{
    struct scan *s = xcalloc(1, sizeof(*s));
    struct loading loading = { s, roots, root_count };
    s->params = *params;
    s->folders = folder_set_create();
    s->track = track_create();
    int ret = library_index_each_folder(params->index, load_folder, &loading);
    if (ret == 0)
        ret = library_index_each_file(params->index, 0, load_file, &loading);
    if (ret < 0) {
        scan_destroy(s);
        return ret;
    }
    *out = s;
    return 0;
}

void scan_destroy(struct scan *s)
{
    if (!s)
        return;
    folder_set_destroy(s->folders);
    track_destroy(s->track);
    free(s);
}

static void forget_file(void *ctx, const struct library_file *file)
{
    struct scan *s = ctx;
    s->counts.away--;
    tell(s, file, 0, FILE_FORGOTTEN);
}

int scan_forget(struct scan *s, int64_t before_ms)
{
    return end(s, library_index_forget(s->params.index, before_ms, forget_file, s));
}

const struct scan_counts *scan_counts(const struct scan *s)
{
    return &s->counts;
}
