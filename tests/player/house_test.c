/* The brain as a process: shared memory, disk, control socket and signals. The test plays deck, stage and
 * client. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/now.h"
#include "support/folder.h"
#include "player/house.h"
#include "player/journal.h"
#include "shm/control.h"
#include "source/cache.h"
#include "wire/message.h"

#define PATIENCE_S 60 /* a test that waits longer has failed */

struct zone {
    char folder[64], state_dir[80], root[80];
    char *file[3], *files[3];
    struct config config;
    pid_t brain;
    struct segment segment;
    struct control *control;
    int client;
};

static struct house_params params_of(struct zone *z, size_t file_count, const struct log *log)
{
    return (struct house_params){
        .config = &z->config,
        .runtime_dir = z->folder,
        .state_dir = z->state_dir,
        .files = z->files,
        .file_count = file_count,
        .log = log,
        .root = z->root,
    };
}

static int setup(void **state)
{
    struct zone *z = calloc(1, sizeof(*z));
    folder_make(z->folder);
    snprintf(z->state_dir, sizeof(z->state_dir), "%s/state", z->folder);
    assert_int_equal(dir_make(z->state_dir), 0);
    for (int i = 0; i < 3; i++) {
        z->file[i] = xasprintf("%s/%c.mp4", z->folder, 'a' + i);
        const char name[] = { (char)('a' + i), '.', 'm', 'p', '4', '\0' };
        folder_write(z->folder, name, "x", 1);
        z->files[i] = z->file[i];
    }
    config_init(&z->config);
    z->client = -1;
    assert_int_equal(control_open(&z->segment, z->folder, &z->control), 0);
    *state = z;
    return 0;
}

static int end_brain(struct zone *z, int signal_number)
{
    int status = 0;
    if (z->brain <= 0)
        return -1;
    if (signal_number)
        kill(z->brain, signal_number);
    waitpid(z->brain, &status, 0);
    z->brain = 0;
    if (z->client >= 0)
        close(z->client);
    z->client = -1;
    return status;
}

static int teardown(void **state)
{
    struct zone *z = *state;
    end_brain(z, SIGKILL);
    segment_close(&z->segment);
    config_finish(&z->config);
    folder_remove(z->folder);
    for (size_t i = 0; i < ARRAY_LEN(z->file); i++)
        free(z->file[i]);
    free(z);
    return 0;
}

/* Starts a brain; returns when it takes lines, or has ended (false). */
static bool start_brain(struct zone *z, size_t file_count)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    z->brain = fork();
    if (z->brain == 0) {
        struct log log = { .module = "brain", .level = LOG_ERROR };
        struct house *h;
        struct house_params params = params_of(z, file_count, &log);
        signal(SIGPIPE, SIG_IGN);
        close(ready[0]);
        int ret = house_create(&h, &params);
        if (ret < 0)
            _exit(99);
        if (write(ready[1], "r", 1) != 1)
            _exit(98);
        int status = house_run(h);
        house_destroy(h);
        _exit(status);
    }
    char c;
    close(ready[1]);
    bool is_up = read(ready[0], &c, 1) == 1;
    close(ready[0]);
    return is_up;
}

static void dial(struct zone *z)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct timeval patience = { .tv_sec = PATIENCE_S };
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/control.sock", z->folder);
    z->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(z->client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(z->client, (struct sockaddr *)&a, sizeof(a)), 0);
}

static struct message *hear(struct zone *z)
{
    static char line[65536];
    size_t len = 0;
    while (len < sizeof(line) && recv(z->client, line + len, 1, 0) == 1 && line[len] != '\n')
        len++;
    return message_parse(line, len, NULL, 0);
}

static struct message *say(struct zone *z, const char *line)
{
    if (z->client < 0)
        dial(z);
    assert_true(send(z->client, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line));
    assert_int_equal(send(z->client, "\n", 1, MSG_NOSIGNAL), 1);
    struct message *m = hear(z);
    assert_non_null(m);
    return m;
}

static void say_ok(struct zone *z, const char *line)
{
    struct message *m = say(z, line);
    assert_true(message_bool(m, "ok", false));
    message_destroy(m);
}

static size_t queue_length(struct zone *z)
{
    struct message *m = say(z, "{\"command\":\"queue\"}");
    size_t count = message_count(m, "main");
    message_destroy(m);
    return count;
}

static struct deck_order order_of(struct zone *z, int deck)
{
    struct deck_order o;
    assert_true(deck_order_load(&z->control->order[deck], &o));
    return o;
}

static struct plan plan_of(struct zone *z)
{
    struct plan p;
    assert_true(plan_load(&z->control->plan, &p));
    return p;
}

/* Answers the order of `deck` as its process would. */
static void answer_order(struct zone *z, int deck, enum deck_phase phase)
{
    struct deck_order o = order_of(z, deck);
    struct deck_state s = {
        .load = o.load,
        .entry = o.entry,
        .phase = phase,
        .duration_ns = SECONDS(30),
        .end_ns = NO_TIME,
    };
    snprintf(s.error, sizeof(s.error), "It is no video.");
    deck_state_store(&z->control->deck[deck], &s);
    doorbell_ring(&z->control->brain_bell);
}

/* The zone's watcher sees states until one has `state`. */
static void wait_for_state(struct zone *z, const char *state)
{
    struct message *m = say(z, "{\"command\":\"watch\"}");
    while (strcmp(message_str(m, "state", ""), state) != 0) {
        message_destroy(m);
        m = hear(z);
        assert_non_null(m);
    }
    message_destroy(m);
    close(z->client);
    z->client = -1;
}

/* Both decks live (in this process) and have their loads ready; the stage plays what is planned. */
static void make_it_play(struct zone *z)
{
    process_enter(z->control, PROCESS_DECK_A, now_mono_ns());
    process_enter(z->control, PROCESS_DECK_B, now_mono_ns());
    process_enter(z->control, PROCESS_STAGE0, now_mono_ns());
    answer_order(z, 0, DECK_READY);
    answer_order(z, 1, DECK_READY);
    while (!plan_of(z).now.load)
        say_ok(z, "{\"command\":\"status\"}"); /* each is a turn of the brain */
    struct plan p = plan_of(z);
    struct play_clock c = {
        .mono_ns = now_mono_ns(),
        .until_frame = (int64_t)3600 * SAMPLE_RATE,
        .span_count = 1,
        .span[0] = { .load = p.now.load, .entry = p.now.entry, .is_moving = 1 },
    };
    play_clock_store(&z->control->clock, &c);
    doorbell_ring(&z->control->brain_bell);
    wait_for_state(z, "playing");
}

static void journal_holds(struct zone *z, size_t count)
{
    struct journal_state s;
    struct journal_position p;
    journal_load(z->state_dir, NULL, &s, &p);
    assert_int_equal(s.queue.list[QUEUE_MAIN].count, count);
    journal_state_finish(&s);
}

/* A file of the kernel's, on a machine made of folders. */
static void put_kernel_file(struct zone *z, const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s%s", z->root, folder);
    assert_int_equal(dir_make(path), 0);
    folder_write(path, name, text, strlen(text));
}

/* ---- tests ------------------------------------------------------------------------------------- */

static void the_first_orders_are_out_when_it_is_up(void **state)
{
    struct zone *z = *state;
    assert_true(start_brain(z, 2));
    assert_string_equal(order_of(z, 0).path, z->file[0]);
    assert_string_equal(order_of(z, 1).path, z->file[1]);
    assert_int_equal(plan_of(z).now.load, 0);
}

static void a_second_player_of_the_zone_refuses_to_start(void **state)
{
    struct zone *z = *state;
    assert_true(start_brain(z, 1));
    struct log quiet = { .module = "test", .level = (enum log_level) - 1 };
    struct house *second = NULL;
    struct house_params params = params_of(z, 0, &quiet);
    assert_int_equal(house_create(&second, &params), -EWOULDBLOCK);
    assert_null(second);
    say_ok(z, "{\"command\":\"status\"}"); /* the first one goes on */
}

static void what_was_answered_is_on_disk_and_survives_a_kill(void **state)
{
    struct zone *z = *state;
    char line[256];
    assert_true(start_brain(z, 0));
    for (size_t i = 1; i <= 5; i++) {
        snprintf(line, sizeof(line), "{\"command\":\"add\",\"files\":[\"%s\"]}", z->file[i % 3]);
        say_ok(z, line);
        journal_holds(z, i);
    }
    end_brain(z, SIGKILL);
    assert_true(start_brain(z, 0));
    assert_int_equal(queue_length(z), 5);
}

static void a_restart_with_the_same_arguments_adds_nothing(void **state)
{
    struct zone *z = *state;
    assert_true(start_brain(z, 2));
    say_ok(z, "{\"command\":\"remove\",\"entry\":\"main:1\"}");
    end_brain(z, SIGKILL);
    assert_true(start_brain(z, 2));
    assert_int_equal(queue_length(z), 1);
    end_brain(z, SIGKILL);
    assert_true(start_brain(z, 3)); /* others: what is missing is added */
    assert_int_equal(queue_length(z), 3);
}

static void a_full_disk_is_an_error_for_the_client_and_nothing_else(void **state)
{
    struct zone *z = *state;
    assert_true(start_brain(z, 1));
    say_ok(z, "{\"command\":\"shuffle\"}");
    char away[PATH_MAX];
    snprintf(away, sizeof(away), "%.200s.away", z->state_dir);
    assert_int_equal(rename(z->state_dir, away), 0); /* at once, whatever is being written there */
    struct message *m = say(z, "{\"command\":\"add\",\"ids\":[\"main:0\"]}");
    assert_string_equal(message_str(m, "code", ""), "failed");
    assert_non_null(strstr(message_str(m, "error", ""), "could not be saved"));
    message_destroy(m);
    assert_int_equal(queue_length(z), 2);
    assert_int_equal(dir_make(z->state_dir), 0);
    say_ok(z, "{\"command\":\"add\",\"ids\":[\"main:0\"]}");
    journal_holds(z, 3);
}

/* How often the journal was written since the last call. */
static unsigned writes_seen(int watch)
{
    char events[4096] __attribute__((aligned(8)));
    unsigned n = 0;
    for (ssize_t len; (len = read(watch, events, sizeof(events))) > 0;)
        for (char *at = events; at < events + len;) {
            const struct inotify_event *e = (const struct inotify_event *)at;
            n += e->len && strncmp(e->name, JOURNAL_FILE, strlen(JOURNAL_FILE)) == 0;
            at += sizeof(*e) + e->len;
        }
    return n;
}

static double uptime_s(struct zone *z)
{
    struct message *m = say(z, "{\"command\":\"status\"}");
    double s = message_f64(m, "uptime_s", 0);
    message_destroy(m);
    return s;
}

/* However slow the machine is: three writes that nobody waits for lie two seconds apart at least. */
static void a_dial_that_is_turned_does_not_wear_out_the_disk(void **state)
{
    struct zone *z = *state;
    char line[64];
    assert_true(start_brain(z, 1));
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(inotify_add_watch(watch, z->state_dir, IN_CLOSE_WRITE) >= 0);
    double begin_s = uptime_s(z);
    unsigned writes = 0;
    for (int i = 0; writes < 3; i++) {
        snprintf(line, sizeof(line), "{\"command\":\"volume\",\"value\":%d}", i % 100);
        say_ok(z, line);
        writes += writes_seen(watch);
    }
    assert_true(uptime_s(z) - begin_s > 1.9);
    say_ok(z, "{\"command\":\"add\",\"ids\":[\"main:0\"]}"); /* what is answered is on disk */
    assert_true(writes_seen(watch) > 0);
    say_ok(z, "{\"command\":\"volume\",\"value\":11}");
    end_brain(z, SIGTERM);
    assert_int_equal(writes_seen(watch), 1);
    close(watch);
    struct journal_state s;
    struct journal_position p;
    journal_load(z->state_dir, NULL, &s, &p);
    assert_int_equal(s.volume, 11);
    journal_state_finish(&s);
}

static void after_sigterm_the_plan_stays(void **state)
{
    struct zone *z = *state;
    assert_true(start_brain(z, 2));
    make_it_play(z);
    struct plan before = plan_of(z);
    assert_int_equal(end_brain(z, SIGTERM), 0);
    assert_int_equal(plan_of(z).now.load, before.now.load);
    assert_int_equal(atomic_load(&z->control->process[PROCESS_BRAIN].pid), 0);
    assert_false(folder_has(z->folder, "control.sock"));
    assert_true(start_brain(z, 2));
    wait_for_state(z, "playing");
    assert_int_equal(plan_of(z).now.load, before.now.load);
    assert_int_equal(queue_length(z), 2);
}

static void quit_empties_the_plan_and_answers_first(void **state)
{
    struct zone *z = *state;
    assert_true(start_brain(z, 2));
    make_it_play(z);
    say_ok(z, "{\"command\":\"quit\"}");
    assert_int_equal(end_brain(z, 0), 0);
    assert_int_equal(plan_of(z).now.load, 0);
    assert_int_equal(order_of(z, 0).load, 0);
    journal_holds(z, 2);
}

static void a_key_at_a_stage_reaches_the_jukebox(void **state)
{
    struct zone *z = *state;
    assert_true(start_brain(z, 2));
    make_it_play(z);
    input_ring_put(&z->control->input[2], &(struct input_event){ .action = INPUT_SKIP });
    doorbell_ring(&z->control->brain_bell);
    uint64_t next = order_of(z, 1).load;
    while (plan_of(z).now.load != next)
        say_ok(z, "{\"command\":\"status\"}");
}

static void what_was_played_is_in_the_history(void **state)
{
    struct zone *z = *state;
    assert_true(start_brain(z, 2));
    make_it_play(z);
    say_ok(z, "{\"command\":\"skip\"}");
    struct message *status = say(z, "{\"command\":\"status\"}");
    assert_int_equal(message_i64(message_object(status, "played"), "songs", 0), 1);
    assert_int_equal(message_i64(message_object(status, "played"), "requests", -1), 0);
    message_destroy(status);
    end_brain(z, SIGTERM);
    assert_true(start_brain(z, 2));
    struct message *m = say(z, "{\"command\":\"history\"}");
    const struct message *t = message_object_at(m, "tracks", 0);
    assert_string_equal(message_str(t, "title", ""), "a");
    assert_string_equal(message_str(t, "how", ""), "skipped");
    message_destroy(m);
}

static void a_screenshot_is_answered_when_the_stage_has_taken_it(void **state)
{
    struct zone *z = *state;
    output_row_store(&z->control->output[1],
                     &(struct output_row){ .name = "TV", .width = 64, .height = 36 });
    assert_true(start_brain(z, 0));
    dial(z);
    uint32_t rings = doorbell_rings(&z->control->stage_bell);
    assert_true(send(z->client, "{\"command\":\"screenshot\"}\n", 25, 0) == 25);
    struct shot_request r = { 0 };
    while (r.serial == 0) {
        doorbell_wait(&z->control->stage_bell, rings, now_mono_ns() + SECONDS(1));
        rings = doorbell_rings(&z->control->stage_bell);
        shot_request_load(&z->control->shot_request, &r);
    }
    assert_int_equal(r.output, 1);
    struct shot_done d = { .serial = r.serial, .width = 64, .height = 32, .stride = 256 };
    shot_done_store(&z->control->shot_done, &d);
    doorbell_ring(&z->control->brain_bell);
    struct message *m = hear(z);
    assert_true(message_bool(m, "ok", false));
    assert_int_equal(message_i64(m, "width", 0), 64);
    assert_string_equal(message_str(m, "output", ""), "TV");
    message_destroy(m);
}

/* An entry of 1000 bytes in a cache of the zone; its path is the caller's. */
static char *fill_cache(struct zone *z, const char *key)
{
    struct cache *c;
    struct cache_found found;
    char *dir = xasprintf("%s/cache", z->folder), *folder, byte[1000] = "x";
    assert_int_equal(cache_open(&c, &(struct cache_params){ .dir = dir }), 0);
    assert_int_equal(cache_begin(c, key, sizeof(byte), NULL, &folder), 0);
    folder_write(folder, "a.mp4", byte, sizeof(byte));
    assert_int_equal(cache_publish(c, key, "a.mp4", &(struct cache_meta){ .bytes = 0 }, NULL, 0),
                     0);
    assert_int_equal(cache_find(c, key, &found), 0);
    char *path = xstrdup(found.path);
    cache_found_finish(&found);
    cache_close(c, 0);
    free(z->config.cache.dir);
    z->config.cache.dir = dir;
    free(folder);
    return path;
}

static void what_is_in_the_queue_stays_in_the_cache(void **state)
{
    struct zone *z = *state;
    char *queued = fill_cache(z, "queued"), *other = fill_cache(z, "other"), line[512];
    assert_true(start_brain(z, 0));
    snprintf(line, sizeof(line), "{\"command\":\"add\",\"files\":[\"%s\"]}", queued);
    say_ok(z, line);
    struct message *m = say(z, "{\"command\":\"cache\",\"do\":\"list\"}");
    assert_int_equal(message_count(m, "entries"), 2);
    assert_int_equal(message_i64(m, "media", 0), 2000);
    message_destroy(m);
    m = say(z, "{\"command\":\"cache\",\"do\":\"prune\",\"bytes\":0}");
    assert_int_equal(message_i64(m, "removed", 0), 1);
    assert_false(message_bool(m, "is_enough", true));
    message_destroy(m);
    assert_int_equal(access(queued, F_OK), 0);
    assert_int_equal(access(other, F_OK), -1);
    say_ok(z, "{\"command\":\"cache\",\"do\":\"pin\",\"id\":\"queued\"}");
    m = say(z, "{\"command\":\"cache\",\"do\":\"burn\"}");
    assert_string_equal(message_str(m, "code", ""), "usage");
    message_destroy(m);
    assert_int_equal(end_brain(z, SIGTERM), 0); /* and its folder is free again */
    free(fill_cache(z, "new"));
    free(queued);
    free(other);
}

static void a_cache_that_cannot_be_used_is_told_and_tried_again(void **state)
{
    struct zone *z = *state;
    struct cache *c;
    free(fill_cache(z, "key"));
    char *away = xasprintf("%s/away", z->folder); /* one that is there is opened at the start */
    assert_int_equal(rename(z->config.cache.dir, away), 0);
    assert_true(start_brain(z, 0));
    assert_int_equal(rename(away, z->config.cache.dir), 0);
    free(away);
    assert_int_equal(cache_open(&c, &(struct cache_params){ .dir = z->config.cache.dir }), 0);
    struct message *m = say(z, "{\"command\":\"cache\",\"do\":\"list\"}");
    assert_string_equal(message_str(m, "code", ""), "failed");
    assert_non_null(strstr(message_str(m, "error", ""), "another program works on it"));
    message_destroy(m);
    cache_close(c, 0);
    say_ok(z, "{\"command\":\"cache\",\"do\":\"list\"}");
}

static void with_exit_at_end_bad_files_are_a_failure(void **state)
{
    struct zone *z = *state;
    z->config.queue.exit_at_end = true;
    z->files[0] = (char *)"/nowhere/x.mp4";
    assert_false(start_brain(z, 1));
    end_brain(z, 0);
    z->files[0] = z->file[0];
    assert_true(start_brain(z, 1));
    process_enter(z->control, PROCESS_DECK_A, now_mono_ns());
    process_enter(z->control, PROCESS_DECK_B, now_mono_ns());
    answer_order(z, 0, DECK_FAILED);
    int status = end_brain(z, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
}

static void board_and_disks_are_told_and_are_figures_in_a_file(void **state)
{
    struct zone *z = *state;
    char file[128], *text;
    struct config_error error;
    snprintf(z->root, sizeof(z->root), "%s/root", z->folder);
    snprintf(file, sizeof(file), "%s/djamms.prom", z->folder);
    assert_int_equal(config_set(&z->config, "metrics.file", file, &error), 0);
    put_kernel_file(z, "/proc/device-tree", "model", "Raspberry Pi 4 Model B");
    put_kernel_file(z, "/sys/class/thermal/thermal_zone0", "type", "cpu-thermal\n");
    put_kernel_file(z, "/sys/class/thermal/thermal_zone0", "temp", "61341\n");
    put_kernel_file(z, "/sys/devices/platform/soc/soc:firmware", "get_throttled", "1\n");
    assert_true(start_brain(z, 0));
    struct message *m = say(z, "{\"command\":\"watch\"}");
    while (!message_object(m, "health") || access(file, F_OK) < 0) { /* a line comes each second */
        message_destroy(m);
        m = hear(z);
        assert_non_null(m);
    }
    const struct message *health = message_object(m, "health");
    assert_string_equal(message_str(health, "board", ""), "Raspberry Pi 4 Model B");
    assert_true(message_f64(health, "temperature_c", 0) == 61.3);
    assert_true(message_bool(health, "undervoltage", false));
    assert_int_equal(message_i64(health, "undervoltages", -1), 1);
    assert_false(message_bool(health, "throttled", true));
    assert_int_equal(message_i64(health, "throttlings", -1), 0);
    assert_true(message_i64(health, "state_free", 0) > 0);
    assert_true(message_i64(health, "state_size", 0) >= message_i64(health, "state_free", 0));
    assert_int_equal(message_i64(message_object(m, "played"), "songs", -1), 0);
    message_destroy(m);
    assert_int_equal(file_read(file, 1 << 20, &text, NULL), 0);
    assert_non_null(strstr(text, "\ndjamms_board_temperature_celsius 61.3\n"));
    assert_non_null(strstr(text, "\ndjamms_board_undervoltage 1\n"));
    free(text);
    assert_int_equal(end_brain(z, SIGTERM), 0);
    assert_int_equal(access(file, F_OK), -1); /* what nobody keeps is no figure */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_orders_are_out_when_it_is_up),
        TEST(a_second_player_of_the_zone_refuses_to_start),
        TEST(what_was_answered_is_on_disk_and_survives_a_kill),
        TEST(a_restart_with_the_same_arguments_adds_nothing),
        TEST(a_full_disk_is_an_error_for_the_client_and_nothing_else),
        TEST(a_dial_that_is_turned_does_not_wear_out_the_disk),
        TEST(after_sigterm_the_plan_stays),
        TEST(quit_empties_the_plan_and_answers_first),
        TEST(a_key_at_a_stage_reaches_the_jukebox),
        TEST(what_was_played_is_in_the_history),
        TEST(board_and_disks_are_told_and_are_figures_in_a_file),
        TEST(a_screenshot_is_answered_when_the_stage_has_taken_it),
        TEST(what_is_in_the_queue_stays_in_the_cache),
        TEST(a_cache_that_cannot_be_used_is_told_and_tried_again),
        TEST(with_exit_at_end_bad_files_are_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
