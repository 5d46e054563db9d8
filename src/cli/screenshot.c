#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/png_file.h"
#include "shm/control.h"
#include "shm/segment.h"

struct shot {
    int64_t width, height, stride;
};

/* What the answer says is checked against the file: the stage that wrote it may have died. */
static bool shot_fits(const struct shot *s, int64_t file_bytes)
{
    const int64_t side_max = 16384;
    int64_t room = min_i64(file_bytes - (int64_t)offsetof(struct shot_segment, pixels),
                           (int64_t)SHOT_MAX_BYTES);
    return s->width > 0 && s->width <= side_max && s->height > 0 && s->height <= side_max &&
           s->stride >= s->width * 4 && s->stride <= room / s->height;
}

static int map_pixels(const char *path, const struct shot *s, void **base, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct stat st;
    int ret = fstat(fd, &st) < 0 ? -errno : shot_fits(s, st.st_size) ? 0 : -EPROTO;
    if (ret == 0) {
        *size = (size_t)st.st_size;
        *base = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
        ret = *base == MAP_FAILED ? -errno : 0;
    }
    close(fd);
    return ret;
}

static int save(struct cli *cli, const struct shot *s)
{
    const char *file = cli->args.word[0];
    struct stat st;
    if (stat(file, &st) == 0 &&
        !S_ISREG(st.st_mode)) /* a device would be replaced by the picture */
        return cli_fail(cli, CLI_FAILED, "%s: this is no regular file", file);
    void *base = NULL;
    size_t size = 0;
    char *path = xasprintf("%s/" SEGMENT_FOLDER "/shot", cli->runtime_dir);
    int ret = map_pixels(path, s, &base, &size);
    free(path);
    if (ret == -EPROTO)
        return cli_fail(cli, CLI_FAILED, "the picture of the screen is damaged; try again");
    if (ret < 0)
        return cli_fail(cli, CLI_FAILED, "the picture of the screen cannot be read: %s",
                        strerror(-ret));
    const struct shot_segment *segment = base;
    ret = png_write_file(file, segment->pixels, (uint32_t)s->width, (uint32_t)s->height,
                         (size_t)s->stride);
    munmap(base, size);
    if (ret < 0)
        return cli_fail(cli, CLI_FAILED, "%s: cannot be written: %s", file, strerror(-ret));
    return CLI_OK;
}

/* A name without an ending is as good as one with the right one. */
static bool has_other_ending(const char *file)
{
    const char *slash = strrchr(file, '/'), *dot = strrchr(slash ? slash + 1 : file, '.');
    return dot && strcasecmp(dot, ".png") != 0;
}

int screenshot_run(struct cli *cli)
{
    const char *file = cli->args.word[0];
    if (has_other_ending(file))
        return cli_usage(cli, "%s: only PNG pictures are written; let the name end with .png",
                         file);
    struct message *request = cli_request("screenshot"), *answer;
    if (args_has(&cli->args, ARG_OUTPUT))
        message_set_str(request, "output", cli->args.value[ARG_OUTPUT]);
    int ret = cli_call(cli, request, &answer);
    if (ret != CLI_OK)
        return ret;
    struct shot s = {
        .width = message_i64(answer, "width", 0),
        .height = message_i64(answer, "height", 0),
        .stride = message_i64(answer, "stride", 0),
    };
    ret = save(cli, &s);
    if (ret == CLI_OK) {
        fprintf(cli->out, "%lldx%lld of ", (long long)s.width, (long long)s.height);
        term_put(&cli->term, STYLE_PLAIN, message_str(answer, "output", "the screen"));
        fputs(": ", cli->out);
        term_put(&cli->term, STYLE_PLAIN, file);
        fputc('\n', cli->out);
    }
    message_destroy(answer);
    return ret;
}
