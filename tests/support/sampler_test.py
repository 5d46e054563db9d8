"""The sampler and its analysis find exactly the faults that a painter puts in."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from screen import MS, Events, frame_stats, pct, ram_dir, skew, tool

CLIP1 = {"id": 1, "fps": 60, "frames": 600}
CLIP2 = {"id": 2, "fps": 30, "frames": 300}
LEFT_OUT = {100, 200, 201, 300, 400}


class Sampler(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory(dir=ram_dir()) as tmp:
            log = Path(tmp) / "log"
            subprocess.run([tool("framewatch"), "--selftest", "--rt", "--out", log], check=True)
            cls.ev = Events(log)
        runs = cls.ev.runs()
        cls.one, cls.two = runs[0][1], runs[1][1]
        cls.s1, cls.s2 = frame_stats(cls.ev, CLIP1, cls.one), frame_stats(cls.ev, CLIP2, cls.two)
        # what the painter really did: it may be late itself
        cls.truth = Events.__new__(Events)
        cls.truth.gaps, cls.truth.gap_ends = [], []
        cls.truth.reg = {n: [(t, "C", c, f) for t, c, f in p if f >= 0] for n, p in cls.ev.paint.items()}
        cls.t1 = frame_stats(cls.truth, CLIP1, [e for e in cls.truth.codes() if e[2] == 1])
        print("sampler:", cls.ev.summary, file=sys.stderr)

    def excused(self, clip):
        """Frames the sampler need not have seen: in its blind spots, or painted over within 1.5 ms."""
        painted = [(t, f) for t, c, f in self.ev.paint["A"] if c == clip]
        out = {f for (t, f), (u, _) in zip(painted, painted[1:]) if u - t < 1.5 * MS}
        events = [e for e in self.ev.codes() if e[2] == clip]
        for x, y in zip(events, events[1:]):
            if self.ev.is_blind(x[0], y[0]):
                out.update(range(min(x[3], y[3]), max(x[3], y[3]) + 1))
        return out

    def test_sees_every_picture_but_those_in_its_blind_spots(self):
        for clip, frames in ((1, set(range(600)) - LEFT_OUT), (2, set(range(300)))):
            seen = {e[3] for e in self.ev.codes() if e[2] == clip}
            self.assertLessEqual(frames - seen, self.excused(clip))
            self.assertLessEqual(seen, frames)

    def test_counts_the_frames_left_out(self):
        excused = self.excused(1)
        self.assertLessEqual(LEFT_OUT - excused, set(self.s1["missing"]))
        self.assertLessEqual(set(self.s1["missing"]), LEFT_OUT | excused)
        self.assertLessEqual(set(self.s2["missing"]), self.excused(2))

    def test_sees_the_swapped_pair(self):
        self.assertEqual(self.s1["out_of_order"], 1)
        self.assertEqual(self.s2["out_of_order"], 0)

    def test_counts_holds_as_the_painter_made_them(self):
        low = max(0, self.t1["repeated"] - 2 * self.s1["blind_intervals"])
        self.assertTrue(low <= self.s1["repeated"] <= self.t1["repeated"])

    def test_measures_the_black_and_the_pause_between_clips(self):
        a, b = self.one[-1][0], self.two[0][0]
        paint = {(c, f): t for t, c, f in self.ev.paint["A"]}
        self.assertAlmostEqual((b - a) / MS, (paint[2, 0] - paint[1, 599]) / MS, delta=6)
        self.assertAlmostEqual(self.ev.time_in("K", a, b) / MS, (paint[2, 0] - paint[0, -1]) / MS, delta=6)

    def test_times_are_true_to_a_millisecond(self):
        at = {(n, c, f): t for n in "AB" for t, c, f in self.ev.paint[n]}
        error = [abs(e[0] - at[n, e[2], e[3]]) / MS for n in "AB" for e in self.ev.codes(n)]
        print(f"error p50 {pct(error, 50):.2f} p95 {pct(error, 95):.2f} max {max(error):.2f} ms", file=sys.stderr)
        self.assertLess(pct(error, 50), 1.0)

    def test_measures_two_outputs_against_each_other(self):
        seen, true = skew(self.ev, CLIP2), skew(self.truth, CLIP2)
        self.assertAlmostEqual(seen["lag_p50_ms"], true["lag_p50_ms"], delta=0.8)
        self.assertAlmostEqual(seen["same_frame_pct"], 79, delta=3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
