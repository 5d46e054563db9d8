#include "media/packet_queue.h"

#include <libavutil/error.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"

/* What an empty packet costs in memory. */
enum { PACKET_COST = 512 };

struct node {
    struct node *next;
    AVPacket *pkt;
    size_t bytes;
    int64_t at_ns;
};

struct lane {
    struct node *first, *last;
    size_t bytes, ceiling;
    bool is_used;   /* has a decoder */
    bool is_raised; /* its time limit is off */
    bool is_hungry; /* its decoder waits for a packet */
    bool is_starved;
    bool is_blocked; /* the demuxer waits until a good part is taken */
};

struct packet_queue {
    /* Constant after create. */
    struct packet_queue_limits limits;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Protected by lock. */
    struct lane lane[PACKET_LANES];
    bool is_finished, is_stopped;
};

struct packet_queue *packet_queue_create(const struct packet_queue_limits *limits, unsigned lanes)
{
    struct packet_queue *q = xcalloc(1, sizeof(*q));
    q->limits = *limits;
    for (int i = 0; i < PACKET_LANES; i++) {
        q->lane[i].ceiling = limits->lane_bytes;
        q->lane[i].is_used = (lanes & 1u << i) != 0;
    }
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    return q;
}

static void drop_all(struct lane *l)
{
    for (struct node *n; (n = l->first);) {
        l->first = n->next;
        av_packet_free(&n->pkt);
        free(n);
    }
    l->last = NULL;
    l->bytes = 0;
}

void packet_queue_destroy(struct packet_queue *q)
{
    if (!q)
        return;
    for (int i = 0; i < PACKET_LANES; i++)
        drop_all(&q->lane[i]);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static bool is_full(const struct packet_queue *q, const struct lane *l)
{
    if (l->bytes >= l->ceiling)
        return true;
    if (l->is_raised || !l->first || l->first->at_ns == NO_TIME || l->last->at_ns == NO_TIME)
        return false;
    return l->last->at_ns - l->first->at_ns >= q->limits.lane_ns;
}

/* Enough was taken to make waking the demuxer worth it. */
static bool is_low(const struct packet_queue *q, const struct lane *l)
{
    if (!l->first)
        return true;
    int64_t span = l->last->at_ns == NO_TIME || l->first->at_ns == NO_TIME
                       ? 0
                       : l->last->at_ns - l->first->at_ns;
    return l->bytes < l->ceiling / 4 * 3 && (l->is_raised || span < q->limits.lane_ns / 4 * 3);
}

static struct lane *hungry_lane(struct packet_queue *q, const struct lane *but)
{
    for (int i = 0; i < PACKET_LANES; i++) {
        if (&q->lane[i] != but && q->lane[i].is_used && q->lane[i].is_hungry)
            return &q->lane[i];
    }
    return NULL;
}

/* The lane is full. Whether it may take more all the same. */
static bool lane_raise(struct packet_queue *q, struct lane *l)
{
    struct lane *hungry = hungry_lane(q, l);
    if (!hungry)
        return false;
    if (l->bytes >= q->limits.hard_bytes) {
        hungry->is_starved = true;
        pthread_cond_broadcast(&q->changed);
        return false;
    }
    l->is_raised = true;
    if (l->bytes >= l->ceiling)
        l->ceiling = l->ceiling > q->limits.hard_bytes / 2 ? q->limits.hard_bytes : l->ceiling * 2;
    return true;
}

static void append(struct packet_queue *q, struct lane *l, struct node *n)
{
    if (l->last)
        l->last->next = n;
    else
        l->first = n;
    l->last = n;
    l->bytes += n->bytes;
    l->is_hungry = l->is_starved = false;
    pthread_cond_broadcast(&q->changed);
}

static struct node *node_create(AVPacket *pkt, int64_t at_ns)
{
    struct node *n = xcalloc(1, sizeof(*n));
    n->pkt = av_packet_alloc();
    if (!n->pkt || av_packet_make_refcounted(pkt) < 0) {
        av_packet_free(&n->pkt);
        free(n);
        return NULL;
    }
    av_packet_move_ref(n->pkt, pkt);
    n->bytes = (size_t)(n->pkt->size > 0 ? n->pkt->size : 0) + PACKET_COST;
    n->at_ns = at_ns;
    return n;
}

int packet_queue_put(struct packet_queue *q, enum packet_lane lane, AVPacket *pkt, int64_t at_ns)
{
    struct lane *l = &q->lane[lane];
    int ret = 0;
    pthread_mutex_lock(&q->lock);
    while (!q->is_stopped && l->is_used && (l->is_blocked || is_full(q, l))) {
        l->is_blocked = !lane_raise(q, l);
        if (l->is_blocked)
            pthread_cond_wait(&q->changed, &q->lock);
    }
    if (q->is_stopped) {
        ret = AVERROR_EXIT;
    } else if (!l->is_used) {
        av_packet_unref(pkt);
    } else {
        struct node *n = node_create(pkt, at_ns);
        if (n)
            append(q, l, n);
        else
            ret = AVERROR(ENOMEM);
    }
    pthread_mutex_unlock(&q->lock);
    return ret;
}

static struct node *pop(struct packet_queue *q, struct lane *l)
{
    struct node *n = l->first;
    l->first = n->next;
    if (!l->first)
        l->last = NULL;
    l->bytes -= n->bytes;
    if (l->bytes < q->limits.lane_bytes / 2) {
        l->ceiling = q->limits.lane_bytes;
        l->is_raised = false;
    }
    if (l->is_blocked && is_low(q, l)) {
        l->is_blocked = false;
        pthread_cond_broadcast(&q->changed);
    }
    return n;
}

/* The lock is held. Waits until there is a packet or none will come; with `until_starved` also until
 * the lane is starved. */
static void await_packet(struct packet_queue *q, struct lane *l, bool until_starved)
{
    while (!q->is_stopped && !l->first && !q->is_finished && !(until_starved && l->is_starved)) {
        if (!l->is_hungry) {
            l->is_hungry = true;
            pthread_cond_broadcast(&q->changed);
        }
        pthread_cond_wait(&q->changed, &q->lock);
    }
}

bool packet_queue_wait(struct packet_queue *q, enum packet_lane lane)
{
    struct lane *l = &q->lane[lane];
    pthread_mutex_lock(&q->lock);
    await_packet(q, l, true);
    bool is_there = q->is_stopped || l->first || q->is_finished;
    pthread_mutex_unlock(&q->lock);
    return is_there;
}

int packet_queue_take(struct packet_queue *q, enum packet_lane lane, AVPacket *pkt)
{
    struct lane *l = &q->lane[lane];
    struct node *n = NULL;
    pthread_mutex_lock(&q->lock);
    await_packet(q, l, false);
    bool is_stopped = q->is_stopped;
    if (!is_stopped && l->first)
        n = pop(q, l);
    pthread_mutex_unlock(&q->lock);
    if (!n)
        return is_stopped ? AVERROR_EXIT : AVERROR_EOF;
    av_packet_move_ref(pkt, n->pkt);
    av_packet_free(&n->pkt);
    free(n);
    return 0;
}

size_t packet_queue_jump(struct packet_queue *q, enum packet_lane lane, int64_t due_ns)
{
    struct lane *l = &q->lane[lane];
    size_t before = 0, count = 0;
    pthread_mutex_lock(&q->lock);
    for (const struct node *n = l->first; n; n = n->next, before++)
        if ((n->pkt->flags & AV_PKT_FLAG_KEY) && n->at_ns != NO_TIME && n->at_ns <= due_ns)
            count = before;
    for (size_t i = 0; i < count; i++) {
        struct node *n = pop(q, l);
        av_packet_free(&n->pkt);
        free(n);
    }
    pthread_mutex_unlock(&q->lock);
    return count;
}

bool packet_queue_ends_before(struct packet_queue *q, enum packet_lane lane, int64_t at_ns)
{
    const struct lane *l = &q->lane[lane];
    pthread_mutex_lock(&q->lock);
    bool is_before = q->is_finished && l->first;
    for (const struct node *n = l->first; n && is_before; n = n->next)
        is_before = n->at_ns != NO_TIME && n->at_ns < at_ns;
    pthread_mutex_unlock(&q->lock);
    return is_before;
}

void packet_queue_finish(struct packet_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->is_finished = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

void packet_queue_close(struct packet_queue *q, enum packet_lane lane)
{
    pthread_mutex_lock(&q->lock);
    q->lane[lane].is_used = q->lane[lane].is_hungry = false;
    drop_all(&q->lane[lane]);
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

void packet_queue_stop(struct packet_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->is_stopped = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

bool packet_queue_is_starved(struct packet_queue *q, enum packet_lane lane)
{
    pthread_mutex_lock(&q->lock);
    bool is_starved = q->lane[lane].is_starved;
    pthread_mutex_unlock(&q->lock);
    return is_starved;
}
