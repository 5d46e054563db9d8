"""A house whose player has its venue at the hub of the house: what is presented, the box and the document side by side."""
import os
import shutil
import signal
import unittest

from backend import Backend
from house import House, load_clips, wait_until

CLIPS = load_clips()
FPS = 30
NAMES = ("k1", "k2", "k3")
K1, K2, K3 = (CLIPS[n]["id"] for n in NAMES)


def is_connected(status):
    return status["backend"]["link"] == "connected"


class VenueCase(unittest.TestCase):
    """k1, k2, k3 are in the main queue, and k1 plays. LIBRARY: songs that a venue knows by their video id only."""

    LIBRARY = {}    # video id -> name of the clip

    def setUp(self):
        self.house = h = House()
        h.closes_after(self)
        sets = {}
        if self.LIBRARY:
            sets["library_paths"] = h.tmp / "songs"
            sets["library_paths"].mkdir()
        for id, name in self.LIBRARY.items():
            clip = CLIPS[name]["path"]
            shutil.copy(clip, sets["library_paths"] / f"Band - {name} -- {id}{os.path.splitext(clip)[1]}")
        h.up(*[CLIPS[n]["path"] for n in NAMES], **sets)
        self.backend = Backend(h)
        h.wait_status(lambda s: is_connected(s) and s["backend"]["role"] == "master", 20, "the player has the venue")
        if self.LIBRARY:
            h.wait_status(lambda s: s["library"]["has_scanned"], 20, "the folders are read")
        h.wait_frame(20, "it plays", clip=K1, after=FPS)

    def wait_queue(self, condition, what, seconds=10):
        """The venue's document, once it is so."""
        return wait_until(lambda: (q := self.backend.queue()) and condition(q) and q, seconds, what)

    def three_songs(self):
        return self.wait_queue(lambda q: len(q["mainQueue"]) == 3 and q["nowPlaying"], "three songs and what plays")

    def same(self):
        """Box and hub hold the same."""
        def check():
            own, there = self.house.queue(), self.backend.queue()
            return [t["id"] for t in own["main"]] == [t["id"] for t in there["mainQueue"]] and \
                [t["id"] for t in own["requests"]] == [t["id"] for t in there["priorityQueue"]]
        wait_until(check, 20, "box and hub hold the same queue")

    def kill(self, program):
        os.kill(self.house.find(program), signal.SIGKILL)
