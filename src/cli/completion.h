/* Completion scripts, made from the table of commands. */
#pragma once

#include <stdio.h>

void completion_write_bash(FILE *out);
void completion_write_zsh(FILE *out);
