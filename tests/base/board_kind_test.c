/* A board is known by its chip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/board_kind.h"
#include "base/compiler.h"

#define TEXT(s) s, sizeof(s) /* with its last NUL, as the kernel gives it */

static void models_are_told_by_their_chip(void **state)
{
    static const struct {
        const char *compatible;
        size_t len;
        enum board_kind board;
    } cases[] = {
        { TEXT("raspberrypi,3-model-b-plus\0brcm,bcm2837"), BOARD_PI3 },
        { TEXT("raspberrypi,model-zero-2-w\0brcm,bcm2837"), BOARD_PI3 },
        { TEXT("raspberrypi,4-model-b\0brcm,bcm2711"), BOARD_PI4 },
        { TEXT("raspberrypi,400\0brcm,bcm2711"), BOARD_PI4 },
        { TEXT("raspberrypi,5-model-b\0brcm,bcm2712"), BOARD_PI5 },
        { TEXT("raspberrypi,model-zero-w\0brcm,bcm2835"), BOARD_OTHER },
        { TEXT("brcm,bcm27110"), BOARD_OTHER },
        { TEXT("linux,dummy-virt"), BOARD_OTHER },
        { "brcm,bcm2711", 12, BOARD_PI4 }, /* cut off */
        { "brcm,bcm271", 11, BOARD_OTHER },
        { "", 0, BOARD_OTHER },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (board_kind_of(cases[i].compatible, cases[i].len) != cases[i].board)
            fail_msg("case %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_told_by_their_chip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
