/* Which device plays: the rules, and what is read of the cards. The functions below stand in for alsa-lib's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <alsa/asoundlib.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/file.h"
#include "output/sound_cards.h"

/* ---- cards ------------------------------------------------------------------------------------ */

enum says { NOTHING, JACK_ON, JACK_OFF, ELD, REFUSES };

struct fake_card {
    const char *id, *driver;
    enum says says;
};

static const struct fake_card *cards; /* up to one without an id */

int snd_card_next(int *number)
{
    *number = cards[*number + 1].id ? *number + 1 : -1;
    return 0;
}

int snd_ctl_open(snd_ctl_t **ctl, const char *name, int mode)
{
    *ctl = (snd_ctl_t *)(uintptr_t)&cards[atoi(name + 3)];
    return strcmp(cards[atoi(name + 3)].id, "busy") == 0 ? -EBUSY : 0;
}

static const struct fake_card *opened; /* whose info was asked for last */

int snd_ctl_card_info(snd_ctl_t *ctl, snd_ctl_card_info_t *info)
{
    opened = (const struct fake_card *)(const void *)ctl;
    return 0;
}

const char *snd_ctl_card_info_get_id(const snd_ctl_card_info_t *info)
{
    return opened->id;
}

const char *snd_ctl_card_info_get_driver(const snd_ctl_card_info_t *info)
{
    return opened->driver;
}

int snd_ctl_close(snd_ctl_t *ctl)
{
    return 0;
}

int snd_ctl_elem_list(snd_ctl_t *ctl, snd_ctl_elem_list_t *list)
{
    return 0;
}

unsigned snd_ctl_elem_list_get_count(const snd_ctl_elem_list_t *list)
{
    return 2;
}

unsigned snd_ctl_elem_list_get_used(const snd_ctl_elem_list_t *list)
{
    return 2;
}

int snd_ctl_elem_list_alloc_space(snd_ctl_elem_list_t *list, unsigned count)
{
    return 0;
}

void snd_ctl_elem_list_free_space(snd_ctl_elem_list_t *list)
{
}

void snd_ctl_elem_list_get_id(const snd_ctl_elem_list_t *list, unsigned i, snd_ctl_elem_id_t *id)
{
}

const char *snd_ctl_elem_list_get_name(const snd_ctl_elem_list_t *list, unsigned i)
{
    return i == 0 ? "IEC958 Playback Default" : opened->says == ELD ? "ELD" : "HDMI Jack";
}

void snd_ctl_elem_value_set_id(snd_ctl_elem_value_t *value, const snd_ctl_elem_id_t *id)
{
}

int snd_ctl_elem_read(snd_ctl_t *ctl, snd_ctl_elem_value_t *value)
{
    return opened->says == REFUSES || opened->says == NOTHING ? -EPERM : 0;
}

int snd_ctl_elem_value_get_boolean(const snd_ctl_elem_value_t *value, unsigned i)
{
    return opened->says == JACK_ON;
}

/* ---- what is chosen --------------------------------------------------------------------------- */

/* As "name name*", * for one that is good only as a sound server. */
static const char *chosen(const struct fake_card *fakes, const char *drm_dir, const char *wanted)
{
    static char text[1024];
    struct sound_card found[SOUND_CARDS_MAX];
    struct sound_choice c;
    cards = fakes;
    sound_choose(found, sound_cards_read(found, drm_dir), wanted, &c);
    text[0] = '\0';
    for (size_t i = 0; i < c.count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%s", i ? " " : "",
                 c.name[i].text, c.name[i].is_server ? "*" : "");
    return text;
}

#define HDMI0 "sysdefault:CARD=vc4hdmi0"
#define HDMI1 "sysdefault:CARD=vc4hdmi1"
#define JACK  "sysdefault:CARD=Headphones"
#define USB   "sysdefault:CARD=Device"
#define CARDS(...)                                                                                 \
    (const struct fake_card[])                                                                     \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define VC4_0(says)                                                                                \
    {                                                                                              \
        "vc4hdmi0", "vc4-hdmi", says                                                               \
    }
#define VC4_1(says)                                                                                \
    {                                                                                              \
        "vc4hdmi1", "vc4-hdmi", says                                                               \
    }
#define PHONES                                                                                     \
    {                                                                                              \
        "Headphones", "bcm2835_headpho", NOTHING                                                   \
    }
#define STICK                                                                                      \
    {                                                                                              \
        "Device", "USB-Audio", NOTHING                                                             \
    }

static void the_first_lit_port_plays_then_the_jack_then_usb(void **state)
{
    static const struct {
        struct fake_card cards[5];
        const char *wanted, *names;
    } cases[] = {
        { { VC4_1(JACK_ON), STICK, PHONES, VC4_0(JACK_ON) },
          "",
          "default* " HDMI0 " " HDMI1 " " JACK " " USB },
        { { VC4_0(JACK_OFF), VC4_1(JACK_ON), PHONES }, "", "default* " HDMI1 " " JACK },
        { { VC4_0(REFUSES), VC4_1(JACK_ON) }, "", "default* " HDMI1 " " HDMI0 },
        { { VC4_0(JACK_OFF), VC4_1(JACK_OFF), PHONES, STICK }, "", "default* " JACK " " USB },
        { { VC4_0(JACK_OFF), VC4_1(JACK_OFF) }, "", "default*" },
        { { { "vc4hdmi", "vc4-hdmi", JACK_ON } }, "", "default* sysdefault:CARD=vc4hdmi" },
        { { { "busy", "vc4-hdmi", JACK_ON }, PHONES }, "", "default " JACK },
        /* A machine that is no board: its owner's default. */
        { { { "PCH", "HDA-Intel", NOTHING }, STICK }, "", "default sysdefault:CARD=PCH " USB },
        { { { 0 } }, "", "default" },
        /* Named. */
        { { VC4_0(JACK_ON), VC4_1(JACK_OFF) }, "HDMI-A-2", HDMI1 },
        { { VC4_0(JACK_ON), VC4_1(JACK_OFF) }, "hdmi-a-1", HDMI0 },
        { { VC4_0(JACK_ON) }, "HDMI-A-2", "" },
        { { { "vc4hdmi", "vc4-hdmi", JACK_ON } }, "HDMI-A-1", "sysdefault:CARD=vc4hdmi" },
        { { VC4_0(JACK_OFF), VC4_1(JACK_ON), PHONES }, "hdmi", HDMI1 },
        { { VC4_0(JACK_ON), PHONES, STICK }, "analogue", JACK },
        { { VC4_0(JACK_ON), PHONES, STICK }, "usb", USB },
        { { VC4_0(JACK_ON) }, "dmix:CARD=PCH,DEV=0", "dmix:CARD=PCH,DEV=0" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *names = chosen(cases[i].cards, "/nowhere", cases[i].wanted);
        if (strcmp(names, cases[i].names) != 0)
            fail_msg("case %zu: %s", i, names);
    }
}

static void put_status(const char *dir, const char *connector, const char *status)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/card1-HDMI-A-%s", dir, connector);
    (void)mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/card1-HDMI-A-%s/status", dir, connector);
    assert_int_equal(file_replace(path, status, strlen(status)), 0);
}

static void a_port_that_says_nothing_is_known_by_its_connector(void **state)
{
    char dir[] = "/tmp/djamms-drm-XXXXXX", command[64];
    assert_non_null(mkdtemp(dir));
    put_status(dir, "1", "disconnected\n");
    put_status(dir, "2", "connected\n");
    /* An ELD says nothing: it is empty until its port has played, and full for ever after. */
    const struct fake_card *fakes[] = { CARDS(VC4_0(NOTHING), VC4_1(NOTHING), PHONES),
                                        CARDS(VC4_0(ELD), VC4_1(ELD), PHONES) };
    for (size_t i = 0; i < ARRAY_LEN(fakes); i++) {
        put_status(dir, "1", "disconnected\n");
        assert_string_equal(chosen(fakes[i], dir, ""), "default* " HDMI1 " " JACK);
        put_status(dir, "1", "connected\n");
        assert_string_equal(chosen(fakes[i], dir, ""), "default* " HDMI0 " " HDMI1 " " JACK);
    }
    snprintf(command, sizeof(command), "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

static struct sound_choice choice_of(const struct fake_card *fakes, const char *wanted)
{
    struct sound_card found[SOUND_CARDS_MAX];
    struct sound_choice c;
    cards = fakes;
    sound_choose(found, sound_cards_read(found, "/nowhere"), wanted, &c);
    return c;
}

static void the_sound_follows_the_televisions(void **state)
{
    static const struct {
        struct fake_card then[4], now[4];
        const char *wanted, *used;
        bool beats;
    } cases[] = {
        { { VC4_0(JACK_OFF), PHONES }, { VC4_0(JACK_ON), PHONES }, "", JACK, true },
        { { VC4_0(JACK_ON), PHONES }, { VC4_0(JACK_OFF), PHONES }, "", HDMI0, true },
        { { VC4_0(JACK_ON), VC4_1(JACK_ON) },
          { VC4_0(JACK_OFF), VC4_1(JACK_ON) },
          "",
          HDMI0,
          true },
        /* Nothing else is there: it stays. */
        { { VC4_0(JACK_ON) }, { VC4_0(JACK_OFF) }, "", HDMI0, false },
        /* It was there, but another program has it. */
        { { VC4_0(JACK_ON), PHONES }, { VC4_0(JACK_ON), PHONES }, "", JACK, false },
        { { VC4_0(JACK_ON) }, { VC4_0(JACK_ON), STICK }, "", HDMI0, false },
        { { VC4_0(JACK_ON) }, { VC4_0(JACK_ON) }, "", "default", false },
        /* What somebody has named stays. */
        { { VC4_0(JACK_ON), VC4_1(JACK_OFF) },
          { VC4_0(JACK_ON), VC4_1(JACK_ON) },
          "HDMI-A-2",
          HDMI1,
          false },
        { { PHONES }, { VC4_0(JACK_ON), PHONES }, "hw:CARD=x", "hw:CARD=x", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sound_choice then = choice_of(cases[i].then, cases[i].wanted);
        struct sound_choice now = choice_of(cases[i].now, cases[i].wanted);
        if (sound_choice_beats(&now, &then, cases[i].used) != cases[i].beats)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_lit_port_plays_then_the_jack_then_usb),
        cmocka_unit_test(a_port_that_says_nothing_is_known_by_its_connector),
        cmocka_unit_test(the_sound_follows_the_televisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
