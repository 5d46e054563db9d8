/* The thread that searches, with an index of its own: it reads while the scanner writes. */
#include <stdlib.h>

#include "base/alloc.h"
#include "source/library_internal.h"

void search_free(struct search *s)
{
    library_songs_finish(&s->songs);
    free(s->text);
    free(s);
}

/* false: the library stops. */
static bool wait_for_index(struct library *l)
{
    pthread_mutex_lock(&l->lock);
    while (!atomic_load(&l->stops) && !l->index_is_made)
        pthread_cond_wait(&l->searches_changed, &l->lock);
    bool is_made = l->index_is_made;
    pthread_mutex_unlock(&l->lock);
    return is_made;
}

/* NULL: the library stops. */
static struct search *next_search(struct library *l)
{
    struct search *s = NULL;
    pthread_mutex_lock(&l->lock);
    while (!atomic_load(&l->stops) && !(s = search_list_take(&l->waiting)))
        pthread_cond_wait(&l->searches_changed, &l->lock);
    pthread_mutex_unlock(&l->lock);
    return s;
}

void *library_search_thread(void *library)
{
    struct library *l = library;
    struct library_index *index = NULL;
    int ret = 0;
    if (wait_for_index(l)) /* now: the first who asks need not wait for it */
        ret = library_index_open(&index, l->params.path, false, &l->log);
    for (struct search *s; (s = next_search(l));) {
        if (!index)
            ret = library_index_open(&index, l->params.path, false, &l->log);
        s->error = ret;
        if (s->error == 0)
            s->error = library_index_search(index, s->text, s->limit, &s->songs);
        pthread_mutex_lock(&l->lock);
        search_list_add(&l->answered, s);
        library_ring(l);
        pthread_mutex_unlock(&l->lock);
    }
    library_index_close(index);
    return NULL;
}
