#include "cli/board_check.h"

/* Thousandths of a degree. Raspberry Pi boards slow down from 80 on, and much from 85 on. */
#define WARM_MC 75000
#define HOT_MC  85000

#define COOL_ADVICE  "give it air: a heat sink, a fan, a place away from other devices"
#define POWER_ADVICE "take the board's own power supply with a short cable, and nothing else on it"

static void check_heat(struct findings *f, const struct board *b)
{
    double c = b->temperature_mc / 1000.0;
    if (b->now & BOARD_SLOWED)
        finding_add(f, FINDING_PROBLEM, "heat", COOL_ADVICE,
                    "the processor is slowed down now: it is too hot, or its power too weak");
    else if (b->temperature_mc == BOARD_UNKNOWN)
        finding_add(f, FINDING_OK, "heat", NULL, "not known here: no sensor of the processor");
    else if (b->temperature_mc >= WARM_MC)
        finding_add(f, b->temperature_mc >= HOT_MC ? FINDING_PROBLEM : FINDING_WARNING, "heat",
                    COOL_ADVICE, "the processor has %.1f C", c);
    else if (b->before & BOARD_SLOWED)
        finding_add(f, FINDING_WARNING, "heat", COOL_ADVICE,
                    "%.1f C, but since it was switched on the processor was slowed down", c);
    else
        finding_add(f, FINDING_OK, "heat", NULL, "%.1f C%s", c,
                    b->known & BOARD_THROTTLED ? ", the processor was never slowed down" : "");
}

static void check_power(struct findings *f, const struct board *b)
{
    if (!(b->known & BOARD_UNDERVOLTAGE))
        finding_add(f, FINDING_OK, "power", NULL, "not known here: the board does not measure it");
    else if (b->now & BOARD_UNDERVOLTAGE)
        finding_add(f, FINDING_PROBLEM, "power", POWER_ADVICE,
                    "the power supply is too weak now (undervoltage)");
    else if (b->before & BOARD_UNDERVOLTAGE)
        finding_add(f, FINDING_WARNING, "power", POWER_ADVICE,
                    "since it was switched on the power supply was too weak (undervoltage)");
    else
        finding_add(f, FINDING_OK, "power", NULL, "the power supply is strong enough");
}

void board_check(struct findings *f, const struct board *b)
{
    if (*b->model)
        finding_add(f, FINDING_OK, "board", NULL, "%s", b->model);
    check_heat(f, b);
    check_power(f, b);
}
