#include "hub/attempt_limit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define HOUR_MS       ((int64_t)3600 * 1000)
#define ADDRESSES_MAX 1024

struct address {
    char name[64];
    int64_t since_ms; /* begin of its hour */
    int count;        /* 0: unused */
};

struct attempt_limit {
    int max;
    struct address address[ADDRESSES_MAX];
};

struct attempt_limit *attempt_limit_create(int attempts_per_hour)
{
    struct attempt_limit *l = xcalloc(1, sizeof(*l));
    l->max = attempts_per_hour;
    return l;
}

void attempt_limit_destroy(struct attempt_limit *l)
{
    free(l);
}

/* Who changes address within his own network is still the same. */
static void name_of(char out[64], const char *address)
{
    unsigned char v6[16];
    static const unsigned char mapped[12] = { [10] = 0xff, 0xff };
    if (inet_pton(AF_INET6, address, v6) != 1 || memcmp(v6, mapped, sizeof(mapped)) == 0) {
        snprintf(out, 64, "%.63s", address);
        return;
    }
    memset(v6 + 8, 0, 8);
    inet_ntop(AF_INET6, v6, out, 64);
}

static struct address *find(struct attempt_limit *l, const char *name, int64_t now_ms)
{
    for (size_t i = 0; i < ADDRESSES_MAX; i++) {
        struct address *a = &l->address[i];
        if (a->count && now_ms - a->since_ms >= HOUR_MS)
            a->count = 0;
        if (a->count && strcmp(a->name, name) == 0)
            return a;
    }
    return NULL;
}

/* A free place, or that of the longest known one. */
static struct address *place(struct attempt_limit *l)
{
    struct address *oldest = &l->address[0];
    for (size_t i = 0; i < ADDRESSES_MAX; i++) {
        struct address *a = &l->address[i];
        if (!a->count)
            return a;
        if (a->since_ms < oldest->since_ms)
            oldest = a;
    }
    return oldest;
}

bool attempt_limit_is_reached(struct attempt_limit *l, const char *address, int64_t now_ms)
{
    char name[64];
    name_of(name, address);
    const struct address *a = find(l, name, now_ms);
    return a && a->count >= l->max;
}

void attempt_limit_count(struct attempt_limit *l, const char *address, int64_t now_ms)
{
    char name[64];
    name_of(name, address);
    struct address *a = find(l, name, now_ms);
    if (!a) {
        a = place(l);
        *a = (struct address){ .since_ms = now_ms };
        snprintf(a->name, sizeof(a->name), "%s", name);
    }
    a->count++;
}
