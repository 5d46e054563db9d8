"""A file that grows while it is played, as a download does, is played to its real end."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import House, load_clips, main, wait_until

CLIPS = load_clips()
CLIP = CLIPS["g1"]
AHEAD = 5 * CLIP["fps"]     # the file is kept so many frames ahead of the picture


class Growing(unittest.TestCase):
    def test_played_to_its_real_end(self):
        data = Path(CLIP["path"]).read_bytes()
        with House() as house:
            path = house.tmp / "media" / "growing.ts"
            path.write_bytes(data[:len(data) // 3])
            with open(path, "ab", buffering=0) as growing:
                p = house.play(path, CLIPS["q1"]["path"])
                written, last = len(data) // 3, -1
                while written < len(data):
                    _, clip, last = house.wait_frame(15, f"a frame after {last}", clip=CLIP["id"], after=last)
                    want = min(len(data), len(data) * (last + AHEAD) // CLIP["frames"])
                    if want > written:
                        growing.write(data[written:want])
                        written = want
                self.assertLess(last, CLIP["frames"] - 1, "it grew while it was played")
            wait_until(lambda: p.poll() is not None, 30, "it ends by itself")
            self.assertEqual(p.returncode, 0)
            runs = house.watch.close().runs()
            self.assertEqual([c for c, _ in runs], [CLIP["id"], CLIPS["q1"]["id"]])
            self.assertEqual(runs[0][1][-1][3], CLIP["frames"] - 1, "the last frame was shown")


if __name__ == "__main__":
    main()
