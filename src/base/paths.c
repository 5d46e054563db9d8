#include "base/paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#define SYSTEM_CONFIG_FILE "/etc/djamms/djamms.ini"

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

char *path_runtime_dir(void)
{
    char *dir = first_of("DJAMMS_RUNTIME_DIR");
    if (!dir)
        dir = first_of("RUNTIME_DIRECTORY");
    if (dir)
        return dir;
    const char *xdg = getenv("XDG_RUNTIME_DIR");
    if (xdg && *xdg)
        return xasprintf("%s/djamms", xdg);
    return xasprintf("/tmp/djamms-%ld", (long)getuid());
}

char *path_state_dir(void)
{
    char *dir = first_of("DJAMMS_STATE_DIR");
    if (!dir)
        dir = first_of("STATE_DIRECTORY");
    return dir ? dir : below("XDG_STATE_HOME", ".local/state");
}

char *path_cache_dir(void)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *dir = first_of("CACHE_DIRECTORY");
    if (dir)
        return dir;
    if ((base && *base) || (home && *home))
        return below("XDG_CACHE_HOME", ".cache");
    return xstrdup("/var/cache/djamms");
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
