/* A slot: plain data of one writer, read by anyone without a lock (sequence lock).
 *
 * The data is copied in 64-bit atomic words, so that the race checker can follow and a torn read is
 * seen by the sequence number. A writer that dies in the middle leaves the number odd: readers keep
 * their last copy, and the restarted writer's next write makes the slot whole again. */
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a hidden lock would not cross processes");

#define SHM_SLOT(type)                                                                             \
    static_assert(sizeof(struct type) % 8 == 0, "slots are copied in 64-bit words");               \
    struct type##_slot {                                                                           \
        _Atomic uint32_t seq; /* odd: the writer is in the middle */                               \
        uint32_t pad;                                                                              \
        _Atomic uint64_t word[sizeof(struct type) / 8];                                            \
    };                                                                                             \
    static inline void type##_store(struct type##_slot *s, const struct type *v)                   \
    {                                                                                              \
        slot_store(&s->seq, s->word, v, sizeof(*v) / 8);                                           \
    }                                                                                              \
    /* false: the writer is busy or died there; keep what you had. */                              \
    static inline bool type##_load(struct type##_slot *s, struct type *v)                          \
    {                                                                                              \
        return slot_load(&s->seq, s->word, v, sizeof(*v) / 8);                                     \
    }

/* One writer at a time. */
void slot_store(_Atomic uint32_t *seq, _Atomic uint64_t *word, const void *from, size_t words);
bool slot_load(_Atomic uint32_t *seq, _Atomic uint64_t *word, void *to, size_t words);
