#include "cli/batch.h"

#include <stdlib.h>
#include <string.h>

#include "model/track.h"

/* As JSON a byte becomes six at worst: together still below the line's 1 MiB. */
#define BATCH_BYTES ((size_t)128 * 1024)

size_t batch_length(char *const *path, size_t count)
{
    size_t n = 0, bytes = 0;
    while (n < count && n < BATCH_FILES) {
        bytes += strlen(path[n]) + 4;
        if (n > 0 && bytes > BATCH_BYTES)
            break;
        n++;
    }
    return n;
}

struct message *batch_request(char *const *path, size_t count)
{
    struct message *m = message_create();
    message_set_str(m, "command", "add");
    message_set_array(m, "files");
    for (size_t i = 0; i < count; i++) {
        char *source = path_to_source(path[i]);
        message_append_str(m, "files", source);
        free(source);
    }
    return m;
}

bool batch_found_full(const struct message *answer)
{
    for (size_t i = 0; i < message_count(answer, "refused"); i++) {
        const struct message *r = message_object_at(answer, "refused", i);
        if (r && strcmp(message_str(r, "code", ""), "full") == 0)
            return true;
    }
    return false;
}
