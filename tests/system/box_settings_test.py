#!/usr/bin/env python3
"""djamms.ini on the card of a box: a good one is used and kept, a wrong one is refused in a sentence and the last good one
stays, whatever is found there and wherever the power goes."""
import os
import shutil
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

BUILD = Path(os.environ["DJAMMS_BUILD"])
BOX = Path(__file__).resolve().parents[2] / "image/system/usr/lib/djamms-box"
KEPT = "[sound]\nvolume = 40\n"
GOOD = "[sound]\nvolume = 60\n"

# name: what the card has (None: no file), what is in force afterwards, and what is said
CASES = {
    "a new one": (GOOD, GOOD, "is used from now on"),
    "the same": (KEPT, KEPT, "is the one in force"),
    "none": (None, KEPT, "no djamms.ini on the card"),
    "one of another editor": ("\ufeff[sound]\r\nvolume = 60\r\n", "\ufeff[sound]\r\nvolume = 60\r\n", "is used from now on"),
    "comments alone": ("# nothing\n", "# nothing\n", "is used from now on"),
    "a wrong value": ("[sound]\nvolume = loud\n", KEPT, "djamms.ini:2: sound.volume"),
    "two mistakes": ("[sound]\nvolume = loud\n\n[display]\nsize = big\n", KEPT, "djamms.ini:5: display.size"),
    "an unknown name": ("[sound]\nvolumes = 60\n", KEPT, "djamms.ini:2: "),
    "no settings at all": ("once upon a time\n", KEPT, "djamms.ini:1: "),
    "other bytes": ("\x00\x01\x02" * 500, KEPT, "is not used"),
    "nothing in it": ("", KEPT, "It is empty."),
    "far too much": ("# " + "x" * (2 << 20), KEPT, "larger than a text can be"),
}
REFUSED = {"a wrong value", "two mistakes", "an unknown name", "no settings at all", "other bytes", "nothing in it", "far too much"}


class Settings(unittest.TestCase):
    def setUp(self):
        self.tmp = Path(tempfile.mkdtemp(prefix="djamms-box-"))
        self.addCleanup(shutil.rmtree, self.tmp)
        for name in ("card", "etc", "run", "bin"):
            (self.tmp / name).mkdir()
        self.card, self.kept, self.screen = self.tmp / "card/djamms.ini", self.tmp / "etc/djamms.ini", self.tmp / "screen"
        self.kept.write_text(KEPT)

    def start(self):
        """As at a start of the box. Returns the exit status and what the journal is told."""
        env = dict(os.environ, RUNTIME_DIRECTORY=str(self.tmp / "run"), PATH=f"{self.tmp}/bin:{BUILD}/bin:{os.environ['PATH']}")
        self.screen.write_text("")
        r = subprocess.run([BOX / "settings", self.card, self.kept, self.screen, "0"], env=env, capture_output=True, text=True,
                           timeout=60)
        return r.returncode, r.stdout

    def tell(self, name):
        """A command of that name that a power cut ends."""
        (self.tmp / "bin" / name).write_text("#!/bin/sh\nkill -9 $PPID\n")
        (self.tmp / "bin" / name).chmod(0o755)

    def test_what_is_found_on_the_card(self):
        for name, (text, in_force, said) in CASES.items():
            with self.subTest(name):
                self.kept.write_text(KEPT)
                self.card.unlink(missing_ok=True)
                if text is not None:
                    self.card.write_bytes(text.encode())
                status, journal = self.start()
                self.assertEqual(self.kept.read_bytes(), in_force.encode())
                self.assertEqual(status, 1 if name in REFUSED else 0, journal)
                self.assertIn(said, journal)
                self.assertEqual(os.listdir(self.tmp / "etc"), ["djamms.ini"])
                # errors are errors to the journal, and are seen on the screen
                self.assertEqual("<3>" in journal, name in REFUSED)
                self.assertEqual("The settings on the card are not used." in self.screen.read_text(), name in REFUSED)
                if said.startswith("djamms.ini:"):
                    self.assertIn(said, self.screen.read_text())
                if name in REFUSED:
                    self.assertIn("The settings of the last good one stay in force.", journal)

    def test_a_wrong_one_does_not_take_back_what_was_good(self):
        for text in (GOOD, "[sound]\nvolume = loud\n", None):
            self.card.unlink(missing_ok=True)
            if text is not None:
                self.card.write_text(text)
            self.start()
            self.assertEqual(self.kept.read_text(), GOOD)

    def test_a_box_that_had_none_takes_the_first(self):
        self.kept.unlink()
        self.card.write_text(GOOD)
        self.assertEqual(self.start()[0], 0)
        self.assertEqual(self.kept.read_text(), GOOD)
        self.assertEqual(stat.S_IMODE(self.kept.stat().st_mode), 0o644)

    def test_the_card_is_not_written_to_and_the_same_is_not_written_again(self):
        self.card.write_text(KEPT)
        before = self.kept.stat().st_ino, self.card.stat().st_mtime_ns
        self.start()
        self.assertEqual((self.kept.stat().st_ino, self.card.stat().st_mtime_ns), before)

    def test_a_card_that_cannot_be_read_is_refused(self):
        self.card.mkdir()
        status, journal = self.start()
        self.assertEqual(status, 1)
        self.assertIn("cannot be read", journal)
        self.assertEqual(self.kept.read_text(), KEPT)

    def test_where_nothing_can_be_kept_it_is_said(self):
        self.card.write_text(GOOD)
        shutil.rmtree(self.tmp / "etc")
        status, journal = self.start()
        self.assertEqual(status, 1)
        self.assertIn("cannot be kept", journal)

    def test_the_power_goes_while_it_is_kept(self):
        self.card.write_text(GOOD)
        for command in ("chmod", "sync", "mv"):
            self.tell(command)
            self.assertLess(self.start()[0], 0)
            self.assertEqual(self.kept.read_text(), KEPT, command)
            (self.tmp / "bin" / command).unlink()
        self.assertEqual(self.start()[0], 0)
        self.assertEqual(self.kept.read_text(), GOOD)
        self.assertEqual(os.listdir(self.tmp / "etc"), ["djamms.ini"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
