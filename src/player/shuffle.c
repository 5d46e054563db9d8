#include "player/shuffle.h"

#include <string.h>

#include "base/text.h"

static uint64_t mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

struct shuffle_look shuffle_look(const struct shuffle *s, int number)
{
    if (number == 0)
        return (struct shuffle_look){ .round = s->round, .after = s->place };
    return (struct shuffle_look){ .round = s->round + 1, .not_this = number == 1 ? s->last : 0 };
}

bool shuffle_offer(struct shuffle_look *l, const char *key)
{
    uint64_t song = text_hash(key, strlen(key)), place = mix(song ^ mix(l->round)) | 1;
    if (place <= l->after || song == l->not_this || (l->place && place >= l->place))
        return false;
    l->place = place;
    l->song = song;
    return true;
}

void shuffle_take(struct shuffle *s, const struct shuffle_look *l)
{
    *s = (struct shuffle){ .round = l->round, .place = l->place, .last = l->song };
}
