"""What is no HTTP, and connections that are slow, cut or too many: the hub refuses it in words, and after each it is
alive and says what is true. $DJAMMS_SEED repeats a run."""
import json
import os
import random
import resource
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import SLOW, main, wait_until
from hubrig import (CLOSED, FIELDS, HOST, PING, POST, PROJECT, QUEUE, REQUESTS, TEXT, UPGRADE, Connection, HubTest,
                    documents, frame, song_request)

MIB = 1024 * 1024
LONG = os.environ.get("DJAMMS_LONG") == "1"
SEED = int(os.environ.get("DJAMMS_SEED", time.time_ns() % 1000000))
LIST = b"GET " + REQUESTS.encode()
OK = b"HTTP/1.1\r\n" + FIELDS + b"Connection: close\r\n\r\n"


class BadHttp(HubTest):
    # what is said, and which answers are right
    CASES = {
        "nothing but line ends": (b"\r\n" * 3 + b"X\r\n\r\n", {400}),
        "noise": (random.Random(1).randbytes(5000) + b"\r\n\r\n", {400, CLOSED}),
        "a TLS hello": (bytes.fromhex("16030100f8010000f40303") + bytes(200) + b"\r\n\r\n", {400, CLOSED}),
        "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
        "HTTP/0.9": (b"GET /\r\n\r\n", {400, 505}),
        "HTTP/9.9": (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", {400, 505}),
        "no path": (b"GET HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
        "two blanks": (b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
        "a path without slash": (b"GET v1/ping HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
        "no Host": (b"GET /v1/health/version HTTP/1.1\r\n\r\n", {400}),
        "two Hosts": (b"GET /v1/health/version HTTP/1.1\r\n" + HOST * 2 + b"\r\n", {400}),
        "line feeds only": (b"GET /v1/nothing HTTP/1.1\n" + HOST + b"\n\n", {400, 404}),
        "NUL in a header": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\0c\r\n\r\n", {400}),
        "NUL in the path": (b"GET /\0 HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
        "CR in a header": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\rc\r\n\r\n", {400}),
        "a blank before the colon": (b"GET / HTTP/1.1\r\n" + HOST + b"A : b\r\n\r\n", {400}),
        "a header without colon": (b"GET / HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n", {400}),
        "a header without name": (b"GET / HTTP/1.1\r\n" + HOST + b": b\r\n\r\n", {400}),
        "a folded header": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n", {400}),
        "a method of 10,000 letters": (b"A" * 10000 + b" / HTTP/1.1\r\n" + HOST + b"\r\n", {400, 414, 501}),
        "no method of HTTP": (b"BREW " + REQUESTS.encode() + b" " + OK, {404, 405, 501}),
        "CONNECT": (b"CONNECT example.org:443 " + OK, {400, 404, 405, 501}),
        "TRACE": (b"TRACE / " + OK, {404, 405, 501}),
        "dots": (b"GET /v1/../../../../etc/passwd " + OK, {400, 404}),
        "coded dots": (b"GET /v1/%2e%2e/%2e%2e/etc/passwd " + OK, {400, 404}),
        "a bad escape": (b"GET /v1/%zz " + OK, {400}),
        "half an escape": (b"GET /v1/% " + OK, {400}),
        "a coded NUL": (b"GET /v1/a%00b " + OK, {400}),
        "a coded line end": (b"GET /v1/a%0d%0ab " + OK, {400}),
        "bad UTF-8 in the path": (LIST + b"/%ff%fe " + OK, {400, 404}),
        "raw bytes in the path": (LIST + b"/\xff\xfe " + OK, {400, 404}),
        "a coded slash in an id": (LIST + b"/a%2fb " + OK, {400, 404}),
        "a URL of a megabyte": (LIST + b"/" + b"a" * MIB + b" " + OK, {414, CLOSED}),
        "a header of a megabyte": (b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"a" * MIB + b"\r\n\r\n", {431, CLOSED}),
        "10,000 headers": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 10000 + b"\r\n", {431, CLOSED}),
        "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", {400}),
        "lengths in a list": (POST + b"Content-Length: 2, 2\r\n\r\n{}", {400}),
        "a length and chunks": (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", {400}),
        "a negative length": (POST + b"Content-Length: -1\r\n\r\n{}", {400}),
        "a signed length": (POST + b"Content-Length: +2\r\n\r\n{}", {400}),
        "a length in hex": (POST + b"Content-Length: 0x2\r\n\r\n{}", {400}),
        "a length of 20 digits": (POST + b"Content-Length: 99999999999999999999\r\n\r\n", {400, 413}),
        "a length of a gigabyte": (POST + b"Content-Length: 1073741824\r\n\r\n", {413}),
        "chunks that are none": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", {400}),
        "a chunk of 2^64": (POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", {400, 413}),
        "a negative chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", {400}),
        "a chunk with more in it": (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n", {400}),
        "an unknown coding": (POST + b"Transfer-Encoding: gzip\r\n\r\n", {400, 501}),
        "chunked twice": (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n", {400, 501}),
        "chunked, disguised": (POST + b"Transfer-Encoding: xchunked\r\n\r\n", {400, 501}),
        "an empty body": (POST + b"Content-Length: 0\r\n\r\n", {400, 401}),
        "no body": (POST + b"\r\n", {400, 401, 411}),
    }

    def test_bytes_that_are_no_requests_are_refused(self):
        for name, (data, right) in self.CASES.items():
            with self.subTest(name):
                self.assertIn(self.say(data), right)

    def test_noise_of_every_length(self):
        rng = random.Random(SEED)
        for i in range(200):
            data = bytearray(b"POST " + REQUESTS.encode() + b" HTTP/1.1\r\n" + FIELDS +
                             b"Content-Type: application/json\r\nContent-Length: 24\r\nConnection: close\r\n\r\n"
                             b'{"documentId":"x","data":')
            for _ in range(rng.randrange(1, 12)):
                at = rng.randrange(len(data))
                if rng.random() < 0.4:
                    del data[at:at + rng.randrange(1, 9)]
                else:
                    data[at:at + rng.randrange(3)] = rng.randbytes(rng.randrange(5))
            with self.subTest(seed=SEED, i=i), Connection(self.hub.port, 10) as c:
                c.send(bytes(data))
                c.socket.shutdown(socket.SHUT_WR)
                said = c.rest()
                if said:
                    self.assertRegex(said[:12], rb"^HTTP/1.1 [1-5]")
                    self.assertNotEqual(said[9:12], b"500")

    def test_requests_in_a_row_are_answered_in_a_row(self):
        with self.hub.http() as h:
            for i in range(100):
                h.request("GET", documents("requests", f"no-{i}") if i % 2 else QUEUE)
            self.assertEqual([h.answer().status for _ in range(100)], [200, 404] * 50)
            h.request("POST", REQUESTS, b"{")
            h.request("GET", QUEUE)
            self.assertEqual([h.answer().status for _ in range(2)], [400, 200], "a bad body spoils only itself")

    def test_what_the_server_itself_refuses_can_be_read_by_a_page(self):
        origin = {"Origin": "http://localhost:3000"}
        for status, fields in ((413, {"Content-Length": 99999999}), (417, {"Expect": "miracles"})):
            with self.subTest(status), self.hub.http() as h:
                a = h.ask("POST", REQUESTS, b"", {**fields, **origin})
                self.assertEqual(a.status, status)
                self.assertEqual(a.headers["access-control-allow-origin"], origin["Origin"])
                self.assertEqual(set(a.json), {"message", "code", "type", "version"})
                self.assertEqual(a.json["code"], status)

    def test_head_and_options_keep_the_order_of_answers(self):
        with self.hub.http(key=False) as h:
            h.request("HEAD", QUEUE)
            h.request("OPTIONS", "*")
            h.request("GET", "/v1/ping?project=" + PROJECT, headers={"X-Appwrite-Project": None})
            status, headers = h.head()
            self.assertEqual((status, int(headers["content-length"]) > 10), (200, True),
                             "what a GET would say, without it")
            self.assertEqual(h.answer().status // 100, 2)
            self.assertEqual(h.answer().body, b"Pong!")

    def test_a_second_request_hidden_in_a_body_is_not_run(self):
        key = b"X-Appwrite-Key: " + self.hub.key.encode() + b"\r\n"
        inner = b"DELETE " + QUEUE.encode() + b" HTTP/1.1\r\n" + FIELDS + key + b"\r\n"
        for fields in (b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                       b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
                       b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", b"Transfer-Encoding: identity\r\n\r\n",
                       b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(inner)):
            with self.subTest(fields), Connection(self.hub.port, 10) as c:
                c.send(POST + fields + inner)
                self.assertEqual(c.rest().count(b"HTTP/1.1 "), 1, "one answer, and the connection is over")
        self.assertEqual(self.hub.ask("GET", QUEUE).status, 200)

    def test_a_body_in_chunks_of_any_size(self):
        body = json.dumps({"documentId": "chunked", "data": song_request(1)}).encode()
        parts = [body[i:i + 7] for i in range(0, len(body), 7)]
        data = b"".join(b"%x;why=not\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\nTrailer: yes\r\n\r\n"
        with self.hub.http() as h:
            head = POST + b"X-Appwrite-Key: " + self.hub.key.encode() + b"\r\n" + \
                b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            for i in range(0, len(head + data), 3):     # and in packets of three bytes
                h.send((head + data)[i:i + 3])
            self.assertEqual(h.answer().status, 201)
            self.assertEqual(h.ask("DELETE", documents("requests", "chunked")).status, 204)

    def test_expect_continue(self):
        with self.hub.http() as h:
            body = json.dumps({"data": {"mainQueue": "[]"}}).encode()
            h.request("PATCH", QUEUE, b"", {"Content-Length": len(body), "Expect": "100-continue"})
            self.assertEqual(h.head()[0], 100)
            h.send(body)
            self.assertEqual(h.answer().status, 200)


class BadConnections(HubTest):
    def test_500_sockets_opened_and_cut_in_every_way(self):
        rng = random.Random(SEED)
        whole = b"GET " + QUEUE.encode() + b" HTTP/1.1\r\n" + FIELDS + b"\r\n"
        upgrade = f"GET /v1/realtime?project={PROJECT}&channels[]=documents HTTP/1.1\r\n".encode() + UPGRADE
        post = POST + b"Content-Length: 100000\r\n\r\n" + b"x" * 1000
        for _ in range(2):
            sockets = []
            for i in range(500):
                c = Connection(self.hub.port)
                data = rng.choice((b"", whole, upgrade, upgrade + frame(TEXT, b'{"type":"ping"}'), post, whole * 10))
                c.send(data[:rng.choice((len(data), rng.randrange(len(data) + 1)))])
                sockets.append(c)
            self.alive()
            rng.shuffle(sockets)
            for i, c in enumerate(sockets):
                if i % 3 == 0:
                    c.reset()
                elif i % 3 == 1:
                    c.close()
                else:
                    c.socket.shutdown(socket.SHUT_WR)
            wait_until(lambda: self.hub.descriptors() <= self.descriptors, 15,
                       "also those that only stopped sending count as gone")
            for c in sockets:
                c.close()
            self.alive()

    def test_more_connections_than_it_takes(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 5000), hard))
        sockets = []
        try:
            for _ in range(2200):
                sockets.append(Connection(self.hub.port))
            refused = [s for s in sockets[2000:]]
            for c in refused:
                c.send(b"GET /v1/health/version HTTP/1.1\r\nOrigin: http://localhost:3000\r\n" + HOST + b"\r\n")
            answers = [c.rest() for c in refused]
            said = {a[:12] for a in answers}
            self.assertLessEqual(said, {b"HTTP/1.1 503", b""}, "in words, or not at all")
            self.assertIn(b"HTTP/1.1 503", said)
            for a in filter(None, answers):
                self.assertIn(b"\r\nAccess-Control-Allow-Origin: http://localhost:3000\r\n", a, "which a page can read")
            sockets[0].send(b"GET /v1/health/version HTTP/1.1\r\n" + HOST + b"\r\n")
            self.assertEqual(sockets[0].answer().status, 200, "who is inside is served")
        finally:
            for c in sockets:
                c.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        wait_until(lambda: self.hub.descriptors() <= self.descriptors, 20, "they are let go")

    def test_slow_ones_hold_up_nobody_and_are_ended(self):
        whole = b"GET " + QUEUE.encode() + b" HTTP/1.1\r\n" + FIELDS
        slow = [Connection(self.hub.port) for _ in range(60)]
        try:
            for i, c in enumerate(slow):
                c.send((whole, POST + b"Content-Length: 5000\r\n\r\n{", whole[:5])[i % 3])
            began = time.monotonic()
            taken, open_ones = [], set(range(60))
            while open_ones and time.monotonic() - began < 60 * SLOW:
                t = time.monotonic()
                self.assertEqual(self.hub.ask("GET", QUEUE).status, 200)
                taken.append(time.monotonic() - t)
                for i in sorted(open_ones):
                    c = slow[i]
                    try:
                        c.send(b"a")        # one more byte, again and again
                        c.socket.settimeout(0.01)
                        if not c.more():
                            open_ones.discard(i)
                    except TimeoutError:
                        pass
                    except ConnectionError:
                        open_ones.discard(i)
            self.assertEqual(open_ones, set(), "all were ended")
            self.assertTrue(all(not c.buffer or c.buffer.startswith(b"HTTP/1.1 4") for c in slow), "408 or nothing")
            self.assertLess(max(taken), 2 * SLOW, "others are answered meanwhile")
        finally:
            for c in slow:
                c.close()

    if LONG:
        def test_half_open_websockets_are_ended(self):
            sockets = [self.hub.ws("documents", seconds=200) for _ in range(20)]
            try:
                for s in sockets:
                    s.connected()
                for s in sockets:       # hears the ping, does not answer it
                    self.assertEqual(s.frame()[0], PING)
                for s in sockets:
                    self.assertIn(s.end(), (None, 1001, 1002, 1011))
            finally:
                for s in sockets:
                    s.close()


if __name__ == "__main__":
    main()
