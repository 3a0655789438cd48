"""Writes the trained networks as safetensors files to where lazymar_eval looks for them."""
from . import vae as vae_module
from .classifier import WIDTHS
from .picture_sets import SETS
from .safetensors_file import write_safetensors

GUIDANCE = {"demo": 1.5, "rules": 2.5}  # the best that was tried


def halves(state):
    return {name: tensor.half() for name, tensor in state.items()}


def export_models(folder, log, name, mar, vae_state, psnr):
    write_safetensors(folder / f"vae/{name}.safetensors", halves(vae_state),
                      vae_module.CONFIG | {"held_out_psnr": round(psnr, 2)})
    write_safetensors(folder / f"mar/{name}/checkpoint-last.safetensors", halves(mar.state_dict()),
                      mar.config() | {"classes": SETS[name].CLASSES, "cfg": GUIDANCE[name],
                                      "cfg_schedule": "constant",
                                      "vae_path": f"../../vae/{name}.safetensors"})
    log(f"export: the MAR and the VAE are in {folder}")


def export_classifier(folder, log, name, classifier, share, count):
    config = {"architecture": "convolutions 3x3, stride 2, padding 1, each followed by ReLU; mean "
                              "over the picture: the features; a linear layer: scores",
              "widths": WIDTHS, "img_size": SETS[name].SIDE, "classes": SETS[name].CLASSES,
              "input": "RGB / 127.5 - 1", "held_out_accuracy": round(share, 4),
              "held_out_images": count}
    write_safetensors(folder / f"{name}_classifier.safetensors", classifier.folded(), config)
    log(f"export: the classifier is in {folder}")
