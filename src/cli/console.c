#include "cli/console.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/kd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* Home, all blank: what was on it would be seen between two lives of the stage. */
static const char blank[] = "\033[H\033[2J";

static bool can_read_a_keyboard(void)
{
    glob_t found;
    bool can = false;
    if (glob("/dev/input/event*", GLOB_NOSORT, NULL, &found) != 0)
        return false;
    for (size_t i = 0; i < found.gl_pathc && !can; i++)
        can = access(found.gl_pathv[i], R_OK) == 0;
    globfree(&found);
    return can;
}

struct modes {
    int display, keyboard;
};

static int set_modes(int tty, struct modes m)
{
    int ret = ioctl(tty, KDSKBMODE, m.keyboard);
    return ioctl(tty, KDSETMODE, m.display) < 0 || ret < 0 ? -errno : 0;
}

/* Another descriptor of the console: the death of the leader of its session makes those there are useless. */
static int open_again(unsigned device)
{
    char path[32];
    snprintf(path, sizeof(path), "/dev/tty%u", minor(device));
    return open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
}

/* Lives until everybody else has closed the pipe. */
_Noreturn static void keep(int tty, struct modes old, int pipe_fd)
{
    char byte;
    unsigned device = 0;
    ioctl(tty, TIOCGDEV, &device);
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_IGN);
    while (read(pipe_fd, &byte, 1) < 0 && errno == EINTR)
        ;
    if (set_modes(tty, old) < 0 && device)
        set_modes(open_again(device), old);
    _exit(0);
}

static int start_keeper(struct console *c, int tty, struct modes old)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        keep(tty, old, ends[0]);
    }
    int ret = pid < 0 ? -errno : 0;
    close(ends[0]);
    if (ret < 0)
        close(ends[1]);
    else
        *c = (struct console){ .keeper = pid, .keeper_fd = ends[1] };
    return ret;
}

static int mute(struct console *c, int tty)
{
    struct modes old;
    if (ioctl(tty, KDGETMODE, &old.display) < 0 || ioctl(tty, KDGKBMODE, &old.keyboard) < 0)
        return -ENOTTY;
    if (!can_read_a_keyboard())
        return -EACCES;
    int ret = start_keeper(c, tty, old);
    if (ret < 0)
        return ret;
    ssize_t ignored = write(tty, blank, sizeof(blank) - 1);
    (void)ignored;
    ret = set_modes(tty, (struct modes){ .display = KD_GRAPHICS, .keyboard = K_OFF });
    if (ret < 0)
        console_release(c);
    return ret;
}

int console_mute(struct console *c)
{
    *c = (struct console){ 0 };
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0)
        return -ENOTTY;
    int ret = mute(c, tty);
    close(tty);
    return ret;
}

void console_release(struct console *c)
{
    if (!c->keeper)
        return;
    close(c->keeper_fd);
    while (waitpid(c->keeper, NULL, 0) < 0 && errno == EINTR)
        ;
    *c = (struct console){ 0 };
}
