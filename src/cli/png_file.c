#include "cli/png_file.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"

#define SIDE_MAX      16384u
#define FILE_MAX_SIZE ((size_t)256 * 1024 * 1024)

static void append(png_structp png, png_bytep data, png_size_t len)
{
    if (buf_append(png_get_io_ptr(png), data, len) < 0)
        png_error(png, "too large");
}

static void flush_nothing(png_structp png)
{
}

static void stay_silent(png_structp png, png_const_charp text)
{
}

/* Encodes into `out`. The row is a copy: libpng wants its rows changeable. 0 or -ENOMEM. */
static int encode(struct buf *out, uint8_t *row, const uint8_t *pixels, const uint32_t size[2],
                  size_t stride)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, stay_silent);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        return -ENOMEM;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return -ENOMEM;
    }
    png_set_write_fn(png, out, append, flush_nothing);
    png_set_IHDR(png, info, size[0], size[1], 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, 3);
    png_write_info(png, info);
    for (uint32_t y = 0; y < size[1]; y++) {
        const uint8_t *p = pixels + (size_t)y * stride;
        for (size_t x = 0; x < size[0]; x++, p += 4) {
            row[3 * x] = p[2];
            row[3 * x + 1] = p[1];
            row[3 * x + 2] = p[0];
        }
        png_write_row(png, row);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return 0;
}

int png_write_file(const char *path, const uint8_t *pixels, uint32_t width, uint32_t height,
                   size_t stride)
{
    if (width == 0 || height == 0 || width > SIDE_MAX || height > SIDE_MAX ||
        stride < (size_t)width * 4)
        return -EINVAL;
    uint8_t *row = malloc((size_t)width * 3);
    if (!row)
        return -ENOMEM;
    struct buf out;
    buf_init(&out, FILE_MAX_SIZE);
    int ret = encode(&out, row, pixels, (const uint32_t[2]){ width, height }, stride);
    if (ret == 0)
        ret = file_replace(path, out.data, out.len);
    if (ret == 0) { /* a picture is nobody's secret: what the umask leaves */
        mode_t mask = umask(0);
        umask(mask);
        if (chmod(path, 0666 & ~mask) < 0)
            ret = -errno;
    }
    buf_finish(&out);
    free(row);
    return ret;
}
