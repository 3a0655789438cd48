"""The stages' results in the folder of --work: files that name what they were made from."""
import hashlib

import torch


def save_atomically(value, path):
    partial = path.with_suffix(".partial")
    torch.save(value, partial)
    partial.replace(path)


def fingerprint(*parts):
    """SHA-256 of tensors, state dicts, bytes and numbers, one after another."""
    digest = hashlib.sha256()
    for part in parts:
        for name, value in part.items() if isinstance(part, dict) else [("", part)]:
            digest.update(name.encode())
            if isinstance(value, torch.Tensor):
                flat = value.detach().cpu().contiguous().reshape(-1)
                digest.update(flat.view(torch.uint8).numpy())
            else:
                digest.update(value if isinstance(value, bytes) else str(value).encode())
    return digest.hexdigest()


def load_if_from(source, path, device, log):
    """The state in a file if it was made from this source, a fingerprint; otherwise None."""
    if not path.exists():
        return None
    state = torch.load(path, map_location=device, weights_only=True)
    if state.get("source") == source:
        return state
    log(f"{path.stem}: begins anew: {path.name} was made from other weights, pictures or seed")
    return None


def made_once(source, path, device, log, make):
    """A dictionary that an earlier call made from the same source, or make() now."""
    state = load_if_from(source, path, device, log)
    if state is None:
        state = make() | {"source": source}
        save_atomically(state, path)
    return state
