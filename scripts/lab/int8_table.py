#!/usr/bin/env python3
"""What int8 costs by kind of layer: replays recorded runs of the original in bf16, with one kind of
layer in int8, with all of them, and with all of them after smoothing. The last column is a control
that must be clearly worse: one factor for each tensor of activations, in place of one for each row.

    scripts/lab/int8_table.py TRACE... [--bin build/bin]

Prints a Markdown table of NMSE against the original's fp32: of the latents / of the worst tensor.
"""
import argparse
import re
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TYPES = ["bf16", "int8:qkv", "int8:proj", "int8:fc1", "int8:fc2", "int8", SMOOTHED := "smoothed",
         "int8_by_tensor"]
CALIBRATION = 16  # images


def errors(program, trace, precision, *more):
    """NMSE by tensor."""
    said = subprocess.run([program, "--trace", trace, "--precision", precision, "--device", "cpu",
                           "--tolerance", "1e9", *more], check=True, capture_output=True,
                          text=True).stdout
    found = re.findall(r"^(\S+)\s+\S+e[+-]\d+\s+(\S+e[+-]\d+)", said, re.MULTILINE)
    return {name: float(value) for name, value in found}


def smoothed(programs, trace, folder):
    """The trace's weights in 8 bits, smoothed."""
    named = trace / "WEIGHTS"
    source = trace / named.read_text().strip() if named.exists() else trace
    converted = folder / "mar.safetensors"
    subprocess.run([programs / "lazymar_convert", source / "mar.safetensors", converted, "--int8",
                    "--calibrate", str(CALIBRATION)], check=True, capture_output=True)
    return converted


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("traces", type=Path, nargs="+", metavar="TRACE")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin")
    options = parser.parse_args()
    print("| trace | " + " | ".join(TYPES) + " |")
    print("|---" * (len(TYPES) + 1) + "|")
    for trace in options.traces:
        cells = []
        for kind in TYPES:
            if kind == SMOOTHED:
                with tempfile.TemporaryDirectory() as folder:
                    converted = smoothed(options.bin, trace, Path(folder))
                    by_tensor = errors(options.bin / "lazymar_verify", trace, "int8", "--weights",
                                       converted)
            else:
                by_tensor = errors(options.bin / "lazymar_verify", trace, kind)
            cells.append(f"{by_tensor['latents']:.1e} / {max(by_tensor.values()):.1e}")
        print(f"| {trace.name} | " + " | ".join(cells) + " |", flush=True)


main()
