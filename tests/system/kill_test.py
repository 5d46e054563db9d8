"""SIGKILL of one process at a random moment, again and again: the others go on, it comes back, and the music
with it; the queue stays as it was. Judged by the frames presented and the samples played.

  kill_test.py [--rounds N]      50 rounds unless told, by $DJAMMS_ROUNDS, too; $DJAMMS_SEED repeats a run

In a slow build the pace is not judged: only that all goes on, and that nothing is lost."""
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import IS_PACED, SLOW, House, load_clips, wait_until
from screen import MS, NS
from sound import RATE

CLIPS = load_clips()
NAMES = ("k1", "k2", "k3")
IDS = [CLIPS[n]["id"] for n in NAMES]
FRAMES = CLIPS["k1"]["frames"]
FPS = 30
LOOP = FRAMES * len(IDS)
WAV_HEADER = 44


def place(event):
    """Position of a picture in the endless loop of all clips, in frames."""
    return IDS.index(event[2]) * FRAMES + event[3]


def step(a, b):
    """Frames from a to b, the short way around the loop."""
    return (place(b) - place(a) + LOOP // 2) % LOOP - LOOP // 2


class Killing:
    def __init__(self, house, rng):
        self.house, self.rng = house, rng
        self.failures = []
        self.costs = {}         # role -> [ms]

    def roles(self):
        h = self.house
        decks = sorted((argv[1:], pid) for pid, argv in h.processes().items()
                       if argv and os.path.basename(argv[0]) == "djamms-deck")
        out = {"player": h.find("djamms-player"), "stage": h.find("djamms-stage")}
        if len(decks) == 2:
            out["deck-a"], out["deck-b"] = decks[0][1], decks[1][1]
        return out if all(out.values()) and len(out) == 4 else None

    def check(self, ok, sentence):
        if not ok:
            self.failures.append(sentence)
            print("   FAILED:", sentence, flush=True)

    def ring(self):
        """Both lists, the main one turned so that it starts with its lowest id."""
        q = self.house.queue()
        ids = [t["id"] for t in q["main"]]
        at = ids.index(min(ids)) if ids else 0
        return ids[at:] + ids[:at], [t["id"] for t in q["requests"]]

    def samples(self):
        return max(0, (self.house.wav.stat().st_size - WAV_HEADER)) // self.frame_bytes

    def start(self):
        h = self.house
        h.up(*[CLIPS[n]["path"] for n in NAMES])
        h.wait_frame(20, "it plays", after=FPS)
        head = h.wav.read_bytes()[:WAV_HEADER]
        self.frame_bytes = int.from_bytes(head[32:34], "little")
        self.queue = self.ring()

    def after(self, t, frames=20):
        """Waits until so many pictures were presented after t that differ; returns all events."""
        watch = self.house.watch
        watch.wait(lambda s: watch.count_since(t) >= frames, 8 * SLOW)
        return watch.events()

    def round(self, number):
        h = self.house
        pids = wait_until(self.roles, 8, "all four processes run")
        role = self.rng.choice(sorted(pids))
        moment = time.monotonic() + self.rng.uniform(0.2, 0.9)
        h.watch.wait(lambda s: time.monotonic() >= moment, 5)
        samples = self.samples()
        before = time.monotonic_ns()
        os.kill(pids[role], signal.SIGKILL)
        events = self.after(before + NS / 2 if role != "stage" else before)
        codes = events.codes(since=before - NS)
        old = [e for e in codes if e[0] <= before]
        new = [e for e in codes if e[0] > before]
        where = f"round {number}: {role} killed at {old[-1][2:] if old else '?'}"
        print(where, flush=True)
        if not old or len(new) < 10:
            self.check(False, f"{where}: the pictures do not go on")
            return
        if IS_PACED:
            getattr(self, "judge_" + role.split("-")[0])(where, events, old, new, before, samples)
        wait_until(lambda: (now := self.roles()) and now[role] != pids[role], 8, f"{role} is back")
        wait_until(h.status, 8, "the control socket answers")
        self.check(self.ring() == self.queue, f"{where}: the queue is {self.ring()}, was {self.queue}")

    def judge_player(self, where, events, old, new, before, samples):
        """Nothing seen, nothing heard."""
        seen = old[-5:] + new
        for a, b in zip(seen, seen[1:]):
            if not events.is_blind(a[0], b[0]):
                self.check(step(a, b) == 1, f"{where}: {step(a, b)} frames from {a[2:]} to {b[2:]}")
                self.check(b[0] - a[0] < 100 * MS, f"{where}: {(b[0] - a[0]) / MS:.0f} ms without a new frame")
        scan = self.house.scan(max(0, samples - RATE), samples + RATE // 2)
        self.check(scan.quiet == [] and scan.shifts == [], f"{where}: sound {scan.quiet} {scan.shifts}")

    def judge_deck(self, where, events, old, new, before, samples):
        """At most a second of freeze, and on within a second of where it was."""
        seen = old[-1:] + new
        freeze = max(b[0] - a[0] for a, b in zip(seen, seen[1:]))
        jump = max((step(a, b) - 1 for a, b in zip(seen, seen[1:])), key=abs)
        self.costs.setdefault("deck", []).append(freeze / MS)
        self.check(freeze <= NS, f"{where}: {freeze / MS:.0f} ms without a new frame")
        self.check(abs(jump) <= FPS, f"{where}: jumped by {jump} frames")

    def judge_stage(self, where, events, old, new, before, samples):
        """Pictures again within 1.5 s, where the music is by then or was."""
        seen = old[-1:] + new
        gap = max(b[0] - a[0] for a, b in zip(seen, seen[1:]))
        self.costs.setdefault("stage", []).append(gap / MS)
        self.check(gap <= 1.5 * NS, f"{where}: {gap / MS:.0f} ms without a new frame")
        jump = max((step(a, b) - 1 for a, b in zip(seen, seen[1:])), key=abs)
        self.check(-FPS <= jump <= gap / NS * FPS + FPS, f"{where}: jumped by {jump} frames")


def main():
    rounds = int(sys.argv[2] if sys.argv[1:2] == ["--rounds"] else os.environ.get("DJAMMS_ROUNDS", 50))
    seed = int(os.environ.get("DJAMMS_SEED", time.time_ns() % 1000000))
    print(f"{rounds} rounds, DJAMMS_SEED={seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with House() as house:
        killing = Killing(house, random.Random(seed))
        killing.start()
        for i in range(1, rounds + 1):
            killing.round(i)
            if len(killing.failures) > 20:
                break
        for role, ms in killing.costs.items():
            print(f"{role}: longest time without a new frame {max(ms):.0f} ms, median {sorted(ms)[len(ms) // 2]:.0f} ms")
        if killing.failures:
            house.print_logs()
            print(f"{len(killing.failures)} failures, DJAMMS_SEED={seed}", *killing.failures, sep="\n  ")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
