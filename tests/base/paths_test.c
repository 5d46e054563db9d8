/* Which variable wins when a zone looks for its folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/paths.h"

static const char *const variables[] = {
    "DJAMMS_RUNTIME_DIR",
    "RUNTIME_DIRECTORY",
    "XDG_RUNTIME_DIR",
    "DJAMMS_STATE_DIR",
    "STATE_DIRECTORY",
    "XDG_STATE_HOME",
    "CACHE_DIRECTORY",
    "XDG_CACHE_HOME",
    "DJAMMS_CONFIG",
    "XDG_CONFIG_HOME",
    "HOME",
};

static void the_first_variable_that_is_set_wins(void **state)
{
    static const struct {
        const char *variables; /* NAME=value, separated by blanks */
        char *(*path)(void);
        const char *want; /* NULL: /tmp/djamms-UID */
    } cases[] = {
        { "DJAMMS_RUNTIME_DIR=/a RUNTIME_DIRECTORY=/b XDG_RUNTIME_DIR=/c", path_runtime_dir, "/a" },
        { "RUNTIME_DIRECTORY=/b:/b2 XDG_RUNTIME_DIR=/c", path_runtime_dir, "/b" },
        { "DJAMMS_RUNTIME_DIR= XDG_RUNTIME_DIR=/c", path_runtime_dir, "/c/djamms" },
        { "", path_runtime_dir, NULL },
        { "DJAMMS_STATE_DIR=/a STATE_DIRECTORY=/b HOME=/h", path_state_dir, "/a" },
        { "STATE_DIRECTORY=/b HOME=/h", path_state_dir, "/b" },
        { "XDG_STATE_HOME=/c HOME=/h", path_state_dir, "/c/djamms" },
        { "HOME=/h", path_state_dir, "/h/.local/state/djamms" },
        { "CACHE_DIRECTORY=/b:/b2 XDG_CACHE_HOME=/c HOME=/h", path_cache_dir, "/b" },
        { "XDG_CACHE_HOME=/c HOME=/h", path_cache_dir, "/c/djamms" },
        { "HOME=/h", path_cache_dir, "/h/.cache/djamms" },
        { "XDG_CACHE_HOME= HOME=", path_cache_dir, "/var/cache/djamms" },
        { "DJAMMS_CONFIG=/x.ini HOME=/h", path_config_file, "/x.ini" },
        { "HOME=/nowhere", path_config_file, "/etc/djamms/djamms.ini" },
        { "DJAMMS_CONFIG=/x.ini HOME=/h", path_config_places, "/x.ini" },
        { "HOME=/nowhere", path_config_places,
          "/nowhere/.config/djamms/djamms.ini and /etc/djamms/djamms.ini" },
        { "XDG_CONFIG_HOME=/c HOME=/h", path_config_places,
          "/c/djamms/djamms.ini and /etc/djamms/djamms.ini" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char set[256], fallback[64], *rest = set;
        for (size_t k = 0; k < ARRAY_LEN(variables); k++)
            unsetenv(variables[k]);
        snprintf(set, sizeof(set), "%s", cases[i].variables);
        for (char *one; (one = strsep(&rest, " "));) {
            char *value = strchr(one, '=');
            if (!value)
                continue;
            *value = '\0';
            setenv(one, value + 1, 1);
        }
        snprintf(fallback, sizeof(fallback), "/tmp/djamms-%ld", (long)getuid());
        char *path = cases[i].path();
        assert_string_equal(path, cases[i].want ? cases[i].want : fallback);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_variable_that_is_set_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
