#include "player/house.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/now.h"
#include "base/text.h"
#include "player/add_files.h"
#include "player/house_internal.h"
#include "player/instance_lock.h"
#include "player/media_file.h"

#define TICK_MS     100
#define LISTEN_NS   SECONDS(1)
#define QUIT_MAX_NS SECONDS(2) /* answers outstanding are waited for so long */
#define STEPS_MAX   4          /* of a turn: what others did may be followed by a start of ours */

static struct message *backend_status(const void *house)
{
    return venue_status(house);
}

static struct message *hub_process(const void *house)
{
    return venue_hub_process(house);
}

static struct message *latency(const void *house)
{
    return hops_message(house);
}

static struct message *fetching(const void *house)
{
    return source_status(house);
}

static struct message *health(const void *house)
{
    return house_health_message(house);
}

static bool waits(const void *house, const struct track *t, char *out, size_t size)
{
    return source_waits(house, t, out, size);
}

static char *seal(const void *house, const char *source)
{
    return trust_mark(house, source);
}

static void retry(void *house, const char *video_id, const char *source)
{
    source_retry(house, video_id, source);
}

static const char *no_youtube(const void *house, const char *id)
{
    return source_refuses_youtube(house, id);
}

struct command_world house_world(struct house *h)
{
    h->seed = h->seed * 6364136223846793005u + 1442695040888963407u;
    return (struct command_world){
        .jukebox = h->jukebox,
        .control = h->control,
        .now_ns = h->view.now_ns,
        .started_ns = h->started_ns,
        .wall_ms = h->view.wall_ms,
        .seed = h->seed,
        .backend = backend_status,
        .hub = hub_process,
        .latency = latency,
        .fetching = fetching,
        .health = health,
        .played = &h->played,
        .waits = waits,
        .retry = retry,
        .seal = seal,
        .no_youtube = h->source ? no_youtube : NULL,
        .ctx = h,
        .library = h->library,
    };
}

/* ---- a turn ----------------------------------------------------------------------------------- */

/* A slot whose writer is busy, or died there, keeps what was read before. The clock first: what the stage says it has
 * ended, its deck had ended before, and that is seen as well. */
static void look(struct house *h)
{
    struct control *c = h->control;
    struct jukebox_view *v = &h->view;
    v->now_ns = now_mono_ns();
    v->wall_ms = now_wall_ms();
    struct play_clock clock;
    if (play_clock_load(&c->clock, &clock))
        v->clock = clock;
    for (int d = 0; d < DECKS; d++) {
        struct deck_state state;
        enum process_role role = PROCESS_DECK_A + d;
        if (deck_state_load(&c->deck[d], &state))
            v->deck[d].state = state;
        struct deck_about about;
        if (deck_about_load(&c->about[d], &about)) {
            about.system[sizeof(about.system) - 1] = '\0';
            memcpy(v->deck[d].system, about.system, sizeof(about.system));
        }
        v->deck[d].work = atomic_load_explicit(&c->deck_work[d], memory_order_relaxed);
        /* In this order: who is seen alive has counted its start. */
        v->deck[d].is_alive = process_is_alive(c, role);
        v->deck[d].starts = atomic_load(&c->process[role].starts);
    }
    v->has_stage = false;
    for (int s = 0; s < STAGES_MAX; s++)
        v->has_stage |= process_is_alive(c, PROCESS_STAGE0 + s);
}

static void take_input(struct house *h, const struct input_event *e)
{
    hops_acted(h, e->mono_ns);
    jukebox_input(h->jukebox, e);
}

static void take_inputs(struct house *h)
{
    struct input_event e;
    for (int s = 0; s < STAGES_MAX; s++)
        for (int i = 0; i < INPUT_RING && input_ring_take(&h->control->input[s], &e); i++)
            take_input(h, &e);
}

static void end_deck(struct house *h, uint32_t deck)
{
    uint32_t pid = atomic_load(&h->control->process[PROCESS_DECK_A + deck].pid);
    if (pid > 1 && pid < INT32_MAX && (pid_t)pid != getpid())
        kill((pid_t)pid, SIGKILL);
}

/* All is in its place before anybody is woken to look at it. */
static void publish(struct house *h, unsigned changes)
{
    struct control *c = h->control;
    for (uint32_t d = 0; d < DECKS; d++) {
        if (changes & (unsigned)(CHANGED_ORDER_A << d))
            deck_order_store(&c->order[d], jukebox_order(h->jukebox, d));
    }
    if (changes & CHANGED_PLAN)
        plan_store(&c->plan, jukebox_plan(h->jukebox));
    if (changes & CHANGED_SCENE)
        scene_store(&c->scene, jukebox_scene(h->jukebox));
    if (changes & (CHANGED_PLAN | CHANGED_SCENE))
        hops_published(h);
    for (uint32_t d = 0; d < DECKS; d++) {
        if (changes & (unsigned)(CHANGED_ORDER_A << d))
            doorbell_ring(&c->deck_bell[d]);
        if (changes & (unsigned)(KILL_DECK_A << d))
            end_deck(h, d);
    }
    if (changes & (CHANGED_PLAN | CHANGED_SCENE))
        doorbell_ring(&c->stage_bell);
}

static void keep_played(struct house *h)
{
    struct played p;
    while (jukebox_take_played(h->jukebox, &p)) {
        history_add(h->history, &p);
        h->played.songs += p.how != PLAYED_FAILED;
        h->played.failed += p.how == PLAYED_FAILED;
        h->played.requests += p.how != PLAYED_FAILED && p.is_request;
    }
}

static bool nothing_could_be_played(const struct house *h)
{
    const struct queue *q = jukebox_queue(h->jukebox);
    bool has_entries = q->list[QUEUE_MAIN].count + q->list[QUEUE_REQUESTS].count > 0;
    return h->exits_at_end && !q->now && has_entries && !jukebox_played_any(h->jukebox);
}

static unsigned step(struct house *h)
{
    unsigned changes = jukebox_step(h->jukebox, &h->view);
    publish(h, changes);
    return changes;
}

/* The jukebox, and what others did to its queue. */
static unsigned step_all(struct house *h)
{
    h->is_turning = true;
    venue_turn(h);
    unsigned changes = step(h);
    for (int i = 1; i < STEPS_MAX && venue_follow(h); i++)
        changes |= step(h);
    h->is_turning = false;
    return changes;
}

void house_turn(struct house *h)
{
    if (h->is_stopping || h->is_turning)
        return;
    look(h);
    process_beat(h->control, PROCESS_BRAIN, h->view.now_ns);
    take_inputs(h);
    unsigned changes = step_all(h);
    hops_turn(h, changes & CHANGED_SCENE);
    if (!h->has_loop) {
        h->early |= changes;
        return;
    }
    changes |= h->early;
    h->early = 0;
    keep_played(h);
    disk_save_if_due(h);
    if (changes & POSITION_DUE)
        disk_save_position(h);
    if (changes & CHANGED_HARDWARE)
        disk_save_hardware(h);
    source_turn(h);
    house_cache_turn(h);
    clients_turn(h, changes & (CHANGED_PLAN | CHANGED_SCENE | CHANGED_SAVED));
    if (changes & QUIT_WANTED) {
        h->exit_status = nothing_could_be_played(h) ? EXIT_FAILURE : EXIT_SUCCESS;
        h->quit_ns = h->view.now_ns;
    }
}

/* ---- the loop --------------------------------------------------------------------------------- */

static void on_bell(uv_async_t *bell)
{
    house_turn(bell->data);
    clients_go_on(bell->data);
    house_quit_if_wanted(bell->data);
}

static void on_tick(uv_timer_t *tick)
{
    struct house *h = tick->data;
    house_turn(h);
    clients_go_on(h);
    service_alive(h->service, h->view.now_ns);
    house_quit_if_wanted(h);
}

static void stop(struct house *h)
{
    if (h->is_stopping)
        return;
    house_health_finish(h);
    h->is_stopping = true;
    songs_finish(h);
    source_finish(h);
    house_extractor_finish(h);
    control_socket_close(h->socket);
    h->socket = NULL;
    uv_close((uv_handle_t *)&h->tick, NULL);
    for (size_t i = 0; i < ARRAY_LEN(h->signals); i++)
        uv_close((uv_handle_t *)&h->signals[i], NULL);
    if (h->has_listener) {
        atomic_store(&h->listener_stops, true);
        doorbell_ring(&h->control->brain_bell);
        pthread_join(h->listener, NULL);
        h->has_listener = false;
    }
    uv_close((uv_handle_t *)&h->bell, NULL);
    venue_finish(h);
}

void house_quit_if_wanted(struct house *h)
{
    bool is_late = h->quit_ns && h->view.now_ns - h->quit_ns > QUIT_MAX_NS;
    if (h->quit_ns && (is_late || !clients_wait(h)))
        stop(h);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct house *h = handle->data;
    log_info(&h->log, "%s: the player ends and leaves the plan as it is",
             number == SIGTERM ? "SIGTERM" : "SIGINT");
    house_turn(h);
    h->exit_status = EXIT_SUCCESS;
    stop(h);
}

static void *listen_to_bell(void *arg)
{
    struct house *h = arg;
    struct doorbell *bell = &h->control->brain_bell;
    while (!atomic_load(&h->listener_stops)) {
        uint32_t seen = doorbell_rings(bell);
        uv_async_send(&h->bell);
        while (doorbell_rings(bell) == seen && !atomic_load(&h->listener_stops))
            doorbell_wait(bell, seen, now_mono_ns() + LISTEN_NS);
    }
    return NULL;
}

static int open_loop(struct house *h)
{
    static const int numbers[] = { SIGTERM, SIGINT };
    int ret = uv_loop_init(&h->loop);
    if (ret < 0)
        return ret;
    h->has_loop = true;
    uv_async_init(&h->loop, &h->bell, on_bell);
    uv_timer_init(&h->loop, &h->tick);
    h->bell.data = h->tick.data = h;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uv_signal_init(&h->loop, &h->signals[i]);
        h->signals[i].data = h;
        uv_signal_start(&h->signals[i], on_signal, numbers[i]);
    }
    uv_timer_start(&h->tick, on_tick, TICK_MS, TICK_MS);
    disk_open(h);
    songs_attach(h);
    source_attach(h);
    house_extractor_attach(h);
    house_health_attach(h);
    return 0;
}

int house_run(struct house *h)
{
    int ret = pthread_create(&h->listener, NULL, listen_to_bell, h);
    h->has_listener = ret == 0;
    if (ret != 0) {
        log_err(&h->log, "no thread: %s", strerror(ret));
        h->exit_status = EXIT_FAILURE;
        stop(h);
    }
    uv_run(&h->loop, UV_RUN_DEFAULT);
    return h->exit_status;
}

/* ---- birth and end ---------------------------------------------------------------------------- */

static uint64_t hash_files(const struct house_params *p)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < p->file_count; i++)
        hash = hash * 31 + text_hash(p->files[i], strlen(p->files[i]));
    return hash;
}

static bool is_in_queue(const struct queue *q, const char *source)
{
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < q->list[l].count; i++)
            if (strcmp(q->list[l].at[i]->source, source) == 0)
                return true;
    return false;
}

/* A file that an earlier life left in the queue is not added once more. */
static void add_arguments(struct house *h, const struct house_params *p)
{
    struct queue before;
    size_t added = 0;
    queue_copy(&before, jukebox_queue(h->jukebox));
    struct command_world w = house_world(h);
    struct add_request add = { .wall_ms = h->view.wall_ms, .seed = w.seed, .world = &w };
    for (size_t i = 0; i < p->file_count; i++) {
        char why[256];
        char *source = path_to_source(p->files[i]);
        if (is_in_queue(&before, source))
            added++;
        else if (!media_file_check(p->files[i], why, sizeof(why)))
            log_err(&h->log, "%s: %s", p->files[i], why);
        else
            added += add_file(h->jukebox, &add, source, NULL);
        free(source);
    }
    if (p->file_count && !added && h->exits_at_end) {
        log_err(&h->log, "none of the files can be played");
        h->exit_status = EXIT_FAILURE;
    }
    queue_finish(&before);
}

static void recall(struct house *h, const struct house_params *p)
{
    struct journal_state state;
    struct journal_position position;
    const struct config *config = p->config;
    journal_load(p->state_dir, &h->log, &state, &position);
    if (state.is_new) {
        state.volume = (uint32_t)config->sound.volume;
        state.shows_text = config->subtitles.show;
    }
    look(h);
    trust_open(h, p, &state);
    venue_open(h, p, &state);
    songs_open(h, p, &state);
    source_open(h, p, &state);
    house_extractor_open(h, p);
    struct hardware_faults hardware;
    disk_load_hardware(h, &hardware);
    struct jukebox_past past = {
        .state = &state, .position = &position, .hardware = &hardware, .view = h->view
    };
    if (!plan_load(&h->control->plan, &past.plan))
        past.plan = (struct plan){ 0 };
    for (int d = 0; d < DECKS; d++)
        if (!deck_order_load(&h->control->order[d], &past.order[d]))
            past.order[d] = (struct deck_order){ 0 };
    h->jukebox =
        jukebox_create(&(struct jukebox_settings){ .autostarts = config->queue.autostart,
                                                   .exits_at_end = h->exits_at_end,
                                                   .loops = config->queue.loop,
                                                   .max_chars = h->venue.engine ? QUEUE_SERVER_CHARS
                                                                                : QUEUE_LOCAL_CHARS,
                                                   .on_op = venue_apply,
                                                   .may_open = trust_may_open,
                                                   .find_source = songs_source,
                                                   .is_coming = source_is_coming,
                                                   .is_growing = source_is_growing,
                                                   .is_passing = source_is_passing,
                                                   .name_song = source_name,
                                                   .house_song = music_song,
                                                   .ctx = h },
                       &past, p->log);
    /* A supervisor starts a player that died with the same arguments: they were added then. */
    bool is_restart = past.plan.now.load || atomic_load(&h->control->process[PROCESS_BRAIN].pid);
    h->arguments = hash_files(p);
    if (!is_restart || h->arguments != state.arguments)
        add_arguments(h, p);
    journal_state_finish(&state);
}

static int take_zone(struct house *h, const struct house_params *p)
{
    h->lock_fd = instance_lock_take(p->runtime_dir);
    if (h->lock_fd == -EWOULDBLOCK)
        log_err(&h->log, "another player is running in %s", p->runtime_dir);
    else if (h->lock_fd < 0)
        log_err(&h->log, "%s/player.lock: %s", p->runtime_dir, strerror(-h->lock_fd));
    if (h->lock_fd < 0)
        return h->lock_fd;
    int ret = control_open(&h->segment, p->runtime_dir, &h->control);
    if (ret < 0)
        log_err(&h->log, "shared memory in %s: %s", p->runtime_dir, strerror(-ret));
    return ret;
}

int house_create(struct house **out, const struct house_params *params)
{
    struct house *h = xcalloc(1, sizeof(*h));
    *out = NULL;
    h->log = *params->log;
    h->service = params->service;
    h->state_dir = xstrdup(params->state_dir);
    h->started_ns = now_mono_ns();
    h->hops.event_ns = NO_TIME;
    if (getrandom(&h->seed, sizeof(h->seed), GRND_NONBLOCK) != sizeof(h->seed))
        h->seed = (uint64_t)now_wall_ms() * 0x9e3779b97f4a7c15u ^ (uint64_t)getpid();
    h->music.round = h->seed;
    h->exits_at_end = params->config->queue.exit_at_end;
    int ret = take_zone(h, params);
    if (ret < 0)
        goto fail;
    house_cache_open(h, params->config);
    house_health_open(h, params);
    recall(h, params);
    process_enter(h->control, PROCESS_BRAIN, h->started_ns);
    house_turn(h); /* the first orders are out */
    ret = open_loop(h);
    if (ret == 0)
        ret = clients_open(h, params->runtime_dir);
    if (ret == 0 && h->exit_status != EXIT_SUCCESS)
        ret = -ENOENT;
    if (ret < 0)
        goto fail;
    house_turn(h);
    disk_save(h);
    *out = h;
    return 0;

fail:
    house_destroy(h);
    return ret;
}

void house_destroy(struct house *h)
{
    if (!h)
        return;
    if (h->has_loop) {
        stop(h);
        uv_run(&h->loop, UV_RUN_DEFAULT);
        disk_finish(h);
        saver_destroy(h->journal);
        saver_destroy(h->position);
        saver_destroy(h->hardware);
        history_destroy(h->history);
        uv_loop_close(&h->loop);
    }
    house_cache_close(h);
    source_close(h);
    house_extractor_close(h);
    house_health_close(h);
    for (size_t i = 0; i < ARRAY_LEN(h->waiting); i++)
        free(h->waiting[i].text);
    for (size_t i = 0; i < ARRAY_LEN(h->later); i++)
        free(h->later[i].line);
    songs_close(h);
    venue_close(h);
    trust_close(h);
    jukebox_destroy(h->jukebox);
    if (h->control)
        process_leave(h->control, PROCESS_BRAIN);
    segment_close(&h->segment);
    if (h->lock_fd >= 0)
        close(h->lock_fd);
    free(h->state_dir);
    free(h);
}
