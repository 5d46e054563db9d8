#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/server_internal.h"

#define BACKLOG 1024

static int address_parse(const char *text, int port, struct sockaddr_storage *out, socklen_t *len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof(*out));
    if (port < 0 || port > UINT16_MAX)
        return -EINVAL;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *len = sizeof(*v4);
        return 0;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *len = sizeof(*v6);
        return 0;
    }
    return -EINVAL;
}

int listen_open(const char *address, int port)
{
    struct sockaddr_storage where;
    socklen_t len;
    int ret = address_parse(address, port, &where, &len);
    if (ret < 0)
        return ret;
    int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    const int yes = 1, no = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (where.ss_family == AF_INET6) /* "::" takes IPv4, too, whatever the system's default */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    if (bind(fd, (struct sockaddr *)&where, len) < 0 || listen(fd, BACKLOG) < 0) {
        ret = -errno;
        close(fd);
        return ret;
    }
    return fd;
}

int listen_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } where = { 0 };
    socklen_t len = sizeof(where);
    if (getsockname(fd, &where.any, &len) < 0)
        return -errno;
    return ntohs(where.any.sa_family == AF_INET6 ? where.v6.sin6_port : where.v4.sin_port);
}

static void address_print(const struct sockaddr_storage *where, char *out, size_t size)
{
    out[0] = '\0';
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)where;
    if (where->ss_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)where)->sin_addr, out, (socklen_t)size);
    else if (where->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, out, (socklen_t)size);
    else if (where->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &v6->sin6_addr, out, (socklen_t)size);
}

int listen_accept(int fd, char *peer, size_t size)
{
    struct sockaddr_storage where;
    socklen_t len = sizeof(where);
    memset(&where, 0, sizeof(where));
    int got = accept4(fd, (struct sockaddr *)&where, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (got < 0)
        return -errno;
    const int yes = 1;
    setsockopt(got, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    address_print(&where, peer, size);
    return got;
}
