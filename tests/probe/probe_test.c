/* The helper as a conversation: lines in, lines out. $DJAMMS_CORPUS names a folder of media files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "probe/probe.h"
#include "wire/message.h"

static void never(void *ctx)
{
    abort();
}

/* What is answered to `lines`; the caller frees. Both fit into the pipes. */
static char *talk(const char *lines, int64_t max_ns, int *ret)
{
    int in[2], out[2];
    assert_int_equal(pipe(in) | pipe(out), 0);
    assert_int_equal(file_write_all(in[1], lines, strlen(lines)), 0);
    close(in[1]);
    *ret = probe_run(&(struct probe_params){ .in_fd = in[0],
                                             .out_fd = out[1],
                                             .tags_max_ns = max_ns,
                                             .check_max_ns = max_ns,
                                             .grace_ns = SECONDS(600),
                                             .give_up = never });
    close(in[0]);
    close(out[1]);
    char *text = xcalloc(1, 65536);
    size_t len = 0;
    for (ssize_t n; (n = read(out[0], text + len, 65535 - len)) > 0;)
        len += (size_t)n;
    close(out[0]);
    return text;
}

static char *question(const char *command, const char *name)
{
    char *path = xasprintf("%s/%s", getenv("DJAMMS_CORPUS"), name), *text, *line;
    struct message *m = message_create();
    message_set_str(m, "command", command);
    message_set_str(m, "path", path);
    text = message_text(m, false);
    line = xasprintf("%s\n", text);
    message_destroy(m);
    free(text);
    free(path);
    return line;
}

static const struct {
    const char *command, *name;
    const char *answer; /* the beginning of it */
} cases[] = {
    { "tags", "tagged.flac",
      "{\"ok\":true,\"title\":\"Sen\xcc\x83orita (live)\",\"artist\":\"Łódź\",\"duration_s\":0." },
    { "tags", "h264-only.mp4", "{\"ok\":true,\"title\":\"\",\"artist\":\"\",\"duration_s\":0." },
    { "check", "long.mkv", "{\"ok\":true}\n" },
    { "check", "hole.mkv", "{\"ok\":false,\"error\":\"Its picture has a hole" },
    { "check", "not there.mp4", "{\"ok\":false,\"error\":\"There is no such file.\"" },
    { "play", "long.mkv",
      "{\"ok\":false,\"error\":\"\\\"command\\\" must be tags, check or hello.\"" },
};

static void each_line_has_its_answer(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *line = question(cases[i].command, cases[i].name);
        int ret;
        char *text = talk(line, SECONDS(600), &ret);
        assert_int_equal(ret, 0);
        if (strncmp(text, cases[i].answer, strlen(cases[i].answer)) != 0)
            fail_msg("%s%s", line, text);
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
        free(text);
        free(line);
    }
}

static void a_question_with_a_number_is_answered_as_workers_are(void **state)
{
    int ret;
    char *text = talk(
        "{\"command\":\"hello\",\"n\":1}\n{\"command\":\"check\",\"path\":\"/no/file\",\"n\":2}\n",
        SECONDS(600), &ret);
    char *second = strchr(text, '\n') + 1;
    assert_int_equal(ret, 0);
    static const char first[] = "{\"ok\":true,\"n\":1,\"event\":\"done\"}\n";
    assert_int_equal(strncmp(text, first, strlen(first)), 0);
    assert_non_null(strstr(second, "\"ok\":false"));
    assert_non_null(strstr(second, "\"n\":2,\"event\":\"done\"}\n"));
    free(text);
}

static void nonsense_is_answered_and_the_next_line_too(void **state)
{
    int ret;
    char *good = question("check", "long.mkv");
    char *lines = xasprintf("nonsense\n[]\n{\"command\":\"tags\",\"path\":\"a.mp4\"}\n%s", good);
    char *text = talk(lines, SECONDS(600), &ret), *at = text;
    static const char *const want[] = { "This line cannot be read", "This line cannot be read",
                                        "\\\"path\\\" must be absolute.", "{\"ok\":true}" };
    assert_int_equal(ret, 0);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        char *end = strchr(at, '\n');
        assert_non_null(end);
        *end = '\0';
        if (!strstr(at, want[i]))
            fail_msg("%s", at);
        at = end + 1;
    }
    assert_string_equal(at, "");
    free(text);
    free(lines);
    free(good);
}

static void what_takes_too_long_ends_with_an_answer(void **state)
{
    char *check = question("check", "long.mkv"), *tags = question("tags", "long.mkv");
    char *lines = xasprintf("%s%s", check, tags);
    int ret;
    char *text = talk(lines, 0, &ret);
    const char *late =
        "{\"ok\":false,\"error\":\"It took too long to read.\",\"code\":\"failed\"}\n";
    char *want = xasprintf("%s%s", late, late);
    assert_string_equal(text, want);
    free(want);
    free(text);
    free(lines);
    free(tags);
    free(check);
}

static void a_line_without_end_ends_the_helper(void **state)
{
    int ret;
    char *line = xcalloc(1, 2 * PROBE_LINE_MAX);
    FILE *f = tmpfile();
    memset(line, ' ', PROBE_LINE_MAX + 1);
    fprintf(f, "%s\n", line);
    rewind(f);
    ret = probe_run(
        &(struct probe_params){ .in_fd = fileno(f), .out_fd = STDERR_FILENO, .give_up = never });
    assert_int_equal(ret, -EMSGSIZE);
    fclose(f);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_has_its_answer),
        cmocka_unit_test(a_question_with_a_number_is_answered_as_workers_are),
        cmocka_unit_test(nonsense_is_answered_and_the_next_line_too),
        cmocka_unit_test(what_takes_too_long_ends_with_an_answer),
        cmocka_unit_test(a_line_without_end_ends_the_helper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
