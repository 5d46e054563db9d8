/* What the service manager (systemd) is told of a program that it started: that it works, and goes on to. Its library is
 * loaded only where somebody listens. Thread-safety: one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

/* As sd_notify(3). */
typedef int service_notify(int unset_environment, const char *state);

/* Zeroed: nobody listens, and nothing is told. */
struct service {
    service_notify *notify;
    int64_t period_ns; /* between two signs of life; 0: none is wanted */
    int64_t told_ns;   /* CLOCK_MONOTONIC; of the last one, 0: not ready yet */
    bool is_busy;      /* the manager was told to wait longer */
};

/* Reads $NOTIFY_SOCKET and, when it is meant for this process, $WATCHDOG_USEC. When the library cannot be loaded, it says so
 * in the log and nothing is told: the manager then takes the start for failed. */
struct service service_open(const struct log *log);
/* The program has just done its work: a turn of its loop, a picture on every screen. The first call says that it is ready;
 * further ones are signs of life, passed on when one is due. `s` may be NULL. */
void service_alive(struct service *s, int64_t now_ns);
/* Something long begins: the next sign of life may take `limit_ns`, or the program's being ready. Those after it are due as before. `s` may be NULL. */
void service_busy(struct service *s, int64_t limit_ns);
