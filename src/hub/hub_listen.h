/* Where the hub listens. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* "http://127.0.0.1:8777/v1", as programs of this box reach it. Returns `out`. */
const char *hub_listen_url(const char *address, int port, bool is_encrypted, char *out,
                           size_t size);
/* Whether other machines can reach it. */
bool hub_listen_is_open(const char *address);
/* Whether somebody listens there already. */
bool hub_listen_is_taken(const char *address, int port);
