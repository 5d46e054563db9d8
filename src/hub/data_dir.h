/* The folder of a hub: hub.db and hub.lock. The lock says who may do what there; the system takes it back when
 * its holder ends, however it ends. */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"

enum data_use {
    DATA_SERVE,   /* the hub: one at a time */
    DATA_TOOL,    /* a command beside it: any number */
    DATA_REPLACE, /* restore: nobody else */
};

/* Makes the folder (mode 0700) when it is missing, and takes the lock. A descriptor, which close() gives back;
 * -EWOULDBLOCK: another one's use forbids it; or another -errno. */
WARN_UNUSED int data_dir_lock(const char *dir, enum data_use use);
/* Whether a hub runs there. */
bool data_dir_is_served(const char *dir);
/* By the hub, with the descriptor of its lock: tells the other programs its base URL ("": it listens nowhere yet) and
 * its ids, which stay there when it ends. 0 or -errno. */
int data_dir_announce(int lock, const char *base_url, const char *project_id,
                      const char *database_id);
/* The base URL of the hub that runs there; NULL: none runs. The caller frees. */
char *data_dir_base_url(const char *dir);
/* The ids of the hub that runs there, or ran last. false: none has said them. The caller frees both. */
bool data_dir_ids(const char *dir, char **project_id, char **database_id);

/* DIR/hub.db. The caller frees. */
char *data_dir_database(const char *dir);
