"""The KL-VAE: LDM's encoder and decoder, small; state dict names are those of MAR's VAE."""
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

# GroupNorm has 4 groups (LDM: 32), so a group has 4 channels as there. With one channel each it
# would be an instance norm, which discards the colour of the whole picture.
CONFIG = {"embed_dim": 4, "ch": 16, "ch_mult": [1, 2, 4], "num_res_blocks": 2, "num_groups": 4,
          "norm_eps": 1e-6, "attn_resolutions": [], "resolution": 64, "z_channels": 4,
          "double_z": True, "scale_factor": 0.2325}


def norm(channels):
    return nn.GroupNorm(CONFIG["num_groups"], channels, eps=CONFIG["norm_eps"])


def conv3(channels_in, channels_out, stride=1):
    return nn.Conv2d(channels_in, channels_out, 3, stride, padding=0 if stride == 2 else 1)


class ResidualBlock(nn.Module):
    def __init__(self, channels_in, channels_out):
        super().__init__()
        self.norm1, self.conv1 = norm(channels_in), conv3(channels_in, channels_out)
        self.norm2, self.conv2 = norm(channels_out), conv3(channels_out, channels_out)
        if channels_in != channels_out:
            self.nin_shortcut = nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x):
        h = self.conv1(functional.silu(self.norm1(x)))
        h = self.conv2(functional.silu(self.norm2(h)))
        return h + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = norm(channels)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1)
                                                 for _ in range(4))

    def forward(self, x):
        h = self.norm(x)
        q, k, v = (layer(h).flatten(2).transpose(1, 2) for layer in (self.q, self.k, self.v))
        h = functional.scaled_dot_product_attention(q, k, v)
        return x + self.proj_out(h.transpose(1, 2).reshape(x.shape))


class Middle(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.block_1 = ResidualBlock(channels, channels)
        self.attn_1 = Attention(channels)
        self.block_2 = ResidualBlock(channels, channels)

    def forward(self, x):
        return self.block_2(self.attn_1(self.block_1(x)))


class Resample(nn.Module):
    """Halves or doubles the size: a convolution after padding below and right, or repeating."""

    def __init__(self, channels, down):
        super().__init__()
        self.down = down
        self.conv = conv3(channels, channels, stride=2 if down else 1)

    def forward(self, x):
        if self.down:
            return self.conv(functional.pad(x, (0, 1, 0, 1)))
        return self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    """The residual blocks of one resolution and, except for the last one, the resizing."""

    def __init__(self, widths, resample=None):
        super().__init__()
        self.block = nn.ModuleList(ResidualBlock(a, b) for a, b in pairwise(widths))
        if resample:
            self.add_module(resample, Resample(widths[-1], down=resample == "downsample"))

    def forward(self, x):
        for layer in self.children():
            for block in layer if isinstance(layer, nn.ModuleList) else [layer]:
                x = block(x)
        return x


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [CONFIG["ch"] * m for m in CONFIG["ch_mult"]]
        self.conv_in = conv3(3, widths[0])
        entry = [widths[0], *widths]
        last = len(widths) - 1
        self.down = nn.ModuleList(
            Level([entry[i]] + [widths[i]] * CONFIG["num_res_blocks"],
                  "downsample" if i < last else None) for i in range(len(widths)))
        self.mid = Middle(widths[-1])
        self.norm_out = norm(widths[-1])
        self.conv_out = conv3(widths[-1], 2 * CONFIG["z_channels"])

    def forward(self, x):
        x = self.conv_in(x)
        for level in self.down:
            x = level(x)
        return self.conv_out(functional.silu(self.norm_out(self.mid(x))))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [CONFIG["ch"] * m for m in CONFIG["ch_mult"]]
        self.conv_in = conv3(CONFIG["z_channels"], widths[-1])
        self.mid = Middle(widths[-1])
        entry = [*widths[1:], widths[-1]]  # from the level below, which is computed first
        self.up = nn.ModuleList(
            Level([entry[i]] + [widths[i]] * (CONFIG["num_res_blocks"] + 1),
                  "upsample" if i > 0 else None) for i in range(len(widths)))
        self.norm_out = norm(widths[0])
        self.conv_out = conv3(widths[0], 3)

    def forward(self, z):
        x = self.mid(self.conv_in(z))
        for level in reversed(self.up):
            x = level(x)
        return self.conv_out(functional.silu(self.norm_out(x)))


class Vae(nn.Module):
    """Images in [-1, 1], [B, 3, 64, 64], to latents [B, 4, 16, 16] and back."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()
        z, embed = CONFIG["z_channels"], CONFIG["embed_dim"]
        self.quant_conv = nn.Conv2d(2 * z, 2 * embed, 1)
        self.post_quant_conv = nn.Conv2d(embed, z, 1)

    def posterior(self, images):
        """Mean and log-variance of the latents."""
        mean, log_variance = self.quant_conv(self.encoder(images)).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-30.0, 20.0)

    def decode(self, latents):
        return self.decoder(self.post_quant_conv(latents))

    @torch.no_grad()
    def fold_scale(self, mean, std):
        """Shifts and scales the latents: channels of this mean and standard deviation get mean 0
        and std 1 / scale_factor. decode() gives the same images."""
        factor = 1.0 / (std * CONFIG["scale_factor"])
        encode, decode = self.quant_conv, self.post_quant_conv
        embed = CONFIG["embed_dim"]
        encode.weight[:embed] *= factor[:, None, None, None]
        encode.bias[:embed] = (encode.bias[:embed] - mean) * factor
        encode.bias[embed:] += 2 * factor.log()
        decode.bias += decode.weight[:, :, 0, 0] @ mean
        decode.weight /= factor[None, :, None, None]


def gradients(images):
    return images.diff(dim=2), images.diff(dim=3)


def reconstruction_loss(decoded, images):
    """Of pixels and of outlines."""
    error = decoded - images
    outlines = zip(gradients(decoded), gradients(images), strict=True)
    edges = sum((a - b).abs().mean() for a, b in outlines)
    mse = error.square().mean()
    return error.abs().mean() + mse + 0.5 * edges, {"mse": mse}


def vae_loss(vae, images, noise):
    """Reconstruction from a posterior sample, and a light KL term."""
    mean, log_variance = vae.posterior(images)
    decoded = vae.decode(mean + (0.5 * log_variance).exp() * noise).float()
    loss, parts = reconstruction_loss(decoded, images)
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    return loss + 5e-4 * kl, parts | {"kl": kl}
