"""What public reports of this field describe, tried on the programs (docs/field-reports.md).

usage: field_reports_test.py FOLDER_OF_BINARIES   (run from the repository's root)
"""

import fcntl
import io
import json
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import termios
import zipfile

from checks import check, conclude, refused
from score_support import DEMO, QUICK, run, scored, write_png

BIN = pathlib.Path(sys.argv[1]).resolve()
MAR = pathlib.Path("pretrained_models/mar/demo/checkpoint-last.safetensors")
VAE = pathlib.Path("pretrained_models/vae/demo.safetensors")
CLASSIFIER = pathlib.Path("pretrained_models/demo_classifier.safetensors")
IMAGES = pathlib.Path("tests/data/images")


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])


def write_safetensors(path, header, data):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def renamed(source, target, *prefixes):
    """A copy with every tensor under each prefix."""
    header, data = read_safetensors(source)
    result = {"__metadata__": header.pop("__metadata__", {})}
    everything = b""
    for prefix in prefixes:
        for name, entry in header.items():
            offsets = [x + len(everything) for x in entry["data_offsets"]]
            result[prefix + name] = {**entry, "data_offsets": offsets}
        everything += data
    write_safetensors(target, result, everything)


def npy(descr, shape, data, fortran=False):
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {tuple(shape)!r}, }}\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + data


def npz(path, **arrays):
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", array)


def evaluate(work, *flags, images=2):
    return run(
        "lazymar_eval", *QUICK, "--num_images", images, "--output_dir", work / "out", *flags
    )


def checkpoints(work):
    """Weights as other tools save them, damaged weights, and what a download leaves."""
    plain = evaluate(work, "--no_metadata")
    expected = next((work / "out").glob("*/*/00001.png")).read_bytes()
    check("the demo draws", plain.returncode == 0, plain)
    wrapped = work / "wrapped.safetensors"
    for name, prefixes in {
        "module": ["module."],
        "nested": ["model.module._orig_mod."],
        "ema": ["model.", "model_ema.module."],
    }.items():
        renamed(MAR, wrapped, *prefixes)
        vae = work / "vae.safetensors"
        renamed(VAE, vae, "first_stage_model.")
        output = work / name
        result = run(
            "lazymar_eval", *QUICK, "--num_images", 2, "--no_metadata", "--output_dir", output,
            "--resume", wrapped, "--vae_path", vae,
        )
        images = list(output.glob("*/*/00001.png"))
        check(
            f"names with prefixes ({name}): said in a line, the same images",
            result.returncode == 0
            and images
            and images[0].read_bytes() == expected
            and len(re.findall("took .* off the names", result.stderr)) == 2,
            result,
        )
    check("EMA is preferred, and said", "EMA weights" in result.stderr, result)
    classifier = work / "classifier.safetensors"
    renamed(CLASSIFIER, classifier, "module.")
    pictures = work / "pictures"
    pictures.mkdir()
    for i in range(4):
        write_png(pictures / f"{i}.png", (i, 2 * i, 200))
    result = run("lazymar_score", pictures, *DEMO, "--extractor_weights", classifier)
    check("a wrapped classifier scores", result.returncode == 0, result)

    for source, flag in ((MAR, "--resume"), (VAE, "--vae_path")):
        header, data = read_safetensors(source)
        name = next(n for n, e in header.items() if n != "__metadata__" and "bias" in n
                    and not n.startswith(("encoder.", "quant_conv", "loss")))
        begin = header[name]["data_offsets"][0]
        data[begin : begin + 2] = b"\xff\x7f"  # NaN, of two bytes or the end of four
        if header[name]["dtype"] == "F32":
            data[begin : begin + 4] = b"\xff\xff\xff\x7f"
        write_safetensors(work / "nan.safetensors", header, data)
        flags = [flag, work / "nan.safetensors"]
        if source is MAR:
            flags += ["--vae_path", VAE]
        refused(f"one NaN in {flag}", evaluate(work, *flags), "nan.safetensors", name, "(1 of ")
        listed = run("lazymar_convert", "--list", work / "nan.safetensors")
        refused("--list ends with 1", listed, "1 tensors cannot be used", status=1)
        check("and marks it", re.search(f"{name} .*UNUSABLE: 1 of", listed.stdout), listed)
    listed = run("lazymar_convert", "--list", "tests/data/checkpoints/variety.pth")
    refused("--list of unreadable tensors", listed, "4 tensors cannot be used", status=1)

    header, data = read_safetensors(MAR)
    header["pos_embed"] = {"dtype": "F32", "shape": [1],
                           "data_offsets": [len(data), len(data) + 4]}
    write_safetensors(work / "more.safetensors", header, data + bytes(4))
    result = evaluate(work, "--resume", work / "more.safetensors", "--vae_path", VAE)
    check("an unknown tensor is named once, and not fatal",
          result.returncode == 0 and result.stderr.count("pos_embed") == 1, result)
    header["encoder_blocks.9.norm1.weight"] = header.pop("pos_embed")
    write_safetensors(work / "more.safetensors", header, data + bytes(4))
    refused("but in a layer behind a gap it is",
            evaluate(work, "--resume", work / "more.safetensors", "--vae_path", VAE),
            "unexpected: encoder_blocks.9.norm1.weight")

    copied = work / "checkpoint-last.safetensors"
    shutil.copy(MAR, copied)
    result = evaluate(work, "--resume", copied, "--seed", 5)
    check("a copied demo finds its VAE", result.returncode == 0, result)

    leftovers = {
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n": "git lfs pull",
        b"<!DOCTYPE html><html>quota exceeded</html>": "a web page",
        b"\x1f\x8b\x08" + bytes(40): "compressed by gzip",
        b'{"metadata": {}, "weight_map": {"a": "model-1-of-2.safetensors"}}': "index of a check",
    }
    for content, said in leftovers.items():
        for suffix, program in (
            (".safetensors", ["lazymar_eval", *QUICK, "--resume"]),
            (".pth", ["lazymar_convert", "--list"]),
            (".npz", ["lazymar_score"]),
            (".bin", ["lazymar_score"]),
        ):
            path = work / f"leftover{suffix}"
            path.write_bytes(content)
            refused(f"{said}: {suffix}", run(*program, path), path.name, said)
    header = {"Conv2d_1a_3x3.conv.weight": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]},
              "fc.weight": {"dtype": "F16", "shape": [1000, 2048],
                            "data_offsets": [2, 2 + 2 * 1000 * 2048]}}
    write_safetensors(work / "torchvision.safetensors", header, bytes(2 + 2 * 1000 * 2048))
    refused("torchvision's Inception",
            run("lazymar_score", pictures, "--extractor_weights", work / "torchvision.safetensors"),
            "torchvision's Inception", "1008", "Download")


def sets(work):
    """Folders, archives and arrays of images."""
    folder = work / "mixed"
    folder.mkdir()
    for name in ("colours.png", "colours.webp", "colours.tif", "colours.bmp", "colours.ppm",
                 "small.gif"):
        shutil.copy(IMAGES / name, folder)
    shutil.copy(IMAGES / "colours.webp", folder / "lies.jpg")
    (folder / "evil\x1b[2J.heic").write_bytes(b"\0\0\0\x18ftypheic")
    found, result = scored(folder, "--metrics", "none")
    check("every kind of picture is read", found and found[0]["images"] == 6, result)
    check("and what cannot be read is counted and named", found and
          [c["name"] for c in found[0]["health"]["corrupt"]] == ["evil\x1b[2J.heic", "small.gif"]
          and "GIF is not read" in result.stdout and "small.gif" in result.stdout, result)
    check("control characters are made visible",
          "\x1b" not in result.stdout + result.stderr and "evil\\x1b[2J" in result.stdout, result)

    side, count = 8, 3
    levels = bytes(i * 37 % 251 for i in range(count * side * side * 3))
    shape = (count, side, side, 3)
    npz(work / "plain.npz", arr_0=npy("|u1", shape, levels))
    found, _ = scored(work / "plain.npz", "--metrics", "none")
    expected = found[0]["images_sha256"]  # an .npz that has always been read
    channels = bytes(levels[(n * side * side + p) * 3 + c]
                     for n in range(count) for c in range(3) for p in range(side * side))
    fortran = bytes(levels[((n * side + y) * side + x) * 3 + c]
                    for c in range(3) for x in range(side) for y in range(side)
                    for n in range(count))
    for name, array in {
        "floats in 0..1": npy("<f4", shape, struct.pack(f"<{len(levels)}f",
                                                        *(x / 255 for x in levels))),
        "floats in -1..1": npy("<f4", shape, struct.pack(f"<{len(levels)}f",
                                                         *(x / 127.5 - 1 for x in levels))),
        "big-endian": npy(">f8", shape, struct.pack(f">{len(levels)}d", *map(float, levels))),
        "channels first": npy("|u1", (count, 3, side, side), channels),
        "Fortran order": npy("|u1", shape, fortran, fortran=True),
    }.items():
        npz(work / "array.npz", arr_0=array)
        found, result = scored(work / "array.npz", "--metrics", "none")
        check(f".npz: {name}", found and found[0]["images_sha256"] == expected, result)
    (work / "bare.npy").write_bytes(npy("|u1", shape, levels))
    found, result = scored(work / "bare.npy", "--metrics", "none")
    check("a bare .npy", found and found[0]["images_sha256"] == expected, result)
    npz(work / "array.npz", arr_0=npy("<f4", (1, 1, 1, 3), struct.pack("<3f", 0, 0.5, 1.05)))
    refused("values that are not clear", run("lazymar_score", work / "array.npz"),
            "from 0 to 1.05", "np.savez(")
    npz(work / "array.npz", x_train=npy("|u1", shape, levels), x_test=npy("|u1", shape, levels))
    refused("two arrays that could be meant", run("lazymar_score", work / "array.npz"),
            '"x_test", "x_train"', "np.load(FILE)")
    (work / "stats.npy").write_bytes(npy("|O", (), b"\x80\4."))
    refused("statistics as a pickled dictionary",
            run("lazymar_score", folder, *DEMO, "--fid", work / "stats.npy"),
            "Python objects are not read", "**x.item()")

    one = folder / "colours.png"
    refused("one picture as a set", run("lazymar_score", one), "one picture", "name its folder")
    with zipfile.ZipFile(work / "images.zip", "w") as archive:
        archive.write(one, "colours.png")
    refused("a zip", run("lazymar_score", work / "images.zip"), "a zip is not read; unpack it")
    with tarfile.open(work / "mac.tar", "w") as archive:
        for name in ("colours.png", "colours.bmp"):
            hidden = tarfile.TarInfo(f"./._{name}")
            hidden.size = 4
            archive.addfile(hidden, io.BytesIO(b"\0\5\x16\7"))
            archive.add(folder / name, f"./{name}")
    found, result = scored(work / "mac.tar", "--metrics", "none")
    check("macOS's files in a tar are no images",
          found and found[0]["images"] == 2 and found[0]["health"]["planned"] == 2, result)
    refused("a path from the root that was meant from here", run("lazymar_score", "/tests/data"),
            "/tests/data: not found; did you mean tests/data?")


def statistics(work):
    """A reference that is none, and one under other names."""
    def numbers(values):
        return struct.pack(f"<{len(values)}d", *values)

    def write(name, mean, covariance, least):
        values = [0.0] * (96 * 96)
        for i in range(96):
            values[i * 97] = 1.0
        values[0] = least
        npz(work / name, **{mean: npy("<f8", (96,), numbers([0.0] * 96)),
                            covariance: npy("<f8", (96, 96), numbers(values))})

    pictures = work / "pictures"
    write("bad.npz", "mu", "sigma", -0.5)
    result = run("lazymar_score", pictures, *DEMO, "--fid", work / "bad.npz")
    refused("a sigma that is no covariance", result, "bad.npz", "most negative eigenvalue is -0.5")
    result = evaluate(work, "--score", work / "bad.npz", *DEMO, "--seed", 7)
    refused("is refused by lazymar_eval before it draws", result, "eigenvalue is -0.5")
    write("good.npz", "m", "s", -1e-9)
    found, result = scored(pictures, *DEMO, "--fid", work / "good.npz")
    check("rounding passes, and m and s are read", found and found[0]["fid"] > 0, result)


def runs(work):
    """A folder of several runs."""
    for seed in (1, 2):
        run("lazymar_eval", *QUICK, "--num_images", 2, "--seed", seed, "--output_dir",
            work / "runs")
    parent = next((work / "runs").iterdir())
    refused("a folder of runs", run("lazymar_score", parent, *DEMO), "holds 2 run folders",
            "--merge")
    refused("as a reference, too",
            run("lazymar_score", work / "pictures", *DEMO, "--fid", parent), "holds 2 run folders")
    one = min(path for path in parent.iterdir() if path.is_dir())
    refused("by lazymar_compare, too", run("lazymar_compare", one, parent),
            f"holds 2 run folders: name one ({one.name}, ")
    found, result = scored(parent, *DEMO, "--metrics", "none", "--merge")
    check("--merge scores them as one", found and found[0]["images"] == 4, result)


def on_terminal(columns, *args, **more):
    """What a program writes to a terminal of that width, stdout and stderr together."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [BIN / args[0], *map(str, args[1:])], stdout=slave, stderr=slave,
        env={**environment, "TERM": "xterm", **more})
    os.close(slave)
    text = b""
    while True:
        ready, _, _ = select.select([master], [], [], 300)
        try:
            part = os.read(master, 65536) if ready else b""
        except OSError:
            part = b""
        if not part:
            break
        text += part
    process.wait()
    os.close(master)
    return text.decode()


def terminal(work):
    """The progress bar and what environments ask for."""
    def command(name):
        return ["lazymar_eval", *QUICK, "--num_images", 2, "--output_dir", work / name]

    text = on_terminal(100, *command("t1"))
    summary = text.index("seconds per image")
    check("the bar ends, on its own line, before the summary",
          "2/2 images" in text[:summary] and "images, " not in text[summary:].split("\n", 1)[1]
          and re.search(r"2/2 images[^\r\n]*\x1b\[K\r?\n", text[:summary])
          and "[####" not in text[summary:], repr(text))
    check("colours on a terminal", "\x1b[32m" in text, repr(text))
    text = on_terminal(100, *command("t2"), NO_COLOR="1")
    check("none with NO_COLOR", "\x1b[32m" not in text and "2/2 images" in text, repr(text))
    text = on_terminal(100, *command("t3"), TERM="dumb")
    check("TERM=dumb: no control sequences", "\x1b" not in text, repr(text))
    text = on_terminal(100, *command("t4"), COLUMNS="20")
    bars = re.findall(r"\r(\[[^\r\n\x1b]*)", text)
    check("COLUMNS limits the bar", bars and max(map(len, bars)) < 20, repr(text))


def command_line(work):
    """Spelling, models, classes."""
    check("dashes are underscores", evaluate(work, "--num-iter", "2", "--seed", 3).returncode == 0)
    refused("--modle", run("lazymar_eval", "--modle", "demo"), "did you mean --model?")
    refused("--model Demo", run("lazymar_eval", "--model", "Demo"), "did you mean demo?",
            "models here: demo")
    result = run("lazymar_eval")
    check("no arguments: a short usage", result.returncode == 2 and "Usage:" in result.stderr
          and len(result.stderr.splitlines()) < 9, result)
    (work / "classes.txt").write_text("# some\n4-5\n7\n")
    result = evaluate(work, "--classes", f"0-2,@{work / 'classes.txt'}", images=6)
    folder = pathlib.Path(result.stdout.split("Run folder: ")[-1].strip())
    check("ranges and files of classes", result.returncode == 0
          and "classes0-1-2-4-5-7" in folder.name, result)
    refused("a name of several classes", evaluate(work, "--classes", "crane"), "134", "517")
    refused("part of names", evaluate(work, "--classes", "retriever"), "207 (golden retriever")
    refused("names for a model without ImageNet's classes",
            evaluate(work, "--classes", "golden retriever,otter"), "the model has 10 of its own")
    result = evaluate(work, "--local-rank", "0", "--seed", 4)
    check("what launchers add is accepted", result.returncode == 0, result)


os.environ.setdefault("OMP_NUM_THREADS", "1")
with tempfile.TemporaryDirectory() as temporary:
    temporary = pathlib.Path(temporary)
    for part in (checkpoints, sets, statistics, runs, terminal, command_line):
        try:
            part(temporary)
        except (IndexError, ValueError) as error:  # an older program, which says nothing to find
            check(f"{part.__name__} to its end", False, repr(error))
conclude()
