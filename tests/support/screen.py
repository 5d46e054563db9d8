"""What is presented: an X server whose frame buffer is a file, and the sampler that reads the codes in
it. Times are CLOCK_MONOTONIC in ns."""
import bisect
import json
import os
import random
import shutil
import signal
import statistics
import struct
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build"
os.environ.setdefault("DJAMMS_BUILD", str(BUILD / "release"))
os.environ.setdefault("DJAMMS_CLIPS", str(BUILD / "clips"))

ROOT_COLOUR = "204060"
MS = 1e6
NS = 1e9


def ram_dir():
    """A folder in memory: on a disk, write-back would stall the X server."""
    for line in Path("/proc/mounts").read_text().splitlines():
        f = line.split()
        if f[2] == "tmpfs" and f[1].endswith("/shm") and os.access(f[1], os.W_OK):
            return f[1]
    return None


def tool(name):
    return str(Path(os.environ["DJAMMS_BUILD"]) / "tools" / name)


def load_clips(folder=None):
    """name and id -> dict(name, id, fps, frames, width, height, path)"""
    clips = {}
    for f in sorted(Path(folder or os.environ["DJAMMS_CLIPS"]).glob("*.json")):
        c = json.loads(f.read_text())
        c["path"] = str((f.parent / c["file"]).resolve())
        clips[c["name"]] = clips[c["id"]] = c
    return clips


def stop(process, patience=5):
    """SIGTERM, then SIGKILL; returns the exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def hurry():
    """For preexec_fn: what is measured goes before the other work of the machine, where that is allowed."""
    try:
        os.nice(-10)
    except OSError:
        pass


class Screen:
    """Xvfb with `views` pictures of w x h side by side: regions A, B, ..."""

    def __init__(self, tmp, size=(1280, 720), views=1, wrap=()):
        self.folder = Path(tmp) / "fb"
        self.folder.mkdir()
        w, h = size
        command = [*wrap, "Xvfb", "-fbdir", str(self.folder), "-noreset", "-ac", "-nolisten", "tcp", "-nocursor",
                   "-screen", "0", f"{w * views}x{h}x24"]
        number = next((n for n in (self.start(command) for _ in range(5)) if n), None)
        if not number:
            raise RuntimeError("Xvfb did not start: five numbers are taken")
        self.display = ":" + number
        self.size = size
        subprocess.run(["xsetroot", "-solid", "#" + ROOT_COLOUR], check=True,
                       env=dict(os.environ, DISPLAY=self.display))
        f = self.folder / "Xvfb_screen0"
        self.regions = [f"{chr(65 + i)}={f}@{w * i},0,{w},{h}" for i in range(views)]

    def start(self, command):
        """The display's number; none when somebody has it already. It is a number of our own: those that -displayfd
        finds free may be another chroot's, whose sockets are ours, too."""
        number = random.SystemRandom().randrange(1000, 50000)
        r, wfd = os.pipe()
        with tempfile.TemporaryFile() as log:
            self.process = subprocess.Popen([*command, "-displayfd", str(wfd), f":{number}"], pass_fds=(wfd,),
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                                            preexec_fn=hurry)
            os.close(wfd)
            with os.fdopen(r) as answer:
                if answer.readline().strip():
                    return str(number)
            status = self.process.wait()
            log.seek(0)
            said = log.read().decode(errors="replace")
        if "already active" in said or "listening sockets" in said:
            return None
        raise RuntimeError(f"Xvfb did not start: status {status}: {said[-500:]}")

    def close(self):
        stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


class Watch:
    """The sampler in the background; its log is followed live."""

    def __init__(self, screen, log, row=0.06):
        self.path = str(log)
        self.process = subprocess.Popen([tool("framewatch"), "--rt", "--root", ROOT_COLOUR, "--row", str(row),
                                         "--out", self.path, *screen.regions])
        self.log, self.rest, self.now, self.live = None, "", {}, []
        deadline = time.monotonic() + 10
        while len(self.poll()) < len(screen.regions):   # the first state of every region
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("framewatch did not start")
            time.sleep(0.01)

    def poll(self):
        """Newest state of each region: name -> (t, state, clip, frame)."""
        if not self.log:
            if not os.path.exists(self.path):
                return self.now
            self.log = open(self.path)
        text = self.rest + self.log.read()
        lines = text.split("\n")
        self.rest = lines.pop()
        for line in lines:
            if line[0] == "E":
                _, name, t, _, state, clip, frame = line.split()
                self.now[name] = (int(t), state, int(clip), int(frame))
                self.live.append((name, *self.now[name]))
        return self.now

    def count_since(self, t, region="A"):
        """How many coded pictures were seen after t so far."""
        self.poll()
        n = 0
        for name, when, state, _, _ in reversed(self.live):
            if when <= t:
                break
            n += name == region and state == "C"
        return n

    def wait(self, condition, seconds, alive=lambda: True):
        """Until condition(states) holds. False: the time is over, or alive() says no."""
        deadline = time.monotonic() + seconds
        while True:
            if condition(self.poll()):
                return True
            if time.monotonic() > deadline or not alive():
                return False
            time.sleep(0.01)

    def events(self):
        """All that was seen so far, while the sampler goes on."""
        return Events(self.path)

    def close(self):
        stop(self.process)
        if self.log:
            self.log.close()
            self.log = None
        return Events(self.path)


class Events:
    """The sampler's log. reg: region -> [(t, state, clip, frame)], t the middle between two polls."""

    def __init__(self, log):
        self.reg, self.gaps, self.paint, self.summary = {}, [], {}, {}
        for line in Path(log).read_text().splitlines(keepends=True):
            if not line.endswith("\n"):
                break
            f = line.split()
            if f[0] == "E":
                self.reg.setdefault(f[1], []).append(((int(f[2]) + int(f[3])) // 2, f[4], int(f[5]), int(f[6])))
            elif f[0] == "G":
                self.gaps.append((int(f[1]), int(f[2])))
            elif f[0] == "P":
                self.paint.setdefault(f[1], []).append((int(f[2]), int(f[3]), int(f[4])))
            elif f[0] == "S":
                self.summary = {k: float(v) for k, v in (x.split("=") for x in f[1:])}
        self.gap_ends = [g[1] for g in self.gaps]
        for name, events in self.reg.items():
            self.reg[name] = settled(events)

    def codes(self, name="A", since=0, until=float("inf")):
        return [e for e in self.reg.get(name, []) if e[1] == "C" and since <= e[0] < until]

    def runs(self, name="A"):
        """Consecutive codes of one clip: [(clip, [events])]."""
        out = []
        for e in self.codes(name):
            if not out or out[-1][0] != e[2]:
                out.append((e[2], []))
            out[-1][1].append(e)
        return out

    def time_in(self, states, a, b, name="A"):
        events, total = self.reg.get(name, []), 0
        for i, e in enumerate(events):
            end = events[i + 1][0] if i + 1 < len(events) else b
            if e[1] in states:
                total += max(0, min(end, b) - max(e[0], a))
        return total

    def is_blind(self, a, b):
        """Whether the sampler had no poll for more than 4 ms somewhere in a..b: it cannot tell then."""
        i = bisect.bisect_right(self.gap_ends, a)
        return i < len(self.gaps) and self.gaps[i][0] < b


def settled(events):
    """Without states of less than 5 ms that are no code: those are pictures being written."""
    out = []
    for i, e in enumerate(events):
        if e[1] in "TXF" and i + 1 < len(events) and events[i + 1][0] - e[0] < 5 * MS:
            continue
        if not out or out[-1][1:] != e[1:]:
            out.append(e)
    return out


def pct(values, p):
    if not values:
        return None
    v = sorted(values)
    k = (len(v) - 1) * p / 100
    lo = int(k)
    return v[lo] if lo + 1 >= len(v) else v[lo] + (v[lo + 1] - v[lo]) * (k - lo)


def frame_stats(ev, clip, events, name="A", partial=False):
    """Pace of one run of one clip (a dict of load_clips). Intervals in which the sampler was blind say
    nothing sure about the player and are counted apart: frames hidden there are `unknown`."""
    period = NS / clip["fps"]
    t, f = [e[0] for e in events], [e[3] for e in events]
    blind = [ev.is_blind(x, y) for x, y in zip(t, t[1:])]
    intervals = [y - x for x, y, z in zip(t, t[1:], blind) if not z]
    off = [abs(t[i + 1] - t[i] - period * max(1, abs(f[i + 1] - f[i]))) for i in range(len(blind)) if not blind[i]]
    hidden = set()
    for i, z in enumerate(blind):
        if z:
            hidden.update(range(min(f[i], f[i + 1]) + 1, max(f[i], f[i + 1])))
    seen = set(f)
    missing = [k for k in range(f[0], max(f) + 1) if k not in seen]
    last = max(f) if partial else clip["frames"] - 1
    return {
        "shown": len(f), "first_frame": f[0], "last_frame": f[-1],
        "dropped": sum(1 for k in missing if k not in hidden),
        "missing": [k for k in missing if k not in hidden],
        "unknown": sum(1 for k in missing if k in hidden),
        "blind_intervals": sum(blind),
        "lost_head": f[0], "lost_tail": max(0, last - max(f)),
        "repeated": sum(max(0, round(d / period) - 1) for d in intervals),
        "out_of_order": sum(1 for a, b in zip(f, f[1:]) if b < a),
        "interval_p50_ms": pct(intervals, 50) / MS if intervals else None,
        "jitter_p95_ms": pct(off, 95) / MS if off else None,
        "longest_freeze_ms": max(intervals) / MS if intervals else None,
        "not_picture_ms": ev.time_in("KRFXT", t[0], t[-1], name) / MS,
    }


def skew(ev, clip, a="A", b="B"):
    """How far region b is behind region a, by the same frames, and how long both show the same one."""
    ca, cb = ([e for e in ev.codes(n) if e[2] == clip["id"]] for n in (a, b))
    first = {}
    for e in ca:
        first.setdefault(e[3], e[0])
    lag = [(e[0] - first[e[3]]) / MS for e in cb if e[3] in first]
    out = {"pairs": len(lag), "lag_p50_ms": pct(lag, 50), "lag_p5_ms": pct(lag, 5), "lag_p95_ms": pct(lag, 95),
           "same_frame_pct": None}
    if ca and cb:
        t, end, same, n = max(ca[0][0], cb[0][0]), min(ca[-1][0], cb[-1][0]), 0, 0
        xa, xb = [e[0] for e in ca], [e[0] for e in cb]
        while t < end:
            same += ca[bisect.bisect_right(xa, t) - 1][3] == cb[bisect.bisect_right(xb, t) - 1][3]
            n += 1
            t += MS
        out["same_frame_pct"] = 100 * same / n if n else None
    return out


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


# ---- single pictures

CELLS, X0, X1 = 36, 0.05, 0.95


def crc8(value):
    crc = 0x5a
    for i in range(19, -1, -1):
        bit = (value >> i & 1) ^ (crc >> 7)
        crc = (crc << 1 & 255) ^ (7 if bit else 0)
    return crc


def read_png(path):
    """(width, height, rows of bytes, bytes per pixel) of an 8-bit RGB or RGBA picture."""
    data = Path(path).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "a PNG file"
    at, packed = 8, b""
    while at < len(data):
        size, kind = int.from_bytes(data[at:at + 4], "big"), data[at + 4:at + 8]
        body = data[at + 8:at + 8 + size]
        assert zlib.crc32(kind + body) == int.from_bytes(data[at + 8 + size:at + 12 + size], "big")
        if kind == b"IHDR":
            w, h, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            assert depth == 8 and colour in (2, 6) and interlace == 0, (depth, colour, interlace)
        elif kind == b"IDAT":
            packed += body
        at += 12 + size
    bpp = 3 if colour == 2 else 4
    raw, rows, above = zlib.decompress(packed), [], bytearray(w * bpp)
    for y in range(h):
        kind, row = raw[y * (w * bpp + 1)], bytearray(raw[y * (w * bpp + 1) + 1:(y + 1) * (w * bpp + 1)])
        if kind:
            unfilter(kind, row, above, bpp)
        rows.append(row)
        above = row
    return w, h, rows, bpp


def unfilter(kind, row, above, bpp):
    for i in range(len(row)):
        a, b = row[i - bpp] if i >= bpp else 0, above[i]
        c = above[i - bpp] if i >= bpp else 0
        if kind == 4:
            p = a + b - c
            near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            row[i] = row[i] + near & 255
        else:
            row[i] = row[i] + (a, b, (a + b) // 2)[kind - 1] & 255


def code_in(line, w, h, bpp):
    """(clip, frame) of the code strip that the row of pixels `line` of a w x h picture goes through; None."""
    view = min(w, h * 16 / 9)
    levels = []
    for i in range(CELLS):
        x = int((w - view) / 2 + (X0 + (X1 - X0) * (i + 0.5) / CELLS) * view) * bpp
        levels.append(sum(line[x:x + 3]) / 3)
    low, high = min(levels), max(levels)
    bits = int("".join("1" if v > (low + high) / 2 else "0" for v in levels), 2)
    if high - low < 60 or bits >> 32 != 0b1010 or bits & 15 != 0b0110:
        return None
    value, crc = bits >> 12 & 0xfffff, bits >> 4 & 255
    return (value >> 14, value & 0x3fff) if crc8(value) == crc else None


def read_code(path, row=0.06):
    """(clip, frame) of the code strip in a PNG file; None."""
    w, h, rows, bpp = read_png(path)
    view = min(w, h * 16 / 9)
    return code_in(rows[int(h / 2 + (row - 0.5) * view * 9 / 16)], w, h, bpp)
