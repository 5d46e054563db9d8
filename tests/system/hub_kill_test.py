"""SIGKILL of the hub in the middle of writes, again and again: what it acknowledged or told is there afterwards.

  hub_kill_test.py [--rounds N]     50 rounds unless told, about 20 s; $DJAMMS_SEED repeats a run"""
import json
import os
import random
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import main
from hubrig import QUEUE, REQUESTS, Hub, documents, song_request

ROUNDS = 50
SEED = int(os.environ.get("DJAMMS_SEED", time.time_ns() % 1000000))


class Killing:
    """Writers, a listener, and what they were promised."""

    def __init__(self, hub, round, rng):
        self.hub, self.round, self.rng = hub, round, rng
        self.made = {}          # id -> the document as it was acknowledged
        self.counters = {}      # id -> (last acknowledged number, $updatedAt)
        self.appended = []      # acknowledged entries of the queue
        self.removed = set()
        self.heard = []         # payloads told by realtime
        self.wrong = []

    def run(self, writer, *args):
        def body():
            try:
                with self.hub.http() as h:
                    writer(h, *args)
            except (OSError, ConnectionError):
                pass        # the hub was killed
            except Exception as e:
                self.wrong.append(repr(e))
        t = threading.Thread(target=body)
        t.start()
        return t

    def creates(self, h, name):
        for i in range(100000):
            id = f"{self.round}-{name}-{i}"
            a = h.ask("POST", REQUESTS, {"documentId": id, "data": song_request(i, requesterId=id)})
            if a.status != 201:
                raise AssertionError(a)
            self.made[id] = a.json
            if i % 4 == 3:
                gone = f"{self.round}-{name}-{i - 2}"
                if h.ask("DELETE", documents("requests", gone)).status == 204:
                    self.removed.add(gone)

    def counts(self, h, id):
        start = self.counters[id][0]
        for i in range(start + 1, start + 100000):
            a = h.ask("PATCH", documents("player_state", id), {"data": {"lastUpdated": i}})
            if a.status != 200:
                raise AssertionError(a)
            if not a.json["$updatedAt"] > self.counters[id][1]:
                self.wrong.append(f"{id}: {a.json['$updatedAt']} after {self.counters[id][1]}")
            self.counters[id] = (i, a.json["$updatedAt"])

    def appends(self, h, name):
        for i in range(100000):
            while True:
                queue = h.ask("GET", QUEUE).json
                entries = json.loads(queue["mainQueue"])[-500:] + [f"{self.round}-{name}-{i}"]
                a = h.ask("PATCH", QUEUE, {"data": {"mainQueue": json.dumps(entries)}},
                          {"X-Appwrite-Timestamp": queue["$updatedAt"]})
                if a.status == 200:
                    self.appended.append(entries[-1])
                    break
                if a.status != 409:
                    raise AssertionError(a)

    def listens(self):
        try:
            with self.hub.ws("documents") as ws:
                ws.connected()
                self.listening.set()
                while True:
                    m = ws.message()
                    if m["type"] == "event":
                        self.heard.append((m["data"]["events"][0].split(".")[-1], m["data"]["payload"]))
        except (OSError, ConnectionError):
            pass
        finally:
            self.listening.set()

    def go(self, counters):
        self.counters = counters
        self.listening = threading.Event()
        listener = threading.Thread(target=self.listens)
        listener.start()
        self.listening.wait(10)
        threads = [self.run(self.creates, "a"), self.run(self.creates, "b"), self.run(self.appends, "c"),
                   self.run(self.appends, "d"), *(self.run(self.counts, id) for id in counters)]
        time.sleep(self.rng.uniform(0.02, 0.3))     # the moment is random; nothing waits for it
        self.hub.kill()
        for t in [*threads, listener]:
            t.join()


class Deaths(unittest.TestCase):
    def check(self, hub, k, latest):
        """All that was acknowledged or told is there; returns the counters, and the latest $updatedAt of all."""
        self.assertEqual(k.wrong, [])
        with hub.http() as h:
            for id, document in k.made.items():
                a = h.ask("GET", documents("requests", id))
                if id in k.removed:
                    self.assertEqual(a.status, 404, f"{id} was deleted and came back")
                elif a.status != 404 or not self.is_next_delete(k, id):
                    self.assertEqual((a.status, a.json), (200, document), f"{id} was acknowledged")
            entries = json.loads(h.ask("GET", QUEUE).json["mainQueue"])
            self.assertEqual([e for e in k.appended[-400:] if e not in entries], [], "appended, acknowledged, lost")
            counters = {id: self.check_counter(h, id, n, stamp, latest) for id, (n, stamp) in k.counters.items()}
            deleted = {p["$id"] for action, p in k.heard if action == "delete"}
            for action, p in k.heard[-200:]:
                if p["$collectionId"] != "requests" or p["$id"] in deleted:
                    continue
                a = h.ask("GET", documents("requests", p["$id"]))
                self.assertTrue(a.status == 200 or self.is_next_delete(k, p["$id"]), f"{p['$id']} was told and is lost")
        return counters, max([s for _, s in counters.values()] + [latest])

    def check_counter(self, h, id, n, stamp, latest):
        """It stands where it was acknowledged, or one write further, and its next time is later than any before."""
        d = h.ask("GET", documents("player_state", id)).json
        self.assertIn(d["lastUpdated"], (n, n + 1), f"{id}: {n} was acknowledged")
        self.assertGreaterEqual(d["$updatedAt"], stamp)
        a = h.ask("PATCH", documents("player_state", id), {"data": {"lastUpdated": d["lastUpdated"] + 1}}).json
        self.assertGreater(a["$updatedAt"], max(d["$updatedAt"], stamp))
        self.assertGreaterEqual(a["$updatedAt"], latest)
        return a["lastUpdated"], a["$updatedAt"]

    @staticmethod
    def is_next_delete(k, id):
        """Whether the delete of it was on its way when the hub died."""
        round, name, i = id.rsplit("-", 2)
        after = f"{round}-{name}-{int(i) + 3}"
        return int(i) % 4 == 1 and f"{round}-{name}-{int(i) + 2}" in k.made and after not in k.made

    def test_killed_in_the_middle_of_writes(self):
        rng = random.Random(SEED)
        print(f"{ROUNDS} rounds, DJAMMS_SEED={SEED}", flush=True)
        acknowledged, latest = 0, ""
        with Hub().provision() as hub:
            hub.start()
            counters = {}
            for i in range(3):
                d = {"venueId": f"counter-{i}", "lastUpdated": 0}
                a = hub.ask("POST", documents("player_state"), {"documentId": f"counter-{i}", "data": d})
                self.assertEqual(a.status, 201, a)
                counters[f"counter-{i}"] = (0, a.json["$updatedAt"])
            for round in range(ROUNDS):
                with self.subTest(round=round, seed=SEED):
                    k = Killing(hub, round, rng)
                    k.go(counters)
                    hub.start()
                    counters, latest = self.check(hub, k, latest)
                    acknowledged += len(k.made) + len(k.removed) + len(k.appended)
                if not hub.is_alive():
                    self.fail("the hub does not start any more")
            self.assertEqual(hub.stop(), 0)
        print(f"{acknowledged} writes were acknowledged", flush=True)
        self.assertGreater(acknowledged, ROUNDS * 5, "else nothing was shown")


if __name__ == "__main__":
    if "--rounds" in sys.argv:
        at = sys.argv.index("--rounds")
        ROUNDS = int(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    main()
