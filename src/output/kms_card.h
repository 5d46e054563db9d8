/* The display card of the kernel (DRM/KMS), beside SDL, which knows connectors neither by name nor that they
 * change. It finds the card by its connectors, sets the mode of each display and shows black there, gives the
 * card to SDL, which draws in the mode it finds, and says when there are other displays.
 *
 * What it shows stays in memory while the card is open: it is what SDL puts back when it ends, so that
 * between two starts of SDL the screens are black and keep their mode. When the process ends, the kernel
 * puts the console back.
 *
 * Thread-safety: SDL's main thread. */
#pragma once

#include <stdint.h>

#include "base/log.h"
#include "output/kms_mode.h"

struct kms_card;

/* A display that is lit. They are in the kernel's order, which is also SDL's. */
struct kms_output {
    char name[48]; /* of the connector: "HDMI-A-1" */
    int width, height;
    int refresh_mhz;
    bool has_vblank; /* a flip waits for it; else it is done at once */
};

/* Never NULL: without a card, or one that may be opened, it looks for one again later. `root`, of /dev and /sys, is ""
 * but in tests; it is borrowed, and `log`, which may be NULL, too. */
struct kms_card *kms_card_open(const char *root, const struct log *log);
void kms_card_close(struct kms_card *c); /* c may be NULL */

/* Lights all connected displays. Returns how many there are; 0: none, or no card. Nobody else of this process may be using
 * the card. -EBUSY: another program has had it for two seconds; the log says which, where that can be known. */
int kms_card_light(struct kms_card *c, const struct kms_wish *wish);
/* N of /dev/dri/cardN; -1: there is none. */
int kms_card_number(const struct kms_card *c);
/* What was lit; i < the number of kms_card_light(). */
const struct kms_output *kms_card_output(const struct kms_card *c, int i);

/* Whether something was plugged, and kms_card_changed() is to be asked. Cheap. */
bool kms_card_has_news(struct kms_card *c, int64_t now_ns);
/* Whether a display is connected that is not lit as it should be: light them again. One that was pulled out is
 * none: the others go on undisturbed, and when it is back as it was, it shows its picture. The displays are asked what they
 * are: that may take seconds where one does not answer. `master_fd` is SDL's descriptor of the card; -1: SDL does
 * not use it. */
bool kms_card_changed(struct kms_card *c, int master_fd);
