"""The relay does to a connection what it was told, and nothing else."""
import os
import socket
import sys
import threading
import unittest

from relay import Relay


class Target:
    """Hands the connections that come to the test."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def accept(self):
        self.listener.settimeout(20)
        peer = self.listener.accept()[0]
        peer.settimeout(20)
        return peer


def read(peer, size):
    data = b""
    while len(data) < size:
        more = peer.recv(size - len(data))
        if not more:
            break
        data += more
    return data


def read_answer(peer):
    """Head and body of an HTTP answer, or of a request."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.recv(1)
        if not more:
            return None
        data += more
    for line in data.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            data += read(peer, int(line.split(b":")[1]))
    return data


def has_nothing(peer):
    peer.setblocking(False)
    try:
        return peer.recv(1) is None
    except BlockingIOError:
        return True
    finally:
        peer.settimeout(20)


GET = b"GET / HTTP/1.1\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
UPGRADE = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Yes\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def text(payload):
    head = bytes([0x81, len(payload)]) if len(payload) < 126 else b"\x81\x7e" + len(payload).to_bytes(2, "big")
    return head + payload


class Faults(unittest.TestCase):
    def setUp(self):
        self.target = Target()
        self.relay = Relay(self.target.port)
        self.addCleanup(self.target.listener.close)
        self.ends = []

    def tearDown(self):
        for end in self.ends:
            end.close()
        self.assertEqual(self.relay.close(), 0)

    def pair(self):
        client = self.relay.connect()
        server = self.target.accept()
        self.ends += [client, server]
        return client, server

    def exchange(self, client, server):
        client.sendall(POST)
        self.assertEqual(read_answer(server), POST)
        server.sendall(OK)
        self.assertEqual(read_answer(client), OK)

    def upgraded(self):
        client, server = self.pair()
        client.sendall(UPGRADE)
        self.assertEqual(read_answer(server), UPGRADE)
        server.sendall(SWITCHED)
        self.assertEqual(read(client, len(SWITCHED)), SWITCHED)
        return client, server

    def test_passes_bytes_and_ends(self):
        client, server = self.pair()
        big = os.urandom(3_000_000)
        sender = threading.Thread(target=lambda: (server.sendall(big), server.shutdown(socket.SHUT_WR)))
        sender.start()
        self.assertEqual(read(client, len(big)), big)
        self.assertEqual(client.recv(1), b"")
        sender.join()
        client.sendall(POST)
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(read_answer(server), POST)
        self.assertEqual(server.recv(1), b"")

    def test_counts(self):
        client, server = self.pair()
        self.exchange(client, server)
        self.exchange(client, server)
        self.assertEqual(self.relay.tell("count"), {"open": 1, "accepted": 1, "requests": 2})

    def test_cut_resets_both_ends(self):
        client, server = self.pair()
        self.assertEqual(self.relay.tell("cut")["open"], 0)
        for end in (client, server):
            with self.assertRaises(ConnectionResetError):
                end.recv(1)
        self.exchange(*self.pair())

    def test_refuse_keeps_what_is_open(self):
        client, server = self.pair()
        self.relay.tell("refuse")
        with self.assertRaises(ConnectionRefusedError):
            self.relay.connect()
        self.exchange(client, server)
        self.relay.tell("pass")
        self.exchange(*self.pair())

    def test_stall_moves_nothing_and_tells_nobody(self):
        client, server = self.pair()
        self.exchange(client, server)
        self.relay.tell("stall")
        client.sendall(GET)
        server.sendall(OK)
        late = self.relay.connect()
        late.sendall(GET)
        self.relay.tell("count")
        self.relay.tell("count")
        self.assertTrue(has_nothing(client) and has_nothing(server) and has_nothing(late))
        self.relay.tell("pass")
        self.assertEqual(read_answer(server), GET)
        self.assertEqual(read_answer(client), OK)
        other = self.target.accept()
        self.assertEqual(read_answer(other), GET)
        self.ends += [late, other]

    def test_slow_lets_little_through(self):
        client, server = self.pair()
        self.relay.tell("slow 2")
        server.sendall(b"x" * 50000)
        got = client.recv(50000)
        self.assertLess(len(got), 50)
        self.relay.tell("pass")
        self.assertEqual(len(got) + len(read(client, 50000 - len(got))), 50000)

    def test_delay_keeps_the_order(self):
        client, server = self.pair()
        self.relay.tell("delay 30")
        client.sendall(b"POST /x HTTP/1.1\r\nContent-Le")
        self.relay.tell("pass")
        client.sendall(b"ngth: 5\r\n\r\nhello")
        self.assertEqual(read_answer(server), POST)
        self.relay.tell("delay 3600000")
        server.sendall(OK)
        self.relay.tell("count")  # it has read that
        self.relay.tell("delay 0")
        self.exchange(*self.pair())
        self.assertTrue(has_nothing(client))

    def test_answers_for_the_server(self):
        client, server = self.pair()
        for what, start, part in (("429", b"HTTP/1.1 429", b"general_rate_limit_exceeded"),
                                  ("500", b"HTTP/1.1 500", b"general_unknown"),
                                  ("html", b"HTTP/1.1 200", b"<html>")):
            self.relay.tell(f"answer {what} 2")
            client.sendall(POST + GET)
            for _ in range(2):
                answer = read_answer(client)
                self.assertTrue(answer.startswith(start) and part in answer, answer)
            self.exchange(client, server)  # nothing of the answered ones came there

    def test_spoils_messages(self):
        client, server = self.upgraded()
        one, two, three, long = text(b"one"), text(b"two"), text(b"three"), text(b"l" * 1000)
        ping = b"\x89\x00"
        for command, sent, got in (("drop 1", one + two, two),
                                   ("double 2", one + long + three, one + one + long + long + three),
                                   ("swap 1", one + two + three, two + one + three),
                                   ("swap 2", one + two + ping + three + long, two + one + ping + long + three),
                                   ("hold 1", one + two + three, two + one + three),
                                   ("hold 3", one + two + three + ping + long + two, two + three + ping + long + one + two),
                                   ("reverse 2", one + two + three, two + one + three),
                                   ("reverse 4", one + two + ping + three + long + two, ping + long + three + two + one + two),
                                   ("reverse 1", one + two, one + two),
                                   ("pass", one + two, one + two)):
            self.relay.tell(command)
            for i in range(len(sent)):  # whatever the pieces are in which it arrives
                server.sendall(sent[i:i + 1])
            self.assertEqual(read(client, len(got)), got, command)
        client.sendall(b"\x81\x80abcd")
        self.assertEqual(read(server, 6), b"\x81\x80abcd")

    def test_says_what_it_does_not_understand(self):
        for line in ("explode", "answer 418 1", "slow", "drop -1"):
            self.relay.process.stdin.write(line + "\n")
            self.relay.process.stdin.flush()
            self.assertEqual(self.relay.process.stdout.readline(), f"error: {line}\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
