#!/usr/bin/env python3
"""What int8 changes in finished images: paired drift, beside that of LazyMAR.

    scripts/lab/int8_drift.py WORK [--images 1000] [--model demo] [--extractor demo] [--rules]
                              [flags of lazymar_eval...]

Draws plain MAR in bf16, then the same images with int8, with one kind of layer in int8 and with
LazyMAR in bf16. Paired drift is the Frechet distance between an arm and plain MAR on equal seeds;
PSNR is that of the pairs. The first row is a control: plain MAR with itself, 0. --rules adds the
rules that images keep. Runs stay in WORK: the same command skips finished runs and continues
stopped ones. Prints a Markdown table.
"""
import argparse
from pathlib import Path

from eval_runs import PROGRAMS, comparison, draw, drift, rule_passes

ARMS = {"MAR, bf16": ["bf16"], "MAR, int8": ["int8"],
        **{f"MAR, int8:{layer}": [f"int8:{layer}"] for layer in ("qkv", "proj", "fc1", "fc2")},
        "LazyMAR, bf16": ["bf16", "--lazy_mar"]}


def draw_arm(arm, options, flags):
    precision, *more = ARMS[arm]
    return draw(options.bin, options.work, "--model", options.model, "--num_images",
                options.images, "--device", "cpu", "--precision", precision, *more, *flags)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--extractor", default="demo")
    parser.add_argument("--rules", action="store_true")
    parser.add_argument("--bin", type=Path, default=PROGRAMS)
    options, flags = parser.parse_known_args()
    runs = [draw_arm(arm, options, flags) for arm in ARMS]
    kept = rule_passes(options.bin, runs) if options.rules else []
    scored = drift(options.bin, runs, options.extractor)
    compared = comparison(options.bin, runs, options.work / "comparison")
    rules = " rules kept |" if options.rules else ""
    print("| arm | paired drift (95 %) | median PSNR |" + rules)
    print("|---|---:|---:|" + ("---:|" if rules else ""))
    for number, (arm, score, pairs) in enumerate(zip(ARMS, scored, compared, strict=True)):
        low, high = score["intervals"]["fid"]
        psnr = pairs["pairs"]["psnr"]["median"] if pairs["pairs"] else None
        row = f"| {arm} | {score['fid']:.4f} ({low:.4f} to {high:.4f}) | "
        row += "- |" if psnr is None else f"{psnr:.1f} dB |"
        if options.rules:
            count = kept[number]["all"]
            row += f" {count['passes']} of {count['images']} |"
        print(row)


main()
