#!/usr/bin/env python3
"""The image of a box starts on a PC with UEFI, in QEMU: firmware, loader, kernel, systemd, and the jukebox on its screen, with nothing
of a terminal and nobody let in; the settings on the card are used, wrong ones are refused. For the long run: the image is
made for it, unless $DJAMMS_IMAGE names one."""
import os
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from box import Box, CannotRun, Card, check  # noqa: E402

ROOT = HERE.parents[1]
# An emulated processor on a busy computer: only to know when it is no use to wait any longer.
SECONDS = 1500
UNITS = ("djamms.target", "djamms-player.service", "djamms-stage.service", "djamms-deck@a.service", "djamms-deck@b.service",
         "djamms-hub.service")
ASK = """
units='%s'
for n in $(seq 300); do
    up=yes
    for u in $units; do systemctl is-active --quiet $u || up=no; done
    [ $up = no ] || break
    sleep 1
done
for u in $units djamms-box-settings.service; do
    echo "@unit $u $(systemctl show -P ActiveState $u) $(systemctl show -P NRestarts $u)"
done
systemctl --failed --plain --no-legend | while read -r u rest; do echo "@failed $u"; done
systemctl list-units --plain --no-legend '*getty*' 'ssh*' | while read -r u rest; do echo "@open $u"; done
ss -Htln | while read -r state a b local rest; do echo "@listens $local"; done
echo "@root $(lsblk -bndo SIZE $(findmnt -no SOURCE /)) $(df -B1 --output=size / | tail -n 1)"
echo "@card $(findmnt -no OPTIONS /boot/firmware)"
echo "@watchdog $(systemctl show -P RuntimeWatchdogUSec)"
echo "@volume $(djamms config show | sed -n 's/^sound.volume *\\([0-9]*\\).*/\\1/p')"
echo "@console $(cat /sys/class/tty/tty0/active)"
echo "@boot $(systemd-analyze time | tr '\\n' ' ')"
journalctl -b -u djamms-box-settings -o cat -p err | sed 's/^/@refused /'
journalctl -b -o short-monotonic --no-hostname | tail -n 250
echo @end
""" % " ".join(UNITS)


def setUpModule():
    global IMAGE
    try:
        check()
    except CannotRun as e:
        print(f"skipped: {e}")
        sys.exit(77)
    IMAGE = Path(os.environ.get("DJAMMS_IMAGE") or ROOT / "build/images/djamms-virt-amd64.img")
    if not os.environ.get("DJAMMS_IMAGE"):
        subprocess.run([ROOT / "dev", "image", "--arch", "amd64"], check=True, stdin=subprocess.DEVNULL)


class Boot(unittest.TestCase):
    def start(self, card, name):
        """What the box says of itself, and two pictures of its screen, one after the other."""
        with Box(card, ASK) as box:
            try:
                answers = box.answers(SECONDS)
                first = box.picture(ROOT / f"build/images/{name}.png")
                box.wait(lambda: box.picture() != first, 120, "the screen moves")
            finally:
                (ROOT / f"build/images/{name}.log").write_text(box.text())
        return answers, first

    def test_it_starts_and_uses_the_settings_on_the_card(self):
        with Card(IMAGE) as card:
            size = card.path.stat().st_size
            card.write("djamms.ini", "[sound]\r\nvolume = 33\r\n")
            answers, (width, height, pixels) = self.start(card, "good")
            units = {u.split()[0]: u.split()[1] for u in answers["unit"]}
            self.assertEqual({u: units[u] for u in UNITS}, dict.fromkeys(UNITS, "active"))
            self.assertNotIn("failed", answers)
            self.assertNotIn("open", answers)
            for local in answers.get("listens", []):
                self.assertRegex(local, r"^(127\.|\[::1\])", "nobody comes in from the network")
            part, held = map(int, answers["root"][0].split())
            self.assertGreater(part, size - (300 << 20), "the root takes the whole card")
            self.assertGreater(held, part * 0.9)
            self.assertIn("ro", answers["card"][0].split(","))
            self.assertEqual(answers["watchdog"], ["14s"])
            self.assertEqual(answers["volume"], ["33"])
            self.assertGreater(len(set(zip(pixels[0::3], pixels[1::3], pixels[2::3]))), 50, "a picture, no console")

            # The next start of the same box, with what somebody typed wrong.
            card.write("djamms.ini", "[sound]\nvolume = loud\n")
            answers, _ = self.start(card, "refused")
            self.assertEqual(answers["volume"], ["33"])
            self.assertEqual(answers["failed"], ["djamms-box-settings.service"])
            self.assertIn("djamms.ini:2: sound.volume", " ".join(answers["refused"]))
            units = {u.split()[0]: u.split()[1] for u in answers["unit"]}
            self.assertEqual({u: units[u] for u in UNITS}, dict.fromkeys(UNITS, "active"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
