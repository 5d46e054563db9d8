/* djamms pair: what proves who this box is, and what is kept of it. */
#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>

#define SESSION "eyJpZCI6InUxIn0="

/* Answers one request, and keeps it. */
struct once {
    int listener;
    char request[4096];
    const char *answer;
    pthread_t thread;
    char endpoint[64];
};

static void *serve_once(void *arg)
{
    struct once *o = arg;
    int fd = accept(o->listener, NULL, NULL);
    size_t len = 0;
    ssize_t n;
    while (!strchr(o->request, '}') && len < sizeof(o->request) - 1 &&
           (n = read(fd, o->request + len, sizeof(o->request) - 1 - len)) > 0)
        len += (size_t)n;
    n = write(fd, o->answer, strlen(o->answer)); /* a short one is seen by who asks */
    (void)n;
    close(fd);
    return NULL;
}

static void once_start(struct once *o, const char *answer)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    *o = (struct once){ .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                        .answer = answer };
    assert_int_equal(bind(o->listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(o->listener, 1), 0);
    assert_int_equal(getsockname(o->listener, (struct sockaddr *)&at, &len), 0);
    snprintf(o->endpoint, sizeof(o->endpoint), "backend.endpoint=http://127.0.0.1:%d/v1",
             ntohs(at.sin_port));
    assert_int_equal(pthread_create(&o->thread, NULL, serve_once, o), 0);
}

static void once_finish(struct once *o)
{
    pthread_join(o->thread, NULL);
    close(o->listener);
}

#define SETTINGS                                                                                   \
    "--set", "backend.kind=appwrite", "--set", "backend.project=prj", "--set",                     \
        "backend.database=db", "--set", "backend.venue=bar"

static const char taken[] =
    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
    "X-Fallback-Cookies: {\"a_session_prj\":\"" SESSION "\"}\r\nContent-Length: 2\r\n\r\n{}";
static const char refused[] = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"
                              "Content-Length: 2\r\n\r\n{}";

static const struct {
    const char *option, *value, *route, *body;
} proofs[] = {
    { "--token", "u1:123456", "POST /v1/account/sessions/token HTTP/1.1\r\n",
      "{\"userId\":\"u1\",\"secret\":\"123456\"}" },
    { "--token", "u1:12:34", "POST /v1/account/sessions/token HTTP/1.1\r\n",
      "{\"userId\":\"u1\",\"secret\":\"12:34\"}" },
    { "--token-file", "u1:123456\n", "POST /v1/account/sessions/token HTTP/1.1\r\n",
      "{\"userId\":\"u1\",\"secret\":\"123456\"}" },
    { "--password-file", "secret 7\n", "POST /v1/account/sessions/email HTTP/1.1\r\n",
      "{\"email\":\"a@b.c\",\"password\":\"secret 7\"}" },
};

static void a_token_or_a_password_is_shown_once_and_the_session_is_kept(void **state)
{
    char *dir = temp_dir(), *kept = xasprintf("%s/session.json", dir);
    for (size_t i = 0; i < ARRAY_LEN(proofs); i++) {
        bool is_file = strstr(proofs[i].option, "file") != NULL;
        bool has_email = strstr(proofs[i].option, "password") != NULL;
        char *value =
            is_file ? make_file(dir, "secret", proofs[i].value) : xstrdup(proofs[i].value);
        struct once server;
        once_start(&server, taken);
        struct run r = has_email ? RUN("pair", "a@b.c", proofs[i].option, value, "--state-dir", dir,
                                       SETTINGS, "--set", server.endpoint)
                                 : RUN("pair", proofs[i].option, value, "--state-dir", dir,
                                       SETTINGS, "--set", server.endpoint);
        once_finish(&server);
        if (r.code != CLI_OK)
            fail_msg("%s %s: %d %s", proofs[i].option, value, r.code, r.err);
        assert_contains(server.request, proofs[i].route);
        assert_contains(server.request, "X-Appwrite-Project: prj\r\n");
        assert_contains(server.request, proofs[i].body);
        char *text = read_text(kept);
        assert_contains(text, "\"session\":\"" SESSION "\"");
        assert_null(strstr(text, "123456"));
        unlink(kept);
        free(text);
        free(value);
        run_finish(&r);
    }
    free(kept);
    remove_dir(dir);
}

#define CREATED(headers) "HTTP/1.1 201 Created\r\n" headers "Content-Length: 2\r\n\r\n{}"

static const struct {
    const char *answer, *session; /* NULL: none is kept */
} places[] = {
    { CREATED("X-Fallback-Cookies: {\"a_session_prj\":\"one\"}\r\n"), "one" },
    { CREATED("X-Fallback-Cookies: {\"a_session_prj\":\"%31\"}\r\n"), "%31" },
    { CREATED("Set-Cookie: a_session_prj_legacy=old\r\nSet-Cookie: a_session_prj=two; path=/\r\n"),
      "two" },
    { CREATED("Set-Cookie: a_session_prj=eyJ%2fIn0%3D%3d%; HttpOnly\r\n"), "eyJ/In0==%" },
    { CREATED("X-Fallback-Cookies: {\"a_session_prj\":\"one\"}\r\n"
              "Set-Cookie: a_session_prj=two\r\n"),
      "one" },
    { CREATED("X-Fallback-Cookies: no JSON\r\nSet-Cookie: a_session_prj=two\r\n"), "two" },
    { CREATED("X-Fallback-Cookies: {\"a_session_another\":\"one\"}\r\n"
              "Set-Cookie: a_session_another=two\r\n"),
      NULL },
    { CREATED("Set-Cookie: a_session_prj=\r\n"), NULL },
    { CREATED(""), NULL },
};

/* Where a server puts it depends on its version, and on what stands before it. */
static void the_session_is_found_wherever_the_server_puts_it(void **state)
{
    char *dir = temp_dir(), *kept = xasprintf("%s/session.json", dir);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct once server;
        once_start(&server, places[i].answer);
        struct run r = RUN("pair", "--token", "u1:123456", "--state-dir", dir, SETTINGS, "--set",
                           server.endpoint);
        once_finish(&server);
        assert_int_equal(r.code, places[i].session ? CLI_OK : CLI_FAILED);
        assert_int_equal(access(kept, F_OK) == 0, places[i].session != NULL);
        if (places[i].session) {
            char *text = read_text(kept),
                 *want = xasprintf("\"session\":\"%s\"", places[i].session);
            assert_contains(text, want);
            free(want);
            free(text);
            unlink(kept);
        } else {
            assert_contains(r.err, "gave no session");
        }
        run_finish(&r);
    }
    free(kept);
    remove_dir(dir);
}

static void a_token_that_is_refused_is_told_and_not_repeated(void **state)
{
    char *dir = temp_dir(), *kept = xasprintf("%s/session.json", dir);
    struct once server;
    once_start(&server, refused);
    struct run r =
        RUN("pair", "--token", "u1:123456", "--state-dir", dir, SETTINGS, "--set", server.endpoint);
    once_finish(&server);
    assert_int_equal(r.code, CLI_FAILED);
    assert_contains(r.err, "does not take this token");
    assert_null(strstr(r.err, "123456"));
    assert_int_not_equal(access(kept, F_OK), 0);
    run_finish(&r);
    free(kept);
    remove_dir(dir);
}

#define NOWHERE SETTINGS, "--set", "backend.endpoint=http://127.0.0.1:1/v1"

static const char *const wrong_usages[][20] = {
    { "pair", NOWHERE },
    { "pair", "a@b.c", "--token", "u1:123456", NOWHERE },
    { "pair", "--token", "u1:123456", "--token-file", "/dev/null", NOWHERE },
    { "pair", "--token", "u1:123456", "--password-file", "/dev/null", NOWHERE },
    { "pair", "--token", "u1-123456", NOWHERE },
    { "pair", "--token", ":123456", NOWHERE },
    { "pair", "--token", "123456:", NOWHERE },
    { "pair", "--token-file", "/dev/null", NOWHERE },
};

static void what_proves_nothing_is_wrong_usage_and_is_not_repeated(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong_usages); i++) {
        struct run r = run_words(wrong_usages[i]);
        if (r.code != CLI_USAGE || strstr(r.err, "123456"))
            fail_msg("case %zu: %d %s", i, r.code, r.err);
        run_finish(&r);
    }
}

static void a_token_file_that_is_not_there_is_told(void **state)
{
    struct run r = RUN("pair", "--token-file", "/nowhere", NOWHERE);
    assert_int_equal(r.code, CLI_FAILED);
    assert_contains(r.err, "/nowhere: No such file");
    run_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_or_a_password_is_shown_once_and_the_session_is_kept),
        cmocka_unit_test(the_session_is_found_wherever_the_server_puts_it),
        cmocka_unit_test(a_token_that_is_refused_is_told_and_not_repeated),
        cmocka_unit_test(what_proves_nothing_is_wrong_usage_and_is_not_repeated),
        cmocka_unit_test(a_token_file_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
