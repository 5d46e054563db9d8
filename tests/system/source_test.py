"""Songs that are brought from elsewhere by a running player, with the real yt-dlp and a server with faults: what is added by its
address is seen on the screen; what fails or is late is passed over meanwhile, and said; killed programs leave nothing bad."""
import http.client
import json
import os
import shutil
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from backend import Backend
from faulty import Faulty
from house import SLOW, House, load_clips, main, stop, wait_until
from screen import MS

CLIPS = load_clips()
FILES = {n: Path(CLIPS[n]["path"]).name for n in ("s1", "s2", "q1", "k1", "k2", "k3", "c1")}
ID = {n: CLIPS[n]["id"] for n in FILES}
YT_DLP = os.environ.get("DJAMMS_YT_DLP")    # another one than the system's


class Rig(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="djamms-web-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        for n, name in FILES.items():
            shutil.copy(CLIPS[n]["path"], cls.folder / name)
        subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-i", FILES["s2"], "-c", "copy", "-f",
                        "hls", "-hls_time", "2", "-hls_list_size", "0", "-hls_segment_filename", "hls%d.ts", "s2.m3u8"],
                       check=True, cwd=cls.folder)
        (cls.folder / "live.m3u8").write_text((cls.folder / "s2.m3u8").read_text().replace("#EXT-X-ENDLIST", ""))

    def setUp(self):
        self.server = Faulty(self.folder)
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.house = House()
        self.house.closes_after(self)
        self.cache = self.house.tmp / "cache"

    def up(self, *files, **sets):
        more = {"fetch_yt_dlp": YT_DLP} if YT_DLP else {}
        return self.house.up(*files, cache_dir=self.cache, cache_free_floor=0, **more, **sets)

    def url(self, faults, clip, mark=""):
        return self.server.url(f"{faults}/{FILES.get(clip, clip)}" + (f"?{mark}" if mark else ""))

    def add(self, *what, options=()):
        code, out, error = self.house.cli("add", *options, *what)
        self.assertEqual(code, 0, out + error)

    def entry(self, url):
        q = self.house.queue()
        return next((t for t in q["requests"] + q["main"] if t["source"] == url), None)

    def entries(self):
        """What the cache holds: file name of the address -> entry."""
        return {e["title"]: e for e in self.house.ask("cache", do="list")["entries"] if e["is_here"]}

    def fetching(self, url):
        e = self.entry(url)
        return e and "being fetched" in e["waits"] and self.house.workers()

    def assert_whole(self, *clips):
        """The cache holds just these, each once and to the byte; nothing is damaged."""
        files = sorted(self.cache.glob("media/*/*/media.*"))
        self.assertEqual(sorted(f.read_bytes() for f in files),
                         sorted((self.folder / FILES[c]).read_bytes() for c in clips))
        code, out, error = self.house.cli("cache", "verify", "--deep")
        self.assertEqual(code, 0, out + error)


class Source(Rig):
    def test_what_is_added_by_its_address_plays_and_the_next_follows_without_a_gap(self):
        h = self.house
        self.up()
        a, b = self.url("ok", "s1"), self.url("ok", "s2")
        self.add(a, b)
        h.wait_frame(40, "the first plays", clip=ID["s1"])
        self.assertEqual(self.entry(a)["waits"], "")
        self.assertEqual(self.entry(a)["title"], "s1")
        h.wait_frame(20, "the second follows", clip=ID["s2"])
        h.wait_frame(20, "the first again", clip=ID["s1"], after=30, since=h.watch.now["A"][0])
        scan = h.scan()
        silent = sum(b - a for a, b in scan.quiet_inside()) / scan.rate
        self.assertLess(silent, 0.1 * SLOW, "as gapless as files of this box")
        self.assert_whole("s1", "s2")
        downloads = [r for r in self.server.requests if r[0].startswith("/ok/s1.mp4")]
        self.assertLess(len(downloads), 8, "it is fetched once, however often it plays")

    def test_a_page_and_a_list_of_segments_play(self):
        h = self.house
        self.up()
        self.add(self.url("page/ok", "s1"))
        h.wait_frame(40, "the video of the page", clip=ID["s1"])
        self.add(self.server.url("s2.m3u8"), options=["--next"])
        h.wait_frame(40, "the segments", clip=ID["s2"])

    def test_what_is_not_there_is_skipped_with_the_reason_while_others_play(self):
        h = self.house
        self.up()
        gone, page = self.url("status=404", "s1"), self.url("portal", "s1")
        live = self.url("ok", "live.m3u8")
        self.add(gone, self.url("ok", "q1"), page, live, self.url("ok", "k1"))
        h.wait_frame(40, "the one that is there", clip=ID["q1"])
        wait_until(lambda: "gone" in self.entry(gone)["unplayable"], 20, "it says that it is gone")
        wait_until(lambda: self.entry(page)["unplayable"], 20, "so does the page without a video")
        wait_until(lambda: "live streams are not allowed" in self.entry(live)["unplayable"], 40, "and the stream without an end")
        h.wait_frame(40, "the next one", clip=ID["k1"])
        code, out, _ = h.cli("queue")
        self.assertIn("cannot be played", out)

    def test_what_was_added_by_its_address_is_soon_called_by_its_name_also_at_the_hub(self):
        h = self.house
        self.up(CLIPS["k1"]["path"])
        b = Backend(h)
        h.wait_status(lambda s: s["backend"]["role"] == "master", 20, "the player has the venue")
        h.wait_frame(20, "it plays", clip=ID["k1"])
        urls = [self.url("page/slow=200000", "s1", f"n{n}") for n in range(6)]
        self.add(*urls)
        self.assertEqual(self.entry(urls[5])["title"], "s1", "until then it is called by its address")
        wait_until(lambda: all(self.entry(u)["title"] == "A Song" for u in urls), 40, "all have their names")
        self.assertTrue(self.entry(urls[5])["waits"], "long before they are fetched")

        def there():
            return [t["title"] for t in b.queue()["mainQueue"] if t.get("source") in urls]
        wait_until(lambda: there() == ["A Song"] * 6, 20, "so has the venue's queue")

    def test_one_that_stalls_stops_no_other(self):
        h = self.house
        self.up()
        stalled = self.url("stall=100000", "k2")
        self.add(stalled, self.url("ok", "k1"))
        h.wait_frame(40, "the second plays", clip=ID["k1"])
        self.assertIn("being fetched", self.entry(stalled)["waits"], "it waits, and that is said")
        self.assertEqual(self.entry(stalled)["unplayable"], "")
        self.assertIn("being fetched", h.cli("queue")[1])
        self.assertEqual(h.status()["next"][0]["source"], stalled)

    def test_two_slow_ones_stop_no_third(self):
        h = self.house
        self.up()
        self.add(self.url("slow=20000", "k2"), self.url("slow=20000", "k3"), self.url("ok", "k1"))
        h.wait_frame(90, "the third plays", clip=ID["k1"])
        self.assertEqual([t["unplayable"] for t in h.queue()["main"]], ["", "", ""])

    def test_a_file_plays_while_it_is_fetched(self):
        h = self.house
        self.up()
        url = self.url("slow=1500000", "c1")
        self.add(url)
        h.wait_frame(40, "it plays", clip=ID["c1"])
        self.assertEqual(list(self.cache.glob("media/*/*/media.*")), [], "it is not whole yet")
        h.wait_frame(60, "and goes on to its end", clip=ID["c1"], after=CLIPS["c1"]["frames"] - 10)
        wait_until(lambda: list(self.cache.glob("media/*/*/media.*")), 20, "it is whole")
        self.assert_whole("c1")
        run = h.watch.events().runs()[0][1]
        self.assertLess(max(b[0] - a[0] for a, b in zip(run, run[1:])) / MS, 500, "without standing")

    def test_a_server_that_says_nothing_more_is_given_up_and_asked_again(self):
        h = self.house
        self.up(CLIPS["k1"]["path"], CLIPS["k3"]["path"])
        h.wait_frame(20, "it plays", clip=ID["k1"])
        url = self.url("silent-after=1", "k2")
        self.add(url)
        wait_until(lambda: self.fetching(url), 40, "it is being fetched")
        wait_until(lambda: "does not answer" in self.entry(url)["waits"], 40, "its place is free for others")
        self.assertEqual(self.entry(url)["unplayable"], "")

    def test_what_fails_at_first_plays_later(self):
        h = self.house
        self.up(CLIPS["k1"]["path"])
        h.wait_frame(20, "it plays", clip=ID["k1"])
        again, busy = self.url("403-once", "q1"), self.url("truncated-once=40000", "s1")
        self.add(again, busy)
        wait_until(lambda: not self.entry(again)["waits"] and not self.entry(busy)["waits"], 60, "both are here")
        self.assertEqual([self.entry(u)["unplayable"] for u in (again, busy)], ["", ""])
        h.cli("skip")
        h.wait_frame(20, "it plays", clip=ID["q1"])
        self.assert_whole("q1", "s1")

    def test_to_play_it_now_is_to_play_it_when_it_is_here(self):
        h = self.house
        self.up(CLIPS["k1"]["path"], CLIPS["k3"]["path"])
        h.wait_frame(20, "it plays", clip=ID["k1"])
        late = self.url("slow=30000", "q1")
        self.add(late)
        self.assertEqual(h.cli("play-now", "main:2")[0], 0)
        self.assertEqual(self.entry(late)["index"], 1, "it is the next")
        self.assertEqual(h.status()["now"]["title"], "k1", "the music goes on")
        h.wait_frame(60, "it plays when it is here", clip=ID["q1"])


PROBE = """#!/usr/bin/python3 -I
import os, subprocess, sys
p = subprocess.Popen([{real!r}], stdin=subprocess.PIPE)
for line in sys.stdin.buffer:
    if b'"check"' in line:
        with open({looks!r}, "ab") as f:
            f.write(b"x")
        if os.path.getsize({looks!r}) <= {deaths}:
            os.kill(os.getpid(), 9)
    p.stdin.write(line)
    p.stdin.flush()
"""


class Check(Rig):
    """The look at a whole file, by a probe that dies of the first few."""

    def up_with_deaths(self, deaths):
        h = self.house
        self.looks, programs = h.tmp / "looks", h.tmp / "bin"
        programs.mkdir()
        for p in h.bin.glob("djamms*"):     # what a program finds beside itself are these
            shutil.copy(p, programs)
        text = PROBE.format(real=str(h.bin / "djamms-probe"), looks=str(self.looks), deaths=deaths)
        (programs / "djamms-probe").unlink()
        (programs / "djamms-probe").write_text(text)
        (programs / "djamms-probe").chmod(0o755)
        h.bin = programs
        self.up()

    def looked(self):
        return self.looks.stat().st_size if self.looks.exists() else 0

    def test_a_probe_that_dies_condemns_no_file(self):
        self.up_with_deaths(2)
        url = self.url("ok", "q1")
        self.add(url)
        self.house.wait_frame(60, "it plays", clip=ID["q1"])
        wait_until(lambda: list(self.cache.glob("media/*/*/media.*")), 60, "it is looked at once more, and here")
        self.assertEqual((self.looked(), self.entry(url)["unplayable"]), (3, ""))
        self.add(self.url("ok", "k1"))
        wait_until(lambda: self.entries().get("k1"), 60, "another one, at which it is looked once")
        self.assert_whole("q1", "k1")
        asked = [sum(p.startswith(f"/ok/{FILES[n]}") for p, *_ in self.server.requests) for n in ("q1", "k1")]
        self.assertEqual(asked[0], asked[1], "it was fetched once")

    def test_nor_does_it_try_for_ever(self):
        self.up_with_deaths(3)
        url = self.url("ok", "q1")
        self.add(url)
        wait_until(lambda: self.looked() == 3, 60, "it is looked at three times")
        wait_until(lambda: self.looked() == 4, 60, "then it is fetched anew, and looked at")
        wait_until(lambda: list(self.cache.glob("media/*/*/media.*")), 60, "and it is here")
        self.assertEqual(self.entry(url)["unplayable"], "")
        self.assert_whole("q1")


class Profile(Rig):
    def lists(self):
        """Which of the two lists of segments was asked for."""
        return [p[1:3] for p, *_ in self.server.requests if p in ("/hi.m3u8", "/lo.m3u8")]

    def meta(self):
        return [json.loads(f.read_text()) for f in self.cache.glob("media/*/*/meta.json")]

    def test_what_another_board_fetched_plays_and_is_fetched_anew_if_it_is_too_much(self):
        h = self.house
        for name in ("hi", "lo"):
            shutil.copy(self.folder / "s2.m3u8", self.folder / f"{name}.m3u8")
        (self.folder / "main.m3u8").write_text(
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=1280x720,CODECS=\"avc1.64001f,mp4a.40.2\"\nlo.m3u8\n"
            "#EXT-X-STREAM-INF:BANDWIDTH=1600000,RESOLUTION=1920x1080,CODECS=\"avc1.640028,mp4a.40.2\"\nhi.m3u8\n")
        self.up(fetch_profile="desktop")
        self.add(self.server.url("main.m3u8"))
        h.wait_frame(40, "it plays", clip=ID["s2"])
        wait_until(lambda: self.meta(), 40, "it is here")
        self.assertEqual([m["height"] for m in self.meta()], [1080])
        for profile, height, is_asked in (("pi3", 720, True), ("desktop", 720, False)):
            stop(h.started[-1])
            self.server.requests.clear()
            since = h.watch.now["A"][0]
            self.up(fetch_profile=profile)
            h.wait_frame(20, "it goes on with what is here", clip=ID["s2"], since=since)
            wait_until(lambda: [m["height"] for m in self.meta()] == [height], 60, f"{height} lines, for {profile}")
            h.wait_status(lambda s: s["fetching"]["under_way"] == 0, 40, "nothing more is to be fetched")
            self.assertEqual((bool(self.lists()), h.queue()["main"][0]["unplayable"]), (is_asked, ""))


class Rules(Rig):
    def test_guests_ask_for_songs_of_the_house_and_of_youtube_only(self):
        h = self.house
        self.up(CLIPS["k1"]["path"])
        h.wait_frame(20, "it plays", clip=ID["k1"])
        cases = [(self.url("ok", "s1"), "other addresses only staff"), ("http://192.168.0.1/a.mp4", "only staff"),
                 ("https://youtu.be/abcdefghij0", "YouTube is off")]
        for url, sentence in cases:
            code, _, error = h.cli("add", "--request", "Ann", url)
            self.assertEqual(code, 1)
            self.assertIn(sentence, error)
        for text in ("file:///etc/passwd", "http://u:p@host/", "https://a b/", "--exec=touch x", "http://", "x" * 5000,
                     "https://x/\nB", 7, None):
            answer = h.ask("add", urls=[text])
            self.assertEqual((len(answer["added"]), len(answer["refused"])), (0, 1), text)
        code, _, error = h.cli("add", "https://www.youtube.com/watch?v=abcdefghij0")
        self.assertEqual((code, "youtube.enabled" in error, "rights" in error), (1, True, True), error)
        self.assertIn("watch?v=abcdefghij0: YouTube is off", error, "what can be done about it is said first")
        self.assertEqual(len(h.queue()["main"]), 1)
        self.assertEqual(self.server.requests, [])

    def ask_for(self, backend, video_id, n=0, **more):
        """Written by somebody who goes around the hub's own check; its $id."""
        song = {"videoId": video_id, "title": "T", "artist": "A", "duration": 20, **more}
        return backend.create("requests", {
            "venueId": backend.venue, "requestId": f"r-{n}", "song": json.dumps(song), "requesterId": "", "paymentId": "",
            "status": "queued", "timestamp": f"2026-11-30T08:00:0{n}.000Z"})["$id"]

    def cancelled(self, backend, *ids):
        """Their reasons, once all of them are cancelled."""
        def check():
            found = {d["$id"]: d.get("cancelReason") for d in backend.documents("requests") if d["status"] == "cancelled"}
            return [found[i] for i in ids] if all(i in found for i in ids) else None
        return wait_until(check, 40, "the guests are told")

    def test_a_request_names_no_file_and_no_address(self):
        h = self.house
        self.up(CLIPS["k1"]["path"], CLIPS["k2"]["path"])
        b = Backend(h)
        h.wait_status(lambda s: s["backend"]["role"] == "master", 20, "the player has the venue")
        wait_until(lambda: len(b.queue()["mainQueue"]) == 2, 20, "the hub has the queue")
        asked = [self.ask_for(b, f"no-video-{n}", n, source=source)
                 for n, source in enumerate((CLIPS["k3"]["path"], self.url("ok", "s1")))]
        wait_until(lambda: len(h.queue()["requests"]) == 2, 30, "both are here")
        h.cli("skip")
        h.wait_frame(20, "another plays", clip=ID["k2"])
        wait_until(lambda: all(t["unplayable"] for t in h.queue()["requests"]), 20, "they say why not")
        self.assertEqual((self.server.requests, len(asked)), ([], 2))
        self.assertNotIn(ID["k3"], [r[0] for r in h.watch.events().runs()])

    def test_requests_of_youtube_are_cancelled_at_once_while_it_is_off(self):
        h, songs = self.house, self.folder / "songs"
        songs.mkdir(exist_ok=True)
        shutil.copy(CLIPS["k2"]["path"], songs / "Band - Here -- abcdefghij9.mp4")
        self.up(CLIPS["k1"]["path"], library_paths=songs)
        b = Backend(h)
        h.wait_status(lambda s: s["backend"]["role"] == "master" and s["library"]["has_scanned"], 20, "the player has the venue")
        h.wait_frame(20, "it plays", clip=ID["k1"])
        here = self.ask_for(b, "abcdefghij9", 0)
        gone = [self.ask_for(b, f"abcdefghij{n}", n) for n in (1, 2)]
        self.assertEqual(self.cancelled(b, *gone), ["YouTube is off in this house."] * 2)
        self.assertEqual([t["id"] for t in h.queue()["requests"]], [here])
        self.assertEqual(h.status()["now"]["title"], "k1", "the song goes on")
        self.assertEqual(h.cli("skip")[0], 0)
        h.wait_frame(20, "what the house has plays", clip=ID["k2"])

    def as_guest(self, backend):
        """The same venue, with an anonymous session."""
        c = http.client.HTTPConnection("127.0.0.1", backend.port, timeout=10)
        c.request("POST", "/v1/account/sessions/anonymous", "{}", {
            "X-Appwrite-Project": backend.notice["project"], "Content-Type": "application/json"})
        r = c.getresponse()
        r.read()
        guest = Backend(self.house)
        guest.notice["session"], = json.loads(r.headers["X-Fallback-Cookies"]).values()
        c.close()
        return guest

    def test_who_may_write_the_queue_gets_nobody_called_in_the_house(self):
        h = self.house
        self.up(CLIPS["k1"]["path"])
        b = Backend(h)
        h.wait_status(lambda s: s["backend"]["role"] == "master", 20, "the player has the venue")
        h.wait_frame(20, "it plays", clip=ID["k1"])
        guest, own = self.as_guest(b), self.url("ok", "q1")
        self.add(own)
        wait_until(lambda: self.entry(own)["waits"] == "", 40, "what staff named is fetched")
        sealed = wait_until(lambda: next((t for t in b.queue()["mainQueue"] if t.get("source") == own), None), 20, "it is there")
        before = list(self.server.requests)
        private = [self.url("ok", "s1"), f"http://localhost:{self.server.server_port}/ok/{FILES['s2']}",
                   self.server.url("redirect/ok/" + FILES["k2"])]
        entries = [dict(sealed, id=f"{n:020x}", videoId=f"song-{n}", source=url) for n, url in enumerate(private)]
        del entries[0]["seal"]
        guest.write_queue(mainQueue=[*b.queue()["mainQueue"], *entries])
        wait_until(lambda: all((e := self.entry(u)) and "not allowed" in e["unplayable"] for u in private), 40, "it is said why not")
        self.assertEqual(self.server.requests, before, "nobody was called")
        self.add(private[0])        # its staff may
        wait_until(lambda: self.entries().get("s1"), 40, "it is fetched")

    def test_who_may_write_the_queue_opens_no_file_of_the_box(self):
        h, songs, outside = self.house, self.folder / "house", self.folder / "outside.mkv"
        songs.mkdir()
        inside = songs / "Band - Inside.mkv"
        shutil.copy(CLIPS["k2"]["path"], inside)
        shutil.copy(CLIPS["k3"]["path"], outside)
        self.up(CLIPS["k1"]["path"], library_paths=songs)
        b = Backend(h)
        h.wait_status(lambda s: s["backend"]["role"] == "master" and s["library"]["has_scanned"], 20, "the player has the venue")
        h.wait_frame(20, "it plays", clip=ID["k1"])
        guest = self.as_guest(b)
        own = wait_until(lambda: next((t for t in b.queue()["mainQueue"] if t.get("seal")), None), 20, "the hub has the queue")
        foreign = [str(outside), f"{songs}/../outside.mkv", f"file://{outside}", f"{self.folder}/./outside.mkv"]
        entries = [dict(own, id=f"{n:020x}", videoId=f"song-{n}", source=path, status="queued")
                   for n, path in enumerate([*foreign, str(inside)])]
        del entries[0]["seal"], entries[-1]["seal"]
        guest.write_queue(mainQueue=[*b.queue()["mainQueue"], *entries])
        wait_until(lambda: self.entry(str(inside)), 20, "they are here")
        h.cli("skip")
        h.wait_frame(20, "what is of the library plays", clip=ID["k2"])
        for path in foreign:
            self.assertIn("not in the library", self.entry(path)["unplayable"])
        self.assertNotIn(ID["k3"], [r[0] for r in h.watch.events().runs()])
        self.add(outside, options=["--next"])       # its staff may
        h.cli("skip")
        h.wait_frame(20, "what staff named plays", clip=ID["k3"])

    def test_what_was_queued_before_files_were_sealed_still_plays(self):
        h = self.house
        self.up(CLIPS["k1"]["path"], CLIPS["k2"]["path"])
        b = Backend(h)
        h.wait_status(lambda s: s["backend"]["role"] == "master", 20, "the player has the venue")
        h.wait_frame(20, "it plays", clip=ID["k1"])
        wait_until(lambda: len(b.queue()["mainQueue"]) == 2, 20, "the hub has the queue")
        old = h.find("djamms-player")
        os.kill(old, signal.SIGSTOP)
        (h.state / "sealed-files").unlink()
        b.write_queue(mainQueue=[{k: v for k, v in t.items() if k != "seal"} for t in b.queue()["mainQueue"]])
        os.kill(old, signal.SIGKILL)
        h.wait_status(lambda s: s["backend"]["role"] == "master" and h.find("djamms-player") != old, 20, "it is back")
        h.cli("skip")
        h.wait_frame(20, "it plays", clip=ID["k2"])
        self.assertEqual([(t.get("seal"), t.get("unplayable")) for t in b.queue()["mainQueue"]], [(None, None)] * 2)

    def test_a_request_that_cannot_be_had_is_cancelled_with_the_reason(self):
        h = self.house
        gone = self.url("status=404", "s1")
        self.up(CLIPS["k1"]["path"])
        b = Backend(h)
        h.wait_status(lambda s: s["backend"]["role"] == "master", 20, "the player has the venue")
        h.wait_frame(20, "it plays", clip=ID["k1"])
        self.add(self.url("slow=20000", "k3"))      # not the next: what is asked for goes first
        self.add(gone)
        key = h.queue()["main"][2]
        video_id = next(t for t in b.queue()["mainQueue"] if t.get("source") == gone)["videoId"]
        request = b.request({"videoId": video_id, "title": "T", "artist": "A", "duration": 20}, "pay-3")
        document = wait_until(lambda: next((d for d in b.documents("requests") if d["status"] == "cancelled"), None), 40,
                              "the guest is told")
        self.assertIn("gone", document["cancelReason"], (document, request, key))
        self.assertEqual(h.queue()["requests"], [])


class Kill(Rig):
    def slow_add(self, *more):
        """A song of which a part is there; its address."""
        self.up(*more)
        url = self.url("slow=150000", "k2")
        self.add(url)
        wait_until(lambda: self.fetching(url), 40, "it is being fetched")
        return url

    def part(self):
        """Bytes of the growing file."""
        return sum(f.stat().st_size for f in self.cache.glob("partial/*/*.part"))

    def test_a_killed_worker_costs_nothing_but_time(self):
        h = self.house
        url = self.slow_add()
        wait_until(lambda: self.part() > 100000, 40, "some of it is here")
        for pid in self.house.workers():
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(self.entry(url)["unplayable"], "")
        h.wait_frame(60, "it plays all the same", clip=ID["k2"])
        self.assert_whole("k2")
        starts = self.server.ranges("/slow")
        self.assertGreater(max(starts), 0, "it was gone on with where it was")

    def test_a_killed_player_goes_on_with_what_is_there(self):
        h = self.house
        url = self.slow_add()
        wait_until(lambda: self.part() > 100000, 40, "some of it is here")
        old = self.house.workers()
        os.kill(h.find("djamms-player"), signal.SIGKILL)
        wait_until(lambda: not set(old) & set(self.house.workers()), 20, "the worker ended with it")
        h.wait_frame(60, "it plays all the same", clip=ID["k2"])
        self.assertEqual(len(h.queue()["main"]), 1)
        self.assertEqual(self.entry(url)["unplayable"], "")
        self.assert_whole("k2")
        self.assertGreater(max(self.server.ranges("/slow")), 0, "it was gone on with where it was")

    def test_killed_again_and_again_nothing_bad_is_published(self):
        """$DJAMMS_ROUNDS kills at random moments of worker or player; $DJAMMS_SEED repeats a run."""
        h = self.house
        rounds, seed = int(os.environ.get("DJAMMS_ROUNDS", 5)), os.environ.get("DJAMMS_SEED", str(time.time_ns()))
        rng = random.Random(seed)
        print(f"seed {seed}", flush=True)
        self.up(CLIPS["k1"]["path"])
        h.wait_frame(20, "it plays", clip=ID["k1"])
        for n in range(rounds):
            url = self.url(f"slow={rng.randrange(300000, 900000)}", ("k2", "k3", "s1")[n % 3], f"r{n}")
            self.add(url, options=["--next"])       # what comes much later is not fetched yet
            wait_until(lambda: self.fetching(url), 60, "it is being fetched")
            size = rng.randrange(0, 1500000)
            wait_until(lambda: self.part() >= size or not self.entry(url)["waits"], 60, "a part of it is here")
            for pid in [h.find("djamms-player")] if rng.random() < 0.5 else self.house.workers():
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda: h.status() and (e := self.entry(url)) and not e["waits"], 90, "it is here all the same")
            self.assertEqual(self.entry(url)["unplayable"], "")
        self.assert_whole(*[("k2", "k3", "s1")[n % 3] for n in range(rounds)])
        self.assertEqual(len(h.queue()["main"]), rounds + 1)

    def test_after_a_power_cut_the_cache_plays_without_any_network(self):
        h = self.house
        self.up()
        self.add(self.url("ok", "q1"), self.url("ok", "k2"))
        h.wait_frame(40, "the second plays", clip=ID["k2"], after=70)
        h.kill_all()
        self.server.__exit__()
        self.server.released.clear()
        since = h.watch.now["A"][0]
        self.up()
        h.wait_frame(20, "it goes on", clip=ID["k2"], since=since)
        h.wait_frame(40, "and the other follows", clip=ID["q1"], since=since)
        self.assertEqual([t["unplayable"] for t in h.queue()["main"]], ["", ""])


if __name__ == "__main__":
    main()
