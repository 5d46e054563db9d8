#include "base/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/systemd.h"

/* A sign of life is passed on so often in the time after which the manager ends us. */
#define SIGNS 4

/* Time after which the manager takes us for hung; 0: never. */
static int64_t watchdog_ns(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!usec || (pid && strtoll(pid, NULL, 10) != (long long)getpid()))
        return 0;
    int64_t n = strtoll(usec, NULL, 10);
    return n > 0 && n < INT64_MAX / 1000 ? n * 1000 : 0;
}

struct service service_open(const struct log *log)
{
    struct service s = { 0 };
    const char *address = getenv("NOTIFY_SOCKET");
    if (!address || !*address)
        return s;
    systemd_function(&s.notify, "sd_notify");
    if (!s.notify)
        log_err(log, "%s cannot be loaded: the service manager waits in vain", SYSTEMD_LIBRARY);
    s.period_ns = watchdog_ns() / SIGNS;
    return s;
}

/* Is a sign of life, too. */
static void tell_limit(const struct service *s, int64_t limit_ns)
{
    char text[64];
    snprintf(text, sizeof(text), "WATCHDOG_USEC=%lld", (long long)(limit_ns / 1000));
    s->notify(0, text);
}

void service_alive(struct service *s, int64_t now_ns)
{
    if (!s || !s->notify)
        return;
    if (!s->told_ns) {
        s->notify(0, "READY=1");
    } else {
        if (!s->period_ns || (!s->is_busy && now_ns - s->told_ns < s->period_ns))
            return;
        if (s->is_busy)
            tell_limit(s, s->period_ns * SIGNS);
        else
            s->notify(0, "WATCHDOG=1");
    }
    s->is_busy = false;
    s->told_ns = now_ns;
}

void service_busy(struct service *s, int64_t limit_ns)
{
    char text[64];
    if (!s || !s->notify)
        return;
    if (!s->told_ns) { /* the start may take so long, from now on: sd_notify(3) */
        snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%lld", (long long)(limit_ns / 1000));
        s->notify(0, text);
        return;
    }
    if (!s->period_ns)
        return;
    tell_limit(s, limit_ns);
    s->is_busy = true;
}
