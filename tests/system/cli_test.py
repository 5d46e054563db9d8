"""Every command of the command line against a running jukebox: what it does, its JSON, its exit status."""
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import House, load_clips, main, wait_until
from screen import read_code

CLIPS = load_clips()
OK, FAILED, USAGE, NOT_RUNNING = range(4)


class WithoutJukebox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = House(screen=False)
        cls.addClassCleanup(cls.house.close)

    def test_not_running_is_status_3(self):
        for words in ("status", "metrics", "queue", "skip", "pause", "resume", "seek 10", "volume 5", "mute", "shuffle", "clear",
                      "remove main:1", "move main:1 2", "history", f"add {CLIPS['q1']['path']}", "screenshot /tmp/x.png"):
            code, _, error = self.house.cli(*words.split())
            self.assertEqual(code, NOT_RUNNING, words)
            self.assertTrue(error.strip(), words)

    def test_wrong_usage_is_status_2(self):
        for words in ("fly", "seek", "seek far", "volume loud", "move main:1", "remove", "status --nonsense", "add",
                      "screenshot", "play", "clear everything", "config", "history --limit many"):
            code, _, error = self.house.cli(*words.split())
            self.assertEqual(code, USAGE, words)
            self.assertTrue(error.strip(), words)

    def test_help_version_and_completion(self):
        code, out, _ = self.house.cli("--help")
        self.assertEqual(code, OK)
        commands = "play up status queue add skip pause resume seek volume mute remove move shuffle clear screenshot " \
                   "doctor metrics logs history config completion"
        for name in commands.split():
            self.assertIn(f" {name} ", out + " ", name)
            code, text, _ = self.house.cli(name, "--help")
            self.assertEqual((code, name in text), (OK, True), name)
        self.assertEqual(self.house.cli("--version")[0], OK)
        for shell in ("bash", "zsh"):
            code, out, _ = self.house.cli("completion", shell)
            self.assertEqual((code, "screenshot" in out), (OK, True))
        code, out, _ = self.house.cli("completion", "bash")
        self.assertEqual(subprocess.run(["bash", "-n"], input=out.encode()).returncode, 0)

    def test_doctor_reports_in_words_and_json(self):
        code, out, _ = self.house.cli("doctor")
        self.assertIn(code, (OK, FAILED))
        self.assertTrue(out.strip())
        code, out, _ = self.house.cli("doctor", "--json")
        self.assertTrue(json.loads(out))

    def test_config_check_names_file_and_line(self):
        good, bad = self.house.tmp / "good.ini", self.house.tmp / "bad.ini"
        code, out, _ = self.house.cli("config", "example")
        self.assertEqual(code, OK)
        good.write_text(out)
        self.assertEqual(self.house.cli("config", "check", good)[0], OK)
        for text, words in (("[sound]\nvolume = 500\n", ("bad.ini", "2", "100")),
                            ("[sound]\nvolum = 50\n", ("bad.ini", "2", "volum")),
                            ("[nowhere]\nx = 1\n", ("bad.ini", "nowhere")),
                            ("[display]\n\ndriver = crt\n", ("bad.ini", "3", "x11"))):
            bad.write_text(text)
            code, out, error = self.house.cli("config", "check", bad)
            self.assertEqual(code, FAILED, text)
            for word in words:
                self.assertIn(word, out + error)


    def test_an_installed_one_is_complete(self):
        folder = self.house.tmp / "installed"
        r = subprocess.run(["cmake", "--install", self.house.build, "--prefix", "/usr"], capture_output=True, text=True,
                           env=dict(self.house.env, DESTDIR=str(folder)), timeout=60)
        self.assertEqual(r.returncode, 0, r.stderr)
        for name in ("share/man/man1/djamms.1.gz", "share/man/man5/djamms.ini.5.gz", "share/bash-completion/completions/djamms",
                     "share/zsh/site-functions/_djamms"):
            self.assertGreater((folder / "usr" / name).stat().st_size, 0, name)
        checks = json.loads(subprocess.run([folder / "usr/bin/djamms", "doctor", "--json"], env=self.house.env,
                                           capture_output=True, timeout=60).stdout)["checks"]
        programs = [c["result"] for c in checks if c["name"] == "programs"]
        self.assertEqual(programs, ["ok"] * 5)


class WithJukebox(unittest.TestCase):
    """Each test finds three tracks in the main list, the first of them playing."""

    @classmethod
    def setUpClass(cls):
        cls.house = House(screen=False)
        cls.addClassCleanup(cls.house.close)
        cls.files = [CLIPS[n]["path"] for n in ("k1", "k2", "k3")]
        library = cls.house.tmp / "media" / "library"
        library.mkdir()
        (library / "Band - Song -- dQw4w9WgXcQ.mkv").symlink_to(CLIPS["q1"]["path"])
        cls.jukebox = cls.house.up(*cls.files, sound_driver="null", library_paths=library)

    def setUp(self):
        h = self.house
        h.ask("clear", lists="all")
        if h.status()["now"]:
            h.ask("skip")
        self.assertEqual(h.cli("add", *self.files)[0], OK)
        h.cli("resume")
        h.wait_status(lambda s: s["state"] == "playing" and s["counts"]["main"] == 3
                      and s["now"]["source"] == self.files[0] and 0 < s["now"]["position_s"] < 10, 10, "it plays")

    def json(self, *argv):
        code, out, error = self.house.cli(*argv, "--json")
        self.assertEqual(code, OK, error)
        return json.loads(out)

    def run_ok(self, *argv):
        code, out, error = self.house.cli(*argv)
        self.assertEqual(code, OK, f"{argv}: {error}")
        return out

    def sources(self, name="main"):
        return [os.path.basename(t["source"])[:2] for t in self.house.queue()[name]]

    def test_status_for_people_and_programs(self):
        self.house.wait_status(lambda s: all(p["is_alive"] for p in s["processes"]), 10, "the hub is up")
        s = self.json("status")
        self.assertEqual((s["state"], s["counts"], len(s["next"])), ("playing", {"main": 3, "requests": 0}, 2))
        self.assertEqual({p["is_alive"] for p in s["processes"]}, {True})
        self.assertEqual(len(s["processes"]), 5)
        hub = next(p for p in s["processes"] if p["name"] == "hub")
        self.assertEqual((hub["pid"], hub["address"][:17]), (self.house.find("djamms-hub"), "http://127.0.0.1:"))
        self.assertEqual(len(s["outputs"]), 1)
        self.assertIn(s["now"]["title"], self.run_ok("status"))

    def test_metrics_are_the_figures_of_the_status(self):
        h = self.house
        h.wait_status(lambda s: s["health"] and s["backend"]["link"] == "connected" and s["outputs"][0]["presented"], 20,
                      "board and disks are looked at, the hub is reached")
        figures = dict(x.rsplit(" ", 1) for x in self.run_ok("metrics").splitlines() if not x.startswith("#"))
        s = self.json("status")
        screen = s["outputs"][0]["name"]
        self.assertEqual((figures['djamms_state{state="playing"}'], figures["djamms_sync_connected"]), ("1", "1"))
        self.assertEqual(figures['djamms_queue_entries{list="main"}'], "3")
        self.assertEqual(figures['djamms_process_up{process="stage"}'], "1")
        presented = int(figures['djamms_output_frames_presented_total{output="%s",stage="0"}' % screen])
        self.assertTrue(0 < presented <= s["outputs"][0]["presented"], presented)
        self.assertGreater(int(figures['djamms_disk_size_bytes{folder="state"}']), 0)

    def test_doctor_looks_at_the_jukebox_that_runs(self):
        self.house.wait_status(lambda s: s["backend"]["link"] == "connected", 20, "the hub is reached")
        checks = self.json("doctor")["checks"]
        texts = {c["name"]: (c["result"], c["text"]) for c in checks}
        self.assertEqual(texts["jukebox"][0], "ok")
        self.assertTrue(texts["backend"][1].startswith("hub: connected"), texts["backend"])
        self.assertIn("came late", texts["pictures"][1])

    def test_its_log_is_summed_up(self):
        # The first figures are in the log when it has been looked at board and disks.
        wait_until(lambda: "figures: songs=" in self.jukebox.log.read_text(errors="replace"), 20, "figures in the log")
        summary = self.json("logs", "--summary", self.jukebox.log)
        self.assertTrue(all(isinstance(summary[k], (int, float)) for k in ("songs", "late", "underruns", "state_free_mb")),
                        summary)
        self.assertIn("songs", self.run_ok("logs", "--summary", self.jukebox.log))

    def test_status_watch_follows_changes(self):
        p = subprocess.Popen([self.house.bin / "djamms", "status", "--watch", "--json"], env=self.house.env,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(p.stdout.close)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        self.assertEqual(json.loads(p.stdout.readline())["is_muted"], False)
        self.run_ok("mute", "on")
        while not json.loads(p.stdout.readline())["is_muted"]:      # a missing change would run into the timeout
            pass
        self.run_ok("mute", "off")

    def test_each_change_of_the_queue_is_watched_with_a_greater_revision(self):
        control = self.house.control()
        self.addCleanup(control.close)
        last = control.ask("watch")["revision"]
        self.assertGreaterEqual(self.json("queue")["revision"], last)
        for words in (("add", CLIPS["q1"]["path"]), ("move", "main:3", "1"), ("remove", "main:2"), ("skip",)):
            self.run_ok(*words)
            revision = self.json("queue")["revision"]
            self.assertGreater(revision, last, words)
            while (seen := control.line()["revision"]) < revision:      # a missing line would run into the timeout
                self.assertGreaterEqual(seen, last)
            last = seen

    def test_queue_lists_both_lists(self):
        self.run_ok("add", "--request", "Zoë", CLIPS["q1"]["path"])
        q = self.json("queue")
        self.assertEqual(self.sources(), ["k1", "k2", "k3"])
        self.assertEqual([(t["requested_by"], t["is_request"]) for t in q["requests"]], [("Zoë", True)])
        self.assertIn("Zoë", self.run_ok("queue"))

    def test_add_next_goes_before_the_others(self):
        added = self.json("add", "--next", CLIPS["q1"]["path"])
        self.assertEqual((added["ok"], len(added["added"])), (True, 1))
        self.assertEqual(self.sources(), ["k1", "q1", "k2", "k3"])
        out = self.run_ok("add", "--next", CLIPS["q2"]["path"], CLIPS["q3"]["path"])
        self.assertEqual(out, "added 2 tracks, the first at main:1\n")
        self.assertEqual(self.sources()[:3], ["k1", "q2", "q3"])
        self.assertEqual(self.run_ok("add", CLIPS["q1"]["path"]), "added 1 track at main:6\n")

    def test_add_a_folder(self):
        folder = self.house.tmp / "media" / "album"
        if not folder.exists():
            folder.mkdir()
            for i in (10, 2, 1):
                (folder / f"Band - Song {i}.mkv").symlink_to(CLIPS["q1"]["path"])
        self.run_ok("add", folder)
        self.assertEqual([t["title"] for t in self.house.queue()["main"]][3:], ["Song 1", "Song 2", "Song 10"])

    def test_add_an_id_from_the_library(self):
        self.run_ok("add", "dQw4w9WgXcQ")
        self.run_ok("add", "dQw4w9WgXcQ")        # the queue knows it by now
        self.assertEqual([t["title"] for t in self.house.queue()["main"]][3:], ["Song", "Song"])
        self.assertEqual(self.house.cli("add", "AAAAAAAAAAA")[0], FAILED)

    def test_skip_goes_to_the_next_and_rotates(self):
        self.run_ok("skip")
        self.house.wait_status(lambda s: s["now"] and s["now"]["source"].endswith("k2.mkv"), 5, "the second plays")
        self.assertEqual(self.sources(), ["k2", "k3", "k1"])

    def test_a_request_plays_before_main_and_leaves(self):
        self.run_ok("add", "--request", "Bo", CLIPS["q2"]["path"])
        self.run_ok("skip")
        self.house.wait_status(lambda s: s["now"] and s["now"]["is_request"], 5, "the request plays")
        self.run_ok("skip")
        self.house.wait_status(lambda s: s["now"] and not s["now"]["is_request"], 5, "main goes on")
        self.assertEqual(self.sources("requests"), [])

    def test_pause_stands_still_and_resume_goes_on(self):
        title = self.house.status()["now"]["title"]
        self.assertRegex(self.run_ok("pause"), f"^paused: .*{title}")
        at = self.house.wait_status(lambda s: s["state"] == "paused", 3, "paused")["now"]["position_s"]
        for _ in range(20):
            self.assertAlmostEqual(self.house.status()["now"]["position_s"], at, delta=0.2)
        self.assertRegex(self.run_ok("resume"), f"^(playing|resumed): .*{title}")
        self.house.wait_status(lambda s: s["state"] == "playing" and s["now"]["position_s"] > at + 0.3, 5, "goes on")

    def test_seek_to_and_by(self):
        self.run_ok("seek", "12")
        self.house.wait_status(lambda s: 12 <= s["now"]["position_s"] < 14, 3, "12 s")
        self.run_ok("seek", "-8")
        self.house.wait_status(lambda s: 3.5 <= s["now"]["position_s"] < 7, 3, "8 s back")
        self.run_ok("seek", "0:10")
        self.house.wait_status(lambda s: 10 <= s["now"]["position_s"] < 12, 3, "0:10")

    def test_volume_and_mute(self):
        self.run_ok("volume", "40")
        self.run_ok("volume", "+5")
        self.assertEqual(self.json("volume")["volume"], 45)
        self.run_ok("volume", "-100")
        self.assertEqual(self.house.status()["volume"], 0)
        self.run_ok("volume", "100")
        self.run_ok("mute")
        self.assertTrue(self.house.status()["is_muted"])
        self.run_ok("mute", "off")
        self.assertFalse(self.house.status()["is_muted"])

    def test_move_remove_promote_play_now(self):
        self.run_ok("move", "main:2", "1")
        self.assertEqual(self.sources(), ["k1", "k3", "k2"])
        self.run_ok("promote", "main:2")
        self.assertEqual(self.sources(), ["k1", "k2", "k3"])
        self.assertTrue(self.run_ok("move", "main:0", "2").startswith("stays at main:0, it is playing: "))
        self.assertFalse(self.json("promote", "main:0")["is_moved"])
        self.assertEqual(self.sources(), ["k1", "k2", "k3"])
        key = self.house.queue()["main"][2]["key"]
        self.run_ok("play-now", key)
        self.house.wait_status(lambda s: s["now"] and s["now"]["source"].endswith("k3.mkv"), 5, "k3 plays")
        self.run_ok("remove", "main:1")
        self.assertEqual(len(self.sources()), 2)
        code, _, error = self.house.cli("remove", "main:17")
        self.assertEqual(code, FAILED)
        self.assertTrue(error.strip())

    def test_shuffle_keeps_all_and_the_playing_one_first(self):
        self.run_ok("shuffle")
        after = self.sources()
        self.assertEqual((sorted(after), after[0]), (["k1", "k2", "k3"], "k1"))

    def test_a_command_right_after_the_brain_was_killed_is_answered(self):
        pid = self.house.find("djamms-player")
        os.kill(pid, 9)
        wait_until(lambda: pid not in self.house.processes(), 5, "it is gone")
        self.assertEqual(self.json("volume")["ok"], True)

    def test_clear_leaves_the_music_on(self):
        self.run_ok("clear", "all")
        s = self.house.status()
        self.assertEqual((s["counts"], s["state"]), ({"main": 0, "requests": 0}, "playing"))
        self.house.wait_status(lambda t: t["now"]["position_s"] > s["now"]["position_s"] + 0.5, 5, "it goes on")

    def test_history_tells_what_was_played(self):
        self.run_ok("skip")
        newest = wait_until(lambda: self.json("history", "--limit", "1")["tracks"], 5, "a track in the history")[0]
        self.assertEqual(newest["how"], "skipped")
        self.assertTrue(self.run_ok("history").strip())

    def test_screenshot_shows_the_coded_picture(self):
        path = self.house.tmp / "shot.png"
        self.house.wait_status(lambda s: s["now"]["position_s"] > 1, 5, "a second is played")
        self.run_ok("pause")
        frame = self.house.wait_status(lambda s: s["state"] == "paused", 3, "paused")["now"]["position_s"] * 30
        self.run_ok("screenshot", path)
        clip, shown = read_code(path) or self.fail("no code in the picture")
        self.assertEqual(clip, 31)
        self.assertAlmostEqual(shown, frame, delta=6)
        self.assertEqual(self.house.cli("screenshot", path, "--output", "no such")[0], FAILED)


class Ending(unittest.TestCase):
    def test_sigint_ends_everything_within_a_moment(self):
        with House(screen=False) as house:
            p = house.up(CLIPS["k1"]["path"], sound_driver="null")
            house.wait_status(lambda s: s["state"] == "playing", 10, "it plays")
            p.send_signal(2)
            wait_until(lambda: p.poll() is not None, 5, "it ends")
            self.assertEqual(p.returncode, 0)
            self.assertEqual(house.processes(), {})

    def test_a_new_start_counts_from_its_beginning(self):
        with House(screen=False) as house:
            for _ in range(3):
                p = house.up(CLIPS["k1"]["path"], sound_driver="null")
                s = house.wait_status(lambda s: s["state"] == "playing" and len(s["processes"]) == 5, 10, "it plays")
                self.assertEqual({p["starts"] for p in s["processes"] if "starts" in p}, {1})
                pid = house.find("djamms-stage")
                os.kill(pid, 9)
                house.wait_status(lambda s: {p["starts"] for p in s["processes"] if p["name"] == "stage"} == {2}, 10,
                                  "the stage is there again")
                p.send_signal(2)
                wait_until(lambda: p.poll() is not None, 5, "it ends")

    def test_a_second_jukebox_in_the_same_zone_is_refused(self):
        with House(screen=False) as house:
            house.up(CLIPS["k1"]["path"], sound_driver="null")
            code, _, error = house.cli("up", *house.sets(sound_driver="null"))
            self.assertEqual(code, FAILED)
            self.assertTrue(error.strip())
            self.assertEqual(house.status()["counts"]["main"], 1)


if __name__ == "__main__":
    main()
