"""The scripts that generate and score: scripts/lab/fid_run.sh and scripts/lab/fid_sweep.sh."""
import json
import os
import subprocess
import sys

from checks import check
from score_support import BIN, DEMO, QUICK, STATS


def scripts(work):
    """scripts/lab/fid_run.sh and scripts/lab/fid_sweep.sh."""
    flags = [*QUICK, *DEMO, "--num_images", "12", "--output_dir", work / "scripts"]

    def script(name, *args, **env):
        return subprocess.run([f"scripts/lab/{name}", *map(str, args)], capture_output=True,
                              check=False, text=True, timeout=300,
                              env={**os.environ, "BIN": str(BIN), "PYTHON": sys.executable, **env})

    result = script("fid_run.sh", STATS, *flags, "--lazy_warmup", "1", REPORT=str(work / "report"))
    check(
        "fid_run.sh: scores, their difference, one table", result.returncode == 0
        and "noise" in result.stdout and "speedup" in result.stdout
        and (work / "report/report.html").exists()
        and len(list((work / "scripts").glob("*/*/info/scores.json"))) == 2, result)
    lines = work / "sweep.jsonl"
    sweep = {"CFG": "1 1.5", "CACHES": "baseline|--lazy_mar --lazy_warmup 1"}
    result = script("fid_sweep.sh", STATS, lines, *flags, **sweep)
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    check(
        "fid_sweep.sh: a line of JSON per run", result.returncode == 0 and len(found) == 4
        and [line["settings"]["cfg"] for line in found] == [1, 1, 1.5, 1.5]
        and all(line["fid"] > 0 and line["complete"] and line["images"] == 12
                for line in found), result)
    lines.write_text("".join(json.dumps(line) + "\n" for line in found[:3]) + '{"asked": ["torn')
    lines.write_text(lines.read_text() + "\n")
    result = script("fid_sweep.sh", STATS, lines, *flags, **sweep)
    check(
        "and what has one is skipped", result.returncode == 0
        and result.stdout.count("already done") == 3 and len(lines.read_text().splitlines()) == 5,
        result)
