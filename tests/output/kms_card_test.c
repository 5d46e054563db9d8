/* The card on a kernel that is played here: which displays are lit and how, and when they are to be lit again. */
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/now.h"
#include "output/kms_card.h"
#include "support/folder.h"

#define CONNECTORS 3
#define CRTCS      4
#define CRTC(i)    (100u + (uint32_t)(i))
#define MODES_MAX  2

/* ---- the kernel --------------------------------------------------------------------------------- */

struct display {
    bool is_connected, is_link_bad;
    drmModeModeInfo modes[MODES_MAX];
    int count;
};

struct screen_of_crtc {
    uint32_t connector, frame; /* 0: dark */
    int width, height;
};

/* card0 renders only, into the connector of card1 nothing is plugged, card2 has displays. */
static struct {
    char root[64];
    struct display display[CONNECTORS + 1]; /* the last: of card1 */
    int own_crtc;             /* what the boot console shows on all connectors; -1: nothing */
    bool is_master, is_taken; /* the latter by another program */
    int waits_left;           /* until that one ends; 0: it does not */
    int64_t waited_ns;
    bool has_no_vblank;
    struct screen_of_crtc shown[CRTCS];
    int buffers; /* that are there */
    int news;    /* of the kernel, not taken yet */
    int asked;   /* how often a connector was probed */
} kernel;

static const drmModeModeInfo full_hd = { .clock = 148500,
                                         .hdisplay = 1920,
                                         .vdisplay = 1080,
                                         .htotal = 2200,
                                         .vtotal = 1125,
                                         .type = DRM_MODE_TYPE_PREFERRED,
                                         .name = "1920x1080" };
static const drmModeModeInfo ultra_hd = { .clock = 594000,
                                          .hdisplay = 3840,
                                          .vdisplay = 2160,
                                          .htotal = 4400,
                                          .vtotal = 2250,
                                          .type = DRM_MODE_TYPE_PREFERRED,
                                          .name = "3840x2160" };

static char number_of(int fd)
{
    char number = '0';
    assert_int_equal(pread(fd, &number, 1, 0), 1);
    return number;
}

drmModeResPtr drmModeGetResources(int fd)
{
    static uint32_t connectors[CONNECTORS + 1], crtcs[CRTCS];
    static drmModeRes r;
    for (uint32_t i = 0; i <= CONNECTORS; i++)
        connectors[i] = i + 1;
    for (uint32_t i = 0; i < CRTCS; i++)
        crtcs[i] = CRTC(i);
    r = (drmModeRes){ .connectors = connectors, .crtcs = crtcs };
    char number = number_of(fd);
    r.count_connectors = number == '0' ? 0 : number == '1' ? 1 : CONNECTORS;
    r.count_crtcs = number == '0' ? 0 : CRTCS;
    if (number == '1')
        r.connectors += CONNECTORS;
    return &r;
}

void drmModeFreeResources(drmModeResPtr r)
{
}

/* Its encoder, which is its only one, has its number, too. */
drmModeConnectorPtr drmModeGetConnector(int fd, uint32_t id)
{
    static drmModeConnector c;
    static uint32_t encoder, property = 1;
    static uint64_t link_status;
    struct display *d = &kernel.display[id - 1];
    kernel.asked++;
    encoder = id;
    link_status = d->is_link_bad ? DRM_MODE_LINK_STATUS_BAD : DRM_MODE_LINK_STATUS_GOOD;
    c = (drmModeConnector){ .connector_id = id,
                            .encoder_id = id,
                            .connector_type = DRM_MODE_CONNECTOR_HDMIA,
                            .connector_type_id = id,
                            .connection =
                                d->is_connected ? DRM_MODE_CONNECTED : DRM_MODE_DISCONNECTED,
                            .count_modes = d->is_connected ? d->count : 0,
                            .modes = d->modes,
                            .count_props = 1,
                            .props = &property,
                            .prop_values = &link_status,
                            .count_encoders = 1,
                            .encoders = &encoder };
    return &c;
}

void drmModeFreeConnector(drmModeConnectorPtr c)
{
}

const char *drmModeGetConnectorTypeName(uint32_t type)
{
    return type == DRM_MODE_CONNECTOR_HDMIA ? "HDMI-A" : NULL;
}

drmModePropertyPtr drmModeGetProperty(int fd, uint32_t id)
{
    static drmModePropertyRes p = { .name = "link-status" };
    return &p;
}

void drmModeFreeProperty(drmModePropertyPtr p)
{
}

/* Any CRTC but the first, which is for something else. */
drmModeEncoderPtr drmModeGetEncoder(int fd, uint32_t id)
{
    static drmModeEncoder e;
    e = (drmModeEncoder){ .encoder_id = id,
                          .crtc_id = kernel.own_crtc >= 0 ? CRTC(kernel.own_crtc) : 0,
                          .possible_crtcs = (1u << CRTCS) - 2 };
    return &e;
}

void drmModeFreeEncoder(drmModeEncoderPtr e)
{
}

int drmModeCreateDumbBuffer(int fd, uint32_t width, uint32_t height, uint32_t bpp, uint32_t flags,
                            uint32_t *handle, uint32_t *pitch, uint64_t *size)
{
    static uint32_t next;
    *handle = ++next;
    *pitch = width * 4;
    *size = (uint64_t)*pitch * height;
    kernel.buffers++;
    return 0;
}

int drmModeDestroyDumbBuffer(int fd, uint32_t handle)
{
    kernel.buffers--;
    return 0;
}

int drmModeAddFB(int fd, uint32_t width, uint32_t height, uint8_t depth, uint8_t bpp,
                 uint32_t pitch, uint32_t handle, uint32_t *id)
{
    *id = handle;
    return 0;
}

int drmModeRmFB(int fd, uint32_t id)
{
    return 0;
}

int drmModeSetCrtc(int fd, uint32_t crtc, uint32_t frame, uint32_t x, uint32_t y,
                   uint32_t *connectors, int count, drmModeModeInfoPtr mode)
{
    assert_true(kernel.is_master);
    kernel.shown[crtc - CRTC(0)] = (struct screen_of_crtc){ 0 };
    if (count == 1)
        kernel.shown[crtc - CRTC(0)] =
            (struct screen_of_crtc){ *connectors, frame, mode->hdisplay, mode->vdisplay };
    return 0;
}

int drmCrtcGetSequence(int fd, uint32_t crtc, uint64_t *sequence, uint64_t *ns)
{
    *sequence = *ns = 0;
    return kernel.has_no_vblank ? -1 : 0;
}

int drmSetMaster(int fd)
{
    kernel.is_master = !kernel.is_taken;
    return kernel.is_taken ? -1 : 0;
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
    kernel.waited_ns += time->tv_sec * NS_PER_S + time->tv_nsec;
    if (kernel.waits_left > 0 && --kernel.waits_left == 0)
        kernel.is_taken = false;
    return 0;
}

int drmDropMaster(int fd)
{
    kernel.is_master = false;
    return 0;
}

int drmIsMaster(int fd)
{
    return kernel.is_master;
}

/* ---- its news ----------------------------------------------------------------------------------- */

static char handle;

struct udev *udev_new(void)
{
    return (struct udev *)(void *)&handle;
}

struct udev *udev_unref(struct udev *u)
{
    return NULL;
}

struct udev_monitor *udev_monitor_new_from_netlink(struct udev *u, const char *name)
{
    return (struct udev_monitor *)(void *)&handle;
}

struct udev_monitor *udev_monitor_unref(struct udev_monitor *m)
{
    return NULL;
}

int udev_monitor_filter_add_match_subsystem_devtype(struct udev_monitor *m, const char *subsystem,
                                                    const char *type)
{
    assert_string_equal(subsystem, "drm");
    return 0;
}

int udev_monitor_enable_receiving(struct udev_monitor *m)
{
    return 0;
}

struct udev_device *udev_monitor_receive_device(struct udev_monitor *m)
{
    if (kernel.news == 0)
        return NULL;
    kernel.news--;
    return (struct udev_device *)(void *)&handle;
}

struct udev_device *udev_device_unref(struct udev_device *d)
{
    return NULL;
}

/* ---- a room with displays ------------------------------------------------------------------------- */

/* In sysfs, too: as the kernel thinks since it last looked. */
static void plug(int i, const drmModeModeInfo *mode, const drmModeModeInfo *further)
{
    struct display *d = &kernel.display[i];
    char name[80];
    *d = (struct display){ .is_connected = mode != NULL, .count = further ? 2 : 1 };
    if (mode)
        d->modes[0] = *mode;
    if (further)
        d->modes[1] = *further;
    snprintf(name, sizeof(name), "sys/class/drm/card2-HDMI-A-%d/status", i + 1);
    const char *status = mode ? "connected\n" : "disconnected\n";
    folder_write(kernel.root, name, status, strlen(status));
}

static void make_folder(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", kernel.root, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static int setup(void **state)
{
    static const char *const folders[] = { "dev",
                                           "dev/dri",
                                           "sys",
                                           "sys/class",
                                           "sys/class/drm",
                                           "sys/class/drm/card0",
                                           "sys/class/drm/card2",
                                           "sys/class/drm/card2-HDMI-A-1",
                                           "sys/class/drm/card2-HDMI-A-2",
                                           "sys/class/drm/card2-HDMI-A-3",
                                           "sys/class/drm/card1-DP-1" };
    memset(&kernel, 0, sizeof(kernel));
    folder_make(kernel.root);
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        make_folder(folders[i]);
    folder_write(kernel.root, "dev/dri/card0", "0", 1);
    folder_write(kernel.root, "dev/dri/card1", "1", 1);
    folder_write(kernel.root, "dev/dri/card2", "2", 1);
    for (int i = 0; i < CONNECTORS; i++)
        plug(i, NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    folder_remove(kernel.root);
    return 0;
}

static struct kms_card *light_card(int displays)
{
    struct kms_card *c = kms_card_open(kernel.root, NULL);
    assert_int_equal(kms_card_light(c, &(struct kms_wish){ 0 }), displays);
    return c;
}

static const struct screen_of_crtc *screen_of(uint32_t connector)
{
    for (int i = 0; i < CRTCS; i++) {
        if (kernel.shown[i].connector == connector)
            return &kernel.shown[i];
    }
    return NULL;
}

static bool is_changed(struct kms_card *c, int64_t now_ns)
{
    return kms_card_has_news(c, now_ns) && kms_card_changed(c, -1);
}

/* What the card says in the two seconds after the kernel has told something. */
static bool changes_after_news(struct kms_card *c)
{
    static int64_t now_ns = SECONDS(10);
    bool has_changed = false;
    kernel.news = 3;
    now_ns += SECONDS(10);
    for (int i = 0; i < 20; i++)
        has_changed |= is_changed(c, now_ns + i * MS(100));
    assert_int_equal(kernel.news, 0);
    return has_changed;
}

/* ---- lighting -------------------------------------------------------------------------------------- */

static void each_display_has_its_own_crtc_and_the_mode_it_is_for(void **state)
{
    plug(0, &full_hd, NULL);
    plug(2, &ultra_hd, &full_hd);
    kernel.own_crtc = 1; /* the same picture on both */
    kernel.shown[0] = kernel.shown[3] = (struct screen_of_crtc){ .connector = 77, .frame = 9 };
    struct kms_card *c = light_card(2);
    assert_int_equal(kms_card_number(c), 2);
    assert_string_equal(kms_card_output(c, 0)->name, "HDMI-A-1");
    assert_string_equal(kms_card_output(c, 1)->name, "HDMI-A-3");
    for (uint32_t i = 0; i < 2; i++) {
        const struct screen_of_crtc *s = screen_of(i ? 3 : 1);
        assert_non_null(s);
        assert_int_equal(s->width, 1920);
        assert_int_equal(s->height, 1080);
        assert_int_not_equal(s->frame, 0);
        assert_int_equal(kms_card_output(c, (int)i)->height, 1080);
        assert_int_equal(kms_card_output(c, (int)i)->refresh_mhz, 60000);
        assert_true(kms_card_output(c, (int)i)->has_vblank);
    }
    /* The first fits none of them, the last is left over: both are dark. */
    assert_int_equal(kernel.shown[0].connector, 0);
    assert_int_equal(kernel.shown[3].connector, 0);
    assert_false(kernel.is_master); /* it is SDL's turn */
    kms_card_close(c);
}

static void a_mode_that_is_wanted_is_taken(void **state)
{
    plug(0, &full_hd, &ultra_hd);
    struct kms_card *c = kms_card_open(kernel.root, NULL);
    assert_int_equal(kms_card_light(c, &(struct kms_wish){ .width = 3840, .height = 2160 }), 1);
    assert_int_equal(kms_card_output(c, 0)->width, 3840);
    assert_int_equal(kms_card_light(c, &(struct kms_wish){ .width = 1234, .height = 567 }), 1);
    assert_int_equal(kms_card_output(c, 0)->width, 1920); /* there is none */
    kms_card_close(c);
}

static void lighting_again_takes_no_more_memory(void **state)
{
    plug(0, &full_hd, NULL);
    plug(1, &full_hd, NULL);
    struct kms_card *c = light_card(2);
    assert_int_equal(kernel.buffers, 2);
    plug(1, NULL, NULL);
    assert_int_equal(kms_card_light(c, &(struct kms_wish){ 0 }), 1);
    assert_int_equal(kernel.buffers, 1);
    assert_null(screen_of(2));
    kms_card_close(c);
}

static void a_card_without_vblank_is_known(void **state)
{
    plug(0, &full_hd, NULL);
    kernel.has_no_vblank = true;
    struct kms_card *c = light_card(1);
    assert_false(kms_card_output(c, 0)->has_vblank);
    kms_card_close(c);
}

static void who_just_ends_is_waited_for(void **state)
{
    plug(0, &full_hd, NULL);
    kernel.is_taken = true;
    kernel.waits_left = 3;
    kms_card_close(light_card(1));
    assert_true(kernel.waited_ns > 0 && kernel.waited_ns < SECONDS(1));
    assert_non_null(screen_of(1));
}

/* Gives what it says to the log. */
static void light_in_vain(char *said, size_t size)
{
    struct log log = { "test", LOG_INFO };
    char path[96];
    int buffers = kernel.buffers;
    snprintf(path, sizeof(path), "%s/log", kernel.root);
    int old = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(old >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    struct kms_card *c = kms_card_open(kernel.root, &log);
    int ret = kms_card_light(c, &(struct kms_wish){ 0 });
    dup2(old, STDERR_FILENO);
    close(old);
    ssize_t len = pread(fd, said, size - 1, 0);
    close(fd);
    said[len > 0 ? len : 0] = '\0';
    assert_int_equal(ret, -EBUSY); /* setting a mode would have failed the test */
    assert_int_equal(kernel.buffers, buffers);
    assert_in_range(kernel.waited_ns, SECONDS(1), SECONDS(5));
    kernel.is_taken = false; /* later it may be had */
    assert_int_equal(kms_card_light(c, &(struct kms_wish){ 0 }), 1);
    kms_card_close(c);
}

static void displays_of_another_program_are_left_alone_and_it_is_named(void **state)
{
    static const char *const folders[] = { "proc", "proc/77", "proc/77/fd", "proc/812",
                                           "proc/812/fd" };
    char said[1024], card[96], link[96];
    plug(0, &full_hd, NULL);
    kernel.is_taken = true;
    light_in_vain(said, sizeof(said));
    assert_non_null(strstr(said, "/dev/dri/card2: another program has the displays: end it"));
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        make_folder(folders[i]);
    snprintf(card, sizeof(card), "%s/dev/dri/card1", kernel.root); /* that is not ours */
    snprintf(link, sizeof(link), "%s/proc/77/fd/3", kernel.root);
    assert_int_equal(symlink(card, link), 0);
    snprintf(card, sizeof(card), "%s/dev/dri/card2", kernel.root);
    snprintf(link, sizeof(link), "%s/proc/812/fd/9", kernel.root);
    assert_int_equal(symlink(card, link), 0);
    folder_write(kernel.root, "proc/812/comm", "Xorg\n", 5);
    kernel.is_taken = true;
    kernel.waited_ns = 0;
    light_in_vain(said, sizeof(said));
    assert_non_null(
        strstr(said, "card2: another program has the displays, open in Xorg (process 812): "));
}

static void without_a_card_there_is_none(void **state)
{
    struct kms_card *c = kms_card_open("/nonexistent", NULL);
    assert_int_equal(kms_card_light(c, &(struct kms_wish){ 0 }), 0);
    assert_int_equal(kms_card_number(c), -1);
    assert_false(is_changed(c, SECONDS(100)));
    kms_card_close(c);
}

/* ---- changes --------------------------------------------------------------------------------------- */

static void a_display_pulled_out_and_put_back_disturbs_nobody(void **state)
{
    plug(0, &full_hd, NULL);
    plug(1, &full_hd, NULL);
    struct kms_card *c = light_card(2);
    plug(1, NULL, NULL);
    assert_false(changes_after_news(c));
    plug(1, &full_hd, NULL);
    assert_false(changes_after_news(c));
    plug(0, NULL, NULL);
    plug(1, NULL, NULL); /* not even when it was the last one */
    assert_false(changes_after_news(c));
    kms_card_close(c);
}

static void another_display_in_its_place_is_a_change(void **state)
{
    plug(0, &full_hd, NULL);
    plug(1, &full_hd, NULL);
    struct kms_card *c = light_card(2);
    plug(1, NULL, NULL);
    assert_false(changes_after_news(c));
    plug(1, &ultra_hd, &full_hd);
    assert_true(changes_after_news(c));
    assert_int_equal(kms_card_light(c, &(struct kms_wish){ 0 }), 2);
    assert_false(changes_after_news(c));
    kms_card_close(c);
}

static void a_display_that_appears_is_a_change(void **state)
{
    plug(1, &full_hd, NULL);
    struct kms_card *c = light_card(1);
    plug(2, &full_hd, NULL);
    assert_true(changes_after_news(c));
    kms_card_close(c);
}

static void the_first_display_of_all_is_a_change(void **state)
{
    struct kms_card *c = light_card(0);
    assert_true(kms_card_number(c) >= 0);
    assert_false(changes_after_news(c));
    plug(2, &full_hd, NULL);
    assert_true(changes_after_news(c));
    assert_int_equal(kms_card_light(c, &(struct kms_wish){ 0 }), 1);
    assert_int_equal(kms_card_number(c), 2);
    kms_card_close(c);
}

static void a_bad_link_is_a_change(void **state)
{
    plug(0, &full_hd, NULL);
    struct kms_card *c = light_card(1);
    assert_false(changes_after_news(c));
    kernel.display[0].is_link_bad = true;
    assert_true(changes_after_news(c));
    kms_card_close(c);
}

/* Probing a connector may take a tenth of a second. */
static void displays_are_asked_only_when_something_was_told(void **state)
{
    plug(0, &full_hd, NULL);
    struct kms_card *c = light_card(1);
    int asked = kernel.asked;
    for (int i = 0; i < 100; i++)
        assert_false(is_changed(c, SECONDS(1) + i * MS(100)));
    assert_int_equal(kernel.asked, asked);
    plug(1, &full_hd, NULL);
    kernel.news = 1;
    assert_false(is_changed(c, SECONDS(20))); /* more is to come */
    assert_false(is_changed(c, SECONDS(20) + MS(140)));
    assert_int_equal(kernel.asked, asked);
    assert_true(is_changed(c, SECONDS(20) + MS(150)));
    kms_card_close(c);
}

/* Each of them alone, as a cable that changes its socket between two looks. */
static void what_the_kernel_forgets_to_tell_is_seen_within_a_second(void **state)
{
    plug(0, &full_hd, NULL);
    struct kms_card *c = light_card(1);
    assert_false(is_changed(c, SECONDS(1)));
    plug(0, NULL, NULL);
    plug(2, &full_hd, NULL);
    assert_true(is_changed(c, SECONDS(2)));
    kms_card_close(c);

    plug(2, NULL, NULL);
    c = light_card(0); /* any card could become ours */
    assert_false(is_changed(c, SECONDS(1)));
    plug(2, &full_hd, NULL);
    assert_true(is_changed(c, SECONDS(2)));
    kms_card_close(c);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_display_has_its_own_crtc_and_the_mode_it_is_for),
        CASE(a_mode_that_is_wanted_is_taken),
        CASE(lighting_again_takes_no_more_memory),
        CASE(a_card_without_vblank_is_known),
        CASE(who_just_ends_is_waited_for),
        CASE(displays_of_another_program_are_left_alone_and_it_is_named),
        CASE(without_a_card_there_is_none),
        CASE(a_display_pulled_out_and_put_back_disturbs_nobody),
        CASE(another_display_in_its_place_is_a_change),
        CASE(a_display_that_appears_is_a_change),
        CASE(the_first_display_of_all_is_a_change),
        CASE(a_bad_link_is_a_change),
        CASE(displays_are_asked_only_when_something_was_told),
        CASE(what_the_kernel_forgets_to_tell_is_seen_within_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
