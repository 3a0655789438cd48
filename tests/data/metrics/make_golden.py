#!/usr/bin/env python3
"""Makes golden.npz beside it: features, and what torch-fidelity 0.4.0 says of them; images, resized
and seen by its Inception with the weights of scripts/lab/fidelity_support.py; and the same with
mistakes that a test must be able to tell. Deterministic but for the last bits of the network.

    python tests/data/metrics/make_golden.py     needs torch 2.11.0, torch-fidelity 0.4.0, numpy
"""
import hashlib
import sys
from pathlib import Path

import numpy
import torch
from torch.nn import functional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2] / folder) for folder in ("scripts/lab", "demo")]
import torch_fidelity.feature_extractor_inceptionv3 as inception
from torch_fidelity.interpolate_compat_tensorflow import (
    interpolate_bilinear_2d_like_tensorflow1x as resize,
)
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

import fidelity_support as support
from demo_training.classifier import Classifier
from demo_training.safetensors_file import read_safetensors
from demo_training.stages import to_unit

DIM, CLASSES = 24, 12


def make_features(random, count, shift):
    """Correlated, skewed and non-negative, as pooled features behind a ReLU are."""
    mixing = numpy.random.default_rng(7).normal(size=(DIM, DIM)) / numpy.sqrt(DIM)
    rows = random.normal(size=(count, DIM)) @ mixing + 0.3 + shift
    return torch.from_numpy(numpy.maximum(rows, 0).astype(numpy.float32))


def fid(a, b):
    return fid_statistics_to_metric(fid_features_to_statistics(a), fid_features_to_statistics(b),
                                    verbose=False)["frechet_inception_distance"]


def scores(golden, a, b, logits):
    golden["fid"] = fid(a.double(), b.double())
    golden["fid_float32"] = fid(a, b)
    golden["fid_few"] = fid(a[:16].double(), b.double())  # fewer images than features
    isc = isc_features_to_metric(logits)
    golden["isc"] = list(isc.values())
    kid = {"kid_subsets": 20, "kid_subset_size": 100, "verbose": False}
    golden["kid"] = list(kid_features_to_metric(a.double(), b.double(), **kid).values())
    prc = prc_features_to_metric(a, b, verbose=False)
    golden["prc"] = list(prc.values())
    random = numpy.random.RandomState(2020)
    golden["permutation_1000"] = random.permutation(1000)
    golden["choice_70000_by_5"] = random.choice(70000, 5, replace=False)
    golden["permutation_1"] = random.permutation(1)
    golden["permutation_17"] = random.permutation(17)


def resized(pixels, side):
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    x = resize(x, size=(side, side), align_corners=False)
    return (x - 128) / 128


def resizes(golden):
    small = support.make_images(1, 11, side=64)
    for name, pixels in (("up", small[:, :5, :7]), ("down", small[:, :, :48]),
                         ("one", small[:, :1, :1])):
        golden[f"resize_{name}_pixels"] = numpy.ascontiguousarray(pixels)
        golden[f"resize_{name}"] = resized(pixels, 13).numpy()
    golden["resize_299_pixels"] = small
    whole = resized(small, 299).permute(0, 2, 3, 1).contiguous().numpy()
    golden["resize_299_sha256"] = numpy.frombuffer(hashlib.sha256(whole.tobytes()).digest(),
                                                   numpy.uint8)
    floats = torch.from_numpy(golden["resize_down_pixels"]).permute(0, 3, 1, 2).float()
    for name, options in (("corners", {"align_corners": True}), ("half_pixel", {}),
                          ("antialias", {"antialias": True})):
        wrong = functional.interpolate(floats, size=(13, 13), mode="bilinear", **options)
        golden[f"resize_down_{name}"] = ((wrong - 128) / 128).numpy()


@torch.no_grad()
def activations(golden):
    extractor = support.make_extractor()
    pixels = support.make_images(2, 12, side=64)
    golden["inception_pixels"] = pixels
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    pool, logits = extractor(images)
    golden["inception_pool"], golden["inception_logits"] = pool.numpy(), logits.numpy()
    actual_average, actual_max = functional.avg_pool2d, functional.max_pool2d

    def padded_average(x, **options):
        return actual_average(x, **{**options, "count_include_pad": True})

    def last_average(x, *window, **options):
        if options.get("padding") == 1:
            return actual_average(x, *window, count_include_pad=False, **options)
        return actual_max(x, *window, **options)

    for name, place, wrong in (("padded_average", "avg_pool2d", padded_average),
                               ("last_average", "max_pool2d", last_average)):
        actual = getattr(inception.F, place)
        setattr(inception.F, place, wrong)
        golden[f"inception_pool_{name}"] = extractor(images)[0].numpy()
        setattr(inception.F, place, actual)
    for module in extractor.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 1e-5
    golden["inception_pool_norm_eps"] = extractor(images)[0].numpy()


@torch.no_grad()
def demo_classifier(golden):
    weights = HERE.parents[2] / "pretrained_models/demo_classifier.safetensors"
    classifier = Classifier(batch_norms=False).eval()
    classifier.load_state_dict(read_safetensors(weights)[0])
    golden["demo_pixels"] = support.make_images(3, 13, side=64)
    pool = classifier.features(to_unit(torch.from_numpy(golden["demo_pixels"])))
    golden["demo_pool"], golden["demo_logits"] = pool.numpy(), classifier.head(pool).numpy()


def main():
    random = numpy.random.default_rng(1)
    a, b = make_features(random, 400, 0.0), make_features(random, 300, 0.15)
    logits = torch.from_numpy(random.normal(scale=2, size=(403, CLASSES)).astype(numpy.float32))
    golden = {"a": a.numpy(), "b": b.numpy(), "logits": logits.numpy()}
    scores(golden, a, b, logits)
    resizes(golden)
    activations(golden)
    demo_classifier(golden)
    numpy.savez_compressed(HERE / "golden.npz", **golden)
    print(f"{HERE / 'golden.npz'}: {(HERE / 'golden.npz').stat().st_size} bytes")


if __name__ == "__main__":
    main()
