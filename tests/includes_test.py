#!/usr/bin/env python3
"""Every folder of src/ includes only what the table allows: arrows point one way, and a library stays in the
folder that wraps it. Reads the #include lines."""
import re
import sys
from pathlib import Path

SRC = Path(__file__).resolve().parent.parent / "src"

PROCESS = {"model", "wire", "shm", "config", "base"}
# folder: the folders of ours it may include, besides itself
OURS = {
    "base": set(),
    "config": {"base"},
    "model": {"base"},
    "wire": {"model", "base"},
    "shm": {"model", "base"},
    "store": {"model", "base"},
    "net": {"base"},
    "sync": {"model", "wire", "net", "base"},
    "source": {"model", "wire", "store", "config", "base"},
    "media": {"shm", "base"},
    "overlay": {"model", "base"},
    "output": {"overlay", "shm", "base"},
    "player": PROCESS | {"store", "net", "sync", "source"},
    "deck": PROCESS | {"media"},
    "probe": PROCESS | {"media"},
    "stage": PROCESS | {"overlay", "output"},
    "hub": PROCESS | {"store", "net", "sync"},
    "cli": PROCESS | {"store", "net", "source"},
}
# how a library's headers begin: the folders that may include them
LIBRARIES = {
    r"lib(av(format|codec|filter|util|device)|sw(scale|resample))/": {"media"},
    r"SDL": {"output"},
    r"ass/": {"media"},
    r"xf86drm|libudev": {"output"},
    r"(alsa|libyuv|fontconfig)/|libyuv\.h": {"output"},
    r"fribidi": {"overlay"},
    r"jansson": {"wire"},
    r"uv\.h|uv/": {"player", "cli", "net", "sync", "hub", "source"},
    r"sqlite3": {"store", "hub", "source"},
    r"curl/|libwebsockets": {"net"},
    r"openssl/": {"net", "hub"},
    r"crypt\.h": {"hub"},
    r"ini\.h": {"config"},
    r"png\.h": {"cli"},
    r"systemd/": {"player", "stage", "deck", "hub"},
}
# Everything else in <> must be C or POSIX or Linux.
SYSTEM = re.compile(
    r"(assert|ctype|dirent|dlfcn|endian|errno|fcntl|fnmatch|float|ftw|getopt|glob|grp|inttypes|limits|locale|math|netdb|poll|pthread|"
    r"pwd|regex|sched|semaphore|setjmp|signal|spawn|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdio_ext|stdlib|"
    r"stdnoreturn|string|strings|syslog|termios|threads|time|tgmath|unistd|uchar|wchar|wctype|"
    r"(sys|linux|netinet|arpa|net|asm)/\w+)\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def complaints(folder, name, text):
    """What is wrong with the includes of one file: (line, sentence)."""
    for number, line in enumerate(text.splitlines(), 1):
        m = INCLUDE.match(line)
        if not m:
            continue
        bracket, target = m.groups()
        top = target.split("/")[0]
        if bracket == '"':
            if "/" not in target or top not in OURS:
                yield number, f'"{target}" is not named as "folder/file.h"'
            elif top != folder and top not in OURS[folder]:
                yield number, f"{folder} may not include {top} ({target})"
            continue
        owners = [who for start, who in LIBRARIES.items() if re.match(start, target)]
        if owners and folder not in owners[0]:
            yield number, f"{folder} may not include <{target}>; it belongs to {', '.join(sorted(owners[0]))}"
        if not owners and not SYSTEM.match(target):
            yield number, f"<{target}> is no library this test knows"


def check_itself():
    """The rules bite: each of these must be found, and the last must not."""
    wrong = [("model", '#include "player/jukebox.h"'), ("base", '#include "model/track.h"'),
             ("stage", "#include <SDL2/SDL.h>"), ("cli", "#include <jansson.h>"), ("player", '#include "deck/deck.h"'),
             ("overlay", '#include "overlay.h"'), ("base", "#include <glib.h>")]
    for folder, line in wrong:
        assert list(complaints(folder, "x.c", line)), f"not found: {line} in {folder}"
    assert not list(complaints("stage", "x.c", '#include "shm/control.h"\n#include <math.h>\n'))


def main():
    check_itself()
    bad = files = 0
    for path in sorted(SRC.glob("*/**/*.[ch]")):
        folder = path.relative_to(SRC).parts[0]
        files += 1
        if folder not in OURS:
            print(f"src/{folder}: not in the table")
            bad += 1
            continue
        text = path.read_text()
        for number, sentence in complaints(folder, path.name, text):
            print(f"{path.relative_to(SRC.parent)}:{number}: {sentence}")
            bad += 1
    print(f"{files} files, {bad} wrong includes")
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main())
