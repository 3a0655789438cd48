"""A real Slurm: srun, sbatch with signal and requeue, preemption, scancel, job arrays."""
import os
import pathlib
import re
import signal

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
    """A batch job, submitted in a checkout's root, and its log."""

    def __init__(self, cluster, name, *words):
        self.cluster = cluster
        self.log = WORK / f"{name.replace(' ', '_')}.log"
        self.number = cluster.submit("--chdir", checkout(), "--output", self.log,
                                     "--open-mode=append", *words)

    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def ends(self, name, folder, state="COMPLETED", images=IMAGES):
        found = self.cluster.wait(self.number)
        same(f"{name} ({', '.join(found)})", folder, images=images, also=set(found) == {state})
        if set(found) != {state}:
            print(self.said())


def checkout():
    """A folder with the programs in build/bin and weights, as slurm.sbatch expects it."""
    root = WORK / "checkout"
    if not root.exists():
        (root / "build").mkdir(parents=True)
        (root / "build/bin").symlink_to(BIN)
        (root / "pretrained_models").symlink_to(pathlib.Path("pretrained_models").resolve())
    return root


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
    job = Job(cluster, "signal and requeue", "--time=1", "--signal=TERM@50", "--nodes=1", SCRIPT,
              *folder.args[1:])
    job.ends("sbatch with --signal and --requeue and scripts/slurm.sbatch", folder, images=images)
    count = job.said().count("stopped before the end; requeued")
    check(f"control: it was stopped and requeued {count} times", count >= 1, job.said())

    # The other task completes the set, but srun's status is that of the killed one.
    folder = Folder("a task killed", IMAGES)
    job = Job(cluster, "a task killed", "-N1", SCRIPT, *folder.args[1:], "--stall", 5)
    check("both tasks work", both_work(folder), job.said())
    os.kill(folder.members()[-1], signal.SIGKILL)
    job.ends("slurm.sbatch with a task that is killed", folder)
    check("control: it was requeued because of that", "status 137" in job.said(), job.said())


def preempted(cluster):
    folder = Folder("preempted", IMAGES)
    where = ["-N1", "-w", slurm_cluster.NODES[0], "--exclusive"]
    job = Job(cluster, "preempted", *where, SCRIPT, *folder.args[1:])
    check("a job works", folder.wait_for_pngs(4), job.said())
    urgent = Job(cluster, "urgent", *where, "--partition=urgent", "--wrap", "true")
    check("an urgent one takes its node", cluster.wait(urgent.number) == ["COMPLETED"])
    job.ends("a job that is preempted", folder)
    check("control: it was stopped and requeued", "requeued" in job.said(), job.said())


def cancels(cluster):
    folder = Folder("scancel", IMAGES)
    job = Job(cluster, "scancel", "-N1", SCRIPT, *folder.args[1:])
    check("scancel: the job works", folder.wait_for_pngs(4))
    cluster.run("scancel", job.number)
    check("scancel: the job ends as cancelled", cluster.wait(job.number) == ["CANCELLED"])
    check("scancel: it ended itself, and says where it is",
          wait_until(lambda: f"of {IMAGES} images are done" in job.said(), 20), job.said())
    job = Job(cluster, "scancel", "-N1", SCRIPT, *folder.args[1:])
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
    folder = Folder("array", 12)
    job = Job(cluster, "array", "--array=1-2", "-n1", SCRIPT, *folder.args[1:])
    states = cluster.wait(job.number)
    runs = sorted(folder.output.glob("*/*"))
    check("a job array makes one run for each seed", len(runs) == 2 and "seed2" in runs[1].name,
          job.said())
    second = {path.read_bytes() for path in runs[-1].glob("*.png")}
    runs[-1].rename(WORK / "seed 2")
    same(f"a job array over seeds ({', '.join(states)}): seed 1 is the reference", folder,
         also=set(states) == {"COMPLETED"})
    check("and seed 2 has other images", len(second) == 12
          and not second & set(folder.pngs().values()), job.said())
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
    with slurm_cluster.Cluster() as cluster:
        for case in (shares, requeues, preempted, cancels, others):
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
