"""The wall clock of a box jumps by ten years and back, or begins in 1970: the venue lives on, nothing is lost, nobody loses
the role, and the times of the hub's documents only grow."""
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import House, load_clips, main, wait_until
from backend import Backend
from wall import YEAR, Wall

CLIPS = load_clips()


class Jumps(unittest.TestCase):
    def setUp(self):
        self.house = h = House(screen=False)
        h.closes_after(self)
        self.walls = self.hub_wall, self.box_wall = [Wall(h.tmp / name) for name in ("hub-wall", "box-wall")]
        for wall in self.walls:
            self.addCleanup(wall.close)
        self.songs, self.stamp = 1, ""

    def start_hub(self):
        h = self.house
        self.hub = h.start("djamms-hub", "--listen", "127.0.0.1:0", "--state-dir", h.state, "--runtime-dir", h.runtime,
                           env=self.hub_wall.env)

    def start_player(self):
        h = self.house
        self.player = h.start("djamms-player", *h.sets(), CLIPS["k1"]["path"], env=self.box_wall.env)

    def find_hub(self):
        """The hub that runs now: its file may still be of the one before."""
        def answers():
            backend = Backend(self.house)
            try:
                return backend.ask("GET", "/health/version")[0] == 200 and backend
            except OSError:
                return None
        self.backend = wait_until(answers, 20, "the hub answers")

    def told(self):
        def check(s):
            b = s["backend"]
            return b["link"] == "connected" and b["role"] == "master" and not b["pending"]
        return self.house.wait_status(check, 40, "the venue is here, and all is told")

    def live(self, when):
        """A song of the box, one of a guest, and a word of a remote; and another box asks for the role."""
        h, b = self.house, self.backend
        with self.subTest(when):
            self.assertEqual(h.cli("add", CLIPS["q1"]["path"])[0], 0)
            n = self.songs
            b.request({"videoId": f"video {n}", "title": f"song {n}", "artist": f"band {n}", "duration": 60}, f"pay-{n}")
            self.songs += 2
            b.command("volume", volume=n)
            h.wait_status(lambda s: s["volume"] == n, 10, "the volume is what the remote said")
            wait_until(lambda: all(d["executedBy"] for d in b.documents("player_commands")), 20, "it is acknowledged")
            self.told()
            own, there = h.queue(), b.queue()
            mine = [t["id"] for t in own["main"] + own["requests"]]
            self.assertEqual(mine, [t["id"] for t in there["mainQueue"] + there["priorityQueue"]])
            self.assertEqual(len(mine), self.songs, "nothing is lost")
            self.assertGreater(there["$updatedAt"], self.stamp)
            self.stamp = there["$updatedAt"]
            answer = b.execute("player-registry", {"action": "register", "venueId": b.venue, "userAgent": "test",
                                                   "deviceId": "device_of_another_box"})[1]
            self.assertEqual((answer["success"], answer.get("reason")), (False, "MASTER_ACTIVE"), "the role is taken")

    def test_a_clock_that_jumps_while_all_runs(self):
        self.start_hub()
        self.start_player()
        self.find_hub()
        self.told()
        for when, hub, box in (("both are right", 0, 0), ("the box is ahead", 0, 10), ("the box is behind", 0, -10),
                               ("the hub is ahead", 10, 0), ("the hub is put right", 0, 0), ("the hub is behind", -10, 0),
                               ("one here, one there", -10, 10), ("and the other way round", 10, -10)):
            self.hub_wall.set(hub * YEAR)
            self.box_wall.set(box * YEAR)
            self.live(when)
        self.assertGreater(int(self.stamp[:4]), time.gmtime().tm_year + 8, "the hub saw another time")

    def test_a_box_that_boots_in_1970_and_hears_the_time_later(self):
        for wall in self.walls:
            wall.set_to(20)
        self.start_hub()
        self.start_player()
        self.find_hub()
        self.told()
        self.live("at the first boot")
        self.assertEqual(self.stamp[:4], "1970", "the hub knows no other time")
        for wall in self.walls:
            wall.set(0)
            self.live("one more knows the time")
        for program in (self.player, self.hub):
            program.kill()
            program.wait()
        for wall in self.walls:
            wall.set_to(30)
        self.start_hub()
        self.start_player()
        self.find_hub()
        self.told()
        self.live("booted in 1970 again")
        for wall in self.walls:
            wall.set(10 * YEAR)
            self.live("one more is set wrong")


if __name__ == "__main__":
    main()
