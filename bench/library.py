"""Measures the library of the player: how long it takes to read the folders of 50,000 files for the first time and after a
restart, and to find songs in them. Called by run.py; files and index are on the disk of TMPDIR, not in memory."""
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
from house import House, stop, wait_until  # noqa: E402
from screen import MS, median, pct  # noqa: E402

FILES, FOLDERS = 50_000, 500
SEARCHES = 400
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

# figure | key | must reach
FIGURES = [
    (f"library: first scan of {FILES} files, s", "cold_s", 60),
    (f"library: scan of {FILES} files after a restart, s", "warm_s", 2),
    (f"library: search in {FILES} songs by socket, P95 ms", "search_p95_ms", 10),
]


def vocabulary(rng, count):
    """Words as names have them: the first ones are the usual ones."""
    starts, ends = "b br c d dr f g h k l m n p r s st t tr v w z".split(), "a e i o u an en in on ar er or al él ö ø".split()
    words = set()
    while len(words) < count:
        words.add("".join(rng.choice(starts) + rng.choice(ends) for _ in range(rng.randint(1, 3))))
    return sorted(words, key=lambda w: (len(w), w))


def name(rng, words, count):
    return " ".join(words[int(len(words) * rng.random() ** 3)].capitalize() for _ in range(count))


def make_files(folder, rng):
    """Empty files with names: those are all that a scan of names looks at. Returns (artist, title) of each."""
    words = vocabulary(rng, 4000)
    artists = [name(rng, words, rng.randint(1, 3)) for _ in range(4000)]
    songs = []
    for n in range(FILES):
        artist, title = rng.choice(artists), name(rng, words, rng.randint(1, 5))
        id = "".join(rng.choice(LETTERS) for _ in range(11))
        to = folder / f"list {n % FOLDERS:03}"
        if n < FOLDERS:
            to.mkdir(parents=True)
        (to / f"{artist} - {title} -- {id}.mp4").touch()
        songs.append((artist, title))
    return songs


def queries(rng, songs):
    """What people type: an artist, a title, a part of both, and each of them while it is being typed."""
    for _ in range(SEARCHES):
        artist, title = rng.choice(songs)
        text = rng.choice((artist, title, f"{artist} {title}", f"{title.split()[0]} {artist.split()[0]}"))
        yield text[:rng.randint(1, len(text))] if rng.random() < 0.5 else text.upper()


def start(h, disk):
    """Starts the player; how long it took until its library had read the folders."""
    began = time.monotonic()
    p = h.start("djamms-player", "--state-dir", disk / "state", *h.sets(backend_kind="none", library_paths=disk / "songs"))
    s = wait_until(lambda: (s := h.status()) and s["library"]["has_scanned"] and s["library"], 600, "the folders are read")
    if s["files"] != FILES or s["problem"]:
        raise SystemExit(f"bench: the library has {s}")
    return p, time.monotonic() - began


def measure():
    """One run: a dict of figures. $DJAMMS_BUILD names the build."""
    rng, disk = random.Random(4), Path(tempfile.mkdtemp(prefix="djamms-library-"))
    try:
        return measure_on(disk, rng)
    finally:
        shutil.rmtree(disk, ignore_errors=True)


def measure_on(disk, rng):
    with House(screen=False) as h:
        songs = make_files(disk / "songs", rng)
        p, cold = start(h, disk)
        stop(p)
        p, warm = start(h, disk)
        took, c = [], h.control()
        for text in queries(rng, songs):
            began = time.monotonic_ns()
            answer = c.ask("search", words=text)
            took.append((time.monotonic_ns() - began) / MS)
            if not answer["ok"] or not answer["songs"]:
                raise SystemExit(f"bench: {text!r}: {answer}")
        c.close()
        stop(p)
        size = (disk / "state" / "library.db").stat().st_size / 1e6
    return {"cold_s": cold, "warm_s": warm, "search_p50_ms": pct(took, 50), "search_p95_ms": pct(took, 95),
            "search_max_ms": max(took), "index_mb": size}


def rows(runs, show):
    """The rows of the table: figure, mark, measured, whether it was reached."""
    for figure, key, limit in FIGURES:
        values = [float(r[key]) for r in runs]
        yield [figure, f"≤ {limit}", show(values), "reached" if median(values) <= limit else "**MISSED**"]
