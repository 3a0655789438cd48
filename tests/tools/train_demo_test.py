"""Trains the demo checkpoint for two steps a stage and runs what comes out.

usage: train_demo_test.py FOLDER_OF_BINARIES   (run from the repository's root)
"""
import pathlib
import subprocess
import sys
import tempfile

BIN = pathlib.Path(sys.argv[1])


def run(*command):
    result = subprocess.run([str(part) for part in command], text=True, timeout=250,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode:
        print(result.stdout)
        sys.exit(result.returncode)
    return result.stdout


with tempfile.TemporaryDirectory() as folder:
    models = pathlib.Path(folder) / "models"
    train = [sys.executable, "scripts/train_demo.py", "--smoke", "--work", f"{folder}/work",
             "--export_dir", models]
    first = run(*train)
    again = run(*train)
    assert "mar: done before, 2 steps" in again and "data: train" in first, again

    mar, vae = models / "mar/demo/checkpoint-last.safetensors", models / "vae/demo.safetensors"
    for file in (mar, vae, models / "demo_classifier.safetensors"):
        assert "metadata \"config\"" in run(BIN / "lazymar_convert", "--list", file), file
    run(BIN / "lazymar_eval", "--model", "demo", "--resume", mar.parent, "--num_images", 2,
        "--num_iter", 3, "--num_sampling_steps", 2, "--output_dir", f"{folder}/out", "--lazy_mar")
print("ok")
