"""What is heard: recordings of coded clips, scanned by wavscan; and a private sound server whose sink is
recorded."""
import os
import signal
import subprocess
import threading
import time
import wave
from pathlib import Path

from screen import NS, hurry, pct, stop, tool

RATE = 48000
FADE = RATE // 100
# The null sink renders one block (5 ms, asked for by the recorder) ahead of the time it reports to the
# player; measured against libpulse's own account.
RECORDER_LEAD_NS = 4.7e6


class Scan:
    """Positions are sample frames. beeps: [(start, end, clip % 16)], quiet: [(start, end)],
    shifts: [(at, samples)]."""

    def __init__(self, path, start=0, end=None):
        out = subprocess.run([tool("wavscan"), str(path), str(start)] + ([str(end)] if end else []),
                             check=True, capture_output=True, text=True).stdout
        self.frames, self.peak, self.beeps, self.quiet, self.shifts = 0, 0.0, [], [], []
        for line in out.splitlines():
            f = line.split()
            if f[0] == "info":
                self.rate, self.frames, self.peak = int(f[1]), int(f[2]), float(f[3])
            elif f[0] == "beep":
                self.beeps.append((int(f[1]), int(f[2]), (round(float(f[3]) / 100) - 9) % 16))
            elif f[0] == "quiet":
                self.quiet.append((int(f[1]), int(f[2])))
            elif f[0] == "shift":
                self.shifts.append((int(f[1]), float(f[2])))

    def inside(self):
        """(first, last) sample between which music is: the quiet before and after it left out."""
        first = self.quiet[0][1] if self.quiet and self.quiet[0][0] == 0 else 0
        last = self.quiet[-1][0] if self.quiet and self.quiet[-1][1] >= self.frames else self.frames
        return first, last

    def quiet_inside(self, least=RATE // 1000):
        """Spots of silence, but for the fades at either end, in which a wave may pass below what counts as sound."""
        a, b = self.inside()
        a, b = a + FADE, b - FADE
        return [q for q in self.quiet if q[0] >= a and q[1] <= b and q[1] - q[0] >= least]


class Server:
    """PulseAudio with a null sink. norewinds: an idle null sink otherwise renders 2 s ahead, and the
    first player to come would wait for that silence to pass."""

    def __init__(self, tmp):
        home = Path(tmp) / "pulse"
        home.mkdir()
        socket = Path(tmp) / "sound.sock"
        env = dict(os.environ, XDG_RUNTIME_DIR=str(home), HOME=str(home), PULSE_RUNTIME_PATH=str(home))
        for k in ("PULSE_SERVER", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY"):
            env.pop(k, None)
        with open(Path(tmp) / "pulse.log", "w") as log:
            self.process = subprocess.Popen(
                ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--high-priority=yes",
                 "--realtime=no", "--log-target=stderr",
                 "-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1",
                 "-L", "module-null-sink sink_name=test rate=48000 format=s16le channels=2 norewinds=1"],
                env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                preexec_fn=hurry)
        self.env = {"PULSE_SERVER": f"unix:{socket}", "PULSE_SINK": "test"}
        deadline = time.monotonic() + 10
        while subprocess.run(["pactl", "info"], env=dict(os.environ, **self.env), capture_output=True).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("pulseaudio did not start")
            time.sleep(0.05)

    def close(self):
        stop(self.process)


class Recorder:
    """parec on the sink's monitor. Each block is stamped when it arrives: the sink runs on the system
    clock, so sample k has time t0 + k / rate, with t0 from the lower envelope of the arrivals."""

    def __init__(self, server):
        self.data, self.marks = bytearray(), []
        self.process = subprocess.Popen(
            ["parec", "--raw", "--latency-msec=5", "--format=s16le", f"--rate={RATE}", "--channels=1", "-d",
             "test.monitor"], env=dict(os.environ, **server.env), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            preexec_fn=hurry)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        deadline = time.monotonic() + 10
        while len(self.marks) < 20:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("parec did not start")
            time.sleep(0.01)

    def run(self):
        fd = self.process.stdout.fileno()
        while True:
            data = os.read(fd, 65536)
            if not data:
                return
            self.data += data
            self.marks.append((len(self.data) // 2, time.monotonic_ns()))

    def close(self, path):
        """Writes a WAV file; returns the time of its first sample."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(5)
        self.thread.join(2)
        self.process.stdout.close()
        with wave.open(str(path), "wb") as w:
            w.setnchannels(1)
            w.setsampwidth(2)
            w.setframerate(RATE)
            w.writeframes(bytes(self.data[:len(self.data) // 2 * 2]))
        return pct([t - n * NS / RATE for n, t in self.marks[5:]], 1) + RECORDER_LEAD_NS


def av_offsets(scan, t0, events, clips):
    """Sound minus picture in ms for every beep whose flash frame was seen; + is sound late. Frame k*fps
    (k odd) is the first with the flash."""
    beeps = [(t0 + b[0] * NS / scan.rate, b[2]) for b in scan.beeps]
    out = []
    for t, _, clip, frame in events:
        c = clips.get(clip)
        if not c or frame % c["fps"] or frame // c["fps"] % 2 == 0:
            continue
        near = [b - t for b, code in beeps if code == clip % 16 and abs(b - t) < 0.7 * NS]
        if near:
            out.append(min(near, key=abs) / 1e6)
    return out
