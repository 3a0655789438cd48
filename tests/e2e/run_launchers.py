"""Many processes, one folder: launchers, refusals, results."""
import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess

import slurm_cluster
from checks import check, refused
from run_support import LONG, Folder, by_hand, finish, same, skipped


def processes():
    folder = Folder("three workers")
    result = folder.run("--workers", 3)
    same("three workers", folder, result)
    made = collections.Counter(image["id"] for record in folder.records()
                               for image in record["images"])
    check("every image made by somebody", sorted(made) == list(range(12)), result)
    check("no claim is left",
          not [p for p in (folder.info / "claims").iterdir() if p.name[0] != "."], result)
    states = [json.loads(p.read_text())["state"] for p in (folder.info / "ranks").glob("*.json")]
    check("everybody is said to have ended", states == ["ended"] * 3, result)

    folder = Folder("more workers than images", 1)
    same("more workers than images", folder, folder.run("--workers", 3), images=1)

    # One of two plain processes, which are not restarted, is killed in the middle.
    folder = Folder("two processes", 24)
    flags = ["--stall", 2]
    first = folder.start(*flags, env=by_hand(0))
    second = folder.start(*flags, env=by_hand(1))
    check("two processes get to work", folder.wait_for_pngs(2))
    second.kill()
    second.communicate()
    same("one of two processes is killed: the other does its share", folder, finish(first),
         images=24)

    folder = Folder("a process that stands still", 24)
    processes = [folder.start(*flags, env=by_hand(rank)) for rank in (0, 1)]
    folder.wait_for_pngs(2)
    processes[1].send_signal(signal.SIGSTOP)
    same("a process that stands still: the other does its share", folder, finish(processes[0]),
         images=24)
    processes[1].send_signal(signal.SIGCONT)
    result = finish(processes[1])
    same("it goes on and finds everything done", folder, result, images=24)


def works(program):
    """True if torchrun starts: the one in LibTorch's wheel needs other packages."""
    return program and pathlib.Path(program).exists() \
        and subprocess.run([program, "--help"], capture_output=True, check=False).returncode == 0


def torchrun():
    """wheel_test.py does this too, in an environment that has all of torch."""
    found = next(
        filter(works, (os.environ.get("TORCHRUN"), ".venv/bin/torchrun", shutil.which("torchrun"))),
        None)
    if found is None:
        skipped("torchrun", "none that starts in TORCHRUN, .venv or PATH; e2e.wheel has one")
        return
    folder = Folder("torchrun")
    launcher = [found, "--standalone", "--no-python", "--nproc-per-node", "2"]
    result = folder.run(prefix=launcher)
    same("two processes under torchrun", folder, result)
    check("both have a log", len(list(folder.info.glob("lazymar_eval.*.log"))) == 2, result)
    next(folder.path.glob("*.png")).unlink()
    same("torchrun again: the missing image is made", folder, folder.run(prefix=launcher))
    folder = Folder("torchrun on two hosts", 200)  # so many that both get some
    port = slurm_cluster.free_ports(1)[0]
    agents = [folder.start(prefix=[found, "--nnodes", 2, "--node-rank", host, "--master-addr",
                                   "localhost", "--master-port", port, "--nproc-per-node", 1,
                                   "--no-python"]) for host in (0, 1)]
    results = [finish(agent) for agent in agents]
    same("an agent of torchrun on each of two hosts", folder, results[0], images=200,
         also=results[1].returncode == 0
         and {record["rank"] for record in folder.records()} == {0, 1})


def contradictions():
    folder = Folder("contradictions", 2)
    refused("--workers under a launcher", folder.run("--workers", 2, env=by_hand(0)), "--workers")
    refused("--gpus under a launcher", folder.run("--gpus", 2, env=by_hand(0)), "--gpus")
    refused("--gpus on the CPU", folder.run("--device", "cpu", "--gpus", 1), "--gpus", "--workers")
    refused("--gpus beside one GPU", folder.run("--device", "cuda:0", "--gpus", "all"), "--gpus")
    refused("--workers on GPUs", folder.run("--device", "cuda", "--workers", 2), "--workers")
    refused("one GPU for two processes", folder.run("--device", "cuda:0", env=by_hand(0)), "cuda:0")
    refused("a rank without a world", folder.run(env={"RANK": "0"}), "WORLD_SIZE")
    refused("a rank outside its world", folder.run(env=by_hand(2)), "RANK=2")
    refused("a rank that is no number", folder.run(env={**by_hand(0), "RANK": "x"}), "RANK=x")
    refused("no workers", folder.run("--workers", 0), "--workers")
    refused("an unknown fault", folder.run(env={"LAZYMAR_FAULT": "flood@shard:1"}), "flood@shard:1")
    refused("rank 0 never comes", Folder("alone", 2).run("--stall", 1, env=by_hand(1)), "rank 0")


def folders():
    images = 200  # so many that the others find it still running
    folder = Folder("shared", images)
    other = folder.start("--workers", 2)
    check("a first run is at work", folder.wait_for_pngs(1))
    refused("a second run on its folder", folder.run(), "another run")
    refused("also with --overwrite", folder.run("--overwrite"), "another run")
    same("the first run does not mind", folder, finish(other), images=images)

    folder = Folder("again and again")
    folder.run()

    stamps = folder.stamps()
    same("a run that is complete", folder, folder.run(), also=folder.stamps() == stamps)
    check("stays untouched", folder.stamps() == stamps)
    same("--overwrite", folder, folder.run("--overwrite"))
    check("makes everything anew", not set(folder.stamps().values()) & set(stamps.values()))
    stamps = folder.stamps()
    for turn in ("first", "second"):
        folder.run("--overwrite", env=by_hand(0, 1))
        check(f"--overwrite under a launcher, {turn} time",
              not set(folder.stamps().values()) & set(stamps.values()))
        stamps = folder.stamps()

    manifest = folder.info / "manifest.json"
    text = manifest.read_text()
    changed = json.loads(text)
    changed["settings"]["seed"] = 7
    changed["settings"]["temperature"] = 0.5
    manifest.write_text(json.dumps(changed))
    refused("other settings are named", folder.run(), "seed 7 there, 1 now",
            "temperature 0.5 there")
    manifest.write_text(text[:len(text) // 2])
    refused("half a manifest", folder.run(), "manifest.json", "--overwrite")
    check("a refusal leaves the images alone", folder.stamps() == stamps)
    manifest.unlink()
    refused("images without a manifest", folder.run(), "without a manifest")
    manifest.write_text(text)
    for name in ("cat.png", "00012.png", "000003.png"):
        folder.path.joinpath(name).write_bytes(b"not ours")
        refused(f"a foreign {name}", folder.run(), name)
        folder.path.joinpath(name).unlink()
    same("without them it goes on", folder, folder.run())


def simultaneous():
    """Two simultaneous starts: one is refused, or both make the same images."""
    folder = Folder("simultaneous")
    both = [folder.start(), folder.start()]
    codes = sorted(finish(process).returncode for process in both)
    check(f"two runs at the same moment: one is refused (exits {codes})", codes in ([0, 0], [0, 2]))
    same("and the folder is whole", folder, folder.run())


def balance():
    images = 120
    folder = Folder("balance", images)
    process = folder.start("--workers", 2, "--classes", ",".join(map(str, range(10))))
    folder.wait_for_pngs(14)
    process.terminate()
    result = finish(process)
    check("a run is stopped early", result.returncode == 75 and len(folder.pngs()) < images, result)
    tenths = collections.Counter(int(name[:5]) * 10 // images for name in folder.pngs())
    counts = [tenths[tenth] for tenth in range(10)]
    # Two shards of two images, and the shard in progress of each process.
    check(f"its classes are balanced: {counts}", max(counts) - min(counts) <= 4 + 2 * 2, result)


def thousand():
    """1 000 images by one process, and by three."""
    images = 1000
    folder = Folder("thousand by three", images)
    same("1 000 images by three processes", folder, folder.run("--workers", 3, timeout=7200),
         images=images)


CASES = [
    processes, torchrun, contradictions, folders, simultaneous, balance,
    *([thousand] if LONG else [])
]
