"""Shared by all stages: the log, time budgets, checkpoints, averaged weights."""
import copy
import math
import time

import torch

from .kept import load_if_from, save_atomically
from .stopping import Stopped, stop_if_asked

SAVE_EVERY = 600.0  # seconds
REPORT_EVERY = 120.0  # a report's tests cost as much as several steps


class Log:
    """Writes lines with the time of day to stdout and appends them to a file."""

    def __init__(self, path):
        self.file = path.open("a", encoding="utf-8")

    def __call__(self, text):
        line = f"{time.strftime('%H:%M:%S')} {text}"
        print(line, flush=True)
        self.file.write(line + "\n")
        self.file.flush()


def rate_factor(progress, flat, floor=0.02):
    """The learning rate's factor: 1 for the share `flat`, then a cosine down to `floor`."""
    phase = max(0.0, min(1.0, (progress - flat) / (1.0 - flat)))
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * phase))


class Threads:
    """Chooses between one thread and all by trying both periodically.

    Threads wait for each other after every operation. If other programs use some of the cores, a
    single thread is faster.
    """

    PERIOD, TRIAL = 120, 8  # steps

    def __init__(self, most, log):
        self.most, self.log = most, log
        self.started, self.seconds, self.chosen = 0.0, {}, most

    def before(self, step):
        if self.most == 1 or step % self.TRIAL or step % self.PERIOD > 2 * self.TRIAL:
            return
        now = time.monotonic()
        phase = step % self.PERIOD // self.TRIAL
        if phase > 0:
            self.seconds[1 if phase == 1 else self.most] = now - self.started
        self.started = now
        if phase < 2:
            torch.set_num_threads((1, self.most)[phase])
        elif len(self.seconds) == 2:
            best = min(self.seconds, key=self.seconds.get)
            if best != self.chosen:
                self.log(f"{best} of {self.most} threads from now on")
            self.chosen = best
            torch.set_num_threads(best)


def random_state(device):
    """The state of the random generators."""
    state = {"cpu": torch.get_rng_state()}
    if device == "cuda":
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def set_random_state(state, device):
    torch.set_rng_state(state["cpu"].cpu())
    if device == "cuda" and "cuda" in state:  # not if the stage began on a CPU
        torch.cuda.set_rng_state(state["cuda"].cpu())


class Trainer:
    """Trains one network for a number of minutes; can be stopped and continued at any time.

    The schedule follows the time spent, because the number of steps is not known beforehand if
    other programs use the machine too. With --max_steps it follows steps, so that weights do not
    depend on a clock; `steps` is that budget for one stage. `source` is the fingerprint of the
    training data; 0 minutes leave the model unchanged.
    """

    def __init__(self, name, model, options, log, *, minutes, source, peak, betas=(0.9, 0.95),
                 weight_decay=0.02, warmup=100, average=0.999, flat=0.25, matrices=(),
                 matrix_peak=0.01, steps=0):
        self.path = options.work / f"{name}.pt"
        self.name, self.model, self.log, self.source = name, model, log, source
        self.seconds = 60.0 * minutes
        self.max_steps, self.device = options.max_steps or steps, options.device
        self.threads = Threads(options.threads if options.device == "cpu" else 1, log)
        self.warmup, self.average, self.flat = warmup, average, flat
        apart = {id(weight) for weight in matrices}
        others = [weight for weight in model.parameters() if id(weight) not in apart]
        self.optimizers = [torch.optim.AdamW(others, lr=peak, betas=betas,
                                             weight_decay=weight_decay)]
        if matrices:  # Muon: far fewer steps for a given loss, which matters if steps are slow
            self.optimizers.append(torch.optim.Muon(matrices, lr=matrix_peak,
                                                    weight_decay=weight_decay))
        self.peaks = [peak, matrix_peak][:len(self.optimizers)]
        self.averaged = copy.deepcopy(model).requires_grad_(False)
        self.step, self.spent, self.random = 0, 0.0, None
        state = load_if_from(source, self.path, self.device, log) if minutes else None
        if state:
            self.model.load_state_dict(state["model"])
            self.averaged.load_state_dict(state["averaged"])
            for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
            self.step, self.spent = state["step"], state["spent"]
            self.random = state["random"]

    def save(self):
        save_atomically({"model": self.model.state_dict(), "averaged": self.averaged.state_dict(),
                         "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
                         "step": self.step, "spent": self.spent, "source": self.source,
                         "random": random_state(self.device)}, self.path)

    def update(self, loss):
        factor = rate_factor(self.progress(), self.flat)
        factor *= min(1.0, (self.step + 1) / self.warmup)
        for optimizer, peak in zip(self.optimizers, self.peaks, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * factor
        self.model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        decay = min(self.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            values = self.model.state_dict().values()
            for mean, value in zip(self.averaged.state_dict().values(), values, strict=True):
                if mean.is_floating_point():
                    mean.lerp_(value, 1.0 - decay)
                else:
                    mean.copy_(value)
        self.step += 1

    def progress(self):
        """The used share of the budget."""
        if self.seconds == 0:
            return 1.0
        return self.step / self.max_steps if self.max_steps else self.spent / self.seconds

    def finished(self):
        return self.progress() >= 1

    def run(self, batch_size, draw_loss, evaluate=None):
        """draw_loss() -> (loss, {name: value}) of a batch; evaluate(averaged) -> {name: value}."""
        if self.seconds == 0:
            self.log(f"{self.name}: left out")
            return self.averaged
        if self.finished():
            self.log(f"{self.name}: done before, {self.step} steps")
            return self.averaged
        if self.step:
            self.log(f"{self.name}: continues at step {self.step}, {self.spent / 60:.1f} minutes")
            # Not when it was read: what stages draw before training is the same at every start.
            set_random_state(self.random, self.device)
        self.model.train()
        try:
            self.train(batch_size, draw_loss, evaluate)
        except Stopped:
            self.save()
            self.log(f"{self.name}: saved at step {self.step}, {self.spent / 60:.1f} minutes")
            raise
        self.save()
        return self.averaged

    def train(self, batch_size, draw_loss, evaluate):
        saved = reported = last = time.monotonic()
        sums, steps = {}, 0
        while not self.finished():
            self.threads.before(self.step)
            loss, parts = draw_loss()
            self.update(loss)
            now = time.monotonic()
            self.spent, last = self.spent + now - last, now
            steps += 1
            for key, value in ({"loss": loss} | parts).items():
                sums[key] = sums.get(key, 0.0) + value.detach()
            if now - reported >= REPORT_EVERY or self.finished():
                means = " ".join(f"{key} {float(value) / steps:.5f}" for key, value in sums.items())
                speed = batch_size * steps / (now - reported)
                tested = evaluate(self.averaged) if evaluate else {}
                tests = " ".join(f"{key} {value:.5f}" for key, value in tested.items())
                self.log(f"{self.name} {self.spent / 60:6.1f} min step {self.step} "
                         f"{speed:.1f}/s  {means}{'  test ' if tests else ''}{tests}")
                sums, steps = {}, 0
                reported = time.monotonic()
                self.spent, last = self.spent + reported - last, reported
            if now - saved >= SAVE_EVERY:
                self.save()
                saved = time.monotonic()
            stop_if_asked()
