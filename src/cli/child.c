#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* After fork(): only what is safe there. */
static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int sig = 1; sig < NSIG; sig++) {
        struct sigaction standard = { .sa_handler = SIG_DFL };
        sigaction(sig, &standard, NULL);
    }
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become(const char *program, char *const argv[], int output, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(127);
    setpgid(0, 0);
    reset_signals();
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        _exit(127);
    execv(program, argv);
    say("cannot be started: ");
    say(errno == ENOENT ? "it is missing" : errno == EACCES ? "no permission" : "exec failed");
    say("\n");
    _exit(127);
}

/* Who started us may have left SIGCHLD ignored: then the kernel keeps no child to wait for. */
static void keep_ended_children(void)
{
    struct sigaction now;
    if (sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_DFL);
}

pid_t child_spawn(const char *program, char *const argv[], int *output_fd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    keep_ended_children();
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become(program, argv, ends[1], parent);
    int error = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return -error;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *output_fd = ends[0];
    return pid;
}
