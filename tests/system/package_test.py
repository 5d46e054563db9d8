#!/usr/bin/env python3
"""The Debian package, built from this build: what is in it lies where it belongs, what it needs is named, and its scripts can
be read. What installing does is shown on a machine of its own."""
import gzip
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path(os.environ["DJAMMS_BUILD"])
PROGRAMS = {"djamms", "djamms-player", "djamms-deck", "djamms-stage", "djamms-probe", "djamms-hub", "djamms-fetch"}
FOLDERS = ("usr/bin/", "usr/lib/djamms/", "usr/lib/systemd/system/", "usr/lib/sysusers.d/", "usr/lib/tmpfiles.d/",
           "usr/share/djamms/", "usr/share/doc/djamms/", "usr/share/man/man1/", "usr/share/man/man5/",
           "usr/share/bash-completion/completions/", "usr/share/zsh/site-functions/", "etc/djamms/")


def run(*argv):
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=300)
    if r.returncode:
        raise AssertionError(f"{argv}: {r.stdout}{r.stderr}")
    return r.stdout


@unittest.skipUnless(shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps"), "dpkg-dev is not installed")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = Path(tempfile.mkdtemp(prefix="djamms-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.tmp)
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", cls.tmp / "out")
        cls.deb, = (cls.tmp / "out").glob("*.deb")
        cls.root, cls.control = cls.tmp / "root", cls.tmp / "control"
        run("dpkg-deb", "-x", cls.deb, cls.root)
        run("dpkg-deb", "-e", cls.deb, cls.control)
        cls.files = sorted(str(p.relative_to(cls.root)) for p in cls.root.rglob("*") if not p.is_dir())

    def field(self, name):
        return run("dpkg-deb", "-f", self.deb, name).strip()

    def test_nothing_lies_outside_its_folders(self):
        self.assertEqual([f for f in self.files if not f.startswith(FOLDERS)], [])
        self.assertEqual({Path(f).name for f in self.files if f.startswith("usr/bin/")}, PROGRAMS)
        for f in self.files:
            st = (self.root / f).stat()
            self.assertFalse(stat.S_IMODE(st.st_mode) & 0o022, f"{f} may be written by others")
        owners = {line.split()[1] for line in run("dpkg-deb", "-c", self.deb).splitlines()}
        self.assertEqual(owners, {"root/root"})

    def test_units_name_programs_that_are_in_it(self):
        units = [self.root / f for f in self.files if f.startswith("usr/lib/systemd/system/")]
        self.assertEqual(len(units), 9)
        for unit in units:
            for program in re.findall(r"^ExecStart=-?(\S+)", unit.read_text(), re.M):
                self.assertTrue(os.access(self.root / program.lstrip("/"), os.X_OK), f"{unit.name}: {program}")
            self.assertNotRegex(unit.read_text(), r"@\w+@")

    def test_what_it_needs_is_named(self):
        self.assertEqual(self.field("Package"), "djamms")
        self.assertEqual(self.field("Architecture"), run("dpkg", "--print-architecture").strip())
        depends = [re.split(r"[ |(]", d)[0] for d in self.field("Depends").split(", ")]
        for wanted in ("libc6", "libsdl2-2.0-0", "libuv1", "systemd", "libsystemd0", "python3"):
            self.assertTrue(any(d.startswith(wanted) for d in depends), f"{wanted} is not among {depends}")
        for start in ("libavcodec", "libsqlite3-0", "libwebsockets", "libjansson4", "libcurl4"):
            self.assertTrue(any(d.startswith(start) for d in depends), f"{start} is not among {depends}")
        self.assertFalse(any(d.endswith("-dev") for d in depends))
        self.assertIn("yt-dlp", self.field("Recommends"))

    def test_settings_are_kept_and_the_same_as_documented(self):
        self.assertEqual((self.control / "conffiles").read_text(), "/etc/djamms/djamms.ini\n")
        kept = Path(__file__).resolve().parents[2] / "assets/djamms.ini"
        self.assertEqual((self.root / "etc/djamms/djamms.ini").read_bytes(), kept.read_bytes())
        self.assertEqual([f for f in self.files if f.startswith("etc/")], ["etc/djamms/djamms.ini"])

    def test_its_scripts_can_be_read_and_only_purge_takes_what_people_own(self):
        for name in ("postinst", "prerm", "postrm"):
            script = self.control / name
            self.assertEqual(stat.S_IMODE(script.stat().st_mode), 0o755)
            run("sh", "-n", script)
        self.assertEqual([n for n in ("preinst", "postinst", "prerm") if "rm -" in
                          ((self.control / n).read_text() if (self.control / n).exists() else "")], [])
        # each way a package goes, with folders of the test's own
        for action, stays in (("remove", True), ("upgrade", True), ("purge", False)):
            room = self.tmp / action
            text = (self.control / "postrm").read_text()
            for path in ("/var/lib/djamms", "/var/cache/djamms", "/run/djamms", "/etc/djamms"):
                (room / path.lstrip("/")).mkdir(parents=True)
            for path in ("/var/", "/run/djamms", "/etc/"):
                text = text.replace(f" {path}", f" {room}{path}")
            self.assertNotRegex(text, r" /(var|etc)/")
            (room / "var/lib/djamms/journal.json").write_text("{}")
            script = room / "postrm"
            script.write_text(text.replace("/run/systemd/system", "/nowhere"))
            run("sh", script, action)
            self.assertEqual((room / "var/lib/djamms/journal.json").exists(), stays, action)
            self.assertEqual((room / "etc/djamms").exists(), stays, action)

    def test_programs_are_stripped_and_pages_packed(self):
        for program in PROGRAMS - {"djamms-fetch"}:
            self.assertNotIn(".debug_info", run("readelf", "-SW", self.root / "usr/bin" / program), program)
        pages = [f for f in self.files if "/man/" in f]
        self.assertEqual(sorted(Path(p).name for p in pages),
                         ["djamms-fetch.1.gz", "djamms-hub.1.gz", "djamms.1.gz", "djamms.ini.5.gz"])
        for page in pages:
            self.assertIn(b".TH DJAMMS", gzip.decompress((self.root / page).read_bytes()))
        for name in ("copyright", "changelog.gz"):
            self.assertIn(f"usr/share/doc/djamms/{name}", self.files)

    @unittest.skipUnless(shutil.which("lintian"), "lintian is not installed (./dev deps package)")
    def test_lintian_finds_no_error(self):
        run("lintian", "--fail-on", "error", "--no-tag-display-limit", "--allow-root", self.deb)


if __name__ == "__main__":
    unittest.main(verbosity=2)
