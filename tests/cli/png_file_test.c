/* Pictures written, read back by libpng. */
#include "support.h"

#include <png.h>

#include "cli/png_file.h"

/* RGB of every pixel; the caller frees. */
static uint8_t *read_png(const char *path, uint32_t *width, uint32_t *height)
{
    png_image image = { .version = PNG_IMAGE_VERSION };
    assert_int_not_equal(png_image_begin_read_from_file(&image, path), 0);
    image.format = PNG_FORMAT_RGB;
    uint8_t *pixels = malloc(PNG_IMAGE_SIZE(image));
    assert_int_not_equal(png_image_finish_read(&image, NULL, pixels, 0, NULL), 0);
    *width = image.width;
    *height = image.height;
    return pixels;
}

static const struct {
    uint32_t width, height;
    size_t stride;
} size_cases[] = { { 1, 1, 4 }, { 3, 2, 12 }, { 5, 7, 64 }, { 640, 360, 2560 }, { 1, 300, 16 } };

static void every_pixel_comes_back_whatever_the_stride(void **state)
{
    char *dir = temp_dir(), *path = xasprintf("%s/shot.png", dir);
    for (size_t i = 0; i < ARRAY_LEN(size_cases); i++) {
        uint32_t width = size_cases[i].width, height = size_cases[i].height, w, h;
        size_t stride = size_cases[i].stride;
        uint8_t *pixels = malloc(stride * height);
        for (size_t k = 0; k < stride * height; k++)
            pixels[k] = (uint8_t)(k * 31 + k / 251);
        assert_int_equal(png_write_file(path, pixels, width, height, stride), 0);
        uint8_t *back = read_png(path, &w, &h);
        assert_int_equal(w, width);
        assert_int_equal(h, height);
        for (uint32_t y = 0; y < height; y++) {
            for (uint32_t x = 0; x < width; x++) {
                const uint8_t *bgrx = pixels + y * stride + (size_t)x * 4;
                const uint8_t *rgb = back + ((size_t)y * width + x) * 3;
                assert_true(rgb[0] == bgrx[2] && rgb[1] == bgrx[1] && rgb[2] == bgrx[0]);
            }
        }
        free(back);
        free(pixels);
    }
    free(path);
    remove_dir(dir);
}

static void measures_that_make_no_picture_are_refused(void **state)
{
    uint8_t pixel[4] = { 0 };
    assert_int_equal(png_write_file("/nonexistent/x.png", pixel, 0, 1, 4), -EINVAL);
    assert_int_equal(png_write_file("/nonexistent/x.png", pixel, 1, 0, 4), -EINVAL);
    assert_int_equal(png_write_file("/nonexistent/x.png", pixel, 2, 1, 7), -EINVAL);
    assert_int_equal(png_write_file("/nonexistent/x.png", pixel, 1u << 20, 1, 1u << 22), -EINVAL);
}

static void an_old_file_stays_when_the_new_one_cannot_be_written(void **state)
{
    uint8_t pixel[4] = { 1, 2, 3, 0 };
    char *dir = temp_dir(), *old = make_file(dir, "shot.png", "old");
    make_dir(dir, "shot.png.new"); /* where the temporary file would be */
    assert_true(png_write_file(old, pixel, 1, 1, 4) < 0);
    char *text = read_text(old);
    assert_string_equal(text, "old");
    free(text);
    free(old);
    remove_dir(dir);
    assert_int_equal(png_write_file("/nonexistent/x.png", pixel, 1, 1, 4), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pixel_comes_back_whatever_the_stride),
        cmocka_unit_test(measures_that_make_no_picture_are_refused),
        cmocka_unit_test(an_old_file_stays_when_the_new_one_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
