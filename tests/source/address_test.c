#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "source/address.h"

#define ID    "dQw4w9WgXcQ"
#define WATCH "https://www.youtube.com/watch?v="

static const char *name_of(enum address_verdict v)
{
    static const char *const names[] = { "ok",      "empty",    "too long",
                                         "not one", "no video", "staff only" };
    return names[v];
}

static enum address_verdict read(const char *text, enum address_who who, struct address *out)
{
    return address_read(text, strlen(text), who, out);
}

static void every_form_of_a_youtube_video_is_the_same_song(void **state)
{
    static const char *const forms[] = {
        ID,
        "  " ID "\n",
        WATCH ID,
        "http://youtube.com/watch?v=" ID,
        "HTTPS://WWW.YouTube.COM/watch?v=" ID,
        "https://www.youtube.com:443/watch?v=" ID,
        "https://m.youtube.com/watch?v=" ID "&feature=share",
        "https://music.youtube.com/watch?v=" ID "&list=RDAMVM" ID,
        "https://www.youtube.com/watch?list=PL1234567890&index=3&v=" ID "#t=10",
        "https://www.youtube.com/watch/?v=" ID,
        "https://youtu.be/" ID,
        "https://youtu.be/" ID "?si=abcdefgh&t=3",
        "youtu.be/" ID,
        "www.youtube.com/watch?v=" ID,
        "https://www.youtube.com/shorts/" ID "?feature=share",
        "https://www.youtube.com/embed/" ID "/?autoplay=1",
        "https://www.youtube-nocookie.com/embed/" ID,
        "https://www.youtube.com/live/" ID,
        "https://www.youtube.com/v/" ID,
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct address a;
        enum address_verdict v = read(forms[i], ADDRESS_BY_GUEST, &a);
        if (v != ADDRESS_OK || a.kind != ADDRESS_YOUTUBE || strcmp(a.key, ID) != 0 ||
            strcmp(a.target, WATCH ID) != 0 || a.is_private)
            fail_msg("%s: %s", forms[i], name_of(v));
    }
}

static void an_id_that_looks_like_an_option_becomes_an_address(void **state)
{
    struct address a;
    assert_int_equal(read("--exec-file", ADDRESS_BY_GUEST, &a), ADDRESS_OK);
    assert_string_equal(a.target, WATCH "--exec-file");
}

static void other_addresses_are_normalised_for_staff(void **state)
{
    static const struct {
        const char *text, *target;
        bool is_private;
    } forms[] = {
        { "https://Media.Example.ORG", "https://media.example.org/", false },
        { "https://a.example:443/x?b=1#part", "https://a.example/x?b=1", false },
        { "http://a.example:80/?utm_source=x&a=1&fbclid=2&UTM_Medium=y&b",
          "http://a.example/?a=1&b", false },
        { "http://a.example/?utm_source=x", "http://a.example/", false },
        { "http://a.example:8080/a%20b.mp4", "http://a.example:8080/a%20b.mp4", false },
        { "http://a.example/\xc3\xa4.mp4?q=\xc3\xa4", "http://a.example/%C3%A4.mp4?q=%C3%A4",
          false },
        { "http://a.example/x\"<>\\`", "http://a.example/x%22%3C%3E%5C%60", false },
        { "https://xn--bcher-kva.example/a", "https://xn--bcher-kva.example/a", false },
        { "https://youtube.com.example/watch?v=" ID, "https://youtube.com.example/watch?v=" ID,
          false },
        { "http://1.1.1.1/a", "http://1.1.1.1/a", false },
        { "http://[2606:4700::1111]:81/a", "http://[2606:4700::1111]:81/a", false },
        { "http://127.0.0.1/a", "http://127.0.0.1/a", true },
        { "http://127.1/", "http://127.1/", true },
        { "http://2130706433/", "http://2130706433/", true },
        { "http://0x7f000001/", "http://0x7f000001/", true },
        { "http://0177.0.0.1/", "http://0177.0.0.1/", true },
        { "http://127.0.0.1./", "http://127.0.0.1./", true },
        { "http://localhost:99/", "http://localhost:99/", true },
        { "http://a.localhost/", "http://a.localhost/", true },
        { "http://nas/", "http://nas/", true },
        { "http://nas.local/", "http://nas.local/", true },
        { "http://10.1.2.3/", "http://10.1.2.3/", true },
        { "http://172.31.0.1/", "http://172.31.0.1/", true },
        { "http://172.32.0.1/", "http://172.32.0.1/", false },
        { "http://192.168.1.1/", "http://192.168.1.1/", true },
        { "http://169.254.169.254/", "http://169.254.169.254/", true },
        { "http://100.64.0.1/", "http://100.64.0.1/", true },
        { "http://224.0.0.1/", "http://224.0.0.1/", true },
        { "http://255.255.255.255/", "http://255.255.255.255/", true },
        { "http://0.0.0.0/", "http://0.0.0.0/", true },
        { "http://[::1]/", "http://[::1]/", true },
        { "http://[::]/", "http://[::]/", true },
        { "http://[::ffff:127.0.0.1]/", "http://[::ffff:127.0.0.1]/", true },
        { "http://[::ffff:1.1.1.1]/", "http://[::ffff:1.1.1.1]/", false },
        { "http://[fe80::1]/", "http://[fe80::1]/", true },
        { "http://[fd00::1]/", "http://[fd00::1]/", true },
        { "http://[ff02::1]/", "http://[ff02::1]/", true },
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct address a;
        enum address_verdict v = read(forms[i].text, ADDRESS_BY_STAFF, &a);
        if (v != ADDRESS_OK || a.kind != ADDRESS_URL || strcmp(a.target, forms[i].target) != 0 ||
            a.is_private != forms[i].is_private || strncmp(a.key, "url:", 4) != 0 ||
            strlen(a.key) != 20)
            fail_msg("%s: %s, %s, %d", forms[i].text, name_of(v), v == ADDRESS_OK ? a.target : "",
                     a.is_private);
        assert_int_equal(read(forms[i].text, ADDRESS_BY_GUEST, &a), ADDRESS_STAFF_ONLY);
    }
}

static void the_same_address_has_the_same_key(void **state)
{
    struct address a, b;
    assert_int_equal(read("https://a.example/x?a=1", ADDRESS_BY_STAFF, &a), ADDRESS_OK);
    assert_int_equal(read("HTTPS://A.example:443/x?utm_id=9&a=1#t", ADDRESS_BY_STAFF, &b),
                     ADDRESS_OK);
    assert_string_equal(a.key, b.key);
    assert_int_equal(read("https://a.example/x?a=2", ADDRESS_BY_STAFF, &b), ADDRESS_OK);
    assert_string_not_equal(a.key, b.key);
}

static void songs_of_the_house_are_for_all_and_paths_for_staff(void **state)
{
    struct address a;
    assert_int_equal(read("file:0123456789abcdef", ADDRESS_BY_GUEST, &a), ADDRESS_OK);
    assert_int_equal(a.kind, ADDRESS_LIBRARY);
    assert_string_equal(a.key, "file:0123456789abcdef");
    assert_string_equal(a.target, "");
    assert_int_equal(read("/music/A - B; rm -rf $HOME.mp4", ADDRESS_BY_STAFF, &a), ADDRESS_OK);
    assert_int_equal(a.kind, ADDRESS_FILE);
    assert_string_equal(a.target, "/music/A - B; rm -rf $HOME.mp4");
    assert_int_equal(strlen(a.key), 21);
    assert_int_equal(read("/etc/passwd", ADDRESS_BY_GUEST, &a), ADDRESS_STAFF_ONLY);
}

static void hostile_text_is_nothing(void **state)
{
    static const struct {
        const char *text;
        enum address_verdict want;
    } texts[] = {
        { "", ADDRESS_EMPTY },
        { " \t\r\n", ADDRESS_EMPTY },
        { "--exec rm", ADDRESS_NOT_ONE },
        { "--exec", ADDRESS_NOT_ONE },
        { "--exec=rm -rf /", ADDRESS_NOT_ONE },
        { "-o/tmp/x", ADDRESS_NOT_ONE },
        { "-o", ADDRESS_NOT_ONE },
        { "ytsearch:la la la", ADDRESS_NOT_ONE },
        { "ytsearch10:x", ADDRESS_NOT_ONE },
        { "la la la", ADDRESS_NOT_ONE },
        { "file:///etc/passwd", ADDRESS_NOT_ONE },
        { "FILE:/etc/passwd", ADDRESS_NOT_ONE },
        { "file:0123456789abcdeg", ADDRESS_NOT_ONE },
        { "file:0123456789ABCDEF", ADDRESS_NOT_ONE },
        { "../../etc/passwd", ADDRESS_NOT_ONE },
        { "ftp://a.example/x", ADDRESS_NOT_ONE },
        { "rtsp://a.example/x", ADDRESS_NOT_ONE },
        { "data:video/mp4;base64,AAAA", ADDRESS_NOT_ONE },
        { "javascript:alert(1)", ADDRESS_NOT_ONE },
        { "concat:/etc/passwd", ADDRESS_NOT_ONE },
        { "http:/a.example", ADDRESS_NOT_ONE },
        { "http://", ADDRESS_NOT_ONE },
        { "http:///x", ADDRESS_NOT_ONE },
        { "http://:80/", ADDRESS_NOT_ONE },
        { "http://a.example:0/", ADDRESS_NOT_ONE },
        { "http://a.example:/", ADDRESS_NOT_ONE },
        { "http://a.example:99999/", ADDRESS_NOT_ONE },
        { "http://a.example:80a/", ADDRESS_NOT_ONE },
        { "http://a..example/", ADDRESS_NOT_ONE },
        { "http://.example/", ADDRESS_NOT_ONE },
        { "http://[::1/", ADDRESS_NOT_ONE },
        { "http://[::1]x/", ADDRESS_NOT_ONE },
        { "http://[]/", ADDRESS_NOT_ONE },
        { "http://[::g]/", ADDRESS_NOT_ONE },
        { "http://[fe80::1%25eth0]/", ADDRESS_NOT_ONE },
        { "http://www.youtube.com@127.0.0.1/watch?v=" ID, ADDRESS_NOT_ONE },
        { "http://www.youtube.com:x@127.0.0.1/", ADDRESS_NOT_ONE },
        { "http://127.0.0.1\\@www.youtube.com/watch?v=" ID, ADDRESS_NOT_ONE },
        { "http://www.youtube.com\\.evil.example/watch?v=" ID, ADDRESS_NOT_ONE },
        { "http://y\xd0\xbeutube.com/watch?v=" ID, ADDRESS_NOT_ONE }, /* a Cyrillic o */
        { "http://b\xc3\xbc"
          "cher.example/",
          ADDRESS_NOT_ONE },
        { "http://%31%32%37.0.0.1/", ADDRESS_NOT_ONE },
        { "http://a.example/x y", ADDRESS_NOT_ONE },
        { "http://a.example/\nhttp://b.example/", ADDRESS_NOT_ONE },
        { "http://a.example/\r\nHost: b", ADDRESS_NOT_ONE },
        { "http://a.example/\x1b[2J", ADDRESS_NOT_ONE },
        { "http://a.example/\x7f", ADDRESS_NOT_ONE },
        { "http://a.example/\xff\xfe", ADDRESS_NOT_ONE },
        { ID "\nx", ADDRESS_NOT_ONE },
        { ID "x", ADDRESS_NOT_ONE },
        { "dQw4w9WgXc", ADDRESS_NOT_ONE },
        { "dQw4w9WgXc$", ADDRESS_NOT_ONE },
        { "youtube.com", ADDRESS_NO_VIDEO },
        { "https://www.youtube.com/", ADDRESS_NO_VIDEO },
        { "https://www.youtube.com/playlist?list=PL1234567890", ADDRESS_NO_VIDEO },
        { "https://www.youtube.com/@channel", ADDRESS_NO_VIDEO },
        { "https://www.youtube.com/results?search_query=x&v=" ID, ADDRESS_NO_VIDEO },
        { "https://www.youtube.com/watch?v=short", ADDRESS_NO_VIDEO },
        { "https://www.youtube.com/watch?v=" ID "x", ADDRESS_NO_VIDEO },
        { "https://www.youtube.com/watch?v=%64Qw4w9WgXcQ", ADDRESS_NO_VIDEO },
        { "https://www.youtube.com/watch?v=", ADDRESS_NO_VIDEO },
        { "https://www.youtube.com/watch?xv=" ID, ADDRESS_NO_VIDEO },
        { "https://www.youtube.com:81/watch?v=" ID, ADDRESS_NO_VIDEO },
        { "https://youtu.be/", ADDRESS_NO_VIDEO },
        { "https://youtu.be", ADDRESS_NO_VIDEO },
        { "https://youtu.be/../" ID, ADDRESS_NO_VIDEO },
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (int who = ADDRESS_BY_GUEST; who <= ADDRESS_BY_STAFF; who++) {
            struct address a = { .key = "untouched" };
            enum address_verdict v = read(texts[i].text, (enum address_who)who, &a);
            if (v != texts[i].want || strcmp(a.key, "untouched") != 0)
                fail_msg("%s: %s, not %s", texts[i].text, name_of(v), name_of(texts[i].want));
        }
    }
}

static void a_nul_is_a_byte_like_any_other_and_refused(void **state)
{
    static const char *const texts[] = { "dQw4w9WgXcQ\0--exec", "http://a.example/\0x", "\0",
                                         "/music\0/x", "\0dQw4w9WgXcQ" };
    static const size_t sizes[] = { 18, 19, 1, 9, 12 };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct address a;
        assert_int_equal(address_read(texts[i], sizes[i], ADDRESS_BY_STAFF, &a), ADDRESS_NOT_ONE);
    }
    assert_false(address_is_youtube_id("dQw4w9WgXc\0", 11));
}

static void length_is_limited_and_all_of_it_kept(void **state)
{
    static char text[20000];
    struct address a;
    memset(text, 'a', sizeof(text));
    assert_int_equal(address_read(text, 10240, ADDRESS_BY_STAFF, &a), ADDRESS_TOO_LONG);
    memcpy(text, "http://a.example/", 17);
    assert_int_equal(address_read(text, ADDRESS_MAX + 1, ADDRESS_BY_STAFF, &a), ADDRESS_TOO_LONG);
    assert_int_equal(address_read(text, ADDRESS_MAX, ADDRESS_BY_STAFF, &a), ADDRESS_OK);
    assert_int_equal(strlen(a.target), ADDRESS_MAX);
    /* the most that it can grow */
    memset(text + 17, '"', ADDRESS_MAX - 17);
    assert_int_equal(address_read(text, ADDRESS_MAX, ADDRESS_BY_STAFF, &a), ADDRESS_OK);
    assert_int_equal(strlen(a.target), 17 + 3 * (ADDRESS_MAX - 17));
    memset(text, 'a', sizeof(text)); /* a host that is too long for one */
    memcpy(text, "http://", 7);
    assert_int_equal(address_read(text, 7 + 254, ADDRESS_BY_STAFF, &a), ADDRESS_NOT_ONE);
    memset(text, '/', sizeof(text));
    assert_int_equal(address_read(text, ADDRESS_MAX, ADDRESS_BY_STAFF, &a), ADDRESS_OK);
    assert_int_equal(strlen(a.target), ADDRESS_MAX);
}

static void every_verdict_has_words(void **state)
{
    for (int v = ADDRESS_OK; v <= ADDRESS_STAFF_ONLY; v++)
        assert_true(strlen(address_verdict_text((enum address_verdict)v)) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_youtube_video_is_the_same_song),
        cmocka_unit_test(an_id_that_looks_like_an_option_becomes_an_address),
        cmocka_unit_test(other_addresses_are_normalised_for_staff),
        cmocka_unit_test(the_same_address_has_the_same_key),
        cmocka_unit_test(songs_of_the_house_are_for_all_and_paths_for_staff),
        cmocka_unit_test(hostile_text_is_nothing),
        cmocka_unit_test(a_nul_is_a_byte_like_any_other_and_refused),
        cmocka_unit_test(length_is_limited_and_all_of_it_kept),
        cmocka_unit_test(every_verdict_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
