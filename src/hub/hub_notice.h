/* hub.json in the runtime folder of a zone, mode 0600: how the other programs of the zone find the hub.
 * {"url":"http://127.0.0.1:8777/v1","project":"..","database":"..","venue":"..","isOpen":false,"session":"..",
 * "pid":1234,"claimCode":".."} */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct hub_notice {
    const char *url, *project_id, *database_id, *venue_id;
    bool is_open;           /* other machines reach it */
    const char *session;    /* secret of the zone's own player */
    const char *claim_code; /* "": the house has an owner; then it is not in the file */
};

/* 0 or -errno. */
WARN_UNUSED int hub_notice_write(const char *runtime_dir, const struct hub_notice *n);
/* The session that a former life of the hub left there; "" when there is none. `size` > 0. */
void hub_notice_session(const char *runtime_dir, char *out, size_t size);
void hub_notice_remove(const char *runtime_dir);
