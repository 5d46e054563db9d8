"""Live streams that staff adds, played by a running player while they come: a list of segments that grows, and responses
without an end. What is seen on the screen counts; nothing of them stays on the disk."""
import os
import shutil
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import load_clips, main, wait_until
from screen import MS
from source_test import ID, Rig

CLIPS = load_clips()
G1 = CLIPS["g1"]
RATE = os.path.getsize(G1["path"]) * G1["fps"] // G1["frames"]      # bytes a second, as it plays


class Live(Rig):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        shutil.copy(G1["path"], cls.folder / "g1.ts")
        for kind, name, how in (("mpegts", "list", ()), ("fmp4", "list4", ("-bsf:a", "aac_adtstoasc"))):
            subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-i", "g1.ts", "-c", "copy", *how,
                            "-f", "hls", "-hls_time", "2", "-hls_list_size", "0", "-hls_segment_type", kind, "-hls_fmp4_init_filename",
                            f"{name}.head.mp4", "-hls_segment_filename", f"{name}-%d.{'ts' if kind == 'mpegts' else 'mp4'}",
                            f"{name}.m3u8"], check=True, cwd=cls.folder)

    def live(self, *files, **sets):
        self.up(*files, **{"fetch_live_minutes": 5, **sets})

    def on_disk(self):
        """The files of streams: path -> bytes. One may go while they are counted."""
        sizes = {}
        for f in self.cache.glob("partial/*/media.*"):
            try:
                sizes[f] = f.stat().st_size
            except FileNotFoundError:
                pass
        return sizes

    def connections(self, path):
        return len(self.server.ranges(path))

    def plays_as_it_comes(self, path):
        h = self.house
        self.live(queue_loop=False)
        self.add(self.server.url(path))
        h.wait_frame(40, "the stream", clip=G1["id"])
        self.add(CLIPS["k1"]["path"])
        self.assertEqual(list(self.cache.glob("media/*/*/media.*")), [])
        h.wait_frame(60, "then the next", clip=ID["k1"])
        wait_until(lambda: not self.on_disk(), 20, "nothing of it is kept")
        self.assertEqual(self.entries(), {})
        run = next(r for c, r in h.watch.events().runs() if c == G1["id"])
        self.assertEqual(run[-1][3], G1["frames"] - 1, "to its last picture")
        self.assertLess(max(b[0] - a[0] for a, b in zip(run, run[1:])) / MS, 500, "without standing")

    def test_a_list_of_segments_that_grows_plays_to_its_end(self):
        self.plays_as_it_comes("live=2000/list.m3u8")

    def test_so_does_one_of_fragments(self):
        self.plays_as_it_comes("live=2000/list4.m3u8")

    def test_a_stream_plays_until_it_is_skipped_and_begins_anew_at_its_turn(self):
        h, path = self.house, f"/slow={RATE * 5 // 4}/endless/g1.ts"
        self.live(CLIPS["k1"]["path"])
        h.wait_frame(20, "it plays", clip=ID["k1"])
        url = self.server.url(path[1:])
        self.add(url)
        wait_until(lambda: self.entry(url)["waits"] == "", 60, "it is next, and can begin")
        h.cli("skip")
        h.wait_frame(20, "the stream", clip=G1["id"])
        before = self.connections(path)
        first, = self.on_disk()
        inode = first.stat().st_ino
        h.cli("skip")
        h.wait_frame(20, "the other", clip=ID["k1"])
        wait_until(lambda: self.connections(path) > before, 60, "it is asked for again when its turn is near")
        h.wait_frame(60, "the stream again", clip=G1["id"], since=h.watch.now["A"][0])
        self.assertNotEqual([f.stat().st_ino for f in self.on_disk()], [inode], "and not what came before")

    def test_a_stream_is_over_when_it_has_had_its_room(self):
        h = self.house
        self.live(fetch_max_mb=1, queue_loop=False)
        self.add(self.server.url("endless/g1.ts"))
        h.wait_frame(40, "the stream", clip=G1["id"])
        self.add(CLIPS["k1"]["path"])
        for size in self.on_disk().values():
            self.assertLessEqual(size, 1000000)
        h.wait_frame(60, "then the next", clip=ID["k1"])
        wait_until(lambda: not self.on_disk(), 20, "nothing of it is kept")

    def test_a_killed_worker_ends_the_stream_and_a_killed_deck_does_not(self):
        h = self.house
        self.live()
        self.add(self.server.url(f"slow={RATE * 5 // 4}/endless/g1.ts"), CLIPS["k1"]["path"])
        _, _, frame = h.wait_frame(40, "the stream", clip=G1["id"])
        for pid, argv in h.processes().items():
            if argv and os.path.basename(argv[0]) == "djamms-deck":
                os.kill(pid, signal.SIGKILL)
        h.wait_frame(20, "it goes on on another deck", clip=G1["id"], after=frame + 90)
        for pid in h.workers():
            os.kill(pid, signal.SIGKILL)
        h.wait_frame(40, "another plays when nothing more comes", clip=ID["k1"])
        self.assertEqual([t["unplayable"] for t in h.queue()["main"]], ["", ""])


if __name__ == "__main__":
    main()
