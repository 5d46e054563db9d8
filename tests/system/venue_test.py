"""The player in agreement with the hub of its house, and two players of one venue: judged by what is presented, by the
documents of the hub, and by what the player says."""
import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import House, main, stop, wait_until
from backend import Backend
from hubrig import DATABASE, PASSWORD, PROJECT, VENUE, Hub, documents
from venue_case import CLIPS, FPS, K1, K2, K3, NAMES, VenueCase, is_connected


class WithHub(VenueCase):
    # ---- what is done at the box is at the hub

    def test_songs_of_the_command_line_and_what_plays_are_in_the_document(self):
        q = self.wait_queue(lambda q: len(q["mainQueue"]) == 3 and q["nowPlaying"], "three songs and what plays")
        self.assertEqual(q["nowPlaying"]["id"], q["mainQueue"][0]["id"])
        self.assertEqual(self.house.cli("add", "--request", "Ana", CLIPS["q1"]["path"])[0], 0)
        self.wait_queue(lambda q: len(q["priorityQueue"]) == 1, "the request")
        self.assertEqual(self.house.cli("remove", "main:2")[0], 0)
        self.wait_queue(lambda q: len(q["mainQueue"]) == 2, "one was removed")
        self.assertEqual(self.house.cli("skip")[0], 0)
        self.house.wait_frame(10, "the request plays", clip=CLIPS["q1"]["id"])
        self.wait_queue(lambda q: q["nowPlaying"]["id"] == q["priorityQueue"][0]["id"], "it is what plays there, too")
        self.same()

    # ---- what is done at the hub is on the screen

    def test_a_song_taken_out_far_away_is_gone_here(self):
        q = self.wait_queue(lambda q: len(q["mainQueue"]) == 3 and q["nowPlaying"], "three songs")
        self.backend.write_queue(mainQueue=[t for t in q["mainQueue"] if t["id"] != q["mainQueue"][1]["id"]])
        wait_until(lambda: len(self.house.queue()["main"]) == 2, 10, "two are left here")
        self.house.cli("skip")
        self.house.wait_frame(10, "the third follows the first", clip=K3)

    def test_now_playing_set_to_null_is_a_skip(self):
        self.wait_queue(lambda q: q["nowPlaying"], "what plays is there")
        self.backend.write_queue(nowPlaying=None)
        self.house.wait_frame(10, "the next plays", clip=K2, after=3)
        q = self.wait_queue(lambda q: q["nowPlaying"] and q["nowPlaying"]["id"] == q["mainQueue"][0]["id"], "and is there")
        self.assertEqual(len(q["mainQueue"]), 3)
        self.same()

    def test_an_event_is_timed_from_its_arrival_to_the_screen(self):
        h = self.house
        q = self.wait_queue(lambda q: len(q["mainQueue"]) == 3 and q["nowPlaying"], "three songs")

        def hops():
            return {hop["name"]: hop for hop in h.ask("latency")["hops"]}
        before = hops()["event"]["count"]
        for n in range(1, 6):
            own = dict(q["mainQueue"][1], id=f"{n:020x}")
            self.backend.write_queue(mainQueue=[*self.backend.queue()["mainQueue"], own])
            wait_until(lambda: hops()["event"]["count"] >= before + n, 10, f"number {n} was seen on the screen")
        seen = hops()
        self.assertEqual(seen["event"]["count"], before + 5, "each once")
        self.assertGreater(seen["event"]["max_ms"], seen["view"]["p50_ms"], "it is the longer way")
        self.assertLess(seen["event"]["p50_ms"], 1000)

    def test_each_hop_is_timed_and_shown_with_its_percentiles(self):
        h = self.house
        q = self.wait_queue(lambda q: len(q["mainQueue"]) == 3 and q["nowPlaying"], "three songs")
        self.assertEqual(h.cli("add", CLIPS["q1"]["path"])[0], 0)
        q = self.wait_queue(lambda q: len(q["mainQueue"]) == 4, "the fourth")
        self.backend.write_queue(mainQueue=[q["mainQueue"][0], *reversed(q["mainQueue"][1:])])
        wait_until(lambda: all(hop["count"] for hop in h.ask("latency")["hops"]), 20, "each was measured")
        code, out, error = h.cli("status", "--latency")
        self.assertEqual(code, 0, error)
        head, *rows = out.splitlines()
        self.assertEqual(head.split(), ["count", "P50", "ms", "P95", "ms", "P99", "ms"])
        shown = {row[:32].strip(): [float(x) for x in row[32:].split()] for row in rows}
        self.assertEqual(sorted(shown), ["a change -> on a screen", "an action -> other processes", "an event -> in the queue",
                                         "an event -> on a screen", "an own change -> at the server",
                                         "an own change -> on disk"])
        for name, (count, p50, p95, p99) in shown.items():
            self.assertTrue(count >= 1 and 0 < p50 <= p95 <= p99 < 10000, f"{name}: {shown[name]}")

    def test_commands_of_a_remote_are_done_once_and_acknowledged(self):
        h, b = self.house, self.backend
        b.command("volume", volume=31)
        h.wait_status(lambda s: s["volume"] == 31, 10, "the volume")
        b.command("mute")
        h.wait_status(lambda s: s["is_muted"], 10, "muted")
        b.command("unmute")
        h.wait_status(lambda s: not s["is_muted"], 10, "heard again")
        b.command("pause")
        h.wait_status(lambda s: s["state"] == "paused", 10, "paused")
        b.command("seek", position=9)
        h.wait_status(lambda s: 8.9 < s["now"]["position_s"] < 9.5, 10, "the place sought")
        b.command("play")
        h.wait_status(lambda s: s["state"] == "playing", 10, "playing")
        b.command("skip")
        h.wait_frame(10, "the second song", clip=K2)
        b.command("previous")
        h.wait_frame(10, "the first again", clip=K1, since=h.watch.now["A"][0])
        b.command("queue_shuffle")
        b.command("queue_clear", queue="main")
        wait_until(lambda: len(h.queue()["main"]) <= 1, 10, "cleared")
        wait_until(lambda: all(d["executedBy"] for d in b.documents("player_commands")), 20, "all are acknowledged")
        player = b.execute("player-registry", {"action": "register", "venueId": b.venue, "userAgent": "test",
                                               "deviceId": (h.state / "device").read_text()})[1]
        self.assertEqual(player["status"], "reconnected")
        self.assertEqual({d["executedBy"] for d in b.documents("player_commands")}, {player["playerId"]})
        self.same()

    def test_a_paid_request_plays_once_and_is_completed(self):
        h, b = self.house, self.backend
        song = self.wait_queue(lambda q: len(q["mainQueue"]) == 3, "three songs")["mainQueue"][2]
        b.request({"videoId": song["videoId"], "title": song["title"], "artist": song["artist"], "duration": 20}, "pay-1")
        wait_until(lambda: len(h.queue()["requests"]) == 1, 10, "the request is here")
        self.assertEqual(h.cli("skip")[0], 0)
        h.wait_frame(10, "the request plays", clip=K3)
        wait_until(lambda: b.documents("requests")[0]["status"] == "playing", 10, "its document says so")
        self.assertEqual(h.cli("seek", "18")[0], 0)
        h.wait_frame(20, "then the main queue goes on", clip=K2)
        wait_until(lambda: b.documents("requests")[0]["status"] == "completed", 10, "it is completed")
        self.assertEqual(h.queue()["requests"], [])

    # ---- without the hub

    def test_with_the_hub_killed_the_music_goes_on_and_later_both_agree(self):
        h = self.house
        t = h.watch.now["A"][0]
        self.kill("djamms-hub")
        self.assertEqual(h.cli("add", CLIPS["q1"]["path"])[0], 0)
        self.assertEqual(h.cli("skip")[0], 0)
        h.wait_frame(10, "the second song", clip=K2, since=t)
        h.wait_status(is_connected, 40, "the hub is back and so is the connection")
        self.wait_queue(lambda q: len(q["mainQueue"]) == 4, "what was added meanwhile is there")
        self.same()

    def test_with_the_player_killed_the_hub_s_changes_are_found_later(self):
        h, b = self.house, self.backend
        q = self.wait_queue(lambda q: len(q["mainQueue"]) == 3 and q["nowPlaying"], "three songs")
        self.kill("djamms-player")
        b.write_queue(mainQueue=q["mainQueue"][:2])
        h.wait_status(lambda s: s["counts"]["main"] == 2, 20, "the third is gone here, too")
        h.wait_frame(10, "the first still plays", clip=K1, after=2 * FPS)

    def test_the_screen_shows_the_connection(self):
        h = self.house
        h.wait_status(is_connected, 10, "connected")
        code, out, _ = h.cli("status")
        self.assertEqual(code, 0)
        self.assertIn("connected, venue venue-001", out)


class Joining(unittest.TestCase):
    def setUp(self):
        self.house = House(screen=False)
        self.house.closes_after(self)

    def test_a_queue_of_before_there_was_a_hub_goes_to_it(self):
        h = self.house
        p = h.up(*[CLIPS[n]["path"] for n in NAMES], backend_kind="none")
        self.assertIsNone(h.status()["backend"])
        before = [t["id"] for t in h.queue()["main"]]
        stop(p)
        h.up()
        backend = Backend(h)
        wait_until(lambda: len(backend.queue()["mainQueue"]) == 3, 20, "the hub has the songs")
        self.assertEqual(sorted(t["id"] for t in backend.queue()["mainQueue"]), sorted(before))
        self.assertEqual(sorted(t["id"] for t in h.queue()["main"]), sorted(before))

    def settings_of(self, hub):
        """As House.start() takes them, and as words of a command line."""
        settings = dict(backend_kind="appwrite", backend_endpoint=hub.url, backend_project=PROJECT,
                        backend_database=DATABASE, backend_venue=VENUE)
        words = [x for x in self.house.sets(**settings) if x.startswith("backend")]
        return settings, [x for w in words for x in ("--set", w)]

    def test_pair_signs_the_box_in_once_and_keeps_no_password(self):
        h = self.house
        with Hub().provision("staff") as hub:
            hub.start()
            settings, options = self.settings_of(hub)
            secret, wrong = h.tmp / "secret", h.tmp / "wrong"
            secret.write_text(PASSWORD + "\n")
            wrong.write_text("no-" + PASSWORD + "\n")
            h.start("djamms-player", *h.sets(**settings))
            h.wait_status(lambda s: "pair" in s["backend"]["problem"], 20, "the player says what is missing")
            code, _, error = h.cli("pair", "staff@house.test", "--password-file", wrong, *options)
            self.assertEqual((code, "does not know" in error), (1, True), error)
            self.assertFalse((h.state / "session.json").exists())
            code, out, error = h.cli("pair", "staff@house.test", "--password-file", secret, *options)
            self.assertEqual(code, 0, error)
            kept = h.state / "session.json"
            self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
            self.assertNotIn(PASSWORD, kept.read_text() + out)
            h.wait_status(lambda s: is_connected(s) and s["backend"]["role"] == "master", 20, "it is taken up at once")
            log = next(p for p in h.started if "player" in p.args[0].name).log.read_text()
            self.assertNotIn(json.loads(kept.read_text())["session"], log, "the session is never logged")

    def test_a_token_of_the_hub_signs_the_box_in_without_a_password(self):
        h = self.house
        with Hub().provision("staff") as hub:
            hub.start()
            settings, options = self.settings_of(hub)
            token = hub.admin("token", "staff@house.test")["token"]
            h.start("djamms-player", *h.sets(**settings))
            code, out, error = h.cli("pair", "--token-file", "-", *options, input=token + "\n")
            self.assertEqual(code, 0, error)
            self.assertNotIn(token.split(":")[1], (h.state / "session.json").read_text() + out)
            h.wait_status(lambda s: is_connected(s) and s["backend"]["role"] == "master", 20, "it is taken up at once")
            code, _, error = h.cli("pair", "--token", token, *options)
            self.assertEqual((code, "does not take this token" in error), (1, True), error)

    def test_a_session_that_ends_is_told_the_music_goes_on_and_a_new_one_mends_it(self):
        h = self.house
        with Hub().provision("staff") as hub:
            hub.start()
            settings, options = self.settings_of(hub)
            secret = h.tmp / "secret"
            secret.write_text(PASSWORD + "\n")
            pair = ("pair", "staff@house.test", "--password-file", secret, *options)
            self.assertEqual(h.cli(*pair)[0], 0)
            h.up(CLIPS["k1"]["path"], hub_enabled="no", **settings)
            h.wait_status(lambda s: is_connected(s) and s["backend"]["role"] == "master" and s["state"] == "playing" and
                          s["backend"]["pending"] == 0 and not s["backend"]["problem"], 20, "it has the venue, and plays")
            other = {"X-Appwrite-Session": hub.sign_in("staff")}
            self.assertEqual(hub.ask("DELETE", "/v1/account/sessions", headers=other, key=False).status, 204)
            self.assertEqual(h.cli("add", CLIPS["q1"]["path"])[0], 0, "the box goes on")
            s = h.wait_status(lambda s: "pair it again" in s["backend"]["problem"], 20, "staff is told what helps")
            self.assertEqual((s["state"], s["backend"]["pending"]), ("playing", 1))
            self.assertEqual(h.cli(*pair)[0], 0)
            h.wait_status(lambda s: s["backend"]["pending"] == 0 and not s["backend"]["problem"], 20, "all is told")
            there = json.loads(hub.ask("GET", documents("queues", VENUE)).json["mainQueue"])
            self.assertEqual([t["id"] for t in there], [t["id"] for t in h.queue()["main"]])

    def test_the_zone_s_player_and_its_hub_speak_tls_by_a_certificate_of_any_name(self):
        h = self.house
        certificate, key = h.tmp / "certificate.pem", h.tmp / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=jukebox.bar.example", "-keyout", key, "-out", certificate, "-days", "30"],
                       check=True, capture_output=True)
        h.up(CLIPS["k1"]["path"], hub_certificate=certificate, hub_key=key)
        h.wait_status(lambda s: is_connected(s) and s["backend"]["role"] == "master" and s["backend"]["pending"] == 0, 20,
                      "the player has the venue, by requests and by the socket")
        notice = json.loads((h.runtime / "hub.json").read_text())
        self.assertTrue(notice["url"].startswith("https://127.0.0.1:"), notice["url"])


class TwoPlayers(unittest.TestCase):
    def two(self):
        """Two houses of one venue, with a hub of its own, and the settings of both."""
        first, second = House(), House()
        for h in (first, second):
            h.closes_after(self)
        folder = first.tmp / "hub"
        first.start("djamms-hub", "--listen", "127.0.0.1:0", "--data", folder / "data", "--runtime-dir", folder)
        n = Backend(first, folder).notice
        settings = dict(backend_kind="appwrite", backend_endpoint=n["url"], backend_project=n["project"],
                        backend_database=n["database"], backend_venue=n["venue"], hub_enabled="no")
        for h in (first, second):
            (h.state / "session.json").write_text(json.dumps({"endpoint": n["url"], "session": n["session"]}))
        return first, second, settings

    def test_the_second_waits_and_takes_over_when_the_first_has_gone(self):
        first, second, settings = self.two()
        up = first.up(*[CLIPS[n]["path"] for n in NAMES], **settings)
        first.wait_status(lambda s: s["backend"]["role"] == "master" and s["counts"]["main"] == 3, 20, "the first has it")
        second.up(**settings)
        s = second.wait_status(lambda s: s["backend"]["role"] == "other" and s["notice"], 20, "the second waits")
        self.assertIn("Another player", s["notice"]["title"])
        self.assertEqual((s["state"], s["now"]), ("idle", None))
        wait_until(lambda: len(second.queue()["main"]) == 3, 10, "it knows the queue")
        self.assertEqual(second.cli("skip")[0], 1, "what plays is not its to end")
        self.assertEqual(second.cli("add", CLIPS["q1"]["path"])[0], 0)
        wait_until(lambda: len(first.queue()["main"]) == 4, 10, "a song added there is here")
        stop(up)
        second.wait_status(lambda s: s["backend"]["role"] == "master", 1, "it takes over at once")
        second.wait_frame(10, "and plays")

    def test_an_idle_venue_is_handed_over_at_once_too(self):
        first, second, settings = self.two()
        up = first.up(**settings)
        first.wait_status(lambda s: s["backend"]["role"] == "master", 20, "the first has it")
        second.up(**settings)
        second.wait_status(lambda s: s["backend"]["role"] == "other" and is_connected(s), 20, "the second waits")
        stop(up)
        second.wait_status(lambda s: s["backend"]["role"] == "master", 1, "it takes over at once")


if __name__ == "__main__":
    main()
