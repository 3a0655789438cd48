"""A MAR in torch.save's zip format, made without torch: random weights."""
import io
import math
import pickle
import random
import struct
import sys
import types
import zipfile


def mar_shapes(dim=768, mlp=64, tokens=16, buffer=4, channels=4, classes=10, width=32, depth=1,
               head_depth=1):
    """MAR's names; by default as wide as mar_base, so that heads are known, and one block deep."""
    shapes = {"encoder_pos_embed_learned": (1, tokens + buffer, dim),
              "decoder_pos_embed_learned": (1, tokens + buffer, dim),
              "diffusion_pos_embed_learned": (1, tokens, dim), "mask_token": (1, 1, dim),
              "fake_latent": (1, dim), "class_emb.weight": (classes, dim)}
    linear = {"z_proj": (dim, channels), "decoder_embed": (dim, dim)}
    norms = {"z_proj_ln": dim, "encoder_norm": dim, "decoder_norm": dim}
    for block in (f"{coder}_blocks.{i}." for coder in ("encoder", "decoder") for i in range(depth)):
        linear |= {block + "attn.qkv": (3 * dim, dim), block + "attn.proj": (dim, dim),
                   block + "mlp.fc1": (mlp, dim), block + "mlp.fc2": (dim, mlp)}
        norms |= {block + "norm1": dim, block + "norm2": dim}
    net = "diffloss.net."
    linear |= {net + "time_embed.mlp.0": (width, 256), net + "time_embed.mlp.2": (width, width),
               net + "cond_embed": (width, dim), net + "input_proj": (width, channels),
               net + "final_layer.linear": (2 * channels, width),
               net + "final_layer.adaLN_modulation.1": (2 * width, width)}
    for block in (f"{net}res_blocks.{i}." for i in range(head_depth)):
        linear |= {block + "mlp.0": (width, width), block + "mlp.2": (width, width),
                   block + "adaLN_modulation.1": (3 * width, width)}
        norms[block + "in_ln"] = width
    for name, shape in linear.items():
        shapes |= {name + ".weight": shape, name + ".bias": shape[:1]}
    for name, size in norms.items():
        shapes |= {name + ".weight": (size,), name + ".bias": (size,)}
    return shapes


def fake_torch():
    """The few names that a pickle of tensors uses."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})

    def _rebuild_tensor_v2(*arguments):
        raise NotImplementedError

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    sys.modules |= {"torch": torch, "torch._utils": utils}
    return torch, utils


class Storage:
    def __init__(self, key, elements):
        self.key, self.elements = key, elements


class Tensor:
    def __init__(self, storage, shape, rebuild):
        self.storage, self.shape, self.rebuild = storage, shape, rebuild

    def __reduce__(self):
        strides = tuple(math.prod(self.shape[i + 1:]) for i in range(len(self.shape)))
        return self.rebuild, (self.storage, 0, self.shape, strides, False, None)


def write_mar(path, shapes=None, sections=("model", "model_ema"), more=None, prefix=""):
    """`sections`: the keys that hold weights, None for weights at the top; `more`: other keys;
    `prefix`: of the tensors' names."""
    torch, utils = fake_torch()
    values = random.Random(1)
    pattern = [values.uniform(-0.05, 0.05) for _ in range(4099)]
    state, records = {}, []
    for section in sections:
        weights = state if section is None else state.setdefault(section, {})
        for name, shape in (shapes or mar_shapes()).items():
            count = math.prod(shape)
            start = values.randrange(len(pattern))
            rolled = pattern[start:] + pattern[:start]
            storage = Storage(str(len(records)), count)
            records.append((struct.pack(f"<{len(rolled)}f", *rolled), count))
            weights[prefix + name] = Tensor(storage, shape, utils._rebuild_tensor_v2)

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if isinstance(value, Storage):
                return ("storage", torch.FloatStorage, value.key, "cpu", value.elements)
            return None

    text = io.BytesIO()
    Pickler(text,
            protocol=2).dump(state | ({} if None in sections else {"epoch": 3}) | (more or {}))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", text.getvalue())
        for key, (data, count) in enumerate(records):
            archive.writestr(f"archive/data/{key}",
                             (data * (4 * count // len(data) + 1))[:4 * count])
        archive.writestr("archive/version", "3\n")
