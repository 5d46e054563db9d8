#include "base/paths.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

#define SYSTEM_CONFIG_FILE "/etc/djamms/djamms.ini"

/* Of the jukebox that the system runs, under a user of its own. */
#define SYSTEM_RUNTIME_DIR "/run/djamms"
#define SYSTEM_STATE_DIR   "/var/lib/djamms"
#define SYSTEM_CACHE_DIR   "/var/cache/djamms"

/* The value of an environment variable that names one folder; systemd may give several, with ':'. */
static char *first_of(const char *name)
{
    const char *v = getenv(name);
    return v && *v ? xstrndup(v, strcspn(v, ":")) : NULL;
}

static char *below(const char *variable, const char *fallback_below_home)
{
    const char *base = getenv(variable);
    if (base && *base)
        return xasprintf("%s/djamms", base);
    const char *home = getenv("HOME");
    return xasprintf("%s/%s/djamms", home && *home ? home : "", fallback_below_home);
}

/* A folder of the system's jukebox, for the user whose it is; else NULL. */
static char *if_ours(const char *dir)
{
    struct stat st;
    bool is_ours = stat(dir, &st) == 0 && st.st_uid == geteuid();
    return is_ours ? xstrdup(dir) : NULL;
}

/* Whether a jukebox listens in `dir`, as far as we may talk to it. */
static bool has_socket(const char *dir)
{
    char *path = xasprintf("%s/control.sock", dir);
    bool is_there = access(path, R_OK | W_OK) == 0;
    free(path);
    return is_there;
}

char *path_runtime_dir(void)
{
    char *dir = first_of("DJAMMS_RUNTIME_DIR");
    if (!dir)
        dir = first_of("RUNTIME_DIRECTORY");
    if (!dir)
        dir = if_ours(SYSTEM_RUNTIME_DIR);
    if (dir)
        return dir;
    const char *xdg = getenv("XDG_RUNTIME_DIR");
    dir = xdg && *xdg ? xasprintf("%s/djamms", xdg) : xasprintf("/tmp/djamms-%ld", (long)getuid());
    if (has_socket(dir) || !has_socket(SYSTEM_RUNTIME_DIR))
        return dir;
    free(dir);
    return xstrdup(SYSTEM_RUNTIME_DIR);
}

char *path_state_dir(void)
{
    char *dir = first_of("DJAMMS_STATE_DIR");
    if (!dir)
        dir = first_of("STATE_DIRECTORY");
    if (!dir)
        dir = if_ours(SYSTEM_STATE_DIR);
    return dir ? dir : below("XDG_STATE_HOME", ".local/state");
}

char *path_cache_dir(void)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *dir = first_of("CACHE_DIRECTORY");
    if (!dir)
        dir = if_ours(SYSTEM_CACHE_DIR);
    if (dir)
        return dir;
    if ((base && *base) || (home && *home))
        return below("XDG_CACHE_HOME", ".cache");
    return xstrdup(SYSTEM_CACHE_DIR);
}

static const char *named_config_file(void)
{
    const char *named = getenv("DJAMMS_CONFIG");
    return named && *named ? named : NULL;
}

static char *own_config_file(void)
{
    char *dir = below("XDG_CONFIG_HOME", ".config");
    char *file = xasprintf("%s/djamms.ini", dir);
    free(dir);
    return file;
}

char *path_config_file(void)
{
    const char *named = named_config_file();
    if (named)
        return xstrdup(named);
    char *file = own_config_file();
    if (access(file, F_OK) == 0)
        return file;
    free(file);
    return xstrdup(SYSTEM_CONFIG_FILE);
}

char *path_config_places(void)
{
    const char *named = named_config_file();
    if (named)
        return xstrdup(named);
    char *file = own_config_file(), *places = xasprintf("%s and %s", file, SYSTEM_CONFIG_FILE);
    free(file);
    return places;
}
