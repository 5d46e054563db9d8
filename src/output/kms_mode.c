#include "output/kms_mode.h"

#include <limits.h>
#include <stdlib.h>

#define USUAL_MHZ 60000

static int pixels(const struct kms_mode *m)
{
    return m->width * m->height;
}

static int refresh_error(const struct kms_mode *m, int mhz)
{
    return abs(m->refresh_mhz - (mhz > 0 ? mhz : USUAL_MHZ));
}

/* The mode of that size nearest to the rate; -1: none of that size. */
static int of_size(const struct kms_mode *modes, int count, const struct kms_wish *wish)
{
    int best = -1, best_error = INT_MAX;
    for (int i = 0; i < count; i++) {
        const struct kms_mode *m = &modes[i];
        if (m->width != wish->width || m->height != wish->height)
            continue;
        int error = m->is_interlaced ? INT_MAX - 1 : refresh_error(m, wish->refresh_mhz);
        if (error < best_error) {
            best = i;
            best_error = error;
        }
    }
    return best;
}

/* The largest progressive mode up to 1920x1080, else the smallest of all. */
static int below_full_hd(const struct kms_mode *modes, int count)
{
    int best = -1, smallest = 0;
    for (int i = 0; i < count; i++) {
        const struct kms_mode *m = &modes[i];
        if (pixels(m) < pixels(&modes[smallest]))
            smallest = i;
        if (m->is_interlaced || m->width > 1920 || m->height > 1080)
            continue;
        if (best < 0 || pixels(m) > pixels(&modes[best]) ||
            (pixels(m) == pixels(&modes[best]) &&
             refresh_error(m, 0) < refresh_error(&modes[best], 0)))
            best = i;
    }
    return best < 0 ? smallest : best;
}

static int preferred(const struct kms_mode *modes, int count)
{
    for (int i = 0; i < count; i++) {
        if (modes[i].is_preferred)
            return i;
    }
    return 0; /* the kernel puts the best first */
}

int kms_mode_choose(const struct kms_mode *modes, int count, const struct kms_wish *wish)
{
    if (wish->width > 0)
        return of_size(modes, count, wish);
    int own = preferred(modes, count);
    if (pixels(&modes[own]) > 2560 * 1600 || modes[own].is_interlaced)
        return below_full_hd(modes, count);
    return own;
}
