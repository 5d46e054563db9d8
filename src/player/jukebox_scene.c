/* What the screens show. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "player/jukebox_internal.h"

#define INFO_NS    SECONDS(5)
#define PROBLEM_NS SECONDS(12)
#define CARD_CHARS 100 /* two lines of the card on a screen of 1280x720 */

static const struct standing_card nothing_plays = {
    NOTICE_PROBLEM,
    "Nothing in the queue can be played",
    "Please tell the staff.",
    "See `djamms queue` for the reasons; add other songs, or the same again once their files are "
    "repaired.",
};
static const struct standing_card is_coming = {
    NOTICE_INFO,
    "The next song is on its way",
    "It plays as soon as it is here.",
    "See `djamms queue` for what is fetched, and what it waits for.",
};
static const struct standing_card was_paused = {
    NOTICE_INFO,
    "Paused",
    "Press play on the remote or the space bar to go on.",
    "It was paused when it ended; `djamms resume` goes on.",
};
static const struct standing_card is_away = {
    NOTICE_INFO,
    "Another player has this venue",
    "The music comes from there. This one goes on when the other is gone.",
    "`djamms status` names it.",
};

/* As text_clean(), but what is too long for the card ends with a whole word. */
static void fit_card(char *out, size_t size, const char *text)
{
    static const char more[] = "…";
    size_t len = text_clean(out, size - strlen(more), text), end = 0, word_end = 0;
    for (size_t chars = 0, used; end < len && chars < CARD_CHARS; end += used, chars++) {
        if (out[end] == ' ')
            word_end = end;
        utf8_decode(out + end, len - end, &used);
    }
    if (end < len)
        memcpy(out + (word_end ? word_end : end), more, sizeof(more));
}

void jukebox_notice(struct jukebox *j, enum scene_notice kind, const char *title, const char *text)
{
    j->notice = kind;
    j->notice_until_ns = j->view.now_ns + (kind == NOTICE_PROBLEM ? PROBLEM_NS : INFO_NS);
    text_clean(j->notice_title, sizeof(j->notice_title), title);
    fit_card(j->notice_text, sizeof(j->notice_text), text);
}

const char *jukebox_advice(const struct jukebox *j)
{
    if (j->notice != NOTICE_NONE || !j->standing)
        return "";
    return j->standing == &is_coming && *j->trouble ? j->trouble_advice : j->standing->advice;
}

static void expire(struct jukebox *j)
{
    if (j->notice != NOTICE_NONE && j->view.now_ns >= j->notice_until_ns)
        j->notice = NOTICE_NONE;
    if (j->volume_until_ns && j->view.now_ns >= j->volume_until_ns)
        j->volume_until_ns = 0;
}

static void show_track(const struct jukebox *j, struct scene_track *out, const struct track *t,
                       uint64_t entry)
{
    out->entry = entry;
    out->is_request = t->is_request;
    track_display_title(t, out->title, sizeof(out->title));
    track_display_artist(t, out->artist, sizeof(out->artist));
    text_clean(out->requester, sizeof(out->requester), t->requested_by);
}

static size_t playable_waiting(const struct jukebox *j)
{
    size_t n = 0;
    struct entry_place playing;
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < j->queue.list[l].count; i++)
            n += !j->queue.list[l].at[i]->unplayable[0];
    if (queue_playing(&j->queue, &playing) && !queue_at(&j->queue, playing)->unplayable[0])
        n--;
    return n;
}

static void show_next(const struct jukebox *j, struct scene *s)
{
    struct entry_place place;
    size_t waiting = playable_waiting(j);
    size_t want = waiting < NEXT_SHOWN ? waiting : NEXT_SHOWN;
    while (s->next_count < want && queue_upcoming(&j->queue, s->next_count, &place)) {
        const struct track *t = queue_at(&j->queue, place);
        show_track(j, &s->next[s->next_count++], t, entry_key(&j->queue, t));
    }
    s->more_count = (uint32_t)(waiting - s->next_count);
}

static size_t entry_count(const struct jukebox *j)
{
    return j->queue.list[QUEUE_MAIN].count + j->queue.list[QUEUE_REQUESTS].count;
}

void jukebox_why_idle(const struct jukebox *j, char *out, size_t size)
{
    size_t count = entry_count(j);
    if (j->is_away)
        snprintf(out, size, "This player waits.");
    else if (count == 0)
        snprintf(out, size,
                 "The queue is empty. Staff can add songs at the box with its command “add”.");
    else if (turn_awaits(j))
        snprintf(out, size, "%s", *j->trouble ? j->trouble : "The next song is being fetched.");
    else if (count == 1)
        snprintf(out, size, "The only song in the queue cannot be played.");
    else
        snprintf(out, size, "None of the %zu songs in the queue can be played.", count);
}

/* With words for staff. */
static void say_what_helps(const struct jukebox *j, char *out, size_t size)
{
    static const char own[] = "Songs in a folder of this box (library.paths) or on a stick "
                              "(library.removable) would play meanwhile.";
    bool is_stuck = entry_count(j) > 0, lacks_own = is_stuck && j->settings.house_song;
    const char *advice = !is_stuck ? "" : turn_awaits(j) ? j->trouble_advice : nothing_plays.advice;
    snprintf(out, size, "%s%s%s", advice, *advice && lacks_own ? " " : "", lacks_own ? own : "");
}

static const struct standing_card *card_that_stands(const struct jukebox *j)
{
    if (j->is_away && !j->is_leaving)
        return &is_away;
    if (j->is_leaving || entry_count(j) + (j->queue.now != NULL) == 0)
        return NULL;
    if (!j->queue.now)
        return jukebox_awaits(j) ? &is_coming : &nothing_plays;
    return j->is_paused && j->pause_is_restored ? &was_paused : NULL;
}

static void change_standing(struct jukebox *j)
{
    const struct standing_card *card = card_that_stands(j);
    if (card == &nothing_plays && card != j->standing) {
        j->notice = NOTICE_NONE; /* about the last of the songs that failed */
        log_err(j->log, "nothing in the queue can be played (%zu entries). %s", entry_count(j),
                card->advice);
    }
    j->standing = card;
}

static void show_notice(const struct jukebox *j, struct scene *s)
{
    if (j->notice != NOTICE_NONE) {
        s->notice = j->notice;
        s->notice_until_ns = j->notice_until_ns;
        memcpy(s->notice_title, j->notice_title, sizeof(s->notice_title));
        memcpy(s->notice_text, j->notice_text, sizeof(s->notice_text));
    } else if (j->standing) {
        s->notice = j->standing->kind;
        snprintf(s->notice_title, sizeof(s->notice_title), "%s", j->standing->title);
        if (j->standing == &is_away && *j->master)
            snprintf(s->notice_text, sizeof(s->notice_text),
                     "The music comes from %s. This one goes on when that is gone.", j->master);
        else if (j->standing == &is_coming && *j->trouble)
            snprintf(s->notice_text, sizeof(s->notice_text), "%s It plays as soon as it is here.",
                     j->trouble);
        else
            snprintf(s->notice_text, sizeof(s->notice_text), "%s", j->standing->text);
    }
}

void scene_build(struct jukebox *j)
{
    expire(j);
    change_standing(j);
    struct scene s = {
        .is_paused = j->is_paused,
        .is_muted = j->is_muted,
        .shows_text = j->shows_text,
        .volume = j->volume,
        .volume_until_ns = j->volume_until_ns,
        .link = j->link,
        .duration_ns = jukebox_duration_ns(j),
    };
    show_notice(j, &s);
    if (j->queue.now && !j->is_leaving && !j->is_away) {
        show_track(j, &s.now, j->queue.now, j->now_key);
        show_next(j, &s);
    } else if (!j->is_leaving) {
        jukebox_why_idle(j, s.idle_text, sizeof(s.idle_text));
        if (!j->is_away)
            say_what_helps(j, s.idle_help, sizeof(s.idle_help));
    }
    s.serial = j->scene.serial;
    s.since_ns = j->scene.since_ns;
    if (memcmp(&s, &j->scene, sizeof(s)) != 0) {
        j->scene = s;
        j->scene.serial++;
        j->scene.since_ns = j->view.now_ns;
        j->changes |= CHANGED_SCENE;
    }
}
