/* What the threads of a load share. */
#pragma once

#include <pthread.h>

#include "media/decoder_watch.h"
#include "media/demuxer.h"
#include "media/load.h"
#include "media/packet_queue.h"
#include "media/reader_clock.h"
#include "media/sound_levels.h"

enum lane_status {
    LANE_PENDING, /* nothing came out yet */
    LANE_PLAYING, /* enough came out to begin */
    LANE_OVER,    /* ended; it may have given nothing */
};

struct load {
    /* Constant after create. */
    struct load_params p;
    uint64_t first_frame, first_sample;
    char name[128]; /* of the file, for people */

    struct gate gate;

    /* Set by the reading thread before it starts the others, constant until they ended. */
    struct media_file *file;
    struct demuxer *demuxer;
    struct packet_queue *queue;
    struct sound_levels *levels;
    bool has_video, has_audio; /* there is a stream of it to decode */

    /* Made by the reading thread before it starts the others, and there until the load ends. */
    struct text_lane *text; /* NULL: no subtitles are wanted of this load at all */

    struct decoder_watch watch; /* of the board's decoder; load_state() looks */

    _Atomic uint64_t decoded; /* pictures and blocks of sound, also those before the start */

    pthread_t reader;

    pthread_mutex_t lock;
    /* Protected by lock. */
    struct deck_state state;
    enum lane_status lane[PACKET_LANES];
    struct packet_queue *watched; /* the queue while it exists, for load_state() */
    struct media_file *watched_file;
    int64_t work_since_ns;   /* since when it could have decoded something */
    int64_t work_cpu_ns;     /* processor time of the process then */
    int64_t end_ns;          /* where the last frame or sample ends so far */
    int64_t pictures_end_ns; /* where the last frame ends so far */
    uint64_t pictures;       /* published so far */
    bool pictures_ring;      /* the audio thread follows them with silence */
};

/* Bodies of the two decoding threads; `arg` is the load. */
void *load_video_run(void *arg);
void *load_audio_run(void *arg);

/* A picture was published. */
void load_note_picture(struct load *l, const struct frame_desc *d, bool is_cover);
/* `samples` of its sound were written since the load began; what is to be written ends at `end_ns`. */
void load_note_sound(struct load *l, int64_t samples, int64_t end_ns);
/* How far the pictures reach in time so far (a cover does not count). true: no more will come. From then
 * on pictures ring the deck's bell. */
bool load_pictures_end(struct load *l, int64_t *end_ns);
/* Where the reader of the samples is; `clock` was made for this load. false: not in it yet. *is_over: it has
 * heard all sound of the file. */
bool load_reader_place(struct load *l, struct reader_clock *clock, struct reader_place *out,
                       bool *is_over);
/* `hardware` makes its pictures from now on. */
void load_note_hardware(struct load *l, enum deck_hardware hardware);
/* It cannot. `why` completes "the board's decoder ...". */
void load_note_hardware_fault(struct load *l, enum deck_hardware hardware, const char *why);
/* Software gives no pictures of the video, or none any more. */
void load_note_software_fault(struct load *l);
/* A lane has ended. */
void load_note_over(struct load *l, enum packet_lane lane);
