/* What of the queue is believed: whoever is signed in at the venue's server may write it. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "player/house_internal.h"

void trust_open(struct house *h, const struct house_params *p, const struct journal_state *state)
{
    seal_open(&h->seal, p->state_dir, &h->log);
    seal_keep_files(&h->seal, p->state_dir, &state->queue, &h->log);
}

void trust_close(struct house *h)
{
    seal_close(&h->seal);
}

char *trust_mark(const struct house *h, const char *source)
{
    char text[SEAL_SIZE];
    seal_text(&h->seal, source, text);
    return xstrdup(text);
}

static bool is_marked(const struct house *h, const struct track *t, const char *source)
{
    return strcmp(t->source, source) == 0 && seal_is_whole(&h->seal, t);
}

bool trust_named_here(const struct house *h, const struct track *t, const char *source)
{
    if (is_marked(h, t, source))
        return true;
    const struct queue *q = h->jukebox ? jukebox_queue(h->jukebox) : NULL;
    for (int l = 0; q && l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < q->list[l].count; i++)
            if (is_marked(h, q->list[l].at[i], source))
                return true;
    return false;
}

bool trust_may_open(void *ctx, const struct track *t)
{
    struct house *h = ctx;
    return !h->venue.engine || source_is_url(t->source) || trust_named_here(h, t, t->source) ||
           songs_has_file(h, t->source) || source_has_file(h, t->source);
}
