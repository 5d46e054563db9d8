/* What a code point is, as far as drawing a line of text needs it. Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODE_ZWNJ          0x200cu
#define CODE_ZWJ           0x200du
#define CODE_TEXT_VARIANT  0xfe0eu /* VS15: the character before it is text */
#define CODE_EMOJI_VARIANT 0xfe0fu /* VS16: the character before it is an emoji */
#define CODE_ELLIPSIS      "\xe2\x80\xa6"

/* ISO 15924 tag as four bytes 'A''r''a''b'; 0: used with several scripts (digits, blanks, most
 * punctuation, symbols, most marks). */
uint32_t unicode_script(uint32_t code);
/* Never has ink and every font may be given it: joiners, variation selectors, tags of flags. */
bool unicode_is_silent(uint32_t code);
/* Never drawn: controls, direction marks, private use, noncharacters, U+FFFC, U+FFFD. */
bool unicode_is_hidden(uint32_t code);
bool unicode_is_blank(uint32_t code);
/* Belongs to the character before it. Silent ones do, too. */
bool unicode_is_mark(uint32_t code);
/* Is shown in colour unless a text variant is asked for. */
bool unicode_is_emoji(uint32_t code);
/* A line of text may be broken before and after it. */
bool unicode_is_ideograph(uint32_t code);

/* How many of the `count` (> 0) code points make one character for the reader: a base with its
 * marks, an emoji sequence, a flag, a Hangul syllable (UAX #29 without the rules for controls).
 * At least 1; bounded, so that a base with a thousand marks is several. */
size_t unicode_cluster(const uint32_t *code, size_t count);
/* Whether such a character is to be drawn in colour. */
bool unicode_cluster_is_emoji(const uint32_t *code, size_t count);
