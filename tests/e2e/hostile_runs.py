"""Run folders made by a stranger: refused in one line, or read as if the strange part were missing.

Nothing outside of the folder is read, written or deleted. Used by hostile_files_test.py.
"""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from checks import check, refused

TERABYTE = 1 << 40
SECONDS = 120
EVAL = ("--model demo --num_images 4 --eval_bsz 2 --num_iter 1 --num_sampling_steps 1 --cfg 1 "
        "--threads 1 --precision fp32").split()


class Runs:
    """A run, copies of it to damage, and a file outside that must stay as it is."""

    def __init__(self, binaries, folder):
        self.binaries = binaries
        self.folder = pathlib.Path(folder)
        self.secret = self.folder / "outside" / "secret"
        self.secret.parent.mkdir()
        self.secret.write_text("mine\n")
        self.good = self.folder / "good"
        result = self.evaluate(self.good)
        check("control: a run is made", result.returncode == 0, result)

    def program(self, name, *arguments):
        """Its result; one that hangs has the exit status "hung". It may take 8 GB of addresses, so
        that one that reads without end does not take the machine's memory."""
        command = [self.binaries / name, *map(str, arguments)]
        try:
            return subprocess.run(["prlimit", f"--as={8 << 30}", *command], capture_output=True,
                                  check=False, text=True, timeout=SECONDS,
                                  stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, "hung", "", "")

    def evaluate(self, output, *flags):
        return self.program("lazymar_eval", *EVAL, "--output_dir", output, *flags)

    def compare(self, output):
        return self.program("lazymar_compare", run_in(self.good), run_in(output), "--output_dir",
                            self.folder / "comparison")

    def score(self, output):
        return self.program("lazymar_score", run_in(output), "--metrics", "none", "--threads", 1)

    def damaged(self, damage):
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.good, copy)
        damage(run_in(copy))
        return copy

    def outside_is_untouched(self):
        return (sorted(p.name for p in self.secret.parent.iterdir()) == ["secret"]
                and self.secret.read_text() == "mine\n")


def run_in(output):
    return next(output.glob("*/*/info")).parent


def settings(**changes):
    def damage(run):
        path = run / "info/manifest.json"
        manifest = json.loads(path.read_text())
        manifest["settings"].update(changes)
        path.write_text(json.dumps(manifest))
    return damage


def text(name, content):
    return lambda run: (run / name).write_text(content)


def hole(name):
    """A huge file that takes no space."""
    def damage(run):
        with (run / name).open("ab") as file:
            file.truncate(TERABYTE)
    return damage


def link(name, target):
    def damage(run):
        path = run / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.symlink_to(target)
    return damage


def pipe(name):
    def damage(run):
        (run / name).unlink(missing_ok=True)
        os.mkfifo(run / name)
    return damage


def journal(**changes):
    def damage(run):
        path = run / "info/journal.0.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps({**line, **changes}) + "\n" for line in lines))
    return damage


def all_refuse(runs):
    """By all three programs."""
    outside = runs.secret.parent
    deep = '{"settings": {"a": ' + "[" * 1_000_000 + "]" * 1_000_000 + "}}"
    cases = {
        "settings are text": text("info/manifest.json", '{"settings": "x"}'),
        "settings are a list": text("info/manifest.json", '{"settings": [1]}'),
        "settings are missing": text("info/manifest.json", "{}"),
        "settings nest a million deep": text("info/manifest.json", deep),
        "the launch is a number": text("info/manifest.json", '{"settings": {}, "launch": 5}'),
        "classes are text": settings(classes="all"),
        "a huge manifest": hole("info/manifest.json"),
        "a huge journal": hole("info/journal.0.jsonl"),
        "a manifest that is a pipe": pipe("info/manifest.json"),
        "a journal that is a pipe": pipe("info/journal.0.jsonl"),
        "an image that is a pipe": pipe("00001.png"),
        "info/ elsewhere": None,
        "a manifest elsewhere": link("info/manifest.json", runs.secret),
        "an endless manifest": link("info/manifest.json", "/dev/zero"),
        "a journal elsewhere": link("info/journal.0.jsonl", runs.secret),
        "a journal elsewhere, relative": link("info/journal.0.jsonl",
                                              "../../../../../outside/secret"),
        "a new journal elsewhere": link("info/journal.7.jsonl", outside / "new"),
        "a log elsewhere": link("info/lazymar_eval.0.log", runs.secret),
        "a summary elsewhere": link("info/summary.json", runs.secret),
        "a status elsewhere": link("info/status.json", runs.secret),
        "claims elsewhere": link("info/claims", outside),
        "ranks elsewhere": link("info/ranks", outside),
        "features elsewhere": link("info/features", outside),
        "an image elsewhere": link("00001.png", runs.secret),
    }

    def info_elsewhere(run):
        shutil.rmtree(runs.folder / "moved", ignore_errors=True)
        shutil.move(run / "info", runs.folder / "moved")
        (run / "info").symlink_to(runs.folder / "moved")

    for name, damage in cases.items():
        copy = runs.damaged(damage or info_elsewhere)
        for what in (runs.evaluate, runs.compare, runs.score):
            refused(f"{name}: {what.__name__} refuses", what(copy))
    check("nothing outside has changed", runs.outside_is_untouched())
    copy = runs.damaged(settings(num_images=1 << 31))
    refused("two thousand million images: score refuses", runs.score(copy), "too few to score")


def all_read(runs):
    """What is wrong counts as missing."""
    def huge_size(run):
        path = run / "info/ranks/0.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "size": 1 << 62}))

    def features(run):
        (run / "info/features").mkdir()
        (run / "info/features/inception.safetensors").write_bytes(b"\xff" * 64)

    cases = {
        "control: nothing is wrong": settings(),
        "a summary of the wrong shape": text("info/summary.json",
                                             '{"launch": 5, "checked": "yes", "steps": []}'),
        "scores of the wrong shape": text("info/scores.json", '{"fid": [], "against": 5}'),
        "a process of the wrong shape": text("info/ranks/0.json", '{"rank": [], "process": 5}'),
        "a launch of 2^62 processes": huge_size,
        "a claim of nobody": text("info/claims/0", "\0\1 -5 ../../x\n"),
        "damaged features": features,
        "a shard withdrawn 2^63 times": lambda run: (run / "info/journal.1.jsonl").write_text(
            '{"block": 0, "undone": 9223372036854775807}\n{"block": -7, "undone": 1e300}\n'),
    }
    for name, damage in cases.items():
        copy = runs.damaged(damage)
        for what in (runs.compare, runs.score, runs.evaluate):
            result = what(copy)
            check(f"{name}: {what.__name__}", result.returncode == 0, result)
    for name, changes in {"2^63 - 1": {"attempt": (1 << 63) - 1}, "a real": {"block": 1e300},
                          "text": {"slots": "2"}, "below 0": {"flops": -1}}.items():
        copy = runs.damaged(journal(**changes))
        refused(f"a journal with {name}: compare finds no image", runs.compare(copy),
                "no finished images")
        result = runs.evaluate(copy)
        check(f"a journal with {name}: the shards are made again", result.returncode == 0, result)


def overwrite(runs):
    def start_anew(output):
        return runs.evaluate(output, "--overwrite")

    run = run_in(runs.damaged(settings()))
    shutil.rmtree(run / "info")
    pictures = {p.name: p.stat().st_ino for p in run.glob("*.png")}
    refused("--overwrite of pictures without a run", start_anew(runs.folder / "copy"),
            "a run without a manifest")
    check("they are still there", {p.name: p.stat().st_ino for p in run.glob("*.png")} == pictures)

    copy = runs.damaged(link("info", runs.secret.parent))
    run = next(copy.glob("*/*"))
    refused("--overwrite through a link", start_anew(copy), "symbolic link")
    check("what it names is untouched", runs.outside_is_untouched())

    copy = runs.damaged(lambda run: (run / "info/features").mkdir(exist_ok=True))
    result = start_anew(copy)
    check("control: --overwrite of a run", result.returncode == 0, result)
    for content in ('{"settings"', '{"settings": "x"}'):
        result = start_anew(runs.damaged(text("info/manifest.json", content)))
        check(f"--overwrite of a damaged manifest: {content}", result.returncode == 0, result)


def hostile_runs(binaries):
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(binaries, folder)
        for case in (all_refuse, all_read, overwrite):
            case(runs)
