"""Shared by the comparisons with torch-fidelity: its Inception with weights from a formula, and
varied images. Needs torch 2.11.0, torch-fidelity 0.4.0, numpy.
"""
import tempfile
from pathlib import Path

import numpy
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

FEATURES = ["2048", "logits_unbiased"]


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def uniform(name, count):
    """Numbers in [0, 1) that depend only on a tensor's name and an element's index
    (MurmurHash3's finalizer); tests/metrics/formula_weights.h computes the same numbers."""
    h = numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(2654435761)
    h ^= numpy.uint32(fnv1a(name) & 0xFFFFFFFF)
    h ^= h >> numpy.uint32(16)
    h *= numpy.uint32(0x85EBCA6B)
    h ^= h >> numpy.uint32(13)
    h *= numpy.uint32(0xC2B2AE35)
    h ^= h >> numpy.uint32(16)
    return (h >> numpy.uint32(8)).astype(numpy.float64) / 2**24


def formula_tensor(name, shape):
    u = uniform(name, int(numpy.prod(shape))).reshape(shape)
    if name.endswith("bn.weight"):
        value = 0.75 + 0.5 * u
    elif name.endswith("bn.bias"):
        value = 0.4 * u - 0.2
    elif name.endswith("running_mean"):
        value = 0.2 * u - 0.1
    elif name.endswith("running_var"):
        value = 0.5 + u
    elif len(shape) > 1:  # He initialization: the variance stays the same
        value = (2 * u - 1) * numpy.sqrt(6 / numpy.prod(shape[1:]))
    else:
        value = 2 * u - 1
    return torch.from_numpy(value.astype(numpy.float32))


def formula_state(module):
    """A state dict of the formula's weights."""
    return {name: torch.tensor(0) if name.endswith("num_batches_tracked")
            else formula_tensor(name, tuple(tensor.shape))
            for name, tensor in module.state_dict().items()}


class Blank(FeatureExtractorInceptionV3):
    """torch-fidelity's network before it has weights."""

    def load_state_dict(self, state_dict, *args, **kwargs):
        if state_dict:
            return super().load_state_dict(state_dict, *args, **kwargs)
        return None


def make_extractor(state=None):
    """torch-fidelity's extractor with the formula's weights, or with these."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.pth"
        torch.save({}, path)
        extractor = Blank("inception-v3-compat", FEATURES, feature_extractor_weights_path=str(path))
    extractor.load_state_dict(state or formula_state(extractor))
    return extractor.eval()


@torch.no_grad()
def calibrated_state(images):
    """The formula's weights with running means and variances measured on these images (uint8
    [N, 3, H, W]). Without them, a random network of this depth hardly distinguishes images."""
    extractor = make_extractor()
    for module in extractor.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the mean over all batches
            module.reset_running_stats()
            module.train()
    for batch in images.split(50):
        extractor(batch)
    return extractor.eval().state_dict()


def make_images(count, seed, side=64, shift=0.0):
    """uint8 [count, side, side, 3]: coarse to fine noise in random proportions and colours.

    `shift` moves the proportions, which gives another distribution.
    """
    random = numpy.random.default_rng(seed)
    images = numpy.empty((count, side, side, 3), numpy.uint8)
    for i in range(count):
        picture = numpy.zeros((side, side, 3))
        for cells in (2, 4, 8, 16, side):
            noise = random.normal(size=(cells, cells, 1)) * random.normal(size=3)
            noise += 0.5 * random.normal(size=(cells, cells, 3))
            share = random.gamma(0.5 + shift * (cells > 4)) / 2
            picture += share * numpy.kron(noise, numpy.ones((side // cells, side // cells, 1)))
        images[i] = (127.5 + 50 * picture + 40 * random.normal(size=3)).clip(0, 255)
    return images
