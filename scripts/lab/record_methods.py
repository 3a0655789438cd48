#!/usr/bin/env python3
"""Records what the public code of DiSA, ReCAP or Halton orders computes, as a trace for
lazymar_verify.

    record_methods.py disa|recap|halton --repo CHECKOUT --weights mar.safetensors --out FOLDER
                      [OPTION...]

CHECKOUT: a clone of Qinyu-Allen-Zhao/DiSA (@283fa59), liebenxj/ReCAP (@4d1da38) or, for Halton
orders, LTH14/mar (@fe470ac) beside valeoai/Halton-MaskGIT (@f61b0a1, --halton_repo). None is part
of this project. Everything runs on the CPU in fp64, on given orders and noise. timm's ViT block and
MLP are replaced by the same in plain torch. Needs Python with torch, numpy, scipy, safetensors and
tqdm.

ReCAP is recorded in its corrected reading. The released code decodes the first tokens of a pair in
raster order, whatever the decoding order; here they are the next ones of the order. And it makes
its fast sampler in the first call, which is a full one with the default ratio of 0.5, so that
--diff_fast_ratio has no effect; here it has.

Halton-MaskGIT draws images of discrete tokens. Its sampling loop runs here with a network that
predicts nothing, and tells which cells it visits and how many by which step. MAR's code then draws
in that order and by those counts.
"""
import argparse
import contextlib
import importlib
import itertools
import json
import sys
import types
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

RASTER_IDS = "ids_to_pred = torch.where(mask_to_pred)[1].reshape(len(mask_to_pred), -1)"
ORDERED_IDS = (
    "cuts = [int(num_masked_tokens)] + [int(m) for m in mask_lens]; "
    "ids_to_pred = torch.cat([orders[:, b:a].sort(-1)[0] for a, b in zip(cuts, cuts[1:])], 1)"
    ".repeat(len(mask_to_pred) // bsz, 1)")
MAR_COUNT = "mask_ratio = np.cos(math.pi / 2. * (step + 1) / num_iter)"
# Half a token more, so that flooring gives the number itself.
HALTON_COUNT = "mask_ratio = (self.seq_len - self.known_after[step] + 0.5) / self.seq_len"


class Mlp(torch.nn.Module):
    def __init__(self, in_features, hidden_features, act_layer=torch.nn.GELU, **_):
        super().__init__()
        self.fc1 = torch.nn.Linear(in_features, hidden_features)
        self.act = act_layer()
        self.fc2 = torch.nn.Linear(hidden_features, in_features)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x)))


class Attention(torch.nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = torch.nn.Linear(dim, 3 * dim)
        self.proj = torch.nn.Linear(dim, dim)

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        x = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(b, n, c))


class Block(torch.nn.Module):
    def __init__(self, dim, heads, mlp_ratio, norm_layer, **_):
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.attn = Attention(dim, heads)
        self.norm2 = norm_layer(dim)
        self.mlp = Mlp(dim, int(dim * mlp_ratio))

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Tape:
    """Gives the sampler its noise, and keeps it with z and the sampled tokens."""

    def __init__(self, seed, channels):
        self.gen = torch.Generator().manual_seed(seed)
        self.channels = channels
        self.real = torch.randn
        self.steps = []

    def draw(self, rows):
        return self.real(rows, self.channels, generator=self.gen, dtype=torch.float32)

    def randn(self, *shape, **_):
        self.steps[-1]["noise_init"] = self.draw(shape[0])
        return self.steps[-1]["noise_init"].double()

    def randn_like(self, x, **_):
        rows = len(self.steps[-1]["noise_init"])
        self.steps[-1]["noise_loop"].append(self.draw(rows))
        return self.steps[-1]["noise_loop"][-1].double().repeat(len(x) // rows, 1)

    def wrap(self, sample):
        def recorded(z, *args, **kw):
            self.steps.append({"z": z.clone(), "noise_loop": []})
            torch.randn, torch.randn_like, like = self.randn, self.randn_like, torch.randn_like
            try:
                out = sample(z, *args, **kw)
            finally:
                torch.randn, torch.randn_like = self.real, like
            self.steps[-1]["sampled"] = out[:len(self.steps[-1]["noise_init"])].clone()
            return out
        return recorded


class NoNetwork:
    """What Halton-MaskGIT's sampler asks of its trainer: every code is equally likely."""

    def __init__(self, side):
        self.input_size = side
        self.args = types.SimpleNamespace(device="cpu", mask_value=0, codebook_size=2)
        self.autocast = contextlib.nullcontext()
        self.vit = self.ae = self

    def __call__(self, code, *_):
        return torch.zeros(len(code), self.input_size ** 2, 2)

    def decode_code(self, code):
        return code.float()

    def eval(self):
        pass

    def train(self):
        pass


def halton(repo, side, steps):
    """The cells in the order in which the released sampler visits them, and how many are known
    after each of its steps."""
    sys.path.insert(0, str(repo))
    sampler = importlib.import_module("Sampler.halton_sampler").HaltonSampler(step=steps, w=0)
    masks = sampler(NoNetwork(side), nb_sample=1, labels=torch.zeros(1), verbose=False)[2]
    cells = sampler.basic_halton_mask
    return (cells[:, 0] * side + cells[:, 1],
            list(itertools.accumulate(int(mask.sum()) for mask in masks)))


FOLDERS = {"disa": "MAR_DiSA", "recap": "examples/MAR+ReCAP", "halton": "."}
CHANGES = {"recap": (RASTER_IDS, ORDERED_IDS), "halton": (MAR_COUNT, HALTON_COUNT)}


def load_module(method, repo):
    folder = repo / FOLDERS[method]
    sys.path.insert(0, str(folder))
    stand_ins = {"timm": {}, "timm.layers": {"Mlp": Mlp}, "timm.models": {},
                 "timm.models.vision_transformer": {"Block": Block}}
    for name, members in stand_ins.items():
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__dict__.update(members)
    torch.Tensor.cuda = lambda self, *_, **__: self
    torch.cuda.synchronize = lambda *_: None
    if method not in CHANGES:
        return importlib.import_module("models.mar")
    before, after = CHANGES[method]
    source = (folder / "models/mar.py").read_text()
    if before not in source:
        sys.exit(f"record_methods.py: {repo} is another version of the code")
    module = types.ModuleType("mar")
    exec(compile(source.replace(before, after), "mar.py", "exec"), module.__dict__)  # noqa: S102
    return module


def build(a, module):
    weights = {k: v.float() for k, v in load_file(a.weights).items()}
    width, dim = weights["diffloss.net.input_proj.weight"].shape[0], weights["mask_token"].shape[2]
    depth = sum(k.endswith("norm1.weight") and k.startswith("encoder") for k in weights)
    seq_len = weights["diffusion_pos_embed_learned"].shape[1]
    channels = weights["z_proj.weight"].shape[1]
    kw = {"img_size": round(seq_len ** 0.5), "vae_stride": 1, "vae_embed_dim": channels,
          "class_num": weights["class_emb.weight"].shape[0],
          "buffer_size": weights["encoder_pos_embed_learned"].shape[1] - seq_len,
          "diffloss_d": sum(k.endswith("in_ln.weight") for k in weights), "diffloss_w": width,
          "encoder_embed_dim": dim, "encoder_depth": depth, "encoder_num_heads": a.heads,
          "decoder_embed_dim": dim, "decoder_depth": depth, "decoder_num_heads": a.heads,
          "mlp_ratio": 4, "norm_layer": lambda d: torch.nn.LayerNorm(d, eps=1e-6)}
    if a.method == "disa":
        kw.update(diff_upper_steps=a.upper, diff_lower_steps=a.lower, diff_sampler="DiSA",
                  diff_annealing_strategy=a.curve)
    else:
        kw.update(num_sampling_steps=str(a.upper))
    model = module.MAR(**kw).eval()
    model.load_state_dict(weights)
    torch.set_default_dtype(torch.float64)
    model.double()
    if a.method == "recap":
        create_diffusion = importlib.import_module("diffusion").create_diffusion
        model.diffloss.fast_gen_diffusion = create_diffusion(
            timestep_respacing=str(int(a.upper * a.fast_ratio)), noise_schedule="cosine")
    embed = model.diffloss.net.time_embed
    embed.forward = lambda t: embed.mlp(
        embed.timestep_embedding(t, embed.frequency_embedding_size).double())
    return model


def method_json(a):
    head = {"steps": a.upper}
    if a.method == "disa":
        head.update(to_steps=a.lower, curve=a.curve, last_timestep=950)
    elif a.method == "recap":
        head.update(partial_steps=int(a.upper * a.fast_ratio))
    method = {"name": a.method, "cosine_steps": a.num_iter, "head": [head], "cfg": a.cfg,
              "cfg_schedule": a.cfg_schedule, "temperature": a.temperature}
    if a.method == "recap":
        method["cache"] = {"policy": "recap"}
    elif a.method == "halton":
        method.update(order="halton", schedule="arccos")
    return method


def main():
    p = argparse.ArgumentParser()
    p.add_argument("method", choices=sorted(FOLDERS))
    p.add_argument("--repo", type=Path, required=True)
    p.add_argument("--halton_repo", type=Path, help="a checkout of valeoai/Halton-MaskGIT")
    p.add_argument("--weights", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--heads", type=int, default=4)
    p.add_argument("--bsz", type=int, default=1)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--num_iter", type=int, default=64)
    p.add_argument("--cfg", type=float, default=3.25)
    p.add_argument("--cfg_schedule", default="linear")
    p.add_argument("--temperature", type=float, default=1.0)
    p.add_argument("--upper", type=int, default=50, help="diffusion steps, or DiSA's first number")
    p.add_argument("--lower", type=int, default=5, help="DiSA's last number of diffusion steps")
    p.add_argument("--curve", default="linear", help="DiSA's annealing strategy")
    p.add_argument("--fast_ratio", type=float, default=0.4, help="ReCAP's diff_fast_ratio")
    a = p.parse_args()
    if a.method == "halton":
        if a.halton_repo is None:
            p.error("halton needs --halton_repo")
        with safe_open(a.weights, "pt") as weights:
            length = weights.get_slice("diffusion_pos_embed_learned").get_shape()[1]
        # Before numbers become fp64: the released loop counts tokens in fp32.
        cells, known_after = halton(a.halton_repo, round(length ** 0.5), a.num_iter)
    model = build(a, load_module(a.method, a.repo))
    run = torch.Generator().manual_seed(a.seed)
    labels = torch.randint(0, model.num_classes, (a.bsz,), generator=run)
    orders = torch.stack([torch.randperm(model.seq_len, generator=run) for _ in range(a.bsz)])
    decoded = orders
    if a.method == "halton":
        model.known_after = known_after
        decoded = cells.flip(0).repeat(a.bsz, 1)  # the last of an order is decoded first
    model.sample_orders = lambda _: decoded.clone()
    tape = Tape(a.seed + 1, model.token_embed_dim)
    model.diffloss.sample = tape.wrap(model.diffloss.sample)
    kw = {"bsz": a.bsz, "num_iter": a.num_iter, "cfg": a.cfg, "cfg_schedule": a.cfg_schedule,
          "labels": labels, "temperature": a.temperature}
    if a.method == "recap":
        kw.update(pre_full_iters=a.num_iter // 2, num_cache_iters=1, cache_buffer=False,
                  diff_fast_ratio=a.fast_ratio)
    with torch.no_grad():
        latents = model.sample_tokens(**kw)
    latents = latents[0] if isinstance(latents, tuple) else latents
    tensors = {"labels": labels, "orders": orders, "latents": latents.float().contiguous()}
    for i, step in enumerate(tape.steps):
        tensors[f"noise_loop.{i}"] = torch.stack(step["noise_loop"])
        for name in ("noise_init", "z", "sampled"):
            tensors[f"{name}.{i}"] = step[name].float().contiguous()
    config = {"method": method_json(a), "num_iter": a.num_iter, "num_sampling_steps": a.upper,
              "cfg": a.cfg, "cfg_schedule": a.cfg_schedule, "temperature": a.temperature,
              "lazy_mar": False, "encoder_num_heads": a.heads, "patch_size": 1}
    a.out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, a.out / "trace.safetensors", metadata={"config": json.dumps(config)})
    print(f"{len(tape.steps)} steps, latents {latents.std():.4f}")


if __name__ == "__main__":
    main()
