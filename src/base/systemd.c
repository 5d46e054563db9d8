#include "base/systemd.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

void systemd_function(void *out, const char *name)
{
    void *library = dlopen(SYSTEMD_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    void *found = library ? dlsym(library, name) : NULL;
    memcpy(out, &found, sizeof(found));
    if (library)
        dlclose(library); /* never unloads it */
}

bool systemd_runs(void)
{
    return access("/run/systemd/system", F_OK) == 0;
}
