#include "media/decoder_version.h"

#include <libavutil/avutil.h>

const char *decoder_version(void)
{
    return av_version_info();
}
