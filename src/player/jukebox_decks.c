/* Deck loads: orders, and decks that answer, fail, hang or die. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "player/jukebox_internal.h"

#define OPEN_MAX_NS    MS(2500)
#define PRELOAD_MAX_NS SECONDS(10) /* to open what nobody waits for yet */
#define NEEDED_NS      SECONDS(3)  /* with less left of what plays, what follows is waited for */
#define KILL_AGAIN_NS  SECONDS(1)
#define STALL_MAX_NS   SECONDS(3)  /* the sound stands, its deck lives: the decoder hangs */
#define DRY_MAX_NS     MS(1500)    /* the file grows: then another one plays, if there is one ... */
#define GROW_MAX_NS    SECONDS(20) /* ... else it is waited for */
#define ASIDE_NS       SECONDS(10)
#define REFUSED_MAX_NS SECONDS(1)
#define PROGRESS_NS                                                                                \
    SECONDS(1) /* a deck that died sooner after its start counts against the track */
#define STRIKES_OUT    3
#define REPAIR_LEFT_NS MS(500) /* with less left a dead deck's track runs out by itself */
#define ENDING_NS      SECONDS(2)
#define TRUNCATED_NS   SECONDS(1)

static const char took_too_long[] = "It took too long to open.";
static const char gives_nothing[] = "It ends at once, each time.";
static const char crashed[] = "The decoder crashed on it three times.";

/* ---- orders ----------------------------------------------------------------------------------- */

static char deck_letter(uint32_t deck)
{
    return (char)('a' + deck);
}

bool deck_is_usable(const struct jukebox *j, uint32_t deck)
{
    return j->view.deck[deck].is_alive && !j->deck[deck].killed_ns;
}

bool deck_has(const struct jukebox *j, const struct part *part)
{
    return part->load && j->deck[part->deck].order.load == part->load;
}

static void publish(struct jukebox *j, uint32_t deck)
{
    j->changes |= CHANGED_ORDER_A << deck;
}

/* The path to play; NULL: `why` says why there is none. The caller frees. */
static char *path_of(const struct jukebox *j, const struct track *t, char *why, size_t why_size)
{
    const char *source = turn_source(j, t);
    if (!t || !j->settings.find_source) {
        snprintf(why, why_size, "There is no local file for it.");
        return *source ? path_from_source(source) : NULL;
    }
    char *found = j->settings.find_source(j->settings.ctx, t, source, why, why_size);
    char *path = found ? path_from_source(found) : NULL;
    free(found);
    return path;
}

bool deck_give(struct jukebox *j, uint32_t deck, struct part *part, char *why, size_t why_size)
{
    char *path = path_of(j, turn_track(j, part->entry), why, why_size);
    if (!path)
        return false;
    struct deck_slot *slot = &j->deck[deck];
    bool fits = strlen(path) < sizeof(slot->order.path);
    if (fits) {
        const struct jukebox_deck *seen = &j->view.deck[deck];
        slot->order = (struct deck_order){
            .load = ++j->last_load,
            .entry = part->entry,
            .start_ns = part->start_ns,
            .flags = (turn_is_growing(j, turn_track(j, part->entry)) ? ORDER_GROWING : 0) |
                     (j->shows_text ? ORDER_TEXT : 0),
            .deck_starts = deck_is_usable(j, deck) ? seen->starts : seen->starts + 1,
            .no_hardware = hardware_faults_refused(&j->hardware, path),
        };
        memcpy(slot->order.path, path, strlen(path) + 1);
        slot->since_ns = j->view.now_ns;
        slot->is_served = deck_is_usable(j, deck);
        slot->is_past = false;
        part->load = slot->order.load;
        part->deck = deck;
        part->end_ns = NO_TIME;
        publish(j, deck);
        log_debug(j->log, "deck-%c: load %llu at %.3f s: %s", deck_letter(deck),
                  (unsigned long long)part->load, (double)part->start_ns / (double)NS_PER_S, path);
    } else {
        snprintf(why, why_size, "The name of its file is too long.");
    }
    free(path);
    return fits;
}

void deck_unload(struct jukebox *j, uint32_t deck)
{
    struct deck_slot *slot = &j->deck[deck];
    if (!slot->order.load)
        return;
    slot->order = (struct deck_order){ 0 };
    publish(j, deck);
}

void deck_activate(struct jukebox *j, const struct part *part)
{
    struct deck_slot *slot = &j->deck[part->deck];
    if (!deck_has(j, part) || (slot->order.flags & ORDER_ACTIVE))
        return;
    slot->order.flags |= ORDER_ACTIVE;
    publish(j, part->deck);
}

void decks_follow_text(struct jukebox *j)
{
    for (uint32_t d = 0; d < DECKS; d++) {
        struct deck_order *order = &j->deck[d].order;
        bool has_text = order->flags & ORDER_TEXT;
        if (!order->load || has_text == j->shows_text)
            continue;
        order->flags ^= ORDER_TEXT;
        publish(j, d);
    }
}

/* ---- failures --------------------------------------------------------------------------------- */

static int64_t left_ns(const struct jukebox *j)
{
    int64_t end = j->now.end_ns != NO_TIME ? j->now.end_ns : j->now.duration_ns;
    return end > 0 ? end - j->position_ns : INT64_MAX;
}

void part_fail(struct jukebox *j, struct part *part, const char *reason)
{
    struct part failed = *part;
    *part = (struct part){ 0 };
    if (deck_has(j, &failed))
        deck_unload(j, failed.deck);
    bool is_seek = part == &j->cue && failed.turn == j->now.turn && j->now.load && !j->now.is_lost;
    if (is_seek) {
        jukebox_notice(j, NOTICE_INFO, "Cannot go to that place", reason);
        log_warn(j->log, "%s: cannot go to that place: %s", turn_title(j, failed.entry), reason);
        return;
    }
    if (part == &j->cue && failed.start_ns > 0 && !j->now.load) {
        /* A saved position that the file no longer has: once more, from the beginning. */
        j->start_ns = j->position_ns = 0;
        return;
    }
    bool is_turn = part == &j->cue && failed.turn == j->turn;
    if (is_turn && j->now.turn == j->turn && j->now.was_heard && left_ns(j) < ENDING_NS) {
        turn_end(j, PLAYED_ENDED); /* a repair came too late for the last moment */
        return;
    }
    turn_mark_unplayable(j, failed.entry, reason);
    if (is_turn)
        turn_end(j, PLAYED_FAILED);
}

/* Whether this death, or whatever else went wrong, is one too many for the entry. */
static bool strike_out(struct jukebox *j, uint64_t entry)
{
    if (jukebox_plays_house(j) && entry == j->now_key)
        return true; /* nobody asked for it: another one plays instead */
    for (size_t i = 0; i < STRIKES_KEPT; i++)
        if (j->strike[i].entry == entry && ++j->strike[i].count >= STRIKES_OUT) {
            j->strike[i] = (struct strike){ 0 };
            return true;
        } else if (j->strike[i].entry == entry) {
            return false;
        }
    j->strike[j->strike_next++ % STRIKES_KEPT] = (struct strike){ .entry = entry, .count = 1 };
    return false;
}

static void forgive(struct jukebox *j, uint64_t entry)
{
    for (size_t i = 0; i < STRIKES_KEPT; i++)
        if (j->strike[i].entry == entry)
            j->strike[i] = (struct strike){ 0 };
}

/* A good while of it was heard: what went wrong before was no fault of the file. */
static void forgive_heard(struct jukebox *j)
{
    if (j->now.turn == j->turn && j->played_ns >= PROGRESS_NS)
        forgive(j, j->now.entry);
}

static size_t playable_entries(const struct jukebox *j)
{
    size_t n = 0;
    for (int l = 0; l < QUEUE_LISTS; l++)
        for (size_t i = 0; i < j->queue.list[l].count; i++)
            n += !j->queue.list[l].at[i]->unplayable[0];
    return n;
}

/* What plays lost its deck. The stage goes on with what is in the rings. */
static void lose_now(struct jukebox *j)
{
    struct part *now = &j->now;
    bool is_known = now->is_lost || now->turn != j->turn;
    now->is_lost = true;
    if (is_known)
        return;
    if (j->position_ns - now->start_ns >= PROGRESS_NS)
        forgive(j, now->entry);
    else if (strike_out(j, now->entry)) {
        j->cue = (struct part){ .entry = now->entry, .turn = j->turn };
        part_fail(j, &j->cue, crashed);
    }
}

/* The process that had the order is gone, with all that it knew. */
static void lose_load(struct jukebox *j, uint32_t deck)
{
    uint64_t load = j->deck[deck].order.load;
    if (!j->deck[deck].is_past)
        log_warn(j->log, "deck-%c died with %s", deck_letter(deck),
                 turn_title(j, j->deck[deck].order.entry));
    deck_unload(j, deck);
    if (j->now.load == load) {
        lose_now(j);
    } else if (j->cue.load == load) {
        if (!j->cue.can_play && strike_out(j, j->cue.entry))
            part_fail(j, &j->cue, crashed);
        else
            j->cue.load = 0;
    } else if (j->next.load == load) {
        if (!j->next.can_play && strike_out(j, j->next.entry))
            part_fail(j, &j->next, crashed);
        else
            j->next = (struct part){ 0 };
    }
}

/* ---- what decks say --------------------------------------------------------------------------- */

/* The queue learns the duration from the file when nobody told it, or when what was learned of an earlier
 * file of this name is no longer so. */
static void learn_duration(struct jukebox *j, const struct part *p)
{
    struct entry_place place;
    double seconds = (double)p->duration_ns / (double)NS_PER_S;
    if (p->duration_ns <= 0 || seconds > TRACK_MAX_DURATION_S ||
        !queue_find_key(&j->queue, p->entry, &place))
        return;
    struct track *t = queue_at(&j->queue, place);
    double known = durations_of(&j->durations, t->source);
    durations_put(&j->durations, t->source, seconds);
    if (t->duration_s > 0 && (t->duration_s != known || known == seconds))
        return;
    t->duration_s = seconds;
    if (j->queue.now && p->entry == j->now_key)
        j->queue.now->duration_s = seconds;
    turn_queue_changed(j);
}

static void note_playable(struct jukebox *j, struct part *p, const struct deck_state *s)
{
    bool is_new = !p->can_play;
    p->can_play = true;
    p->duration_ns = max_i64(s->duration_ns, 0);
    p->end_ns = s->end_ns;
    p->is_over = s->phase != DECK_READY;
    p->has_failed = s->phase == DECK_FAILED;
    if (is_new)
        learn_duration(j, p);
}

/* Decoding ended with an error, after something could be played. */
static void note_truncated(struct jukebox *j, struct part *p, const struct deck_state *s)
{
    bool is_news = !p->has_failed;
    note_playable(j, p, s);
    if (!is_news)
        return;
    log_warn(j->log, "%s: ends early: %.255s", turn_title(j, p->entry), s->error);
    bool is_hardly = p->end_ns != NO_TIME && p->start_ns == 0 && p->end_ns < TRUNCATED_NS;
    if (is_hardly && p != &j->now)
        part_fail(j, p, s->error);
    else if (is_hardly)
        turn_mark_unplayable(j, p->entry, s->error);
}

/* A file that grows gets another name when it is whole; or its beginning is not there yet. */
static void load_again(struct jukebox *j, struct part *p)
{
    deck_unload(j, p->deck);
    if (p == &j->cue)
        p->load = 0;
    else if (p == &j->next)
        *p = (struct part){ 0 };
}

static void note_state(struct jukebox *j, struct part *p)
{
    if (!p->load || p->is_lost)
        return;
    struct deck_state *s = &j->view.deck[p->deck].state;
    if (s->load != p->load)
        return;
    s->error[sizeof(s->error) - 1] = '\0';
    s->text[sizeof(s->text) - 1] = '\0';
    if (s->phase == DECK_READY || s->phase == DECK_DONE) {
        note_playable(j, p, s);
    } else if (s->phase == DECK_FAILED) {
        bool has_grown = j->deck[p->deck].order.flags & ORDER_GROWING;
        if (has_grown && !p->can_play && !strike_out(j, p->entry))
            load_again(j, p);
        else if (p->can_play || (s->end_ns != NO_TIME && s->end_ns > s->start_ns))
            note_truncated(j, p, s);
        else
            part_fail(j, p, s->error[0] ? s->error : "The deck could not read it.");
    }
}

void deck_judge_end(struct jukebox *j)
{
    const struct part *now = &j->now;
    note_state(j, &j->now); /* its news and its end may have come in one turn */
    const struct track *t = turn_track(j, now->entry);
    if (t && t->unplayable[0]) /* its deck said why */
        return;
    bool is_short = now->duration_ns > 0 && now->duration_ns < 2 * TRUNCATED_NS;
    bool gave_nothing = now->load && now->turn == j->turn && now->start_ns == 0 && !is_short &&
                        j->played_ns < TRUNCATED_NS;
    if (!gave_nothing) {
        j->empty_turns = 0;
        return;
    }
    size_t round = playable_entries(j);
    bool is_out = strike_out(j, now->entry);
    if (++j->empty_turns >= (round > STRIKES_OUT ? round : STRIKES_OUT) || is_out)
        turn_mark_unplayable(j, now->entry, gives_nothing);
}

static void ask_kill(struct jukebox *j, uint32_t deck, const char *why)
{
    log_warn(j->log, "deck-%c hangs (%s): it is ended", deck_letter(deck), why);
    j->changes |= KILL_DECK_A << deck;
    j->deck[deck].killed_ns = j->view.now_ns;
    j->deck[deck].killed_starts = j->view.deck[deck].starts;
}

/* ---- the board's decoders --------------------------------------------------------------------- */

/* The deck that plays goes on with the sound; another deck makes the pictures from there on, in software. What is only loaded
 * begins again. Neither is a fault of the file. */
static void lose_hardware(struct jukebox *j, uint32_t deck)
{
    uint64_t load = j->deck[deck].order.load;
    j->deck[deck].is_stuck = true;
    if (j->now.load == load)
        j->now.is_lost = true;
}

/* The device may hold the process for ever: it is ended as soon as nobody hears it. */
static void end_stuck(struct jukebox *j, uint32_t deck)
{
    struct deck_slot *slot = &j->deck[deck];
    uint64_t load = slot->order.load;
    bool is_on_air = j->view.has_stage && j->air.load == load && j->air.is_moving;
    bool is_needed = j->now.load == load || j->leaving.load == load || is_on_air;
    if (!slot->is_stuck || (load && is_needed))
        return;
    slot->is_stuck = false;
    ask_kill(j, deck, "the board's decoder");
    deck_unload(j, deck);
    if (load && j->cue.load == load)
        j->cue.load = 0;
    else if (load && j->next.load == load)
        j->next = (struct part){ 0 };
}

/* What software has played to its end was not broken. */
static void check_software(struct jukebox *j, const struct deck_state *s,
                           const struct deck_order *order)
{
    bool has_played = s->phase == DECK_DONE && s->hardware == DECK_SOFTWARE &&
                      !(s->hardware_fault & DECK_SOFTWARE_FAULT);
    uint32_t before = hardware_faults_given_up(&j->hardware);
    if (!has_played || !hardware_faults_vouch(&j->hardware, order->path))
        return;
    j->changes |= CHANGED_HARDWARE;
    if (hardware_faults_given_up(&j->hardware) != before)
        log_warn(j->log, "the board's decoder has failed %d files that software plays: given up",
                 HARDWARE_FILES_OUT);
}

static void check_hardware(struct jukebox *j, uint32_t deck)
{
    const struct deck_state *s = &j->view.deck[deck].state;
    struct deck_order *order = &j->deck[deck].order;
    const char *system = j->view.deck[deck].system;
    char *known = j->deck[deck].system;
    if (system[0] &&
        strcmp(known, system) != 0) { /* decks may differ for a while, after an upgrade */
        snprintf(known, sizeof(j->deck[deck].system), "%s", system);
        if (hardware_faults_see(&j->hardware, system))
            j->changes |= CHANGED_HARDWARE;
    }
    if (!order->load || s->load != order->load)
        return;
    uint32_t fault = s->hardware_fault & ~(order->no_hardware | DECK_SOFTWARE_FAULT);
    if (!fault) {
        check_software(j, s, order);
        return;
    }
    order->no_hardware |= fault;
    if (hardware_faults_add(&j->hardware, fault, order->path))
        j->changes |= CHANGED_HARDWARE;
    log_warn(j->log, "%s: in software from now on, the board's decoder has failed it",
             turn_title(j, order->entry));
    if (s->hardware & fault)
        lose_hardware(j, deck);
}

uint32_t jukebox_hardware(const struct jukebox *j)
{
    const struct deck_state *s = &j->view.deck[j->now.deck].state;
    return j->now.load && s->load == j->now.load ? s->hardware : DECK_SOFTWARE;
}

static bool is_heard(const struct jukebox *j)
{
    return j->now.load && j->air.load == j->now.load && j->air.is_moving;
}

/* How long a file may take to open. Somebody waits for it, unless it is to follow what plays, later, or only pictures are
 * wanted of it. */
static int64_t open_max_ns(const struct jukebox *j, const struct part *part, bool is_answered)
{
    bool has_time = j->is_paused || (is_heard(j) && left_ns(j) >= NEEDED_NS);
    bool has_sound = part == &j->cue && j->air.load && j->air.is_moving && j->air.deck < DECKS &&
                     j->deck[j->air.deck].is_stuck;
    return is_answered && ((part == &j->next && has_time) || has_sound) ? PRELOAD_MAX_NS
                                                                        : OPEN_MAX_NS;
}

/* Another entry plays before it is tried again; a request stays the first of them. */
static void pass_over(struct jukebox *j)
{
    struct entry_place place;
    if (!turn_find_other(j, j->cue.entry, &place)) {
        if (turn_set_aside(j, ASIDE_NS))
            j->cue = (struct part){ 0 };
        else
            j->cue.load = 0;
        return;
    }
    log_info(j->log, "%s: passed over for now", turn_title(j, j->cue.entry));
    j->put_off = j->cue.entry;
    j->cue = (struct part){ 0 };
    turn_postpone(j);
}

/* A file did not open in time. Disks and networks have bad moments: it is tried again, later. */
static void open_late(struct jukebox *j, struct part *part)
{
    bool is_seek = part == &j->cue && part->turn == j->now.turn && j->now.load && !j->now.is_lost;
    deck_unload(j, part->deck);
    if (is_seek || strike_out(j, part->entry)) {
        part_fail(j, part, took_too_long);
    } else if (part == &j->next) {
        j->put_off = part->entry;
        *part = (struct part){ 0 };
    } else if (is_heard(j)) {
        part->load = 0;
    } else {
        pass_over(j);
    }
}

static void check_opening(struct jukebox *j, uint32_t deck)
{
    struct deck_slot *slot = &j->deck[deck];
    const struct deck_state *s = &j->view.deck[deck].state;
    bool is_answered = s->load == slot->order.load;
    bool is_open = is_answered && s->phase != DECK_OPENING && s->phase != DECK_EMPTY;
    if (!slot->order.load || is_open || slot->killed_ns)
        return;
    struct part *part = j->cue.load == slot->order.load    ? &j->cue
                        : j->next.load == slot->order.load ? &j->next
                                                           : NULL;
    if (j->view.now_ns - slot->since_ns < open_max_ns(j, part, is_answered))
        return;
    ask_kill(j, deck, is_answered ? "opening a file" : "no answer");
    if (part && is_answered)
        open_late(j, part);
    else
        lose_load(j, deck);
}

/* Whether the process that has the order is gone. An order may be given before the process that takes it
 * is there; a process counts its start a moment before it can be seen to live. */
static bool has_died(struct jukebox *j, uint32_t deck)
{
    uint32_t starts = j->view.deck[deck].starts;
    struct deck_slot *slot = &j->deck[deck];
    if (!deck_is_usable(j, deck)) {
        slot->since_ns = j->view.now_ns;
        return slot->is_served || starts > slot->order.deck_starts;
    }
    slot->is_served = starts == slot->order.deck_starts;
    return !slot->is_served;
}

static void check_process(struct jukebox *j, uint32_t deck)
{
    struct deck_slot *slot = &j->deck[deck];
    const struct jukebox_deck *seen = &j->view.deck[deck];
    if (!seen->is_alive)
        slot->is_stuck = false;
    if (!seen->is_alive || seen->starts != slot->killed_starts)
        slot->killed_ns = 0;
    else if (slot->killed_ns && j->view.now_ns - slot->killed_ns >= KILL_AGAIN_NS)
        ask_kill(j, deck, "still there");
    if (slot->order.load && has_died(j, deck))
        lose_load(j, deck);
}

/* The stage waits for samples that do not come, from a deck that decodes nothing either. */
static void check_stall(struct jukebox *j)
{
    const struct part *now = &j->now;
    bool stands = j->view.has_stage && now->load && j->air.load == now->load && !j->is_paused &&
                  !j->air.is_moving && !now->is_over && !now->is_lost && deck_has(j, now) &&
                  j->view.now_ns - j->view.clock.mono_ns < SECONDS(1);
    bool grows = j->deck[now->deck].order.flags & ORDER_GROWING;
    bool is_turn = now->turn == j->turn && !j->cue.entry;
    uint64_t work = j->view.deck[now->deck].work;
    int64_t stood_ns = j->view.now_ns - j->stands_since_ns;
    if (!stands) {
        j->stands_since_ns = 0;
    } else if (!j->stands_since_ns || work != j->stands_work) {
        j->stands_since_ns = j->view.now_ns;
        j->stands_work = work;
    } else if (grows && is_turn && stood_ns > DRY_MAX_NS && turn_set_aside(j, 0)) {
        j->stands_since_ns = 0; /* it was at the end of what is there of its file */
    } else if (stood_ns > (grows ? GROW_MAX_NS : STALL_MAX_NS)) {
        j->stands_since_ns = 0;
        ask_kill(j, now->deck, "no samples");
        lose_load(j, now->deck);
    }
}

/* The deck of which `now` is to take over only makes no pictures: its sound goes on. */
static bool replaces_stuck(const struct jukebox *j)
{
    const struct play_position *air = &j->air;
    return air->load && air->is_moving && air->entry == j->now.entry && air->deck < DECKS &&
           j->deck[air->deck].is_stuck && air->load != j->now.load;
}

/* The stage was told to cut to it and does not, though it plays nothing else, or nothing better: the position it is to be
 * joined at lies behind what the deck can hold. Another load begins just there. */
static void check_refused(struct jukebox *j)
{
    const struct part *now = &j->now;
    bool is_patient = replaces_stuck(j);
    bool waits = j->view.has_stage && now->load && now->turn == j->turn && !now->was_heard &&
                 !j->cue.entry && !j->is_paused && j->air.load != now->load &&
                 (!j->air.is_moving || is_patient) &&
                 j->view.now_ns - j->view.clock.mono_ns < SECONDS(1);
    if (!waits) {
        j->refused_since_ns = 0;
        return;
    }
    if (!j->refused_since_ns)
        j->refused_since_ns = j->view.now_ns;
    if (j->view.now_ns - j->refused_since_ns < REFUSED_MAX_NS)
        return;
    j->refused_since_ns = 0;
    bool stands_there = now->how == START_JOIN && j->air.entry == now->entry;
    bool is_last = now->duration_ns > 0 && j->air.media_ns > now->duration_ns - ENDING_NS;
    if (stands_there && is_last) { /* not worth another load */
        if (!is_patient)
            turn_end(j, PLAYED_ENDED);
        return;
    }
    j->now.is_lost = true;
    j->cue = (struct part){
        .entry = now->entry,
        .turn = j->turn,
        .start_ns = stands_there ? j->air.media_ns : now->start_ns,
        .how = is_patient ? START_JOIN : START_NOW,
    };
    log_warn(j->log, "%s: the stage did not take it: loaded again", turn_title(j, now->entry));
    if (!is_patient && strike_out(j, now->entry))
        part_fail(j, &j->cue, "The stage could not play it.");
}

static void open_repair(struct jukebox *j)
{
    const struct part *now = &j->now;
    if (!j->queue.now || !now->load || !now->is_lost || now->turn != j->turn || j->cue.entry)
        return;
    bool is_on_air = now->was_heard && j->air.entry == now->entry;
    if (is_on_air && now->is_over && left_ns(j) < REPAIR_LEFT_NS)
        return;
    int64_t behind = max_i64(REPAIR_LEFT_NS - left_ns(j), 0);
    j->cue = (struct part){
        .entry = now->entry,
        .turn = j->turn,
        .start_ns = max_i64(j->position_ns - behind, 0),
        .how = is_on_air ? START_JOIN : START_NOW,
    };
    if (!j->deck[now->deck].is_past) /* else it was said at the start */
        log_info(j->log, "%s: goes on at %.1f s on another deck", j->queue.now->title,
                 (double)j->position_ns / (double)NS_PER_S);
}

/* Once a file is whole, its end is the end. */
static void check_growth(struct jukebox *j, uint32_t deck)
{
    struct deck_slot *slot = &j->deck[deck];
    if (!(slot->order.flags & ORDER_GROWING) ||
        turn_is_growing(j, turn_track(j, slot->order.entry)))
        return;
    slot->order.flags &= ~(uint32_t)ORDER_GROWING;
    publish(j, deck);
}

void deck_observe(struct jukebox *j)
{
    for (uint32_t d = 0; d < DECKS; d++) {
        check_hardware(j, d);
        end_stuck(j, d);
        check_process(j, d);
        check_growth(j, d);
    }
    note_state(j, &j->now);
    note_state(j, &j->cue);
    note_state(j, &j->next);
    for (uint32_t d = 0; d < DECKS; d++)
        check_opening(j, d);
    forgive_heard(j);
    check_stall(j);
    check_refused(j);
    open_repair(j);
}
