#!/usr/bin/env python3
"""Measures `djamms play` and Debian's mpv side by side, from outside: pictures by the sampler on an X server in
memory, sound at a null sink, CPU and memory of the whole process tree. Runs take turns (A B A B); what counts are
medians and their ratio.

  run.py [--build DIR] [--clips DIR] [-n RUNS] [NAME...]     NAMEs: play, joints, skip, steady, hub, venue, library, source
                                                              (all)

A run of everything writes bench/results.md; a part is only printed."""
import argparse
import bisect
import ctypes
import json
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "support"))
import hub  # noqa: E402
import library  # noqa: E402
import source  # noqa: E402
import venue  # noqa: E402
from screen import MS, NS, Screen, Watch, frame_stats, hurry, load_clips, median, pct, ram_dir, stop, tool  # noqa: E402
from sound import Recorder, Scan, Server, av_offsets  # noqa: E402

SIZE = (1280, 720)
JOINTS = ["s1", "s2", "s3", "s4"]
SKIPS = 24
MPV = ["mpv", "--no-config", "--fs", "--no-terminal", "--osc=no", "--vo=x11", "--ao=pulse", "--really-quiet",
       "--cursor-autohide=always", "--keep-open=no", "--force-window=yes"]


class Keys:
    """Key presses by XTest to the window under the pointer."""

    def __init__(self, display):
        self.x11, self.xtst = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        self.x11.XOpenDisplay.restype = ctypes.c_void_p
        self.x11.XStringToKeysym.restype = ctypes.c_ulong
        self.display = ctypes.c_void_p(self.x11.XOpenDisplay(display.encode()))

    def press(self, name):
        code = self.x11.XKeysymToKeycode(self.display, ctypes.c_ulong(self.x11.XStringToKeysym(name.encode())))
        t = time.monotonic_ns()
        self.xtst.XTestFakeKeyEvent(self.display, code, 1, 0)
        self.xtst.XTestFakeKeyEvent(self.display, code, 0, 0)
        self.x11.XFlush(self.display)
        return t


class Series:
    """CPU of a tree over time, from treerun."""

    def __init__(self, path):
        rows = [[int(x) for x in line.split()] for line in Path(path).read_text().splitlines()]
        self.t, self.cpu = [r[0] for r in rows if len(r) == 5], [r[1] for r in rows if len(r) == 5]

    def at(self, t):
        i = bisect.bisect_left(self.t, t)
        if i == 0 or i >= len(self.t):
            return self.cpu[0 if i == 0 else -1] if self.cpu else 0
        k = (t - self.t[i - 1]) / (self.t[i] - self.t[i - 1])
        return self.cpu[i - 1] + k * (self.cpu[i] - self.cpu[i - 1])

    def seconds(self, a, b):
        return (self.at(b) - self.at(a)) / 1e6


class Stage:
    """Fresh servers for one run."""

    def __init__(self):
        self.tmp = Path(tempfile.mkdtemp(prefix="djamms-bench-", dir=ram_dir()))
        self.parts = []
        try:
            self.screen = self.add(Screen(self.tmp, SIZE, wrap=[tool("treerun"), "--stat", self.tmp / "x.json",
                                                                "--series", self.tmp / "x.series", "--"]))
            self.server = self.add(Server(self.tmp))
            self.watch = self.add(Watch(self.screen, self.tmp / "watch.log"))
        except BaseException:
            self.close()
            raise

    def add(self, part):
        self.parts.append(part)
        return part

    def close(self):
        for part in reversed(self.parts):
            part.close()
        shutil.rmtree(self.tmp, ignore_errors=True)


class Player:
    """One run of one player, under treerun."""

    def __init__(self, opt, kind, stage, files, loops):
        self.kind, self.stage, self.keys, self.socket = kind, stage, None, None
        self.run = stage.tmp / "run"
        for name in ("run", "home"):
            (stage.tmp / name).mkdir(mode=0o700)
        self.ipc = self.run / "mpv.sock"
        env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "WAYLAND", "DJAMMS_", "SDL_"))}
        env.update(stage.server.env, DISPLAY=stage.screen.display, HOME=str(stage.tmp / "home"),
                   XDG_RUNTIME_DIR=str(self.run))
        if kind == "mpv":
            argv = [*MPV, f"--input-ipc-server={self.ipc}", *(["--loop-playlist=inf"] if loops else []), *files]
        else:
            argv = [str(opt.build / "bin" / "djamms"), "play", "--fullscreen", *(["--loop"] if loops else []), *files]
        self.log, self.stat, self.series = (stage.tmp / f"player.{x}" for x in ("log", "json", "series"))
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen([tool("treerun"), "--stat", self.stat, "--series", self.series, "--", *argv],
                                            env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                            preexec_fn=hurry)

    def alive(self):
        return self.process.poll() is None

    def next(self, how):
        """Commands the next track; returns the time just before the command left."""
        if how == "key":
            self.keys = self.keys or Keys(self.stage.screen.display)
            return self.keys.press("n")
        path = self.ipc if self.kind == "mpv" else next(self.run.rglob("control.sock"))
        if not self.socket:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(str(path))
            self.socket.settimeout(0.01)
        try:
            while self.socket.recv(65536):      # what it said so far
                pass
        except OSError:
            pass
        text = b'{"command":["playlist-next"]}\n' if self.kind == "mpv" else b'{"command":"skip"}\n'
        t = time.monotonic_ns()
        self.socket.sendall(text)
        return t

    def close(self):
        stop(self.process, 8)
        if self.socket:
            self.socket.close()
        return json.loads(self.stat.read_text())


def run_once(opt, kind, files, during, loops=False):
    """One run: during(player, stage) is called when the first coded picture is there. A dict of figures."""
    stage = Stage()
    try:
        recorder = Recorder(stage.server)
        player = Player(opt, kind, stage, files, loops)
        ok = stage.watch.wait(lambda s: s["A"][1] == "C", 20, player.alive)
        extra = during(player, stage) if ok else None
        result = player.close()
        stage.parts.remove(stage.watch)
        events = stage.watch.close()
        t0 = recorder.close(stage.tmp / "heard.wav")
        if not ok:
            raise SystemExit(f"bench: {kind} showed no coded picture:\n" + player.log.read_text()[-3000:])
        codes = events.codes()
        first, last = codes[0][0], codes[-1][0]
        stage.parts.remove(stage.screen)
        stage.screen.close()
        return {
            "events": events, "codes": codes, "extra": extra, "exit": result["exit"],
            "scan": Scan(stage.tmp / "heard.wav"), "t0": t0,
            "startup_ms": (first - result["t_exec_ns"]) / MS,
            "cpu_s": result["cpu_us"] / 1e6,
            "xserver_cpu_s": Series(stage.tmp / "x.series").seconds(first, last),
            "pss_mb": result["peak_pss_kb"] / 1024,
            "blind": len([g for g in events.gaps if g[1] > first and g[0] < last]),
        }
    finally:
        stage.close()


def to_the_end(seconds):
    def wait(player, stage):
        deadline = time.monotonic() + seconds + 10
        while player.alive() and time.monotonic() < deadline:
            time.sleep(0.05)
    return wait


def measure_play(opt, kind):
    clip = opt.clips["c1"]
    r = run_once(opt, kind, [clip["path"]], to_the_end(12))
    offsets = [abs(x) for x in av_offsets(r["scan"], r["t0"], r["codes"], opt.clips)]
    s = frame_stats(r["events"], clip, r["codes"])
    return {"startup_ms": r["startup_ms"], "cpu_s": r["cpu_s"], "xserver_cpu_s": r["xserver_cpu_s"],
            "pss_mb": r["pss_mb"], "av_p95_ms": pct(offsets, 95), "dropped": s["dropped"],
            "sound_gaps": len(r["scan"].quiet_inside()), "blind": r["blind"]}


def measure_joints(opt, kind):
    r = run_once(opt, kind, [opt.clips[n]["path"] for n in JOINTS], to_the_end(16))
    events, runs = r["events"], r["events"].runs()
    out = {"gap_ms": [], "black_ms": [], "lost": [], "pss_mb": r["pss_mb"], "cpu_s": r["cpu_s"], "blind": r["blind"]}
    for (a, before), (_, after) in zip(runs, runs[1:]):
        t, u = before[-1][0], after[0][0]
        out["gap_ms"].append((u - t - NS / 30) / MS)
        out["black_ms"].append(events.time_in("KRFXT", t, u) / MS)
        out["lost"].append(opt.clips[a]["frames"] - 1 - before[-1][3] + after[0][3])
    out["complete"] = [c for c, _ in runs] == [opt.clips[n]["id"] for n in JOINTS]
    starts = [b[0] for b in r["scan"].beeps]
    # beeps are 2 s apart, over joints, too: what is more was put in
    out["silence_ms"] = max([(b - a - 96000) / 48 for a, b in zip(starts, starts[1:])] or [0])
    return {k: max(v) if isinstance(v, list) else v for k, v in out.items()}


def measure_skip(opt, kind, how):
    rng = random.Random(1)
    commands = []

    def skip(player, stage):
        for _ in range(SKIPS):
            until = time.monotonic() + 0.9 + rng.random() * 0.8     # the next track may be prepared meanwhile
            stage.watch.wait(lambda s: time.monotonic() >= until, 5)
            now = stage.watch.poll()["A"]
            commands.append((player.next(how), now[2]))
            stage.watch.wait(lambda s: s["A"][1] == "C" and s["A"][2] != now[2], 6, player.alive)

    r = run_once(opt, kind, [opt.clips[n]["path"] for n in JOINTS], skip, loops=True)
    took, black = [], []
    for t, clip in commands:
        hit = next((e for e in r["codes"] if e[0] > t and e[2] != clip), None)
        if hit:
            took.append((hit[0] - t) / MS)
            black.append(r["events"].time_in("KRFXT", t, hit[0]) / MS)
    return {"skips": len(took), "p50_ms": pct(took, 50), "p95_ms": pct(took, 95), "max_ms": max(took),
            "black_ms": max(black), "pss_mb": r["pss_mb"], "blind": r["blind"]}


def measure_steady(opt, kind):
    clip = opt.clips["c5"]
    r = run_once(opt, kind, [clip["path"]], to_the_end(60))
    s = frame_stats(r["events"], clip, r["codes"])
    offsets = [abs(x) for x in av_offsets(r["scan"], r["t0"], r["codes"], opt.clips)]
    return {"dropped": s["dropped"] + s["lost_head"] + s["lost_tail"], "repeated": s["repeated"],
            "out_of_order": s["out_of_order"], "jitter_p95_ms": s["jitter_p95_ms"],
            "longest_freeze_ms": s["longest_freeze_ms"], "av_p95_ms": pct(offsets, 95), "cpu_s": r["cpu_s"],
            "sound_gaps": len(r["scan"].quiet_inside()), "blind": r["blind"], "unknown": s["unknown"]}


MEASURES = {
    "play": (("djamms", measure_play), ("mpv", measure_play)),
    "joints": (("djamms", measure_joints), ("mpv", measure_joints)),
    "skip": (("djamms", lambda o, k: measure_skip(o, k, "socket")), ("mpv", lambda o, k: measure_skip(o, k, "socket")),
             ("djamms key", lambda o, k: measure_skip(o, "djamms", "key"))),
    "steady": (("djamms", measure_steady), ("mpv", measure_steady)),
    "hub": (("djamms", lambda o, k: hub.measure()),),
    "venue": (("djamms", lambda o, k: venue.measure(o.clips)),),
    "library": (("djamms", lambda o, k: library.measure()),),
    "source": (("djamms", lambda o, k: source.measure(MPV)),),
}

# figure | measure | key | what djamms must reach: (limit, None: absolute or "x": ratio to mpv)
FIGURES = [
    ("CPU seconds, 12 s of 1080p30 fullscreen, overlay shown", "play", "cpu_s", 1.0, "x"),
    ("exec to first frame, ms", "play", "startup_ms", 0.8, "x"),
    ("skip by socket to first frame of the next, p95 ms", "skip", "p95_ms", 50, None),
    ("the same against mpv's playlist-next", "skip", "p95_ms", 0.4, "x"),
    ("skip by key to first frame of the next, p95 ms", "skip", "p95_ms", 50, "key"),
    ("between tracks: more than one frame interval, ms", "joints", "gap_ms", 1000 / 30, None),
    ("between tracks: black, ms", "joints", "black_ms", 1000 / 30, None),
    ("between tracks: silence added, ms", "joints", "silence_ms", 0.5, None),
    ("60 s of 1080p30: frames dropped", "steady", "dropped", 0, None),
    ("60 s of 1080p30: frames repeated", "steady", "repeated", 0, None),
    ("60 s of 1080p30: interval jitter p95, ms", "steady", "jitter_p95_ms", 2, None),
    ("A/V offset p95, ms", "play", "av_p95_ms", 20, None),
    ("memory (PSS), both decks loaded / mpv with one file, MB", "joints", "pss_mb", 1.6, "x play"),
]


def show(values):
    values = [v for v in values if v is not None]
    if not values:
        return "-"
    m = median(values)
    text = f"{m:.2f}" if abs(m) < 10 else f"{m:.1f}"
    return text if min(values) == max(values) else f"{text} ({min(values):.1f}..{max(values):.1f})"


def figure_row(results, figure):
    """One row of the table; None when its measure was not run."""
    name, measure, key, limit, kind = figure
    runs = results.get(measure)
    if not runs or (kind == "x play" and "play" not in results):
        return None
    ours = [r.get(key) for r in runs["djamms key" if kind == "key" else "djamms"]]
    theirs = [r.get(key) for r in (results["play"] if kind == "x play" else runs)["mpv"]]
    a, b = median(ours), median(theirs)
    ratio = a / b if a is not None and b else None
    is_ratio = (kind or "").startswith("x")
    reached = ratio if is_ratio else a
    mark = "-" if reached is None else "reached" if reached <= limit else "**MISSED**"
    goal = f"≤ {limit:g} × mpv" if is_ratio else f"≤ {limit:.3g}"
    return [name, goal, show(ours), show(theirs), "-" if ratio is None else f"{ratio:.2f}", mark]


def figure_table(results):
    head = ["figure", "must reach", "djamms", "mpv", "djamms / mpv", ""]
    return table([head] + [r for r in (figure_row(results, f) for f in FIGURES) if r])


OWN = {"hub": hub.rows, "venue": venue.rows, "library": library.rows, "source": source.rows}      # what mpv has nothing of


def own_table(results):
    rows = [r for name, make in OWN.items() if name in results for r in make(results[name]["djamms"], show)]
    return table([["figure", "must reach", "djamms", ""], *rows])


def table(rows):
    width = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(r, width)) + " |" for r in rows]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in width) + "|")
    return "\n".join(lines)


def first_line(*argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "?"


def machine():
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":")[1].strip() for line in info.splitlines() if line.startswith(("model name", "Model"))),
                 platform.machine())
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1024
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    revision = first_line("git", "-C", str(HERE), "describe", "--always", "--dirty")
    return "\n".join([
        f"- {time.strftime('%Y-%m-%d')}, djamms {revision}, {first_line('mpv', '--version').split(' Copyright')[0]}",
        f"- {first_line('ffmpeg', '-version').split(' Copyright')[0]}, Linux {platform.release()}, "
        + release.get("PRETTY_NAME", "?").strip('"'),
        f"- {model}, {os.cpu_count()} cores, {memory} MB; Xvfb {SIZE[0]}x{SIZE[1]}, no GPU, PulseAudio null sink",
        f"- 1080p30 and the like name the clip; on this screen it is shown scaled to {SIZE[0]}x{SIZE[1]}, by both players",
    ])


def all_figures(results):
    details = ["## All figures", "", "Medians (min..max). `blind`: spots of more than 4 ms in which the sampler itself did "
               "not look; frames there are not counted against a player.", ""]
    for name, by_player in results.items():
        keys = list(next(iter(by_player.values()))[0])
        details += [f"### {name}", "", "| |" + "|".join(by_player) + "|", "|-|" + "-|" * len(by_player)]
        details += [f"| {k} | " + " | ".join(show([float(r[k]) if r[k] is not None else None for r in runs])
                                             for runs in by_player.values()) + " |" for k in keys]
        details.append("")
    return details


def report(opt, results, loads):
    players = {k: v for k, v in results.items() if k not in OWN}
    text = "\n".join(["# Figures", "", "`./dev bench`: djamms and mpv in turns on the same machine, medians of "
                      f"{opt.runs} runs. How each figure is measured stands in `run.py`, `hub.py` and "
                      "`../tests/support`.", "", machine(),
                      f"- load of the machine before and after: {loads[0]:.1f}, {os.getloadavg()[0]:.1f}", "",
                      figure_table(players), "", own_table(results), "", *all_figures(results)])
    (HERE / "results.md").write_text(text)
    print("written: bench/results.md", file=sys.stderr)


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*", metavar="NAME")
    p.add_argument("--build", type=Path, default=HERE.parent / "build" / "release")
    p.add_argument("--clips", type=Path, default=HERE.parent / "build" / "clips")
    p.add_argument("-n", "--runs", type=int, default=5)
    opt = p.parse_args()
    if any(n not in MEASURES for n in opt.names):
        p.error("NAME is one of " + ", ".join(MEASURES))
    opt.build = opt.build.resolve()
    os.environ["DJAMMS_BUILD"] = str(opt.build)
    return opt


def main():
    opt = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # so that all children are ended
    if set(opt.names or MEASURES) - {"hub", "library"}:
        subprocess.run([HERE.parent / "tests" / "support" / "make-clips", tool("clipgen"), opt.clips, "c1", "c5", *JOINTS],
                       check=True)
        opt.clips = load_clips(opt.clips)
    results, loads = {}, os.getloadavg()
    for name in opt.names or MEASURES:
        results[name] = {player: [] for player, _ in MEASURES[name]}
        for i in range(opt.runs):
            for player, measure in MEASURES[name]:
                r = measure(opt, player)
                results[name][player].append(r)
                print(f"[{name} {player} {i + 1}/{opt.runs}] " + " ".join(
                    f"{k}={v:.1f}" if isinstance(v, float) else f"{k}={v}" for k, v in r.items()), file=sys.stderr)
    if set(results) - set(OWN):
        print(figure_table({k: v for k, v in results.items() if k not in OWN}))
    if set(results) & set(OWN):
        print(own_table(results))
    if not opt.names:
        report(opt, results, loads)
    return 0


if __name__ == "__main__":
    sys.exit(main())
