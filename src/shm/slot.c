#include "shm/slot.h"

#include <string.h>

enum { READ_TRIES = 1000 };

void slot_store(_Atomic uint32_t *seq, _Atomic uint64_t *word, const void *from, size_t words)
{
    /* An odd number is a dead writer's; it stays odd while we write and is made even at the end. */
    uint32_t odd = atomic_load_explicit(seq, memory_order_relaxed) | 1u;
    atomic_store_explicit(seq, odd, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    for (size_t i = 0; i < words; i++) {
        uint64_t v;
        memcpy(&v, (const char *)from + i * 8, 8);
        atomic_store_explicit(&word[i], v, memory_order_release);
    }
    atomic_store_explicit(seq, odd + 1, memory_order_release);
}

bool slot_load(_Atomic uint32_t *seq, _Atomic uint64_t *word, void *to, size_t words)
{
    for (int i = 0; i < READ_TRIES; i++) {
        uint32_t before = atomic_load_explicit(seq, memory_order_acquire);
        if (before & 1u)
            continue;
        for (size_t w = 0; w < words; w++) {
            uint64_t v = atomic_load_explicit(&word[w], memory_order_acquire);
            memcpy((char *)to + w * 8, &v, 8);
        }
        if (atomic_load_explicit(seq, memory_order_relaxed) == before)
            return true;
    }
    return false;
}
