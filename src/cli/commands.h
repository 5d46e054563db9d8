/* The commands, by the file that holds them. Each returns enum cli_exit. */
#pragma once

struct cli;

/* command.c */
int help_run(struct cli *cli);
/* up.c, play.c */
int up_run(struct cli *cli);
int play_run(struct cli *cli);
/* status.c */
int status_run(struct cli *cli);
/* lists.c */
int queue_run(struct cli *cli);
int history_run(struct cli *cli);
/* add.c */
int add_run(struct cli *cli);
/* search.c */
int search_run(struct cli *cli);
/* playback.c */
int skip_run(struct cli *cli);
int pause_run(struct cli *cli);
int resume_run(struct cli *cli);
int seek_run(struct cli *cli);
int volume_run(struct cli *cli);
int mute_run(struct cli *cli);
/* subtitles.c */
int subtitles_run(struct cli *cli);
/* edit.c */
int remove_run(struct cli *cli);
int promote_run(struct cli *cli);
int play_now_run(struct cli *cli);
int move_run(struct cli *cli);
int shuffle_run(struct cli *cli);
int clear_run(struct cli *cli);
/* screenshot.c */
int screenshot_run(struct cli *cli);
/* metrics.c */
int metrics_run(struct cli *cli);
/* doctor.c */
int doctor_run(struct cli *cli);
/* logs.c */
int logs_run(struct cli *cli);
/* settings.c */
int config_run(struct cli *cli);
/* cache.c */
int cache_run(struct cli *cli);
/* extractor.c */
int extractor_run(struct cli *cli);
/* hub.c */
int hub_run(struct cli *cli);
/* pair.c */
int pair_run(struct cli *cli);
/* completion.c */
int completion_run(struct cli *cli);
