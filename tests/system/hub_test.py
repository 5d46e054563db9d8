"""The house of djamms-hub: its data folder, what it listens on, what it keeps to itself, and a disk that is full."""
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import SLOW, main
from hubrig import PASSWORD, PROJECT, QUEUE, REQUESTS, Hub, documents, song_request
from small_disk import SmallDisk

MIB = 1024 * 1024


class House(unittest.TestCase):
    """The data folder, the addresses, the log."""

    def test_a_second_hub_on_the_same_data_is_refused_in_words(self):
        with Hub().provision() as hub:
            hub.start()
            r = subprocess.run([hub.program, "--listen", "127.0.0.1:0", "--data", hub.data], env=hub.env,
                               capture_output=True,
                               text=True, timeout=20 * SLOW)
            self.assertNotEqual(r.returncode, 0)
            self.assertEqual(r.stdout, "", "no URL")
            self.assertIn(str(hub.data), r.stderr)
            self.assertRegex(r.stderr, "another hub|in use")
            self.assertEqual(hub.ask("GET", QUEUE).status, 200)
            hub.kill()
            hub.start()         # a dead one leaves no lock
            self.assertEqual(hub.ask("GET", QUEUE).status, 200)

    def listeners(self, hub):
        """(address, port) of everything it listens on."""
        inodes = set()
        for fd in os.listdir(f"/proc/{hub.pid}/fd"):
            try:
                target = os.readlink(f"/proc/{hub.pid}/fd/{fd}")
            except FileNotFoundError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        out = set()
        for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6), ("udp", socket.AF_INET),
                             ("udp6", socket.AF_INET6)):
            for line in Path(f"/proc/{hub.pid}/net/{name}").read_text().splitlines()[1:]:
                f = line.split()
                if f[9] in inodes and (f[3] == "0A" or name.startswith("udp")):
                    raw, port = f[1].split(":")
                    packed = b"".join(bytes.fromhex(raw[i:i + 8])[::-1] for i in range(0, len(raw), 8))
                    out.add((socket.inet_ntop(family, packed), int(port, 16)))
        return out

    def test_nothing_beyond_localhost_until_it_is_told(self):
        with Hub().provision() as hub:
            hub.start()
            self.assertEqual(self.listeners(hub), {("127.0.0.1", hub.port)})
            hub.stop()
            for options, right in (((), {"127.0.0.1"}), (("--listen", "localhost"), {"127.0.0.1"}),
                                   (("--listen", "lan"), {"0.0.0.0", "::"})):
                with self.subTest(options):
                    with open(hub.log, "ab") as log:
                        p = subprocess.Popen([hub.program, "--data", hub.data, *options], env=hub.env,
                                             stdout=subprocess.PIPE, stderr=log)
                    try:
                        self.assertTrue(p.stdout.readline().startswith(b"http://"))
                        hub.process, kept = p, hub.process
                        found = {address for address, _ in self.listeners(hub)}
                        hub.process = kept
                        self.assertTrue(found and found <= right, found)
                    finally:
                        p.terminate()
                        p.wait()
                        p.stdout.close()

    def test_secrets_are_for_the_owner_only(self):
        with Hub(options=("--set", "log.level=debug")).provision("staff") as hub:
            hub.start()
            secret = hub.sign_in("staff")
            jwt = hub.ask("POST", "/v1/account/jwts", {}, {"X-Appwrite-Session": secret,
                                                           "X-Appwrite-Key": None}).json["jwt"]
            with hub.ws("documents", project=f"{PROJECT}&jwt={jwt}") as ws:
                self.assertEqual(ws.connected()["user"]["$id"], hub.users["staff"])
            with hub.http() as h:
                h.ask("GET", f"/v1/account?jwt={jwt}&secret={secret}")
                h.ask("POST", "/v1/account/sessions/email", {"email": "staff@house.test", "password": PASSWORD + "x"})
            self.assertEqual(hub.stop(), 0)
            log = hub.log.read_text(errors="replace")
            everything = b"".join(p.read_bytes() for p in hub.data.rglob("*") if p.is_file())
            for name, text in (("password", PASSWORD), ("session", secret), ("key", hub.key), ("JWT", jwt)):
                self.assertNotIn(text, log, f"the {name} is in the log")
                self.assertNotIn(text.encode(), everything, f"the {name} is on the disk as it is")
            self.assertEqual(hub.data.stat().st_mode & 0o777, 0o700)
            for path in hub.data.rglob("*"):
                self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_the_first_start_has_no_owner_and_no_password(self):
        with Hub() as hub:
            hub.start()
            hub.key = ""
            wrong = {"code": "0000-0000", "email": "me@house.test", "password": PASSWORD}
            self.assertIn(hub.ask("POST", "/v1/hub/claim", wrong, key=False).status, (400, 401, 403))
            code = hub.admin("claim")["code"]
            a = hub.ask("POST", "/v1/hub/claim", dict(wrong, code=code), key=False)
            self.assertEqual(a.status, 201, a)
            again = hub.ask("POST", "/v1/hub/claim", dict(wrong, code=code, email="you@house.test"), key=False)
            self.assertGreaterEqual(again.status, 400, "once")
            a = hub.ask("POST", "/v1/account/sessions/email", {"email": "me@house.test", "password": PASSWORD},
                        key=False)
            self.assertEqual(a.status, 201, a)

    def test_a_damaged_database_is_refused_in_words(self):
        with Hub().provision() as hub:
            path = hub.data / "hub.db"
            path.write_bytes(b"this is no database" * 1000)
            r = subprocess.run([hub.program, "--listen", "127.0.0.1:0", "--data", hub.data], env=hub.env,
                               capture_output=True,
                               text=True, timeout=20 * SLOW)
            self.assertNotEqual(r.returncode, 0)
            self.assertIn("hub.db", r.stderr)
            self.assertEqual(path.read_bytes(), b"this is no database" * 1000, "and left as it is")


class FullDisk(unittest.TestCase):
    def fill_until_refused(self, hub, acknowledged):
        """Writes until the disk takes no more: the refusal."""
        with hub.http() as h:
            for i in range(2000):
                id = f"fill-{len(acknowledged)}"
                song = json.dumps({"videoId": "x" * 5000})
                a = h.ask("POST", REQUESTS, {"documentId": id, "data": song_request(i, song=song)})
                if a.status != 201:
                    return a
                acknowledged[id] = a.json
        self.fail("the disk was never full")

    def check_refusals(self, hub, acknowledged):
        """While it is full: 503 for every kind of write; what was there can be read."""
        with hub.http() as h:
            big = song_request(1, song=json.dumps({"videoId": "y" * 8000}))
            for i in range(5):
                for method, path, body in (("POST", REQUESTS, {"documentId": f"refused-{i}", "data": big}),
                                           ("PUT", documents("requests", f"refused-{i}"), {"data": big})):
                    a = h.ask(method, path, body)
                    self.assertEqual((a.status, a.json["code"]), (503, 503), a)
                self.assertEqual(h.ask("GET", documents("requests", f"refused-{i}")).status, 404)
            for id, document in acknowledged.items():
                self.assertEqual(h.ask("GET", documents("requests", id)).json, document)

    def check_recovery(self, hub, acknowledged):
        a = hub.ask("POST", REQUESTS, {"documentId": "afterwards", "data": song_request(1)})
        self.assertEqual(a.status, 201, "there is room again")
        acknowledged["afterwards"] = a.json
        with hub.http() as h:
            for id, document in acknowledged.items():
                self.assertEqual(h.ask("GET", documents("requests", id)).json, document)
            for i in range(5):
                self.assertEqual(h.ask("GET", documents("requests", f"refused-{i}")).status, 404)

    def play(self, hub, full, free, start):
        """full(): makes it so, or None: it becomes so by writing."""
        acknowledged = {}
        with hub.ws("documents") as ws:
            ws.connected()
            for i in range(20):
                a = hub.ask("POST", REQUESTS, {"documentId": f"early-{i}", "data": song_request(i)})
                self.assertEqual(a.status, 201)
                acknowledged[f"early-{i}"] = a.json
            if full:
                full()
            refusal = self.fill_until_refused(hub, acknowledged)
            self.assertEqual((refusal.status, refusal.json["code"]), (503, 503), refusal)
            self.assertGreater(len(refusal.json["message"]), 10)
            self.check_refusals(hub, acknowledged)
            self.assertTrue(hub.is_alive())
            heard = []
            ws.say({"type": "ping"})
            while (m := ws.message())["type"] != "pong":
                heard.append(m["data"]["payload"]["$id"])
            self.assertEqual(heard, list(acknowledged), "told is what was written, and only that")
        free()
        self.check_recovery(hub, acknowledged)
        hub.kill()
        start()
        with hub.http() as h:
            for id, document in acknowledged.items():
                self.assertEqual(h.ask("GET", documents("requests", id)).json, document)
        self.assertEqual(hub.stop(), 0)

    def test_a_full_disk(self):
        disk = SmallDisk("6m")
        try:
            if not disk.works:
                print("a small disk cannot be made here: only the limit of a file is tried", flush=True)
                return
            with Hub() as hub:
                hub.data = disk.folder / "data"
                r = subprocess.run([*disk.enter, hub.program, "key", "add", "test", "--json", "--data", hub.data],
                                   env=hub.env,
                                   capture_output=True, text=True, timeout=30 * SLOW)
                self.assertEqual(r.returncode, 0, r.stdout + r.stderr)
                hub.key = json.loads(r.stdout)["secret"]
                start = lambda: hub.start(wrap=disk.enter)
                start()
                self.play(hub, disk.fill, disk.empty, start)
        finally:
            disk.close()

    def test_a_file_that_may_not_grow(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

        with Hub().provision() as hub:
            hub.start(prepare=limit)
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            self.play(hub, None, lambda: resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, (hard, hard)), hub.start)


if __name__ == "__main__":
    main()
