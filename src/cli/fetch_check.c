#include "cli/fetch_check.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define INSTALL_FETCH "sudo apt install yt-dlp python3"

/* Before it there was no solver in yt-dlp, and since then no video without one. */
#define FIRST_WITH_SOLVER "2025.11.12"

#define OLD_DAYS 90

struct youtube {
    char why[256]; /* "": it can work */
    const char *advice;
    char with[128];
};

/* Why it cannot work, the first thing that is in the way. */
static struct youtube look_at_youtube(const struct message *hello)
{
    struct youtube y = { .why = "" };
    const char *version = message_str(hello, "yt_dlp", "");
    char unfit[96] = "";
    for (size_t i = 0; i < message_count(hello, "runtimes") && !*y.with; i++) {
        const struct message *r = message_object_at(hello, "runtimes", i);
        if (message_bool(r, "is_supported", false))
            snprintf(y.with, sizeof(y.with), "%.40s %.40s", message_str(r, "name", "?"),
                     message_str(r, "version", ""));
        else
            snprintf(unfit, sizeof(unfit), "; %.32s %.32s is too old", message_str(r, "name", "?"),
                     message_str(r, "version", ""));
    }
    if (!message_bool(hello, "needs_runtime", true)) {
        snprintf(y.why, sizeof(y.why),
                 "yt-dlp %.40s is too old: YouTube asks for a challenge to be solved, which it can "
                 "since %s",
                 version, FIRST_WITH_SOLVER);
        y.advice =
            "install a newer one (Debian: from backports), or name its zip file in fetch.yt-dlp";
    } else if (!*y.with) {
        snprintf(y.why, sizeof(y.why), "there is no JavaScript runtime that yt-dlp can use%s",
                 unfit);
        y.advice = "install deno (64 bit), or: sudo apt install quickjs; fetch.js-runtime names it";
    } else if (!message_bool(hello, "has_solver", false)) {
        snprintf(y.why, sizeof(y.why), "a part of yt-dlp's solver (yt-dlp-ejs) is missing");
        y.advice = "set youtube.fetch-solver = yes, and it is got from github.com; or install "
                   "yt-dlp-ejs";
    }
    return y;
}

static void check_youtube(struct findings *f, const struct message *hello, bool is_on)
{
    struct youtube y = look_at_youtube(hello);
    if (!*y.why)
        finding_add(f, FINDING_OK, "youtube", NULL, "it can work, with %s%s", y.with,
                    is_on ? "" : "; it is off (youtube.enabled)");
    else
        finding_add(f, is_on ? FINDING_WARNING : FINDING_OK, "youtube", is_on ? y.advice : NULL,
                    "%s: %s", is_on ? "it cannot work" : "it is off, and could not work", y.why);
}

/* Sites change, and yt-dlp with them. Its version is the day it was made. */
static void check_age(struct findings *f, const char *version, int64_t today_ms)
{
    struct tm made = { .tm_isdst = 0 };
    if (sscanf(version, "%4d.%2d.%2d", &made.tm_year, &made.tm_mon, &made.tm_mday) != 3)
        return;
    made.tm_year -= 1900;
    made.tm_mon -= 1;
    long long days = (long long)(today_ms / 1000 - (int64_t)timegm(&made)) / (24 * 3600);
    if (days < 0) /* the clock is not set */
        return;
    finding_add(
        f, days > OLD_DAYS ? FINDING_WARNING : FINDING_OK, "yt-dlp",
        days > OLD_DAYS ? "keep it up to date: see extractor.channel in `man djamms.ini`" : NULL,
        "it is %lld days old%s", days, days > OLD_DAYS ? ": sites may have changed since" : "");
}

void fetch_check(struct findings *f, const struct message *hello, bool is_youtube_on,
                 int64_t today_ms)
{
    const char *version = message_str(hello, "yt_dlp", "");
    if (!hello || !*version) {
        finding_add(f, FINDING_WARNING, "fetching", INSTALL_FETCH,
                    "songs cannot be fetched, yt-dlp does not start: %.200s",
                    message_str(hello, "message", "djamms-fetch said nothing"));
        return;
    }
    bool has_ffmpeg = message_bool(hello, "has_ffmpeg", false);
    finding_add(
        f, has_ffmpeg ? FINDING_OK : FINDING_WARNING, "fetching",
        has_ffmpeg ? NULL : "sudo apt install ffmpeg", "yt-dlp %.40s of %.200s, Python %.20s%s",
        version, message_str(hello, "yt_dlp_path", "?"), message_str(hello, "python", "?"),
        has_ffmpeg ? "" : "; without the program ffmpeg some videos cannot be put together");
    check_age(f, version, today_ms);
    check_youtube(f, hello, is_youtube_on);
}
