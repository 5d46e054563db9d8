#include "source/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/file.h"

#define MODEL_FILE "/proc/device-tree/model"
#define MODEL_MAX  200

static const struct {
    const char *model; /* how the device tree's begins; NULL: any other */
    struct profile profile;
} boards[] = {
    { "Raspberry Pi 3", { "pi3", 720, 30 } },
    { "Raspberry Pi 4", { "pi4", 1080, 30 } },
    { "Raspberry Pi 5", { "pi5", 1080, 60 } },
    { NULL, { "desktop", 1080, 60 } },
};

const struct profile *profile_of_model(const char *model)
{
    size_t i = 0;
    while (boards[i].model && strncmp(model, boards[i].model, strlen(boards[i].model)) != 0)
        i++;
    return &boards[i].profile;
}

const struct profile *profile_find(const char *name)
{
    char *model = NULL;
    size_t len;
    for (size_t i = 0; i < ARRAY_LEN(boards); i++)
        if (strcmp(boards[i].profile.name, name) == 0)
            return &boards[i].profile;
    bool is_board = file_read(MODEL_FILE, MODEL_MAX, &model, &len) == 0;
    const struct profile *p = profile_of_model(is_board ? model : "");
    free(model);
    return p;
}

bool profile_fits(const struct profile *p, int height)
{
    return height <= p->height;
}
