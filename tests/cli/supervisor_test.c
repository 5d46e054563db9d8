/* The programs of a zone, played by small scripts: start, restart, logs, end, nothing left behind. */
#include "scene.h"

#include "base/now.h"
#include "base/twin_file.h"
#include "cli/supervisor.h"
#include "cli/walk.h"
#include "cli/zone.h"
#include "shm/control.h"

/* ---- the life of a zone ---------------------------------------------------------------------------- */

static void a_clean_end_of_the_player_ends_all_and_leaves_nothing(void **state)
{
    struct scene_of_test *s = *state;
    int fds[PROGRAMS_OF_PLAY];
    START(s, "play", s->media, "--size", "640x360", "--set", "sound.volume=3");
    wait_until_up(s);
    open_all(s, fds, PROGRAMS_OF_PLAY);
    end_player(s, "0");
    assert_int_equal(wait_end(s), 0);
    assert_all_end(fds, PROGRAMS_OF_PLAY);
    assert_contains(s->text.data, "--set queue.exit-at-end=yes");
    assert_contains(s->text.data, "--set display.size=640x360 --set sound.volume=3");
    assert_contains(s->text.data, "deck-a | ready --deck a --runtime-dir ");
    char *zones = xasprintf("%s/djamms-play-%ld", s->dir, (long)geteuid());
    assert_int_equal(rmdir(zones), 0); /* it is empty */
    assert_null(strstr(s->text.data, "hub    |"));
    free(zones);
}

static void whatever_is_killed_comes_back_and_the_others_stay(void **state)
{
    struct scene_of_test *s = *state;
    START(s, "up", s->media, "--runtime-dir", s->runtime_dir);
    wait_until_all_are_up(s);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *ready = xasprintf("%-6s | ready", names[i]);
        pid_t before = pid_of(s, names[i]);
        kill(before, SIGKILL);
        wait_for(s, ready, 2);
        assert_int_not_equal(pid_of(s, names[i]), before);
        free(ready);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *ready = xasprintf("%-6s | ready", names[i]);
        assert_int_equal(count_of(s->text.data, ready), 2);
        free(ready);
    }
    assert_int_equal(count_of(s->text.data, "was killed by signal 9"), PROGRAMS_OF_UP);
    end_player(s, "1"); /* an unclean end is a death too */
    wait_for(s, "player | ready", 3);
    assert_contains(s->text.data, "player ended with status 1; it is started again");
    kill(s->pid, SIGTERM);
    assert_int_equal(wait_end(s), 0);
}

static void the_hub_is_started_beside_the_jukebox_unless_it_is_off(void **state)
{
    struct scene_of_test *s = *state;
    START(s, "up", "--runtime-dir", s->runtime_dir, "--set", "hub.port=0");
    wait_until_all_are_up(s);
    char *want = xasprintf("hub    | ready --state-dir %s --runtime-dir %s --set hub.port=0\n",
                           s->dir, s->runtime_dir);
    assert_contains(s->text.data, want);
    end_player(s, "0");
    assert_int_equal(wait_end(s), 0);
    close(s->output);
    s->text.len = 0;
    char *hub = xasprintf("%s/djamms-hub", s->dir);
    assert_int_equal(unlink(hub), 0);
    START(s, "up", "--runtime-dir", s->runtime_dir, "--set", "hub.enabled=no");
    wait_until_up(s);
    end_player(s, "0");
    assert_int_equal(wait_end(s), 0);
    assert_null(strstr(s->text.data, "hub    |"));
    free(hub);
    free(want);
}

/* The stage is a script: its signs of life are given here. */
static void a_stage_that_gives_no_sign_of_life_is_killed_and_starts_again(void **state)
{
    struct scene_of_test *s = *state;
    struct segment segment;
    struct control *control;
    START(s, "up", "--runtime-dir", s->runtime_dir);
    wait_until_all_are_up(s);
    assert_int_equal(control_open(&segment, s->runtime_dir, &control), 0);
    int64_t last_ns = now_mono_ns();
    process_beat(control, PROCESS_STAGE0, last_ns);
    process_limit(control, PROCESS_STAGE0, SECONDS(1));
    wait_for(s, "stage gives no sign of life: it is killed", 1);
    assert_true(now_mono_ns() - last_ns >= SECONDS(1));
    wait_for(s, "stage  | ready", 2);
    segment_close(&segment);
    kill(s->pid, SIGTERM);
    assert_int_equal(wait_end(s), 0);
}

static void a_stage_that_computes_has_twice_as_long(void **state)
{
    struct scene_of_test *s = *state;
    struct segment segment;
    struct control *control;
    write_script(s, "djamms-stage",
                 "#!/bin/sh\necho $$ > $T/stage.pid\necho ready $*\nwhile :; do :; done\n");
    START(s, "up", "--runtime-dir", s->runtime_dir);
    wait_until_all_are_up(s);
    assert_int_equal(control_open(&segment, s->runtime_dir, &control), 0);
    int64_t last_ns = now_mono_ns();
    process_beat(control, PROCESS_STAGE0, last_ns);
    process_limit(control, PROCESS_STAGE0, SECONDS(1));
    wait_for(s, "stage gives no sign of life: it is killed", 1);
    assert_true(now_mono_ns() - last_ns >= SECONDS(2));
    segment_close(&segment);
    kill(s->pid, SIGTERM);
    assert_int_equal(wait_end(s), 0);
}

/* Numbers of processes grow. */
static void the_second_deck_starts_after_all_others(void **state)
{
    struct scene_of_test *s = *state;
    START(s, "up", "--runtime-dir", s->runtime_dir);
    wait_until_all_are_up(s);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], "deck-b") != 0)
            assert_true(pid_of(s, names[i]) < pid_of(s, "deck-b"));
    kill(s->pid, SIGTERM);
    assert_int_equal(wait_end(s), 0);
}

static void only_the_player_may_end_all_by_ending_well(void **state)
{
    struct scene_of_test *s = *state;
    write_script(s, "djamms-stage",
                 "#!/bin/sh\n[ -e $T/once ] || { touch $T/once; exit 0; }\n"
                 "echo $$ > $T/stage.pid\necho ready\nexec sleep 1000\n");
    START(s, "up", "--runtime-dir", s->runtime_dir);
    wait_until_up(s);
    assert_contains(s->text.data, "stage ended with status 0; it is started again");
    end_player(s, "0");
    assert_int_equal(wait_end(s), 0);
}

static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static void every_signal_to_end_ends_all(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(end_signals); i++) {
        struct scene_of_test *s;
        int fds[PROGRAMS_OF_UP];
        setup((void **)&s);
        START(s, "up", "--runtime-dir", s->runtime_dir);
        wait_until_all_are_up(s);
        open_all(s, fds, PROGRAMS_OF_UP);
        kill(s->pid, end_signals[i]);
        assert_int_equal(wait_end(s), 0);
        assert_all_end(fds, PROGRAMS_OF_UP);
        assert_null(strstr(s->text.data, "does not end")); /* they were asked first */
        teardown((void **)&s);
    }
}

static void a_hang_up_that_was_ignored_from_the_start_ends_nothing(void **state)
{
    struct scene_of_test *s = *state;
    signal(SIGHUP, SIG_IGN);
    START(s, "up", "--runtime-dir", s->runtime_dir);
    signal(SIGHUP, SIG_DFL);
    wait_until_all_are_up(s);
    kill(s->pid, SIGHUP);
    kill(pid_of(s, "stage"), SIGKILL);
    wait_for(s, "stage  | ready", 2); /* it goes on */
    kill(s->pid, SIGTERM);
    assert_int_equal(wait_end(s), 0);
}

static void nothing_outlives_a_killed_supervisor(void **state)
{
    struct scene_of_test *s = *state;
    int fds[PROGRAMS_OF_UP];
    START(s, "up", "--runtime-dir", s->runtime_dir);
    wait_until_all_are_up(s);
    open_all(s, fds, PROGRAMS_OF_UP);
    kill(s->pid, SIGKILL);
    assert_int_equal(wait_end(s), -1);
    assert_all_end(fds, PROGRAMS_OF_UP);
}

static void the_zone_of_a_killed_one_is_swept_by_the_next(void **state)
{
    struct scene_of_test *s = *state;
    START(s, "play", s->media);
    wait_until_up(s);
    kill(s->pid, SIGKILL);
    assert_int_equal(wait_end(s), -1);
    close(s->output);
    struct zone first, second;
    assert_int_equal(zone_create(&first), 0);
    assert_int_equal(zone_create(&second), 0);
    assert_int_equal(zone_sweep(&second), 1); /* the dead one; not the first, which is in use */
    assert_int_equal(access(first.runtime_dir, W_OK), 0);
    zone_destroy(&first);
    assert_int_equal(zone_sweep(&second), 0);
    zone_destroy(&second);
    s->output = 0;
}

static void a_second_jukebox_in_the_zone_is_refused(void **state)
{
    struct scene_of_test *s = *state;
    START(s, "up", "--runtime-dir", s->runtime_dir);
    wait_until_all_are_up(s);
    struct run r = RUN("up", "--runtime-dir", s->runtime_dir);
    assert_int_equal(r.code, 1);
    assert_contains(r.err, "a jukebox runs already in ");
    run_finish(&r);
    kill(s->pid, SIGTERM);
    assert_int_equal(wait_end(s), 0);
    /* Nor beside a player that somebody else started. */
    struct fake_player p = FAKE_PLAYER("{}");
    r = RUN("up", "--runtime-dir", p.dir);
    assert_int_equal(r.code, 1);
    assert_contains(r.err, "a jukebox runs already in ");
    run_finish(&r);
    free(fake_player_finish(&p));
}

static void play_gives_up_on_a_program_that_never_lives(void **state)
{
    struct scene_of_test *s = *state;
    write_script(s, "djamms-stage",
                 "#!/bin/sh\nprintf 'error: stage: no '\nprintf 'display\\nlast words'\nexit 3\n");
    START(s, "play", s->media);
    assert_int_equal(wait_end(s), 1);
    assert_contains(s->text.data, "stage  | error: no display\n");
    assert_contains(s->text.data, "stage  | last words\n");
    assert_contains(s->text.data, "stage ends again and again: giving up");
}

static void a_player_that_exits_is_not_started_again_by_play(void **state)
{
    struct scene_of_test *s = *state;
    START(s, "play", s->media);
    wait_until_up(s);
    kill(pid_of(s, "player"), SIGKILL); /* that is a death */
    wait_for(s, "player | ready", 2);
    end_player(s, "1"); /* that is its word on what it could play */
    assert_int_equal(wait_end(s), 1);
    assert_int_equal(count_of(s->text.data, "player | ready"), 2);
    assert_null(strstr(s->text.data, "ended with status"));
    assert_null(strstr(s->text.data, "giving up"));
}

static void a_folder_for_the_queue_that_cannot_be_used_is_refused_at_once(void **state)
{
    struct scene_of_test *s = *state;
    char *below = xasprintf("%s/state", s->media); /* the medium is a file */
    const char *const dirs[] = { s->media, below };
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        struct run r = RUN("up", "--runtime-dir", s->runtime_dir, "--state-dir", dirs[i]);
        assert_int_equal(r.code, 1);
        assert_contains(r.err, dirs[i]);
        assert_contains(r.err, ": the queue cannot be kept there: ");
        run_finish(&r);
    }
    free(below);
}

static void a_program_that_cannot_be_executed_is_told(void **state)
{
    struct scene_of_test *s = *state;
    write_script(s, "djamms-deck", "#!/nonexistent\n");
    START(s, "play", s->media);
    assert_int_equal(wait_end(s), 1);
    assert_contains(s->text.data, "deck-a | cannot be started: it is missing");
    setenv("DJAMMS_LIBEXEC", "/nonexistent", 1);
    struct run r = RUN("up", "--runtime-dir", s->runtime_dir);
    assert_int_equal(r.code, 1);
    assert_contains(r.err, "/nonexistent/djamms-player: No such file");
    run_finish(&r);
}

static void one_that_ignores_the_wish_to_end_is_killed(void **state)
{
    struct scene_of_test *s = *state;
    int ends[2];
    uv_loop_t loop;
    const char *argv[] = { "sh", "-c", "trap '' TERM; echo ready; exec sleep 1000", NULL };
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct supervisor *sv =
        supervisor_create(&(struct supervisor_params){ .log_fd = ends[1], .term_ms = 20 });
    struct child_params p = { .name = "deaf", .program = "/bin/sh", .argv = (char *const *)argv };
    assert_int_equal(supervisor_spawn(sv, &p), 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(supervisor_attach(sv, &loop), 0);
    s->output = ends[0];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    while (count_of(s->text.data, "ready") == 0) {
        uv_run(&loop, UV_RUN_ONCE);
        read_more(s);
    }
    supervisor_stop(sv);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(supervisor_is_done(sv) && supervisor_ended_well(sv));
    while (read_more(s))
        ;
    assert_contains(s->text.data, "deaf does not end: it is killed");
    supervisor_destroy(sv);
    assert_int_equal(uv_loop_close(&loop), 0);
    close(ends[1]);
}

/* ---- files ------------------------------------------------------------------------------------------ */

static void play_says_which_files_are_bad_and_ends_with_1(void **state)
{
    struct scene_of_test *s = *state;
    char *empty = xasprintf("%s/empty", s->dir);
    make_dir(s->dir, "empty");
    struct run r = RUN("play", "/nonexistent.mp4", empty);
    assert_int_equal(r.code, 1);
    assert_contains(r.err, "/nonexistent.mp4: there is no such file");
    assert_contains(r.err, "/empty: there is no media file in this folder");
    run_finish(&r);
    START(s, "play", s->media, "/nonexistent.mp4");
    wait_until_up(s);
    end_player(s, "0");
    assert_int_equal(wait_end(s), 1);
    free(empty);
}

static void of_several_mistakes_in_a_file_the_count_is_told_and_who_names_them(void **state)
{
    struct scene_of_test *s = *state;
    char *bad = make_file(s->dir, "bad.ini", "[sound]\nvolume = loud\nvolum = 3\n[x]\ny = 1\n");
    char *says =
        xasprintf("djamms: %s has 3 mistakes; `djamms config check %s` names them all\n", bad, bad);
    struct run r = RUN("up", "--config", bad);
    assert_int_equal(r.code, 2);
    assert_contains(r.err, "bad.ini:2: sound.volume");
    assert_contains(r.err, says);
    run_finish(&r);
    setenv("DJAMMS_CONFIG", bad, 1);
    r = RUN("play", s->media);
    assert_contains(r.err, " has 3 mistakes; `djamms config check` names them all\n");
    run_finish(&r);
    free(make_file(s->dir, "bad.ini", "[sound]\nvolume = loud\n"));
    r = RUN("up", "--config", bad);
    assert_int_equal(r.code, 2);
    assert_null(strstr(r.err, "mistakes"));
    run_finish(&r);
    free(says);
    free(bad);
}

static void a_search_that_stopped_is_told(void **state)
{
    struct scene_of_test *s = *state;
    char *deep = xstrdup(s->dir);
    for (int i = 0; i <= WALK_DEPTH_MAX; i++) {
        make_dir(deep, "d");
        char *below = xasprintf("%s/d", deep);
        free(deep);
        deep = below;
    }
    free(deep);
    deep = xasprintf("%s/d", s->dir);
    struct run r = RUN("play", deep);
    assert_int_equal(r.code, 1);
    assert_null(strstr(r.err, "the search stopped")); /* as deep as may be */
    run_finish(&r);
    r = RUN("play", s->dir, "--size", "big");
    assert_int_equal(r.code, 2);
    assert_contains(r.err, "the search stopped after ");
    run_finish(&r);
    free(deep);
}

static void what_the_player_could_not_play_is_told_at_the_end(void **state)
{
    struct scene_of_test *s = *state;
    static const char journal[] = "{\"queue\":{\"mainQueue\":[{\"source\":\"file:///"
                                  "b%FF.mp4\",\"unplayable\":\"no pictures\"},"
                                  "{\"source\":\"/good.mp4\"}],\"priorityQueue\":[]}}";
    char *path = xasprintf("%s/left", s->dir);
    struct twin_file *file = twin_file_create(path);
    assert_int_equal(twin_file_write(file, journal, strlen(journal)), 0);
    twin_file_destroy(file);
    free(path);
    write_script(s, "djamms-player",
                 "#!/bin/sh\nwhile [ \"$1\" != --state-dir ]; do shift; done\n"
                 "cp $T/left $2/journal.json\n");
    START(s, "play", s->media);
    assert_int_equal(wait_end(s), 1);
    assert_contains(s->text.data, "/b\xef\xbf\xbd.mp4: could not be played: no pictures");
    assert_null(strstr(s->text.data, "good.mp4"));
}

static void wrong_settings_are_told_before_anything_starts(void **state)
{
    static const struct {
        const char *option, *value, *says;
    } cases[] = {
        { "--size", "big", "--size: display.size: \"big\" is not allowed" },
        { "--outputs", "9", "--outputs: display.outputs: \"9\"" },
        { "--set", "sound.volum=3", "did you mean sound.volume?" },
        { "--config", "/nonexistent/x.ini", "/nonexistent/x.ini: cannot be read" },
    };
    struct scene_of_test *s = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct run r = RUN("play", s->media, cases[i].option, cases[i].value);
        assert_int_equal(r.code, 2);
        assert_contains(r.err, cases[i].says);
        run_finish(&r);
    }
    assert_int_equal(access(s->runtime_dir, F_OK), -1);
}

static char *answer_with(int added, const char *tail)
{
    struct buf b;
    buf_init(&b, 64 * 1024);
    assert_int_equal(buf_printf(&b, "{\"ok\":true,\"added\":["), 0);
    for (int i = 0; i < added; i++)
        assert_int_equal(buf_printf(&b, "%s{}", i ? "," : ""), 0);
    assert_int_equal(buf_printf(&b, "]%s}", tail), 0);
    return b.data;
}

static void more_files_than_fit_are_fed_until_the_queue_is_full(void **state)
{
    struct scene_of_test *s = *state;
    char *media = xasprintf("%s/media", s->dir), *all = answer_with(200, "");
    char *part =
        answer_with(7, ",\"refused\":[{\"file\":\"x\",\"error\":\"no\",\"code\":\"full\"}]");
    make_dir(s->dir, "media");
    for (int i = 0; i < 450; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%d.mp4", i);
        free(make_file(media, name, "x"));
    }
    START(s, "up", media, "--runtime-dir", s->runtime_dir);
    wait_until_all_are_up(s);
    assert_contains(s->text.data, "/199.mp4\n"); /* the first 200 were its arguments */
    /* It dies with the first portion half answered: that one is sent again to the next. */
    struct fake_player p =
        fake_player_at(xstrdup(s->runtime_dir), (const char *const[]){ "!{\"ok\":", NULL });
    waitpid(p.pid, NULL, 0);
    p = fake_player_at(p.dir, (const char *const[]){ all, part, NULL });
    wait_for(s, "the queue is full: 43 files were left out", 1);
    kill(s->pid, SIGTERM);
    assert_int_equal(wait_end(s), 0);
    char *requests = fake_player_finish(&p);
    assert_int_equal(count_of(requests, "\n"), 3);
    assert_int_equal(count_of(requests, "/200.mp4"), 2);
    assert_int_equal(count_of(requests, "/449.mp4"), 1);
    free(requests);
    free(media);
    free(all);
    free(part);
}

int main(void)
{
    clean_environment();
    const struct CMUnitTest tests[] = {
        CASE(a_clean_end_of_the_player_ends_all_and_leaves_nothing),
        CASE(whatever_is_killed_comes_back_and_the_others_stay),
        CASE(the_hub_is_started_beside_the_jukebox_unless_it_is_off),
        CASE(a_stage_that_gives_no_sign_of_life_is_killed_and_starts_again),
        CASE(a_stage_that_computes_has_twice_as_long),
        CASE(the_second_deck_starts_after_all_others),
        CASE(only_the_player_may_end_all_by_ending_well),
        cmocka_unit_test(every_signal_to_end_ends_all),
        CASE(a_hang_up_that_was_ignored_from_the_start_ends_nothing),
        CASE(nothing_outlives_a_killed_supervisor),
        CASE(the_zone_of_a_killed_one_is_swept_by_the_next),
        CASE(a_second_jukebox_in_the_zone_is_refused),
        CASE(play_gives_up_on_a_program_that_never_lives),
        CASE(a_player_that_exits_is_not_started_again_by_play),
        CASE(a_folder_for_the_queue_that_cannot_be_used_is_refused_at_once),
        CASE(a_program_that_cannot_be_executed_is_told),
        CASE(one_that_ignores_the_wish_to_end_is_killed),
        CASE(play_says_which_files_are_bad_and_ends_with_1),
        CASE(of_several_mistakes_in_a_file_the_count_is_told_and_who_names_them),
        CASE(a_search_that_stopped_is_told),
        CASE(what_the_player_could_not_play_is_told_at_the_end),
        CASE(wrong_settings_are_told_before_anything_starts),
        CASE(more_files_than_fit_are_fed_until_the_queue_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
