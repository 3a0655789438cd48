#!/usr/bin/env python3
"""Times the original PyTorch code of LazyMAR, and the same code without --lazy_mar (which is not
LTH14/mar's), with random weights and as run by its eval.py. Compare lazymar_bench with it on the
same machine.

    git clone https://github.com/feihongyan1/LazyMAR
    scripts/lab/original_bench.py --repo LazyMAR --json original.json    mar_huge, batches 128 and 1
    scripts/lab/original_bench.py --repo LazyMAR --model mar_base --batch 32 --arms lazy
    scripts/lab/original_bench.py --repo LazyMAR --device cpu --model tiny --batch 2    a quick try

As in eval.py and engine_mar.py: constructors and settings, cudnn.benchmark, autocast to fp16 on
CUDA and none on a CPU; the VAE's decoder is timed, PNGs are not; the allocator is emptied between
batches, and the first batch does not count. Left out: files, scores, the launcher (its barriers
are not timed there) and what the launcher and the EMA keep on the GPU, some copies of the weights.
Times are wall-clock times between two synchronizations; CUDA events check them.

Needs torch and numpy, and models/, diffusion/ and diffusion_cached/ of the checkout. The original
also imports timm, scipy and tqdm, but uses little of them. If one is not installed, a stand-in
below replaces it, and the report names it. The report is written after each batch, so a stopped
run keeps its results.
Exit status: 0 everything was timed, 1 out of memory in an arm, 2 unusable settings.
"""
import argparse
import contextlib
import gc
import importlib.util
import json
import statistics
import sys
import time
import types
from pathlib import Path


def stop(message):
    print(f"original_bench.py: {message}", file=sys.stderr)
    sys.exit(2)


try:
    import numpy
    import torch
    from torch import nn
except (ImportError, OSError) as problem:
    stop(f"{problem}: it needs torch and numpy")

HEADS = {"mar_base": (6, 1024), "mar_large": (8, 1280), "mar_huge": (12, 1536), "tiny": (6, 64)}
MOST_STEPS = {"lazy": 64, "baseline": 256}  # the length of its retain table; an image's tokens
SEED = 1


class Mlp(nn.Module):
    """Replaces timm's, with the same modules: at batch 1 calls cost more than their work."""

    def __init__(self, in_features, hidden_features, act_layer, drop):
        super().__init__()
        self.fc1, self.act = nn.Linear(in_features, hidden_features), act_layer()
        self.drop1, self.norm = nn.Dropout(drop), nn.Identity()
        self.fc2, self.drop2 = nn.Linear(hidden_features, in_features), nn.Dropout(drop)

    def forward(self, x):
        return self.drop2(self.fc2(self.norm(self.drop1(self.act(self.fc1(x))))))


# By package: modules, and what the original imports from them. Sampling uses only Mlp: no block has
# a DropPath, attention ignores its flag for the fused kernel, truncnorm draws masks in training,
# and tqdm shows progress on request.
STAND_INS = {
    "timm": {"timm.layers": {"Mlp": Mlp, "DropPath": None, "use_fused_attn": lambda: False}},
    "scipy": {"scipy": {}, "scipy.stats": {"truncnorm": lambda *_args, **_named: None}},
    "tqdm": {"tqdm": {"tqdm": None}},
}


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", type=Path, required=True, metavar="DIR", help="the original")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--model", default="mar_huge", choices=HEADS)
    parser.add_argument("--batch", default="128,1", metavar="N,...")
    parser.add_argument("--arms", default="lazy,baseline", metavar="ARM,...")
    parser.add_argument("--num_iter", type=int, default=64)
    parser.add_argument("--num_sampling_steps", type=int, default=100)
    parser.add_argument("--cfg", type=float, default=3.25)
    parser.add_argument("--repeats", type=int, default=2, help="after one that does not count")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    arms, batches = options.arms.split(","), options.batch.split(",")
    if unknown := [arm for arm in arms if arm not in MOST_STEPS]:
        stop(f"--arms {','.join(unknown)}: not one of {', '.join(MOST_STEPS)}")
    if not all(batch.isdecimal() and int(batch) > 0 for batch in batches):
        stop(f"--batch {options.batch}: must be positive numbers with commas between")
    options.arms, options.batch = arms, [int(batch) for batch in batches]
    for name, most in (("num_iter", min(MOST_STEPS[arm] for arm in arms)),
                       ("num_sampling_steps", 1000), ("repeats", 1000)):
        if not 1 <= getattr(options, name) <= most:
            stop(f"--{name} {getattr(options, name)}: must be 1 to {most}")
    if options.cfg == 1:
        stop("--cfg 1: the original's caches need guidance")
    if not (options.repo / "models/mar_cache.py").is_file():
        stop(f"--repo {options.repo}: no checkout of github.com/feihongyan1/LazyMAR")
    if options.device == "cuda" and not torch.cuda.is_available():
        stop("--device cuda: this torch finds no NVIDIA GPU")
    if options.json and not options.json.absolute().parent.is_dir():
        stop(f"--json {options.json}: its folder is missing")
    return options


def import_original(repo):
    """The original's modules of MAR and the VAE, and the packages replaced by stand-ins."""
    replaced = [name for name in STAND_INS if importlib.util.find_spec(name) is None]
    modules = {name: names for package in replaced for name, names in STAND_INS[package].items()}
    for name, names in modules.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(names)
    sys.path.insert(0, str(repo))
    try:
        mar = importlib.import_module("models.mar_cache")
        return mar, importlib.import_module("models.vae"), replaced
    except ImportError as error:
        stop(f"--repo {repo}: {error}")
    finally:  # torch looks for some of them later and must not find the stand-ins
        for name in modules:
            del sys.modules[name]


@torch.no_grad()
def wake_head(net):
    """The constructor leaves the diffusion head's modulations and last layer at zero. Products with
    zeros draw less of a GPU's power, so that its clocks are higher, and latents grow until fp16
    overflows. So the head is made to predict x and a little more as noise. Hidden channels carry x,
    -x and +-16, so that the last norm nearly divides by a constant; the last layer undoes that.
    """
    channels, width, level = net.in_channels, net.model_channels, 16.0
    net.input_proj.weight.zero_()
    net.input_proj.weight[:channels].fill_diagonal_(1)
    net.input_proj.weight[channels:2 * channels].fill_diagonal_(-1)
    net.input_proj.bias[2 * channels::2] = level
    net.input_proj.bias[2 * channels + 1::2] = -level
    for block in net.res_blocks:
        block.adaLN_modulation[-1].weight.normal_(std=0.01 / width ** 0.5)
    for layer in (net.final_layer.adaLN_modulation[-1], net.final_layer.linear):
        layer.weight.normal_(std=0.003 / width ** 0.5)
    variance = (2 * channels + (width - 2 * channels) * level ** 2) / width
    net.final_layer.linear.weight[:channels].diagonal().add_(variance ** 0.5)


def build(mar, vae, arm, options):
    """MAR and the VAE, created on their device. eval.py's other settings are MAR's defaults."""
    depth, width = HEADS[options.model]
    settings = {"diffloss_d": depth, "diffloss_w": width, "lazy_mar": arm == "lazy",
                "num_sampling_steps": str(options.num_sampling_steps)}
    tiny = {f"{part}_{name}": size for part in ("encoder", "decoder")
            for name, size in (("embed_dim", 64), ("depth", 6), ("num_heads", 4))}
    torch.manual_seed(SEED)
    numpy.random.seed(SEED)  # noqa: NPY002  (what the original draws from)
    with torch.device(options.device):
        decoder = vae.AutoencoderKL(embed_dim=16, ch_mult=(1, 1, 2, 2, 4))
        if options.model == "tiny":
            decoder.decoder = vae.Decoder(ch=32)
            model = mar.MAR(**tiny, **settings)
        else:
            model = getattr(mar, options.model)(**settings)
    wake_head(model.diffloss.net)
    # MAR's parameters keep requires_grad, as there: otherwise autocast casts each at every use.
    return model.eval(), decoder.eval().requires_grad_(False)


def run_batch(index, model, decoder, row, options):
    """Seconds by the wall clock and by CUDA events (None on a CPU); whether images are finite."""
    gpu, batch = torch.cuda if options.device == "cuda" else None, row["batch"]
    labels = torch.arange(batch * index, batch * (index + 1)) // 50 % 1000  # as of 50000 images
    labels = labels.to(options.device)
    settings = types.SimpleNamespace(device=options.device, lazy_mar=row["arm"] == "lazy")
    # The same as torch.cuda.amp.autocast(), the deprecated name that is used there.
    autocast = torch.autocast("cuda", torch.float16) if gpu else contextlib.nullcontext()
    if gpu:
        events = gpu.Event(enable_timing=True), gpu.Event(enable_timing=True)
        gpu.synchronize()
    start = time.perf_counter()
    if gpu:
        events[0].record()
    with torch.no_grad(), autocast:
        tokens = model.sample_tokens(bsz=batch, num_iter=options.num_iter, cfg=options.cfg,
                                     cfg_schedule="linear", labels=labels, temperature=1.0,
                                     num_steps=index, args=settings)
        images = decoder.decode(tokens / 0.2325)
    if gpu:
        events[1].record()
        gpu.synchronize()
    wall = time.perf_counter() - start
    by_events = events[0].elapsed_time(events[1]) / 1000 if gpu else None
    return wall, by_events, bool(images.isfinite().all())


def measure(row, networks, options, save):
    """Fills `row`, and saves after every batch."""
    gpu, seconds = torch.cuda if options.device == "cuda" else None, row["seconds_per_image"]
    for index in range(options.repeats + 1):
        gc.collect()
        if gpu:
            gpu.empty_cache()
            gpu.ipc_collect()
            if index == 0:
                gpu.reset_peak_memory_stats()
        try:
            wall, by_events, finite = run_batch(index, *networks, row, options)
        except torch.OutOfMemoryError as error:
            row["error"] = str(error).splitlines()[0]
            return
        row["finite"] = row["finite"] and finite
        if index == 0:
            row["warm_up_seconds"] = wall
        else:
            seconds["runs"].append(wall / row["batch"])
            seconds["events"].append(by_events and by_events / row["batch"])
            seconds["median"] = statistics.median(seconds["runs"])
        if gpu:  # the first is lazymar_bench's figure of this name
            row["peak_device_bytes"] = gpu.max_memory_reserved()
            row["peak_allocated_bytes"] = gpu.max_memory_allocated()
        save()
        print(f"{row['model']}, batch {row['batch']}, {row['arm']}, "
              f"{f'run {index} of {options.repeats}' if index else 'warm-up'}: "
              f"{wall / row['batch']:.4f} s per image", flush=True)


def print_table(report):
    print(f"the original on {report['device']}, torch {report['torch']}, {report['precision']}, "
          f"stand-ins: {', '.join(report['stand_ins']) or 'none'}\n"
          f"{'model':10} {'batch':>5} {'arm':8} {'s / image':>10} {'runs':>4} {'GiB':>6}")
    for row in report["rows"]:
        runs, median = row["seconds_per_image"]["runs"], row["seconds_per_image"]["median"]
        note = row["error"] or ("" if row["finite"] else "images are not finite")
        print(f"{row['model']:10} {row['batch']:5} {row['arm']:8} "
              f"{f'{median:.4f}' if runs else '-':>10} {len(runs):4} "
              f"{row['peak_device_bytes'] / 2**30:6.1f} {note}".rstrip())


def main():
    options = parse()
    mar, vae, replaced = import_original(options.repo)
    on_gpu = options.device == "cuda"
    torch.backends.cudnn.benchmark = on_gpu
    report = {"code": "github.com/feihongyan1/LazyMAR", "weights": "random",
              "device": torch.cuda.get_device_name() if on_gpu else "CPU",
              "torch": torch.__version__, "precision": "fp16 autocast" if on_gpu else "fp32",
              "stand_ins": replaced, "repeats": options.repeats, "rows": []}

    def save():
        if options.json:
            part = options.json.with_name(options.json.name + ".part")
            part.write_text(json.dumps(report, indent=2) + "\n")
            part.replace(options.json)

    for arm in options.arms:
        networks = None  # releases the memory of the arm before
        networks = build(mar, vae, arm, options)
        for batch in options.batch:
            row = {"model": options.model, "batch": batch, "arm": arm, "num_iter": options.num_iter,
                   "num_sampling_steps": options.num_sampling_steps, "cfg": options.cfg,
                   "seconds_per_image": {"median": None, "runs": [], "events": []},
                   "warm_up_seconds": None, "peak_device_bytes": 0, "peak_allocated_bytes": 0,
                   "finite": True, "error": None}
            report["rows"].append(row)
            measure(row, networks, options, save)
            save()
    print_table(report)
    return int(any(row["error"] for row in report["rows"]))


if __name__ == "__main__":
    sys.exit(main())
