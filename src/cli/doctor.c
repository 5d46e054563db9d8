/* doctor: what is wrong with this machine, and what to do. */
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/board.h"
#include "base/now.h"
#include "base/path_list.h"
#include "base/paths.h"
#include "base/systemd.h"
#include "cli/board_check.h"
#include "cli/capture.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/extractor_check.h"
#include "cli/fetch_check.h"
#include "cli/fetch_hello.h"
#include "cli/finding.h"
#include "cli/jukebox_check.h"
#include "cli/launch.h"
#include "cli/machine_check.h"
#include "cli/service_check.h"
#include "config/config.h"
#include "shm/segment.h"

#define RUN_MS      10000
#define RUNTIME_MIB 256 /* two decks of 1080p and some room */
#define STATE_MIB   64
#define STATE_GOOD  512

static void check_system(struct findings *f)
{
    struct utsname u;
    if (uname(&u) == 0)
        finding_add(f, FINDING_OK, "system", NULL, "djamms %s, %s %s, %s", DJAMMS_VERSION,
                    u.sysname, u.release, u.machine);
}

/* ---- programs ---------------------------------------------------------------------------------- */

static void check_program(struct findings *f, const char *dir, const char *name)
{
    char output[512], *path = xasprintf("%s/%s", dir, name);
    const char *const argv[] = { path, "--help", NULL };
    int ret = capture_output(argv, output, sizeof(output), RUN_MS);
    output[strcspn(output, "\n")] = '\0';
    if (ret == -ENOENT)
        finding_add(f, FINDING_PROBLEM, "programs", "install the package again", "%s is missing",
                    path);
    else if (ret == 127 || ret < 0) /* the loader's own status: a library is missing or too old */
        finding_add(f, FINDING_PROBLEM, "programs",
                    "install the libraries it names, or build it again on this release",
                    "%s does not start: %s", name, ret < 0 ? strerror(-ret) : output);
    else
        finding_add(f, FINDING_OK, "programs", NULL, "%s starts, its libraries are there", name);
    free(path);
}

/* The hub only where `djamms up` would start it. */
static void check_programs(struct findings *f, bool has_hub)
{
    static const char *const names[] = { "djamms-player", "djamms-deck", "djamms-stage",
                                         "djamms-probe", "djamms-hub" };
    char *dir = launch_program_dir();
    for (size_t i = 0; i < ARRAY_LEN(names) - !has_hub; i++)
        check_program(f, dir, names[i]);
    free(dir);
}

static void check_fetching(struct findings *f, const struct config *c, const char *state_dir)
{
    char *path;
    struct message *hello;
    if (fetch_hello(c, state_dir, &path, &hello) == -ENOENT)
        finding_add(f, FINDING_WARNING, "fetching", "install the package again",
                    "songs cannot be fetched: %s is missing, or Python is", path);
    else
        fetch_check(f, hello, c->youtube.enabled, now_wall_ms());
    if (*c->extractor.channel)
        extractor_check(f, c, state_dir);
    message_destroy(hello);
    free(path);
}

/* ---- fonts ------------------------------------------------------------------------------------- */

static void check_fonts(struct findings *f)
{
    static const struct {
        const char *what, *pattern, *package, *seen_instead;
    } scripts[] = {
        { "Chinese, Japanese and Korean", ":lang=ja", "sudo apt install fonts-noto-cjk", "boxes" },
        { "Arabic", ":lang=ar", "sudo apt install fonts-noto-core", "boxes" },
        { "Cyrillic", ":lang=ru", "sudo apt install fonts-dejavu-core", "boxes" },
        /* Plain ones of another font are only drawn where no font has them in colour. */
        { "emoji", ":charset=1f600:color=true", "sudo apt install fonts-noto-color-emoji",
          "plain signs or boxes" },
    };
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        char output[256];
        const char *const argv[] = { "fc-list", scripts[i].pattern, "family", NULL };
        int ret = capture_output(argv, output, sizeof(output), RUN_MS);
        output[strcspn(output, "\n")] = '\0';
        if (ret != 0) {
            finding_add(f, FINDING_WARNING, "fonts", "sudo apt install fontconfig",
                        "not checked: the program fc-list does not run");
            return;
        }
        if (*output)
            finding_add(f, FINDING_OK, "fonts", NULL, "%s: %s", scripts[i].what, output);
        else
            finding_add(f, FINDING_WARNING, "fonts", scripts[i].package,
                        "no font for %s: %s would be seen in titles", scripts[i].what,
                        scripts[i].seen_instead);
    }
}

/* ---- folders ----------------------------------------------------------------------------------- */

/* The nearest folder above that exists. The caller frees. */
static char *existing_folder(const char *path)
{
    char *out = path_absolute(path);
    while (access(out, F_OK) < 0) {
        char *slash = strrchr(out, '/');
        if (!slash || slash == out) { /* none: the working folder is gone, too */
            free(out);
            return xstrdup(slash ? "/" : ".");
        }
        *slash = '\0';
    }
    return out;
}

/* Free MiB for us, or -1 after a finding. */
static long check_folder(struct findings *f, const char *name, const char *path, struct statfs *fs)
{
    char *folder = existing_folder(path);
    long free_mib = -1;
    if (access(folder, W_OK | X_OK) < 0)
        finding_add(f, FINDING_PROBLEM, name, "choose another folder or change its owner",
                    "there is no permission to write in %s", folder);
    else if (statfs(folder, fs) < 0)
        finding_add(f, FINDING_PROBLEM, name, NULL, "%s: %s", folder, strerror(errno));
    else
        free_mib = (long)((double)fs->f_bavail * (double)fs->f_bsize / (1024.0 * 1024.0));
    free(folder);
    return free_mib;
}

static void check_runtime_dir(struct findings *f, const char *dir)
{
    struct statfs fs;
    char *memory = xasprintf("%s/" SEGMENT_FOLDER, dir); /* may be mounted */
    long free_mib = check_folder(f, "runtime", memory, &fs);
    free(memory);
    if (free_mib < 0)
        return;
    if (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC)
        finding_add(f, FINDING_WARNING, "runtime",
                    "set XDG_RUNTIME_DIR or DJAMMS_RUNTIME_DIR to a folder in memory (tmpfs)",
                    "%s is on a disk: pictures would be written there", dir);
    else if (free_mib < RUNTIME_MIB)
        finding_add(f, FINDING_WARNING, "runtime", "make the tmpfs larger or end other programs",
                    "%s has only %ld MiB free", dir, free_mib);
    else
        finding_add(f, FINDING_OK, "runtime", NULL, "%s is in memory, %ld MiB free", dir, free_mib);
}

static void check_state_dir(struct findings *f, const char *dir)
{
    struct statfs fs;
    long free_mib = check_folder(f, "space", dir, &fs);
    if (free_mib < 0)
        return;
    finding_add(f,
                free_mib < STATE_MIB    ? FINDING_PROBLEM
                : free_mib < STATE_GOOD ? FINDING_WARNING
                                        : FINDING_OK,
                "space", free_mib < STATE_GOOD ? "delete files that are not needed" : NULL,
                "%ld MiB are free for the queue and history in %s", free_mib, dir);
}

/* ---- settings and the jukebox itself ----------------------------------------------------------- */

/* The folders of the library; those that are not there now are not forgotten. */
static void check_library(struct findings *f, const char *paths)
{
    size_t folders = 0, readable = 0;
    char *first_bad = NULL;
    for (char *folder; (folder = path_list_next(&paths)); free(folder), folders++) {
        DIR *dir = opendir(folder);
        if (dir)
            readable++;
        else if (!first_bad)
            first_bad = xasprintf("%s: %s", folder, strerror(errno));
        if (dir)
            closedir(dir);
    }
    if (first_bad)
        finding_add(f, FINDING_WARNING, "library", "connect its disk, or correct library.paths",
                    "%zu of %zu folders can be read; %s", readable, folders, first_bad);
    else
        finding_add(f, FINDING_OK, "library", NULL, "%zu of %zu folders can be read", readable,
                    folders);
    free(first_bad);
}

/* Without room for it the jukebox plays what is there. */
static void check_cache(struct findings *f, const struct config *c)
{
    struct statfs fs;
    char *dir = *c->cache.dir ? xstrdup(c->cache.dir) : path_cache_dir();
    char *folder = existing_folder(dir);
    if (access(folder, W_OK | X_OK) < 0) {
        finding_add(f, FINDING_WARNING, "cache",
                    "name a folder for fetched media in cache.dir, or change its owner",
                    "there is no permission to write in %s", folder);
    } else if (statfs(folder, &fs) < 0) {
        finding_add(f, FINDING_WARNING, "cache", NULL, "%s: %s", folder, strerror(errno));
    } else {
        double free_mb = (double)fs.f_bavail * (double)fs.f_bsize / 1e6;
        bool is_full = free_mb <= c->cache.free_floor;
        finding_add(f, is_full ? FINDING_WARNING : FINDING_OK, "cache",
                    is_full ? "delete files, or put cache.dir on a larger disk" : NULL,
                    is_full ? "%.0f MB are free at %s, and cache.free-floor keeps %d: nothing more "
                              "is fetched"
                            : "%.0f MB are free at %s, of which %d stay so",
                    free_mb, dir, c->cache.free_floor);
    }
    free(folder);
    free(dir);
}

/* The settings of `djamms up` with the same options. */
struct settings {
    struct config config; /* up to the mistake, if there is one */
    struct config_error error;
    const char *named; /* --config; NULL: the usual file */
    bool is_good;
};

static struct settings read_settings(const struct args *args)
{
    struct settings s = { .named = args->value[ARG_CONFIG] };
    s.is_good = config_load_from(&s.config, s.named, args->set, args->set_count, &s.error) == 0;
    return s;
}

static void check_settings(struct findings *f, const struct settings *s)
{
    char *path = s->named ? xstrdup(s->named) : path_config_file(), *places = path_config_places();
    if (!s->is_good)
        finding_add(f, FINDING_PROBLEM, "settings", "correct it; `djamms config check` looks again",
                    "%s", s->error.text);
    else if (access(path, F_OK) == 0)
        finding_add(f, FINDING_OK, "settings", NULL, "%s is in order", path);
    else
        finding_add(f, FINDING_OK, "settings", NULL, "not there: %s; all at their defaults",
                    places);
    if (s->is_good) {
        check_library(f, s->config.library.paths);
        check_cache(f, &s->config);
    }
    free(places);
    free(path);
}

static void check_jukebox(struct findings *f, const char *runtime_dir)
{
    struct client client;
    struct message *request = cli_request("status"), *answer = NULL;
    int ret = client_open(&client, runtime_dir);
    bool is_absent = ret == -ENOENT || ret == -ECONNREFUSED;
    if (ret == 0)
        ret = client_send(&client, request);
    if (ret == 0)
        ret = client_read(&client, CLIENT_TIMEOUT_MS, &answer);
    if (ret == 0)
        jukebox_check(f, answer);
    else if (is_absent)
        finding_add(f, FINDING_OK, "jukebox", NULL, "not running; `djamms up` starts it");
    else
        finding_add(f, FINDING_PROBLEM, "jukebox",
                    ret == -EACCES ? "use the account that started it"
                                   : "end it and start it again with `djamms up`",
                    "it does not answer: %s", strerror(-ret));
    message_destroy(answer);
    message_destroy(request);
    client_close(&client);
}

/* ---- board, clock, service --------------------------------------------------------------------- */

static void check_board(struct findings *f, const struct machine *m)
{
    struct board b;
    char output[128];
    const char *const argv[] = { "vcgencmd", "get_throttled", NULL };
    board_read(m->root, &b);
    /* Where the kernel does not have the firmware's answer, its tool may. */
    if (!(b.known & BOARD_THROTTLED) && capture_output(argv, output, sizeof(output), RUN_MS) == 0)
        (void)board_take_throttled(&b, output);
    board_check(f, &b);
}

static void check_clock(struct findings *f)
{
    struct timex clock = { .modes = 0 }; /* is only read */
    check_time(f, adjtimex(&clock));
}

/* Where systemd runs. */
static void check_service(struct findings *f, const struct machine *m)
{
    char output[4096], watchdog[256];
    const char *argv[16] = { "systemctl", "show", SERVICE_PROPERTIES };
    const char *const manager[] = { "systemctl", "show", "--property=RuntimeWatchdogUSec", NULL };
    if (!systemd_runs())
        return;
    for (size_t i = 0; service_units[i]; i++)
        argv[3 + i] = service_units[i];
    if (capture_output(argv, output, sizeof(output), RUN_MS) != 0 ||
        capture_output(manager, watchdog, sizeof(watchdog), RUN_MS) != 0) {
        finding_add(f, FINDING_WARNING, "service", NULL, "not checked: systemctl does not answer");
        return;
    }
    watchdog_check(f, m, watchdog, service_check(f, output));
}

/* ---- the report -------------------------------------------------------------------------------- */

static void print_json(struct cli *cli, const struct findings *f)
{
    struct message *m = message_create();
    message_set_bool(m, "ok", findings_worst(f) < FINDING_PROBLEM);
    message_set_array(m, "checks");
    for (size_t i = 0; i < f->count; i++) {
        struct message *one = message_create();
        message_set_str(one, "name", f->at[i].name);
        message_set_str(one, "result", finding_result_name(f->at[i].result));
        message_set_str(one, "text", f->at[i].text);
        message_set_str(one, "advice", f->at[i].advice);
        message_append_object(m, "checks", one);
    }
    cli_print_json(cli, m);
    message_destroy(m);
}

static void print_findings(struct cli *cli, const struct findings *f)
{
    static const enum style styles[] = { STYLE_GOOD, STYLE_WARNING, STYLE_BAD };
    static const char *const sums[] = { "All is well.", "It will work, with limits.",
                                        "There is a problem." };
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *one = &f->at[i];
        term_put_padded(&cli->term, styles[one->result], finding_result_name(one->result), 9);
        term_put_padded(&cli->term, STYLE_BOLD, one->name, 10);
        term_put(&cli->term, STYLE_PLAIN, one->text);
        fputc('\n', cli->out);
        if (*one->advice) {
            fprintf(cli->out, "%19sdo: ", "");
            term_put(&cli->term, STYLE_PLAIN, one->advice);
            fputc('\n', cli->out);
        }
    }
    fprintf(cli->out, "\n%s\n", sums[findings_worst(f)]);
}

int doctor_run(struct cli *cli)
{
    struct findings f = { .count = 0 };
    struct settings settings = read_settings(&cli->args);
    const struct machine machine = {
        .root = "",
        .x_display = getenv("DISPLAY"),
        .wayland = getenv("WAYLAND_DISPLAY"),
        .session_dir = getenv("XDG_RUNTIME_DIR"),
    };
    const char *named = cli->args.value[ARG_STATE_DIR];
    char *state_dir = named ? xstrdup(named) : path_state_dir();
    check_system(&f);
    check_programs(&f, settings.config.hub.enabled);
    check_settings(&f, &settings);
    check_display(&f, &machine);
    check_sound(&f, &machine);
    check_inputs(&f, &machine);
    check_fonts(&f);
    check_runtime_dir(&f, cli->runtime_dir);
    check_state_dir(&f, state_dir);
    check_memory(&f, &machine);
    check_board(&f, &machine);
    check_clock(&f);
    if (settings.is_good)
        check_fetching(&f, &settings.config, state_dir);
    check_service(&f, &machine);
    check_jukebox(&f, cli->runtime_dir);
    free(state_dir);
    config_finish(&settings.config);
    if (args_has(&cli->args, ARG_JSON))
        print_json(cli, &f);
    else
        print_findings(cli, &f);
    return findings_worst(&f) == FINDING_PROBLEM ? CLI_FAILED : CLI_OK;
}
