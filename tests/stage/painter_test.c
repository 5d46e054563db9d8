/* The thread that paints for canvases: what is taken, and what is never seen. The painting itself is a mark here, and waits
 * at a gate, so that a test may do something while it is under way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "stage/painter.h"

struct easel {
    struct painter *painter;
    pthread_mutex_t lock;
    pthread_cond_t news;
    int begun, allowed, done; /* paintings */
};

enum { NOTHING = -1 }; /* a wish that cannot be painted */

static bool paint(void *ctx, const void *wish, struct painting *out)
{
    struct easel *e = ctx;
    const int *mark = wish;
    pthread_mutex_lock(&e->lock);
    int own = e->begun++;
    pthread_cond_broadcast(&e->news);
    while (e->allowed <= own)
        pthread_cond_wait(&e->news, &e->lock);
    pthread_mutex_unlock(&e->lock);
    out->bitmap[out->count] = xcalloc(1, sizeof(struct bitmap));
    out->bitmap[out->count++]->x = *mark;
    return *mark != NOTHING;
}

static void count_done(void *ctx)
{
    struct easel *e = ctx;
    pthread_mutex_lock(&e->lock);
    e->done++;
    pthread_cond_broadcast(&e->news);
    pthread_mutex_unlock(&e->lock);
}

static void await(struct easel *e, const int *count, int least)
{
    pthread_mutex_lock(&e->lock);
    while (*count < least)
        pthread_cond_wait(&e->news, &e->lock);
    pthread_mutex_unlock(&e->lock);
}

static void allow(struct easel *e, int paintings)
{
    pthread_mutex_lock(&e->lock);
    e->allowed += paintings;
    pthread_cond_broadcast(&e->news);
    pthread_mutex_unlock(&e->lock);
}

static void easel_open(struct easel *e)
{
    *e = (struct easel){ .done = 0 };
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->news, NULL);
    e->painter = painter_create(&(struct painter_params){ .wish_size = sizeof(int),
                                                          .paint = paint,
                                                          .paint_ctx = e,
                                                          .done = count_done,
                                                          .done_ctx = e });
    assert_non_null(e->painter);
}

static void easel_close(struct easel *e)
{
    allow(e, 1000);
    painter_destroy(e->painter);
    pthread_cond_destroy(&e->news);
    pthread_mutex_destroy(&e->lock);
}

static void want(struct easel *e, int canvas, int mark)
{
    painter_want(e->painter, canvas, &mark);
}

/* What canvas `canvas` shows; 0: nothing. */
static int seen(struct easel *e, int canvas)
{
    const struct painting *p = painter_take(e->painter, canvas);
    return p ? p->bitmap[0]->x : 0;
}

static void nothing_is_painted_until_it_is_wanted_and_then_once(void **state)
{
    struct easel e;
    easel_open(&e);
    allow(&e, 1000);
    assert_int_equal(seen(&e, 0), 0);
    want(&e, 3, 7);
    await(&e, &e.done, 1);
    assert_int_equal(seen(&e, 3), 7);
    assert_int_equal(seen(&e, 0), 0);
    painter_destroy(e.painter); /* whatever it had in mind is begun by now, or never */
    e.painter = NULL;
    assert_int_equal(e.begun, 1);
    easel_close(&e);
}

static void the_former_painting_stays_until_the_new_one_is_finished(void **state)
{
    struct easel e;
    easel_open(&e);
    allow(&e, 1);
    want(&e, 0, 1);
    await(&e, &e.done, 1);
    const struct painting *first = painter_take(e.painter, 0);
    uint64_t version = first->version;
    want(&e, 0, 2);
    await(&e, &e.begun, 2); /* under way */
    assert_ptr_equal(painter_take(e.painter, 0), first);
    allow(&e, 1);
    await(&e, &e.done, 2);
    assert_int_equal(seen(&e, 0), 2);
    assert_true(painter_take(e.painter, 0)->version > version);
    easel_close(&e);
}

static void of_many_wishes_the_last_is_painted(void **state)
{
    struct easel e;
    easel_open(&e);
    want(&e, 0, 1);
    await(&e, &e.begun, 1);
    for (int mark = 2; mark <= 9; mark++)
        want(&e, 0, mark);
    allow(&e, 1000);
    await(&e, &e.done, 2);
    assert_int_equal(seen(&e, 0), 9);
    assert_int_equal(e.begun, 2);
    easel_close(&e);
}

static void what_was_begun_before_a_canvas_was_cleared_is_never_seen(void **state)
{
    struct easel e;
    easel_open(&e);
    allow(&e, 1);
    want(&e, 0, 1);
    await(&e, &e.done, 1);
    assert_int_equal(seen(&e, 0), 1);
    want(&e, 0, 2);
    await(&e, &e.begun, 2);
    painter_clear(e.painter, 0);
    assert_int_equal(seen(&e, 0), 0);
    want(&e, 1, 3); /* painted after it, so that it has ended when this one is done */
    allow(&e, 1000);
    await(&e, &e.done, 2);
    assert_int_equal(seen(&e, 1), 3);
    assert_int_equal(seen(&e, 0), 0);
    easel_close(&e);
}

static void a_wish_of_a_cleared_canvas_is_not_begun(void **state)
{
    struct easel e;
    easel_open(&e);
    want(&e, 1, 1);
    await(&e, &e.begun, 1); /* the thread is busy */
    want(&e, 0, 2);
    painter_clear(e.painter, 0);
    want(&e, 2, 3);
    allow(&e, 1000);
    await(&e, &e.done, 2);
    assert_int_equal(seen(&e, 1), 1);
    assert_int_equal(seen(&e, 2), 3);
    assert_int_equal(e.begun, 2);
    easel_close(&e);
}

static void what_cannot_be_painted_leaves_what_was_there(void **state)
{
    struct easel e;
    easel_open(&e);
    allow(&e, 1000);
    want(&e, 0, 1);
    await(&e, &e.done, 1);
    assert_int_equal(seen(&e, 0), 1);
    want(&e, 0, NOTHING);
    await(&e, &e.begun, 2);
    want(&e, 1, 2);
    await(&e, &e.done, 2);
    assert_int_equal(seen(&e, 0), 1);
    easel_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_painted_until_it_is_wanted_and_then_once),
        cmocka_unit_test(the_former_painting_stays_until_the_new_one_is_finished),
        cmocka_unit_test(of_many_wishes_the_last_is_painted),
        cmocka_unit_test(what_was_begun_before_a_canvas_was_cleared_is_never_seen),
        cmocka_unit_test(a_wish_of_a_cleared_canvas_is_not_begun),
        cmocka_unit_test(what_cannot_be_painted_leaves_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
