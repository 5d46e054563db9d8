#include "media/language.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"

enum { CODE_MAX = 4 };

/* ISO 639-1, and both forms of 639-2 where they differ. Others are known by the code they are given with. */
static const char codes[][3][CODE_MAX] = {
    { "ar", "ara", "" },    { "bg", "bul", "" },    { "ca", "cat", "" },    { "cs", "ces", "cze" },
    { "da", "dan", "" },    { "de", "deu", "ger" }, { "el", "ell", "gre" }, { "en", "eng", "" },
    { "es", "spa", "" },    { "et", "est", "" },    { "fa", "fas", "per" }, { "fi", "fin", "" },
    { "fr", "fra", "fre" }, { "he", "heb", "" },    { "hi", "hin", "" },    { "hr", "hrv", "" },
    { "hu", "hun", "" },    { "id", "ind", "" },    { "is", "isl", "ice" }, { "it", "ita", "" },
    { "ja", "jpn", "" },    { "ko", "kor", "" },    { "lt", "lit", "" },    { "lv", "lav", "" },
    { "nl", "nld", "dut" }, { "no", "nor", "nob" }, { "pl", "pol", "" },    { "pt", "por", "" },
    { "ro", "ron", "rum" }, { "ru", "rus", "" },    { "sk", "slk", "slo" }, { "sl", "slv", "" },
    { "sq", "sqi", "alb" }, { "sr", "srp", "" },    { "sv", "swe", "" },    { "th", "tha", "" },
    { "tr", "tur", "" },    { "uk", "ukr", "" },    { "vi", "vie", "" },    { "zh", "zho", "chi" },
};

/* The first part of a tag ("de" of "de-AT"), in the two letters there are for it; "" when it is none. */
static void normalise(const char *tag, size_t len, char out[CODE_MAX])
{
    char word[CODE_MAX] = "";
    size_t n = 0;
    while (n < len && isalpha((unsigned char)tag[n]))
        n++;
    out[0] = '\0';
    if (n < 2 || n >= CODE_MAX || (n < len && tag[n] != '-' && tag[n] != '_'))
        return;
    for (size_t i = 0; i < n; i++)
        word[i] = (char)tolower((unsigned char)tag[i]);
    memcpy(out, word, CODE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (strcmp(word, codes[i][1]) == 0 || (*codes[i][2] && strcmp(word, codes[i][2]) == 0))
            memcpy(out, codes[i][0], CODE_MAX);
    }
}

int language_place(const char *wishes, const char *tag)
{
    char code[CODE_MAX], wish[CODE_MAX];
    normalise(tag ? tag : "", tag ? strlen(tag) : 0, code);
    if (!*code)
        return -1;
    for (int place = 0; *wishes; place++) {
        wishes += strspn(wishes, ", ");
        size_t len = strcspn(wishes, ", ");
        normalise(wishes, len, wish);
        if (strcmp(wish, code) == 0)
            return place;
        wishes += len;
    }
    return -1;
}

bool language_is_known(const char *tag)
{
    char code[CODE_MAX];
    normalise(tag, strlen(tag), code);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (strcmp(code, codes[i][0]) == 0)
            return true;
    }
    return false;
}

bool language_is_unknown(const char *tag)
{
    return !tag || !*tag || strcasecmp(tag, "und") == 0;
}
