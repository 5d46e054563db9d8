/* What the URL of a realtime connection asks for. Pure.
 *
 * channels[]=C            a channel of slot 0
 * C[3][]=QUERY            a query of channel C in slot 3; the same channel may be in several slots
 * Each slot becomes a subscription. A channel that is in a numbered slot is not in slot 0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "hub/api_error.h"

#define URL_SLOT_MAX 9999

struct url_slot {
    long number;
    char *channel;
    char **query;
    size_t query_count;
};

struct realtime_url {
    char *project, *jwt; /* NULL: not in it */
    char **channel;      /* as in channels[], in order, each once */
    size_t channel_count;
    struct url_slot *slot; /* one for each channel in each slot, ordered by number */
    size_t slot_count;
};

/* Initialises *u in any case; the caller finishes it. What is not understood is passed over. false: too much of
 * something, *e says what. */
bool realtime_url_parse(struct realtime_url *u, const char *query_string, struct api_error *e);
void realtime_url_finish(struct realtime_url *u);
