#include "media/text_choice.h"

#include <dirent.h>
#include <libavcodec/avcodec.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "media/language.h"

/* A folder may hold more than anybody wants to look through. */
enum { NAMES_MAX = 100000 };

/* Ranks: the language counts for more than anything else. */
enum { RANK_LANGUAGE = 16, WISHES_MAX = 64 };

/* Best first: what says most about how it looks. */
static const struct {
    const char *end, *format;
} formats[] = {
    { ".ass", "ass" },    { ".ssa", "ass" }, { ".srt", "srt" },
    { ".vtt", "webvtt" }, { ".lrc", "lrc" },
};

/* Above 0: a wished language by its place, then one that is not said, then any other. */
static int language_rank(const char *languages, const char *tag)
{
    int place = language_place(languages, tag);
    if (place >= 0)
        return (2 + WISHES_MAX - (place < WISHES_MAX ? place : WISHES_MAX - 1)) * RANK_LANGUAGE;
    return (language_is_unknown(tag) ? 2 : 1) * RANK_LANGUAGE;
}

/* ---- files -------------------------------------------------------------------------------------- */

static int format_of(const char *name)
{
    const char *end = strrchr(name, '.');
    for (size_t i = 0; end && i < ARRAY_LEN(formats); i++) {
        if (strcasecmp(end, formats[i].end) == 0)
            return (int)i;
    }
    return -1;
}

const char *text_file_format(const char *name)
{
    int i = format_of(name);
    return i < 0 ? NULL : formats[i].format;
}

int text_file_rank(const char *media, const char *name, const char *languages)
{
    int format = format_of(name);
    const char *media_end = strrchr(media, '.');
    size_t stem = media_end && media_end != media ? (size_t)(media_end - media) : strlen(media);
    if (format < 0 || strncmp(media, name, stem) != 0 || name[stem] != '.')
        return 0;
    /* Between the stem and the ending there is nothing, or a language. */
    const char *tag = name + stem + 1, *end = strrchr(name, '.');
    char language[16] = "";
    if (end > tag) {
        size_t len = (size_t)(end - tag);
        if (len >= sizeof(language) || memchr(tag, '.', len))
            return 0;
        memcpy(language, tag, len);
        language[len] = '\0';
        if (!language_is_unknown(language) && !language_is_known(language))
            return 0;
    }
    return language_rank(languages, language) + (int)ARRAY_LEN(formats) - format;
}

char *text_file_beside(const char *path, const char *languages)
{
    const char *slash = strrchr(path, '/'), *media = slash ? slash + 1 : path;
    char *folder = slash ? xstrndup(path, (size_t)(slash + 1 - path)) : xstrdup("./");
    char *best = NULL;
    int best_rank = 0;
    DIR *dir = opendir(folder);
    struct dirent *e;
    for (int i = 0; dir && i < NAMES_MAX && (e = readdir(dir)); i++) {
        int rank = text_file_rank(media, e->d_name, languages);
        if (rank <= best_rank)
            continue;
        best_rank = rank;
        free(best);
        best = xasprintf("%s%s", folder, e->d_name);
    }
    if (dir)
        closedir(dir);
    free(folder);
    return best;
}

/* ---- streams ------------------------------------------------------------------------------------ */

int text_stream_rank(const AVStream *st, const char *languages)
{
    const AVCodecDescriptor *codec = avcodec_descriptor_get(st->codecpar->codec_id);
    if (st->codecpar->codec_type != AVMEDIA_TYPE_SUBTITLE || !codec ||
        !(codec->props & AV_CODEC_PROP_TEXT_SUB) || (codec->props & AV_CODEC_PROP_BITMAP_SUB) ||
        !avcodec_find_decoder(st->codecpar->codec_id))
        return 0;
    const AVDictionaryEntry *tag = av_dict_get(st->metadata, "language", NULL, 0);
    int rank = language_rank(languages, tag ? tag->value : NULL);
    if (!(st->disposition &
          AV_DISPOSITION_FORCED)) /* those have only what is said in another language */
        rank += 4;
    if (!(st->disposition & AV_DISPOSITION_HEARING_IMPAIRED))
        rank += 2;
    if (st->disposition & AV_DISPOSITION_DEFAULT)
        rank += 1;
    return rank;
}

int text_stream_best(const AVFormatContext *fmt, const char *languages)
{
    int best = -1, best_rank = 0;
    for (unsigned i = 0; i < fmt->nb_streams; i++) {
        int rank = text_stream_rank(fmt->streams[i], languages);
        if (rank > best_rank) {
            best = (int)i;
            best_rank = rank;
        }
    }
    return best;
}
