"""What a web admin writes into the venue's documents, and what the player makes of it: each row of the table of foreign
writes, and the commands of a remote that change the queue. Judged by what is presented and by the hub's documents."""
import json
import sqlite3
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import House, main, stop, wait_until
from backend import Backend
from venue_case import CLIPS, FPS, K1, K2, K3, VenueCase, is_connected

Q1, Q2 = CLIPS["q1"]["id"], CLIPS["q2"]["id"]
ONE, TWO = "Qeins-11111", "Qzwei-22222"     # what a venue knows of them


def song(id):
    return {"videoId": id, "title": id[:5], "artist": "Band", "duration": 3}


def ids(tracks):
    return [t["id"] for t in tracks]


class Venue(VenueCase):
    LIBRARY = {ONE: "q1", TWO: "q2"}

    def setUp(self):
        super().setUp()
        self.before = self.three_songs()["mainQueue"]

    def mark(self):
        """The song that plays: since when, and how far it is."""
        t, clip, frame = self.house.watch.now["A"][0], *self.house.watch.now["A"][2:]
        self.assertEqual(clip, K1)
        return t, frame

    def goes_on(self, mark):
        """The first song has played for a second more, in one piece: no picture of another, and none out of order."""
        t, frame = mark
        self.house.wait_frame(10, "the song goes on", clip=K1, after=frame + FPS)
        seen = [(clip, n) for _, _, clip, n in self.house.watch.events().codes("A", since=t)]
        self.assertEqual({clip for clip, _ in seen}, {K1})
        self.assertEqual([n for _, n in seen], sorted(n for _, n in seen), "it was not begun again")

    def to_the_end(self, clip):
        self.assertEqual(self.house.cli("seek", "18")[0], 0)
        self.house.wait_frame(20, "what follows", clip=clip)


class ForeignWrites(Venue):
    def test_another_song_of_the_queue_as_now_playing_is_played_now(self):
        third = self.before[2]
        self.backend.write_queue(nowPlaying={**third, "status": "playing"})
        self.house.wait_frame(10, "the third song", clip=K3, after=3)
        q = self.wait_queue(lambda q: q["mainQueue"][0]["id"] == third["id"] == q["nowPlaying"]["id"], "it is at the head")
        self.assertEqual(ids(q["mainQueue"])[-1], self.before[0]["id"], "what was left has had its turn")
        self.assertEqual(sorted(ids(q["mainQueue"])), sorted(ids(self.before)))
        self.same()

    def test_a_song_of_no_list_as_now_playing_is_played_once(self):
        self.backend.write_queue(nowPlaying={**song(ONE), "id": "f00df00df00df00df00d", "status": "playing"})
        self.house.wait_frame(10, "the song of no list", clip=Q1)
        self.house.wait_frame(10, "the main queue goes on after it", clip=K2)
        q = self.wait_queue(lambda q: q["nowPlaying"] and q["nowPlaying"]["id"] == self.before[1]["id"], "so says the hub")
        self.assertEqual(sorted(ids(q["mainQueue"])), sorted(ids(self.before)))
        self.same()

    def test_a_web_player_s_copy_of_what_plays_changes_nothing(self):
        mark = self.mark()
        first = self.before[0]
        stamp = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        for n in range(3):
            self.backend.write_queue(nowPlaying={"id": f"current_{time.time_ns() // 1000000}", "videoId": first["videoId"],
                                                 "title": first["title"], "requestedAt": stamp, "status": "playing"})
            self.wait_queue(lambda q: q["nowPlaying"] and q["nowPlaying"]["id"] == first["id"], "it is put right")
        self.goes_on(mark)
        self.assertEqual(ids(self.backend.queue()["mainQueue"]), ids(self.before))

    def test_a_song_taken_out_while_it_plays_is_finished_and_not_rotated(self):
        mark = self.mark()
        self.backend.write_queue(mainQueue=self.before[1:])
        wait_until(lambda: len(self.house.queue()["main"]) == 2, 10, "it is gone from the list here")
        self.goes_on(mark)
        self.to_the_end(K2)
        q = self.wait_queue(lambda q: q["nowPlaying"] and q["nowPlaying"]["id"] == self.before[1]["id"], "the second plays")
        self.assertEqual(ids(q["mainQueue"]), ids(self.before[1:]))
        self.same()

    def test_a_request_taken_out_while_it_plays_is_finished_and_completed(self):
        h, b = self.house, self.backend
        third = self.before[2]
        b.request({"videoId": third["videoId"], "title": third["title"], "artist": "Band", "duration": 20}, "pay-1")
        wait_until(lambda: len(h.queue()["requests"]) == 1, 10, "the request is here")
        self.assertEqual(h.cli("skip")[0], 0)
        h.wait_frame(10, "the request plays", clip=K3, after=3)
        self.wait_queue(lambda q: q["nowPlaying"] and q["nowPlaying"].get("paymentId") == "pay-1", "so says the hub")
        b.write_queue(priorityQueue=[])
        wait_until(lambda: not h.queue()["requests"], 10, "it is gone from the list here")
        h.wait_frame(10, "it plays on", clip=K3, after=h.watch.now["A"][3] + FPS)
        self.to_the_end(K2)
        wait_until(lambda: b.documents("requests")[0]["status"] == "completed", 10, "it was played to its end")
        self.assertEqual(h.queue()["requests"], [])

    def test_with_both_lists_emptied_the_song_ends_and_the_default_playlist_follows(self):
        h, b = self.house, self.backend
        status, _ = b.ask("PATCH", b.path("playlists", "default_playlist"),
                          {"data": {"tracks": json.dumps([song(ONE), song(TWO)])}})
        self.assertEqual(status, 200)
        mark = self.mark()
        b.write_queue(mainQueue=[], priorityQueue=[])
        wait_until(lambda: h.queue()["main"] == [], 10, "the lists are empty here")
        self.goes_on(mark)
        self.to_the_end(Q1)
        h.wait_frame(10, "and the second one of the playlist", clip=Q2)
        q = self.wait_queue(lambda q: len(q["mainQueue"]) == 2, "the playlist is in the document")
        self.assertEqual(sorted(t["videoId"] for t in q["mainQueue"]), [ONE, TWO])
        pins = wait_until(lambda: [e for e in h.ask("cache", do="list")["entries"] if e["pin"]], 10, "it is the house playlist")
        self.assertEqual(sorted((e["key"], e["pin"]) for e in pins), [(ONE, "house"), (TWO, "house")])
        self.same()

    def test_a_document_that_is_deleted_is_made_again_with_all_that_is_held_here(self):
        h, b = self.house, self.backend
        old = b.queue()
        mark = self.mark()
        self.assertEqual(b.ask("DELETE", b.path("queues", old["$id"]))[0], 204)

        def made():
            found = [d for d in b.documents("queues") if d["venueId"] == b.venue]
            return found and b.queue()
        q = wait_until(made, 20, "the venue has a document again")
        self.assertGreater(q["$sequence"], old["$sequence"])
        self.assertEqual((ids(q["mainQueue"]), q["nowPlaying"]["id"]), (ids(self.before), self.before[0]["id"]))
        self.goes_on(mark)
        b.write_queue(mainQueue=self.before[:2])
        wait_until(lambda: len(h.queue()["main"]) == 2, 10, "it is followed like the one before")
        self.assertEqual(h.cli("skip")[0], 0)
        h.wait_frame(10, "the second song", clip=K2)
        self.wait_queue(lambda q: q["nowPlaying"] and q["nowPlaying"]["id"] == self.before[1]["id"], "and written")


class QueueCommands(Venue):
    def tearDown(self):
        done = lambda: all(d["executedBy"] and d["executedAt"] for d in self.backend.documents("player_commands"))
        wait_until(done, 20, "all commands are acknowledged")
        self.same()

    def test_queue_add_puts_a_song_last_or_next(self):
        self.backend.command("queue_add", **song(ONE))
        q = self.wait_queue(lambda q: len(q["mainQueue"]) == 4, "it is there")
        self.assertEqual(q["mainQueue"][3]["videoId"], ONE)
        self.backend.command("queue_add", track=song(TWO), atFront=True)
        q = self.wait_queue(lambda q: len(q["mainQueue"]) == 5, "the second, too")
        self.assertEqual([t["videoId"] for t in q["mainQueue"][1:2]], [TWO])
        self.assertEqual(len(set(ids(q["mainQueue"]))), 5, "each entry has an id of its own")
        self.house.cli("skip")
        self.house.wait_frame(10, "it plays", clip=Q2)

    def test_queue_remove_takes_out_what_it_names(self):
        mark = self.mark()
        self.backend.command("queue_remove", id=self.before[1]["id"])
        q = self.wait_queue(lambda q: len(q["mainQueue"]) == 2, "it is gone")
        self.assertEqual(ids(q["mainQueue"]), [self.before[0]["id"], self.before[2]["id"]])
        self.goes_on(mark)
        self.backend.command("queue_remove", id=self.before[0]["id"])
        self.house.wait_frame(10, "what played is gone, the next plays", clip=K3)
        q = self.wait_queue(lambda q: q["nowPlaying"] and q["nowPlaying"]["id"] == self.before[2]["id"], "so says the hub")
        self.assertEqual(ids(q["mainQueue"]), [self.before[2]["id"]], "and is not rotated")

    def test_queue_move_changes_the_order_but_not_what_plays(self):
        mark = self.mark()
        first, second, third = ids(self.before)
        self.backend.command("queue_move", id=third, position=0)
        self.wait_queue(lambda q: ids(q["mainQueue"]) == [first, third, second], "it is next")
        self.goes_on(mark)
        self.house.cli("skip")
        self.house.wait_frame(10, "it plays", clip=K3)

    def test_load_playlist_replaces_the_main_queue_and_ends_nothing(self):
        mark = self.mark()
        self.backend.create("playlists", {"playlistId": "evening", "name": "Evening", "ownerId": "staff",
                                          "tracks": json.dumps([song(ONE), song(TWO)]),
                                          "createdAt": "2025-10-16T06:05:33.410Z"}, "evening")
        self.backend.command("load_playlist", playlistId="evening")
        q = self.wait_queue(lambda q: [t["videoId"] for t in q["mainQueue"]] == [ONE, TWO], "its songs are there")
        self.assertEqual(q["nowPlaying"]["id"], self.before[0]["id"])
        self.goes_on(mark)
        self.house.cli("skip")
        self.house.wait_frame(10, "its first song", clip=Q1)

    def test_a_playlist_that_nobody_has_is_told_and_changes_nothing(self):
        self.backend.command("load_playlist", playlistId="morning")
        self.house.wait_status(lambda s: "playlist" in s["backend"]["problem"], 10, "it is told")
        self.assertEqual(ids(self.backend.queue()["mainQueue"]), ids(self.before))


class OldCommands(VenueCase):
    """A box that was off: what was ordered long before is not done any more, but acknowledged."""

    def setUp(self):
        self.house = h = House(screen=False)
        h.closes_after(self)
        h.start("djamms-hub", "--listen", "127.0.0.1:0", "--state-dir", h.state, "--runtime-dir", h.runtime)
        self.backend = Backend(h)
        self.start()
        self.wait_queue(lambda q: len(q["mainQueue"]) == 1, "the hub has the song")

    def start(self):
        self.player = self.house.start("djamms-player", *self.house.sets(), CLIPS["k1"]["path"])
        self.house.wait_status(lambda s: is_connected(s) and s["backend"]["role"] == "master", 20, "it has the venue")

    def make_older(self, command, seconds):
        """As if it had been written so long ago, by the clock of the hub."""
        db = sqlite3.connect(self.house.state / "hub" / "hub.db", timeout=20)
        with db:
            n = db.execute("UPDATE documents SET created_ms = created_ms - ? WHERE id = ?",
                           (seconds * 1000, command["$id"])).rowcount
        db.close()
        self.assertEqual(n, 1)

    def test_a_command_older_than_30_s_is_acknowledged_and_not_done(self):
        b = self.backend
        volume = self.house.status()["volume"]
        self.assertEqual(stop(self.player), 0)
        for old in (b.command("volume", volume=11), b.command("queue_clear")):
            self.make_older(old, 31)
        b.command("mute")
        self.start()
        self.house.wait_status(lambda s: s["is_muted"], 10, "what was ordered just now is done")
        done = lambda: all(d["executedBy"] and d["executedAt"] for d in b.documents("player_commands"))
        wait_until(done, 20, "all are acknowledged")
        self.assertEqual(self.house.status()["volume"], volume)
        self.assertEqual(len(self.house.queue()["main"]), 1)
        self.assertEqual(len(b.queue()["mainQueue"]), 1)


if __name__ == "__main__":
    main()
