"""The decoder of a board fails in every way it can, in the decks of the real programs: the song is seen and heard to its end,
nothing is blamed on it, and it is remembered."""
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import IS_PACED, House, load_clips, main, wait_until

CLIPS = load_clips()
BEFORE = 30     # pictures, until the trouble: one second


class Hardware(unittest.TestCase):
    def env(self, house, mode):
        return {"LD_PRELOAD": f"{house.build}/tools/hwfake.so", "DJAMMS_HWFAKE": mode}

    def up(self, house, mode, *files):
        return house.up(*files, env=self.env(house, mode), queue_loop="no", queue_exit_at_end="yes", decode_threads=1)

    def play_out(self, house, p):
        wait_until(lambda: p.poll() is not None, 40, "it ends by itself")
        self.assertEqual(p.returncode, 0)

    def remembered(self, house):
        """The texts of hardware.json and its twin, behind their first lines."""
        out = []
        for name in ("hardware.json", "hardware.json.twin"):
            path = house.state / name
            if path.exists():
                out.append(json.JSONDecoder().raw_decode(path.read_text().split("\n", 1)[1])[0])
        return out

    def goes_on_in_software(self, mode):
        with House(size=(960, 540)) as house:
            p = self.up(house, mode, CLIPS["h1"]["path"])
            house.wait_frame(40, "the board's decoder gives pictures", clip=CLIPS["h1"]["id"])
            s = house.wait_status(lambda s: s["hardware"]["files"] == 1, 20, "it is told that it has failed")
            house.wait_frame(20, "pictures go on behind that", clip=CLIPS["h1"]["id"], after=BEFORE + 15)
            s = house.wait_status(lambda s: s["hardware"]["plays"] == [], 5, "in software")
            self.assertTrue((s["now"] or {}).get("title"), s["now"])
            self.play_out(house, p)
            events = house.watch.close()
            frames = [f for _, _, _, f in events.runs("A")[0][1]]
            self.assertEqual(frames[-1], CLIPS["h1"]["frames"] - 1)
            scan = house.scan()
            first, last = scan.inside()
            self.assertAlmostEqual((last - first) / scan.rate, CLIPS["h1"]["frames"] / CLIPS["h1"]["fps"], delta=0.15)
            if IS_PACED:    # the sound had no part in it
                self.assertEqual(scan.quiet_inside(scan.rate // 50), [])
            memory = self.remembered(house)
            self.assertTrue(any(len(m["files"]) == 1 and m["system"].startswith("pi3, Linux ") for m in memory), memory)

    def test_one_that_hangs(self):
        self.goes_on_in_software(f"hangs:{BEFORE}")

    def test_one_that_gives_no_more_pictures(self):
        self.goes_on_in_software(f"silent:{BEFORE}")

    def test_one_that_fails(self):
        self.goes_on_in_software(f"errors:{BEFORE}")

    def test_what_it_has_failed_is_not_tried_again_after_a_restart(self):
        with House(screen=False) as house:
            p = self.up(house, "refuses", CLIPS["h1"]["path"])
            house.wait_status(lambda s: s["hardware"]["files"] == 1, 40, "it is told that it has failed")
            self.play_out(house, p)
            # The next life would hang in it at once.
            p = self.up(house, "hangs:0", CLIPS["h1"]["path"])
            s = house.wait_status(lambda s: (s["now"] or {}).get("position_s", 0) > 2, 40, "it plays")
            self.assertEqual((s["hardware"]["plays"], s["hardware"]["files"]), ([], 1))
            self.assertTrue(all(q["starts"] == 1 for q in s["processes"] if q["name"].startswith("deck")), s["processes"])
            _, out, _ = house.cli("status")
            self.assertRegex(out, "decoding +in software; it has failed 1 song")
            self.play_out(house, p)

    def test_one_that_works_is_used_unless_it_is_switched_off(self):
        for setting, plays in ("auto", ["h264"]), ("off", []):
            with self.subTest(setting), House(screen=False) as house:
                house.up(CLIPS["h1"]["path"], env=self.env(house, "works"), decode_hardware=setting, decode_threads=1)
                s = house.wait_status(lambda s: (s["now"] or {}).get("position_s", 0) > 0.5, 40, "it plays")
                self.assertEqual((s["hardware"]["plays"], s["hardware"]["files"]), (plays, 0))


if __name__ == "__main__":
    main()
