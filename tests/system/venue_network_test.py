"""A player and its backend with a faulty network between them: whatever it does, the music's queue goes on here, and after
it both hold the same, with nothing lost and nothing twice."""
import json
import sqlite3
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import House, load_clips, main, stop, wait_until
from far_backend import FarBackend
from screen import read_png

CLIPS = load_clips()


class Behind(unittest.TestCase):
    """A box whose server is behind a network that may be gone."""

    def open(self, **how):
        self.house = h = House(**how)
        h.closes_after(self)
        self.backend = FarBackend(h)
        self.relay, self.settings = self.backend.relay, self.backend.settings
        self.addCleanup(self.relay.close)


class Network(Behind):
    def setUp(self):
        self.open(screen=False)
        self.house.start("djamms-player", *self.house.sets(**self.settings), CLIPS["k1"]["path"])
        self.songs = 1
        self.connected(20)

    def connected(self, seconds):
        self.house.wait_status(lambda s: s["backend"]["link"] == "connected" and s["backend"]["role"] == "master", seconds,
                               "connected")

    def change_both(self):
        """A song is added here, another there, while the network is what it is."""
        h = self.house
        self.assertEqual(h.cli("add", CLIPS["q1"]["path"])[0], 0, "the box goes on")
        self.backend.request({"videoId": f"v{self.songs}", "title": f"song {self.songs}", "artist": f"band {self.songs}",
                              "duration": 60}, f"pay-{self.songs}")
        self.songs += 2

    def agree(self, seconds):
        def same():
            own, there = self.house.queue(), self.backend.queue()
            mine = [t["id"] for t in own["main"] + own["requests"]]
            return len(mine) == self.songs and mine == [t["id"] for t in there["mainQueue"] + there["priorityQueue"]]
        wait_until(same, seconds, f"both hold the same {self.songs} songs")

    def test_connections_that_are_cut_again_and_again(self):
        for _ in range(10):
            self.relay.tell("cut")
            self.change_both()
            self.relay.tell("cut")
        self.agree(40)
        self.connected(40)

    def test_a_network_that_is_gone_for_a_while(self):
        self.relay.tell("refuse")
        self.relay.tell("cut")
        self.change_both()
        self.house.wait_status(lambda s: s["backend"]["link"] == "disconnected" and s["backend"]["pending"] > 0, 20,
                               "it says so")
        self.relay.tell("pass")
        self.agree(40)
        self.connected(40)

    def test_a_half_open_connection_is_noticed(self):
        self.relay.tell("stall")
        self.change_both()
        self.house.wait_status(lambda s: s["backend"]["link"] != "connected", 80, "the silence is noticed")
        self.relay.tell("pass")
        self.agree(60)
        self.connected(60)

    def test_a_line_of_1_kB_a_second(self):
        self.relay.tell("slow 1000")
        self.change_both()
        wait_until(lambda: len(self.backend.queue()["mainQueue"]) == 2, 90, "what was added here has got through")
        self.relay.tell("pass")
        self.agree(60)

    def test_answers_that_are_none(self):
        for what in ("500", "html", "429"):
            with self.subTest(what):
                self.relay.tell(f"answer {what} 5")
                self.change_both()
                self.agree(120)     # a 429 keeps it from writing for a minute
        self.connected(40)

    def grow(self, tracks):
        """So many more tracks in the venue's document, behind the back of the hub, which would refuse them."""
        song = {"title": "x" * 200, "artist": "band", "duration": 60, "requestedAt": "2025-10-16T06:05:33.410Z"}
        q = self.backend.queue()
        text = json.dumps(q["mainQueue"] + [{"id": f"{i:020x}", "videoId": f"v{i}", **song} for i in range(tracks)])
        db = sqlite3.connect(self.house.tmp / "hub" / "data" / "hub.db", timeout=20)
        with db:
            db.execute("UPDATE documents SET data = json_set(data, '$.mainQueue', ?) WHERE collection = 'queues'", (text,))
        db.close()
        status, grown = self.backend.ask("PATCH", self.backend.path("queues", q["$id"]), {"data": {"updatedAt": None}})
        self.assertEqual(status, 200)
        self.assertGreater(len(json.dumps(grown)), 2_000_000)
        return q

    def test_a_document_of_2_MB_is_told_and_costs_nothing(self):
        h = self.house
        wait_until(lambda: self.backend.queue()["mainQueue"] and h.status()["backend"]["pending"] == 0, 20, "all is told")
        before = self.grow(6500)
        h.wait_status(lambda s: "longer than 100000 characters" in s["backend"]["problem"], 20, "it is told")
        self.assertEqual(h.cli("add", CLIPS["q1"]["path"])[0], 0)
        self.assertEqual(len(h.queue()["main"]), 2, "its own queue goes on")
        events = h.status()["backend"]["events"]
        for n in range(10):
            self.backend.ask("PATCH", self.backend.path("queues", before["$id"]), {"data": {"updatedAt": None}})
            s = h.wait_status(lambda s: s["backend"]["events"] > events + n, 20, "it is told of again")
        self.assertGreater(s["backend"]["pending"], 0, "what was added is not forgotten")
        self.assertEqual(s["backend"]["conflicts"], 0, "nor told to a document that is not understood")
        self.assertEqual(self.backend.queue()["mainQueue"][1]["videoId"], "v0")
        self.backend.write_queue(mainQueue=before["mainQueue"])
        self.songs += 1
        self.agree(20)
        h.wait_status(lambda s: not s["backend"]["problem"], 20, "all is well again")

    def test_events_that_are_lost_doubled_and_out_of_order(self):
        for what in ("drop", "double", "swap") * 2:
            self.relay.tell(f"{what} 3")
            self.change_both()
        self.agree(90)              # what was lost is found by the reconciliation of every minute

    def test_a_song_that_is_twice_there_without_id_or_file_is_passed_over(self):
        twin = {"videoId": "dQw4w9WgXcQ", "title": "twin", "artist": "band", "duration": 60}
        wait_until(lambda: self.backend.queue()["mainQueue"], 20, "the venue has the song")
        self.backend.write_queue(mainQueue=self.backend.queue()["mainQueue"] + [twin, twin])
        wait_until(lambda: len(self.house.queue()["main"]) == 3, 20, "the box knows them, and answers")
        wait_until(lambda: sum("unplayable" in t for t in self.backend.queue()["mainQueue"]) == 2, 20, "both are marked")

    def test_events_held_back_for_long_and_windows_of_them_reversed(self):
        for what in ("hold 4", "reverse 5", "hold 9", "reverse 8"):
            self.relay.tell(what)
            for _ in range(4):
                self.change_both()
        self.agree(20)

    def test_what_a_remote_said_last_counts_in_whatever_order_it_arrives(self):
        self.relay.tell("reverse 5")
        for volume in (10, 20, 30, 40, 50):
            self.backend.command("volume", volume=volume)
        done = lambda: all(d["executedBy"] for d in self.backend.documents("player_commands"))
        wait_until(done, 20, "all are acknowledged")
        self.assertEqual(self.house.status()["volume"], 50)


# What a picture of the screen has of the connection's mark, at the lower right: red, amber, green.
MARKS = {"disconnected": (255, 109, 90), "connecting": (255, 198, 75), "connected": (95, 211, 141)}


class ColdStart(Behind):
    """It has a screen, too."""

    def setUp(self):
        self.open()
        self.settings["hub_enabled"] = "no"

    def settled(self):
        self.house.wait_status(lambda s: s["backend"]["link"] == "connected" and s["backend"]["role"] == "master" and
                               s["backend"]["pending"] == 0, 40, "connected, and all is told")

    def mark(self):
        """The connection as the screen shows it; None: it shows none."""
        path = self.house.tmp / "shot.png"
        code, _, error = self.house.cli("screenshot", path)
        self.assertEqual(code, 0, error)
        w, h, rows, bpp = read_png(path)
        seen = {tuple(row[x * bpp:x * bpp + 3]) for row in rows[h * 4 // 5:] for x in range(w * 3 // 4, w)}
        found = [link for link, colour in MARKS.items()
                 if any(all(abs(a - b) <= 3 for a, b in zip(pixel, colour)) for pixel in seen)]
        self.assertLess(len(found), 2, "one at a time")
        return found[0] if found else None

    def test_a_box_that_starts_without_its_server_plays_what_it_held_and_both_agree_later(self):
        h = self.house
        up = h.up(*[CLIPS[n]["path"] for n in ("k1", "k2")], **self.settings)
        h.wait_frame(20, "it plays", clip=CLIPS["k1"]["id"], after=3)
        self.settled()
        self.assertEqual(h.cli("skip")[0], 0)
        h.wait_frame(10, "the second song", clip=CLIPS["k2"]["id"])
        self.settled()
        before = [t["id"] for t in h.queue()["main"]]
        stop(up)
        self.relay.tell("refuse")
        self.relay.tell("cut")
        since = h.watch.now["A"][0]
        h.up(**self.settings)
        h.wait_frame(10, "the song goes on", clip=CLIPS["k2"]["id"], since=since)
        s = h.status()
        self.assertNotEqual(s["backend"]["link"], "connected")
        self.assertEqual([t["id"] for t in h.queue()["main"]], before)
        self.assertEqual(h.cli("add", CLIPS["q1"]["path"])[0], 0)
        self.relay.tell("pass")
        self.settled()
        there = self.backend.queue()
        self.assertEqual([t["id"] for t in there["mainQueue"]], [t["id"] for t in h.queue()["main"]])
        self.assertEqual(there["nowPlaying"]["id"], h.status()["now"]["id"])

    def test_the_screen_shows_the_connection_as_it_is(self):
        h = self.house
        h.up(CLIPS["k1"]["path"], **self.settings)
        h.wait_frame(20, "it plays")
        self.settled()
        wait_until(lambda: self.mark() == "connected", 20, "a green mark")
        self.relay.tell("stall")    # whoever dials now waits
        self.relay.tell("cut")
        wait_until(lambda: self.mark() == "connecting", 40, "an amber one while it dials")
        self.relay.tell("refuse")
        self.relay.tell("cut")
        wait_until(lambda: self.mark() == "disconnected", 40, "a red one")
        self.assertEqual(h.status()["backend"]["link"], "disconnected")
        self.relay.tell("pass")
        wait_until(lambda: self.mark() == "connected", 40, "and green again")


if __name__ == "__main__":
    main()
