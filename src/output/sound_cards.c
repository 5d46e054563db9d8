#include "output/sound_cards.h"

#include <alsa/asoundlib.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"
#include "base/file.h"

/* ---- the rules -------------------------------------------------------------------------------- */

static void add(struct sound_choice *c, const char *name, bool is_server)
{
    struct sound_name *n = &c->name[c->count++];
    snprintf(n->text, sizeof(n->text), "%s", name);
    n->is_server = is_server;
}

/* By the card's own default: it converts what the device does not take. That of an HDMI port packs the samples as
 * IEC958 subframes, which is all that port takes. */
static void add_card(struct sound_choice *c, const struct sound_card *card)
{
    char name[SOUND_NAME_MAX];
    snprintf(name, sizeof(name), "sysdefault:CARD=%s", card->id);
    add(c, name, false);
}

static void add_port(struct sound_choice *c, const struct sound_card *cards, size_t count,
                     enum sound_port port)
{
    for (size_t i = 0; i < count; i++)
        if (cards[i].port == port)
            add_card(c, &cards[i]);
}

static void add_connector(struct sound_choice *c, const struct sound_card *cards, size_t count,
                          int connector)
{
    for (size_t i = 0; i < count; i++)
        if (cards[i].port == SOUND_HDMI && cards[i].connector == connector)
            add_card(c, &cards[i]);
}

/* In the order of the connectors. */
static void add_hdmi(struct sound_choice *c, const struct sound_card *cards, size_t count,
                     enum sound_sink sink)
{
    for (int connector = 1; connector <= SOUND_CARDS_MAX; connector++)
        for (size_t i = 0; i < count; i++)
            if (cards[i].port == SOUND_HDMI && cards[i].connector == connector &&
                cards[i].sink == sink)
                add_card(c, &cards[i]);
}

static void choose_automatically(const struct sound_card *cards, size_t count,
                                 struct sound_choice *out)
{
    bool has_hdmi = false;
    for (size_t i = 0; i < count; i++)
        has_hdmi = has_hdmi || cards[i].port == SOUND_HDMI;
    /* On a desktop somebody has said to the sound server where sound goes. */
    add(out, "default", has_hdmi);
    add_hdmi(out, cards, count, SOUND_SINK_THERE);
    add_hdmi(out, cards, count, SOUND_SINK_UNKNOWN);
    add_port(out, cards, count, SOUND_ANALOGUE);
    add_port(out, cards, count, SOUND_USB);
}

void sound_choose(const struct sound_card *cards, size_t count, const char *wanted,
                  struct sound_choice *out)
{
    static const char connector[] = "HDMI-A-";
    *out = (struct sound_choice){ 0 };
    if (!*wanted) {
        choose_automatically(cards, count, out);
    } else if (strncasecmp(wanted, connector, strlen(connector)) == 0) {
        add_connector(out, cards, count, atoi(wanted + strlen(connector)));
    } else if (strcasecmp(wanted, "hdmi") == 0) {
        add_hdmi(out, cards, count, SOUND_SINK_THERE);
        add_hdmi(out, cards, count, SOUND_SINK_UNKNOWN);
    } else if (strcasecmp(wanted, "analogue") == 0) {
        add_port(out, cards, count, SOUND_ANALOGUE);
    } else if (strcasecmp(wanted, "usb") == 0) {
        add_port(out, cards, count, SOUND_USB);
    } else {
        add(out, wanted, false);
    }
}

static bool has(const struct sound_choice *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->name[i].text, name) == 0)
            return true;
    return false;
}

bool sound_choice_beats(const struct sound_choice *now, const struct sound_choice *then,
                        const char *used)
{
    for (size_t i = 0; i < now->count; i++) {
        if (strcmp(now->name[i].text, used) == 0)
            return false;
        if (!has(then, now->name[i].text))
            return true;
    }
    /* What is played on has gone from the list: its television was switched off. */
    for (size_t i = 0; i < now->count; i++)
        if (!now->name[i].is_server)
            return true;
    return false;
}

/* ---- the machine ------------------------------------------------------------------------------ */

/* Drivers of ports that are no analogue output. HDMI of other machines is a device of a larger card; ALSA's default
 * of that card is right there. */
static const struct {
    const char *driver;
    enum sound_port port;
} ports[] = { { "vc4-hdmi", SOUND_HDMI }, { "USB-Audio", SOUND_USB } };

static enum sound_port port_of(const char *driver)
{
    for (size_t i = 0; i < ARRAY_LEN(ports); i++)
        if (strcmp(ports[i].driver, driver) == 0)
            return ports[i].port;
    return SOUND_ANALOGUE;
}

/* "vc4hdmi0" is the sound of HDMI-A-1; a board with one port may call it "vc4hdmi". */
static int connector_of(const char *id)
{
    static const char board[] = "vc4hdmi";
    return strncmp(id, board, strlen(board)) == 0 ? atoi(id + strlen(board)) + 1 : 1;
}

static bool is_jack(const char *name)
{
    size_t len = strlen(name);
    return strstr(name, "HDMI") && len > 5 && strcmp(name + len - 5, " Jack") == 0;
}

/* What one control says of the sink; UNKNOWN: nothing. The ELD, which has what the sink plays, is not asked: it is empty until its
 * PCM was opened once, and stays full when the sink has gone. */
static enum sound_sink ask_control(snd_ctl_t *ctl, const snd_ctl_elem_list_t *list, unsigned i)
{
    snd_ctl_elem_value_t *value;
    snd_ctl_elem_id_t *id;
    snd_ctl_elem_value_alloca(&value);
    snd_ctl_elem_id_alloca(&id);
    const char *name = snd_ctl_elem_list_get_name(list, i);
    if (!is_jack(name))
        return SOUND_SINK_UNKNOWN;
    snd_ctl_elem_list_get_id(list, i, id);
    snd_ctl_elem_value_set_id(value, id);
    if (snd_ctl_elem_read(ctl, value) < 0)
        return SOUND_SINK_UNKNOWN;
    return snd_ctl_elem_value_get_boolean(value, 0) ? SOUND_SINK_THERE : SOUND_SINK_AWAY;
}

static enum sound_sink ask_controls(snd_ctl_t *ctl)
{
    snd_ctl_elem_list_t *list;
    enum sound_sink sink = SOUND_SINK_UNKNOWN;
    snd_ctl_elem_list_alloca(&list);
    if (snd_ctl_elem_list(ctl, list) < 0 ||
        snd_ctl_elem_list_alloc_space(list, snd_ctl_elem_list_get_count(list)) < 0)
        return sink;
    if (snd_ctl_elem_list(ctl, list) >= 0)
        for (unsigned i = 0; sink == SOUND_SINK_UNKNOWN && i < snd_ctl_elem_list_get_used(list);
             i++)
            sink = ask_control(ctl, list, i);
    snd_ctl_elem_list_free_space(list);
    return sink;
}

static enum sound_sink ask_connector(const char *drm_dir, int connector)
{
    char pattern[256], *text;
    size_t len;
    glob_t found;
    enum sound_sink sink = SOUND_SINK_UNKNOWN;
    snprintf(pattern, sizeof(pattern), "%s/card*-HDMI-A-%d/status", drm_dir, connector);
    if (glob(pattern, 0, NULL, &found) != 0)
        return sink;
    if (file_read(found.gl_pathv[0], 8192, &text, &len) == 0) {
        sink = strncmp(text, "connected", 9) == 0       ? SOUND_SINK_THERE
               : strncmp(text, "disconnected", 12) == 0 ? SOUND_SINK_AWAY
                                                        : SOUND_SINK_UNKNOWN;
        free(text);
    }
    globfree(&found);
    return sink;
}

static bool read_card(int number, const char *drm_dir, struct sound_card *out)
{
    char name[16];
    snd_ctl_t *ctl;
    snd_ctl_card_info_t *info;
    snd_ctl_card_info_alloca(&info);
    snprintf(name, sizeof(name), "hw:%d", number);
    if (snd_ctl_open(&ctl, name, SND_CTL_NONBLOCK) < 0)
        return false;
    bool is_there = snd_ctl_card_info(ctl, info) >= 0;
    if (is_there) {
        *out = (struct sound_card){ .port = port_of(snd_ctl_card_info_get_driver(info)) };
        snprintf(out->id, sizeof(out->id), "%s", snd_ctl_card_info_get_id(info));
    }
    if (is_there && out->port == SOUND_HDMI) {
        out->connector = connector_of(out->id);
        out->sink = ask_controls(ctl);
        if (out->sink == SOUND_SINK_UNKNOWN)
            out->sink = ask_connector(drm_dir, out->connector);
    }
    snd_ctl_close(ctl);
    return is_there;
}

size_t sound_cards_read(struct sound_card out[SOUND_CARDS_MAX], const char *drm_dir)
{
    size_t count = 0;
    for (int number = -1; count < SOUND_CARDS_MAX && snd_card_next(&number) == 0 && number >= 0;)
        count += read_card(number, drm_dir, &out[count]);
    return count;
}
