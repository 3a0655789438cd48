#!/usr/bin/env python3
"""Measures what a checkpoint costs: seconds and memory until the networks are ready, and how much
of the file was read.

    scripts/lab/checkpoint_bench.py --write DIR              writes DIR/checkpoint-last.pth (3.8 GB)
    scripts/lab/checkpoint_bench.py --write DIR --training   as a training run saves it (15 GB)
    scripts/lab/checkpoint_bench.py FILE [--vae FILE] [--model NAME] [--precision TYPE] [--cold]

The files that --write makes have mar_huge's size and the channels of the demo's VAE, which is the
default; --training adds the last weights and two moments to the EMA. The last form runs
lazymar_eval for one image of two decoding steps. --cold drops the file from the page cache first.
Linux only; standard library only.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import torch_file

BIN = ROOT / "build/bin"
MAR_HUGE = {"dim": 1280, "mlp": 5120, "tokens": 256, "buffer": 64, "classes": 1000, "width": 1536,
            "depth": 20, "head_depth": 12}
UNUSED = ("encoder.", "quant_conv.", "loss.")  # of a VAE


def write(folder, training):
    folder.mkdir(parents=True, exist_ok=True)
    sections = ("model", "model_ema", "exp_avg", "exp_avg_sq") if training else ("model_ema",)
    torch_file.write_mar(folder / "checkpoint-last.pth", torch_file.mar_shapes(**MAR_HUGE),
                         sections)


def bytes_in_use(path, skipped=()):
    listing = subprocess.run([BIN / "lazymar_convert", "--list", path], check=True,
                             capture_output=True, text=True)
    rows = re.findall(r"^(\S+) +\S+ +\[.*?\] +(\d+) bytes$", listing.stdout, re.MULTILINE)
    return sum(int(size) for name, size in rows if not name.startswith(skipped))


def cached_bytes(path):
    result = subprocess.run(["fincore", "--bytes", "--noheadings", "--output", "RES", path],
                            check=True, capture_output=True, text=True)
    return int(result.stdout)


def drop_from_cache(path):
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def anonymous_bytes(pid):
    """The larger of the two: lazymar_eval's worker is a separate process."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        statuses = [Path(f"/proc/{process}/status").read_text() for process in [pid, *children]]
    except OSError:
        return 0  # one has just ended
    found = [re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE) for status in statuses]
    return max(int(match[1]) * 1024 if match else 0 for match in found)


def measure(options):
    in_use = bytes_in_use(options.checkpoint) + bytes_in_use(options.vae, UNUSED)
    if options.cold:
        drop_from_cache(options.checkpoint)
    print(f"file {options.checkpoint.stat().st_size / 1e9:.3f} GB, "
          f"{cached_bytes(options.checkpoint) / 1e9:.3f} GB of it in the page cache")
    with tempfile.TemporaryDirectory() as folder, Path(folder, "log").open("w+") as log:
        command = [BIN / "lazymar_eval", "--model", options.model, "--resume", options.checkpoint,
                   "--vae_path", options.vae, "--output_dir", folder, "--num_images", "1",
                   "--num_iter", "2", "--num_sampling_steps", "2", "--precision", options.precision]
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=log, stderr=log)
        ready = at_load = peak = 0
        while process.poll() is None:
            peak = max(peak, anonymous_bytes(process.pid))
            # The run writes its first summary when the networks are ready.
            if not ready and any(Path(folder).glob("*/*/info/summary.json")):
                ready, at_load = time.monotonic() - start, peak
                print(f"ready after {ready:.2f} s; "
                      f"{cached_bytes(options.checkpoint) / 1e9:.3f} GB in the page cache")
            time.sleep(0.005)
        if process.returncode != 0:
            log.seek(0)
            sys.exit(f"lazymar_eval failed:\n{log.read()}")
    print(f"weights in use {in_use / 1e9:.3f} GB; peak anonymous memory {at_load / 1e9:.3f} GB "
          f"while loading ({at_load / in_use:.3f} times), {peak / 1e9:.3f} GB until the image "
          f"({peak / in_use:.3f} times)")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", nargs="?", type=Path)
    parser.add_argument("--write", type=Path, metavar="DIR")
    parser.add_argument("--training", action="store_true")
    parser.add_argument("--vae", type=Path, default=ROOT / "pretrained_models/vae/demo.safetensors")
    parser.add_argument("--model", default="mar_huge")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--cold", action="store_true")
    options = parser.parse_args()
    if (options.write is None) == (options.checkpoint is None):
        parser.error("either a checkpoint or --write DIR")
    if options.write:
        write(options.write, options.training)
    else:
        measure(options)


if __name__ == "__main__":
    main()
