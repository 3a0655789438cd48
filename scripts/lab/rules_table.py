#!/usr/bin/env python3
"""Draws and compares the arms that a checkpoint of the rules set must tell apart.

    scripts/lab/rules_table.py WORK [--images 1000] [--cfg X] [flags of lazymar_eval...]

Every arm draws the same image numbers, so that images pair by number and class. Runs stay in WORK:
the same command skips finished runs and continues stopped ones. Prints a Markdown table: passes of
both arms with exact 95 % intervals, and McNemar's exact test of the pairs. --model names another
checkpoint, --bin the folder of the programs.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

ARMS = {
    "MAR, 64 steps": ["--num_iter", "64"],
    "MAR, 64 steps, another seed": ["--num_iter", "64", "--seed", "1"],
    "MAR, 16 steps": ["--num_iter", "16"],
    "MAR, 8 steps": ["--num_iter", "8"],
    "MAR, 32 steps": ["--num_iter", "32"],
    "MAR, 32 steps, raster order": ["--num_iter", "32", "--order", "raster"],
    "MAR, 64 steps, guidance 1": ["--num_iter", "64", "--cfg", "1"],
    "LazyMAR": ["--num_iter", "64", "--lazy_mar"],
    "LazyMAR, never refreshed": ["--num_iter", "64", "--lazy_mar", "--lazy_refresh", "1000"],
    "LazyMAR, head refreshed every 50": ["--num_iter", "64", "--lazy_mar",
                                         "--lazy_head_refresh", "50"],
}

# (baseline, compared arm, whether they should differ; None: the question to answer)
PAIRS = [
    ("MAR, 64 steps", "MAR, 64 steps, another seed", False),
    ("MAR, 64 steps", "MAR, 8 steps", True),
    ("MAR, 64 steps", "MAR, 16 steps", True),
    ("MAR, 32 steps", "MAR, 32 steps, raster order", True),
    ("LazyMAR", "LazyMAR, never refreshed", True),
    ("LazyMAR", "LazyMAR, head refreshed every 50", True),
    ("MAR, 64 steps", "MAR, 64 steps, guidance 1", True),
    ("MAR, 64 steps", "LazyMAR", None),
]


def draw(arm, options, flags):
    """Draws an arm, or finds it drawn; its run folder."""
    folder = options.work / arm.replace(", ", "_").replace(" ", "-")
    command = [options.bin / "lazymar_eval", "--model", options.model, "--num_images",
               options.images, "--output_dir", folder]
    if options.cfg is not None and "--cfg" not in ARMS[arm]:
        command += ["--cfg", options.cfg]
    command += [*ARMS[arm], *flags]
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                            check=False)
    if result.returncode != 0:
        sys.exit(f"rules_table.py: {arm}: lazymar_eval ended with {result.returncode}")
    return result.stdout.split("Run folder: ")[-1].splitlines()[0].strip()


def compare(baseline, run, options):
    result = subprocess.run(
        [options.bin / "lazymar_score", baseline, run, "--rules", "--json", "-"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"rules_table.py: lazymar_score {baseline} {run} --rules ended with "
                 f"{result.returncode}")
    return json.loads(result.stdout)["runs"]


def share(count):
    low, high = count["interval"]
    return (f"{100 * count['passes'] / count['images']:.1f} % "
            f"({100 * low:.1f} to {100 * high:.1f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, metavar="WORK")
    parser.add_argument("--model", default="rules")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--cfg", help="guidance of all arms but that of 1 [default: the model's]")
    parser.add_argument("--bin", type=Path, default=ROOT / "build" / "bin")
    options, flags = parser.parse_known_args()
    runs = {arm: draw(arm, options, flags) for arm in ARMS}
    print("| baseline | passes | compared | passes | baseline alone | compared alone | p |")
    print("|---|---:|---|---:|---:|---:|---:|")
    for first, second, differ in PAIRS:
        one, two = compare(runs[first], runs[second], options)
        pairs = two["against"]
        p = pairs["mcnemar_probability"]
        print(f"| {first} | {share(one['all'])} | {second} | {share(two['all'])} | "
              f"{pairs['only_baseline_passes']} | {pairs['only_run_passes']} | {p:.2g} |")
        if first == "MAR, 64 steps":
            by_class = one["classes"]
        if differ is not None and differ != (p < (0.001 if differ else 0.05)):
            print(f"rules_table.py: {second} against {first}: p = {p:.2g} is not as expected",
                  file=sys.stderr)
    print("\n| class | MAR, 64 steps |\n|---|---:|")
    for name, count in by_class.items():
        print(f"| {name} | {share(count)} |")


if __name__ == "__main__":
    main()
