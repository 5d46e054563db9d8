"""Measures songs from elsewhere, with the real yt-dlp and a server on this machine: how long a warm worker takes to resolve an
address, how long it is silent after `add URL` on an empty queue, at 20 Mbit/s, also beside `mpv URL` with the same yt-dlp, and
what a room hears and sees while everything about sources breaks in turn. Called by run.py."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
from fault_schedule import Evening  # noqa: E402
from faulty import Faulty  # noqa: E402
from house import House, load_clips, wait_until  # noqa: E402
from screen import MS, hurry, median, pct, stop  # noqa: E402

CLIP, BYTES_S = "c1", 2_500_000
RESOLVES, ADDS = 60, 9
TURNS = 3       # of djamms and mpv in one run
STEP_S = 4      # of the fault schedule

# figure | key | must reach
MPV_RATIO = 0.5
FIGURES = [
    ("source: warm resolve of an address, P95 ms", "resolve_p95_ms", 100),
    ("source: fault schedule, longest silence, s", "silence_s", 3),
    ("source: fault schedule, longest black, s", "black_s", 0.5),
    ("source: `add URL` on an empty queue to the first picture, 20 Mbit/s, P95 ms", "first_p95_ms", 1500),
]


def resolves(server, name):
    """ms of each, by a worker that has resolved before."""
    tmp = Path(tempfile.mkdtemp(prefix="djamms-bench-"))
    worker = subprocess.Popen([Path(os.environ["DJAMMS_BUILD"]) / "bin" / "djamms-fetch", "--cache", tmp / "cache"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp)
    took = []
    try:
        for n in range(RESOLVES + 5):
            began = time.monotonic_ns()
            request = {"n": n + 1, "request": "resolve", "url": server.url(f"ok/{name}?{n}"), "is_guest": False}
            worker.stdin.write(json.dumps(request).encode() + b"\n")
            worker.stdin.flush()
            answer = json.loads(worker.stdout.readline())
            took.append((time.monotonic_ns() - began) / MS)
            if answer["event"] != "done":
                raise SystemExit(f"bench: {answer}")
    finally:
        worker.stdin.close()
        worker.wait()
        worker.stdout.close()
        shutil.rmtree(tmp, ignore_errors=True)
    return took[5:]


def firsts(urls, clip):
    """ms from the command to the first picture, each of an address that is new; the first of all starts the worker."""
    took = []
    with House() as h:
        h.up(cache_dir=h.tmp / "cache", cache_free_floor=0, backend_kind="none")
        c = h.control()
        for url in urls:
            c.ask("clear", lists="all")
            c.ask("skip")
            wait_until(lambda: c.ask("status")["state"] == "idle", 10, "nothing plays")
            h.watch.wait(lambda s: s.get("A", (0, ""))[1] != "C", 10)
            began = time.monotonic_ns()
            c.ask("add", urls=[url])
            t, _, _ = h.wait_frame(30, "the first picture", clip=clip, since=began)
            took.append((t - began) / MS)
        c.close()
    return took


def mpv_firsts(urls, clip, mpv):
    """ms from the start of `mpv URL` to its first picture. That yt-dlp is asked first, not after mpv has failed to play the page
    itself, is the faster way."""
    argv = [*mpv, "--ao=null", f"--script-opts=ytdl_hook-ytdl_path={shutil.which('yt-dlp')},ytdl_hook-try_ytdl_first=yes"]
    took = []
    with House() as h:
        for url in urls:
            h.watch.wait(lambda s: s.get("A", (0, ""))[1] != "C", 10)
            began = time.monotonic_ns()
            p = subprocess.Popen([*argv, url], env=h.env, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=hurry)
            try:
                t, _, _ = h.wait_frame(60, "mpv's first picture", clip=clip, since=began)
                took.append((t - began) / MS)
            finally:
                stop(p)
    return took


def beside_mpv(server, name, clip, mpv):
    """ms to the first picture of a page with a video, which neither can play without yt-dlp: djamms, mpv. In turns."""
    ours, theirs = [], []
    for turn in range(TURNS):
        urls = [server.url(f"page/slow={BYTES_S}/{name}?{turn}-{n}") for n in range(5)]
        ours += firsts(urls[:4], clip)[1:]
        theirs += mpv_firsts(urls[4:], clip, mpv)
    return ours, theirs


def faults():
    """What a room hears and sees while everything breaks in turn."""
    with House() as h:
        evening = Evening(h, STEP_S, seed=1)
        try:
            return evening.run()
        finally:
            evening.close()


def measure(mpv):
    """One run: a dict of figures. $DJAMMS_BUILD and $DJAMMS_CLIPS name build and clips; `mpv` is how mpv is started."""
    clip = load_clips()[CLIP]
    path = Path(clip["path"])
    with Faulty(path.parent) as server:
        warm = resolves(server, path.name)
        first = firsts([server.url(f"slow={BYTES_S}/{path.name}?{n}") for n in range(ADDS + 1)], clip["id"])
        ours, theirs = beside_mpv(server, path.name, clip["id"], mpv)
    return {"resolve_p50_ms": pct(warm, 50), "resolve_p95_ms": pct(warm, 95), "first_p50_ms": pct(first[1:], 50),
            "first_p95_ms": pct(first[1:], 95), "first_cold_ms": first[0], "page_ms": median(ours), "mpv_page_ms": median(theirs),
            **faults()}


def rows(runs, show):
    """The rows of the table: figure, mark, measured, whether it was reached."""
    for figure, key, limit in FIGURES:
        values = [float(r[key]) for r in runs]
        yield [figure, f"≤ {limit}", show(values), "reached" if median(values) <= limit else "**MISSED**"]
    ours, theirs = (median([r[key] for r in runs]) for key in ("page_ms", "mpv_page_ms"))
    yield ["source: `add URL` of a page to the first picture, against `mpv URL` with yt-dlp", f"≤ {MPV_RATIO} × mpv",
           f"{ours / theirs:.2f} ({ours:.0f} / {theirs:.0f} ms)", "reached" if ours <= MPV_RATIO * theirs else "**MISSED**"]
