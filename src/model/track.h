/* A track: one entry of a queue, as a DJAMMS document holds it. Pure data. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define TRACK_ID_MAX 64

/* A longer duration is a mistake of who wrote it: taken as unknown, and safe to count in ns. */
#define TRACK_MAX_DURATION_S 1e8

/* Bytes of the reason in `unplayable`, and the short one for when a list has no room left for more. */
#define TRACK_MARK_MAX   160
#define TRACK_MARK_SHORT "cannot play"

enum track_status { TRACK_QUEUED, TRACK_PLAYING, TRACK_PLAYED, TRACK_SKIPPED };

/* All strings are owned by the track, valid UTF-8, never NULL (empty: absent). */
struct track {
    char *id;       /* identity when track_id_is_identity() */
    char *video_id; /* key of the song: YouTube id, or another key of a local file */
    char *title;
    char *artist;
    char *source; /* local file this entry plays; empty: found by video_id. Field "source". */
    char *seal;   /* mark of the box whose staff named `source`; empty: nobody did. Field "seal" */
    char *thumbnail;
    char *requested_by; /* name shown to guests */
    char *requested_at; /* ISO text as it came; never reformatted */
    char *requester_id;
    char *payment_id;
    double duration_s; /* 0: unknown */
    double paid_credit;
    double real_end_s; /* realEndOffset: seconds from the start; 0: none */
    enum track_status status;
    bool is_request;
    bool is_paid;
    /* PLAY_NOW asked for it: the next to play, before any request. At most one entry of a queue. Field
     * "playsNext". */
    bool plays_next;
    /* Our own mark, kept in the journal: why it cannot be played; empty: playable as far as we know. */
    char *unplayable;
    /* Fields we do not know, as JSON object text, written back unchanged; NULL: none. Opaque here. */
    char *unknown_json;
};

/* `requester_id` of what was requested at the box itself. No guest's: so nobody takes it for one of the venue's requests,
 * which are paid for. */
#define TRACK_BOX_REQUESTER "djamms-box"
/* A request that somebody made elsewhere, with a name or a payment of his. */
bool track_is_guests(const struct track *t);
/* `requester_id` of what the house plays by itself while nothing of the queue can be played. Such a track is `now` of a queue,
 * and never in its lists. */
#define TRACK_HOUSE_REQUESTER "djamms-house"
bool track_is_house(const struct track *t);

struct track *track_create(void);    /* all fields empty */
void track_destroy(struct track *t); /* t may be NULL */
struct track *track_copy(const struct track *t);
/* Replaces the text. NULL means empty; bytes that are no UTF-8 become U+FFFD. */
void track_set(char **field, const char *text);

/* Data model rule: non-empty, not "unique()", not starting with "current_" or "local_". That it occurs
 * once is for the queue to see. */
bool track_id_is_identity(const char *id);
/* Gives `t` an id of 20 hex digits when it has none that counts. It is made of `random` and of what the
 * track is: the same input gives the same id, so an addition that is applied again is recognised. */
void track_ensure_id(struct track *t, uint64_t random);

/* Never less than the characters (as UTF-16 counts them, the largest of the usual counts) of the track
 * as JSON text in the form the house writes, as an entry of a list: numbers at their longest, text as it
 * is escaped, the marks of this house (plays_next, unplayable) as if they were set. It changes with no
 * other field than texts, paid_credit and real_end_s. */
size_t track_json_chars(const struct track *t);

/* Title, artist and YouTube id from a file name, after the house's naming:
 * "Artist - Title -- YTID.ext", "Artist - Title.ext", "YTID | Artist - Title.ext", "Title.ext".
 * Fills title, artist, video_id and source of `t`; without a YouTube id in the name video_id becomes
 * "file:" and 16 hex digits of the path's hash. A title is never empty. */
void track_from_path(struct track *t, const char *path);
/* The same from an address, by what it calls the file (else its host): until it is known what it plays. Fills title, artist
 * and source. */
void track_from_url(struct track *t, const char *url);
/* Whether its names say nothing but that: there is no title, or the video id or what the address calls it stands for one. */
bool track_has_stand_in(const struct track *t);
/* Whether the ending is one of the media files we play (mp4 webm mkv avi mov ts m4v mpg mpeg flv wmv ogv
 * mp3 flac ogg opus m4a wav aac ac3 wma), whatever the case. */
bool path_is_media(const char *path);

/* A file's path as UTF-8 text that JSON can carry: the path itself; when its bytes are no valid UTF-8,
 * "file://" and the path with these bytes as %XX. The caller frees. track_from_path() stores this form
 * in `source`, and path_from_source() gives back the bytes for open(2). */
char *path_to_source(const char *path);
char *path_from_source(const char *source);

/* Title for people: bracketed parts "(..)" and "[..]" and a trailing YouTube id with its separator taken
 * off, unless nothing would be left; artist without a trailing " - Topic". Line breaks become blanks.
 * The result is always terminated, cut at a code point, and never empty when the input is not (as long
 * as its first code point fits). The first 1000 bytes of the input are looked at. */
void track_display_title(const struct track *t, char *out, size_t size);
void track_display_artist(const struct track *t, char *out, size_t size);
