/* What a text says, for tests: the failure shows both. */
#pragma once

#include <string.h>

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (!strstr((text), (part)))                                                               \
            fail_msg("\"%s\" does not contain \"%s\"", (text), (part));                            \
    } while (0)

/* Whatever the case. */
#define assert_lacks(text, part)                                                                   \
    do {                                                                                           \
        if (strcasestr((text), (part)))                                                            \
            fail_msg("\"%s\" contains \"%s\"", (text), (part));                                    \
    } while (0)
