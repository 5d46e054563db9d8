"""The units as they are installed."""
import atexit
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

UNITS = {"ms": 0.001, "s": 1, "min": 60, "": 1}


def stage_install(prefix="/usr"):
    """A folder with all that `cmake --install` puts below `prefix`, made once a process."""
    if not hasattr(stage_install, "folder"):
        stage_install.folder = Path(tempfile.mkdtemp(prefix="djamms-install-"))
        atexit.register(shutil.rmtree, stage_install.folder)
        subprocess.run(["cmake", "--install", os.environ["DJAMMS_BUILD"], "--prefix", prefix], check=True,
                       stdout=subprocess.DEVNULL, env=dict(os.environ, DESTDIR=str(stage_install.folder)))
    return stage_install.folder / prefix.lstrip("/")


def settings(unit):
    """All settings of a unit: name -> values in order."""
    out = {}
    for line in unit.read_text().splitlines():
        m = re.match(r"([A-Z]\w*)=(.*)", line)
        if m:
            out.setdefault(m[1], []).append(m[2])
    return out


def seconds(text):
    """A time as units write it: 3, 200ms, 2min."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|min|)", text).groups()
    return int(number) * UNITS[unit]
