/* The stage: owns every window and the sound device of its display server or card; picks, mixes, draws
 * and presents what the plan says. */
#pragma once

#include <signal.h>

#include "base/service.h"
#include "config/config.h"

struct stage_params {
    const struct config *config;
    const char *runtime_dir;
    int index;                         /* which stage of the zone, 0..STAGES_MAX-1 */
    const volatile sig_atomic_t *stop; /* set by a signal: leave */
    struct log *log;
    /* Told of each turn after which all screens show what was given to them: not before the first picture is presented, and
     * not while one cannot be. May be NULL. */
    struct service *service;
};

/* Runs until *stop. Stage 0 has the sound and keeps the time; others follow its clock. 0 or -errno. */
int stage_run(const struct stage_params *p);
