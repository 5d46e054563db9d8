/* Text on its way from a deck's memory to a screen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "stage/text_painter.h"

struct desk {
    struct deck_segment *ring;
    struct text_painter *painter;
    pthread_mutex_t lock;
    pthread_cond_t news;
    int done; /* paintings that were finished */
};

static void count_done(void *ctx)
{
    struct desk *d = ctx;
    pthread_mutex_lock(&d->lock);
    d->done++;
    pthread_cond_signal(&d->news);
    pthread_mutex_unlock(&d->lock);
}

static void await_done(struct desk *d, int count)
{
    pthread_mutex_lock(&d->lock);
    while (d->done < count)
        pthread_cond_wait(&d->news, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

static void desk_open(struct desk *d)
{
    *d = (struct desk){ .done = 0 };
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->news, NULL);
    d->ring = mmap(NULL, sizeof(*d->ring), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(d->ring, MAP_FAILED);
    d->painter = text_painter_create(count_done, d);
    assert_non_null(d->painter);
}

static void desk_close(struct desk *d)
{
    text_painter_destroy(d->painter);
    munmap(d->ring, sizeof(*d->ring));
    pthread_cond_destroy(&d->news);
    pthread_mutex_destroy(&d->lock);
}

/* A cue of one box of 20x10 in the lower middle of a canvas of 100x50, all of one colour. */
static void publish(struct desk *d, uint64_t number, uint8_t colour)
{
    struct text_cue c = { .number = number,
                          .load = 5,
                          .from_ns = 0,
                          .until_ns = 1,
                          .width = 100,
                          .height = 50,
                          .box_count = 1,
                          .box = { { 40, 30, 20, 10, 0 } } };
    memset(d->ring->text_pixels[number % TEXT_RING], colour, 20 * 10 * 4);
    text_cue_store(&d->ring->text[number % TEXT_RING], &c);
    atomic_store(&d->ring->text_head, number + 1);
}

static const struct painting *show(struct desk *d, uint64_t load, uint64_t cue, struct rect place)
{
    struct text_wish w = { .ring = d->ring, .load = load, .cue = cue, .place = place };
    return text_painter_show(d->painter, 0, load ? &w : &(struct text_wish){ 0 });
}

/* Scaling may round. */
static bool is_colour(uint8_t got, int wanted)
{
    return got >= wanted - 1 && got <= wanted + 1;
}

static const struct rect screen = { 10, 20, 200, 100 };

static void a_cue_is_scaled_to_where_the_picture_is(void **state)
{
    struct desk d;
    desk_open(&d);
    publish(&d, 0, 90);
    (void)show(&d, 5, 0, screen);
    await_done(&d, 1);
    const struct painting *set = show(&d, 5, 0, screen);
    assert_non_null(set);
    assert_int_equal(set->count, 1);
    const struct bitmap *b = set->bitmap[0];
    assert_true(b->x == 90 && b->y == 80 && b->w == 40 && b->h == 20);
    for (int y = 0; y < b->h; y++)
        for (int x = 0; x < b->w * 4; x++)
            assert_true(is_colour(b->pixels[y * b->stride + x], 90));
    desk_close(&d);
}

static void the_old_text_stays_until_the_new_one_is_there_but_not_over_a_gap(void **state)
{
    struct desk d;
    desk_open(&d);
    publish(&d, 0, 10);
    publish(&d, 1, 20);
    (void)show(&d, 5, 0, screen);
    await_done(&d, 1);
    uint64_t first = show(&d, 5, 0, screen)->version;
    const struct painting *set = show(&d, 5, 1, screen);
    assert_true(set && set->version >= first);
    await_done(&d, 2);
    set = show(&d, 5, 1, screen);
    assert_true(set->version > first);
    assert_true(is_colour(set->bitmap[0]->pixels[0], 20));
    assert_null(show(&d, 0, 0, screen)); /* a gap */
    publish(&d, 2, 30);
    set = show(&d, 5, 2, screen);
    assert_true(!set || is_colour(set->bitmap[0]->pixels[0], 30));
    desk_close(&d);
}

static void a_cue_whose_place_was_used_again_is_not_shown(void **state)
{
    struct desk d;
    desk_open(&d);
    publish(&d, 0, 10);
    publish(&d, TEXT_RING, 20); /* in its place */
    publish(&d, TEXT_RING + 1, 30);
    assert_null(show(&d, 5, 0, screen));
    (void)show(&d, 5, TEXT_RING + 1, screen);
    await_done(&d, 1); /* of the second wish alone: wishes are done in their order, or not at all */
    const struct painting *set = show(&d, 5, TEXT_RING + 1, screen);
    assert_non_null(set);
    assert_true(is_colour(set->bitmap[0]->pixels[0], 30));
    desk_close(&d);
}

/* The deck's part in the next test: it takes the place of a cue at the moment its pixels are first read. */
static struct deck_segment *trap_ring;

static void trap(int signo)
{
    struct text_cue next = { .number = TEXT_RING,
                             .load = 5,
                             .until_ns = 1,
                             .width = 1,
                             .height = 1,
                             .box_count = 1,
                             .box = { { 0, 0, 1, 1, 0 } } };
    (void)signo;
    text_cue_store(&trap_ring->text[0], &next);
    atomic_store(&trap_ring->text_head, TEXT_RING + 1);
    mprotect(trap_ring->text_pixels[0], TEXT_CUE_BYTES, PROT_READ | PROT_WRITE);
}

static void a_cue_whose_place_is_used_again_while_it_is_copied_is_not_shown(void **state)
{
    struct desk d;
    desk_open(&d);
    publish(&d, 0, 10);
    publish(&d, 1, 30);
    trap_ring = d.ring;
    struct sigaction on_read = { .sa_handler = trap }, old;
    assert_int_equal(sigaction(SIGSEGV, &on_read, &old), 0);
    assert_int_equal(mprotect(d.ring->text_pixels[0], TEXT_CUE_BYTES, PROT_NONE), 0);
    struct text_wish torn = { d.ring, 5, 0, screen }, whole = { d.ring, 5, 1, screen };
    assert_null(text_painter_show(d.painter, 0, &torn));
    (void)text_painter_show(d.painter, 1, &whole);
    await_done(&d, 1); /* of the second screen alone: screens are served in their order */
    assert_int_equal(sigaction(SIGSEGV, &old, NULL), 0);
    struct text_cue now;
    assert_true(text_cue_read(d.ring, TEXT_RING, &now)); /* the trap was met */
    assert_null(text_painter_show(d.painter, 0, &torn));
    assert_non_null(text_painter_show(d.painter, 1, &whole));
    desk_close(&d);
}

static void screens_of_several_sizes_have_their_own(void **state)
{
    struct desk d;
    desk_open(&d);
    publish(&d, 0, 50);
    for (int i = 0; i < OUTPUTS_MAX; i++) {
        struct text_wish w = { d.ring, 5, 0, { 0, 0, 100 * (i + 1), 50 * (i + 1) } };
        (void)text_painter_show(d.painter, i, &w);
    }
    await_done(&d, OUTPUTS_MAX);
    for (int i = 0; i < OUTPUTS_MAX; i++) {
        struct text_wish w = { d.ring, 5, 0, { 0, 0, 100 * (i + 1), 50 * (i + 1) } };
        assert_int_equal(text_painter_show(d.painter, i, &w)->bitmap[0]->w, 20 * (i + 1));
    }
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cue_is_scaled_to_where_the_picture_is),
        cmocka_unit_test(the_old_text_stays_until_the_new_one_is_there_but_not_over_a_gap),
        cmocka_unit_test(a_cue_whose_place_was_used_again_is_not_shown),
        cmocka_unit_test(a_cue_whose_place_is_used_again_while_it_is_copied_is_not_shown),
        cmocka_unit_test(screens_of_several_sizes_have_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
