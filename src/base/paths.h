/* Where a zone keeps what. The caller frees what is returned. */
#pragma once

/* Shared memory and sockets: $DJAMMS_RUNTIME_DIR, else $RUNTIME_DIRECTORY (systemd), else /run/djamms when that is ours or
 * a jukebox listens there that we may talk to while the next has none, else $XDG_RUNTIME_DIR/djamms, else
 * /tmp/djamms-UID. */
char *path_runtime_dir(void);
/* Journal and history: $DJAMMS_STATE_DIR, else $STATE_DIRECTORY, else /var/lib/djamms when that is ours, else $XDG_STATE_HOME/djamms, else
 * ~/.local/state/djamms. */
char *path_state_dir(void);
/* Media that was fetched, unless cache.dir says otherwise: $CACHE_DIRECTORY (systemd), else /var/cache/djamms when that is
 * ours, else $XDG_CACHE_HOME/djamms, else ~/.cache/djamms, without a home /var/cache/djamms. */
char *path_cache_dir(void);
/* $DJAMMS_CONFIG, else $XDG_CONFIG_HOME/djamms/djamms.ini when it exists (or ~/.config/...), else
 * /etc/djamms/djamms.ini. The file need not exist. */
char *path_config_file(void);
/* All places where it looks, for people: "A and B"; only what $DJAMMS_CONFIG names, if it does. */
char *path_config_places(void);
