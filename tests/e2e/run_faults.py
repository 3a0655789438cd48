"""Faults on demand: each kind of LAZYMAR_FAULT, and its promised result."""
from checks import check
from run_support import Folder, reference, same


def run_with(fault, *flags, images=12):
    folder = Folder(
        fault.replace("@", " ").replace("*", " always ") +
        " ".join(map(str, flags)).replace("/", ""), images)
    return folder, folder.run(*flags, env={"LAZYMAR_FAULT": fault})


def memory():
    folder, result = run_with("oom@shard:3")
    short = [record["block"] for record in folder.records() if record.get("micro_batch")]
    check("oom: halved, told and marked", result.returncode == 0 and short == [3]
          and "out of memory" in result.stderr and folder.summary()["complete"], result)
    others = {
        name: png
        for name, png in folder.pngs().items() if name not in ("00006.png", "00007.png")
    }
    check("oom: all other blocks are as ever", len(others) == 10
          and all(reference()[name] == png for name, png in others.items()), result)
    folder, result = run_with("oom@shard:3*", "--oom", "fail")
    check(
        "oom with --oom fail: refused, nothing half written", result.returncode not in (0, "hung")
        and "out of memory" in result.stderr and not {"00006.png", "00007.png"} & set(folder.pngs())
        and all(reference()[name] == png for name, png in folder.pngs().items()), result)
    same("and completed by a run that has the memory", folder, folder.run())
    folder, result = run_with("oom@shard:3", "--oom", "fail")
    check("oom once with --oom fail: refused as well", result.returncode not in (0, "hung"), result)


def sticky():
    folder, result = run_with("sticky@shard:2")
    marked = [record["block"] for record in folder.records() if record.get("computed_by")]
    check("sticky: started once more with plain kernels, marked, and the summary tells",
          result.returncode == 0 and folder.pngs() == reference() and 2 in marked
          and "LAZYMAR_KERNELS=plain-after-fault" in result.stderr
          and folder.summary()["computed_otherwise"]
          == {"plain kernels, after a fault of the GPU": sorted(marked)}, result)
    folder, result = run_with("kill@shard:1")
    check("control: after another fault nothing is marked",
          not any(record.get("computed_by") for record in folder.records())
          and "computed_otherwise" not in folder.summary(), result)
    folder, result = run_with("sticky@shard:2*", "--max_restarts", 0)
    check("sticky again with plain kernels: it ends with 71", result.returncode == 71
          and result.stderr.count("plain-after-fault") == 1, result)


def images():
    folder, result = run_with("nan@image:5")
    recomputed = [record["recomputed"] for record in folder.records() if record.get("recomputed")]
    same("nan once: recomputed", folder, result, also=recomputed == [[5]])
    folder, result = run_with("flat@image:5")
    same("one colour once: recomputed", folder, result)
    for kind in ("nan", "flat"):
        folder, result = run_with(f"{kind}@image:5*", "--workers", 2)
        check(f"{kind} always: exit 1, listed, no PNG", result.returncode == 1
              and folder.summary()["failed"] == [5] and folder.summary()["complete"] is False
              and sorted(folder.pngs()) == sorted(set(reference()) - {"00005.png"}), result)
        stamps = folder.stamps()
        result = folder.run()
        kept = all(folder.stamps()[name] == stamp for name, stamp in stamps.items()
                   if name != "00004.png")
        same(f"{kind}: run again, it is retried alone", folder, result, also=kept)


def processes():
    folder, result = run_with("kill@shard:2")
    same("kill: started again", folder, result, also="restart 1 of 3" in result.stderr)
    folder, result = run_with("kill@shard:2*2", "--workers", 2, "--max_restarts", 0)
    check("kill with no restarts, both workers: not done", result.returncode not in (0, "hung"),
          result)
    same("kill: the next run completes", folder, folder.run())
    folder, result = run_with("kill@shard:2", "--workers", 2, "--max_restarts", 0)
    same("kill with no restarts: the others take its share", folder, result,
         also="will not be restarted" in result.stderr)
    folder, result = run_with("device@shard:2", "--workers", 2)
    same("device error: only that process ends", folder, result, also="restart 1 of 3"
         in result.stderr)
    folder, result = run_with("device@shard:2*", "--max_restarts", 1)
    check("device error always: an internal error", result.returncode == 70, result)
    check("and no image of that block", not {"00004.png", "00005.png"} & set(folder.pngs()), result)
    folder, result = run_with("term@shard:2")
    check("term: exit 75", result.returncode == 75, result)
    same("term: run again", folder, folder.run())
    folder, result = run_with("stall@shard:2", "--workers", 2, "--stall", 3, "--grace", 2)
    same("stall: the others take over, and the run ends", folder, result)


def disk():
    for workers in (1, 2):
        folder, result = run_with("full@shard:2", "--workers", workers)
        check(
            f"full with {workers} workers: exit 74", result.returncode == 74
            and "No space left" in result.stderr
            and all(reference()[name] == png for name, png in folder.pngs().items()), result)
        stamps = folder.stamps()
        result = folder.run()
        kept = all(folder.stamps()[name] == stamp for name, stamp in stamps.items())
        same("full: run again, what was done is kept", folder, result, also=kept)


CASES = [memory, sticky, images, processes, disk]
