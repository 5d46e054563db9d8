"""A disk that can be full."""
import errno
import subprocess
import tempfile
from pathlib import Path


class SmallDisk:
    """A file system of a few MB in a name space of its own, which needs no rights; `works` says whether the kernel
    allows it."""

    def __init__(self, size):
        self.folder = Path(tempfile.mkdtemp(prefix="djamms-disk-"))
        self.holder = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
             f'mount -t tmpfs -o size={size},mode=0700 disk "$1" && echo ready && exec sleep 100000', "sh",
             self.folder],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.works = self.holder.stdout.readline() == b"ready\n"
        self.enter = ["nsenter", "--user", "--mount", "--preserve-credentials", "--target", str(self.holder.pid)]
        self.inside = Path(f"/proc/{self.holder.pid}/root{self.folder}")

    def fill(self):
        """To the last byte."""
        with open(self.inside / "ballast", "wb", buffering=0) as f:
            for size in (65536, 4096, 1):
                try:
                    while f.write(b"x" * size) == size:
                        pass
                except OSError as e:
                    assert e.errno == errno.ENOSPC, e

    def empty(self):
        (self.inside / "ballast").unlink()

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        self.folder.rmdir()
