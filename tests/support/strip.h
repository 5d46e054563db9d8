/* A region of a mapped frame buffer, and what the code strip in it says. */
#pragma once

#include <stdint.h>

#include "code.h"

enum region_state {
    REGION_CODE = 'C',
    REGION_BLACK = 'K',
    REGION_ROOT = 'R',  /* the bare root window */
    REGION_PLAIN = 'F', /* another single colour */
    REGION_TORN = 'T',  /* a strip is there, its checksum is wrong */
    REGION_OTHER = 'X',
};

struct region {
    char name[32];
    const volatile uint8_t *px; /* first pixel; B G R x */
    int stride, w, h;
    int line;                           /* y of the strip's centre */
    int cell_x[CODE_CELLS];             /* x of the cells' centres */
    int view_x, view_y, view_w, view_h; /* the picture inside the region */
};

struct shape {
    double row;    /* centre of the strip, fraction of the picture's height */
    double aspect; /* of the picture; 0: it fills the region */
    uint32_t root; /* colour of the root window, 0xRRGGBB */
};

struct reading {
    enum region_state state;
    unsigned clip, frame; /* state REGION_CODE, else 0 */
};

/* Fills the layout; px, stride, w and h are set. */
void region_layout(struct region *r, const struct shape *shape);
/* NAME=FILE[@X,Y,W,H]: maps FILE, which "Xvfb -fbdir" made (an XWD image). The mapping stays for the
 * life of the process. 0 or -errno. */
int region_map(struct region *r, const char *spec, const struct shape *shape);
struct reading region_read(const struct region *r, uint32_t root);
