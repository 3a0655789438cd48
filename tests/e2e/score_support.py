"""Shared by the tests of scores: running the programs, reading scores, PNGs of one colour."""
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

from checks import check

BIN = pathlib.Path(sys.argv[1]).resolve()
STATS = "pretrained_models/demo_stats.npz"
QUICK = "--model demo --num_iter 2 --num_sampling_steps 2 --eval_bsz 4 --threads 1".split()
DEMO = ["--extractor", "demo"]
SCORE = ["--score", STATS, *DEMO]
AGAINST = ["--fid", STATS, *DEMO]


def start(tool, *args):
    return subprocess.Popen([BIN / tool, *map(str, args)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def run(tool, *args):
    process = start(tool, *args)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(args, process.returncode, out, err)


def draw(output, *flags, images=24):
    result = run("lazymar_eval", *QUICK, "--num_images", images, "--output_dir", output, *flags)
    if result.returncode != 0:
        check(f"images {output.name}", False, result)
    return next(path.parent for path in output.glob("*/*/info")), result


def evaluate(work, *flags, images=2):
    return run(
        "lazymar_eval", *QUICK, "--num_images", images, "--output_dir", work / "out", *flags
    )


def four_pictures(folder):
    """A new folder with four pictures of one colour each."""
    folder.mkdir()
    for i in range(4):
        write_png(folder / f"{i}.png", (i, 2 * i, 200))
    return folder


def scored(*args):
    """lazymar_score's output for its sets, and the result of the run."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "scores.json"
        result = run("lazymar_score", *args, "--json", path)
        return (json.loads(path.read_text())["sets"] if path.exists() else []), result


def left(run_folder):
    return json.loads((run_folder / "info/scores.json").read_text())


def numbers(scores):
    return [scores["fid"], scores["fid_bias"], scores["inception_score"]["mean"],
            scores["inception_score"]["deviation"], *scores["intervals"]["fid"],
            *scores["intervals"]["inception_score"]]


def near(one, other, tolerance=1e-5):
    return all(
        math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-9)
        for a, b in zip(numbers(one), numbers(other), strict=True))


def pngs(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def write_png(path, colour, side=64):
    """A picture of one colour."""
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(
            ">I", zlib.crc32(name + body))
    rows = (b"\0" + bytes(colour) * side) * side
    path.write_bytes(b"\x89PNG\r\n\x1a\n" +
                     chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
