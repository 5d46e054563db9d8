/* The overlay of outputs whose size changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "stage/overlay_painter.h"

struct wall {
    pthread_mutex_t lock;
    pthread_cond_t news;
    int done;
};

static void count_done(void *ctx)
{
    struct wall *w = ctx;
    pthread_mutex_lock(&w->lock);
    w->done++;
    pthread_cond_signal(&w->news);
    pthread_mutex_unlock(&w->lock);
}

static void await_done(struct wall *w, int count)
{
    pthread_mutex_lock(&w->lock);
    while (w->done < count)
        pthread_cond_wait(&w->news, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

static void a_window_that_changes_its_size_many_times_keeps_its_overlay(void **state)
{
    struct wall w = { .done = 0 };
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.news, NULL);
    struct scene *scene = xcalloc(1, sizeof(*scene));
    struct overlay_painter *p = overlay_painter_create(NULL, count_done, &w);
    assert_non_null(p);
    int64_t now_ns = SECONDS(1);
    overlay_painter_show(p, scene, 640, 360, -1, now_ns++); /* a second output, which stays */
    await_done(&w, 1);
    for (int i = 0; i < 3 * PAINTER_CANVASES; i++) {
        overlay_painter_show(p, scene, 200 + i, 100, -1, now_ns++);
        overlay_painter_show(p, scene, 640, 360, -1, now_ns++);
        await_done(&w, i + 2);
        assert_non_null(overlay_painter_take(p, 200 + i, 100));
        assert_non_null(overlay_painter_take(p, 640, 360));
    }
    assert_null(overlay_painter_take(p, 200, 100)); /* forgotten */
    overlay_painter_destroy(p);
    free(scene);
    pthread_cond_destroy(&w.news);
    pthread_mutex_destroy(&w.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_that_changes_its_size_many_times_keeps_its_overlay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
