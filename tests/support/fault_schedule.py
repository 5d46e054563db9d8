"""An evening on which everything about sources breaks in turn, in short: what is fetched, the server, the worker, the disk.
Songs are asked for all the time; what a room hears and sees meanwhile is measured, from what was presented."""
import contextlib
import os
import random
import shutil
import signal
import time
from pathlib import Path

from faulty import Faulty
from house import load_clips, wait_until
from screen import NS
from small_disk import SmallDisk
from sound import RATE

HOUSE = ("k1", "k2")                    # the house playlist
SONGS = ("s1", "q1", "s2", "q2")        # what is asked for
DISK = "512m"     # a song of unknown size has 100 MB reserved

# What every answer is like. What a site is left in peace for has a site of its own, and what stops all asking comes last.
WEATHERS = (
    ("fine", ""),
    ("what plays stalls", "slow=1500000"),
    ("404", "status=404"),
    ("403", "status=403"),
    ("a byte is missing, each time", "short"),
    ("another file after the break", "changes=60000"),
    ("it breaks off", "truncated=60000"),
    ("the worker is killed", "slow=400000"),
    ("the disk is full", ""),
    ("500", "status=500"),
    ("429", "status=429"),
    ("1 kB a second", "slow=1000"),
    ("no end", "endless"),
    ("it stalls", "stall=60000"),
    ("captive portal", "portal"),
    ("it says nothing", "silent"),
    ("there is no server", None),
    ("fine again", ""),
)
OWN_SITE = ("500", "429")


def site_of(server):
    """Which of the few sites the jukebox tells apart (source/trouble.h) an address belongs to."""
    h = 0xcbf29ce484222325
    for byte in server.host.encode():
        h = (h ^ byte) * 0x100000001b3 % 2 ** 64
    return h % 15


def longest(spans):
    """(length, begin) of the longest of [(begin, end)]; (0, 0): there is none."""
    return max(((b - a, a) for a, b in spans), default=(0, 0))


def dark(events, since, until):
    """When the screen was black, or bare: [(begin, end)] in ns."""
    reg, out = events.reg.get("A", []), []
    for e, follower in zip(reg, reg[1:] + [(until,)]):
        a, b = max(e[0], since), min(follower[0], until)
        if e[1] not in "KR" or b <= a:
            continue
        if out and out[-1][1] >= a:
            out[-1] = (out[-1][0], b)
        else:
            out.append((a, b))
    return out


class Evening:
    """One run in `house`, a House that was not started yet; a step of the schedule takes `step_s`. close() it before the
    house."""

    def __init__(self, house, step_s, yt_dlp=None, seed=None):
        self.house, self.step_s = house, step_s
        self.disk = SmallDisk(DISK)
        self.sets = {"fetch_yt_dlp": yt_dlp} if yt_dlp else {}
        self.clips = load_clips()
        self.rng = random.Random(seed)
        self.web = house.tmp / "web"
        self.web.mkdir()
        for name in (*HOUSE, *SONGS, "c1"):
            shutil.copy(self.clips[name]["path"], self.web)
        self.asked = 0
        self.marks = []         # (ns, sample, name): what began when

    def file(self, clip):
        return Path(self.clips[clip]["path"]).name

    def url(self, server, clip):
        self.asked += 1
        return server.url(f"ok/{self.file(clip)}?{self.asked}")

    def sample(self):
        return max(0, self.house.wav.stat().st_size - 44) // 4

    def mark(self, name):
        self.marks.append((time.monotonic_ns(), self.sample(), name))

    def when(self, value, index):
        """Which mark a time (index 0) or a sample (1) lies behind."""
        return next((m[2] for m in reversed(self.marks) if m[index] <= value), "before")

    def ask_for(self, server, *clips, **how):
        answer = self.house.ask("add", urls=[self.url(server, clip) for clip in clips], **how)
        assert not answer["refused"], answer

    def pass_time(self, seconds):
        until = time.monotonic() + seconds
        self.house.watch.wait(lambda _: time.monotonic() >= until, seconds + 1)

    def id(self, clip):
        return self.clips[clip]["id"]

    def own_site(self):
        """Another server, which the jukebox does not take for one that there is."""
        while True:
            server = self.stack.enter_context(Faulty(self.web))
            if site_of(server) not in self.sites:
                self.sites.add(site_of(server))
                return server

    def kill_workers(self):
        for pid in self.house.workers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def pin_house(self, server):
        """The house playlist is fetched and pinned, and the queue is empty again."""
        h = self.house
        self.ask_for(server, *HOUSE)
        here = wait_until(lambda: len(e := [e for e in h.ask("cache", do="list")["entries"] if e["is_here"]]) == len(HOUSE)
                          and e, 60, "the house playlist is here")
        for entry in here:
            assert h.ask("cache", do="pin", id=entry["key"])["ok"]
        h.ask("clear", lists="all")
        h.ask("skip")
        h.wait_status(lambda s: s["now"] and s["now"]["is_house"], 10, "the house plays")

    def run_dry(self, server):
        """A song plays while it is fetched, and then no more of it comes."""
        self.ask_for(server, "c1", next=True)
        self.house.wait_frame(60, "it plays while it is fetched", clip=self.id("c1"))
        server.weather("stall=0")
        others = {self.id(c) for c in (*HOUSE, *SONGS)}
        seen = self.house.watch.wait(lambda s: s["A"][1] == "C" and s["A"][2] in others, 40)
        assert seen, "another song plays"

    def step(self, server, name, faults):
        """One fault, while two songs are asked for that nobody has fetched."""
        at = self.own_site() if name in OWN_SITE else server
        self.mark(name)
        at.weather(faults)
        if name == "what plays stalls":
            self.run_dry(server)
        self.ask_for(at, *self.rng.sample(SONGS, 2))
        if name == "the disk is full":
            self.disk.fill()
        self.pass_time(self.step_s / 2)
        if name == "the worker is killed":
            self.kill_workers()
        self.pass_time(self.step_s / 2)
        if name == "the disk is full":
            self.disk.empty()
            here = [e for e in self.house.ask("cache", do="list")["entries"] if e["pin"] and e["is_here"]]
            assert len(here) == len(HOUSE), "what is pinned stays"

    def recover(self, server):
        """Songs that were asked for play again."""
        since = time.monotonic_ns()
        self.ask_for(server, *SONGS[:2])
        songs = {self.id(c) for c in SONGS}
        seen = self.house.watch.wait(lambda s: s["A"][1] == "C" and s["A"][0] > since and s["A"][2] in songs, 120)
        assert seen, f"a song that was asked for plays; the queue: {self.house.queue()['main']}"

    def run(self):
        """Figures: longest silence and black in s, and what they were behind."""
        h = self.house
        self.sites = set()
        with contextlib.ExitStack() as self.stack:
            server = self.own_site()
            h.up(wrap=self.disk.enter, cache_dir=self.disk.folder, cache_free_floor=0, fetch_max_mb=60,
                 queue_loop="no", backend_kind="none", **self.sets)
            self.pin_house(server)
            began_ns, began = time.monotonic_ns(), self.sample()
            for name, faults in WEATHERS:
                self.step(server, name, faults)
            self.recover(server)
            ended_ns, ended = time.monotonic_ns(), self.sample()
        quiet = h.scan(began, ended).quiet
        silence, at = longest(quiet)
        black, at_ns = longest(dark(h.watch.events(), began_ns, ended_ns))
        return {"silence_s": silence / RATE, "silence_at": self.when(at, 1), "black_s": black / NS,
                "black_at": self.when(at_ns, 0), "seconds": (ended_ns - began_ns) / NS, "asked": self.asked}

    def close(self):
        self.disk.close()
