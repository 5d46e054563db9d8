#include "hub/hub_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char *hub_listen_url(const char *address, int port, bool is_encrypted, char *out, size_t size)
{
    const char *host = strcmp(address, "0.0.0.0") == 0 ? "127.0.0.1"
                       : strcmp(address, "::") == 0    ? "::1"
                                                       : address;
    bool has_brackets = strchr(host, ':') != NULL;
    snprintf(out, size, "http%s://%s%s%s:%d/v1", is_encrypted ? "s" : "", has_brackets ? "[" : "",
             host, has_brackets ? "]" : "", port);
    return out;
}

bool hub_listen_is_open(const char *address)
{
    return strncmp(address, "127.", 4) != 0 && strcmp(address, "::1") != 0;
}

bool hub_listen_is_taken(const char *address, int port)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    bool has_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
    if (!has_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
        return false;
    const struct sockaddr *to = has_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    bool is_taken = bind(fd, to, has_v4 ? sizeof(v4) : sizeof(v6)) < 0 && errno == EADDRINUSE;
    close(fd);
    return is_taken;
}
