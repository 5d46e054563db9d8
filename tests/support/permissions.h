/* Root may read and write everything; tests of missing permissions take that away from their own thread
 * (and the threads it starts) for a while. */
#pragma once

#include <linux/capability.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As another user: nothing to do. The capabilities stay permitted, so they can be taken back. */
static inline void permissions_bind(bool do_bind)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2];
    const __u32 override = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;
    if (syscall(SYS_capget, &header, data) != 0)
        abort();
    if (do_bind)
        data[0].effective &= ~override;
    else
        data[0].effective |= override & data[0].permitted;
    if (syscall(SYS_capset, &header, data) != 0)
        abort();
}
