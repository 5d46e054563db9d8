#include "net/header_line.h"

#include <string.h>

bool header_line_check(const char *line, const char **value)
{
    size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "!#$%&'*+-.^_`|~");
    if (len == 0 || line[len] != ':')
        return false;
    const char *p = line + len + 1;
    p += strspn(p, " \t");
    for (const char *c = p; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    }
    if (value)
        *value = p;
    return true;
}
