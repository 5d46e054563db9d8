/* The whole hub on real sockets: start, files, one commit for all, the end. */
#include "hub_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/file.h"
#include "hub/hub.h"
#include "hub/hub_listen.h"

#define QUEUE "/v1/databases/db/collections/queues/documents/bar"

/* ---- a function in place of ours: writes to the queue, and fails when it is told to ----------------- */

struct functions {
    struct documents *documents;
};

struct functions *functions_create(const struct functions_params *p)
{
    struct functions *f = xcalloc(1, sizeof(*f));
    f->documents = p->documents;
    return f;
}

void functions_destroy(struct functions *f)
{
    free(f);
}

bool functions_execute(struct functions *f, const struct caller *caller, const char *id,
                       const struct message *request, struct message **out, struct api_error *e)
{
    struct message *data = message_create();
    message_set_str(data, "mainQueue", message_str(request, "body", ""));
    bool is_good =
        documents_update(f->documents, NULL, collection_find("queues"), "bar", data, NULL, out, e);
    message_destroy(data);
    assert_true(is_good);
    if (strcmp(id, "fails") != 0)
        return true;
    message_destroy(*out);
    return api_fail(e, API_INTERNAL, "it failed");
}

/* ---- a hub of its own for each test ---------------------------------------------------------------- */

struct fixture {
    char *dir, *data, *run;
    struct hub_params params;
    struct hub *hub;
    pthread_t thread;
    bool is_running;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->dir = xasprintf("%s/djamms-hub-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    f->data = xasprintf("%s/data", f->dir);
    f->run = xasprintf("%s/run", f->dir);
    f->params = (struct hub_params){ .data_dir = f->data,
                                     .runtime_dir = f->run,
                                     .address = "127.0.0.1",
                                     .project_id = "prj",
                                     .database_id = "db",
                                     .venue_id = "bar",
                                     .origins = "" };
    *state = f;
    return 0;
}

static void *run_hub(void *arg)
{
    hub_run(arg);
    return NULL;
}

static void start(struct fixture *f)
{
    assert_int_equal(hub_create(&f->hub, &f->params), 0);
    assert_int_equal(pthread_create(&f->thread, NULL, run_hub, f->hub), 0);
    f->is_running = true;
}

static void stop(struct fixture *f)
{
    if (f->is_running) {
        hub_stop(f->hub);
        pthread_join(f->thread, NULL);
    }
    f->is_running = false;
    hub_destroy(f->hub);
    f->hub = NULL;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    stop(f);
    nftw(f->dir, rig_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(f->dir);
    free(f->data);
    free(f->run);
    free(f);
    return 0;
}

/* ---- a client ------------------------------------------------------------------------------------ */

static int dial(const struct fixture *f)
{
    const char *port = strrchr(hub_base_url(f->hub), ':') + 1;
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)atoi(port)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void take(int fd, void *out, size_t len)
{
    assert_int_equal(recv(fd, out, len, MSG_WAITALL), len);
}

/* Up to the empty line; the caller frees. */
static char *take_head(int fd)
{
    char *head = xcalloc(1, 8192);
    for (size_t n = 0; n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0; n++) {
        assert_true(n < 8000);
        take(fd, head + n, 1);
    }
    return head;
}

/* Status and body of a request of its own; `headers` are whole lines. The caller frees *body, which may be NULL. */
static int ask(const struct fixture *f, const char *method, const char *path, const char *headers,
               const char *text, char **head_out, char **body)
{
    int fd = dial(f);
    char *request = xasprintf("%s %s HTTP/1.1\r\nHost: x\r\nX-Appwrite-Project: prj\r\n%s"
                              "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                              method, path, headers, strlen(text), text);
    assert_int_equal(file_write_all(fd, request, strlen(request)), 0);
    char *head = take_head(fd);
    const char *len = strstr(head, "Content-Length: ");
    size_t n = len ? strtoul(len + 16, NULL, 10) : 0;
    char *got = xcalloc(1, n + 1);
    take(fd, got, n);
    close(fd);
    int status = atoi(head + strlen("HTTP/1.1 "));
    if (head_out)
        *head_out = head;
    else
        free(head);
    if (body)
        *body = got;
    else
        free(got);
    free(request);
    return status;
}

/* "X-Appwrite-Session: ...\r\n" of an anonymous account; the caller frees. */
static char *sign_in(const struct fixture *f)
{
    char *head;
    assert_int_equal(ask(f, "POST", "/v1/account/sessions/anonymous", "", "", &head, NULL), 201);
    const char *at = strstr(head, "{\"a_session_prj\":\"");
    assert_non_null(at);
    at += strlen("{\"a_session_prj\":\"");
    char *line = xasprintf("X-Appwrite-Session: %.*s\r\n", (int)strcspn(at, "\""), at);
    free(head);
    return line;
}

static int open_socket(const struct fixture *f, const char *path)
{
    int fd = dial(f);
    char *request = xasprintf("GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                              path);
    assert_int_equal(file_write_all(fd, request, strlen(request)), 0);
    char *head = take_head(fd);
    assert_contains(head, "HTTP/1.1 101 ");
    free(head);
    free(request);
    return fd;
}

/* The next frame's first byte and text; the caller frees. */
static char *take_frame(int fd, unsigned char *kind)
{
    unsigned char start[2], longer[2];
    take(fd, start, 2);
    size_t len = start[1];
    assert_true(len <= 126);
    if (len == 126) {
        take(fd, longer, 2);
        len = (size_t)(longer[0] << 8 | longer[1]);
    }
    char *text = xcalloc(1, len + 1);
    take(fd, text, len);
    *kind = start[0];
    return text;
}

static void assert_frame(int fd, unsigned char kind, const char *part)
{
    unsigned char got;
    char *text = take_frame(fd, &got);
    assert_int_equal(got, kind);
    assert_contains(text, part);
    free(text);
}

static char *read_notice(const struct fixture *f)
{
    char *path = xasprintf("%s/hub.json", f->run), *text = NULL;
    if (file_read(path, 4096, &text, NULL) < 0)
        text = NULL;
    free(path);
    return text;
}

static void assert_mode(const char *dir, const char *name, unsigned mode)
{
    struct stat st;
    char *path = xasprintf("%s/%s", dir, name);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, mode);
    free(path);
}

/* ---- start --------------------------------------------------------------------------------------- */

static void the_first_start_makes_a_private_folder_and_tells_the_zone(void **state)
{
    struct fixture *f = *state;
    start(f);
    assert_int_equal(strncmp(hub_base_url(f->hub), "http://127.0.0.1:", 17), 0);
    assert_mode(f->data, ".", 0700);
    assert_mode(f->data, "hub.db", 0600);
    assert_mode(f->run, "hub.json", 0600);
    char *notice = read_notice(f);
    assert_contains(notice, hub_base_url(f->hub));
    assert_contains(notice,
                    "\"project\":\"prj\",\"database\":\"db\",\"venue\":\"bar\",\"isOpen\":false");
    assert_contains(notice, "\"claimCode\":\"");
    assert_int_equal(ask(f, "GET", QUEUE, "", "", NULL, NULL), 200); /* the venue is furnished */
    free(notice);
    stop(f);
    assert_null(read_notice(f));
}

static void a_folder_has_one_hub_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct hub *second = NULL;
    start(f);
    assert_int_equal(hub_create(&second, &f->params), -EBUSY);
    assert_int_equal(ask(f, "GET", "/v1/ping", "", "", NULL, NULL), 200);
    char *notice = read_notice(f);
    assert_non_null(notice); /* the one who was refused took nothing away */
    free(notice);
    stop(f);
    start(f);
}

static void bad_parameters_are_refused_before_anything_is_made(void **state)
{
    struct fixture *f = *state;
    struct hub_params bad[5];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        bad[i] = f->params;
    bad[0].project_id = "a b";
    bad[1].database_id = "";
    bad[2].venue_id = "";
    bad[3].certificate = "/c";
    bad[4].key = "/k";
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct hub *h = NULL;
        assert_int_equal(hub_create(&h, &bad[i]), -EINVAL);
        assert_null(h);
        assert_int_equal(access(f->data, F_OK), -1);
    }
}

static void a_taken_port_is_left_to_its_owner(void **state)
{
    struct fixture *f = *state;
    start(f);
    struct fixture other = *f;
    char *data = xasprintf("%s/other", f->dir);
    other.params.data_dir = data;
    other.params.runtime_dir = NULL;
    other.params.port = atoi(strrchr(hub_base_url(f->hub), ':') + 1);
    assert_int_equal(hub_create(&other.hub, &other.params), -EADDRINUSE);
    other.params.takes_free_port = true;
    start(&other);
    assert_string_not_equal(hub_base_url(other.hub), hub_base_url(f->hub));
    assert_int_equal(ask(&other, "GET", "/v1/ping", "", "", NULL, NULL), 200);
    stop(&other);
    free(data);
}

static void urls_name_an_address_that_programs_of_the_box_reach(void **state)
{
    static const struct {
        const char *address;
        bool is_encrypted;
        const char *want;
        bool is_open;
    } cases[] = {
        { "127.0.0.1", false, "http://127.0.0.1:80/v1", false },
        { "0.0.0.0", false, "http://127.0.0.1:80/v1", true },
        { "::", true, "https://[::1]:80/v1", true },
        { "::1", false, "http://[::1]:80/v1", false },
        { "192.168.1.5", true, "https://192.168.1.5:80/v1", true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char url[128];
        assert_string_equal(
            hub_listen_url(cases[i].address, 80, cases[i].is_encrypted, url, sizeof(url)),
            cases[i].want);
        assert_int_equal(hub_listen_is_open(cases[i].address), cases[i].is_open);
    }
}

/* ---- at work ------------------------------------------------------------------------------------- */

static void a_claim_takes_the_code_away(void **state)
{
    struct fixture *f = *state;
    start(f);
    char *notice = read_notice(f);
    struct message *m = message_parse(notice, strlen(notice), NULL, 0);
    char *body =
        xasprintf("{\"code\":\"%s\",\"email\":\"o@bar.example\",\"password\":\"long enough\"}",
                  message_str(m, "claimCode", ""));
    assert_int_equal(ask(f, "POST", "/v1/hub/claim", "", body, NULL, NULL), 201);
    free(notice);
    notice = read_notice(f);
    assert_null(strstr(notice, "claimCode"));
    free(notice);
    stop(f);
    start(f);
    notice = read_notice(f);
    assert_null(strstr(notice, "claimCode"));
    free(notice);
    message_destroy(m);
    free(body);
}

static void a_write_reaches_the_sockets_and_survives_a_restart(void **state)
{
    struct fixture *f = *state;
    start(f);
    char *session = sign_in(f), *body;
    int fd = open_socket(f, "/v1/realtime?project=prj&channels[]=documents");
    assert_frame(fd, 0x81, "\"connected\"");
    assert_int_equal(
        ask(f, "PATCH", QUEUE, session, "{\"data\":{\"mainQueue\":\"[1]\"}}", NULL, &body), 200);
    assert_frame(fd, 0x81, body);
    close(fd);
    stop(f);
    start(f);
    char *again;
    assert_int_equal(ask(f, "GET", QUEUE, "", "", NULL, &again), 200);
    assert_string_equal(again, body);
    free(again);
    free(body);
    free(session);
}

static void a_strange_page_gets_a_close_that_it_can_read(void **state)
{
    struct fixture *f = *state;
    start(f);
    int fd = open_socket(f, "/v1/realtime?project=other");
    assert_frame(fd, 0x81, "\"code\":1008");
    assert_frame(fd, 0x88, "\x03\xf0");
    close(fd);
    int status = ask(f, "GET", "/v1/account", "Origin: https://evil.example\r\n", "", NULL, NULL);
    assert_int_equal(status, 403);
    fd = dial(f);
    static const char other[] = "GET /v1/other HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert_int_equal(file_write_all(fd, other, strlen(other)), 0);
    char *head = take_head(fd);
    assert_contains(head, "HTTP/1.1 404 ");
    free(head);
    close(fd);
}

static void what_a_request_wrote_before_it_failed_never_was(void **state)
{
    struct fixture *f = *state;
    char *body;
    start(f);
    int fd = open_socket(f, "/v1/realtime?project=prj&channels[]=documents");
    assert_frame(fd, 0x81, "\"connected\"");
    assert_int_equal(
        ask(f, "POST", "/v1/functions/fails/executions", "", "{\"body\":\"[1]\"}", NULL, NULL),
        500);
    assert_int_equal(ask(f, "GET", QUEUE, "", "", NULL, &body), 200);
    assert_contains(body, "\"mainQueue\":\"[]\"");
    free(body);
    assert_int_equal(
        ask(f, "POST", "/v1/functions/works/executions", "", "{\"body\":\"[2]\"}", NULL, NULL),
        201);
    assert_frame(fd, 0x81, "\"mainQueue\":\"[2]\""); /* the first that is heard */
    close(fd);
}

/* Writes beyond this size fail in this process, as on a full disk. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void what_cannot_be_saved_is_refused_and_told_to_nobody(void **state)
{
    struct fixture *f = *state;
    char *body;
    signal(SIGXFSZ, SIG_IGN);
    start(f);
    char *session = sign_in(f);
    int fd = open_socket(f, "/v1/realtime?project=prj&channels[]=documents");
    assert_frame(fd, 0x81, "\"connected\"");
    limit_files(1);
    assert_int_equal(
        ask(f, "PATCH", QUEUE, session, "{\"data\":{\"mainQueue\":\"[1]\"}}", NULL, &body), 503);
    assert_contains(body, "\"code\":503");
    assert_contains(body, "\"type\":\"general_server_error\"");
    free(body);
    assert_int_equal(ask(f, "GET", QUEUE, "", "", NULL, &body), 200); /* reading goes on */
    assert_contains(body, "\"mainQueue\":\"[]\"");
    free(body);
    limit_files(RLIM_INFINITY);
    assert_int_equal(
        ask(f, "PATCH", QUEUE, session, "{\"data\":{\"mainQueue\":\"[2]\"}}", NULL, NULL), 200);
    assert_frame(fd, 0x81, "\"mainQueue\":\"[2]\""); /* the first that is heard */
    close(fd);
    free(session);
}

#define PAGE     "Origin: http://jukebox.localhost:3000\r\n"
#define FIELD    "X-Filler: x\r\n"
#define FIELD_10 FIELD FIELD FIELD FIELD FIELD FIELD FIELD FIELD FIELD FIELD

/* What every answer to that page must have, or the browser keeps it from the page. */
static void assert_readable(char *head, int status)
{
    char *line = xasprintf("HTTP/1.1 %d ", status);
    assert_contains(head, line);
    assert_contains(head, "\r\nAccess-Control-Allow-Origin: http://jukebox.localhost:3000\r\n");
    assert_contains(head, "\r\nAccess-Control-Allow-Credentials: true\r\n");
    assert_null(strstr(head, "Set-Cookie"));
    assert_null(strstr(head, "X-Fallback-Cookies:"));
    free(line);
    free(head);
}

static void a_page_can_read_that_nothing_was_saved(void **state)
{
    struct fixture *f = *state;
    char *head, *headers;
    signal(SIGXFSZ, SIG_IGN);
    start(f);
    char *session = sign_in(f);
    headers = xasprintf(PAGE "%s", session);
    limit_files(1);
    ask(f, "PATCH", QUEUE, headers, "{\"data\":{\"mainQueue\":\"[1]\"}}", &head, NULL);
    assert_readable(head, 503);
    ask(f, "POST", "/v1/account/sessions/anonymous", PAGE, "", &head, NULL); /* and no session */
    assert_readable(head, 503);
    limit_files(RLIM_INFINITY);
    free(headers);
    free(session);
}

static void skip_body(int fd, const char *head)
{
    size_t n = strtoul(strstr(head, "Content-Length: ") + 16, NULL, 10);
    char *body = xcalloc(1, n + 1);
    take(fd, body, n);
    free(body);
}

/* Both in one turn: the preflight of the page's next request says nothing of what was to be saved. */
static void a_preflight_is_answered_whatever_becomes_of_the_turn(void **state)
{
    struct fixture *f = *state;
    signal(SIGXFSZ, SIG_IGN);
    start(f);
    char *session = sign_in(f);
    char *both = xasprintf("PATCH " QUEUE " HTTP/1.1\r\nHost: x\r\nX-Appwrite-Project: prj\r\n" PAGE
                           "%sContent-Length: 28\r\n\r\n{\"data\":{\"mainQueue\":\"[1]\"}}"
                           "OPTIONS " QUEUE " HTTP/1.1\r\nHost: x\r\n" PAGE
                           "Access-Control-Request-Method: PATCH\r\n\r\n",
                           session);
    limit_files(1);
    int fd = dial(f);
    assert_int_equal(file_write_all(fd, both, strlen(both)), 0);
    char *head = take_head(fd);
    skip_body(fd, head);
    assert_readable(head, 503);
    head = take_head(fd);
    assert_contains(head, "\r\nAccess-Control-Allow-Methods: GET, POST, PUT, PATCH, DELETE\r\n");
    assert_readable(head, 204);
    close(fd);
    limit_files(RLIM_INFINITY);
    free(both);
    free(session);
}

/* Says `text`, then `more` again and again up to `len` bytes in all. The head of the answer. */
static char *say_much(const struct fixture *f, const char *text, const char *more, size_t len)
{
    int fd = dial(f);
    struct buf b;
    buf_init(&b, strlen(text) + len + strlen(more) + 1);
    assert_int_equal(buf_append(&b, text, strlen(text)), 0);
    while (b.len < len)
        assert_int_equal(buf_append(&b, more, strlen(more)), 0);
    assert_int_equal(file_write_all(fd, b.data, b.len), 0);
    char *head = take_head(fd);
    buf_finish(&b);
    close(fd);
    return head;
}

static const struct {
    int status;
    const char *text, *more; /* and this again and again, up to `len` bytes */
    size_t len;
} unserved[] = {
    { 431, "GET /v1/ping HTTP/1.1\r\nHost: x\r\n" PAGE "X-Long: ", "xxxxxxxxxxxxxxxx", 33000 },
    { 431, "GET /v1/ping HTTP/1.1\r\nHost: x\r\n" PAGE, "X-Long: xxxxxxxxxxxxxxxxxxxxx\r\n",
      33000 },
    { 431,
      "GET /v1/ping HTTP/1.1\r\nHost: x\r\n" PAGE FIELD_10 FIELD_10 FIELD_10 FIELD_10 FIELD_10
          FIELD_10 FIELD_10 FIELD_10 FIELD_10 FIELD_10 "\r\n",
      "", 0 },
    { 413, "POST /v1/ping HTTP/1.1\r\nHost: x\r\n" PAGE "Content-Length: 99999999\r\n\r\n", "", 0 },
    { 400, "GET /v1/%zz HTTP/1.1\r\nHost: x\r\n" PAGE "\r\n", "", 0 },
    { 400, "GET /v1/ping HTTP/1.1\r\n" PAGE "\r\n", "", 0 },
};

static void a_page_can_read_why_it_is_not_served(void **state)
{
    struct fixture *f = *state;
    start(f);
    for (size_t i = 0; i < ARRAY_LEN(unserved); i++)
        assert_readable(say_much(f, unserved[i].text, unserved[i].more, unserved[i].len),
                        unserved[i].status);
}

/* A request of that method whose URL has `len` bytes, said in pieces of `piece`. The head of the answer. */
static char *say_long(const struct fixture *f, const char *method, size_t len, size_t piece,
                      const char *fields)
{
    char *url = xcalloc(1, len + 1);
    memset(url, 'x', len);
    url[0] = '/';
    char *text = xasprintf("%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method, url, fields);
    int fd = dial(f);
    for (size_t at = 0, all = strlen(text); at < all; at += piece)
        assert_int_equal(file_write_all(fd, text + at, all - at < piece ? all - at : piece), 0);
    char *head = take_head(fd);
    close(fd);
    free(text);
    free(url);
    return head;
}

/* And the browser, which asks before, that it may go on to it. */
static void a_page_can_read_that_its_url_is_too_long(void **state)
{
    static const size_t lengths[] = { 32760, 33000, 65536, 70000, 1500000 };
    struct fixture *f = *state;
    start(f);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        for (size_t piece = 9999; piece < 4000000; piece *= 300) {
            assert_readable(say_long(f, "GET", lengths[i], piece, PAGE), 414);
            assert_readable(say_long(f, "PATCH", lengths[i], piece,
                                     "Content-Length: 9\r\n" PAGE "X-Appwrite-Project: prj\r\n"),
                            414);
            char *head = say_long(f, "OPTIONS", lengths[i], piece,
                                  PAGE "Access-Control-Request-Method: GET\r\n");
            assert_contains(head, "\r\nAccess-Control-Allow-Methods: GET,");
            assert_readable(head, 204);
        }
    }
    char *head = say_long(f, "GET", 40000, 40000, "Origin: https://elsewhere.example\r\n");
    assert_contains(head, "HTTP/1.1 414 ");
    assert_null(strstr(head, "Access-Control-Allow-Origin"));
    free(head);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_start_makes_a_private_folder_and_tells_the_zone),
        TEST(a_folder_has_one_hub_at_a_time),
        TEST(bad_parameters_are_refused_before_anything_is_made),
        TEST(a_taken_port_is_left_to_its_owner),
        cmocka_unit_test(urls_name_an_address_that_programs_of_the_box_reach),
        TEST(a_claim_takes_the_code_away),
        TEST(a_write_reaches_the_sockets_and_survives_a_restart),
        TEST(a_strange_page_gets_a_close_that_it_can_read),
        TEST(what_a_request_wrote_before_it_failed_never_was),
        TEST(what_cannot_be_saved_is_refused_and_told_to_nobody),
        TEST(a_page_can_read_that_nothing_was_saved),
        TEST(a_page_can_read_why_it_is_not_served),
        TEST(a_preflight_is_answered_whatever_becomes_of_the_turn),
        TEST(a_page_can_read_that_its_url_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
