#!/usr/bin/env python3
"""Trains the demo checkpoint from scratch: pictures -> VAE -> MAR -> classifier -> files.

    V/bin/python demo/train_demo.py                       two hours on two CPU cores
    V/bin/python demo/train_demo.py --device cuda         the same on a GPU
    V/bin/python demo/train_demo.py --until vae           only the first stages
    V/bin/python demo/train_demo.py --smoke --work DIR    two steps of everything, in a minute

V is an environment with PyTorch, NumPy and Pillow:

    python3 -m venv V && V/bin/pip install torch==2.11.0 numpy pillow

Every stage saves its state in the folder of --work: every ten minutes, at its end and when it is
asked to stop. The same command continues there, with the same draws. A stage starts over if its
state was made from other weights, other pictures or another seed. Losses go to stdout and to
WORK/log.txt.

Exit statuses: 0 done; 2 unusable options, or a package is missing; 75 stopped by SIGTERM or SIGINT,
the same command continues; 130 second signal, which ends at once.
"""
import argparse
import os
import sys
from pathlib import Path

from demo_training.environment import advice
from demo_training.stopping import INCOMPLETE, Stopped, watch_signals

watch_signals()  # here, because loading torch starts threads
# OpenMP reads this once, when torch is loaded: busy-waiting threads almost stop if another program
# uses one of the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

try:
    import torch

    from demo_training.loop import Log
    from demo_training.mar import CONFIG
    from demo_training.picture_sets import SETS
    from demo_training.pipeline import STAGES, export_states, run_stages
except ModuleNotFoundError as missing:
    print(advice("train_demo.py", missing), file=sys.stderr)
    sys.exit(77 if "--smoke" in sys.argv else 2)

MINUTES = {"vae": 22.0, "mar": 75.0, "head": 7.0, "decoder": 8.0, "classifier": 1.5}
OPTIONAL = ("head", "decoder")  # these improve what an earlier stage made


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, default="demo",
                        help="pictures to train on, and the checkpoint's name "
                             "(default: %(default)s)")
    parser.add_argument("--start_vae", type=Path, metavar="FILE",
                        help="start the VAE from these weights")
    parser.add_argument("--start_mar", type=Path, metavar="FILE",
                        help="start the MAR from these weights")
    parser.add_argument("--work", type=Path, default=Path("output/train_demo"), metavar="DIR",
                        help="where the stages keep their state (default: %(default)s)")
    parser.add_argument("--export_dir", type=Path, metavar="DIR",
                        help="where the three files go (default: WORK/pretrained_models)")
    parser.add_argument("--until", choices=STAGES, default=STAGES[-1], help="the last stage to run")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the CPU")
    parser.add_argument("--nice", type=int, default=19, choices=range(20), metavar="N",
                        help="with --device cpu: lowers its own priority to this niceness, 0 to 19 "
                             "(default: %(default)s)")
    parser.add_argument("--buffer", type=int, default=CONFIG["buffer_size"],
                        help="rows of the MAR that hold the class (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=16,
                        help="images of a step of the MAR stage (default: %(default)s)")
    parser.add_argument("--queries", type=int, default=96,
                        help="masked tokens of an image that a step predicts; fewer are faster "
                             "(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--images", type=int, default=16000, help="of the training set")
    for stage, minutes in MINUTES.items():
        left_out = ", 0: it is left out" if stage in OPTIONAL else ""
        parser.add_argument(f"--{stage}_minutes", type=float, default=minutes, metavar="MINUTES",
                            help=f"training time of the {stage} stage (default: %(default)s"
                                 f"{left_out})")
    parser.add_argument("--mar_steps", type=int, default=0,
                        help="steps of the MAR stage, in place of its minutes: for a machine that "
                             "other work shares (0: minutes count)")
    parser.add_argument("--max_steps", type=int, default=0,
                        help="steps of each stage, in place of minutes (0: minutes count)")
    parser.add_argument("--export_states", action="store_true",
                        help="write the MAR and the VAE as they were last saved, and train nothing")
    parser.add_argument("--smoke", action="store_true",
                        help="tries all stages on forty pictures, two steps each or --max_steps")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: PyTorch sees no CUDA device")
    for stage in MINUTES:
        minutes = getattr(options, f"{stage}_minutes")
        if not (minutes > 0 or (minutes == 0 and stage in OPTIONAL)):
            parser.error(f"--{stage}_minutes {minutes:g}: it must be more than 0"
                         f"{', or 0' if stage in OPTIONAL else ''}")
    options.export_dir = options.export_dir or options.work / "pretrained_models"
    if options.smoke:
        options.images, options.max_steps = 40, options.max_steps or 2
    return options


def lower_priority(niceness, log):
    """Lowers the priority to this niceness, unless it is already as low."""
    os.nice(max(0, niceness - os.nice(0)))
    log(f"priority: nice {os.nice(0)}")


def main():
    options = parse()
    options.work.mkdir(parents=True, exist_ok=True)
    log = Log(options.work / "log.txt")
    if options.device == "cpu":
        lower_priority(options.nice, log)
    torch.set_num_threads(options.threads)
    try:
        (export_states if options.export_states else run_stages)(options, log)
    except Stopped as signal_name:
        log(f"stopped by {signal_name}; the same command continues")
        sys.exit(INCOMPLETE)


if __name__ == "__main__":
    main()
