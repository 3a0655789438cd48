"""Two hosts, made of namespaces (names, processes, mounts), and one folder that both see."""
import collections
import os
import pathlib
import signal
import subprocess
import time

from checks import check
from run_support import (
    SHARED_IMAGES,
    SHIM,
    Folder,
    both_work,
    by_hand,
    finish,
    is_running,
    same,
    skipped,
    wait_until,
)

STALL = 3
CLOCK = SHIM.with_name("libother_clock.so")
IMAGES = SHARED_IMAGES


def namespaces():
    """The words that start a command on a host of its own; None where that is not allowed."""
    words = ["--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount"]
    for user in ([], ["--user", "--map-root-user"]):
        try:
            if subprocess.run(["unshare", *user, *words, "hostname", "x"], check=False,
                              capture_output=True).returncode == 0:
                return ["unshare", *user, *words]
        except FileNotFoundError:
            return None
    return None


def on_host(name):
    return [*HOST, "bash", "-c", f'hostname {name} && exec "$@"', "bash"]


def start(folder, rank, *flags, env=None):
    return folder.start("--stall", STALL, *flags, prefix=on_host(f"host{rank}"),
                        env={**by_hand(rank), "LOCAL_RANK": "0", **(env or {})})


def program_of(process):
    """The process id, in this namespace, of lazymar_eval below unshare.

    By the name it was started with: the file behind it is lazymar."""
    children = [process.pid]
    while children:
        pid = children.pop()
        if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "lazymar_eval":
            return pid
        children += [int(child) for child in
                     pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return None


def makers(folder):
    """Ranks by shard: a shard that was made twice has two."""
    made = collections.defaultdict(list)
    for record in folder.records():
        made[record["block"]].append(record["rank"])
    return made


def together():
    folder = Folder("two hosts", IMAGES)
    processes = [start(folder, rank) for rank in (0, 1)]
    results = [finish(process) for process in processes]
    made = makers(folder)
    same("two hosts, one folder", folder, results[0], images=IMAGES,
         also=results[1].returncode == 0 and {0} < {rank for r in made.values() for rank in r})
    check("no shard was made twice", all(len(ranks) == 1 for ranks in made.values()), dict(made))
    folder = Folder("join from another host", IMAGES)
    run = folder.start("--stall", STALL, prefix=on_host("first"))
    check("a run is at work on one host", folder.wait_for_pngs(1))
    other = folder.start("--join", "--stall", STALL, prefix=on_host("second"))
    result = finish(run)
    ranks = {rank for ranks in makers(folder).values() for rank in ranks}
    same("a process of another host joins it", folder, result, images=IMAGES,
         also=finish(other).returncode == 0 and ranks == {0, 1})


def killed():
    folder = Folder("a host dies", IMAGES)
    processes = [start(folder, rank) for rank in (0, 1)]
    check("both hosts work", both_work(folder))
    os.kill(program_of(processes[1]), signal.SIGKILL)
    same("kill -9 on one host: the other completes", folder, finish(processes[0]), images=IMAGES)
    check("control: the killed one did not end by itself", finish(processes[1]).returncode != 0)


def frozen():
    """Long shards, so that the frozen process is within one."""
    folder = Folder("a host stands still", 48, ["--num_iter", "32"])
    processes = [start(folder, rank) for rank in (0, 1)]
    check("both hosts work on long shards", both_work(folder))
    pid = program_of(processes[1])
    claims = folder.info / "claims"

    def held():
        return [p.name for p in claims.glob("[0-9]*") if " host1" in p.read_text()]
    check("the second host holds a shard", wait_until(held, 30))
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.1)
    shards = [int(name) for name in held()]
    result = finish(processes[0])
    made = makers(folder)
    stamps = folder.stamps()
    taken = [shard for shard in shards if made[shard] == [0]]
    check(f"the first host takes what the frozen one holds, and completes: {taken}",
          result.returncode == 0 and taken == shards and folder.summary()["complete"]
          and is_running(pid), result)
    os.kill(pid, signal.SIGCONT)
    result = finish(processes[1])
    check("thawed, it notices", result.returncode == 0
          and all(f"shard {shard}: this process stood still" in result.stderr for shard in taken),
          result)
    check("and writes nothing: no image, no record",
          folder.stamps() == stamps and makers(folder) == made, result)


def clocks():
    # The clock of the process, as its log shows it, and of the file system are different things.
    for name, env in (("an hour ahead and behind", [{"CLOCK_SHIFT": "3600"},
                                                    {"CLOCK_SHIFT": "-3600"}]),
                      ("whole seconds", [{"FILE_TIME_UNIT": "1"}] * 2),
                      ("two seconds", [{"FILE_TIME_UNIT": "2"}] * 2)):
        for kill in (False, True):
            folder = Folder(f"{name} {kill}", IMAGES)
            processes = [start(folder, rank, env={"LD_PRELOAD": str(CLOCK), **env[rank]})
                         for rank in (0, 1)]
            check(f"{name}: both hosts work", both_work(folder))
            if kill:
                os.kill(program_of(processes[1]), signal.SIGKILL)
            result = finish(processes[0])
            finish(processes[1])
            made = makers(folder)
            same(f"{name}: complete{', though one was killed' if kill else ''}", folder, result,
                 images=IMAGES)
            check(f"{name}: no shard was made twice", all(len(r) == 1 for r in made.values()),
                  dict(made))
            if "CLOCK_SHIFT" in env[0]:
                times = {rank: max(r["finished"] for r in folder.records() if r["rank"] == rank)
                         for rank in (0, 1)}
                check("control: their clocks differ by two hours",
                      7000 < times[0] - times[1] < 7400, times)


HOST = namespaces()
CASES = [together, killed, frozen, clocks]
if HOST is None:
    CASES = [lambda: skipped("two hosts", "this user may not make namespaces")]
