#include "net/curl_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define LIBRARY "libcurl.so.4" /* its interface since 2006 */

int curl_library_open(struct curl_library *out)
{
    void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle)
        return -ELIBACC;
#define FUNCTION(name)                                                                             \
    {                                                                                              \
        "curl_" #name, &out->name                                                                  \
    }
    const struct {
        const char *name;
        void *at;
    } functions[] = {
        FUNCTION(easy_cleanup),
        FUNCTION(easy_getinfo),
        FUNCTION(easy_header),
        FUNCTION(easy_init),
        FUNCTION(easy_setopt),
        FUNCTION(easy_strerror),
        FUNCTION(easy_unescape),
        FUNCTION(free),
        FUNCTION(getdate),
        FUNCTION(global_cleanup),
        FUNCTION(global_init),
        FUNCTION(multi_add_handle),
        FUNCTION(multi_assign),
        FUNCTION(multi_cleanup),
        FUNCTION(multi_info_read),
        FUNCTION(multi_init),
        FUNCTION(multi_remove_handle),
        FUNCTION(multi_setopt),
        FUNCTION(multi_socket_action),
        FUNCTION(slist_append),
        FUNCTION(slist_free_all),
    };
#undef FUNCTION
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        void *found = dlsym(handle, functions[i].name);
        memcpy(functions[i].at, &found, sizeof(found));
        if (!found) {
            dlclose(handle);
            return -ELIBACC;
        }
    }
    dlclose(handle); /* never unloads it */
    return 0;
}
