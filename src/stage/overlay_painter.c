#include "stage/overlay_painter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "output/text_draw.h"

/* Outputs differ in size seldom; more than this many sizes at once show no overlay. */
enum { SIZES_MAX = OUTPUTS_MAX };

struct canvas {
    int width, height;  /* 0: unused */
    struct scene scene; /* wanted; times in it already resolved to shown or not */
    int64_t left_ms;
    bool is_wanted;            /* wanted differs from what was painted */
    struct overlay_set *fresh; /* painted, not yet taken */
    struct overlay_set *taken; /* render thread only */
    uint64_t version;
};

struct overlay_painter {
    /* Constant after create. */
    struct log *log;
    void (*done)(void *ctx);
    void *ctx;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t wanted;
    /* Protected by lock, but for `taken`. */
    struct canvas canvas[SIZES_MAX];
    bool is_ending;
};

static void set_destroy(struct overlay_set *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->count; i++)
        bitmap_destroy(s->bitmap[i]);
    free(s);
}

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

static struct overlay_view view_of(const struct canvas *c)
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

static struct overlay_set *paint(struct text_draw *text, const struct canvas *c)
{
    struct draw_list *list = xcalloc(1, sizeof(*list));
    struct overlay_view view = view_of(c);
    struct text_metrics metrics = text_draw_metrics(text);
    overlay_layout(&view, &metrics, list);
    struct overlay_set *set = xcalloc(1, sizeof(*set));
    set->width = c->width;
    set->height = c->height;
    set->scene = c->scene.serial;
    set->since_ns = c->scene.since_ns;
    set->count = text_draw_paint(text, list, set->bitmap, OVERLAY_BITMAPS);
    free(list);
    return set;
}

static struct canvas *next_wanted(struct overlay_painter *p)
{
    for (size_t i = 0; i < SIZES_MAX; i++)
        if (p->canvas[i].is_wanted)
            return &p->canvas[i];
    return NULL;
}

static void *paint_loop(void *arg)
{
    struct overlay_painter *p = arg;
    struct text_draw *text = NULL;
    struct canvas *copy = xcalloc(1, sizeof(*copy));
    pthread_mutex_lock(&p->lock);
    while (!p->is_ending) {
        struct canvas *c = next_wanted(p);
        if (!c) {
            pthread_cond_wait(&p->wanted, &p->lock);
            continue;
        }
        c->is_wanted = false;
        *copy = *c;
        pthread_mutex_unlock(&p->lock);
        bool can_draw = text || text_draw_open(&text, p->log) == 0;
        struct overlay_set *set = can_draw ? paint(text, copy) : NULL;
        pthread_mutex_lock(&p->lock);
        if (!set)
            break; /* said by text_draw_open; the show goes on without an overlay */
        set->version = ++c->version;
        set_destroy(c->fresh);
        c->fresh = set;
        pthread_mutex_unlock(&p->lock);
        p->done(p->ctx);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    text_draw_close(text);
    free(copy);
    return NULL;
}

struct overlay_painter *overlay_painter_create(struct log *log, void (*done)(void *ctx), void *ctx)
{
    struct overlay_painter *p = xcalloc(1, sizeof(*p));
    p->log = log;
    p->done = done;
    p->ctx = ctx;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wanted, NULL);
    if (pthread_create(&p->thread, NULL, paint_loop, p) != 0) {
        log_err(log, "cannot start the overlay's thread");
        pthread_cond_destroy(&p->wanted);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return NULL;
    }
    return p;
}

void overlay_painter_destroy(struct overlay_painter *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->is_ending = true;
    pthread_cond_signal(&p->wanted);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    for (size_t i = 0; i < SIZES_MAX; i++) {
        set_destroy(p->canvas[i].fresh);
        set_destroy(p->canvas[i].taken);
    }
    pthread_cond_destroy(&p->wanted);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static struct canvas *canvas_of(struct overlay_painter *p, int width, int height, bool make)
{
    for (size_t i = 0; i < SIZES_MAX; i++) {
        struct canvas *c = &p->canvas[i];
        if (c->width == width && c->height == height)
            return c;
        if (c->width == 0 && make) {
            c->width = width;
            c->height = height;
            c->left_ms = INT64_MIN;
            return c;
        }
    }
    return NULL;
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
    pthread_mutex_lock(&p->lock);
    struct canvas *c = canvas_of(p, width, height, true);
    if (c && (c->left_ms != left_ms || memcmp(&c->scene, &s, sizeof(s)) != 0)) {
        c->scene = s;
        c->left_ms = left_ms;
        c->is_wanted = true;
        pthread_cond_signal(&p->wanted);
    }
    pthread_mutex_unlock(&p->lock);
}

const struct overlay_set *overlay_painter_take(struct overlay_painter *p, int width, int height)
{
    struct overlay_set *old = NULL;
    pthread_mutex_lock(&p->lock);
    struct canvas *c = canvas_of(p, width, height, false);
    if (c && c->fresh) {
        old = c->taken;
        c->taken = c->fresh;
        c->fresh = NULL;
    }
    const struct overlay_set *set = c ? c->taken : NULL;
    pthread_mutex_unlock(&p->lock);
    set_destroy(old);
    return set;
}
