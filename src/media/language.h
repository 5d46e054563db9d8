/* Names of languages: "de", "ger", "deu" and "de-AT" mean the same. Pure. */
#pragma once

#include <stdbool.h>

/* The place of `tag` (ISO 639, any of the forms above; NULL or "": not said) in a list of wished languages,
 * "de,en": 0 is the first. -1: it is not in it. Case is no matter. */
int language_place(const char *wishes, const char *tag);
/* Whether it is a language of ours at all: "mix" is none. */
bool language_is_known(const char *tag);
/* Whether `tag` says that the language is not known: NULL, "", "und". */
bool language_is_unknown(const char *tag);
