#!/usr/bin/env python3
"""Makes pretrained_models/SET_stats.npz: mean and covariance of the demo classifier's features
over held-out pictures of a set, demo or rules, which lazymar_score --extractor demo --fid takes.

    V/bin/python demo/demo_reference.py                     5000 pictures, half a minute
    V/bin/python demo/demo_reference.py --set rules         the same of the rules' pictures
    V/bin/python demo/demo_reference.py --pictures DIR      also writes the pictures there

Run it from the repository's root, with lazymar_score built. V is an environment with NumPy and
Pillow: python3 -m venv V && V/bin/pip install numpy pillow
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from demo_training.environment import advice

try:
    from PIL import Image

    from demo_training.picture_sets import SETS
except ModuleNotFoundError as missing:
    sys.exit(advice("demo_reference.py", missing, "numpy pillow"))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, default="demo", help="(default: %(default)s)")
    parser.add_argument("--count", type=int, default=5000, help="pictures (default: %(default)s)")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="keep them there")
    parser.add_argument("--score", type=Path, default=Path("build/bin/lazymar_score"),
                        metavar="FILE")
    parser.add_argument("--output", type=Path, metavar="FILE",
                        help="(default: pretrained_models/SET_stats.npz)")
    options = parser.parse_args()
    options.output = options.output or Path(f"pretrained_models/{options.set}_stats.npz")
    with tempfile.TemporaryDirectory() as folder:
        folder = options.pictures or Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(options.count):
            picture = SETS[options.set].render("held-out", index)
            Image.fromarray(picture).save(folder / f"{index:05}.png")
        subprocess.run([options.score, folder, "--extractor", "demo", "--metrics", "is",
                        "--save_stats", options.output], check=True)
    print(f"{options.output}: statistics of {options.count} pictures")


if __name__ == "__main__":
    main()
