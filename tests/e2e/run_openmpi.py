"""A real Open MPI: mpirun, and what happens if a rank is killed."""
import os
import re
import signal

import slurm_cluster
from checks import check
from run_support import SHARED_IMAGES, Folder, both_work, finish, same, skipped

IMAGES = SHARED_IMAGES


def openmpi():
    why = slurm_cluster.install(["openmpi-bin"], ["mpirun"])
    if why:
        skipped("Open MPI", why)
        return
    launcher = ["mpirun", "-n", 2, "--oversubscribe"]
    if os.geteuid() == 0:
        launcher.append("--allow-run-as-root")
    folder = Folder("mpirun", IMAGES, threads=None)
    result = finish(folder.start(prefix=launcher, env={"OMP_NUM_THREADS": None}))
    told = re.findall(r"threads: (\d+) \((.*)\)", result.stderr)
    made = {record["rank"] for record in folder.records()}
    same(f"mpirun of two: {told}", folder, result, images=IMAGES, also=made == {0, 1})
    check("each has its share of the cores", len(told) >= 2 and all(
        int(number) <= max(1, len(os.sched_getaffinity(0)) // 2) for number, _ in told), result)
    # Open MPI ends the job if a rank dies; the same command continues.
    folder = Folder("mpirun, a rank killed", IMAGES)
    process = folder.start("--stall", 3, prefix=launcher)
    check("both ranks work", both_work(folder))
    os.kill(folder.members()[-1], signal.SIGKILL)
    result = finish(process)
    check("a rank is killed: mpirun fails", result.returncode not in (0, "hung"), result)
    same("and the same command completes", folder, folder.run("--stall", 3, prefix=launcher),
         images=IMAGES)


CASES = [openmpi]
