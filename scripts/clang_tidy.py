#!/usr/bin/env python3
"""Runs clang-tidy on this checkout's C++ files, by the compile_commands.json of a build.

    scripts/clang_tidy.py                  files that do not see LibTorch, and those changed
    scripts/clang_tidy.py --changed        only those changed
    scripts/clang_tidy.py --all            every file, and the analyzer in its deep mode

A file that includes LibTorch takes half a minute, so not every run can check every file. Changed
are files that differ from --base; a changed header is checked with one file that includes it. What
passed stays known in BUILD/lint until the file, a header of ours that it includes, its compile
command, .clang-tidy or clang-tidy changes. Exit 1: clang-tidy found something.
"""

import argparse
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
LIBTORCH = ("ATen/", "c10/", "caffe2/", "torch/")
# The analyzer's deep mode takes as long as all other checks together.
SHALLOW = tuple(f"--extra-arg={word}"
                for word in "-Xclang -analyzer-config -Xclang mode=shallow".split())


class Includes:
    """Which of our own headers a file includes, directly or not, and whether it sees LibTorch."""

    def __init__(self, folders):
        self.folders = folders
        self.known = {}

    def direct(self, path):
        """(own headers, sees LibTorch) by the include lines of this one file."""
        if path not in self.known:
            own, torch = [], False
            for _, name in INCLUDE.findall(path.read_text(encoding="utf-8", errors="replace")):
                torch = torch or name.startswith(LIBTORCH)
                found = (folder / name for folder in (path.parent, *self.folders))
                header = next((file for file in found if file.is_file()), None)
                if header is not None:
                    own.append(header)
            self.known[path] = own, torch
        return self.known[path]

    def closure(self, path):
        """The file and all own headers that it includes, and whether any of them sees LibTorch."""
        seen, todo, torch = set(), [path], False
        while todo:
            file = todo.pop()
            if file not in seen:
                seen.add(file)
                own, direct_torch = self.direct(file)
                torch = torch or direct_torch
                todo += own
        return seen, torch


@dataclasses.dataclass
class Unit:
    """A file that is compiled."""

    path: Path
    command: list
    files: set  # itself and the own headers it includes
    torch: bool
    changed: bool = False

    @property
    def name(self):
        return self.path.relative_to(ROOT).as_posix()


def without_precompiled(words):
    """A compile command without GCC's precompiled header, which clang cannot read."""
    kept, words = [], iter(words)
    for word in words:
        if word != "-include":
            kept.append(word)
        elif "cmake_pch" not in (name := next(words)):
            kept += [word, name]
    return kept


def read_units(build):
    """A unit per source file of ours; what CMake generated does not count, and neither do kernels:
    int is the number type of CUDA's indices, and its names are reserved ones."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    ours, folders = {}, set()
    for entry in entries:
        path = Path(entry["file"]).resolve()
        if (path.suffix != ".cu" and path.is_relative_to(ROOT)
                and not path.is_relative_to(build)):
            ours[path] = command = without_precompiled(shlex.split(entry["command"]))
            folders |= {Path(word[2:]).resolve() for word in command if word.startswith("-I")}
    includes = Includes(sorted(folder for folder in folders if folder.is_relative_to(ROOT)))
    return [Unit(path, command, *includes.closure(path)) for path, command in sorted(ours.items())]


def git(*arguments):
    """git's output, or None if it fails."""
    result = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return result.stdout if result.returncode == 0 else None


def default_base():
    """The commit where this branch left main; on main itself, the previous commit."""
    head = git("rev-parse", "HEAD")
    for branch in ("origin/main", "main"):
        base = git("merge-base", "HEAD", branch)
        if base and base != head:
            return base.strip()
    before = git("rev-parse", "--verify", "--quiet", "HEAD~1")
    return before.strip() if before else None


def changed_files(base):
    tracked = git("diff", "--name-only", "-z", "--diff-filter=d", base)
    if tracked is None:
        sys.exit(f"clang_tidy.py: --base {base}: git does not know this revision")
    untracked = git("ls-files", "-z", "--others", "--exclude-standard") or ""
    return {ROOT / name for name in (tracked + untracked).split("\0") if name}


def mark_changed(units, changed):
    """A changed header is checked with the file of the same name, or else with the cheapest one."""
    for unit in units:
        unit.changed = unit.path in changed
    for header in changed:
        if any(unit.changed and header in unit.files for unit in units):
            continue
        users = [unit for unit in units if header in unit.files]
        users.sort(key=lambda unit: (unit.path.stem != header.stem, unit.torch, len(unit.files)))
        for unit in users[:1]:
            unit.changed = True


class Linter:
    """Runs clang-tidy on one unit after another and records which ones have passed."""

    def __init__(self, options, units):
        self.program = options.clang_tidy
        self.mode = () if options.all else SHALLOW
        self.cache = options.build / "lint"
        self.cache.mkdir(parents=True, exist_ok=True)
        database = [{"directory": str(options.build), "file": str(unit.path),
                     "arguments": unit.command} for unit in units]
        (self.cache / "compile_commands.json").write_text(json.dumps(database), encoding="utf-8")
        self.deadline = time.monotonic() + 60 * options.minutes
        version = subprocess.run(
            [self.program, "--version"], capture_output=True, check=True
        ).stdout
        self.salt = version + (ROOT / ".clang-tidy").read_bytes() + Path(__file__).read_bytes()

    def stamp(self, unit):
        """The file that exists if this unit has passed in its present state."""
        digest = hashlib.sha256(self.salt + repr((self.mode, unit.command)).encode())
        for path in sorted(unit.files):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(ROOT)}:{len(content)}:".encode() + content)
        return self.cache / digest.hexdigest()

    def check(self, unit):
        """clang-tidy's findings, or None if there was no time left."""
        if time.monotonic() > self.deadline:
            return None
        stamp = self.stamp(unit)
        command = [self.program, "--quiet", *self.mode, "-p", self.cache, unit.path]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        found = result.stdout.replace(f"{ROOT}/", "").strip()
        if result.returncode != 0 and not found:
            found = f"{unit.name}: clang-tidy ended with {result.returncode}: {result.stderr}"
        if not found:
            stamp.touch()
        return found


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="check every file")
    which.add_argument("--changed", action="store_true", help="check only changed files")
    parser.add_argument("--base", help="revision to compare with [default: where main was left]")
    parser.add_argument("--minutes", type=float, default=float("inf"),
                        help="start no file after so many minutes [default: no limit]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="[default: processors]")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="[default: build]")
    parser.add_argument("--clang-tidy", default="clang-tidy", help="[default: clang-tidy]")
    options = parser.parse_args()
    options.build = options.build.resolve()
    if not (options.build / "compile_commands.json").exists():
        parser.error(f"{options.build} has no compile_commands.json; run scripts/build.sh")
    return options


def select(units, options):
    """The units to check, changed ones first, and a description of them."""
    base = options.base or default_base()
    mark_changed(units, changed_files(base) if base else set())
    changed = sum(unit.changed for unit in units)
    against = f"{changed} changed since {base[:12]}" if base else "no revision to compare with"
    if options.all:
        chosen, what = units, "all"
    elif options.changed:
        chosen, what = [unit for unit in units if unit.changed], against
    else:
        chosen = [unit for unit in units if unit.changed or not unit.torch]
        what = f"without LibTorch, and {against}"
    return sorted(chosen, key=lambda unit: (not unit.changed, unit.torch, unit.name)), what


def main():
    options = parse_arguments()
    units = read_units(options.build)
    chosen, what = select(units, options)
    linter = Linter(options, units)
    todo = [unit for unit in chosen if not linter.stamp(unit).exists()]
    checked, told, failed = 0, set(), []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for unit, found in zip(todo, pool.map(linter.check, todo), strict=True):
            checked += found is not None
            if not found:
                continue
            failed.append(unit.name)
            if found not in told:
                told.add(found)
                print(found, flush=True)
    known, late = len(chosen) - len(todo), len(todo) - checked
    print(f"clang-tidy: {known + checked} of {len(units)} files checked ({what}; {known} known to "
          f"pass from before), {len(failed)} with findings"
          + (f"; {late} not checked for lack of time: scripts/lint.sh --all" if late else ""))
    if failed:
        print("clang-tidy: findings in " + " ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
