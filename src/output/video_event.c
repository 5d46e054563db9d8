/* Events, and waiting for them.
 *
 * SDL can sleep until the display has something to say only on x11 and wayland, and only to the
 * millisecond; on the other drivers its wait is a loop of SDL_Delay(1). So the long part of a wait is
 * SDL's where it can sleep, and the rest is a futex with an absolute time. */
#include "output/video.h"

#include "base/now.h"
#include "output/input.h"
#include "output/video_driver.h"

#define PADS_AFTER_NS MS(300) /* pads are looked for when the first pictures are out */
#define PRECISE_NS    MS(2)   /* what is left of the wait to the futex: SDL oversleeps by < 2 ms */
#define LOOK_NS       MS(8)   /* kmsdrm: keyboards are read by looking at them */
#define LOOK_IDLE_NS  MS(250) /* nobody can type, only a signal may have become SDL_QUIT */

/* ---- from SDL to ours ------------------------------------------------------------------------- */

static struct video_event *event_at(struct video *v, unsigned i)
{
    return &v->event[(v->event_first + i) % VIDEO_EVENTS_MAX];
}

static void put(struct video *v, struct video_event e)
{
    unsigned inputs = 0;
    for (unsigned i = 0; i < v->event_count; i++) {
        const struct video_event *old = event_at(v, i);
        inputs += old->kind == VIDEO_INPUT;
        if (e.kind != VIDEO_INPUT && old->kind == e.kind && old->output == e.output)
            return; /* says nothing new */
    }
    if (e.kind == VIDEO_INPUT && inputs == VIDEO_INPUTS_MAX)
        return; /* nobody asks: what was done now does not matter later */
    *event_at(v, v->event_count++) = e;
}

static int output_of_window(const struct video *v, uint32_t window_id)
{
    for (int i = 0; i < v->output_count; i++) {
        if (SDL_GetWindowID(v->output[i].window) == window_id)
            return i;
    }
    return -1;
}

/* SDL's stamps are milliseconds since its start. */
static int64_t time_of(uint32_t timestamp)
{
    int32_t age_ms = (int32_t)(SDL_GetTicks() - timestamp);
    return now_mono_ns() - MS(age_ms > 0 ? age_ms : 0);
}

static void take_window_event(struct video *v, const SDL_WindowEvent *e)
{
    int output = output_of_window(v, e->windowID);
    if (output < 0)
        return;
    switch (e->event) {
    case SDL_WINDOWEVENT_SIZE_CHANGED:
        v->driver->renew(&v->output[output]);
        put(v, (struct video_event){ .kind = VIDEO_RESIZED, .output = output });
        break;
    case SDL_WINDOWEVENT_EXPOSED:
        v->driver->renew(&v->output[output]);
        put(v, (struct video_event){ .kind = VIDEO_EXPOSED, .output = output });
        break;
    case SDL_WINDOWEVENT_CLOSE: put(v, (struct video_event){ .kind = VIDEO_QUIT }); break;
    default: break;
    }
}

static void take_input(struct video *v, struct input_event input, uint32_t timestamp)
{
    input.mono_ns = time_of(timestamp);
    put(v, (struct video_event){ .kind = VIDEO_INPUT, .input = input });
}

static void take_event(struct video *v, const SDL_Event *e)
{
    struct input_event input;
    switch (e->type) {
    case SDL_QUIT: put(v, (struct video_event){ .kind = VIDEO_QUIT }); break;
    case SDL_WINDOWEVENT: take_window_event(v, &e->window); break;
    case SDL_RENDER_TARGETS_RESET:
    case SDL_RENDER_DEVICE_RESET:
        for (int i = 0; i < v->output_count; i++)
            put(v, (struct video_event){ .kind = VIDEO_EXPOSED, .output = i });
        break;
    case SDL_KEYDOWN:
        if (input_from_key(e->key.keysym.sym, e->key.keysym.mod, e->key.repeat != 0, &input))
            take_input(v, input, e->key.timestamp);
        break;
    case SDL_CONTROLLERBUTTONDOWN:
        if (input_from_button(e->cbutton.button, &input))
            take_input(v, input, e->cbutton.timestamp);
        break;
    default: input_pads_handle(&v->pads, e, v->log); break;
    }
}

/* Empties SDL's queue into ours. */
static void pump(struct video *v)
{
    SDL_Event e;
    if (v->card && kms_card_has_news(v->card, now_mono_ns()))
        put(v, (struct video_event){ .kind = VIDEO_DISPLAYS });
    input_pads_update(&v->pads, now_mono_ns());
    while (SDL_PollEvent(&e))
        take_event(v, &e);
}

/* Starting the pads takes milliseconds: once, when nothing else is to be done. */
static void open_pads_when_due(struct video *v)
{
    if (v->were_pads_tried || v->first_present_ns == 0 ||
        now_mono_ns() - v->first_present_ns < PADS_AFTER_NS)
        return;
    v->were_pads_tried = true;
    input_pads_open(&v->pads, v->log);
}

bool video_poll(struct video *v, struct video_event *out)
{
    if (v->event_count == 0)
        pump(v);
    if (v->event_count == 0) {
        open_pads_when_due(v);
        return false;
    }
    *out = *event_at(v, 0);
    v->event_first = (v->event_first + 1) % VIDEO_EVENTS_MAX;
    v->event_count--;
    return true;
}

/* ---- waiting ---------------------------------------------------------------------------------- */

void video_wake(struct video *v)
{
    doorbell_ring(&v->bell);
    if (atomic_exchange(&v->is_in_sdl, false)) {
        SDL_Event e = { .type = SDL_USEREVENT };
        SDL_PushEvent(&e);
    }
}

/* Sleeps in SDL for about the time given, until an event or a wake. */
static void wait_in_sdl(struct video *v, int64_t time_ns)
{
    /* An exchange, as in video_wake(): of the two, the later one sees what the other did before. */
    (void)atomic_exchange(&v->is_in_sdl, true);
    if (doorbell_rings(&v->bell) == v->rings_seen)
        SDL_WaitEventTimeout(NULL, (int)(time_ns / NS_PER_MS));
    atomic_store(&v->is_in_sdl, false);
}

/* How long nobody needs to look at what SDL cannot be woken by. */
static int64_t longest_sleep(const struct video *v)
{
    if (v->pads.count > 0)
        return LOOK_NS;
    if (v->has_event_wait)
        return MS(1000);
    return v->is_offscreen ? LOOK_IDLE_NS : LOOK_NS;
}

void video_wait(struct video *v, int64_t deadline_mono_ns)
{
    for (;;) {
        pump(v);
        uint32_t rings = doorbell_rings(&v->bell);
        int64_t now = now_mono_ns();
        bool is_woken = rings != v->rings_seen;
        v->rings_seen = rings;
        if (is_woken || v->event_count > 0 || now >= deadline_mono_ns)
            return;
        int64_t left = min_i64(deadline_mono_ns - now, longest_sleep(v));
        if (v->has_event_wait && left >= PRECISE_NS + MS(1))
            wait_in_sdl(v, left - PRECISE_NS);
        else
            doorbell_wait(&v->bell, rings, now + left);
    }
}
