/* Which addresses are taken, and a file of this machine. */
#include "support.h"

#include "cli/download.h"

static const struct {
    const char *url;
    bool takes_files, takes_http, may;
} cases[] = {
    { "https://example.org/offer.json", false, false, true },
    { "http://example.org/offer.json", false, false, false },
    { "http://example.org/offer.json", false, true, true },
    { "http://127.0.0.1:8080/offer.json", false, false, true },
    { "http://localhost/offer.json", false, false, true },
    { "http://[::1]:80/offer.json", false, false, true },
    { "http://127.0.0.1.example.org/", false, false, false },
    { "http://localhost.example.org/", false, false, false },
    { "file:///srv/offer.json", true, false, true },
    { "file:///srv/offer.json", false, true, false },
    { "file://srv/offer.json", true, false, false },
    { "ftp://example.org/", true, true, false },
    { "wss://example.org/", true, true, false },
    { "/srv/offer.json", true, true, false },
    { "", true, true, false },
};

static void only_what_cannot_be_changed_on_the_way_is_taken(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct download_params p = { .url = cases[i].url,
                                     .takes_files = cases[i].takes_files,
                                     .takes_http = cases[i].takes_http };
        char why[DOWNLOAD_WHY_SIZE];
        if (download_may(&p, why) != cases[i].may)
            fail_msg("%s: %s", cases[i].url, why);
    }
}

static void a_file_is_read_up_to_its_bound(void **state)
{
    char *dir = temp_dir(), *path = make_file(dir, "offer", "12345"), *data = NULL;
    char *url = xasprintf("file://%s", path), why[DOWNLOAD_WHY_SIZE];
    struct download_params p = { .url = url, .max = 5, .takes_files = true };
    size_t len;
    assert_int_equal(download_get(&p, &data, &len, why), 0);
    assert_int_equal(len, 5);
    assert_string_equal(data, "12345");
    free(data);
    p.max = 4;
    assert_int_equal(download_get(&p, &data, &len, why), -EFBIG);
    assert_contains(why, "longer than 4 bytes");
    unlink(path);
    assert_int_equal(download_get(&p, &data, &len, why), -ENOENT);
    assert_contains(why, "No such file");
    p.takes_files = false;
    assert_int_equal(download_get(&p, &data, &len, why), -EPERM);
    free(url);
    free(path);
    remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_cannot_be_changed_on_the_way_is_taken),
        cmocka_unit_test(a_file_is_read_up_to_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
