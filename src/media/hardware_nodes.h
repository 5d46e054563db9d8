/* What the machine's V4L2 devices decode. A decoder's name in FFmpeg's list says nothing: it is there without any
 * device. */
#pragma once

#include <stdint.h>

/* Sets of enum deck_hardware. */
struct hardware_nodes {
    uint32_t stateful; /* devices that take a stream */
    uint32_t request;  /* devices that take slices and what belongs to them (the request API) */
};

/* Asks the nodes video0 to video63 of `dev_dir` ("/dev") by their drivers' own words. What cannot be opened is not
 * there. */
void hardware_probe(const char *dev_dir, struct hardware_nodes *out);
