"""yt-dlp's updates over a channel, with the real worker and real yt-dlp: what came is used only when it is what was offered, is
signed, and works; whatever is killed, one that works is in use."""
import contextlib
import fcntl
import glob
import hashlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from extractor_rig import DIES, FAILS, Rig
from house import main, wait_until


class Update(Rig):
    def test_a_new_version_is_tried_and_used_and_doctor_names_it(self):
        self.assert_used(self.system_version)
        self.offer("2026.11.05")
        self.sets["extractor.test-items"] = " ".join(self.server.url(p) for p in ("clip.mp4?a", "page/clip.mp4?a"))
        self.assertIn("in use from now on", self.update("updated"))
        s = self.assert_used("2026.11.05")
        self.assertTrue(s["path"].startswith(str(self.house.state / "extractor" / "2026.11.05" / "yt-dlp")), s)
        self.assertEqual((s["current"], s["previous"], s["is_whole"]), ("2026.11.05", None, True))
        tried = [path for path, _, _ in self.server.requests if path.endswith("?a")]
        self.assertTrue({"/clip.mp4?a", "/page/clip.mp4?a"} <= set(tried), tried)
        self.assertEqual(self.leftovers(), set())
        code, out, _ = self.house.cli("doctor", *self.words()[1:], seconds=120)
        checks = {c["name"]: c["text"] for c in json.loads(out)["checks"]}
        self.assertIn("yt-dlp 2026.11.05 of", checks["fetching"])
        self.assertIn(str(self.house.state), checks["fetching"])
        self.assertIn("2026.11.05 is in use", checks["updates"])
        self.update("newest")
        self.offer("2026.11.04")
        self.assertIn("the channel has 2026.11.04", self.update("newest"))
        self.offer("2026.11.05.120000")     # of the same day
        self.update("updated")
        self.assert_used("2026.11.05.120000")

    def test_it_comes_over_http_and_redirects_too(self):
        name = self.channel.name
        self.offer("2026.11.05", url=self.server.url(f"redirect/{name}/yt-dlp-2026.11.05"))
        self.sets["extractor.channel"] = self.server.url(f"redirect/redirect/{name}/offer.json")
        self.update("updated")
        self.assert_used("2026.11.05")

    def test_a_file_that_is_not_the_offered_one_is_refused(self):
        good = self.make("2026.11.05")
        for data, changed in [(good + b"x", {}), (good[:-1], {}), (good[:100] + b"?" + good[101:], {}), (b"", {}),
                              (good, {"sha256": "0" * 64})]:
            self.offer("2026.11.05", data, **{"size": len(good), "sha256": hashlib.sha256(good).hexdigest(), **changed})
            self.assertIn("Nothing was changed", self.update("bad-file"))
        (self.channel / "yt-dlp-2026.11.05").unlink()
        self.update("unreachable")
        self.assertEqual(self.leftovers(), set(), "nothing of it came near the others")
        self.assert_used(self.system_version)
        self.offer("2026.11.05", good)
        self.update("updated")

    def test_a_file_that_is_cut_off_on_its_way_is_refused(self):
        name = self.channel.name
        self.offer("2026.11.05", url=self.server.url(f"truncated=100000/{name}/yt-dlp-2026.11.05"))
        self.sets["extractor.channel"] = self.server.url(f"{name}/offer.json")
        self.update("unreachable")
        self.offer("2026.11.05", url="file:///etc/passwd")
        self.assertIn("file://", self.update("bad-file"))
        self.assert_used(self.system_version)

    def test_with_a_key_only_what_it_signed_is_used(self):
        (key, public), (other, _) = self.make_key("key"), self.make_key("other")
        self.sets["extractor.key-file"] = public
        data = self.offer("2026.11.05")
        self.assertIn("is not signed", self.update("bad-signature"))
        self.offer("2026.11.05", data, key=other)
        self.assertIn("not signed by the key of this house", self.update("bad-signature"))
        self.offer("2026.11.05", data, key=key)
        signed = json.loads((self.channel / "offer.json").read_text())
        s = signed["signature"]
        for changed in ({"version": "2026.12.01"}, {"sha256": hashlib.sha256(b"evil").hexdigest()}, {"size": 4},
                        {"signature": ("B" if s[0] == "A" else "A") + s[1:]}):
            (self.channel / "offer.json").write_text(json.dumps({**signed, **changed}))
            self.update("bad-signature")
        self.assert_used(self.system_version)
        (self.channel / "offer.json").write_text(json.dumps(signed))
        self.update("updated")
        self.assertTrue(self.assert_used("2026.11.05")["is_signed"])
        self.sets["extractor.key-file"] = self.channel / "offer.json"
        self.assertIn("no public Ed25519 key", self.update("failed"))

    def test_a_channel_that_cannot_be_reached_changes_nothing_and_says_so(self):
        self.offer("2026.11.05")
        self.update("updated")
        for channel, said in [("http://127.0.0.1:1/offer.json", "onnect"), (self.server.url("none"), "404"),
                              (self.server.url("redirect=192.0.2.1/x"), "without https"), (f"file://{self.channel}/none", "No such file"),
                              ("http://name.invalid./offer.json", "")]:
            self.sets["extractor.channel"] = channel
            if "invalid" in channel:    # plain http from elsewhere is not even asked
                self.assertIn("without https", self.update("failed"))
            else:
                self.assertIn(said, self.update("unreachable"))
            last = self.assert_used("2026.11.05")["checked"]
            self.assertFalse(last["ok"])
        for text in ("", "null", "<html>portal</html>", '{"version": "../../x", "url": "x", "size": 1, "sha256": ""}', "x" * 70000):
            (self.channel / "offer.json").write_text(text)
            self.sets["extractor.channel"] = self.server.url(f"{self.channel.name}/offer.json")
            self.update("bad-offer" if len(text) < 70000 else "unreachable")
        self.assert_used("2026.11.05")
        self.sets = {}
        self.assertIn("no channel", self.update("off"))
        code, out, error = self.house.cli("extractor", "update")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("djamms: There is no channel", error)

    def test_settings_that_name_another_one_win(self):
        self.offer("2026.11.05")
        self.update("updated")
        other = self.channel / "other"
        other.write_bytes(self.make("2026.01.01"))
        self.sets["fetch.yt-dlp"] = other
        s = self.status()
        self.assertEqual((s["version"], s["from"]), ("2026.01.01", "settings"))
        self.update("off")

    def test_an_older_one_than_the_systems_is_not_used(self):
        self.offer("2026.11.05")
        self.update("updated")
        store = self.house.state / "extractor"      # as if the system had been upgraded since
        (store / "2020.01.01").mkdir()
        (store / "2020.01.01" / "yt-dlp").write_bytes(self.make("2020.01.01"))
        (store / "current").unlink()
        (store / "current").symlink_to("2020.01.01")
        self.assert_used(self.system_version)
        (store / "2020.01.01" / "yt-dlp").write_bytes(b"no zip file")
        self.assert_used(self.system_version)


class Canary(Rig):
    def setUp(self):
        super().setUp()
        self.offer("2026.11.05")
        self.update("updated")

    def test_a_version_that_does_not_start_is_refused_until_it_is_wanted_again(self):
        mark = self.channel / "broken"
        mark.touch()
        self.offer("2026.11.06", self.make("2026.11.06", version="\n" + DIES.format(path=str(mark))))
        self.assertIn("does not start", self.update("refused"))
        s = self.assert_used("2026.11.05")
        self.assertEqual([r["version"] for r in s["refused"]], ["2026.11.06"])
        self.assertIn("refused", self.update("refused-before"))
        self.assertIn("not start", self.update("refused", "again"))
        mark.unlink()
        self.update("refused-before")
        self.update("updated", "again")
        self.assertEqual(self.assert_used("2026.11.06")["refused"], [])

    def test_one_that_is_not_what_it_says_is_refused(self):
        for data in (b"this is no zip file", self.make("2026.11.07")):
            self.offer("2026.11.06", data)
            self.assertIn("is not version 2026.11.06", self.update("refused", "again"))
        self.offer("2026.11.06", self.make("2026.11.06", YoutubeDL=FAILS.format(word="/page")))
        self.assertIn("plain page", self.update("refused", "again"))
        self.assert_used("2026.11.05")

    def test_one_that_does_not_play_what_the_present_one_plays_is_refused(self):
        self.sets["extractor.test-items"] = " ".join([self.server.url("clip.mp4?one"), self.server.url("clip.mp4?two")])
        self.offer("2026.11.06", self.make("2026.11.06", YoutubeDL=FAILS.format(word="?two")))
        text = self.update("refused")
        self.assertIn("clip.mp4?two", text)
        self.assertIn("Unable to extract", text)
        self.assert_used("2026.11.05")
        self.assertEqual(self.leftovers(), {"2026.11.06"})
        self.offer("2026.11.08")
        self.update("updated")
        self.assert_used("2026.11.08")
        self.update("newest")
        self.assertEqual(self.leftovers(), set(), "of an older one not even the reason is of use")

    def test_bytes_are_read_not_only_addresses_resolved(self):
        self.sets["extractor.test-items"] = self.server.url("clip.mp4?bytes")
        code = "\ndef _no(self, *a, **k):\n    raise ValueError('no bytes come')\nYoutubeDL.dl = _no\n"
        self.offer("2026.11.06", self.make("2026.11.06", YoutubeDL=code))
        self.assertIn("no bytes come", self.update("refused"))
        self.assert_used("2026.11.05")

    def test_what_plays_with_neither_is_no_test(self):
        gone, good = self.server.url("status=404/clip.mp4?gone"), self.server.url("clip.mp4?good")
        self.sets["extractor.test-items"] = gone
        self.offer("2026.11.06")
        self.assertIn("none of extractor.test-items plays", self.update("untried"))
        self.assert_used("2026.11.05")
        self.sets["extractor.test-items"] = f"{gone} {good}"
        self.update("updated")
        self.assert_used("2026.11.06")

    def test_without_a_network_it_is_not_tried_and_not_refused(self):
        self.sets["extractor.test-items"] = "http://127.0.0.1:1/clip.mp4"
        self.offer("2026.11.06")
        self.assertIn("could not be tried", self.update("untried"))
        self.assertEqual(self.assert_used("2026.11.05")["refused"], [])
        # A server that has trouble just then, and none when the one in use is asked.
        self.sets["extractor.test-items"] = self.server.url("503=1/clip.mp4?busy")
        self.assertIn("503", self.update("untried"))
        self.assertEqual(self.assert_used("2026.11.05")["refused"], [])
        self.update("updated")


class Rollback(Rig):
    def test_it_goes_back_step_by_step_to_the_systems_own(self):
        self.assertIn("nothing to go back from", self.extractor("rollback")["text"])
        for version in ("2026.11.05", "2026.11.06"):
            self.offer(version)
            self.update("updated")
        self.assertEqual(self.assert_used("2026.11.06")["previous"], "2026.11.05")
        answer = self.extractor("rollback", "It hums.")
        self.assertEqual((answer["ok"], answer["version"]), (True, "2026.11.05"))
        s = self.assert_used("2026.11.05")
        self.assertEqual(s["refused"], [{"version": "2026.11.06", "why": "It hums."}])
        self.update("refused-before")
        self.assertEqual(self.extractor("rollback")["version"], None)
        self.assert_used(self.system_version)
        self.assertFalse(self.extractor("rollback")["ok"])
        code, out, _ = self.house.cli("extractor", "status", seconds=60)
        self.assertEqual(code, 0)
        self.assertIn("the system's own", out)
        self.assertIn("It hums.", out)
        for words in (["dance"], ["status", "x"], ["update", "now"], ["update", "again", "x"], []):
            self.assertEqual(self.house.cli("extractor", *words)[0], 2, words)

    def test_it_waits_for_an_update_under_way(self):
        self.offer("2026.11.05")
        self.update("updated")
        lock, = self.house.state.rglob("extractor/lock")

        def has_come():
            for fd in glob.glob(f"/proc/{process.pid}/fd/*"):
                with contextlib.suppress(OSError):
                    if os.readlink(fd) == str(lock.resolve()):
                        return True
            return process.poll() is not None

        with open(lock, "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            process = self.house.start("djamms", *self.words("rollback"))
            wait_until(has_come, 20, "it is at the lock")
            self.assertIsNone(process.poll(), "it did not give up")
        wait_until(lambda: process.poll() is not None, 20, "it goes on")
        self.assertEqual(process.returncode, 0, process.log.read_text())
        self.assert_used(self.system_version)


class Kill(Rig):
    def test_killed_at_any_moment_one_that_works_is_in_use(self):
        """$DJAMMS_ROUNDS kills at random moments; $DJAMMS_SEED repeats a run."""
        rounds, seed = int(os.environ.get("DJAMMS_ROUNDS", 6)), os.environ.get("DJAMMS_SEED", str(time.time_ns()))
        rng = random.Random(seed)
        print(f"seed {seed}", flush=True)
        self.offer("2026.11.05")
        began = time.monotonic()
        self.update("updated")
        lasts_s = time.monotonic() - began
        used, was_cut = "2026.11.05", 0
        for n in range(rounds):
            version = f"2026.12.{n + 1:02}"
            self.offer(version)
            p = subprocess.Popen([self.house.bin / "djamms", *self.words("update")], env=self.house.env, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True)
            try:
                p.wait(rng.uniform(0, 1.1) * lasts_s)
            except subprocess.TimeoutExpired:
                was_cut += 1
            p.kill()
            p.wait()
            s = self.status()
            self.assertIn(s["version"], (used, version), s)
            self.assertTrue(s["is_whole"])
            self.assertEqual(s["from"], "channel")
            wait_until(lambda: not self.house.workers(), 20, "its worker ended with it")
            used = s["version"]
        self.assertGreater(was_cut, 0)
        self.offer("2026.12.31")
        self.update("updated")
        self.update("newest")
        self.assert_used("2026.12.31")
        self.assertEqual(self.leftovers(), set())

    def test_two_at_once_do_not_meet(self):
        self.offer("2026.11.05", url=self.server.url(f"slow=1000000/{self.channel.name}/yt-dlp-2026.11.05"))
        self.sets["extractor.channel"] = self.server.url(f"{self.channel.name}/offer.json")
        p = subprocess.Popen([self.house.bin / "djamms", *self.words("update")], env=self.house.env, stdout=subprocess.DEVNULL)
        wait_until(lambda: any("slow=" in r[0] for r in self.server.requests), 30, "the file is on its way")
        self.update("busy")
        p.kill()
        p.wait()


if __name__ == "__main__":
    main()
