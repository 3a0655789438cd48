"""scripts/lab/methods_table.py on the demo model: its table, its controls, and what a kill leaves.

usage: methods_table_test.py FOLDER_OF_BINARIES   (run from the repository's root)
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from checks import check, conclude

BIN = pathlib.Path(sys.argv[1]).resolve()
SCRIPT = pathlib.Path("scripts/lab/methods_table.py").resolve()
sys.path.insert(0, str(SCRIPT.parent))

import method_arms  # noqa: E402
import method_figures as figures  # noqa: E402

GTR = "gtr-8"
BROKEN_ARM = "mar --num_iter 1"
IMAGES = 12


def start(work, *flags):
    return subprocess.Popen(
        [sys.executable, SCRIPT, work, "--bin", BIN, "--model", "demo", "--images", str(IMAGES),
         "--eval_bsz", str(IMAGES // 2), "--threads", "1", "--arms",
         f"{GTR}; {BROKEN_ARM}", *flags],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def run(work, *flags):
    process = start(work, *flags)
    out, err = process.communicate(timeout=900)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def images(work):
    return {path: path.stat().st_mtime_ns for path in work.glob("runs/*/*/*/*.png")}


def recorded(work):
    """Whether a run has finished a shard: its images are then not drawn again."""
    return any(path.stat().st_size for path in work.glob("runs/*/*/*/info/journal.*.jsonl"))


def whole_program(work):
    process = start(work, "--no_timing")
    deadline = time.monotonic() + 300
    while not recorded(work) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = images(work)
    check("a kill leaves images", len(before) > 0)
    result = run(work, "--no_timing")
    check("the same command ends well", result.returncode == 0, result)
    after = images(work)
    check("and no image was drawn again", before.items() <= after.items(), before)
    check("every arm has its images", len(after) == 5 * IMAGES, len(after))

    table = json.loads((work / "table.json").read_text())
    rows = {row["name"]: row for row in table["rows"]}
    mar, broken = rows["mar"], rows[BROKEN_ARM]
    check("plain MAR does not drift from itself", abs(mar["drift"]) < 1e-3, mar)
    check("control: an image of one step drifts more than another seed's, and is worse",
          broken["drift"] > rows[method_arms.OTHER_SEED]["drift"]
          and broken["fid"] > mar["fid"] and broken["fid_difference"]["interval"][0] > 0, broken)
    check("one order, so pixels are compared", rows["mar --num_iter 2"]["psnr"] > 5, rows)
    check("another order, so they are not", "psnr" not in rows[GTR]
          and "other order" in (work / "table.md").read_text(), rows[GTR])
    check("no timing: no seconds, and compared by TFLOP", "seconds" not in mar
          and "TFLOP per image against" in (work / "report.html").read_text(), mar)
    check("GtR costs less than MAR", 0 < rows[GTR]["tflop"] < 0.5 * mar["tflop"], rows[GTR])
    page = (work / "report.html").read_text()
    check("one self-contained page", "{{" not in page and page.count("<svg") == 2
          and not re.search(r'(src|href)="(?!data:)', page))
    drawn = images(work)
    result = run(work, "--no_timing")
    check("a third run draws nothing", result.returncode == 0 and images(work) == drawn, result)


def failing_control(work):
    """The reference of another set: two steps may then not be worse. The script must say so."""
    result = run(work, "--no_timing", "--reference", next(work.glob("runs/mar_num_iter_2/*/*")))
    check("a control that fails is said, with status 1", result.returncode == 1
          and "mar --num_iter 2 is not judged worse" in result.stderr, result)


def row(cost, passes, family="one"):
    return {"name": f"{family} {cost}", "family": family, "cost": cost, "passes": passes,
            "passes_interval": (passes - 0.1, passes + 0.1)}


def pure_figures():
    rows = [row(1, 0.2), row(2, 0.4), row(4, 0.3), row(4, 0.5, "two"), row(8, 0.5, "two")]
    names = [one["name"] for one in figures.front(rows, "cost", figures.PASSES)]
    check("the front has no dominated row", names == ["one 1", "one 2", "two 4"], names)
    twins = [row(1, 0.2), row(1, 0.2, "two")]
    check("equal rows do not dominate each other",
          len(figures.front(twins, "cost", figures.PASSES)) == 2)
    families = figures.sweeps(rows)
    value, interval = figures.at_cost(families["one"], "cost", 2 ** 0.5, figures.PASSES)
    check("half way by the logarithm of cost", abs(value - 0.3) < 1e-9
          and abs(interval[0] - 0.2) < 1e-9 and abs(interval[1] - 0.4) < 1e-9, (value, interval))
    check("nothing outside of a sweep",
          figures.at_cost(families["one"], "cost", 5, figures.PASSES) is None)
    best = figures.best_at_cost(families, "cost", 4, figures.PASSES)
    check("the better sweep at equal cost", best[0] == "two" and abs(best[1] - 0.5) < 1e-9, best)


def every_arm_is_known(work):
    """The texts of all arms, as lazymar_bench reads them."""
    plan = method_arms.make_plan(method_arms.GROUPS, False, [])
    texts = method_arms.texts_of(plan)
    path = work / "count.json"
    result = subprocess.run(
        [BIN / "lazymar_bench", "--count", "--models", "rules", "--arms",
         method_arms.arm_list(texts, None), "--json", path], capture_output=True, text=True,
        check=False)
    check("every arm is accepted", result.returncode == 0, result)
    rows = json.loads(path.read_text())["models"][0]["rows"]
    costs = {text: row["flops_per_image"]["total"] for text, row in zip(texts, rows, strict=True)}
    check("all cost less than MAR, but for orders, clip and seeds",
          all(cost <= costs["mar"] for cost in costs.values()), costs)
    names = {arm.name for arm in plan.arms}
    check("ablations are of arms that are drawn",
          all(name in names for pairs in plan.ablations.values() for pair in pairs
              for name in pair))


pure_figures()
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    every_arm_is_known(folder)
    whole_program(folder / "work")
    failing_control(folder / "work")
conclude()
