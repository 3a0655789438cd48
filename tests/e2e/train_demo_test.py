"""Trains the demo checkpoint for a few steps per stage: the result runs, stopping and continuing
changes nothing, and no stage reuses results of other weights.

usage: train_demo_test.py FOLDER_OF_BINARIES   (run from the repository's root)
"""
import importlib.util
import pathlib
import signal
import subprocess
import sys
import tempfile

from checks import check, conclude

# The environment of scripts/setup.sh --slow has torch, if this interpreter has not.
OTHER = pathlib.Path(".venv/bin/python")
if not importlib.util.find_spec("torch") and OTHER.exists() and OTHER.absolute() != pathlib.Path(
        sys.executable):
    sys.exit(subprocess.run([OTHER, *sys.argv], check=False).returncode)

BIN = pathlib.Path(sys.argv[1])
SKIP = 77
TRAIN = [sys.executable, "demo/train_demo.py", "--smoke", "--max_steps", "4", "--threads", "1"]


def run(*command):
    return subprocess.run([str(part) for part in command], text=True, timeout=250,
                          capture_output=True, check=False)


def train(work, *flags):
    return run(*TRAIN, "--work", work, *flags)


def signalled(work, line, numbers, *flags):
    """A training that receives these signals, all at once, after a line with this text."""
    command = [str(part) for part in (*TRAIN, "--work", work, *flags)]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        said = ""
        for text in process.stdout:
            said += text
            if line in text:
                break
        process.send_signal(signal.SIGSTOP)
        for number in numbers:
            process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        rest, errors = process.communicate(timeout=250)
    return subprocess.CompletedProcess(command, process.returncode, said + rest, errors)


def same_weights(work, other, stage):
    """Whether a stage ended with the same bits in two folders."""
    states = [torch.load(folder / f"{stage}.pt", weights_only=True) for folder in (work, other)]
    return all(torch.equal(value, states[1][part][name])
               for part in ("model", "averaged") for name, value in states[0][part].items())


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    through, stopped, models = folder / "through", folder / "stopped", folder / "models"

    result = train(through, "--export_dir", models)
    if result.returncode == SKIP:
        print(result.stderr)
        sys.exit(SKIP)
    import torch  # available, because the training used it
    check("all stages", result.returncode == 0 and "data: train" in result.stdout, result)
    mar, vae = models / "mar/demo/checkpoint-last.safetensors", models / "vae/demo.safetensors"
    for file in (mar, vae, models / "demo_classifier.safetensors"):
        result = run(BIN / "lazymar_convert", "--list", file)
        check(f"{file.name} is read", 'metadata "config"' in result.stdout, result)
    result = run(BIN / "lazymar_eval", "--model", "demo", "--resume", mar.parent, "--num_images", 2,
                 "--num_iter", 3, "--num_sampling_steps", 2, "--output_dir", folder / "out",
                 "--lazy_mar")
    check("lazymar_eval makes images of it", result.returncode == 0, result)

    result = signalled(stopped, "tokens: ", [signal.SIGTERM], "--until", "head")
    check(
        "SIGTERM: saved, status 75", result.returncode == 75
        and "mar: saved at step" in result.stdout
        and "stopped by SIGTERM; the same command continues" in result.stdout, result)
    result = train(stopped, "--until", "head")
    check("the same command continues", result.returncode == 0 and "vae: done before, 4 steps" in
          result.stdout and "mar: continues at step" in result.stdout, result)
    for stage in ("vae", "mar", "head"):
        check(f"{stage}: stopped or not, the same weights", same_weights(through, stopped, stage))

    state = torch.load(stopped / "mar.pt", weights_only=True)
    state["averaged"]["mar.mask_token"] += 0.5
    torch.save(state, stopped / "mar.pt")
    result = train(stopped, "--until", "head")
    check("another MAR: its head begins anew, and nothing else", result.returncode == 0 and
          "head: begins anew" in result.stdout and result.stdout.count("begins anew") == 1, result)
    check("another MAR: another head", not same_weights(through, stopped, "head"))

    result = train(stopped, "--until", "vae", "--seed", 2)
    check("another seed: begins anew", "vae: begins anew" in result.stdout and
          "tokens: begins anew" in result.stdout, result)
    check("another seed: other weights", not same_weights(through, stopped, "vae"))

    result = signalled(stopped, "priority: ", [signal.SIGTERM, signal.SIGINT])
    check("a second signal ends at once, status 130", result.returncode == 130, result)
conclude()
