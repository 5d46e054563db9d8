"""A faulty network between a client and a server; what it can do stands in relay.c."""
import os
import socket
import subprocess
from pathlib import Path


class Relay:
    """To a port of this machine. tell(): its counts after a command; close(): its exit status."""

    def __init__(self, port):
        program = Path(os.environ["DJAMMS_BUILD"]) / "tools" / "relay"
        self.process = subprocess.Popen([program, f"127.0.0.1:{port}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        self.port = int(self.process.stdout.readline().split()[1])

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        assert answer[:2] == ["ok", line.split()[0]], answer
        return dict(zip(answer[2::2], map(int, answer[3::2])))

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def close(self):
        self.process.stdin.close()
        code = self.process.wait(20)
        self.process.stdout.close()
        return code
