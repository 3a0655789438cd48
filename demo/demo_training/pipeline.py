"""The stages in their order; each finds what it needs in the folder of --work."""
from .export import export_classifier, export_models
from .mar_stages import head_stage, mar_stage
from .stages import classifier_stage, data_stage, decoder_stage, tokens_stage, vae_stage

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
    export_models(options.export_dir, log, mar, vae_state, psnr)
    export_classifier(options.export_dir, log, classifier, share, len(sets["held-out"]))
