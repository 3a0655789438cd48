"""scripts/lint.sh and scripts/clang_tidy.py, with stand-ins for the real programs.

usage: lint_test.py   (from the repository's root)
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from checks import check, conclude

ROOT = pathlib.Path.cwd()
COPIED = ("clang_tidy.py", "check_format.sh", "lint.sh", "lint_tools.sh", "requirements-lint.txt")
# Finds the word BAD, also in a header beside the file; --version is its own.
TIDY = """#!/bin/sh
if [ "$1" = --version ]; then echo "LLVM version 14.0.6"; exit; fi
for file; do case $file in *.cpp) looked=$file ;; esac; done
echo "${looked##*/}" >>"$LOOKED_AT"
if grep -n BAD "$looked" "${looked%.cpp}.h"; then exit 1; fi
"""
SOURCES = {
    "src/a.h": "",
    "src/a.cpp": '#include "a.h"\n',
    "src/b.cpp": '#include "a.h"\n',
    "src/tensor.h": "#include <ATen/ATen.h>\n",
    "src/c.cpp": '#include "tensor.h"\n',
    ".clang-tidy": "Checks: '*'\n",
}


def run(*command, cwd, **env):
    return subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True,
                          check=False, timeout=60, env={**os.environ, **env})


def git(tree, *words):
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    result = run("git", *identity, *words, cwd=tree)
    check(f"git {words[0]}", result.returncode == 0, result)


def make_tree(tree):
    """A checkout with three sources, of which c.cpp sees LibTorch, and a build."""
    for name, text in SOURCES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    (tree / "scripts").mkdir()
    for name in COPIED:
        shutil.copy(ROOT / "scripts" / name, tree / "scripts" / name)
    (tree / "build").mkdir()
    entries = [{"directory": str(tree / "build"), "file": str(tree / f"src/{name}.cpp"),
                "command": f"c++ -include x/cmake_pch.hxx -I{tree}/src -c {tree}/src/{name}.cpp"}
               for name in "abc"]
    (tree / "build/compile_commands.json").write_text(json.dumps(entries))
    (tree / ".gitignore").write_text("/build/\n/looked-at\n/clang-tidy\n")
    (tree / "clang-tidy").write_text(TIDY)
    (tree / "clang-tidy").chmod(0o755)
    git(tree, "init", "--quiet", "--initial-branch", "main")
    git(tree, "add", ".")
    git(tree, "commit", "--quiet", "-m", "first")


class Lint:
    """Runs clang_tidy.py in a tree; returns the files that it checked."""

    def __init__(self, tree):
        self.tree, self.looked = tree, tree / "looked-at"

    def __call__(self, *flags):
        self.looked.write_text("")
        result = run(sys.executable, "scripts/clang_tidy.py", "--clang-tidy",
                     self.tree / "clang-tidy", *flags, cwd=self.tree, LOOKED_AT=str(self.looked))
        return result, sorted(self.looked.read_text().split())


def selection(tree):
    lint = Lint(tree)
    result, looked = lint("--base", "HEAD", "--minutes", "0")
    check("without time nothing is checked, and that is said", result.returncode == 0
          and looked == [] and "0 of 3 files" in result.stdout
          and "2 not checked for lack of time" in result.stdout, result)
    result, looked = lint("--base", "HEAD")
    check("files that do not see LibTorch are checked", looked == ["a.cpp", "b.cpp"], result)
    command = json.loads((tree / "build/lint/compile_commands.json").read_text())[0]["arguments"]
    check("without GCC's precompiled header", "-include" not in command and "-c" in command)
    result, looked = lint("--base", "HEAD")
    check("what has passed is known", looked == [] and "2 of 3 files" in result.stdout, result)
    result, looked = lint("--base", "HEAD", "--all")
    check("--all: all of them, and anew, since it looks deeper",
          looked == ["a.cpp", "b.cpp", "c.cpp"], result)

    (tree / "src/a.h").write_text("// BAD\n")
    result, looked = lint("--changed")
    check("no base on main's first commit", looked == [] and "no revision" in result.stdout, result)
    result, looked = lint("--changed", "--base", "HEAD")
    check("a changed header is checked with the file of its name", looked == ["a.cpp"], result)
    check("a finding fails, and its file is named", result.returncode == 1
          and "src/a.h:1:// BAD" in result.stdout and "findings in src/a.cpp" in result.stdout,
          result)
    result, looked = lint("--changed", "--base", "HEAD")
    check("what has failed is not known", looked == ["a.cpp"] and result.returncode == 1, result)
    git(tree, "commit", "--quiet", "-am", "second")
    (tree / "src/tensor.h").write_text("#include <c10/core/Device.h>\n")
    result, looked = lint("--changed")
    check("on main the commit before is the base", looked == ["a.cpp", "c.cpp"], result)
    result, looked = lint("--changed", "--base", "none")
    check("an unknown base is refused", result.returncode == 1 and "--base none" in result.stderr,
          result)


def versions(tree):
    """A tool of another version fails in CI, and prints a line elsewhere."""
    programs = tree / "looked-at.d"
    programs.mkdir()
    for name in ("clang-format", "clang-format-14", "clang-tidy", "clang-tidy-14", "ruff",
                 "shellcheck"):
        (programs / name).write_text("#!/bin/sh\necho version 1.2.3\n")
        (programs / name).chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    for part, tool in (("format", "clang-format 14"), ("python", "ruff"), ("shell", "shellcheck"),
                       ("tidy", "clang-tidy 14")):
        for ci, status, word in (("", 0, "SKIPPED"), ("true", 1, "FAILED")):
            result = run("bash", "scripts/lint.sh", part, cwd=tree, PATH=path, CI=ci)
            check(f"{part}, another version, CI={ci}", result.returncode == status
                  and result.stderr.startswith(f"{word}: this check needs {tool}")
                  and "version 1.2.3" in result.stderr and "--lint" in result.stderr, result)
    result = run("bash", "scripts/lint.sh", "--fast", cwd=tree)
    check("an unknown flag is refused", result.returncode == 2 and "--fast" in result.stderr,
          result)


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder).resolve()
    make_tree(folder)
    selection(folder)
    versions(folder)
conclude()
