#include "painter.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NS     1000000000LL
#define WIDTH  960
#define HEIGHT 540

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS + t.tv_nsec;
}

static void sleep_until(int64_t t)
{
    struct timespec ts = { t / NS, t % NS };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR) {
    }
}

static void paint(const struct region *r, const struct painted *what)
{
    uint8_t bits[CODE_CELLS], line[WIDTH * 4] = { 0 };
    code_bits((unsigned)what->clip, (unsigned)what->frame, bits);
    for (int x = 0; x < WIDTH && what->frame >= 0; x++) {
        int c = (int)(((double)x / WIDTH - CODE_X0) / (CODE_X1 - CODE_X0) * CODE_CELLS);
        int lit = x >= CODE_X0 * WIDTH && c < CODE_CELLS && bits[c];
        memset(line + (size_t)x * 4, lit ? 235 : 16, 4);
    }
    for (int y = 0; y < HEIGHT / 8; y++)
        memcpy((uint8_t *)(uintptr_t)r->px + (size_t)y * (size_t)r->stride, line, sizeof(line));
}

static int by_time(const void *a, const void *b)
{
    const struct painted *x = a, *y = b;
    return x->mono_ns < y->mono_ns ? -1 : x->mono_ns > y->mono_ns;
}

/* The whole show with its faults; returns the number of pictures. */
static int plan(struct painted *job, int64_t t0)
{
    int n = 0;
    uint32_t random = 12345;
    for (int f = 0; f < 900; f++) {
        int clip = f < 600 ? 1 : 2, frame = f < 600 ? f : f - 600;
        int64_t t = t0 + (clip == 1 ? f * NS / 60 : 10 * NS + NS / 4 + frame * NS / 30);
        if (clip == 1 && (f == 100 || f == 200 || f == 201 || f == 300 || f == 400))
            continue;
        if (clip == 1 && (f == 500 || f == 501))
            frame = 1001 - f;
        random = random * 1664525u + 1013904223u;
        t += (random >> 16) % 1000 * 1000; /* up to 1 ms, so as not to run in step with the polls */
        for (int k = 0; k < 2; k++)
            job[n++] = (struct painted){ t + k * 7000000, k, clip, frame };
        for (int k = 0; k < 2 && f == 599; k++)
            job[n++] = (struct painted){ t + 66000000 + k * 7000000, k, 0, -1 };
    }
    qsort(job, (size_t)n, sizeof(*job), by_time);
    return n;
}

static void run(struct painter *p, struct painted *job)
{
    int count = plan(job, now_ns() + 3 * NS / 10);
    for (int i = 0; i < count; i++) {
        sleep_until(job[i].mono_ns);
        paint(&p->region[job[i].region], &job[i]);
        p->log->at[i] = job[i];
        p->log->at[i].mono_ns = now_ns();
        p->log->count = i + 1;
    }
    sleep_until(now_ns() + NS / 5);
}

static void *share(size_t size)
{
    void *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return m == MAP_FAILED ? NULL : m;
}

int painter_start(struct painter *p, const struct shape *shape)
{
    p->log = share(sizeof(*p->log));
    if (!p->log)
        return -ENOMEM;
    for (int i = 0; i < 2; i++) {
        struct region *r = &p->region[i];
        r->px = share((size_t)WIDTH * HEIGHT * 4);
        if (!r->px)
            return -ENOMEM;
        r->w = WIDTH;
        r->h = HEIGHT;
        r->stride = WIDTH * 4;
        snprintf(r->name, sizeof(r->name), "%c", 'A' + i);
        region_layout(r, shape);
    }
    struct painted *job = calloc(PAINTED_MAX, sizeof(*job));
    if (!job)
        return -ENOMEM;
    p->pid = fork();
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run(p, job);
        _exit(0);
    }
    free(job);
    return p->pid < 0 ? -errno : 0;
}
