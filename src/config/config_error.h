/* Errors as sentences, for the files of this folder. */
#pragma once

#include "base/compiler.h"
#include "config/config.h"

/* Writes the sentence, cleaned for a terminal; returns `code`. */
int config_fail(struct config_error *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* config_set() with the place ("FILE:LINE: ") before the sentence. */
WARN_UNUSED int config_set_from(struct config *c, const char *where, const char *name,
                                const char *value, struct config_error *err);
