/* Pictures as PNG files. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Replaces `path` by a PNG of these pixels: B G R x, `stride` bytes a row. 0; -EINVAL: the measures make no
 * picture; -ENOMEM; -errno of writing: an old file is then untouched. Blocks on disk. */
WARN_UNUSED int png_write_file(const char *path, const uint8_t *pixels, uint32_t width,
                               uint32_t height, size_t stride);
