#include "player/entry_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool find_by_index(const struct queue *q, const char *name, struct entry_place *out)
{
    static const struct {
        const char *prefix;
        enum queue_list list;
    } lists[] = { { "main:", QUEUE_MAIN }, { "requests:", QUEUE_REQUESTS } };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        size_t len = strlen(lists[i].prefix);
        if (strncmp(name, lists[i].prefix, len) != 0)
            continue;
        const char *digits = name + len;
        if (!*digits || strspn(digits, "0123456789") != strlen(digits))
            return false;
        errno = 0;
        unsigned long long index = strtoull(digits, NULL, 10);
        *out = (struct entry_place){ lists[i].list, (size_t)index };
        return errno == 0 && queue_at(q, *out) != NULL;
    }
    return false;
}

static bool find_by_key(const struct queue *q, const char *name, struct entry_place *out)
{
    if (strlen(name) != 16 || strspn(name, "0123456789abcdefABCDEF") != 16)
        return false;
    return queue_find_key(q, strtoull(name, NULL, 16), out);
}

bool entry_find_by_name(const struct queue *q, const char *name, struct entry_place *out)
{
    return queue_find(q, (struct entry_ref){ .id = name }, out) || find_by_index(q, name, out) ||
           find_by_key(q, name, out) || queue_find(q, (struct entry_ref){ .video_id = name }, out);
}
