#!/usr/bin/python3 -I
"""djamms-fetch: finds out what an address plays, and brings it to disk, with yt-dlp as a library.

One JSON object a line in and out. A request is {"n": NUMBER, "request": NAME, ...}; every line that belongs to it
carries the same n and an "event": any number of "progress", then one "done" or "error".

  hello                         versions, JavaScript runtimes, where yt-dlp came from
  resolve  url profile is_guest max_duration_s allows_live allows_list
                                done: the description of what would be fetched
  fetch    the same, folder name max_bytes max_live_s rate_limit subtitles
                                progress: done, total, path, is_playable and duration of the growing file; of a live
                                stream done, path, is_playable and in_hand_s, the seconds that came so far
                                done: the description, path, size. A live stream is done when it ends, or when
                                max_live_s or max_bytes are reached: its file is what came until then
  rate     rate_limit           of the fetch under way; 0: none. Taken at once
  cancel                        the request under way ends with an error. Taken at once

profile is auto, pi3, pi4, pi5 or desktop. A request that does not say so is a guest's: no connection is then made to
an address that is not of the public internet. An error says what went wrong and leaves the judgement to who asked:
exception (the class that says most), chain (all classes, outermost first), status (of HTTP), phase (page, media,
merge), message, warnings. A line over 1 MiB, no JSON, or an unknown request gets an error, too.

Ends at the end of its input, and with its parent."""
import argparse
import collections
import contextlib
import ctypes
import hashlib
import http.server
import importlib.machinery
import importlib.util
import io
import ipaddress
import json
import math
import os
import queue
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

LINE_MAX = 1 << 20
WAITING_MAX = 4         # requests that may wait while one is under way
WARNINGS_MAX = 20
WARNING_MAX = 500
TEXT_MAX = 2000         # characters of a text in an answer
PROGRESS_EVERY_S = 0.25
PROGRESS_FIRST_S = 0.1  # in the first seconds: somebody may wait for it to start
WATCH = "https://www.youtube.com/watch"
SUBTITLE_MAX = 2 << 20  # bytes; what a deck reads
FOUND_S = 60            # so long what was resolved is good for a fetch of the same
ATTEMPTS = 3            # at a file whose partial proved to be of another, and at a segment of a live stream
BLOCK = 16384
LIVE_S = 3600           # of a live stream that nobody limits
LIVE_BEHIND_S = 10      # its end lies so far ahead when it begins: what comes late is not missed
LIVE_PATIENCE_S = 15    # a list that does not grow for so long has ended
LIVE_PROOF_S = 30       # after that it should be seen that it can be played
SEGMENT_MAX = 64 << 20
FORMAT_SORT = ["res", "fps", "proto"]
# For guests, and for what plainly is a file.
EXTRACTORS = "youtube,youtube:truncated_id,youtube:truncated_url,html5,generic"
RUNTIMES = {"deno": "deno", "node": "node", "quickjs": "qjs", "bun": "bun"}    # names of yt-dlp: of their programs
# What is fetched by yt-dlp's own code; everything else would start another program.
PROTOCOLS = {"http", "https", "m3u8", "m3u8_native", "http_dash_segments", "http_dash_segments_generator"}
ENDINGS = {"mp4", "m4v", "m4a", "mov", "webm", "mkv", "ts", "flv", "avi", "ogv", "3gp", "mpg", "mp3", "aac", "ogg",
           "opus", "flac", "wav"}
MANIFESTS = {"m3u8", "mpd"}
# Demuxers the ffmpeg program may use: none that opens further files.
DEMUXERS = "mov,mp4,m4a,matroska,webm,mpegts,aac,mp3,ogg,flac,flv"
ENVIRONMENT = {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"}
BOARDS = {"brcm,bcm2837": "pi3", "brcm,bcm2711": "pi4", "brcm,bcm2712": "pi5"}     # by their chips
# height, pictures a second
PROFILES = {"pi3": (720, 30), "pi4": (1080, 30), "pi5": (1080, 60), "desktop": (1080, 60)}


class Stop(BaseException):
    """Ends a request at once. No Exception, so that yt-dlp neither tries again nor wraps it."""


class Cancelled(Stop):
    pass


class AddressRefused(Stop):
    pass


class TooLarge(Stop):
    pass


class NotMedia(Stop):
    pass


class Late(Stop):
    """What is not worth waiting for."""


class Changed(Stop):
    """What is at the address is not what the partial is a part of."""


class RangeRefused(Stop):
    """HTTP 416: the partial is longer than the file."""


class Refusal(Exception):
    """A rule of the house; the name of the subclass is the answer's exception."""


class BadRequest(Refusal):
    pass


class LineTooLong(Refusal):
    pass


class Busy(Refusal):
    pass


class LiveRefused(Refusal):
    pass


class TooLong(Refusal):
    pass


class ListRefused(Refusal):
    pass


class ProtocolRefused(Refusal):
    pass


class Truncated(Refusal):
    pass


class MergeFailed(Refusal):
    pass


class Enough(Exception):
    """So much of a live stream came as is allowed."""


# ---- the process -------------------------------------------------------------------------------------------------

def die_with_parent():
    """PR_SET_PDEATHSIG; also what our own children do."""
    LIBC.prctl(1, signal.SIGKILL, 0, 0, 0)


LIBC = ctypes.CDLL(None, use_errno=True)


def confine(memory_mb, niceness):
    parent = os.getppid()
    die_with_parent()
    if os.getppid() != parent:      # it went before the line above
        os._exit(1)
    os.closerange(3, 1024)          # what leaked from who started us
    for name in set(os.environ) - ENVIRONMENT:
        del os.environ[name]
    os.environ["YTDLP_NO_PLUGINS"] = "1"
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_mb:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, memory_mb << 20))
    if niceness:
        os.nice(niceness)
    # The kernel tells only us of the parent's end; a JavaScript runtime must not outlive us.
    plain = subprocess.Popen.__init__

    def init(self, *args, **more):
        more.setdefault("preexec_fn", die_with_parent)
        plain(self, *args, **more)
    subprocess.Popen.__init__ = init


def end_all():
    """Us and, when the group is ours, what we started."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


# ---- the line protocol -------------------------------------------------------------------------------------------

def clean(value):
    """Text that any JSON reader takes and any screen may show; numbers that JSON has."""
    if isinstance(value, str):
        text = "".join(c if c.isprintable() else " " for c in value[:TEXT_MAX])
        return text.encode("utf-8", "replace").decode()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) and abs(value) < 2 ** 53 else None
    if isinstance(value, dict):
        return {clean(str(k)): clean(v) for k, v in value.items()}
    return [clean(v) for v in value]


class Lines:
    """Requests from a descriptor, read by a thread so that a cancel is heard during work; answers to another."""

    def __init__(self, source, sink, hear):
        self.source, self.sink, self.hear = source, sink, hear
        self.lock = threading.Lock()
        self.waiting = queue.Queue(WAITING_MAX)

    def start(self):
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        line, is_too_long = bytearray(), False
        while data := os.read(self.source, 65536):
            *ends, rest = data.split(b"\n")
            for part in ends:
                line += part
                self.take(None if is_too_long or len(line) > LINE_MAX else bytes(line))
                line, is_too_long = bytearray(), False
            line += rest
            if len(line) > LINE_MAX:
                line, is_too_long = bytearray(), True
        end_all()

    def take(self, line):
        if line is not None and not line.strip():
            return
        n = None
        try:
            if line is None:
                raise LineTooLong(f"a line may have {LINE_MAX} bytes")
            try:
                request = json.loads(line)
            except (ValueError, RecursionError) as e:
                raise BadRequest(f"no JSON: {e}") from None
            if not isinstance(request, dict):
                raise BadRequest("no JSON object")
            n = request.get("n")
            if not isinstance(n, int) or isinstance(n, bool) or abs(n) >= 2 ** 53:
                n = None
                raise BadRequest("n must be a number")
            if self.hear(request):
                return
            try:
                self.waiting.put_nowait(request)
            except queue.Full:
                raise Busy("too many requests wait") from None
        except Refusal as e:
            self.error(n, e)

    def error(self, n, e):
        self.send(n, "error", exception=type(e).__name__, chain=[type(e).__name__], message=str(e), warnings=[])

    def send(self, n, event, **fields):
        data = json.dumps({"n": n, "event": event, **clean(fields)}, allow_nan=False).encode() + b"\n"
        with self.lock:
            try:
                while data:
                    data = data[os.write(self.sink, data):]
            except OSError:     # nobody hears us any more
                end_all()


# ---- where connections may go ------------------------------------------------------------------------------------

def inner_addresses(address):
    """The address, and those of IPv4 that are written inside one of IPv6 and that a router may unpack."""
    yield address
    if address.version == 6:
        if address.ipv4_mapped:
            yield address.ipv4_mapped
        if address.sixtofour:
            yield address.sixtofour
        if address.teredo:
            yield from address.teredo
        if address in ipaddress.ip_network("64:ff9b::/96") or int(address) >> 32 == 0:
            yield ipaddress.IPv4Address(int(address) & 0xffffffff)


def is_public(text):
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return False
    mapped = address.version == 6 and (address.ipv4_mapped or address in ipaddress.ip_network("64:ff9b::/96"))
    inner = list(inner_addresses(address))
    return all(a.is_global and not (a.is_multicast or a.is_reserved or a.is_unspecified or a.is_loopback or
                                    a.is_link_local or a.is_private) for a in (inner[1:] if mapped else inner))


def is_plain_address(url):
    """No site is known by it: a numeric host, or the address of a media file."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return True
    return host == "localhost" or ":" in host or bool(re.fullmatch(r"[0-9.]+", host)) or (
        parts.path.rpartition(".")[2].lower() in ENDINGS | MANIFESTS)


class Guard:
    """Every connection of this process goes through it: what a name led to is judged when it is connected to, so
    redirects and changing DNS answers make no difference. Turned on or off before each request."""

    def __init__(self):
        self.is_on = False
        plain_connect, plain_connect_ex = socket.socket.connect, socket.socket.connect_ex
        plain_getaddrinfo = socket.getaddrinfo

        def allowed(s, address):
            """The address to connect to: numeric when it was judged."""
            if not self.is_on:
                return address
            if s.family not in (socket.AF_INET, socket.AF_INET6):
                raise AddressRefused("no connection of this kind for a guest")
            host, port, *rest = address
            found = plain_getaddrinfo(host, port, s.family, s.type)[0][4]
            self.judge(found[0], host)
            return (*found[:2], *rest)

        def connect(s, address):
            return plain_connect(s, allowed(s, address))

        def connect_ex(s, address):
            return plain_connect_ex(s, allowed(s, address))

        def getaddrinfo(host, *args, **more):
            found = plain_getaddrinfo(host, *args, **more)
            if self.is_on:
                for *_, address in found:
                    self.judge(address[0], host)
            return found
        socket.socket.connect, socket.socket.connect_ex = connect, connect_ex
        socket.getaddrinfo = getaddrinfo

    def turn(self, is_on):
        self.is_on = is_on
        if is_on:       # yt-dlp keeps connections for the next request
            self.cut_kept()

    def cut_kept(self):
        """Ends the connections to where none may be made now; who uses one connects anew, and is judged."""
        for name in os.listdir("/proc/self/fd"):
            try:
                if not stat.S_ISSOCK(os.stat(int(name)).st_mode):
                    continue
                with socket.socket(fileno=os.dup(int(name))) as s:
                    if s.family in (socket.AF_INET, socket.AF_INET6) and not is_public(s.getpeername()[0]):
                        s.shutdown(socket.SHUT_RDWR)
            except OSError:     # not connected; or the folder itself, which is closed
                pass

    def judge(self, numeric, host):
        if not is_public(numeric):
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
            raise AddressRefused(f"{name} is at {numeric}, which is not of the public internet")


# ---- which format ------------------------------------------------------------------------------------------------

def board():
    try:
        with open("/sys/firmware/devicetree/base/compatible", encoding="utf-8", errors="replace") as f:
            names = f.read(1024).split("\0")
    except OSError:
        return "desktop"
    return next((BOARDS[name] for name in names if name in BOARDS), "desktop")


def selector(profile):
    """H.264 that the board decodes first; then what says nothing of its codec; at last anything."""
    height, fps = PROFILES[board() if profile == "auto" else profile]
    size = f"[height<=?{height}]"
    h264 = f"bv*[vcodec^=avc1]{size}[fps<=?{fps}]"
    return "/".join([f"{h264}+ba[acodec^=mp4a]", f"{h264}+ba", f"b[vcodec^=avc1]{size}",
                     f"b[vcodec!^=?av01][vcodec!^=?vp]{size}", f"bv*[vcodec!^=?av01]{size}+ba", "bv*+ba/b"])


def live_selector(profile):
    """Of what comes in one piece, sound and pictures together."""
    size = f"[height<=?{PROFILES[board() if profile == 'auto' else profile][0]}]"
    return f"b[vcodec^=avc1]{size}/b{size}/b"


# ---- what yt-dlp says --------------------------------------------------------------------------------------------

class Warnings:
    """The logger given to yt-dlp: nothing is printed, warnings are kept for the answer."""

    def __init__(self):
        self.texts = []

    def debug(self, text):
        pass

    info = debug

    def warning(self, text):
        if len(self.texts) < WARNINGS_MAX:
            self.texts.append(plain_text(text)[:WARNING_MAX])

    def error(self, text):
        pass        # it comes as an exception, too


def plain_text(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", str(text)).strip()


def parts_of(e):
    """An exception, and those it was made from, outermost first."""
    waiting, seen = collections.deque([e]), []
    while waiting and len(seen) < 12:
        e = waiting.popleft()
        if not isinstance(e, BaseException) or any(e is s for s in seen):
            continue
        seen.append(e)
        info = getattr(e, "exc_info", None)
        waiting.extend([info[1] if isinstance(info, tuple) and len(info) > 1 else None, getattr(e, "cause", None),
                        getattr(e, "reason", None), e.__cause__, *(a for a in e.args if isinstance(a, BaseException)),
                        None if e.__suppress_context__ else e.__context__])
    return seen


# Which class says most, best first; each with those derived from it.
TELLING = ["Stop", "Refusal", "GeoRestrictedError", "UnsupportedError", "UserNotLive", "HTTPError", "gaierror",
           "CertificateVerifyError", "SSLCertVerificationError", "SSLError", "TimeoutError", "ConnectionError",
           "IncompleteRead", "ContentTooShortError", "OSError", "TransportError", "ExtractorError", "DownloadError"]


def telling(parts):
    for name in TELLING:
        for e in parts:
            if name in [c.__name__ for c in type(e).__mro__] and not (name == "OSError" and not e.errno):
                return e
    return parts[-1]


def describe_error(e):
    parts = parts_of(e)
    best = telling(parts)
    status = next((s for p in parts for s in [getattr(p, "status", None) or getattr(p, "code", None)]
                   if isinstance(s, int) and 100 <= s < 600), None)
    message = plain_text(parts[0])
    if status is None and (said := re.search(r"HTTP Error (\d{3})", message)):
        status = int(said[1])       # when yt-dlp has given up it has only words
    if not message or isinstance(best, (Stop, Refusal)):
        message = plain_text(best) or type(best).__name__
    error = {"exception": type(best).__name__, "chain": [type(p).__name__ for p in parts], "status": status,
             "message": message, "errno": getattr(best, "errno", None),
             "is_expected": next((bool(p.expected) for p in parts if hasattr(p, "expected")), None)}
    countries = next((p.countries for p in parts if getattr(p, "countries", None)), None)
    if countries:
        error["countries"] = list(countries)[:50]
    headers = next((h for p in parts for h in [getattr(getattr(p, "response", p), "headers", None)] if h), None)
    wait = headers.get("Retry-After") if headers else None
    if wait and wait.isdigit():
        error["retry_after_s"] = min(int(wait), 86400)
    return error


def number(value):
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) else None


def text(value):
    return value if isinstance(value, str) else None


def fnv(data):
    """As text_hash() of the player: so both name an address alike."""
    h = 0xcbf29ce484222325
    for b in data:
        h = (h ^ b) * 0x100000001b3 & 0xffffffffffffffff
    return h or 1


def formats_of(info):
    return info.get("requested_formats") or [info]


def is_plain(f):
    """One HTTP response is the whole file."""
    return f.get("protocol") in ("http", "https") and not f.get("fragments")


def size_of(f):
    """(bytes, whether that is exact)"""
    if number(f.get("filesize")):
        return int(f["filesize"]), True
    length = url_stamp(f.get("url") or "").get("length")
    if length:
        return length, True
    return (int(f["filesize_approx"]), False) if number(f.get("filesize_approx")) else (None, False)


def url_stamp(url):
    """What the address itself says of its content, as those of YouTube do."""
    fields = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    stamp = {}
    if fields.get("clen", [""])[0].isdigit():
        stamp["length"] = int(fields["clen"][0])
    if fields.get("lmt", [""])[0].isdigit():
        stamp["lmt"] = fields["lmt"][0]
    return stamp


def expires_of(formats):
    times = [int(m[1]) for f in formats for m in [re.search(r"[?&/]expire[=/](\d{9,12})\b", f.get("url") or "")] if m]
    return min(times) if times else None


def duration_said(info):
    """By the site; else by the list of fragments."""
    if number(info.get("duration")):
        return info["duration"]
    sums = [sum(number(part.get("duration")) or 0 for part in f["fragments"]) for f in formats_of(info)
            if isinstance(f.get("fragments"), list)]
    return max(sums, default=0) or None


def describe(info, url):
    """What the house needs of yt-dlp's dictionary."""
    formats = formats_of(info)
    sizes = [size_of(f) for f in formats]
    extractor = text(info.get("extractor")) or ""
    title = text(info.get("title"))
    if extractor in ("html5", "generic") and title and title.endswith(" (1)"):
        title = title[:-4]      # yt-dlp's mark for the first of several on a page
    is_youtube = (info.get("extractor_key") or "").lower() == "youtube"
    video = next((f for f in formats if f.get("vcodec") != "none"), formats[0])
    audio = next((f for f in formats if f.get("acodec") != "none"), formats[-1])
    subtitles = info.get("subtitles") or {}
    d = {
        "key": info["id"] if is_youtube else f"url:{fnv(url.encode('utf-8', 'replace')):016x}",
        "extractor": extractor, "id": text(info.get("id")), "url": text(info.get("webpage_url")) or url,
        "title": title, "track": text(info.get("track")), "artist": text(info.get("artist")),
        "uploader": text(info.get("uploader")) or text(info.get("channel")), "duration": duration_said(info),
        "is_live": bool(info.get("is_live")), "live_status": text(info.get("live_status")),
        "age_limit": number(info.get("age_limit")), "format": "+".join(str(f.get("format_id")) for f in formats),
        "ext": text(info.get("ext")), "container": text(video.get("container")), "protocol": text(info.get("protocol")),
        "vcodec": text(video.get("vcodec")), "acodec": text(audio.get("acodec")),
        "width": number(video.get("width")), "height": number(video.get("height")), "fps": number(video.get("fps")),
        "filesize": sum(s for s, _ in sizes) if all(s for s, _ in sizes) else None,
        "is_filesize_exact": all(s and exact for s, exact in sizes),
        "is_single_file": len(formats) == 1 and is_plain(formats[0]), "thumbnail": text(info.get("thumbnail")),
        "expires": expires_of(formats),
        "available_at": max(number(f.get("available_at")) or 0 for f in formats) or None,
        "subtitles": {lang: [t.get("ext") for t in tracks][:10] for lang, tracks in list(subtitles.items())[:50]
                      if isinstance(tracks, list)},
    }
    return {k: v for k, v in d.items() if v is not None}


def boxes(f, at, end):
    """Those of an MP4 between two places: (kind, place of its content, place after it). The last may be incomplete."""
    while at + 8 <= end:
        f.seek(at)
        head = f.read(16)
        size, kind, content = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if size == 1 and len(head) == 16:
            size, content = int.from_bytes(head[8:16], "big"), at + 16
        if size < 8:
            return
        yield kind, content, at + size
        at += size


def look(path):
    """Of a file that may be growing: whether its beginning is enough to play it (an MP4 with its index in front,
    and all of Matroska and TS), and its duration as an MP4 says it."""
    try:
        with open(path, "rb") as f:
            head = f.read(12)
            if head[4:8] != b"ftyp":
                return head[:4] == b"\x1aE\xdf\xa3" or head[:1] == b"G" and path.endswith((".ts", ".ts.part")), None
            end, is_playable = f.seek(0, 2), True
            for kind, content, after in boxes(f, 0, end):
                if kind == b"mdat":
                    is_playable = False
                if kind == b"moov" and after <= end:
                    return is_playable, duration_of(f, content, after)
    except OSError:
        pass
    return False, None


def duration_of(f, at, end):
    for kind, content, _ in boxes(f, at, end):
        if kind == b"mvhd":
            f.seek(content)
            data = f.read(32)
            wide = data[:1] == b"\x01"
            scale = int.from_bytes(data[20:24] if wide else data[12:16], "big")
            length = int.from_bytes(data[24:32] if wide else data[16:20], "big")
            return length / scale if scale and length else None
    return None


# ---- a fetch -----------------------------------------------------------------------------------------------------

def stem_of(request):
    """The path of what is to be fetched, without its ending."""
    folder, name = request.get("folder"), request.get("name")
    if not isinstance(folder, str) or not os.path.isabs(folder) or not os.path.isdir(folder):
        raise BadRequest("folder must be the path of a folder")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", name):
        raise BadRequest("name must be letters, digits, '_', '.' and '-'")
    return os.path.join(folder, name)


class Part:
    """One of the files a fetch consists of."""

    def __init__(self, number, f, stem):
        self.format, self.is_plain = f, is_plain(f)
        ending = f.get("ext") if f.get("ext") in ENDINGS else "bin"
        self.path = f"{stem}.{number}.{ending}"
        self.growing = self.path + ".part"
        self.name = f"{f.get('format_id')}.{ending}"
        self.stamp = {"format": self.name, **url_stamp(f.get("url") or "")}
        if size_of(f)[1]:
            self.stamp["length"] = size_of(f)[0]
        self.resumed_at = 0

    def remove(self):
        """All that is left of it, fragments too."""
        folder, name = os.path.split(self.path)
        for other in os.listdir(folder):
            if other == name or other.startswith(name + "."):
                os.remove(os.path.join(folder, other))


def is_same(old, new):
    """Whether two stamps are of the same bytes: nothing differs, length and something that changes with them known."""
    if not isinstance(old, dict):
        return False
    marks = [m for m in ("lmt", "etag", "modified") if old.get(m) and new.get(m)]
    known = ["format", "length", *marks[:1 if "lmt" in marks else None]]
    return bool(marks) and bool(old.get("length")) and all(old.get(k) == new.get(k) for k in known)


def stamp_of(response, ranged):
    headers = response.headers
    stamp = {}
    total = re.fullmatch(r"bytes \d+-\d+/(\d+)", headers.get("Content-Range") or "")
    length = total[1] if total else None if ranged else headers.get("Content-Length")
    if length and length.isdigit() and not headers.get("Content-Encoding"):
        stamp["length"] = int(length)
    etag = headers.get("ETag")
    if etag and not etag.startswith("W/"):      # a weak one does not speak of bytes
        stamp["etag"] = etag
    if headers.get("Last-Modified"):
        stamp["modified"] = headers["Last-Modified"]
    return stamp


class Fetch:
    """Brings what was resolved to disk: one part after the other, then one file of them."""

    def __init__(self, worker, n, request, info, description):
        self.worker, self.n, self.description = worker, n, description
        self.stem = stem_of(request)
        self.resume_path = os.path.join(os.path.dirname(self.stem), "resume.json")
        self.max_bytes = request.get("max_bytes") if number(request.get("max_bytes")) else 0
        self.max_duration_s = number(request.get("max_duration_s")) or 0
        self.languages = [s for s in request.get("subtitles") or [] if isinstance(s, str)][:10]
        self.info, self.parts = info, []
        self.finished, self.part, self.told_s, self.began_s = 0, None, 0.0, time.monotonic()
        for i, f in enumerate(formats_of(info)):
            if f.get("protocol") not in PROTOCOLS:
                raise ProtocolRefused(f"{f.get('protocol')} is not fetched")
            if f["protocol"] == "m3u8":     # yt-dlp's name for "by the ffmpeg program"
                f["protocol"] = "m3u8_native"
            self.parts.append(Part(i, f, self.stem))

    def run(self):
        self.check_size(self.description.get("filesize") or 0)
        for part, old in zip(self.parts, self.read_resume()):
            self.fetch_part(part, old)
        self.part = None
        path = self.join()
        self.check_duration(look(path)[1], path)
        self.forget_resume()
        return {"path": path, "size": os.path.getsize(path), "resumed_at": sum(p.resumed_at for p in self.parts),
                "subtitle_files": self.fetch_subtitles(), **self.description, "ext": path.rpartition(".")[2]}

    def check_size(self, size):
        if self.max_bytes and size > self.max_bytes:
            for part in self.parts:
                part.remove()
            self.forget_resume()
            raise TooLarge(f"more than {self.max_bytes} bytes")

    def check_duration(self, seconds, path=None):
        if not self.max_duration_s or (seconds or 0) <= self.max_duration_s:
            return
        for part in self.parts:
            part.remove()
        if path:
            os.remove(path)
        self.forget_resume()
        raise TooLong(f"it lasts {seconds:.0f} s; {self.max_duration_s:.0f} s are allowed")

    # -- what a later attempt may go on from --

    def read_resume(self):
        try:
            with open(self.resume_path, encoding="utf-8") as f:
                old = json.load(f)["parts"]
            assert len(old) == len(self.parts)
        except (OSError, ValueError, KeyError, TypeError, AssertionError):
            old = [None] * len(self.parts)
        return old

    def write_resume(self):
        new = self.resume_path + ".new"
        with open(new, "w", encoding="utf-8") as f:
            json.dump({"parts": [p.stamp for p in self.parts]}, f)
        os.replace(new, self.resume_path)

    def forget_resume(self):
        for path in (self.resume_path, self.resume_path + ".new"):
            if os.path.exists(path):
                os.remove(path)

    # -- one part --

    def fetch_part(self, part, old):
        self.part = part
        # Of what came in fragments nobody can say where the last one ended when we were killed.
        may_resume = part.is_plain and isinstance(old, dict) and old.get("format") == part.stamp["format"] and all(
            part.stamp.get(k) in (None, old.get(k)) for k in ("length", "lmt"))
        if may_resume and os.path.exists(part.path) and is_same(old, part.stamp):
            self.finished += os.path.getsize(part.path)     # complete, the merge did not happen
            return
        if may_resume and os.path.exists(part.growing) and old.get("length") and any(
                old.get(m) for m in ("lmt", "etag", "modified")):
            part.resumed_at = os.path.getsize(part.growing)
            part.stamp = {**old, **part.stamp}
            if os.path.exists(part.path):
                os.remove(part.path)
        else:
            part.remove()
        self.write_resume()
        for left in reversed(range(ATTEMPTS)):
            try:
                if not self.worker.download(part.path, part.format):
                    raise Truncated("the download ended without a file")
                break
            except (Changed, RangeRefused):
                part.remove()
                part.resumed_at, part.stamp = 0, {"format": part.stamp["format"]}
                if not left:
                    raise
        size = os.path.getsize(part.path)
        if part.is_plain and part.stamp.get("length", size) != size:
            part.remove()
            raise Truncated(f"{size} of {part.stamp['length']} bytes came")
        self.finished += size
        self.check_size(self.finished)

    def hear_response(self, request, response):
        """Of the part's own address: before yt-dlp takes a byte of it."""
        kind = (response.headers.get("Content-Type") or "").split(";")[0].strip().lower()
        if kind in ("text/html", "application/xhtml+xml"):
            raise NotMedia("a web page came instead of the media")
        part = self.part
        if not part.is_plain:
            return
        start = re.match(r"bytes=(\d+)-", request_header(request, "Range") or "")
        ranged = response.headers.get("Content-Range") is not None
        new = {"format": part.stamp["format"], **stamp_of(response, ranged)}
        lmt = url_stamp(part.format.get("url") or "").get("lmt")
        if lmt:
            new["lmt"] = lmt
        goes_on = start and int(start[1]) > 0 and ranged
        if goes_on and not is_same(part.stamp, new):
            raise Changed("the file is another one than before")
        if not goes_on:
            part.resumed_at = 0
            part.stamp = new
            self.write_resume()

    def hear_progress(self, status):
        if status.get("status") != "downloading":
            return
        done = self.finished + (status.get("downloaded_bytes") or 0)
        self.check_size(done)
        now = time.monotonic()
        if now - self.told_s < (PROGRESS_FIRST_S if now - self.began_s < 3 else PROGRESS_EVERY_S):
            return
        self.told_s = now
        self.worker.check_alive()
        part, path = self.part, status.get("tmpfilename") or self.part.growing
        total = part.stamp.get("length") or status.get("total_bytes") or status.get("total_bytes_estimate")
        is_playable, seconds = look(path)
        self.check_duration(seconds)
        more = {"duration": seconds} if seconds else {}
        self.worker.lines.send(self.n, "progress", done=done,
                               total=int(total) if number(total) and len(self.parts) == 1 else
                               self.description.get("filesize"), path=path,
                               is_playable=is_playable and self.description.get("is_single_file", False), **more)

    # -- one file of the parts --

    def join(self):
        only = self.parts[0]
        ending = only.path.rpartition(".")[2]
        if len(self.parts) == 1 and only.is_plain:
            path = f"{self.stem}.{ending}"
            os.replace(only.path, path)
            return path
        codecs = " ".join(str(p.format.get(k)) for p in self.parts for k in ("vcodec", "acodec"))
        # MP4 is what everything plays; Matroska holds what does not belong into it.
        ending = "mkv" if re.search(r"\b(vp8|vp0?9|opus|vorbis)", codecs) else "mp4"
        path, new = f"{self.stem}.{ending}", f"{self.stem}.new.{ending}"
        inputs = [a for p in self.parts for a in ("-protocol_whitelist", "file", "-format_whitelist", DEMUXERS, "-i",
                                                  "file:" + p.path)]
        maps = [a for i in range(len(self.parts)) for a in ("-map", f"{i}:v:0?", "-map", f"{i}:a:0?")]
        self.worker.phase = "merge"
        self.worker.run(["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *inputs, *maps, "-c", "copy",
                         *(["-movflags", "+faststart"] if ending == "mp4" else []), "file:" + new])
        os.replace(new, path)
        for part in self.parts:
            part.remove()
        return path

    def fetch_subtitles(self):
        """{language: path}; one that does not come is no reason to do without the song."""
        files, tracks = {}, self.info.get("subtitles") or {}
        if not any(self.languages) or not tracks:
            return files
        self.waits = True
        plain = signal.signal(signal.SIGALRM, self.on_late)
        signal.setitimer(signal.ITIMER_REAL, self.worker.options.subtitles_time)
        try:
            for language in self.languages:
                self.fetch_subtitle(language, tracks, files)
            self.waits = False
        except (Late, TooLarge) as e:
            self.worker.warnings.warning(f"subtitles: {e}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, plain)
        return files

    def on_late(self, *_):
        if self.waits:
            raise Late(f"they did not come within {self.worker.options.subtitles_time} s")

    def fetch_subtitle(self, language, tracks, files):
        # "en" is answered by "en-GB", too
        tag = language if tracks.get(language) else next(
            (t for t in tracks if isinstance(t, str) and t.partition("-")[0] == language), language)
        track = next((t for ending in ("ass", "srt", "vtt") for t in reversed(tracks.get(tag) or [])
                      if t.get("ext") == ending and t.get("url")), None)
        if not track or not re.fullmatch(r"[A-Za-z0-9-]{1,20}", language):
            return
        path = f"{self.stem}.{language}.{track['ext']}"
        try:
            if self.worker.download(path, {"http_headers": self.info.get("http_headers"), **track}, True):
                if is_markup(path):
                    os.remove(path)
                    raise NotMedia("a web page came instead of subtitles")
                files[language] = path
        except (Exception, NotMedia) as e:
            self.worker.warnings.warning(f"subtitles {language}: {plain_text(e)}")


def is_markup(path):
    with open(path, "rb") as f:
        return f.read(100).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")


# ---- a live stream -----------------------------------------------------------------------------------------------

Segment = collections.namedtuple("Segment", "number url seconds head")


class Playlist:
    """A list of segments (HLS) as it is at this moment."""

    def __init__(self, text, url):
        self.is_over, self.target_s, self.segments = "#EXT-X-ENDLIST" in text, 6.0, []
        number, seconds, head = 0, 0.0, None
        try:
            for line in map(str.strip, text.splitlines()):
                name, _, value = line.partition(":")
                if name == "#EXT-X-MEDIA-SEQUENCE":
                    number = int(value)
                elif name == "#EXT-X-TARGETDURATION":
                    self.target_s = min(max(float(value), 1.0), 10.0)
                elif name == "#EXTINF":
                    seconds = min(max(float(value.split(",")[0]), 0.0), 60.0)
                elif name == "#EXT-X-BYTERANGE" or (name == "#EXT-X-KEY" and "METHOD=NONE" not in value):
                    raise ProtocolRefused("its segments are encrypted, or parts of a file")
                elif name == "#EXT-X-MAP":
                    head = urllib.parse.urljoin(url, re.search(r'URI="([^"]*)"', value)[1])
                elif line and not line.startswith("#"):
                    self.segments.append(Segment(number, urllib.parse.urljoin(url, line), seconds, head))
                    number += 1
        except (ValueError, TypeError) as e:
            raise Truncated(f"no list of segments: {e}") from None

    def last(self, seconds):
        """The segments at its end that last so long."""
        first = len(self.segments)
        while first and seconds > 0:
            first -= 1
            seconds -= self.segments[first].seconds
        return self.segments[first:]


class Live:
    """Writes a live stream down while it is played: until it ends, or so much of it is here as is allowed. Nothing of it
    is gone on with later."""
    part = None     # nothing of it is fetched by yt-dlp's downloaders

    def __init__(self, worker, n, request, info, description):
        self.worker, self.n, self.description = worker, n, description
        self.stem = stem_of(request)
        self.max_bytes = number(request.get("max_bytes")) or math.inf
        self.until_s = time.monotonic() + (number(request.get("max_live_s")) or LIVE_S)
        self.format = worker.live_format(info, request)
        self.path = self.out = None
        self.done, self.in_hand_s, self.is_playable = 0, 0.0, False
        self.began_s, self.told_s = time.monotonic(), 0.0

    def run(self):
        if is_plain(self.format):
            bring = self.pour
        elif (self.format.get("protocol") or "").startswith("m3u8"):
            bring = self.follow
        else:
            raise ProtocolRefused(f"live streams by {self.format.get('protocol')} are not played")
        try:
            bring()
        except Enough:
            pass
        finally:
            if self.out:
                self.out.close()
        if not self.done:
            raise Truncated("nothing came of the stream")
        return {"path": self.path, "size": self.done, **self.description, "ext": self.path.rpartition(".")[2]}

    def open(self, url):
        return contextlib.closing(self.worker.open(url, self.format.get("http_headers")))

    def begin(self, ending):
        self.path = f"{self.stem}.{ending}"
        self.out = open(self.path, "wb", buffering=0)

    def take(self, data):
        if self.done + len(data) > self.max_bytes or time.monotonic() >= self.until_s:
            raise Enough()
        self.out.write(data)
        self.done += len(data)

    def tell(self, now=False):
        t = time.monotonic()
        if not now and t - self.told_s < PROGRESS_EVERY_S:
            return
        self.told_s = t
        self.worker.check_alive()
        self.is_playable = self.is_playable or look(self.path)[0]
        if not self.is_playable and t - self.began_s > LIVE_PROOF_S:
            raise ProtocolRefused("it cannot be played while it comes")
        self.worker.lines.send(self.n, "progress", done=self.done, path=self.path, is_playable=self.is_playable,
                               in_hand_s=self.in_hand_s)

    # -- one response without an end --

    def pour(self):
        with self.open(self.format["url"]) as response:
            ending = self.format.get("ext")
            self.begin(ending if ending in ENDINGS else "bin")
            began_s = time.monotonic()
            while data := response.read(BLOCK):
                self.take(data)
                self.in_hand_s = time.monotonic() - began_s     # it comes at the pace it plays, or faster
                self.tell()

    # -- a list of segments that grows --

    def follow(self):
        url, last, head = self.format["url"], None, None
        playlist = self.read_list(url)
        grew_s = time.monotonic()
        while True:
            fresh = playlist.last(LIVE_BEHIND_S) if last is None else [s for s in playlist.segments if s.number > last]
            for segment in fresh:
                if not self.out:
                    self.begin("mp4" if segment.head else "ts")
                elif segment.head != head:      # a file has one head
                    return
                self.bring(segment, segment.head != head)
                last, head, grew_s = segment.number, segment.head, time.monotonic()
            if playlist.is_over or time.monotonic() - grew_s > LIVE_PATIENCE_S:
                return
            time.sleep(playlist.target_s / (1 if fresh else 2))
            try:
                playlist = self.read_list(url)
            except Exception as e:      # it may come again, while there is patience
                self.worker.warnings.warning(plain_text(e))

    def read_list(self, url):
        return Playlist(self.read(url, LINE_MAX).decode("utf-8", "replace"), url)

    def read(self, url, most):
        data = bytearray()
        with self.open(url) as response:
            while block := response.read(BLOCK):
                data += block
                if len(data) > most:
                    raise ProtocolRefused(f"more than {most} bytes came of {url[:200]}")
        return bytes(data)

    def bring(self, segment, with_head):
        """One that does not come is passed over: the next is on its way."""
        for left in reversed(range(ATTEMPTS)):
            try:
                data = (self.read(segment.head, SEGMENT_MAX) if with_head and segment.head else b"") + self.read(
                    segment.url, SEGMENT_MAX)
                break
            except Refusal:
                raise
            except Exception as e:
                self.worker.warnings.warning(plain_text(e))
                if not left:
                    return
                time.sleep(0.5)
        self.in_hand_s += segment.seconds
        self.take(data)
        self.tell(True)


def request_header(request, name):
    """Of urllib's request, as old yt-dlp has it, or of its own."""
    value = request.headers.get(name)
    return value if value is not None or not hasattr(request, "get_header") else request.get_header(name)


def version_at(path):
    """The numbers of the version of yt-dlp that would be imported from there; none: there is none."""
    try:
        spec = importlib.machinery.PathFinder.find_spec("yt_dlp", path)
        source = spec.loader.get_data(os.path.join(spec.submodule_search_locations[0], "version.py"))
        return [int(n) for n in re.search(rb"__version__ = '([0-9.]+)", source)[1].strip(b".").split(b".")]
    except (OSError, AttributeError, TypeError, ValueError, ImportError):
        return []


# ---- the worker --------------------------------------------------------------------------------------------------

class Worker:
    def __init__(self, options, lines_in, lines_out):
        self.options, self.guard, self.warnings = options, Guard(), Warnings()
        self.lines = Lines(lines_in, lines_out, self.hear)
        self.parent = os.getppid()
        self.ytdlp = None
        self.tools, self.ydl = {}, None     # by the extractors that they may use; that of the request under way
        self.is_warm = None             # whether it resolved a page of our own; None: it was not tried
        self.phase, self.fetch = "page", None
        self.found = (None, 0, None)    # what the last resolve asked for, when, and its answer
        # Of the request under way. The signal is sent by the reading thread and taken on the main one.
        self.current, self.may_cancel, self.cancelled = None, False, None
        signal.signal(signal.SIGUSR1, self.on_cancel)

    # -- yt-dlp --

    def load(self):
        if self.options.yt_dlp:
            sys.path.insert(0, self.options.yt_dlp)
        elif self.options.newer:
            # Much of it is read when it is needed: a link in its path may lead elsewhere by then.
            newer = os.path.realpath(self.options.newer)
            if version_at([newer]) > version_at(sys.path):
                sys.path.insert(0, newer)
        # Its own HTTP code would not pass by the guard.
        sys.modules["curl_cffi"] = None
        import yt_dlp
        import yt_dlp.downloader.external
        import yt_dlp.version
        self.ytdlp = yt_dlp

        def refuse(fd, filename, info):
            raise ProtocolRefused(f"{fd.get_basename()} is not used for fetching")
        yt_dlp.downloader.external.ExternalFD.real_download = refuse

    def make(self, extractors):
        """A YoutubeDL object: kept, since it holds the player scripts and solved challenges."""
        o = self.options

        def wait(n):
            return min(20.0, o.retry_sleep * 2 ** min(n, 10))
        params = {
            "quiet": True, "no_color": True, "color": "never", "logger": self.warnings, "noprogress": True,
            "noplaylist": True, "playlist_items": "1", "lazy_playlist": True, "ignoreerrors": False,
            "allowed_extractors": extractors.split(","), "cachedir": o.cache or False, "proxy": "",
            "socket_timeout": o.socket_timeout, "extractor_retries": 2, "retries": o.retries,
            "fragment_retries": o.fragment_retries, "file_access_retries": 1, "skip_unavailable_fragments": False,
            "retry_sleep_functions": {k: wait for k in ("http", "fragment", "extractor")},
            "external_downloader": {"default": "native"}, "hls_prefer_native": True, "fixup": "never",
            "continuedl": True, "updatetime": False, "format_sort": FORMAT_SORT, "check_formats": False,
            "enable_file_urls": False, "nocheckcertificate": False, "progress_hooks": [self.on_progress],
            "js_runtimes": self.runtimes(), "remote_components": o.remote_component, "extractor_args": {},
        }
        if o.player_client:
            params["extractor_args"] = {"youtube": {"player_client": o.player_client.split(",")}}
        if o.cookies:
            # A copy: yt-dlp writes the jar back.
            with open(o.cookies, encoding="utf-8") as f:
                params["cookiefile"] = io.StringIO(f.read())
        ydl = self.ytdlp.YoutubeDL(params, auto_init=True)
        plain = ydl.urlopen

        def urlopen(request):
            fetch = self.fetch
            is_media = fetch and fetch.part and not isinstance(request, str)
            try:
                response = plain(request)
            except Exception as e:
                if is_media and (getattr(e, "status", None) or getattr(e, "code", None)) == 416:
                    raise RangeRefused("the partial is longer than the file") from e
                raise
            if is_media:
                fetch.hear_response(request, response)
            return response
        ydl.urlopen = urlopen
        return ydl

    def runtimes(self):
        """As yt-dlp wants them: those of the options; else all there are."""
        given = self.options.js_runtime or [name for name, program in RUNTIMES.items() if shutil.which(program)]
        found = {}
        for one in given:
            name, _, path = one.partition(":")
            if name in RUNTIMES:
                found[name] = {"path": path or shutil.which(RUNTIMES[name])}
        return found

    def extractors(self, url):
        """To make all of them ready takes seconds: a file needs none of a site's."""
        allowed = self.options.extractors
        has_generic = {"default", "all", "generic"} & set(allowed.split(","))
        return EXTRACTORS if self.guard.is_on or (has_generic and is_plain_address(url)) else allowed

    def tool(self, url):
        names = self.extractors(url)
        if names not in self.tools:
            self.tools[names] = self.make(names)
        self.ydl = self.tools[names]
        return self.ydl

    def drop_tool(self):
        self.tools = {names: ydl for names, ydl in self.tools.items() if ydl is not self.ydl}
        self.ydl = None

    def warm_up(self):
        """yt-dlp loads much of itself on first use: a page of our own pays for that, not the first guest."""
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = b"<html><body><video src='/a.mp4'></video></body></html>"
                self.send_response(200)
                self.send_header("Content-Type", "video/mp4" if self.path == "/a.mp4" else "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            self.is_warm = True
            for name in ("page", "a.mp4"):
                url = f"http://127.0.0.1:{server.server_port}/{name}"
                try:
                    self.tool(url).extract_info(url, download=False)
                except Exception:       # what does not work here says so when it is asked for
                    self.drop_tool()
                    self.is_warm = False
            server.shutdown()
            thread.join()
        self.warnings.texts.clear()

    # -- requests --

    def hear(self, request):
        """On the reading thread: what cannot wait. True: it is done with."""
        name = request.get("request")
        if name == "cancel":
            self.cancelled = request.get("target", request["n"])
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
            return True
        if name == "rate":
            self.set_rate(request)
            return True
        return False

    def set_rate(self, request):
        rate = request.get("rate_limit")
        if self.ydl:        # it looks at each block
            self.ydl.params["ratelimit"] = rate if number(rate) and rate > 0 else None

    def on_cancel(self, *_):
        if self.may_cancel and self.current == self.cancelled:
            self.may_cancel = False
            raise Cancelled("cancelled")

    def on_progress(self, status):
        if self.fetch and self.fetch.part:
            self.fetch.hear_progress(status)
        elif self.fetch and (status.get("downloaded_bytes") or 0) > SUBTITLE_MAX:
            raise TooLarge("they are too large")

    def check_alive(self):
        if os.getppid() != self.parent:
            end_all()

    def answer(self, request):
        n, name = request["n"], request.get("request")
        asked = {"hello": self.hello, "resolve": self.resolve, "fetch": self.bring}.get(
            name if isinstance(name, str) else None)
        self.warnings.texts, self.phase, self.fetch = [], "page", None
        try:
            if not asked:
                raise BadRequest(f"unknown request: {str(name)[:100]}")
            self.current = n
            self.guard.turn(request.get("is_guest") is not False)
            try:
                self.may_cancel = True
                if self.cancelled == n:     # before it was begun
                    raise Cancelled("cancelled")
                done = asked(request)
            finally:
                self.may_cancel = False
            self.lines.send(n, "done", **done, warnings=self.warnings.texts)
        except (Exception, Stop) as e:
            if not isinstance(e, (Refusal, Stop)) and "DownloadError" not in type(e).__name__ and self.phase == "page":
                self.drop_tool()
            self.lines.send(n, "error", phase=self.phase, **describe_error(e), warnings=self.warnings.texts)
        finally:
            self.current = self.fetch = None
            self.guard.turn(False)

    def hello(self, request):
        runtimes = []
        known = getattr(self.tool(WATCH), "_js_runtimes", None)
        for name, path in self.runtimes().items():
            info = known.get(name).info if known and known.get(name) else None
            if info:
                runtimes.append({"name": info.name, "path": info.path, "version": info.version,
                                 "is_supported": bool(info.supported)})
            elif known is None:
                runtimes.append({"name": name, "path": path["path"]})
        return {"yt_dlp": self.ytdlp.version.__version__, "yt_dlp_path": os.path.dirname(self.ytdlp.__file__),
                "python": ".".join(map(str, sys.version_info[:3])), "runtimes": runtimes,
                # Before there was a solver, yt-dlp read the player's script itself.
                "needs_runtime": known is not None, "has_solver": self.has_solver(), "has_ffmpeg": bool(
                    shutil.which("ffmpeg")), "profile": board(), "is_warm": self.is_warm, "pid": os.getpid()}

    def has_solver(self):
        """Whether the part of the solver that is not in yt-dlp itself is here: as a package, or kept from the net."""
        if importlib.util.find_spec("yt_dlp_ejs"):
            return True
        folder = os.path.join(self.options.cache or "", "challenge-solver")
        return bool(self.options.cache) and os.path.isdir(folder) and any("lib" in f for f in os.listdir(folder))

    def find(self, request):
        """yt-dlp's dictionary of what is at the address, after the rules of the house."""
        url = request.get("url")
        if not isinstance(url, str) or len(url) > 8192 or not url.isprintable() or (
                not re.fullmatch(r"https?://[^\s/?#]\S*", url)):
            raise BadRequest("url must be an http or https address")
        profile = request.get("profile", "auto")
        if profile not in (*PROFILES, "auto"):
            raise BadRequest("profile must be auto, " + ", ".join(PROFILES))
        ydl = self.tool(url)
        ydl.params["format"] = selector(profile)
        ydl.format_selector = ydl.build_format_selector(ydl.params["format"])
        self.set_rate(request)
        info = ydl.extract_info(url, download=False)
        if info and info.get("_type", "video") != "video":
            is_page = (info.get("extractor") or "").lower() in ("generic", "html5")
            if not is_page and not request.get("allows_list"):
                raise ListRefused("that is a list of videos, not one")
            info = next((e for e in info.get("entries") or [] if e), None)
        if not info or info.get("_type", "video") != "video":
            raise ListRefused("there is no video in that list")
        allows_live = request.get("allows_live")
        if not info.get("is_live") and (self.is_written_still(info) or allows_live and self.is_endless(info)):
            info["is_live"], info["live_status"] = True, "is_live"
        if info.get("live_status") == "is_upcoming" or info.get("is_live") and not allows_live:
            raise LiveRefused("that is a live stream")
        limit = number(request.get("max_duration_s"))
        seconds = duration_said(info) or 0
        if limit and seconds > limit:
            raise TooLong(f"it lasts {seconds:.0f} s; {limit:.0f} s are allowed")
        return info, url

    def is_written_still(self, info):
        """A list of segments without an end: old yt-dlp takes it for any other, and would fetch what is there by now."""
        for f in formats_of(info):
            is_hls = (f.get("protocol") or "").startswith("m3u8")
            url = f.get("url") if is_hls else f.get("manifest_url") if "dash" in (f.get("protocol") or "") else None
            try:
                said = self.ydl.urlopen(url).read(LINE_MAX) if url else b""
            except Exception:       # it is asked for once more when it is fetched
                continue
            if b"#EXTINF" in said and b"#EXT-X-ENDLIST" not in said or re.search(rb"<MPD\b[^>]*\stype=.dynamic", said):
                return True
        return False

    def is_endless(self, info):
        """A file whose server does not say how long it is: it is taken for a stream."""
        formats = formats_of(info)
        if len(formats) != 1 or not is_plain(formats[0]) or size_of(formats[0])[0]:
            return False
        try:
            with contextlib.closing(self.open(formats[0]["url"], formats[0].get("http_headers"))) as response:
                return not response.headers.get("Content-Length")
        except Exception:       # it is asked for once more when it is fetched
            return False

    def open(self, url, headers):
        """Of old yt-dlp, which has no requests of its own, or of a newer one."""
        kind = getattr(getattr(self.ytdlp, "networking", None), "Request", None) or urllib.request.Request
        return self.ydl.urlopen(kind(url, headers=headers or {}))

    def live_format(self, info, request):
        """The one to write down: two that belong together would come apart."""
        formats = formats_of(info)
        if len(formats) == 1:
            return formats[0]
        choose = self.ydl.build_format_selector(live_selector(request.get("profile", "auto")))
        found = next(iter(choose({"formats": info.get("formats") or [], "has_merged_format": True,
                                  "incomplete_formats": False})), None)
        if not found:
            raise ProtocolRefused("its sound and its pictures come apart")
        return found

    def resolve(self, request):
        info, url = self.find(request)
        self.found = (self.asked(request), time.monotonic(), info)
        return describe(info, url)

    def asked(self, request):
        return [request.get(name) for name in ("url", "profile", "is_guest", "max_duration_s", "allows_live", "allows_list")]

    def find_again(self, request):
        """What was resolved just now is not asked for twice: the site counts."""
        (asked, when, info), self.found = self.found, (None, 0, None)
        if info and asked == self.asked(request) and time.monotonic() - when < FOUND_S:
            self.tool(request["url"])
            self.set_rate(request)
            return info, request["url"]
        return self.find(request)

    def bring(self, request):
        info, url = self.find_again(request)
        self.phase = "media"
        self.fetch = (Live if info.get("is_live") else Fetch)(self, request["n"], request, info, describe(info, url))
        return self.fetch.run()

    def download(self, path, f, is_subtitle=False):
        result = self.ydl.dl(path, f, is_subtitle)
        return result[0] if isinstance(result, tuple) else result

    def run(self, argv):
        """A program of ours, to its end or to the end of the request."""
        try:
            p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        except OSError as e:
            raise MergeFailed(f"{argv[0]} cannot be started: {e.strerror}") from None
        try:
            _, said = p.communicate()
        finally:
            if p.poll() is None:
                p.kill()
                p.wait()
        if p.returncode:
            raise MergeFailed(f"{argv[0]}: {said.decode('utf-8', 'replace').strip()[-500:]}")

    def serve(self):
        self.lines.start()
        while True:
            self.answer(self.lines.waiting.get())


def options():
    p = argparse.ArgumentParser(prog="djamms-fetch", description="Resolves and fetches media for the jukebox with "
                                "yt-dlp; speaks JSON lines on standard input and output.")
    p.add_argument("--yt-dlp", metavar="DIR_OR_ZIP", help="where the module yt_dlp is; default: the system's")
    p.add_argument("--newer", metavar="ZIP", help="the module yt_dlp comes from there if that is newer than the system's; "
                   "not with --yt-dlp")
    p.add_argument("--js-runtime", metavar="NAME[:PATH]", action="append",
                   help="deno, node, quickjs or bun; may be repeated; default: those there are")
    p.add_argument("--remote-component", metavar="NAME", action="append", default=[],
                   help="what yt-dlp may fetch for itself, as ejs:github")
    p.add_argument("--cache", metavar="DIR", help="yt-dlp's own cache, kept between starts")
    p.add_argument("--extractors", metavar="NAME,...", default="default",
                   help="of yt-dlp, that staff may use; default: all that yt-dlp has by default")
    p.add_argument("--player-client", metavar="NAME,...", help="of YouTube; default: what yt-dlp prefers")
    p.add_argument("--cookies", metavar="FILE", help="in Netscape's format; it is not written to")
    p.add_argument("--socket-timeout", metavar="S", type=float, default=10)
    p.add_argument("--retries", metavar="N", type=int, default=15)
    p.add_argument("--fragment-retries", metavar="N", type=int, default=10)
    p.add_argument("--retry-sleep", metavar="S", type=float, default=1, help="before the first retry, doubled up to 20")
    p.add_argument("--subtitles-time", metavar="S", type=float, default=10,
                   help="so long a song waits for all of its subtitles")
    p.add_argument("--memory", metavar="MB", type=int, default=600, help="of data, for each process; 0: no limit")
    p.add_argument("--nice", metavar="N", type=int, default=0)
    p.add_argument("--no-warm-up", action="store_true", help="the first request takes longer")
    p.add_argument("--hello", action="store_true", help="says what is there, as one JSON object, and ends")
    return p.parse_args()


def main():
    o = options()
    confine(o.memory, o.nice)
    # Standard output is the protocol's alone: whatever else prints goes to the log.
    lines_out = os.dup(1)
    os.dup2(2, 1)
    lines_in = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    worker = Worker(o, lines_in, lines_out)
    try:
        worker.load()
        if o.hello:
            worker.lines.send(0, "done", **worker.hello({}))
            return
        if not o.no_warm_up:
            worker.warm_up()
    except Exception as e:
        worker.lines.send(0 if o.hello else None, "error", phase="start", **describe_error(e), warnings=[])
        sys.exit(1)
    worker.serve()


if __name__ == "__main__":
    main()
