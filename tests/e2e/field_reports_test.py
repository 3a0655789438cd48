"""What public reports of this field describe, tried on the programs (docs/field-reports.md).

usage: field_reports_test.py FOLDER_OF_BINARIES   (run from the repository's root)
"""

import fcntl
import io
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

from file_writers import npy, npz

from checks import check, conclude, refused
from score_support import DEMO, QUICK, STATS, evaluate, four_pictures, run, scored

BIN = pathlib.Path(sys.argv[1]).resolve()
IMAGES = pathlib.Path("tests/data/images")


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
    for name, values in {"0 and 1 alone": (0, 1, 1), "a narrow range": (-0.04, 0.2, 0.4)}.items():
        npz(work / "array.npz", arr_0=npy("<f4", (1, 1, 1, 3), struct.pack("<3f", *values)))
        refused(f"floats that could mean several things: {name}",
                run("lazymar_score", work / "array.npz"), "0 to 1, ", "-1 to 1", "* 255)",
                "+ 1) * 127.5)")
    npz(work / "array.npz", arr_0=npy("|u1", shape, levels), arr_1=npy("<i8", (3,), bytes(24)))
    found, result = scored(work / "array.npz", "--metrics", "none")
    check("what else an .npz holds is named once", found and result.stderr.count('"arr_1"') == 1,
          result)
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

    looks(work)
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


def looks(work):
    """Pictures that are left out, or read in part, and why."""
    folder = work / "looks"
    folder.mkdir()
    for name in ("colours.png", "colours.bmp", "alpha.png"):
        shutil.copy(IMAGES / name, folder)
    for name in ("noext", "liar.txt"):
        shutil.copy(IMAGES / "colours.png", folder / name)
    (folder / "caption.txt").write_text("a picture of colours")
    (folder / "icon.ico").write_bytes(b"\0\0\1\0\1\0" + bytes(16))
    (folder / "drawing.svg").write_text("<svg/>")
    huge = bytearray((IMAGES / "colours.png").read_bytes())
    huge[16:24] = struct.pack(">II", 20000, 20000)
    (folder / "huge.png").write_bytes(huge)
    found, result = scored(folder, "--metrics", "none")
    reasons = {c["name"]: c["reason"] for c in found[0]["health"]["corrupt"]} if found else {}
    check("pictures under other names are counted and named",
          "PNG by its content" in reasons.get("noext", "")
          and "PNG by its content" in reasons.get("liar.txt", "")
          and "caption.txt" not in reasons and found[0]["health"]["planned"] == 8, result)
    check("and formats that are not read", "ICO is not read" in reasons.get("icon.ico", "")
          and "SVG is not read" in reasons.get("drawing.svg", ""), result)
    check("a picture that is too large is not called damaged",
          "20000x20000 pixels are too many" in reasons.get("huge.png", ""), result)
    check("what is read in part is said", found and "read without transparency: alpha.png"
          in result.stdout and found[0]["health"]["partly_read"]
          == [{"name": "alpha.png", "without": "transparency"}], result)
    with tarfile.open(work / "looks.tar", "w") as archive:
        archive.add(folder, "looks")
    found, result = scored(work / "looks.tar", "--metrics", "none")
    check("in a tar, too", found and found[0]["health"]["planned"] == 8
          and "PNG by its content" in result.stdout, result)


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

    pictures = four_pictures(work / "pictures")
    write("bad.npz", "mu", "sigma", -0.5)
    result = run("lazymar_score", pictures, *DEMO, "--fid", work / "bad.npz")
    refused("a sigma that is no covariance", result, "bad.npz", "most negative eigenvalue is -0.5")
    result = evaluate(work, "--score", work / "bad.npz", *DEMO, "--seed", 7)
    refused("is refused by lazymar_eval before it draws", result, "eigenvalue is -0.5")
    zeros = npy("<f8", (96, 96), bytes(8 * 96 * 96))
    npz(work / "zeros.npz", mu=npy("<f8", (96,), numbers([0.5] * 96)), sigma=zeros)
    refused("a sigma of zeros",
            run("lazymar_score", pictures, *DEMO, "--fid", work / "zeros.npz"),
            "zeros.npz: sigma is all zeros")
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
    check("--merge scores them as one, and names no other file of theirs",
          found and found[0]["images"] == 4 and found[0]["health"]["planned"] == 4, result)


def on_terminal(columns, *args, **more):
    """What a program writes to a terminal of that width, stdout and stderr together."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    environment = {**environment, "TERM": "xterm", **more}
    process = subprocess.Popen(
        [BIN / args[0], *map(str, args[1:])], stdout=slave, stderr=slave,
        env={k: v for k, v in environment.items() if v is not None})
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
    for name, said, flags in (
        ("t6", "t6/demo/", ["--score", STATS, *DEMO]),
        ("t7", " images in ", ["--num_images", 24, "--workers", 3]),
    ):
        text = on_terminal(100, *command(name), *flags)
        check(f"and before all that is printed: {flags[0]}",
              text.rindex("\r[") < text.index(said) and "\x1b[K\r\n" in text, repr(text))
    text = on_terminal(100, *command("t2"), NO_COLOR="1")
    check("none with NO_COLOR", "\x1b[32m" not in text and "2/2 images" in text, repr(text))
    for name, term in (("t3", "dumb"), ("t5", None)):
        text = on_terminal(100, *command(name), TERM=term)
        check(f"TERM={term}: no control sequences",
              "\x1b" not in text and "2 images in" in text, repr(text))
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
    imagenet = ["--model", "mar_base", "--explain", "--classes"]
    refused("a name of several classes", evaluate(work, *imagenet, "crane"), "134", "517")
    refused("part of names", evaluate(work, *imagenet, "retriever"), "207 (golden retriever")
    check("names of ImageNet", evaluate(work, *imagenet, "golden retriever").returncode == 0)
    result = evaluate(work, "--classes", "Star,heart")
    check("a model's own names of classes",
          result.returncode == 0 and "classes0-1" in result.stdout, result)
    for more in ([], ["--explain"]):
        refused(f"names that it does not have {more}",
                evaluate(work, "--classes", "haert", *more), "did you mean heart?", "0 (star)")
        refused(f"classes that it does not have {more}",
                evaluate(work, "--classes", "99", *more), "the model has classes 0 to 9")
        for flag, wrong, nearest in (("--solver", "ddmp", "ddpm"), ("--order", "hilton", "halton"),
                                     ("--method", "gtr32", "gtr-32"), ("--cache", "recp", "recap")):
            result = evaluate(work, flag, wrong, *more)
            refused(f"{flag} {wrong} {more}", result, f'{flag} "{wrong}" is no ',
                    f"did you mean {nearest}?")
        refused(f"--img_size of another model {more}", evaluate(work, "--img_size", 128, *more),
                "--img_size 128 contradicts the checkpoint")
    result = evaluate(work, "--durability", "shrad")
    refused("no option is named twice", result,
            "--durability shrad: did you mean shard? use none, shard or file")
    result = evaluate(work, "--local-rank", "0", "--seed", 4)
    check("what launchers add is accepted", result.returncode == 0, result)


os.environ.setdefault("OMP_NUM_THREADS", "1")
with tempfile.TemporaryDirectory() as temporary:
    temporary = pathlib.Path(temporary)
    for part in (sets, statistics, runs, terminal, command_line):
        try:
            part(temporary)
        except (IndexError, ValueError) as error:  # an older program, which says nothing to find
            check(f"{part.__name__} to its end", False, repr(error))
conclude()
