/* Threads that must be on time. */
#pragma once

enum thread_level {
    THREAD_PICTURE = 3,
    THREAD_SOUND = 5
}; /* of SCHED_FIFO: the higher goes first */

/* Puts the calling thread before all ordinary ones, where the system allows it (RLIMIT_RTPRIO); threads it makes later are
 * ordinary. Where it is not allowed nothing changes: the thread is as punctual as the machine has time. */
void thread_hurry(enum thread_level level);
