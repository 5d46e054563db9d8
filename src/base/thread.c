#include "base/thread.h"

#include <sched.h>

void thread_hurry(enum thread_level level)
{
    struct sched_param p = { .sched_priority = (int)level };
    (void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK,
                             &p); /* 0: this thread (sched(7)) */
}
