/* For programs under ThreadSanitizer: libuv closes descriptors by syscall(SYS_close), which the sanitizer does
 * not see, so that a number used again looks like one file that two threads share. Here that call is a close()
 * as any other; all else goes on to the C library. */
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

long syscall(long number, ...)
{
    long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    long arg[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        arg[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_close)
        return close((int)arg[0]);
    return next(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
