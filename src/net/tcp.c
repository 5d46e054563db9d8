#include "net/tcp.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/compiler.h"

static const struct tcp_option {
    int level, name, value;
} options[] = {
    { IPPROTO_TCP, TCP_NODELAY, 1 },   { SOL_SOCKET, SO_KEEPALIVE, 1 },
    { IPPROTO_TCP, TCP_KEEPIDLE, 15 }, { IPPROTO_TCP, TCP_KEEPINTVL, 5 },
    { IPPROTO_TCP, TCP_KEEPCNT, 3 },   { IPPROTO_TCP, TCP_USER_TIMEOUT, 20000 },
};

void tcp_prepare(int fd)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const struct tcp_option *o = &options[i];
        int ignored = setsockopt(fd, o->level, o->name, &o->value, sizeof(o->value));
        (void)ignored;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}
