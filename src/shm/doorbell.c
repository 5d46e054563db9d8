#include "shm/doorbell.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/now.h"

void doorbell_ring(struct doorbell *d)
{
    atomic_fetch_add_explicit(&d->rings, 1, memory_order_release);
    syscall(SYS_futex, &d->rings, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

uint32_t doorbell_rings(const struct doorbell *d)
{
    return atomic_load_explicit(&d->rings, memory_order_acquire);
}

void doorbell_wait(struct doorbell *d, uint32_t seen, int64_t deadline_ns)
{
    if (deadline_ns <= 0)
        return;
    struct timespec t = { .tv_sec = deadline_ns / NS_PER_S, .tv_nsec = deadline_ns % NS_PER_S };
    syscall(SYS_futex, &d->rings, FUTEX_WAIT_BITSET, seen, deadline_ns == INT64_MAX ? NULL : &t,
            NULL, FUTEX_BITSET_MATCH_ANY);
}

bool doorbell_nap(struct doorbell *d, int64_t until_ns)
{
    while (doorbell_rings(d) == 0 && now_mono_ns() < until_ns)
        doorbell_wait(d, 0, until_ns);
    return doorbell_rings(d) != 0;
}
