/* The figures for a monitoring system, from answers to `status`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "wire/message.h"
#include "wire/metrics.h"

static const char full[] =
    "{\"ok\":true,\"version\":\"0.1.0\",\"uptime_s\":12.345,\"state\":\"paused\",\"now\":{"
    "\"is_house\":true},\"counts\":{\"main\":3,\"requests\":0},\"volume\":75,\"is_muted\":false,"
    "\"library\":{\"files\":1200,\"away\":4},\"fetching\":{\"starts\":2,\"yt_dlp\":\"2026.10.26\","
    "\"under_way\":1,\"bytes_s\":500000,\"is_online\":true,\"problem\":\"\"},\"backend\":{"
    "\"link\":\"connected\",\"is_reachable\":true,\"role\":\"master\",\"pending\":5,\"problem\":"
    "\"Full.\",\"polls\":7,\"events\":8,\"conflicts\":9,\"reconnects\":10},\"outputs\":[{\"name\":"
    "\"HDMI-A-1\",\"stage\":0,\"refresh_hz\":59.94,\"presented\":4000000000,\"late\":41,"
    "\"dropped\":0,"
    "\"repeated\":3},{\"name\":\"HDMI-A-1\",\"stage\":1,\"late\":7},{\"name\":\"a\\\"b\\\\c\\nd\","
    "\"presented\":1,\"late\":0}],\"processes\":[{"
    "\"name\":\"player\",\"starts\":1,\"is_alive\":true},{\"name\":\"hub\",\"is_alive\":false}],"
    "\"underruns\":6,\"sound\":{\"driver\":\"alsa\",\"xruns\":11},\"played\":{\"songs\":214,"
    "\"requests\":31,\"failed\":2},\"health\":{\"board\":"
    "\"Raspberry Pi 4\",\"temperature_c\":61.3,\"undervoltage\":false,\"undervoltages\":1,"
    "\"throttled\":true,\"throttlings\":2,\"state_free\":12000000000,\"state_size\":31000000000,"
    "\"cache_free\":11000000000,\"cache_size\":31000000000}}";

static char *metrics_of(const char *status)
{
    struct message *m = message_parse(status, strlen(status), NULL, 0);
    struct buf b;
    assert_non_null(m);
    buf_init(&b, METRICS_MAX);
    assert_int_equal(buf_append(&b, "", 0), 0);
    assert_int_equal(metrics_write(&b, m), 0);
    message_destroy(m);
    return b.data;
}

/* A whole line of it. */
static void assert_line(const char *text, const char *line)
{
    size_t len = strlen(line);
    for (const char *p = text; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
        if (strncmp(p, line, len) == 0 && p[len] == '\n')
            return;
    fail_msg("no line %s in\n%s", line, text);
}

static const char *const lines[] = {
    "# HELP djamms_build_info The version of the jukebox.",
    "# TYPE djamms_build_info gauge",
    "djamms_build_info{version=\"0.1.0\"} 1",
    "djamms_uptime_seconds 12.345",
    "djamms_state{state=\"playing\"} 0",
    "djamms_state{state=\"paused\"} 1",
    "djamms_plays_house_music 1",
    "djamms_queue_entries{list=\"main\"} 3",
    "djamms_queue_entries{list=\"requests\"} 0",
    "djamms_songs_played_total 214",
    "djamms_requests_played_total 31",
    "djamms_songs_failed_total 2",
    "djamms_volume_ratio 0.75",
    "djamms_muted 0",
    "djamms_sound_underruns_total 6",
    "djamms_sound_xruns_total 11",
    "djamms_output_frames_presented_total{output=\"HDMI-A-1\",stage=\"0\"} 4000000000",
    "# TYPE djamms_output_frames_late_total counter",
    "djamms_output_frames_late_total{output=\"HDMI-A-1\",stage=\"0\"} 41",
    "djamms_output_frames_late_total{output=\"HDMI-A-1\",stage=\"1\"} 7",
    "djamms_output_frames_late_total{output=\"a\\\"b\\\\c\\nd\"} 0",
    "djamms_output_refresh_hertz{output=\"HDMI-A-1\",stage=\"0\"} 59.94",
    "djamms_process_up{process=\"player\"} 1",
    "djamms_process_up{process=\"hub\"} 0",
    "djamms_process_starts_total{process=\"player\"} 1",
    "djamms_sync_connected 1",
    "djamms_sync_master 1",
    "djamms_sync_trouble 1",
    "djamms_sync_changes_pending 5",
    "djamms_sync_reconnects_total 10",
    "djamms_extractor_info{version=\"2026.10.26\"} 1",
    "djamms_extractor_trouble 0",
    "djamms_extractor_online 1",
    "djamms_fetch_bytes_per_second 500000",
    "djamms_library_songs 1200",
    "djamms_board_info{model=\"Raspberry Pi 4\"} 1",
    "djamms_board_temperature_celsius 61.3",
    "djamms_board_undervoltage 0",
    "djamms_board_throttled 1",
    "djamms_board_throttlings_total 2",
    "djamms_disk_free_bytes{folder=\"state\"} 12000000000",
    "djamms_disk_free_bytes{folder=\"cache\"} 11000000000",
    "djamms_disk_size_bytes{folder=\"cache\"} 31000000000",
};

static void every_figure_of_the_status_has_its_sample(void **state)
{
    char *text = metrics_of(full);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_line(text, lines[i]);
    assert_null(strstr(text, "djamms_process_starts_total{process=\"hub\"")); /* it has none */
    free(text);
}

static const struct {
    const char *status, *absent;
} unknown[] = {
    { "{}", "djamms_" },
    { "{\"health\":null,\"backend\":null,\"now\":null,\"played\":null}", "djamms_" },
    { "{\"health\":{\"board\":null,\"temperature_c\":null,\"undervoltage\":null,\"state_free\":"
      "null}}",
      "djamms_" },
    { "{\"fetching\":{\"yt_dlp\":\"\"}}", "djamms_" },
    { "{\"outputs\":[]}", "djamms_" },
    { "{\"outputs\":[1,{\"name\":\"TV\",\"late\":1}]}", "_presented_total" },
    { "{\"volume\":\"75\",\"uptime_s\":true,\"state\":5}", "djamms_" },
};

static void what_is_not_known_has_no_sample_and_is_never_zero(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        char *text = metrics_of(unknown[i].status);
        if (strstr(text, unknown[i].absent))
            fail_msg("%s: %s", unknown[i].status, text);
        free(text);
    }
}

/* What the format demands, of every line there can be. */
static void names_heads_and_lines_are_as_the_format_wants_them(void **state)
{
    char *text = metrics_of(full), head[128] = "", type[16] = "", seen[8192] = " ", had[16384] = "";
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char name[128], value[64];
        if (strncmp(line, "# HELP ", 7) == 0) {
            char mark[130];
            assert_int_equal(sscanf(line, "# HELP %127s", head), 1);
            snprintf(mark, sizeof(mark), " %s ", head);
            assert_null(strstr(seen, mark)); /* one head a name, its samples together */
            strncat(seen, mark + 1, sizeof(seen) - strlen(seen) - 1);
            continue;
        }
        if (sscanf(line, "# TYPE %127s %15s", name, type) == 2) {
            assert_string_equal(name, head);
            continue;
        }
        size_t len = strcspn(line, "{ ");
        assert_int_equal(len, strlen(head));
        assert_memory_equal(line, head, len);
        assert_int_equal(sscanf(strrchr(line, ' '), " %63s", value), 1);
        char series[256];
        snprintf(series, sizeof(series), "\n%.*s ", (int)(strrchr(line, ' ') - line), line);
        if (strstr(had, series)) /* each once, or all of it is refused */
            fail_msg("twice: %s", line);
        strncat(had, series, sizeof(had) - strlen(had) - 1);
        char *end;
        strtod(value, &end);
        assert_int_equal(*end, '\0');
        bool is_counter = len > 6 && strncmp(head + len - 6, "_total", 6) == 0;
        assert_int_equal(is_counter, strcmp(type, "counter") == 0);
    }
    free(text);
}

static void more_than_the_ceiling_is_refused(void **state)
{
    struct message *m = message_parse(full, strlen(full), NULL, 0);
    struct buf b;
    buf_init(&b, 1000);
    assert_true(metrics_write(&b, m) < 0);
    buf_finish(&b);
    message_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_of_the_status_has_its_sample),
        cmocka_unit_test(what_is_not_known_has_no_sample_and_is_never_zero),
        cmocka_unit_test(names_heads_and_lines_are_as_the_format_wants_them),
        cmocka_unit_test(more_than_the_ceiling_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
