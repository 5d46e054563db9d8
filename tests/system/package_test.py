#!/usr/bin/env python3
"""The Debian package, built from this build: what is in it lies where it belongs, what it needs is named; installing, upgrading and
removing it keeps what people own, and only purging takes it. That happens on this machine below a layer that vanishes;
for the long run, which is given "Clean", in a new minimal Debian, too."""
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
           "usr/share/bash-completion/completions/", "usr/share/zsh/site-functions/", "usr/share/lintian/overrides/", "etc/djamms/")


def run(*argv):
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=300)
    if r.returncode:
        raise AssertionError(f"{argv}: {r.stdout}{r.stderr}")
    return r.stdout


@unittest.skipUnless(shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps"), "dpkg-dev is not installed")
class Built(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = Path(tempfile.mkdtemp(prefix="djamms-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.tmp)
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", cls.tmp / "out")
        cls.deb, = (cls.tmp / "out").glob("*.deb")


class Package(Built):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
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
        recommends = self.field("Recommends").split(", ")
        for wanted in ("yt-dlp", "ffmpeg", "libegl1", "libgles2", "fonts-dejavu-core"):
            self.assertIn(wanted, recommends)

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


# $1: a folder of ours on this machine's disk, $2: where the layered root is mounted
LAYER = """set -e
mount -t overlay overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" "$1/root"
mount --rbind /dev "$1/root/dev"; mount -t proc proc "$1/root/proc"; mount -t tmpfs run "$1/root/run"
root=$1; shift; exec chroot "$root/root" "$@" """
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}
OWNED = {"/var/lib/djamms/journal.json": "the queue", "/var/cache/djamms/media/song": "a song"}
INI = "/etc/djamms/djamms.ini"
LINK = "/etc/systemd/system/multi-user.target.wants/djamms.target"


class Life:
    """What a package goes through, in the root of another machine: a mixin, which says by enter() how words run there,
    where `below` is what is written there, and by install() how a package comes there."""

    def there(self, *words):
        r = subprocess.run([*self.enter(), *map(str, words)], capture_output=True, text=True, timeout=900,
                           stdin=subprocess.DEVNULL, env=ENV)
        self.assertEqual(r.returncode, 0, f"{words}: {r.stdout}{r.stderr}")
        return r.stdout

    def sh(self, script):
        return self.there("sh", "-ec", script)

    def traces(self):
        return self.sh("find /etc /usr /var /run -xdev -name '*djamms*' | sort")

    def older(self):
        """The package as a version before would have been."""
        folder = self.tmp / "older"
        run("dpkg-deb", "-R", self.deb, folder)
        control = folder / "DEBIAN/control"
        control.write_text(re.sub(r"^Version: .*", "Version: 0.0.1", control.read_text(), flags=re.M))
        with open(folder / INI.lstrip("/"), "a") as f:
            f.write("# as it was\n")
        run("dpkg-deb", "--root-owner-group", "-b", folder, self.tmp / "older.deb")
        return self.tmp / "older.deb"

    def check_owned(self):
        for path, text in OWNED.items():
            self.assertEqual(self.there("cat", path), text)
        self.assertEqual(self.sh(f"cat {INI}"), "[sound]\nvolume = 12\n")
        self.assertEqual(self.sh("stat -c '%a %U:%G' /var/lib/djamms /var/cache/djamms"), "700 djamms:djamms\n" * 2)

    def test_upgrade_and_removal_keep_queue_and_settings_and_purging_takes_all(self):
        before = self.traces()

        self.install(self.older())
        self.assertEqual(self.there("dpkg-query", "-W", "-f", "${Version}", "djamms"), "0.0.1")
        self.there("djamms", "config", "check", INI)
        self.assertIn("/var/lib/djamms", self.there("getent", "passwd", "djamms"))
        self.assertEqual(self.sh(f"test -e {LINK} || echo off"), "off\n")
        self.there("systemctl", "enable", "djamms.target")
        for path, text in OWNED.items():
            self.sh(f"mkdir -p $(dirname {path}); printf '{text}' > {path}")
        self.sh(f"printf '[sound]\\nvolume = 12\\n' > {INI}")

        self.install(self.deb)
        self.assertNotEqual(self.there("dpkg-query", "-W", "-f", "${Version}", "djamms"), "0.0.1")
        self.check_owned()
        self.sh(f"test -L {LINK}")

        self.there("dpkg", "-r", "djamms")
        self.assertEqual(self.sh("ls /usr/bin/djamms* /usr/lib/systemd/system/djamms* 2>/dev/null || true"), "")
        self.check_owned()

        self.install(self.deb)
        self.check_owned()
        self.there("djamms", "config", "check", INI)
        self.assertIn("sound.volume", self.there("djamms", "config", "show"))

        self.there("dpkg", "-P", "djamms")
        self.assertEqual(self.traces(), before)

    def test_all_that_its_programs_load_is_there(self):
        self.install(self.deb)
        for program in sorted(PROGRAMS - {"djamms-fetch"}):
            self.assertNotIn("not found", self.there("ldd", f"/usr/bin/{program}"))
        self.there("djamms-fetch", "--help")
        # by name, when they are used
        self.there("python3", "-c", "import ctypes; [ctypes.CDLL(n) for n in ('libcurl.so.4', 'libsystemd.so.0')]")
        self.there("dpkg", "-P", "djamms")


def can_layer():
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        for name in ("upper", "work", "root"):
            (Path(folder) / name).mkdir()
        r = subprocess.run(["unshare", "--mount", "sh", "-c", LAYER, "sh", folder, "true"], capture_output=True)
        return r.returncode == 0


@unittest.skipUnless(can_layer(), "a layer over this machine's root takes root and a disk of its own")
class Installed(Life, Built):
    def setUp(self):
        self.layer = Path(tempfile.mkdtemp(prefix="djamms-layer-"))
        self.addCleanup(shutil.rmtree, self.layer)
        for name in ("upper", "work", "root"):
            (self.layer / name).mkdir()

    def enter(self):
        return ["unshare", "--mount", "sh", "-c", LAYER, "sh", self.layer]

    def install(self, deb):
        shutil.copy(deb, self.layer / "upper/package.deb")      # the folder of `deb` may be another file system
        self.there("dpkg", "-i", "--force-confold", "/package.deb")


@unittest.skipUnless("Clean" in sys.argv, "for the long run: a new Debian takes minutes")
class Clean(Life, Built):
    """With all that it depends on, from apt."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        dev = Path(__file__).resolve().parents[2] / "dev"
        release = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.M)[1]
        cls.room = cls.tmp / "room"
        r = subprocess.run([dev, "room", release, cls.room], capture_output=True, text=True, timeout=1800)
        if r.returncode:
            raise AssertionError(r.stdout + r.stderr)

    def enter(self):
        mounts = 'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; exec chroot "$@"'
        return ["unshare", "--mount", "sh", "-ec", mounts, "sh", self.room]

    def install(self, deb):
        shutil.copy(deb, self.room / "package.deb")
        self.there("apt-get", "install", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", "/package.deb")


if __name__ == "__main__":
    unittest.main(verbosity=2)
