#include "stage/stage.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/now.h"
#include "base/thread.h"
#include "config/screen_mode.h"
#include "stage/idle_reel.h"
#include "stage/mixer.h"
#include "stage/picker.h"
#include "stage/sound.h"

/* The loop turns at least this often, to give its sign of life. */
#define BEAT_NS MS(250)

/* Opening displays and the first picture on them may take this long: drivers are loaded and modes set. */
#define OPEN_NS SECONDS(60)

/* A turn on the kernel's displays that takes longer does not end: SDL waits for a flip without a limit. */
#define HANG_NS SECONDS(2)

/* Fonts are loaded when the first picture is on screen, or when none came for this long. */
#define OVERLAY_WAIT_NS MS(400)

/* With pictures that take longer to draw there is no time for one more between two. */
#define DRAW_TWICE_NS MS(8)

struct stage {
    /* Constant after open. */
    struct stage_params params;
    struct log *log;
    struct segment control_segment;
    struct control *control;
    enum process_role role;
    struct video *video;
    struct mixer *mixer; /* NULL: we follow another stage's clock */
    struct sound *sound;
    pthread_t bell_thread;
    bool has_bell_thread;

    /* Render thread only. */
    struct deck_view deck[DECKS];
    struct screen screen[OUTPUTS_MAX];
    int screens;
    struct overlay_painter *painter;
    struct text_painter *texts; /* NULL: subtitles were never wanted */
    struct idle_reel reel;
    struct scene scene;
    uint32_t scene_seq;
    struct play_clock clock;
    struct segment shot_segment;
    uint64_t shots_answered;
    int64_t opened_ns;
    bool may_have_changed; /* the displays */

    _Atomic bool is_hungry; /* wake the render thread for every picture that is decoded */
    _Atomic bool is_ending;
};

/* ---- waking: the doorbell's thread -------------------------------------------------------------- */

struct bell_seen {
    uint32_t plan, scene, shot, deck[DECKS];
    uint32_t text;         /* cues of both decks */
    struct play_span span; /* the newest: what the sound goes on to */
};

static struct bell_seen bell_look(struct stage *s)
{
    struct control *c = s->control;
    struct bell_seen seen = {
        .plan = atomic_load(&c->plan.seq),
        .scene = atomic_load(&c->scene.seq),
        .shot = atomic_load(&c->shot_request.seq),
    };
    for (size_t i = 0; i < DECKS; i++) {
        seen.deck[i] = atomic_load(&c->deck[i].seq);
        seen.text += (uint32_t)atomic_load(&s->deck[i].ring->text_head);
    }
    struct play_clock clock;
    if (play_clock_load(&c->clock, &clock) && clock.span_count - 1 < SPANS_MAX)
        seen.span = clock.span[clock.span_count - 1];
    return seen;
}

/* The bell rings for many reasons; the render thread is woken only for what it must act on. */
static void *bell_loop(void *arg)
{
    struct stage *s = arg;
    struct bell_seen old = { 0 };
    while (!atomic_load(&s->is_ending)) {
        uint32_t rings = doorbell_rings(&s->control->stage_bell);
        struct bell_seen now = bell_look(s);
        if (memcmp(&now, &old, sizeof(now)) != 0 || atomic_load(&s->is_hungry))
            video_wake(s->video);
        old = now;
        doorbell_wait(&s->control->stage_bell, rings, now_mono_ns() + SECONDS(1));
    }
    return NULL;
}

static void painted(void *ctx)
{
    struct stage *s = ctx;
    video_wake(s->video);
}

/* ---- input ------------------------------------------------------------------------------------- */

static void send_input(struct stage *s, const struct input_event *e)
{
    if (!input_ring_put(&s->control->input[s->params.index], e))
        log_warn(s->log, "input dropped: the player does not take any");
    doorbell_ring(&s->control->brain_bell);
}

static void take_events(struct stage *s)
{
    struct video_event e;
    while (video_poll(s->video, &e)) {
        switch (e.kind) {
        case VIDEO_INPUT: send_input(s, &e.input); break;
        case VIDEO_QUIT:
            send_input(s, &(struct input_event){ .action = INPUT_QUIT, .mono_ns = now_mono_ns() });
            break;
        case VIDEO_RESIZED:
        case VIDEO_EXPOSED:
            if (e.output >= 0 && e.output < s->screens) {
                struct screen *screen = &s->screen[e.output];
                video_output_info(screen->output, &screen->info);
                screen->counts.width = (uint32_t)screen->info.width;
                screen->counts.height = (uint32_t)screen->info.height;
                screen->is_exposed = screen->is_stale = true;
            }
            break;
        case VIDEO_DISPLAYS: s->may_have_changed = true; break;
        case VIDEO_NONE: break;
        }
    }
}

/* ---- pictures ---------------------------------------------------------------------------------- */

static int64_t time_left_ms(const struct stage *s, int64_t now_ns)
{
    struct play_position at = play_clock_at(&s->clock, now_ns);
    if (!at.load || at.entry != s->scene.now.entry || s->scene.duration_ns <= 0)
        return -1;
    return max_i64(s->scene.duration_ns - at.media_ns, 0) / NS_PER_MS;
}

/* What lies over a picture. */
struct dressing {
    const struct painting *text;
    const struct painting *overlay;
};

/* Names the newest overlay in the wish. While pictures follow each other the time that ticks rides on the next
 * one that is not drawn yet, so that it costs no extra drawing; what is new is shown at once. */
static const struct painting *dress(struct stage *s, struct screen *screen, struct screen_wish *w,
                                    int64_t now_ns)
{
    const struct painting *set = NULL;
    if (s->painter) {
        overlay_painter_show(s->painter, &s->scene, screen->info.width, screen->info.height,
                             time_left_ms(s, now_ns), now_ns);
        set = overlay_painter_take(s->painter, screen->info.width, screen->info.height);
    }
    w->due.overlay = w->after.overlay = set ? set->version : 0;
    bool is_news = set && set->scene != screen->counts.scene && screen->draw_ns < DRAW_TWICE_NS;
    if (is_news || !w->after.load || w->after_ns == INT64_MAX)
        return set;
    if (w->due.load == screen->shown.load && w->due.number == screen->shown.number)
        w->due.overlay = screen->shown.overlay;
    if (w->after.load == screen->drawn.load && w->after.number == screen->drawn.number)
        w->after.overlay = screen->drawn.overlay;
    return set;
}

/* The text of one moment of a load, as a screen shows it. *change_ns: when that changes, as media time. */
static const struct painting *text_at(struct stage *s, struct screen *screen,
                                      const struct frame_desc *frame, uint32_t deck,
                                      int64_t media_ns, int64_t *change_ns)
{
    struct text_wish wish = { 0 };
    struct text_cue cue;
    *change_ns = INT64_MAX;
    if (!s->texts && s->scene.shows_text)
        s->texts = text_painter_create(painted, s);
    if (!s->texts)
        return NULL;
    bool has_text = s->scene.shows_text && frame->load &&
                    text_cue_at(s->deck[deck].ring, frame->load, media_ns, &cue, change_ns);
    if (has_text)
        wish = (struct text_wish){
            .ring = s->deck[deck].ring,
            .load = cue.load,
            .cue = cue.number,
            .place = picture_fit(frame, screen->info.width, screen->info.height),
        };
    return text_painter_show(s->texts, (int)(screen - s->screen), &wish);
}

static bool is_picture(const struct screen_view *a, const struct screen_view *b)
{
    return a->load == b->load && a->number == b->number;
}

/* Names the subtitles in the wish. Like the time that ticks they ride on pictures that are not drawn yet, so that they
 * cost no extra drawing; each picture has those of its own time, one that stands those of now. *next_ns: when they
 * change although no picture does. */
static const struct painting *add_text(struct stage *s, struct screen *screen, struct pick *pick,
                                       int64_t now_ns, int64_t *next_ns)
{
    struct screen_wish *w = &pick->wish;
    const struct screen_view *shown = &screen->shown, *drawn = &screen->drawn;
    bool is_followed = w->after.load && w->after_ns != INT64_MAX;
    bool is_ready = is_picture(&w->due, shown) || is_picture(&w->due, drawn);
    int64_t change_ns;
    *next_ns = INT64_MAX;
    const struct painting *set;
    if (is_followed && is_ready) {
        set = text_at(s, screen, &pick->after, pick->after_deck, pick->after.pts_ns, &change_ns);
    } else {
        struct play_position at = play_clock_at(&s->clock, now_ns);
        bool is_still = !is_followed && at.load == pick->due.load;
        int64_t media_ns = is_still ? pick_text_ns(pick, at.media_ns) : pick->due.pts_ns;
        set = text_at(s, screen, &pick->due, pick->due_deck, media_ns, &change_ns);
        bool goes_on = is_still && at.is_moving && media_ns == at.media_ns; /* it is not late */
        if (goes_on && change_ns != INT64_MAX)
            *next_ns = now_ns + (change_ns - media_ns);
    }
    w->due.text = w->after.text = set ? set->version : 0;
    if (is_followed && is_ready)
        w->due.text = is_picture(&w->due, shown) ? shown->text : drawn->text;
    if (is_followed && is_picture(&w->after, drawn))
        w->after.text = drawn->text;
    return set;
}

static void draw(struct stage *s, struct screen *screen, const struct screen_view *view,
                 const struct frame_desc *frame, uint32_t deck, const struct dressing *on)
{
    struct picture picture;
    bool has_picture = frame->load || view->load == IDLE_LOAD;
    if (frame->load)
        picture = deck_view_picture(&s->deck[deck], frame);
    else if (has_picture)
        picture = idle_reel_picture(&s->reel, view->number);
    screen_draw(screen, view, has_picture ? &picture : NULL, on->text, on->overlay);
}

static bool is_drawn(const struct screen *screen, const struct screen_view *v)
{
    return screen->drawn.load == v->load && screen->drawn.number == v->number &&
           screen->drawn.overlay == v->overlay && screen->drawn.text == v->text;
}

static void show(struct stage *s, struct screen *screen, const struct screen_view *view,
                 const struct frame_desc *frame, uint32_t deck, const struct dressing *on,
                 int64_t due_ns)
{
    if (!is_drawn(screen, view) || screen->is_stale)
        draw(s, screen, view, frame, deck, on);
    screen_present(screen, frame->load ? frame : NULL, due_ns);
    output_row_store(&s->control->output[screen->row], &screen->counts);
}

/* One output's turn; returns when it wants the next. */
static int64_t turn_screen(struct stage *s, struct screen *screen, int64_t now_ns)
{
    struct pick pick = pick_pictures(s->deck, &s->clock, now_ns);
    bool is_between = pick.is_playing || s->scene.now.entry;
    bool is_idle = !pick.due.load && (!is_between || screen->shown.load == IDLE_LOAD);
    if (is_idle) {
        pick.wish.due = (struct screen_view){ IDLE_LOAD, idle_reel_number(now_ns), 0 };
    } else if (!pick.due.load) {
        /* Between two tracks, or before the first picture: what is on screen stays. */
        pick.wish.due.load = screen->shown.load;
        pick.wish.due.number = screen->shown.number;
        if (screen->shown.load && !screen->is_exposed)
            return INT64_MAX;
    }
    if (pick.is_hungry)
        atomic_store(&s->is_hungry, true);
    int64_t wake_ns, text_ns;
    struct dressing on;
    on.overlay = dress(s, screen, &pick.wish, now_ns);
    on.text = add_text(s, screen, &pick, now_ns, &text_ns);
    switch (screen_decide(screen, &pick.wish, now_ns, &wake_ns)) {
    case SCREEN_SHOW:
        show(s, screen, &pick.wish.due, &pick.due, pick.due_deck, &on, pick.due_ns);
        return now_ns;
    case SCREEN_ADVANCE:
        show(s, screen, &pick.wish.after, &pick.after, pick.after_deck, &on, pick.wish.after_ns);
        return now_ns;
    case SCREEN_PREPARE:
        draw(s, screen, &pick.wish.after, &pick.after, pick.after_deck, &on);
        return now_ns;
    case SCREEN_REST: break;
    }
    wake_ns = min_i64(wake_ns, text_ns);
    return is_idle ? min_i64(wake_ns, idle_reel_next_ns(now_ns)) : wake_ns;
}

/* Pictures that no output will show again go back to the decks. */
static void release_pictures(struct stage *s)
{
    struct play_position at = play_clock_at(&s->clock, now_mono_ns());
    for (uint32_t d = 0; d < DECKS; d++) {
        struct deck_state state;
        if (!deck_state_load(&s->control->deck[d], &state) || !state.load)
            continue;
        uint64_t need = state.first_frame;
        bool shows_it = s->screens > 0 && at.load == state.load;
        for (int i = 0; i < s->screens && shows_it; i++) {
            const struct screen *screen = &s->screen[i];
            if (screen->shown.load != state.load)
                shows_it = false;
            else if (i == 0 || screen->shown.number < need)
                need = screen->shown.number;
        }
        deck_view_release(&s->deck[d], shows_it ? need : state.first_frame);
    }
}

/* ---- screenshots ------------------------------------------------------------------------------- */

static struct screen *screen_of_row(struct stage *s, uint32_t row)
{
    for (int i = 0; i < s->screens; i++)
        if (s->screen[i].row == row)
            return &s->screen[i];
    return NULL;
}

static void answer_shot(struct stage *s)
{
    struct shot_request request;
    if (!shot_request_load(&s->control->shot_request, &request) ||
        request.serial == s->shots_answered)
        return;
    s->shots_answered = request.serial;
    struct screen *screen = screen_of_row(s, request.output);
    if (!screen)
        return; /* another stage's */
    struct shot_done done = { .serial = request.serial };
    int width = 0, height = 0, stride = 0;
    if (s->shot_segment.base || shot_open(&s->shot_segment, s->params.runtime_dir) == 0) {
        struct shot_segment *shot = s->shot_segment.base;
        if (video_output_read(screen->output, shot->pixels, sizeof(shot->pixels), &width, &height,
                              &stride) == 0) {
            done.width = (uint32_t)width;
            done.height = (uint32_t)height;
            done.stride = (uint32_t)stride;
        }
    }
    shot_done_store(&s->control->shot_done, &done);
    doorbell_ring(&s->control->brain_bell);
}

/* ---- the loop ---------------------------------------------------------------------------------- */

static void follow_brain(struct stage *s)
{
    uint32_t seq = atomic_load(&s->control->scene.seq);
    if (seq != s->scene_seq && scene_load(&s->control->scene, &s->scene))
        s->scene_seq = seq;
    if (s->mixer) {
        mixer_follow(s->mixer);
        mixer_clock(s->mixer, &s->clock);
    } else {
        play_clock_load(&s->control->clock, &s->clock);
    }
}

static void maybe_open_overlay(struct stage *s, int64_t now_ns)
{
    if (s->painter || !s->params.config->display.overlay)
        return;
    uint64_t shown = s->screens > 0 ? s->screen[0].shown.load : 0;
    bool has_picture = shown != 0 && shown != IDLE_LOAD;
    if (has_picture || now_ns - s->opened_ns > OVERLAY_WAIT_NS)
        s->painter = overlay_painter_create(s->log, painted, s);
}

static bool is_lit(const struct stage *s)
{
    for (int i = 0; i < s->screens; i++)
        if (!s->screen[i].is_lit)
            return false;
    return true;
}

/* A window system is another program: it is waited for as long as it takes, and our end would not help it. */
static int64_t turn_limit_ns(const struct stage *s)
{
    if (!video_has_card(s->video))
        return 0;
    return is_lit(s) ? HANG_NS : OPEN_NS;
}

/* After the pictures were shown: only then it is known that they could be. */
static void give_sign_of_life(struct stage *s)
{
    int64_t now_ns = now_mono_ns();
    process_limit(s->control, s->role, turn_limit_ns(s));
    process_beat(s->control, s->role, now_ns);
    if (is_lit(s))
        service_alive(s->params.service, now_ns);
}

static void turn(struct stage *s)
{
    int64_t now_ns = now_mono_ns();
    int64_t wake_ns = now_ns + BEAT_NS;
    take_events(s);
    atomic_store(&s->is_hungry, false);
    follow_brain(s);
    maybe_open_overlay(s, now_ns);
    for (int i = 0; i < s->screens; i++)
        wake_ns = min_i64(wake_ns, turn_screen(s, &s->screen[i], now_mono_ns()));
    release_pictures(s);
    answer_shot(s);
    give_sign_of_life(s);
    if (wake_ns > now_mono_ns())
        video_wait(s->video, wake_ns);
}

/* ---- birth and death --------------------------------------------------------------------------- */

static bool is_ours(const struct stage *s, const struct output_row *row)
{
    return row->name[0] && row->stage == (uint32_t)s->params.index;
}

static bool is_connected(const struct stage *s, const char *name)
{
    for (int i = 0; i < video_output_count(s->video); i++) {
        struct output_info info;
        video_output_info(video_output_at(s->video, i), &info);
        if (strncmp(info.name, name, sizeof(info.name)) == 0)
            return true;
    }
    return false;
}

/* They keep their counts: what was counted once is not lost. */
static void leave_rows(struct stage *s)
{
    for (int i = 0; i < OUTPUTS_MAX; i++) {
        struct output_row row;
        if (!output_row_load(&s->control->output[i], &row) || !is_ours(s, &row) ||
            is_connected(s, row.name))
            continue;
        struct output_row left = screen_leave(&row);
        output_row_store(&s->control->output[i], &left);
    }
}

/* The output's row of a former life, else a free one, else that of an output of ours that is gone; -1: none. */
static int take_row(const struct stage *s, const char *name, const bool *used)
{
    int spare = -1, left = -1;
    for (int i = OUTPUTS_MAX - 1; i >= 0; i--) {
        struct output_row row;
        if (used[i] || !output_row_load(&s->control->output[i], &row))
            continue;
        if (is_ours(s, &row) && strncmp(row.name, name, sizeof(row.name)) == 0)
            return i;
        if (!row.name[0])
            spare = i;
        else if (is_ours(s, &row) && !output_is_here(&row))
            left = i;
    }
    return spare >= 0 ? spare : left;
}

static int open_screens(struct stage *s)
{
    bool used[OUTPUTS_MAX] = { false };
    leave_rows(s);
    for (int i = 0; i < video_output_count(s->video) && s->screens < OUTPUTS_MAX; i++) {
        struct output_info info;
        struct video_output *output = video_output_at(s->video, i);
        video_output_info(output, &info);
        int row = take_row(s, info.name, used);
        if (row < 0) {
            log_err(s->log, "%s: the outputs table is full; this output stays dark", info.name);
            continue;
        }
        used[row] = true;
        struct screen *screen = &s->screen[s->screens++];
        struct output_row old;
        screen_init(screen, output, (uint32_t)row, (uint32_t)s->params.index);
        if (output_row_load(&s->control->output[row], &old))
            screen_resume(screen, &old);
        output_row_store(&s->control->output[row], &screen->counts);
    }
    return s->screens ? 0 : -ENODEV;
}

static void tell_card(struct stage *s)
{
    if (s->params.index == 0)
        atomic_store(&s->control->has_card, video_has_card(s->video));
}

/* The sound goes on meanwhile, on its own thread. */
static int follow_displays(struct stage *s)
{
    s->may_have_changed = false;
    process_limit(s->control, s->role, OPEN_NS);
    service_busy(s->params.service, OPEN_NS);
    if (!video_has_changed(s->video))
        return 0; /* the next turn sets the limits back */
    log_info(s->log, "other displays are connected");
    s->screens = 0;
    int ret = video_reopen(s->video);
    if (ret < 0)
        return ret;
    tell_card(s);
    return open_screens(s);
}

static int open_memory(struct stage *s)
{
    int ret = control_open(&s->control_segment, s->params.runtime_dir, &s->control);
    for (uint32_t d = 0; d < DECKS && ret == 0; d++)
        ret = deck_view_init(&s->deck[d], s->control, s->params.runtime_dir, d,
                             (uint32_t)s->params.index);
    if (ret < 0)
        log_err(s->log, "%s: cannot map the zone's shared memory: %s", s->params.runtime_dir,
                strerror(-ret));
    return ret;
}

static int open_stage(struct stage *s)
{
    const struct config *config = s->params.config;
    int ret = open_memory(s);
    if (ret < 0)
        return ret;
    s->role = PROCESS_STAGE0 + s->params.index;
    int64_t last_turn_ns = atomic_load(&s->control->process[s->role].beat_ns);
    process_enter(s->control, s->role, now_mono_ns());
    process_limit(s->control, s->role, OPEN_NS);
    service_busy(s->params.service, OPEN_NS);
    struct shot_request request;
    if (shot_request_load(&s->control->shot_request, &request))
        s->shots_answered = request.serial;
    struct screen_mode mode;
    screen_mode_parse(config->display.mode, &mode);
    struct video_params video = {
        .driver = config->display.driver,
        .renderer = config->display.renderer,
        .fullscreen = config->display.fullscreen,
        .width = config->display.width,
        .height = config->display.height,
        .outputs = config->display.outputs,
        .mode = { mode.width, mode.height, mode.refresh_mhz },
        .title = "DJAMMS",
        .log = s->log,
    };
    ret = video_open(&s->video, &video);
    if (ret == 0)
        ret = open_screens(s);
    if (ret < 0)
        return ret;
    tell_card(s);
    if (s->params.index == 0) {
        s->mixer = mixer_create(s->control, s->deck, MS(config->sound.delay_ms), last_turn_ns);
        s->sound = sound_create(config, s->control, mixer_fill, s->mixer, s->log);
        if (!s->sound)
            return -EAGAIN;
    }
    s->opened_ns = now_mono_ns();
    s->has_bell_thread = pthread_create(&s->bell_thread, NULL, bell_loop, s) == 0;
    return s->has_bell_thread ? 0 : -EAGAIN;
}

static void close_stage(struct stage *s)
{
    atomic_store(&s->is_ending, true);
    if (s->has_bell_thread) {
        doorbell_ring(&s->control->stage_bell);
        pthread_join(s->bell_thread, NULL);
    }
    sound_destroy(s->sound);
    mixer_destroy(s->mixer);
    overlay_painter_destroy(s->painter);
    text_painter_destroy(s->texts);
    video_close(s->video);
    segment_close(&s->shot_segment);
    for (size_t d = 0; d < DECKS; d++)
        deck_view_finish(&s->deck[d]);
    if (s->control)
        process_leave(s->control, s->role);
    segment_close(&s->control_segment);
    free(s);
}

int stage_run(const struct stage_params *p)
{
    struct stage *s = xcalloc(1, sizeof(*s));
    s->params = *p;
    s->log = p->log;
    int ret = open_stage(s);
    if (ret == 0)
        log_info(s->log, "showing on %d output%s (%s)", s->screens, s->screens == 1 ? "" : "s",
                 video_driver_name(s->video));
    thread_hurry(THREAD_PICTURE);
    while (ret == 0 && !*p->stop) {
        turn(s);
        if (s->may_have_changed)
            ret = follow_displays(s);
    }
    close_stage(s);
    return ret;
}
