"""The programs as a user sees them: the exit status and the one-line reason.

usage: cli_test.py FOLDER_OF_BINARIES   (run from the repository's root)
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from checks import check, conclude, refused

BIN = pathlib.Path(sys.argv[1])
DEMO = "pretrained_models/mar/demo/checkpoint-last.safetensors"
QUICK = "--model demo --num_images 2 --eval_bsz 2 --num_iter 3 --num_sampling_steps 2".split()


def run(tool, *args, env=None):
    return subprocess.run(
        [BIN / tool, *map(str, args)],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, **(env or {})},
        timeout=300,
    )


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    out = ["--output_dir", folder / "out"]

    result = run("lazymar_eval", *QUICK, *out, "--lazy_mar")
    check("a run succeeds", result.returncode == 0 and "seconds per image" in result.stdout, result)
    run_folder = pathlib.Path(result.stdout.split("Run folder: ")[-1].strip())
    names = sorted(p.name for p in run_folder.iterdir())
    check("its folder holds images and info/", names == ["00000.png", "00001.png", "info"], result)
    summary = json.loads((run_folder / "info/summary.json").read_text())
    check(
        "its summary is complete", summary["complete"] and summary["seconds_per_image"] > 0, result
    )
    first = (run_folder / "00001.png").read_bytes()

    before = (run_folder / "00001.png").stat().st_mtime_ns
    result = run("lazymar_eval", *QUICK, *out, "--lazy_mar")
    check(
        "an earlier run is kept",
        result.returncode == 0 and (run_folder / "00001.png").stat().st_mtime_ns == before,
        result,
    )
    result = run("lazymar_eval", *QUICK, *out, "--lazy_mar", "--overwrite")
    check(
        "unless told otherwise, with equal bytes",
        result.returncode == 0
        and (run_folder / "00001.png").stat().st_mtime_ns != before
        and (run_folder / "00001.png").read_bytes() == first,
        result,
    )

    result = run("lazymar_eval", *QUICK, *out, "--data_path", "x", "--evaluate", "--seed", "2")
    check(
        "flags without a meaning here are named once",
        result.returncode == 0
        and result.stderr.count("have no effect here: --data_path, --evaluate") == 1,
        result,
    )

    result = run("lazymar_eval", "--version")
    check(
        "--version", result.returncode == 0 and result.stdout.startswith("lazymar_eval 0."), result
    )
    result = run("lazymar_eval", "--help")
    check("--help", result.returncode == 0 and "--lazy_mar" in result.stdout, result)

    for tool in (
        "lazymar_eval",
        "lazymar_score",
        "lazymar_compare",
        "lazymar_bench",
        "lazymar_verify",
        "lazymar_convert",
    ):
        result = run(tool)
        check(
            f"{tool} without arguments says what works",
            result.returncode == 2
            and not result.stdout
            and len(result.stderr.splitlines()) < 9
            and f"{tool} --help" in result.stderr,
            result,
        )
        help_text = run(tool, "--help").stdout
        check(f"{tool} --help is one screen", 5 < len(help_text.splitlines()) <= 40, help_text)
        if shutil.which("man"):
            page = folder / f"{tool}.1"
            page.write_text(run(tool, "--help", "man").stdout)
            result = subprocess.run(
                ["man", "--warnings", "-l", page],
                check=False,
                capture_output=True,
                text=True,
                timeout=60,
                env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "100"},
            )
            check(
                f"{tool} --help man is a page without warnings",
                result.returncode == 0 and not result.stderr and "EXIT STATUS" in result.stdout,
                result,
            )
        script = folder / f"{tool}.bash"
        script.write_text(run(tool, "--help", "bash").stdout)
        result = subprocess.run(
            ["bash", "-n", script], check=False, capture_output=True, text=True, timeout=60
        )
        check(
            f"{tool} --help bash is a script", result.returncode == 0 and not result.stderr, result
        )

    def complete(*words):
        """bash's completions of the last word."""
        line = " ".join(f"'{word}'" for word in words)
        code = (
            f"source {folder}/lazymar_eval.bash; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
            "_lazymar_eval; printf '%s\\n' \"${COMPREPLY[@]}\""
        )
        return subprocess.run(
            ["bash", "-c", code], check=False, capture_output=True, text=True, timeout=60
        ).stdout.split()

    check(
        "bash completes an option",
        complete("lazymar_eval", "--lazy_e") == ["--lazy_extra"],
        complete("lazymar_eval", "--lazy_e"),
    )
    check(
        "and its values",
        complete("lazymar_eval", "--precision", "b") == ["bf16"],
        complete("lazymar_eval", "--precision", "b"),
    )
    check(
        "and no option where a number stands",
        complete("lazymar_eval", "--lazy_extra", "--l") == [],
        complete("lazymar_eval", "--lazy_extra", "--l"),
    )
    check(
        "dashes are underscores",
        complete("lazymar_eval", "--lazy-retain", "sc") == ["scaled"],
        complete("lazymar_eval", "--lazy-retain", "sc"),
    )

    refused(
        "unknown flag",
        run("lazymar_eval", "--num_itr", "3"),
        "num_itr",
        "did you mean --num_iter?",
        "--help",
    )
    refused("a switch with a value", run("lazymar_eval", "--lazy_mar=no"), "--lazy_mar is a switch")
    refused("no value", run("lazymar_eval", "--model"), "--model: needs a value")
    refused(
        "value out of range", run("lazymar_eval", *QUICK, *out, "--num_iter", "0"), "--num_iter 0"
    )
    refused(
        "no checkpoint at the given place",
        run("lazymar_eval", *QUICK, *out, "--resume", folder / "none"),
        f"--resume {folder / 'none'}: not found",
    )
    for model, said in (
        ("demo", "--model demo: neither one of mar_base"),
        ("mar_large", "github.com/LTH14/mar"),
    ):
        result = subprocess.run(
            [BIN.resolve() / "lazymar_eval", "--model", model],
            cwd=folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        refused(
            f"{model} outside of the project",
            result,
            said,
            f"looked in {folder}/pretrained_models",
        )
    for name in ("README.md", "LICENSE"):
        refused(
            f"{name} is no checkpoint",
            run("lazymar_convert", "--list", name),
            f"{name}: byte 0: not a checkpoint",
        )
    refused(
        "a contradicting flag",
        run("lazymar_eval", *QUICK, *out, "--buffer_size", "32"),
        "--buffer_size 32",
        "contradicts",
    )
    refused(
        "a layer that is not there",
        run("lazymar_eval", *QUICK, *out, "--lazy_mar", "--lazy_prune_layer", "6"),
        "--lazy_prune_layer 6",
        "has 5 layers",
        "0 to 4",
    )
    result = run("lazymar_eval", *QUICK, *out, "--lazy_mar", "--lazy_prune_layer", "5")
    check("the one behind the last means that none prunes", result.returncode == 0, result)
    for caches, said in (("condition", True), ("condition,head", False)):
        result = run(
            "lazymar_eval", *QUICK, *out, "--lazy_mar", "--lazy_caches", caches, "--cfg", "1"
        )
        check(
            f"no guidance, and the caches {caches}",
            result.returncode == 0 and ("has no effect without guidance" in result.stderr) == said,
            result,
        )
    result = run("lazymar_eval", *QUICK, *out, "--gpus", "2", env={"CUDA_VISIBLE_DEVICES": ""})
    refused(
        "--gpus without GPUs names no flag that was not given", result, "--gpus: no GPU is visible"
    )
    check(
        "the program names itself",
        result.stderr.startswith("lazymar_eval: ") and "--device" not in result.stderr,
        result,
    )
    refused(
        "half a launcher",
        run("lazymar_eval", *QUICK, *out, env={"WORLD_SIZE": "2"}),
        "WORLD_SIZE is set",
        "RANK is not",
    )
    refused("no GPU", run("lazymar_eval", *QUICK, *out, "--device", "cuda:7"), "--device cuda:7")
    (folder / "file").write_text("")
    # Not even root can create a file there. This is reported before the weights are missed.
    for place in (folder / "file", "/proc/x", "/dev/full"):
        result = run("lazymar_eval", *QUICK, "--resume", folder / "none", "--output_dir", place)
        refused(
            f"no place for a run: {place}",
            result,
            f"--output_dir {place}",
            "choose a writable path",
            status=74,
        )
    result = run(
        "lazymar_eval", *QUICK, *out, "--record_features", "/proc/x", "--resume", folder / "none"
    )
    refused("no place for drift, by its present name", result, "--record_drift /proc/x", status=74)

    weights = pathlib.Path(DEMO).read_bytes()
    for name, content in {
        "truncated": weights[:-1000],
        "empty": b"",
        "text": b"not a checkpoint",
        "longer": weights + b"x",
        "no tensors": b"\2\0\0\0\0\0\0\0{}",
    }.items():
        broken = folder / "broken.safetensors"
        broken.write_bytes(content)
        refused(
            f"{name} weights",
            run("lazymar_eval", *QUICK, *out, "--resume", broken),
            "broken.safetensors",
        )

    trace = "tests/data/traces/small-nocfg"
    result = run("lazymar_verify", "--trace", trace, "--dump", folder / "dump.safetensors")
    check("verify passes", result.returncode == 0 and "PASSED: 33 of 33" in result.stdout, result)
    check("verify dumps", (folder / "dump.safetensors").stat().st_size > 100_000, result)
    result = run("lazymar_verify", "--trace", trace, "--tolerance", "1e-20")
    check(
        "verify says no with exit 1", result.returncode == 1 and "FAILED" in result.stdout, result
    )
    refused(
        "verify finds out first that it cannot dump",
        run("lazymar_verify", "--trace", folder / "none", "--dump", folder / "none/x"),
        "--dump",
        "none does not exist",
        status=74,
    )
    refused(
        "verify without a trace",
        run("lazymar_verify", "--trace", folder),
        "contains no trace.safetensors",
    )

    # A failed write is reported and exits with 74; finished images stay.
    limited = (
        f"ulimit -f 4; exec '{BIN / 'lazymar_eval'}' {' '.join(QUICK)} --seed 3 "
        f"--output_dir '{folder / 'full'}'"
    )
    result = subprocess.run(
        ["bash", "-c", limited], capture_output=True, check=False, text=True, timeout=300
    )
    check(
        "no space left: exit 74",
        result.returncode == 74 and "cannot write" in result.stderr,
        result,
    )

conclude()
