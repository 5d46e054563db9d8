/* failclass: reads error lines of djamms-fetch and prints the class that the jukebox sees in each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/failure.h"
#include "wire/message.h"

int main(void)
{
    char *line = NULL, chain[4096], warnings[65536];
    size_t size = 0;
    for (ssize_t len; (len = getline(&line, &size, stdin)) > 0;) {
        struct failure_report report;
        struct message *m = message_parse(line, strcspn(line, "\n"), NULL, 0);
        if (!m)
            return EXIT_FAILURE;
        failure_report_read(m, &report, chain, sizeof(chain), warnings, sizeof(warnings));
        printf("%s\n", failure_traits(failure_classify(&report))->name);
        fflush(stdout);
        message_destroy(m);
    }
    free(line);
    return EXIT_SUCCESS;
}
