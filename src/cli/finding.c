#include "cli/finding.h"

#include <stdarg.h>

#include "base/text.h"

void finding_add(struct findings *f, enum finding_result result, const char *name,
                 const char *advice, const char *fmt, ...)
{
    if (f->count == FINDINGS_MAX)
        return;
    struct finding *one = &f->at[f->count++];
    char text[sizeof(one->text)];
    one->result = result;
    one->name = name;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    text_clean(one->text, sizeof(one->text), text);
    text_clean(one->advice, sizeof(one->advice), advice ? advice : "");
}

const char *finding_result_name(enum finding_result result)
{
    static const char *const names[] = { "ok", "warning", "problem" };
    return names[result];
}

enum finding_result findings_worst(const struct findings *f)
{
    enum finding_result worst = FINDING_OK;
    for (size_t i = 0; i < f->count; i++) {
        if (f->at[i].result > worst)
            worst = f->at[i].result;
    }
    return worst;
}
