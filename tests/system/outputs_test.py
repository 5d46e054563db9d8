"""Several outputs: every window shows the same frames, from one decode."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import IS_PACED, House, load_clips, main, wait_until
from screen import frame_stats, skew

CLIPS = load_clips()


class Outputs(unittest.TestCase):
    def test_two_windows_show_every_frame_together_from_one_deck(self):
        with House(size=(640, 360), views=2) as house:
            p = house.play(CLIPS["q1"]["path"], CLIPS["q2"]["path"],
                           options=("--size", "640x360", "--outputs", "2"))
            house.wait_frame(15, "left", after=20)
            house.wait_frame(5, "right", after=20, region="B")
            wait_until(lambda: sum("djamms-deck" in a[0] for a in house.processes().values()) == 2, 3,
                       "two decks, however many windows")
            wait_until(lambda: p.poll() is not None, 20, "it ends by itself")
            self.assertEqual(p.returncode, 0)
            events = house.watch.close()
            for region in "AB":
                runs = events.runs(region)
                self.assertEqual([c for c, _ in runs], [21, 22])
                for clip, shown in runs if IS_PACED else ():
                    s = frame_stats(events, CLIPS[clip], shown, region)
                    self.assertEqual((s["missing"], s["out_of_order"]), ([], 0), f"{region}, clip {clip}")
            for clip in ("q1", "q2") if IS_PACED else ():
                s = skew(events, CLIPS[clip])
                print(clip, s, file=sys.stderr)
                self.assertGreaterEqual(s["pairs"], 80)
                # the same picture on both: apart by the time it takes to paint one
                self.assertLess(abs(s["lag_p50_ms"]), 1000 / 30 / 2)
                self.assertGreater(s["same_frame_pct"], 50)


if __name__ == "__main__":
    main()
