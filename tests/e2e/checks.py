"""Reporting for tests of whole programs: a line per check, then the count of failures."""
import re
import subprocess
import sys

failures = []


def check(name, condition, said=None):
    """`said`, a finished process or anything printable, is shown if the condition fails."""
    print(("ok      " if condition else "FAILED  ") + name, flush=True)
    if condition:
        return
    failures.append(name)
    if isinstance(said, subprocess.CompletedProcess):
        print(f"  exit {said.returncode}\n  stdout: {said.stdout}\n  stderr: {said.stderr}")
    elif said is not None:
        print(f"  {said}")


def refused(name, result, *parts, status=2):
    """The status; and stderr's last line, the only one of ours, contains every part."""
    errors = [line for line in result.stderr.splitlines() if re.match(r"lazymar_[a-z]+: ", line)]
    one_line = len(errors) == 1 and result.stderr.splitlines()[-1] == errors[0]
    check(name, result.returncode == status and one_line and all(p in errors[0] for p in parts),
          result)


def conclude(status_without_failures=0):
    """Ends the process: with 1 if a check failed."""
    print("all well" if not failures else f"{len(failures)} failed: " + "; ".join(failures))
    sys.exit(1 if failures else status_without_failures)
