"""The stages in their order; each finds what it needs in the folder of --work."""
import torch

from .export import export_classifier, export_models
from .kept import fingerprint, load_if_from
from .mar_stages import Trainee, head_stage, mar_stage
from .stages import (
    classifier_stage,
    data_stage,
    decoder_stage,
    reconstruction_psnr,
    tokens_stage,
    vae_stage,
)
from .vae import Vae

STAGES = ("data", "vae", "mar", "head", "decoder", "classifier", "export")


def run_stages(options, log):
    """All stages up to options.until."""
    last = STAGES.index(options.until)
    sets = data_stage(options, log)
    if last < STAGES.index("vae"):
        return
    tokens = tokens_stage(options, log, sets, vae_stage(options, log, sets))
    if last < STAGES.index("mar"):
        return
    trainee = mar_stage(options, log, tokens["train"], tokens["held-out"])
    if last < STAGES.index("head"):
        return
    mar = head_stage(options, log, tokens["train"], tokens["held-out"], trainee)
    if last < STAGES.index("decoder"):
        return
    vae_state, psnr = decoder_stage(options, log, sets, tokens)
    if last < STAGES.index("classifier"):
        return
    classifier, share = classifier_stage(options, log, sets)
    if last < STAGES.index("export"):
        return
    export_models(options.export_dir, log, options.set, mar, vae_state, psnr)
    export_classifier(options.export_dir, log, options.set, classifier, share,
                      len(sets["held-out"]))


def export_states(options, log):
    """The MAR and the VAE as last saved, with averaged weights; trains nothing."""
    def load(name):
        return torch.load(options.work / f"{name}.pt", map_location="cpu", weights_only=True)

    tokens, state = load("tokens"), load("mar")
    trainee = Trainee(options.buffer)
    trainee.load_state_dict(state["averaged"])
    mar = trainee.mar
    source = fingerprint(options.seed, mar.state_dict(), *tokens["train"])
    head = load_if_from(source, options.work / "head.pt", "cpu", log)
    if head:
        mar.head.load_state_dict(head["averaged"])
    vae = Vae()
    vae.load_state_dict(tokens["vae"])
    psnr = reconstruction_psnr(vae, data_stage(options, log)["held-out"][:500])
    log(f"export: the MAR of step {state['step']}, {'its own' if head else 'no'} head stage")
    export_models(options.export_dir, log, options.set, mar, tokens["vae"], psnr)
