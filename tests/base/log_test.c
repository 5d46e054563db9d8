#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"

/* What one log_write() sent to stderr, and with how many writes: each arrives as one packet. */
static void captured(const struct log *log, enum log_level level, const char *text, char *out,
                     size_t size, int *packets)
{
    int pair[2], saved = dup(STDERR_FILENO);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    dup2(pair[1], STDERR_FILENO);
    log_write(log, level, "%s", text);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pair[1]);
    size_t n = 0;
    ssize_t got;
    for (*packets = 0; (got = recv(pair[0], out + n, size - 1 - n, 0)) > 0; (*packets)++)
        n += (size_t)got;
    out[n] = '\0';
    close(pair[0]);
}

static void a_line_is_one_write_of_printable_text(void **state)
{
    static const struct {
        enum log_level level;
        const char *text, *line;
    } cases[] = {
        { LOG_INFO, "hello", "stage: hello\n" },
        { LOG_WARNING, "hello", "warning: stage: hello\n" },
        { LOG_ERROR, "hello", "error: stage: hello\n" },
        { LOG_INFO, "a\nerror: b", "stage: a\\x0aerror: b\n" },
        { LOG_INFO, "\x1b[31m\x7f", "stage: \\x1b[31m\\x7f\n" },
        { LOG_INFO, "\xe5\xa4\x9c \xf0\x9f\x8e\xb5", "stage: \xe5\xa4\x9c \xf0\x9f\x8e\xb5\n" },
        { LOG_INFO,
          "\xc2\x9b"
          "31m",
          "stage: \\xc2\\x9b31m\n" }, /* U+009B begins a command too */
        { LOG_INFO, "a\xff\xe5\xa4", "stage: a\\xff\\xe5\\xa4\n" },
        { LOG_INFO, "", "stage: \n" },
    };
    const struct log log = { "stage", LOG_INFO };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[4096];
        int packets;
        captured(&log, cases[i].level, cases[i].text, line, sizeof(line), &packets);
        assert_string_equal(line, cases[i].line);
        assert_int_equal(packets, 1);
    }
}

static void lines_above_the_level_and_without_a_log_are_dropped(void **state)
{
    const struct log log = { "stage", LOG_WARNING };
    char line[256];
    int packets;
    captured(&log, LOG_INFO, "no", line, sizeof(line), &packets);
    assert_int_equal(packets, 0);
    captured(NULL, LOG_ERROR, "no", line, sizeof(line), &packets);
    assert_int_equal(packets, 0);
}

static void any_length_gives_one_ended_line(void **state)
{
    const struct log log = { "stage", LOG_INFO };
    static const char fills[] = { 'x', '\n' };
    char text[8192], line[8192];
    for (size_t f = 0; f < sizeof(fills); f++) {
        for (size_t len = 500; len < sizeof(text); len += 1 + len / 50) {
            int packets;
            memset(text, fills[f], len);
            text[len] = '\0';
            captured(&log, LOG_INFO, text, line, sizeof(line), &packets);
            assert_int_equal(packets, 1);
            assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        }
    }
    char module[5000];
    memset(module, 'm', sizeof(module));
    module[sizeof(module) - 1] = '\0';
    int packets;
    captured(&(struct log){ module, LOG_INFO }, LOG_ERROR, "end", line, sizeof(line), &packets);
    assert_non_null(strstr(line, ": end\n"));
}

static void errno_is_left_as_it_was(void **state)
{
    const struct log log = { "stage", LOG_INFO };
    int saved = dup(STDERR_FILENO);
    close(STDERR_FILENO); /* the write fails */
    errno = ENOSPC;
    log_info(&log, "x");
    int after = errno;
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_int_equal(after, ENOSPC);
}

/* What the journal was sent last, one field a line. */
static char journal_text[4096];
static int journal_answer;

static int fake_journal(const struct iovec *fields, int count)
{
    journal_text[0] = '\0';
    for (int i = 0; i < count; i++) {
        size_t n = strlen(journal_text);
        snprintf(journal_text + n, sizeof(journal_text) - n, "%.*s\n", (int)fields[i].iov_len,
                 (const char *)fields[i].iov_base);
    }
    return journal_answer;
}

static void the_journal_gets_fields_and_the_terminal_nothing(void **state)
{
    static const struct {
        enum log_level level;
        const char *text, *fields;
    } cases[] = {
        { LOG_ERROR, "no disk", "MESSAGE=no disk\nPRIORITY=3\nDJAMMS_MODULE=stage\n" },
        { LOG_WARNING, "a\nPRIORITY=0",
          "MESSAGE=a\\x0aPRIORITY=0\nPRIORITY=4\nDJAMMS_MODULE=stage\n" },
        { LOG_INFO, "", "MESSAGE=\nPRIORITY=6\nDJAMMS_MODULE=stage\n" },
        { LOG_TRACE, "x", "MESSAGE=x\nPRIORITY=7\nDJAMMS_MODULE=stage\n" },
    };
    const struct log parent = { "player", LOG_TRACE, fake_journal },
                     log = log_child(&parent, "stage");
    char line[256];
    int packets;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        captured(&log, cases[i].level, cases[i].text, line, sizeof(line), &packets);
        assert_string_equal(journal_text, cases[i].fields);
        assert_int_equal(packets, 0);
    }
    journal_answer = -ENOENT; /* the journal is gone */
    captured(&log, LOG_INFO, "x", line, sizeof(line), &packets);
    assert_string_equal(line, "stage: x\n");
    journal_answer = 0;
}

static void the_journal_is_used_only_where_stderr_goes_to_it(void **state)
{
    char stream[64];
    struct stat st;
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino + 1);
    setenv("JOURNAL_STREAM", stream, 1);
    assert_null(log_open("a").journal);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    assert_non_null(log_open("a").journal);
    unsetenv("JOURNAL_STREAM");
    assert_null(log_open("a").journal);
}

static void levels_are_read_by_name(void **state)
{
    enum log_level level = LOG_TRACE;
    assert_true(log_level_parse("warning", &level));
    assert_int_equal(level, LOG_WARNING);
    assert_false(log_level_parse("loud", &level));
    assert_int_equal(level, LOG_WARNING);
    setenv("DJAMMS_LOG", "debug", 1);
    assert_int_equal(log_open("a").level, LOG_DEBUG);
    setenv("DJAMMS_LOG", "loud", 1);
    struct log log = log_open("a");
    assert_int_equal(log.level, LOG_INFO);
    unsetenv("DJAMMS_LOG");
    log.level = LOG_ERROR;
    assert_int_equal(log_child(&log, "b").level, LOG_ERROR);
    assert_string_equal(log_child(NULL, "b").module, "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_write_of_printable_text),
        cmocka_unit_test(lines_above_the_level_and_without_a_log_are_dropped),
        cmocka_unit_test(any_length_gives_one_ended_line),
        cmocka_unit_test(errno_is_left_as_it_was),
        cmocka_unit_test(the_journal_gets_fields_and_the_terminal_nothing),
        cmocka_unit_test(the_journal_is_used_only_where_stderr_goes_to_it),
        cmocka_unit_test(levels_are_read_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
