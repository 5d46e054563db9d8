/* One output of the stage: which picture it shows, which is drawn and waits, and what that says of its
 * punctuality. The choice is pure; drawing and presenting go through output/video.h. */
#pragma once

#include "output/video.h"
#include "stage/deck_view.h"
#include "stage/overlay_painter.h"
#include "stage/text_painter.h"

/* A picture by name, with the text and the overlay on it. */
struct screen_view {
    uint64_t load; /* 0: black; IDLE_LOAD: see stage/idle_reel.h */
    uint64_t number;
    uint64_t overlay; /* version of the overlay set; 0: none */
    uint64_t text;    /* version of the set of subtitles; 0: none */
};

struct screen {
    /* Constant after init. */
    struct video_output *output;
    uint32_t row;    /* in the outputs table */
    int64_t born_ns; /* CLOCK_MONOTONIC */

    struct output_info info;
    struct screen_view shown;
    struct screen_view drawn; /* handed to the driver; equal to `shown` once presented */
    uint64_t drawn_scene;     /* serial of the scene on it; `counts` has that of `shown` ... */
    int64_t drawn_since_ns;   /* ... and its time */
    bool is_exposed;          /* the window lost its content: present again ... */
    bool is_stale;            /* ... and nothing drawn before is of use: draw again */
    bool is_lit;              /* the last present() of this life worked */
    int64_t draw_ns;          /* how long drawing took lately: slow to fall, quick to rise */
    struct output_row counts; /* what goes into the outputs table */
};

enum screen_step {
    SCREEN_REST,    /* nothing to do until `wake_ns` */
    SCREEN_SHOW,    /* draw `due` when it is not drawn, and present */
    SCREEN_ADVANCE, /* draw `after` when it is not drawn, and present: its time has come */
    SCREEN_PREPARE, /* draw `after`, present later */
};

/* What an output is to show: `due` now, `after` from after_ns on (its load 0: nothing known). */
struct screen_wish {
    struct screen_view due, after;
    int64_t after_ns; /* INT64_MAX: never, the time stands still */
};

/* What to do at `now_ns`, and when to look again. Pure. */
enum screen_step screen_decide(const struct screen *s, const struct screen_wish *wish,
                               int64_t now_ns, int64_t *wake_ns);

void screen_init(struct screen *s, struct video_output *output, uint32_t row, uint32_t stage);
/* Goes on counting where a former life of the stage ended, if `old` is a row of the same output. */
void screen_resume(struct screen *s, const struct output_row *old);
/* What is left of the row of an output that is gone: its counts, which go on when it is back. */
struct output_row screen_leave(const struct output_row *old);
/* Draws a picture (NULL: black), over it text and over that the overlay (NULL: none); `view` names it. */
void screen_draw(struct screen *s, const struct screen_view *view, const struct picture *picture,
                 const struct painting *text, const struct painting *overlay);
/* Shows what is drawn and counts; `picture` as drawn, due at `due_ns` (NO_TIME: no matter when). What
 * was due before the screen was there is not late. */
void screen_present(struct screen *s, const struct frame_desc *picture, int64_t due_ns);
