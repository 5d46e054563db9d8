"""djamms-fetch with the real yt-dlp against a server with faults: what is resolved and fetched, which class a failure
has, what is gone on with after a kill, and where a guest's request never connects to."""
import hashlib
import importlib.util
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from faulty import Faulty, PublicRoom
from house import SLOW, main, wait_until

BUILD = Path(os.environ["DJAMMS_BUILD"])
YT_DLP = os.environ.get("DJAMMS_YT_DLP")    # another one than the system's
WATCH = "https://www.youtube.com/watch?v="


def make_media(folder):
    """clip.mp4 (index in front), back.mp4 (index at the end), clip.m3u8 and clip.mpd of the same six seconds."""
    def ffmpeg(*argv):
        subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *argv], check=True,
                       cwd=folder)
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=6", "-f", "lavfi", "-i", "sine=440:d=6", "-vf",
           "noise=alls=40:allf=t", "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "4M", "-g", "30", "-pix_fmt",
           "yuv420p", "-c:a", "aac", "-shortest", "-movflags", "+faststart", "clip.mp4")
    ffmpeg("-i", "clip.mp4", "-c", "copy", "back.mp4")
    ffmpeg("-i", "clip.mp4", "-c", "copy", "-f", "hls", "-hls_time", "2", "-hls_list_size", "0",
           "-hls_segment_filename", "hls%d.ts", "clip.m3u8")
    ffmpeg("-i", "clip.mp4", "-c", "copy", "-f", "dash", "-seg_duration", "2", "-use_template", "1", "-use_timeline",
           "1", "clip.mpd")


def probe(path):
    r = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=duration:stream=codec_name",
                        "-of", "json", path], capture_output=True, text=True, check=True)
    d = json.loads(r.stdout)
    return float(d["format"]["duration"]), sorted(s["codec_name"] for s in d["streams"])


class Worker:
    """djamms-fetch in a scratch folder of its own. Use as a context manager."""

    def __init__(self, *options, enter=None):
        self.tmp = Path(tempfile.mkdtemp(prefix="djamms-fetch-"))
        argv = [BUILD / "bin" / "djamms-fetch", "--cache", self.tmp / "cache", "--socket-timeout", "1",
                "--retries", "3", "--fragment-retries", "2", "--retry-sleep", "0.01",
                *(["--yt-dlp", YT_DLP] if YT_DLP else []), *options]
        env = {"PATH": os.environ["PATH"], "HOME": str(self.tmp), "LANG": "C.UTF-8", "DJAMMS_SECRET": "token"}
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.tmp, env=env,
                                        start_new_session=True, preexec_fn=enter)
        self.n, self.lines = 0, queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.tmp, ignore_errors=True)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, request, /, **fields):
        self.n += 1
        self.write(json.dumps({"n": self.n, "request": request, **fields}).encode() + b"\n")
        return self.n

    def line(self, seconds=20):
        try:
            line = self.lines.get(timeout=seconds * SLOW)
        except queue.Empty:
            raise AssertionError(f"djamms-fetch said nothing within {seconds * SLOW} s") from None
        if line is None:
            raise AssertionError(f"djamms-fetch ended with {self.process.wait()}")
        return line

    def end(self, n, progress=None):
        """The line that ends request n."""
        while True:
            line = self.line()
            if line["n"] != n and (line["n"] or 0) < n:     # of a test that failed
                continue
            assert line["n"] == n, line
            if line["event"] != "progress":
                return line
            if progress is not None:
                progress.append(line)

    def ask(self, request, progress=None, /, **fields):
        return self.end(self.send(request, **fields), progress)


class FetchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not YT_DLP and subprocess.run(["/usr/bin/python3", "-Ic", "import yt_dlp"], capture_output=True).returncode:
            raise AssertionError("yt-dlp is not installed: ./dev deps run")
        cls.tmp = Path(tempfile.mkdtemp(prefix="djamms-fetch-media-"))
        cls.addClassCleanup(shutil.rmtree, cls.tmp)
        make_media(cls.tmp)
        cls.clip = (cls.tmp / "clip.mp4").read_bytes()
        cls.server = cls.enterClassContext(Faulty(cls.tmp))
        cls.worker = cls.enterClassContext(Worker())
        cls.judge = subprocess.Popen([BUILD / "tools" / "failclass"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     text=True)
        cls.addClassCleanup(cls.judge.communicate)

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="fetch-", dir=self.tmp))
        self.name = self.id().rpartition(".")[2]

    def tearDown(self):
        self.assertIsNone(self.worker.process.poll(), "it still runs")

    # -- helpers --

    def url(self, path):
        return self.server.url(f"{path}?{self.name}")

    def resolve(self, url, **fields):
        return self.worker.ask("resolve", url=url, **{"is_guest": False, **fields})

    def fetch(self, path, worker=None, progress=None, **fields):
        url = path if "://" in path else self.url(path)
        fields = {"is_guest": False, "folder": str(self.folder), "name": "song", **fields}
        return (worker or self.worker).ask("fetch", progress, url=url, **fields)

    def assert_done(self, line):
        self.assertEqual(line["event"], "done", str(line))
        return line

    def assert_class(self, line, *classes):
        self.assertEqual(line["event"], "error", str(line))
        self.judge.stdin.write(json.dumps(line) + "\n")
        self.judge.stdin.flush()
        self.assertIn(self.judge.stdout.readline().strip(), classes, line)

    def assert_clip(self, line):
        """It is the clip, byte for byte, and nothing is left beside it."""
        self.assert_done(line)
        self.assertEqual(hashlib.sha256(Path(line["path"]).read_bytes()).digest(), hashlib.sha256(self.clip).digest())
        self.assertEqual(sorted(os.listdir(self.folder)), [Path(line["path"]).name])

    def assert_empty(self):
        self.assertEqual(os.listdir(self.folder), [])

    # -- what it is --

    def test_hello_says_what_there_is(self):
        d = self.assert_done(self.worker.ask("hello"))
        self.assertRegex(d["yt_dlp"], r"^20\d\d\.\d\d\.\d\d")
        self.assertTrue(Path(d["yt_dlp_path"]).is_dir())
        self.assertTrue(d["has_ffmpeg"])
        self.assertIn(d["profile"], ("desktop", "pi3", "pi4", "pi5"))
        for runtime in d["runtimes"]:
            self.assertTrue(runtime["path"])

    def test_its_environment_has_no_secrets(self):
        self.worker.ask("hello")
        # What it was started with stays readable there; what it gives to its own children is what counts.
        self.assertNotIn("DJAMMS", self.fetch_environment())

    def fetch_environment(self):
        """The environment of a program it starts: a JavaScript runtime that is none."""
        program = self.folder / "qjs"
        program.write_text(f"#!/bin/sh\nenv > {self.folder}/env\necho 'QuickJS version 2025-04-26'\n")
        program.chmod(0o755)
        with Worker("--js-runtime", f"quickjs:{program}", "--no-warm-up") as w:
            d = self.assert_done(w.ask("hello"))
            if not d["needs_runtime"]:
                return ""
            self.assertEqual(d["runtimes"][0]["version"], "2025-04-26")
        return (self.folder / "env").read_text()

    def test_a_missing_yt_dlp_is_an_error(self):
        broken = self.folder / "yt_dlp"
        broken.mkdir()
        (broken / "__init__.py").write_text("raise ImportError('no such thing')")
        argv = [BUILD / "bin" / "djamms-fetch", "--yt-dlp", self.folder]
        r = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30 * SLOW)
        self.assert_class(json.loads(r.stdout), "tool")
        self.assertEqual(r.returncode, 1)

    # -- the protocol --

    def test_bad_lines_are_answered(self):
        w = self.worker
        for line, exception in [(b"la la la", "BadRequest"), (b"[1]", "BadRequest"), (b"{", "BadRequest"),
                                (b"\xff\x00", "BadRequest"), (b'{"n": "1"}', "BadRequest"),
                                (b"[" * 100000, "BadRequest"),
                                (b'{"n": 1, "request": "dance"}', "BadRequest"), (b'{"n": 1}', "BadRequest"),
                                (b'{"n": 1, "request": ["resolve"]}', "BadRequest"), (b"x" * 3000000, "LineTooLong"),
                                (b'{"n": 1, "request": "' + b"x" * 1048576, "LineTooLong")]:
            w.write(line + b"\n")
            answer = w.line()
            self.assertEqual((answer["event"], answer["exception"]), ("error", exception), line[:50])
            self.assertTrue(answer["message"])
        w.write(b"\n\n")
        self.assert_done(w.ask("hello"))

    def test_hostile_addresses_are_refused(self):
        for url in (None, 5, "", "--exec", "--exec rm", "-o/tmp/x", "file:///etc/passwd", "ftp://127.0.0.1/x", "la la",
                    "http://", "http:///x", "http://a b/", "http://a/\n", "http://a/\x00", "http://a/" + "x" * 10000,
                    "ytsearch:x", "javascript:1", "data:video/mp4,x", "concat:/etc/passwd"):
            self.assert_class(self.resolve(url), "bad-input")

    def test_hostile_names_are_refused(self):
        for name in (None, "", ".", "..", "../x", "a/b", "-o", "--exec", "a b", "a\nb", "a\0b", "x" * 200, "$(x)", ";"):
            self.assert_class(self.fetch("ok/clip.mp4", name=name), "bad-input")
        for folder in (None, "", "relative", "/nowhere/at/all", str(self.tmp / "clip.mp4")):
            self.assert_class(self.fetch("ok/clip.mp4", folder=folder), "bad-input")
        self.assert_empty()

    def test_hostile_titles_are_only_text(self):
        title = "--exec rm\x1b[2J; $(touch /tmp/x) `x` \u202e ../../x %(id)s \ud800" + "y" * 10000
        page = self.tmp / "hostile.html"
        page.write_bytes(f"<title>{title}</title><video src='/ok/clip.mp4?h'></video>".encode("utf-8", "replace"))
        d = self.assert_done(self.fetch("ok/hostile.html"))
        self.assertTrue(d["title"].isprintable() and d["title"].startswith("--exec rm"))
        self.assertLessEqual(len(d["title"]), 2000)
        self.assertEqual(os.listdir(self.folder), ["song.mp4"])

    def test_it_ends_with_its_input(self):
        with Worker("--no-warm-up") as w:
            w.process.stdin.close()
            w.process.wait(20 * SLOW)

    def test_it_dies_with_its_parent(self):
        script = ("import subprocess, sys, time\np = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, "
                  "stdout=subprocess.PIPE)\np.stdin.write(b'{\"n\": 1, \"request\": \"hello\"}\\n'); p.stdin.flush()\n"
                  "p.stdout.readline(); print(p.pid, p.stdin.fileno(), flush=True)\ntime.sleep(1000)")
        # The pipe to it stays open here, so that it cannot notice by the end of its input.
        parent = subprocess.Popen([sys.executable, "-c", script, BUILD / "bin" / "djamms-fetch", "--no-warm-up"],
                                  stdout=subprocess.PIPE, text=True)
        pid, fd = map(int, parent.stdout.readline().split())
        held = os.open(f"/proc/{parent.pid}/fd/{fd}", os.O_WRONLY)
        parent.kill()
        parent.wait()
        parent.stdout.close()
        wait_until(lambda: not Path(f"/proc/{pid}").exists() or
                   Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX", 10, "it is gone")
        os.close(held)

    # -- what is found --

    def test_a_direct_file_is_described(self):
        d = self.assert_done(self.resolve(self.url("ok/clip.mp4")))
        self.assertEqual((d["extractor"], d["id"], d["ext"], d["is_single_file"], d["is_live"]),
                         ("generic", "clip", "mp4", True, False))
        self.assertRegex(d["key"], r"^url:[0-9a-f]{16}$")

    def test_a_page_with_a_video_is_described(self):
        d = self.assert_done(self.resolve(self.url("page/ok/clip.mp4")))
        self.assertEqual((d["title"], d["is_single_file"]), ("A Song", True))

    def test_a_redirect_is_followed(self):
        d = self.assert_done(self.resolve(self.url("redirect/redirect/ok/clip.mp4")))
        self.assertTrue(d["is_single_file"])

    def test_hls_and_dash_are_described(self):
        d = self.assert_done(self.resolve(self.url("ok/clip.m3u8")))
        self.assertEqual((d["is_single_file"], d["protocol"]), (False, "m3u8_native"))
        d = self.assert_done(self.resolve(self.url("ok/clip.mpd")))
        self.assertEqual((d["is_single_file"], d["vcodec"][:4], d["acodec"][:4]), (False, "avc1", "mp4a"))

    def test_staff_may_use_any_site_that_yt_dlp_knows_and_others_may_not(self):
        site = "https://vimeo.com/76979871"     # there is no network: who tried it says so
        self.assertIn("[vimeo]", self.resolve(site)["message"])
        self.assertNotIn("[vimeo]", self.resolve(site, is_guest=True)["message"])
        with Worker("--extractors", "generic,html5", "--no-warm-up") as w:
            self.assertNotIn("[vimeo]", w.ask("resolve", url=site, is_guest=False)["message"])
            self.assert_done(w.ask("resolve", url=self.url("ok/clip.mp4"), is_guest=False))
        with Worker("--extractors", "vimeo", "--no-warm-up") as w:
            self.assertEqual(w.ask("resolve", url=self.url("ok/clip.mp4"), is_guest=False)["event"], "error")

    def test_what_is_too_long_is_refused(self):
        self.assert_class(self.resolve(self.url("ok/clip.mpd"), max_duration_s=3), "policy")
        self.assert_done(self.resolve(self.url("ok/clip.mpd"), max_duration_s=60))
        # Nobody says so before the file itself does: at its beginning, or when it is there.
        self.assert_class(self.fetch("page/slow=4000000/clip.mp4", max_duration_s=3), "policy")
        self.assert_class(self.fetch("page/ok/back.mp4", max_duration_s=3), "policy")
        self.assert_empty()

    def test_a_live_stream_is_refused_unless_allowed(self):
        live = (self.tmp / "clip.mpd").read_text().replace('type="static"', 'type="dynamic"')
        (self.tmp / "live.mpd").write_text(live)
        (self.tmp / "live.m3u8").write_text((self.tmp / "clip.m3u8").read_text().replace("#EXT-X-ENDLIST", ""))
        (self.tmp / "main.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\nlive.m3u8\n")
        for name in ("live.mpd", "live.m3u8", "main.m3u8"):
            self.assert_class(self.resolve(self.url(f"ok/{name}")), "live")
            self.assert_class(self.fetch(f"ok/{name}"), "live")
            d = self.assert_done(self.resolve(self.url(f"ok/{name}"), allows_live=True))
            self.assertTrue(d["is_live"])
        self.assert_class(self.fetch("ok/live.mpd", allows_live=True), "refused")
        self.assert_empty()

    def test_a_live_list_of_segments_is_written_down_as_it_grows(self):
        for name, kind in (("short", "ts"), ("whole", "mp4")):
            subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-i", "clip.mp4", "-c", "copy", "-f",
                            "hls", "-hls_time", "1", "-hls_list_size", "0", "-hls_segment_type", "fmp4" if kind == "mp4" else
                            "mpegts", "-hls_fmp4_init_filename", f"{name}.head", "-hls_segment_filename", f"{name}%d.{kind}",
                            f"{name}.m3u8"], check=True, cwd=self.tmp)
            progress = []
            d = self.assert_done(self.fetch(f"live=300/{name}.m3u8", progress=progress, allows_live=True))
            parts = [self.tmp / f"{name}{n}.{kind}" for n in range(6)]
            head = (self.tmp / f"{name}.head").read_bytes() if kind == "mp4" else b""
            self.assertEqual(Path(d["path"]).read_bytes(), head + b"".join(p.read_bytes() for p in parts))
            self.assertTrue(d["is_live"] and all(p["is_playable"] for p in progress), progress)
            self.assertLess(progress[0]["done"], d["size"], "it was told before it was over")
            self.assertAlmostEqual(progress[-1]["in_hand_s"], 6, delta=0.3)
            os.remove(d["path"])

    def test_a_live_list_of_encrypted_segments_is_refused(self):
        text = (self.tmp / "clip.m3u8").read_text().replace("#EXT-X-ENDLIST", "")
        (self.tmp / "secret.m3u8").write_text(text.replace("#EXTINF", '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key"\n#EXTINF', 1))
        self.assert_class(self.fetch("ok/secret.m3u8", allows_live=True), "refused", "unsupported", "no-format", "drm")
        self.assert_empty()

    def test_a_stream_without_an_end_is_over_when_it_has_had_its_room_or_its_time(self):
        progress = []
        d = self.assert_done(self.fetch("endless/clip.mp4", progress=progress, allows_live=True, max_bytes=9000000))
        self.assertTrue(8900000 < d["size"] <= 9000000 and d["size"] == os.path.getsize(d["path"]), d)
        self.assertTrue(d["is_live"] and progress[-1]["is_playable"], progress)
        d = self.assert_done(self.fetch("slow=400000/endless/clip.mp4", allows_live=True, max_live_s=1))
        self.assertLess(d["size"], 1500000)
        d = self.assert_done(self.fetch("no-length/clip.mp4", allows_live=True))
        self.assertEqual(Path(d["path"]).read_bytes(), self.clip, "one that ends is whole")
        self.assert_class(self.fetch("endless/clip.mp4", max_bytes=3000000), "policy")

    def test_a_request_that_is_called_off_before_it_is_begun_is_not(self):
        w = self.worker
        w.ask("hello")
        n, before = w.n + 1, len(self.server.requests)
        w.n += 2
        w.write(b"".join(json.dumps(m).encode() + b"\n" for m in (
            {"n": n + 1, "request": "cancel", "target": n},
            {"n": n, "request": "resolve", "url": self.url("silent/clip.mp4"), "is_guest": False})))
        self.assert_class(w.end(n), "cancelled")
        self.assertEqual(len(self.server.requests), before)
        self.assert_done(self.resolve(self.url("ok/clip.mp4")))

    def test_a_stream_that_is_not_wanted_any_more_ends_at_once(self):
        n = self.worker.send("fetch", url=self.url("slow=400000/endless/clip.mp4"), is_guest=False, folder=str(self.folder),
                             name="song", allows_live=True)
        while self.worker.line()["event"] != "progress":
            pass
        self.worker.send("cancel", target=n)
        line = self.worker.end(n)
        self.assert_class(line, "cancelled")

    def test_failures_of_pages_have_their_class(self):
        for path, *classes in [("status=403/a.mp4", "page-403"), ("status=404/a.mp4", "removed"),
                               ("nothing", "removed"),
                               ("status=410/a", "removed"), ("status=429/a", "rate"), ("status=451/a", "geo"),
                               ("status=500/a", "server"), ("status=503/a", "server"), ("portal/a.mp4", "unsupported"),
                               ("silent/clip.mp4", "timeout")]:
            self.assert_class(self.resolve(self.url(path)), *classes)
        self.assert_class(self.resolve("http://127.0.0.1:1/x"), "connect")
        self.assert_class(self.resolve("http://no-such-name.invalid/x"), "dns")
        self.assertEqual(self.resolve(self.url("503=9/clip.mp4")).get("retry_after_s"), 7)

    def test_what_failed_once_works_the_next_time(self):
        url = self.url("403-once/clip.mp4")
        self.assert_class(self.resolve(url), "page-403")
        self.assert_done(self.resolve(url))

    # -- what is fetched --

    def test_a_file_is_fetched(self):
        progress = []
        d = self.fetch("page/slow=4000000/clip.mp4", progress=progress)
        self.assert_clip(d)
        self.assertEqual((Path(d["path"]).name, d["size"], d["title"]), ("song.mp4", len(self.clip), "A Song"))
        self.assertEqual([p["done"] for p in progress], sorted(p["done"] for p in progress))
        self.assertEqual(progress[-1]["total"], len(self.clip))
        self.assertTrue(progress[-1]["is_playable"])
        self.assertEqual(Path(progress[-1]["path"]).parent, self.folder)

    def test_a_file_with_its_index_at_the_end_does_not_play_while_it_grows(self):
        progress = []
        self.assert_done(self.fetch("page/slow=4000000/back.mp4", progress=progress))
        self.assertTrue(progress and not any(p["is_playable"] for p in progress))

    def subtitled(self, tracks, **fields):
        """Fetches the clip of a page that names these tracks: language -> path. Returns the answer."""
        text = "".join(f"<track kind='subtitles' srclang='{k}' src='{v}'>" for k, v in tracks.items())
        (self.tmp / f"{self.name}.html").write_text(
            f"<html><head><title>A Song</title></head><body><video src='/clip.mp4'>{text}</video></body></html>")
        (self.tmp / "song.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nwords\n")
        with open(self.tmp / "large.vtt", "w") as f:
            f.write("WEBVTT\n\n" + "00:01.000 --> 00:02.000\nwords\n\n" * 100000)
        with Worker("--subtitles-time", "2") as worker:
            return self.assert_done(self.fetch(f"{self.name}.html", worker, **fields))

    def test_subtitles_that_are_asked_for_come_with_the_song(self):
        line = self.subtitled({"en-GB": "/song.vtt", "fr": "/song.vtt"}, subtitles=["de", "en"])
        self.assertEqual(line["subtitle_files"], {"en": str(self.folder / "song.en.vtt")})
        self.assertEqual(sorted(os.listdir(self.folder)), ["song.en.vtt", "song.mp4"])
        self.assertIn("words", (self.folder / "song.en.vtt").read_text())

    def test_nobody_asks_for_subtitles_that_nobody_wants(self):
        before = len(self.server.requests)
        line = self.subtitled({"en": "/song.vtt"})
        self.assertEqual(line["subtitle_files"], {})
        self.assert_clip(line)
        self.assertNotIn("/song.vtt", [p for p, _, _ in self.server.requests[before:]])

    def test_a_song_does_not_wait_for_its_subtitles(self):
        for fault in ("silent", "slow=9", "status=404", "portal"):
            with self.subTest(fault):
                line = self.subtitled({"en": f"/{fault}/song.vtt"}, subtitles=["en"])
                self.assertEqual(line["subtitle_files"], {})
                self.assertEqual(Path(line["path"]).read_bytes(), self.clip)

    def test_subtitles_may_not_be_large(self):
        for path in ("/large.vtt", "/endless/song.vtt"):
            with self.subTest(path):
                line = self.subtitled({"en": path}, subtitles=["en"])
                self.assertEqual(line["subtitle_files"], {})
                self.assertEqual([f for f in os.listdir(self.folder) if f.endswith(".vtt")], [])

    def test_hls_and_dash_become_one_file(self):
        for path in ("ok/clip.m3u8", "ok/clip.mpd"):
            d = self.assert_done(self.fetch(path))
            duration, codecs = probe(d["path"])
            self.assertAlmostEqual(duration, 6, delta=0.2)
            self.assertEqual(codecs, ["aac", "h264"])
            self.assertEqual(os.listdir(self.folder), ["song.mp4"])
            os.remove(d["path"])

    def test_a_missing_fragment_is_no_success(self):
        text = (self.tmp / "clip.m3u8").read_text()
        (self.tmp / "hole.m3u8").write_text(text.replace("hls1.ts", "gone.ts"))
        self.assert_class(self.fetch("ok/hole.m3u8"), "removed", "truncated")
        self.assertNotIn("song.mp4", os.listdir(self.folder))

    def test_a_server_that_recovers_is_waited_for(self):
        self.assert_clip(self.fetch("page/503=2/clip.mp4"))

    def test_media_that_is_refused_has_its_class(self):
        for path, *classes in [("page/status=403/a.mp4", "url-403"), ("page/status=404/a.mp4", "removed"),
                               ("page/status=503/a.mp4", "server"), ("page/portal/a.mp4", "portal"),
                               ("page/status=429/a.mp4", "rate"), ("page/truncated=0/clip.mp4", "truncated", "connect"),
                               ("page/stall=0/clip.mp4", "timeout"), ("page/silent/a.mp4", "timeout")]:
            self.assert_class(self.fetch(path), *classes)
            self.assertNotIn("song.mp4", os.listdir(self.folder))

    def test_a_fresh_address_cures_a_403(self):
        self.assert_class(self.fetch("page/403-once/clip.mp4"), "url-403")
        self.assert_clip(self.fetch("page/403-once/clip.mp4"))

    def test_a_connection_that_breaks_is_gone_on_with(self):
        for fault in ("truncated-once=700000", "stall-once=700000"):
            self.assert_clip(self.fetch(f"page/{fault}/clip.mp4"))
            # What was not read in full when the connection stood still is asked for again.
            first, *_, last = self.server.ranges(f"/{fault}/clip.mp4?{self.name}")
            self.assertEqual(first, 0)
            self.assertTrue(0 < last <= 700000, last)
            os.remove(self.folder / "song.mp4")

    def test_what_is_always_cut_is_no_success(self):
        self.assert_class(self.fetch("page/short/clip.mp4"), "truncated", "partial", "connect")
        self.assertNotIn("song.mp4", os.listdir(self.folder))

    def test_without_ranges_it_starts_again(self):
        self.assert_clip(self.fetch("page/no-ranges/clip.mp4"))

    def test_a_file_that_changes_meanwhile_is_not_joined(self):
        d = self.fetch("page/changes=700000/clip.mp4")
        if d["event"] == "done":    # all of one of them
            data = Path(d["path"]).read_bytes()
            self.assertIn(data, (self.clip, bytes(b ^ 1 for b in self.clip)))
        else:
            self.assert_class(d, "partial")
            self.assertNotIn("song.mp4", os.listdir(self.folder))

    def test_size_is_limited_also_without_a_length(self):
        self.assert_class(self.fetch("page/ok/clip.mp4", max_bytes=100000), "policy")
        self.assert_class(self.fetch("page/endless/clip.mp4", max_bytes=8000000), "policy")
        self.assert_empty()

    def test_rate_is_limited_and_can_change(self):
        start = time.monotonic()
        n = self.worker.send("fetch", url=self.url("page/ok/clip.mp4"), is_guest=False, folder=str(self.folder),
                             name="song", rate_limit=300000)
        while self.worker.line()["event"] == "progress" and time.monotonic() < start + 0.7:
            pass
        self.assertLess(sum(p.stat().st_size for p in self.folder.glob("song.*")), 1500000)
        self.worker.write(json.dumps({"n": 0, "request": "rate", "rate_limit": 0}).encode() + b"\n")
        self.assert_clip(self.worker.end(n))

    def test_a_cancelled_fetch_ends_at_once_and_can_be_gone_on_with(self):
        n = self.worker.send("fetch", url=self.url("page/stall-once=700000/clip.mp4"), is_guest=False,
                             folder=str(self.folder), name="song")
        wait_until(lambda: (self.folder / "song.0.mp4.part").exists() and
                   (self.folder / "song.0.mp4.part").stat().st_size >= 300000, 10, "some of it is there")
        start = time.monotonic()
        self.worker.write(json.dumps({"n": n, "request": "cancel"}).encode() + b"\n")
        self.assert_class(self.worker.end(n), "cancelled")
        self.assertLess(time.monotonic() - start, 0.9 * SLOW, "it did not wait for the stall's end")
        d = self.fetch("page/stall-once=700000/clip.mp4")
        self.assert_clip(d)
        self.assertGreater(d["resumed_at"], 0)

    # -- after a kill --

    def kill_at(self, path, size):
        """A worker that is killed when so many bytes are there; how many are."""
        with Worker("--no-warm-up") as w:
            w.send("fetch", url=self.url(path), is_guest=False, folder=str(self.folder), name="song")
            part = self.folder / "song.0.mp4.part"
            wait_until(lambda: part.exists() and part.stat().st_size >= size, 20, "a part is there")
        return part.stat().st_size

    def test_a_killed_fetch_is_gone_on_with(self):
        had = self.kill_at("page/stall=1000000/clip.mp4", 500000)
        d = self.fetch("page/ok/clip.mp4")
        self.assert_clip(d)
        self.assertEqual((d["resumed_at"], self.server.ranges(f"/ok/clip.mp4?{self.name}")), (had, [had]))

    def test_a_partial_of_another_file_is_not_gone_on_with(self):
        self.kill_at("page/stall=1000000/back.mp4", 500000)
        d = self.fetch("page/ok/clip.mp4")
        self.assert_clip(d)
        self.assertEqual(d["resumed_at"], 0)

    def test_a_partial_without_a_stamp_is_not_gone_on_with(self):
        self.kill_at("page/no-ranges/stall=1000000/clip.mp4", 500000)
        self.assert_clip(self.fetch("page/ok/clip.mp4"))
        self.assertEqual(self.server.ranges(f"/ok/clip.mp4?{self.name}"), [0])

    def test_a_partial_that_is_longer_than_the_file_is_deleted(self):
        self.kill_at("page/stall=1000000/clip.mp4", 500000)
        # By so little that yt-dlp would take it for the whole file.
        with open(self.folder / "song.0.mp4.part", "ab") as f:
            f.write(b"x" * (len(self.clip) + 50 - f.tell()))
        self.assert_clip(self.fetch("page/ok/clip.mp4"))

    def test_garbage_in_place_of_what_was_noted_is_ignored(self):
        self.kill_at("page/stall=1000000/clip.mp4", 500000)
        for text in ("", "{", "[]", '{"parts": 5}', '{"parts": [5]}', '{"parts": [{}, {}]}',
                     '{"parts": [{"format": []}]}'):
            (self.folder / "resume.json").write_text(text)
            self.assert_clip(self.fetch("page/ok/clip.mp4"))
            shutil.copy(self.folder / "song.mp4", self.folder / "song.0.mp4.part")
            os.remove(self.folder / "song.mp4")

    # -- guests --

    def test_a_guest_reaches_no_private_address(self):
        for url in (self.url("ok/clip.mp4"), f"http://localhost:{self.server.server_port}/ok/clip.mp4",
                    "http://127.1/x", "http://2130706433/x", "http://0x7f.1/x", "http://[::1]/x", "http://0.0.0.0/x",
                    "http://[::ffff:127.0.0.1]/x", "http://[64:ff9b::7f00:1]/x", "http://10.0.0.1/x",
                    "http://[fe80::1]/x", "http://192.168.1.1/x", "http://169.254.169.254/latest/",
                    "http://100.64.0.1/x", "http://224.0.0.1/x", "http://[fd00::1]/x", "http://[ff02::1]/x"):
            for fields in ({"is_guest": True}, {"is_guest": None}):
                self.assert_class(self.resolve(url, **fields), "refused", *(["dns"] if "64:ff9b" in url else []))
        self.assertEqual(self.server.ranges("/ok/clip.mp4?" + self.name), [], "nobody knocked there")

    def test_a_guest_is_not_led_to_a_private_address(self):
        with PublicRoom(self.tmp) as room, Worker(enter=room.enter) as w:
            def fetch(path, **fields):
                return self.fetch(f"http://{room.public}/{path}", worker=w, **fields)
            self.assert_clip(fetch("page/ok/clip.mp4", is_guest=True))
            os.remove(self.folder / "song.mp4")
            for path in (f"redirect={room.private}/ok/clip.mp4", f"page={room.private}/ok/clip.mp4",
                         f"page/redirect={room.private}/ok/clip.mp4", "ok/private.m3u8"):
                (self.tmp / "private.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
                                                       f"http://{room.private}/hls0.ts\n#EXT-X-ENDLIST\n")
                self.assert_class(fetch(path, is_guest=True), "refused")
                self.assertNotIn("song.mp4", os.listdir(self.folder))
            # Staff may, and the guest after them still may not.
            self.assert_done(fetch(f"redirect={room.private}/ok/clip.mp4"))
            self.assert_class(fetch(f"redirect={room.private}/ok/clip.mp4", is_guest=True), "refused")

    def test_a_connection_that_was_made_for_staff_is_not_used_for_a_guest(self):
        """yt-dlp keeps connections, but not in all of its versions: so the guard itself is asked."""
        script = """if True:
            import http.client, importlib.machinery, importlib.util, os, sys
            loader = importlib.machinery.SourceFileLoader("fetch", sys.argv[1])
            fetch = importlib.util.module_from_spec(importlib.util.spec_from_loader("fetch", loader))
            loader.exec_module(fetch)
            def ask():
                kept.request("GET", sys.argv[3])
                kept.getresponse().read()
            guard, kept = fetch.Guard(), http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]))
            ask()
            at, before = kept.sock, len(os.listdir("/proc/self/fd"))
            guard.turn(False)
            ask()
            assert kept.sock is at, "it is kept"
            guard.turn(True)
            assert len(os.listdir("/proc/self/fd")) == before, "nothing is left open"
            for expected in (OSError, fetch.AddressRefused):
                try:
                    ask()
                except expected:
                    kept.close()
                else:
                    sys.exit("it was used")
        """
        r = subprocess.run([sys.executable, "-c", script, BUILD / "bin" / "djamms-fetch", str(self.server.server_port),
                            "/ok/clip.mp4?" + self.name], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        self.assertEqual(len(self.server.ranges("/ok/clip.mp4?" + self.name)), 2)

    def test_youtube_without_internet_is_no_fault_of_the_song(self):
        with PublicRoom(self.tmp) as room, Worker(enter=room.enter) as w:
            self.assert_class(w.ask("resolve", url=WATCH + "dQw4w9WgXcQ", is_guest=True), "dns", "connect")


if __name__ == "__main__":
    main()
