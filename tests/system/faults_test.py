"""Everything about sources breaks in turn, with the real yt-dlp: the room is never silent for more than 3 s and never black for
more than half a second, by what was presented. $DJAMMS_LONG: 10 minutes of it instead of about one and a half."""
import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from fault_schedule import WEATHERS, Evening, dark
from house import IS_PACED, House, main, wait_until
from screen import read_png

LONG_S, STEP_S = 600, 4
SILENCE_S, BLACK_S = 3, 0.5


class Faults(unittest.TestCase):
    def test_whatever_breaks_the_room_is_neither_silent_nor_black(self):
        house = House()
        house.closes_after(self)
        step_s = LONG_S / len(WEATHERS) if os.environ.get("DJAMMS_LONG") else STEP_S
        evening = Evening(house, step_s, yt_dlp=os.environ.get("DJAMMS_YT_DLP"))
        self.addCleanup(evening.close)
        if not evening.disk.works:
            self.skipTest("this kernel gives no disk of one's own")
        r = evening.run()
        print(f"{r['seconds']:.0f} s, {r['asked']} songs asked for: at most {r['silence_s']:.2f} s of silence ({r['silence_at']}), "
              f"{r['black_s']:.2f} s of black ({r['black_at']})", flush=True)
        if IS_PACED:
            self.assertLessEqual(r["silence_s"], SILENCE_S, r["silence_at"])
            self.assertLessEqual(r["black_s"], BLACK_S, r["black_at"])

    def test_with_no_network_no_cache_and_no_library_the_screen_moves_and_is_never_black(self):
        h = House()
        h.closes_after(self)
        h.up(backend_kind="none")
        h.ask("add", urls=["http://127.0.0.1:9/a.mp4"])     # nobody is there
        h.wait_status(lambda s: s["notice"] and "No connection" in s["notice"]["text"], 40, "it says why")
        since = time.monotonic_ns()
        first = self.picture(h, "first")
        wait_until(lambda: self.picture(h, "next") != first, 5, "it moves")
        events = h.watch.events()
        began = next(e[0] for e in events.reg["A"] if e[1] == "X")
        self.assertLess(began, since)
        self.assertEqual(dark(events, began, time.monotonic_ns()), [])

    def picture(self, house, name):
        """A strip of what is shown, above all that is written on it."""
        path = house.tmp / f"{name}.png"
        code, _, error = house.cli("screenshot", path)
        self.assertEqual(code, 0, error)
        _, height, rows, _ = read_png(path)
        return rows[height // 20]


if __name__ == "__main__":
    main()
