#include "cli/launch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/paths.h"
#include "cli/find_media.h"
#include "config/config.h"
#include "shm/control.h"

#define FILES_GIVEN 200
#define BYTES_GIVEN ((size_t)64 * 1024)

/* ---- files ------------------------------------------------------------------------------------- */

size_t launch_find_media(struct cli *cli, struct walk *w)
{
    struct progress progress;
    size_t bad = 0;
    progress_init(&progress, cli->err);
    find_media_show(w, &progress);
    for (size_t i = 0; i < cli->args.count; i++) {
        char why[MEDIA_WHY_MAX];
        bool is_good = find_media(w, cli->args.word[i], why);
        progress_clear(&progress);
        if (!is_good) {
            cli_fail(cli, CLI_FAILED, "%s: %s", cli->args.word[i], why);
            bad++;
        }
    }
    find_media_report(cli, w);
    w->progress = NULL;
    return bad;
}

/* ---- settings ---------------------------------------------------------------------------------- */

bool launch_has_window_system(void)
{
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
    return (x && *x) || (wayland && *wayland);
}

static bool has_display_card(void)
{
    DIR *dir = opendir("/dev/dri");
    bool is_found = false;
    for (struct dirent *d; dir && !is_found && (d = readdir(dir));)
        is_found = strncmp(d->d_name, "card", 4) == 0;
    if (dir)
        closedir(dir);
    return is_found;
}

static bool is_off_screen(const char *driver)
{
    if (strcmp(driver, "auto") == 0)
        return !launch_has_window_system() && !has_display_card();
    return strcmp(driver, "offscreen") == 0 || strcmp(driver, "dummy") == 0;
}

static void add_setting(struct launch *l, const char *text)
{
    l->set = xrealloc(l->set, (l->set_count + 1) * sizeof(*l->set));
    l->set[l->set_count++] = text;
}

/* An option of the command line that stands for a setting. CLI_OK: *text is the setting, owned by the
 * caller, or NULL when the option was not given. */
static int option_setting(struct cli *cli, enum arg_option option, const char *name, char **text)
{
    const char *value = cli->args.value[option];
    *text = NULL;
    if (!value)
        return CLI_OK;
    struct config c;
    struct config_error err;
    config_init(&c);
    int ret = config_set(&c, name, value, &err);
    config_finish(&c);
    if (ret < 0)
        return cli_usage(cli, "--%s: %s", arg_spec(option)->name, err.text);
    *text = xasprintf("%s=%s", name, value);
    return CLI_OK;
}

static int add_options(struct cli *cli, struct launch *l, char *owned[2])
{
    int ret = option_setting(cli, ARG_SIZE, "display.size", &owned[0]);
    if (ret == CLI_OK)
        ret = option_setting(cli, ARG_OUTPUTS, "display.outputs", &owned[1]);
    if (ret != CLI_OK)
        return ret;
    if (args_has(&cli->args, ARG_FULLSCREEN))
        add_setting(l, "display.fullscreen=yes");
    else if (args_has(&cli->args, ARG_WINDOW) || owned[0])
        add_setting(l, "display.fullscreen=no");
    for (int i = 0; i < 2; i++) {
        if (owned[i])
            add_setting(l, owned[i]);
    }
    for (size_t i = 0; i < cli->args.set_count; i++)
        add_setting(l, cli->args.set[i]);
    return CLI_OK;
}

/* Only the first mistake of a file was told. */
static void point_to_check(struct cli *cli, const char *named)
{
    struct config_error first;
    char *path = named ? xstrdup(named) : path_config_file();
    size_t count = access(path, R_OK) == 0 ? config_check_file(path, &first, 1) : 0;
    if (count > 1)
        cli_fail(cli, CLI_USAGE, "%s has %zu mistakes; `djamms config check%s%s` names them all",
                 path, count, named ? " " : "", named ? named : "");
    free(path);
}

int launch_read_settings(struct cli *cli, struct launch *l, const char *const *first,
                         bool *off_screen)
{
    for (; first && *first; first++)
        add_setting(l, *first);
    int ret = add_options(cli, l, l->owned);
    if (ret != CLI_OK)
        return ret;
    struct config c;
    struct config_error err;
    l->config_file = cli->args.value[ARG_CONFIG];
    if (config_load_from(&c, l->config_file, l->set, l->set_count, &err) < 0) {
        ret = cli_fail(cli, CLI_USAGE, "%s", err.text);
        point_to_check(cli, l->config_file);
    } else {
        *off_screen = is_off_screen(c.display.driver);
    }
    l->exits_at_end = c.queue.exit_at_end;
    l->has_hub = l->has_hub && c.hub.enabled;
    config_finish(&c);
    return ret;
}

void launch_finish(struct launch *l)
{
    free(l->set);
    free(l->owned[0]);
    free(l->owned[1]);
    segment_close(&l->control);
    console_close(&l->console);
}

/* ---- programs ---------------------------------------------------------------------------------- */

/* The last one only where it is wanted. */
static const char *const programs[] = { "djamms-player", "djamms-deck", "djamms-stage",
                                        "djamms-hub" };

char *launch_program_dir(void)
{
    const char *named = getenv("DJAMMS_LIBEXEC");
    if (named && *named)
        return xstrdup(named);
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (n <= 0)
        return xstrdup(".");
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    return xstrndup(path, slash > path ? (size_t)(slash - path) : 1);
}

static int check_programs(struct cli *cli, const struct launch *l, const char *dir)
{
    for (size_t i = 0; i < ARRAY_LEN(programs) - !l->has_hub; i++) {
        char *path = xasprintf("%s/%s", dir, programs[i]);
        int ret = access(path, X_OK) < 0 ? errno : 0;
        free(path);
        if (ret)
            return cli_fail(cli, CLI_FAILED, "%s/%s: %s; it belongs beside the program djamms", dir,
                            programs[i], strerror(ret));
    }
    return CLI_OK;
}

/* A list of arguments being built; the strings are borrowed. */
struct arguments {
    const char **at;
    size_t count, cap;
};

static void add_argument(struct arguments *a, const char *text)
{
    if (a->count + 2 > a->cap) {
        a->cap = a->cap ? a->cap * 2 : 32;
        a->at = xrealloc(a->at, a->cap * sizeof(*a->at));
    }
    a->at[a->count++] = text;
    a->at[a->count] = NULL;
}

static void add_pair(struct arguments *a, const char *name, const char *value)
{
    if (!value)
        return;
    add_argument(a, name);
    add_argument(a, value);
}

static void add_settings(struct arguments *a, const struct launch *l)
{
    add_pair(a, "--runtime-dir", l->runtime_dir);
    add_pair(a, "--config", l->config_file);
    for (size_t i = 0; i < l->set_count; i++)
        add_pair(a, "--set", l->set[i]);
}

/* What one program is started with. */
struct start {
    const char *name, *program;
    const char *deck;         /* --deck; NULL: none */
    const struct walk *files; /* NULL: none */
    size_t file_count;
    enum child_end ends_all;
    bool has_state; /* --state-dir */
    int64_t delay_ms;
    const struct process_row *row; /* NULL: it is not watched */
};

/* The second deck has nothing to do until the first track plays: it does not compete with what that takes. */
#define SECOND_DECK_MS 400

static int start_one(struct cli *cli, const struct launch *l, struct supervisor *s, const char *dir,
                     const struct start *p)
{
    char *path = xasprintf("%s/%s", dir, p->program);
    struct arguments a = { 0 };
    add_argument(&a, p->program);
    add_pair(&a, "--deck", p->deck);
    if (p->has_state)
        add_pair(&a, "--state-dir", l->state_dir);
    add_settings(&a, l);
    for (size_t i = 0; p->files && i < p->file_count; i++) /* absolute: never taken for an option */
        add_argument(&a, p->files->path[i]);
    int ret = supervisor_spawn(s, &(struct child_params){ .name = p->name,
                                                          .program = path,
                                                          .argv = (char *const *)a.at,
                                                          .ends_all = p->ends_all,
                                                          .delay_ms = p->delay_ms,
                                                          .row = p->row });
    free(a.at);
    free(path);
    if (ret < 0)
        return cli_fail(cli, CLI_FAILED, "%s cannot be started: %s", p->program, strerror(-ret));
    return CLI_OK;
}

static size_t count_given(const struct walk *files)
{
    size_t n = 0, bytes = 0;
    for (; n < files->count && n < FILES_GIVEN; n++) {
        bytes += strlen(files->path[n]) + 1;
        if (bytes > BYTES_GIVEN)
            break;
    }
    return n;
}

void launch_look(struct launch *l)
{
    struct control *control = l->control.base;
    if (control)
        console_mute(&l->console, atomic_load(&control->has_card));
}

int launch_start(struct cli *cli, struct launch *l, struct supervisor *s, const struct walk *files,
                 size_t *given)
{
    *given = count_given(files);
    struct control *control;
    bool is_watched = control_open(&l->control, l->runtime_dir, &control) == 0;
    if (is_watched)
        atomic_store(&control->has_card, 0); /* a former stage's */
    const struct process_row *stage_row = is_watched ? &control->process[PROCESS_STAGE0] : NULL;
    const struct start all[] = {
        { "player", "djamms-player", NULL, files, *given, l->exits_at_end ? END_EXIT : END_CLEAN,
          true },
        { "deck-a", "djamms-deck", "a", NULL, 0, END_NEVER, false },
        { "stage", "djamms-stage", NULL, NULL, 0, END_NEVER, false, 0, stage_row },
        { "deck-b", "djamms-deck", "b", NULL, 0, END_NEVER, false, SECOND_DECK_MS },
        { "hub", "djamms-hub", NULL, NULL, 0, END_NEVER, true },
    };
    char *dir = launch_program_dir();
    int ret = check_programs(cli, l, dir);
    if (ret == CLI_OK)
        (void)console_open(&l->console); /* without a console there is none to mute */
    for (size_t i = 0; ret == CLI_OK && i < ARRAY_LEN(all) - !l->has_hub; i++)
        ret = start_one(cli, l, s, dir, &all[i]);
    free(dir);
    return ret;
}
