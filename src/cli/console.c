#include "cli/console.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/kd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* Home, all blank: what was on it would be seen between two lives of the stage. */
static const char blank[] = "\033[H\033[2J";

/* Another descriptor of it: the death of the leader of its session makes those there are useless. */
static int open_again(unsigned device)
{
    char path[32];
    snprintf(path, sizeof(path), "/dev/tty%u", minor(device));
    return open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
}

static int set_modes(int tty, int display, int keyboard)
{
    int ret = ioctl(tty, KDSKBMODE, keyboard);
    return ioctl(tty, KDSETMODE, display) < 0 || ret < 0 ? -errno : 0;
}

/* Lives until everybody else has closed the pipe. Only what is safe after fork(). */
_Noreturn static void keep(const struct console *c, int pipe_fd)
{
    char byte;
    unsigned device = 0;
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_IGN);
    ioctl(c->tty, TIOCGDEV, &device);
    while (read(pipe_fd, &byte, 1) < 0 && errno == EINTR)
        ;
    if (set_modes(c->tty, c->display_mode, c->keyboard_mode) < 0 && device)
        set_modes(open_again(device), c->display_mode, c->keyboard_mode);
    _exit(0);
}

static int start_keeper(struct console *c)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    int error = errno;
    if (pid == 0) {
        close(ends[1]);
        keep(c, ends[0]);
    }
    close(ends[0]);
    if (pid < 0) {
        close(ends[1]);
        return -error;
    }
    c->keeper = pid;
    c->keeper_fd = ends[1];
    return 0;
}

int console_open(struct console *c)
{
    *c = (struct console){ .tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) };
    int ret = -ENOTTY;
    if (c->tty >= 0 && ioctl(c->tty, KDGETMODE, &c->display_mode) == 0 &&
        ioctl(c->tty, KDGKBMODE, &c->keyboard_mode) == 0)
        ret = start_keeper(c);
    if (ret == 0)
        return 0;
    if (c->tty >= 0)
        close(c->tty);
    *c = (struct console){ 0 };
    return ret;
}

void console_close(struct console *c)
{
    if (!c->keeper)
        return;
    close(c->keeper_fd);
    while (waitpid(c->keeper, NULL, 0) < 0 && errno == EINTR)
        ;
    close(c->tty);
    *c = (struct console){ 0 };
}

/* A gamepad is an event device, too, and given to whom it may concern: only what udev calls a keyboard counts. */
static bool can_read_a_keyboard(void)
{
    glob_t found;
    bool can = false;
    if (glob("/dev/input/by-path/*-event-kbd", GLOB_NOSORT, NULL, &found) != 0)
        return false;
    for (size_t i = 0; i < found.gl_pathc && !can; i++)
        can = access(found.gl_pathv[i], R_OK) == 0;
    globfree(&found);
    return can;
}

void console_mute(struct console *c, bool is_muted)
{
    if (!c->keeper || c->is_muted == is_muted)
        return;
    c->is_muted = is_muted;
    if (!is_muted) {
        set_modes(c->tty, c->display_mode, c->keyboard_mode);
        return;
    }
    ssize_t ignored = write(c->tty, blank, sizeof(blank) - 1);
    (void)ignored;
    set_modes(c->tty, KD_GRAPHICS, can_read_a_keyboard() ? K_OFF : c->keyboard_mode);
}
