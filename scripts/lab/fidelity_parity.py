#!/usr/bin/env python3
"""Compares the metrics with torch-fidelity 0.4.0: makes two sets of images and an Inception with
random weights, has both programs extract features and score, and prints one table.

    scripts/lab/fidelity_parity.py                    2000 images per set; half an hour on one core
    scripts/lab/fidelity_parity.py --images 500 --speed    only timings: seconds per image of both

Exit 1 if features differ by more than 1e-4 of the largest, or a score in its first four digits.
Needs torch 2.11.0 (with its CUDA libraries, or it does not import), torch-fidelity 0.4.0, numpy,
scipy; and a build with tests.
"""
import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

try:
    import numpy
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    import fidelity_support as support
except (ImportError, OSError) as error:
    sys.exit(f"fidelity_parity.py: {error}: it needs torch, torch-fidelity 0.4.0, numpy, scipy")

LARGEST_ERROR = 1e-4
DIGITS = 1e-4
TORCH_FIDELITY_BATCH = 64  # its default


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000, help="of each set")
    parser.add_argument("--side", type=int, default=64, help="pixels of their sides, a power of 2")
    parser.add_argument("--speed", action="store_true", help="one set, and no scores")
    parser.add_argument("--work", type=Path, default=Path("output/fidelity_parity"), metavar="DIR")
    parser.add_argument("--ours", type=Path, default=Path("build/tests/fidelity_parity"),
                        metavar="FILE")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    if options.images < 20:
        parser.error("--images: 20 at least")
    if not options.ours.is_file():
        parser.error(f"--ours: {options.ours} is missing: build with tests")
    return options


def as_batch(pixels):
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


@torch.no_grad()
def extract(extractor, pixels):
    """Features of both kinds, and seconds per image."""
    images = as_batch(pixels)
    extractor(images[:TORCH_FIDELITY_BATCH])  # warm
    start = time.monotonic()
    parts = [extractor(batch) for batch in images.split(TORCH_FIDELITY_BATCH)]
    seconds = (time.monotonic() - start) / len(images)
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts]), seconds


def theirs(extractor, a, b):
    pool_a, logits_a, seconds = extract(extractor, a)
    pool_b, _, _ = extract(extractor, b)
    few = {"kid_subset_size": min(1000, len(a) // 2), "verbose": False}
    isc = isc_features_to_metric(logits_a)
    kid = kid_features_to_metric(pool_a, pool_b, **few)
    prc = prc_features_to_metric(pool_a, pool_b, verbose=False)
    start = time.monotonic()
    fid = fid_statistics_to_metric(fid_features_to_statistics(pool_a),
                                   fid_features_to_statistics(pool_b), verbose=False)
    print(f"torch-fidelity's FID from features: {time.monotonic() - start:.1f} s")
    scores = {"fid": fid["frechet_inception_distance"],
              "isc_mean": isc["inception_score_mean"], "isc_std": isc["inception_score_std"],
              "kid_mean": kid["kernel_inception_distance_mean"],
              "kid_std": kid["kernel_inception_distance_std"], **prc}
    return {"pool_a": pool_a, "logits_a": logits_a, "pool_b": pool_b}, scores, seconds


def ours(options, paths):
    features = options.work / "features.npz"
    command = [options.ours, *paths, features]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    result = subprocess.run([str(part) for part in command], check=False, text=True,
                            stdout=subprocess.PIPE, env=environment)
    if result.returncode != 0:
        sys.exit(f"fidelity_parity.py: {options.ours} ended with status {result.returncode}")
    scores = json.loads(result.stdout)
    return numpy.load(features), scores, scores.pop("seconds_per_image")


def compare(their_features, their_scores, our_features, our_scores):
    """Prints the tables; True if all are equal."""
    equal = True
    print(f"\n{'features':<12}{'largest':>12}{'error / largest':>18}")
    for name, wanted in their_features.items():
        largest = float(wanted.abs().max())
        error = float((torch.from_numpy(our_features[name]) - wanted).abs().max()) / largest
        equal &= error <= LARGEST_ERROR
        print(f"{name:<12}{largest:>12.4g}{error:>18.2e}")
    print(f"\n{'score':<12}{'torch-fidelity':>16}{'here':>16}{'difference':>14}")
    for name, wanted in their_scores.items():
        difference = abs(our_scores[name] - wanted) / max(abs(wanted), 1e-12)
        equal &= difference <= DIGITS
        print(f"{name:<12}{wanted:>16.8g}{our_scores[name]:>16.8g}{difference:>14.1e}")
    return equal


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    a = support.make_images(options.images, 1, options.side)
    b = a[:20] if options.speed else support.make_images(options.images, 2, options.side, 0.05)
    state = support.calibrated_state(as_batch(support.make_images(200, 3, options.side)))
    paths = [options.work / name for name in ("weights.pth", "a.npz", "b.npz")]
    torch.save(state, paths[0])
    numpy.savez(paths[1], arr_0=a)
    numpy.savez(paths[2], arr_0=b)
    our_features, our_scores, our_seconds = ours(options, paths)
    # Both read the same file, each with its own reader.
    extractor = FeatureExtractorInceptionV3("inception-v3-compat", support.FEATURES,
                                            feature_extractor_weights_path=str(paths[0]))
    if options.speed:
        _, _, their_seconds = extract(extractor, a)
        equal = True
    else:
        their_features, their_scores, their_seconds = theirs(extractor, a, b)
        equal = compare(their_features, their_scores, our_features, our_scores)
        print(f"rank of the covariance of A: {our_scores['rank']} of 2048")
    print(
        f"\nseconds per image, {options.threads} threads: torch-fidelity {their_seconds:.4f}, here "
        f"{our_seconds:.4f}: {their_seconds / our_seconds:.2f} times as fast")
    if not equal:
        sys.exit("fidelity_parity.py: NOT equal")


if __name__ == "__main__":
    main()
