#include "cli/capture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/now.h"
#include "cli/child.h"

static char *find_program(const char *name)
{
    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t len = strcspn(path, ":");
        char *full = xasprintf("%.*s/%s", (int)len, path, name);
        if (len && access(full, X_OK) == 0)
            return full;
        free(full);
        path += len + (path[len] == ':');
    }
    return NULL;
}

/* Reads to the end. 0, -ETIMEDOUT or -errno. */
static int read_all(int fd, char *out, size_t size, int64_t deadline_ns)
{
    size_t n = 0;
    for (;;) {
        int wait_ms = (int)(max_i64(deadline_ns - now_mono_ns(), 0) / NS_PER_MS);
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int ready = poll(&p, 1, wait_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return ready < 0 ? -errno : -ETIMEDOUT;
        char rest[512];
        bool is_full = n + 1 >= size;
        ssize_t got = read(fd, is_full ? rest : out + n, is_full ? sizeof(rest) : size - 1 - n);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        n += is_full ? 0 : (size_t)got;
        out[n] = '\0';
    }
}

int capture_output(const char *const argv[], char *out, size_t size, int timeout_ms)
{
    out[0] = '\0';
    char *program = find_program(argv[0]);
    if (!program)
        return -ENOENT;
    int fd, status;
    pid_t pid = child_spawn(program, (char *const *)argv, &fd);
    free(program);
    if (pid < 0)
        return (int)pid;
    int ret = read_all(fd, out, size, now_mono_ns() + MS(timeout_ms));
    close(fd);
    if (ret < 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (ret < 0)
        return ret;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
