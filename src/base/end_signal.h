/* SIGTERM and SIGINT, for programs that sleep where no handler can wake them: a thread of its own takes the first. */
#pragma once

#include <pthread.h>
#include <signal.h>

#include "base/compiler.h"

struct end_signal {
    sigset_t set;
    pthread_t thread;
    void (*stop)(void *ctx);
    void *ctx;
};

/* Before there is any other thread: none of them is interrupted from now on. */
void end_signal_block(struct end_signal *e);
/* `stop` is called once, on the thread, when the signal comes; `e` stays where it is. 0 or -errno. */
WARN_UNUSED int end_signal_await(struct end_signal *e, void (*stop)(void *ctx), void *ctx);
/* Waits until it has come and `stop` has returned. */
void end_signal_join(struct end_signal *e);
