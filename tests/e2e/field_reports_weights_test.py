"""What public reports of weight files describe, tried on the programs (docs/field-reports.md).

usage: field_reports_weights_test.py FOLDER_OF_BINARIES   (run from the repository's root)
"""

import os
import pathlib
import re
import shutil
import struct
import tempfile
import zipfile

from file_writers import read_safetensors, renamed, with_doubles, write_safetensors

import torch_file
from checks import check, conclude, refused
from score_support import DEMO, QUICK, evaluate, four_pictures, run

MAR = pathlib.Path("pretrained_models/mar/demo/checkpoint-last.safetensors")
VAE = pathlib.Path("pretrained_models/vae/demo.safetensors")
CLASSIFIER = pathlib.Path("pretrained_models/demo_classifier.safetensors")
IMAGES = pathlib.Path("tests/data/images")


def checkpoints(work):
    """Weights as other tools save them, damaged weights, and what a download leaves."""
    plain = evaluate(work, "--no_metadata")
    expected = next((work / "out").glob("*/*/00001.png")).read_bytes()
    check("the demo draws", plain.returncode == 0, plain)
    wrapped = work / "wrapped.safetensors"
    for name, prefixes in {
        "module": ["module."],
        "nested": ["model.module._orig_mod."],
        "ema": ["model.", "model_ema.module."],
    }.items():
        renamed(MAR, wrapped, *prefixes)
        vae = work / "vae.safetensors"
        renamed(VAE, vae, "first_stage_model.")
        output = work / name
        result = run(
            "lazymar_eval", *QUICK, "--num_images", 2, "--no_metadata", "--output_dir", output,
            "--resume", wrapped, "--vae_path", vae,
        )
        images = list(output.glob("*/*/00001.png"))
        check(
            f"names with prefixes ({name}): said in a line, the same images",
            result.returncode == 0
            and images
            and images[0].read_bytes() == expected
            and len(re.findall("took .* off the names", result.stderr)) == 2,
            result,
        )
    check("EMA is preferred, and said", "EMA weights" in result.stderr, result)
    classifier = work / "classifier.safetensors"
    renamed(CLASSIFIER, classifier, "module.")
    pictures = four_pictures(work / "pictures")
    result = run("lazymar_score", pictures, *DEMO, "--extractor_weights", classifier)
    check("a wrapped classifier scores", result.returncode == 0, result)

    for source, flag in ((MAR, "--resume"), (VAE, "--vae_path")):
        header, data = read_safetensors(source)
        name = next(n for n, e in header.items() if n != "__metadata__" and "bias" in n
                    and not n.startswith(("encoder.", "quant_conv", "loss")))
        begin = header[name]["data_offsets"][0]
        data[begin : begin + 2] = b"\xff\x7f"  # NaN, of two bytes or the end of four
        if header[name]["dtype"] == "F32":
            data[begin : begin + 4] = b"\xff\xff\xff\x7f"
        write_safetensors(work / "nan.safetensors", header, data)
        flags = [flag, work / "nan.safetensors"]
        if source is MAR:
            flags += ["--vae_path", VAE]
        refused(f"one NaN in {flag}", evaluate(work, *flags), "nan.safetensors", name, "(1 of ")
        listed = run("lazymar_convert", "--list", work / "nan.safetensors")
        refused("--list ends with 1", listed, "1 tensors cannot be used", status=1)
        check("and marks it", re.search(f"{name} .*UNUSABLE: 1 of", listed.stdout), listed)
    listed = run("lazymar_convert", "--list", "tests/data/checkpoints/variety.pth")
    refused("--list of unreadable tensors", listed, "4 tensors cannot be used", status=1)

    header, data = read_safetensors(MAR)
    header["pos_embed"] = {"dtype": "F32", "shape": [1],
                           "data_offsets": [len(data), len(data) + 4]}
    write_safetensors(work / "more.safetensors", header, data + bytes(4))
    result = evaluate(work, "--resume", work / "more.safetensors", "--vae_path", VAE)
    check("an unknown tensor is named once, and not fatal",
          result.returncode == 0 and result.stderr.count("pos_embed") == 1, result)
    header["encoder_blocks.9.norm1.weight"] = header.pop("pos_embed")
    write_safetensors(work / "more.safetensors", header, data + bytes(4))
    refused("but in a layer behind a gap it is",
            evaluate(work, "--resume", work / "more.safetensors", "--vae_path", VAE),
            "unexpected: encoder_blocks.9.norm1.weight")

    converted = work / "converted.safetensors"
    refused("NaN is not converted",
            run("lazymar_convert", work / "nan.safetensors", converted), "values are NaN",
            "nothing was written")
    check("and no file is left", not converted.exists())
    for part in (wide_and_mixed, converted_values, other_networks, torch_files, odd_files):
        part(work)

    copied = work / "checkpoint-last.safetensors"
    shutil.copy(MAR, copied)
    result = evaluate(work, "--resume", copied, "--seed", 5)
    check("a copied demo finds its VAE", result.returncode == 0, result)

    leftovers = {
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n": "git lfs pull",
        b"<!DOCTYPE html><html>quota exceeded</html>": "a web page",
        b"\x1f\x8b\x08" + bytes(40): "compressed by gzip",
        b'{"metadata": {}, "weight_map": {"a": "model-1-of-2.safetensors"}}': "index of a check",
    }
    for content, said in leftovers.items():
        for suffix, program in (
            (".safetensors", ["lazymar_eval", *QUICK, "--resume"]),
            (".pth", ["lazymar_convert", "--list"]),
            (".npz", ["lazymar_score"]),
            (".bin", ["lazymar_score"]),
        ):
            path = work / f"leftover{suffix}"
            path.write_bytes(content)
            refused(f"{said}: {suffix}", run(*program, path), path.name, said)
    header = {"Conv2d_1a_3x3.conv.weight": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]},
              "fc.weight": {"dtype": "F16", "shape": [1000, 2048],
                            "data_offsets": [2, 2 + 2 * 1000 * 2048]}}
    write_safetensors(work / "torchvision.safetensors", header, bytes(2 + 2 * 1000 * 2048))
    refused("torchvision's Inception",
            run("lazymar_score", pictures, "--extractor_weights", work / "torchvision.safetensors"),
            "torchvision's Inception", "1008", "Download")


def wide_and_mixed(work):
    """Values beyond fp32, a wrapper in some names only, and the name of another network."""
    def draw(*flags):
        return evaluate(work, "--resume", work / "changed.safetensors", "--vae_path", VAE, *flags)

    with_doubles(MAR, work / "changed.safetensors", "mask_token", [1e39])
    refused("a value that fp32 does not hold", draw(), "too large for F32: mask_token (1 of ")
    with_doubles(MAR, work / "changed.safetensors", "mask_token", [0.5])
    result = draw("--seed", 11)
    check("control: one that it holds", "too large" not in result.stderr
          and result.returncode == 0, result)

    os.environ["LAZYMAR_FAULT"] = "nan@image:1*"
    refused("images that stay NaN", evaluate(work, "--seed", 12), "1 images have no usable result",
            "computed again, they stay NaN", "use --precision fp32 or fp64", status=1)
    del os.environ["LAZYMAR_FAULT"]

    for part, where in (("module.", "at the beginning"), ("diffloss.module.", "inside")):
        header, data = read_safetensors(MAR)
        old = part.removesuffix("module.")
        names = [n for n in header if n.startswith(old) and n != "__metadata__"]
        for n in names[len(names) // 2:]:
            if n != "z_proj.weight":
                header[part + n.removeprefix(old)] = header.pop(n)
        write_safetensors(work / "changed.safetensors", header, data)
        refused(f"a wrapper in some names only, {where}", draw(), "the tensors' names are mixed",
                'contain "module."', "k.replace('module.', '')")

    refused("a checkpoint under the name of another network",
            evaluate(work, "--model", "mar_base", "--resume", MAR, "--vae_path", VAE),
            "--model mar_base contradicts the checkpoint", "5 x 128 wide")
    result = evaluate(work, "--model", "mine", "--resume", MAR, "--vae_path", VAE)
    check("and under a name of its own", result.returncode == 0, result)


def torch_files(work):
    """What torch.save wrote of a wrapped network, and of one that no name tells the heads of."""
    small = {"dim": 96, "mlp": 64}
    def draw(path, output, *flags):
        result = run("lazymar_eval", *QUICK[2:], "--num_images", 2, "--no_metadata", "--output_dir",
                     work / output, "--resume", path, "--vae_path", VAE, *flags)
        return result, [p.read_bytes() for p in sorted((work / output).glob("*/*/*.png"))]

    plain, wrapped = work / "plain.pth", work / "wrapped.pth"
    torch_file.write_mar(plain)
    result, expected = draw(plain, "plain", "--model", "mar_base")
    check("a .pth draws", result.returncode == 0 and len(expected) == 2, result)
    for sections in (("model", "model_ema"), (None,)):
        if None in sections:
            torch_file.write_mar(plain, sections=sections)
            result, expected = draw(plain, "flat", "--model", "mar_base")
        torch_file.write_mar(wrapped, sections=sections, prefix="module._orig_mod.model.")
        result, images = draw(wrapped, f"wrapped{len(sections)}", "--model", "mar_base")
        check(f"a wrapped .pth has the same images {sections}", images == expected
              and 'took "module._orig_mod.model." off the names' in result.stderr, result)
    refused("--weights ema of a plain state dict",
            run("lazymar_convert", wrapped, work / "no.safetensors", "--weights", "ema"),
            "a plain state dict without EMA weights; omit --weights")

    torch_file.write_mar(plain, sections=("model_ema",))
    _, expected = draw(plain, "averaged", "--model", "mar_base")
    for key, more in (("net_ema", {"net": {}}), ("generator", {})):
        torch_file.write_mar(wrapped, sections=(key,), more=more)
        result, images = draw(wrapped, key, "--model", "mar_base")
        check(f"weights under {key}", images == expected and
              ('EMA weights ("net_ema")' in result.stderr) == (key == "net_ema"), result)
    with zipfile.ZipFile(work / "script.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("script/data.pkl", b"\x80\2}.", zipfile.ZIP_STORED)
        archive.writestr("script/code/net.py", "def forward(self): pass\n" * 9)
    refused("what torch.jit.save wrote", run("lazymar_convert", "--list", work / "script.pt"),
            "script.pt", "a TorchScript archive", "save its state_dict")

    own = work / "own.pth"
    torch_file.write_mar(own, torch_file.mar_shapes(**small))
    listed = run("lazymar_convert", "--list", own)
    check("--list of a sound file without the number of heads", listed.returncode == 0
          and "96 wide, heads unknown" in listed.stdout, listed)
    result, _ = draw(own, "own", "--model", "mine")
    refused("which lazymar_eval needs", result, "the number of attention heads N",
            "run lazymar_convert own.pth own.safetensors, then", "save_file(",
            """{'config': '{"encoder_num_heads": N}'}""")
    converted = work / "own.safetensors"
    run("lazymar_convert", own, converted)
    header, data = read_safetensors(converted)
    header["__metadata__"] = {"config": '{"encoder_num_heads": 4}'}
    write_safetensors(converted, header, data)
    result, images = draw(converted, "own", "--model", "mine")
    check("and what it advises works", result.returncode == 0 and len(images) == 2, result)


def converted_values(work):
    """Values that a type cannot hold are refused, whatever the type, and the advice is another."""
    wide, out = work / "wide.safetensors", work / "out.safetensors"
    with_doubles(MAR, wide, "mask_token", [1e39])
    refused("converted as they are", run("lazymar_convert", wide, out), "mask_token",
            "1 of 128 values are too large for F32", "nothing was written")
    listed = run("lazymar_convert", "--list", wide)
    refused("and listed", listed, "1 tensors cannot be used", status=1)
    check("with their mark", "UNUSABLE: 1 of 128 values are too large for F32" in listed.stdout,
          listed)
    with_doubles(MAR, wide, "mask_token", [1e5])
    refused("to fp16", run("lazymar_convert", wide, out, "--dtype", "fp16"), "too large for F16",
            "use --dtype bf16 or fp32")
    with_doubles(MAR, wide, "mask_token", [3.4e38])
    for dtype in ("bf16", "fp16"):
        result = run("lazymar_convert", wide, out, "--dtype", dtype)
        refused(f"to {dtype}", result, "too large for", "use --dtype fp32")
        check("control: not to what cannot hold them", "bf16 or" not in result.stderr, result)
    result = run("lazymar_convert", wide, out, "--dtype", "fp32")
    check("control: fp32 holds them", result.returncode == 0, result)


def other_networks(work):
    """VAE and classifier: wrappers, bad values, unknown tensors."""
    vae, classifier = work / "v.safetensors", work / "c.safetensors"
    pictures = work / "pictures"

    def scored_by(path):
        return run("lazymar_score", pictures, *DEMO, "--extractor_weights", path, "--fid",
                   "pretrained_models/demo_stats.npz")

    for prefix in ("module.", "_orig_mod.", "net.backbone.", "_fsdp_wrapped_module."):
        renamed(VAE, vae, prefix)
        result = evaluate(work, "--vae_path", vae, "--overwrite")
        check(f"a VAE under {prefix}", result.returncode == 0
              and f'took "{prefix}" off the names' in result.stderr, result)
        renamed(CLASSIFIER, classifier, prefix)
        check(f"a classifier under {prefix}", scored_by(classifier).returncode == 0)
    for name, bits in (("NaN", 0x7FC00000), ("infinity", 0x7F800000)):
        header, data = read_safetensors(CLASSIFIER)
        tensor = min(n for n in header if n != "__metadata__")
        size = {"F32": 4, "F16": 2, "BF16": 2}[header[tensor]["dtype"]]
        value = bits if size == 4 else {"NaN": 0x7E00, "infinity": 0x7C00}[name]
        begin = header[tensor]["data_offsets"][0]
        data[begin : begin + size] = value.to_bytes(size, "little")
        write_safetensors(classifier, header, data)
        refused(f"{name} in a classifier", scored_by(classifier), tensor, "NaN or infinite")
    for source, path, use in ((VAE, vae, lambda: evaluate(work, "--vae_path", vae, "--overwrite")),
                              (CLASSIFIER, classifier, lambda: scored_by(classifier))):
        header, data = read_safetensors(source)
        header["n_averaged"] = {"dtype": "F32", "shape": [1],
                                "data_offsets": [len(data), len(data) + 4]}
        write_safetensors(path, header, data + bytes(4))
        result = use()
        check(f"an unknown tensor in {source.name} is named once, and not fatal",
              result.returncode == 0 and result.stderr.count("n_averaged") == 1, result)


def odd_files(work):
    """--list ends with 0 for weights alone."""
    whole = MAR.read_bytes()
    header = b'{"__metadata__": {"a": "b"}}'
    for name, content in {
        "empty": b"", "one byte": b"\0", "a PNG": (IMAGES / "colours.png").read_bytes(),
        "cut in the header": whole[:1000], "cut in the data": whole[:-1000],
        "a header without tensors": struct.pack("<Q", 2) + b"{}",
        "metadata without tensors": struct.pack("<Q", len(header)) + header,
        "an .npz": pathlib.Path("pretrained_models/demo_stats.npz").read_bytes(),
        "text": b"weights", "zeros": bytes(4096),
    }.items():
        (work / "odd.safetensors").write_bytes(content)
        result = run("lazymar_convert", "--list", work / "odd.safetensors")
        check(f"--list of {name}", result.returncode in (1, 2) and result.stderr, result)
    check("--list of weights",
          run("lazymar_convert", "--list", MAR).returncode == 0)


os.environ.setdefault("OMP_NUM_THREADS", "1")
with tempfile.TemporaryDirectory() as temporary:
    try:
        checkpoints(pathlib.Path(temporary))
    except (IndexError, ValueError) as error:  # an older program, which says nothing to find
        check("checkpoints to its end", False, repr(error))
conclude()
