"""The jukebox on the kernel's displays, without a window system: two connectors, cables that go in and out, keys, the
console below. In an emulated machine (machine.py); pictures of both displays and the sound are taken from
outside."""
import ctypes
import json
import os
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
from house import main, wait_until
from machine import CannotRun, Machine, check
from screen import code_in, load_clips, read_code, tool

CLIPS = load_clips()
SONGS = [CLIPS[name] for name in ("v1", "v2", "v3")]        # small, for a slow machine
SECONDS = SONGS[0]["frames"] / SONGS[0]["fps"]
ROUND = len(SONGS) * SECONDS
BIN = Path(os.environ["DJAMMS_BUILD"]) / "bin"
ZONE = "HOME=/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin DJAMMS_RUNTIME_DIR=/run/zone DJAMMS_STATE_DIR=/run/state " \
       "DJAMMS_CONFIG=/run/empty.ini"
SDL = (ctypes.c_uint8 * 3)()
ctypes.CDLL("libSDL2-2.0.so.0").SDL_GetVersion(SDL)
if tuple(SDL) >= (2, 30, 5):    # see xrgb.c
    ZONE += f" LD_PRELOAD={tool('xrgb.so')}"
ROW = 0.06
# An emulated processor is ten times slower than a real one, more on a busy computer: how long programs take is printed and
# not judged. These only say when it is no use to wait any longer.
START_SECONDS = 300
BACK_SECONDS = 90
# Of the sound: an emulated sound card runs dry. That the sound never waits for displays is proven by stage/stage_test.
MISSED = 0.8
# A display that is back: no program has to start for it.
REPLUG_SECONDS = 3

KD_GRAPHICS, K_OFF = 1, 4
ASK_CONSOLE = "python3 -c 'import array, fcntl; f = open(\"/dev/tty1\"); a = array.array(\"i\", [0, 0]); " \
    "b = array.array(\"i\", [0]); fcntl.ioctl(f, 0x4B3B, a); fcntl.ioctl(f, 0x4B44, b); print(a[0], b[0])'"


class Jukebox:
    """`djamms up` in the machine, on its first console. Use as a context manager."""

    def __init__(self, machine, **sets):
        self.machine = machine
        settings = {"display.driver": "kmsdrm", "display.overlay": "no", "sound.driver": "alsa", "sound.device": "plughw:0",
                    "sound.volume": "100", "hub.enabled": "no", "backend.kind": "none", "log.level": "debug"}
        settings.update({k.replace("_", ".", 1): v for k, v in sets.items()})
        words = [f"--set {k}={v}" for k, v in settings.items()]
        self.number = machine.start_command(
            f"rm -rf /run/zone /run/state; touch /run/empty.ini; exec env {ZONE} setsid -c {BIN}/djamms up "
            f"{' '.join(words)} {' '.join(c['path'] for c in SONGS)} </dev/tty1 >/out/up-{machine.commands}.txt 2>&1")
        self.log = machine.out / f"up-{self.number - 1}.txt"

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            print(f"---- djamms up\n{self.text()[-8000:]}", file=sys.stderr)
            for i in self.machine.plugged:
                self.machine.photograph(i, f"/tmp/djamms-vm-head{i}.png")
        self.kill()

    def kill(self):
        """`djamms up` alone; its programs die with it."""
        if not self.machine.has_ended(self.number):
            self.signal("KILL")
            self.machine.wait(lambda: self.machine.has_ended(self.number), 20, "djamms up has ended")

    def signal(self, name):
        self.machine.run(f"kill -{name} $(cut -d' ' -f4 /proc/$(/run/busybox pidof djamms-player)/stat)", 20)

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def cli(self, words, seconds=30):
        status, text = self.machine.run(f"env {ZONE} {BIN}/djamms {words}", seconds)
        if status:
            raise AssertionError(f"djamms {words}: {status}: {text}")
        return text

    def status(self):
        return json.loads(self.cli("status --json"))

    def outputs(self):
        return {o["name"]: o for o in self.status()["outputs"] if o["width"]}

    def code(self, head):
        """(clip, frame) that the display shows now; None."""
        w, h, rows = self.machine.picture(head, ROW)
        return code_in(rows[0], w, h, 4)

    def moves(self, head, seconds, what, clip=None):
        """Waits for two different pictures of songs; returns how long that took."""
        begin, first = time.monotonic(), None

        def seen():
            nonlocal first
            code = self.code(head)
            if not code or (clip and code[0] != clip):
                return False
            first = first or code
            return code != first
        wait_until(lambda: self.alive() and seen(), seconds, f"{what}; the log ends with {self.text()[-1500:]}")
        return time.monotonic() - begin

    def alive(self):
        if self.machine.has_ended(self.number):
            raise AssertionError(f"djamms up has ended: {self.text()[-3000:]}")
        return True


class Displays(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine = Machine(tool("surfaceless.so"), unplugged=(1,))
        cls.addClassCleanup(cls.machine.close)

    def console(self):
        """Its mode (0: text), and that of its keyboard."""
        return tuple(map(int, self.machine.run(ASK_CONSOLE)[1].split()))

    def assert_music(self, j, since, what):
        """The music went on; `since` is of heard()."""
        at, position, recorded = self.heard(j)
        took = at - since[0]
        behind = (took - (position - since[1]) + ROUND / 2) % ROUND - ROUND / 2
        print(f"{what}: in {took:.1f} s the music is {behind:.2f} s behind, {recorded - since[2]:.1f} s were heard",
              file=sys.stderr)
        self.assertLess(behind, max(took * MISSED, 1), f"the music stops: {what}")
        self.assertGreater(recorded - since[2], took * (1 - MISSED) - 1, f"nothing is heard: {what}")

    def heard(self, j):
        """(now, where the music is in the round of all songs, how much was recorded): seconds."""
        now = j.status()["now"]
        song = next(i for i, c in enumerate(SONGS) if c["name"] in now["title"])
        return time.monotonic(), song * SECONDS + now["position_s"], self.machine.wav.stat().st_size / (4 * 48000)

    def test_1_displays_come_and_go_while_the_music_plays(self):
        m = self.machine
        before = self.console()
        self.assertEqual(before[0], 0, "the console shows text")
        with Jukebox(m) as j:
            took = j.moves(0, START_SECONDS, "pictures on the first display")
            print(f"first picture after {took:.1f} s", file=sys.stderr)
            self.assertEqual(list(j.outputs()), ["Virtual-1"])
            self.assertEqual(self.console(), (KD_GRAPHICS, K_OFF))
            starts = self.starts(j)

            with self.subTest("a second display appears"):
                since = self.heard(j)
                m.plug(1)
                took = j.moves(1, BACK_SECONDS, "pictures on the display that was plugged in")
                print(f"second display after {took:.1f} s", file=sys.stderr)
                j.moves(0, BACK_SECONDS, "pictures on the first display, still")
                self.assert_music(j, since, "a second display")
                self.assertEqual(list(j.outputs()), ["Virtual-1", "Virtual-2"])

            with self.subTest("both show the same song, and are told apart by their names"):
                for _ in range(5):
                    a, b = j.code(0), j.code(1)
                    if a and b and a[0] == b[0]:
                        self.assertLess(abs(a[1] - b[1]), 60, (a, b))
                for name in ("Virtual-1", "Virtual-2"):
                    j.cli(f"screenshot --output {name} /out/{name}.png")
                    self.assertIsNotNone(read_code(m.out / f"{name}.png"), name)

            with self.subTest("pictures keep the song's pace, though no flip of this card waits"):
                at, first = time.monotonic(), j.outputs()
                wait_until(lambda: time.monotonic() - at > 3 and j.alive(), 10, "three seconds of pictures")
                last, took = j.outputs(), time.monotonic() - at
                for name in first:
                    rate = (last[name]["presented"] - first[name]["presented"]) / took
                    print(f"{name}: {rate:.1f} pictures a second", file=sys.stderr)
                    self.assertLess(rate, 1.1 * SONGS[0]["fps"])

            with self.subTest("a display pulled out disturbs nobody, and shows its picture when it is back"):
                since, presented = self.heard(j), j.outputs()["Virtual-1"]["presented"]
                m.unplug(1)
                wait_until(lambda: "Virtual-2: the display is gone" in j.text(), BACK_SECONDS, "it is noticed")
                j.moves(0, BACK_SECONDS, "pictures on the other display")
                m.plug(1)
                took = j.moves(1, BACK_SECONDS, "pictures on the display that is back")
                print(f"back after {took:.1f} s", file=sys.stderr)
                self.assertLess(took, REPLUG_SECONDS)
                self.assert_music(j, since, "out and in")
                self.assertGreater(j.outputs()["Virtual-1"]["presented"], presented)

            with self.subTest("another display in its place has its own mode, a 4K one 1080p"):
                since = self.heard(j)
                m.plug(1, (3840, 2160))
                wait_until(lambda: j.outputs().get("Virtual-2", {}).get("height") == 1080, BACK_SECONDS, "1080p on the second display")
                j.moves(0, BACK_SECONDS, "pictures on the first display")
                j.moves(1, BACK_SECONDS, "pictures on the large display")
                self.assertEqual(j.outputs()["Virtual-2"]["width"], 1920)
                self.assert_music(j, since, "another display")
                m.plug(1)
                j.moves(1, BACK_SECONDS, "pictures on the small display")

            self.assertEqual(self.starts(j), starts, "all that was done by one life of the stage")
            with self.subTest("keys skip, and whoever ends the jukebox has the console back"):
                song = j.status()["now"]["title"]
                m.press("n")
                wait_until(lambda: j.status()["now"]["title"] != song, BACK_SECONDS, "another song")
                j.moves(0, BACK_SECONDS, "pictures of the next song")
                j.signal("TERM")
                wait_until(lambda: m.has_ended(j.number), BACK_SECONDS, f"it ends; the log ends with {j.text()[-3000:]}")
                self.assertEqual(m.ended[j.number], 0)
                self.assertEqual(self.console(), before)

    def starts(self, j):
        return next(p["starts"] for p in j.status()["processes"] if p["name"] == "stage")

    def test_2_it_waits_for_a_display_and_outlives_a_stage_that_hangs(self):
        m = self.machine
        before = self.console()
        m.unplug(0)
        m.unplug(1)
        with Jukebox(m) as j:
            wait_until(lambda: "waiting for one" in j.text() and j.alive(), START_SECONDS, "it says that it waits")
            wait_until(lambda: (n := j.status()["now"]) and n["position_s"] > 0, START_SECONDS, "music without a display")
            since = self.heard(j)
            m.plug(1)
            took = j.moves(1, BACK_SECONDS, "pictures on the only display")
            print(f"first display after {took:.1f} s", file=sys.stderr)
            self.assertEqual(list(j.outputs()), ["Virtual-2"])
            self.assert_music(j, since, "the first display")

            status, text = m.run("/run/busybox pidof djamms-stage")
            self.assertEqual(status, 0)
            self.assertEqual(m.run(f"kill -STOP {text.strip()}")[0], 0)
            wait_until(lambda: "gives no sign of life" in j.text(), BACK_SECONDS, "a stage that hangs is noticed")
            took = j.moves(1, START_SECONDS, "pictures by the next stage")
            print(f"after a hang {took:.1f} s", file=sys.stderr)

            j.kill()
            wait_until(lambda: self.console() == before, 10, "the console is given back")
        m.plug(0)


def run():
    try:
        check()
    except CannotRun as why:
        print(f"skipped: {why}")
        sys.exit(77)
    main()


if __name__ == "__main__":
    run()
