#include "hub/admin.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/paths.h"
#include "base/text.h"
#include "hub/admin_internal.h"
#include "hub/secret.h"

#define SECRET_LINE_MAX 4096
#define OPTION_BIT(o)   (1u << (o))

const char admin_usage[] =
    "  user add EMAIL --role owner|staff|guest --password-file FILE\n"
    "  user list\n"
    "  user remove EMAIL|ID\n"
    "  user password EMAIL --password-file FILE\n"
    "  key add NAME\n"
    "  key list\n"
    "  key remove NAME\n"
    "  token EMAIL|ID           signs that user in once, within 15 minutes, without the password\n"
    "  claim                    shows the code that claims a hub without owner\n"
    "  backup FILE              also while the hub runs\n"
    "  restore FILE             only while no hub runs; keeps the old database\n"
    "  import --endpoint URL --project ID --database ID [--venue ID] [--key-file FILE]\n"
    "                           copies an Appwrite venue into the hub\n"
    "\n"
    "They take --data, --config, --set and --state-dir as above, and --json for programs. The FILE "
    "of a\n"
    "password or key holds it alone in one line; - is standard input. Exit status: 0 done, 1 "
    "failed,\n"
    "2 wrong usage.\n";

static const struct command {
    const char *name;
    int (*run)(struct admin *a);
    unsigned options; /* OPTION_BIT()s */
} commands[] = {
    { "user", admin_user, OPTION_BIT(ADMIN_ROLE) | OPTION_BIT(ADMIN_PASSWORD_FILE) },
    { "key", admin_key, 0 },
    { "token", admin_token, 0 },
    { "claim", admin_claim, 0 },
    { "backup", admin_backup, 0 },
    { "restore", admin_restore, 0 },
    { "import", admin_import,
      OPTION_BIT(ADMIN_ENDPOINT) | OPTION_BIT(ADMIN_PROJECT) | OPTION_BIT(ADMIN_DATABASE) |
          OPTION_BIT(ADMIN_VENUE) | OPTION_BIT(ADMIN_KEY_FILE) },
};

static const struct command *find_command(const char *word)
{
    for (size_t i = 0; word && i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].name, word) == 0)
            return &commands[i];
    }
    return NULL;
}

bool admin_is_command(const char *word)
{
    return find_command(word) != NULL;
}

/* ---- what is said ------------------------------------------------------------------------------ */

int admin_fail(struct admin *a, int status, const char *fmt, ...)
{
    char text[1024], clean[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    text_clean(clean, sizeof(clean), text);
    if (!a->is_json) {
        fprintf(a->err, "djamms-hub: %s\n", clean);
        return status;
    }
    struct message *m = message_create();
    message_set_bool(m, "ok", false);
    message_set_str(m, "error", clean);
    char *json = message_text(m, false);
    fprintf(a->out, "%s\n", json);
    free(json);
    message_destroy(m);
    return status;
}

int admin_fail_api(struct admin *a, const struct api_error *e)
{
    return admin_fail(a, ADMIN_FAILED, "%s", e->message);
}

bool admin_print_json(struct admin *a, struct message *m)
{
    if (a->is_json) {
        message_set_bool(m, "ok", true);
        char *text = message_text(m, false);
        fprintf(a->out, "%s\n", text);
        secret_free(text);
    }
    message_destroy(m);
    return a->is_json;
}

/* ---- secrets ----------------------------------------------------------------------------------- */

char *admin_read_secret(struct admin *a, const char *file, const char *what)
{
    bool is_in = strcmp(file, "-") == 0;
    FILE *f = is_in ? a->in : fopen(file, "re");
    if (!f) {
        admin_fail(a, ADMIN_FAILED, "%s: %s", file, strerror(errno));
        return NULL;
    }
    char *text = xcalloc(1, SECRET_LINE_MAX + 1);
    size_t n = fread(text, 1, SECRET_LINE_MAX, f);
    bool is_bad = ferror(f) || n == SECRET_LINE_MAX;
    if (!is_in)
        fclose(f);
    if (n && text[n - 1] == '\n')
        n--;
    if (n && text[n - 1] == '\r')
        n--;
    text[n] = '\0';
    if (!is_bad && n && strlen(text) == n && !strchr(text, '\n'))
        return text;
    secret_free(text);
    admin_fail(a, ADMIN_FAILED, "%s holds no %s: one line with nothing else is wanted",
               is_in ? "standard input" : file, what);
    return NULL;
}

/* ---- words and options ------------------------------------------------------------------------- */

enum { OPTION_DATA = ADMIN_OPTIONS, OPTION_STATE_DIR, OPTION_JSON, OPTION_HELP };

static const struct option options[] = {
    { "role", required_argument, NULL, ADMIN_ROLE },
    { "password-file", required_argument, NULL, ADMIN_PASSWORD_FILE },
    { "endpoint", required_argument, NULL, ADMIN_ENDPOINT },
    { "project", required_argument, NULL, ADMIN_PROJECT },
    { "database", required_argument, NULL, ADMIN_DATABASE },
    { "venue", required_argument, NULL, ADMIN_VENUE },
    { "key-file", required_argument, NULL, ADMIN_KEY_FILE },
    { "data", required_argument, NULL, OPTION_DATA },
    { "state-dir", required_argument, NULL, OPTION_STATE_DIR },
    { "json", no_argument, NULL, OPTION_JSON },
    { "help", no_argument, NULL, OPTION_HELP },
    { 0 },
};

static const char *option_name(int value)
{
    for (size_t i = 0; options[i].name; i++) {
        if (options[i].val == value)
            return options[i].name;
    }
    return "?";
}

/* What the options say besides settings and their values. */
struct given {
    const char *data, *state_dir;
    bool wants_help;
};

static int take_option(struct admin *a, const struct command *command, int option, const char *word,
                       struct given *g)
{
    if (option == OPTION_DATA)
        g->data = optarg;
    else if (option == OPTION_STATE_DIR)
        g->state_dir = optarg;
    else if (option == OPTION_JSON)
        a->is_json = true;
    else if (option == OPTION_HELP)
        g->wants_help = true;
    else if (option == ':')
        return admin_fail(a, ADMIN_USAGE, "%s: %.40s wants a value", command->name, word);
    else if (option == '?')
        return admin_fail(a, ADMIN_USAGE, "%s: %.2s is no option", command->name, word);
    else if (!(command->options & OPTION_BIT(option)))
        return admin_fail(a, ADMIN_USAGE, "%s takes no option --%s", command->name,
                          option_name(option));
    else
        a->option[option] = optarg;
    return 0;
}

/* Whole names only: getopt() would take --password for --password-file. A value that was written behind a wrong one
 * is not repeated, it may be a secret. */
static int check_names(struct admin *a, const struct command *command, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0)
            continue;
        const char *name = argv[i] + 2;
        size_t len = strcspn(name, "="), k = 0;
        while (options[k].name &&
               (strlen(options[k].name) != len || strncmp(options[k].name, name, len) != 0))
            k++;
        if (!options[k].name)
            return admin_fail(a, ADMIN_USAGE, "%s: there is no option --%.*s", command->name,
                              (int)(len < 40 ? len : 40), name);
    }
    return 0;
}

/* argv[0] is the command. */
static int parse(struct admin *a, const struct command *command, int argc, char **argv,
                 struct given *g)
{
    optind = 0; /* a new start */
    opterr = 0;
    for (int i = 1; i < argc; i++) /* also of a sentence about another option */
        a->is_json |= strcmp(argv[i], "--json") == 0;
    int ret = check_names(a, command, argc, argv);
    for (int o; ret == 0 && (o = getopt_long(argc, argv, ":", options, NULL)) != -1;)
        ret = take_option(a, command, o, argv[optind > 0 ? optind - 1 : 0], g);
    a->word = (const char **)argv + optind;
    a->word_count = ret ? 0 : (size_t)(argc - optind);
    return ret;
}

static int run(struct admin *a, const struct command *command, int argc, char **argv)
{
    struct config_error error;
    struct given g = { 0 };
    if (config_load(&a->config, &argc, argv, &error) < 0)
        return admin_fail(a, ADMIN_USAGE, "%s", error.text);
    a->log.level = (enum log_level)a->config.log.level;
    int ret = parse(a, command, argc, argv, &g);
    if (ret)
        return ret;
    if (g.wants_help) {
        fprintf(a->out, "Usage: djamms-hub COMMAND\n\n%s", admin_usage);
        return 0;
    }
    char *state = g.state_dir ? xstrdup(g.state_dir) : path_state_dir();
    const char *data = g.data ? g.data : a->config.hub.data;
    a->data_dir = *data ? xstrdup(data) : xasprintf("%s/hub", state);
    free(state);
    admin_recall_ids(a);
    a->command = command->name;
    return command->run(a);
}

int admin_run_on(int argc, char **argv, FILE *in, FILE *out, FILE *err)
{
    const struct command *command = find_command(argc > 1 ? argv[1] : NULL);
    struct admin a = { .in = in, .out = out, .err = err, .log = log_open("hub"), .lock = -1 };
    if (!command)
        return admin_fail(&a, ADMIN_USAGE, "there is no such command");
    char **words = xcalloc((size_t)argc, sizeof(*words)); /* changed while they are read */
    memcpy(words, argv + 1, (size_t)argc * sizeof(*words) - sizeof(*words));
    int ret = run(&a, command, argc - 1, words);
    admin_close(&a);
    config_finish(&a.config);
    free(a.data_dir);
    free(words);
    bool is_written = fflush(out) == 0 && !ferror(out);
    return ret == 0 && !is_written ? ADMIN_FAILED : ret;
}

int admin_run(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a server or a reader that goes away is told by an error */
    return admin_run_on(argc, argv, stdin, stdout, stderr);
}
