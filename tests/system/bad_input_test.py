"""Bad files get a sentence that names file and cause, are passed over within 3 s and never looped on."""
import os
import random
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import House, load_clips, main, wait_until
from screen import NS

CLIPS = load_clips()
CLUSTER = b"\x1f\x43\xb6\x75"      # of Matroska: the first packets follow
DURATION = b"\x44\x89\x88"     # Matroska: an eight-byte float follows
WITHIN = 3 * NS


def patched(data, box, offset, value):
    """data with `value` at `offset` into the first MP4 box `box`."""
    at = data.index(box) + 4 + offset
    return data[:at] + value + data[at + len(value):]


def make_bad(folder):
    """name -> path of files that cannot be played at all."""
    mp4 = Path(CLIPS["s1"]["path"]).read_bytes()
    mkv = Path(CLIPS["q3"]["path"]).read_bytes()
    noise = random.Random(1).randbytes
    contents = {
        "text named mp4.mp4": b"This is no film.\n" * 50,
        "only a header.mkv": mkv[:300],
        "random bytes.webm": noise(200000),
        "random after a header.mp4": mp4[:48] + noise(300000),
        "random after a header.mkv": mkv[:600] + noise(300000),
        "cut in the index.mp4": mp4[:1000],
        "unknown codecs.mp4": mp4.replace(b"avc1", b"zzz1").replace(b"mp4a", b"zzz2"),
        "no tracks.mkv": mkv[:40],
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in contents}


def make_damaged(folder):
    """Files of which something may be played: whatever is, it ends and the next one comes."""
    mp4 = Path(CLIPS["s1"]["path"]).read_bytes()
    mkv = Path(CLIPS["q3"]["path"]).read_bytes()
    rng = random.Random(2)
    contents = {f"truncated at {p} percent.{ext}": data[:len(data) * p // 100]
                for ext, data in (("mp4", mp4), ("mkv", mkv)) for p in (3, 50, 97)}
    holes = bytearray(mkv)
    for _ in range(40):
        at = rng.randrange(len(holes) // 4, len(holes) - 200)
        holes[at:at + 100] = rng.randbytes(100)
    contents["holes.mkv"] = bytes(holes)
    contents["huge duration.mp4"] = patched(mp4, b"mvhd", 16, b"\xff\xff\xff\xff")
    contents["no time scale.mp4"] = patched(mp4, b"mvhd", 12, b"\0\0\0\0")
    at = mkv.index(DURATION) + len(DURATION)
    contents["nan duration.mkv"] = mkv[:at] + b"\x7f\xf8" + bytes(6) + mkv[at + 8:]
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in contents}


class Play(unittest.TestCase):
    def test_unplayable_files_are_named_and_passed_over(self):
        with House() as house:
            bad = make_bad(house.tmp / "media")
            files = [CLIPS["q1"]["path"], *bad.values(), CLIPS["q2"]["path"]]
            p = house.play(*files)
            wait_until(lambda: p.poll() is not None, 10 + 3 * len(files), "it ends by itself")
            runs = house.watch.close().runs()
            self.assertEqual([c for c, _ in runs][:1] + [c for c, _ in runs][-1:], [21, 22])
            took = runs[-1][1][0][0] - runs[0][1][-1][0]
            self.assertLess(took, WITHIN * len(bad))
            log = p.log.read_text(errors="replace")
            for name in bad:
                self.assertIn(name, log, "every bad file is named")
            self.assertNotIn("SIGSEGV", log)
            self.assertNotIn("signal 11", log)

    def test_one_bad_file_costs_less_than_3_seconds(self):
        for name, make in (("text named mp4.mp4", make_bad), ("random after a header.mkv", make_bad),
                           ("cut in the index.mp4", make_bad)):
            with self.subTest(name), House() as house:
                bad = make(house.tmp / "media")[name]
                p = house.play(CLIPS["q1"]["path"], bad, CLIPS["q2"]["path"])
                wait_until(lambda: p.poll() is not None, 30, "it ends by itself")
                runs = house.watch.close().runs()
                self.assertEqual([c for c, _ in runs], [21, 22])
                self.assertLess(runs[1][1][0][0] - runs[0][1][-1][0], WITHIN)
                self.assertEqual(p.returncode, 1)

    def test_a_bad_file_anywhere_is_exit_status_1_and_its_name_is_said(self):
        for place in ("first", "middle", "last", "alone", "nowhere"):
            with self.subTest(place), House(screen=False) as house:
                bad = house.tmp / "media" / "text named mp4.mp4"
                bad.write_bytes(b"This is no film.\n" * 50)
                one, two = CLIPS["q1"]["path"], CLIPS["q2"]["path"]
                p = house.play(*{"first": (bad, one), "middle": (one, bad, two), "last": (one, bad), "alone": (bad,),
                                 "nowhere": (one,)}[place], sound_driver="null")
                wait_until(lambda: p.poll() is not None, 30, "it ends by itself")
                log = p.log.read_text(errors="replace")
                self.assertEqual(p.returncode, 0 if place == "nowhere" else 1, log)
                said = f"djamms: {bad}: could not be played: "
                self.assertEqual(log.count(said), 0 if place == "nowhere" else 1, log)
                self.assertNotIn("started again", log)
                self.assertNotIn("giving up", log)

    def test_damaged_files_end_and_the_next_one_comes(self):
        with House() as house:
            damaged = make_damaged(house.tmp / "media")
            p = house.play(CLIPS["q1"]["path"], *damaged.values(), CLIPS["q2"]["path"])
            wait_until(lambda: p.poll() is not None, 20 + 8 * len(damaged), "it ends by itself")
            runs = house.watch.close().runs()
            self.assertEqual((runs[0][0], runs[-1][0], runs[-1][1][-1][3]), (21, 22, CLIPS["q2"]["frames"] - 1))

    def test_what_is_not_there_is_said_and_the_rest_is_played(self):
        with House() as house:
            empty = house.tmp / "media" / "empty"
            empty.mkdir()
            zero = house.tmp / "media" / "zero.mp4"
            zero.touch()
            missing = house.tmp / "media" / "missing.mp4"
            p = house.play(missing, empty, zero, CLIPS["q1"]["path"])
            wait_until(lambda: p.poll() is not None, 30, "it ends by itself")
            self.assertEqual(p.returncode, 1)
            self.assertEqual([c for c, _ in house.watch.close().runs()], [21])
            log = p.log.read_text(errors="replace")
            for name in ("missing.mp4", "empty", "zero.mp4"):
                self.assertIn(name, log)

    def test_nothing_playable_at_all_fails_at_once(self):
        with House(screen=False) as house:
            p = house.play(house.tmp / "no such file.mp4", sound_driver="null")
            wait_until(lambda: p.poll() is not None, 10, "it ends")
            self.assertEqual(p.returncode, 1)
            self.assertIn("no such file.mp4", p.log.read_text())

    def test_any_file_name_is_played(self):
        with House() as house:
            folder = os.fsencode(house.tmp / "media")
            names = [b"new\nline - \"quoted\" 'name'.mkv", b"not utf-8 \xff\xfe\x80.mkv", b"-dash.mkv", b"a\\b %s $HOME;.mkv"]
            for i, name in enumerate(names):
                shutil.copyfile(CLIPS[f"q{i + 1}"]["path"], os.path.join(folder, name))
            p = house.play(house.tmp / "media")
            wait_until(lambda: p.poll() is not None, 40, "it ends by itself")
            self.assertEqual(p.returncode, 0)
            self.assertEqual(sorted(c for c, _ in house.watch.close().runs()), [21, 22, 23, 24])

    def test_a_folder_of_100000_entries(self):
        with House() as house:
            folder = house.tmp / "media" / "many"
            folder.mkdir()
            for i in range(99999):
                os.close(os.open(folder / f"{i}.txt", os.O_CREAT | os.O_WRONLY))
            shutil.copyfile(CLIPS["q1"]["path"], folder / "Somebody - Something.mkv")
            p = house.play(folder)
            wait_until(lambda: p.poll() is not None, 40, "it ends by itself")
            self.assertEqual((p.returncode, [c for c, _ in house.watch.close().runs()]), (0, [21]))


class Jukebox(unittest.TestCase):
    def test_an_unplayable_entry_is_marked_kept_and_not_tried_again(self):
        with House() as house:
            bad = make_bad(house.tmp / "media")["text named mp4.mp4"]
            house.up(CLIPS["q1"]["path"], CLIPS["q2"]["path"])
            house.wait_frame(15, "it plays", clip=21)
            self.assertEqual(house.cli("add", bad)[0], 0)
            marked = wait_until(lambda: [t for t in house.queue()["main"] if t["unplayable"]], 20, "it is marked")
            self.assertEqual([t["source"] for t in marked], [str(bad)])
            self.assertGreater(len(marked[0]["unplayable"]), 10, "a sentence says why")
            starts = {p["name"]: p.get("starts") for p in house.status()["processes"]}
            runs = len(house.watch.events().runs())
            house.watch.wait(lambda s: len(house.watch.events().runs()) >= runs + 4, 30)    # two more loops
            self.assertEqual([c for c, _ in house.watch.events().runs()][-4:], [21, 22] * 2
                             if house.watch.events().runs()[-1][0] == 22 else [22, 21] * 2)
            failed = [t for t in house.ask("history")["tracks"] if t["how"] == "failed"]
            self.assertLessEqual(len(failed), 1, "tried once")
            self.assertEqual({p["name"]: p.get("starts") for p in house.status()["processes"]}, starts, "no process died")

    def test_files_that_break_off_at_once_are_marked_and_not_looped_on(self):
        with House() as house:
            mkv, mp4 = (Path(CLIPS[n]["path"]).read_bytes() for n in ("q3", "s1"))
            noise, first = random.Random(1).randbytes, mkv.index(CLUSTER)
            contents = {"random after a picture.mkv": mkv[:first + 12000] + noise(500000),
                        "random after some pictures.mkv": mkv[:first + 30000] + noise(500000),
                        "cut after some pictures.mp4": mp4[:len(mp4) // 10]}
            for name, data in contents.items():
                (house.tmp / "media" / name).write_bytes(data)
            since = time.monotonic()
            house.up(*(house.tmp / "media" / name for name in contents))
            house.wait_status(lambda s: s["state"] == "idle", 10 + 3 * len(contents), "it gives up")
            print(f"given up after {time.monotonic() - since:.1f} s", file=sys.stderr)
            for t in house.queue()["main"]:
                self.assertIn("breaks off", t["unplayable"])
            self.assertLessEqual(len(house.ask("history")["tracks"]), len(contents), "each was tried once")

    def test_refused_files_are_said_by_add(self):
        with House(screen=False) as house:
            house.up(CLIPS["k1"]["path"], sound_driver="null")
            code, out, error = house.cli("add", house.tmp / "media" / "nothing.mp4")
            self.assertEqual(code, 1)
            self.assertIn("nothing.mp4", out + error)
            self.assertEqual(len(house.queue()["main"]), 1)

    def test_an_unreadable_file_is_said(self):
        bound = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        with House(screen=False) as house:
            path = house.tmp / "media" / "secret.mkv"
            shutil.copyfile(CLIPS["q1"]["path"], path)
            path.chmod(0)
            house.up(CLIPS["k1"]["path"], sound_driver="null")
            r = subprocess.run([*bound, house.bin / "djamms", "add", path], env=house.env, capture_output=True,
                               text=True, timeout=60)
            self.assertEqual(r.returncode, 1, r.stdout + r.stderr)
            self.assertIn("secret.mkv", r.stdout + r.stderr)
            self.assertIn("permission", r.stdout + r.stderr)
            self.assertEqual(len(house.queue()["main"]), 1)

    def test_a_file_that_never_ends_does_not_hold_up_the_rest(self):
        with House() as house:
            endless = house.tmp / "media" / "endless.mp4"
            endless.symlink_to("/dev/zero")
            pipe = house.tmp / "media" / "pipe.mp4"
            os.mkfifo(pipe)
            p = house.play(CLIPS["q1"]["path"], endless, pipe, CLIPS["q2"]["path"])
            wait_until(lambda: p.poll() is not None, 40, "it ends by itself")
            runs = house.watch.close().runs()
            self.assertEqual([c for c, _ in runs], [21, 22])
            self.assertLess(runs[1][1][0][0] - runs[0][1][-1][0], 2 * WITHIN)


class Socket(unittest.TestCase):
    def test_garbage_on_the_control_socket_is_answered_and_does_no_harm(self):
        with House(screen=False) as house:
            house.up(CLIPS["k1"]["path"], sound_driver="null")
            for line in (b"\n", b"{}\n", b"[1,2]\n", b"nonsense\n", b'{"command":"fly"}\n', b'{"command":5}\n',
                         b'{"command":"seek","position_s":"far"}\n', b'{"command":"add","files":"x"}\n',
                         b'{"command":"move","entry":"main:99","index":-1}\n', b"\xff\xfe\x00\n",
                         b'{"command":"volume","value":1e300}\n', b'{"command":"status"' + b"[" * 20000 + b"\n"):
                c = house.control()
                c.send(line)
                answer = c.line()
                c.close()
                self.assertFalse(answer["ok"], line[:40])
                self.assertTrue(answer["error"], line[:40])
            c = house.control()
            try:
                c.send(b"x" * (2 << 20))        # a line longer than any
                c.send(b"\n")
                c.line()
            except OSError:
                pass        # it may close the connection instead
            c.close()
            for _ in range(200):    # connections that say nothing
                house.control().close()
            house.wait_status(lambda s: s["state"] == "playing" and s["now"]["position_s"] > 0, 10, "it plays")


if __name__ == "__main__":
    main()
