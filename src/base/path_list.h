/* Folders in one text with ':' between. */
#pragma once

/* The next folder, of the text at which *at begins; *at moves behind it. Empty ones are passed over. NULL: there is no
 * more. The caller frees. */
char *path_list_next(const char **at);
