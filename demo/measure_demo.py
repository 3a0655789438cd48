#!/usr/bin/env python3
"""Measures the demo checkpoint: generates images with and without LazyMAR, and with three caches
that skip more than LazyMAR does. The demo classifier judges them against held-out pictures.

    V/bin/python demo/measure_demo.py            1000 images per arm; over an hour on two cores
    V/bin/python demo/measure_demo.py --num_images 100 --arms lazy,no-condition
    V/bin/python demo/measure_demo.py --sheet pretrained_models/demo_samples.png

V is an environment with PyTorch, NumPy and Pillow:

    python3 -m venv V && V/bin/pip install torch==2.11.0 numpy pillow

Run it from the repository's root. Arms whose run folder is complete and newer than the weights
are reused; an interrupted measurement repeats the arm it was at. The output is also written to
DIR/report.md and DIR/report.json.
"""
import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path

from demo_training.environment import advice

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

try:
    import numpy
    import torch
    from PIL import Image, ImageDraw

    from demo_training import shapes
    from demo_training.classifier import Classifier
    from demo_training.safetensors_file import read_safetensors
    from demo_training.stages import to_unit
except ModuleNotFoundError as missing:
    sys.exit(advice("measure_demo.py", missing))

MODELS = Path("pretrained_models")
WEIGHTS, VAE = "mar/demo/checkpoint-last.safetensors", "vae/demo.safetensors"
CLASSIFIER = "demo_classifier.safetensors"
# Name: title, flags of lazymar_eval. The first two are followed by controls: a judge must find the
# first two controls worse; the last one shows the effect of refreshes.
ARMS = {
    "baseline": ("MAR", []),
    "lazy": ("LazyMAR", ["--lazy_mar"]),
    "no-condition": ("LazyMAR, condition difference dropped",
                     ["--lazy_mar", "--lazy_condition_scale", "0"]),
    # Every step after the fifth recomputes only the new rows, in every decoder layer.
    "two-percent": (("LazyMAR, 2 % of the rows retained from step 5 on, no refresh, no extra rows, "
                     "from layer 0 on"),
                    ["--lazy_mar", "--lazy_retain", "1,1,1,1,1,0.02", "--lazy_refresh", "65536",
                     "--lazy_extra", "0", "--lazy_prune_layer", "0"]),
    # The same with the published refreshes, 15 more rows, and from layer 3 of the demo's 5 on.
    "two-percent-refreshed": ("LazyMAR, 2 % of the rows retained from step 5 on, else as published",
                              ["--lazy_mar", "--lazy_retain", "1,1,1,1,1,0.02"]),
}


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num_images", type=int, default=1000, help="per arm")
    parser.add_argument("--real", type=int, default=2000, help="held-out pictures to compare with")
    parser.add_argument("--arms", default=",".join(ARMS), help="some of %(default)s")
    parser.add_argument("--models", type=Path, default=MODELS, metavar="DIR",
                        help="where the three files are (default: %(default)s)")
    parser.add_argument("--eval", type=Path, default=Path("build/bin/lazymar_eval"), metavar="FILE")
    parser.add_argument("--output_dir", type=Path, default=Path("output/measure_demo"),
                        metavar="DIR")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--precision", default="auto",
                        choices=("auto", "bf16", "fp16", "fp32", "fp64"),
                        help="of lazymar_eval (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--sheet", type=Path, metavar="FILE",
                        help="writes a contact sheet of real, MAR and LazyMAR images there")
    options = parser.parse_args()
    options.arms = options.arms.split(",")
    unknown = [arm for arm in options.arms if arm not in ARMS]
    if unknown:
        parser.error(f"--arms {','.join(unknown)}: not one of {', '.join(ARMS)}")
    if options.real < 4 or options.num_images < 2:
        parser.error("--real must be 4 or more, --num_images 2 or more")
    for name in (WEIGHTS, VAE, CLASSIFIER):
        if not (options.models / name).is_file():
            parser.error(f"--models: {options.models / name} is missing")
    return options


def find_run(folder, options):
    """The complete run below a folder that is newer than the weights, or None."""
    newest = max((options.models / name).stat().st_mtime for name in (WEIGHTS, VAE))
    for path in folder.glob("*/*/info/summary.json"):
        if path.stat().st_mtime > newest and json.loads(path.read_text())["complete"]:
            return path.parent.parent
    return None


def generate(arm, options):
    """The run folder of an arm, generated now unless it exists."""
    precision = "" if options.precision == "auto" else f"-{options.precision}"
    folder = (options.output_dir / f"{options.num_images}-images-seed{options.seed}{precision}"
              / arm)
    run = find_run(folder, options)
    if run:
        return run
    command = [options.eval, "--model", "demo", "--resume", options.models / "mar/demo",
               "--num_images", options.num_images, "--seed", options.seed,
               "--precision", options.precision, "--threads", options.threads,
               "--output_dir", folder, "--overwrite", *ARMS[arm][1]]
    print(f"{arm}: {' '.join(map(str, command))}", flush=True)
    try:
        status = subprocess.run([str(part) for part in command], check=False,
                                stdout=subprocess.DEVNULL).returncode
    except OSError as error:
        sys.exit(f"measure_demo.py: {options.eval}: {error.strerror}: build it or give --eval")
    run = find_run(folder, options)
    if status != 0 or run is None:
        sys.exit(f"measure_demo.py: {arm}: lazymar_eval ended with status {status}")
    return run


def load_images(run):
    paths = sorted(run.glob("*.png"), key=lambda path: int(path.stem))
    return torch.stack([torch.from_numpy(numpy.array(Image.open(p).convert("RGB"))) for p in paths])


class Judge:
    """The classifier, and its verdict on a set of images."""

    def __init__(self, path):
        state, self.config = read_safetensors(path)
        self.classifier = Classifier(batch_norms=False).eval()
        self.classifier.load_state_dict(state)

    @torch.no_grad()
    def __call__(self, images):
        """Features [B, 96] and the named classes [B]."""
        features = torch.cat([self.classifier.features(to_unit(b)) for b in images.split(100)])
        return features.double().numpy(), self.classifier.head(features).argmax(1).numpy()


def frechet_distance(a, b):
    """Frechet distance of two sets of features: |mean|^2 + tr(A + B - 2 (AB)^1/2)."""
    gap = a.mean(axis=0) - b.mean(axis=0)
    cov_a, cov_b = numpy.cov(a, rowvar=False), numpy.cov(b, rowvar=False)
    values, vectors = numpy.linalg.eigh(cov_a)
    root = vectors * numpy.sqrt(numpy.clip(values, 0, None)) @ vectors.T
    mixed = numpy.linalg.eigvalsh(root @ cov_b @ root)
    cross = numpy.sqrt(numpy.clip(mixed, 0, None)).sum()
    return float(gap @ gap + numpy.trace(cov_a) + numpy.trace(cov_b) - 2 * cross)


def wilson_interval(right, count, z=1.96):
    """95 % interval of a share."""
    share, weight = right / count, z * z / count
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / count + weight / (4 * count))
    return middle - half, middle + half


def median_psnr(images, others):
    """Median over pairs of uint8 images [B, H, W, 3], in dB; infinite if most are equal."""
    error = (images.double() - others.double()).square().mean(dim=(1, 2, 3))
    return float((10 * torch.log10(255 ** 2 / error)).median())


def judge_arm(arm, run, judge, real_features, baseline):
    """The judge's results for an arm; `baseline`: MAR's images of the same ids, or None."""
    images = load_images(run)
    features, named = judge(images)
    count = len(images)
    wanted = numpy.arange(count) * len(shapes.CLASSES) // count
    right = int((named == wanted).sum())
    by_class = {name: float((named[wanted == k] == k).mean())
                for k, name in enumerate(shapes.CLASSES) if (wanted == k).any()}
    summary = json.loads((run / "info/summary.json").read_text())
    return {"title": ARMS[arm][0], "images": count, "right": right, "share": right / count,
            "interval": wilson_interval(right, count), "share_by_class": by_class,
            "frechet_distance": frechet_distance(features, real_features),
            "median_psnr": None if baseline is None else median_psnr(images, baseline),
            "seconds_per_image": summary["seconds_per_image"], "settings": summary["settings"]}


def markdown(report):
    lines = [("| arm | images | named right | 95 % interval | Fréchet distance to real "
              "| PSNR to MAR's image, median | s per image |"),
             "|---|---|---|---|---|---|---|"]
    for arm in report["arms"].values():
        low, high = arm["interval"]
        psnr = "" if arm["median_psnr"] is None else f"{arm['median_psnr']:.1f} dB"
        lines.append(f"| {arm['title']} | {arm['images']} | {100 * arm['share']:.1f} % | "
                     f"{100 * low:.1f} to {100 * high:.1f} % | {arm['frechet_distance']:.3f} | "
                     f"{psnr} | {arm['seconds_per_image']:.2f} |")
    real = report["real"]
    lines.append(f"| real, held out | {real['images']} | {100 * real['share']:.1f} % | "
                 f"{100 * real['interval'][0]:.1f} to {100 * real['interval'][1]:.1f} % | "
                 f"{real['frechet_distance_of_halves']:.3f} (between its halves) | | |")
    return "\n".join(lines) + "\n\n" + computed_in(report["arms"]) + "\n"


def computed_in(arms):
    """Precision and device; by arm if they differ, because such arms are not comparable."""
    by_place = {}
    for name, arm in arms.items():
        settings = arm["settings"]
        by_place.setdefault(f"{settings['precision']} on {settings['device']}", []).append(name)
    if len(by_place) == 1:
        return f"Computed in {next(iter(by_place))}."
    return "Computed in " + "; ".join(f"{place}: {', '.join(names)}"
                                      for place, names in by_place.items()) + "."


def write_sheet(path, panels, columns=6):
    """Panels side by side, one row per class: [(title, images sorted by class)]."""
    sheets = []
    for title, images in panels:
        count, classes = len(images), len(shapes.CLASSES)
        first = [-(-k * count // classes) for k in range(classes)]
        rows = [images[f + c].numpy() for f in first for c in range(columns)]
        sheets.append((title, shapes.contact_sheet(rows, columns)))
    gap, header = 14, 18
    width, height = sheets[0][1].size
    whole = Image.new("RGB", (len(sheets) * (width + gap) - gap, height + header), "white")
    draw = ImageDraw.Draw(whole)
    for k, (title, sheet) in enumerate(sheets):
        draw.text((k * (width + gap) + 4, 3), title, fill=(60, 60, 60))
        whole.paste(sheet, (k * (width + gap), header))
    whole.save(path, optimize=True)


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    judge = Judge(options.models / CLASSIFIER)
    real = torch.stack([torch.from_numpy(shapes.render("held-out", i))
                        for i in range(options.real)])
    features, named = judge(real)
    right = int((named == numpy.arange(len(real)) % len(shapes.CLASSES)).sum())
    half = len(real) // 2
    report = {"real": {"images": len(real), "share": right / len(real),
                       "interval": wilson_interval(right, len(real)),
                       "frechet_distance_of_halves": frechet_distance(features[:half],
                                                                      features[half:])},
              "arms": {}}
    options.output_dir.mkdir(parents=True, exist_ok=True)
    runs = {}
    for arm in options.arms:
        runs[arm] = generate(arm, options)
        # An arm and MAR pair up image by image: same orders, same noise.
        paired = arm != "baseline" and "baseline" in runs
        report["arms"][arm] = judge_arm(arm, runs[arm], judge, features,
                                        load_images(runs["baseline"]) if paired else None)
        table = markdown(report)
        (options.output_dir / "report.json").write_text(json.dumps(report, indent=2) + "\n")
        (options.output_dir / "report.md").write_text(table, encoding="utf-8")
    print(table)
    if options.sheet:
        by_class = real[torch.arange(len(real)).reshape(-1, len(shapes.CLASSES)).T.flatten()]
        panels = [("real", by_class)] + [(ARMS[arm][0], load_images(runs[arm]))
                                         for arm in ("baseline", "lazy") if arm in runs]
        write_sheet(options.sheet, panels)


if __name__ == "__main__":
    main()
