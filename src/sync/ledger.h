/* What has ended or was taken out: so that nobody's old copy of the queue brings it back, and no request is played
 * twice. Bounded; the oldest that is told goes first. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/queue.h"

struct message;

enum fate { FATE_PLAYING, FATE_COMPLETED, FATE_CANCELLED, FATE_REMOVED };

#define LEDGER_KEPT     256  /* of those that nobody waits to hear of */
#define LEDGER_MAX      1024 /* of all */
#define REQUEST_ID_SIZE 48

struct ledger_record {
    struct track *track;
    enum fate fate;
    char document[REQUEST_ID_SIZE]; /* $id in `requests`; "": none known yet */
    char reason[96];                /* of a cancelled request */
    bool is_told;                   /* the document says so, or there is nothing to tell */
};

struct ledger { /* all zero: empty */
    struct ledger_record *at;
    size_t count, cap;
};

void ledger_finish(struct ledger *l);
/* More than LEDGER_KEPT: the oldest go that are told, or have no document to be told to. */
void ledger_trim(struct ledger *l);
/* Replaces the record of the same entry. NULL reason: none. Valid until the next call that changes the ledger. */
struct ledger_record *ledger_note(struct ledger *l, const struct track *t, enum fate fate,
                                  const char *reason);
struct ledger_record *ledger_find(struct ledger *l, const struct track *t); /* NULL: none */
struct ledger_record *ledger_of_document(struct ledger *l, const char *document);
void ledger_forget(struct ledger *l, const struct track *t);
void ledger_forget_playing(struct ledger *l); /* somebody else plays now */
/* Whether `t` is over and must not be in a queue. */
bool ledger_is_over(struct ledger *l, const struct track *t);

void ledger_to_message(const struct ledger *l, struct message *m, const char *field);
void ledger_from_message(struct ledger *l, const struct message *m, const char *field);
