#include "strip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void region_layout(struct region *r, const struct shape *shape)
{
    r->view_x = r->view_y = 0;
    r->view_w = r->w;
    r->view_h = r->h;
    if (shape->aspect > 0) {
        if (r->w > r->h * shape->aspect)
            r->view_w = (int)(r->h * shape->aspect + 0.5);
        else
            r->view_h = (int)(r->w / shape->aspect + 0.5);
        r->view_x = (r->w - r->view_w) / 2;
        r->view_y = (r->h - r->view_h) / 2;
    }
    r->line = r->view_y + (int)(shape->row * r->view_h);
    for (int i = 0; i < CODE_CELLS; i++)
        r->cell_x[i] =
            r->view_x + (int)((CODE_X0 + (CODE_X1 - CODE_X0) * (i + 0.5) / CODE_CELLS) * r->view_w);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int map_file(const char *path, const uint8_t **base, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_size < 100) {
        close(fd);
        return -EINVAL;
    }
    void *m = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (m == MAP_FAILED)
        return -errno;
    *base = m;
    *size = (size_t)st.st_size;
    return 0;
}

int region_map(struct region *r, const char *spec, const struct shape *shape)
{
    const char *equals = strchr(spec, '='), *at = strrchr(spec, '@');
    char path[4096];
    int x = 0, y = 0, w = 0, h = 0;
    if (!equals || (size_t)(equals - spec) >= sizeof(r->name))
        return -EINVAL;
    if (at && at < equals)
        at = NULL;
    if (at && sscanf(at + 1, "%d,%d,%d,%d", &x, &y, &w, &h) != 4)
        return -EINVAL;
    snprintf(r->name, sizeof(r->name), "%.*s", (int)(equals - spec), spec);
    snprintf(path, sizeof(path), "%.*s", at ? (int)(at - equals - 1) : (int)strlen(equals + 1),
             equals + 1);
    const uint8_t *m = NULL;
    size_t size = 0;
    int ret = map_file(path, &m, &size);
    if (ret < 0)
        return ret;
    /* XWD header: words of 4 bytes, most significant byte first */
    uint32_t head = be32(m), image_w = be32(m + 16), image_h = be32(m + 20);
    uint32_t bits = be32(m + 44), bytes_per_line = be32(m + 48), colours = be32(m + 76);
    size_t pixels = head + (size_t)colours * 12;
    if (bits != 32 || pixels + (size_t)bytes_per_line * image_h > size)
        return -EINVAL;
    if (w == 0) {
        w = (int)image_w;
        h = (int)image_h;
    }
    if (x < 0 || y < 0 || w < 64 || h < 32 || x + w > (int)image_w || y + h > (int)image_h)
        return -ERANGE;
    r->px = m + pixels + (size_t)y * bytes_per_line + (size_t)x * 4;
    r->stride = (int)bytes_per_line;
    r->w = w;
    r->h = h;
    region_layout(r, shape);
    return 0;
}

static int luma(const struct region *r, int x, int y)
{
    const volatile uint8_t *p = r->px + (size_t)y * (size_t)r->stride + (size_t)x * 4;
    return (p[0] * 29 + p[1] * 150 + p[2] * 77) >> 8;
}

/* Black and white level from the eight known cells. false: they do not look like a strip. */
static bool levels(const int v[CODE_CELLS], int *black, int *white)
{
    int white_min = 255, black_max = 0;
    *black = *white = 0;
    for (int k = 0; k < 8; k++) {
        int lit = k < 4 ? code_sync[k] : code_trailer[k - 4];
        int level = v[k < 4 ? k : CODE_CELLS - 8 + k];
        if (lit) {
            *white += level / 4;
            white_min = level < white_min ? level : white_min;
        } else {
            *black += level / 4;
            black_max = level > black_max ? level : black_max;
        }
    }
    return *white - *black >= 60 && white_min - black_max >= (*white - *black) / 2;
}

/* false: no strip there. */
static bool read_strip(const struct region *r, struct reading *out)
{
    int v[CODE_CELLS], black, white;
    for (int i = 0; i < CODE_CELLS; i++) /* three pixels of one line: two frames cannot mix in it */
        v[i] = (luma(r, r->cell_x[i] - 2, r->line) + luma(r, r->cell_x[i], r->line) +
                luma(r, r->cell_x[i] + 2, r->line)) /
               3;
    if (!levels(v, &black, &white))
        return false;
    *out = (struct reading){ .state = REGION_TORN };
    int middle = (white + black) / 2, guard = (white - black) / 8;
    uint32_t bits = 0;
    for (int i = 4; i < CODE_CELLS - 4; i++) {
        if (abs(v[i] - middle) < guard)
            return true;
        bits = bits << 1 | (v[i] > middle);
    }
    unsigned frame = bits >> 8 & ((1u << CODE_FRAME_BITS) - 1),
             clip = bits >> (8 + CODE_FRAME_BITS);
    if ((bits & 255) == code_crc8(clip, frame))
        *out = (struct reading){ REGION_CODE, clip, frame };
    return true;
}

/* Without a strip: a sparse grid over the picture. */
static enum region_state read_plain(const struct region *r, uint32_t root)
{
    bool is_black = true, is_same = true, is_root = true;
    uint32_t first = 0;
    for (int i = 0; i < 9 * 16; i++) {
        int x = r->view_x + (2 * (i % 16) + 1) * r->view_w / 32;
        int y = r->view_y + (2 * (i / 16) + 1) * r->view_h / 18;
        const volatile uint8_t *p = r->px + (size_t)y * (size_t)r->stride + (size_t)x * 4;
        uint32_t colour = (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
        if (i == 0)
            first = colour;
        is_same = is_same && colour == first;
        is_root = is_root && colour == root;
        is_black = is_black && (p[0] | p[1] | p[2]) <= 24;
    }
    return is_black ? REGION_BLACK : is_root ? REGION_ROOT : is_same ? REGION_PLAIN : REGION_OTHER;
}

struct reading region_read(const struct region *r, uint32_t root)
{
    struct reading out;
    if (!read_strip(r, &out))
        out = (struct reading){ .state = read_plain(r, root) };
    return out;
}
