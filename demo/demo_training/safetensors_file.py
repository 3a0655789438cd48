"""Reads and writes safetensors files: length of the header, the header (JSON), the data."""
import json

import torch

TYPES = {"F16": torch.float16, "F32": torch.float32}
NAMES = {dtype: name for name, dtype in TYPES.items()}


def write_safetensors(path, tensors, config):
    """Tensors by name; the config goes into the metadata. The header is padded to 8 bytes."""
    header = {"__metadata__": {"format": "pt", "config": json.dumps(config)}}
    chunks, end = [], 0
    for name, tensor in sorted(tensors.items()):
        chunks.append(tensor.detach().cpu().contiguous().numpy().tobytes())
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [end, end + len(chunks[-1])]}
        end += len(chunks[-1])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        file.writelines(chunks)
    partial.replace(path)


def read_safetensors(path):
    """Tensors by name, and the config of the metadata."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    config = json.loads(header.pop("__metadata__")["config"])
    tensors = {}
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        values = torch.frombuffer(bytearray(data[start + first:start + end]),
                                  dtype=TYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return tensors, config
