#!/usr/bin/env python3
"""lazymar COMMAND, its doctor and its pages, and the batch script for Slurm.

umbrella_test.py BIN: the folder of the programs.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from checks import check, conclude

BIN = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path.cwd()


def run(*words, **more):
    more.setdefault("env", os.environ)
    return subprocess.run([BIN / "lazymar", *words], check=False, capture_output=True, text=True,
                          timeout=300, **more)


def commands():
    for word in ("eval", "score", "compare", "bench", "verify", "convert"):
        own = subprocess.run([BIN / f"lazymar_{word}", "--help"], check=False, capture_output=True,
                             text=True, timeout=60)
        same = run(word, "--help")
        check(f"lazymar {word} is lazymar_{word}",
              same.returncode == 0 and same.stdout == own.stdout, same)
        check(f"lazymar --help names {word}", f"  {word} " in run("--help").stdout)
    check("--version", run("--version").stdout.startswith("lazymar "))
    result = run("evl")
    check("a misspelled command", result.returncode == 2
          and result.stderr.count("\n") == 1 and "did you mean eval?" in result.stderr, result)
    result = run()
    check("no command: the usage, and 2",
          result.returncode == 2 and result.stderr.startswith("Usage: lazymar COMMAND"), result)
    result = run("convert", "--list", "/nowhere")
    check("the program's own status and message", result.returncode == 2
          and result.stderr.startswith("lazymar_convert: /nowhere"), result)


def lesser_processors(folder):
    """LAZYMAR_CPU, on whatever processor this is."""
    def draw(limit, *words):
        quick = "--model demo --num_images 1 --num_iter 2 --num_sampling_steps 2".split()
        return run("eval", *quick, "--output_dir", folder / "lesser", *words,
                   env={**os.environ, "LAZYMAR_CPU": limit})
    for limit, precision, missing in (("avx2", "bf16", "AVX-512"), ("avx2", "int8", "AVX512_VNNI"),
                                      ("avx512", "int8", "AVX512_VNNI")):
        result = draw(limit, "--precision", precision)
        check(f"LAZYMAR_CPU={limit} rules {precision} out",
              result.returncode == 2 and f"no {missing}" in result.stderr, result)
    result = draw("avx2", "--precision", "fp32")
    check("and fp32 not", result.returncode == 0, result)
    result = draw("sse", "--precision", "bf16")
    check("an unknown LAZYMAR_CPU", result.returncode == 2
          and "LAZYMAR_CPU=sse: use avx2" in result.stderr, result)
    result = run("bench", "--models", "mar_base", "--types", "--threads", "1",
                 env={**os.environ, "LAZYMAR_CPU": "avx2"})
    check("its rates are those of fp32 and fp64 alone", result.returncode == 0
          and "none of AVX-512" in result.stdout and "| fp32 | fp64 | fp16" in result.stdout
          and "auto: fp32" in result.stdout, result)


def pages(folder):
    page = run("--help", "markdown").stdout
    kept = ROOT / "docs/cli.md"
    check("docs/cli.md is up to date: build/bin/lazymar --help markdown >docs/cli.md",
          kept.read_text(encoding="utf-8") == page)
    check("and that comparison can fail", kept.read_text(encoding="utf-8") + " " != page)
    for shell in ("bash", "zsh"):
        script = folder / f"lazymar.{shell}"
        script.write_text(run("--help", shell).stdout)
        if shutil.which(shell):
            result = subprocess.run([shell, "-n", script], check=False, capture_output=True,
                                    text=True, timeout=60)
            check(f"--help {shell} is a script", result.returncode == 0 and not result.stderr,
                  result)
        else:
            print(f"SKIPPED: --help {shell}: there is no {shell}")

    def complete(*words):
        line = " ".join(f"'{word}'" for word in words)
        code = (f"source {folder}/lazymar.bash; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
                "_lazymar; printf '%s\\n' \"${COMPREPLY[@]}\"")
        return subprocess.run(["bash", "-c", code], check=False, capture_output=True, text=True,
                              timeout=60).stdout.split()

    check("bash completes a command", complete("lazymar", "ev") == ["eval"],
          complete("lazymar", "ev"))
    check("and its options", complete("lazymar", "doctor", "--out") == ["--output_dir"],
          complete("lazymar", "doctor", "--out"))
    if shutil.which("zsh"):
        code = ("autoload -Uz compinit; compinit -u -d $1/dump; source $1/lazymar.zsh; "
                "whence -w _lazymar _lazymar_eval; "
                "print -r -- $_comps[lazymar] $_comps[lazymar-eval]")
        result = subprocess.run(["zsh", "-fc", code, "zsh", folder], check=False, text=True,
                                capture_output=True, timeout=60)
        check("zsh knows the functions", "_lazymar: function" in result.stdout
              and "_lazymar _lazymar_eval" in result.stdout, result)


def doctor(folder):
    demo = ["--checkpoint_dir", str(ROOT / "pretrained_models"), "--device", "cpu"]
    result = run("doctor", *demo, cwd=folder)
    check("a machine that can run", result.returncode == 0 and "PROBLEM" not in result.stdout
          and "model demo" in result.stdout and "precision" in result.stdout, result)
    for name, words, env, said in (
            ("no weights", ["--device", "cpu"], {}, "no model was found"),
            ("half a launcher", demo, {"RANK": "0"}, "WORLD_SIZE is not"),
            ("a GPU that is not there", [*demo[:2], "--device", "cuda:77"], {}, "--device cuda:77"),
            ("no room to write", [*demo, "--output_dir", "/proc/lazymar"], {}, "--output_dir")):
        result = run("doctor", *words, cwd=folder, env={**os.environ, **env})
        problems = [line for line in result.stdout.splitlines() if line.startswith("PROBLEM: ")]
        check(f"doctor: {name}", result.returncode == 1 and len(problems) == 1
              and said in problems[0], result)
    check("doctor leaves nothing behind", list(folder.glob("output*")) == [])


def slurm(folder):
    """scripts/slurm.sbatch with stand-ins for srun and scontrol."""
    tools = folder / "tools"
    tools.mkdir()
    for name, text in (("srun", 'shift; echo "$*" >>$LOG; exit ${STATUS:-0}'),
                       ("scontrol", 'echo "scontrol $*" >>$LOG')):
        (tools / name).write_text(f"#!/bin/bash\n{text}\n")
        (tools / name).chmod(0o755)
    for status, ends, requeued in ((75, 0, True), (0, 0, False), (2, 2, False)):
        log = folder / f"log{status}"
        result = subprocess.run(
            [ROOT / "scripts/slurm.sbatch", "--model", "demo"], check=False, text=True,
            capture_output=True, timeout=60,
            env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "LOG": str(log),
                 "STATUS": str(status), "SLURM_JOB_ID": "17"})
        said = log.read_text().splitlines()
        check(f"slurm.sbatch: lazymar_eval exits with {status}", result.returncode == ends
              and said[0] == "lazymar_eval --model demo"
              and ("scontrol requeue 17" in said) == requeued, (result, said))


def main():
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        commands()
        lesser_processors(place)
        pages(place)
        doctor(place)
        slurm(place)
    conclude()


main()
