"""lazymar_bench on the demo checkpoint, a few short steps: its outputs and its refusals.

Timings are not checked.

usage: bench_test.py FOLDER_OF_BINARIES   (run from the repository's root)
"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile

from checks import check, conclude, refused

BENCH = pathlib.Path(sys.argv[1]) / "lazymar_bench"
QUICK = "--models demo --num_iter 8 --num_sampling_steps 4 --threads 1".split()
ARMS = (
    "baseline --precision fp32; lazy --precision fp32; "
    "lazy --precision fp32 --lazy_refresh 2 --eval_bsz 1; lazy --precision fp64"
)


def run(*args):
    return subprocess.run(
        [BENCH, *map(str, args)], capture_output=True, check=False, text=True, timeout=300
    )


def counts_agree(file):
    """Products that LibTorch and the kernels would execute, against the formula."""
    methods = ("disa; lazymar-fast; lazymar-gtr-head; gtr-8; recap --num_iter 8; "
               "halton --num_iter 8; mar --cache taylor1 --num_iter 8; mar --cfg 1 --num_iter 8")
    arms = ["--models", "mar_base", "--arms", methods]
    run("--count", *arms, "--json", file)
    rows = json.loads(file.read_text())["models"][0]["rows"]
    formula = [row["flops_per_image"]["total"] for row in rows]
    run("--launches", *arms, "--json", file)
    counted = []
    for arm in json.loads(file.read_text())["arms"]:
        parts = [arm["outside"], arm["vae"]]
        parts += [step[part] for step in arm["steps"] for part in ("encoder", "decoder", "head")]
        counted.append(sum(work["flops"] for part in parts for work in part["by_name"].values()))
    check("--launches counts the FLOPs of --count, to the last one", counted == formula,
          (counted, formula))
    check("control: the arms differ", len(set(formula)) == len(formula), formula)


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    files = [folder / name for name in ("bench.md", "bench.json", "bench.csv")]
    outputs = ["--markdown", files[0], "--json", files[1], "--csv", files[2]]

    result = run(*QUICK, "--batch", "1,2", "--repeats", "3", "--arms", ARMS, *outputs)
    check("it runs", result.returncode == 0, result.stderr)
    check("the table is printed and written", files[0].read_text() == result.stdout, result.stdout)
    check(
        "with the columns of LazyMAR's README",
        "| Model | Batch | Latency (GPU) | Latency (CPU) | FLOPs | "
        "Speedup | FID ↓ | IS ↑ |" in result.stdout,
        result.stdout,
    )
    check("whole runs are not called extrapolated", "≈" not in result.stdout, result.stdout)
    found = json.loads(files[1].read_text())
    rows = found["rows"]
    check(
        "a row per batch and arm", [row["batch"] for row in rows] == [1, 1, 1, 1, 2, 2, 1, 2], rows
    )
    turns = [0, 1, 2, 3, 3, 2, 1, 0, 0, 1, 2, 3]
    check("arms take turns", found["order"] == turns + [4 + arm for arm in turns], found["order"])
    told = [
        line for line in result.stderr.splitlines() if "demo, batch" in line and ", run " in line
    ]
    check(
        "in that order",
        ["--lazy_refresh 2" in line for line in told] == [arm % 4 == 2 for arm in found["order"]],
        result.stderr,
    )
    check(
        "weights are loaded once per precision",
        result.stderr.count("weights: pretrained_models") == 2,
        result.stderr,
    )
    for row in rows:
        seconds, stages = row["seconds_per_image"], row["stage_seconds_per_image"]
        check(
            f"figures of {row['arm']}, batch {row['batch']}",
            len(seconds["runs"]) == 3
            and 0 < seconds["p10"] <= seconds["median"] <= seconds["p90"]
            and 0 < sum(stages.values()) <= 1.001 * sum(seconds["runs"]) / 3
            and row["peak_anonymous_bytes"] > 10_000_000
            and row["gemm_flops_per_second"] > 0
            and row["share_of_gemm_rate"] > 0
            and not row["extrapolated"],
            row,
        )
        check(
            f"wall clock and GPU of {row['arm']}, batch {row['batch']}, on a CPU",
            row["wall_seconds_per_image"] == seconds
            and row["gpu"] is None
            and row["peak_device_bytes"] == 0,
            row,
        )
    check(
        "fewer FLOPs with the caches",
        rows[1]["flops_per_image"] < rows[0]["flops_per_image"]
        and rows[1]["speedup"]["flops"] > 1
        and rows[0]["speedup"] == {"time": 1, "flops": 1},
        rows,
    )
    check(
        "versions, threads, device",
        found["threads"] == 1 and found["lazymar"] and found["libtorch"] and found["device"],
        found,
    )
    with files[2].open(newline="") as file:
        lines = list(csv.DictReader(file))
    check(
        "the CSV says what the JSON says",
        [float(line["seconds_median"]) for line in lines]
        == [row["seconds_per_image"]["median"] for row in rows]
        and [line["arm"] for line in lines] == [row["arm"] for row in rows]
        and all(
            line["wall_seconds_median"] == line["seconds_median"]
            and line["power_watts_max"] == ""
            and line["libtorch"] == found["libtorch"]
            for line in lines
        ),
        lines,
    )

    result = run("--models", "demo", "--num_iter", "8", "--num_sampling_steps", "4", "--count",
                 "--arms", "baseline; lazy", "--json", files[1])
    counted = json.loads(files[1].read_text())["models"][0]["rows"]
    parts = [row["flops_per_image"] for row in counted]
    check(
        "--count writes FLOPs and bytes of caches as JSON",
        result.returncode == 0
        and [row["arm"] for row in counted] == ["baseline", "lazy"]
        and all(sum(part.values()) == 2 * part["total"] for part in parts)
        and parts[1]["total"] < parts[0]["total"] < counted[0]["baseline_flops_per_image"]
        and counted[0]["baseline_flops_per_image"] == counted[1]["baseline_flops_per_image"]
        and counted[0]["cache_bytes_per_image"] == 0 < counted[1]["cache_bytes_per_image"],
        counted,
    )

    result = run("--models", "demo", "--num_iter", "8", "--num_sampling_steps", "4", "--launches",
                 "--arms", "mar; lazymar --cuda_graphs off", "--json", files[1])
    if "no CUDA kernels" in result.stderr:
        check("--launches needs a build with CUDA", result.returncode == 2, result.stderr)
    else:
        mar, lazymar = json.loads(files[1].read_text())["arms"]
        check(
            "--launches counts kernels by step, without a GPU",
            result.returncode == 0
            and len(mar["steps"]) == len(lazymar["steps"]) == 8
            and mar["steps"][1]["encoder"]["graph_launches"] == 1
            and lazymar["steps"][1]["encoder"]["graph_launches"] == 0
            and lazymar["steps"][7]["decoder"]["launches"] > 0
            and "| aten::addmm |" in result.stdout,
            result.stderr,
        )
        counts_agree(files[1])

    whole = {(row["batch"], row["arm"]): row["flops_per_image"] for row in rows}
    result = run(
        *QUICK,
        "--batch",
        "2",
        "--repeats",
        "1",
        "--sample_steps",
        "1",
        "--arms",
        "baseline --precision fp32; lazy --precision fp32",
        *outputs,
    )
    sampled = json.loads(files[1].read_text())["rows"]
    check(
        "a few steps of each kind",
        result.returncode == 0 and all(0 < row["measured_steps"] < 8 for row in sampled),
        result.stderr,
    )
    check("marked in JSON", all(row["extrapolated"] for row in sampled), sampled)
    check("marked in CSV", files[2].read_text().count(",true,") == 2, files[2].read_text())
    check(
        "marked in Markdown",
        result.stdout.count("≈ ") >= 8 and "extrapolated, not run as a whole" in result.stdout,
        result.stdout,
    )
    check(
        "with the FLOPs of the whole run",
        all(row["flops_per_image"] == whole[2, row["arm"]] for row in sampled),
        sampled,
    )

    result = run(
        "--models",
        "mar_base",
        "--random_weights",
        "--num_iter",
        "1",
        "--num_sampling_steps",
        "1",
        "--repeats",
        "1",
        "--arms",
        "lazy",
        "--threads",
        "1",
    )
    check(
        "random weights of a published model",
        result.returncode == 0 and "LazyMAR-B" in result.stdout,
        result.stderr,
    )

    refused("unknown flag", run("--model", "demo"), "model", "--help")
    refused("two tables", run("--count", "--launches"), "--count and --launches", "one of them")
    refused("a table without CSV", run("--launches", "--csv", files[2]), "--csv", "no CSV")
    refused("unknown arm", run(*QUICK, "--arms", "fast"), '"fast"', "baseline, lazy or a --method")
    refused(
        "flag that an arm cannot have", run(*QUICK, "--arms", "lazy --output_dir x"), "--output_dir"
    )
    refused("bad batch", run(*QUICK, "--batch", "1,0"), "--batch 1,0")
    refused("no such model", run("--models", "mar_tiny"), "mar_tiny")
    refused("no weights", run("--models", "mar_huge"), "checkpoint-last.pth")
    refused(
        "a file that cannot be written, before anything is measured",
        run(*QUICK, "--json", folder / "none/x.json"),
        "--json",
        "none does not exist",
        status=74,
    )

conclude()
