"""A machine with real kernel displays and none of the hardware: QEMU emulates it, Debian's kernel drives one to
four connectors, the root is this machine's own file system (read-only, below a layer in memory). Pictures
of each display are read from outside, displays are plugged and unplugged, keys pressed, the sound card
recorded.

Nothing is mounted, no network is touched on the host; QEMU dies with us."""
import ctypes
import json
import lzma
import os
import platform
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
KERNEL = HERE.parents[1] / "build" / "vm-kernel"    # laid there by `./dev test --long`
# Loaded in this order, each after those it needs.
MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay", "virtio_gpu", "virtio_input", "evdev",
           "snd_ens1370")
BOOT_SECONDS = 300


class CannotRun(Exception):
    """This computer cannot run the machine, says why."""


def check():
    """Raises CannotRun."""
    if platform.machine() != "x86_64":
        raise CannotRun("the test machine is made for x86-64 only")
    for program in ("qemu-system-x86_64", "busybox"):
        if not shutil.which(program):
            raise CannotRun(f"there is no {program}; `./dev test --long` installs it")
    if not (KERNEL / "vmlinuz").exists():
        raise CannotRun(f"there is no kernel in {KERNEL}; `./dev test --long` lays it there")
    if os.geteuid() != 0:
        raise CannotRun("the machine's root is read through QEMU, which needs root's rights")


# ---- kernel and RAM disk

def kernel_image(folder):
    """The kernel as an ELF file, which QEMU starts without firmware and without unpacking it slowly; else as it is."""
    packed = (KERNEL / "vmlinuz").read_bytes()
    at = packed.find(b"\xfd7zXZ\0")
    while at >= 0:
        try:
            image = lzma.LZMADecompressor().decompress(packed[at:])
        except lzma.LZMAError:
            image = b""
        if image[:4] == b"\x7fELF":
            (folder / "vmlinux").write_bytes(image)
            return folder / "vmlinux"
        at = packed.find(b"\xfd7zXZ\0", at + 1)
    return KERNEL / "vmlinuz"


def read_module(path):
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def modules_in_order():
    """[(name, bytes)], each after those it depends on."""
    files = {p.name.split(".ko")[0].replace("-", "_"): p for p in KERNEL.glob("modules/**/*.ko*")}
    out, seen = [], set()

    def visit(name):
        if name in seen or name not in files:       # what is built in has no file
            return
        seen.add(name)
        data = read_module(files[name])
        needs = re.search(rb"\0depends=([^\0]*)\0", data)
        for other in needs.group(1).decode().split(",") if needs else []:
            visit(other.replace("-", "_"))
        out.append((name, data))

    for name in MODULES:
        visit(name)
    return out


class Archive:
    """A cpio archive in the making, as the kernel unpacks it."""

    def __init__(self):
        self.data, self.count = bytearray(), 0

    def add(self, name, mode, data=b"", device=(0, 0)):
        name = name.encode() + b"\0"
        self.count += 1
        fields = (self.count, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
        self.data += b"070701" + b"".join(b"%08X" % f for f in fields) + name
        self.data += bytes(-len(self.data) % 4) + data
        self.data += bytes(-len(self.data) % 4)

    def close(self):
        self.add("TRAILER!!!", 0)
        return bytes(self.data) + bytes(-len(self.data) % 512)


def ram_disk():
    a = Archive()
    for folder in ("bin", "dev", "mods"):
        a.add(folder, 0o040755)
    a.add("dev/console", 0o020600, device=(5, 1))
    a.add("bin/busybox", 0o100755, Path(shutil.which("busybox")).read_bytes())
    a.add("init", 0o100755, (HERE / "init.sh").read_bytes())
    modules = modules_in_order()
    for name, data in modules:
        a.add(f"mods/{name}", 0o100644, data)
    a.add("mods/order", 0o100644, "".join(f"{name}\n" for name, _ in modules).encode())
    return a.close()


# ---- QEMU's sockets

class Monitor:
    """QEMU's own control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")

    def close(self):
        self.file.close()
        self.socket.close()


class Head:
    """One connector, by a VNC socket of QEMU: what display is plugged in, and what it shows. While it is open, the display
    stays plugged in."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = None

    def open(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(self.path)
        self.socket = s
        self.read(12)
        s.sendall(b"RFB 003.008\n")
        self.read(self.read(1)[0])
        s.sendall(b"\x01")                  # no password
        self.read(4)
        s.sendall(b"\x01")                  # beside others
        self.size = struct.unpack(">HH", self.read(4))
        self.read(16)
        self.read(struct.unpack(">I", self.read(4))[0])
        return self

    def close(self):
        if self.socket:
            self.socket.close()

    def read(self, count):
        out = bytearray()
        while len(out) < count:
            data = self.socket.recv(count - len(out))
            if not data:
                raise ConnectionError("QEMU has closed the display")
            out += data
        return bytes(out)

    def ask_size(self, w, h):
        self.socket.sendall(struct.pack(">BxHi", 2, 1, -308))
        self.socket.sendall(struct.pack(">BxHHBxIHHHHI", 251, w, h, 1, 0, 0, 0, w, h, 0))

    def picture(self, line=None):
        """(width, height, rows of B G R x bytes): all of it, or the line at that fraction of the height alone."""
        w, h = self.size
        self.socket.sendall(struct.pack(">B3xBBBBHHHBBB3x", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        self.socket.sendall(struct.pack(">BxHi", 2, 1, 0))      # pixels as they are
        y, count = (0, h) if line is None else (int(h * line), 1)
        self.socket.sendall(struct.pack(">BBHHHH", 3, 0, 0, y, w, count))
        rows = [bytearray(w * 4) for _ in range(count)]
        while True:
            kind = self.read(1)[0]
            if kind == 2:           # a bell
                continue
            if kind != 0:
                raise ValueError(f"unknown message {kind} of the display")
            for _ in range(struct.unpack(">xH", self.read(3))[0]):
                rx, ry, rw, rh, encoding = struct.unpack(">HHHHi", self.read(12))
                if encoding != 0:
                    raise ValueError(f"unknown encoding {encoding} of the display")
                data = self.read(rw * rh * 4)
                for i in range(rh):
                    if 0 <= ry - y + i < count:
                        rows[ry - y + i][rx * 4:(rx + rw) * 4] = data[i * rw * 4:(i + 1) * rw * 4]
            return w, h, rows


def write_png(path, w, h, rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    raw = bytearray()
    for row in rows:
        rgb = bytearray(w * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
        raw += b"\0" + rgb
    Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)) +
                           chunk(b"IDAT", zlib.compress(bytes(raw), 1)) + chunk(b"IEND", b""))


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


# ---- the machine

class Machine:
    """Boots at once; a context manager. `surfaceless`: the library that is preloaded into QEMU (surfaceless.c)."""

    def __init__(self, surfaceless, outputs=2, size=(640, 360), unplugged=()):
        check()
        self.tmp = Path(tempfile.mkdtemp(prefix="djamms-vm-", dir="/tmp"))
        self.out = self.tmp / "out"
        self.out.mkdir()
        self.wav = self.tmp / "sound.wav"
        self.serial = self.tmp / "serial.log"
        self.size, self.commands, self.ended = size, 0, {}
        self.plugged, self.process, self.monitor, self.control = {}, None, None, None
        self.buffer = b""
        try:
            self.start(surfaceless, outputs)
            for i in range(outputs):
                if i not in unplugged:
                    self.plug(i)
                else:
                    self.unplug(i)
            self.wait_ready()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            self.print_logs()
        self.close()

    def start(self, surfaceless, outputs):
        t, (w, h) = self.tmp, self.size
        (t / "disk").write_bytes(ram_disk())
        words = ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "qemu64", "-smp", "2",
                 "-m", "2048", "-nodefaults", "-no-user-config", "-no-reboot", "-rtc", "base=utc",
                 "-kernel", kernel_image(t), "-initrd", t / "disk",
                 "-append", "console=ttyS0,115200 quiet loglevel=4 panic=-1 mitigations=off",
                 "-serial", f"file:{self.serial}", "-qmp", f"unix:{t}/monitor,server=on,wait=off",
                 "-device", "virtio-serial-pci", "-chardev", f"socket,id=c,path={t}/control,server=on,wait=off",
                 "-device", "virtserialport,chardev=c,name=control",
                 "-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap",
                 "-device", "virtio-9p-pci,fsdev=root,mount_tag=root",
                 "-fsdev", f"local,id=out,path={self.out},security_model=none",
                 "-device", "virtio-9p-pci,fsdev=out,mount_tag=out", "-device", "virtio-keyboard-pci",
                 "-device", f"virtio-gpu-gl-pci,id=gpu,max_outputs={outputs},xres={w},yres={h}",
                 "-display", "egl-headless,rendernode=/dev/null",
                 "-audiodev", f"wav,id=snd,path={self.wav},out.frequency=48000", "-device", "ES1370,audiodev=snd"]
        for i in range(outputs):
            words += ["-vnc", f"unix:{t}/head{i},display=gpu,head={i}"]
        env = dict(os.environ, LD_PRELOAD=str(surfaceless), EGL_PLATFORM="surfaceless", LIBGL_ALWAYS_SOFTWARE="1")
        env.pop("DISPLAY", None)
        with open(t / "qemu.log", "w") as log:
            self.process = subprocess.Popen(list(map(str, words)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, env=env, preexec_fn=die_with_parent)
        self.wait(lambda: (t / "monitor").exists() and (t / "control").exists(), 30, "QEMU starts")
        self.monitor = Monitor(t / "monitor")
        self.control = socket.socket(socket.AF_UNIX)
        self.control.connect(f"{t}/control")
        self.control.setblocking(False)

    def wait(self, condition, seconds, what):
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if self.process.poll() is not None:
                raise RuntimeError(f"QEMU has ended: {(self.tmp / 'qemu.log').read_text(errors='replace')}")
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}")
            time.sleep(0.01)

    # ---- commands in it

    def take_answers(self):
        try:
            self.buffer += self.control.recv(4096)
        except BlockingIOError:
            return
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            words = line.decode(errors="replace").split()
            if words[:1] == ["ready"]:
                self.ended[0] = 0
            elif words[:1] == ["end"]:
                self.ended[int(words[1])] = int(words[2])

    def has_ended(self, number):
        self.take_answers()
        return number in self.ended

    def wait_ready(self):
        self.wait(lambda: self.has_ended(0), BOOT_SECONDS, "the machine boots")

    def start_command(self, command):
        """Runs a line of shell in the machine; returns its number."""
        assert "\n" not in command
        self.commands += 1
        self.control.setblocking(True)
        self.control.sendall(f"run {self.commands} {command}\n".encode())
        self.control.setblocking(False)
        return self.commands

    def log_of(self, number):
        path = self.out / f"{number}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def run(self, command, seconds=60):
        """Runs it to its end; returns (exit status, what it wrote)."""
        number = self.start_command(command)
        self.wait(lambda: self.has_ended(number), seconds, command)
        return self.ended[number], self.log_of(number)

    # ---- displays, keys

    def head(self, i):
        return self.tmp / f"head{i}"

    def plug(self, i, size=None):
        """A display of that size; one that was there is another one from now on."""
        head = Head(self.head(i)).open()
        head.ask_size(*(size or self.size))
        if i in self.plugged:
            self.plugged[i].close()
        self.plugged[i] = head

    def unplug(self, i):
        self.plug(i, (0, 0))

    def picture(self, i, line=None):
        head = Head(self.head(i)).open()
        try:
            return head.picture(line)
        finally:
            head.close()

    def photograph(self, i, path):
        write_png(path, *self.picture(i))

    def press(self, key):
        """A key by QEMU's name; "shift-n" with another one held."""
        keys = [{"type": "qcode", "data": k} for k in key.split("-")]
        for is_down in (True, False):
            self.monitor.ask("input-send-event", events=[
                {"type": "key", "data": {"down": is_down, "key": k}} for k in (keys if is_down else keys[::-1])])

    # ---- end

    def print_logs(self):
        for path in [self.serial, self.tmp / "qemu.log", *sorted(self.out.glob("*.log"))]:
            text = path.read_text(errors="replace") if path.exists() else ""
            print(f"---- {path.name}\n{text[-6000:]}", file=sys.stderr)

    def close(self):
        for head in self.plugged.values():
            head.close()
        if self.control:
            self.control.close()
        if self.monitor:
            self.monitor.close()
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.tmp, ignore_errors=True)
