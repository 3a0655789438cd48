#!/usr/bin/env python3
"""Draws and compares the arms that a checkpoint of the rules set must tell apart.

    scripts/lab/rules_table.py WORK [--images 1000] [--cfg X] [flags of lazymar_eval...]

Every arm draws the same image numbers, so that images pair by number and class. Runs stay in WORK:
the same command skips finished runs and continues stopped ones. Prints a Markdown table: passes of
both arms with exact 95 % intervals, and McNemar's exact test of the pairs. --model names another
checkpoint, --bin the folder of the programs.
"""
import argparse
import sys
from pathlib import Path

from eval_runs import PROGRAMS, draw, passes_text, rule_passes

ARMS = {
    "MAR, 64 steps": ["--num_iter", "64"],
    "MAR, 64 steps, another seed": ["--num_iter", "64", "--seed", "2"],
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


def draw_arm(arm, options, flags):
    if options.cfg is not None and "--cfg" not in ARMS[arm]:
        flags = ["--cfg", options.cfg, *flags]
    return draw(options.bin, options.work / arm.replace(", ", "_").replace(" ", "-"), "--model",
                options.model, "--num_images", options.images, *ARMS[arm], *flags)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, metavar="WORK")
    parser.add_argument("--model", default="rules")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--cfg", help="guidance of all arms but that of 1 [default: the model's]")
    parser.add_argument("--bin", type=Path, default=PROGRAMS)
    options, flags = parser.parse_known_args()
    runs = {arm: draw_arm(arm, options, flags) for arm in ARMS}
    print("| baseline | passes | compared | passes | baseline alone | compared alone | p |")
    print("|---|---:|---|---:|---:|---:|---:|")
    for first, second, differ in PAIRS:
        one, two = rule_passes(options.bin, [runs[first], runs[second]])
        pairs = two["against"]
        p = pairs["mcnemar_probability"]
        print(f"| {first} | {passes_text(one['all'])} | {second} | {passes_text(two['all'])} | "
              f"{pairs['only_baseline_passes']} | {pairs['only_run_passes']} | {p:.2g} |")
        if first == "MAR, 64 steps":
            by_class = one["classes"]
        if differ is not None and differ != (p < (0.001 if differ else 0.05)):
            print(f"rules_table.py: {second} against {first}: p = {p:.2g} is not as expected",
                  file=sys.stderr)
    print("\n| class | MAR, 64 steps |\n|---|---:|")
    for name, count in by_class.items():
        print(f"| {name} | {passes_text(count)} |")


if __name__ == "__main__":
    main()
