#include "media/decoder_watch.h"

#include "base/compiler.h"

#define CALL_MAX_NS MS(1500)
#define LOOK_MAX_NS MS(500)

void decoder_watch_begin(struct decoder_watch *w)
{
    atomic_fetch_add(&w->calls, 1);
}

void decoder_watch_end(struct decoder_watch *w)
{
    atomic_fetch_add(&w->calls, 1);
}

bool decoder_watch_hangs(struct decoder_watch *w, int64_t now_ns)
{
    uint64_t calls = atomic_load(&w->calls);
    bool is_same = calls % 2 == 1 && calls == w->seen;
    w->waited_ns = is_same ? w->waited_ns + min_i64(now_ns - w->looked_ns, LOOK_MAX_NS) : 0;
    w->seen = calls;
    w->looked_ns = now_ns;
    return w->waited_ns > CALL_MAX_NS;
}
