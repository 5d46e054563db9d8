"""The sound of the real programs through ALSA, on a device made of a clock and a file: what was decoded is heard, every
sample once, also when the device ran dry; and that is told."""
import os
import signal
import sys
import time
import unittest
import wave
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from house import House, load_clips, main, wait_until
from sound import RATE, Scan

CLIPS = load_clips()
STOP_S = 0.4    # the buffer holds 64 ms; the supervisor does not mind


def devices(house):
    """A configuration of ALSA with the device "board": it takes what an HDMI port takes, and plays into a file."""
    path = house.tmp / "asoundrc"
    path.write_text(f'''
        pcm_type.timed {{ lib "{house.build}/tools/alsa_timed.so" }}
        pcm.subframes {{ type timed file "{house.tmp}/heard" format IEC958_SUBFRAME_LE }}
        pcm.board {{ type plug slave.pcm {{ type iec958 slave {{ format IEC958_SUBFRAME_LE pcm subframes }}
            status [ 4 130 0 1 ] hdmi_mode true }} }}''')
    return {"ALSA_CONFIG_PATH": str(path)}


def recording(house):
    """What was heard, as a WAV file: the sample of a subframe lies in its bits 12 to 27."""
    data = (house.tmp / "heard").read_bytes()
    words = memoryview(data[:len(data) // 8 * 8]).cast("I")
    with wave.open(str(house.wav), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes(b"".join((words[i] >> 12 & 0xffff).to_bytes(2, "little") for i in range(0, len(words), 2)))
    return Scan(house.wav)


class Sound(unittest.TestCase):
    def test_a_device_that_runs_dry_loses_no_sample_and_is_counted(self):
        with House(screen=False) as house:
            p = house.up(CLIPS["q1"]["path"], env=devices(house), sound_driver="alsa", sound_device="board",
                         queue_loop="no", queue_exit_at_end="yes")
            s = house.wait_status(lambda s: (s["now"] or {}).get("position_s", 0) > 1, 15, "it plays")
            self.assertEqual((s["sound"]["driver"], s["sound"]["device"]), ("alsa", "board"))
            before, stage = s["sound"]["xruns"], house.find("djamms-stage")
            os.kill(stage, signal.SIGSTOP)
            time.sleep(STOP_S)      # so long it is stopped
            os.kill(stage, signal.SIGCONT)
            s = house.wait_status(lambda s: s["sound"]["xruns"] > before, 5, "the xrun is told")
            self.assertEqual(house.find("djamms-stage"), stage)
            _, out, _ = house.cli("status")
            self.assertRegex(out, r"sound +alsa board  ran dry \d+ time")
            wait_until(lambda: p.poll() is not None, 20, "it ends by itself")
            self.assertEqual(p.returncode, 0)
            scan = recording(house)
            first, last = scan.inside()
            self.assertAlmostEqual((last - first) / RATE, CLIPS["q1"]["frames"] / CLIPS["q1"]["fps"], delta=0.1)
            self.assertEqual((scan.quiet_inside(), scan.shifts), ([], []))

    def test_the_position_goes_on_with_the_sound_after_it_ran_dry(self):
        def ahead(status):
            """What is written of the sound, from its first silence on, ahead of the position; in seconds."""
            return (house.tmp / "heard").stat().st_size / 8 / RATE - status["now"]["position_s"]

        with House(screen=False) as house:
            house.up(CLIPS["k1"]["path"], env=devices(house), sound_driver="alsa", sound_device="board")
            s = house.wait_status(lambda s: (s["now"] or {}).get("position_s", 0) > 1, 15, "it plays")
            before, xruns, stage = ahead(s), s["sound"]["xruns"], house.find("djamms-stage")
            os.kill(stage, signal.SIGSTOP)
            time.sleep(STOP_S)
            stood = house.status()["now"]["position_s"]
            os.kill(stage, signal.SIGCONT)
            s = house.wait_status(lambda s: s["sound"]["xruns"] > xruns, 5, "the xrun is told")
            after = ahead(s)
            print(f"stood at {stood:.3f} s, then {s['now']['position_s']:.3f} s; the sound was {before:.3f} s ahead of "
                  f"the position, then {after:.3f} s", file=sys.stderr)
            self.assertGreaterEqual(s["now"]["position_s"], stood)
            self.assertLess(abs(after - before), 0.1)   # not by what it stood


if __name__ == "__main__":
    main()
