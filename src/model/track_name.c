/* Names of tracks: from file names, and for people. */
#include "model/track.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/text.h"

#define YOUTUBE_ID_LEN 11

static const char *const media_endings[] = {
    "mp4", "webm", "mkv",  "avi", "mov",  "ts",  "m4v", "mpg", "mpeg", "flv", "wmv",
    "ogv", "mp3",  "flac", "ogg", "opus", "m4a", "wav", "aac", "ac3",  "wma",
};

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The dot of a media ending; NULL: there is none. */
static const char *media_ending(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < ARRAY_LEN(media_endings); i++) {
        if (strcasecmp(dot + 1, media_endings[i]) == 0)
            return dot;
    }
    return NULL;
}

bool path_is_media(const char *path)
{
    return media_ending(file_name(path)) != NULL;
}

static bool is_youtube_id(const char *s)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    return strspn(s, letters) >= YOUTUBE_ID_LEN;
}

static void trim(char *s)
{
    size_t lead = strspn(s, " \t\r\n");
    memmove(s, s + lead, strlen(s + lead) + 1);
    size_t len = strlen(s);
    while (len && strchr(" \t\r\n", s[len - 1]))
        s[--len] = '\0';
}

static char *last_of(char *s, const char *what)
{
    char *last = NULL;
    for (char *p = s; (p = strstr(p, what)); p++)
        last = p;
    return last;
}

/* "Name -- YTID": cuts the id off `name`. */
static bool take_trailing_id(struct track *t, char *name)
{
    char *cut = last_of(name, " -- ");
    if (!cut || strlen(cut + 4) != YOUTUBE_ID_LEN || !is_youtube_id(cut + 4))
        return false;
    track_set(&t->video_id, cut + 4);
    *cut = '\0';
    return true;
}

/* What stands between the blanks of "YTID | Name": a bar, a point, or what is left of one after a wrong
 * conversion; but no dash, for an artist's name may have eleven letters. */
static bool is_old_separator(uint32_t code)
{
    bool is_dash = (code >= 0x2010 && code <= 0x2015) || code == 0x2212;
    return code == '|' || code == '?' || (code >= 0x80 && !is_dash);
}

/* "YTID | Name": cuts id and separator off. The separator is one character, or up to three when damaged. */
static bool take_leading_id(struct track *t, char *name)
{
    if (!is_youtube_id(name) || name[YOUTUBE_ID_LEN] != ' ')
        return false;
    const char *p = name + YOUTUBE_ID_LEN + 1;
    size_t characters = 0;
    for (size_t used; *p && *p != ' '; p += used, characters++) {
        if (!is_old_separator(utf8_decode(p, strlen(p), &used)))
            return false;
    }
    if (*p != ' ' || characters == 0 || characters > 3)
        return false;
    char id[YOUTUBE_ID_LEN + 1];
    snprintf(id, sizeof(id), "%.*s", YOUTUBE_ID_LEN, name);
    track_set(&t->video_id, id);
    memmove(name, p, strlen(p) + 1);
    return true;
}

static void take_artist_and_title(struct track *t, char *name)
{
    char *cut = strstr(name, " - "), *title = name;
    if (cut) {
        *cut = '\0';
        title = cut + 3;
        trim(title);
    }
    trim(name);
    bool has_artist = cut && *title;
    track_set(&t->artist, has_artist ? name : NULL);
    track_set(&t->title, has_artist ? title : name);
}

void track_from_path(struct track *t, const char *path)
{
    char *source = path_to_source(path);
    track_set(&t->source, source);
    free(source);

    const char *base = file_name(path), *ending = media_ending(base);
    char *name = ending ? xstrndup(base, (size_t)(ending - base)) : xstrdup(base);
    if (!take_trailing_id(t, name) && !take_leading_id(t, name)) {
        char key[32];
        snprintf(key, sizeof(key), "file:%016llx",
                 (unsigned long long)text_hash(path, strlen(path)));
        track_set(&t->video_id, key);
    }
    take_artist_and_title(t, name);
    if (!*t->title)
        track_set(&t->title, *base ? base : path);
    free(name);
}

/* ---- addresses ------------------------------------------------------------------------------------- */

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, c | 0x20);
    return c && at ? (int)(at - digits) : -1;
}

/* The last part of a path, with what %XX stands for, as its name would be on disk. */
static void name_of_url(const char *start, size_t len, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < len && n + 1 < size; i++) {
        int high = start[i] == '%' && i + 2 < len ? hex(start[i + 1]) : -1;
        int low = high >= 0 ? hex(start[i + 2]) : -1;
        bool is_code = low >= 0 && high * 16 + low >= 0x20 && high * 16 + low != '/';
        out[n++] = is_code ? (char)(high * 16 + low) : start[i];
        i += is_code ? 2 : 0;
    }
    out[n] = '\0';
}

void track_from_url(struct track *t, const char *url)
{
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    size_t len = strcspn(start, "?#"), last = len;
    while (last > 0 && start[last - 1] != '/')
        last--;
    char path[512] = "/";
    name_of_url(start + last, last > 0 ? len - last : 0, path + 1, sizeof(path) - 1);
    struct track *named = track_create();
    track_from_path(named, path);
    char *host = xstrndup(start, strcspn(start, "/?#"));
    track_set(&t->title, path[1] ? named->title : host);
    track_set(&t->artist, path[1] ? named->artist : NULL);
    track_set(&t->source, url);
    free(host);
    track_destroy(named);
}

bool track_has_stand_in(const struct track *t)
{
    bool is_url = strncmp(t->source, "http://", 7) == 0 || strncmp(t->source, "https://", 8) == 0;
    if (!*t->title || strcmp(t->title, t->video_id) == 0 || !is_url)
        return !*t->title || strcmp(t->title, t->video_id) == 0;
    struct track *named = track_create();
    track_from_url(named, t->source);
    bool is_same = strcmp(t->title, named->title) == 0 && strcmp(t->artist, named->artist) == 0;
    track_destroy(named);
    return is_same;
}

/* ---- paths as text --------------------------------------------------------------------------------- */

static const char source_scheme[] = "file://";

char *path_to_source(const char *path)
{
    size_t len = strlen(path);
    bool looks_encoded = strncmp(path, source_scheme, strlen(source_scheme)) == 0;
    if (utf8_is_valid(path, len) && !looks_encoded)
        return xstrdup(path);
    char *out = xcalloc(strlen(source_scheme) + 3 * len + 1, 1);
    char *p = out + sprintf(out, "%s", source_scheme);
    for (size_t i = 0, used; i < len; i += used) {
        uint32_t code = utf8_decode(path + i, len - i, &used);
        if (path[i] == '%' || (code == UNICODE_REPLACEMENT && used == 1))
            p += sprintf(p, "%%%02X", (unsigned char)path[i]);
        else
            p = (char *)memcpy(p, path + i, used) + used;
    }
    return out;
}

char *path_from_source(const char *source)
{
    if (strncmp(source, source_scheme, strlen(source_scheme)) != 0)
        return xstrdup(source);
    char *out = xstrdup(source + strlen(source_scheme)), *to = out;
    for (const char *p = out; *p; p++) {
        unsigned byte;
        int used = 0;
        if (*p == '%' && sscanf(p, "%%%2x%n", &byte, &used) == 1 && used == 3 && byte) {
            *to++ = (char)byte;
            p += 2;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
    return out;
}
