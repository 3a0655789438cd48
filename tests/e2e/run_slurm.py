"""A real Slurm: srun, sbatch with signal and requeue, scancel, job arrays."""
import os
import pathlib
import re

import slurm_cluster
from checks import check
from run_support import (
    BIN,
    SHARED_IMAGES,
    WORK,
    Folder,
    both_work,
    finish,
    same,
    skipped,
    wait_until,
)

SCRIPT = pathlib.Path("scripts/slurm.sbatch").resolve()
IMAGES = SHARED_IMAGES


class Job:
    """A batch job and its log."""

    def __init__(self, cluster, name, *words):
        self.cluster = cluster
        self.log = WORK / f"{name.replace(' ', '_')}.log"
        self.number = cluster.submit("--output", self.log, "--open-mode=append", *words)

    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def ends(self, name, folder, state="COMPLETED", images=IMAGES):
        found = self.cluster.wait(self.number)
        same(f"{name} ({', '.join(found)})", folder, images=images, also=set(found) == {state})
        if set(found) != {state}:
            print(self.said())


def script(name, *lines):
    path = WORK / f"{name}.sh"
    path.write_text("#!/bin/bash\n" + "\n".join(lines) + "\n")
    return path


def command(folder, *more):
    return " ".join(f"'{word}'" for word in [*folder.args, *more])


def shares(cluster):
    """Three tasks on two nodes: two share one node's cores."""
    folder = Folder("srun of two tasks", 48, threads=None)
    result = finish(folder.start(prefix=["srun", "-N1", "-n2"],
                                 env={**cluster.environment, "OMP_NUM_THREADS": None}))
    same("srun of two tasks: the bytes of one process", folder, result, images=48)
    told = re.findall(r"threads: (\d+) \((.*)\)", result.stderr)
    check(f"each takes its share of the cores: {told}", len(told) >= 2
          and all(number == str(max(1, len(os.sched_getaffinity(0)) // 2))
                  and reason.endswith("2 ranks here") for number, reason in told), result)
    folder = Folder("srun on two nodes", 48)
    result = finish(folder.start(prefix=["srun", "-N2", "-n3"], env=cluster.environment))
    made = {record["rank"] for record in folder.records()}
    same(f"srun of three tasks on two nodes: ranks {sorted(made)}", folder, result, images=48)


def requeues(cluster):
    # Slurm looks at time limits every half a minute, so two tasks get the work of a minute.
    measured = Folder("how fast", IMAGES)
    measured.run()
    images = max(IMAGES, int(120 / measured.summary()["seconds_per_image"]))
    folder = Folder("signal and requeue", images)
    job = Job(cluster, "signal and requeue", "--time=1", "--signal=TERM@50", "--nodes=1", "--chdir",
              pathlib.Path.cwd(), SCRIPT, *folder.args[1:])
    job.ends("sbatch with --signal and --requeue and scripts/slurm.sbatch", folder, images=images)
    count = job.said().count("stopped before the end; requeued")
    check(f"control: it was stopped and requeued {count} times", count >= 1, job.said())


def cancels(cluster):
    folder = Folder("scancel", IMAGES)
    job = Job(cluster, "scancel", "-n2", "-N1", script("scancel", "srun " + command(folder)))
    check("scancel: the job works", folder.wait_for_pngs(4))
    cluster.run("scancel", job.number)
    check("scancel: the job ends as cancelled", cluster.wait(job.number) == ["CANCELLED"])
    check("scancel: it ended itself, and says where it is",
          wait_until(lambda: f"of {IMAGES} images are done" in job.said(), 20), job.said())
    job = Job(cluster, "scancel", "-n2", "-N1", script("scancel", "srun " + command(folder)))
    job.ends("after scancel, the same job completes", folder)

    folder = Folder("kill of one step", IMAGES)
    lines = [f"srun --overlap -n1 {command(folder, '--stall', 5)} & first=$!",
             f"until ls '{folder.output}'/*/*/*.png; do sleep 0.2; done >/dev/null 2>&1",
             f"srun --overlap -n1 {command(folder, '--stall', 5, '--join')} & wait $first"]
    job = Job(cluster, "kill of one step", "-n2", "-N1", script("kill", *lines))
    check("two steps work on one folder", both_work(folder), job.said())
    killed = cluster.run("scancel", "-s", "KILL", f"{job.number}.1")
    job.ends(f"scancel -s KILL of one step ({killed.returncode}): the other completes", folder)
    check("control: the step was killed", "KILL" in job.said() or "Killed" in job.said()
          or "signal 9" in job.said(), job.said())

    folder = Folder("kill of the only step", IMAGES)
    lines = ["srun -n2 " + command(folder, "--stall", 5)]
    job = Job(cluster, "kill of the only step", "-n2", "-N1", script("kill_all", *lines))
    check("the step works", folder.wait_for_pngs(4))
    cluster.run("scancel", "-s", "KILL", f"{job.number}.0")
    check("kill -9 of every task: the job fails", cluster.wait(job.number) == ["FAILED"])
    job = Job(cluster, "after the kill", "-n2", "-N1", script("kill_all", *lines))
    job.ends("after it, the same job completes", folder)


def others(cluster):
    folders = {seed: Folder(f"seed {seed}", 12, ["--seed", str(seed)]) for seed in (1, 2)}
    line = " ".join(map(str, folders[1].args)).replace(
        "--seed 1", "--seed $SLURM_ARRAY_TASK_ID").replace(
        str(folders[1].output), f"'{WORK}'/seed\\ $SLURM_ARRAY_TASK_ID")
    job = Job(cluster, "array", "--array=1-2", "-n1", "--wrap", "srun " + line)
    states = cluster.wait(job.number)
    same(f"a job array over seeds ({', '.join(states)}): seed 1 is the reference", folders[1],
         also=set(states) == {"COMPLETED"})
    seeds = [folder.pngs() for folder in folders.values()]
    check("and seed 2 has other images", len(seeds[1]) == 12
          and not set(seeds[0].values()) & set(seeds[1].values()), job.said())
    folder = Folder("without srun", 12)
    job = Job(cluster, "without srun", "-n2", "-N1", script("plain", command(folder)))
    job.ends("a batch script that calls the program without srun", folder, images=12)


def slurm():
    why = slurm_cluster.install(slurm_cluster.PACKAGES,
                                ["slurmctld", "slurmd", "srun", "sbatch", "munged"])
    if not why and os.geteuid() != 0:
        why = "a private Slurm needs root"
    if why:
        skipped("Slurm", why)
        return
    # The cluster finds the programs: slurm.sbatch calls lazymar_eval by its name.
    os.environ["PATH"] = f"{BIN}:{os.environ['PATH']}"
    with slurm_cluster.Cluster() as cluster:
        for case in (shares, requeues, cancels, others):
            case(cluster)
    with slurm_cluster.Cluster(task="task/affinity") as cluster:
        folder = Folder("bound tasks", 12, threads=None)
        result = finish(folder.start(prefix=["srun", "-N1", "-n2"],
                                     env={**cluster.environment, "OMP_NUM_THREADS": None}))
        told = re.findall(r"threads: (\d+ \(.*\))", result.stderr)
        same(f"tasks bound to a core each: {told}", folder, result)
        if len(os.sched_getaffinity(0)) > 1:
            check("share their core with nobody", told[:2] == ["1 (1 core)"] * 2, result)


CASES = [slurm]
