/* The embedded backend: one thread that answers requests, one commit for all that came in a turn, then the news of it
 * to those who listen. */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "base/log.h"
#include "base/service.h"

struct hub;

struct hub_params {
    const char *data_dir;    /* hub.db and its secrets; made with mode 0700 */
    const char *runtime_dir; /* hub.json is written there, see hub_notice.h; NULL: nowhere */
    const char *address;     /* numeric */
    int port;                /* 0: any free one */
    bool takes_free_port;    /* when that port is taken */
    const char *project_id, *database_id, *venue_id;
    const char *certificate, *key; /* PEM files or NULL */
    const char
        *origins; /* blank-separated hosts that may send credentials besides our own; "*.lan" */
    bool encodes_arrays; /* arrays given for JSON attributes are encoded instead of refused */
    const struct log *log;
    struct service *service; /* told of the turns of hub_run(); outlives the hub, may be NULL */
};

/* 0, or negative errno after a sentence in the log. */
WARN_UNUSED int hub_create(struct hub **out, const struct hub_params *p);
void hub_destroy(struct hub *h); /* h may be NULL */
/* "http://127.0.0.1:8080/v1", valid while h lives. */
const char *hub_base_url(const struct hub *h);
/* Until hub_stop(), which any thread or signal handler may call. */
void hub_run(struct hub *h);
void hub_stop(struct hub *h);
