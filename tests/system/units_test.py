#!/usr/bin/env python3
"""The units of the jukebox as they are installed: systemd finds nothing wrong with them, they are shut in, user and folders
come into being, and what stands around them works: the fallback card, `djamms logs`, the way to the running service."""
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from units import settings, stage_install  # noqa: E402

BUILD = Path(os.environ["DJAMMS_BUILD"])
SERVICES = ["djamms-player.service", "djamms-stage.service", "djamms-deck@.service", "djamms-hub.service",
            "djamms-fallback@.service"]
# What `systemd-analyze security` may say at most, times ten.
EXPOSED = {"djamms-deck@.service": 15}
ALL_EXPOSED = 25
IS_ROOT = os.geteuid() == 0


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed (apt install systemd)")


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60, **more)


def unshared(*argv, **more):
    """In a mount namespace of its own."""
    return run("unshare", "--mount", *([] if IS_ROOT else ["--map-root-user"]), *argv, **more)


def can_unshare():
    return unshared("mount", "-t", "tmpfs", "tmpfs", "/run").returncode == 0


class Folder(unittest.TestCase):
    def setUp(self):
        self.tmp = Path(tempfile.mkdtemp(prefix="djamms-units-"))
        self.addCleanup(shutil.rmtree, self.tmp)


class Units(Folder):
    def setUp(self):
        super().setUp()
        self.usr = stage_install()
        # As installed, but with programs that are there.
        for unit in (self.usr / "lib/systemd/system").iterdir():
            text = unit.read_text().replace("/usr/bin/djamms", f"{BUILD}/bin/djamms")
            (self.tmp / unit.name).write_text(text.replace("/usr/lib/djamms", f"{self.usr}/lib/djamms"))

    @needs("systemd-analyze")
    def test_systemd_finds_no_mistake_in_them(self):
        names = ["djamms.target", "run-djamms-shm.mount"] + [s.replace("@.", "@a.") for s in SERVICES]
        r = run("systemd-analyze", "verify", "--man=no", *(self.tmp / n for n in names),
                env=dict(os.environ, SYSTEMD_UNIT_PATH=f"{self.tmp}:"))
        known = "Unknown key 'RestartMode' in section [Service], ignoring."     # systemd before 254
        self.assertEqual([line for line in r.stderr.splitlines() if not line.endswith(known)], [])
        self.assertEqual(r.returncode, 0)

    @needs("systemd-analyze")
    def test_a_mistake_would_be_found(self):
        unit = self.tmp / "djamms-hub.service"
        unit.write_text(unit.read_text().replace("WatchdogSec=3500ms", "WatchdogSec=soon"))
        r = run("systemd-analyze", "verify", "--man=no", unit, env=dict(os.environ, SYSTEMD_UNIT_PATH=f"{self.tmp}:"))
        self.assertIn("soon", r.stderr)

    @needs("systemd-analyze")
    def test_each_is_shut_in(self):
        for name in SERVICES:
            with self.subTest(name):
                r = run("systemd-analyze", "security", "--offline=yes",
                        f"--threshold={EXPOSED.get(name, ALL_EXPOSED)}", self.tmp / name)
                self.assertEqual(r.returncode, 0, r.stdout + r.stderr)

    def test_a_deck_has_neither_network_nor_devices_nor_what_the_player_holds(self):
        deck = settings(self.tmp / "djamms-deck@.service")
        for name, value in {"PrivateNetwork": "yes", "RestrictAddressFamilies": "AF_UNIX", "PrivateDevices": "yes",
                            "DevicePolicy": "closed", "ProtectSystem": "strict", "MemoryDenyWriteExecute": "yes",
                            "ReadWritePaths": "/run/djamms/shm", "TemporaryFileSystem": "/run/djamms:ro",
                            "CapabilityBoundingSet": ""}.items():
            self.assertEqual(deck[name], [value], name)
        for path in ("/var/lib/djamms", "/etc/credstore", "/run/credentials", "/run/dbus"):
            self.assertIn(f"-{path}", deck["InaccessiblePaths"][0].split())
        self.assertNotIn("LoadCredential", deck)

    def test_who_dies_too_often_ends_in_the_card_and_only_who_is_needed(self):
        for name in SERVICES[:4]:
            unit = settings(self.tmp / name)
            self.assertEqual(unit["Restart"], ["always"])
            self.assertTrue("WatchdogSec" in unit and "MemoryMax" in unit and "CPUWeight" in unit, name)
            is_needed = name in ("djamms-player.service", "djamms-stage.service")
            self.assertEqual(unit.get("OnFailure"), ["djamms-fallback@%p.service"] if is_needed else None)
            self.assertEqual(unit["StartLimitIntervalSec"][0] != "0", is_needed)
            # else the first death shows the card, with systemd 254 and later
            self.assertEqual(unit.get("RestartMode"), ["direct"] if is_needed else None, name)
        card = settings(self.tmp / "djamms-fallback@.service")
        self.assertIn("reboot", card["ExecStartPost"][0])

    def test_the_target_starts_all(self):
        wanted = settings(self.tmp / "djamms.target")["Wants"][0].split()
        self.assertEqual(sorted(wanted), ["djamms-deck@a.service", "djamms-deck@b.service", "djamms-hub.service",
                                          "djamms-player.service", "djamms-stage.service"])
        for name in SERVICES[:4]:
            self.assertEqual(settings(self.tmp / name)["PartOf"], ["djamms.target"])

    @needs("systemd-sysusers")
    @unittest.skipUnless(IS_ROOT, "making users and their folders takes root")
    def test_user_and_folders_come_into_being(self):
        root = self.tmp / "root"
        for name in ("etc", "usr/lib", "run", "var/lib", "var/cache"):
            (root / name).mkdir(parents=True)
        for folder in ("sysusers.d", "tmpfiles.d"):
            shutil.copytree(self.usr / "lib" / folder, root / "usr/lib" / folder)
        for _ in range(2):      # as at every upgrade
            for argv in (["systemd-sysusers"], ["systemd-tmpfiles", "--create"]):
                r = run(*argv, f"--root={root}", "djamms.conf")
                self.assertEqual(r.returncode, 0, r.stderr)
        line = next(x for x in (root / "etc/passwd").read_text().splitlines() if x.startswith("djamms:"))
        fields = line.split(":")
        self.assertEqual(fields[5], "/var/lib/djamms")
        self.assertIn("nologin", fields[6])
        for path, mode in {"run/djamms": 0o750, "run/djamms/shm": 0o700, "var/lib/djamms": 0o700,
                           "var/cache/djamms": 0o700}.items():
            st = (root / path).stat()
            self.assertEqual((stat.S_IMODE(st.st_mode), st.st_uid), (mode, int(fields[2])), path)


class Card(Folder):
    def show(self, ini):
        (self.tmp / "djamms.ini").write_text(ini)
        card = stage_install() / "lib/djamms/fallback-card"
        text = card.read_text().replace("/usr/bin/djamms", f"{BUILD}/bin/djamms")
        (self.tmp / "card").write_text(text)
        r = run("sh", self.tmp / "card", "djamms-stage", "0", env=dict(os.environ, DJAMMS_CONFIG=str(self.tmp / "djamms.ini")))
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        self.assertTrue(os.access(card, os.X_OK))
        return r.stdout

    def test_it_names_the_program_that_does_not_work(self):
        text = self.show("")
        self.assertIn("The program djamms-stage does not work.", text)
        self.assertIn("starts anew in 0 seconds", text)
        self.assertNotIn("mistakes", text)

    def test_it_shows_the_mistakes_of_the_settings(self):
        text = self.show("[sound]\nvolume = loud\n")
        self.assertIn("Its settings have mistakes:", text)
        self.assertIn(":2: sound.volume", text)


class Command(Folder):
    def env(self, **more):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "DJAMMS_"))}
        return dict(env, HOME=str(self.tmp), **more)

    def in_system(self, prepare, *argv):
        """`djamms ...` where /run is as `prepare` (shell text) makes it."""
        script = f'set -e; mount -t tmpfs tmpfs /run; {prepare}\nexec "$@"'
        return unshared("sh", "-c", script, "sh", BUILD / "bin/djamms", *argv, env=self.env(PATH=f"{self.tmp}:{os.environ['PATH']}"))

    @unittest.skipUnless(can_unshare(), "no mount namespace can be had")
    def test_logs_asks_the_journal_for_the_units(self):
        fake = self.tmp / "journalctl"
        fake.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
        fake.chmod(0o755)
        booted = "mkdir -p /run/systemd/system"
        for options, words in (([], "--unit=djamms-*|"),
                               (["-f"], "--unit=djamms-*|--follow|"),
                               (["--since", "1 hour ago", "--follow"], "--unit=djamms-*|--since=1 hour ago|--follow|"),
                               (["--json", "--limit", "5"], "--unit=djamms-*|--lines=5|--output=json|")):
            r = self.in_system(booted, "logs", *options)
            self.assertEqual((r.returncode, r.stdout, r.stderr), (0, words, ""))
        r = self.in_system(booted, "logs", "--limit", "many")
        self.assertEqual(r.returncode, 2)

    @unittest.skipUnless(can_unshare(), "no mount namespace can be had")
    def test_logs_says_what_to_do_where_systemd_does_not_run(self):
        r = self.in_system("true", "logs")
        self.assertEqual((r.returncode, r.stdout), (1, ""))
        self.assertIn("`djamms up` writes its own to its terminal", r.stderr)

    @unittest.skipUnless(can_unshare(), "no mount namespace can be had")
    def test_the_service_is_found_and_a_jukebox_of_our_own_comes_first(self):
        listen = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); "
                  "s.settimeout(20); c = s.accept()[0]; c.recv(4096); c.sendall(sys.argv[2].encode() + b'\\n'); c.recv(1)")
        (self.tmp / "listen.py").write_text(listen)
        # /run/djamms is another user's: it is taken for its socket alone.
        other = pwd.getpwnam("nobody").pw_uid if IS_ROOT else 0
        system = (f"mkdir /run/djamms; python3 {self.tmp}/listen.py /run/djamms/control.sock "
                  "'{\"ok\": false, \"error\": \"the system speaks\"}' & "
                  f"until [ -S /run/djamms/control.sock ]; do :; done; {'chown %d /run/djamms' % other if IS_ROOT else ':'}")
        r = self.in_system(system, "skip")
        self.assertIn("the system speaks", r.stderr)
        own = self.tmp / "own" / "djamms"
        own.mkdir(parents=True)
        r = self.in_system(f"{system}; export XDG_RUNTIME_DIR={self.tmp}/own; python3 {self.tmp}/listen.py "
                           f"{own}/control.sock '{{\"ok\": false, \"error\": \"our own speaks\"}}' & "
                           f"until [ -S {own}/control.sock ]; do :; done; export XDG_RUNTIME_DIR={self.tmp}/own", "skip")
        self.assertIn("our own speaks" if IS_ROOT else "speaks", r.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
