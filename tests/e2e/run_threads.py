"""Threads: their number is a process's share of the processors, and images do not depend on it."""
import contextlib
import os
import pathlib
import re

from checks import check
from run_support import Folder, by_hand, finish, same, skipped

UNSET = {"OMP_NUM_THREADS": None, "SLURM_CPUS_PER_TASK": None}

def threads():
    # With ATen's own SiLU, GroupNorm and small convolutions, this would fail.
    for count in (2, 3):
        folder = Folder(f"{count} threads", flags=["--threads", str(count)])
        result = folder.run(env={"OMP_NUM_THREADS": str(count)})
        same(f"{count} threads make the bytes that one makes", folder, result)
    # The undisturbed run uses --precision auto; this uses the other one.
    exact = {}
    for count in (1, 2, 3):
        folder = Folder(f"fp32, {count} threads", 4,
                        ["--threads", str(count), "--precision", "fp32"])
        result = folder.run(env={"OMP_NUM_THREADS": str(count)})
        exact[count] = folder.pngs()
        check(f"fp32, {count} threads", result.returncode == 0 and exact[count] == exact[1], result)


def told(result):
    """The numbers of threads that a process told, each with its reason."""
    return re.findall(r"threads: (\d+) \(([^)]*)\)", result.stderr)


def chosen(name, env=None, prefix=()):
    """What a process without --threads tells, beside the bytes of one thread."""
    folder = Folder(name, 4, threads=None)
    result = folder.run(env={**UNSET, **(env or {})}, prefix=prefix)
    same(f"{name}: {told(result)}", folder, result, images=4)
    return told(result)


def shares():
    cores = len(os.sched_getaffinity(0))
    alone = chosen("alone")
    check(f"alone: one line, with the cores: {alone}", len(alone) == 1 and "core" in alone[0][1]
          and 1 <= int(alone[0][0]) <= cores)
    check("one core by taskset: one thread",
          chosen("one core", prefix=["taskset", "-c", min(os.sched_getaffinity(0))])
          == [("1", "1 core")])
    for name, value in (("OMP_NUM_THREADS", "1"), ("SLURM_CPUS_PER_TASK", "1")):
        found = chosen(name, {name: value})
        check(f"{name}={value}: one thread, and the reason: {found}", len(found) == 1
              and found[0][0] == "1" and f"{name}=1" in found[0][1])
    many = chosen("OMP_NUM_THREADS beyond the cores", {"OMP_NUM_THREADS": "4000"})
    check("more than the cores is no reason for more threads", many[0][0] == alone[0][0])
    slurm = {"SLURM_STEP_ID": "0", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1",
             "SLURM_NODEID": "1", "SLURM_TASKS_PER_NODE": "1,64(x3)"}
    found = chosen("64 tasks on this node", slurm)
    check(f"64 tasks on this node: one thread: {found}", found[:1] == [("1", alone[0][1]
                                                                       + ", 64 ranks here")])


def counted():
    """Two processes whose launcher tells no local size find each other in the run folder."""
    if chosen("cores for two")[0][0] == "1":
        skipped("processes that find each other", "this process has one core")
        return
    folder = Folder("found each other", 48, threads=None)
    both = [folder.start("--num_iter", 24, env={**UNSET, **by_hand(rank)}) for rank in (0, 1)]
    results = [finish(process) for process in both]
    for rank, result in enumerate(results):
        check(f"rank {rank} begins with all cores and shares them when it sees the other: "
              f"{told(result)}", result.returncode == 0 and int(told(result)[0][0]) > 1
              and any("2 ranks here" in reason for _, reason in told(result)), result)


@contextlib.contextmanager
def quota_group():
    """A control group with a quota of one CPU: the file to join it; None where it cannot be."""
    for top, limit, text in (("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "100000"),
                             ("/sys/fs/cgroup", "cpu.max", "100000 100000")):
        group = pathlib.Path(top) / f"lazymar_test.{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(text)
            yield group / "cgroup.procs"
            return
        except OSError:
            continue
        finally:
            group.rmdir()
    yield None


def quota():
    with quota_group() as join:
        if join is None:
            skipped("a quota of one CPU", "no control group can be made here")
            return
        found = chosen("quota", prefix=["bash", "-c", f'echo $$ >{join} && exec "$@"', "bash"])
        check(f"a quota of one CPU: one thread: {found}", len(found) == 1 and found[0][0] == "1"
              and "a quota of 1" in found[0][1])


CASES = [threads, shares, counted, quota]
