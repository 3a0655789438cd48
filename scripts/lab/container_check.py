#!/usr/bin/env python3
"""Runs containers/Dockerfile without Docker, line by line, in bare Debian trees.

    scripts/lab/container_check.py WORK [--base DIR] [--build-arg NAME=VALUE]... [--from-step N]

Needs root and debootstrap. Every FROM becomes a tree in WORK, RUN lines run in it by chroot, and
COPY copies. At the end the last tree's user runs its ENTRYPOINT with doctor and draws two images,
without network, and the tree's size is printed. --base DIR is a bare tree to start from instead of
what debootstrap makes. --bind DIR makes a folder of this machine visible in the trees, and --env
passes a variable, such as those that name a package mirror.
"""
import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MOST_BYTES = 2.5e9


def instructions(text):
    """(word, rest) of every instruction, with continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word.upper(), rest.strip()


def run(*command, **more):
    subprocess.run([str(word) for word in command], check=True, **more)


class Tree:
    """A root file system in which lines run."""

    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                            "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive",
                            **dict(pair.split("=", 1) for pair in options.env)}
        self.user, self.workdir, self.entrypoint = "root", "/", []
        if not folder.exists():
            if options.base:
                run("cp", "-a", options.base, folder)
            else:
                run("debootstrap", "--variant=minbase", "bookworm", folder)
        for name in ("/etc/resolv.conf", "/etc/hosts", *options.copy):
            target = folder / name.lstrip("/")
            if Path(name).is_dir():
                shutil.copytree(name, target, dirs_exist_ok=True)
            elif Path(name).exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(name, target)

    def run(self, line, *, network=True, user=None):
        """A shell line in the tree. It ends with mounts of its own, which leave with it."""
        mounts = [f"mount -t proc proc {self.folder}/proc",
                  f"mount --rbind /dev {self.folder}/dev",
                  f"mount -t tmpfs -o mode=1777 tmpfs {self.folder}/tmp"]  # noqa: S108
        mounts += [f"mkdir -p {self.folder}{bound} && mount --bind {bound} {self.folder}{bound}"
                   for bound in self.options.bind]
        as_user = ["--userspec", f"{user}:{user}"] if user else []
        inner = shlex.join(["chroot", *as_user, str(self.folder), "/usr/bin/env", "-i",
                            *(f"{k}={v}" for k, v in self.environment.items()),
                            "/bin/sh", "-c", f"cd {self.workdir} && {line}"])
        unshare = ["unshare", "--mount"] + ([] if network else ["--net"])
        run(*unshare, "bash", "-ec", "; ".join([*mounts, inner]))

    def copy(self, source, target):
        place = self.folder / target.lstrip("/")
        place.mkdir(parents=True, exist_ok=True)
        if source == ROOT:
            tracked = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True,
                                     capture_output=True).stdout
            run("tar", "-C", ROOT, "--null", "-T", "-", "-cf", place / "all.tar", input=tracked)
            run("tar", "-C", place, "-xf", place / "all.tar")
            (place / "all.tar").unlink()
        else:
            run("cp", "-a", f"{source}/.", place)


def build(options):
    """The last tree of the Dockerfile."""
    given = dict(pair.split("=", 1) for pair in options.build_arg)
    arguments, trees, tree = {}, {}, None
    steps = list(instructions((ROOT / "containers/Dockerfile").read_text(encoding="utf-8")))
    for number, (word, rest) in enumerate(steps):
        print(f"== step {number}: {word} {rest[:100]}", flush=True)
        skip = number < options.from_step
        if word == "ARG":
            name, _, value = rest.partition("=")
            arguments[name] = given.get(name, value)
        elif word == "FROM":
            name = rest.split(" AS ")[1] if " AS " in rest else f"stage{len(trees)}"
            tree = trees[name] = Tree(options.work / name, options)
        elif word == "RUN" and not skip:
            values = " ".join(f"{name}={shlex.quote(value)}" for name, value in arguments.items())
            tree.run(f"export {values}; {rest}")
        elif word == "COPY" and not skip:
            words = rest.split()
            stage = words.pop(0).partition("=")[2] if words[0].startswith("--from=") else None
            tree.copy(trees[stage].folder / words[0].lstrip("/") if stage else ROOT, words[1])
        elif word == "ENV":
            name, _, value = rest.partition("=")
            tree.environment[name] = value.replace("$PATH", tree.environment["PATH"])
        elif word == "USER":
            tree.user = rest
        elif word == "WORKDIR":
            tree.workdir = rest
            (tree.folder / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            (tree.folder / rest.lstrip("/")).chmod(0o777)  # a mounted folder of the user's
        elif word == "ENTRYPOINT":
            tree.entrypoint = re.findall(r'"([^"]*)"', rest)
        elif word not in ("RUN", "COPY", "CMD"):
            sys.exit(f"container_check.py: {word}: not known")
    return tree


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--from-step", type=int, default=0)
    for name in ("--build-arg", "--bind", "--copy", "--env"):
        parser.add_argument(name, action="append", default=[])
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("container_check.py: needs root, for chroot")
    options.work.mkdir(parents=True, exist_ok=True)
    tree = build(options)
    command = shlex.join(tree.entrypoint)
    draw = "eval --model demo --lazy_mar --num_images 2 --num_iter 8 --device cpu"
    for words in ("doctor", draw):
        print(f"== {command} {words}, as {tree.user}, without network", flush=True)
        tree.run(f"{command} {words}", network=False, user=tree.user)
    size = int(subprocess.run(["du", "-sxb", tree.folder], check=True, capture_output=True,
                              text=True).stdout.split()[0])
    print(f"== {size / 1e9:.2f} GB")
    if size > MOST_BYTES:
        sys.exit(f"container_check.py: more than {MOST_BYTES / 1e9} GB")


if __name__ == "__main__":
    main()
