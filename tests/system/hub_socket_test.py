"""WebSockets that do not keep to the rules, flood, or do not read."""
import struct
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import SLOW, main
from hubrig import BINARY, CLOSE, PING, PONG, PROJECT, QUEUE, TEXT, UPGRADE, Connection, HubTest, Ws, frame


class BadSockets(HubTest):
    def test_handshakes_that_are_none(self):
        base = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                "Sec-WebSocket-Version": "13"}
        cases = [({"Sec-WebSocket-Version": "8"}, {400, 426}), ({"Sec-WebSocket-Key": None}, {400}),
                 ({"Sec-WebSocket-Key": "x"}, {400}),
                 ({"Sec-WebSocket-Version": None}, {400, 426}), ({"Connection": "close"}, {400, 404, 426}),
                 ({"Upgrade": "h2c"}, {400, 404, 426}), ({"Upgrade": None}, {400, 404, 426})]
        for changed, right in cases:
            with self.subTest(changed), self.hub.http() as h:
                h.request("GET", f"/v1/realtime?project={PROJECT}", headers={**base, **changed})
                self.assertIn(h.head()[0], right)
        for path in ("/", "/v1/realtimes", "/v1/realtime/x", "/v1/databases"):
            with self.subTest(path), self.hub.http() as h:
                h.request("GET", path, headers=base)
                self.assertEqual(h.head()[0], 404)
        with self.hub.http() as h:
            h.request("POST", "/v1/realtime", {}, headers=base)
            self.assertIn(h.head()[0], (400, 404, 405))

    def test_frames_that_are_none_end_the_socket(self):
        masked = frame(TEXT, b'{"type":"ping"}')
        cases = {
            "unmasked": (frame(TEXT, b'{"type":"ping"}', masked=False), {1002}),
            "a reserved bit": (frame(TEXT, b"{}", reserved=4), {1002}),
            "an unknown kind": (frame(3, b"x"), {1002}),
            "an unknown control": (frame(11, b"x"), {1002}),
            "a long ping": (frame(PING, b"x" * 126), {1002}),
            "a ping in parts": (frame(PING, b"x", final=False), {1002}),
            "a continuation of nothing": (frame(0, b"x"), {1002}),
            "a text in a text": (frame(TEXT, b"{", final=False) + frame(TEXT, b"}"), {1002}),
            "binary": (frame(BINARY, b'{"type":"ping"}'), {1003}),
            "bad UTF-8": (frame(TEXT, b'"\xff\xfe"'), {1007, 1002}),
            "bad UTF-8 at the joint of two": (frame(TEXT, b'"\xe2\x82', final=False) + frame(0, b'"'), {1007, 1002}),
            "a frame of 64,001 bytes": (frame(TEXT, b" " * 64001), {1009}),
            "parts of 64,001 bytes": (frame(TEXT, b" " * 32000, final=False) + frame(0, b" " * 32001), {1009}),
            "a length of 2^62": (frame(TEXT, b"", length=2**62), {1009}),
            "a length of 2^64-1": (frame(TEXT, b"", length=2**64 - 1), {1002, 1009}),
            "a close of one byte": (frame(CLOSE, b"x"), {1002}),
            "a close with 1005": (frame(CLOSE, struct.pack(">H", 1005)), {1002}),
            "a close with bad UTF-8": (frame(CLOSE, struct.pack(">H", 1000) + b"\xff"), {1002, 1007}),
            "a close": (frame(CLOSE, struct.pack(">H", 1000)), {1000}),
            "a close of nothing": (frame(CLOSE), {None, 1000, 1005}),
        }
        for name, (data, right) in cases.items():
            with self.subTest(name), self.hub.ws("documents") as ws:
                ws.connected()
                ws.send(masked)
                self.assertEqual(ws.message(), {"type": "pong"})
                ws.send(data)
                self.assertIn(ws.end(), right)

    def test_messages_that_are_none_are_told_and_the_socket_lives(self):
        def subscribe(**wish):
            return {"type": "subscribe", "data": [dict({"subscriptionId": "s", "channels": ["documents"],
                                                        "queries": []}, **wish)]}

        bad = [b"", b"x", b"[]", b"null", b'"ping"', b"{", b'{"type":"ping"', b"{}", b'{"type":1}', b'{"type":"dance"}',
               b"[" * 30000,
               b'{"type":"authentication"}', b'{"type":"authentication","data":1}',
               b'{"type":"authentication","data":{"session":1}}',
               b'{"type":"authentication","data":{"session":"x"}}',
               b'{"type":"authentication","data":{"session":"' + b"x" * 60000 + b'"}}',
               b'{"type":"subscribe"}', b'{"type":"subscribe","data":{}}', b'{"type":"subscribe","data":[1]}',
               b'{"type":"subscribe","data":[]}',
               subscribe(channels="documents"), subscribe(channels=[1]), subscribe(channels=[""]),
               subscribe(channels=["x" * 5000]),
               subscribe(subscriptionId=""), subscribe(subscriptionId="x" * 5000), subscribe(queries="x"),
               subscribe(queries=["nonsense"]),
               subscribe(queries=[1]), subscribe(queries=['{"method":"limit","values":[1]}']),
               subscribe(channels=[f"c{i}" for i in range(5000)]),
               subscribe(queries=['{"method":"equal","attribute":"x","values":["y"]}'] * 200),
               {"type": "unsubscribe", "data": [{}]}, {"type": "unsubscribe", "data": "s"}]
        with self.hub.ws() as ws:
            ws.connected()
            for text in bad:
                ws.say(text)
                m = ws.message()
                self.assertEqual((m["type"], m["data"]["code"]), ("error", 1003), (text, m))
                self.assertGreater(len(m["data"]["message"]), 5)
            ws.say({"type": "ping", "data": {"more": "fields"}, "and": [1]})
            self.assertEqual(ws.message(), {"type": "pong"})

    def test_urls_of_subscriptions(self):
        for query, right in ((b"", "error"), (b"project=", "error"), (b"project=elsewhere", "error"),
                             (b"project=house&project=x", None),
                             (b"project=house&channels[]=%ff%fe", None), (b"project=house&channels[]=%", None),
                             (b"project=house&channels[]=" + b"x" * 20000, None),
                             (b"project=house" + b"&channels[]=c" * 2000, None),
                             (b"project=house" + b"".join(b"&channels[]=c%d" % i for i in range(2000)), None),
                             (b"project=house&channels[]=documents&documents[1][]=nonsense", None),
                             (b"project=house&channels[]=documents&documents[99999999999][]=x", None),
                             (b"project=house&channels[]=documents&documents[-1][]=x", None),
                             (b"project=house&jwt=nonsense", "error")):
            with self.subTest(query[:80]), Connection(self.hub.port) as c:
                c.send(b"GET /v1/realtime?" + query + b" HTTP/1.1\r\n" + UPGRADE)
                status, _ = c.head()
                if status != 101:
                    self.assertIn(status, (400, 414, 431))
                    continue
                c.__class__ = Ws
                m = c.message()
                self.assertIn(m["type"], (right,) if right else ("connected", "error"))
                if m["type"] == "error":
                    self.assertEqual(c.end(), m["data"]["code"])

    def test_frames_in_any_pieces(self):
        with self.hub.ws("documents") as ws:
            ws.connected()
            parts = frame(TEXT, b'{"ty', final=False) + frame(PING, b"between") + frame(0, b'pe":"pi',
                                                                                        final=False) + frame(0, b'ng"}')
            for i in range(len(parts)):
                ws.send(parts[i:i + 1])
            self.assertEqual(ws.frame(), (PONG, b"between"))
            self.assertEqual(ws.message(), {"type": "pong"})

    def test_a_flood_of_messages(self):
        with self.hub.ws() as ws:
            ws.connected()
            ping = frame(TEXT, b'{"type":"ping"}')

            def flood():
                try:
                    ws.send(ping * 20000)
                except OSError:
                    pass
            t = threading.Thread(target=flood)
            t.start()
            self.alive()        # others are served meanwhile
            pongs, code = 0, None
            try:
                while pongs < 20000:
                    m = ws.message()
                    self.assertIn(m["type"], ("pong", "error"))
                    pongs += 1
            except ConnectionError as e:
                code = str(e)
            t.join()
            self.assertTrue(pongs == 20000 or code, "all are answered, or it is ended in words")

    def test_who_does_not_read_is_ended_and_nobody_else_suffers(self):
        text = "x" * 90000
        with self.hub.ws("documents") as deaf, self.hub.ws("documents") as good, self.hub.http() as h:
            deaf.connected()
            good.connected()
            before = self.hub.memory_kb("Rss")
            for i in range(400):        # 40 MB; what the kernel takes for a socket is some MB
                a = h.ask("PATCH", QUEUE, {"data": {"mainQueue": text + str(i)}})
                self.assertEqual(a.status, 200)
                payload = good.message()["data"]["payload"]
                self.assertEqual(payload["$updatedAt"], a.json["$updatedAt"])
            grown = self.hub.memory_kb("Rss") - before
            if SLOW == 1:       # a sanitizer keeps what was freed
                self.assertLess(grown, 20 * 1024, "what waits for one socket is bounded")
            got = 0
            try:
                while True:
                    deaf.message()
                    got += 1
            except ConnectionError:
                pass
            self.assertLess(got, 400, "the deaf one was ended, it did not miss events in silence")
        self.assertEqual(self.hub.ask("PATCH", QUEUE, {"data": {"mainQueue": "[]"}}).status, 200)


if __name__ == "__main__":
    main()
