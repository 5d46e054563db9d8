/* How long it takes from one place to the next: an action until other processes see it, until it is on disk, at the
 * server; a change of others until the view has it, until it is on a screen. */
#include <math.h>

#include "base/now.h"
#include "player/house_internal.h"
#include "wire/message.h"

void hops_acted(struct house *h, int64_t when_ns)
{
    if (!h->hops.acted_ns)
        h->hops.acted_ns = when_ns;
}

void hops_followed(struct house *h, int64_t came_ns)
{
    if (came_ns == NO_TIME || h->hops.event_ns != NO_TIME || !h->view.has_stage)
        return;
    h->hops.event_ns = came_ns;
    h->hops.event_scene = 0;
}

/* What an event changed is in this scene; what the screens do not show of the queue is not measured. */
static void scene_is_out(struct house *h, bool is_new)
{
    struct hops *p = &h->hops;
    if (p->event_ns == NO_TIME || p->event_scene)
        return;
    if (is_new)
        p->event_scene = jukebox_scene(h->jukebox)->serial;
    else
        p->event_ns = NO_TIME;
}

static void event_is_seen(struct hops *p, const struct output_row *row)
{
    if (p->event_ns == NO_TIME || !p->event_scene || row->scene < p->event_scene)
        return;
    histogram_add(&p->event_to_screen, row->scene_mono_ns - p->event_ns);
    p->event_ns = NO_TIME;
}

/* On the screen that shows most, for all show the same. */
static void look_at_screens(struct house *h)
{
    struct output_row row;
    for (size_t i = 0; i < OUTPUTS_MAX; i++) {
        if (!output_row_load(&h->control->output[i], &row) || !row.name[0] || !row.scene)
            continue;
        bool is_news = row.scene != h->hops.scene && row.scene_since_ns >= h->started_ns;
        h->hops.scene = row.scene;
        if (is_news)
            histogram_add(&h->hops.to_screen, row.scene_mono_ns - row.scene_since_ns);
        event_is_seen(&h->hops, &row);
        return;
    }
}

void hops_published(struct house *h)
{
    if (h->hops.acted_ns)
        histogram_add(&h->hops.to_memory, now_mono_ns() - h->hops.acted_ns);
    h->hops.acted_ns = 0;
}

void hops_turn(struct house *h, bool is_scene)
{
    h->hops.acted_ns = 0;
    scene_is_out(h, is_scene);
    look_at_screens(h);
}

/* To the microsecond. */
static double ms(int64_t ns)
{
    return round((double)ns * 1000 / (double)NS_PER_MS) / 1000;
}

static void append(struct message *m, const char *name, const struct histogram *g)
{
    struct message *hop = message_create();
    message_set_str(hop, "name", name);
    message_set_i64(hop, "count", (int64_t)g->count);
    message_set_f64(hop, "p50_ms", ms(histogram_percentile_ns(g, 50)));
    message_set_f64(hop, "p95_ms", ms(histogram_percentile_ns(g, 95)));
    message_set_f64(hop, "p99_ms", ms(histogram_percentile_ns(g, 99)));
    message_set_f64(hop, "max_ms", ms(g->max_ns));
    message_append_object(m, "hops", hop);
}

struct message *hops_message(const struct house *h)
{
    struct message *m = message_create();
    const struct sync_driver *d = h->venue.driver;
    message_set_bool(m, "ok", true);
    message_set_array(m, "hops");
    append(m, "memory", &h->hops.to_memory);
    append(m, "screen", &h->hops.to_screen);
    if (d) {
        append(m, "disk", sync_driver_latency(d, SYNC_HOP_SAVED));
        append(m, "server", sync_driver_latency(d, SYNC_HOP_SERVER));
        append(m, "view", sync_driver_latency(d, SYNC_HOP_VIEW));
        append(m, "event", &h->hops.event_to_screen);
    }
    return m;
}
