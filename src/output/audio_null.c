#include <stdio.h>
#include <string.h>

#include "output/audio_driver.h"
#include "output/audio_pace.h"

static int null_open(struct audio *a)
{
    struct audio_pace *pace;
    int ret = audio_pace_start(&pace, a, NULL, NULL);
    if (ret < 0) {
        snprintf(a->error, sizeof(a->error), "no thread: %s", strerror(-ret));
        return ret;
    }
    a->state = pace;
    return 0;
}

static void null_close(struct audio *a)
{
    audio_pace_stop(a->state);
    a->state = NULL;
}

const struct audio_driver audio_null = { .name = "null", .open = null_open, .close = null_close };
