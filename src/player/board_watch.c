#include "player/board_watch.h"

/* Of a board that does not say whether it is slowed down: too hot from here on, and well again below the second. */
#define HOT_MC  80000
#define COOL_MC 75000

/* The troubles that came since the last look, also those that are over. Of what was not known then only those of now. */
static unsigned came_since(const struct board_watch *w, const struct board *b)
{
    unsigned before = b->before & ~w->board.before & w->board.known;
    return (w->has_looked ? before : 0) | (b->now & ~w->board.now);
}

/* The look, with what an earlier one knew and this one could not read. */
static struct board complete(const struct board *last, const struct board *look)
{
    struct board b = *look;
    unsigned unread = last->known & ~look->known;
    b.known |= unread;
    b.now |= last->now & unread;
    b.before |= last->before & unread;
    return b;
}

static bool is_hot(const struct board_watch *w, const struct board *b)
{
    return !(b->known & BOARD_SLOWED) && b->temperature_mc >= (w->is_hot ? COOL_MC : HOT_MC);
}

unsigned board_watch_take(struct board_watch *w, const struct board *look)
{
    struct board whole = complete(&w->board, look);
    const struct board *b = &whole;
    unsigned came = came_since(w, b), was = w->board.now, news = 0;
    bool was_slow = w->is_hot || (was & BOARD_SLOWED);
    w->is_hot = is_hot(w, b);
    bool is_slow = w->is_hot || (b->now & BOARD_SLOWED);
    if (came & BOARD_UNDERVOLTAGE)
        news |= NEWS_POWER_WEAK;
    else if (was & ~b->now & BOARD_UNDERVOLTAGE)
        news |= NEWS_POWER_GOOD;
    if (is_slow != was_slow)
        news |= is_slow ? NEWS_SLOW : NEWS_FAST;
    w->undervoltages += (came & BOARD_UNDERVOLTAGE) != 0;
    w->throttlings += (came & BOARD_SLOWED) && !(was & BOARD_SLOWED);
    w->board = *b;
    w->has_looked = true;
    return news;
}
