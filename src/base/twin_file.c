#include "base/twin_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"

/* "HASH TURN LENGTH\n", hexadecimal; the hash is of all that follows it, to the end of the text. */
#define NUMBER_LEN ((size_t)16)
#define HEAD_LEN   (3 * (NUMBER_LEN + 1))
#define GROWTH     ((size_t)64 * 1024) /* a size that changes costs a second flush */

struct twin_file {
    char *path[2];
    bool is_named[2]; /* the folder was flushed since: the name is there after a power cut */
    uint64_t turn;    /* of what counts */
    int next;         /* the file that does not */
    bool is_known;    /* both */
};

struct part {
    char *data; /* the whole file, owned; NULL: `error` */
    char *text; /* in it */
    size_t len;
    uint64_t turn;
    int error;
};

static char *path_of(const char *path, int which)
{
    return which ? xasprintf("%s.twin", path) : xstrdup(path);
}

static bool number_at(const char *text, char end, uint64_t *out)
{
    *out = strtoull(text, NULL, 16);
    return strspn(text, "0123456789abcdef") == NUMBER_LEN && text[NUMBER_LEN] == end;
}

static bool is_whole(struct part *p, size_t size)
{
    uint64_t hash, len;
    if (size < HEAD_LEN || !number_at(p->data, ' ', &hash) ||
        !number_at(p->data + NUMBER_LEN + 1, ' ', &p->turn) ||
        !number_at(p->data + 2 * (NUMBER_LEN + 1), '\n', &len) || len > size - HEAD_LEN)
        return false;
    p->text = p->data + HEAD_LEN;
    p->len = (size_t)len;
    return hash == text_hash(p->data + NUMBER_LEN, HEAD_LEN - NUMBER_LEN + p->len);
}

static struct part part_read(const char *path, int which, size_t max)
{
    struct part p = { 0 };
    size_t size;
    char *own = path_of(path, which);
    p.error = file_read(own, max, &p.data, &size);
    free(own);
    if (p.error == 0 && !is_whole(&p, size)) {
        bool is_blank = !p.data[0]; /* made, and then the power went */
        free(p.data);
        p = (struct part){ .error = is_blank ? -ENOENT : -EBADMSG };
    }
    return p;
}

/* Which of both counts; -1: none. */
static int newest(const struct part part[2])
{
    if (!part[0].data || !part[1].data)
        return part[0].data ? 0 : part[1].data ? 1 : -1;
    return part[1].turn > part[0].turn;
}

int twin_file_read(const char *path, size_t max, char **text, size_t *len)
{
    size_t most = SIZE_MAX - max > HEAD_LEN + GROWTH ? max + HEAD_LEN + GROWTH : SIZE_MAX;
    struct part part[2] = { part_read(path, 0, most), part_read(path, 1, most) };
    int which = newest(part), ret = 0;
    if (which < 0)
        ret = part[0].error == -ENOENT ? part[1].error : part[0].error;
    else if (part[which].len > max)
        ret = -EFBIG;
    if (ret == 0) {
        *text = part[which].data;
        *len = part[which].len;
        memmove(*text, part[which].text, *len);
        (*text)[*len] = '\0';
        part[which].data = NULL;
    }
    free(part[0].data);
    free(part[1].data);
    return ret;
}

struct twin_file *twin_file_create(const char *path)
{
    struct twin_file *t = xcalloc(1, sizeof(*t));
    for (int i = 0; i < 2; i++)
        t->path[i] = path_of(path, i);
    return t;
}

void twin_file_destroy(struct twin_file *t)
{
    if (!t)
        return;
    free(t->path[0]);
    free(t->path[1]);
    free(t);
}

static void look(struct twin_file *t)
{
    struct part part[2] = { part_read(t->path[0], 0, SIZE_MAX),
                            part_read(t->path[0], 1, SIZE_MAX) };
    int which = newest(part);
    t->turn = which < 0 ? 0 : part[which].turn;
    t->next = which == 0;
    t->is_known = true;
    free(part[0].data);
    free(part[1].data);
}

/* Room for `len` bytes that are there already when they are written, next time at the latest. */
static int make_room(int fd, size_t len, bool *is_new)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    *is_new = st.st_size == 0;
    if ((size_t)st.st_size >= len)
        return 0;
    int ret = posix_fallocate(fd, 0, (off_t)((len + GROWTH - 1) / GROWTH * GROWTH));
    return ret == EINVAL || ret == EOPNOTSUPP ? 0 : -ret;
}

static int write_next(struct twin_file *t, const char *data, size_t len)
{
    int which = t->next;
    int fd = open(t->path[which], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    bool is_new = false;
    int ret = make_room(fd, len, &is_new);
    if (ret == 0)
        ret = file_write_all(fd, data, len);
    if (ret == 0 && fdatasync(fd) < 0)
        ret = -errno;
    if (close(fd) < 0 && ret == 0)
        ret = -errno;
    t->is_named[which] &= !is_new;
    if (ret == 0 && !t->is_named[which]) {
        ret = file_sync_folder(t->path[which]);
        t->is_named[which] = ret == 0;
    }
    return ret;
}

int twin_file_write(struct twin_file *t, const char *text, size_t len)
{
    if (!t->is_known)
        look(t);
    char *data = xcalloc(1, HEAD_LEN + len + 1);
    size_t hashed = HEAD_LEN - NUMBER_LEN + len;
    snprintf(data + NUMBER_LEN, HEAD_LEN - NUMBER_LEN + 1, " %016" PRIx64 " %016zx\n", t->turn + 1,
             len);
    memcpy(data + HEAD_LEN, text, len);
    char hash[NUMBER_LEN + 1];
    snprintf(hash, sizeof(hash), "%016" PRIx64, text_hash(data + NUMBER_LEN, hashed));
    memcpy(data, hash, NUMBER_LEN);
    int ret = write_next(t, data, HEAD_LEN + len);
    free(data);
    if (ret < 0)
        return ret;
    t->turn++;
    t->next = !t->next;
    return 0;
}

int twin_file_set_aside(const char *path, const char *word)
{
    int ret = 0;
    for (int i = 0; i < 2; i++) {
        char *own = path_of(path, i), *aside = xasprintf("%s.%s", own, word);
        if (rename(own, aside) < 0 && errno != ENOENT)
            ret = -errno;
        free(own);
        free(aside);
    }
    return ret;
}
