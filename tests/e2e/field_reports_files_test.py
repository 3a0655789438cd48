"""What a newcomer tried after public reports: arrays, sets, references, pictures, paths, words.

usage: field_reports_files_test.py FOLDER_OF_BINARIES   (run from the repository's root)
"""

import os
import pathlib
import shutil
import struct
import tarfile
import tempfile

from file_writers import npy, npz, read_safetensors, write_safetensors

from checks import check, conclude, refused
from score_support import DEMO, QUICK, evaluate, four_pictures, run, scored

IMAGES = pathlib.Path("tests/data/images")
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
SIDE, COUNT = 8, 3
LEVELS = [i * 37 % 256 for i in range(COUNT * SIDE * SIDE * 3)]
SHAPE = (COUNT, SIDE, SIDE, 3)


def packed(letter, values):
    return struct.pack(f"<{len(values)}{letter}", *values)


def arrays(work):
    """A line of NumPy that is offered keeps the images."""
    path = work / "array.npz"

    def said(name, array, *parts, never="clip"):
        npz(path, arr_0=array)
        result = run("lazymar_score", path)
        refused(name, result, "x = np.load('array.npz')['arr_0']; np.savez('images.npz', ", *parts)
        check(f"{name}: no {never}", never not in result.stderr, result)

    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    said("16 bits", npy("<u2", SHAPE, packed("H", [257 * x for x in LEVELS])),
         "(x // 257).astype('uint8')")
    said("ImageNet's normalisation",
         npy("<f4", SHAPE, packed("f", [(x / 255 - mean[i % 3]) / deviation[i % 3]
                                        for i, x in enumerate(LEVELS)])),
         "ImageNet's mean and standard deviation", "np.array([0.229, 0.224, 0.225])",
         never="x.clip")
    said("another normalisation",
         npy("<f4", SHAPE, packed("f", [(x / 255 - 0.5) / 0.29 for x in LEVELS])),
         "((x * std + mean) * 255)")
    said("signed integers", npy("|i1", SHAPE, packed("b", [x - 128 for x in LEVELS])),
         "(x.astype('int16') + 128).astype('uint8')")
    said("a small overshoot", npy("<f4", SHAPE, packed("f", [x / 126.5 - 1.01 for x in LEVELS])),
         "((x.clip(-1, 1) + 1) * 127.5)", never="clip(0, 255)")
    bits = [x % 2 for x in LEVELS]
    for name, array in {"uint8": npy("|u1", SHAPE, bytes(bits)),
                        "int64": npy("<i8", SHAPE, packed("q", bits))}.items():
        said(f"only 0 and 1 as {name}", array, "holds only 0 and 1", "x.astype('uint8') * 255)")
    said("flattened images", npy("<f4", (2, 3 * 64 * 64), bytes(4 * 2 * 3 * 64 * 64)),
         "sigma=np.cov(x, rowvar=False)", "x.reshape(-1, 64, 64, 3))", "x.reshape(-1, 3, 64, 64))")
    npz(path, arr_0=npy("|u1", SHAPE, bytes(len(LEVELS))))
    found, result = scored(path, "--metrics", "none")
    check("control: black images are images", found and found[0]["images"] == COUNT, result)
    for name, shape in {"[H, W, 3, N]": (SIDE, SIDE, 3, 5),
                        "[3, H, W, N]": (3, SIDE, SIDE, 5)}.items():
        said(name, npy("|u1", shape, bytes(5 * len(LEVELS) // COUNT)), f"for {name}",
             "x.transpose(", never="[..., :3]")
    refused("statistics as a set",
            run("lazymar_score", "pretrained_models/demo_stats.npz", *DEMO),
            "demo_stats.npz: statistics, not images; a reference is given to --fid")
    npz(path, arr_0=npy("|u1", (0, SIDE, SIDE, 3), b""))
    refused("an array of no images", run("lazymar_score", path), "[0, 8, 8, 3]: it holds no images")
    npz(path, arr_0=npy("<i8", (COUNT,), bytes(8 * COUNT)), arr_1=npy("|u1", SHAPE, bytes(LEVELS)))
    found, result = scored(path, "--metrics", "none")
    check("labels may be arr_0", found and found[0]["images"] == COUNT
          and 'the images are "arr_1"' in result.stderr, result)


def sets(work):
    """Tars of runs, downloads that failed, pictures that are not read."""
    for seed in (1, 2):
        run("lazymar_eval", *QUICK, "--num_images", 2, "--seed", seed, "--output_dir",
            work / "runs")
    parent = next((work / "runs").iterdir())
    (work / "archive").mkdir()
    with tarfile.open(work / "archive/runs.tar", "w") as archive:
        archive.add(parent, "all")
    for path in (work / "archive/runs.tar", work / "archive"):
        refused(f"runs in a tar: {path.name}", run("lazymar_score", path, *DEMO),
                "holds 2 run folders: name one (all/", "--merge")
    found, result = scored(work / "archive", "--metrics", "none", "--merge")
    check("--merge scores them as one", found and found[0]["images"] == 4, result)
    result = evaluate(work, "--score", parent, *DEMO, "--seed", 7)
    refused("lazymar_eval, which has no --merge, does not name it", result, "holds 2 run folders")
    check("control", "--merge" not in result.stderr, result)
    shutil.rmtree(max(path for path in parent.iterdir() if path.is_dir()))
    refused("one run below", run("lazymar_score", parent, *DEMO), "holds 1 run folder: name it (")

    for content, said in ((POINTER, "git lfs pull"), (b"<!DOCTYPE html><html/>", "a web page")):
        for name in ("x.tar", "x.png", "x.npz", "x"):
            (work / name).write_bytes(content)
            refused(f"{said}: {name}", run("lazymar_score", work / name), name, said)

    folder = work / "kinds"
    folder.mkdir()
    starts = {"a.dds": b"DDS |", "b.sgi": b"\1\xda\1\1", "c.pcx": b"\x0a\5\1\x08",
              "d.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n", "e.icns": b"icns", "f.pfm": b"PF\n1 1\n-1\n"}
    for name, start in starts.items():
        (folder / name).write_bytes(start + bytes(40))
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.ppm").write_text("P3\n# colours\n2 1\n255\n255 0 0\n0 0 255\n")
    shutil.copy(IMAGES / "colours.png", folder)
    found, result = scored(folder, "--metrics", "none")
    reasons = {c["name"]: c["reason"] for c in found[0]["health"]["corrupt"]} if found else {}
    check("formats that are not read are counted and named",
          all(f"{name[2:].upper()} is not read" in reasons.get(name, "") for name in starts),
          result)
    check("an empty file is called so", reasons.get("empty.png") == "an empty file", result)
    check("a PPM as text is read", found and found[0]["images"] == 2, result)


def references(work):
    """What is given to --fid and is no reference."""
    pictures = four_pictures(work / "pictures")

    def said(name, path, *parts):
        refused(name, run("lazymar_score", pictures, *DEMO, "--fid", path), path.name, *parts)

    (work / "stats.pt").write_bytes(b"PK\3\4")
    said("statistics by torch.save", work / "stats.pt", "torch.load('stats.pt'",
         "np.savez('stats.npz', mu=x['mu'], sigma=x['sigma'])")
    (work / "stats.pkl").write_bytes(b"\x80\4}.")
    said("statistics by pickle", work / "stats.pkl", "pickle.load(open('stats.pkl', 'rb'))")
    mean = npy("<f8", (96,), bytes(8 * 96))
    identity = [float(i % 97 == 0) for i in range(96 * 96)]
    sigma = npy("<f8", (96, 96), packed("d", identity))
    npz(work / "one.npz", mu=mean)
    said("a mean alone", work / "one.npz", 'holds "mu", but no "sigma"')
    npz(work / "upper.npz", MU=mean, SIGMA=sigma)
    said("names in upper case", work / "upper.npz", 'holds "MU" and "SIGMA"', "mu=x['MU']")
    npz(work / "nan.npz", mu=npy("<f8", (96,), packed("d", [float("nan")] + 95 * [0.0])),
        sigma=sigma)
    said("NaN in the mean", work / "nan.npz", '"mu": 1 of 96 values are NaN')
    identity[0] = -0.5
    npz(work / "half.npz", mu=mean, sigma=npy("<f2", (96, 96), packed("e", identity)))
    said("a sigma in float16", work / "half.npz", "eigenvalue is -0.5", "float16 rounds a sigma")
    npz(work / "double.npz", mu=mean, sigma=npy("<f8", (96, 96), packed("d", identity)))
    result = run("lazymar_score", pictures, *DEMO, "--fid", work / "double.npz")
    refused("control: in float64", result, "eigenvalue is -0.5")
    check("is not blamed on float16", "float16" not in result.stderr, result)


def words(work):
    """Paths from the root that were meant from here, and words that are nearly right."""
    pictures = four_pictures(work / "four")
    vae, mar = "/pretrained_models/vae/demo.safetensors", "/pretrained_models/mar/demo"
    for command in (
        ["lazymar_score", pictures, *DEMO, "--fid", "/pretrained_models/demo_stats.npz"],
        ["lazymar_score", pictures, *DEMO, "--fid", "/tests/data"],
        ["lazymar_score", pictures, *DEMO, "--extractor_weights",
         "/pretrained_models/demo_classifier.safetensors", "--fid",
         "pretrained_models/demo_stats.npz"],
        ["lazymar_eval", *QUICK, "--vae_path", vae],
        ["lazymar_eval", *QUICK, "--resume", mar],
        ["lazymar_convert", "--list", vae],
        ["lazymar_verify", "--trace", "/tests/data/traces/small-lazy"],
        ["lazymar_compare", "/tests/data", "/tests/data/images"],
        ["lazymar_eval", *QUICK, "--classes", "@/README.md"],
    ):
        given = next(a for a in command if str(a).lstrip("@").startswith(("/pre", "/tests", "/R")))
        refused(f"from the root: {command[0]} {given}", run(*command),
                f"did you mean {given.lstrip('@')[1:]}?")
    for meant, command in (
        ("demo", ["lazymar_score", pictures, "--extractor", "dmeo"]),
        ("fid", ["lazymar_score", pictures, "--metrics", "fdi"]),
        ("bf16", ["lazymar_eval", *QUICK, "--precision", "bf61"]),
        ("cuda", ["lazymar_eval", *QUICK, "--device", "gpu"]),
        ("linear", ["lazymar_eval", *QUICK, "--cfg_schedule", "linaer"]),
        ("shard", ["lazymar_eval", *QUICK, "--durability", "shrad"]),
        ("token", ["lazymar_eval", *QUICK, "--lazy_mar", "--lazy_caches", "tokne"]),
        ("bf16", ["lazymar_convert", "--dtype", "bf61", "a", "b"]),
        ("--lazy_refresh", ["lazymar_bench", "--models", "demo", "--arms",
                            "lazy --lazy-refersh 3"]),
    ):
        refused(f"{command[0]} {command[-2]} {command[-1]}", run(*command),
                f"did you mean {meant}? ")
    for more in ([], ["--count"]):
        refused(f"lazymar_bench --models Demo {more}",
                run("lazymar_bench", "--models", "Demo", *more), "--models Demo: neither",
                "did you mean demo?")
    names = work / "classes.txt"
    names.write_bytes(b"\xef\xbb\xbf3\n")
    result = evaluate(work, "--classes", f"@{names}", "--explain")
    check("a mark at the beginning of a file of classes", result.returncode == 0, result)
    refused("a folder of classes", evaluate(work, "--classes", f"@{work}"), "a folder, not a list")
    refused("a device of classes", evaluate(work, "--classes", "@/dev/zero"), "not a regular file")
    result = evaluate(work, "--model", "mar_base", "--explain", "--classes", "tench, Tinca tinca")
    check("a class as messages print it", result.returncode == 0, result)


def control_characters(work):
    """In names that come from outside, everywhere."""
    folder = work / "evil\x1b[2J"
    folder.mkdir()
    vae = pathlib.Path("pretrained_models/vae/demo.safetensors")
    models = folder / "pretrained_models"
    (models / "mar").mkdir(parents=True)
    shutil.copytree("pretrained_models/mar/demo", models / "mar/m\x1b[2J")
    os.environ["LAZYMAR_HOME"] = str(folder)
    header, data = read_safetensors(vae)
    header["loss.\x1b[2J"] = {"dtype": "F32", "shape": [1],
                              "data_offsets": [len(data), len(data) + 4]}
    header["__metadata__"] = {**header.get("__metadata__", {}), "a\x1b[2J": "b\x1b[2J"}
    write_safetensors(folder / "vae.safetensors", header, data + bytes(4))
    for seed in (1, 2):
        run("lazymar_eval", *QUICK, "--num_images", 2, "--seed", seed, "--output_dir",
            folder / str(seed))
    one, two = (next((folder / name).glob("*/*")) for name in "12")
    for command in (
        ["lazymar_convert", "--list", folder / "vae.safetensors"],
        ["lazymar_convert", folder / "vae.safetensors", folder / "out.safetensors"],
        ["lazymar_compare", one, two, "--no_pairs", "--output_dir", folder / "compared"],
        ["lazymar_score", one, *DEMO, "--metrics", "none"],
        ["lazymar_eval", *QUICK, "--num_images", 2, "--output_dir", folder / "more", "--vae_path",
         folder / "vae.safetensors"],
        ["lazymar_bench", "--models", "m\x1b[2J", "--count", "--vae_path", vae],
        ["lazymar_bench", "--models", "a\x1b[2J", "--count"],
        ["lazymar", "doctor", "--checkpoint_dir", models],
    ):
        result = run(*command)
        said = result.stdout + result.stderr
        check(f"visible: {' '.join(map(str, command[:2]))!r}"[:60], "\x1b" not in said
              and "\\x1b" in said and (result.returncode == 0) == ("a\x1b[2J" not in command),
              result)
    del os.environ["LAZYMAR_HOME"]


os.environ.setdefault("OMP_NUM_THREADS", "1")
with tempfile.TemporaryDirectory() as temporary:
    temporary = pathlib.Path(temporary)
    for part in (arrays, sets, references, words, control_characters):
        try:
            part(temporary)
        except (IndexError, StopIteration, ValueError) as error:  # an older program
            check(f"{part.__name__} to its end", False, repr(error))
conclude()
