#!/usr/bin/env python3
"""Writes tokens of held-out pictures for the tests of the rules: tests/data/rules_tokens.bin.

    V/bin/python demo/rules_tokens.py --work DIR      DIR: of train_demo.py --set rules

The file contains COUNT pictures of 256 x 4 int8: tokens, drawn from their posteriors, times SCALE.
The class of picture i is i mod 10. The VAE is that of tokens.pt in DIR; export it with the tokens.
"""
import argparse
from pathlib import Path

import torch

COUNT, SCALE = 300, 24


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    parser.add_argument("--output", type=Path, default=Path("tests/data/rules_tokens.bin"))
    options = parser.parse_args()
    state = torch.load(options.work / "tokens.pt", map_location="cpu", weights_only=True)
    mean, std = (part[:COUNT].float() for part in state["held-out"])
    torch.manual_seed(0)
    tokens = mean + std * torch.randn_like(mean)
    rounded = (tokens * SCALE).round().clamp(-127, 127).to(torch.int8)
    options.output.write_bytes(rounded.numpy().tobytes())


if __name__ == "__main__":
    main()
