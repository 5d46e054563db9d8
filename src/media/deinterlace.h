/* Interlaced pictures made whole (libavfilter's bwdif, one picture for two fields). libavfilter is
 * loaded when the first such picture comes: few films need it, and it brings thirty libraries. One thread. */
#pragma once

#include <libavutil/frame.h>

#include "base/compiler.h"
#include "base/log.h"

struct deinterlace;

/* `time_base`: of the pictures' pts. */
struct deinterlace *deinterlace_create(AVRational time_base, const struct log *log);
void deinterlace_destroy(struct deinterlace *d); /* NULL is fine */
/* Gives a picture (NULL: the last was given). Takes the reference. Those that cannot be filtered pass
 * unchanged. 0; AVERROR: no more can be taken. */
WARN_UNUSED int deinterlace_send(struct deinterlace *d, AVFrame *f);
/* The next finished picture; its pts counts in the time base given at creation. 0, AVERROR(EAGAIN): send
 * another, AVERROR_EOF. */
WARN_UNUSED int deinterlace_receive(struct deinterlace *d, AVFrame *out);
