#include "cli/service_check.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

#define TARGET    "djamms.target"
#define VALUE_MAX 64
#define WATCHDOG_ON                                                                                \
    "sudo install -D -m 644 /usr/share/djamms/watchdog.conf "                                      \
    "/etc/systemd/system.conf.d/djamms.conf, then start the machine anew"
#define START_ADVICE "sudo systemctl enable --now " TARGET

const char *const service_units[] = { TARGET,
                                      "djamms-player.service",
                                      "djamms-stage.service",
                                      "djamms-deck@a.service",
                                      "djamms-deck@b.service",
                                      "djamms-hub.service",
                                      NULL };

struct unit {
    char id[VALUE_MAX], load[VALUE_MAX], active[VALUE_MAX], enabled[VALUE_MAX], result[VALUE_MAX];
    char restarts[VALUE_MAX];
};

static void take_line(struct unit *u, const char *line, size_t len)
{
    const struct {
        const char *key;
        char *value;
    } fields[] = {
        { "Id=", u->id },
        { "LoadState=", u->load },
        { "ActiveState=", u->active },
        { "UnitFileState=", u->enabled },
        { "Result=", u->result },
        { "NRestarts=", u->restarts },
    };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        size_t key = strlen(fields[i].key);
        if (len >= key && strncmp(line, fields[i].key, key) == 0)
            snprintf(fields[i].value, VALUE_MAX, "%.*s", (int)(len - key), line + key);
    }
}

/* The next block of *at, which moves behind it. false: there is no more. */
static bool next_unit(struct unit *u, const char **at)
{
    *u = (struct unit){ .id = "" };
    while (**at == '\n')
        (*at)++;
    bool is_there = **at;
    while (**at && **at != '\n') {
        size_t len = strcspn(*at, "\n");
        take_line(u, *at, len);
        *at += len + ((*at)[len] == '\n');
    }
    return is_there;
}

/* Returns whether the services are to run. */
static bool check_target(struct findings *f, const struct unit *u, bool *starts_itself)
{
    bool is_active = strcmp(u->active, "active") == 0;
    *starts_itself = strncmp(u->enabled, "enabled", strlen("enabled")) == 0;
    if (strcmp(u->load, "loaded") != 0)
        finding_add(f, FINDING_OK, "service", NULL, "the jukebox is no service of this machine");
    else if (!*starts_itself && !is_active)
        finding_add(f, FINDING_OK, "service", NULL, "%s is installed and not used; %s starts it",
                    TARGET, START_ADVICE);
    else if (!*starts_itself)
        finding_add(f, FINDING_WARNING, "service", START_ADVICE,
                    "%s runs, but does not start with the machine", TARGET);
    else if (!is_active)
        finding_add(f, FINDING_PROBLEM, "service", START_ADVICE,
                    "%s is to start with the machine, and does not run", TARGET);
    else
        finding_add(f, FINDING_OK, "service", NULL, "%s runs, and starts with the machine", TARGET);
    return is_active;
}

static void check_unit(struct findings *f, const struct unit *u)
{
    long restarts = strtol(u->restarts, NULL, 10);
    if (strcmp(u->result, "exec-condition") == 0) /* the settings do not want it */
        return;
    if (strcmp(u->active, "active") != 0)
        finding_add(f, FINDING_PROBLEM, "service",
                    "`djamms logs` says why; sudo systemctl restart djamms.target",
                    "%s does not run: %s (%s)", u->id, u->active, u->result);
    else if (restarts > 0)
        finding_add(f, FINDING_WARNING, "service", "`djamms logs` says why",
                    "%s runs; it died or hung and was started again, times: %ld", u->id, restarts);
    else
        finding_add(f, FINDING_OK, "service", NULL, "%s runs", u->id);
}

bool service_check(struct findings *f, const char *shown)
{
    struct unit u;
    bool is_active = false, starts_itself = false;
    while (next_unit(&u, &shown)) {
        if (strcmp(u.id, TARGET) == 0)
            is_active = check_target(f, &u, &starts_itself);
        else if (is_active)
            check_unit(f, &u);
    }
    return starts_itself;
}

/* ---- hardware watchdog -------------------------------------------------------------------------- */

/* What the first one calls itself. false: there is none. */
static bool find_watchdog(const struct machine *m, char *out, size_t size)
{
    glob_t found;
    char *pattern = xasprintf("%s/sys/class/watchdog/watchdog*/identity", m->root), *text;
    bool is_there = glob(pattern, 0, NULL, &found) == 0;
    if (is_there && file_read(found.gl_pathv[0], VALUE_MAX, &text, NULL) == 0) {
        snprintf(out, size, "%.*s", (int)strcspn(text, "\n"), text);
        free(text);
    }
    if (is_there)
        globfree(&found);
    free(pattern);
    return is_there;
}

void watchdog_check(struct findings *f, const struct machine *m, const char *shown, bool is_service)
{
    char name[VALUE_MAX] = "it";
    const char *value = strchr(shown, '=');
    value = value ? value + 1 : "";
    int len = (int)strcspn(value, "\n");
    bool is_used = len > 0 && *value != '0' && strncmp(value, "infinity", (size_t)len) != 0;
    if (!find_watchdog(m, name, sizeof(name)))
        finding_add(f, FINDING_OK, "watchdog", NULL, "this machine has none, or no driver for it");
    else if (is_used)
        finding_add(f, FINDING_OK, "watchdog", NULL,
                    "%s starts the machine anew when systemd hangs for %.*s", name, len, value);
    else if (is_service)
        finding_add(f, FINDING_WARNING, "watchdog", WATCHDOG_ON,
                    "%s is not used: a machine that hangs stays so until somebody comes", name);
    else
        finding_add(f, FINDING_OK, "watchdog", NULL, "%s is not used", name);
}
