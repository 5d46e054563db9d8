"""wavscan finds beeps, missing and added samples and silence where they were put."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from screen import tool
from sound import Scan

FRAME = 4


class Wavscan(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)

    def scan(self, clips, change=lambda pcm: pcm, finished=True, **window):
        """Clips of 3 s, one after the other, changed by `change`."""
        pcm, head = b"", b""
        for clip in clips:
            wav = subprocess.run([tool("clipgen"), "audio", "30", "90", str(clip)], check=True,
                                 capture_output=True).stdout
            head, pcm = wav[:44], pcm + wav[44:]
        pcm = change(pcm)
        size = len(pcm) if finished else 0
        path = Path(self.tmp.name) / "a.wav"
        path.write_bytes(head[:40] + size.to_bytes(4, "little") + pcm)
        return Scan(path, **window)

    def test_a_perfect_splice_is_beeps_and_nothing_else(self):
        s = self.scan([21, 22, 23])
        self.assertEqual([b[2] for b in s.beeps], [5, 6, 7])
        for i, b in enumerate(s.beeps):
            self.assertAlmostEqual(b[0], 48000 + i * 144000, delta=4)
        self.assertEqual((s.quiet, s.shifts), ([], []))

    def test_missing_samples_are_a_shift(self):
        s = self.scan([21, 22], lambda p: p[:100000 * FRAME] + p[100007 * FRAME:])
        self.assertEqual(len(s.shifts), 1)
        self.assertAlmostEqual(s.shifts[0][1], 7, delta=0.2)
        self.assertTrue(100000 <= s.shifts[0][0] <= 107200)

    def test_silence_put_in_is_quiet_and_a_shift(self):
        s = self.scan([21, 22], lambda p: p[:100000 * FRAME] + bytes(60 * FRAME) + p[100000 * FRAME:])
        self.assertEqual(len(s.quiet_inside()), 1)
        self.assertAlmostEqual(s.quiet[0][0], 100000, delta=10)
        self.assertAlmostEqual(s.quiet[0][1] - s.quiet[0][0], 60, delta=12)
        self.assertAlmostEqual(s.shifts[0][1], -60, delta=0.2)

    def test_silence_instead_of_music_is_quiet_without_a_shift(self):
        s = self.scan([21, 22], lambda p: p[:100000 * FRAME] + bytes(960 * FRAME) + p[100960 * FRAME:])
        self.assertAlmostEqual(s.quiet[0][1] - s.quiet[0][0], 960, delta=12)
        self.assertEqual(s.shifts, [])

    def test_one_sample_is_enough(self):
        s = self.scan([21], lambda p: p[:20000 * FRAME] + p[20001 * FRAME:])
        self.assertEqual(len(s.shifts), 1)

    def test_quiet_around_the_music_is_not_inside(self):
        s = self.scan([21], lambda p: bytes(4800 * FRAME) + p + bytes(9600 * FRAME))
        a, b = s.inside()
        self.assertAlmostEqual(a, 4800, delta=12)
        self.assertAlmostEqual(b, 4800 + 144000, delta=12)
        self.assertEqual(s.quiet_inside(), [])

    def test_a_file_still_being_written_is_read_to_its_end(self):
        self.assertEqual(self.scan([21], finished=False).frames, 144000)

    def test_a_window_tells_positions_of_the_whole_file(self):
        s = self.scan([21, 22], start=144000)
        self.assertEqual(len(s.beeps), 1)
        self.assertAlmostEqual(s.beeps[0][0], 192000, delta=4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
