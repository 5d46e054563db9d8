/* What the decoders of this board have failed on, so that it is not tried again. A file that one has failed is decoded in
 * software from then on; a codec whose decoder has failed several files that are well, altogether: only what software has played
 * to its end says something of the board, for a broken file fails everywhere. That holds for the system it was learned
 * on: other decoders, another kernel or board may do better. Pure.
 * Thread-safety: one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HARDWARE_FILES     32 /* remembered; the oldest are forgotten */
#define HARDWARE_FILES_OUT 3  /* so many files of a codec that are well: it is not used any more */

/* {0} is an empty one. */
struct hardware_faults {
    char system[160]; /* "": not known yet, all that is remembered counts */
    struct hardware_fault {
        uint64_t file; /* hash of its path */
        uint32_t hardware;
        bool is_well;     /* the file: software has played it */
    } at[HARDWARE_FILES]; /* oldest first */
    size_t count;
};

/* The system is this one. true: it is another than what is remembered is of, which is forgotten. */
bool hardware_faults_see(struct hardware_faults *f, const char *system);
/* `hardware`, a set of enum deck_hardware, failed a file. true: that is news. */
bool hardware_faults_add(struct hardware_faults *f, uint32_t hardware, const char *path);
/* Software has played a file to its end. true: that is news of one that hardware has failed. */
bool hardware_faults_vouch(struct hardware_faults *f, const char *path);
/* What is not to be used for a file; sets of enum deck_hardware. */
uint32_t hardware_faults_refused(const struct hardware_faults *f, const char *path);
/* What is not to be used at all. */
uint32_t hardware_faults_given_up(const struct hardware_faults *f);

/* As one line of JSON; the caller frees. */
char *hardware_faults_text(const struct hardware_faults *f);
/* Reads that; empty when it is damaged. */
void hardware_faults_parse(struct hardware_faults *f, const char *text, size_t len);
