/* Keeps a sound device open for as long as the show runs: opens it off the render thread, and when it is
 * lost or cannot be had lets the null driver keep the time while it tries again. */
#pragma once

#include "config/config.h"
#include "output/audio.h"
#include "shm/control.h"

struct sound;

/* `fill` as in output/audio.h. Says in `control` what plays it. `control` and the strings of `config` must outlive the
 * object. */
struct sound *sound_create(const struct config *config, struct control *control, audio_fill *fill,
                           void *ctx, struct log *log);
void sound_destroy(struct sound *s); /* after it `fill` is not called any more */
