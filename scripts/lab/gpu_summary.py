#!/usr/bin/env python3
"""Summarizes the results of scripts/lab/gpu_check.sh (OUT/stages.tsv and OUT/logs/*.json) in
summary.txt and results.json.

    scripts/lab/gpu_summary.py OUT

The summary is always written, and names files that are missing or damaged.
"""
import json
import sys
from pathlib import Path

# The project's targets: seconds per image on an H200 in bf16, 64 steps, VAE included.
TARGETS = {("lazy", 128): 0.050, ("lazy", 1): 0.30, ("baseline", 128): 0.13}
# The original's seconds per image divided by ours.
RATIOS = {128: 1.3, 1: 10.0}


def read(path, problems):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problems.append(f"{path.name}: {error}")
        return None


def device_name(out):
    try:
        lines = (out / "device.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown device"
    return next((line.strip("| ") for line in lines if "NVIDIA" in line and "SMI" not in line),
                "unknown device")


def read_stages(out):
    path = out / "stages.tsv"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [
        dict(zip(("name", "verdict", "seconds"), line.split("\t"), strict=False)) for line in lines
    ]


def bench_lines(rows):
    lines = []
    for row in rows:
        seconds, arm, batch = row["seconds_per_image"]["median"], row["arm"], row["batch"]
        target = TARGETS.get((arm, batch))
        wanted = ""
        if target is not None:
            wanted = f" ({'within' if seconds <= target else 'OVER'} {target})"
        lines.append(
            f"{row['model']}, batch {batch}, {arm}: {seconds:.4f} s per image{wanted}, wall clock "
            f"{row['wall_seconds_per_image']['median']:.4f}, "
            f"{row['peak_device_bytes'] / 2**30:.1f} GiB, {gpu_text(row['gpu'])}")
    return lines


def gpu_text(gpu):
    """Clocks and power, median (largest)."""
    if not gpu:
        return "the driver tells nothing"
    names = (("sm_clock_mhz", "MHz"), ("power_watts", "W"), ("temperature_celsius", "°C"))
    return ", ".join(f"{gpu[name]['median']:.0f} ({gpu[name]['max']:.0f}) {unit}"
                     for name, unit in names if gpu.get(name))


def original_lines(originals, rows):
    """Both by the wall clock between synchronizations."""
    ours = {(row["model"], row["batch"]): row["wall_seconds_per_image"]["median"] for row in rows
            if row["arm"] == "lazy"}
    lines = []
    for run in originals:
        batch, seconds = run["batch"], run["seconds_per_image"]["median"]
        line = f"original {run['model']}, batch {batch}, {run['arm']}: "
        if seconds is None:
            lines.append(line + str(run["error"]))
            continue
        line += f"{seconds:.4f} s per image"
        if run["arm"] == "lazy" and (run["model"], batch) in ours:
            line += (f", {seconds / ours[run['model'], batch]:.2f} times ours "
                     f"(wanted: {RATIOS.get(batch, 1)})")
        lines.append(line)
    return lines


def write(path, text):
    """All of it or nothing: the machine may be taken away at any moment."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: gpu_summary.py OUT")
    out = Path(sys.argv[1])
    problems = []

    def parsed(pattern):
        contents = (read(path, problems) for path in sorted((out / "logs").glob(pattern)))
        return [content for content in contents if content is not None]

    rows = [row for bench in parsed("bench-*.json") for row in bench["rows"]]
    originals = [run for report in parsed("original-*.json") for run in report["rows"]]
    evals = [{key: summary.get(key) for key in ("seconds_per_image", "stages", "peak_device_bytes",
                                                "settings")} for summary in parsed("eval-*.json")]
    results = {"device": device_name(out), "stages": read_stages(out), "bench": rows,
               "original": originals, "eval": evals, "problems": problems}
    write(out / "results.json", json.dumps(results, indent=1))
    lines = [results["device"], ""]
    lines += [f"{s['name']:40} {s['verdict']:32} {s['seconds']:>4} s" for s in results["stages"]]
    lines += ["", *bench_lines(rows), *original_lines(originals, rows)]
    lines += [f"{path.stem}: {path.read_text(encoding='utf-8').strip()}"
              for path in sorted((out / "logs").glob("calls-*.log"))]
    lines += [
        f"lazymar_eval, {run['settings'].get('model')}, batch {run['settings'].get('eval_bsz')}: "
        f"{run['seconds_per_image']} s per image" for run in evals
    ]
    lines += [f"UNREADABLE: {problem}" for problem in problems]
    text = "\n".join(lines) + "\n"
    write(out / "summary.txt", text)
    print(text, end="")


main()
