#include "cli/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/natural.h"
#include "model/track.h"

#define PROGRESS_EVERY 1024 /* entries */

void walk_init(struct walk *w)
{
    *w = (struct walk){ 0 };
}

void walk_finish(struct walk *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->path[i]);
    free(w->path);
    free(w->visited);
    *w = (struct walk){ 0 };
}

char *path_absolute(const char *path)
{
    if (*path == '/')
        return xstrdup(path);
    while (path[0] == '.' && (path[1] == '/' || !path[1])) {
        path++;
        path += strspn(path, "/");
    }
    char *cwd = getcwd(NULL, 0);
    if (!cwd)
        return xstrdup(path);
    bool is_root = strcmp(cwd, "/") == 0;
    char *out = *path ? xasprintf("%s/%s", is_root ? "" : cwd, path) : xstrdup(cwd);
    free(cwd);
    return out;
}

/* Takes `path`. */
static void keep(struct walk *w, char *path)
{
    if (w->count == WALK_FILES_MAX) {
        w->is_cut = true;
        free(path);
        return;
    }
    if (w->count == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 256;
        w->path = xrealloc(w->path, w->cap * sizeof(*w->path));
    }
    w->path[w->count++] = path;
}

void walk_add_file(struct walk *w, const char *path)
{
    keep(w, path_absolute(path));
}

/* ---- folders that were read -------------------------------------------------------------------- */

static struct folder_id *find_visited(struct folder_id *table, size_t cap, struct folder_id id)
{
    size_t i = (size_t)(((uint64_t)id.inode * 0x9e3779b97f4a7c15u) ^ (uint64_t)id.device);
    for (;; i++) {
        struct folder_id *slot = &table[i & (cap - 1)];
        if (slot->inode == 0 || (slot->inode == id.inode && slot->device == id.device))
            return slot;
    }
}

static void grow_visited(struct walk *w)
{
    size_t cap = w->visited_cap ? w->visited_cap * 2 : 64;
    struct folder_id *table = xcalloc(cap, sizeof(*table));
    for (size_t i = 0; i < w->visited_cap; i++) {
        if (w->visited[i].inode)
            *find_visited(table, cap, w->visited[i]) = w->visited[i];
    }
    free(w->visited);
    w->visited = table;
    w->visited_cap = cap;
}

/* true: for the first time. */
static bool visit(struct walk *w, const struct stat *st)
{
    struct folder_id id = { .device = st->st_dev, .inode = st->st_ino ? st->st_ino : 1 };
    if (w->visited_count * 2 >= w->visited_cap)
        grow_visited(w);
    struct folder_id *slot = find_visited(w->visited, w->visited_cap, id);
    if (slot->inode)
        return false;
    *slot = id;
    w->visited_count++;
    return true;
}

/* ---- one folder -------------------------------------------------------------------------------- */

struct entry {
    char *name;
    bool is_folder;
};

struct entry_list {
    struct entry *at;
    size_t count, cap;
};

static int compare_entries(const void *a, const void *b)
{
    return natural_compare(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void keep_entry(struct entry_list *list, const char *name, bool is_folder)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 64;
        list->at = xrealloc(list->at, list->cap * sizeof(*list->at));
    }
    list->at[list->count++] = (struct entry){ .name = xstrdup(name), .is_folder = is_folder };
}

static void read_entry(struct walk *w, DIR *dir, const struct dirent *d, struct entry_list *list)
{
    if (d->d_name[0] == '.') /* hidden, and the folder itself */
        return;
    unsigned char type = d->d_type;
    if (type == DT_LNK || type == DT_UNKNOWN) {
        struct stat st;
        if (fstatat(dirfd(dir), d->d_name, &st, 0) < 0)
            return; /* a link to nowhere */
        type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
    }
    if (type == DT_DIR || (type == DT_REG && path_is_media(d->d_name)))
        keep_entry(list, d->d_name, type == DT_DIR);
    if (++w->seen % PROGRESS_EVERY == 0 && w->progress)
        w->progress(w->progress_ctx, w);
}

/* 0 or -errno; 1: it was read before. */
static int read_folder(struct walk *w, const char *path, struct entry_list *list)
{
    DIR *dir = opendir(path);
    if (!dir)
        return -errno;
    struct stat st;
    int ret = fstat(dirfd(dir), &st) < 0 ? -errno : visit(w, &st) ? 0 : 1;
    errno = 0;
    for (struct dirent *d; ret == 0 && !w->is_cut && (d = readdir(dir));) {
        read_entry(w, dir, d, list);
        w->is_cut = w->is_cut || list->count >= WALK_FILES_MAX;
        errno = 0;
    }
    closedir(dir);
    if (ret == 0) {
        w->folders++;
        if (list->count)
            qsort(list->at, list->count, sizeof(*list->at), compare_entries);
    }
    return ret;
}

void walk_note_problem(struct walk *w, const char *path, int error)
{
    if (w->unreadable++ == 0)
        snprintf(w->problem, sizeof(w->problem), "%s: cannot be read: %s", path, strerror(-error));
}

static int walk_below(struct walk *w, const char *path, int depth)
{
    struct entry_list list = { 0 };
    int ret = read_folder(w, path, &list);
    const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";
    for (size_t i = 0; i < list.count; i++) {
        char *below = xasprintf("%s%s%s", path, slash, list.at[i].name);
        if (!list.at[i].is_folder) {
            keep(w, below);
            below = NULL;
        } else if (depth >= WALK_DEPTH_MAX) {
            w->is_cut = true;
        } else {
            int error = walk_below(w, below, depth + 1);
            if (error < 0)
                walk_note_problem(w, below, error);
        }
        free(below);
        free(list.at[i].name);
    }
    free(list.at);
    return ret;
}

ssize_t walk_add_folder(struct walk *w, const char *path)
{
    size_t before = w->count;
    char *absolute = path_absolute(path);
    int ret = walk_below(w, absolute, 0);
    free(absolute);
    return ret < 0 ? ret : (ssize_t)(w->count - before);
}
