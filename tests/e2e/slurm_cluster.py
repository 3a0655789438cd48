"""A private Slurm on this machine: munged, slurmctld, and two nodes whose processes run here.

Jobs of the partition "urgent" preempt others, which get SIGTERM and then 20 seconds."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

PACKAGES = ["slurmctld", "slurmd", "slurm-client", "munge"]
NODES = ("lazya", "lazyb")

CONF = """
ClusterName=lazymar
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin={task}
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
KillWait=10
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=lazya NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 State=UNKNOWN
NodeName=lazyb NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 State=UNKNOWN
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=all Nodes=lazya,lazyb Default=YES MaxTime=INFINITE State=UP GraceTime=20
PartitionName=urgent Nodes=lazya,lazyb MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF
"""


def install(packages, programs):
    """Why the programs cannot be had here; empty if they are here now."""
    missing = [program for program in programs if not shutil.which(program)]
    if not missing:
        return ""
    if os.geteuid() != 0 or not pathlib.Path("/etc/debian_version").exists():
        return f"{', '.join(missing)} missing, and only root on Debian can install them here"
    for command in (["apt-get", "update", "-qq"],
                    ["apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "-y", "-qq",
                     "--no-install-recommends", *packages]):
        result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=900,
                                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    missing = [program for program in programs if not shutil.which(program)]
    return f"apt-get does not install {', '.join(missing)}: {result.stderr[-300:]}" if missing \
        else ""


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Cluster:
    """Use as a context. `environment`: for Slurm's commands. Raises RuntimeError with the logs if
    the nodes do not come up. `task`: how tasks are bound to processors."""

    def __init__(self, task="task/none"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lazymar_slurm."))
        host = socket.gethostname().split(".")[0]
        conf = CONF.format(host=host, folder=self.folder, ports=free_ports(3), task=task)
        (self.folder / "slurm.conf").write_text(conf)
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")}

    def __enter__(self):
        for name in ("state", *(f"spool.{node}" for node in NODES)):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        part = f"{self.folder}/munge"
        self.run("munged", "--force", f"--key-file={key}", f"--socket={part}.socket",
                 f"--pid-file={part}.pid", f"--log-file={part}.log", f"--seed-file={part}.seed")
        self.run("slurmctld")
        for node in NODES:
            self.run("slurmd", "-N", node)
        deadline = time.monotonic() + 60
        while self.run("sinfo", "-h", "-N", "-p", "all", "-o",
                       "%T").stdout.split() != ["idle"] * len(NODES):
            if time.monotonic() > deadline:
                logs = "".join(log.read_text()[-2000:] for log in self.folder.glob("*.log"))
                self.__exit__()
                raise RuntimeError("Slurm's nodes do not come up:\n" + logs)
            time.sleep(0.5)
        return self

    def __exit__(self, *unused):
        self.run("scancel", "--user", "root")
        time.sleep(1)
        for pid in self.folder.glob("*.pid"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(pid.read_text()), 15)
        time.sleep(1)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words, **more):
        return subprocess.run([str(word) for word in words], check=False, capture_output=True,
                              text=True, timeout=300, env=self.environment, **more)

    def submit(self, *words):
        """The number of a batch job."""
        result = self.run("sbatch", "--parsable", *words)
        if result.returncode != 0:
            raise RuntimeError(result.stderr)
        return result.stdout.strip()

    def state(self, job):
        """PENDING, RUNNING, ...; COMPLETED and others stay known for five minutes."""
        shown = self.run("scontrol", "--oneliner", "show", "job", job).stdout.split()
        return [word[9:] for word in shown if word.startswith("JobState=")]

    def wait(self, job, seconds=240):
        """Waits for the end of a job and all its tasks; a requeued one starts again at once, not
        after Slurm's two minutes. Its last states."""
        deadline = time.monotonic() + seconds
        while True:
            states = self.state(job)
            if not {"PENDING", "RUNNING", "SIGNALING", "COMPLETING"} & set(states):
                return states
            if time.monotonic() > deadline:
                return [*states, "too long"]
            if "PENDING" in states:
                # Credentials have whole seconds: one made in the second in which the job was
                # stopped counts as revoked, and the job fails.
                time.sleep(2)
                self.run("scontrol", "update", f"JobId={job}", "StartTime=now")
            time.sleep(0.5)
