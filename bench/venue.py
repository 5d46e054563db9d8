"""Measures a player and its hub over loopback: how long a write on the hub takes to the screen, an action at the box to shared
memory and to disk, and how soon both agree after the network was gone. Called by run.py; the queue is on the disk of TMPDIR."""
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
from house import House, wait_until  # noqa: E402
from screen import MS, median, pct  # noqa: E402
from backend import Backend  # noqa: E402
from far_backend import FarBackend  # noqa: E402

SKIPS, OUTAGES, ACTIONS = 40, 20, 200
SONGS = ["s1", "s2", "s3", "s4"]

# figure | key | must reach
FIGURES = [
    ("venue: an action at the box to shared memory, P50 ms", "memory_p50_ms", 0.1),
    ("venue: the same, P99 ms", "memory_p99_ms", 1),
    ("venue: an action at the box to the disk, P50 ms", "disk_p50_ms", 2),
    ("venue: the same, P99 ms", "disk_p99_ms", 10),
    ("venue: a write on the hub to the player's screen, P50 ms", "screen_p50_ms", 20),
    ("venue: the same, P99 ms", "screen_p99_ms", 50),
    ("venue: network back until connected and caught up, P95 ms", "reconnect_p95_ms", 2000),
]


def disk_house(**more):
    """A house whose queue is on a disk, for nothing is durable in memory."""
    house = House(**more)
    folder = tempfile.mkdtemp(prefix="djamms-bench-", dir=os.environ.get("TMPDIR", "/var/tmp"))
    shutil.rmtree(house.state)
    house.state.symlink_to(folder)
    return house, folder


def is_settled(h):
    s = h.status()["backend"]
    return s["link"] == "connected" and s["role"] == "master" and s["pending"] == 0


def measure_screen(clips):
    """The skip of an admin page: nowPlaying becomes null, and the next song is on the screen."""
    house, folder = disk_house()
    with house as h:
        h.up(*[clips[n]["path"] for n in SONGS])
        wait_until(lambda: is_settled(h), 20, "the player has the venue")
        backend = Backend(h)
        t, clip, _ = h.wait_frame(20, "it plays", after=30)
        took = []
        for _ in range(SKIPS):
            path, body = backend.path("queues", backend.queue()["$id"]), {"data": {"nowPlaying": None}}
            began = time.monotonic_ns()
            if backend.ask("PATCH", path, body)[0] != 200:
                raise SystemExit("bench: the hub refused a write")

            def is_next(states):
                t, state, c, _ = states.get("A", (0, "", 0, 0))
                return state == "C" and t > began and c != clip
            if not h.watch.wait(is_next, 10):
                raise SystemExit("bench: a skip on the hub did not reach the screen within 10 s")
            t, clip = next((e[0], e[2]) for e in h.watch.events().codes(since=began) if e[2] != clip)
            took.append((t - began) / MS)
            wait_until(lambda: is_settled(h), 20, "the skip is told")
            h.wait_frame(10, "it goes on", clip=clip, after=5)
        hops = {x["name"]: x for x in h.ask("latency")["hops"]}
    shutil.rmtree(folder)
    return {"screen_p50_ms": pct(took, 50), "screen_p99_ms": pct(took, 99), "scene_p50_ms": hops["screen"]["p50_ms"],
            "view_p50_ms": hops["view"]["p50_ms"], "view_p99_ms": hops["view"]["p99_ms"]}


def measure_disk(folder):
    """What the disk itself takes: a page of a file that is written over and flushed. No action can be durable sooner."""
    fd, took = os.open(Path(folder) / "bare", os.O_RDWR | os.O_CREAT, 0o600), []
    os.posix_fallocate(fd, 0, 1 << 16)
    os.fsync(fd)
    for i in range(ACTIONS):
        began = time.monotonic_ns()
        os.pwrite(fd, bytes([i % 256]) * 4096, 0)
        os.fdatasync(fd)
        took.append((time.monotonic_ns() - began) / MS)
    os.close(fd)
    return {"bare_disk_p50_ms": pct(took, 50), "bare_disk_p99_ms": pct(took, 99)}


def measure_actions(clips):
    """A song of the queue moved up and down by a program on the same box."""
    house, folder = disk_house(screen=False)
    with house as h:
        h.up(*[clips[n]["path"] for n in SONGS])
        wait_until(lambda: is_settled(h), 20, "the player has the venue")
        disk = measure_disk(folder)
        control = h.control()
        entry = h.queue()["main"][2]["id"]
        for i in range(ACTIONS):
            if not control.ask("move", entry=entry, index=2 + i % 2)["ok"]:
                raise SystemExit("bench: an entry could not be moved")
        control.close()
        wait_until(lambda: is_settled(h), 20, "all is told")
        hops = {x["name"]: x for x in h.ask("latency")["hops"]}
    shutil.rmtree(folder)
    return disk | {f"{hop}_{p}_ms": hops[hop][f"{p}_ms"] for hop in ("memory", "disk", "server") for p in ("p50", "p99")}


def measure_reconnect(clips):
    """The network goes, the queue is changed on both sides, the network comes back."""
    with House(screen=False) as h:
        backend = FarBackend(h)
        relay = backend.relay
        h.start("djamms-player", *h.sets(**backend.settings), *[clips[s]["path"] for s in SONGS])
        wait_until(h.status, 20, "the player answers")
        wait_until(lambda: is_settled(h), 20, "the player has the venue")
        took = []
        for i in range(OUTAGES):
            relay.tell("refuse")
            relay.tell("cut")
            h.wait_status(lambda s: s["backend"]["link"] != "connected", 20, "it is noticed")
            main = backend.queue()["mainQueue"]
            backend.write_queue(mainQueue=main[:1] + main[2:] + main[1:2])
            h.ask("move", entry=main[0]["id"], index=0)
            order = [t["id"] for t in backend.queue()["mainQueue"]]
            back = time.monotonic() + 1 + i % 4     # outages of one to four seconds
            wait_until(lambda: time.monotonic() >= back, 10, "the end of the outage")
            began = time.monotonic_ns()
            relay.tell("pass")
            wait_until(lambda: is_settled(h) and [t["id"] for t in h.queue()["main"]] == order, 60, "both agree")
            took.append((time.monotonic_ns() - began) / MS)
        relay.close()
    return {"reconnect_p50_ms": pct(took, 50), "reconnect_p95_ms": pct(took, 95), "reconnect_max_ms": max(took)}


def measure(clips):
    """One run: a dict of figures. $DJAMMS_BUILD names the build."""
    return {**measure_screen(clips), **measure_actions(clips), **measure_reconnect(clips)}


def rows(runs, show):
    """The rows of the table: figure, mark, measured, whether it was reached."""
    for name, key, limit in FIGURES:
        values = [float(r[key]) for r in runs]
        yield [name, f"≤ {limit}", show(values), "reached" if median(values) <= limit else "**MISSED**"]
