/* The code in every picture of a coded clip: a strip of 36 black and white cells from 5 % to 95 % of
 * the width, each 2.5 % wide.
 *
 * Cells: 0-3 sync W B W B | 4-9 clip | 10-23 frame | 24-31 CRC-8 | 32-35 trailer B W W B. White is 1,
 * the most significant bit comes first. */
#pragma once

#include <stdint.h>

#define CODE_CELLS       36
#define CODE_X0          0.05
#define CODE_X1          0.95
#define CODE_CLIP_BITS   6
#define CODE_FRAME_BITS  14
#define CODE_DEFAULT_ROW 0.06   /* centre of the strip, fraction of the height */
#define CODE_HALF        0.0297 /* half the strip's height, fraction of the height */

static const uint8_t code_sync[4] = { 1, 0, 1, 0 };
static const uint8_t code_trailer[4] = { 0, 1, 1, 0 };

static inline uint8_t code_crc8(unsigned clip, unsigned frame)
{
    uint32_t v = ((uint32_t)clip << CODE_FRAME_BITS) | frame;
    uint8_t crc = 0x5a;
    for (int i = CODE_CLIP_BITS + CODE_FRAME_BITS - 1; i >= 0; i--) {
        unsigned bit = ((v >> i) & 1u) ^ (crc >> 7);
        crc = (uint8_t)(crc << 1);
        if (bit)
            crc ^= 0x07;
    }
    return crc;
}

static inline void code_bits(unsigned clip, unsigned frame, uint8_t out[CODE_CELLS])
{
    uint8_t crc = code_crc8(clip, frame);
    int n = 0;
    for (int i = 0; i < 4; i++)
        out[n++] = code_sync[i];
    for (int i = CODE_CLIP_BITS - 1; i >= 0; i--)
        out[n++] = (clip >> i) & 1;
    for (int i = CODE_FRAME_BITS - 1; i >= 0; i--)
        out[n++] = (frame >> i) & 1;
    for (int i = 7; i >= 0; i--)
        out[n++] = (crc >> i) & 1;
    for (int i = 0; i < 4; i++)
        out[n++] = code_trailer[i];
}
