"""Checkpoints as torch.save writes them: used directly, listed and converted.

usage: convert_test.py FOLDER_OF_BINARIES   (run from the repository's root)
"""

import json
import pathlib
import tempfile

import torch_file
from checks import check, conclude, refused
from score_support import run

QUICK = "--num_images 2 --eval_bsz 2 --num_iter 3 --num_sampling_steps 2 --threads 1".split()

with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)

    # A checkpoint as written by torch.save, directly and converted.
    folder.joinpath("mar").mkdir()
    pth, converted = folder / "mar/checkpoint-last.pth", folder / "mar/checkpoint-last.safetensors"
    torch_file.write_mar(pth)
    ema = [
        *QUICK,
        "--model",
        "mar_base",
        "--resume",
        folder / "mar",
        "--vae_path",
        "pretrained_models/vae/demo.safetensors",
    ]

    def images(name):
        result = run("lazymar_eval", *ema, "--output_dir", folder / name)
        pngs = sorted((folder / name).rglob("*.png"))
        check(f"images {name}", result.returncode == 0 and len(pngs) == 2, result)
        return [png.read_bytes() for png in pngs], result

    direct, result = images("directly")
    check(
        "EMA weights are taken",
        "model_ema" in result.stderr and "no EMA" not in result.stderr,
        result,
    )

    def hashes(name):
        return json.loads(next((folder / name).rglob("summary.json")).read_text())["weights_sha256"]

    result = run("lazymar_convert", pth, converted)
    check("convert", result.returncode == 0 and "EMA weights" in result.stdout, result)
    again, result = images("converted")
    check(
        "safetensors come first", "is used instead of checkpoint-last.pth" in result.stderr, result
    )
    check("the same images directly and converted", direct == again, result)
    check(
        "and the same hashes",
        hashes("directly") == hashes("converted")
        and all(len(text) == 64 for text in hashes("directly").values()),
        result,
    )
    check("EMA is not missed in what was converted", "no EMA" not in result.stderr, result)
    run("lazymar_convert", pth, converted, "--weights", "model")
    last, result = images("from the last weights")
    check("other images from other weights", direct != last, result)
    check(
        "other hash of other weights, the same of the same VAE",
        hashes("directly")["mar"] != hashes("from the last weights")["mar"]
        and hashes("directly")["vae"] == hashes("from the last weights")["vae"],
        result,
    )
    check("no EMA is said of what was converted", "no EMA weights" in result.stderr, result)
    run("lazymar_convert", pth, converted, "--dtype", "fp16")
    images("in half precision")
    check(
        "other hash in another type",
        hashes("directly")["mar"] != hashes("in half precision")["mar"],
        result,
    )
    for sections, more, said in (
        (["model"], {"model_ema": None}, "no EMA weights"),
        ([None], None, "a plain state dict"),
    ):
        bare = folder / "bare.pth"
        torch_file.write_mar(bare, sections=sections, more=more)
        result = run("lazymar_convert", bare, folder / "bare.safetensors")
        check(f"convert says: {said}", result.returncode == 0 and said in result.stderr, result)
        result = run(
            "lazymar_eval", *ema[:-4], "--resume", bare, *ema[-2:], "--output_dir", folder / said
        )
        check(f"eval says: {said}", result.returncode == 0 and said in result.stderr, result)
    result = run("lazymar_convert", pth, converted, "--dtype", "bf16")
    check(
        "convert to bf16",
        result.returncode == 0 and converted.stat().st_size < pth.stat().st_size // 3,
        result,
    )
    result = run("lazymar_convert", "--list", pth)
    check(
        "list",
        result.returncode == 0
        and "z_proj.weight" in result.stdout
        and "heads as in mar_base" in result.stdout,
        result,
    )
    refused(
        "unknown dtype", run("lazymar_convert", pth, converted, "--dtype", "int8"), "--dtype int8"
    )
    for place in ("/proc/x/y.safetensors", "/dev/full/y.safetensors"):
        refused(
            f"no place for what is converted: {place}",
            run("lazymar_convert", folder / "none", place),
            f"OUT {pathlib.Path(place).parent}: ",
            status=74,
        )
    refused("no output", run("lazymar_convert", pth), "OUT.safetensors")
    refused("not safetensors", run("lazymar_convert", pth, folder / "x.pth"), ".safetensors")
    damaged = bytearray(pth.read_bytes())
    damaged[len(damaged) * 3 // 4] ^= 1
    pth.write_bytes(damaged)
    refused("a damaged checkpoint", run("lazymar_convert", pth, converted), "CRC-32", "byte ")
    directly = [*ema[:-4], "--resume", pth, *ema[-2:], "--output_dir", folder / "damaged"]
    refused("directly, too", run("lazymar_eval", *directly), "CRC-32", "byte ", str(pth))
    result = run("lazymar_eval", *directly, "--no_crc")
    check("unless told not to look", result.returncode == 0, result)
    result = run("lazymar_convert", pth, converted, "--no_crc")
    check("--no_crc", result.returncode == 0, result)

    # In 8 bits.
    demo = pathlib.Path("pretrained_models/mar/demo/checkpoint-last.safetensors")
    small = folder / "int8/checkpoint-last.safetensors"
    result = run("lazymar_convert", demo, small, "--int8", "--calibrate", "1", "--dtype", "bf16")
    check("convert to int8", result.returncode == 0 and "calibrated with 1 of 1" in result.stderr
          and small.stat().st_size < 0.8 * demo.stat().st_size, result)
    result = run("lazymar_convert", "--list", small)
    check("the list says so", result.returncode == 0 and "smoothed with 1 images" in result.stdout
          and "attn.qkv.weight_scale" in result.stdout and " I8 " in result.stdout, result)
    run("lazymar_convert", demo, small, "--int8")
    same = []
    for name, source in (("of fp32", demo), ("of int8", small)):
        result = run("lazymar_eval", *QUICK, "--model", "demo", "--resume", source, "--precision",
                     "fp32", "--no_metadata", "--output_dir", folder / name)
        check(f"images {name}", result.returncode == 0, result)
        same.append([png.read_bytes() for png in sorted((folder / name).rglob("0*.png"))])
    check("8 bits are fewer", same[0] != same[1] and len(same[0]) == 2)
    check("and have a hash of their own",
          hashes("of fp32")["mar"] != hashes("of int8")["mar"]
          and hashes("of fp32")["vae"] == hashes("of int8")["vae"])
    refused("a VAE in int8", run("lazymar_convert", "pretrained_models/vae/demo.safetensors",
                                 folder / "v.safetensors", "--int8"), "no MAR")
    refused("calibration alone", run("lazymar_convert", demo, small, "--calibrate", "1"), "--int8")

conclude()
