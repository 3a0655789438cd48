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
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ARMS = {"MAR, bf16": ["bf16"], "MAR, int8": ["int8"],
        **{f"MAR, int8:{layer}": [f"int8:{layer}"] for layer in ("qkv", "proj", "fc1", "fc2")},
        "LazyMAR, bf16": ["bf16", "--lazy_mar"]}


def output(*words):
    result = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True,
                            check=False)
    if result.returncode != 0:
        sys.exit(f"int8_drift.py: {words[0]} ended with {result.returncode}")
    return result.stdout


def draw(arm, options, flags):
    """Draws an arm, or finds it drawn; its run folder."""
    precision, *more = ARMS[arm]
    said = output(options.bin / "lazymar_eval", "--model", options.model, "--num_images",
                  options.images, "--device", "cpu", "--output_dir", options.work, "--precision",
                  precision, *more, *flags)
    return Path(said.split("Run folder: ")[-1].splitlines()[0].strip())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--extractor", default="demo")
    parser.add_argument("--rules", action="store_true")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin")
    options, flags = parser.parse_known_args()
    runs = [draw(arm, options, flags) for arm in ARMS]
    if options.rules:
        output(options.bin / "lazymar_score", *runs, "--rules")
    # The first run once more: the control.
    scored = json.loads(output(options.bin / "lazymar_score", *runs, "--fid", runs[0], "--metrics",
                               "fid", "--extractor", options.extractor, "--json", "-"))["sets"]
    report = options.work / "comparison"
    output(options.bin / "lazymar_compare", *runs, "--output_dir", report)
    compared = json.loads((report / "comparison.json").read_text())["runs"]
    rules = " rules kept |" if options.rules else ""
    print("| arm | paired drift (95 %) | median PSNR |" + rules)
    print("|---|---:|---:|" + ("---:|" if rules else ""))
    for arm, scores, pairs in zip(ARMS, scored, compared, strict=True):
        low, high = scores["intervals"]["fid"]
        psnr = pairs["pairs"]["psnr"]["median"] if pairs["pairs"] else None
        row = f"| {arm} | {scores['fid']:.4f} ({low:.4f} to {high:.4f}) | "
        row += "- |" if psnr is None else f"{psnr:.1f} dB |"
        if options.rules:
            kept = json.loads((Path(scores["source"]) / "info/rules.json").read_text())["all"]
            row += f" {kept['passes']} of {kept['images']} |"
        print(row)


main()
