"""Runs the real programs on a screen and a sound device of their own, and talks to them.

Nothing here sleeps to synchronise: every wait looks at what is presented, what the control socket says or
what the process table shows, until it is so or a deadline has passed."""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from screen import Screen, Watch, hurry, load_clips, ram_dir, stop  # noqa: F401
from sound import Scan

# Deadlines (not the bounds a test is about) are this much longer in slow builds, ...
SLOW = float(os.environ.get("DJAMMS_SLOW", "1"))
# ... which do not keep the pace that a test may be about.
IS_PACED = SLOW <= 1
# What a checker says in the log of the program it watches.
COMPLAINTS = ("ERROR: AddressSanitizer", "WARNING: ThreadSanitizer", ": runtime error: ")


def wait_until(condition, seconds, what="the condition"):
    """The first true value of condition(); AssertionError with `what` when the time is over."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds * SLOW:.1f} s: {what}")
        time.sleep(0.01)


def free_port():
    """A port of this machine that nothing listens on, and that no outgoing connection is given."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Control:
    """One connection to the control socket."""

    def __init__(self, path, seconds=5):
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self.socket.connect(str(path))      # waits while the player's backlog is full
        except OSError:
            self.socket.close()
            raise
        self.socket.settimeout(seconds * SLOW)
        self.buffer = b""

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode() + b"\n")

    def line(self):
        while b"\n" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the player closed the connection")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def ask(self, command, **fields):
        self.send(json.dumps(dict(fields, command=command)))
        return self.line()

    def close(self):
        self.socket.close()


class Throttle:
    """Gives a program of the house only a part of the time, by SIGSTOP and SIGCONT, as on a slow machine. Use as a
    context manager."""

    def __init__(self, house, program, run_ms, stop_ms):
        self.house, self.program, self.times = house, program, (stop_ms / 1000, run_ms / 1000)
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def send(self, pids, sig):
        for pid in pids:
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                pass

    def run(self):
        while not self.is_over.is_set():
            pids = [pid for pid, argv in self.house.processes().items()
                    if argv and os.path.basename(argv[0]) == self.program]
            for _ in range(10):     # then look again: one may have been started anew
                self.send(pids, signal.SIGSTOP)
                self.is_over.wait(self.times[0])
                self.send(pids, signal.SIGCONT)
                self.is_over.wait(self.times[1])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, value, trace):
        self.is_over.set()
        self.thread.join()


class House:
    """A folder in memory with a screen, a zone and what was started in it. Use as a context manager."""

    def __init__(self, screen=True, size=(1280, 720), views=1, row=0.06):
        self.tmp = Path(tempfile.mkdtemp(prefix="djamms-test-", dir=ram_dir()))
        self.build = Path(os.environ["DJAMMS_BUILD"])
        self.bin = self.build / "bin"
        self.runtime, self.state = self.tmp / "run", self.tmp / "state"
        self.wav = self.tmp / "sound.wav"
        self.hub_port = free_port()     # of our own: houses of other tests stand beside this one
        self.screen = self.watch = None
        self.started = []
        for name in ("run", "state", "home", "media"):
            (self.tmp / name).mkdir(mode=0o700)
        (self.tmp / "empty.ini").touch()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "DISPLAY", "WAYLAND", "SDL_"))
                    and (not k.startswith("DJAMMS_") or k == "DJAMMS_LOG")}
        self.env.update(HOME=str(self.tmp / "home"), DJAMMS_RUNTIME_DIR=str(self.runtime),
                        DJAMMS_STATE_DIR=str(self.state), DJAMMS_CONFIG=str(self.tmp / "empty.ini"), DJAMMS_TEST=str(self.tmp))
        try:
            if screen:
                self.screen = Screen(self.tmp, size, views)
                self.env["DISPLAY"] = self.screen.display
                self.watch = Watch(self.screen, self.tmp / "watch.log", row)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        complaints = [p.args[0] for p in self.started
                      if any(c in p.log.read_text(errors="replace") for c in COMPLAINTS)]
        if kind or complaints:
            self.print_logs()
        self.close()
        if complaints and not kind:
            raise AssertionError(f"a checker complains, see the log of {complaints}")

    # ---- programs

    def sets(self, **changed):
        """--set options: our screen (or none), the WAV driver; names as section_key."""
        s = {"display.driver": "x11" if self.screen else "dummy", "display.renderer": "software",
             "sound.driver": "wav", "sound.wav-file": str(self.wav), "sound.volume": "100", "hub.port": self.hub_port}
        for k, v in changed.items():
            s[k.replace("_", ".", 1).replace("_", "-")] = str(v)
        return [x for k, v in s.items() for x in ("--set", f"{k}={v}")]

    def start(self, *argv, env=None, wrap=()):
        """Starts a program of the build, by `wrap`; its output goes to a log file."""
        log = self.tmp / f"{len(self.started)}-{argv[0]}.log"
        with open(log, "wb") as out:
            p = subprocess.Popen([*wrap, self.bin / argv[0], *map(str, argv[1:])], env=dict(self.env, **(env or {})),
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                 start_new_session=True, preexec_fn=hurry)
        p.log = log
        self.started.append(p)
        return p

    def play(self, *files, options=(), env=None, **sets):
        return self.start("djamms", "play", *self.sets(**sets), *options, *files, env=env)

    def up(self, *files, options=(), env=None, wrap=(), **sets):
        """`djamms up`, until its control socket answers."""
        p = self.start("djamms", "up", *self.sets(**sets), *options, *files, env=env, wrap=wrap)
        wait_until(lambda: self.status() or self.ended(p), 10, "the control socket answers")
        return p

    def ended(self, p):
        if p.poll() is not None:
            raise AssertionError(f"{p.args[1]} ended with {p.returncode}")

    def cli(self, *argv, seconds=20, input=""):
        """Runs `djamms ...` to its end; returns (exit status, stdout, stderr)."""
        r = subprocess.run([self.bin / "djamms", *map(str, argv)], env=self.env, input=input.encode(),
                           capture_output=True, timeout=seconds * SLOW)
        return r.returncode, r.stdout.decode(errors="replace"), r.stderr.decode(errors="replace")

    def processes(self):
        """All processes of our zone: pid -> command line words. Known by the session they were started in or
        by their environment, so orphans are found, too."""
        mark = f"DJAMMS_TEST={self.tmp}".encode()
        sessions = {str(p.pid) for p in self.started}
        out = {}
        for d in Path("/proc").iterdir():
            if not d.name.isdigit() or int(d.name) == os.getpid():
                continue
            try:
                stat = (d / "stat").read_text().rsplit(")", 1)[1].split()   # state, parent, group, session ...
                # a zombie with further threads still holds its files
                is_dead = stat[0] in "ZX" and int(stat[17]) <= 1
                if not is_dead and (stat[3] in sessions or mark in (d / "environ").read_bytes().split(b"\0")):
                    out[int(d.name)] = [w.decode(errors="replace") for w in
                                        (d / "cmdline").read_bytes().split(b"\0")[:-1]]
            except OSError:
                pass    # it ended while we looked
        return out

    def find(self, program, *words):
        """Pid of the process of `program` that has all `words` in its command line; None."""
        for pid, argv in self.processes().items():
            if argv and os.path.basename(argv[0]) == program and all(w in argv[1:] for w in words):
                return pid
        return None

    def workers(self):
        """Pids of the djamms-fetch of our player; they are in sessions of their own, and know nothing of the environment."""
        out, mark = [], str(self.tmp)
        for d in Path("/proc").iterdir():
            try:
                words = (d / "cmdline").read_bytes().decode(errors="replace").split("\0") if d.name.isdigit() else []
            except OSError:
                continue
            if any(w.endswith("/djamms-fetch") for w in words) and any(mark in w for w in words):
                out.append(int(d.name))
        return out

    def kill_all(self):
        """A power cut: everything of the zone at once."""
        while True:
            pids = list(self.processes())
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            for p in self.started:
                p.poll()
            if not pids:
                return

    # ---- control socket

    def control(self):
        return Control(self.runtime / "control.sock")

    def ask(self, command, **fields):
        c = self.control()
        try:
            return c.ask(command, **fields)
        finally:
            c.close()

    def status(self):
        """The status, or None while the player does not answer."""
        try:
            answer = self.ask("status")
            return answer if answer["ok"] else None
        except (OSError, ValueError):
            return None

    def queue(self):
        return self.ask("queue")

    def wait_status(self, condition, seconds, what):
        return wait_until(lambda: (s := self.status()) and condition(s) and s, seconds, what)

    # ---- what is presented and heard

    def wait_frame(self, seconds, what, clip=None, after=None, since=0, region="A"):
        """Waits for a coded picture: of `clip`, with a frame above `after`, first seen after `since`.
        Returns (t, clip, frame)."""
        def seen(states):
            t, state, c, f = states.get(region, (0, "", 0, 0))
            return state == "C" and t > since and (clip is None or c == clip) and (after is None or f > after)
        if not self.watch.wait(seen, seconds * SLOW):
            raise AssertionError(f"not within {seconds * SLOW:.1f} s: {what}; last seen: {self.watch.now}")
        t, _, c, f = self.watch.now[region]
        return t, c, f

    def scan(self, start=0, end=None):
        return Scan(self.wav, start, end)

    # ---- end

    def closes_after(self, test):
        """Closes at the end of `test`, a TestCase; if that has failed, what the programs said is printed first."""
        def end():
            result = test._outcome.result
            if any(t is test for t, _ in result.failures + result.errors):
                self.print_logs()
            self.close()
        test.addCleanup(end)

    def print_logs(self):
        for p in self.started:
            text = p.log.read_text(errors="replace")
            print(f"---- {' '.join(map(str, p.args))[:200]} (status {p.poll()})\n{text[-6000:]}", file=sys.stderr)

    def close(self):
        for p in self.started:
            stop(p)
        self.kill_all()
        if self.watch:
            self.watch.close()
        if self.screen:
            self.screen.close()
        shutil.rmtree(self.tmp, ignore_errors=True)


def main():
    """Runs the tests of the calling file; a signal ends them with everything they started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    unittest.main(verbosity=2, argv=sys.argv)
