#!/usr/bin/env python3
"""What the Python module refuses, each in one line that says what is wrong.

python_misuse.py WORK: an empty folder. wheel_test.py runs it.
"""
import json
import sys
from pathlib import Path

import lazymar
import torch

failures = []
FEW = {"num_iter": 2, "num_sampling_steps": 2}


def check(name, condition, said=""):
    print(("ok      " if condition else "FAILED  ") + name, flush=True)
    if not condition:
        failures.append(name)
        print(f"  {said}")


def refused(kind, text, name, call):
    """It raises exactly that kind, in one line with that text."""
    try:
        said = call()
    except Exception as error:  # any other kind is a failure, too
        line = str(error)
        check(name, type(error) is kind and text in line and "\n" not in line, repr(error))
    else:
        check(name, False, said)


def numbers(model):
    refuse = lazymar.RefusedError
    for name, kind, text, labels, options in (
            ("a fraction", TypeError, "label: must be a whole number, not 1.5", [1.5], {}),
            ("a text", TypeError, "label: must be a whole number or a seq", "12", {}),
            ("texts", TypeError, "label: must be a whole number", ["a"], {}),
            ("a dict", TypeError, "label: must be", {3: 1}, {}),
            ("None", TypeError, "label: must be", None, {}),
            ("a tensor of fractions", TypeError, "label: must be", torch.tensor([1.7]), {}),
            ("a matrix", TypeError, "the shape (2, 2)", torch.zeros(2, 2, dtype=torch.int64), {}),
            ("a class too many", refuse, "the model has classes 0 to 9", [10], {}),
            ("a large label", refuse, "label 1180591620717411303424: must be", [2**70], {}),
            ("no labels", refuse, "at least one image", [], {}),
            ("no ids", refuse, "0 image ids and 2 labels", [1, 2], {"ids": []}),
            ("a fraction as id", TypeError, "image id: must be", [1], {"ids": [0.5]}),
            ("a large id", refuse, "image id 4294967296: must be", [1], {"ids": [2**32]}),
            ("a huge id", refuse, "image id 18446744073709551616", [1], {"ids": 2**64}),
            ("a negative seed", refuse, "--seed -1: must be from 0 to", [1], {"seed": -1}),
            ("a large seed", refuse, "--seed 18446744073709551616", [1], {"seed": 2**64}),
            ("a fraction as seed", TypeError, "--seed: must be a whole", [1], {"seed": 1.5}),
            ("no seed", TypeError, "--seed: must be a whole", [1], {"seed": None})):
        refused(kind, text, f"labels, ids, seed: {name}",
                lambda labels=labels, options=options: model.sample(labels, **FEW, **options))
    expected = model.sample([3], **FEW)
    for one in (3, torch.tensor(3), torch.tensor([3]), range(3, 4), (i for i in [3])):
        check(f"label {one}", torch.equal(model.sample(one, **FEW), expected))
    try:
        import numpy as np  # noqa: PLC0415  # torch does without
    except ImportError:
        return
    for one in (np.int64(3), np.array(3), np.array([3]), [np.uint8(3)]):
        check(f"label {one!r}", torch.equal(model.sample(one, seed=np.int32(1), **FEW), expected))
    refused(TypeError, "label: must be", "NumPy's fractions",
            lambda: model.sample(np.array([1.0, 2.0]), **FEW))


def sampling(model):
    refuse = lazymar.RefusedError
    drew = []
    for dtype, kind in ((torch.int32, refuse), (torch.bool, refuse), (torch.complex64, refuse),
                        ("uint8", TypeError), (None, TypeError), (float, TypeError)):
        refused(kind, "dtype", f"dtype {dtype}", lambda dtype=dtype: model.sample(
            [1], dtype=dtype, progress=drew.append, **FEW))
    check("a dtype is refused before anything is drawn", not drew)
    for dtype in (torch.uint8, torch.float32, torch.float16, torch.bfloat16, torch.float64):
        check(f"dtype {dtype}", model.sample([1], dtype=dtype, **FEW).dtype == dtype)
    for options, kind, text in (
            ({"method": 3}, TypeError, "method: must be a name"),
            ({"method": "nope"}, refuse, "nope"),
            ({"lazy_mar": 0}, TypeError, "lazy_mar: it is a switch"),
            ({"lazy_mar": 1}, TypeError, "lazy_mar: it is a switch"),
            ({"lazy_mar": "no"}, TypeError, "lazy_mar: it is a switch"),
            ({"num_iter": True}, TypeError, "num_iter: needs a value, not True"),
            ({"num_iter": False}, TypeError, "num_iter: needs a value, not False"),
            ({"num_itr": False}, refuse, "--num_itr: not a sampling option; did you mean"),
            ({"num_itr": None}, refuse, "--num_itr: not a sampling option"),
            ({"progress": 3}, TypeError, "progress: must be a function")):
        refused(kind, text, str(options), lambda options=options: model.sample([1], **options))
    plain = model.sample([1], num_iter=8)
    for off in (False, None):
        check(f"lazy_mar={off}", torch.equal(model.sample([1], num_iter=8, lazy_mar=off), plain))
    check("lazy_mar=True", not torch.equal(model.sample([1], num_iter=8, lazy_mar=True), plain))
    for name, latents, kind in (
            ("no height", torch.zeros(1, 4, 0, 16), refuse),
            ("no width", torch.zeros(1, 4, 16, 0), refuse),
            ("meta", torch.zeros(1, 4, 16, 16, device="meta"), refuse),
            ("integers", torch.zeros(1, 4, 16, 16, dtype=torch.int64), refuse),
            ("a list", [1.0], TypeError), ("None", None, TypeError)):
        refused(kind, "latents", f"decode: {name}", lambda latents=latents: model.decode(latents))
    refused(refuse, "latents [1, 7, 4, 4]: they must be [B, 4, h, w]", "decode: 7 channels",
            lambda: model.decode(torch.zeros(1, 7, 4, 4)))
    check("decode: no latents", model.decode(torch.zeros(0, 4, 16, 16)).shape == (0, 3, 64, 64))
    refused(refuse, "this model is drawing", "a callback that draws with its model",
            lambda: model.sample([1], progress=lambda _: model.sample([1], **FEW), **FEW))


def opening():
    refuse = lazymar.RefusedError
    for options, kind, text in (
            ({"name": 3}, TypeError, "name: must be a str or a path, not 3"),
            ({"name": None}, TypeError, "name: must be"),
            ({"device": 3}, TypeError, "device: must be"),
            ({"device": "gpu"}, refuse, "--device gpu: did you mean cuda? use auto, cpu"),
            ({"precision": "int4"}, refuse, "--precision int4: did you mean int8? use auto, bf16"),
            ({"precision": torch.complex64}, refuse, "--precision torch.complex64: use auto"),
            ({"precision": 16}, TypeError, "precision: must be"),
            ({"threads": 0}, refuse, "--threads 0: must be a whole number from 1 to 4096"),
            ({"threads": -1}, refuse, "--threads -1: must be a whole number from 1 to 4096"),
            ({"threads": 4097}, refuse, "--threads 4097: must be"),
            ({"threads": 2**70}, refuse, "--threads 1180591620717411303424: must be"),
            ({"threads": "1"}, TypeError, "--threads: must be a whole number"),
            ({"threads": 1.5}, TypeError, "--threads: must be a whole number"),
            ({"resume": 3}, TypeError, "resume: must be a str or a path"),
            ({"vae_path": ""}, refuse, "--vae_path"),
            ({"random_weights": "no"}, TypeError, "random_weights: must be True or False")):
        arguments = {"name": "demo", "device": "cpu", **options}
        refused(kind, text, f"open: {options}",
                lambda arguments=arguments: lazymar.Model.open(**arguments))
    for options in ({"name": Path("demo")}, {"device": torch.device("cpu")}, {"device": "cpu:0"},
                    {"device": torch.device("cpu", 0)}):
        arguments = {"name": "demo", "device": "cpu", "precision": "fp32", **options}
        check(f"open: {options}", lazymar.Model.open(**arguments).info["device"] == "cpu")
    check("open: a torch.dtype", lazymar.Model.open(
        "demo", device="cpu", precision=torch.float32).info["precision"] == "fp32")


def state_dicts():
    refuse = lazymar.RefusedError
    one = {"z_proj.weight": torch.zeros(4, 4)}
    nested = {"model": one, "model_ema": one, "epoch": 3}
    for name, state, kind, text in (
            ("a checkpoint", nested, refuse, "pass one of them: state['model_ema']"),
            ("a part of one", {"model": one}, refuse, "pass one of them: state['model']"),
            ("a list", [one], TypeError, "state_dict: must be a dict of tensors"),
            ("an int as key", {3: torch.zeros(1)}, TypeError, "state_dict: keys must be names"),
            ("a number", {**one, "epoch": 3}, TypeError, "'epoch' is of type int, not a tensor"),
            ("a list of numbers", {"z_proj.weight": [1.0]}, TypeError,
             "'z_proj.weight' is of type list"),
            ("None", {"z_proj.weight": None}, TypeError, "'z_proj.weight' is of type NoneType"),
            ("integers", {"z_proj.weight": torch.zeros(4, 4).int()}, refuse, "a tensor of Int"),
            ("sparse", {"z_proj.weight": torch.zeros(4, 4).to_sparse()}, refuse, "sparse"),
            ("meta", {"z_proj.weight": torch.zeros(4, 4, device="meta")}, refuse, "device meta"),
            ("nothing", {}, refuse, "state_dict: no tensor"),
            ("a part", one, refuse, "state_dict: no tensor")):
        refused(kind, text, f"from_state_dict: {name}", lambda state=state: (
            lazymar.Model.from_state_dict(state, "demo", device="cpu")))
        try:
            lazymar.Model.from_state_dict(state, "demo", device="cpu")
        except (TypeError, ValueError) as error:
            check(f"from_state_dict, {name}: no file is spoken of", "file" not in str(error), error)


def runs(work):
    folder = work / "run"
    (folder / "info").mkdir(parents=True)
    manifest = folder / "info/manifest.json"
    for name, text in (("empty", b""), ("half", b"{"), ("a list", b"[]"), ("bytes", b"\xff"),
                       ("deep", b"[" * 100000)):
        manifest.write_bytes(text)
        refused(ValueError, f"{manifest}: damaged", f"load_run: {name}",
                lambda: lazymar.load_run(folder))
    manifest.write_text(json.dumps({"a": 1}))
    for name in ("00001", "000002", "00010", "100000", "99999", "²³", "x"):
        (folder / f"{name}.png").touch()
    (folder / "3.png").mkdir()
    (folder / "00007.png.tmp").touch()
    run = lazymar.load_run(folder)
    check("load_run: images by number", [path.stem for path in run.images] == [
        "00001", "000002", "00010", "99999", "100000"], run.images)
    (folder / "info/scores.json").write_text("7")
    refused(ValueError, "scores.json: damaged: not a JSON object", "load_run: scores",
            lambda: lazymar.load_run(folder))


def main():
    model = lazymar.Model.open("demo", device="cpu", precision="fp32", threads=1)
    numbers(model)
    sampling(model)
    opening()
    state_dicts()
    runs(Path(sys.argv[1]))
    refused(lazymar.RefusedError, "log level loud: use info, warning or off", "set_log_level",
            lambda: lazymar.set_log_level("loud"))
    print("all well" if not failures else f"{len(failures)} failed")
    sys.exit(1 if failures else 0)


main()
