#!/usr/bin/env python3
"""What int8 costs by kind of layer: replays recorded runs of the original in bf16, with one kind of
layer in int8, and with all of them.

    scripts/lab/int8_table.py TRACE... [--bin build/bin]

Prints a Markdown table of NMSE against the original's fp32: of the latents / of the worst tensor.
"""
import argparse
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TYPES = ["bf16", "int8:qkv", "int8:proj", "int8:fc1", "int8:fc2", "int8"]


def errors(program, trace, precision):
    """NMSE by tensor."""
    said = subprocess.run([program, "--trace", trace, "--precision", precision, "--device", "cpu",
                           "--tolerance", "1"], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^(\S+)\s+\S+e[+-]\d+\s+(\S+e[+-]\d+)", said, re.MULTILINE)
    return {name: float(value) for name, value in found}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("traces", type=Path, nargs="+", metavar="TRACE")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin")
    options = parser.parse_args()
    print("| trace | " + " | ".join(TYPES) + " |")
    print("|---" * (len(TYPES) + 1) + "|")
    for trace in options.traces:
        cells = []
        for precision in TYPES:
            by_tensor = errors(options.bin / "lazymar_verify", trace, precision)
            cells.append(f"{by_tensor['latents']:.1e} / {max(by_tensor.values()):.1e}")
        print(f"| {trace.name} | " + " | ".join(cells) + " |", flush=True)


main()
