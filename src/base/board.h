/* What the board says of its own health: how hot it is, whether it is slowed down, whether its power is too weak. What a
 * board has no source for is not known; it is never taken for good. Read from the kernel's small files; of a Raspberry Pi
 * that asks its firmware, which may take some milliseconds. Thread-safety: any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BOARD_UNKNOWN INT32_MIN

/* A set of them is an unsigned. */
enum board_trouble {
    BOARD_UNDERVOLTAGE = 1u << 0, /* the power supply or its cable is too weak */
    BOARD_CAPPED = 1u << 1,       /* the processor may not go as fast as it could */
    BOARD_THROTTLED = 1u << 2,    /* it is slowed down */
    BOARD_HOT = 1u << 3,          /* the first limit of temperature is passed */
};
#define BOARD_SLOWED (BOARD_CAPPED | BOARD_THROTTLED | BOARD_HOT)

struct board {
    char model[96]; /* of the device tree: "Raspberry Pi 4 Model B Rev 1.4"; "": it has none */
    int32_t
        temperature_mc; /* thousandths of a degree Celsius, of the hottest processor; or BOARD_UNKNOWN */
    unsigned known; /* the troubles of which this board can tell */
    unsigned now;   /* those that it has now */
    /* Those it had since it was switched on. The kernel's own watch over the voltage makes the firmware forget them every
     * two seconds, so with it these are only the latest. */
    unsigned before;
};

/* `root` stands before /sys and /proc: "", but in tests. */
void board_read(const char *root, struct board *out);
/* What the firmware of a Raspberry Pi says, as `vcgencmd get_throttled` ("throttled=0x50005") and the kernel ("50005")
 * write it. false: it says nothing, *out is as it was. */
bool board_take_throttled(struct board *out, const char *text);
