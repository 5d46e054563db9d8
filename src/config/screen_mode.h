/* A mode of a display, as a setting says it. Pure. */
#pragma once

#include <stdbool.h>

struct screen_mode {
    int width, height; /* pixels; 0: automatic */
    int refresh_mhz;   /* 0: as near 60 Hz as there is */
};

/* "auto", WIDTHxHEIGHT or WIDTHxHEIGHT@HZ, where HZ may have up to three decimals. false: it is none of these. */
bool screen_mode_parse(const char *text, struct screen_mode *out);
