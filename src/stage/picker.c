#include "stage/picker.h"

/* A wake-up comes a little before or after its time: what is due within this is due. */
#define NEAR_NS (NS_PER_MS / 5)

/* After a cut the picture is ahead of the sound by what is queued in the device. Its time runs slower by one
 * part in EASE until the sound has caught up, so that no picture stands. Ahead by more nobody is to notice:
 * ITU-R BT.1359 puts the threshold at 45 ms for early sound and at 125 ms for late sound, which this is. */
#define EASE        10
#define LEAD_MAX_NS MS(100)

/* A picture that waits longer for the next one stands: the pictures of a file may end before its sound. */
#define LATE_MAX_NS SECONDS(1)

static int64_t frame_mono_ns(const struct play_clock *c, int64_t frame)
{
    int64_t d = frame - c->frame;
    return c->mono_ns + d / SAMPLE_RATE * NS_PER_S + d % SAMPLE_RATE * NS_PER_S / SAMPLE_RATE;
}

/* How long before its sound a span's first picture is seen. */
static int64_t lead_ns(const struct play_clock *c, const struct play_span *s)
{
    if (!s->cut_ns)
        return 0;
    return clamp_i64(frame_mono_ns(c, s->frame0) - s->cut_ns, 0, LEAD_MAX_NS);
}

int64_t play_clock_when(const struct play_clock *c, uint32_t i, int64_t media_ns)
{
    const struct play_span *s = &c->span[i];
    int64_t lead = lead_ns(c, s), d = media_ns - s->media0_ns;
    return frame_mono_ns(c, s->frame0) - lead + min_i64(d + lead, d + d / (EASE - 1));
}

/* The span seen at now_ns. One that a person's action started is seen at once: its picture need not wait
 * until its first sample has passed through the sound device. */
static uint32_t span_seen(const struct play_clock *c, int64_t now_ns)
{
    uint32_t seen = 0;
    for (uint32_t i = 1; i < c->span_count; i++)
        if (c->span[i].cut_ns || frame_mono_ns(c, c->span[i].frame0) <= now_ns)
            seen = i;
    return seen;
}

static int64_t media_at(const struct play_clock *c, const struct play_span *s, int64_t now_ns)
{
    if (!s->is_moving)
        return s->media0_ns;
    int64_t limit = frame_mono_ns(c, c->until_frame); /* beyond it time stands still */
    int64_t heard = min_i64(now_ns, limit) - frame_mono_ns(c, s->frame0);
    int64_t seen = heard + lead_ns(c, s);
    return s->media0_ns + max_i64(max_i64(seen - seen / EASE, heard), 0);
}

static bool find(struct deck_view decks[DECKS], const struct play_span *s, int64_t media_ns,
                 struct frame_desc *due, struct frame_desc *after, bool *is_complete)
{
    struct deck_state state;
    if (!s->load || s->deck >= DECKS || !deck_view_ready(&decks[s->deck], s->load, &state))
        return false;
    *is_complete = state.phase != DECK_READY;
    return deck_view_frame_at(&decks[s->deck], s->load, state.first_frame, media_ns, due, after);
}

static struct screen_view view_of(const struct frame_desc *f)
{
    return (struct screen_view){ .load = f->load, .number = f->number };
}

/* The next span begins with a picture of its own; that may come before this span's next picture. */
static void look_at_next_span(struct deck_view decks[DECKS], const struct play_clock *c,
                              uint32_t next, struct pick *p)
{
    const struct play_span *s = &c->span[next];
    struct frame_desc first, unused;
    bool is_complete;
    int64_t start_ns = frame_mono_ns(c, s->frame0);
    if (start_ns > p->wish.after_ns || !find(decks, s, s->media0_ns, &first, &unused, &is_complete))
        return;
    if (first.load == p->due.load && first.number == p->due.number)
        return;
    p->after = first;
    p->after_deck = s->deck;
    p->wish.after = view_of(&first);
    p->wish.after_ns = start_ns;
}

struct pick pick_pictures(struct deck_view decks[DECKS], const struct play_clock *c, int64_t now_ns)
{
    struct pick p = { .due_ns = NO_TIME, .wish.after_ns = INT64_MAX };
    if (c->span_count == 0 || c->span_count > SPANS_MAX)
        return p;
    uint32_t i = span_seen(c, now_ns + NEAR_NS);
    const struct play_span *s = &c->span[i];
    p.is_playing = s->load != 0;
    bool is_complete = true;
    if (!find(decks, s, media_at(c, s, now_ns + NEAR_NS), &p.due, &p.after, &is_complete)) {
        p.is_hungry = p.is_playing;
        return p;
    }
    p.due_deck = p.after_deck = s->deck;
    p.wish.due = view_of(&p.due);
    if (s->is_moving) {
        /* The first picture of a load may carry a time before the span began. */
        if (now_ns <= frame_mono_ns(c, c->until_frame))
            p.due_ns = play_clock_when(c, i, max_i64(p.due.pts_ns, s->media0_ns));
        if (p.after.load) {
            p.wish.after = view_of(&p.after);
            p.wish.after_ns = play_clock_when(c, i, p.after.pts_ns);
        }
    }
    if (i + 1 < c->span_count)
        look_at_next_span(decks, c, i + 1, &p);
    p.is_hungry = s->is_moving && !p.after.load && !is_complete;
    return p;
}

int64_t pick_text_ns(const struct pick *p, int64_t media_ns)
{
    int64_t late_ns = media_ns - (p->due.pts_ns + p->due.duration_ns);
    bool is_late = p->is_hungry && late_ns > 0 && late_ns < LATE_MAX_NS;
    return is_late ? p->due.pts_ns : media_ns;
}
