#!/usr/bin/env python3
"""A wheel in a fresh environment, used in an empty folder while the checkout cannot be seen.

It compiles all programs, so it is slow; scripts/release.sh also tries the source distribution.
What `scripts/setup.sh --slow` installs into .venv is used; otherwise pip downloads 3 GB.

LAZYMAR_WHEEL_FILE names a wheel that exists, and LAZYMAR_TORCH_PYTHON the site-packages of a torch
that Python can import.
"""
import json
import os
import pathlib
import shutil
import sys
import tempfile

from checks import check, conclude
from install_support import DRAW, ROOT, alone, can_hide, drew, example, run

SLOW = ROOT / "scripts/requirements-slow.txt"

# What torch-fidelity 0.4 demands of its input.
FIDELITY = """
import torch
def calculate_metrics(input1, **_):
    assert isinstance(input1, torch.utils.data.Dataset)
    assert torch.is_tensor(input1[0]) and input1[0].dtype == torch.uint8 and input1[0].ndim == 3
    return f"{len(input1)} images"
"""


def venv(folder, name):
    place = folder / name
    run(sys.executable, "-m", "venv", place)
    return place


def site(place):
    return next(place.glob("lib/python3*/site-packages"))


def torch_here():
    """The site-packages that the build's LibTorch comes from."""
    given = os.environ.get("LIBTORCH_DIR")
    return pathlib.Path(given).parent if given else next(
        ROOT.glob(".venv/lib/python3*/site-packages"))


def give_torch(place):
    """Torch as pip would install it, by hard links where possible: it has 1.3 GB."""
    for name in ("torch", "nvidia"):
        if (torch_here() / name).exists():
            result = run("cp", "-al", torch_here() / name, site(place) / name)
            if result.returncode != 0:
                shutil.rmtree(site(place) / name, ignore_errors=True)
                shutil.copytree(torch_here() / name, site(place) / name, symlinks=True)


def pip_of(place):
    """pip of an environment with what builds the package, and torch if Python can import it."""
    tools = "import ninja, numpy, scikit_build_core, torch"
    return place / "bin/pip" if run(place / "bin/python", "-c", tools).returncode == 0 else None


def torch_for_python():
    """The site-packages with a torch that Python imports, if there is one."""
    given = os.environ.get("LAZYMAR_TORCH_PYTHON")
    here = ROOT / ".venv"
    return given or (str(site(here).resolve()) if pip_of(here) else None)


def tools_pip(folder):
    if found := pip_of(ROOT / ".venv"):
        return found
    tools = venv(folder, "tools")
    result = run(tools / "bin/pip", "install", "--quiet", "-r", SLOW)
    if result.returncode == 0:
        return tools / "bin/pip"
    print(f"SKIPPED: the wheel: no scikit-build-core: {result.stderr.strip()[-300:]}")
    check("CI can reach a package index", not os.environ.get("CI"))
    return None


def make_wheel(folder):
    """pip builds it as for a user with torch; None if the package index cannot be reached."""
    given = os.environ.get("LAZYMAR_WHEEL_FILE")
    if given:
        return pathlib.Path(given)
    pip = tools_pip(folder)
    if not pip:
        return None
    # In the checkout, where scripts/test.sh's ccache knows what the build has compiled.
    build = ROOT / "build-wheel"
    result = run(pip, "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir",
                 folder / "wheels", f"-Cbuild-dir={build}", ROOT,
                 env={**os.environ, "LIBTORCH_DIR": str(torch_here() / "torch"),
                      "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count())})
    check("pip wheel", result.returncode == 0, result)
    wheels = list((folder / "wheels").glob("lazymar-*.whl"))
    return wheels[0] if wheels else None


def wheel(folder):
    made = make_wheel(folder)
    if not made:
        return
    check("the wheel is small", made.stat().st_size < 40e6, made.stat().st_size)
    fresh = venv(folder, "fresh")
    result = run(fresh / "bin/pip", "install", "--quiet", "--no-deps", made)
    check("pip install of the wheel", result.returncode == 0, result)
    result, _ = alone(folder, fresh / "bin/lazymar-eval", *DRAW)
    check("without torch: its name and the line that installs it", result.returncode == 2
          and "torch is not installed" in result.stderr
          and "pip install torch==" in result.stderr, result)
    give_torch(fresh)
    hidden = [ROOT] if can_hide() else []
    if not hidden:
        print("SKIPPED: hiding the checkout: no user namespaces")
    for script in ("lazymar-eval", "lazymar_eval"):
        result, work = alone(folder, fresh / "bin" / script, *DRAW, hide=hidden)
        check(f"{script} draws in an empty folder", drew(result, work), result)
    result, work = alone(folder, fresh / "bin/lazymar", "doctor", "--device", "cpu", hide=hidden)
    check("lazymar doctor", result.returncode == 0, result)
    result, work = alone(folder, fresh / "bin/lazymar", "eval", *DRAW, hide=hidden)
    scored, _ = alone(folder, fresh / "bin/lazymar-score", next(work.glob("output/demo/*")),
                      "--extractor", "demo", "--metrics", "fid", "--fid",
                      "pretrained_models/demo_stats.npz", hide=hidden)
    check("a score, with the package's statistics", scored.returncode == 0
          and "FID" in scored.stdout, scored)
    python_module(folder, fresh, made)
    wrong_torch(folder, fresh)


def python_module(folder, fresh, made):
    """The module, which needs all of torch, and a C++ program against the package."""
    place = venv(folder, "python")
    given = torch_for_python()
    if given:
        (site(place) / "given.pth").write_text(given + "\n")
    result = run(place / "bin/pip", "install", "--quiet", *(["--no-deps"] if given else []), made,
                 *([] if given else ["pillow==11.3.0", "-r", SLOW]))
    check("pip install with all of torch", result.returncode == 0, result)
    result, _ = alone(folder, place / "bin/python", ROOT / "tests/e2e/python_checks.py",
                      place / "bin/lazymar-eval", ".")
    print("".join(f"  {line}\n" for line in result.stdout.splitlines()), end="")
    check("the Python module", result.returncode == 0, result)
    result, _ = alone(folder, place / "bin/python", ROOT / "tests/e2e/python_misuse.py", ".")
    print("".join(f"  {line}\n" for line in result.stdout.splitlines()), end="")
    check("what the Python module refuses", result.returncode == 0, result)
    result, work = alone(folder, place / "bin/python", ROOT / "examples/draw.py")
    check("examples/draw.py",
          result.returncode == 0 and (work / "drawn/sheet.ppm").exists(), result)
    hide = work / "hide"  # before every other place: as if it were not installed
    hide.mkdir()
    (hide / "torch_fidelity.py").write_text("raise ImportError('no torch-fidelity')\n")
    result, _ = alone(folder, place / "bin/python", ROOT / "examples/draw.py",
                      env={"PYTHONPATH": str(hide)})
    check("examples/draw.py without torch-fidelity", result.returncode == 0
          and "No score: no torch-fidelity; pip install" in result.stdout, result)
    (hide / "torch_fidelity.py").write_text(FIDELITY)
    result, _ = alone(folder, place / "bin/python", ROOT / "examples/draw.py",
                      env={"PYTHONPATH": str(hide)})
    check("examples/draw.py gives torch-fidelity what it reads", result.returncode == 0
          and "20 images" in result.stdout, result)
    example(folder, site(fresh) / "lazymar", "the wheel")
    torchrun(folder, place)


def torchrun(folder, place):
    """Two processes make the files of one."""
    launcher = [place / "bin/python", "-m", "torch.distributed.run", "--standalone", "--no-python",
                "--nproc-per-node", "2"]
    files = []
    for words in ([], launcher):
        result, work = alone(folder, *words, place / "bin/lazymar-eval", *DRAW, "--eval_bsz", "1")
        check(f"torchrun of two: {len(words)} words before", drew(result, work), result)
        files.append({path.name: path.read_bytes() for path in work.glob("output/demo/*/*.png")})
    made = {json.loads(line)["rank"] for journal in work.glob("output/demo/*/info/journal.*.jsonl")
            for line in journal.read_text().splitlines()}
    check(f"equal bytes, by ranks {sorted(made)}", files[0] == files[1] and made == {0, 1}, result)


def wrong_torch(folder, fresh):
    """Torches that do not fit are named before anything is loaded."""
    version = site(fresh) / "torch/version.py"
    text = version.read_text()
    version.unlink()  # a hard link
    version.write_text("__version__ = '1.13.1+cu117'\n")
    for words, status, stream in ((["lazymar-eval", *DRAW], 2, "stderr"),
                                  (["lazymar", "doctor"], 1, "stdout")):
        result, _ = alone(folder, fresh / "bin" / words[0], *words[1:])
        said = getattr(result, stream)
        check(f"{words[0]}: another version of torch", result.returncode == status
              and "torch 1.13.1+cu117" in said and "pip install torch==" in said, result)
    version.write_text(text)
    library = site(fresh) / "torch/lib/libc10.so"
    old = library.read_bytes()
    library.unlink()
    library.write_bytes(old.replace(b"__cxx11", b"__cxx00"))
    result, _ = alone(folder, fresh / "bin/lazymar-eval", *DRAW)
    check("another C++ ABI", result.returncode == 2 and "C++ ABI" in result.stderr, result)
    library.write_bytes(old)
    built = site(fresh) / "lazymar/built_with.json"
    built.write_text(json.dumps({**json.loads(built.read_text()), "cuda": True}))
    cuda = site(fresh) / "torch/lib/libtorch_cuda.so"
    if cuda.exists():
        cuda.rename(cuda.with_suffix(".away"))
    result, _ = alone(folder, fresh / "bin/lazymar-eval", *DRAW)
    check("a torch without CUDA", result.returncode == 2 and "has no CUDA" in result.stderr, result)


def main():
    with tempfile.TemporaryDirectory() as folder:
        wheel(pathlib.Path(folder))
    conclude()


main()
