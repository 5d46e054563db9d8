/* Which FFmpeg decodes. */
#pragma once

/* Its version as its makers call it, "7.1.3-0+deb13u1+rpt1". Static. */
const char *decoder_version(void);
