"""More requests than one page of a list holds, and more than the queue has room for: none is lost, none comes twice."""
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import House, load_clips, main, wait_until
from backend import Backend

CLIPS = load_clips()
CROWD = 450


class Crowd(unittest.TestCase):
    def setUp(self):
        self.house = h = House(screen=False)
        h.closes_after(self)
        h.up(CLIPS["k1"]["path"])
        self.backend = Backend(h)
        h.wait_status(lambda s: s["backend"]["role"] == "master" and s["backend"]["link"] == "connected", 20,
                      "the player has the venue")

    def waiting(self):
        return [t["id"] for t in self.house.queue()["requests"]]

    def agreed(self):
        """The ids in the queue, once box and hub hold the same."""
        def check():
            here, there = self.waiting(), [t["id"] for t in self.backend.queue()["priorityQueue"]]
            return here == there and here
        return wait_until(check, 20, "box and hub hold the same")

    def test_hundreds_of_open_requests_are_all_taken_up_and_none_twice(self):
        h, b = self.house, self.backend
        song = wait_until(lambda: b.queue()["mainQueue"], 10, "the song is there")[0]
        self.assertEqual(h.cli("pause")[0], 0)      # nothing ends meanwhile
        text = json.dumps({"videoId": song["videoId"], "title": song["title"]})
        asked = [b.create("requests", {"requestId": f"r{i}", "venueId": b.venue, "song": text, "requesterId": f"g{i}",
                                       "paymentId": f"pay-{i}", "timestamp": "2026-01-02T03:04:05.000Z"})["$id"]
                 for i in range(CROWD)]
        h.wait_status(lambda s: "More songs are asked for" in s["backend"]["problem"] and not s["backend"]["pending"], 90,
                      "the queue has taken in what it can")
        first = self.agreed()
        self.assertGreater(len(first), 200)
        self.assertEqual(len(first), len(set(first)), "each once")
        self.assertEqual(h.cli("clear", "requests")[0], 0)
        h.wait_status(lambda s: not s["backend"]["problem"] and s["counts"]["requests"] >= CROWD - len(first), 60,
                      "the others follow")
        self.assertEqual(sorted(first + self.agreed()), sorted(asked), "each once, and none of the first again")


if __name__ == "__main__":
    main()
