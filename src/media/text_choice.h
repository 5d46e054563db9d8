/* Which subtitles of a song are shown: a file beside it before the streams in it, a wished language before another. */
#pragma once

#include <libavformat/avformat.h>

#include "base/compiler.h"

/* How well `name` serves as subtitles of the media file `media`, both names within one folder: "song.srt", "song.de.lrc"
 * for "song.mp4". Higher is better; 0: it does not. `languages`: see language_place(). Pure. */
int text_file_rank(const char *media, const char *name, const char *languages);
/* libavformat's name of the format of a file with that name; NULL: none that is read as text. Pure. */
const char *text_file_format(const char *name);
/* The path of the best file beside the media file `path`; NULL: none is there. The caller frees. Reads the folder:
 * may take a while. */
char *text_file_beside(const char *path, const char *languages);

/* Likewise, of a stream in the file; 0: it is no subtitles, or has pictures instead of text. Pure. */
int text_stream_rank(const AVStream *st, const char *languages);
/* The index of the best one; -1: none. */
int text_stream_best(const AVFormatContext *fmt, const char *languages);
