#include "player/hardware_faults.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "shm/control.h"
#include "wire/message.h"

static const uint32_t all[] = { DECK_HARDWARE_H264, DECK_HARDWARE_HEVC };
#define ALL (DECK_HARDWARE_H264 | DECK_HARDWARE_HEVC)

static uint64_t hash_of(const char *path)
{
    return text_hash(path, strlen(path));
}

bool hardware_faults_see(struct hardware_faults *f, const char *system)
{
    if (strcmp(f->system, system) == 0)
        return false;
    bool is_other = f->system[0] != '\0';
    snprintf(f->system, sizeof(f->system), "%s", system);
    if (is_other)
        f->count = 0;
    return is_other;
}

static void add(struct hardware_faults *f, struct hardware_fault fault)
{
    if (f->count == HARDWARE_FILES)
        memmove(&f->at[0], &f->at[1], sizeof(f->at[0]) * --f->count);
    f->at[f->count++] = fault;
}

bool hardware_faults_add(struct hardware_faults *f, uint32_t hardware, const char *path)
{
    uint64_t file = hash_of(path);
    for (size_t i = 0; i < f->count; i++)
        if (f->at[i].file == file)
            hardware &= ~f->at[i].hardware;
    hardware &= ALL;
    if (hardware)
        add(f, (struct hardware_fault){ .file = file, .hardware = hardware });
    return hardware != 0;
}

bool hardware_faults_vouch(struct hardware_faults *f, const char *path)
{
    uint64_t file = hash_of(path);
    bool is_news = false;
    for (size_t i = 0; i < f->count; i++)
        if (f->at[i].file == file && !f->at[i].is_well)
            is_news = f->at[i].is_well = true;
    return is_news;
}

uint32_t hardware_faults_given_up(const struct hardware_faults *f)
{
    uint32_t set = 0;
    for (size_t k = 0; k < ARRAY_LEN(all); k++) {
        int files = 0;
        for (size_t i = 0; i < f->count; i++)
            files += f->at[i].is_well && (f->at[i].hardware & all[k]) != 0;
        if (files >= HARDWARE_FILES_OUT)
            set |= all[k];
    }
    return set;
}

uint32_t hardware_faults_refused(const struct hardware_faults *f, const char *path)
{
    uint32_t set = hardware_faults_given_up(f);
    uint64_t file = hash_of(path);
    for (size_t i = 0; i < f->count; i++)
        if (f->at[i].file == file)
            set |= f->at[i].hardware;
    return set;
}

/* ---- on disk ---------------------------------------------------------------------------------- */

char *hardware_faults_text(const struct hardware_faults *f)
{
    struct message *m = message_create();
    message_set_str(m, "system", f->system);
    message_set_array(m, "files");
    for (size_t i = 0; i < f->count; i++) {
        char file[24];
        struct message *entry = message_create();
        snprintf(file, sizeof(file), "%016" PRIx64, f->at[i].file);
        message_set_str(entry, "file", file);
        message_set_i64(entry, "hardware", f->at[i].hardware);
        message_set_bool(entry, "is_well", f->at[i].is_well);
        message_append_object(m, "files", entry);
    }
    char *text = message_text(m, false);
    message_destroy(m);
    return text;
}

void hardware_faults_parse(struct hardware_faults *f, const char *text, size_t len)
{
    *f = (struct hardware_faults){ 0 };
    struct message *m = message_parse(text, len, NULL, 0);
    if (!m)
        return;
    text_clean(f->system, sizeof(f->system), message_str(m, "system", ""));
    for (size_t i = 0; f->system[0] && i < message_count(m, "files"); i++) {
        const struct message *entry = message_object_at(m, "files", i);
        uint64_t file = entry ? strtoull(message_str(entry, "file", "0"), NULL, 16) : 0;
        int64_t hardware = entry ? message_i64(entry, "hardware", 0) : 0;
        if (file && hardware > 0 && hardware <= ALL)
            add(f, (struct hardware_fault){ file, (uint32_t)hardware,
                                            message_bool(entry, "is_well", false) });
    }
    message_destroy(m);
}
