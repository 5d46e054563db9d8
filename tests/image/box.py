"""A box that starts from an image as it is, in QEMU with the firmware of a PC: nothing in the image is changed for the test. What is to be
asked inside comes as credentials of the machine (SMBIOS) to its systemd, and the answers leave by the serial
port; pictures are read from outside."""
import base64
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

FIRMWARE = Path("/usr/share/OVMF")
MIB = 1 << 20
FAT_AT = 4 * MIB

PROBE = """[Unit]
After=djamms.target
[Service]
StandardOutput=tty
StandardError=journal
TTYPath=/dev/ttyS0
ExecStart=/bin/sh -c 'echo "$${ASK}" | base64 -d | sh'
Environment=ASK=%s
"""


# An emulated processor on a busy computer is a hundred times slower than a box: what only takes long is not killed for it.
PATIENCE = "[Service]\nWatchdogSec=10min\nTimeoutStartSec=10min\nTimeoutStopSec=2min\n"
UNITS = ("djamms-player.service", "djamms-stage.service", "djamms-deck@.service", "djamms-hub.service")


class CannotRun(Exception):
    """This computer cannot run the machine, says why."""


def check():
    """Raises CannotRun."""
    for program, package in (("qemu-system-x86_64", "qemu-system-x86"), ("mcopy", "mtools")):
        if not shutil.which(program):
            raise CannotRun(f"there is no {program} (apt install {package})")
    if not (FIRMWARE / "OVMF_CODE_4M.fd").exists():
        raise CannotRun("there is no UEFI firmware for QEMU (apt install ovmf)")


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


class Card:
    """A copy of an image on a card that is larger. A context manager; the folder goes with it."""

    def __init__(self, image, more_mib=512):
        self.folder = Path(tempfile.mkdtemp(prefix="card-", dir=Path(image).parent))
        self.path = self.folder / "card.img"
        subprocess.run(["cp", "--sparse=always", image, self.path], check=True)
        os.truncate(self.path, self.path.stat().st_size + more_mib * MIB)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def write(self, name, text):
        """As a person does on another computer."""
        subprocess.run(["mcopy", "-o", "-i", f"{self.path}@@{FAT_AT}", "-", f"::{name}"], input=text.encode(), check=True)


class Box:
    """Boots from a card at once; `ask`: a script of shell that runs when the jukebox is up, each of its lines a "@name value". A context
    manager: the plug is pulled at its end."""

    def __init__(self, card, ask, size=(640, 480)):
        check()
        self.folder = Path(tempfile.mkdtemp(prefix="djamms-box-", dir="/tmp"))
        self.serial = self.folder / "serial.log"
        self.monitor = self.process = None
        probe = PROBE % base64.b64encode(ask.encode()).decode()
        credentials = {"systemd.extra-unit.ask.service": probe,
                       "systemd.unit-dropin.multi-user.target~ask": "[Unit]\nWants=ask.service\n",
                       **{f"systemd.unit-dropin.{u}~patience": PATIENCE for u in UNITS}}
        shutil.copy(FIRMWARE / "OVMF_VARS_4M.fd", self.folder / "vars.fd")
        words = ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "qemu64", "-smp", "2",
                 "-m", "2048", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
                 "-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}/OVMF_CODE_4M.fd",
                 "-drive", f"if=pflash,format=raw,file={self.folder}/vars.fd",
                 "-drive", f"if=none,id=card,format=raw,cache=unsafe,file={card.path}",
                 "-device", "virtio-blk-pci,drive=card,bootindex=0", "-device", "virtio-rng-pci",
                 "-device", "virtio-keyboard-pci",
                 # SDL of Debian 13 shows pictures with alpha, which the kernel takes for this display and not for virtio's.
                 "-device", f"qxl-vga,xres={size[0]},yres={size[1]}",
                 "-serial", f"file:{self.serial}", "-qmp", f"unix:{self.folder}/monitor,server=on,wait=off"]
        for name, text in credentials.items():
            path = self.folder / name
            path.write_text(f"io.systemd.credential.binary:{name}={base64.b64encode(text.encode()).decode()}")
            words += ["-smbios", f"type=11,path={path}"]
        self.serial.touch()
        with open(self.folder / "qemu.log", "w") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, preexec_fn=die_with_parent)
        self.started = time.monotonic()
        self.wait(lambda: (self.folder / "monitor").exists(), 60, "QEMU starts")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(self.folder / "monitor"))
        self.monitor = self.socket.makefile("rw")
        self.monitor.readline()
        self.tell("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.monitor:
            self.monitor.close()
            self.socket.close()
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    def tell(self, command, **arguments):
        """QEMU's own control socket."""
        self.monitor.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.monitor.flush()
        while True:
            answer = json.loads(self.monitor.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")

    def wait(self, condition, seconds, what):
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None:
                raise RuntimeError(f"QEMU has ended: {(self.folder / 'qemu.log').read_text(errors='replace')}")
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}\n{self.text()[-6000:]}")
            time.sleep(0.2)

    def text(self):
        return self.serial.read_text(errors="replace")

    def answers(self, seconds):
        """What was asked, when all is answered: name -> list of values."""
        self.wait(lambda: "\n@end" in self.text().replace("\r", ""), seconds, "the box has answered")
        out = {}
        for line in self.text().replace("\r", "").splitlines():
            if line.startswith("@"):
                name, _, value = line[1:].partition(" ")
                out.setdefault(name, []).append(value)
        return out

    def picture(self, keep=None):
        """(width, height, bytes of R G B) of its screen; `keep`: a PNG file for people."""
        path = self.folder / "screen.ppm"
        self.tell("screendump", filename=str(path))
        if keep:
            self.tell("screendump", filename=str(keep), format="png")
        data = path.read_bytes()
        kind, width, height, _ = data.split(maxsplit=4)[:4]
        assert kind == b"P6"
        width, height = int(width), int(height)
        return width, height, data[-width * height * 3:]
