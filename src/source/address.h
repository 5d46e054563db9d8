/* What a person may add: a text that was typed or pasted becomes an address we built ourselves. Nothing of it reaches
 * a shell or an option; what fetches it gets an http(s) address and nothing else. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

enum address_kind {
    ADDRESS_YOUTUBE,
    ADDRESS_URL,     /* http or https */
    ADDRESS_LIBRARY, /* a song of this house: its key is all there is */
    ADDRESS_FILE,    /* an absolute path */
};

enum address_who {
    ADDRESS_BY_GUEST, /* YouTube and songs of the house */
    ADDRESS_BY_STAFF, /* whatever there is */
};

enum address_verdict {
    ADDRESS_OK,
    ADDRESS_EMPTY,
    ADDRESS_TOO_LONG,
    ADDRESS_NOT_ONE,    /* words, options, control characters, another scheme */
    ADDRESS_NO_VIDEO,   /* of YouTube, but a channel, a list or a search */
    ADDRESS_STAFF_ONLY, /* fine, but not for guests */
};

#define ADDRESS_MAX        2048 /* bytes of what is given */
#define ADDRESS_TARGET_MAX (3 * ADDRESS_MAX + 1)

struct address {
    enum address_kind kind;
    /* What names the song: the 11 characters at YouTube, "url:" or "file:" and 16 hex digits else. */
    char key[32];
    /* The canonical https address, the normalised one, or the path; "" for a song of the house. */
    char target[ADDRESS_TARGET_MAX];
    /* The host is this machine or a private network as far as it is written: the caller decides whether staff may.
     * A name can lead there, too; where connections of guests go is judged when they are made. */
    bool is_private;
};

/* Reads `text` of `len` bytes, blanks around it apart. *out is only filled when the verdict is ADDRESS_OK. */
WARN_UNUSED enum address_verdict address_read(const char *text, size_t len, enum address_who who,
                                              struct address *out);
/* A sentence for who added it. */
const char *address_verdict_text(enum address_verdict v);
/* Whether these 11 bytes may be an id of YouTube. */
bool address_is_youtube_id(const char *s, size_t len);
