"""Shared by the tests of long runs: starting lazymar_eval, reading its folder."""
import argparse
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

from checks import check

PARTS = ("launchers", "threads", "join", "damage", "faults", "kills", "disk")
SLOW_PARTS = ("hosts", "storage", "slurm", "openmpi")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=pathlib.Path, help="folder of binaries")
    parser.add_argument("shim", type=pathlib.Path, help="library of failing writes")
    parser.add_argument("--rounds", type=int, default=0,
                        help="long form, with this many rounds of kill -9; takes hours")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS + SLOW_PARTS))
    found = parser.parse_intermixed_args()
    if unknown := set(found.parts) - set(PARTS + SLOW_PARTS):
        parser.error("unknown part: " + ", ".join(sorted(unknown)))
    return found


ARGUMENTS = arguments()
ROUNDS = ARGUMENTS.rounds
LONG = ROUNDS > 0
BIN = ARGUMENTS.bin.resolve()
SHIM = ARGUMENTS.shim.resolve()
SEED = os.environ.get("SOAK_SEED", "1")
# Images of a run that processes share: some ten seconds, so that each has work, whatever the CPU.
SHARED_IMAGES = 480
MODEL = "--model demo --num_iter 2 --num_sampling_steps 2 --cfg 1 --eval_bsz 2".split()


class Folder:
    """A separate --output_dir, and the single run folder in it."""

    def __init__(self, name, images=12, flags=(), threads=1):
        self.output = WORK / name
        self.args = [
            BIN / "lazymar_eval", *MODEL, "--num_images",
            str(images), "--output_dir", self.output,
            *([] if "--threads" in flags or threads is None else ["--threads", threads]), *flags
        ]

    @property
    def path(self):
        found = [p.parent for p in self.output.glob("*/*/info")]
        return found[0] if found else None

    @property
    def info(self):
        return self.path / "info"

    def start(self, *flags, env=None, prefix=()):
        """`env`: additions; variables that are None are left out."""
        clean = {name: value for name, value in os.environ.items()
                 if name not in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")}
        env = {name: value for name, value in {**clean, **(env or {})}.items() if value is not None}
        return subprocess.Popen([*map(str, prefix), *map(str, self.args), *map(str, flags)],
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                                start_new_session=True)

    def run(self, *flags, env=None, prefix=(), timeout=300):
        return finish(self.start(*flags, env=env, prefix=prefix), timeout)

    def pngs(self):
        paths = sorted(self.path.glob("*.png")) if self.path else []
        return {path.name: path.read_bytes() for path in paths}

    def stamps(self):
        """What changes if a file is rewritten."""
        return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in self.path.glob("*.png")}

    def summary(self):
        return json.loads((self.info / "summary.json").read_text())

    def records(self):
        """The journals' lines that are records."""
        found = []
        for journal in sorted(self.info.glob("journal.*.jsonl")):
            for line in journal.read_bytes().splitlines():
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue
        return [line for line in found if isinstance(line, dict) and "images" in line]

    def wait_for_pngs(self, count, seconds=120):
        return wait_until(lambda: self.path and len(list(self.path.glob("*.png"))) >= count,
                          seconds)

    def members(self):
        """Ids of the processes that are running here."""
        pids = []
        for rank in self.info.glob("ranks/*.json") if self.path else []:
            try:
                pids.append(int(json.loads(rank.read_text())["process"].split()[0]))
            except (ValueError, OSError):
                continue
        return [pid for pid in pids if is_running(pid)]


def by_hand(rank, size=2):
    """The environment by which a launcher gives a process its rank."""
    return {"RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_RANK": str(rank)}


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")",
                                                                    1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def finish(process, timeout=300):
    """Its result as from subprocess.run; a hanging process is killed, its exit status is 'hung'."""
    try:
        out, err = process.communicate(timeout=timeout)
        result = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        if crashes(result):
            check("no process crashes", False, result)
        return result
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, "hung", out, err)


def crashes(result):
    """Ends that none of our kills or faults explains: they fail the test even after a restart."""
    told = r"ended by signal (?:4|6|7|8|11)\b.*|.*corrupted.*|.*free\(\).*|.*malloc\(\).*"
    return re.findall(told, result.stderr) or result.returncode in (-4, -6, -7, -8, -11)


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def both_work(folder):
    return wait_until(
        lambda: folder.path and len({record["rank"] for record in folder.records()}) == 2, 60)


def skipped(name, why):
    print(f"SKIPPED {name}: {why}", flush=True)


_references = {}


def reference(images=12):
    """The PNGs of an undisturbed run of one process."""
    if images not in _references:
        folder = Folder(f"reference{images}", images)
        result = folder.run(timeout=3600)
        _references[images] = folder.pngs()
        check(f"undisturbed run of {images} images", result.returncode == 0
              and len(_references[images]) == images and folder.summary()["complete"], result)
    return _references[images]


def same(name, folder, result=None, images=12, also=True):
    """The folder contains an undisturbed run's files and nothing else, and the output says so."""
    expected, found = reference(images), folder.pngs()
    different = [n for n in expected if found.get(n) != expected[n]
                 ] + [n for n in found if n not in expected]
    summary = folder.summary() if folder.path and (folder.info / "summary.json").exists() else {}
    good = not different and summary.get("complete") is True and summary.get(
        "images") == images and also
    if different:
        print("  different: " + ", ".join(different[:8]))
    check(name, good and (result is None or result.returncode == 0), result)


def random_source(name):
    """The same numbers in every execution of a test, unless SOAK_SEED says otherwise."""
    text = SEED + name
    return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


WORK = pathlib.Path(tempfile.mkdtemp(prefix="lazymar_runs."))


def clean_up():
    shutil.rmtree(WORK, ignore_errors=True)
