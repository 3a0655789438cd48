#!/usr/bin/env python3
"""Trains the demo checkpoint from nothing: pictures -> VAE -> MAR -> classifier -> files.

    scripts/train_demo.py                       about two hours on two CPU cores
    scripts/train_demo.py --device cuda         the same on a GPU
    scripts/train_demo.py --until vae           the first stages only
    scripts/train_demo.py --smoke --work DIR    two steps of everything, in a minute

Needs PyTorch, NumPy and Pillow. Every stage keeps its state in the folder of --work, every ten
minutes and at its end; the same command continues there. Losses go to stdout and to WORK/log.txt.
Lower its priority (nice -n 19) where others need the machine.
"""
import argparse
import os
import sys
from pathlib import Path

# OpenMP reads this once, when torch is loaded: threads that wait for each other busily come almost
# to a standstill where another program takes one of the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

try:
    import torch

    from demo_training.loop import Log
    from demo_training.pipeline import STAGES, run_stages
except ModuleNotFoundError as error:
    print(f"train_demo.py: {error}: it needs torch, numpy and pillow", file=sys.stderr)
    sys.exit(77 if "--smoke" in sys.argv else 2)


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("output/train_demo"), metavar="DIR",
                        help="where the stages keep their state (default: %(default)s)")
    parser.add_argument("--export_dir", type=Path, metavar="DIR",
                        help="where the three files go (default: WORK/pretrained_models)")
    parser.add_argument("--until", choices=STAGES, default=STAGES[-1], help="the last stage to run")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the CPU")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--images", type=int, default=16000, help="of the training set")
    for stage, minutes in (("vae", 22.0), ("mar", 75.0), ("head", 7.0), ("decoder", 8.0),
                           ("classifier", 1.5)):
        parser.add_argument(f"--{stage}_minutes", type=float, default=minutes, metavar="MINUTES",
                            help=f"training time of the {stage} stage (default: %(default)s)")
    parser.add_argument("--max_steps", type=int, default=0,
                        help="ends each stage after so many steps (0: time alone counts)")
    parser.add_argument("--smoke", action="store_true",
                        help="tries all stages: two steps each, on forty pictures")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: PyTorch sees no CUDA device")
    options.export_dir = options.export_dir or options.work / "pretrained_models"
    if options.smoke:
        options.images, options.max_steps = 40, 2
    return options


def main():
    options = parse()
    options.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    run_stages(options, Log(options.work / "log.txt"))


if __name__ == "__main__":
    main()
