/* The order of names that a person expects: numbers by value, upper and lower case alike, the same in every
 * locale. Pure. */
#pragma once

/* As strcmp(); 0 only for equal bytes. */
int natural_compare(const char *a, const char *b);
