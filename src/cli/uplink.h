/* The control socket from within a libuv loop: lines are sent as soon as the player listens, and again
 * connected after it died. Thread-safety: the loop's thread. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/compiler.h"
#include "wire/message.h"

struct uplink_params {
    uv_loop_t *loop;
    const char *runtime_dir; /* copied */
    /* An answer; borrowed. NULL: the connection was lost, what was sent and not answered is gone. May be
     * NULL itself. */
    void (*on_answer)(void *ctx, const struct message *answer);
    void *ctx;
};

struct uplink;

struct uplink *uplink_create(const struct uplink_params *p);
/* Takes `m`. false: too much waits already, it was dropped. */
bool uplink_send(struct uplink *u, struct message *m);
/* Closes; frees itself within the next turns of the loop. NULL is fine. */
void uplink_destroy(struct uplink *u);
