#!/usr/bin/env python3
"""The model rules: drawn, judged while drawing, and compared.

usage: rules_test.py FOLDER_OF_BINARIES   (run from the repository's root)
"""

import json
import pathlib
import tempfile

from checks import check, conclude
from score_support import run

CLASSES = ["mirror", "stripes", "checker", "three", "line", "rings", "twins", "gradient", "balance",
           "frame"]
IMAGES = 20


def draw(folder, *flags):
    """The run folder, and the result."""
    result = run("lazymar_eval", "--model", "rules", "--num_images", str(IMAGES), "--eval_bsz",
                 "10", "--threads", "1", "--score", "rules", "--output_dir", folder, *flags)
    return pathlib.Path(result.stdout.split("Run folder: ")[-1].strip()), result


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    good, result = draw(folder / "good", "--lazy_mar", "--num_iter", "16", "--num_sampling_steps",
                        "50")
    check("rules: passes by class at the end",
          result.returncode == 0
          and all(f"\n{name} " in result.stdout for name in [*CLASSES, "all"]), result)
    kept = json.loads((good / "info/rules.json").read_text())
    check("every image is judged", kept["all"]["images"] == IMAGES
          and len(kept["failed"]) == IMAGES - kept["all"]["passes"], kept["all"])
    # All tokens of an image at once cannot agree with each other: the control.
    bad, result = draw(folder / "bad", "--num_iter", "1", "--num_sampling_steps", "50")
    broken = json.loads((bad / "info/rules.json").read_text())
    check("images of one decoding step break their rules",
          broken["all"]["passes"] <= kept["all"]["passes"]
          and broken["all"]["mean_score"] + 0.15 < kept["all"]["mean_score"],
          (kept["all"], broken["all"]))
    result = run("lazymar_score", good, bad, "--rules")
    check("pairs of two runs", result.returncode == 0 and "McNemar" in result.stdout, result)

conclude()
