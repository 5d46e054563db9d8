#!/usr/bin/env python3
"""Makes small media files of every kind, and damaged ones, for corpus_test.

usage: make_corpus.py FOLDER

Writes the files and manifest.tsv: one line for each file with what must come out of it. The middle of picture n
has brightness 40 + 12 * (n % 15), so that a test sees whether pictures are right and in order. The sound is a
sine of 440 Hz. Nothing is made twice: a folder with a complete manifest of this script is left alone.
"""
import concurrent.futures
import hashlib
import os
import random
import struct
import subprocess
import sys
import zlib

RATE = 25
FRAMES = 15
SECONDS = FRAMES / RATE
SAMPLES = 28800                 # at 48 kHz

GOOD = []                       # (row, [ffmpeg arguments])
BAD = []                        # (row, function(folder) -> bytes)


def pictures(width, height, frames, rate, extra):
    """A moving test picture with a box in the middle that says which picture it is."""
    box = f"{max(width // 32 * 16, 2)}x{max(height // 32 * 16, 2)}"
    return (f"testsrc2=s={width}x{height}:r={rate}:d={frames / rate:.4f}[back];"
            f"color=gray:s=16x16:r={rate}:d={frames / rate:.4f},format=gray,"
            f"geq=lum='40+12*mod(N,15)',scale={box}:flags=neighbor,format=gray[box];"
            f"[back][box]overlay=(W-w)/2:(H-h)/2:format=yuv444{extra}[out0]")


def good(name, video=None, audio=None, *, width=320, height=180, frames=None, samples=None, fmt="I420",
         rotation=0, shown=None, seconds=SECONDS, rate=RATE, extra="", sound="sine=440:r=48000",
         inputs=(), flags="", muxer=(), sar="1:1", first_loud=0):
    count = frames if frames is not None else round(seconds * rate)
    args = []
    if video is not None:
        args += ["-f", "lavfi", "-i", pictures(width, height, round(seconds * rate), rate, extra)]
    if audio is not None:
        args += [*inputs, "-f", "lavfi", "-i", f"{sound}:d={seconds}"]
    if video is not None:
        args += ["-c:v", *video]
    if audio is not None:
        args += ["-c:a", *audio]
    args += [*muxer, "-threads", "1", name]
    if video is None:
        width, height, fmt, count = 640, 360, "I420", -1
    if samples is None:
        samples = round(seconds * 48000)
    if audio is None:           # silence as long as the pictures
        flags += " silent"
    shown = shown or (width, height)
    row = dict(name=name, kind="good", frames=count, samples=samples, width=shown[0], height=shown[1],
               fmt=fmt, rotation=rotation, sar=sar, first_loud=first_loud, flags=flags)
    GOOD.append((row, args))


X264 = ["libx264", "-preset", "ultrafast", "-g", "10"]
X265 = ["libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:pools=none:frame-threads=1"]
VP8 = ["libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M"]
VP9 = ["libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M"]
AV1 = ["libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-b:v", "500k"]
AAC, MP3, OPUS, VORBIS = ["aac"], ["libmp3lame"], ["libopus"], ["libvorbis"]


def pix(codec, name):
    return [*codec, "-pix_fmt", name]


def list_good():
    y420 = lambda codec: pix(codec, "yuv420p")
    # H.264
    good("h264-aac.mp4", y420(X264), AAC, muxer=["-movflags", "+faststart"])
    good("h264-aac-44100.mp4", y420(X264), AAC, sound="sine=440:r=44100")
    good("h264-bframes.mp4", [*y420(X264), "-bf", "3", "-b_strategy", "0"], AAC)
    good("h264-bframes.mkv", [*y420(X264), "-bf", "3", "-b_strategy", "0", "-x264-params",
                              "b-pyramid=normal"], AAC, flags="lossy-end")
    good("h264-fragmented.mp4", y420(X264), AAC, muxer=["-movflags", "frag_keyframe+empty_moov"],
         flags="lossy-end")
    good("h264-aac.mov", y420(X264), AAC)
    good("h264-pcm.mov", y420(X264), ["pcm_s16le"])
    good("h264-mp3.mp4", y420(X264), MP3)
    good("h264-ac3.mp4", y420(X264), ["ac3"], flags="lossy-end")
    good("h264-flac.mkv", y420(X264), ["flac"])
    good("h264-aac.ts", y420(X264), AAC, flags="lossy-end")
    good("h264-mp3.avi", y420(X264), MP3, flags="lossy-end")
    good("h264-aac.flv", y420(X264), AAC, flags="lossy-end")
    good("h264-10bit.mkv", pix(X264, "yuv420p10le"), ["flac"], fmt="I010")
    good("h264-422.mp4", pix(X264, "yuv422p"), AAC, fmt="I422")
    good("h264-422-10bit.mkv", pix(X264, "yuv422p10le"), ["pcm_s24le"], fmt="I210")
    good("h264-444.mp4", pix(X264, "yuv444p"), AAC, fmt="I444")
    good("h264-444-10bit.mp4", pix(X264, "yuv444p10le"), AAC, fmt="I410")
    good("h264-gray.mp4", pix(X264, "gray"), AAC, flags="full")
    good("ffv1-gray.mkv", pix(["ffv1"], "gray"), ["flac"], fmt="GRAY", flags="full")
    good("h264-rgb.mkv", pix(["libx264rgb", "-preset", "ultrafast"], "rgb24"), AAC, fmt="BGRA",
         flags="lossy-end")
    good("h264-fullrange.mp4", [*pix(X264, "yuvj420p"), "-color_range", "pc"], AAC, flags="full")
    good("h264-cropped.mp4", y420(X264), AAC, width=318, height=178)
    good("h264-odd.mp4", pix(X264, "yuv444p"), AAC, width=321, height=181, fmt="I444")
    good("h264-narrow.mp4", y420(X264), AAC, width=34, height=240)
    good("h264-sar.mp4", y420(X264), AAC, extra=",setsar=4/3", shown=(426, 180), sar="4:3")
    good("h264-sar-tall.mkv", y420(X264), AAC, extra=",setsar=1/2", shown=(320, 360), sar="1:2",
         flags="lossy-end")
    for turn, shown in ((90, (180, 320)), (180, (320, 180)), (270, (180, 320))):
        good(f"h264-rotate{turn}.mp4", y420(X264), AAC, rotation=turn, shown=shown, flags=f"turn{turn}")
    good("h264-vfr.mp4", y420(X264), AAC, extra=",select='not(eq(n\\,4)+eq(n\\,5)+eq(n\\,9))'", frames=12,
         muxer=["-fps_mode", "vfr"], flags="vfr")
    good("h264-vfr.mkv", y420(X264), AAC, extra=",select='not(eq(n\\,4)+eq(n\\,5)+eq(n\\,9))'", frames=12,
         muxer=["-fps_mode", "vfr"], flags="vfr lossy-end")
    good("h264-interlaced.mp4", [*y420(X264), "-flags", "+ildct+ilme", "-x264-params", "tff=1"], AAC,
         height=288, flags="interlaced")
    good("h264-60fps.mp4", y420(X264), AAC, rate=60)
    good("h264-12fps.mp4", y420(X264), AAC, rate=12, seconds=1)
    good("h264-late-sound.mkv", y420(X264), ["pcm_s16le"], inputs=["-itsoffset", "0.2"], samples=38400,
         first_loud=9600)
    good("h264-later-sound.mkv", y420(X264), ["pcm_s16le"], inputs=["-itsoffset", "5"], seconds=6,
         samples=528000, first_loud=240000)
    good("h264-much-later-sound.mkv", y420(X264), ["pcm_s16le"], inputs=["-itsoffset", "12"], seconds=6,
         samples=864000, first_loud=576000)
    good("ffv1-wide.mkv", pix(["ffv1"], "yuv420p"), ["flac"], width=16500, height=64, shown=(16384, 64))
    good("h264-4k.mp4", y420(X264), AAC, width=3840, height=2160, seconds=0.2)
    good("h264-only.mp4", y420(X264))
    good("long.ts", y420(X264), ["mp2"], width=160, height=96, seconds=6, flags="lossy-end")
    # as many lines as a board's decoder is used for
    good("tall.mkv", y420(X264), ["flac"], width=640, height=512, seconds=4)
    good("long.mkv", y420(X264), ["flac"], width=160, height=96, seconds=6)
    good("h264-begins-late.mkv", y420(X264), ["pcm_s16le"], muxer=["-output_ts_offset", "5"])
    good("h264-begins-late.ts", y420(X264), ["mp2"], muxer=["-output_ts_offset", "5"], flags="lossy-end")
    good("h264-begins-far.mkv", y420(X264), ["pcm_s16le"], muxer=["-output_ts_offset", "9000000000000"])
    good("h264-one-key.ts", [*y420(X264), "-g", "999"], ["mp2"], flags="lossy-end")
    # HEVC
    good("hevc-aac.mp4", y420(X265), AAC)
    good("hevc-ac3.ts", y420(X265), ["ac3"], flags="lossy-end")
    good("hevc-10bit.mkv", pix(X265, "yuv420p10le"), OPUS, fmt="I010")
    good("hevc-12bit.mkv", pix(X265, "yuv420p12le"), OPUS, fmt="I010")
    good("hevc-422-10bit.mp4", pix(X265, "yuv422p10le"), AAC, fmt="I210")
    good("hevc-444.mkv", pix(X265, "yuv444p"), ["flac"], fmt="I444")
    # VP8, VP9, AV1
    good("vp8-vorbis.webm", y420(VP8), VORBIS, flags="lossy-end")
    good("vp8-odd.mkv", y420(VP8), OPUS, width=321, height=181)
    good("vp8-alpha.webm", [*pix(VP8, "yuva420p"), "-auto-alt-ref", "0"], VORBIS, flags="lossy-end")
    good("vp9-opus.webm", y420(VP9), OPUS)
    good("vp9-odd.webm", y420(VP9), OPUS, width=321, height=181)
    good("vp9-10bit.webm", pix(VP9, "yuv420p10le"), OPUS, fmt="I010")
    good("vp9-444.webm", pix(VP9, "yuv444p"), OPUS, fmt="I444")
    good("vp9-only.webm", y420(VP9))
    good("vp9-aac.mp4", y420(VP9), AAC)
    good("av1-aac.mp4", y420(AV1), AAC)
    good("av1-opus.webm", y420(AV1), OPUS)
    good("av1-10bit.mkv", pix(AV1, "yuv420p10le"), ["flac"], fmt="I010")
    # MPEG-2, MPEG-4 and older
    good("mpeg2-mp2.ts", y420(["mpeg2video", "-b:v", "2M"]), ["mp2"], flags="lossy-end")
    good("mpeg2-ac3.mpg", y420(["mpeg2video", "-b:v", "2M"]), ["ac3"], flags="lossy-end")
    good("mpeg2-aac.mkv", y420(["mpeg2video", "-b:v", "2M"]), AAC, flags="lossy-end")
    good("mpeg2-422.ts", pix(["mpeg2video", "-b:v", "2M"], "yuv422p"), ["mp2"], fmt="I422",
         flags="lossy-end")
    good("mpeg2-interlaced.ts", [*y420(["mpeg2video", "-b:v", "3M"]), "-flags", "+ildct+ilme"],
         ["mp2"], height=288, extra=",setfield=tff", flags="interlaced lossy-end")
    good("combed.mkv", [*y420(["mpeg2video", "-b:v", "4M"]), "-flags", "+ildct+ilme"], ["mp2"], height=288,
         rate=50, frames=15, extra=",tinterlace=interleave_top,setfield=tff",
         flags="interlaced unordered lossy-end")
    good("mpeg4-mp3.avi", y420(["mpeg4", "-b:v", "1M"]), MP3, flags="lossy-end")
    good("mpeg4-bframes.avi", y420(["mpeg4", "-b:v", "1M", "-bf", "2"]), ["pcm_s16le"])
    good("mpeg4-aac.mp4", y420(["mpeg4", "-b:v", "1M"]), AAC)
    good("mjpeg-pcm.avi", pix(["mjpeg"], "yuvj420p"), ["pcm_u8"], flags="full")
    good("mjpeg-odd.mov", pix(["mjpeg"], "yuvj444p"), ["pcm_s16be"], width=321, height=181, fmt="I444",
         flags="full")
    good("theora-vorbis.ogv", y420(["libtheora"]), VORBIS, flags="lossy-end")
    good("theora-flac.ogv", y420(["libtheora", "-g", "12"]), ["flac"], width=160, height=96, seconds=6,
         sound="aevalsrc=0.0005*random(0)+0.5*sin(2764*t)*gt(t\\,3.4):s=48000", first_loud=163200)
    good("prores-pcm.mov", pix(["prores"], "yuv422p10le"), ["pcm_s24le"], fmt="I210")
    good("png-alac.mov", pix(["png"], "rgb24"), ["alac"], fmt="BGRA")
    good("ffv1-411.mkv", pix(["ffv1"], "yuv411p"), ["flac"], fmt="I422")
    good("wmv2-wmav2.asf", y420(["wmv2"]), ["wmav2"], first_loud=2048, flags="lossy-end")
    good("palette.gif", pix(["gif"], "pal8"), fmt="BGRA", extra=",format=gray", rate=20, seconds=0.5,
         flags="coarse")
    # sound only
    good("mp3.mp3", None, MP3)
    good("aac.m4a", None, AAC)
    good("aac-44100.m4a", None, AAC, sound="sine=440:r=44100")
    good("aac.adts", None, AAC, flags="lossy-end", muxer=["-f", "adts"])
    good("opus.opus", None, OPUS)
    good("vorbis.ogg", None, VORBIS)
    good("flac.flac", None, ["flac"])
    good("tagged.flac", None, ["flac", "-metadata", "title=Sen\u0303orita\n(live)", "-metadata", "artist=Łódź"])
    # libavcodec gives nothing of the first two blocks of 2048, one of them sound
    good("wma.wma", None, ["wmav2"], samples=SAMPLES - 2048, flags="lossy-end")
    good("flac-96k-24bit.flac", None, ["flac", "-sample_fmt", "s32"], sound="sine=440:r=96000")
    good("pcm-s16.wav", None, ["pcm_s16le"])
    good("pcm-f32.wav", None, ["pcm_f32le"])
    good("pcm-8k-u8.wav", None, ["pcm_u8"], sound="sine=440:r=8000")
    good("pcm-44100.aiff", None, ["pcm_s16be"], sound="sine=440:r=44100")
    good("ac3-51.ac3", None, ["ac3", "-ac", "6"], flags="lossy-end")
    good("aac-51.m4a", None, ["aac", "-ac", "6"])
    good("flac-51.flac", None, ["flac", "-ac", "6"])
    good("eac3.mka", None, ["eac3"], flags="lossy-end")
    good("alac.m4a", None, ["alac"])
    good("tagged.mp3", None, [*MP3, "-metadata", "title=Ein Lied", "-metadata", "artist=Wer"],
         flags="tagged")
    # pictures alone
    good("still.png", pix(["png"], "rgb24"), frames=1, samples=480000, fmt="BGRA",
         muxer=["-frames:v", "1"], flags="still")
    good("still.jpg", pix(["mjpeg"], "yuvj420p"), frames=1, samples=480000,
         muxer=["-frames:v", "1"], flags="still full")


def giant_png():
    """A black picture of 256 million pixels in a few kilobytes."""
    side = 16000
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + side // 8) * side))
    chunks = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(d)) + name + d + struct.pack(">I", zlib.crc32(name + d)) for name, d in chunks)


def covered(name, sound_file, picture, args, is_shown=True):
    """Sound with a cover picture, made of two files that exist."""
    row = dict(name=name, kind="good", frames=1, samples=SAMPLES, width=320, height=180,
               fmt="BGRA" if picture.endswith("png") else "I420", rotation=0, sar="1:1", first_loud=0,
               flags="cover")
    if not is_shown:            # the visual is, instead
        row |= dict(frames=-1, width=640, height=360, fmt="I420", flags="")
    return row, ["-i", sound_file, "-i", picture, "-map", "0:a", "-map", "1:v", "-c", "copy",
                 "-disposition:v", "attached_pic", *args, name]


# ---- damaged files ----------------------------------------------------------------------------------

def bad(name, kind, make):
    """kind: fail (a sentence naming the file), done (plays what there is), any."""
    row = dict(name=name, kind=kind, frames=-1, samples=-1, width=0, height=0, fmt="-", rotation=0,
               sar="1:1", first_loud=0, flags="")
    BAD.append((row, make))


def whole(folder, name):
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


def cut(name, size):
    return lambda folder: (lambda d: d[:size if size > 1 else int(len(d) * size)])(whole(folder, name))


def flipped(name, start, step):
    def make(folder):
        d = bytearray(whole(folder, name))
        for i in range(int(len(d) * start), len(d), step):
            d[i] ^= 0x55
        return bytes(d)
    return make


def without(name, start, end):
    """A file without its pictures from `start` to `end` seconds, as a stream with a lost part leaves one."""
    def make(folder):
        ffmpeg(folder, ["-i", name, "-c", "copy", "-bsf:v", f"noise=drop='between(pts*tb,{start},{end})'",
                        "-f", "matroska", "without.tmp"])
        data = whole(folder, "without.tmp")
        os.unlink(os.path.join(folder, "without.tmp"))
        return data
    return make


def noise(size, seed):
    return random.Random(seed).randbytes(size)


def replaced(name, old, new, count=-1):
    def make(folder):
        d = whole(folder, name)
        assert old in d, f"{name} holds no {old}"
        return d.replace(old, new, count)
    return make


def patched_box(name, box, offset, value):
    """Overwrites bytes of an MP4 box, counted from its name."""
    def make(folder):
        d = bytearray(whole(folder, name))
        at = d.find(box)
        assert at > 0, f"{name} has no {box}"
        d[at + offset:at + offset + len(value)] = value
        return bytes(d)
    return make


def list_bad():
    for size in (1, 8, 30, 100, 900):
        bad(f"cut-at-{size}.mp4", "fail", (lambda n: lambda f: whole(f, "h264-aac.mp4")[:n])(size))
    for part in (0.3, 0.5, 0.75, 0.9, 0.99):
        bad(f"cut-{int(part * 100)}.mp4", "any", cut("h264-aac.mp4", part))
        bad(f"cut-{int(part * 100)}.mkv", "any", cut("h264-flac.mkv", part))
    bad("cut-no-index.mp4", "fail", cut("h264-aac-44100.mp4", 0.5))
    for name in ("h264-aac.ts", "vp9-opus.webm", "mpeg4-mp3.avi", "mp3.mp3", "flac.flac", "vorbis.ogg",
                 "av1-opus.webm", "hevc-aac.mp4", "still.png", "pcm-s16.wav"):
        bad("cut-half-" + name, "any", cut(name, 0.5))
    bad("cut-70.ts", "done", cut("h264-aac.ts", 0.7))
    bad("cut-80.mp3", "done", cut("mp3.mp3", 0.8))
    for name in ("h264-aac.mp4", "h264-flac.mkv", "h264-aac.ts", "vp9-opus.webm", "mpeg4-mp3.avi",
                 "hevc-10bit.mkv", "av1-opus.webm", "mp3.mp3", "flac.flac", "vorbis.ogg",
                 "mpeg2-mp2.ts", "vp8-vorbis.webm", "theora-vorbis.ogv", "prores-pcm.mov"):
        bad("flipped-" + name, "any", flipped(name, 0.25, 97))
    bad("flipped-head.mp4", "any", flipped("h264-aac.mp4", 0.0, 211))
    bad("flipped-head.mkv", "any", flipped("h264-flac.mkv", 0.0, 211))
    bad("empty.mp4", "fail", lambda f: b"")
    bad("zeros.mp4", "fail", lambda f: bytes(65536))
    bad("zeros.mp3", "fail", lambda f: bytes(65536))
    bad("text.mp4", "fail", lambda f: b"This is not a film. It never was one.\n" * 40)
    bad("text.mp3", "fail", lambda f: b"This is not a song. It never was one.\n" * 400)
    bad("page.webm", "fail", lambda f: b"<!DOCTYPE html><html><body>403 Forbidden</body></html>\n")
    bad("noise.mp4", "fail", lambda f: noise(200000, 1))
    bad("noise.ts", "fail", lambda f: noise(200000, 2))
    bad("noise-after-header.mp4", "any",
        lambda f: (lambda d: d[:d.find(b"mdat") + 4] + noise(200000, 3))(whole(f, "h264-aac.mp4")))
    bad("noise-after-header.mkv", "any", lambda f: whole(f, "h264-flac.mkv")[:1200] + noise(200000, 4))
    bad("noise-after-header.ts", "any", lambda f: whole(f, "h264-aac.ts")[:2000] + noise(200000, 5))
    bad("noise-after-header.mp3", "any", lambda f: whole(f, "mp3.mp3")[:600] + noise(200000, 6))
    bad("noise-in-the-middle.ts", "done",
        lambda f: (lambda d: d[:len(d) // 2] + noise(40000, 7) + d[len(d) // 2:])(whole(f, "h264-aac.ts")))
    bad("hole.mkv", "any", without("long.mkv", 1.5, 4.3))
    bad("end-missing.mkv", "any", without("long.mkv", 3.4, 9))
    bad("unknown-codec.mp4", "fail", replaced("h264-only.mp4", b"avc1", b"zzz1"))
    bad("unknown-codec.mkv", "fail", replaced("vp9-only.webm", b"V_VP9", b"V_QQ9"))
    bad("unknown-video-codec.mp4", "done", replaced("h264-aac.mp4", b"avc1", b"zzz1"))
    bad("no-frame-rate.avi", "any", lambda f: zero_avi_rate(whole(f, "mpeg4-mp3.avi")))
    bad("no-time-scale.mp4", "any", patched_box("h264-only.mp4", b"mdhd", 16, bytes(4)))
    bad("huge-duration.mp4", "done", patched_box("h264-aac.mp4", b"mvhd", 20, b"\xff\xff\xff\xfe"))
    bad("huge-track-duration.mp4", "any", patched_box("h264-aac.mp4", b"mdhd", 20, b"\xff\xff\xff\xfe"))
    bad("nan-duration.mkv", "done", lambda f: nan_duration(whole(f, "h264-flac.mkv")))
    bad("many-samples.mp4", "any", patched_box("h264-aac.mp4", b"stsz", 12, b"\x7f\xff\xff\xff"))
    bad("long-samples.mp4", "any", patched_box("h264-aac.mp4", b"stts", 16, b"\x7f\xff\xff\xff"))
    bad("far-chunks.mp4", "any", patched_box("h264-aac.mp4", b"stco", 12, b"\xff\xff\xff\xf0"))
    bad("giant.png", "fail", lambda f: giant_png())
    bad("no-samples.wav", "fail", lambda f: whole(f, "pcm-s16.wav")[:78])
    bad("not-a-number.wav", "done",
        lambda f: (lambda d: d[:200] + struct.pack("<f", float("nan")) * 5000 + d[20200:])
        (whole(f, "pcm-f32.wav")))
    bad("subtitles.srt", "fail", lambda f: b"1\n00:00:00,000 --> 00:00:01,000\nwords\n\n" * 9)
    bad("playlist.m3u8", "fail", lambda f: b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nh264-aac.ts\n"
        b"#EXT-X-ENDLIST\n")
    bad("script.mp4", "fail", lambda f: b"ffconcat version 1.0\nfile h264-aac.mp4\n")
    bad("name with\nnewline, \"quotes\" and \\xff.mp4", "fail", lambda f: noise(3000, 8))


def zero_avi_rate(data):
    d = bytearray(data)
    d[d.find(b"avih") + 8:d.find(b"avih") + 12] = bytes(4)
    at = d.find(b"strh") + 8
    d[at + 20:at + 28] = bytes(8)           # scale and rate
    return bytes(d)


def nan_duration(data):
    at = data.find(b"\x44\x89\x88")
    assert at > 0, "the file holds no duration"
    return data[:at + 3] + struct.pack(">d", float("nan")) + data[at + 11:]


# ---- making them --------------------------------------------------------------------------------------

def ffmpeg(folder, args):
    done = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *args], cwd=folder,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise SystemExit(f"ffmpeg {' '.join(args)}\n{done.stdout.decode(errors='replace')}")


def turn(folder, name, degrees):
    """Writes a rotation into the display matrix of the video track (its header comes first)."""
    path = os.path.join(folder, name)
    d = bytearray(whole(folder, name))
    one, none = 0x00010000, 0
    a, b, c, e = {90: (none, one, -one, none), 180: (-one, none, none, -one),
                  270: (none, -one, one, none)}[degrees]
    at = d.find(b"tkhd") + 44
    d[at:at + 36] = struct.pack(">9i", a, b, 0, c, e, 0, 0, 0, 0x40000000)
    with open(path, "wb") as f:
        f.write(d)


def make_good(folder, row, args):
    ffmpeg(folder, args)
    for word in row["flags"].split():
        if word.startswith("turn"):
            turn(folder, row["name"], int(word[4:]))


def escape(name):
    return name.replace("\\", "\\\\").replace("\n", "\\n")


def write_manifest(folder, rows, version):
    keys = ["name", "kind", "frames", "samples", "width", "height", "fmt", "rotation", "sar", "first_loud",
            "flags"]
    path = os.path.join(folder, "manifest.tsv")
    with open(path + ".new", "w") as f:
        f.write(f"# {version}\n")
        for row in rows:
            f.write("\t".join(escape(str(row[k])) or "-" for k in keys) + "\n")
    os.rename(path + ".new", path)


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    version = hashlib.sha256(open(__file__, "rb").read()).hexdigest()
    try:
        with open(os.path.join(folder, "manifest.tsv")) as f:
            if f.readline() == f"# {version}\n":
                return
    except FileNotFoundError:
        pass
    list_good()
    list_bad()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        list(pool.map(lambda g: make_good(folder, *g), GOOD))
        extra = [
            covered("cover.mp3", "mp3.mp3", "still.png", ["-id3v2_version", "3"]),
            covered("cover.m4a", "aac.m4a", "still.jpg", []),
            covered("cover.flac", "flac.flac", "still.jpg", []),
            covered("giant-cover.mp3", "mp3.mp3", "giant.png", ["-id3v2_version", "3"], is_shown=False),
        ]
        with open(os.path.join(folder, "giant.png"), "wb") as f:
            f.write(giant_png())
        list(pool.map(lambda g: make_good(folder, *g), extra))
    for row, make in BAD:
        with open(os.path.join(folder, row["name"]), "wb") as f:
            f.write(make(folder))
    write_manifest(folder, [row for row, _ in GOOD + extra + BAD], version)
    print(f"{len(GOOD) + len(extra)} whole and {len(BAD)} damaged files in {folder}")


if __name__ == "__main__":
    main()
