/* pair: signs this box in to the venue's server, once; the session is kept, the password or token is not. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <uv.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/paths.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "config/config.h"
#include "net/http_client.h"

#define SECRET_MAX ((size_t)1024)
#define TIMEOUT_MS 20000

/* What the server is shown. All point into the words of the command line or to `secret`. */
struct proof {
    const char *route; /* below account/sessions/ */
    const char *name[2], *value[2];
    const char *refusal; /* a 401: the server ... */
    char secret[SECRET_MAX];
};

struct pairing {
    struct cli *cli;
    const struct config *config;
    const struct proof *proof;
    char *cookie;  /* that carries the session */
    char *session; /* NULL: not got */
    int exit;
};

/* ---- the proof ---------------------------------------------------------------------------------- */

/* One line without its end. -errno. */
static int read_line(int fd, char out[SECRET_MAX])
{
    size_t len = 0;
    ssize_t n = 0;
    while (len < SECRET_MAX - 1 && (n = read(fd, out + len, 1)) == 1 && out[len] != '\n')
        len++;
    out[len] = '\0';
    return n < 0 ? -errno : 0;
}

static int read_file(struct cli *cli, const char *file, char out[SECRET_MAX])
{
    int fd = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    int ret = fd < 0 ? -errno : read_line(fd, out);
    if (fd > STDIN_FILENO)
        close(fd);
    return ret < 0 ? cli_fail(cli, CLI_FAILED, "%s: %s", file, strerror(-ret)) : CLI_OK;
}

/* From the terminal, unseen. */
static int ask_password(char out[SECRET_MAX])
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    struct termios shown, hidden;
    if (fd < 0 || tcgetattr(fd, &shown) < 0) {
        if (fd >= 0)
            close(fd);
        return -ENOTTY;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    (void)!file_write_all(fd, "Password: ", strlen("Password: "));
    tcsetattr(fd, TCSAFLUSH, &hidden);
    int ret = read_line(fd, out);
    tcsetattr(fd, TCSAFLUSH, &shown);
    (void)!file_write_all(fd, "\n", 1);
    close(fd);
    return ret;
}

static int get_password(struct cli *cli, struct proof *p)
{
    const char *file = cli->args.value[ARG_PASSWORD_FILE];
    p->route = "email";
    p->name[0] = "email";
    p->value[0] = cli->args.word[0];
    p->name[1] = "password";
    p->value[1] = p->secret;
    p->refusal = "does not know this e-mail address and password";
    if (file)
        return read_file(cli, file, p->secret);
    if (ask_password(p->secret) < 0)
        return cli_usage(cli, "there is no terminal to ask for the password: --password-file "
                              "FILE is wanted; - is standard input");
    return CLI_OK;
}

static int get_token(struct cli *cli, struct proof *p)
{
    const char *file = cli->args.value[ARG_TOKEN_FILE];
    int ret = CLI_OK;
    if (file)
        ret = read_file(cli, file, p->secret);
    else
        snprintf(p->secret, sizeof(p->secret), "%s", cli->args.value[ARG_TOKEN]);
    if (ret != CLI_OK)
        return ret;
    char *colon = strchr(p->secret, ':');
    if (!colon || colon == p->secret || !colon[1])
        return cli_usage(cli, "this is no token: USERID:SECRET is wanted");
    *colon = '\0';
    p->route = "token";
    p->name[0] = "userId";
    p->value[0] = p->secret;
    p->name[1] = "secret";
    p->value[1] = colon + 1;
    p->refusal = "does not take this token: it is wrong, was used before, or is too old";
    return CLI_OK;
}

static int get_proof(struct cli *cli, struct proof *p)
{
    const struct args *args = &cli->args;
    int tokens = args_has(args, ARG_TOKEN) + args_has(args, ARG_TOKEN_FILE);
    if (tokens + (int)args->count != 1)
        return cli_usage(cli, "pair wants an e-mail address, --token or --token-file, one of them");
    if (tokens && args_has(args, ARG_PASSWORD_FILE))
        return cli_usage(cli, "a token needs no --password-file");
    return tokens ? get_token(cli, p) : get_password(cli, p);
}

/* ---- the server ------------------------------------------------------------------------------- */

/* The session's secret: where a client without cookies finds it, {"a_session_PROJECT":"..."}, or else in the cookie
 * itself. NULL: in neither. */
static char *session_of(const struct http_reply *r, const char *cookie)
{
    struct message *m = message_parse(r->fallback_cookies, strlen(r->fallback_cookies), NULL, 0);
    const char *text = message_str(m, cookie, "");
    if (!*text)
        text = r->cookie;
    char *session = *text ? xstrdup(text) : NULL;
    message_destroy(m);
    return session;
}

static void on_reply(void *ctx, const struct http_reply *r)
{
    struct pairing *p = ctx;
    const char *endpoint = p->config->backend.endpoint;
    struct message *m = r->len ? message_parse(r->body, r->len, NULL, 0) : NULL;
    p->exit = CLI_FAILED;
    if (r->status == 0)
        cli_fail(p->cli, CLI_FAILED, "%s: %s", endpoint, r->error);
    else if (r->status == 401)
        cli_fail(p->cli, CLI_FAILED, "%s %s", endpoint, p->proof->refusal);
    else if (r->status != 201)
        cli_fail(p->cli, CLI_FAILED, "%s answers %d: %.200s", endpoint, r->status,
                 message_str(m, "message", "no Appwrite server is there"));
    else if (!(p->session = session_of(r, p->cookie)))
        cli_fail(p->cli, CLI_FAILED, "%s gave no session for project %s", endpoint,
                 p->config->backend.project);
    else
        p->exit = CLI_OK;
    message_destroy(m);
}

static void sign_in(struct pairing *p)
{
    uv_loop_t loop;
    struct http_client *client;
    struct log quiet = { .level = LOG_ERROR };
    const struct config *c = p->config;
    p->exit = CLI_FAILED;
    if (uv_loop_init(&loop) < 0)
        return;
    struct http_client_params params = { .loop = &loop,
                                         .user_agent = "djamms/" DJAMMS_VERSION,
                                         .ca_file = *c->backend.ca_file ? c->backend.ca_file : NULL,
                                         .log = &quiet };
    if (http_client_create(&client, &params) == 0) {
        struct message *m = message_create();
        for (size_t i = 0; i < ARRAY_LEN(p->proof->name); i++)
            message_set_str(m, p->proof->name[i], p->proof->value[i]);
        char *body = message_text(m, false);
        char *url = xasprintf("%s/account/sessions/%s", c->backend.endpoint, p->proof->route);
        char *project = xasprintf("X-Appwrite-Project: %s", c->backend.project);
        const char *header[] = { project, "Content-Type: application/json" };
        http_client_start(client,
                          &(struct http_request_params){ .method = "POST",
                                                         .url = url,
                                                         .header = header,
                                                         .header_count = ARRAY_LEN(header),
                                                         .body = body,
                                                         .cookie = p->cookie,
                                                         .timeout_ms = TIMEOUT_MS },
                          on_reply, p);
        uv_run(&loop, UV_RUN_DEFAULT);
        http_client_destroy(client, NULL, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
        explicit_bzero(body, strlen(body));
        free(body);
        free(url);
        free(project);
        message_destroy(m);
    }
    uv_loop_close(&loop);
}

static int keep(struct pairing *p)
{
    const char *named = p->cli->args.value[ARG_STATE_DIR];
    char *dir = named ? xstrdup(named) : path_state_dir(),
         *path = xasprintf("%s/session.json", dir);
    struct message *m = message_create();
    message_set_str(m, "endpoint", p->config->backend.endpoint);
    message_set_str(m, "session", p->session);
    char *text = message_text(m, false);
    int ret = dir_make(dir);
    if (ret == 0)
        ret = file_replace(path, text, strlen(text));
    int exit = ret < 0 ? cli_fail(p->cli, CLI_FAILED, "%s: %s", path, strerror(-ret)) : CLI_OK;
    if (ret == 0)
        fprintf(p->cli->out, "This box is signed in to %s for venue %s.\n",
                p->config->backend.endpoint, p->config->backend.venue);
    explicit_bzero(text, strlen(text));
    free(text);
    message_destroy(m);
    free(path);
    free(dir);
    return exit;
}

static int pair(struct cli *cli, const struct config *c)
{
    struct proof proof = { 0 };
    struct pairing p = { .cli = cli, .config = c, .proof = &proof };
    if (strcmp(c->backend.kind, "appwrite") != 0 || !*c->backend.endpoint || !*c->backend.project ||
        !*c->backend.venue || !*c->backend.database)
        return cli_fail(cli, CLI_FAILED,
                        "there is nothing to sign in to: the settings must say backend.kind = "
                        "appwrite, backend.endpoint, project, database and venue");
    int ret = get_proof(cli, &proof);
    if (ret == CLI_OK) {
        signal(SIGPIPE, SIG_IGN);
        p.cookie = xasprintf("a_session_%s", c->backend.project);
        sign_in(&p);
        ret = p.exit == CLI_OK ? keep(&p) : p.exit;
        free(p.cookie);
    }
    explicit_bzero(&proof, sizeof(proof));
    if (p.session)
        explicit_bzero(p.session, strlen(p.session));
    free(p.session);
    return ret;
}

int pair_run(struct cli *cli)
{
    struct config c;
    struct config_error err;
    int ret = config_load_from(&c, cli->args.value[ARG_CONFIG], cli->args.set, cli->args.set_count,
                               &err) < 0
                  ? cli_fail(cli, CLI_USAGE, "%s", err.text)
                  : pair(cli, &c);
    config_finish(&c);
    return ret;
}
