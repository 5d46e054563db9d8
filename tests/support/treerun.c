/* treerun - starts a command and accounts for its whole process tree.
 *
 *   treerun --stat FILE --series FILE -- COMMAND ...
 *
 * CPU: a fresh control group (version 2 "cpu.stat", else version 1 cpuacct) that holds the command and
 * all it starts; without a writable one: wait4 of the tree (treerun is a child subreaper, so orphans
 * are counted when they end). Memory: sum over the tree of RSS (every 200 ms) and PSS (every second, as
 * the reading costs the target time).
 * SERIES: lines "t_ns cpu_us rss_kb pss_kb processes". STAT: one JSON object; t_exec_ns is CLOCK_MONOTONIC
 * just before execvp. SIGTERM and SIGINT are passed to the command's process group; what is left of the
 * tree 2 s after the command ended is killed, pid by pid. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS       1000000000LL
#define MEMORY   (NS / 5)
#define PSS      NS
#define PIDS_MAX 256

struct group {
    char path[512];
    int version; /* 2, 1, or 0: none */
};

struct usage_us {
    long long total, user, system;
};

struct tree {
    struct group group;
    pid_t child;
    int64_t *exec_ns; /* shared with the child */
    int64_t end_ns, next_pss_ns;
    long peak_rss_kb, peak_pss_kb;
    int peak_processes, status, signals_passed;
    bool has_ended;
    FILE *series;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS + t.tv_nsec;
}

static bool group_try(struct group *g, const char *base, int version)
{
    char path[600];
    if (!*base)
        return false;
    snprintf(g->path, sizeof(g->path), "%s/treerun-%ld", base, (long)getpid());
    if (mkdir(g->path, 0755) < 0)
        return false;
    snprintf(path, sizeof(path), "%s/%s", g->path, version == 2 ? "cpu.stat" : "cpuacct.usage");
    if (access(path, R_OK) == 0) {
        g->version = version;
        return true;
    }
    rmdir(g->path);
    return false;
}

static void group_create(struct group *g)
{
    char dev[256], dir[256], type[64], opts[512], v1[256] = "", v2[256] = "";
    FILE *f = fopen("/proc/mounts", "r");
    while (f && fscanf(f, "%255s %255s %63s %511s %*d %*d", dev, dir, type, opts) == 4) {
        if (strcmp(type, "cgroup2") == 0)
            snprintf(v2, sizeof(v2), "%s", dir);
        else if (strcmp(type, "cgroup") == 0 && strstr(opts, "cpuacct"))
            snprintf(v1, sizeof(v1), "%s", dir);
    }
    if (f)
        fclose(f);
    if (!group_try(g, v2, 2))
        group_try(g, v1, 1);
}

static struct usage_us group_usage(const struct group *g)
{
    struct usage_us u = { 0 };
    char path[600], key[64];
    long long v;
    snprintf(path, sizeof(path), "%s/%s", g->path, g->version == 2 ? "cpu.stat" : "cpuacct.usage");
    FILE *f = g->version ? fopen(path, "r") : NULL;
    if (!f)
        return u;
    if (g->version == 1) {
        if (fscanf(f, "%lld", &v) == 1)
            u.total = v / 1000;
    } else {
        while (fscanf(f, "%63s %lld", key, &v) == 2) {
            if (strcmp(key, "usage_usec") == 0)
                u.total = v;
            else if (strcmp(key, "user_usec") == 0)
                u.user = v;
            else if (strcmp(key, "system_usec") == 0)
                u.system = v;
        }
    }
    fclose(f);
    return u;
}

static void group_enter(const struct group *g)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/cgroup.procs", g->path);
    FILE *f = g->version ? fopen(path, "w") : NULL;
    if (!f)
        return;
    fputs("0\n", f);
    fclose(f);
}

/* The processes of the tree; without a group only the command itself. */
static int tree_pids(const struct tree *t, pid_t *out)
{
    char path[600];
    long p;
    int n = 0;
    if (!t->group.version) {
        out[0] = t->child;
        return 1;
    }
    snprintf(path, sizeof(path), "%s/cgroup.procs", t->group.path);
    FILE *f = fopen(path, "r");
    while (f && n < PIDS_MAX && fscanf(f, "%ld", &p) == 1)
        out[n++] = (pid_t)p;
    if (f)
        fclose(f);
    return n;
}

static long rss_kb(pid_t p)
{
    char path[64];
    long size, resident = 0;
    snprintf(path, sizeof(path), "/proc/%ld/statm", (long)p);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static long pss_kb(pid_t p)
{
    char path[64], line[256];
    long v = 0;
    snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)p);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "Pss: %ld", &v) == 1)
            break;
    if (f)
        fclose(f);
    return v;
}

static void tree_sample(struct tree *t, const pid_t *pid, int count)
{
    int64_t now = now_ns();
    long rss = 0, pss = 0;
    for (int i = 0; i < count; i++)
        rss += rss_kb(pid[i]);
    if (now >= t->next_pss_ns) {
        for (int i = 0; i < count; i++)
            pss += pss_kb(pid[i]);
        t->next_pss_ns = now + PSS;
    }
    t->peak_rss_kb = rss > t->peak_rss_kb ? rss : t->peak_rss_kb;
    t->peak_pss_kb = pss > t->peak_pss_kb ? pss : t->peak_pss_kb;
    t->peak_processes = count > t->peak_processes ? count : t->peak_processes;
    if (t->series) {
        fprintf(t->series, "%" PRId64 " %lld %ld %ld %d\n", now, group_usage(&t->group).total, rss,
                pss, count);
        fflush(t->series);
    }
}

static void tree_reap(struct tree *t)
{
    int status;
    pid_t p;
    while ((p = waitpid(-1, &status, WNOHANG)) > 0) {
        if (p != t->child)
            continue;
        t->end_ns = now_ns();
        t->status = status;
        t->has_ended = true;
    }
}

static void tree_follow(struct tree *t, const sigset_t *signals)
{
    for (;;) {
        pid_t pid[PIDS_MAX];
        int count = tree_pids(t, pid);
        if (!t->has_ended) {
            tree_sample(t, pid, count);
        } else if (!t->group.version || count == 0) {
            return;
        } else if (now_ns() - t->end_ns > 2 * NS) {
            for (int i = 0; i < count; i++)
                kill(pid[i], SIGKILL);
            return;
        }
        struct timespec ts = { 0, t->has_ended ? 20000000 : MEMORY };
        int sig = sigtimedwait(signals, NULL, &ts);
        if ((sig == SIGTERM || sig == SIGINT) && !t->has_ended)
            kill(-t->child, t->signals_passed++ ? SIGKILL : SIGTERM); /* it leads its session */
        tree_reap(t);
    }
}

static int tree_start(struct tree *t, char **command, const sigset_t *before)
{
    t->child = fork();
    if (t->child != 0)
        return t->child < 0 ? -errno : 0;
    group_enter(&t->group);
    sigprocmask(SIG_SETMASK, before, NULL);
    setsid();
    *t->exec_ns = now_ns();
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

static void tree_report(struct tree *t, const char *path)
{
    for (int i = 0; i < 100 && waitpid(-1, NULL, WNOHANG) >= 0; i++) /* what was inherited */
        nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
    struct rusage r;
    getrusage(RUSAGE_CHILDREN, &r);
    struct usage_us u = group_usage(&t->group);
    if (t->group.version != 2) {
        u.user = r.ru_utime.tv_sec * 1000000LL + r.ru_utime.tv_usec;
        u.system = r.ru_stime.tv_sec * 1000000LL + r.ru_stime.tv_usec;
    }
    if (!t->group.version)
        u.total = u.user + u.system;
    FILE *f = fopen(path, "w");
    if (!f) {
        perror(path);
        return;
    }
    fprintf(f,
            "{\"t_exec_ns\":%" PRId64 ",\"t_end_ns\":%" PRId64 ",\"exit\":%d,\"signal\":%d,"
            "\"cgroup\":%d,\"cpu_us\":%lld,\"user_us\":%lld,\"sys_us\":%lld,\"peak_rss_kb\":%ld,"
            "\"peak_pss_kb\":%ld,\"max_procs\":%d}\n",
            *t->exec_ns, t->end_ns, WIFEXITED(t->status) ? WEXITSTATUS(t->status) : -1,
            WIFSIGNALED(t->status) ? WTERMSIG(t->status) : 0, t->group.version, u.total, u.user,
            u.system, t->peak_rss_kb, t->peak_pss_kb, t->peak_processes);
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc < 7 || strcmp(argv[1], "--stat") != 0 || strcmp(argv[3], "--series") != 0 ||
        strcmp(argv[5], "--") != 0) {
        fprintf(stderr, "usage: treerun --stat FILE --series FILE -- COMMAND ...\n");
        return 2;
    }
    struct tree t = { .series = fopen(argv[4], "w"), .next_pss_ns = now_ns() + PSS };
    t.exec_ns = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!t.series || t.exec_ns == MAP_FAILED) {
        perror("treerun");
        return 1;
    }
    group_create(&t.group);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, &before);
    if (tree_start(&t, argv + 6, &before) < 0) {
        perror("treerun: fork");
        return 1;
    }
    tree_follow(&t, &signals);
    tree_report(&t, argv[2]);
    fclose(t.series);
    for (int i = 0; t.group.version && i < 50 && rmdir(t.group.path) < 0 && errno == EBUSY; i++)
        nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
    return WIFEXITED(t.status) ? WEXITSTATUS(t.status) : 128 + WTERMSIG(t.status);
}
