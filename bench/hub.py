"""Measures djamms-hub over loopback: one write to a thousand realtime clients, guarded writes over fifty connections,
fifty phones that add to one queue at once. Called by run.py; the data are on the disk of TMPDIR, not in memory."""
import json
import multiprocessing
import resource
import select
import socket
import struct
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
from hubrig import VENUE, Hub, Ws, documents  # noqa: E402
from screen import MS, NS, hurry, median, pct  # noqa: E402

CLIENTS, WRITES = 1000, 40
CONNECTIONS, SECONDS = 50, 4
PHONES, SONGS = 50, 4
QUEUE = documents("queues", VENUE)
CONNECT_PAUSE_S = 120       # for a thousand handshakes, at most
SO_TIMESTAMPNS = 35

# figure | key | must reach | whether more is better
FIGURES = [
    (f"hub: one write to {CLIENTS} realtime clients, P99 ms", "fan_out_p99_ms", 100, False),
    (f"hub: PSS with {CLIENTS} realtime clients, MB", "pss_mb", 64, False),
    (f"hub: durable guarded writes per second, {CONNECTIONS} connections", "writes_per_s", 1000, True),
    (f"hub: {PHONES} phones add {SONGS} songs each at once, songs lost", "lost", 0, False),
]


# ---- fan-out

def arrival_ns(sock):
    """Reads what is there: (bytes, when the last of it came to this socket, by CLOCK_REALTIME)."""
    data, extra, _, _ = sock.recvmsg(262144, 64)
    for level, kind, value in extra:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, ns = struct.unpack("qq", value[:16])
            return data, seconds * NS + ns
    return data, time.time_ns()


def clients(port, pipe):
    """The thousand, in a process of their own: tells for each write when it came to each of them."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sockets = []
    for _ in range(CLIENTS):
        ws = Ws(port, f"databases.main.collections.queues.documents.{VENUE}", seconds=60)
        ws.connected()
        ws.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        ws.socket.setblocking(False)
        sockets.append(ws.socket)
    by_fd = {s.fileno(): s for s in sockets}
    poll = select.epoll()
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    pipe.send("ready")
    while (mark := pipe.recv()) is not None:
        came, text = {}, {fd: b"" for fd in by_fd}
        while len(came) < CLIENTS:
            for fd, _ in poll.poll(10):
                data, t = arrival_ns(by_fd[fd])
                if not data:
                    raise ConnectionError("the hub closed a client")
                text[fd] += data
                if mark in text[fd]:
                    came[fd] = t
        pipe.send((list(came.values()), time.time_ns()))


def measure_fan_out(hub):
    pipe, other = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=clients, args=(hub.port, other), daemon=True)
    process.start()
    other.close()
    took, read, pss = [], [], []
    try:
        if not pipe.poll(CONNECT_PAUSE_S):
            raise SystemExit("bench: the clients do not connect")
        pipe.recv()
        with hub.http() as h:
            for i in range(WRITES):
                mark = f"mark-{i}-mark"
                entries = json.dumps([{"videoId": "x" * 11, "title": "A song of usual length"}] * 20 + [mark])
                pipe.send(mark.encode())
                t = time.time_ns()
                if h.ask("PATCH", QUEUE, {"data": {"mainQueue": entries}}).status != 200:
                    raise SystemExit("bench: the hub refused a write")
                if not pipe.poll(20):
                    raise SystemExit("bench: a write did not reach all clients within 20 s")
                came, done = pipe.recv()
                took += [(x - t) / MS for x in came]
                read.append((done - t) / MS)
                pss.append(hub.memory_kb() / 1024)
        pipe.send(None)
        process.join(20)
    finally:
        process.kill()
        process.join()
    return {"fan_out_p50_ms": pct(took, 50), "fan_out_p99_ms": pct(took, 99), "fan_out_max_ms": max(took),
            "fan_out_read_p50_ms": pct(read, 50), "pss_mb": max(pss)}


# ---- writes

class Writer:
    """One connection that writes its own document again and again, each time on what the last answer said."""

    def __init__(self, hub, n):
        self.http, self.path, self.count, self.took = hub.http(), documents("player_state", f"writer-{n}"), 0, []
        a = self.http.ask("POST", documents("player_state"), {"documentId": f"writer-{n}",
                                                              "data": {"venueId": f"writer-{n}"}})
        if a.status != 201:
            raise SystemExit(f"bench: {a}")
        self.socket, self.buffer, self.stamp = self.http.socket, b"", a.json["$updatedAt"].encode()
        self.socket.setblocking(False)
        self.head = (f"PATCH {self.path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in self.http.common.items()) +
                     "Content-Type: application/json\r\n").encode()

    def write(self):
        body = b'{"data":{"lastUpdated":%d}}' % (self.count + 1)
        self.sent = time.monotonic_ns()
        self.socket.send(self.head + b"X-Appwrite-Timestamp: %s\r\nContent-Length: %d\r\n\r\n" % (self.stamp,
                                                                                                  len(body)) + body)

    def read(self):
        """Whether the answer is whole."""
        self.buffer += self.socket.recv(65536)
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(rest) < length:
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"bench: {self.buffer[:300]!r}")
        self.stamp = rest.split(b'"$updatedAt":"')[1].split(b'"')[0]
        self.buffer = rest[length:]
        self.took.append((time.monotonic_ns() - self.sent) / MS)
        self.count += 1
        return True


def measure_writes(hub):
    writers = [Writer(hub, n) for n in range(CONNECTIONS)]
    by_fd = {w.socket.fileno(): w for w in writers}
    poll = select.epoll()
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    began = time.monotonic()
    for w in writers:
        w.write()
    waiting = CONNECTIONS
    while waiting:
        for fd, _ in poll.poll(10):
            if by_fd[fd].read():
                if time.monotonic() - began < SECONDS:
                    by_fd[fd].write()
                else:
                    waiting -= 1
    seconds = time.monotonic() - began
    total, took = sum(w.count for w in writers), [t for w in writers for t in w.took]
    for w in writers:
        found = hub.ask("GET", w.path).json["lastUpdated"]
        if found != w.count:
            raise SystemExit(f"bench: {w.path}: {w.count} writes were acknowledged, it says {found}")
        w.http.close()
    return {"writes_per_s": total / seconds, "write_p50_ms": pct(took, 50), "write_p99_ms": pct(took, 99)}


# ---- phones

def measure_phones(hub):
    """Each reads the queue, appends, writes it guarded, and does so again when somebody came between."""
    start, again, wrong = threading.Barrier(PHONES + 1), [0] * PHONES, []

    def phone(n):
        try:
            with hub.http(seconds=60) as h:
                start.wait()
                for song in range(SONGS):
                    while True:
                        queue = h.ask("GET", QUEUE).json
                        entries = json.dumps(json.loads(queue["mainQueue"]) + [f"{n}-{song}"])
                        a = h.ask("PATCH", QUEUE, {"data": {"mainQueue": entries}},
                                  {"X-Appwrite-Timestamp": queue["$updatedAt"]})
                        if a.status == 200:
                            break
                        if a.status != 409:
                            raise ValueError(a)
                        again[n] += 1
        except Exception as e:
            wrong.append(repr(e))

    hub.ask("PATCH", QUEUE, {"data": {"mainQueue": "[]"}})
    threads = [threading.Thread(target=phone, args=(n,)) for n in range(PHONES)]
    for t in threads:
        t.start()
    start.wait()
    began = time.monotonic()
    for t in threads:
        t.join()
    seconds = time.monotonic() - began
    if wrong:
        raise SystemExit(f"bench: {wrong[0]}")
    found = json.loads(hub.ask("GET", QUEUE).json["mainQueue"])
    wanted = {f"{n}-{song}" for n in range(PHONES) for song in range(SONGS)}
    return {"lost": len(wanted - set(found)), "twice": len(found) - len(set(found)), "phones_s": seconds,
            "conflicts": sum(again)}


# ---- for run.py

def measure():
    """One run: a dict of figures. $DJAMMS_BUILD names the build."""
    with Hub().provision() as hub:
        hub.start(prepare=hurry)
        return {**measure_fan_out(hub), **measure_writes(hub), **measure_phones(hub)}


def rows(runs, show):
    """The rows of the table: figure, mark, measured, whether it was reached."""
    for name, key, limit, more_is_better in FIGURES:
        values = [float(r[key]) for r in runs]
        reached = median(values) >= limit if more_is_better else median(values) <= limit
        goal = f"{'≥' if more_is_better else '≤'} {limit}"
        yield [name, goal, show(values), "reached" if reached else "**MISSED**"]
