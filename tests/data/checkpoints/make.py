#!/usr/bin/env python3
"""Makes the checkpoints in this folder, as torch.save writes them.

    tests/data/checkpoints/make.py     needs torch and numpy; written with torch 2.11 and numpy 2

training.pth         zip format: what MAR's training saves (EMA of nn.Parameters, AdamW's state,
                     GradScaler's state, argparse.Namespace), and numpy scalars
training-old.pth     the same in the stream format of PyTorch before 1.6
variety.pth          zip format, weights at the top: every element type, shared storages, views with
                     strides, a scalar, an empty tensor, and entries that are no plain tensors
variety-old.pth      the same in the stream format
vae.ckpt             zip format: a KL-VAE's layout, weights under "model"
*.expected.json      name -> {dtype, shape, hex of the bytes}, of what a reader must find
"""
import argparse
import json
from pathlib import Path

import numpy
import torch

FOLDER = Path(__file__).resolve().parent
NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64",
         torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
         torch.uint8: "U8", torch.bool: "BOOL"}


def expected(state):
    entries = {}
    for name, tensor in state.items():
        if isinstance(tensor, torch.Tensor) and not tensor.is_sparse and not tensor.is_neg():
            dense = tensor.detach().clone(memory_format=torch.contiguous_format)
            raw = dense.reshape(-1).view(torch.uint8).numpy().tobytes()
            entries[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                             "hex": raw.hex()}
    return entries


def save(name, checkpoint, state, both=True):
    torch.save(checkpoint, FOLDER / f"{name}.pth")
    if both:
        torch.save(checkpoint, FOLDER / f"{name}-old.pth", _use_new_zipfile_serialization=False)
    text = json.dumps(expected(state), indent=0)
    (FOLDER / f"{name}.expected.json").write_text(text + "\n")


def training():
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    network(torch.randn(5, 3)).sum().backward()
    optimizer.step()
    ema = network.state_dict()
    for name, parameter in network.named_parameters():
        ema[name] = torch.nn.Parameter(parameter.detach() * 0.5)
    checkpoint = {
        "model": network.state_dict(), "model_ema": ema, "optimizer": optimizer.state_dict(),
        "epoch": 7, "scaler": {"scale": 65536.0, "growth_interval": 2000, "_growth_tracker": 3},
        "args": argparse.Namespace(lr=1e-4, seed=2**80, resume=None, milestones=[1, 2], ema=(0.9,)),
        "best": numpy.float64(1.5), "history": numpy.arange(3), "rng": torch.get_rng_state()[:16],
    }
    save("training", checkpoint, ema)


def variety():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
    tied = torch.tensor([1.0, -2.0, 3.5])
    state = {
        "float": base,
        "transposed": base.t(),
        "columns": base[:, 1:4],
        "steps": base[::2, ::3],
        "tail": base[2:],
        "row": base[1],
        "tied.a": tied,
        "tied.b": tied,
        "parameter": torch.nn.Parameter(tied * 2),
        "half": base.half(),
        "bf16": (base * 1.001).bfloat16(),
        "double": base.double() / 3,
        "int64": torch.tensor([2**62, -1]),
        "int32": torch.tensor([-5, 6], dtype=torch.int32),
        "int16": torch.tensor([-7], dtype=torch.int16),
        "int8": torch.tensor([-8], dtype=torch.int8),
        "uint8": torch.tensor([200], dtype=torch.uint8),
        "bool": torch.tensor([True, False]),
        "scalar": torch.tensor(2.5),
        "empty": torch.empty(0, 3),
        "one": base[:1, :1].t(),
        "expanded": tied[:1].expand(5),
        "note": "no tensor",
        "count": 3,
        "scale": numpy.float32(2.0),
    }
    readable = {k: v for k, v in state.items() if k != "expanded"}
    save("variety", state, readable)


def vae():
    torch.manual_seed(2)
    state = {
        "encoder.conv_in.weight": torch.randn(2, 3, 1,
                                              1), "decoder.conv_in.weight": torch.randn(2, 2, 1, 1),
        "decoder.conv_in.bias": torch.randn(2), "quant_conv.weight": torch.randn(2, 2, 1, 1),
        "post_quant_conv.weight": torch.randn(2, 2, 1, 1), "loss.logvar": torch.zeros(())
    }
    save("vae", {"model": state}, state, both=False)
    (FOLDER / "vae.pth").rename(FOLDER / "vae.ckpt")


if __name__ == "__main__":
    training()
    variety()
    vae()
