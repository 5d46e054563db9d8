#include "net/server_frame.h"

#include "base/text.h"

#define FIN      0x80
#define RESERVED 0x70
#define MASKED   0x80

void frame_reader_init(struct frame_reader *f, size_t message_max)
{
    *f = (struct frame_reader){ 0 };
    buf_init(&f->text, message_max);
}

void frame_reader_finish(struct frame_reader *f)
{
    buf_finish(&f->text);
}

bool frame_close_code_is_valid(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

size_t frame_head_write(unsigned char out[10], enum frame_opcode opcode, size_t len)
{
    out[0] = (unsigned char)(FIN | opcode);
    size_t bytes = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;
    out[1] = (unsigned char)(bytes == 0 ? len : bytes == 2 ? 126 : 127);
    for (size_t i = 0; i < bytes; i++)
        out[2 + i] = (unsigned char)((uint64_t)len >> (8 * (bytes - 1 - i)));
    return 2 + bytes;
}

static enum frame_event broken(struct frame_reader *f, int code, const char *why)
{
    f->close_code = code;
    f->why = why;
    return FRAMES_BROKEN;
}

static bool is_control(const struct frame_reader *f)
{
    return f->head[0] & 8;
}

static enum frame_event check_opcode(struct frame_reader *f)
{
    if (f->head[0] & RESERVED)
        return broken(f, 1002, "no extension was agreed on");
    switch ((enum frame_opcode)(f->head[0] & 15)) {
    case FRAME_CONTINUATION:
        return f->in_message ? FRAMES_MORE : broken(f, 1002, "nothing to continue");
    case FRAME_TEXT:
        return f->in_message ? broken(f, 1002, "a message is not finished") : FRAMES_MORE;
    case FRAME_BINARY: return broken(f, 1003, "only text is understood");
    case FRAME_CLOSE:
    case FRAME_PING:
    case FRAME_PONG:
        return f->head[0] & FIN ? FRAMES_MORE : broken(f, 1002, "a control frame in fragments");
    }
    return broken(f, 1002, "unknown opcode");
}

/* Bytes of the head, as far as its first two tell. */
static size_t head_size(const struct frame_reader *f)
{
    if (f->head_len < 2)
        return 2;
    unsigned len = f->head[1] & 127;
    return (size_t)2 + (len == 126 ? 2 : len == 127 ? 8 : 0) + 4;
}

static enum frame_event begin_payload(struct frame_reader *f)
{
    size_t bytes = head_size(f) - 6;
    f->left = bytes ? 0 : f->head[1] & 127;
    for (size_t i = 0; i < bytes; i++)
        f->left = f->left << 8 | f->head[2 + i];
    if ((bytes == 2 && f->left < 126) || (bytes == 8 && (f->left <= UINT16_MAX || f->left >> 63)))
        return broken(f, 1002, "a length in the wrong form");
    if (is_control(f) && f->left > sizeof(f->control))
        return broken(f, 1002, "a long control frame");
    if (!is_control(f) && f->left > f->text.max - f->text.len)
        return broken(f, 1009, "the message is too long");
    f->in_payload = true;
    f->mask_at = 0;
    if (is_control(f))
        f->control_len = 0;
    return FRAMES_MORE;
}

static enum frame_event take_head_byte(struct frame_reader *f, char byte)
{
    f->head[f->head_len++] = (unsigned char)byte;
    if (f->head_len == 1) {
        if (f->is_delivered) {
            buf_finish(&f->text);
            f->is_delivered = false;
        }
        return check_opcode(f);
    }
    if (f->head_len == 2 && !(f->head[1] & MASKED))
        return broken(f, 1002, "a frame without mask");
    return f->head_len == head_size(f) ? begin_payload(f) : FRAMES_MORE;
}

static void take_payload(struct frame_reader *f, const char *data, size_t len)
{
    const unsigned char *mask = f->head + f->head_len - 4;
    unsigned char plain[512];
    for (size_t done = 0; done < len;) {
        size_t n = len - done < sizeof(plain) ? len - done : sizeof(plain);
        for (size_t i = 0; i < n; i++)
            plain[i] = (unsigned char)data[done + i] ^ mask[f->mask_at++ & 3];
        for (size_t i = 0; is_control(f) && i < n; i++)
            f->control[f->control_len++] = plain[i];
        /* Cannot exceed the ceiling: the length was checked with the head. */
        if (!is_control(f) && buf_append(&f->text, plain, n) < 0)
            return;
        done += n;
    }
    f->left -= len;
}

static enum frame_event end_close(struct frame_reader *f)
{
    if (f->control_len == 0) {
        f->close_code = 1005;
        return FRAMES_CLOSE;
    }
    int code = f->control[0] << 8 | f->control[1];
    if (f->control_len == 1 || !frame_close_code_is_valid(code))
        return broken(f, 1002, "a close code that does not exist");
    if (!utf8_is_valid((const char *)f->control + 2, f->control_len - 2))
        return broken(f, 1007, "a reason that is not UTF-8");
    f->close_code = code;
    return FRAMES_CLOSE;
}

static enum frame_event end_frame(struct frame_reader *f)
{
    f->in_payload = false;
    f->head_len = 0;
    switch (f->head[0] & 15) {
    case FRAME_CLOSE: return end_close(f);
    case FRAME_PING: return FRAMES_PING;
    case FRAME_PONG: return FRAMES_PONG;
    default: break;
    }
    f->in_message = !(f->head[0] & FIN);
    if (f->in_message)
        return FRAMES_MORE;
    if (f->text.len > 0 && !utf8_is_valid(f->text.data, f->text.len))
        return broken(f, 1007, "a text that is not UTF-8");
    f->is_delivered = true;
    return FRAMES_TEXT;
}

enum frame_event frame_reader_take(struct frame_reader *f, const char *data, size_t len,
                                   size_t *used)
{
    enum frame_event event = FRAMES_MORE;
    *used = 0;
    while (event == FRAMES_MORE && (*used < len || (f->in_payload && f->left == 0))) {
        if (!f->in_payload) {
            event = take_head_byte(f, data[(*used)++]);
            continue;
        }
        size_t n = len - *used < f->left ? len - *used : (size_t)f->left;
        take_payload(f, data + *used, n);
        *used += n;
        if (f->left == 0)
            event = end_frame(f);
    }
    return event;
}
