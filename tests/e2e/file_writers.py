"""Writes weight files and arrays, sound or damaged ones, without NumPy."""

import json
import struct
import zipfile


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])


def write_safetensors(path, header, data):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def renamed(source, target, *prefixes):
    """A copy with every tensor under each prefix."""
    header, data = read_safetensors(source)
    result = {"__metadata__": header.pop("__metadata__", {})}
    everything = b""
    for prefix in prefixes:
        for name, entry in header.items():
            offsets = [x + len(everything) for x in entry["data_offsets"]]
            result[prefix + name] = {**entry, "data_offsets": offsets}
        everything += data
    write_safetensors(target, result, everything)


def with_doubles(source, target, name, values):
    """A copy in which a tensor is F64 and begins with these values; the rest are zeros."""
    header, data = read_safetensors(source)
    everything = b""
    for key, entry in header.items():
        if key == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        part = data[begin:end]
        if key == name:
            count = len(part) // {"F16": 2, "BF16": 2, "F32": 4}[entry["dtype"]]
            part = struct.pack(f"<{count}d", *values, *[0.0] * (count - len(values)))
            entry["dtype"] = "F64"
        entry["data_offsets"] = [len(everything), len(everything) + len(part)]
        everything += part
    write_safetensors(target, header, everything)


def npy(descr, shape, data, fortran=False):
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {tuple(shape)!r}, }}\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode() + data


def npz(path, **arrays):
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", array)
