#include "hub/hub_notice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "wire/message.h"

#define NOTICE_MAX ((size_t)64 * 1024)

static char *path_of(const char *runtime_dir)
{
    return xasprintf("%s/hub.json", runtime_dir);
}

int hub_notice_write(const char *runtime_dir, const struct hub_notice *n)
{
    struct message *m = message_create();
    message_set_str(m, "url", n->url);
    message_set_str(m, "project", n->project_id);
    message_set_str(m, "database", n->database_id);
    message_set_str(m, "venue", n->venue_id);
    message_set_bool(m, "isOpen", n->is_open);
    message_set_str(m, "session", n->session);
    message_set_i64(m, "pid", getpid());
    if (*n->claim_code)
        message_set_str(m, "claimCode", n->claim_code);
    char *text = message_text(m, false), *path = path_of(runtime_dir);
    int ret = dir_make(runtime_dir);
    if (ret == 0)
        ret = file_replace(path, text, strlen(text));
    free(path);
    free(text);
    message_destroy(m);
    return ret;
}

void hub_notice_session(const char *runtime_dir, char *out, size_t size)
{
    char *path = path_of(runtime_dir), *text = NULL;
    size_t len = 0;
    struct message *m =
        file_read(path, NOTICE_MAX, &text, &len) == 0 ? message_parse(text, len, NULL, 0) : NULL;
    snprintf(out, size, "%s", message_str(m, "session", ""));
    message_destroy(m);
    free(text);
    free(path);
}

void hub_notice_remove(const char *runtime_dir)
{
    char *path = path_of(runtime_dir);
    unlink(path);
    free(path);
}
