/* libcurl, loaded when the first client is made: it brings two dozen libraries with it, and most that `djamms` and the
 * player do needs none of them. The table is filled once and read by any thread. */
#pragma once

#include <curl/curl.h>

#include "base/compiler.h"

/* What is called of it; each as its namesake with "curl_" in front. */
struct curl_library {
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_easy_getinfo) *easy_getinfo;
    __typeof__(curl_easy_header) *easy_header;
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_setopt) *easy_setopt; /* does not check types: numbers are long */
    __typeof__(curl_easy_strerror) *easy_strerror;
    __typeof__(curl_easy_unescape) *easy_unescape;
    __typeof__(curl_free) *free;
    __typeof__(curl_getdate) *getdate;
    __typeof__(curl_global_cleanup) *global_cleanup;
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_multi_add_handle) *multi_add_handle;
    __typeof__(curl_multi_assign) *multi_assign;
    __typeof__(curl_multi_cleanup) *multi_cleanup;
    __typeof__(curl_multi_info_read) *multi_info_read;
    __typeof__(curl_multi_init) *multi_init;
    __typeof__(curl_multi_remove_handle) *multi_remove_handle;
    __typeof__(curl_multi_setopt) *multi_setopt;
    __typeof__(curl_multi_socket_action) *multi_socket_action;
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
};

/* Stays loaded: what libraries leave behind at the end of a thread or of the process is still there then. 0, or -ELIBACC:
 * it is not here, or is another than this was built for; *out is not valid then. */
WARN_UNUSED int curl_library_open(struct curl_library *out);
