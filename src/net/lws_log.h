/* What libwebsockets says goes to our log. */
#pragma once

/* Sends its errors and warnings to the log as debug lines of the module "websockets": our own code reports what failed,
 * these only help to find out why. Its other levels, which print whole addresses and headers, stay off.
 *
 * The library keeps this once per process, and formats lines in a buffer that its threads share: call it before the
 * first context is made, and run one service thread per process. */
void lws_log_setup(void);
