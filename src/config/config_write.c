#include "config/config.h"

#include <ctype.h>
#include <string.h>

#include "config/option.h"

static bool is_same_section(const struct option *a, const struct option *b)
{
    size_t len = option_section_len(a);
    return len == option_section_len(b) && strncmp(a->name, b->name, len) == 0;
}

void config_write_example(FILE *out)
{
    fputs(
        "# Settings of the DJAMMS Player, each at its default. `djamms config check` reads this\n"
        "# file and names every mistake with its line. A setting can also be given for one start:\n"
        "#   environment   DJAMMS_DISPLAY_SIZE=800x600\n"
        "#   command line  --set display.size=800x600\n",
        out);
    char allowed[256];
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        if (i == 0 || !is_same_section(o, option_at(i - 1)))
            fprintf(out, "\n[%.*s]\n", (int)option_section_len(o), o->name);
        fprintf(out, "# %c%s.\n# Allowed: %s.\n", toupper((unsigned char)o->help[0]), o->help + 1,
                option_allowed(o, allowed, sizeof(allowed)));
        fprintf(out, "%s =%s%s\n", option_key(o), *o->def ? " " : "", o->def);
    }
}

void config_write_help(FILE *out)
{
    char allowed[256];
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        fprintf(out, "%-20s %s (default: %s; %s)\n", o->name, o->help, *o->def ? o->def : "nothing",
                option_allowed(o, allowed, sizeof(allowed)));
    }
}
