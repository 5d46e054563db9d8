/* How djamms-fetch is started: its options, as the settings have them. */
#pragma once

#include <stdbool.h>

/* Texts may be NULL or "": not said. */
struct fetch_options {
    const char *program; /* its path */
    const char *cache;   /* folder of what yt-dlp itself keeps */
    const char *yt_dlp;  /* the module that the owner named; else ... */
    const char *newer;   /* ... this zip file when it is there; else the system's */
    const char *extractors, *js_runtime, *player_client, *cookies;
    bool fetch_solver;
    int niceness; /* 0: as ours */
};

/* The words of the command, NULL at the end; freed by fetch_command_free(). */
char **fetch_command(const struct fetch_options *o);
void fetch_command_free(char **argv); /* may be NULL */
