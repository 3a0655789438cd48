"""Training of the MAR, and afterwards of only its head."""
import copy

import torch
from torch import nn

from .diffusion import Diffusion
from .kept import fingerprint
from .loop import Trainer
from .mar import CONFIG, TOKENS, Mar, gather_rows
from .safetensors_file import read_safetensors
from .stages import autocast, labels_of
from .stopping import stop_if_asked

BATCH = 16  # images of a test, and of a step of condition_rows()
SMALLEST_RATIO = 0.2  # of masked tokens; the original's 0.7 hides the last half of the steps
LABEL_DROP = 0.1
LAST_STEP_ROWS = 384
GUESS_WEIGHT = 2.0
HEAD_BATCH = 1536
HEAD_ROUNDS = 400  # batches of images whose conditions the head is trained on


class Trainee(nn.Module):
    """The MAR and a linear guess of the token from z.

    The guess is discarded. Its gradient trains the transformer from the first step on, faster than
    the head's noisy gradient. Its target is the posterior's mean, which is less noisy still.
    """

    def __init__(self, buffer):
        super().__init__()
        self.mar = Mar(buffer)
        self.guess = nn.Linear(CONFIG["decoder_embed_dim"], CONFIG["vae_embed_dim"])


def draw_masked_count():
    """The original's distribution: a half-normal below 1, deviation 0.25."""
    while True:
        ratio = 1.0 - 0.25 * abs(float(torch.randn(())))
        if ratio >= SMALLEST_RATIO:
            return max(1, round(TOKENS * ratio))


class Batches:
    """Draws images' tokens from their posteriors, and which of them are visible."""

    def __init__(self, moments, options):
        self.mean, self.std = moments
        self.device, self.queries = options.device, options.queries

    def draw(self, count, masked):
        """Posterior means, tokens [B, TOKENS, C], labels, visible and requested positions."""
        chosen = torch.randint(len(self.mean), (count,), device=self.device)
        mean, std = self.mean[chosen].float(), self.std[chosen].float()
        tokens = mean + std * torch.randn_like(mean)
        order = torch.rand(count, TOKENS, device=self.device).argsort(dim=1)
        visible, hidden = order[:, masked:], order[:, :masked]
        return mean, tokens, labels_of(chosen), visible, hidden[:, :self.queries]


def predict(mar, batch, options, drop):
    """Conditions, their tokens and the means of these, as rows."""
    means, tokens, labels, visible, wanted = batch
    dropped = torch.rand(len(labels), device=labels.device) < drop
    with autocast(options):
        z = mar.conditions(tokens, labels, visible, wanted, dropped).float()
    target, mean = gather_rows(tokens, wanted), gather_rows(means, wanted)
    return z.flatten(0, 1), target.flatten(0, 1), mean.flatten(0, 1)


@torch.no_grad()
def test_errors(mar, batches, diffusion, options):
    """Error of the noise by number of visible tokens, with the same draws at each call."""
    with torch.random.fork_rng(devices=[0] if options.device == "cuda" else []):
        torch.manual_seed(0)
        errors = {}
        for visible in (0, 32, 152, 230):
            batch = batches.draw(BATCH, TOKENS - visible)
            z, target, _ = predict(mar, batch, options, drop=0.0)
            errors[f"e{visible}"] = float(diffusion.loss(mar.head, target, z)[1])
        errors["e999"] = float(diffusion.last_step_error(mar.head, target, z))
    return errors


def start_from(mar, path):
    """Loads a checkpoint, whose buffer may be longer, if one is given; its tensors."""
    if path is None:
        return []
    tensors = {name: tensor.float() for name, tensor in read_safetensors(path)[0].items()}
    for part in ("encoder", "decoder"):
        name = f"{part}_pos_embed_learned"
        table = tensors[name][:, :-TOKENS][:, :mar.buffer]
        tensors[name] = torch.cat([table, tensors[name][:, -TOKENS:]], dim=1)
    mar.load_state_dict(tensors)
    return [tensors]


def mar_stage(options, log, moments, held_out_moments):
    """The averaged Trainee."""
    torch.manual_seed(options.seed + 2)
    trainee = Trainee(options.buffer).to(options.device)
    start = start_from(trainee.mar, options.start_mar)
    diffusion = Diffusion(options.device)
    batches = Batches(moments, options)
    test = Batches(held_out_moments, options)
    trainer = Trainer("mar", trainee, options, log, minutes=options.mar_minutes,
                      source=fingerprint(options.seed, *moments, *start), peak=1.1e-3,
                      matrices=trainee.mar.matrices(), steps=options.mar_steps)

    def draw_loss():
        z, target, mean = predict(trainee.mar, batches.draw(options.batch, draw_masked_count()),
                                  options, LABEL_DROP)
        guess = (trainee.guess(z) - mean).square().mean()
        with autocast(options):
            diffusion_loss, error = diffusion.loss(trainee.mar.head, target, z)
        rows = torch.randperm(len(z), device=z.device)[:LAST_STEP_ROWS]
        last = diffusion.last_step_error(trainee.mar.head, target[rows], z[rows].detach())
        loss = diffusion_loss + GUESS_WEIGHT * guess + last
        return loss, {"error": error, "guess": guess, "last": last}

    return trainer.run(options.batch, draw_loss,
                       lambda averaged: test_errors(averaged.mar, test, diffusion, options))


@torch.no_grad()
def condition_rows(mar, batches, options):
    rounds = HEAD_ROUNDS if options.max_steps == 0 else options.max_steps
    rows = []
    for _ in range(rounds):
        stop_if_asked()
        rows.append(predict(mar, batches.draw(BATCH, draw_masked_count()), options, LABEL_DROP))
    return (torch.cat(parts) for parts in zip(*rows, strict=True))


def head_stage(options, log, moments, held_out_moments, trainee):
    """The finished MAR: same transformer, head trained further in fp32 down to a smaller rate."""
    torch.manual_seed(options.seed + 3)
    mar = copy.deepcopy(trainee.mar)
    diffusion = Diffusion(options.device)
    test = Batches(held_out_moments, options)
    head = copy.deepcopy(mar.head).requires_grad_(True)
    trainer = Trainer("head", head, options, log, minutes=options.head_minutes,
                      source=fingerprint(options.seed, mar.state_dict(), *moments), peak=3e-4,
                      flat=0.0, average=0.99)
    if not trainer.finished():
        z, target, _ = condition_rows(mar, Batches(moments, options), options)

    def draw_loss():
        rows = torch.randint(len(z), (HEAD_BATCH,), device=z.device)
        loss, error = diffusion.loss(head, target[rows], z[rows])
        last = diffusion.last_step_error(head, target[rows[:LAST_STEP_ROWS]],
                                         z[rows[:LAST_STEP_ROWS]])
        return loss + last, {"error": error, "last": last}

    def evaluate(averaged):
        mar.diffloss["net"] = averaged
        return test_errors(mar, test, diffusion, options)

    mar.diffloss["net"] = trainer.run(HEAD_BATCH, draw_loss, evaluate)
    return mar
