"""Methods as a user sees them, on the demo model: settings that must change nothing give the same
PNGs, byte for byte, and predictors are replayed on what the head computed.

usage: methods_test.py FOLDER_OF_BINARIES   (from the repository's root)
"""

import array
import json
import math
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

from checks import check, conclude, refused

BIN = pathlib.Path(sys.argv[1]).resolve()
DRAW = "--model demo --num_images 1 --eval_bsz 1 --num_iter 5 --threads 1 --no_metadata".split()


def run(tool, *args, place=None):
    return subprocess.run(
        [BIN / tool, *map(str, args)],
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
        cwd=place,
    )


def draw(folder, options, precision="fp32"):
    """The bytes of the PNG."""
    # A folder of its own: names of run folders drop punctuation.
    place = tempfile.mkdtemp(dir=folder)
    result = run(
        "lazymar_eval", *DRAW, "--precision", precision, "--output_dir", place, *options.split()
    )
    pngs = sorted(pathlib.Path(place).rglob("0*.png"))
    if result.returncode != 0 or len(pngs) != 1:
        check(f"draws: {options}", False, result)
        return None
    return pngs[0].read_bytes()


# What changes nothing, and a setting beside it that changes the image. By what it must equal.
LAZY = "--lazy_mar --lazy_warmup 1 --lazy_caches"
SAME = {
    "": [
        ("100 diffusion steps throughout", "--head_steps 100:100", "--head_steps 100:90"),
        ("100 in two parts", "--head_steps 100,100@3", "--head_steps 100,90@3"),
        ("detail for every token", "--detail 1:100", "--detail 1:99"),
    ],
    "--num_sampling_steps 10": [
        ("one stage", "--order checkerboard:1", "--order checkerboard:2"),
        ("the same token schedule", "--tokens_per_step cosine:5", "--tokens_per_step arccos:5"),
        ("10 in partial steps", "--head_steps 10/10", "--head_steps 10/10:9"),
        (
            "a refresh in every step",
            "--lazy_mar --lazy_refresh 1 --lazy_head_refresh 1",
            "--lazy_mar --lazy_warmup 1",
        ),
        ("an interval of 1", "--cache taylor1:interval=1", "--cache taylor1:interval=2"),
        ("pairs that never come", "--cache recap:full=5", "--cache recap:full=1"),
        ("detail for no token", "--detail 0:30", "--detail 0.5:30"),
    ],
    # Guidance 1 leaves no unconditional half, so there is nothing to reuse.
    "--num_sampling_steps 10 --cfg 1": [
        (
            "guidance 1 with its cache",
            f"--cfg 1 {LAZY} condition",
            f"--cfg 1.5 {LAZY} condition",
        ),
    ],
    # Every row retained: a pruning layer behind the last one prunes nothing.
    f"--num_sampling_steps 10 {LAZY} token --lazy_prune_layer 5": [
        (
            "retain 1",
            f"{LAZY} token --lazy_retain 1",
            f"{LAZY} token --lazy_retain 0.1 --lazy_extra 0",
        ),
    ],
}


def read_head(path):
    """{name: ([size, ...], values)} and the metadata of a recording."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = json.loads(header.pop("__metadata__")["lazymar_head"])
    tensors = {}
    for name, about in header.items():
        begin, end = about["data_offsets"]
        part = data[8 + length + begin : 8 + length + end]
        if about["dtype"] == "BF16":
            part = b"".join(b"\0\0" + part[i : i + 2] for i in range(0, len(part), 2))
        values = array.array("f", part)
        tensors[name] = (about["shape"], values)
    return metadata, tensors


def hold_error(folder, interval, horizon):
    """The mean of |F(t + h) - F(t)| / |F(t + h)| over the MLPs' outputs, from the files alone."""
    errors = []
    for path in sorted(folder.glob("head.*.safetensors")):
        metadata, tensors = read_head(path)
        (_, blocks, width), values = tensors["mlp"]
        begin = 0
        for timesteps in metadata["timesteps"]:
            for last in range(2 * interval, len(timesteps) - horizon):
                for block in range(blocks):
                    of = [
                        values[((begin + step) * blocks + block) * width :][:width]
                        for step in (last, last + horizon)
                    ]
                    off = math.dist(of[0], of[1])
                    errors.append(off / math.hypot(*of[1]))
            begin += len(timesteps)
    return sum(errors) / len(errors)


def figures(text):
    """{(feature, predictor): [error of each horizon, in percent]}."""
    rows = {}
    for line in text.splitlines():
        parts = [part.strip() for part in line.strip("|").split("|")]
        if parts[0] in ("mlp", "eps"):
            rows[parts[0], parts[1]] = [float(part.rstrip(" %")) for part in parts[2:]]
    return rows


def controls(folder):
    for base, rows in SAME.items():
        expected = draw(folder, base)
        steps = base if base.startswith("--num_sampling_steps") else ""
        steps = " ".join(steps.split()[:2])
        for name, same, other in rows:
            found = draw(folder, f"{steps} {same}")
            check(f"{name}: the same bytes", found == expected, same)
            found = draw(folder, f"{steps} {other}")
            check(f"  control: {other} differs", found is not None and found != expected)
    steps = "--num_sampling_steps 10"
    half = draw(folder, steps, "bf16")
    check("control: bf16 draws other bytes", half not in (None, draw(folder, steps)))
    for name, same, _ in SAME[steps]:
        found = draw(folder, f"{steps} {same}", "bf16")
        check(f"{name}: the same bytes in bf16", found == half, same)


def replay(folder):
    plain = "--num_sampling_steps 24"
    recorded = folder / "recorded"
    flags = f"{plain} --record_features {recorded} --record_head 6"
    check("recording changes no byte", draw(folder, flags) == draw(folder, plain))
    result = run(
        "lazymar_compare",
        "--features",
        recorded,
        "--replay",
        "hold,taylor1,taylor2,hermite",
        "--replay_interval",
        "4",
        place=folder,
    )
    rows = figures(result.stdout)
    check(
        "every predictor has an error at every horizon",
        result.returncode == 0
        and {name for _, name in rows} == {"hold", "taylor1", "taylor2", "hermite"}
        and all(len(errors) == 3 for errors in rows.values()),
        result,
    )
    check("nothing is written", not (folder / "comparison").exists())
    for horizon in (1, 3):
        mine = 100 * hold_error(recorded, 4, horizon)
        check(
            f"hold is off by the difference, {horizon} steps on: {mine:.2f} %",
            abs(mine - rows["mlp", "hold"][horizon - 1]) <= 0.051,
            rows,
        )
    other = 100 * hold_error(recorded, 4, 2)
    check("  control: not by that of another horizon", abs(other - rows["mlp", "hold"][0]) > 1)
    refused(
        "too few diffusion steps",
        run("lazymar_compare", "--features", recorded, "--replay", "hold", "--replay_interval", 12),
        "--replay_interval 12",
    )
    path = recorded / "head.00000.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    refused(
        "a truncated recording",
        run("lazymar_compare", "--features", recorded, "--replay", "hold"),
        path.name,
    )


with tempfile.TemporaryDirectory() as place:
    controls(pathlib.Path(place))
    replay(pathlib.Path(place))
result = run("lazymar_eval", "--model", "demo", "--method", "gtr-32", "--num_sampling_steps", "100",
             "--detail", "none", "--explain")
check("--explain lists what takes a preset's values back", result.returncode == 0
      and all(re.search(rf"--{text} +command line", result.stdout)
              for text in ("num_sampling_steps 100", "detail none"))
      and "--head_steps" not in result.stdout, result)
refused("stages that --num_iter took away", run("lazymar_eval", "--model", "demo", "--method",
                                                "gtr-32", "--num_iter", "32", "--explain"),
        "--head_steps", "--tokens_per_step has no stage 3")

conclude()
