"""lazymar_score and lazymar_eval --score as a user sees them, with the demo's classifier.

usage: score_test.py FOLDER_OF_BINARIES   (from the repository's root)
"""
import json
import math
import os
import pathlib
import shutil
import signal
import tempfile
import time
import zipfile

from checks import check, conclude, refused
from score_scripts import scripts
from score_support import (
    AGAINST,
    DEMO,
    QUICK,
    SCORE,
    STATS,
    draw,
    left,
    near,
    numbers,
    pngs,
    run,
    scored,
    start,
    write_png,
)


def while_drawing(work):
    """Features computed while generating: the same images and scores as afterwards."""
    plain, _ = draw(work / "plain")
    taken, result = draw(work / "taken", *SCORE)
    check("--score does not change a byte of the images", pngs(plain) == pngs(taken), result)
    scores = left(taken)
    check(
        "it leaves scores in info/", scores["images"] == 24 and scores["complete"]
        and scores["fid"] > 0 and scores["features_reused"] == 24 and scores["health"]["good"],
        result)
    check("and prints them", "FID (95 %)" in result.stdout
          and f"{scores['fid']:.3f}" in result.stdout, result)
    kept = sorted(path.name for path in (taken / "info/features").iterdir())
    check("features of all blocks are in one file at the end", kept == ["demo.safetensors"], result)
    again, result = scored(taken, *AGAINST)
    check("lazymar_score says the same", numbers(again[0]) == numbers(scores)
          and again[0]["features_reused"] == 24, result)
    fresh, result = scored(taken, *AGAINST, "--fresh")
    check("and, looking at every image again, nearly", near(fresh[0], scores)
          and fresh[0]["features_reused"] == 0, result)
    other, result = scored(plain, *AGAINST)
    check("as of the run without --score",
          near(other[0], scores) and other[0]["features_reused"] == 0, result)
    packed, result = draw(work / "packed", "--few_files", *SCORE)
    check("as of tars", near(left(packed), scores) and len(list(packed.glob("*.tar"))) == 6, result)
    result = run("lazymar_eval", *QUICK, "--num_images", 4, "--output_dir", work / "never",
                 "--score", "none.npz", *DEMO)
    refused("a reference that is not there is refused before the first image", result, "none.npz")
    check("and nothing was made", not list(work.glob("never/*/*/*.png")))
    return plain, taken


def interrupted(work, taken):
    """Killed in the middle, with features lost and damaged: the same scores."""
    images = 24
    output = work / "killed"
    flags = [*QUICK, "--num_images", images, "--output_dir", output, *SCORE]
    process = start("lazymar_eval", *flags)
    deadline = time.monotonic() + 60
    while len(list(output.glob("*/*/*.png"))) < 8 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    time.sleep(0.5)
    folder = next(path.parent for path in output.glob("*/*/info"))
    blocks = sorted((folder / "info/features").glob("demo.block-*"))
    print(f"  note: killed with {len(pngs(folder))} images and {len(blocks)} feature files")
    if len(blocks) > 1:
        blocks[0].unlink()
        blocks[1].write_bytes(blocks[1].read_bytes()[:-100])
    result = run("lazymar_eval", *flags)
    check("killed and started again: the same scores", result.returncode == 0
          and near(left(folder), left(taken)) and left(folder)["images"] == images, result)
    check("and the same images", pngs(folder) == pngs(taken), result)
    # Without --score from the start: everything is read back.
    late, _ = draw(work / "late")
    late, result = draw(work / "late", *SCORE)
    check("a finished run is scored afterwards", near(left(late), left(taken))
          and left(late)["features_reused"] == 0, result)


def health(work, taken):
    """Problems with a set are reported, before the scores."""
    folder = work / "faults"
    shutil.copytree(taken, folder)
    (folder / "00003.png").unlink()
    whole = (folder / "00005.png").read_bytes()
    (folder / "00005.png").write_bytes(whole[:len(whole) // 2])
    write_png(folder / "00007.png", (10, 200, 30))
    shutil.copy(folder / "00010.png", folder / "00011.png")
    sets, result = scored(folder, *AGAINST)
    found = sets[0]["health"]
    check("a missing image", found["missing"] == [3] and not found["good"], result)
    check("a cut off one", [c["name"] for c in found["corrupt"]] == ["00005.png"], result)
    check("one of one colour", found["constant"] == ["00007.png"], result)
    check("one that is there twice",
          found["duplicates"] == [{"name": "00011.png", "same_as": "00010.png"}], result)
    check("files that are not those of the run", found["changed"] == ["00007.png", "00011.png"],
          result)
    check("n says how many are scored", sets[0]["images"] == 22 and sets[0]["complete"] is False
          and found["planned"] == 24, result)
    check("all that comes before the numbers",
          0 <= result.stdout.find("damaged") < result.stdout.find("FID (95 %)"), result)
    check("classes are counted", sum(left(taken)["health"]["images_by_class"].values()) == 24
          and len(left(taken)["health"]["images_by_class"]) == 10)
    check("few images and a covariance without full rank are said", "are too few" in result.stdout
          and "rank 20 of 96" in result.stdout, result)
    sets, result = scored(folder, *DEMO, "--metrics", "none")
    check("health alone needs no extractor", sets[0]["health"] == found and "fid" not in sets[0],
          result)


def files(work, plain, taken):
    """Statistics, .npz, saved features, references of every kind."""
    before = left(taken)  # info/scores.json has the latest scores
    stats, npz = work / "own.npz", work / "images.npz"
    sets, result = scored(plain, *DEMO, "--save_stats", stats, "--to_npz", npz)
    check("without a reference: the Inception Score alone", "fid" not in sets[0]
          and sets[0]["inception_score"]["mean"] > 1, result)
    sets, result = scored(taken, "--fid", stats, *DEMO)
    check("the distance from its own statistics is none", abs(sets[0]["fid"]) < 1e-6, result)
    with zipfile.ZipFile(npz) as archive, archive.open("arr_0.npy") as file:
        header = file.read(128).decode("latin1")
    check("an .npz of all images", "(24, 64, 64, 3)" in header and "'|u1'" in header, result)
    again = work / "again.npz"
    run("lazymar_score", plain, "--metrics", "none", "--to_npz", again)
    check("the same bytes every time", again.read_bytes() == npz.read_bytes())
    sets, result = scored(npz, *AGAINST)
    check("its images are the run's", math.isclose(sets[0]["fid"], before["fid"], rel_tol=1e-6),
          result)
    sets, result = scored(plain, "--fid", npz, *DEMO)
    check("images as reference: precision and recall",
          abs(sets[0]["fid"]) < 1e-6 and sets[0]["precision"] == 1 and sets[0]["recall"] == 1,
          result)
    check("KID of too few images is left out, and said", "kid" not in sets[0]
          and "no KID" in result.stdout, result)
    sets, result = scored(plain, "--fid", taken / "info/features/demo.safetensors", *DEMO)
    check("saved features as reference",
          abs(sets[0]["fid"]) < 1e-6 and sets[0]["recall"] == 1, result)

    folder = work / "copy"
    folder.mkdir()
    for name, content in pngs(plain).items():
        (folder / name).write_bytes(content)
    sets, result = scored(folder, *AGAINST, "--save_features")
    check("features of any folder are kept beside it",
          (work / "copy.features.demo.safetensors").exists() and sets[0]["features_reused"] == 0,
          result)
    sets, result = scored(folder, *AGAINST)
    check("and used", sets[0]["features_reused"] == 24 and near(sets[0], before), result)
    write_png(folder / "00002.png", (1, 2, 3))
    sets, result = scored(folder, *AGAINST)
    check("but not of an image that has changed", sets[0]["features_reused"] == 23
          and sets[0]["health"]["constant"] == ["00002.png"], result)
    damaged = bytearray((work / "copy.features.demo.safetensors").read_bytes())
    damaged[-5] ^= 1
    (work / "copy.features.demo.safetensors").write_bytes(damaged)
    sets, result = scored(folder, *AGAINST)
    check("and not where the file is damaged", sets[0]["features_reused"] == 0
          and ": damaged" in result.stderr, result)

    result = run("lazymar_score", plain, *AGAINST, "--json", "-")
    check("--json -: nothing but JSON on stdout",
          json.loads(result.stdout)["sets"][0]["images"] == 24 and "FID (95 %)" in result.stderr,
          result)


def compared(work, taken):
    """Comparisons of runs."""
    lazy, _ = draw(work / "lazy", "--lazy_mar", "--lazy_warmup", 1, *SCORE)
    sets, result = scored(taken, lazy, *AGAINST)
    found = sets[1]["against"]
    low, high = found["fid"]["interval"]
    check(
        "the difference of two runs, paired", found["pairs"] == 24
        and low <= found["fid"]["difference"] <= high
        and found["fid"]["inside_noise"] == (low <= 0 <= high)
        and math.isclose(found["fid"]["difference"], sets[1]["fid"] - sets[0]["fid"], abs_tol=1e-9),
        result)
    check("in plain words", "inside the noise" in result.stdout
          or "outside the noise" in result.stdout, result)
    alone = sets[1]["intervals"]["fid"]
    check("is known better than either score", high - low < alone[1] - alone[0], result)
    sets, result = scored(taken, taken, *AGAINST)
    check(
        "a run does not differ from itself", sets[1]["against"]["fid"]["difference"] == 0
        and sets[1]["against"]["fid"]["interval"] == [0, 0]
        and sets[1]["against"]["fid"]["inside_noise"], result)
    scored(taken, lazy, *AGAINST)
    result = run("lazymar_compare", taken, lazy, "--no_pairs", "--output_dir", work / "comparison")
    found = json.loads((work / "comparison/comparison.json").read_text())["runs"]
    check("lazymar_compare shows both",
          [r["fid"] for r in found] == [left(taken)["fid"], left(lazy)["fid"]]
          and found[1]["fid_interval"] == left(lazy)["intervals"]["fid"], result)
    check("and their difference", found[0]["fid_difference"] is None and "noise" in result.stdout
          and found[1]["fid_difference"] == left(lazy)["against"]["fid"]["difference"], result)


def hostile(work):
    """Sets and files that cannot be used."""
    (work / "empty").mkdir()
    refused("an empty folder", run("lazymar_score", work / "empty", *DEMO), "contains no images")
    refused("nothing there", run("lazymar_score", work / "nowhere", *DEMO), "not found")
    refused("no set", run("lazymar_score", *DEMO), "--help")
    refused("an unknown metric", run("lazymar_score", work, "--metrics", "fad"), "--metrics fad")
    refused("an unknown extractor", run("lazymar_score", work / "copy", "--extractor", "x"),
            "--extractor x")
    (work / "text.npz").write_text("no archive")
    refused("a text for an .npz", run("lazymar_score", work / "text.npz", *DEMO), "text.npz")
    (work / "text.tar").write_text("no archive")
    refused("a text for a tar", run("lazymar_score", work / "text.tar", *DEMO), "text.tar")
    jpeg = work / "jpeg"
    jpeg.mkdir()
    for name in ("a.jpg", "b.JPEG"):
        shutil.copy("tests/data/images/colours.jpg", jpeg / name)
    refused("pictures of a size that the extractor does not take",
            run("lazymar_score", jpeg, *DEMO), "64x64")
    sets, result = scored(jpeg, "--metrics", "none")
    check("though they can be read", sets[0]["images"] == 2
          and len(sets[0]["health"]["duplicates"]) == 1, result)
    refused("two sets for one file",
            run("lazymar_score", jpeg, jpeg, *DEMO, "--to_npz", work / "x.npz"), "--to_npz")
    nowhere = ["--extractor_weights", work / "none.pth"]
    for flags in (["--to_npz", "/dev/full/x.npz"], ["--json", "/proc/x.json"],
                  ["--save_stats",
                   work / "none/x.npz"], ["--save_features", "--features_dir", "/proc/x"]):
        result = run("lazymar_score", jpeg, *nowhere, *flags)
        refused(f"{flags[-2]} that cannot be written is said before weights are missed", result,
                *map(str, flags[-2:]), status=74)
    refused("and so is an empty folder", run("lazymar_score", work / "empty", *nowhere),
            "contains no images")
    refused("and the demo's statistics", run("lazymar_score", jpeg, *nowhere, "--fid", STATS),
            "96 features", "--extractor demo")
    refused("then the weights", run("lazymar_score", jpeg, *nowhere), "--extractor_weights",
            "none.pth: not found")
    result = run("lazymar_eval", *QUICK, "--num_images", 4, "--output_dir", work / "never",
                 "--score", STATS, *nowhere)
    refused("lazymar_eval says so, too", result, "96 features", "--extractor demo")
    refused("a reference that is not there",
            run("lazymar_score", jpeg, *nowhere, "--fid", work / "none.npz"), "none.npz: not found",
            "fid_stats/")
    if not pathlib.Path("pretrained_models/inception").exists():
        refused("no Inception weights: where to get them", run("lazymar_score", jpeg), "Download",
                ".pth")


os.environ.setdefault("OMP_NUM_THREADS", "1")
with tempfile.TemporaryDirectory() as temporary:
    temporary = pathlib.Path(temporary)
    without, with_scores = while_drawing(temporary)
    interrupted(temporary, with_scores)
    files(temporary, without, with_scores)
    health(temporary, with_scores)
    compared(temporary, with_scores)
    scripts(temporary)
    hostile(temporary)
conclude()
