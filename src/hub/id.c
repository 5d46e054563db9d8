#include "hub/id.h"

#include <stddef.h>
#include <string.h>

#include "hub/secret.h"

#define ID_RANDOM_BYTES 10

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool id_is_legal(const char *id)
{
    size_t len = 0;
    for (; id[len]; len++)
        if (len == HUB_ID_MAX || !(is_plain(id[len]) || (len && strchr("._-", id[len]))))
            return false;
    return len > 0;
}

void id_make(char out[HUB_ID_MAX + 1])
{
    secret_hex(out, ID_RANDOM_BYTES);
}
