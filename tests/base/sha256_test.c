#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "base/sha256.h"

/* Those of FIPS 180-4 and around the length of a block, from sha256sum. */
static const struct {
    char byte;        /* repeated ... */
    size_t count;     /* ... so often */
    const char *text; /* instead */
    const char *want;
} cases[] = {
    { .text = "", .want = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { .text = "abc", .want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { .text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      .want = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    { 'a', 55, NULL, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
    { 'a', 64, NULL, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
    { 'a', 1000000, NULL, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
};

static void known_texts_have_their_known_hashes_in_pieces_of_any_length(void **state)
{
    static const size_t pieces[] = { 1, 7, 63, 64, 65, 4096, 1000000 };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = cases[i].text ? strlen(cases[i].text) : cases[i].count;
        char *data = xcalloc(len + 1, 1);
        if (cases[i].text)
            memcpy(data, cases[i].text, len);
        else
            memset(data, cases[i].byte, len);
        for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
            struct sha256 s;
            char got[SHA256_TEXT_SIZE];
            sha256_init(&s);
            for (size_t at = 0; at < len; at += pieces[p])
                sha256_add(&s, data + at, len - at < pieces[p] ? len - at : pieces[p]);
            sha256_finish_text(&s, got);
            assert_string_equal(got, cases[i].want);
        }
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_their_known_hashes_in_pieces_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
