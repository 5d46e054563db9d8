#include "base/end_signal.h"

void end_signal_block(struct end_signal *e)
{
    sigemptyset(&e->set);
    sigaddset(&e->set, SIGTERM);
    sigaddset(&e->set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &e->set, NULL);
}

static void *take(void *arg)
{
    struct end_signal *e = arg;
    int number;
    while (sigwait(&e->set, &number) != 0)
        continue;
    e->stop(e->ctx);
    return NULL;
}

int end_signal_await(struct end_signal *e, void (*stop)(void *ctx), void *ctx)
{
    e->stop = stop;
    e->ctx = ctx;
    return -pthread_create(&e->thread, NULL, take, e);
}

void end_signal_join(struct end_signal *e)
{
    pthread_join(e->thread, NULL);
}
