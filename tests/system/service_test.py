#!/usr/bin/env python3
"""The programs as systemd runs them. A manager of our own starts them with the arguments and times of the installed units,
hears what they tell it, and does what the units say: whoever gives no sign of life in time is killed and started again."""
import os
import select
import signal
import socket
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from house import IS_PACED, SLOW, House  # noqa: E402
from units import seconds, settings, stage_install  # noqa: E402

PROGRAMS = {"player": "djamms-player.service", "deck": "djamms-deck@.service", "stage": "djamms-stage.service",
            "hub": "djamms-hub.service"}
# From the last sign of life to the first of the new one, in seconds.
RECOVERED = {"player": 5, "deck": 5, "stage": 3, "hub": 5}


class Service:
    """One program under our manager."""

    def __init__(self, house, name, unit):
        self.house, self.name, self.unit = house, name, unit
        self.path = str(house.tmp / f"notify-{name}")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.watchdog = seconds(unit["WatchdogSec"][0])
        self.delay = seconds(unit["RestartSec"][0])
        self.start()

    def start(self):
        words = self.unit["ExecStart"][0].replace("%i", "a").replace("/run/djamms", str(self.house.runtime)).split()
        self.process = self.house.start(
            Path(words[0]).name, *words[1:], *self.house.sets(display_driver="offscreen", sound_driver="null"),
            env={"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": str(int(self.watchdog * 1e6))})

    def hear(self, within):
        """The next message but that the start may take longer, and when it came; None when there is none in that time."""
        deadline = time.monotonic() + within
        while select.select([self.socket], [], [], max(deadline - time.monotonic(), 0))[0]:
            text = self.socket.recv(4096).decode()
            if not text.startswith("EXTEND_TIMEOUT_USEC="):
                return text, time.monotonic()
        return None, time.monotonic()

    def close(self):
        self.socket.close()


class Signs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.units = {name: settings(stage_install() / "lib/systemd/system" / unit) for name, unit in PROGRAMS.items()}

    def service(self, name):
        house = House(screen=False)
        self.addCleanup(house.__exit__, None, None, None)
        s = Service(house, name, self.units[name])
        self.addCleanup(s.close)
        return s

    def expect(self, s, wanted, within):
        text, at = s.hear(within * SLOW)
        self.assertEqual(text, wanted, f"{s.name}: {s.process.log.read_text(errors='replace')}")
        return at

    def hang(self, name):
        s = self.service(name)
        self.expect(s, "READY=1", 20)
        last = self.expect(s, "WATCHDOG=1", s.watchdog)
        os.kill(s.process.pid, signal.SIGSTOP)
        # What was sent before it stood still.
        while True:
            text, at = s.hear(last + s.watchdog * SLOW - time.monotonic())
            if text is None:
                break
            self.assertEqual(text, "WATCHDOG=1")
            last = at
        self.assertIsNone(s.process.poll())     # it hangs, it is not gone
        s.process.kill()                        # WatchdogSignal=SIGKILL
        s.process.wait()
        self.assertEqual(self.units[name]["WatchdogSignal"], ["SIGKILL"])
        self.assertEqual(self.units[name]["Restart"], ["always"])
        s.start()   # RestartSec is counted, not waited for
        back = self.expect(s, "READY=1", 20)
        took = back - last + s.delay
        print(f"{name}: {took:.2f} s from its last sign of life to the next", file=sys.stderr)
        if IS_PACED:
            self.assertLess(took, RECOVERED[name])
        self.expect(s, "WATCHDOG=1", s.watchdog)

    def test_a_stage_that_hangs_gives_no_sign_and_is_back_in_time(self):
        self.hang("stage")

    def test_a_player_that_hangs_gives_no_sign_and_is_back_in_time(self):
        self.hang("player")

    def test_a_deck_that_hangs_gives_no_sign_and_is_back_in_time(self):
        self.hang("deck")

    def test_a_hub_that_hangs_gives_no_sign_and_is_back_in_time(self):
        self.hang("hub")

    def test_signs_of_life_come_well_before_the_watchdog_and_end_in_order(self):
        for name in PROGRAMS:
            with self.subTest(name):
                s = self.service(name)
                last = self.expect(s, "READY=1", 20)
                for _ in range(5):
                    now = self.expect(s, "WATCHDOG=1", s.watchdog)
                    if IS_PACED:
                        self.assertLess(now - last, s.watchdog * 0.8)
                    last = now
                s.process.terminate()
                self.assertEqual(s.process.wait(20 * SLOW), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
