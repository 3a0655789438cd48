#!/usr/bin/env python3
"""Converts a PyTorch checkpoint to safetensors, the format that lazymar reads.

    scripts/convert.py checkpoint-last.pth checkpoint-last.safetensors    a MAR: its EMA weights
    scripts/convert.py kl16.ckpt kl16.safetensors                         a KL VAE: its decoder

Needs Python with torch, safetensors and numpy. Nothing in the checkpoint is executed.
"""
import argparse
import os
import re
import sys
from pathlib import Path

WEIGHTS_KEY = {"ema": "model_ema", "model": "model"}
DECODER = ("decoder.", "post_quant_conv.")
UNUSABLE_INPUT, OUTPUT_FAILED = 2, 74  # exit codes, as lazymar's tools have them


def fail(message, status=UNUSABLE_INPUT):
    print(f"convert.py: {message}", file=sys.stderr)
    sys.exit(status)


def import_libraries():
    """torch and safetensors.torch, imported here so that --help works without them."""
    try:
        import numpy  # noqa: F401  safetensors.torch needs it and says so late
        import torch
        from safetensors import torch as safetensors_torch
    except ImportError as error:
        fail(f"{error}. Install what is missing: "
             f"{sys.executable} -m pip install torch safetensors numpy")
    return torch, safetensors_torch


def load(torch, path):
    """The checkpoint's dictionary; only tensors, plain values and MAR's `args` may be in it."""
    with open(path, "rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            # Mapped, an optimizer's tensors are never read; the old stream format cannot be.
            checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except Exception as error:  # a damaged file may fail in any way
        refused = re.search(r"(?i)unsupported global:? (?:global )?([\w.]+)", str(error))
        if refused:
            fail(f"{path} needs {refused[1]}, and only tensors and plain values are loaded")
        reason = str(error).strip().split("\n")[0]
        fail(f"{path} is damaged or no PyTorch checkpoint ({type(error).__name__}: {reason})")
    if not isinstance(checkpoint, dict):
        fail(f"{path} holds a {type(checkpoint).__name__}, not a checkpoint")
    return checkpoint


def is_vae(state):
    return isinstance(state, dict) and all(any(k.startswith(p) for k in state) for p in DECODER)


def choose(checkpoint, path, options):
    """The state dict to convert, and the key it stood under."""
    key = WEIGHTS_KEY[options.weights or "ema"]
    if options.weights is None and is_vae(checkpoint.get("model")):
        key = "model"  # a VAE's checkpoint has no EMA
    if not isinstance(checkpoint.get(key), dict):
        held = ", ".join(sorted(str(k) for k, v in checkpoint.items() if v is not None)[:10])
        other = [name for name, k in WEIGHTS_KEY.items() if isinstance(checkpoint.get(k), dict)]
        advice = f"; --weights {other[0]} takes the others" if other else ""
        fail(f"{path} has no weights under '{key}' (it holds: {held}){advice}")
    state = checkpoint[key]
    if is_vae(state) and not options.all:
        state = {name: tensor for name, tensor in state.items() if name.startswith(DECODER)}
    return state, key


def savable(torch, state, path):
    """Contiguous tensors, each with its own memory, as safetensors wants them."""
    tensors, taken = {}, set()
    for name, tensor in state.items():
        if not isinstance(tensor, torch.Tensor):
            fail(f"{path}: '{name}' is a {type(tensor).__name__}, not a tensor")
        tensor = tensor.detach().contiguous()
        memory = tensor.untyped_storage().data_ptr()
        tensors[name] = tensor.clone() if memory in taken else tensor
        taken.add(memory)
    if not tensors:
        fail(f"{path} holds no weights")
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path, metavar="IN", help="checkpoint-last.pth or kl16.ckpt")
    parser.add_argument("output", type=Path, metavar="OUT", help="the safetensors file to write")
    parser.add_argument("--weights", choices=list(WEIGHTS_KEY),
                        help="a MAR's averaged weights (ema, the default) or the last ones (model)")
    parser.add_argument("--all", action="store_true", help="keep a VAE's encoder and loss as well")
    options = parser.parse_args()
    if not options.input.is_file():
        fail(f"there is no file {options.input}")
    if options.output.suffix != ".safetensors":
        fail(f"{options.output} does not end in .safetensors")

    torch, safetensors_torch = import_libraries()
    state, key = choose(load(torch, options.input), options.input, options)
    tensors = savable(torch, state, options.input)
    temporary = options.output.with_name(options.output.name + ".part")
    try:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        safetensors_torch.save_file(tensors, temporary, metadata={"format": "pt", "weights": key})
        os.replace(temporary, options.output)  # whole or not there
    except Exception as error:  # safetensors raises an error type of its own for a full disk
        temporary.unlink(missing_ok=True)
        fail(f"cannot write {options.output}: {error}", OUTPUT_FAILED)
    size = options.output.stat().st_size / 1e6
    print(f"{options.output}: {len(tensors)} tensors from '{key}', {size:.1f} MB")


if __name__ == "__main__":
    main()
