"""lazymar_compare's report in a real browser: no script errors, no requests, every section.

usage: report_test.py FOLDER_OF_BINARIES   (from the repository's root; exit 77 without a browser)
BROWSER names one; REPORT_SCREENSHOTS a folder to keep the pictures in.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from checks import check, conclude

BIN = pathlib.Path(sys.argv[1])
QUICK = (
    "--model demo --num_images 4 --eval_bsz 2 --num_iter 8 --num_sampling_steps 4 --threads 1"
).split()
SECTIONS = (
    "summary",
    "pairs",
    "stages",
    "latency",
    "steps",
    "redundancy",
    "skipped",
    "tradeoff",
    "settings",
)


def run(tool, *args):
    return subprocess.run(
        [BIN / tool, *map(str, args)], capture_output=True, check=False, text=True, timeout=300
    )


def draw(output, *flags):
    result = run("lazymar_eval", *QUICK, "--output_dir", output, *flags)
    return pathlib.Path(result.stdout.split("Run folder: ")[-1].strip())


def browse(browser, page, *flags, dark=False):
    with tempfile.TemporaryDirectory() as profile:
        mode = ["--blink-settings=preferredColorScheme=0"] if dark else []
        return subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--enable-logging=stderr",
                f"--user-data-dir={profile}",
                "--virtual-time-budget=3000",
                *mode,
                *flags,
                page.as_uri(),
            ],
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )


def complaints(result):
    return [line for line in result.stderr.splitlines() if "CONSOLE" in line]


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    runs = [
        draw(folder, "--record_drift", folder / "features"),
        draw(folder, "--lazy_mar"),
        draw(folder, "--lazy_mar", "--lazy_refresh", "3"),
    ]
    result = run(
        "lazymar_compare",
        *runs,
        "--output_dir",
        folder / "out",
        "--drift",
        folder / "features",
        "--suggest_schedule",
        "0.1",
    )
    page = folder / "out/report.html"
    check("a report is written", result.returncode == 0 and page.exists(), result.stderr)
    found = json.loads((folder / "out/comparison.json").read_text())
    check(
        "with all pairs in the JSON", [len(r["pairs"]["all"]) for r in found["runs"][1:]] == [4, 4]
    )
    check("and the cost of every step", len(found["runs"][1]["steps"]["seconds_per_image"]) == 8)
    check(
        "and what features did",
        found["features"]["images"] == 4
        and len(found["features"]["output"]["known"]["over_1_step"]) == 8
        and "tokens change" in result.stdout,
        result.stdout,
    )
    check(
        "and a schedule",
        len(found["suggestion"]["shares"]) == 8
        and "--lazy_retain " + found["suggestion"]["lazy_retain"] in result.stdout,
        result.stdout,
    )

    # lazymar_eval accepts a suggested list, and a tighter tolerance stays closer to plain MAR.
    plain = ["--num_iter", "16", "--num_sampling_steps", "20", "--precision", "fp32"]
    cached = [
        *plain,
        "--lazy_mar",
        "--lazy_caches",
        "token",
        "--lazy_warmup",
        "3",
        "--lazy_extra",
        "0",
    ]
    baseline = draw(folder, *plain, "--record_features", folder / "longer")
    psnr, lists = {}, {}
    for tolerance in ("0.1", "10"):
        result = run(
            "lazymar_compare",
            "--features",
            folder / "longer",
            "--suggest_schedule",
            tolerance,
            "--lazy_warmup",
            "3",
        )
        lists[tolerance] = result.stdout.strip()
        check(
            f"a list alone for {tolerance}",
            result.returncode == 0 and len(lists[tolerance].split(",")) == 16,
            result.stdout + result.stderr,
        )
        other = draw(folder, *cached, "--lazy_retain", lists[tolerance])
        run("lazymar_compare", baseline, other, "--output_dir", folder / "out3")
        psnr[tolerance] = json.loads((folder / "out3/comparison.json").read_text())["runs"][1][
            "pairs"
        ]["psnr"]["mean"]
    check(
        f"a tighter tolerance, more rows, nearer pictures: {psnr} dB",
        psnr["0.1"] > psnr["10"] + 1 and lists["0.1"] != lists["10"],
        lists,
    )

    other = draw(folder, "--seed", "2")
    result = run("lazymar_compare", runs[0], other, "--output_dir", folder / "out2")
    check(
        "another seed is refused",
        result.returncode == 2 and "seed 1 there, 2 now" in result.stderr,
        result.stderr,
    )
    result = run("lazymar_compare", runs[0])
    check("one run is too few", result.returncode == 2, result.stderr)
    result = run("lazymar_compare", *runs, "--features", folder / "nothing")
    check(
        "features that are not there",
        result.returncode == 2 and "no recorded features" in result.stderr,
        result.stderr,
    )

    browser = os.environ.get("BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print(
            "SKIPPED: no browser: the report was made, and nobody looked at it (BROWSER names one)"
        )
        conclude(status_without_failures=77)
    result = browse(browser, page, "--dump-dom")
    check("the script runs to its end", 'data-ready="yes"' in result.stdout, result.stderr)
    check("every section is there", all(f'<section id="{s}"' in result.stdout for s in SECTIONS))
    check("no complaint on the console", not complaints(result), result.stderr)
    check(
        "nothing is loaded from elsewhere",
        'src="http' not in result.stdout and "url(" not in result.stdout,
    )
    broken = folder / "broken.html"
    broken.write_text(page.read_text().replace('"use strict";', '"use strict"; nobody.knows();'))
    result = browse(browser, broken, "--dump-dom")
    check(
        "control: a script error is seen",
        complaints(result) and 'data-ready="yes"' not in result.stdout,
    )
    pictures = pathlib.Path(os.environ.get("REPORT_SCREENSHOTS", folder))
    for name, size, dark in (
        ("light", "1200,2400", False),
        ("dark", "1200,2400", True),
        ("phone", "500,2400", False),
    ):
        picture = pictures / f"{name}.png"
        browse(
            browser,
            page,
            f"--screenshot={picture}",
            f"--window-size={size}",
            "--hide-scrollbars",
            dark=dark,
        )
        check(f"a screenshot, {name}", picture.exists() and picture.stat().st_size > 20_000)

conclude()
