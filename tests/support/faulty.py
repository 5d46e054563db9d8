"""A server of media with faults. Every fault is a prefix of the path, /FAULT[=N]/.../FILE, and several may be combined:

  ok               with ranges, ETag and Last-Modified
  redirect         302 to the rest of the path; redirect=HOST:PORT: of that server
  page             a web page with a video element that shows the rest of the path; page=HOST:PORT: at that server
  portal           the page of a captive portal, whatever was asked for
  403-once         the first request of this address; 503=N: the first N
  status=N         always
  silent           takes the request and says nothing
  silent-after=N   all after the first N requests of this address
  stall=N          N bytes, then nothing, and the connection stays; stall-once=N: only the first connection
  slow=N           bytes a second
  truncated=N      says the full length, closes after N bytes; truncated-once=N
  short            one byte less than it says, every time, from wherever it is asked
  no-ranges        ignores Range, has no stamps
  changes=N        closes after N bytes; from the second connection on it is another file
  endless          no length, no end: again and again from the beginning
  no-length        the end of the connection is the end
  live=MS          of a list of segments (HLS) the first three, and every MS ms another one; the last six of them are told,
                   and the end with the last of all

`?NAME` at the end makes an address of its own: what counts, counts for it alone. `weather()` puts faults before every
path, or takes the server away, while it runs. As a program it serves on an address that looks public in a network of its
own (see PublicRoom)."""
import ctypes
import fcntl
import hashlib
import http.server
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

TYPES = {".mp4": "video/mp4", ".mkv": "video/x-matroska", ".m4s": "video/iso.segment", ".ts": "video/mp2t", ".html": "text/html",
         ".m3u8": "application/vnd.apple.mpegurl", ".mpd": "application/dash+xml"}
PORTAL = b"<html><head><title>Welcome</title></head><body>Please accept the terms of this network.</body></html>"
BLOCK = 16384


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.serve()

    def do_GET(self):
        try:
            self.serve()
        except OSError:     # the client went away
            self.close_connection = True

    def serve(self):
        path, faults = self.server.every + self.path.split("?")[0], {}
        self.sent = 0
        with self.server.lock:
            nth = self.server.count[self.path] = self.server.count.get(self.path, 0) + 1
        while m := re.match(r"/([a-z0-9-]+)(?:=([^/]*))?(?=/)", path):
            if (self.server.folder / path[1:]).exists():
                break
            name, value, path = m[1], m[2], path[m.end():]
            rest = path + self.path[len(self.path.split("?")[0]):]
            if name == "redirect":
                return self.answer(302, b"", Location=f"http://{value}{rest}" if value else rest)
            if name == "page":
                video = f"http://{value}{rest}" if value else rest
                return self.answer(200, f"<html><head><title>A Song</title></head><body><video src='{video}'></video>"
                                   "</body></html>".encode(), "text/html")
            if name == "portal":
                return self.answer(200, PORTAL, "text/html")
            if name == "status":
                return self.answer(int(value), b"no", "text/plain")
            if name == "silent" or (name == "silent-after" and nth > int(value)):
                self.note(0)
                self.server.released.wait()
                self.close_connection = True
                return None
            if name == "403-once" and nth == 1:
                return self.answer(403, b"no", "text/plain")
            if name == "503" and nth <= int(value):
                return self.answer(503, b"no", "text/plain", Retry_After="7")
            faults[name] = int(value or 0)
        file = self.server.folder / path.lstrip("/")
        if not file.is_file():
            return self.answer(404, b"no", "text/plain")
        data = file.read_bytes()
        if "live" in faults and file.suffix == ".m3u8":
            data = self.server.live_list(self.path, data.decode(), faults["live"] / 1000)
        self.media(data, TYPES.get(file.suffix, "application/octet-stream"), faults, nth)

    def note(self, status):
        with self.server.lock:
            self.server.requests.append((self.path, self.headers.get("Range"), status))

    def answer(self, status, body, kind="text/plain", **headers):
        self.note(status)
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def media(self, data, kind, faults, nth):
        if "changes" in faults and nth > 1:
            data = bytes(b ^ 1 for b in data)
        start, end, status = 0, len(data), 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if asked and not {"no-ranges", "no-length", "endless"} & faults.keys():
            start, status = int(asked[1]), 206
            end = min(len(data), int(asked[2]) + 1) if asked[2] else len(data)
            if start >= len(data):
                return self.answer(416, b"", Content_Range=f"bytes */{len(data)}")
        self.note(status)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if {"no-length", "endless"} & faults.keys():
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", end - start)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        if not {"no-ranges", "no-length", "endless"} & faults.keys():
            self.send_header("ETag", '"' + hashlib.md5(data).hexdigest() + '"')
            self.send_header("Last-Modified", "Mon, 05 Oct 2026 07:28:00 GMT")
            self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if self.command == "HEAD":
            return
        limit = min([v for k, v in faults.items() if k in ("stall", "truncated") or k in (
            "stall-once", "truncated-once", "changes") and nth == 1], default=None)
        if "short" in faults:
            limit = end - start - 1
        self.send(data[start:end], limit, faults)
        if limit is not None and limit < end - start:
            if any(k.startswith("stall") for k in faults):
                self.server.released.wait()
            self.close_connection = True

    def send(self, data, limit, faults):
        rate = faults.get("slow")
        view = memoryview(data if limit is None else data[:limit])
        step = max(1, rate // 20) if rate else BLOCK
        while True:
            for at in range(0, len(view), step):
                self.wfile.write(view[at:at + step])
                if rate and self.server.released.wait(step / rate):
                    return
            if "endless" not in faults:
                return


class Faulty(http.server.ThreadingHTTPServer):
    """Use as a context manager; what was asked for is in `requests`: (path, Range, status)."""
    daemon_threads = True

    def __init__(self, folder, host="127.0.0.1"):
        self.folder, self.lock, self.released = Path(folder), threading.Lock(), threading.Event()
        self.count, self.requests, self.began = {}, [], {}
        self.every = ""
        super().__init__((host, 0), Handler)
        self.host = f"{host}:{self.server_port}"

    def handle_error(self, *_):
        pass        # clients that go away are what these tests are about

    def live_list(self, address, text, every_s):
        """As it is now: an address begins when it is asked for first."""
        head, *segments = re.split(r"(?m)^(?=#EXTINF)", text.replace("#EXT-X-ENDLIST\n", ""))
        with self.lock:
            began = self.began.setdefault(address, time.monotonic())
        there = min(len(segments), 3 + int((time.monotonic() - began) / every_s))
        first = max(0, there - 6)
        head = re.sub(r"#EXT-X-MEDIA-SEQUENCE:\d+", f"#EXT-X-MEDIA-SEQUENCE:{first}", head).replace("#EXT-X-PLAYLIST-TYPE:VOD\n", "")
        return (head + "".join(segments[first:there]) + ("#EXT-X-ENDLIST\n" if there == len(segments) else "")).encode()

    def url(self, path):
        return f"http://{self.host}/{path}"

    def ranges(self, start):
        """The beginnings that requests for media asked for whose path starts so."""
        with self.lock:
            return [int(re.match(r"bytes=(\d+)", r)[1]) if r else 0 for path, r, status in self.requests
                    if path.startswith(start) and status in (200, 206, 416)]

    def weather(self, faults):
        """From now on these faults are before every path ("status=404"; "": none), or there is no server at all (None).
        Who waits for the old ones waits no longer."""
        old, self.released = self.released, threading.Event()
        self.every = f"/{faults}" if faults else ""
        old.set()
        if faults is None:
            self.shutdown()
            self.server_close()
        elif self.socket.fileno() < 0:
            self.socket = socket.socket(self.address_family, self.socket_type)
            self.server_bind()
            self.server_activate()
            self.__enter__()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.shutdown()
        self.server_close()


# ---- a network of its own ------------------------------------------------------------------------------------------

PUBLIC = "8.8.4.4"
NEWUSER, NEWNET = 0x10000000, 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def call(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def give_address(name, address):
    """To an interface of the loopback device, and up with it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sH2s4s8s", name.encode(), socket.AF_INET, b"", socket.inet_aton(address), b"")
        fcntl.ioctl(s, 0x8916, request)                                         # SIOCSIFADDR
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14s", name.encode(), 0x41, b""))    # SIOCSIFFLAGS: up, running


class PublicRoom:
    """A network without any way out, in which one server has a public address and another a loopback address."""

    def __init__(self, folder):
        self.process = subprocess.Popen([sys.executable, __file__, folder], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().split()
        if len(line) != 2:
            raise AssertionError(f"no network of its own: status {self.process.wait()}")
        self.public, self.private = line

    def enter(self):
        """In a child: moves it there."""
        for kind, flag in (("user", NEWUSER), ("net", NEWNET)):
            if kind == "user" and os.geteuid() == 0:
                continue
            fd = os.open(f"/proc/{self.process.pid}/ns/{kind}", os.O_RDONLY)
            call(LIBC.setns(fd, flag), "setns")
            os.close(fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def main():
    call(LIBC.unshare(NEWNET if os.geteuid() == 0 else NEWUSER | NEWNET), "unshare")
    give_address("lo", "127.0.0.1")
    give_address("lo:1", PUBLIC)
    with Faulty(sys.argv[1], PUBLIC) as public, Faulty(sys.argv[1]) as private:
        print(public.host, private.host, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
