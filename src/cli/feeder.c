#include "cli/feeder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/batch.h"
#include "cli/uplink.h"

#define ROOM_RETRY_MS 1000
#define REFUSED_SAID  10

struct feeder {
    struct feeder_params params;
    struct uplink *uplink;
    uv_timer_t timer;
    size_t done; /* files the player has taken or refused */
    size_t refused;
};

static void send_next(struct feeder *f)
{
    char *const *path = f->params.path + f->done;
    size_t count = batch_length(path, f->params.count - f->done);
    if (count)
        uplink_send(f->uplink, batch_request(path, count));
}

static void on_room_time(uv_timer_t *timer)
{
    send_next(timer->data);
}

static void say_refused(struct feeder *f, const struct message *refused)
{
    char text[1024];
    if (f->refused++ >= REFUSED_SAID)
        return;
    snprintf(text, sizeof(text), "%s: %s", message_str(refused, "file", "?"),
             message_str(refused, "error", "refused"));
    f->params.say(f->params.ctx, text);
}

static void take_answer(struct feeder *f, const struct message *answer)
{
    size_t taken = message_count(answer, "added");
    for (size_t i = 0; i < message_count(answer, "refused"); i++) {
        const struct message *r = message_object_at(answer, "refused", i);
        if (!r || strcmp(message_str(r, "code", ""), "full") == 0)
            continue;
        say_refused(f, r);
        taken++;
    }
    size_t left = f->params.count - f->done;
    f->done += taken < left ? taken : left;
}

static void say_full(struct feeder *f)
{
    char text[128];
    snprintf(text, sizeof(text), "the queue is full: %zu files were left out",
             f->params.count - f->done);
    f->params.say(f->params.ctx, text);
}

static void on_answer(void *ctx, const struct message *answer)
{
    struct feeder *f = ctx;
    if (!answer) { /* the player died: what it has not confirmed is sent again */
        send_next(f);
        return;
    }
    size_t before = f->done;
    bool is_full = batch_found_full(answer);
    take_answer(f, answer);
    if (f->done >= f->params.count)
        return;
    if (is_full && !f->params.waits_for_room)
        say_full(f);
    else if (is_full)
        uv_timer_start(&f->timer, on_room_time, ROOM_RETRY_MS, 0);
    else if (f->done == before)
        f->params.say(f->params.ctx,
                      message_str(answer, "error", "the player takes no more files"));
    else
        send_next(f);
}

struct feeder *feeder_create(const struct feeder_params *p)
{
    struct feeder *f = xcalloc(1, sizeof(*f));
    f->params = *p;
    uv_timer_init(p->loop, &f->timer);
    f->timer.data = f;
    f->uplink = uplink_create(&(struct uplink_params){
        .loop = p->loop, .runtime_dir = p->runtime_dir, .on_answer = on_answer, .ctx = f });
    send_next(f);
    return f;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void feeder_destroy(struct feeder *f)
{
    if (!f)
        return;
    uplink_destroy(f->uplink);
    uv_close((uv_handle_t *)&f->timer, on_closed);
}
