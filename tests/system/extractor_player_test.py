"""yt-dlp's versions in a running player: it takes up what came, looks at the channel by itself, and gives up a new one that fails
for the one before."""
import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from extractor_rig import DIES, FAILS, Rig
from house import main, wait_until


class InUse(Rig):
    def up(self):
        return self.house.up(cache_dir=self.house.tmp / "cache", cache_free_floor=0,
                             **{k.replace(".", "_", 1).replace("-", "_"): v for k, v in self.sets.items()})

    def add(self, *urls):
        code, out, error = self.house.cli("add", *urls)
        self.assertEqual(code, 0, out + error)

    def entry(self, url):
        return next((t for t in self.house.queue()["main"] if t["source"] == url), None)

    def is_here(self, url):
        e = self.entry(url)
        return e and not e["waits"] and not e["unplayable"]

    def fetching(self):
        return self.house.status()["fetching"]

    def wait_loaded(self, version, seconds=60):
        wait_until(lambda: self.fetching()["yt_dlp"] == version, seconds, f"the worker has {version}")

    def install(self, version, /, **appended):
        self.offer(version, self.make(version, **appended))
        self.update("updated")

    def test_a_running_player_takes_up_what_came_and_what_went(self):
        self.up()
        url = self.server.url("clip.mp4?first")
        self.add(url)
        wait_until(lambda: self.is_here(url), 60, "the song is here")
        self.assertEqual(self.fetching()["yt_dlp"], self.system_version)
        self.install("2026.11.05")
        self.wait_loaded("2026.11.05")
        self.assertIn("/extractor/2026.11.05/", self.fetching()["yt_dlp_path"])
        url = self.server.url("clip.mp4?second")
        self.add(url)
        wait_until(lambda: self.is_here(url), 60, "it fetches")
        self.assertTrue(self.extractor("rollback")["ok"], "also beside the player's own look at the channel")
        self.wait_loaded(self.system_version)

    def test_it_looks_at_the_channel_by_itself(self):
        self.offer("2026.11.05")
        self.up()
        url = self.server.url("clip.mp4?self")
        self.add(url)       # what starts a worker
        wait_until(lambda: self.is_here(url), 60, "the song is here")
        self.wait_loaded("2026.11.05", 120)
        self.assertEqual(self.status()["checked"]["result"], "updated")

    def test_one_that_fails_in_use_is_given_up_by_itself(self):
        self.sets["extractor.check-hours"] = 0
        self.install("2026.11.05")
        self.install("2026.11.06", YoutubeDL=FAILS.format(word="?song"))
        self.up()
        songs = [self.server.url(f"clip.mp4?song{n}") for n in range(3)]
        self.add(*songs)
        self.wait_loaded("2026.11.06")
        wait_until(lambda: (s := self.status())["version"] == "2026.11.05" and s["refused"], 60, "it went back")
        self.wait_loaded("2026.11.05")
        wait_until(lambda: all(self.is_here(u) for u in songs), 60, "the songs are here")
        self.assertIn("failed in use", self.status()["refused"][0]["why"])

    def test_one_that_does_not_start_any_more_is_given_up_by_itself(self):
        self.sets["extractor.check-hours"] = 0
        mark = self.channel / "broken"
        self.install("2026.11.05", version="\n" + DIES.format(path=str(mark)))
        self.up()
        url = self.server.url("clip.mp4?before")
        self.add(url)
        wait_until(lambda: self.is_here(url), 60, "the song is here")
        self.assertEqual(self.fetching()["yt_dlp"], "2026.11.05")
        mark.touch()
        for pid in self.house.workers():
            os.kill(pid, signal.SIGKILL)
        self.wait_loaded(self.system_version)
        url = self.server.url("clip.mp4?after")
        self.add(url)
        wait_until(lambda: self.is_here(url), 60, "the song is here")
        self.assertIn("does not start", self.status()["refused"][0]["why"])

    def looked_at(self):
        return json.loads((self.house.state / "extractor/checked").read_text())["at_ms"]

    def test_one_that_has_proven_itself_stays_and_a_newer_one_is_looked_for(self):
        self.install("2026.11.05", YoutubeDL=FAILS.format(word="?song"))
        at_hand = self.looked_at()
        self.up()
        self.add(*[self.server.url(f"clip.mp4?good{n}") for n in range(6)])
        wait_until(lambda: (self.house.state / "extractor/2026.11.05/proven").exists(), 90, "it is proven")
        wait_until(lambda: self.looked_at() > at_hand, 90, "it looked by itself")
        by_time = self.looked_at()
        self.house.cli("clear")
        self.add(*[self.server.url(f"clip.mp4?song{n}") for n in range(3)])
        wait_until(lambda: self.looked_at() > by_time, 60, "it looked at once")
        self.assertIn("yt-dlp", self.fetching()["problem"])
        self.assertEqual(self.assert_used("2026.11.05")["refused"], [])


if __name__ == "__main__":
    main()
