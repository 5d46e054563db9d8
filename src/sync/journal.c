/* What survives a power cut, as one JSON text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sync/sync_internal.h"
#include "wire/track_json.h"

#define VERSION 1

char *sync_journal(const struct sync *s, uint64_t *revision)
{
    struct message *m = pending_to_message(&s->pending, "pending");
    message_set_i64(m, "version", VERSION);
    message_set_str(m, "venueId", s->venue_id);
    message_set_str(m, "writer", s->writer);
    message_set_i64(m, "nextSerial", (int64_t)s->next_serial);
    message_set_bool(m, "wasOther", s->role.is == SYNC_OTHER);
    message_set_bool(m, "wasConfirmed", s->role.was_confirmed);
    message_set_bool(m, "sawOthers", s->role.saw_others);
    message_set_object(m, "base", queue_document_to_message(&s->base));
    ledger_to_message(&s->ledger, m, "over");
    message_set_object(m, "playing", s->playing ? track_to_message(s->playing, 0) : NULL);
    message_set_str(m, "playingTurn", s->playing_turn);
    message_set_array(m, "commands");
    for (size_t i = 0; i < COMMANDS_KEPT; i++) {
        if (s->commands.done[i][0])
            message_append_str(m, "commands", s->commands.done[i]);
    }
    char *text = message_text(m, false);
    message_destroy(m);
    *revision = s->revision;
    return text;
}

static void read_commands(struct commands *c, const struct message *m)
{
    size_t n = message_count(m, "commands");
    for (size_t i = 0; i < n && i < COMMANDS_KEPT; i++) {
        const char *id = message_str_at(m, "commands", i);
        snprintf(c->done[c->done_next++], DOCUMENT_ID_SIZE, "%s", id ? id : "");
    }
}

static void read_base(struct sync *s, const struct message *m)
{
    const struct message *base = message_object(m, "base");
    if (!base || queue_document_from_message(&s->base, base))
        return;
    queue_from_message(&s->base.queue, base); /* before the first answer of a server */
}

void journal_read(struct sync *s, const char *text, size_t len)
{
    struct message *m = text ? message_parse(text, len, NULL, 0) : NULL;
    bool is_ours = m && message_i64(m, "version", 0) == VERSION &&
                   strcmp(message_str(m, "venueId", ""), s->venue_id) == 0 &&
                   *message_str(m, "writer", "");
    s->is_continued = is_ours;
    if (is_ours) {
        snprintf(s->writer, sizeof(s->writer), "%s", message_str(m, "writer", ""));
        s->next_serial = (uint64_t)message_i64(m, "nextSerial", 2);
        s->role.was_other = message_bool(m, "wasOther", false);
        s->role.was_confirmed = message_bool(m, "wasConfirmed", false);
        s->role.saw_others = message_bool(m, "sawOthers", false);
        read_base(s, m);
        pending_from_message(&s->pending, m, "pending", s->revision);
        ledger_from_message(&s->ledger, m, "over");
        s->playing = track_from_message(message_object(m, "playing"));
        snprintf(s->playing_turn, sizeof(s->playing_turn), "%s", message_str(m, "playingTurn", ""));
        read_commands(&s->commands, m);
    }
    message_destroy(m);
}
