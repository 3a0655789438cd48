"""The MAR: encoder, decoder and diffusion head; state dict names are those of the original.

Training does not compute the whole masked sequence: it gathers visible tokens and a few masked
positions to predict. For those rows, the result is the same as with masks.
"""
import math

import torch
from torch import nn
from torch.nn import functional

from .picture_sets import CLASS_COUNT

CONFIG = {"img_size": 64, "vae_stride": 4, "patch_size": 1,
          "encoder_embed_dim": 128, "encoder_depth": 5, "encoder_num_heads": 4,
          "decoder_embed_dim": 128, "decoder_depth": 5, "decoder_num_heads": 4,
          "mlp_ratio": 4, "vae_embed_dim": 4, "class_num": CLASS_COUNT, "buffer_size": 64,
          "diffloss_d": 5, "diffloss_w": 192}
GRID = CONFIG["img_size"] // CONFIG["vae_stride"]
TOKENS = GRID * GRID
EPS = 1e-6
KEY_GAIN = 2.0


def position_table(width, amplitude):
    """2-D sines and cosines [TOKENS, width]; waves from 3 to 60 cells long."""
    frequencies = torch.logspace(math.log10(0.1), math.log10(2.2), width // 4)
    angles = torch.arange(GRID).float()[:, None] * frequencies
    waves = torch.cat([angles.sin(), angles.cos()], dim=1)
    down = waves[:, None].expand(GRID, GRID, -1)
    across = waves[None].expand(GRID, GRID, -1)
    return amplitude * torch.cat([down, across], dim=2).reshape(TOKENS, width)


def attend(q, k, v):
    """Attention over [B, H, N, D]."""
    if q.is_cuda:
        return functional.scaled_dot_product_attention(q, k, v)
    # Several times as fast as the fused one on a CPU, whose backward pass is slow in bf16.
    rows = [x.flatten(0, 1) for x in (q, k, v)]
    scores = torch.baddbmm(q.new_zeros(()), rows[0], rows[1].transpose(1, 2), beta=0,
                           alpha=q.shape[-1] ** -0.5)
    return torch.bmm(scores.softmax(dim=-1), rows[2]).view_as(q)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        batch, rows, width = x.shape
        q, k, v = self.qkv(x).view(batch, rows, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        x = attend(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(batch, rows, width))


class Mlp(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(functional.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(width, eps=EPS), Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=EPS)
        self.mlp = Mlp(width, CONFIG["mlp_ratio"] * width)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class TimeEmbedding(nn.Module):
    WAVES = 128

    def __init__(self, width):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(2 * self.WAVES, width), nn.SiLU(),
                                 nn.Linear(width, width))

    def forward(self, t):
        steps = torch.arange(self.WAVES, device=t.device) / self.WAVES
        angles = t[:, None].float() * torch.exp(-math.log(10000.0) * steps)
        return self.mlp(torch.cat([angles.cos(), angles.sin()], dim=1))


def modulation(width, parts):
    """An adaptive layer, zero at first."""
    layer = nn.Sequential(nn.SiLU(), nn.Linear(width, parts * width))
    nn.init.zeros_(layer[1].weight)
    nn.init.zeros_(layer[1].bias)
    return layer


class HeadBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.in_ln = nn.LayerNorm(width, eps=EPS)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.adaLN_modulation = modulation(width, 3)

    def forward(self, x, y):
        shift, scale, gate = self.adaLN_modulation(y).chunk(3, dim=1)
        return x + gate * self.mlp(self.in_ln(x) * (1 + scale) + shift)


class FinalLayer(nn.Module):
    def __init__(self, width, channels):
        super().__init__()
        self.linear = nn.Linear(width, channels)
        self.adaLN_modulation = modulation(width, 2)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x, y):
        shift, scale = self.adaLN_modulation(y).chunk(2, dim=1)
        return self.linear(functional.layer_norm(x, x.shape[-1:], eps=EPS) * (1 + scale) + shift)


class Head(nn.Module):
    """Noisy tokens [R, C], timesteps [R], conditions [R, D] to noise and variance share [R, 2C]."""

    def __init__(self, channels, condition, width, depth):
        super().__init__()
        self.time_embed = TimeEmbedding(width)
        self.cond_embed = nn.Linear(condition, width)
        self.input_proj = nn.Linear(channels, width)
        self.res_blocks = nn.ModuleList(HeadBlock(width) for _ in range(depth))
        self.final_layer = FinalLayer(width, 2 * channels)

    def forward(self, x, t, z):
        y = self.time_embed(t) + self.cond_embed(z)
        x = self.input_proj(x)
        for block in self.res_blocks:
            x = block(x, y)
        return self.final_layer(x, y)


def gather_rows(x, index):
    """Rows of [B, N, D], or of a table [N, D] that all images share, by index [B, M]."""
    if x.dim() == 2:
        return x[index]
    return x.gather(1, index[..., None].expand(-1, -1, x.shape[2]))


class Mar(nn.Module):
    """`buffer`: rows in front of the sequence that hold the class."""

    def __init__(self, buffer=CONFIG["buffer_size"]):
        super().__init__()
        self.buffer = buffer
        width, channels = CONFIG["encoder_embed_dim"], CONFIG["vae_embed_dim"]
        self.class_emb = nn.Embedding(CONFIG["class_num"], width)
        self.fake_latent = nn.Parameter(0.3 * torch.randn(1, width))
        self.z_proj, self.z_proj_ln = nn.Linear(channels, width), nn.LayerNorm(width, eps=EPS)
        self.encoder_blocks = nn.ModuleList(Block(width, CONFIG["encoder_num_heads"])
                                            for _ in range(CONFIG["encoder_depth"]))
        self.encoder_norm = nn.LayerNorm(width, eps=EPS)
        self.decoder_embed = nn.Linear(width, width)
        self.mask_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.decoder_blocks = nn.ModuleList(Block(width, CONFIG["decoder_num_heads"])
                                            for _ in range(CONFIG["decoder_depth"]))
        self.decoder_norm = nn.LayerNorm(width, eps=EPS)
        # Positions start as waves and need not be learned: random tables of the original's small
        # scale take thousands of steps.
        for part, amplitude in (("encoder", 0.3), ("decoder", 1.0)):
            rows = 0.1 * torch.randn(buffer, width)
            table = torch.cat([rows, position_table(width, amplitude)])
            self.register_parameter(f"{part}_pos_embed_learned", nn.Parameter(table[None]))
        self.diffusion_pos_embed_learned = nn.Parameter(0.02 * torch.randn(1, TOKENS, width))
        nn.init.normal_(self.class_emb.weight, std=0.3)
        self.diffloss = nn.ModuleDict({"net": Head(channels, width, CONFIG["diffloss_w"],
                                                   CONFIG["diffloss_d"])})
        self.initialise_linears()

    def initialise_linears(self):
        for layer in self.modules():
            if isinstance(layer, nn.Linear) and layer.weight.any():  # except zero-initialized ones
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        # In half of the heads, keys start equal to queries: rows attend to similar rows, and since
        # rows contain positions, to their neighbours (mimetic initialisation, Trockman and Kolter
        # 2023). The other half attends everywhere, mainly to the class in the buffer.
        for block in [*self.encoder_blocks, *self.decoder_blocks]:
            query, key, _ = (part[:len(part) // 2] for part in block.attn.qkv.weight.data.chunk(3))
            query *= KEY_GAIN
            key.copy_(query)

    def matrices(self):
        """The weights of the blocks' linear layers."""
        return [weight for name, weight in self.named_parameters()
                if "_blocks." in name and weight.dim() == 2]

    def config(self):
        return CONFIG | {"buffer_size": self.buffer}

    @property
    def head(self):
        return self.diffloss["net"]

    def conditions(self, tokens, labels, visible, wanted, dropped):
        """z at the requested masked positions, [B, Q, D].

        tokens [B, TOKENS, C]; visible [B, V] and wanted [B, Q]: positions; dropped [B]: whether the
        label is withheld.
        """
        label = torch.where(dropped[:, None], self.fake_latent, self.class_emb(labels))
        places = self.encoder_pos_embed_learned[0]
        first = self.buffer
        buffer = label[:, None] + places[:first]
        known = self.z_proj(gather_rows(tokens, visible)) + gather_rows(places[first:], visible)
        x = self.z_proj_ln(torch.cat([buffer, known], dim=1))
        for block in self.encoder_blocks:
            x = block(x)
        x = self.decoder_embed(self.encoder_norm(x))

        places = self.decoder_pos_embed_learned[0]
        buffer = x[:, :first] + places[:first]
        known = x[:, first:] + gather_rows(places[first:], visible)
        masked = self.mask_token + gather_rows(places[first:], wanted)
        x = torch.cat([buffer, known, masked], dim=1)
        for block in self.decoder_blocks:
            x = block(x)
        z = self.decoder_norm(x[:, -wanted.shape[1]:])
        return z + gather_rows(self.diffusion_pos_embed_learned[0], wanted)
