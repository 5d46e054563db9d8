/* Shared by library.c, library_scanner.c and library_searcher.c only. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "source/file_map.h"
#include "source/library.h"

/* One question, from when it is asked to when it is answered. */
struct search {
    struct search *next;
    char *text;
    size_t limit;
    library_found_fn *done;
    void *ctx;
    uint64_t id;
    struct library_songs songs;
    int error;
};

struct search_list {
    struct search *first, **last;
};

struct library {
    struct library_params params;
    struct log log;

    /* Loop's thread only. */
    uv_async_t bell;
    bool is_attached, is_stopped;
    void (*on_change)(void *ctx);
    void *ctx;
    uint64_t told; /* which news were told to on_change */

    pthread_t scanner, searcher;
    bool has_scanner, has_searcher;
    int wake_fd; /* wakes the scanner */
    _Atomic bool stops;

    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t known_changed;    /* is_known, index_is_made */
    pthread_cond_t searches_changed; /* waiting, stops */
    struct file_map *map;
    uint64_t serial, news;
    bool is_known;      /* the map holds what the index held, or there is none */
    bool index_is_made; /* the searcher may open it */
    bool must_rescan, can_ring;
    struct library_status status;
    struct search_list waiting, answered;
};

static inline void search_list_add(struct search_list *list, struct search *s)
{
    s->next = NULL;
    *list->last = s;
    list->last = &s->next;
}

/* NULL: it is empty. */
static inline struct search *search_list_take(struct search_list *list)
{
    struct search *s = list->first;
    if (s) {
        list->first = s->next;
        if (!list->first)
            list->last = &list->first;
    }
    return s;
}

void search_free(struct search *s);
/* Wakes the loop. The lock is held. */
void library_ring(struct library *l);
/* The threads. */
void *library_scan_thread(void *library);
void *library_search_thread(void *library);
