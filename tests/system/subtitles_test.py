"""Subtitles and lyrics, by what is on the screen: off until they are wanted, seen with the pictures they belong to and gone
with them, whatever they are taken from; and files full of nonsense hold up neither pictures nor sound.

The clips are black, but for a white block at the upper left in just those pictures that a cue belongs to."""
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import IS_PACED, SLOW, House, load_clips, main, wait_until
from screen import frame_stats

CLIPS = load_clips()
FPS = 25
WHITE = bytes(255 if i > 250 else 0 for i in range(256))    # scaling may round
LAG_S = 0.16    # text may come and go so much later than its pictures: they are 0.04 s long


def ffmpeg(*argv, cwd=None):
    subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *map(str, argv)], check=True, cwd=cwd)


def make_clip(path, cues, seconds, *more):
    """Black and silent, with the block while a cue (from, to) is due; `more` are further arguments of ffmpeg."""
    due = "+".join(f"gte(t,{a - 0.001})*lt(t,{b - 0.001})" for a, b in cues)
    inputs, outputs = ([more[0:2], more[2:]] if more else [(), ()])
    ffmpeg("-f", "lavfi", "-i", f"color=black:s=640x360:r={FPS}:d={seconds}", "-f", "lavfi", "-i",
           f"anullsrc=r=48000:cl=stereo:d={seconds}", *inputs, "-vf", f"drawbox=0:0:64:64:white:fill:enable='{due}'", "-c:v",
           "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", FPS, "-c:a", "aac", *outputs, path)


def stamp(seconds, comma=","):
    return f"00:00:{int(seconds):02}{comma}{round(seconds % 1 * 1000):03}"


def srt(cues):
    return "".join(f"{i}\n{stamp(a)} --> {stamp(b)}\nWORDS AND MORE\n\n" for i, (a, b) in enumerate(cues, 1))


def vtt(cues):
    return "WEBVTT\n\n" + "".join(f"{stamp(a, '.')} --> {stamp(b, '.')}\nWORDS AND MORE\n\n" for a, b in cues)


def lrc(cues):
    return "".join(f"[00:{a:05.2f}]WORDS AND MORE\n[00:{b:05.2f}]\n" for a, b in cues)


def ass(cues):
    events = "".join(f"Dialogue: 0,0:00:{a:05.2f},0:00:{b:05.2f},Default,{{\\k20}}WORDS {{\\k20}}AND MORE\n" for a, b in cues)
    return ("[Script Info]\nScriptType: v4.00+\nPlayResX: 640\nPlayResY: 360\n\n[V4+ Styles]\n"
            "Format: Name, Fontname, Fontsize, PrimaryColour, Alignment\nStyle: Default,Sans,32,&H00FFFFFF,2\n\n"
            f"[Events]\nFormat: Layer, Start, End, Style, Text\n{events}")


class Pixels:
    """The frame buffer of a screen."""

    def __init__(self, screen):
        self.path = screen.folder / "Xvfb_screen0"
        head = struct.unpack(">25I", self.path.read_bytes()[:100])
        self.offset, self.stride, self.height = head[0] + head[19] * 12, head[12], head[5]

    def look(self):
        """Whether the block is there, and whether there is anything white in the lower half."""
        with open(self.path, "rb") as f:
            f.seek(self.offset)
            block = f.read(self.stride * 64)[self.stride * 60:][160:164]
            f.seek(self.offset + self.stride * (self.height // 2))
            lower = f.read(self.stride * (self.height // 2))
        return block[0] > 160, b"\xff\xff\xff" in lower.translate(WHITE)


CUES = [(t, t + 1) for t in range(2, 50, 3)]    # of song()


class SubtitlesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="djamms-subtitles-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        make_clip(cls.folder / "song.mp4", CUES, 51)

    def song(self):
        return shutil.copy(self.folder / "song.mp4", self.media)

    def setUp(self):
        self.house = House()
        self.house.closes_after(self)
        self.media = self.house.tmp / "media"
        self.pixels = Pixels(self.house.screen)

    def follow(self, seconds, is_over):
        """Looks at the screen until is_over(changes); what changed: (time, has block, has text)."""
        changes = []

        def look():
            now = (time.monotonic(), *self.pixels.look())
            if not changes or changes[-1][1:] != now[1:]:
                changes.append(now)
            return is_over(changes)
        wait_until(look, seconds, "the pictures that are waited for")
        return changes

    def cue(self, seconds=20):
        """Follows the next block to its end, and a little beyond: (changes, when it came, when it went)."""
        def edges(changes):
            come = next((t for (_, was, _), (t, has, _) in zip(changes, changes[1:]) if has and not was), None)
            gone = next((t for t, has, _ in changes if come and t > come and not has), None)
            return come, gone
        changes = self.follow(seconds, lambda c: edges(c)[1] and time.monotonic() > edges(c)[1] + 2 * LAG_S)
        return changes, *edges(changes)

    def assert_seen(self, what=""):
        changes, come, gone = self.cue()
        shown = [t for (_, _, was), (t, _, has) in zip(changes, changes[1:]) if has and not was]
        hidden = [t for (_, _, was), (t, _, has) in zip(changes, changes[1:]) if was and not has]
        self.assertEqual((len(shown), len(hidden)), (1, 1), f"{what} once: {changes}")
        print(f"{what}: {shown[0] - come:+.3f} s, gone {hidden[0] - gone:+.3f} s", file=sys.stderr)
        if IS_PACED:
            self.assertTrue(-LAG_S < shown[0] - come < LAG_S, f"{what}: with its pictures: {changes}")
            self.assertTrue(-LAG_S < hidden[0] - gone < LAG_S, f"{what}: gone with them: {changes}")

    def await_text(self):
        """Until fonts are loaded, which may take longer than the first cue, and the cue that was seen then is over."""
        self.follow(30, lambda c: any(text for _, _, text in c) and c[-1][1:] == (False, False))

    def assert_unseen(self):
        changes, _, _ = self.cue()
        self.assertFalse(any(text for _, _, text in changes), changes)

    # ----

    def test_they_are_off_until_wanted_and_come_while_it_plays(self):
        song = self.song()
        (self.media / "song.en.srt").write_text(srt(CUES))
        self.house.up(song, display_overlay="no", backend_kind="none", hub_enabled="no")
        self.assert_unseen()
        status = self.house.wait_status(lambda s: s["subtitles"]["source"], 10, "the file beside it is found")
        self.assertEqual(status["subtitles"], {"on": False, "source": "song.en.srt"})
        self.assertEqual(self.house.cli("subtitles", "on"), (0, "subtitles are on\nthis song: song.en.srt\n", ""))
        self.await_text()
        self.assert_seen("switched on")
        self.assert_seen("and the next")
        code, out, _ = self.house.cli("subtitles", "status", "--json")
        self.assertEqual((code, json.loads(out)["subtitles"]), (0, {"on": True, "source": "song.en.srt"}))
        self.assertIn("song.en.srt", self.house.cli("status")[1])
        self.house.cli("subtitles", "off")
        self.assert_unseen()
        self.house.cli("subtitles", "on")
        self.assert_seen("on again")
        self.house.cli("seek", "21")
        self.assert_seen("after a seek")

    def test_the_choice_outlives_a_restart(self):
        song = self.song()
        (self.media / "song.vtt").write_text(vtt(CUES))
        p = self.house.up(song, display_overlay="no", backend_kind="none", hub_enabled="no")
        self.assertEqual(self.house.cli("subtitles", "on")[0], 0)
        self.await_text()
        self.assert_seen("before")
        p.terminate()
        wait_until(lambda: p.poll() is not None, 10, "it ends")
        self.house.up(display_overlay="no", backend_kind="none", hub_enabled="no")
        self.assertTrue(self.house.status()["subtitles"]["on"])
        self.await_text()
        self.assert_seen("after a restart")
        self.house.kill_all()
        self.house.up(display_overlay="no", backend_kind="none", hub_enabled="no")
        self.assertTrue(self.house.status()["subtitles"]["on"])

    def test_what_they_are_taken_from_makes_no_difference(self):
        cues = [(1, 2), (3, 4)]
        for ending, text in (("srt", srt(cues)), ("vtt", vtt(cues)), ("lrc", lrc(cues)), ("ass", ass(cues))):
            make_clip(self.media / f"beside-{ending}.mp4", cues, 5)
            (self.media / f"beside-{ending}.{ending}").write_text(text)
        (self.house.tmp / "in.srt").write_text(srt(cues))
        (self.house.tmp / "in.ass").write_text(ass(cues))
        inside = {"mkv-srt.mkv": ("srt", "srt"), "mkv-ass.mkv": ("ass", "ass"), "mp4-text.mp4": ("srt", "mov_text"),
                  "webm-vtt.mkv": ("srt", "webvtt")}
        for name, (source, codec) in inside.items():
            make_clip(self.media / name, cues, 5, "-i", self.house.tmp / f"in.{source}", "-map", "0:v", "-map", "1:a", "-map",
                      "2:s", "-c:s", codec)
        make_clip(self.media / "first.mp4", [(1, 8)], 9)
        (self.media / "first.srt").write_text(srt([(1, 8)]))
        names = [f"beside-{e}.mp4" for e in ("srt", "vtt", "lrc", "ass")] + list(inside)
        self.house.play(*[self.media / n for n in ["first.mp4", *names]], options=("--fullscreen",), display_overlay="no",
                        subtitles_show="yes")
        self.await_text()
        for name in names:
            self.assert_seen(f"{name}, first")
            self.assert_seen(f"{name}, second")

    def test_a_decks_death_takes_no_text_along(self):
        song = self.song()
        (self.media / "song.srt").write_text(srt(CUES))
        self.house.up(song, display_overlay="no", backend_kind="none", hub_enabled="no", subtitles_show="yes")
        self.await_text()
        self.assert_seen("before")
        subprocess.run(["kill", "-9", str(self.house.find("djamms-deck", "a"))], check=True)
        self.await_text()
        self.assert_seen("after")

    def test_nonsense_holds_up_neither_pictures_nor_sound(self):
        overlapping = "".join(f"1\n00:00:00,{i % 1000:03} --> 00:00:59,000\nX\n\n" for i in range(50000))
        moving = ass([(0, 3)]).replace("{\\k20}", "{\\k20\\blur30\\be99\\fs200\\t(0,9000,\\frx720\\fscx900)}")
        hostile = {
            "large.srt": srt([(1, 2)]) * 300000,
            "overlapping.srt": overlapping,
            "short.srt": "".join(f"1\n{stamp(i / 1000)} --> {stamp((i + 1) / 1000)}\nX\n\n" for i in range(3000)),
            "moving.ass": moving + moving.partition("Style, Text\n")[2] * 40,
            "drawing.ass": ass([(0, 3)]).replace("WORDS", "{\\p1}m 0 0 " + "l 9 9 99 0 " * 300 + "{\\p0}"),
            "nan.lrc": "[nan:nan]a\n[99999999999999:99.9]b\n" * 1000,
            "noise.srt": "".join(chr(1 + i * 7919 % 250) for i in range(100000)),
        }
        names = []
        for i, (name, text) in enumerate(hostile.items()):
            stem = name.partition(".")[0]
            clip = CLIPS[f"q{i % 4 + 1}"]
            shutil.copy(clip["path"], self.media / f"{stem}{Path(clip['path']).suffix}")
            (self.media / name).write_text(text)
            names.append((clip, self.media / f"{stem}{Path(clip['path']).suffix}"))
        p = self.house.play(*[path for _, path in names], options=("--fullscreen",), subtitles_show="yes")
        seconds = sum(c["frames"] / c["fps"] for c, _ in names)
        wait_until(lambda: p.poll() is not None, seconds + 40, "djamms play ends by itself")
        log = p.log.read_text(errors="replace")
        events = self.house.watch.close()
        self.assertEqual(p.returncode, 0, log)
        self.assertNotIn("started again", log)
        self.assertIn("large.srt", log, "what is not shown is said")
        runs = events.runs()
        self.assertEqual([clip for clip, _ in runs], [c["id"] for c, _ in names], "each track once, in order")
        if IS_PACED:
            for (clip, shown), (_, path) in zip(runs, names):
                s = frame_stats(events, CLIPS[clip], shown)
                self.assertEqual((s["missing"], s["out_of_order"]), ([], 0), f"{path.name}: every frame, in order")
            self.assertEqual(self.house.scan().quiet_inside(), [])


if __name__ == "__main__":
    main()
