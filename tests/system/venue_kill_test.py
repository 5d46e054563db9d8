"""SIGKILL of hub and player in the middle of writes, again and again: a song that was acknowledged, by the box or by the
hub, is in the queue afterwards, once; one that was removed is not; and both hold the same.

  venue_kill_test.py     200 rounds, or $DJAMMS_ROUNDS; $DJAMMS_SEED repeats a run"""
import os
import random
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import House, load_clips, main, wait_until
from backend import Backend

CLIPS = load_clips()
ROUNDS = int(os.environ.get("DJAMMS_ROUNDS", "200"))
SEED = int(os.environ.get("DJAMMS_SEED", time.time_ns() % 1000000))
CHECK_EVERY = 5     # rounds; in between the next kill comes before they agree
KEPT = 60           # songs of the check before are taken out beyond that: a queue is not endless


class Box:
    """A player and a hub of one zone, each started by the test alone, so that it can die at any moment."""

    def __init__(self):
        self.house = House(screen=False)
        self.player = self.hub = None
        self.start_hub()
        self.start_player()
        self.backend = Backend(self.house)

    def start_hub(self):
        h = self.house
        self.hub = h.start("djamms-hub", "--listen", "127.0.0.1:0", "--state-dir", h.state, "--runtime-dir", h.runtime)

    def start_player(self):
        h = self.house
        self.player = h.start("djamms-player", *h.sets(), CLIPS["k1"]["path"])
        wait_until(lambda: h.status() or h.ended(self.player), 20, "the player answers")

    def kill(self, which):
        p = getattr(self, which)
        p.kill()
        p.wait()
        getattr(self, f"start_{which}")()


class Writers:
    """One at the control socket, one phone at the hub; what they were promised."""

    def __init__(self, box, round):
        self.box, self.round = box, round
        self.added, self.asked, self.wrong = [], [], []
        self.threads = [threading.Thread(target=self.run, args=(w,)) for w in (self.adds, self.asks)]
        for t in self.threads:
            t.start()

    def run(self, writer):
        try:
            writer()
        except (OSError, ConnectionError, ValueError):
            pass        # it was killed: an answer cut short is none
        except Exception as e:
            self.wrong.append(repr(e))

    def adds(self):
        control = self.box.house.control()
        try:
            for _ in range(3):
                a = control.ask("add", files=[str(CLIPS["q1"]["path"])])
                if not a["ok"]:
                    raise AssertionError(a)
                self.added.append(a["added"][0]["id"])
        finally:
            control.close()

    def asks(self):
        backend = Backend(self.box.house)
        for i in range(3):
            name = f"{self.round}-{i}"
            status, answer = backend.execute("processRequest", {
                "venueId": backend.venue, "requesterId": f"guest-{name}", "paymentId": f"pay-{name}",
                "song": {"videoId": f"video {name}", "title": name, "artist": f"band {name}", "duration": 60}})
            if status == 201 and answer.get("success"):
                self.asked.append(f"video {name}")

    def join(self):
        for t in self.threads:
            t.join()
        if self.wrong:
            raise AssertionError(self.wrong)


class Killing(unittest.TestCase):
    def setUp(self):
        self.box = Box()
        self.box.house.closes_after(self)

    def agreed(self):
        """The ids of both lists, once box and hub hold the same and everything is told."""
        h = self.box.house

        def same():
            s, own = h.status(), h.queue()
            there = Backend(h).queue()
            mine = [t["id"] for t in own["main"] + own["requests"]]
            if not s or s["backend"]["link"] != "connected" or s["backend"]["pending"]:
                return None
            return own if mine == [t["id"] for t in there["mainQueue"] + there["priorityQueue"]] else None

        def tried():
            h.ended(self.box.player)
            h.ended(self.box.hub)
            try:
                return same()
            except (OSError, AssertionError, ValueError):
                return None
        return wait_until(tried, 60, "box and hub hold the same")

    def check(self, round, added, asked, removed):
        own = self.agreed()
        ids = [t["id"] for t in own["main"] + own["requests"]]
        songs = [t["title"] for t in own["requests"]]
        lost = [i for i in added if ids.count(i) != 1] + [v for v in asked if songs.count(v.removeprefix("video ")) != 1]
        self.assertEqual(lost, [], f"round {round}: lost or twice; the queue: {ids} {songs}")
        self.assertEqual([i for i in removed if i in ids], [], f"round {round}: removed, and there again")
        return own

    def test_what_was_acknowledged_is_there_once(self):
        rng = random.Random(SEED)
        print(f"{ROUNDS} rounds, DJAMMS_SEED={SEED}", flush=True)
        h = self.box.house
        h.wait_status(lambda s: s["backend"]["role"] == "master", 20, "the player has the venue")
        added, asked, removed = [], [], set()
        for round in range(1, ROUNDS + 1):
            writers = Writers(self.box, round)
            moment = time.monotonic() + rng.uniform(0, 0.05)
            wait_until(lambda: time.monotonic() >= moment, 5, "the moment")
            which = rng.choice(("hub", "player"))
            self.box.kill(which)
            writers.join()
            added += writers.added
            asked += writers.asked
            if round % CHECK_EVERY and round < ROUNDS:
                continue
            own = self.check(round, added, asked, removed)
            if len(own["main"]) + len(own["requests"]) <= KEPT:
                continue
            playing = [t["id"] for t in own["main"] + own["requests"] if t["is_playing"]]
            for t in (own["main"] + own["requests"])[:-10]:
                if t["id"] not in playing:
                    self.assertTrue(h.ask("remove", entry=t["id"])["ok"])
                    removed.add(t["id"])
            added = [i for i in added if i not in removed]
            left = {t["title"] for t in h.queue()["requests"]}
            asked = [v for v in asked if v.removeprefix("video ") in left]
        print(f"{len(added) + len(asked) + len(removed)} acknowledged, {len(removed)} of them removed", flush=True)


if __name__ == "__main__":
    main()
