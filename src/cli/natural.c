#include "cli/natural.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static size_t count_digits(const char *s)
{
    size_t n = 0;
    while (isdigit((unsigned char)s[n]))
        n++;
    return n;
}

/* Compares the numbers at *a and *b, however long, and moves behind them. */
static int compare_numbers(const char **a, const char **b)
{
    *a += strspn(*a, "0");
    *b += strspn(*b, "0");
    size_t len_a = count_digits(*a), len_b = count_digits(*b);
    if (len_a != len_b)
        return len_a < len_b ? -1 : 1;
    int order = memcmp(*a, *b, len_a);
    *a += len_a;
    *b += len_b;
    return order;
}

static int fold(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

int natural_compare(const char *a, const char *b)
{
    const char *p = a, *q = b;
    while (*p && *q) {
        int order;
        if (isdigit((unsigned char)*p) && isdigit((unsigned char)*q))
            order = compare_numbers(&p, &q);
        else
            order = fold(*p++) - fold(*q++);
        if (order)
            return order;
    }
    if (*p || *q)
        return *p ? 1 : -1;
    return strcmp(a, b); /* differ in case or in leading zeros only */
}
