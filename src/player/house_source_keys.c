/* How a song from elsewhere is called in the cache. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "player/house_source.h"
#include "source/address.h"

#define KEY_PREFIX "url:"

bool source_is_url(const char *source)
{
    return strncmp(source, "http://", 7) == 0 || strncmp(source, "https://", 8) == 0;
}

bool source_key_is_youtube(const char *key)
{
    return address_is_youtube_id(key, strlen(key));
}

/* An address that may be one of YouTube's is read; of others the hash is enough. */
static bool key_of_url(const char *url, char key[CACHE_KEY_MAX + 1])
{
    struct address a;
    if (strcasestr(url, "youtu")) {
        if (address_read(url, strlen(url), ADDRESS_BY_STAFF, &a) != ADDRESS_OK)
            return false;
        if (a.kind == ADDRESS_YOUTUBE) {
            snprintf(key, CACHE_KEY_MAX + 1, "%s", a.key);
            return true;
        }
    }
    snprintf(key, CACHE_KEY_MAX + 1, "url-%016llx",
             (unsigned long long)text_hash(url, strlen(url)));
    return true;
}

bool source_key(const struct track *t, const char *source, char key[CACHE_KEY_MAX + 1])
{
    key[0] = '\0';
    if (*source)
        return source_is_url(source) && key_of_url(source, key);
    bool is_hash = strncmp(t->video_id, KEY_PREFIX, 4) == 0 && strlen(t->video_id) == 20 &&
                   strspn(t->video_id + 4, "0123456789abcdef") == 16;
    if (!is_hash && !source_key_is_youtube(t->video_id))
        return false;
    snprintf(key, CACHE_KEY_MAX + 1, "%s%s", is_hash ? "url-" : "",
             t->video_id + (is_hash ? 4 : 0));
    return true;
}

char *source_id_of_key(const char *key)
{
    bool is_url = strncmp(key, "url-", 4) == 0;
    return is_url ? xasprintf(KEY_PREFIX "%s", key + 4) : xstrdup(key);
}
