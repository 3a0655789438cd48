"""The diffusion process of the head and its training loss; 1000 steps, cosine schedule."""
import math

import torch

STEPS = 1000
LARGEST_BETA = 0.999


def cosine_betas():
    def alpha_bar(u):
        return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2

    return torch.tensor([min(1 - alpha_bar((i + 1) / STEPS) / alpha_bar(i / STEPS), LARGEST_BETA)
                         for i in range(STEPS)], dtype=torch.float64)


class Diffusion:
    """Coefficients of the process, one entry per timestep."""

    def __init__(self, device):
        beta = cosine_betas()
        alpha_bar = torch.cumprod(1 - beta, 0)
        before = torch.cat([torch.ones(1, dtype=torch.float64), alpha_bar[:-1]])
        variance = beta * (1 - before) / (1 - alpha_bar)
        variance[0] = variance[1]  # it is 0 there, and its logarithm is needed

        def table(values):
            return values.float().to(device)

        self.signal, self.noise = table(alpha_bar.sqrt()), table((1 - alpha_bar).sqrt())
        self.smallest, self.largest = table(variance.log()), table(beta.log())
        self.from_start = table(beta * before.sqrt() / (1 - alpha_bar))
        self.from_noisy = table((1 - before) * (1 - beta).sqrt() / (1 - alpha_bar))
        # Half of the weight that converts an error of the noise to one of the velocity.
        self.weight = table((1 / alpha_bar).clamp(max=20.0) / 2)

    def loss(self, head, target, z):
        """Mean loss of rows: tokens [R, C], conditions [R, D]."""
        rows = len(target)
        # Stratified: as uniform as R draws can be.
        t = (torch.arange(rows, device=z.device) + torch.rand(rows, device=z.device)) / rows
        t = (t * STEPS).long()
        epsilon = torch.randn_like(target)
        noisy = self.signal[t, None] * target + self.noise[t, None] * epsilon
        predicted, share = head(noisy, t, z).float().chunk(2, dim=1)
        error = (predicted - epsilon).square().mean(dim=1)
        bound = self.variational(target, noisy, predicted.detach(), share, t)
        return (self.weight[t] * error).mean() + bound.mean(), error.mean().detach()

    def variational(self, target, noisy, predicted, share, t):
        """The KL divergence that trains only the variance, in bits [R, C]; as in Improved DDPM."""
        smallest, largest = self.smallest[t, None], self.largest[t, None]
        log_variance = torch.lerp(smallest, largest, (share + 1) / 2)
        start = (noisy - self.noise[t, None] * predicted) / self.signal[t, None]
        gap = self.from_start[t, None] * (target - start)
        return 0.5 / math.log(2) * (log_variance - smallest - 1 + (smallest - log_variance).exp()
                                    + gap.square() * (-log_variance).exp())

    def last_step_error(self, head, target, z):
        """RMS error of the noise at the last timestep, where sampling starts.

        The signal is 5e-5 there, so an error e moves the first sample by several hundred e. Uniform
        timesteps give it a thousandth of the rows, so it has a separate term, in fp32.
        """
        t = torch.full((len(target),), STEPS - 1, device=z.device)
        epsilon = torch.randn_like(target)
        noisy = self.signal[-1] * target + self.noise[-1] * epsilon
        predicted = head(noisy, t, z)[:, :target.shape[1]]
        return (predicted - epsilon).square().mean().sqrt()
