/* djamms-probe: looks into media files for the player, so that a bad file can only end this. */
#include <getopt.h>
#include <linux/ioprio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "media/av_log.h"
#include "media/inspect.h"
#include "probe/probe.h"

#define EXIT_USAGE  2
#define BLOCK_BYTES ((size_t)256 * 1024 * 1024)

static const char help[] =
    "Usage: djamms-probe\n"
    "\n"
    "Answers questions about media files, one JSON object a line on standard input:\n"
    "    {\"command\":\"tags\",\"path\":\"/FILE\"}\n"
    "    {\"command\":\"check\",\"path\":\"/FILE\",\"duration_s\":SECONDS}\n"
    "    {\"command\":\"hello\"}\n"
    "Normally djamms-player starts it.\n";

/* Playing comes first: this one takes what is left of processor and disk. */
static void step_back(void)
{
    (void)setpriority(PRIO_PROCESS, 0, 19);
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

static void give_up(void *ctx)
{
    _exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    pid_t parent = getppid();
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        fputs(help, c == 'h' ? stdout : stderr);
        return c == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
    }
    struct log log = log_open("probe");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before that */
        return EXIT_FAILURE;
    step_back();
    av_log_route(&log);
    inspect_limit_memory(BLOCK_BYTES);
    int ret = probe_run(&(struct probe_params){ .in_fd = STDIN_FILENO,
                                                .out_fd = STDOUT_FILENO,
                                                .tags_max_ns = SECONDS(10),
                                                .check_max_ns = SECONDS(300),
                                                .grace_ns = SECONDS(2),
                                                .give_up = give_up });
    return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
