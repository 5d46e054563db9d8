#include "hub/hub_changes.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "wire/message.h"

struct kept_change {
    struct change change;
    char *id;
    struct message *document;
};

static struct message *copy_of(const struct message *m)
{
    struct message *copy = message_create();
    for (const char *f = NULL; (f = message_next(m, f));)
        message_set_field(copy, f, m, f);
    return copy;
}

void hub_changes_add(struct hub_changes *l, const struct change *c)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 8;
        l->at = xrealloc(l->at, l->cap * sizeof(*l->at));
    }
    struct kept_change *k = &l->at[l->count++];
    *k = (struct kept_change){ *c, xstrdup(c->id), copy_of(c->document) };
    k->change.id = k->id;
    k->change.document = k->document;
}

void hub_changes_take(struct hub_changes *l, void (*tell)(void *ctx, const struct change *c),
                      void *ctx)
{
    for (size_t i = 0; i < l->count; i++) {
        struct kept_change *k = &l->at[i];
        if (tell)
            tell(ctx, &k->change);
        free(k->id);
        message_destroy(k->document);
    }
    l->count = 0;
}

void hub_changes_finish(struct hub_changes *l)
{
    hub_changes_take(l, NULL, NULL);
    free(l->at);
    *l = (struct hub_changes){ 0 };
}
