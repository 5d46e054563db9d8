#include "output/kms_card.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "base/alloc.h"
#include "base/compiler.h"

#define CARDS_MAX 16
#define LIT_MAX   8

/* Who has the card may be just ending: so often it is tried again, and so far apart. */
#define TRIES  40
#define TRY_NS MS(50)

/* News of the kernel come in bursts: they are acted on when it is over. What it forgets to tell is seen
 * at the next look. */
#define SETTLE_NS MS(150)
#define LOOK_NS   MS(1000)

/* Black of the size of one display, as the kernel knows it. */
struct backdrop {
    uint32_t buffer, frame; /* 0: none */
};

struct lit {
    uint32_t connector, crtc;
    uint64_t modes; /* hash of what the display can do */
    bool is_here;   /* not pulled out since */
    drmModeModeInfo mode;
    struct backdrop backdrop;
    struct kms_output output;
};

struct kms_card {
    const struct log *log;
    const char *root;
    int fd; /* -1: no card */
    int number;
    bool was_told; /* why there is no card */
    struct lit lit[LIT_MAX];
    int count;

    struct udev *udev;
    struct udev_monitor *monitor; /* NULL: cannot be had; then the looks must do */
    bool has_news;
    int64_t look_ns; /* CLOCK_MONOTONIC of the next look */
    uint64_t status; /* at the last look */
};

/* ---- what a connector says -------------------------------------------------------------------- */

static uint64_t hash(uint64_t h, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        h = (h ^ bytes[i]) * 0x100000001b3u;
    return h;
}

/* Where the name and the kernel's marks stand, nothing is compared. */
static uint64_t hash_modes(const drmModeConnector *c)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (int i = 0; i < c->count_modes; i++) {
        const drmModeModeInfo *m = &c->modes[i];
        bool is_preferred = m->type & DRM_MODE_TYPE_PREFERRED;
        h = hash(h, m, offsetof(drmModeModeInfo, type));
        h = hash(h, &is_preferred, sizeof(is_preferred));
    }
    return h;
}

static bool has_display(const drmModeConnector *c)
{
    return c && c->connection == DRM_MODE_CONNECTED && c->count_modes > 0;
}

/* The kernel's word for: the mode must be set again. */
static bool is_link_bad(int fd, const drmModeConnector *c)
{
    bool is_bad = false;
    for (int i = 0; i < c->count_props && !is_bad; i++) {
        drmModePropertyRes *p = drmModeGetProperty(fd, c->props[i]);
        is_bad = p && strcmp(p->name, "link-status") == 0 &&
                 c->prop_values[i] == DRM_MODE_LINK_STATUS_BAD;
        drmModeFreeProperty(p);
    }
    return is_bad;
}

static void name_connector(const drmModeConnector *c, char out[48])
{
    const char *type = drmModeGetConnectorTypeName(c->connector_type);
    snprintf(out, 48, "%s-%u", type ? type : "Unknown", c->connector_type_id);
}

static int refresh_mhz(const drmModeModeInfo *m)
{
    int64_t lines = (int64_t)m->htotal * m->vtotal * (m->vscan > 1 ? m->vscan : 1);
    if (lines == 0)
        return 0;
    int64_t mhz = m->clock * INT64_C(1000000);
    if (m->flags & DRM_MODE_FLAG_INTERLACE)
        mhz *= 2;
    if (m->flags & DRM_MODE_FLAG_DBLSCAN)
        mhz /= 2;
    return (int)((mhz + lines / 2) / lines);
}

static const drmModeModeInfo *choose_mode(const struct kms_card *c, const drmModeConnector *conn,
                                          const struct kms_wish *wish)
{
    struct kms_mode *modes = xcalloc((size_t)conn->count_modes, sizeof(*modes));
    for (int i = 0; i < conn->count_modes; i++) {
        const drmModeModeInfo *m = &conn->modes[i];
        modes[i] = (struct kms_mode){ .width = m->hdisplay,
                                      .height = m->vdisplay,
                                      .refresh_mhz = refresh_mhz(m),
                                      .is_interlaced = m->flags & DRM_MODE_FLAG_INTERLACE,
                                      .is_preferred = m->type & DRM_MODE_TYPE_PREFERRED };
    }
    int chosen = kms_mode_choose(modes, conn->count_modes, wish);
    if (chosen < 0) {
        char name[48];
        name_connector(conn, name);
        log_warn(c->log, "%s: the display has no mode of %dx%d; taking one it has", name,
                 wish->width, wish->height);
        chosen = kms_mode_choose(modes, conn->count_modes, &(struct kms_wish){ 0 });
    }
    free(modes);
    return &conn->modes[chosen];
}

/* ---- which card ------------------------------------------------------------------------------- */

/* How many displays are connected; -1: it is no card that could have any. */
static int count_displays(int fd)
{
    drmModeRes *r = drmModeGetResources(fd);
    int count = r && r->count_connectors > 0 && r->count_crtcs > 0 ? 0 : -1;
    for (int i = 0; count >= 0 && i < r->count_connectors; i++) {
        drmModeConnector *conn = drmModeGetConnector(fd, r->connectors[i]);
        count += has_display(conn);
        drmModeFreeConnector(conn);
    }
    drmModeFreeResources(r);
    return count;
}

/* 0 or errno. Who opens a card that has no master is its master from then on. */
static int open_card(const struct kms_card *c, int number, int *fd)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/dev/dri/card%d", c->root, number);
    *fd = open(path, O_RDWR | O_CLOEXEC);
    return *fd < 0 ? errno : 0;
}

static void leave_card(struct kms_card *c)
{
    if (c->fd >= 0)
        close(c->fd); /* the kernel takes the backdrops back */
    c->fd = c->number = -1;
    c->count = 0;
}

/* Takes the card with the most displays, of equals the first. Returns how many it has. */
static int find_card(struct kms_card *c)
{
    int best = -1, refused = 0;
    leave_card(c);
    for (int i = 0; i < CARDS_MAX; i++) {
        int fd, error = open_card(c, i, &fd);
        refused = error && error != ENOENT && error != ENXIO ? error : refused;
        if (error)
            continue;
        int count = count_displays(fd);
        if (count > best) {
            if (c->fd >= 0)
                close(c->fd);
            c->fd = fd;
            c->number = i;
            best = count;
        } else {
            close(fd);
        }
    }
    if (c->fd >= 0)
        drmDropMaster(c->fd);
    else if (refused && !c->was_told)
        log_warn(c->log, "no display card can be opened: %s", strerror(refused));
    c->was_told |= refused != 0;
    return best > 0 ? best : 0;
}

/* Whoever was master once may be it again; who was not, when it opens the card anew. */
static bool take_card(struct kms_card *c)
{
    if (drmSetMaster(c->fd) == 0)
        return true;
    int number = c->number;
    leave_card(c);
    if (open_card(c, number, &c->fd) == 0)
        c->number = number;
    return c->fd >= 0 && drmIsMaster(c->fd);
}

static bool wait_for_card(struct kms_card *c)
{
    const struct timespec pause = { .tv_nsec = TRY_NS };
    bool is_ours = take_card(c);
    for (int i = 0; i < TRIES && !is_ours && c->fd >= 0; i++) {
        nanosleep(&pause, NULL);
        is_ours = take_card(c);
    }
    return is_ours;
}

/* ---- who has it -------------------------------------------------------------------------------- */

/* `link` is a descriptor of a process, ROOT/proc/PID/fd/N. Whether it is the card, of another process than ours. */
static bool is_open_there(const char *link, const char *card, int *pid)
{
    char target[512];
    ssize_t len = readlink(link, target, sizeof(target) - 1);
    const char *proc = strstr(link, "/proc/");
    target[len > 0 ? len : 0] = '\0';
    return strcmp(target, card) == 0 && proc && sscanf(proc, "/proc/%d/", pid) == 1 &&
           *pid != getpid();
}

/* A process that has the card open: ", open in NAME (process N)"; "": none that we may look into. */
static void find_holder(const struct kms_card *c, char *out, size_t size)
{
    char path[512], name[32] = "?";
    glob_t found;
    out[0] = '\0';
    snprintf(path, sizeof(path), "%s/proc/[0-9]*/fd/*", c->root);
    if (glob(path, GLOB_NOSORT, NULL, &found) != 0)
        return;
    snprintf(path, sizeof(path), "%s/dev/dri/card%d", c->root, c->number);
    int pid = 0;
    bool is_found = false;
    for (size_t i = 0; i < found.gl_pathc && !is_found; i++)
        is_found = is_open_there(found.gl_pathv[i], path, &pid);
    globfree(&found);
    if (!is_found)
        return;
    snprintf(path, sizeof(path), "%s/proc/%d/comm", c->root, pid);
    FILE *f = fopen(path, "re");
    if (f && fgets(name, sizeof(name), f))
        name[strcspn(name, "\n")] = '\0';
    if (f)
        fclose(f);
    snprintf(out, size, ", open in %s (process %d)", name, pid);
}

static void tell_busy(const struct kms_card *c)
{
    char holder[96];
    find_holder(c, holder, sizeof(holder));
    log_err(c->log,
            "/dev/dri/card%d: another program has the displays%s: end it, or set display.driver to "
            "x11 or wayland if it is a desktop",
            c->number, holder);
}

/* ---- what the kernel thinks is plugged -------------------------------------------------------- */

/* Changes with what sysfs says of the connectors, of all cards: without a display it is not known yet which one is ours. */
static uint64_t read_status(const struct kms_card *c)
{
    char pattern[512], status[32];
    uint64_t all = 0;
    glob_t found;
    snprintf(pattern, sizeof(pattern), "%s/sys/class/drm/card*-*/status", c->root);
    if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        FILE *f = fopen(path, "re");
        if (f && fgets(status, sizeof(status), f))
            all += hash(hash(1, path, strlen(path)), status, strlen(status));
        if (f)
            fclose(f);
    }
    globfree(&found);
    return all;
}

/* ---- lighting --------------------------------------------------------------------------------- */

static bool is_crtc_taken(const struct lit *lit, int count, uint32_t crtc)
{
    for (int i = 0; i < count; i++) {
        if (lit[i].crtc == crtc)
            return true;
    }
    return false;
}

/* The one it has, else the first that is free and fits; 0: none. */
static uint32_t choose_crtc(int fd, const drmModeRes *r, const drmModeConnector *conn,
                            const struct lit *lit, int count)
{
    drmModeEncoder *own = conn->encoder_id ? drmModeGetEncoder(fd, conn->encoder_id) : NULL;
    uint32_t crtc = own ? own->crtc_id : 0;
    drmModeFreeEncoder(own);
    if (crtc && !is_crtc_taken(lit, count, crtc))
        return crtc;
    for (int i = 0; i < conn->count_encoders; i++) {
        drmModeEncoder *e = drmModeGetEncoder(fd, conn->encoders[i]);
        uint32_t fits = e ? e->possible_crtcs : 0;
        drmModeFreeEncoder(e);
        for (int k = 0; k < r->count_crtcs && k < 32; k++) {
            if (fits >> k & 1 && !is_crtc_taken(lit, count, r->crtcs[k]))
                return r->crtcs[k];
        }
    }
    return 0;
}

static void free_backdrop(int fd, struct backdrop *b)
{
    if (b->frame)
        drmModeRmFB(fd, b->frame);
    if (b->buffer)
        drmModeDestroyDumbBuffer(fd, b->buffer);
    *b = (struct backdrop){ 0 };
}

/* The kernel's memory is all zero: black. 0 or -errno. */
static int make_backdrop(int fd, uint32_t width, uint32_t height, struct backdrop *b)
{
    uint32_t pitch;
    uint64_t size;
    *b = (struct backdrop){ 0 };
    int ret = drmModeCreateDumbBuffer(fd, width, height, 32, 0, &b->buffer, &pitch, &size);
    if (ret == 0)
        ret = drmModeAddFB(fd, width, height, 24, 32, pitch, b->buffer, &b->frame);
    if (ret != 0) {
        free_backdrop(fd, b);
        return ret < 0 ? ret : -ret;
    }
    return 0;
}

static void find_displays(struct kms_card *c, const drmModeRes *r, const struct kms_wish *wish)
{
    c->count = 0;
    for (int i = 0; i < r->count_connectors && c->count < LIT_MAX; i++) {
        drmModeConnector *conn = drmModeGetConnector(c->fd, r->connectors[i]);
        if (has_display(conn)) {
            struct lit *l = &c->lit[c->count];
            *l = (struct lit){ .connector = conn->connector_id,
                               .modes = hash_modes(conn),
                               .is_here = true,
                               .mode = *choose_mode(c, conn, wish) };
            l->crtc = choose_crtc(c->fd, r, conn, c->lit, c->count);
            l->output = (struct kms_output){ .width = l->mode.hdisplay,
                                             .height = l->mode.vdisplay,
                                             .refresh_mhz = refresh_mhz(&l->mode) };
            name_connector(conn, l->output.name);
            c->count++;
        }
        drmModeFreeConnector(conn);
    }
}

static void light(const struct kms_card *c, struct lit *l)
{
    uint64_t sequence, when_ns;
    int ret =
        l->crtc ? make_backdrop(c->fd, l->mode.hdisplay, l->mode.vdisplay, &l->backdrop) : -EBUSY;
    if (ret == 0 &&
        drmModeSetCrtc(c->fd, l->crtc, l->backdrop.frame, 0, 0, &l->connector, 1, &l->mode) != 0)
        ret = -errno;
    l->output.has_vblank = ret == 0 && drmCrtcGetSequence(c->fd, l->crtc, &sequence, &when_ns) == 0;
    if (ret < 0)
        log_warn(c->log, "%s: mode %s cannot be set: %s", l->output.name, l->mode.name,
                 strerror(-ret));
    else
        log_debug(c->log, "%s: %s at %d.%03d Hz on card %d", l->output.name, l->mode.name,
                  l->output.refresh_mhz / 1000, l->output.refresh_mhz % 1000, c->number);
}

int kms_card_light(struct kms_card *c, const struct kms_wish *wish)
{
    struct backdrop old[LIT_MAX];
    int old_count = 0;
    if (c->count == 0 && find_card(c) == 0)
        return 0;
    if (!wait_for_card(c) && c->fd >= 0) {
        tell_busy(c);
        leave_card(c);
        return -EBUSY;
    }
    drmModeRes *r = c->fd >= 0 ? drmModeGetResources(c->fd) : NULL;
    if (!r)
        return 0;
    for (; old_count < c->count; old_count++)
        old[old_count] = c->lit[old_count].backdrop;
    find_displays(c, r, wish);
    for (int i = 0; i < r->count_crtcs; i++) {
        if (!is_crtc_taken(c->lit, c->count, r->crtcs[i]))
            drmModeSetCrtc(c->fd, r->crtcs[i], 0, 0, 0, NULL, 0, NULL);
    }
    for (int i = 0; i < c->count; i++)
        light(c, &c->lit[i]);
    for (int i = 0; i < old_count; i++)
        free_backdrop(c->fd, &old[i]);
    drmModeFreeResources(r);
    c->status = read_status(c);
    drmDropMaster(c->fd);
    return c->count;
}

int kms_card_number(const struct kms_card *c)
{
    return c->number;
}

const struct kms_output *kms_card_output(const struct kms_card *c, int i)
{
    return &c->lit[i].output;
}

/* ---- changes ---------------------------------------------------------------------------------- */

static bool take_news(struct kms_card *c)
{
    bool has_news = false;
    for (struct udev_device *d; c->monitor && (d = udev_monitor_receive_device(c->monitor));) {
        udev_device_unref(d);
        has_news = true;
    }
    return has_news;
}

static struct lit *find_lit(struct kms_card *c, uint32_t connector)
{
    for (int i = 0; i < c->count; i++) {
        if (c->lit[i].connector == connector)
            return &c->lit[i];
    }
    return NULL;
}

static bool is_lit_well(struct kms_card *c, int fd, const drmModeConnector *conn)
{
    struct lit *l = find_lit(c, conn->connector_id);
    bool is_here = has_display(conn);
    if (l && l->is_here != is_here) {
        log_info(c->log, is_here ? "%s: the display is back" : "%s: the display is gone",
                 l->output.name);
        l->is_here = is_here;
    }
    return !is_here || (l && l->modes == hash_modes(conn) && !is_link_bad(fd, conn));
}

/* Asks the displays; only the card's master gets a new answer. */
static bool are_lit_well(struct kms_card *c, int fd)
{
    drmModeRes *r = drmModeGetResources(fd);
    bool is_well = true;
    for (int i = 0; r && i < r->count_connectors; i++) {
        drmModeConnector *conn = drmModeGetConnector(fd, r->connectors[i]);
        if (conn)
            is_well &= is_lit_well(c, fd, conn);
        drmModeFreeConnector(conn);
    }
    drmModeFreeResources(r);
    return is_well;
}

bool kms_card_has_news(struct kms_card *c, int64_t now_ns)
{
    if (take_news(c) && !c->has_news) {
        c->has_news = true;
        c->look_ns = now_ns + SETTLE_NS;
    }
    if (now_ns < c->look_ns)
        return false;
    c->look_ns = now_ns + LOOK_NS;
    uint64_t status = read_status(c);
    bool is_quiet = !c->has_news && status == c->status;
    c->has_news = false;
    c->status = status;
    return !is_quiet || (c->count == 0 && c->fd < 0);
}

bool kms_card_changed(struct kms_card *c, int master_fd)
{
    if (c->count == 0)
        return find_card(c) > 0;
    return !are_lit_well(c, master_fd >= 0 ? master_fd : c->fd);
}

/* ---- birth and death -------------------------------------------------------------------------- */

static void hear(struct kms_card *c)
{
    c->udev = udev_new();
    c->monitor = c->udev ? udev_monitor_new_from_netlink(c->udev, "kernel") : NULL;
    if (!c->monitor)
        return;
    udev_monitor_filter_add_match_subsystem_devtype(c->monitor, "drm", NULL);
    if (udev_monitor_enable_receiving(c->monitor) < 0) {
        udev_monitor_unref(c->monitor);
        c->monitor = NULL;
    }
}

struct kms_card *kms_card_open(const char *root, const struct log *log)
{
    struct kms_card *c = xcalloc(1, sizeof(*c));
    c->root = root;
    c->log = log;
    c->fd = c->number = -1;
    hear(c);
    return c;
}

void kms_card_close(struct kms_card *c)
{
    if (!c)
        return;
    leave_card(c);
    if (c->monitor)
        udev_monitor_unref(c->monitor);
    if (c->udev)
        udev_unref(c->udev);
    free(c);
}
