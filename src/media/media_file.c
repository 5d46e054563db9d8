#include "media/media_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

enum { IO_BYTES = 64 * 1024 };
#define YOUNG_MS      2000
#define LOOK_AGAIN_NS MS(50)

struct media_file {
    /* Constant after open. */
    int fd;
    struct gate *gate;
    AVIOContext *io;

    /* Demuxer's thread only. */
    int64_t at;         /* of the next read */
    int64_t bytes_left; /* of the limit */
    bool may_go_ahead, is_frozen;
    bool was_growing; /* its order said so once: then the order also says when that is over */

    _Atomic bool trusts_mtime;
    _Atomic bool is_waiting;
};

bool media_file_is_growing(const struct media_file *f)
{
    return gate_has(f->gate, ORDER_GROWING);
}

/* A time in the future says nothing: a box without a clock battery writes such. */
static bool is_young(const struct media_file *f)
{
    struct stat st;
    if (fstat(f->fd, &st) < 0)
        return false;
    int64_t age_ms = now_wall_ms() - (st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
    return age_ms >= 0 && age_ms < YOUNG_MS;
}

static bool may_grow(struct media_file *f)
{
    f->was_growing = f->was_growing || media_file_is_growing(f);
    if (f->was_growing)
        return media_file_is_growing(f);
    return atomic_load(&f->trusts_mtime) && is_young(f);
}

static int read_bytes(void *opaque, uint8_t *buf, int size)
{
    struct media_file *f = opaque;
    for (;;) {
        uint32_t seen = doorbell_rings(f->gate->bell);
        if (gate_is_stopped(f->gate) || f->bytes_left <= 0)
            return AVERROR_EXIT;
        /* Asked before reading: bytes written before growth ended are then seen by the read. */
        bool waits = may_grow(f) && !f->is_frozen;
        ssize_t n = pread(f->fd, buf, (size_t)size, f->at);
        if (n > 0) {
            atomic_store(&f->is_waiting, false);
            f->at += n;
            f->bytes_left -= n;
            return (int)n;
        }
        if (n < 0 && errno != EINTR)
            return AVERROR(errno);
        if (n == 0 && !waits) {
            atomic_store(&f->is_waiting, false);
            return AVERROR_EOF;
        }
        atomic_store(&f->is_waiting, true);
        gate_wait(f->gate, seen, LOOK_AGAIN_NS);
    }
}

static int64_t seek_bytes(void *opaque, int64_t offset, int whence)
{
    struct media_file *f = opaque;
    struct stat st;
    if (fstat(f->fd, &st) < 0)
        return AVERROR(errno);
    bool grows = media_file_is_growing(f) && !f->is_frozen;
    if (whence & AVSEEK_SIZE)
        return grows ? AVERROR(ENOSYS) : st.st_size;
    if (whence != SEEK_SET) /* avio asks for no other, but for the end of a file of no known size */
        return AVERROR(ENOSYS);
    if (offset < 0 || (grows && !f->may_go_ahead && offset > st.st_size))
        return AVERROR(EINVAL);
    f->at = offset;
    return offset;
}

static int check(int fd, const struct gate *gate)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    return st.st_size == 0 && !gate_has(gate, ORDER_GROWING) ? -ENODATA : 0;
}

int media_file_open(struct media_file **out, const char *path, struct gate *gate)
{
    /* O_NONBLOCK: opening a pipe must not wait for its other end. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int ret = check(fd, gate);
    if (ret < 0) {
        close(fd);
        return ret;
    }
    struct media_file *f = xcalloc(1, sizeof(*f));
    f->fd = fd;
    f->gate = gate;
    f->bytes_left = INT64_MAX;
    uint8_t *buf = av_malloc(IO_BYTES);
    f->io = buf ? avio_alloc_context(buf, IO_BYTES, 0, f, read_bytes, NULL, seek_bytes) : NULL;
    if (!f->io) {
        av_free(buf);
        media_file_close(f);
        return -ENOMEM;
    }
    *out = f;
    return 0;
}

void media_file_close(struct media_file *f)
{
    if (!f)
        return;
    if (f->io)
        av_freep(&f->io->buffer);
    avio_context_free(&f->io);
    close(f->fd);
    free(f);
}

AVIOContext *media_file_io(struct media_file *f)
{
    return f->io;
}

void media_file_allow_ahead(struct media_file *f, bool allow)
{
    f->may_go_ahead = allow;
}

void media_file_freeze(struct media_file *f, bool is_frozen)
{
    f->is_frozen = is_frozen;
}

void media_file_limit(struct media_file *f, int64_t bytes)
{
    f->bytes_left = bytes;
}

void media_file_trust_mtime(struct media_file *f)
{
    atomic_store(&f->trusts_mtime, true);
}

bool media_file_is_waiting(const struct media_file *f)
{
    return atomic_load(&f->is_waiting);
}
