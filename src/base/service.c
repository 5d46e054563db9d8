#include "base/service.h"

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

void service_alive(struct service *s, int64_t now_ns)
{
    if (!s || !s->notify)
        return;
    if (!s->told_ns) {
        s->notify(0, "READY=1");
    } else {
        if (!s->period_ns || now_ns - s->told_ns < s->period_ns)
            return;
        s->notify(0, "WATCHDOG=1");
    }
    s->told_ns = now_ns;
}
