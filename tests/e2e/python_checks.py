#!/usr/bin/env python3
"""Uses the Python module as a user would, in an environment that has it and torch.

python_checks.py EVAL WORK: the command lazymar_eval, and an empty folder. wheel_test.py runs it.
"""
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import lazymar
import torch
from PIL import Image

failures = []


def check(name, condition, said=""):
    print(("ok      " if condition else "FAILED  ") + name, flush=True)
    if not condition:
        failures.append(name)
        print(f"  {said}")


def raised(kind, call):
    try:
        call()
    except kind as error:
        return str(error)
    return ""


def read_image(folder, number):
    """Its class, and its pixels [3, H, W]."""
    picture = Image.open(folder / f"{number:05}.png")
    data = torch.frombuffer(bytearray(picture.convert("RGB").tobytes()), dtype=torch.uint8)
    pixels = data.reshape(picture.height, picture.width, 3).permute(2, 0, 1)
    return int(picture.text["class"]), pixels


def images(command, work):
    """Byte for byte those of the command."""
    for name, words, options, precision, threads in (
            ("plain MAR", [], {}, "fp32", 1),
            ("LazyMAR", ["--lazy_mar"], {"method": "lazymar"}, "fp32", 1),
            ("another method", ["--method", "recap"], {"method": "recap"}, "fp32", 1),
            ("a seed", ["--seed", "5"], {"seed": 5}, "fp32", 1),
            ("bf16", ["--lazy_mar"], {"lazy_mar": True}, "bf16", 1),
            ("two threads", ["--lazy_mar"], {"lazy_mar": True}, "fp32", 2),
            ("guidance", ["--cfg", "2.5"], {"cfg": 2.5}, "fp32", 1)):
        out = work / name.replace(" ", "_")
        drawn = subprocess.run(
            [command, "--model", "demo", "--num_images", "3", "--eval_bsz", "3", "--num_iter", "12",
             "--device", "cpu", "--precision", precision, "--threads", str(threads),
             "--output_dir", out, *words], check=False, capture_output=True, text=True, timeout=600)
        folder = next(out.glob("demo/*"))
        theirs = [read_image(folder, i) for i in range(3)]
        model = lazymar.Model.open("demo", device="cpu", precision=precision, threads=threads)
        ours = model.sample([label for label, _ in theirs], num_iter=12, **options)
        check(f"{name}: the command's bytes", drawn.returncode == 0 and all(
            torch.equal(ours[i], pixels) for i, (_, pixels) in enumerate(theirs)), drawn)
    model = lazymar.Model.open("demo", device="cpu", precision="fp32", threads=1)
    run = lazymar.load_run(folder)
    check("load_run", len(run.images) == 3 and run.manifest and run.summary, run)
    check("load_run refuses other folders", "not a run folder" in raised(
        FileNotFoundError, lambda: lazymar.load_run(work)))
    latents = model.sample_latents([1, 2], num_iter=4)
    floats = model.sample([1, 2], num_iter=4, dtype=torch.float32)
    check("latents and decode", torch.equal(model.decode(latents), floats))
    check("labels and ids as tensors", torch.equal(
        model.sample(torch.tensor([1, 2]), ids=torch.tensor([0, 1]), num_iter=4),
        model.sample([1, 2], num_iter=4)))


def messages(command):
    """The command's text in an exception."""
    model = lazymar.Model.open("demo", device="cpu", threads=1)
    for words, options in ((["--num_iter", "0"], {"num_iter": 0}),
                           (["--lazy_extra", "3"], {"lazy_extra": 3}),
                           (["--solver", "none"], {"solver": "none"})):
        said = subprocess.run([command, "--model", "demo", "--num_images", "1", *words],
                              check=False, capture_output=True, text=True, timeout=60).stderr
        error = raised(lazymar.RefusedError, lambda options=options: model.sample([0], **options))
        check(f"{' '.join(words)}: the same message", error and f"lazymar_eval: {error}" in said,
              (error, said))
    check("an unknown model", "neither one of mar_base" in raised(
        ValueError, lambda: lazymar.Model.open("no_model")))


def waiting(model):
    """Ctrl-C ends the wait for another thread's batch."""
    inside, finish = threading.Event(), threading.Event()

    def block(_):
        inside.set()
        return finish.wait(60)

    other = threading.Thread(target=lambda: model.sample([1], num_iter=2, progress=block))
    other.start()
    inside.wait(60)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    for name, call in (("sample", lambda: model.sample([1])),
                       ("decode", lambda: model.decode(torch.zeros(1, 4, 16, 16)))):
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        try:
            call()
            check(f"a signal ends the wait of {name}", False)
        except KeyboardInterrupt:
            check(f"a signal ends the wait of {name}", not finish.is_set())
    finish.set()
    other.join()


def interrupts():
    model = lazymar.Model.open("demo", device="cpu", precision="fp32", threads=1)
    before = model.sample([1], num_iter=4)
    seen = []
    # A shell starts commands in the background without it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt(done):
        seen.append(done)
        if len(seen) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    try:
        model.sample([1], num_iter=16, progress=interrupt)
        check("Ctrl-C in the middle of a batch", False)
    except KeyboardInterrupt:
        check("Ctrl-C in the middle of a batch", 3 <= len(seen) < 16, seen)
    waiting(model)
    check("a progress callback cancels", raised(
        lazymar.CancelledError, lambda: model.sample([1], progress=lambda _: False)))
    check("an exception in the callback comes out", raised(
        ZeroDivisionError, lambda: model.sample([1], progress=lambda _: 1 / 0)))
    check("the model goes on", torch.equal(model.sample([1], num_iter=4), before))

    counted, running = [0], threading.Event()

    def count():
        while not running.is_set():
            counted[0] += 1

    other = threading.Thread(target=count)
    other.start()
    model.sample([1, 2], num_iter=16)
    running.set()
    other.join()
    check("other threads run meanwhile", counted[0] > 1000, counted)


def state_dicts():
    from_file = lazymar.Model.open("demo", device="cpu", precision="fp32", threads=1)
    path = from_file.info["weights"]
    weights = load_safetensors(path)
    expected = from_file.sample([3], num_iter=4)
    for name, state in (("plain", weights),
                        ("from DDP", {f"module.{k}": v for k, v in weights.items()}),
                        ("parameters", {k: torch.nn.Parameter(v) for k, v in weights.items()})):
        model = lazymar.Model.from_state_dict(state, "demo", device="cpu", precision="fp32",
                                              threads=1)
        check(f"from_state_dict, {name}: the same image",
              torch.equal(model.sample([3], num_iter=4), expected))
    # Shared: a change in place is seen by the model.
    model = lazymar.Model.from_state_dict(weights, "demo", device="cpu", precision="fp32",
                                          threads=1)
    weights["decoder_norm.weight"].add_(0.5)
    check("norms are shared", not torch.equal(model.sample([3], num_iter=4), expected))
    del weights["z_proj.bias"]
    check("a missing tensor is named", "z_proj.bias" in raised(
        lazymar.RefusedError, lambda: lazymar.Model.from_state_dict(weights, "demo", device="cpu")))


def load_safetensors(path):
    """fp32 tensors by name."""
    data = Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    types = {"F16": torch.float16, "F32": torch.float32, "BF16": torch.bfloat16}
    result = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            part = bytearray(data[8 + size + first:8 + size + last])
            result[name] = torch.frombuffer(part, dtype=types[entry["dtype"]]).reshape(
                entry["shape"]).float()
    return result


def says():
    """Only what is asked for, on stderr."""
    for level, expected in (("", False), ("lazymar.set_log_level('info');", True)):
        opens = "lazymar.Model.open('demo', device='cpu', precision='fp32')"
        said = subprocess.run([sys.executable, "-c", f"import lazymar; {level} {opens}"],
                              check=False, capture_output=True, text=True)
        check(f"stderr after {level or 'nothing'}", said.returncode == 0
              and ("weights:" in said.stderr) == expected, said)


def several_models():
    one = lazymar.Model.open("demo", device="cpu", precision="fp32", threads=1)
    two = lazymar.Model.open("demo", device="cpu", precision="bf16", threads=1)
    first, second = one.sample([1], num_iter=4), two.sample([1], num_iter=4)
    check("two models at once", torch.equal(one.sample([1], num_iter=4), first)
          and torch.equal(two.sample([1], num_iter=4), second) and not torch.equal(first, second))
    weight = torch.ones(3, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = one.sample([1], num_iter=4)
        loss = (weight @ weight).sum()
    loss.backward()
    check("a training loop around it is not disturbed, nor disturbs it",
          torch.equal(inside, first) and weight.grad is not None)

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

    for i in range(200):
        if i == 50:
            start = resident()
        one.sample([i % 10], ids=[i], seed=i, num_iter=2, num_sampling_steps=2)
    check("200 small batches do not grow", resident() - start < 16, resident() - start)


def main():
    command, work = sys.argv[1], Path(sys.argv[2])
    check("version", lazymar.__version__ in subprocess.run(
        [command, "--version"], check=False, capture_output=True, text=True).stdout)
    images(command, work)
    messages(command)
    interrupts()
    state_dicts()
    several_models()
    says()
    print("all well" if not failures else f"{len(failures)} failed")
    sys.exit(1 if failures else 0)


main()
