#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "source/failure.h"
#include "wire/message.h"

#define BUG_TAIL                                                                                   \
    "; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the " \
    "appropriate issue template. Confirm you are on the latest version using  yt-dlp -U"

static const struct {
    const char *name;
    struct failure_report report;
    enum failure want;
} cases[] = {
    /* Today's words. */
    { "removed",
      { .exception = "ExtractorError",
        .message =
            "ERROR: [youtube] abcdefghijk: Video unavailable. This video has been removed by "
            "the uploader" },
      FAILURE_REMOVED },
    { "account",
      { .message = "ERROR: [youtube] abcdefghijk: This video is no longer available because the "
                   "YouTube account associated with this video has been terminated." },
      FAILURE_REMOVED },
    { "private",
      { .message = "ERROR: [youtube] abcdefghijk: Private video. Sign in if you've been granted "
                   "access to this video" },
      FAILURE_PRIVATE },
    { "members",
      { .message = "ERROR: [youtube] abcdefghijk: Join this channel to get access to members-only "
                   "content like this video, and other exclusive perks." },
      FAILURE_PRIVATE },
    { "sign in: age",
      { .message = "ERROR: [youtube] abcdefghijk: Sign in to confirm your age. This video may be "
                   "inappropriate for some users. Use --cookies-from-browser or --cookies for the "
                   "authentication." },
      FAILURE_AGE },
    { "sign in: robot, typographic apostrophe",
      { .message = "ERROR: [youtube] abcdefghijk: Sign in to confirm you\xe2\x80\x99re not a bot. "
                   "Use --cookies-from-browser or --cookies for the authentication." },
      FAILURE_BOT_CHECK },
    { "sign in: robot, plain apostrophe",
      { .message = "ERROR: [youtube] abcdefghijk: Sign in to confirm you're not a bot." },
      FAILURE_BOT_CHECK },
    { "robot, with a status",
      { .exception = "HTTPError",
        .status = 429,
        .message = "HTTP Error 429: Too Many Requests. Solve the CAPTCHA" },
      FAILURE_BOT_CHECK },
    { "country by class",
      { .exception = "GeoRestrictedError", .message = "ERROR: [youtube] abcdefghijk: Hm" },
      FAILURE_GEO },
    { "country by words",
      { .message = "ERROR: [youtube] abcdefghijk: The uploader has not made this video available "
                   "in your country" },
      FAILURE_GEO },
    { "protected",
      { .message = "ERROR: [youtube] abcdefghijk: This video is DRM protected" },
      FAILURE_DRM },
    { "rental", { .message = "This video requires payment to watch." }, FAILURE_PAID },
    { "premium",
      { .message = "ERROR: [youtube] x: This video is only available to Music Premium members" },
      FAILURE_PAID },
    { "soon live",
      { .message = "ERROR: [youtube] x: This live event will begin in 3 hours." },
      FAILURE_LIVE },
    { "premiere", { .message = "ERROR: [youtube] x: Premieres in 2 days" }, FAILURE_LIVE },
    { "rate by words, typographic apostrophe",
      { .message =
            "ERROR: [youtube] x: Video unavailable. This content isn\xe2\x80\x99t available, "
            "try again later. The current session has been rate-limited by YouTube for up to "
            "an hour." },
      FAILURE_RATE },
    { "rate", { .exception = "HTTPError", .status = 429 }, FAILURE_RATE },
    { "soft block", { .exception = "HTTPError", .status = 402 }, FAILURE_RATE },
    { "no address",
      { .message = "ERROR: [generic] 'la la la' is not a valid URL. Set --default-search" },
      FAILURE_BAD_INPUT },
    { "short id",
      { .message = "ERROR: [youtube:truncated_id] abcde: Incomplete YouTube ID abcde. URL "
                   "https://youtu.be/abcde looks truncated." },
      FAILURE_BAD_INPUT },
    { "page without video",
      { .exception = "UnsupportedError",
        .chain = "DownloadError UnsupportedError",
        .message = "ERROR: Unsupported URL: http://127.0.0.1:8765/none.html" },
      FAILURE_UNSUPPORTED },
    { "file address",
      { .message =
            "ERROR: file:// URLs are disabled by default in yt-dlp for security reasons. Use "
            "--enable-file-urls to enable at your own risk." },
      FAILURE_REFUSED },
    /* The words of Debian 12's yt-dlp: no id, and the request to report everything. */
    { "old: 403 of a page",
      { .exception = "HTTPError",
        .chain = "DownloadError HTTPError ExtractorError",
        .status = 403,
        .message = "ERROR: [generic] None: Unable to download webpage: HTTP Error 403: Forbidden "
                   "(caused by <HTTPError 403: 'Forbidden'>)" BUG_TAIL },
      FAILURE_PAGE_403 },
    { "old: 503",
      { .status = 503,
        .message = "ERROR: [generic] None: Unable to download webpage: HTTP Error 503" BUG_TAIL },
      FAILURE_SERVER },
    { "old: no name",
      { .exception = "gaierror",
        .chain = "DownloadError URLError ExtractorError gaierror",
        .os_error = -2,
        .message =
            "ERROR: [youtube] abcdefghijk: Unable to download API page: <urlopen error [Errno "
            "-2] Name or service not known> (caused by URLError(gaierror(-2, 'Name or service "
            "not known')))" },
      FAILURE_DNS },
    { "old: file address",
      { .message = "ERROR: <urlopen error file:// scheme is explicitly disabled in yt-dlp for "
                   "security reasons>" BUG_TAIL },
      FAILURE_REFUSED },
    { "old: only words of a name",
      { .message = "ERROR: [generic] None: Unable to download webpage: <urlopen error [Errno -3] "
                   "Temporary failure in name resolution>" BUG_TAIL },
      FAILURE_DNS },
    /* Today's, by class. */
    { "refused",
      { .exception = "ConnectionRefusedError",
        .chain = "DownloadError TransportError ExtractorError ConnectionRefusedError",
        .os_error = ECONNREFUSED,
        .message = "ERROR: [generic] x: Unable to download webpage: [Errno 111] Connection refused "
                   "(caused by TransportError('[Errno 111] Connection refused'))" },
      FAILURE_CONNECT },
    { "unreachable", { .exception = "OSError", .os_error = ENETUNREACH }, FAILURE_CONNECT },
    { "silent",
      { .exception = "TransportError",
        .chain = "DownloadError ExtractorError TransportError",
        .message = "ERROR: [generic] x: Unable to download webpage: timed out (caused by "
                   "TransportError('timed out'))" },
      FAILURE_TIMEOUT },
    { "other HTTP library",
      { .exception = "TransportError",
        .chain = "DownloadError TransportError NewConnectionError NameResolutionError" },
      FAILURE_DNS },
    { "our deadline", { .exception = "WorkerTimeout" }, FAILURE_TIMEOUT },
    { "certificate",
      { .exception = "CertificateVerifyError",
        .chain = "DownloadError CertificateVerifyError SSLCertVerificationError" },
      FAILURE_TLS },
    { "gone", { .status = 404 }, FAILURE_REMOVED },
    { "gone for good", { .status = 410 }, FAILURE_REMOVED },
    { "law", { .status = 451 }, FAILURE_GEO },
    { "media 403", { .status = 403, .is_media = true }, FAILURE_URL_403 },
    { "page 403", { .status = 403 }, FAILURE_PAGE_403 },
    { "500", { .status = 500 }, FAILURE_SERVER },
    { "599", { .status = 599, .is_media = true }, FAILURE_SERVER },
    { "login of the network", { .status = 511 }, FAILURE_PORTAL },
    { "login of the site", { .status = 401 }, FAILURE_PRIVATE },
    { "416", { .status = 416, .is_media = true }, FAILURE_PARTIAL },
    { "cut",
      { .exception = "ContentTooShortError",
        .message = "ERROR: Giving up after 10 retries: 100 bytes read, 200 more expected" },
      FAILURE_TRUNCATED },
    { "given up for silence",
      { .exception = "DownloadError",
        .message = "ERROR:  [download] Got error: The read operation timed out. Giving up after 3 "
                   "retries" },
      FAILURE_TIMEOUT },
    /* One error, two meanings: what was warned of decides. */
    { "no format",
      { .message = "ERROR: [generic] clip: Requested format is not available. Use --list-formats" },
      FAILURE_NO_FORMAT },
    { "no format, other warnings",
      { .message = "Requested format is not available",
        .warnings = "[youtube] Falling back on generic information extractor" },
      FAILURE_NO_FORMAT },
    { "no format for want of a solution",
      { .message = "ERROR: [youtube] x: Requested format is not available.",
        .warnings = "[youtube] x: first\n[youtube] x: n challenge solving failed: Some formats may "
                    "be missing. Ensure you have a supported JavaScript runtime and challenge "
                    "solver script distribution installed." },
      FAILURE_SOLVER },
    { "no runtime",
      { .message = "ERROR: [youtube] x: Requested format is not available.",
        .warnings =
            "[youtube] No supported JavaScript runtime could be found. Only deno is enabled "
            "by default" },
      FAILURE_SOLVER },
    { "only images",
      { .message = "ERROR: Only images are available for download. use --list-formats to see them",
        .warnings = "[youtube] x: Signature solving failed: Some formats may be missing." },
      FAILURE_SOLVER },
    { "no format for want of plain addresses",
      { .message = "ERROR: [youtube] x: Requested format is not available.",
        .warnings =
            "[youtube] x: Some web client https formats have been skipped as they are missing "
            "a url. YouTube is forcing SABR streaming for this client." },
      FAILURE_SABR_ONLY },
    { "old solver inside yt-dlp",
      { .message = "ERROR: [youtube] x: No video formats found!" BUG_TAIL,
        .warnings = "[youtube] x: nsig extraction failed: Some formats may be missing" },
      FAILURE_SOLVER },
    { "site has changed",
      { .message = "ERROR: [youtube] x: Unable to extract yt initial data" BUG_TAIL },
      FAILURE_EXTRACTOR_BUG },
    { "no internet, in sum",
      { .is_bug = true,
        .message = "ERROR: [youtube] x: Failed to extract any player response" BUG_TAIL,
        .warnings =
            "[youtube] [Errno -3] Temporary failure in name resolution. Retrying (1/2)..." },
      FAILURE_DNS },
    { "too many requests, in sum",
      { .is_bug = true,
        .message = "ERROR: [youtube] x: Failed to extract any player response" BUG_TAIL,
        .warnings = "[youtube] HTTP Error 429: Too Many Requests. Retrying (1/2)..." },
      FAILURE_RATE },
    { "no answer that is understood",
      { .is_bug = true, .message = "ERROR: [youtube] x: Failed to extract any player response" },
      FAILURE_EXTRACTOR_BUG },
    { "bug by class",
      { .exception = "KeyError", .message = "'videoDetails'" },
      FAILURE_EXTRACTOR_BUG },
    { "bug by yt-dlp's word", { .is_bug = true, .message = "strange" }, FAILURE_EXTRACTOR_BUG },
    /* Our own. */
    { "private address", { .exception = "AddressRefused" }, FAILURE_REFUSED },
    { "other program", { .exception = "ProtocolRefused" }, FAILURE_REFUSED },
    { "bad request", { .exception = "BadRequest" }, FAILURE_BAD_INPUT },
    { "live", { .exception = "LiveRefused" }, FAILURE_LIVE },
    { "long", { .exception = "TooLong" }, FAILURE_POLICY },
    { "large", { .exception = "TooLarge" }, FAILURE_POLICY },
    { "list", { .exception = "ListRefused" }, FAILURE_POLICY },
    { "web page for media", { .exception = "NotMedia" }, FAILURE_PORTAL },
    { "changed", { .exception = "Changed" }, FAILURE_PARTIAL },
    { "merge", { .exception = "MergeFailed" }, FAILURE_MERGE },
    { "cancel", { .exception = "Cancelled" }, FAILURE_CANCELLED },
    { "died", { .exception = "WorkerDied" }, FAILURE_TOOL },
    { "not installed",
      { .exception = "ModuleNotFoundError", .message = "No module named 'yt_dlp'" },
      FAILURE_TOOL },
    { "full disk", { .exception = "OSError", .os_error = ENOSPC }, FAILURE_DISK },
    { "full disk by words",
      { .message = "ERROR: unable to write data: [Errno 28] No space left on device" },
      FAILURE_DISK },
    { "nothing", { 0 }, FAILURE_UNKNOWN },
    { "part of a name is none", { .exception = "NotTooLongAtAll" }, FAILURE_UNKNOWN },
    { "unheard of", { .exception = "ExtractorError", .message = "ERROR: Hm" }, FAILURE_UNKNOWN },
};

static void recorded_messages_have_their_class(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum failure f = failure_classify(&cases[i].report);
        if (f != cases[i].want)
            fail_msg("%s: %s, not %s", cases[i].name, failure_traits(f)->name,
                     failure_traits(cases[i].want)->name);
    }
}

static void every_class_has_words_and_a_name_of_its_own(void **state)
{
    for (int i = 0; i < FAILURE_COUNT; i++) {
        const struct failure_traits *t = failure_traits((enum failure)i);
        enum failure back;
        assert_non_null(t->name);
        assert_true(strlen(t->staff) > 10 && strlen(t->guest) > 10);
        assert_true(strlen(t->guest) <= 60); /* one line of a phone */
        assert_true(failure_from_name(t->name, &back));
        assert_int_equal(back, i);
    }
    enum failure f = FAILURE_DISK;
    assert_false(failure_from_name("no such", &f));
    assert_int_equal(f, FAILURE_UNKNOWN);
    assert_false(failure_from_name(NULL, &f));
    assert_ptr_equal(failure_traits((enum failure)999), failure_traits(FAILURE_UNKNOWN));
}

static void a_line_of_the_worker_is_read(void **state)
{
    static const char line[] =
        "{\"n\": 7, \"event\": \"error\", \"phase\": \"media\", \"exception\": \"HTTPError\", "
        "\"chain\": [\"DownloadError\", \"HTTPError\"], \"status\": 403, \"message\": \"m\", "
        "\"errno\": null, \"is_expected\": true, \"retry_after_s\": 30, \"warnings\": [\"a\", "
        "\"b\"]}";
    char chain[64], warnings[64], small[4];
    struct failure_report r;
    struct message *m = message_parse(line, strlen(line), NULL, 0);
    failure_report_read(m, &r, chain, sizeof(chain), warnings, sizeof(warnings));
    assert_string_equal(r.exception, "HTTPError");
    assert_string_equal(r.chain, "DownloadError HTTPError");
    assert_string_equal(r.warnings, "a\nb");
    assert_int_equal(r.status, 403);
    assert_int_equal(r.os_error, 0);
    assert_true(r.is_media);
    assert_false(r.is_bug);
    assert_int_equal(r.retry_after_ms, 30000);
    assert_int_equal(failure_classify(&r), FAILURE_URL_403);
    failure_report_read(m, &r, small, sizeof(small), warnings, sizeof(warnings));
    assert_string_equal(small, "Dow");
    message_destroy(m);

    m = message_parse("{}", 2, NULL, 0); /* whatever comes, nothing is assumed */
    failure_report_read(m, &r, chain, sizeof(chain), warnings, sizeof(warnings));
    assert_int_equal(failure_classify(&r), FAILURE_UNKNOWN);
    message_destroy(m);
}

static void attempts_wait_longer_and_end(void **state)
{
    static const struct {
        enum failure failure;
        unsigned attempt;
        uint32_t random;
        int64_t wait_ms;
    } waits[] = {
        { FAILURE_URL_403, 1, UINT32_MAX, 0 },
        { FAILURE_URL_403, 2, 0, 2000 },
        { FAILURE_URL_403, 5, 0, 60000 },
        { FAILURE_URL_403, 6, 0, -1 },
        { FAILURE_UNKNOWN, 3, 0x80000000u, 54000 }, /* half of a fifth off */
        { FAILURE_UNKNOWN, 4, 0, -1 },
        { FAILURE_TIMEOUT, 2, 0, 10000 },
        { FAILURE_TIMEOUT, 3, 0, -1 },
        { FAILURE_PARTIAL, 1, 0, 0 },
        { FAILURE_DNS, 4, 0, 300000 },
        { FAILURE_DNS, UINT32_MAX, 0, 300000 },
        { FAILURE_SERVER, 9, 0, 600000 },
        { FAILURE_BOT_CHECK, 1, 0, 1800000 },
        { FAILURE_BOT_CHECK, 99, 0, 21600000 },
        { FAILURE_REMOVED, 1, 0, -1 },
        { FAILURE_DNS, 0, 0, -1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(waits); i++)
        assert_int_equal(failure_retry_ms(waits[i].failure, waits[i].attempt, waits[i].random),
                         waits[i].wait_ms);
    for (int i = 0; i < FAILURE_COUNT; i++) {
        /* What is permanent is not tried, what is transient is. */
        enum failure_kind kind = failure_traits((enum failure)i)->kind;
        int64_t first = failure_retry_ms((enum failure)i, 1, UINT32_MAX), before = 0;
        assert_int_equal(first >= 0, kind == FAILURE_TRANSIENT || kind == FAILURE_OPERATOR);
        for (unsigned attempt = 1; attempt < 20; attempt++) {
            int64_t wait = failure_retry_ms((enum failure)i, attempt, 0);
            if (wait < 0)
                break;
            assert_true(wait >= before);
            before = wait;
        }
    }
}

static void a_page_that_stays_forbidden_is_gone_or_a_block(void **state)
{
    assert_int_equal(failure_settled(FAILURE_PAGE_403, false), FAILURE_REMOVED);
    assert_int_equal(failure_settled(FAILURE_PAGE_403, true), FAILURE_BOT_CHECK);
    assert_int_equal(failure_settled(FAILURE_URL_403, true), FAILURE_URL_403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_messages_have_their_class),
        cmocka_unit_test(every_class_has_words_and_a_name_of_its_own),
        cmocka_unit_test(a_line_of_the_worker_is_read),
        cmocka_unit_test(attempts_wait_longer_and_end),
        cmocka_unit_test(a_page_that_stays_forbidden_is_gone_or_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
