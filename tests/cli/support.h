/* What the tests of the command line share: folders in memory, runs of the whole program, a player that
 * answers what it is told to. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "cli/cli.h"
#include "support/texts.h"

/* ---- folders and files -------------------------------------------------------------------------- */

/* A new folder, in memory where there is some. The caller removes it. */
static inline char *temp_dir(void)
{
    char *dir =
        xasprintf("%s/djamms-cli-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static inline void remove_dir(char *dir)
{
    nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(dir);
}

/* DIR/NAME with `text`; parents must exist. Returns the path, which the caller frees. */
static inline char *make_file(const char *dir, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static inline void make_dir(const char *dir, const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);
    assert_int_equal(mkdir(path, 0700), 0);
    free(path);
}

/* All of a file as text; "" when it is not there. The caller frees. */
static inline char *read_text(const char *path)
{
    char *text = NULL;
    size_t cap = 0;
    FILE *f = fopen(path, "r");
    if (!f)
        return xstrdup("");
    ssize_t len = getdelim(&text, &cap, '\0', f);
    fclose(f);
    if (len >= 0)
        return text;
    free(text);
    return xstrdup("");
}

/* ---- runs of the program ------------------------------------------------------------------------ */

struct run {
    int code;
    char *out, *err;
};

/* Runs "djamms" with these words, NULL at the end. */
static inline struct run run_words(const char *const words[])
{
    struct run r = { 0 };
    size_t out_len, err_len;
    const char *argv[32] = { "djamms" };
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = words[argc - 1];
    FILE *out = open_memstream(&r.out, &out_len), *err = open_memstream(&r.err, &err_len);
    r.code = cli_run(argc, (char **)argv, out, err);
    fclose(out);
    fclose(err);
    return r;
}
#define RUN(...) run_words((const char *const[]){ __VA_ARGS__, NULL })

static inline void run_finish(struct run *r)
{
    free(r->out);
    free(r->err);
}

/* ---- a player that answers what it is told to ----------------------------------------------------- */

struct fake_player {
    pid_t pid;
    char *dir; /* its runtime folder; holds requests.txt with what it was sent */
};

/* An answer that begins with '!' is sent without its end, and the player ends: its
 * socket is gone. */
static inline void fake_player_serve(int listener, const char *dir, const char *const answers[])
{
    char *path = xasprintf("%s/requests.txt", dir);
    char *socket_path = xasprintf("%s/control.sock", dir);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600), client = -1;
    for (size_t i = 0; answers[i];) {
        char byte;
        if (client < 0)
            client = accept(listener, NULL, NULL);
        if (recv(client, &byte, 1, 0) != 1) { /* this one left: the next */
            close(client);
            client = -1;
            continue;
        }
        if (write(log, &byte, 1) != 1)
            break;
        if (byte != '\n')
            continue;
        const char *answer = answers[i++];
        bool dies = *answer == '!';
        if (dies)
            unlink(socket_path);
        if (send(client, answer + dies, strlen(answer + dies), MSG_NOSIGNAL) < 0 || dies)
            break;
        if (send(client, "\n", 1, MSG_NOSIGNAL) < 0)
            break;
    }
}

/* Listens in `dir` (taken) before it returns; serves clients one after the other until the answers are
 * used up. */
static inline struct fake_player fake_player_at(char *dir, const char *const answers[])
{
    struct fake_player p = { .dir = dir };
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", p.dir);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 8), 0);
    p.pid = fork();
    if (p.pid == 0) {
        fake_player_serve(listener, p.dir, answers);
        _exit(0);
    }
    close(listener);
    return p;
}
#define FAKE_PLAYER(...) fake_player_at(temp_dir(), (const char *const[]){ __VA_ARGS__, NULL })

/* What it was sent, one line each; the caller frees. Its folder is gone afterwards. */
static inline char *fake_player_finish(struct fake_player *p)
{
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    char *path = xasprintf("%s/requests.txt", p->dir);
    char *requests = read_text(path);
    free(path);
    remove_dir(p->dir);
    return requests;
}
