/* framewatch - watches mapped frame buffers and logs what they show.
 *
 *   framewatch [options] NAME=FILE[@X,Y,W,H] ...
 *     --hz N        polls per second (1500)
 *     --row F       centre of the code strip, fraction of the picture's height (0.06)
 *     --aspect A    shape of the picture inside the region (1.7778; 0: it fills the region)
 *     --root RRGGBB colour of the bare root window
 *     --out FILE    log (default: stdout), one line per change, flushed at once
 *     --secs S      stop after S seconds (default: at SIGTERM or SIGINT)
 *     --threads N   pollers, each on its own core (2, or 1 on a single core)
 *     --rt          ask for SCHED_FIFO, so that a busy machine disturbs less
 *     --selftest    watch the painter (painter.h) instead of files
 *
 * Log lines; times are CLOCK_MONOTONIC in ns:
 *   E region t t_prev state clip frame   first seen at t; the poll at t_prev still saw the old state
 *   G t_prev t                           no poll between these two: a blind spot of more than 4 ms
 *   P region t clip frame                (selftest) the painter had finished this at t
 *   S polls=.. ...                       how late the sampler was itself; the last line */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "painter.h"
#include "strip.h"

#define NS          1000000000LL
#define BLIND_NS    4000000
#define REGIONS_MAX 8
#define THREADS_MAX 4
#define SPACES      65536u

struct watch {
    /* Set before the threads start. */
    struct region region[REGIONS_MAX];
    int region_count;
    struct shape shape;
    FILE *out;
    int64_t begin_ns, period_ns; /* period of one thread */

    atomic_bool is_over;

    pthread_mutex_t lock;
    /* Protected by lock. */
    struct reading last[REGIONS_MAX];
    int64_t prev_ns, worst_ns, busy_ns;
    int64_t *space; /* times between polls, the newest SPACES of them */
    size_t polls, blind;
};

struct eye {
    struct watch *watch;
    pthread_t thread;
    int cpu; /* -1: any */
    int64_t phase_ns;
};

struct options {
    double hz, seconds;
    int threads;
    bool is_realtime, is_selftest;
    const char *out;
    const char *spec[REGIONS_MAX];
    int specs;
    struct shape shape;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS + t.tv_nsec;
}

/* The lock is held. */
static void look(struct watch *w)
{
    int64_t t = now_ns(), space = t - w->prev_ns;
    bool wrote = false;
    w->space[w->polls % SPACES] = space;
    w->worst_ns = space > w->worst_ns ? space : w->worst_ns;
    if (space > BLIND_NS) {
        fprintf(w->out, "G %" PRId64 " %" PRId64 "\n", w->prev_ns, t);
        w->blind++;
    }
    for (int i = 0; i < w->region_count; i++) {
        struct reading now = region_read(&w->region[i], w->shape.root), *last = &w->last[i];
        if (now.state == last->state && now.clip == last->clip && now.frame == last->frame)
            continue;
        fprintf(w->out, "E %s %" PRId64 " %" PRId64 " %c %u %u\n", w->region[i].name, t, w->prev_ns,
                (char)now.state, now.clip, now.frame);
        *last = now;
        wrote = true;
    }
    if (wrote)
        fflush(w->out);
    w->busy_ns += now_ns() - t;
    w->prev_ns = t;
    w->polls++;
}

/* Several threads look in turn, each on its own core: a core that stands still (busy kernel, taken
 * by the host) then does not blind the sampler. */
static void *run_eye(void *arg)
{
    struct eye *e = arg;
    struct watch *w = e->watch;
    if (e->cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(e->cpu, &set);
        pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
    }
    int64_t due = w->begin_ns + e->phase_ns;
    while (!atomic_load(&w->is_over)) {
        struct timespec ts = { due / NS, due % NS };
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
        pthread_mutex_lock(&w->lock);
        look(w);
        int64_t t = w->prev_ns;
        pthread_mutex_unlock(&w->lock);
        do
            due += w->period_ns;
        while (due < t); /* does not try to catch up */
    }
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void summarize(struct watch *w, int threads, bool is_realtime)
{
    double seconds = (double)(now_ns() - w->begin_ns) / 1e9;
    size_t n = w->polls < SPACES ? w->polls : SPACES;
    if (n == 0)
        return;
    qsort(w->space, n, sizeof(*w->space), ascending);
    fprintf(w->out,
            "S polls=%zu secs=%.3f hz=%.1f space_p50_us=%" PRId64 " space_p99_us=%" PRId64
            " space_max_us=%" PRId64 " gaps=%zu busy_us_per_poll=%.1f threads=%d rt=%d\n",
            w->polls, seconds, (double)w->polls / seconds, w->space[n / 2] / 1000,
            w->space[n * 99 / 100] / 1000, w->worst_ns / 1000, w->blind,
            (double)w->busy_ns / 1e3 / (double)w->polls, threads, is_realtime);
}

static int usage(void)
{
    fprintf(stderr,
            "usage: framewatch [--hz N] [--row F] [--aspect A] [--root RRGGBB] [--out FILE]\n"
            "  [--secs S] [--threads N] [--rt] --selftest | NAME=FILE[@X,Y,W,H]...\n");
    return 2;
}

/* Takes one option; returns the words used, 0: unknown. */
static int parse_option(struct options *o, const char *name, const char *value)
{
    if (strcmp(name, "--rt") == 0)
        o->is_realtime = true;
    else if (strcmp(name, "--selftest") == 0)
        o->is_selftest = true;
    else if (!value)
        return 0;
    else if (strcmp(name, "--hz") == 0)
        o->hz = atof(value);
    else if (strcmp(name, "--row") == 0)
        o->shape.row = atof(value);
    else if (strcmp(name, "--aspect") == 0)
        o->shape.aspect = atof(value);
    else if (strcmp(name, "--root") == 0)
        o->shape.root = (uint32_t)strtoul(value, NULL, 16);
    else if (strcmp(name, "--out") == 0)
        o->out = value;
    else if (strcmp(name, "--secs") == 0)
        o->seconds = atof(value);
    else if (strcmp(name, "--threads") == 0)
        o->threads = atoi(value);
    else
        return 0;
    return strcmp(name, "--rt") == 0 || strcmp(name, "--selftest") == 0 ? 1 : 2;
}

static bool parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){ .hz = 1500,
                           .threads = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1,
                           .shape = { CODE_DEFAULT_ROW, 16.0 / 9.0, 0xffffffff } };
    for (int i = 1, used; i < argc; i += used) {
        used = 1;
        if (argv[i][0] != '-' && o->specs < REGIONS_MAX)
            o->spec[o->specs++] = argv[i];
        else if ((used = parse_option(o, argv[i], argv[i + 1])) == 0)
            return false;
    }
    return o->hz >= 50 && o->hz <= 20000 && o->threads >= 1 && o->threads <= THREADS_MAX &&
           (o->is_selftest || o->specs > 0);
}

static int open_regions(struct watch *w, const struct options *o, struct painter *painter)
{
    int ret = 0;
    if (o->is_selftest) {
        ret = painter_start(painter, &o->shape);
        memcpy(w->region, painter->region, sizeof(painter->region));
        w->region_count = 2;
        return ret;
    }
    for (int i = 0; i < o->specs && ret == 0; i++) {
        ret = region_map(&w->region[i], o->spec[i], &o->shape);
        if (ret < 0)
            fprintf(stderr, "framewatch: %s: %s\n", o->spec[i], strerror(-ret));
    }
    w->region_count = o->specs;
    return ret;
}

/* Until a signal, the time, or the painter's end. */
static void wait_for_end(const sigset_t *signals, const struct options *o, pid_t painter)
{
    int64_t until = o->seconds > 0 ? now_ns() + (int64_t)(o->seconds * 1e9) : INT64_MAX;
    for (;;) {
        int64_t left = until - now_ns();
        if (left <= 0)
            return;
        left = left < NS ? left : NS;
        int sig = sigtimedwait(signals, NULL, &(struct timespec){ left / NS, left % NS });
        if (sig == SIGTERM || sig == SIGINT)
            return;
        if (sig == SIGCHLD && painter && waitpid(painter, NULL, WNOHANG) == painter)
            return;
    }
}

static int run(struct watch *w, const struct options *o, const sigset_t *signals, pid_t painter)
{
    struct eye eye[THREADS_MAX];
    int started = 0;
    w->begin_ns = w->prev_ns = now_ns();
    w->period_ns = (int64_t)(1e9 / o->hz) * o->threads;
    for (; started < o->threads; started++) {
        eye[started] = (struct eye){ .watch = w,
                                     .cpu = o->threads > 1 ? started : -1,
                                     .phase_ns = w->period_ns * started / o->threads };
        if (pthread_create(&eye[started].thread, NULL, run_eye, &eye[started]) != 0)
            break;
    }
    if (started > 0)
        wait_for_end(signals, o, painter);
    atomic_store(&w->is_over, true);
    for (int i = 0; i < started; i++)
        pthread_join(eye[i].thread, NULL);
    return started > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct options o;
    struct painter painter = { 0 };
    struct watch w = { .lock = PTHREAD_MUTEX_INITIALIZER };
    sigset_t signals;
    if (!parse(&o, argc, argv))
        return usage();
    w.shape = o.shape;
    w.out = o.out ? fopen(o.out, "w") : stdout;
    w.space = calloc(SPACES, sizeof(*w.space));
    if (!w.out || !w.space) {
        perror("framewatch");
        return 1;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    bool is_realtime =
        o.is_realtime &&
        sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 10 }) == 0;
    if (open_regions(&w, &o, &painter) < 0)
        return 1;
    prctl(PR_SET_TIMERSLACK, 1000UL);
    mlockall(MCL_CURRENT | MCL_FUTURE); /* no page faults of our own, where that is allowed */
    int ret = run(&w, &o, &signals, painter.pid);
    for (int i = 0; painter.log && i < painter.log->count; i++)
        fprintf(w.out, "P %c %" PRId64 " %d %d\n", 'A' + painter.log->at[i].region,
                painter.log->at[i].mono_ns, painter.log->at[i].clip, painter.log->at[i].frame);
    summarize(&w, o.threads, is_realtime);
    fclose(w.out);
    free(w.space);
    return ret;
}
