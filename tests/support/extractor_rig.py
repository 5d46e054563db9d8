"""A channel that offers yt-dlp: versions of it made from the system's own, some of them broken, and a house that may take them."""
import base64
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import zipfile
from pathlib import Path

from faulty import Faulty
from house import House

PYTHON = ["/usr/bin/python3", "-Ic"]
# What a bad version does with addresses that hold a word.
FAILS = """
_extract_info = YoutubeDL.extract_info
def _failing(self, url, *args, **more):
    if {word!r} in url:
        from .utils import ExtractorError
        raise ExtractorError("Unable to extract the player")
    return _extract_info(self, url, *args, **more)
YoutubeDL.extract_info = _failing
"""
DIES = "import os\nif os.path.exists({path!r}):\n    raise ImportError('it does not start any more')\n"


def make_clip(path):
    subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=4",
                    "-f", "lavfi", "-i", "sine=440:d=4", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac",
                    "-shortest", "-movflags", "+faststart", path], check=True)


class Rig(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        said = subprocess.run([*PYTHON, "import sys, yt_dlp.version as v; print(v.__file__, v.__version__, sys.implementation.cache_tag)"],
                              capture_output=True, text=True, check=True).stdout
        file, cls.system_version, tag = said.split()
        cls.package = Path(file).parent
        cls.files = dict(cls.module_files(cls.package, tag))
        cls.tmp = Path(tempfile.mkdtemp(prefix="djamms-extractor-"))
        cls.addClassCleanup(shutil.rmtree, cls.tmp)
        make_clip(cls.tmp / "clip.mp4")
        cls.server = cls.enterClassContext(Faulty(cls.tmp))

    @staticmethod
    def module_files(package, tag):
        """Names in a zip file, and what they hold: compiled where the system has that, which saves seconds at each start."""
        for p in package.rglob("*"):
            name, compiled = str(p.relative_to(package.parent)), p.parent / "__pycache__" / f"{p.stem}.{tag}.pyc"
            if p.is_file() and p.suffix != ".pyc":
                if p.suffix == ".py" and compiled.exists() and name != "yt_dlp/version.py":
                    yield name + "c", compiled.read_bytes()
                else:
                    yield name, p.read_bytes()

    @classmethod
    def compiled(cls, name, code):
        """A module of the system's with more code at its end, for the system's Python."""
        source, out = cls.tmp / "source.py", cls.tmp / "source.pyc"
        source.write_bytes((cls.package / name).read_bytes() + code.encode())
        subprocess.run([*PYTHON, "import sys, py_compile as p; p.compile(*sys.argv[1:], doraise=True, "
                        "invalidation_mode=p.PycInvalidationMode.UNCHECKED_HASH)", source, out, f"yt_dlp/{name}"], check=True)
        return out.read_bytes()

    def setUp(self):
        self.house = House(screen=False)
        self.house.closes_after(self)
        self.channel = self.tmp / self.id().rpartition(".")[2]
        self.channel.mkdir()
        self.sets = {"extractor.channel": f"file://{self.channel}/offer.json"}

    # -- the channel --

    def make(self, version, /, **appended):
        """The zip file of a version: the system's module with another number, and more code at the end of some files."""
        files = dict(self.files)
        files["yt_dlp/version.py"] = re.sub(rb"__version__ = '[^']*'", f"__version__ = '{version}'".encode(),
                                            files["yt_dlp/version.py"])
        for name, code in appended.items():
            if f"yt_dlp/{name}.py" in files:
                files[f"yt_dlp/{name}.py"] += code.encode()
            else:
                files[f"yt_dlp/{name}.pyc"] = self.compiled(f"{name}.py", code)
        data = io.BytesIO()
        data.write(b"#!/usr/bin/env python3\n")     # as its makers do
        with zipfile.ZipFile(data, "a", zipfile.ZIP_STORED) as z:
            for name, content in files.items():
                z.writestr(name, content)
        return data.getvalue()

    def offer(self, version, data=None, key=None, **changed):
        data = self.make(version) if data is None else data
        name = f"yt-dlp-{version}"
        (self.channel / name).write_bytes(data)
        o = {"version": version, "url": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), **changed}
        if key:
            text = self.channel / "text"
            text.write_text(f"djamms-extractor {o['version']} {o['size']} {o['sha256']}")
            o["signature"] = base64.b64encode(subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", text],
                                                             capture_output=True, check=True).stdout).decode()
        (self.channel / "offer.json").write_text(json.dumps(o))
        return data

    def make_key(self, name):
        private, public = self.channel / name, self.channel / f"{name}.pub"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
        return private, public

    # -- the command --

    def words(self, *words):
        return ["extractor", *words, "--json", *(w for k, v in self.sets.items() for w in ("--set", f"{k}={v}"))]

    def extractor(self, *words):
        code, out, error = self.house.cli(*self.words(*words), seconds=120)
        self.assertEqual(error, "")
        answer = json.loads(out)
        self.assertEqual(code, 0 if answer["ok"] else 1, answer)
        return answer

    def update(self, result, *words):
        answer = self.extractor("update", *words)
        self.assertEqual(answer["result"], result, answer)
        self.assertEqual(answer["ok"], result in ("updated", "newest"))
        return answer["text"]

    def status(self):
        return self.extractor("status")

    def assert_used(self, version):
        """It is what a worker really loads."""
        s = self.status()
        self.assertEqual(s["version"], version, s)
        self.assertEqual(s["from"], "system" if version == self.system_version else "channel")
        return s

    def leftovers(self):
        """What lies in the store besides the links and what they lead to."""
        store = self.house.state / "extractor"
        used = {os.readlink(store / name) for name in ("current", "previous") if (store / name).is_symlink()}
        return {p.name for p in store.iterdir()} - used - {"current", "previous", "lock", "checked"}
