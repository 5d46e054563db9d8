#include "stage/overlay_painter.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "output/text_draw.h"
#include "overlay/overlay.h"

struct wish {
    int width, height;  /* 0: unused */
    struct scene scene; /* times in it already resolved to shown or not */
    int64_t left_ms;
};

struct overlay_painter {
    struct log *log;
    struct painter *painter;
    /* Render thread. A canvas for each size of output, and when that was asked for last. */
    struct wish wish[PAINTER_CANVASES];
    int64_t asked_ns[PAINTER_CANVASES];
    /* Painter's thread. */
    struct text_draw *text; /* NULL: not yet opened */
    bool is_broken;         /* it cannot be opened; the show goes on without an overlay */
};

static struct overlay_track track_view(const struct scene_track *t)
{
    return (struct overlay_track){
        .title = t->title,
        .artist = t->artist,
        .requester = t->requester,
        .is_request = t->is_request,
    };
}

static enum overlay_link link_of(uint32_t link)
{
    return link == SCENE_LINK_CONNECTED      ? LINK_CONNECTED
           : link == SCENE_LINK_CONNECTING   ? LINK_CONNECTING
           : link == SCENE_LINK_DISCONNECTED ? LINK_DISCONNECTED
                                             : LINK_HIDDEN;
}

static struct overlay_view view_of(const struct wish *c)
{
    const struct scene *s = &c->scene;
    struct overlay_view v = {
        .width = c->width,
        .height = c->height,
        .has_track = s->now.entry != 0,
        .now = track_view(&s->now),
        .next_count = s->next_count > NEXT_SHOWN ? NEXT_SHOWN : s->next_count,
        .more_count = s->more_count,
        .left_ms = c->left_ms,
        .is_paused = s->is_paused,
        .is_muted = s->is_muted,
        .shows_volume = s->volume_until_ns != 0,
        .volume = (int)(s->volume > 100 ? 100 : s->volume),
        .has_notice = s->notice != NOTICE_NONE,
        .notice_is_problem = s->notice == NOTICE_PROBLEM,
        .notice_title = s->notice_title,
        .notice_text = s->notice_text,
        .link = link_of(s->link),
        .idle_text = s->idle_text,
        .idle_help = s->idle_help,
    };
    for (size_t i = 0; i < v.next_count; i++)
        v.next[i] = track_view(&s->next[i]);
    return v;
}

static bool paint(void *ctx, const void *wanted, struct painting *out)
{
    struct overlay_painter *p = ctx;
    const struct wish *wish = wanted;
    if (!p->text && !p->is_broken)
        p->is_broken = text_draw_open(&p->text, p->log) < 0;
    if (p->is_broken)
        return false;
    struct draw_list *list = xcalloc(1, sizeof(*list));
    struct overlay_view view = view_of(wish);
    struct text_metrics metrics = text_draw_metrics(p->text);
    overlay_layout(&view, &metrics, list);
    out->scene = wish->scene.serial;
    out->since_ns = wish->scene.since_ns;
    out->count = text_draw_paint(p->text, list, out->bitmap, PAINTER_BITMAPS);
    free(list);
    return true;
}

struct overlay_painter *overlay_painter_create(struct log *log, void (*done)(void *ctx), void *ctx)
{
    struct overlay_painter *p = xcalloc(1, sizeof(*p));
    p->log = log;
    p->painter = painter_create(&(struct painter_params){ .wish_size = sizeof(struct wish),
                                                          .paint = paint,
                                                          .paint_ctx = p,
                                                          .done = done,
                                                          .done_ctx = ctx });
    if (p->painter)
        return p;
    log_err(log, "cannot start the overlay's thread");
    free(p);
    return NULL;
}

void overlay_painter_destroy(struct overlay_painter *p)
{
    if (!p)
        return;
    painter_destroy(p->painter);
    text_draw_close(p->text);
    free(p);
}

/* The canvas for outputs of that size; -1: there is none. */
static int canvas_of(const struct overlay_painter *p, int width, int height)
{
    for (int i = 0; i < PAINTER_CANVASES; i++)
        if (p->wish[i].width == width && p->wish[i].height == height)
            return i;
    return -1;
}

/* A canvas for a new size: that of the size which nobody has asked for the longest. */
static int canvas_take(struct overlay_painter *p, int width, int height)
{
    int oldest = 0;
    for (int i = 1; i < PAINTER_CANVASES; i++)
        if (p->asked_ns[i] < p->asked_ns[oldest])
            oldest = i;
    painter_clear(p->painter, oldest);
    p->wish[oldest] = (struct wish){ .width = width, .height = height, .left_ms = INT64_MIN };
    return oldest;
}

/* A scene with its deadlines turned into yes or no, so that two that look the same compare the same. */
static struct scene resolved(const struct scene *scene, int64_t now_ns)
{
    struct scene s = *scene;
    s.volume_until_ns = s.volume_until_ns > now_ns;
    if (s.notice_until_ns && s.notice_until_ns <= now_ns)
        s.notice = NOTICE_NONE;
    s.notice_until_ns = 0;
    return s;
}

void overlay_painter_show(struct overlay_painter *p, const struct scene *scene, int width,
                          int height, int64_t left_ms, int64_t now_ns)
{
    struct scene s = resolved(scene, now_ns);
    if (left_ms >= 0) /* shown in seconds */
        left_ms = (left_ms + 999) / 1000 * 1000;
    int canvas = canvas_of(p, width, height);
    if (canvas < 0)
        canvas = canvas_take(p, width, height);
    p->asked_ns[canvas] = now_ns;
    struct wish *w = &p->wish[canvas];
    if (w->left_ms == left_ms && memcmp(&w->scene, &s, sizeof(s)) == 0)
        return;
    w->scene = s;
    w->left_ms = left_ms;
    painter_want(p->painter, canvas, w);
}

const struct painting *overlay_painter_take(struct overlay_painter *p, int width, int height)
{
    int canvas = canvas_of(p, width, height);
    return canvas < 0 ? NULL : painter_take(p->painter, canvas);
}
