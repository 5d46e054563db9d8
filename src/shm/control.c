#include "shm/control.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"

int control_open(struct segment *s, const char *runtime_dir, struct control **out)
{
    int ret = segment_open(s, runtime_dir, CONTROL_NAME, sizeof(struct control), CONTROL_MAGIC,
                           CONTROL_VERSION);
    *out = ret < 0 ? NULL : s->base;
    return ret;
}

int shot_open(struct segment *s, const char *runtime_dir)
{
    return segment_open(s, runtime_dir, "shot", sizeof(struct shot_segment), SHOT_MAGIC,
                        SHOT_VERSION);
}

struct play_position play_clock_at(const struct play_clock *c, int64_t mono_ns)
{
    if (c->span_count == 0 || c->span_count > SPANS_MAX)
        return (struct play_position){ 0 };
    /* 48000 frames a second without overflow for years: split into seconds and rest. */
    int64_t dt = mono_ns - c->mono_ns;
    int64_t frame = c->frame + dt / NS_PER_S * SAMPLE_RATE + dt % NS_PER_S * SAMPLE_RATE / NS_PER_S;
    if (frame > c->until_frame)
        frame = c->until_frame;
    const struct play_span *s = &c->span[0];
    for (uint32_t i = 1; i < c->span_count && c->span[i].frame0 <= frame; i++)
        s = &c->span[i];
    int64_t played = max_i64(frame - s->frame0, 0);
    return (struct play_position){
        .load = s->load,
        .entry = s->entry,
        .deck = s->deck < DECKS ? s->deck : 0,
        .is_moving = s->is_moving,
        .media_ns = s->media0_ns + (s->is_moving ? played * NS_PER_S / SAMPLE_RATE : 0),
    };
}

bool input_ring_put(struct input_ring *r, const struct input_event *e)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (head - atomic_load_explicit(&r->tail, memory_order_acquire) >= INPUT_RING)
        return false;
    static_assert(sizeof(*e) == 2 * 8, "an event is two words");
    uint64_t word[2];
    memcpy(word, e, sizeof(word));
    for (size_t i = 0; i < 2; i++)
        atomic_store_explicit(&r->word[head % INPUT_RING][i], word[i], memory_order_relaxed);
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
    return true;
}

bool input_ring_take(struct input_ring *r, struct input_event *e)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    if (head == tail)
        return false;
    if (head - tail > INPUT_RING) /* nonsense left behind: start afresh */
        tail = head - 1;
    uint64_t word[2];
    for (size_t i = 0; i < 2; i++)
        word[i] = atomic_load_explicit(&r->word[tail % INPUT_RING][i], memory_order_relaxed);
    memcpy(e, word, sizeof(word));
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return true;
}

bool output_is_here(const struct output_row *row)
{
    return row->name[0] && row->width > 0;
}

void control_mark_start(struct control *c)
{
    struct start_marks m = { 0 };
    struct play_clock clock;
    if (play_clock_load(&c->clock, &clock))
        m.underruns = clock.underruns;
    struct sound_row sound;
    if (sound_row_load(&c->sound, &sound))
        m.xruns = sound.xruns;
    for (int i = 0; i < PROCESS_COUNT; i++)
        m.starts[i] = atomic_load(&c->process[i].starts);
    for (int i = 0; i < OUTPUTS_MAX; i++) {
        if (!output_row_load(&c->output[i], &m.output[i]))
            m.output[i] = (struct output_row){ 0 };
    }
    start_marks_store(&c->marks, &m);
}

void control_load_marks(struct control *c, struct start_marks *out)
{
    if (!start_marks_load(&c->marks, out))
        *out = (struct start_marks){ 0 };
}

uint64_t count_since(uint64_t count, uint64_t mark)
{
    return count >= mark ? count - mark : count;
}

void process_enter(struct control *c, enum process_role role, int64_t now_ns)
{
    struct process_row *row = &c->process[role];
    atomic_fetch_add(&row->starts, 1);
    atomic_store(&row->limit_ns, 0);
    atomic_store(&row->beat_ns, now_ns);
    atomic_store(&row->pid, (uint32_t)getpid());
}

void process_leave(struct control *c, enum process_role role)
{
    atomic_store(&c->process[role].pid, 0);
}

void process_beat(struct control *c, enum process_role role, int64_t now_ns)
{
    atomic_store_explicit(&c->process[role].beat_ns, now_ns, memory_order_relaxed);
}

void process_limit(struct control *c, enum process_role role, int64_t limit_ns)
{
    atomic_store_explicit(&c->process[role].limit_ns, limit_ns, memory_order_relaxed);
}

bool process_is_alive(const struct control *c, enum process_role role)
{
    uint32_t pid = atomic_load(&c->process[role].pid);
    return pid > 0 && pid < INT32_MAX && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}
