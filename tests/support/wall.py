"""The wall clock of programs, set by a test while they run; see wall.c."""
import os
import struct
import time
from pathlib import Path

YEAR = 365 * 86400


class Wall:
    """env: for the programs that are to see it."""

    def __init__(self, path):
        path.write_bytes(bytes(8))
        self.fd = os.open(path, os.O_RDWR)
        library = Path(os.environ["DJAMMS_BUILD"]) / "tools" / "wall.so"
        assert library.exists(), library
        self.env = {"LD_PRELOAD": str(library), "DJAMMS_WALL": str(path)}

    def set(self, offset):
        """Seconds ahead of the true time."""
        os.pwrite(self.fd, struct.pack("=q", int(offset)), 0)

    def set_to(self, seconds):
        """Seconds since 1970."""
        self.set(seconds - time.time())

    def close(self):
        os.close(self.fd)
