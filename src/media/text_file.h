/* A subtitle file of its own, read whole: small, or it is not read. */
#pragma once

#include "media/gate.h"
#include "media/text_track.h"

#define TEXT_FILE_MAX ((int64_t)2 << 20) /* bytes */

/* A track with all events of the file. Its time 0 is that of the media. 0; -EFBIG, -errno, or AVERROR: it
 * cannot be read. `log` outlives the track. */
WARN_UNUSED int text_file_open(struct text_track **out, const char *path, struct gate *gate,
                               const struct log *log);
