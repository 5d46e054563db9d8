/* The commands for a data folder, run as the program runs them. */
#include "admin_house.h"

/* ---- accounts ---------------------------------------------------------------------------------- */

static void a_user_is_made_before_the_hub_ever_ran(void **state)
{
    struct house *h = *state;
    struct run r = RUN(h, "user", "add", "Owner@Bar.example", "--role", "owner", "--password-file",
                       h->password_file);
    char *database = data_dir_database(h->data);
    assert_int_equal(r.status, 0);
    assert_contains(r.out, "owner@bar.example");
    assert_contains(r.out, "endpoint: http://127.0.0.1:8777/v1\n");
    assert_contains(r.out, "project:  djamms\n");
    assert_string_equal(r.err, "");
    assert_true(can_sign_in(h, "owner@bar.example", PASSWORD));
    assert_int_equal(mode_of(h->data), 0700);
    assert_int_equal(mode_of(database), 0600);
    free(database);
    run_finish(&r);
}

static void programs_read_one_object(void **state)
{
    struct house *h = *state;
    struct run made = RUN(h, "user", "add", "a@b.c", "--role", "staff", "--password-file",
                          h->password_file, "--json", "--set", "hub.project=bar");
    struct run again = RUN(h, "user", "add", "a@b.c", "--role", "staff", "--password-file",
                           h->password_file, "--json");
    struct run list = RUN(h, "user", "list", "--json");
    assert_true(message_bool(made.json, "ok", false));
    assert_string_equal(message_str(made.json, "role", ""), "staff");
    assert_string_equal(message_str(made.json, "project", ""), "bar");
    assert_string_equal(message_str(made.json, "userId", "?"),
                        message_str(message_object_at(list.json, "users", 0), "$id", ""));
    assert_int_equal(again.status, 1);
    assert_false(message_bool(again.json, "ok", true));
    assert_contains(message_str(again.json, "error", ""), "already exists");
    assert_string_equal(again.err, "");
    run_finish(&made);
    run_finish(&again);
    run_finish(&list);
}

static void a_password_comes_from_standard_input_too(void **state)
{
    struct house *h = *state;
    assert_int_equal(status_of(RUN_IN(h, PASSWORD "\r\n", "user", "add", "a@b.c", "--role", "guest",
                                      "--password-file", "-")),
                     0);
    assert_true(can_sign_in(h, "a@b.c", PASSWORD));
    assert_int_equal(
        status_of(RUN_IN(h, "another one", "user", "password", "a@b.c", "--password-file", "-")),
        0);
    assert_true(can_sign_in(h, "a@b.c", "another one"));
    assert_int_equal(status_of(RUN(h, "user", "remove", "a@b.c")), 0);
    assert_false(can_sign_in(h, "a@b.c", "another one"));
}

static const char *const bad_passwords[] = { "", "\n", "short", "two lines\nof text\n",
                                             "\n\n12345678" };

static void a_bad_password_is_refused_and_not_repeated(void **state)
{
    struct house *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(bad_passwords); i++) {
        struct run r = RUN_IN(h, bad_passwords[i], "user", "add", "a@b.c", "--role", "guest",
                              "--password-file", "-");
        assert_int_equal(r.status, 1);
        assert_string_equal(r.out, "");
        assert_null(strstr(r.err, "short"));
        assert_null(strstr(r.err, "lines\n"));
        run_finish(&r);
    }
}

static void no_secret_is_taken_from_the_command_line(void **state)
{
    static const char *const ways[][3] = {
        { "--password", "hunter2hunter2" }, { "--password=hunter2hunter2" },
        { "--secret=hunter2hunter2" },      { "hunter2hunter2" },
        { "--json=hunter2hunter2" },
    };
    struct house *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct run r = RUN(h, "user", "add", "a@b.c", "--role", "owner", ways[i][0], ways[i][1]);
        assert_int_equal(r.status, 2);
        assert_null(strstr(r.err, "hunter2"));
        assert_null(strstr(r.out, "hunter2"));
        run_finish(&r);
    }
    assert_int_not_equal(access(h->data, F_OK), 0); /* wrong usage makes nothing */
}

static void a_key_is_shown_once(void **state)
{
    struct house *h = *state;
    struct run made = RUN(h, "key", "add", "installer", "--json"), list = RUN(h, "key", "list");
    const char *secret = message_str(made.json, "secret", "");
    assert_contains(list.out, "installer");
    assert_null(strstr(list.out, secret));
    struct rig *r = open_rig(h);
    struct credentials c = { .key = secret };
    struct caller caller;
    rig_must(r, accounts_identify(r->accounts, &c, &caller, &r->e));
    assert_int_equal(caller.kind, CALLER_KEY);
    assert_int_equal(status_of(RUN(h, "key", "remove", "installer")),
                     0); /* beside a hub that runs */
    assert_false(accounts_identify(r->accounts, &c, &caller, &r->e));
    close_rig(r);
    assert_int_equal(status_of(RUN(h, "key", "remove", "installer")), 1);
    run_finish(&made);
    run_finish(&list);
}

static void a_token_is_printed_with_what_a_client_needs(void **state)
{
    struct house *h = *state;
    assert_int_equal(status_of(RUN(h, "token", "a@b.c")), 1); /* who is that? */
    assert_int_equal(add_user(h, "a@b.c"), 0);
    struct run r = RUN(h, "token", "A@b.c", "--json"), text = RUN(h, "token", "a@b.c");
    const char *user_id = message_str(r.json, "userId", ""),
               *secret = message_str(r.json, "secret", "");
    char *both = xasprintf("%s:%s", user_id, secret), session[SECRET_TEXT_MAX];
    assert_string_equal(message_str(r.json, "token", ""), both);
    assert_int_equal(strlen(secret), 16);
    assert_string_equal(message_str(r.json, "endpoint", ""), "http://127.0.0.1:8777/v1");
    assert_string_equal(message_str(r.json, "venue", ""), "venue-001");
    assert_contains(text.out, "project:  ");
    assert_contains(text.out, user_id);
    struct rig *hub = open_rig(h);
    struct message *m;
    rig_reboot(hub, 0); /* its time is that of the tool */
    rig_must(hub,
             accounts_sign_in_token(hub->accounts, user_id, secret, "::1", &m, session, &hub->e));
    message_destroy(m);
    close_rig(hub);
    run_finish(&r);
    run_finish(&text);
    free(both);
}

static void the_code_of_a_new_house_is_shown_until_it_has_an_owner(void **state)
{
    struct house *h = *state;
    struct run before = RUN(h, "claim", "--json"), again = RUN(h, "claim", "--json");
    assert_int_equal(strlen(message_str(before.json, "code", "")), 14);
    assert_string_equal(message_str(before.json, "code", ""), message_str(again.json, "code", "?"));
    assert_int_equal(add_user(h, "a@b.c"), 0);
    struct run after = RUN(h, "claim", "--json");
    assert_false(message_has(after.json, "code"));
    assert_true(message_bool(after.json, "isClaimed", false));
    run_finish(&before);
    run_finish(&again);
    run_finish(&after);
}

static const struct {
    const char *word[8];
} wrong_usages[] = {
    { { "user" } },
    { { "user", "dance" } },
    { { "user", "add" } },
    { { "user", "add", "a@b.c" } },
    { { "user", "add", "a@b.c", "--role", "owner" } },
    { { "user", "add", "a@b.c", "--role" } },
    { { "user", "add", "a@b.c", "b", "--role", "owner" } },
    { { "user", "list", "x" } },
    { { "user", "list", "--venue", "x" } },
    { { "user", "list", "-x" } },
    { { "key", "add" } },
    { { "token" } },
    { { "token", "a@b.c", "b@b.c" } },
    { { "token", "a@b.c", "--role", "owner" } },
    { { "claim", "now" } },
    { { "backup" } },
    { { "restore", "a", "b" } },
    { { "import" } },
    { { "import", "--endpoint", "http://x/v1", "--project", "p" } },
    { { "import", "--endpoint", "x", "--project", "p", "--database", "d" } },
    { { "import", "--endpoint", "ws://x/v1", "--project", "p", "--database", "d" } },
    { { "import", "--endpoint", "http://x/v1", "--project", "../p", "--database", "d" } },
    { { "user", "list", "--set", "hub.nothing=1" } },
};

static void wrong_usage_is_told_in_a_sentence(void **state)
{
    struct house *h = *state;
    assert_true(admin_is_command("restore"));
    assert_false(admin_is_command("--listen") || admin_is_command(NULL) || admin_is_command(""));
    for (size_t i = 0; i < ARRAY_LEN(wrong_usages); i++) {
        struct run r = run_words(h, "", wrong_usages[i].word);
        if (r.status != 2 || strncmp(r.err, "djamms-hub: ", 12) != 0 || *r.out)
            fail_msg("case %zu: %d %s%s", i, r.status, r.out, r.err);
        run_finish(&r);
    }
}

static void the_endpoint_is_that_of_the_hub_that_runs(void **state)
{
    struct house *h = *state;
    int lock = data_dir_lock(h->data, DATA_SERVE);
    assert_true(lock >= 0);
    assert_int_equal(data_dir_announce(lock, "http://127.0.0.1:34567/v1", "p1", "d1"), 0);
    struct run r = RUN(h, "key", "add", "k", "--json");
    assert_string_equal(message_str(r.json, "endpoint", ""), "http://127.0.0.1:34567/v1");
    run_finish(&r);
    close(lock);
    r = RUN(h, "claim", "--json");
    assert_string_equal(message_str(r.json, "endpoint", ""), "http://127.0.0.1:8777/v1");
    run_finish(&r);
}

static void the_ids_are_those_of_the_hub_that_runs_or_ran_last(void **state)
{
    struct house *h = *state;
    int lock = data_dir_lock(h->data, DATA_SERVE);
    assert_int_equal(data_dir_announce(lock, "", "p1", "d1"), 0);
    struct run r = RUN(h, "key", "add", "k", "--json", "--set", "hub.project=other");
    assert_string_equal(message_str(r.json, "project", ""), "p1"); /* as a client must name it */
    assert_string_equal(message_str(r.json, "database", ""), "d1");
    assert_string_equal(message_str(r.json, "endpoint", ""), "http://127.0.0.1:8777/v1");
    run_finish(&r);
    close(lock);
    r = RUN(h, "claim");
    assert_contains(r.out, "project:  p1\ndatabase: d1\n");
    run_finish(&r);
    r = RUN(h, "claim", "--json", "--set", "hub.project=next");
    assert_string_equal(message_str(r.json, "project", ""), "next"); /* of the hub to be started */
    assert_string_equal(message_str(r.json, "database", ""), "d1");
    run_finish(&r);
    lock = data_dir_lock(h->data, DATA_SERVE);
    r = RUN(h, "claim", "--json");
    assert_string_equal(message_str(r.json, "project", ""), "djamms"); /* it has not said yet */
    run_finish(&r);
    close(lock);
}

/* ---- backup and restore ------------------------------------------------------------------------ */

static void a_backup_is_a_whole_private_file_and_never_replaces_one(void **state)
{
    struct house *h = *state;
    assert_int_equal(status_of(RUN(h, "backup", h->backup)), 1); /* there is no hub yet */
    assert_int_not_equal(access(h->data, F_OK), 0);
    assert_int_equal(add_user(h, "a@b.c"), 0);
    struct rig *hub = open_rig(h); /* while it runs */
    assert_int_equal(status_of(RUN(h, "backup", h->backup)), 0);
    close_rig(hub);
    assert_int_equal(mode_of(h->backup), 0600);
    assert_int_equal(database_check(h->backup, hub_migrations(), &rig_log), 0);
    assert_int_equal(status_of(RUN(h, "backup", h->backup)), 1);
}

static void a_restore_brings_back_what_was_and_keeps_what_is(void **state)
{
    struct house *h = *state;
    assert_int_equal(add_user(h, "first@b.c"), 0);
    assert_int_equal(status_of(RUN(h, "backup", h->backup)), 0);
    assert_int_equal(add_user(h, "second@b.c"), 0);
    struct run r = RUN(h, "restore", h->backup, "--json");
    assert_int_equal(r.status, 0);
    assert_true(can_sign_in(h, "first@b.c", PASSWORD));
    assert_false(can_sign_in(h, "second@b.c", PASSWORD));
    const char *kept = message_str(r.json, "kept", "");
    assert_int_equal(mode_of(kept), 0600);
    char *copy = xasprintf("%s/kept", h->dir);
    assert_int_equal(rename(kept, copy), 0);
    assert_int_equal(status_of(RUN(h, "restore", copy)), 0);
    assert_true(can_sign_in(h, "second@b.c", PASSWORD));
    free(copy);
    run_finish(&r);
}

static void a_restore_on_a_new_box_needs_nothing_there(void **state)
{
    struct house *h = *state;
    assert_int_equal(add_user(h, "first@b.c"), 0);
    assert_int_equal(status_of(RUN(h, "backup", h->backup)), 0);
    free(h->data);
    h->data = xasprintf("%s/new/box", h->dir);
    struct run r = RUN(h, "restore", h->backup, "--json");
    assert_int_equal(r.status, 0);
    assert_int_equal(message_kind(r.json, "kept"), MESSAGE_NULL);
    assert_true(can_sign_in(h, "first@b.c", PASSWORD));
    run_finish(&r);
}

static void restored_documents_are_later_than_what_clients_hold(void **state)
{
    struct house *h = *state;
    write_queue(h, "[]");
    assert_int_equal(status_of(RUN(h, "backup", h->backup)), 0);
    write_queue(h, "[{\"videoId\":\"x\"}]");
    struct message *held = read_queue(h);
    assert_int_equal(status_of(RUN(h, "restore", h->backup)), 0);
    struct message *restored = read_queue(h);
    assert_string_equal(message_str(restored, "mainQueue", ""), "[]");
    assert_true(
        strcmp(message_str(restored, "$updatedAt", ""), message_str(held, "$updatedAt", "")) > 0);
    message_destroy(held);
    message_destroy(restored);
}

static void nothing_is_restored_while_the_folder_is_used(void **state)
{
    static const enum data_use uses[] = { DATA_SERVE, DATA_TOOL };
    struct house *h = *state;
    assert_int_equal(add_user(h, "first@b.c"), 0);
    assert_int_equal(status_of(RUN(h, "backup", h->backup)), 0);
    for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
        int lock = data_dir_lock(h->data, uses[i]);
        assert_int_equal(data_dir_is_served(h->data), uses[i] == DATA_SERVE);
        struct run r = RUN(h, "restore", h->backup);
        assert_int_equal(r.status, 1);
        assert_contains(r.err, "in use");
        run_finish(&r);
        close(lock);
    }
    int lock = data_dir_lock(h->data, DATA_REPLACE);
    assert_int_equal(data_dir_lock(h->data, DATA_SERVE), -EWOULDBLOCK);
    assert_int_equal(add_user(h, "second@b.c"), 1);
    close(lock);
    lock = data_dir_lock(h->data, DATA_SERVE);
    assert_int_equal(data_dir_lock(h->data, DATA_SERVE), -EWOULDBLOCK); /* one hub */
    assert_int_equal(add_user(h, "second@b.c"), 0);
    close(lock);
}

static void what_is_no_backup_is_refused_and_changes_nothing(void **state)
{
    struct house *h = *state;
    assert_int_equal(add_user(h, "first@b.c"), 0);
    char *own = data_dir_database(h->data), *gone = xasprintf("%s/gone", h->dir);
    char *text = write_file(h->dir, "text", "this is no database, however long it may be\n");
    char *empty = write_file(h->dir, "empty", ""), *cut = xasprintf("%s/cut", h->dir);
    assert_int_equal(status_of(RUN(h, "backup", cut)), 0);
    assert_int_equal(truncate(cut, 20000), 0);
    const char *const bad[] = { own, gone, text, empty, cut, h->dir };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct run r = RUN(h, "restore", bad[i]);
        if (r.status != 1)
            fail_msg("restored: %s", bad[i]);
        assert_true(can_sign_in(h, "first@b.c", PASSWORD));
        run_finish(&r);
    }
    char *left = xasprintf("%s.restoring", own);
    assert_int_not_equal(access(left, F_OK), 0);
    free(left);
    free(own);
    free(gone);
    free(text);
    free(empty);
    free(cut);
}

static void a_damaged_database_is_kept_with_its_log(void **state)
{
    struct house *h = *state;
    assert_int_equal(add_user(h, "first@b.c"), 0);
    assert_int_equal(status_of(RUN(h, "backup", h->backup)), 0);
    char *own = data_dir_database(h->data), *log = xasprintf("%s-wal", own);
    free(write_file(h->data, "hub.db", "damaged"));
    free(write_file(h->data, "hub.db-wal", "its log"));
    struct run r = RUN(h, "restore", h->backup, "--json");
    assert_int_equal(r.status, 0);
    assert_int_not_equal(access(log, F_OK), 0);
    char *kept_log = xasprintf("%s-wal", message_str(r.json, "kept", ""));
    assert_int_equal(access(kept_log, F_OK), 0);
    assert_true(can_sign_in(h, "first@b.c", PASSWORD));
    free(kept_log);
    free(own);
    free(log);
    run_finish(&r);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        HOUSE_TEST(a_user_is_made_before_the_hub_ever_ran),
        HOUSE_TEST(programs_read_one_object),
        HOUSE_TEST(a_password_comes_from_standard_input_too),
        HOUSE_TEST(a_bad_password_is_refused_and_not_repeated),
        HOUSE_TEST(no_secret_is_taken_from_the_command_line),
        HOUSE_TEST(a_key_is_shown_once),
        HOUSE_TEST(a_token_is_printed_with_what_a_client_needs),
        HOUSE_TEST(the_code_of_a_new_house_is_shown_until_it_has_an_owner),
        HOUSE_TEST(wrong_usage_is_told_in_a_sentence),
        HOUSE_TEST(the_endpoint_is_that_of_the_hub_that_runs),
        HOUSE_TEST(the_ids_are_those_of_the_hub_that_runs_or_ran_last),
        HOUSE_TEST(a_backup_is_a_whole_private_file_and_never_replaces_one),
        HOUSE_TEST(a_restore_brings_back_what_was_and_keeps_what_is),
        HOUSE_TEST(a_restore_on_a_new_box_needs_nothing_there),
        HOUSE_TEST(restored_documents_are_later_than_what_clients_hold),
        HOUSE_TEST(nothing_is_restored_while_the_folder_is_used),
        HOUSE_TEST(what_is_no_backup_is_refused_and_changes_nothing),
        HOUSE_TEST(a_damaged_database_is_kept_with_its_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
