/* The segment of one deck: a ring of decoded pictures, a ring of samples, and a ring of text to be shown over the
 * pictures.
 *
 * Pictures lie in an arena; the decoder writes into it directly. A ring of descriptors says where.
 * Both rings count from the segment's birth and never start again, also when the deck process does:
 * a picture's number names it for ever, and a reader that is too slow finds another number in its place.
 *
 * A load's samples are its time line: sample n of it is at sample_base_ns + n / 48000 s, without a break,
 * from its first picture or sound to its end_ns. Where the file has no sound (none at all, or it ends
 * before the pictures do) the deck writes silence, as far as it has decoded pictures. So the reader of
 * the samples need not know whether there is any sound.
 *
 * Who frees what: the deck is the only writer. A picture may be reused when it is no longer referenced
 * by the decoder and every live reader has declared, in its own row, that it needs only later ones.
 * A reader that died (its pid is gone) holds nothing. Without any live reader nothing is freed: a
 * restarted stage finds the pictures where it left them.
 *
 * Text (subtitles, lyrics) is painted by the deck. A cue is what is seen from one time to another: a few small
 * bitmaps on a canvas that lies over the picture. Nobody holds a cue: its place is used again soon after
 * its time. A reader copies the pixels, and reads the cue once more to know that the copy is whole. */
#pragma once

#include <stdbool.h>

#include "shm/control.h"

#define FRAME_RING   64u               /* descriptors; power of two */
#define SAMPLE_RING  (1u << 17)        /* stereo f32 frames: 2.7 s; power of two */
#define ARENA_BYTES  ((size_t)1 << 30) /* sparse: only what is touched costs memory */
#define FRAME_PLANES 3

enum pixel_format { /* planar, as the decoder writes it */
                    PIXEL_NONE,
                    PIXEL_I420,
                    PIXEL_I422,
                    PIXEL_I444, /* 8 bit */
                    PIXEL_I010,
                    PIXEL_I210,
                    PIXEL_I410, /* 10 bit in 16, little endian, low bits */
                    PIXEL_NV12, /* plane 1: U and V in turn */
                    PIXEL_GRAY, /* plane 0 only */
                    PIXEL_BGRA, /* plane 0, bytes B G R A; not premultiplied */
                    PIXEL_FORMATS
};

enum colour_matrix { MATRIX_BT601, MATRIX_BT709, MATRIX_BT2020 };

struct frame_desc {
    uint64_t number; /* position in the ring's count */
    uint64_t load;   /* 0: not a picture (the deck restarted); skip it */
    int64_t pts_ns;
    int64_t duration_ns;           /* until the next one is due; > 0 */
    uint64_t offset[FRAME_PLANES]; /* bytes into the arena */
    uint32_t stride[FRAME_PLANES]; /* bytes */
    uint32_t width, height;        /* visible, in pixels of plane 0, before rotation */
    uint32_t sar_num, sar_den;     /* sample aspect ratio; both > 0 */
    uint32_t format;               /* enum pixel_format */
    uint32_t matrix;               /* enum colour_matrix */
    uint32_t is_full_range;
    uint32_t rotation; /* degrees clockwise to turn it for showing: 0, 90, 180, 270 */
    uint32_t reserved;
};
SHM_SLOT(frame_desc)

#define TEXT_RING      32u /* cues; power of two */
#define TEXT_BOXES     4   /* bitmaps of a cue */
#define TEXT_CUE_BYTES ((size_t)3 << 20)
#define TEXT_SIDE_MAX  4096u /* pixels of a canvas, each way */

struct text_box {
    uint32_t x, y, w, h; /* on the canvas */
    uint32_t offset;     /* bytes into the cue's pixels; rows follow each other without a gap */
};

struct text_cue {
    uint64_t number;        /* position in the ring's count */
    uint64_t load;          /* 0: no cue */
    int64_t from_ns;        /* media time: seen from here ... */
    int64_t until_ns;       /* ... to here */
    uint32_t width, height; /* of the canvas */
    uint32_t box_count;     /* 1..TEXT_BOXES */
    uint32_t reserved;
    struct text_box box[TEXT_BOXES];
};
SHM_SLOT(text_cue)

/* One per stage. Written by that stage only. */
struct frame_reader {
    _Atomic uint32_t pid; /* 0: no reader */
    uint32_t pad;
    _Atomic uint64_t need; /* it will not touch pictures below this number again */
};

struct deck_segment {
    struct segment_header header;
    _Atomic uint64_t frame_head; /* pictures published since birth (deck) */
    struct frame_reader reader[STAGES_MAX];
    struct frame_desc_slot frame[FRAME_RING];
    _Atomic uint64_t sample_head;  /* samples written since birth (deck) */
    _Atomic uint64_t sample_tail;  /* samples taken since birth (the sounding stage) */
    float sample[SAMPLE_RING * 2]; /* left, right; between tail and head it is the reader's */
    uint8_t arena[ARENA_BYTES] __attribute__((aligned(4096)));
    _Atomic uint64_t text_head; /* cues published since birth (deck) */
    struct text_cue_slot text[TEXT_RING];
    /* Of cue n at n % TEXT_RING: B G R A, premultiplied. */
    uint8_t text_pixels[TEXT_RING][TEXT_CUE_BYTES] __attribute__((aligned(4096)));
};

#define DECK_MAGIC   0x444d4444u
#define DECK_VERSION 2u

/* Maps segment "deck-a" (deck 0) or "deck-b". 0 or -errno. */
WARN_UNUSED int deck_segment_open(struct segment *s, const char *runtime_dir, uint32_t deck,
                                  struct deck_segment **out);

/* Reads picture `number`. false: not published yet, overwritten, or its planes would lie outside the
 * arena (untrusted memory): treat it as missing. On true every plane is inside the arena. */
bool frame_desc_read(struct deck_segment *d, uint64_t number, struct frame_desc *out);
/* Rows of plane `plane` and bytes used in each row, for the desc's format and size; 0 rows: no such
 * plane. */
void frame_plane_size(const struct frame_desc *f, int plane, uint32_t *row_bytes, uint32_t *rows);
/* The lowest number a live reader may still touch. false: no reader lives, then nothing
 * published may be freed. Checks pids: once per picture, not more. */
bool frame_readers_need(const struct deck_segment *d, uint64_t *lowest);

/* Cue `number`. false: not published yet, overwritten, or nonsense (untrusted memory): treat it as missing. On true
 * every box is on the canvas and its pixels are inside the cue's. */
bool text_cue_read(struct deck_segment *d, uint64_t number, struct text_cue *out);
/* The cue of `load` that is seen at `media_ns`. *next_ns: when the next change comes that is known of; INT64_MAX: none
 * is. false: nothing is seen then. */
bool text_cue_at(struct deck_segment *d, uint64_t load, int64_t media_ns, struct text_cue *out,
                 int64_t *next_ns);
