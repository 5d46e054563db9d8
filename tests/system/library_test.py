"""The library of a running player: what guests ask for by its id is played from a file, as is seen on the screen; songs are
found by words; what is on a stick that is pulled out is played again when it is back."""
import json
import os
import shutil
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import SLOW, House, load_clips, main, stop, wait_until
from backend import Backend

CLIPS = load_clips()
K1, K2, K3, Q1 = (CLIPS[n]["id"] for n in ("k1", "k2", "k3", "q1"))
ID2, ID3 = "Kzwei-22222", "-drei_33333"


class Library(unittest.TestCase):
    def setUp(self):
        self.house = h = House()
        h.closes_after(self)
        self.songs = h.tmp / "songs"
        self.stick = self.songs / "stick"
        self.stick.mkdir(parents=True)
        shutil.copy(CLIPS["k2"]["path"], self.songs / f"Die Ärzte - Zu spät -- {ID2}.mp4")
        shutil.copy(CLIPS["k3"]["path"], self.stick / f"Bjørn - Sång Three -- {ID3}.mp4")
        h.up(CLIPS["k1"]["path"], library_paths=self.songs)
        h.wait_status(lambda s: s["library"]["has_scanned"], 20, "the folders are read")
        h.wait_frame(20, "the first song", clip=K1)

    def test_a_request_by_video_id_plays_the_file_of_the_library(self):
        h, b = self.house, Backend(self.house)
        h.wait_status(lambda s: s["backend"]["role"] == "master", 20, "the player has the venue")
        wait_until(lambda: len(b.queue()["mainQueue"]) == 1, 20, "the hub has the queue")
        b.request({"videoId": ID3, "title": "Three", "artist": "B", "duration": 20}, "pay-1")
        wait_until(lambda: len(h.queue()["requests"]) == 1, 10, "the request is here")
        self.assertEqual(h.queue()["requests"][0]["source"], "", "a guest names no file")
        self.assertEqual(h.cli("skip")[0], 0)
        h.wait_frame(10, "the request plays", clip=K3)

    def test_a_request_is_played_after_a_restart_of_everything(self):
        h, b = self.house, Backend(self.house)
        h.wait_status(lambda s: s["backend"]["role"] == "master", 20, "the player has the venue")
        wait_until(lambda: len(b.queue()["mainQueue"]) == 1, 20, "the hub has the queue")
        b.request({"videoId": ID2, "title": "Two", "artist": "B", "duration": 20}, "pay-1")
        wait_until(lambda: len(h.queue()["requests"]) == 1, 10, "the request is here")
        self.assertEqual(h.cli("skip")[0], 0)
        h.wait_frame(10, "the request plays", clip=K2)
        stop(h.started[0])
        since = h.watch.now["A"][0]
        h.up(library_paths=self.songs)
        h.wait_frame(20, "it goes on with it", clip=K2, since=since)

    def test_songs_are_found_by_words_and_added_by_id(self):
        h = self.house
        code, out, _ = h.cli("search", "arzte", "zu", "spa")
        self.assertEqual((code, ID2 in out, "Die Ärzte - Zu spät" in out, str(self.songs) in out), (0, True, True, True), out)
        code, out, _ = h.cli("search", "--json", "BJORN")
        song, = json.loads(out)["songs"]
        self.assertEqual((code, song["id"], song["title"]), (0, ID3, "Sång Three"))
        self.assertEqual(h.cli("search", "nothing like that")[0], 1)
        self.assertEqual(h.cli("search", "--", '"*NEAR(')[0], 1)
        self.assertEqual(h.cli("search", "--limit", "0", "a")[0], 2)
        code, out, error = h.cli("add", "--next", "--", song["id"])
        self.assertEqual((code, out), (0, "added 1 track at main:1\n"), error)
        self.assertEqual(h.cli("skip")[0], 0)
        h.wait_frame(10, "it plays", clip=K3)
        code, _, error = h.cli("add", "abcdefghij0")
        self.assertEqual((code, "The house itself has no such song" in error), (1, True), error)
        code, _, error = h.cli("add", "file:0123456789abcdef")
        self.assertEqual((code, "no file of the library has this id" in error), (1, True), error)
        self.assertIn("2 songs", h.cli("status")[1])

    def test_a_new_file_is_there_at_once(self):
        h = self.house
        part = self.songs / "new.part"
        shutil.copy(CLIPS["k2"]["path"], part)
        part.rename(self.songs / "New - One -- newfile0001.mp4")
        wait_until(lambda: h.cli("search", "new one")[0] == 0, 20, "it is found")
        self.assertEqual(h.cli("add", "--next", "newfile0001")[0], 0)

    def test_the_helper_that_reads_tags_ends_with_the_player(self):
        h = self.house
        shutil.copy(CLIPS["k2"]["path"], self.songs / "no artist in the name.mp4")
        helper = wait_until(lambda: h.find("djamms-probe"), 20, "the helper is started")
        os.kill(h.find("djamms-player"), signal.SIGKILL)
        wait_until(lambda: helper not in h.processes(), 10, "it is gone")

    def test_a_song_whose_stick_is_pulled_out_is_played_when_it_is_back(self):
        h = self.house
        self.assertEqual(h.cli("add", CLIPS["q1"]["path"])[0], 0)
        self.assertEqual(h.cli("add", "--", ID3)[0], 0)     # not the next: no deck has it open
        self.stick.rename(h.tmp / "pulled")
        h.wait_status(lambda s: s["library"]["away"] == 1, 20, "it is seen")
        self.assertEqual(h.cli("search", "bjorn")[0], 1, "what is not there is not offered")
        code, _, error = h.cli("add", "--", "-nobody_333")
        self.assertEqual(code, 1)
        self.assertEqual(h.cli("play-now", "main:2")[0], 0)
        mark = "The stick or folder with its file is not there."
        wait_until(lambda: mark in [t["unplayable"] for t in h.queue()["main"]], 20, "it is said why")
        h.wait_frame(10, "another song plays", clip=Q1)
        (h.tmp / "pulled").rename(self.stick)
        wait_until(lambda: not any(t["unplayable"] for t in h.queue()["main"]), 20, "it may be played again")
        place = next(t["index"] for t in h.queue()["main"] if t["title"] == "Sång Three")
        self.assertEqual(h.cli("play-now", f"main:{place}")[0], 0)
        h.wait_frame(10, "it plays", clip=K3)


class FirstScan(unittest.TestCase):
    def test_an_id_that_is_asked_for_while_the_folders_are_read_is_waited_for(self):
        h = self.house = House(screen=False)
        h.closes_after(self)
        songs = h.tmp / "songs"
        songs.mkdir()
        for n in range(int(20000 / SLOW)):      # not read yet when it is asked, and before the answer is due
            (songs / f"Band - Song {n}.mp4").touch()
        shutil.copy(CLIPS["k2"]["path"], songs / f"Z - Last -- {ID2}.mp4")
        h.start("djamms-player", *h.sets(backend_kind="none", library_paths=songs))
        wait_until(lambda: (h.runtime / "control.sock").exists(), 10, "the player listens")
        answer = h.ask("add", ids=[ID2])
        self.assertEqual([t["title"] for t in answer["added"]], ["Last"], answer)


if __name__ == "__main__":
    main()
