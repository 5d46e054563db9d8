#include "stage/screen.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/now.h"

/* Waking takes a moment: a picture is prepared this much earlier than its drawing needs, and shown when
 * it is due to within TOLERANCE. */
#define MARGIN_NS    MS(2)
#define TOLERANCE_NS (NS_PER_MS / 5)

static bool same(const struct screen_view *a, const struct screen_view *b)
{
    return a->load == b->load && a->number == b->number && a->overlay == b->overlay &&
           a->text == b->text;
}

/* On a display with vsync a picture handed over at any time in the interval before is shown at the
 * vblank: half an interval ahead is the safest moment. */
static int64_t hand_over_ns(const struct screen *s, int64_t due_ns)
{
    if (!s->info.has_vsync || s->info.refresh_mhz <= 0 || due_ns == INT64_MAX)
        return due_ns;
    return due_ns - NS_PER_S * 1000 / s->info.refresh_mhz / 2;
}

enum screen_step screen_decide(const struct screen *s, const struct screen_wish *wish,
                               int64_t now_ns, int64_t *wake_ns)
{
    *wake_ns = INT64_MAX;
    if (s->is_exposed)
        return SCREEN_SHOW;
    int64_t after_ns = hand_over_ns(s, wish->after_ns);
    bool has_after = wish->after.load != 0 && wish->after_ns != INT64_MAX;
    if (has_after && now_ns >= after_ns - TOLERANCE_NS)
        return SCREEN_ADVANCE;
    bool is_ahead = has_after && same(&s->drawn, &wish->after);
    if (!same(&s->shown, &wish->due) && !is_ahead)
        return SCREEN_SHOW;
    if (!has_after)
        return SCREEN_REST;
    if (is_ahead) {
        *wake_ns = after_ns;
        return SCREEN_REST;
    }
    int64_t start_ns = after_ns - s->draw_ns - MARGIN_NS;
    if (now_ns >= start_ns)
        return SCREEN_PREPARE;
    *wake_ns = start_ns;
    return SCREEN_REST;
}

void screen_init(struct screen *s, struct video_output *output, uint32_t row, uint32_t stage)
{
    *s = (struct screen){
        .output = output,
        .row = row,
        .born_ns = now_mono_ns(),
        .is_exposed = true,
        .is_stale = true,
    };
    video_output_info(output, &s->info);
    s->counts.stage = stage;
    snprintf(s->counts.name, sizeof(s->counts.name), "%s", s->info.name);
    s->counts.width = (uint32_t)s->info.width;
    s->counts.height = (uint32_t)s->info.height;
    s->counts.refresh_mhz = (uint32_t)s->info.refresh_mhz;
}

void screen_resume(struct screen *s, const struct output_row *old)
{
    struct output_row *c = &s->counts;
    if (old->stage != c->stage || strncmp(old->name, c->name, sizeof(c->name)) != 0)
        return;
    c->presented = old->presented;
    c->late = old->late;
    c->dropped = old->dropped;
    c->repeated = old->repeated;
}

struct output_row screen_leave(const struct output_row *old)
{
    struct output_row left = {
        .stage = old->stage,
        .presented = old->presented,
        .late = old->late,
        .dropped = old->dropped,
        .repeated = old->repeated,
    };
    memcpy(left.name, old->name, sizeof(left.name));
    return left;
}

void screen_draw(struct screen *s, const struct screen_view *view, const struct picture *picture,
                 const struct painting *text, const struct painting *overlay)
{
    int64_t begin = now_mono_ns();
    const struct bitmap *bitmap[2 * PAINTER_BITMAPS];
    int count = 0;
    for (int i = 0; text && i < text->count; i++)
        bitmap[count++] = text->bitmap[i];
    for (int i = 0; overlay && i < overlay->count; i++)
        bitmap[count++] = overlay->bitmap[i];
    video_output_draw(s->output, picture, bitmap, count);
    int64_t took = now_mono_ns() - begin;
    s->draw_ns = took > s->draw_ns ? took : s->draw_ns - (s->draw_ns - took) / 16;
    s->draw_ns = min_i64(s->draw_ns, MS(50));
    s->drawn = *view;
    s->drawn_scene = overlay ? overlay->scene : 0;
    s->drawn_since_ns = overlay ? overlay->since_ns : 0;
    s->is_stale = false;
}

static void count_presented(struct screen *s, const struct frame_desc *f, int64_t due_ns)
{
    struct output_row *c = &s->counts;
    bool is_next = f->load == c->shown_load;
    if (is_next && f->number > c->shown_frame + 1)
        c->dropped += f->number - c->shown_frame - 1;
    if (due_ns != NO_TIME && due_ns >= s->born_ns &&
        c->shown_mono_ns - due_ns > f->duration_ns / 2) {
        c->late++;
        c->repeated += (uint64_t)((c->shown_mono_ns - due_ns) / f->duration_ns);
    }
    c->shown_load = f->load;
    c->shown_frame = f->number;
    c->shown_pts_ns = f->pts_ns;
}

void screen_present(struct screen *s, const struct frame_desc *picture, int64_t due_ns)
{
    bool is_new = s->drawn.load != s->shown.load || s->drawn.number != s->shown.number;
    s->is_lit = video_output_present(s->output) == 0;
    s->counts.shown_mono_ns = now_mono_ns();
    s->counts.presented++;
    s->shown = s->drawn;
    s->is_exposed = false;
    if (s->counts.scene != s->drawn_scene) {
        s->counts.scene = s->drawn_scene;
        s->counts.scene_since_ns = s->drawn_since_ns;
        s->counts.scene_mono_ns = s->counts.shown_mono_ns;
    }
    if (is_new && picture)
        count_presented(s, picture, due_ns);
}
