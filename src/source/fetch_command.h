/* How djamms-fetch is started: as the settings have it. */
#pragma once

#include "config/config.h"

struct fetch_params {
    const char *program;   /* its path */
    const char *state_dir; /* of the zone: what yt-dlp keeps lies there, and newer versions of it */
    const char *yt_dlp;    /* the module it shall use; NULL: that of the settings */
    int niceness;          /* 0: as ours */
};

/* The words of the command, NULL at the end; freed by fetch_command_free(). */
char **fetch_command(const struct config *c, const struct fetch_params *p);
void fetch_command_free(char **argv); /* may be NULL */
