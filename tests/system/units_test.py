#!/usr/bin/env python3
"""The units of the jukebox as they are installed: systemd finds nothing wrong with them, they are shut in, user and folders
come into being, and what stands around them works: the fallback card, `djamms logs`, the way to the running service."""
import json
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from units import settings, stage_install  # noqa: E402

BUILD = Path(os.environ["DJAMMS_BUILD"])
SERVICES = ["djamms-player.service", "djamms-stage.service", "djamms-deck@.service", "djamms-hub.service",
            "djamms-fallback@.service", "djamms-summary.service"]
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
        names = ["djamms.target", "djamms-summary.timer", "run-djamms-shm.mount"] + [s.replace("@.", "@a.") for s in SERVICES]
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

    def test_threads_may_be_as_early_or_late_as_they_ask(self):
        """The stage's go before all others, of decks those that paint text behind them."""
        stage, deck = (settings(self.tmp / f"djamms-{name}.service") for name in ("stage", "deck@"))
        self.assertGreaterEqual(int(stage["LimitRTPRIO"][0]), 5)
        self.assertNotIn("RestrictRealtime", stage)
        for unit, call in ((stage, "sched_setscheduler"), (deck, "setpriority")):
            self.assertIn(call, unit["SystemCallFilter"][-1].split())     # the last word counts

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
                                          "djamms-player.service", "djamms-stage.service",
                                          "djamms-summary.timer"])
        for name in SERVICES[:4]:
            self.assertEqual(settings(self.tmp / name)["PartOf"], ["djamms.target"])

    def test_the_day_is_summed_up_by_who_may_read_the_journal_and_little_else(self):
        unit = settings(self.tmp / "djamms-summary.service")
        self.assertEqual(unit["SupplementaryGroups"], ["systemd-journal"])
        self.assertIn("logs --summary", unit["ExecStart"][0])
        self.assertIn("-/var/lib/djamms", unit["InaccessiblePaths"][0].split())
        timer = settings(self.tmp / "djamms-summary.timer")
        self.assertEqual((timer["Persistent"], timer["PartOf"]), (["yes"], ["djamms.target"]))

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
    def test_the_summary_reads_the_journal_of_a_day_and_asks_who_runs(self):
        restart = "5eb03494b6584870a536b337290809b3"
        entries = [{"MESSAGE": "figures: songs=2 late=1 hottest_c=50.0", "PRIORITY": "6", "DJAMMS_MODULE": "health"},
                   {"MESSAGE": "clip 7 is broken", "PRIORITY": "4", "DJAMMS_MODULE": "source"},
                   {"MESSAGE": "clip 12 is broken", "PRIORITY": "4", "DJAMMS_MODULE": "source"},
                   {"MESSAGE": "Scheduled restart job", "UNIT": "djamms-stage.service", "MESSAGE_ID": restart,
                    "PRIORITY": "4"},
                   {"MESSAGE": "figures: songs=9 late=3 hottest_c=61.3", "PRIORITY": "6", "DJAMMS_MODULE": "health"}]
        (self.tmp / "entries").write_text("".join(json.dumps(e) + "\n" for e in entries) + "no JSON\n")
        fake = self.tmp / "journalctl"
        fake.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {self.tmp}/words\ncat {self.tmp}/entries\n')
        fake.chmod(0o755)
        booted = "mkdir -p /run/systemd/system"
        before = int(time.time())
        r = self.in_system(booted, "logs", "--summary")
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        for line in ("songs      7 played", "restarts   stage 1", "pictures   2 late", "heat       61.3 C at most",
                     "errors     none", "warnings   2: 2 x source: clip N is broken"):
            self.assertIn(line + "\n", r.stdout)
        words = (self.tmp / "words").read_text()
        self.assertIn("--unit=djamms-*|--output=json|", words)
        since = int(words.split("--since=@")[1].rstrip("|"))
        self.assertTrue(before - 86400 <= since <= time.time() - 86400, words)
        # A jukebox that runs has the last word.
        status = {"ok": True, "played": {"songs": 12}, "outputs": [{"late": 4}], "health": {"temperature_c": 70.5}}
        listen = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); "
                  "s.settimeout(20); c = s.accept()[0]; c.recv(4096); c.sendall(sys.argv[2].encode() + b'\\n'); c.recv(1)")
        (self.tmp / "listen.py").write_text(listen)
        runs = (f"{booted}; mkdir /run/djamms; python3 {self.tmp}/listen.py /run/djamms/control.sock "
                f"'{json.dumps(status)}' & until [ -S /run/djamms/control.sock ]; do :; done")
        r = self.in_system(runs, "logs", "--summary", "--json")
        summary = json.loads(r.stdout)
        self.assertEqual([summary[k] for k in ("songs", "late", "hottest_c", "errors", "warnings")], [10, 3, 70.5, 0, 2])
        self.assertEqual(summary["restarts"], [{"program": "stage", "count": 1}])
        self.assertEqual(summary["kinds"], [{"level": "warning", "text": "source: clip N is broken", "count": 2}])
        # Where there is no journal to be had, that is said.
        fake.write_text("#!/bin/sh\nexit 1\n")
        r = self.in_system(booted, "logs", "--summary")
        self.assertEqual((r.returncode, r.stdout), (1, ""))
        self.assertIn("journalctl failed", r.stderr)
        r = self.in_system(booted, "logs", "--summary", "--since", "today")
        self.assertEqual(r.returncode, 2)

    @unittest.skipUnless(can_unshare(), "no mount namespace can be had")
    def test_the_summary_of_a_service_is_one_entry_of_the_journal(self):
        (self.tmp / "log").write_text("player | health: figures: songs=3 late=0\nplayer | error: cache: full\n")
        # The journal's socket: the first datagram is kept.
        (self.tmp / "journald.py").write_text(
            "import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); s.settimeout(20); "
            "open(sys.argv[2], 'wb').write(s.recv(65536))")
        prepare = (f"mkdir -p /run/systemd/journal; python3 {self.tmp}/journald.py /run/systemd/journal/socket {self.tmp}/got & "
                   "until [ -S /run/systemd/journal/socket ]; do :; done; "
                   "export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/$$/fd/2)")
        r = self.in_system(prepare, "logs", "--summary", self.tmp / "log")
        self.assertEqual((r.returncode, r.stdout, r.stderr), (0, "", ""))
        entry = (self.tmp / "got").read_text().splitlines()
        self.assertIn("PRIORITY=6", entry)
        self.assertIn("DJAMMS_MODULE=summary", entry)
        message = next(x for x in entry if x.startswith("MESSAGE="))
        self.assertIn("songs: 3 played; restarts: none; pictures: 0 late;", message)
        self.assertIn("errors: 1: 1 x cache: full; warnings: none", message)

    @unittest.skipUnless(can_unshare(), "no mount namespace can be had")
    def test_doctor_asks_systemd_for_the_units(self):
        def doctor(text, prepare="mkdir -p /run/systemd/system"):
            fake = self.tmp / "systemctl"
            fake.write_text(f"#!/bin/sh\n{text}\n")
            fake.chmod(0o755)
            checks = json.loads(self.in_system(prepare, "doctor", "--json", "--state-dir", self.tmp).stdout)["checks"]
            return [(c["result"], c["text"]) for c in checks if c["name"] == "service"]
        block = "printf 'Id=%s\\nLoadState=loaded\\nActiveState=%s\\nUnitFileState=enabled\\nResult=success\\nNRestarts=0\\n\\n' {} {}"
        shown = (f'[ "$1" = show ] || exit 9\necho "$@" >> {self.tmp}/asked\n[ $# -gt 2 ] || exit 0\n'
                 + block.format("djamms.target", "active") + "\n" + block.format("djamms-player.service", "active") + "\n"
                 + block.format("djamms-stage.service", "failed"))
        found = doctor(shown)
        self.assertEqual([r for r, _ in found], ["ok", "ok", "problem"], found)
        self.assertIn("djamms-stage.service does not run: failed", found[2][1])
        asked = (self.tmp / "asked").read_text()
        for unit in settings(stage_install() / "lib/systemd/system/djamms.target")["Wants"][0].split():
            if unit.endswith(".service"):
                self.assertIn(unit, asked)
        self.assertEqual(doctor("exit 1"), [("warning", "not checked: systemctl does not answer")])
        self.assertEqual(doctor(shown, prepare="true"), [])     # systemd does not run

    @unittest.skipUnless(can_unshare(), "no mount namespace can be had")
    def test_logs_says_what_to_do_where_systemd_does_not_run(self):
        r = self.in_system("true", "logs")
        self.assertEqual((r.returncode, r.stdout), (1, ""))
        self.assertIn("`djamms up` writes its own to its terminal", r.stderr)
        r = self.in_system("true", "logs", "--summary")
        self.assertEqual((r.returncode, r.stdout), (1, ""))
        self.assertIn("`djamms logs --summary FILE` reads it", r.stderr)

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
