/* scene + position + size + time -> draw list. Pure: same input, same list, so pictures can be
 * tested without a display. */
#pragma once

#include "overlay/draw_list.h"

struct overlay_track {
    const char *title, *artist, *requester;
    bool is_request;
};

/* To the backend. */
enum overlay_link { LINK_HIDDEN, LINK_DISCONNECTED, LINK_CONNECTING, LINK_CONNECTED };

/* Everything that can be seen; the stage fills it from the scene in shared memory. */
struct overlay_view {
    int width, height; /* pixels of the output */
    bool has_track;
    struct overlay_track now;
    struct overlay_track next[3];
    size_t next_count; /* 0..3 */
    size_t more_count; /* waiting beyond those: "+N more" */
    int64_t left_ms;   /* time left of `now`; < 0: unknown, not shown */
    bool is_paused, is_muted;
    bool shows_volume; /* somebody just changed it */
    int volume;        /* 0..100 */
    bool has_notice, notice_is_problem;
    const char *notice_title, *notice_text;
    enum overlay_link link;
    const char *idle_text; /* shown large when there is no track; "" or NULL: none */
    const char *idle_help; /* smaller, below it; "" or NULL: none */
};

/* Fills `out`; never fails; long titles are cut with an ellipsis by `metrics`. */
void overlay_layout(const struct overlay_view *v, const struct text_metrics *metrics,
                    struct draw_list *out);
