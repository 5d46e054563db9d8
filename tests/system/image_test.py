#!/usr/bin/env python3
"""The image of a card, made from a small system of the test's own: its partitions, what firmware finds to start from, the root with the
owners of its files, the bill of materials; and that its units have no mistakes. That it starts is shown by
tests/image."""
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

IMAGE = Path(__file__).resolve().parents[2] / "image"
SYSTEM = IMAGE / "system"
MIB = 1 << 20
FAT_AT, ROOT_AT = 4 * MIB, 260 * MIB
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
TOOLS = ("mcopy", "mkfs.vfat", "sfdisk", "mke2fs", "debugfs")
HAS_TOOLS = all(shutil.which(t, path=PATH) for t in TOOLS)
IS_ROOT = os.geteuid() == 0


def run(*argv):
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=300, env=dict(os.environ, PATH=PATH))
    if r.returncode:
        raise AssertionError(f"{argv}: {r.stdout}{r.stderr}")
    return r.stdout


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@unittest.skipUnless(HAS_TOOLS, "mtools, dosfstools, fdisk and e2fsprogs are needed (./dev deps test)")
class Disk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = Path(tempfile.mkdtemp(prefix="djamms-image-"))
        cls.addClassCleanup(shutil.rmtree, cls.tmp)
        root = cls.root = cls.tmp / "root"
        for name, text in {"boot/vmlinuz-6.9.1": "old", "boot/vmlinuz-6.12.1": "kernel", "boot/initrd.img-6.9.1": "old",
                           "boot/initrd.img-6.12.1": "initrd", "usr/lib/systemd/boot/efi/systemd-bootx64.efi": "loader",
                           "boot/firmware/config.txt": "kernel=vmlinuz-6.12.1\n", "boot/firmware/start4.elf": "firmware",
                           "boot/firmware/cmdline.txt": "root=/dev/other\n", "boot/firmware/overlays/a.dtbo": "overlay",
                           "etc/djamms/djamms.ini": "# settings\n", "var/lib/djamms/secret": "x"}.items():
            write(root / name, text)
        (root / "var/lib/djamms").chmod(0o700)
        if IS_ROOT:
            os.chown(root / "var/lib/djamms/secret", 123, 456)
        cls.images = {}
        for board in ("virt", "pi3", "pi4"):
            cls.images[board] = cls.tmp / f"{board}.img"
            run(IMAGE / "make-disk", board, root, cls.images[board])

    def on_fat(self, board, name):
        return run("mtype", "-i", f"{self.images[board]}@@{FAT_AT}", f"::{name}")

    def on_root(self, board, words):
        return run("debugfs", "-R", words, f"{self.images[board]}?offset={ROOT_AT}")

    def test_the_partitions(self):
        for board, kind in (("virt", "ef"), ("pi3", "c"), ("pi4", "c")):
            image = self.images[board]
            table = json.loads(run("sfdisk", "-J", image))["partitiontable"]
            fat, root = table["partitions"]
            self.assertEqual((table["label"], fat["type"], root["type"]), ("dos", kind, "83"))
            self.assertEqual((fat["start"] * 512, root["start"] * 512), (FAT_AT, ROOT_AT))
            self.assertEqual(fat["size"] * 512, ROOT_AT - FAT_AT)
            self.assertEqual(image.stat().st_size, ROOT_AT + root["size"] * 512)
            self.assertLess(image.stat().st_blocks * 512, 100 * MIB)     # holes stay holes
            with image.open("rb") as f:
                f.seek(FAT_AT)
                boot = f.read(100)
            self.assertEqual((boot[82:87], boot[71:77]), (b"FAT32", b"DJAMMS"))
            size = int.from_bytes(boot[32:36], "little") * 512
            self.assertTrue(ROOT_AT - FAT_AT - MIB < size <= ROOT_AT - FAT_AT, size)

    def test_a_machine_with_uefi_finds_its_loader_and_it_the_newest_kernel(self):
        self.assertEqual(self.on_fat("virt", "EFI/BOOT/BOOTX64.EFI"), "loader")
        entry = self.on_fat("virt", "loader/entries/djamms.conf")
        self.assertIn("linux /vmlinuz\ninitrd /initrd.img\noptions root=LABEL=djamms-root ", entry)
        self.assertEqual((self.on_fat("virt", "vmlinuz"), self.on_fat("virt", "initrd.img")), ("kernel", "initrd"))
        self.assertIn("editor no", self.on_fat("virt", "loader/loader.conf"))

    def test_a_board_finds_its_firmware_and_our_root(self):
        for board in ("pi3", "pi4"):
            self.assertEqual(self.on_fat(board, "start4.elf"), "firmware")
            self.assertEqual(self.on_fat(board, "overlays/a.dtbo"), "overlay")
            self.assertTrue(self.on_fat(board, "config.txt").startswith("kernel=vmlinuz-6.12.1\n"))
            line = self.on_fat(board, "cmdline.txt")
            self.assertIn("root=LABEL=djamms-root ", line)
            self.assertEqual(line.count("\n"), 1)
            # where devices of a Pi 4 cannot reach it, it does not start
            self.assertEqual("@0-1G" in line, board == "pi4")

    def test_the_settings_lie_where_people_find_them(self):
        for board in self.images:
            self.assertEqual(self.on_fat(board, "djamms.ini"), "# settings\n")

    def test_the_root_has_its_label_its_files_and_their_owners(self):
        for board in self.images:
            self.assertIn("djamms-root", self.on_root(board, "stats"))
            self.assertEqual(self.on_root(board, "cat /boot/vmlinuz-6.12.1"), "kernel")
            secret = self.on_root(board, "stat /var/lib/djamms/secret")
            if IS_ROOT:
                self.assertRegex(secret, r"User: +123 +Group: +456 ")
            self.assertRegex(self.on_root(board, "stat /var/lib/djamms"), r"Mode: +0700 ")
            run("e2fsck", "-fn", f"{self.images[board]}?offset={ROOT_AT}")

    def test_fstab_names_the_partitions_by_the_labels_they_have(self):
        fstab = [line.split() for line in (SYSTEM / "etc/fstab").read_text().splitlines()]
        self.assertEqual([(f[0], f[1]) for f in fstab], [("LABEL=djamms-root", "/"), ("LABEL=DJAMMS", "/boot/firmware")])
        self.assertIn("ro", fstab[1][3].split(","))     # FAT has no journal


@unittest.skipUnless(shutil.which("dpkg-query"), "dpkg is needed")
class Bill(unittest.TestCase):
    def test_it_names_every_package_its_version_its_licences_and_the_image(self):
        tmp = Path(tempfile.mkdtemp(prefix="djamms-bill-"))
        self.addCleanup(shutil.rmtree, tmp)
        packages = {"djamms": ("0.1.0", "Format: https://x\n\nFiles: *\nLicense: MIT\n\nFiles: a\nLicense: GPL-2+\n text\n"),
                    "libold": ("1:2.3-4+deb13u1", "This is prose about a License: none.\n"), "libbare": ("3", None)}
        status = ""
        for name, (version, text) in packages.items():
            status += (f"Package: {name}\nStatus: install ok installed\nMaintainer: x\nArchitecture: amd64\n"
                       f"Source: src-{name} (9)\nVersion: {version}\nDescription: x\n\n")
            if text:
                write(tmp / f"usr/share/doc/{name}/copyright", text)
        write(tmp / "var/lib/dpkg/status", status)
        write(tmp / "a.img", "image")
        bill = json.loads(run(IMAGE / "make-bill", tmp, tmp / "a.img"))
        self.assertEqual(bill["bomFormat"], "CycloneDX")
        self.assertEqual({c["name"]: (c["version"], [x["license"]["name"] for x in c.get("licenses", [])])
                          for c in bill["components"]},
                         {"djamms": ("0.1.0", ["GPL-2+", "MIT"]), "libold": ("1:2.3-4+deb13u1", []), "libbare": ("3", [])})
        self.assertEqual(bill["components"][0]["properties"], [{"name": "source", "value": "src-djamms 9"}])
        self.assertEqual([c["purl"] for c in bill["components"]][2], "pkg:deb/debian/libold@1%3A2.3-4%2Bdeb13u1?arch=amd64")
        made = bill["metadata"]["component"]
        self.assertEqual((made["name"], made["version"]), ("a.img", "0.1.0"))
        self.assertEqual(made["hashes"], [{"alg": "SHA-256", "content": hashlib.sha256(b"image").hexdigest()}])


class Units(unittest.TestCase):
    def setUp(self):
        self.units = sorted((SYSTEM / "etc/systemd/system").glob("*.service"))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed (apt install systemd)")
    def test_systemd_finds_no_mistake_in_them(self):
        tmp = Path(tempfile.mkdtemp(prefix="djamms-image-units-"))
        self.addCleanup(shutil.rmtree, tmp)
        for unit in self.units:
            write(tmp / unit.name, unit.read_text().replace("=/usr/lib/djamms-box", f"={SYSTEM}/usr/lib/djamms-box"))
        r = subprocess.run(["systemd-analyze", "verify", "--man=no", *(str(tmp / u.name) for u in self.units)],
                           capture_output=True, text=True, timeout=60, env=dict(os.environ, SYSTEMD_UNIT_PATH=f"{tmp}:"))
        self.assertEqual((r.stderr, r.returncode), ("", 0))

    def test_each_starts_a_program_that_is_there_and_is_enabled(self):
        enabled = (IMAGE / "make-root").read_text()
        self.assertEqual(len(self.units), 3)
        for unit in self.units:
            program, = re.findall(r"^ExecStart=(\S+)", unit.read_text(), re.M)
            path = SYSTEM / program.lstrip("/")
            self.assertTrue(path.stat().st_mode & stat.S_IXUSR, program)
            run("sh", "-n", path)
            self.assertRegex(enabled, rf"(?s)units enable [^\n]*(\\\n[^\n]*)*{unit.name}")

    def test_settings_are_read_before_anything_of_ours_starts(self):
        wanted = re.findall(r"djamms-\S+\.service", (SYSTEM.parents[1] / "assets/systemd/djamms.target.in").read_text())
        before, = re.findall(r"^Before=(.*)", (SYSTEM / "etc/systemd/system/djamms-box-settings.service").read_text(), re.M)
        self.assertEqual(sorted(before.split()), sorted(wanted))


if __name__ == "__main__":
    unittest.main(verbosity=2)
