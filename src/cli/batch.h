/* Files in portions that fit into one line of the control protocol. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "wire/message.h"

#define BATCH_FILES 200

/* How many of the paths, from the first, go into one request: at least 1 when count > 0. */
size_t batch_length(char *const *path, size_t count);
/* The request that adds them. The caller owns it. */
struct message *batch_request(char *const *path, size_t count);
/* Whether the answer to it says that the queue took no more. */
bool batch_found_full(const struct message *answer);
