"""The first stages: pictures, the VAE, tokens, the classifier."""
import math
import time
from pathlib import Path

import torch
from torch.nn import functional

from .classifier import Classifier
from .kept import fingerprint, made_once
from .loop import Trainer
from .picture_sets import CLASS_COUNT, SETS
from .safetensors_file import read_safetensors
from .stopping import stop_if_asked
from .vae import Vae, reconstruction_loss, vae_loss

HELD_OUT = 2000
LATENT_SCALE = 0.2325


def to_unit(images):
    """uint8 [B, 64, 64, 3] to floats in [-1, 1], [B, 3, 64, 64]."""
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1.0


def labels_of(indices):
    """The class of each image: classes alternate in the data sets."""
    return indices % CLASS_COUNT


def data_stage(options, log):
    """{"train", "held-out"}: uint8 [count, 64, 64, 3], from the files of an earlier call if any."""
    pictures = SETS[options.set]
    source = fingerprint(Path(pictures.__file__).read_bytes())

    def render(split, count):
        start = time.monotonic()
        images = []
        for index in range(count):
            stop_if_asked()
            images.append(torch.from_numpy(pictures.render(split, index)))
        log(f"data: {split}, {count} images in {time.monotonic() - start:.0f} s")
        return {"images": torch.stack(images)}

    sets = {}
    for split, count in (("train", options.images), ("held-out", min(HELD_OUT, options.images))):
        kept = made_once(source, options.work / f"pictures-{split}-{count}.pt", options.device, log,
                         lambda split=split, count=count: render(split, count))
        sets[split] = kept["images"].to(options.device)
    return sets


def start_weights(model, path):
    """Loads a checkpoint into the model, if one is given; its tensors, for fingerprints."""
    if path is None:
        return []
    tensors = {name: tensor.float() for name, tensor in read_safetensors(path)[0].items()}
    model.load_state_dict(tensors)
    return [tensors]


def autocast(options):
    return torch.autocast(options.device, torch.bfloat16)


@torch.no_grad()
def reconstruction_psnr(vae, images):
    """PSNR in dB over all pixels, of decoded posterior means rounded to 8 bits."""
    error, count = 0.0, 0
    for batch in images.split(50):
        stop_if_asked()
        decoded = vae.decode(vae.posterior(to_unit(batch))[0])
        pixels = ((decoded + 1) * 127.5).round().clamp(0, 255)
        error += float((pixels - batch.permute(0, 3, 1, 2).float()).square().sum())
        count += pixels.numel()
    return 10 * math.log10(255.0 ** 2 * count / error)


def vae_stage(options, log, sets):
    train, held_out = sets["train"], sets["held-out"]
    torch.manual_seed(options.seed)
    vae = Vae().to(options.device)
    start = start_weights(vae, options.start_vae)
    trainer = Trainer("vae", vae, options, log, minutes=options.vae_minutes,
                      source=fingerprint(options.seed, train, *start), peak=1.5e-3,
                      betas=(0.9, 0.99), weight_decay=0.0, average=0.995)

    def draw_loss():
        chosen = torch.randint(len(train), (16,), device=train.device)
        noise = torch.randn(16, 4, 16, 16, device=train.device)
        with autocast(options):
            return vae_loss(vae, to_unit(train[chosen]), noise)

    def evaluate(averaged):
        with autocast(options):
            return {"psnr": reconstruction_psnr(averaged, held_out[:50])}

    return trainer.run(16, draw_loss, evaluate)


def tokens_stage(options, log, sets, vae):
    """The VAE with its scale folded in, and the posterior of every training image.

    Both are kept in a file: mean and standard deviation [count, 256, 4], such that sampled tokens
    have mean 0 and standard deviation 1 in each channel.
    """
    def make():
        psnr = reconstruction_psnr(vae, sets["held-out"][:500])
        moments = {split: encode(options, vae, images) for split, images in sets.items()}
        mean, std = moments["train"]
        centre = mean.mean(dim=(0, 1))
        spread = ((mean - centre).square() + std.square()).mean(dim=(0, 1)).sqrt()
        vae.fold_scale(centre, spread)
        result = {split: [((mean - centre) / spread).half(), (std / spread).half()]
                  for split, (mean, std) in moments.items()}
        result["vae"] = vae.state_dict()
        noise = result["train"][1].float().mean()
        log(f"tokens: posterior std {noise:.4f} of 1, psnr of 500 held-out images {psnr:.2f} dB")
        return result

    source = fingerprint(vae.state_dict(), *sets.values())
    return made_once(source, options.work / "tokens.pt", options.device, log, make)


@torch.no_grad()
def encode(options, vae, images):
    """Mean and standard deviation of the posteriors, [count, 256, 4] each."""
    means, stds = [], []
    for batch in images.split(100):
        stop_if_asked()
        with autocast(options):
            mean, log_variance = vae.posterior(to_unit(batch))
        means.append(mean.flatten(2).transpose(1, 2))
        stds.append((0.5 * log_variance).exp().flatten(2).transpose(1, 2))
    return torch.cat(means), torch.cat(stds)


def decoder_stage(options, log, sets, tokens):
    """The state of the VAE with its decoder trained further, and its PSNR; tokens stay the same."""
    train, held_out = sets["train"], sets["held-out"]
    torch.manual_seed(options.seed + 4)
    vae = Vae().to(options.device)
    vae.load_state_dict(tokens["vae"])
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    mean, std = tokens["train"]
    trainer = Trainer("decoder", vae, options, log, minutes=options.decoder_minutes,
                      source=fingerprint(options.seed, tokens["vae"], mean, std, train), peak=7e-4,
                      betas=(0.9, 0.99), weight_decay=0.0, average=0.99, flat=0.0)

    def draw_loss():
        chosen = torch.randint(len(train), (16,), device=train.device)
        sampled = mean[chosen].float()
        sampled = sampled + std[chosen].float() * torch.randn_like(sampled)
        latents = sampled.transpose(1, 2).reshape(16, 4, 16, 16) / LATENT_SCALE
        with autocast(options):
            decoded = vae.decode(latents).float()
        return reconstruction_loss(decoded, to_unit(train[chosen]))

    def evaluate(averaged):
        with autocast(options):
            return {"psnr": reconstruction_psnr(averaged, held_out[:50])}

    averaged = trainer.run(16, draw_loss, evaluate)
    psnr = reconstruction_psnr(averaged, held_out)
    log(f"decoder: held-out psnr {psnr:.2f} dB")
    return averaged.state_dict(), psnr


@torch.no_grad()
def accuracy(classifier, images):
    right = 0
    for start in range(0, len(images), 100):
        batch = images[start:start + 100]
        wanted = labels_of(torch.arange(start, start + len(batch), device=images.device))
        right += int((classifier(to_unit(batch)).argmax(1) == wanted).sum())
    return right / len(images)


def classifier_stage(options, log, sets):
    """The classifier of real images, and its accuracy on the held-out ones."""
    train, held_out = sets["train"], sets["held-out"]
    torch.manual_seed(options.seed + 1)
    classifier = Classifier().to(options.device)
    trainer = Trainer("classifier", classifier, options, log, minutes=options.classifier_minutes,
                      source=fingerprint(options.seed, train), peak=2e-3, average=0.98, flat=0.0)

    def draw_loss():
        chosen = torch.randint(len(train), (64,), device=train.device)
        images = to_unit(train[chosen])
        images = images + 0.05 * torch.randn_like(images)
        loss = functional.cross_entropy(classifier(images), labels_of(chosen))
        return loss, {}

    averaged = trainer.run(64, draw_loss).eval()
    share = accuracy(averaged, held_out)
    log(f"classifier: {100 * share:.2f} % of {len(held_out)} held-out images right")
    return averaged, share
