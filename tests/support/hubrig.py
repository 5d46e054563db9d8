"""A djamms-hub on a data folder of its own, and bare HTTP and WebSocket clients that say exactly what they are told."""
import base64
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path
from urllib.parse import quote

from house import SLOW, wait_until

PROJECT, DATABASE, VENUE = "house", "main", "venue-001"
PASSWORD = "Correct-Horse-7"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CLOSED = 0      # for an answer: the hub only closed the connection


def documents(collection, id=""):
    return f"/v1/databases/{DATABASE}/collections/{collection}/documents" + (f"/{quote(id, safe='')}" if id else "")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Connection:
    """A TCP connection to the hub."""

    def __init__(self, port, seconds=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds * SLOW)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        """False at the end of what comes."""
        data = self.socket.recv(262144)
        self.buffer += data
        return bool(data)

    def take(self, n):
        while len(self.buffer) < n:
            if not self.more():
                raise ConnectionError(f"closed after {self.buffer[:200]!r}")
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def rest(self):
        """All that comes until the other side closes; b"" when it resets."""
        try:
            while self.more():
                pass
        except ConnectionError:
            pass
        data, self.buffer = self.buffer, b""
        return data

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                raise ConnectionError(f"closed after {self.buffer[:200]!r}")
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, value = line.split(":", 1)
            headers[name.strip().lower()] = value.strip()
        return int(first.split(" ", 2)[1]), headers

    def answer(self):
        status, headers = self.head()
        return Answer(status, headers, self.take(int(headers.get("content-length", 0))))

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends it by RST, like a machine that lost its memory of it."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Http(Connection):
    """Requests one after another on one connection, with the headers that are given to all."""

    def __init__(self, port, seconds=20, **headers):
        super().__init__(port, seconds)
        self.common = {"Host": f"127.0.0.1:{port}", "X-Appwrite-Project": PROJECT,
                       **{k.replace("_", "-"): v for k, v in headers.items()}}

    def ask(self, method, path, body=None, headers={}):
        self.request(method, path, body, headers)
        return self.answer()

    def request(self, method, path, body=None, headers={}):
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = dict(self.common)
        if body is not None:
            fields.update({"Content-Type": "application/json", "Content-Length": len(data)})
        fields.update(headers)
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items() if v is not None)]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data)


def frame(opcode, data=b"", final=True, masked=True, reserved=0, length=None):
    """A WebSocket frame, as wrong as wanted."""
    n = len(data) if length is None else length
    head = bytes([(128 if final else 0) | reserved << 4 | opcode])
    mask = 128 if masked else 0
    if n < 126:
        head += bytes([mask | n])
    elif n < 65536:
        head += bytes([mask | 126]) + struct.pack(">H", n)
    else:
        head += bytes([mask | 127]) + struct.pack(">Q", n)
    if not masked:
        return head + data
    key = b"\x11\x22\x33\x44"
    whole = (key * (len(data) // 4 + 1))[:len(data)]
    coded = (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(len(data), "big")
    return head + key + coded


class Ws(Connection):
    """A realtime connection. channels: dialect A; none: messages."""

    def __init__(self, port, *channels, project=PROJECT, path="/v1/realtime", seconds=20, **headers):
        super().__init__(port, seconds)
        query = "".join(f"&channels[]={quote(c)}" for c in channels)
        fields = {"Host": f"127.0.0.1:{port}", "Upgrade": "websocket", "Connection": "Upgrade",
                  "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Version": "13",
                  **{k.replace("_", "-"): v for k, v in headers.items()}}
        self.send((f"GET {path}?project={project}{query} HTTP/1.1\r\n" +
                   "".join(f"{k}: {v}\r\n" for k, v in fields.items() if v is not None) + "\r\n").encode("latin-1"))
        self.status, self.headers = self.head()

    def frame(self):
        """(opcode, data) of the next frame."""
        first, second = self.take(2)
        n = second & 127
        if n == 126:
            n, = struct.unpack(">H", self.take(2))
        elif n == 127:
            n, = struct.unpack(">Q", self.take(8))
        return first & 15, self.take(n)

    def message(self):
        """The next text as JSON; ConnectionError when a close frame comes."""
        while True:
            opcode, data = self.frame()
            if opcode == TEXT:
                return json.loads(data)
            if opcode == CLOSE:
                raise ConnectionError(f"closed with {self.code(data)}")

    def connected(self):
        m = self.message()
        assert m["type"] == "connected", m
        return m["data"]

    def say(self, value):
        self.send(frame(TEXT, value if isinstance(value, bytes) else json.dumps(value).encode()))

    @staticmethod
    def code(data):
        return struct.unpack(">H", data[:2])[0] if len(data) >= 2 else None

    def end(self):
        """Reads on until it ends: the code of the close frame; None: ended without one."""
        try:
            while True:
                opcode, data = self.frame()
                if opcode == CLOSE:
                    return self.code(data)
        except ConnectionError:
            return None


class Hub:
    """A data folder with a key and users, and the hub that runs on it, again and again. Use as a context manager."""

    def __init__(self, users=(), options=(), parent=None):
        self.program = Path(os.environ["DJAMMS_BUILD"]) / "bin" / "djamms-hub"
        self.tmp = Path(tempfile.mkdtemp(prefix="djamms-hub-", dir=parent))
        self.data, self.options, self.process = self.tmp / "data", list(options), None
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "DJAMMS_"))}
        self.env.update(HOME=str(self.tmp), DJAMMS_CONFIG=str(self.tmp / "empty.ini"))
        (self.tmp / "empty.ini").touch()
        self.log = self.tmp / "hub.log"
        self.users = {}

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind and self.log.exists():
            print(f"---- {self.log}\n{self.log.read_text(errors='replace')[-5000:]}", flush=True)
        self.close()

    def admin(self, *argv, input=""):
        """`djamms-hub COMMAND` on the data folder: what it said as JSON."""
        r = subprocess.run([self.program, *argv, "--json", "--data", self.data, "--set", f"hub.project={PROJECT}"],
                           env=self.env, input=input, capture_output=True, text=True, timeout=60 * SLOW)
        if r.returncode:
            raise AssertionError(f"djamms-hub {argv}: {r.returncode}: {r.stdout}{r.stderr}")
        return json.loads(r.stdout)

    def provision(self, *users):
        self.key = self.admin("key", "add", "test")["secret"]
        for name in users:
            self.users[name] = self.admin("user", "add", f"{name}@house.test", "--role", "staff", "--password-file",
                                          "-",
                                          input=PASSWORD + "\n")["userId"]
        return self

    def start(self, *options, wrap=(), prepare=None, seconds=20):
        """Until it has said its URL. prepare: called in the child before it is the hub."""
        argv = [*wrap, self.program, "--listen", "127.0.0.1:0", "--data", self.data, "--project", PROJECT,
                "--database", DATABASE, "--venue", VENUE, *self.options, *options]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(argv, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=log, preexec_fn=prepare)
        timer = threading.Timer(seconds * SLOW, self.process.kill)
        timer.start()
        line = self.process.stdout.readline().decode().strip()
        timer.cancel()
        if not line.startswith("http://"):
            raise AssertionError(f"djamms-hub {argv} ended with {self.process.wait()}: {line}")
        self.url, self.port = line, int(line.split(":")[2].split("/")[0])
        return self

    @property
    def pid(self):
        return self.process.pid

    def http(self, key=True, **more):
        return Http(self.port, **({"X-Appwrite-Key": self.key} if key else {}), **more)

    def ask(self, method, path, body=None, headers={}, key=True):
        """One request on a connection of its own, with the key."""
        with self.http(key) as h:
            return h.ask(method, path, body, headers)

    def ws(self, *channels, **more):
        return Ws(self.port, *channels, **more)

    def sign_in(self, name):
        """The session's secret."""
        a = self.ask("POST", "/v1/account/sessions/email", {"email": f"{name}@house.test", "password": PASSWORD})
        assert a.status == 201, a
        return a.json["secret"]

    def is_alive(self):
        return self.process.poll() is None

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory_kb(self, field="Pss"):
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(field + ":"))

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """Ends it as `djamms up` does; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20 * SLOW)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            raise AssertionError("the hub did not end within 20 s of SIGTERM")
        finally:
            self.process.stdout.close()

    def close(self):
        if self.process and self.is_alive():
            self.kill()
        shutil.rmtree(self.tmp, ignore_errors=True)


def song_request(n, **more):
    return {"requestId": f"r{n}", "venueId": VENUE, "song": json.dumps({"videoId": f"v{n}"}), "requesterId": "guest",
            "timestamp": "2026-01-01T00:00:00.000+00:00", **more}


REQUESTS, QUEUE = documents("requests"), documents("queues", VENUE)
# lines of requests that are sent as bytes
HOST = b"Host: x\r\n"
FIELDS = HOST + b"X-Appwrite-Project: " + PROJECT.encode() + b"\r\n"
UPGRADE = HOST + (b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                  b"Sec-WebSocket-Version: 13\r\n\r\n")
POST = b"POST " + REQUESTS.encode() + b" HTTP/1.1\r\n" + FIELDS


class HubTest(unittest.TestCase):
    """One hub for all tests of a class, looked at before and after each."""

    count = 0

    @classmethod
    def setUpClass(cls):
        cls.hub = Hub().provision("staff").start()

    @classmethod
    def tearDownClass(cls):
        try:
            if cls.hub.is_alive():
                status = cls.hub.stop()
                assert status == 0, f"the hub ended with {status}:\n{cls.hub.log.read_text(errors='replace')[-5000:]}"
        finally:
            cls.hub.close()

    def tearDown(self):
        self.alive()
        wait_until(lambda: self.hub.descriptors() <= self.descriptors, 20, "all sockets of the test are let go")

    def setUp(self):
        self.alive()
        wait_until(lambda: self.hub.descriptors() < 40, 20, "no sockets are left from before")
        self.descriptors = self.hub.descriptors()

    def alive(self):
        """It writes, reads, tells and refuses as on the first day."""
        self.assertTrue(self.hub.is_alive(), "the hub died:\n" + self.hub.log.read_text(errors="replace")[-3000:])
        HubTest.count += 1
        n = HubTest.count
        id = f"alive-{n}"
        with self.hub.ws(f"databases.{DATABASE}.collections.requests.documents") as ws, self.hub.http() as h:
            ws.connected()
            made = h.ask("POST", REQUESTS, {"documentId": id, "data": song_request(n)})
            self.assertEqual(made.status, 201, made)
            self.assertEqual(h.ask("GET", documents("requests", id)).json, made.json)
            guard = {"X-Appwrite-Timestamp": "2000-01-01T00:00:00.000+00:00"}
            self.assertEqual(h.ask("DELETE", documents("requests", id), headers=guard).status, 409)
            self.assertEqual(h.ask("DELETE", documents("requests", id)).status, 204)
            self.assertEqual(h.ask("GET", documents("requests", id)).status, 404)
            heard = [ws.message()["data"] for _ in range(2)]
            self.assertEqual([e["payload"] for e in heard], [made.json] * 2)
            self.assertEqual([e["events"][0].split(".")[-1] for e in heard], ["create", "delete"])

    def say(self, data, seconds=10):
        """The status of what answers these bytes, or CLOSED; what was said after it is dropped."""
        with Connection(self.hub.port, seconds) as c:
            try:
                c.send(data)
            except ConnectionError:
                pass
            try:
                while b"\r\n" not in c.buffer and c.more():
                    pass
            except ConnectionError:
                pass
            self.assertTrue(not c.buffer or c.buffer.startswith(b"HTTP/1.1 "), c.buffer[:200])
            return int(c.buffer.split(b" ", 2)[1]) if c.buffer else CLOSED
