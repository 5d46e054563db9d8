#include "media/text_boxes.h"

static uint32_t lower(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t higher(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static bool is_near(const struct text_box *a, const struct text_box *b, uint32_t gap)
{
    return a->x < b->x + b->w + gap && b->x < a->x + a->w + gap && a->y < b->y + b->h + gap &&
           b->y < a->y + a->h + gap;
}

static struct text_box around(const struct text_box *a, const struct text_box *b)
{
    uint32_t x = lower(a->x, b->x), y = lower(a->y, b->y);
    return (struct text_box){
        .x = x,
        .y = y,
        .w = higher(a->x + a->w, b->x + b->w) - x,
        .h = higher(a->y + a->h, b->y + b->h) - y,
    };
}

static uint64_t area(const struct text_box *b)
{
    return (uint64_t)b->w * b->h;
}

/* Takes the box out of the list that is to be made one with `b`, and returns what they are together: the first near
 * one, or, of a full list, the one that wastes least. false: none is. */
static bool absorb(struct text_box *box, uint32_t *count, struct text_box *b, uint32_t gap)
{
    uint32_t best = *count;
    uint64_t best_waste = UINT64_MAX;
    for (uint32_t i = 0; i < *count; i++) {
        struct text_box both = around(&box[i], b);
        uint64_t parts = area(&box[i]) + area(b);
        uint64_t waste = is_near(&box[i], b, gap) ? 0
                         : area(&both) > parts    ? area(&both) - parts
                                                  : 1;
        if (waste < best_waste && (waste == 0 || *count == TEXT_BOXES)) {
            best = i;
            best_waste = waste;
        }
    }
    if (best == *count)
        return false;
    *b = around(&box[best], b);
    box[best] = box[--*count];
    return true;
}

uint32_t text_boxes_add(struct text_box box[TEXT_BOXES], uint32_t count, struct text_box b,
                        uint32_t gap)
{
    while (absorb(box, &count, &b, gap)) {
    }
    box[count] = b;
    return count + 1;
}

bool text_boxes_place(struct text_box box[TEXT_BOXES], uint32_t count)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        box[i].offset = (uint32_t)at;
        at += area(&box[i]) * 4;
        if (at > TEXT_CUE_BYTES)
            return false;
    }
    return true;
}
