#!/usr/bin/env python3
"""Judges ways to draw faster: one table and one page of speed against quality, at equal seconds.

    scripts/lab/methods_table.py WORK [--small] [--model rules] [--images 200] [--seed 1]

Draws every arm of method_arms.py with the same seed, scores it and compares it with plain MAR.
Leaves WORK/report.html, WORK/table.md and WORK/table.json. Runs stay in WORK: the same command
skips finished runs and continues stopped ones. At the end all arms are timed in one process, while
the machine is quiet; a busy machine gives no seconds, and methods are then compared by TFLOP.

--small: a few arms of 30 images, some minutes. --arms "mar; gtr-32 --detail none": these, beside
the controls. A model other than demo and rules needs --reference and --extractor.
Exits with 1 if a control fails: MAR drifts from itself, or MAR in two steps is not worse.
"""
import argparse
import hashlib
import json
import re
import signal
import sys
from pathlib import Path

import method_arms
import method_report
from eval_runs import PROGRAMS, ROOT, draw, machine_flags, output, read_info, replace_text
from method_arms import BASELINE, OTHER_SEED
from method_figures import FID, PASSES
from method_scores import ablate, failed_controls, judge
from method_timing import time_arms

STATISTICS = {model: ROOT / "pretrained_models" / f"{model}_stats.npz"
              for model in ("demo", "rules")}
PICTURES = 10  # of each arm; of the small models one of each class


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("work", type=Path, metavar="WORK")
    add("--small", action="store_true", help="few arms, few images")
    add("--model", default="rules", help="[default: %(default)s]")
    add("--images", type=int, help="of each arm [default: 200; 30 with --small]")
    add("--seed", type=int, default=1, help="[default: %(default)s]")
    add("--groups", default=",".join(method_arms.GROUPS), help="[default: %(default)s]")
    add("--arms", help="these, separated by semicolons, instead of groups")
    add("--cfg", help="guidance [default: the checkpoint's]")
    add("--reference", type=Path, help="for FID [default: the model's own statistics]")
    add("--extractor", default="demo", choices=("demo", "inception"))
    add("--pictures", type=Path,
        help="images, for precision and recall [default: MAR's with another seed]")
    add("--eval_bsz", type=int, default=50, help="images drawn at once [default: %(default)s]")
    add("--precision", help="[default: the fastest here, as the first arm measures]")
    add("--device", default="auto")
    add("--threads", type=int)
    add("--no_timing", action="store_true", help="draw and score only")
    add("--time_bsz", type=int, help="images timed at once [default: 16; 8 with --small]")
    add("--repeats", type=int, default=2, help="timed runs of each arm [default: %(default)s]")
    add("--bin", type=Path, default=PROGRAMS, metavar="DIR", help="the programs")
    options = parser.parse_args()
    options.images = options.images or (30 if options.small else 200)
    options.time_bsz = options.time_bsz or (8 if options.small else 16)
    options.groups = options.groups.split(",")
    if unknown := set(options.groups) - set(method_arms.GROUPS):
        parser.error(f"--groups: {', '.join(sorted(unknown))}: use any of "
                     f"{','.join(method_arms.GROUPS)}")
    options.reference = options.reference or STATISTICS.get(options.model)
    if options.reference is None:
        parser.error(f"--model {options.model} has no statistics of its own; give --reference")
    if options.images < PICTURES:
        parser.error(f"--images {options.images}: Inception Scores need at least {PICTURES}")
    return options


def draw_arms(plan, options):
    """By arm's name: its run folder."""
    runs = {}
    precision = options.precision
    for number, arm in enumerate(plan.arms):
        print(f"[{number + 1}/{len(plan.arms)}] {arm.name}", file=sys.stderr)
        method, *flags = arm.text.split()
        folder = options.work / "runs" / re.sub(r"[^a-z0-9.+]+", "_", arm.name.lower())
        seed = options.seed + (arm.name == OTHER_SEED)
        runs[arm.name] = draw(
            options.bin, folder, "--model", options.model, "--method", method, *flags,
            "--num_images", options.images, "--seed", seed, "--eval_bsz", options.eval_bsz,
            *(["--cfg", options.cfg] if options.cfg else []),
            *(["--precision", precision] if precision else []), *machine_flags(options))
        summary = read_info(runs[arm.name], "summary")
        note_peak(options.work / "peaks.json", arm.name, summary)
        # All arms compute as the first: the choice must not depend on what else runs here.
        precision = precision or summary["settings"]["precision"]
    return runs, precision


def peaks(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def note_peak(path, name, summary):
    """The most memory of an arm's processes: one that finds a finished run needs less."""
    bytes_now = summary["peak_device_bytes"] or summary["peak_rss_bytes"]
    known = peaks(path)
    known[name] = max(bytes_now, known.get(name, 0))
    replace_text(path, json.dumps(known, indent=1) + "\n")


def counted(plan, precision, options):
    """By text: FLOPs and bytes of caches per image."""
    path = options.work / "count.json"
    texts = method_arms.texts_of(plan)
    output(options.bin / "lazymar_bench", "--count", "--models", options.model, "--arms",
           method_arms.arm_list(texts, options.cfg), "--precision", precision, "--json", path,
           quiet=True)
    rows = json.loads(path.read_text(encoding="utf-8"))["models"][0]["rows"]
    return dict(zip(texts, rows, strict=True))


def row_of(arm, run, counts, timing, peak):
    summary = read_info(run, "summary")
    if not summary["complete"]:
        sys.exit(f"methods_table.py: {run}: some images failed; lazymar_eval's lines above say why")
    settings = summary["settings"]
    timed = timing["rows"].get(arm.text, {}) if timing else {}
    return {"name": arm.name, "text": arm.text, "family": arm.family, "run": str(run),
            "images": summary["images"], "seed": settings["seed"],
            "tflop": summary["flops_per_image"] * 1e-12,
            "flops": counts[arm.text]["flops_per_image"],
            "peak_mb": peak * 1e-6,
            "cache_mb": counts[arm.text]["cache_bytes_per_image"] * 1e-6,
            "order": settings.get("order", "random"), **timed}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the program at work ends, too
    options = parse()
    if not options.reference.exists():
        sys.exit(f"methods_table.py: --reference {options.reference} does not exist")
    plan = method_arms.make_plan(options.groups, options.small,
                                 [text.strip() for text in options.arms.split(";") if text.strip()]
                                 if options.arms else [])
    options.work.mkdir(parents=True, exist_ok=True)
    runs, precision = draw_arms(plan, options)
    counts = counted(plan, precision, options)
    timing = time_arms(plan, precision, options)
    most = peaks(options.work / "peaks.json")
    rows = [row_of(arm, runs[arm.name], counts, timing, most[arm.name]) for arm in plan.arms]
    for row in rows:
        row["same_order"] = row["order"] == rows[0]["order"] and row["seed"] == rows[0]["seed"]
    judge(rows, runs, options)
    ablations = ablate(plan, rows, runs, options)
    first = read_info(runs[BASELINE], "summary")
    measure = PASSES if options.model == "rules" else FID
    table = {
        "settings": {"model": options.model, "images": options.images, "seed": options.seed,
                     "precision": precision, "cfg": first["settings"].get("cfg"),
                     "processor": read_info(runs[BASELINE], "manifest")["settings"]["device"],
                     "weights_sha256": first["weights_sha256"], "version": first["version"],
                     "extractor": options.extractor,
                     "extractor_sha256": rows[0]["extractor_sha256"],
                     "reference": options.reference.name,
                     "reference_sha256": hashlib.sha256(options.reference.read_bytes()).hexdigest()
                     if options.reference.is_file() else None,
                     "pictures": str(options.pictures) if options.pictures else None},
        "timing": {key: value for key, value in timing.items() if key != "rows"} if timing
        else None,
        "failed_controls": failed_controls(rows, measure), "rows": rows, "ablations": ablations}
    every = options.images // PICTURES
    pictures = {arm.name: sorted(runs[arm.name].glob("*.png"))[::every][:PICTURES]
                for arm in plan.arms}
    method_report.write(table, measure, pictures, options.work)
    print(method_report.markdown(table, measure))
    for name in ("report.html", "table.md", "table.json"):
        print(options.work / name)
    for reason in table["failed_controls"]:
        print(f"methods_table.py: a control failed: {reason}", file=sys.stderr)
    sys.exit(1 if table["failed_controls"] else 0)


if __name__ == "__main__":
    main()
