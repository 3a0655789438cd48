"""Arguments as _lazymar takes them. Wrong types raise TypeError, wrong values RefusedError."""
import operator
import os
from collections.abc import Mapping, Set

import torch  # first: _lazymar needs its libraries

from . import _lazymar

INT64 = (-2**63, 2**63 - 1)
UINT64 = (0, 2**64 - 1)
PRECISIONS = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16",
              torch.float64: "fp64"}
SWITCHES = {name for name, value in _lazymar.sampling_options().items() if not value}
OPTIONS = _lazymar.sampling_options().keys()


def shown(value):
    """A value in a message: one short line."""
    text = " ".join(f"{value!r} ({type(value).__name__})".split())
    return text if len(text) < 80 else f"a {type(value).__name__}"


def whole(what, value, limits=INT64):
    """An int, from anything that is one: int, NumPy's integers, tensors of one integer."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{what}: must be a whole number, not {shown(value)}") from None
    if not limits[0] <= number <= limits[1]:
        raise _lazymar.RefusedError(f"{what} {number}: must be from {limits[0]} to {limits[1]}")
    return number


def wholes(what, values):
    """A list of int: one for a single integer, else those of a sequence, an array or a tensor."""
    if hasattr(values, "__index__") and not getattr(values, "ndim", 0):
        return [whole(what, values)]
    if isinstance(values, (str, bytes, bytearray, Mapping, Set)) or not hasattr(values, "__iter__"):
        raise TypeError(f"{what}: must be a whole number or a sequence of them, not "
                        f"{shown(values)}")
    if getattr(values, "ndim", 1) != 1:
        raise TypeError(f"{what}: must have one dimension, not the shape {tuple(values.shape)}")
    return [whole(what, value) for value in
            (values.tolist() if hasattr(values, "tolist") else values)]


def labels_and_ids(labels, ids):
    labels = wholes("label", labels)
    if ids is None:
        return labels, []
    ids = wholes("image id", ids)
    if labels and not ids:  # which would mean 0, 1, 2, ... to _lazymar
        raise _lazymar.RefusedError(f"0 image ids and {len(labels)} labels: give one label for "
                                    "each of at least one image")
    return labels, ids


def text_of(value):
    """An option's value as on the command line."""
    if isinstance(value, (list, tuple)):
        return ",".join(text_of(part) for part in value)
    return str(value)


def sampling_options(method, more):
    """Keyword arguments as the command line's options: True is a switch, None nothing."""
    options = {}
    if method is not None:
        if not isinstance(method, str):
            raise TypeError(f"method: must be a name such as 'lazymar', not {shown(method)}")
        options["method"] = method
    for name, value in more.items():
        if name in SWITCHES:
            if value is not None and not isinstance(value, bool):
                raise TypeError(f"{name}: it is a switch, so True, False or None, not "
                                f"{shown(value)}")
            if value:
                options[name] = ""
        elif name not in OPTIONS:
            options[name] = ""  # it is refused by name
        elif isinstance(value, bool):
            raise TypeError(f"{name}: needs a value, not {value}")
        elif value is not None:
            options[name] = text_of(value)
    return options


def progress_callback(progress):
    if progress is not None and not callable(progress):
        raise TypeError(f"progress: must be a function or None, not {shown(progress)}")
    return progress


def path_text(what, value):
    try:
        text = os.fspath(value)
    except TypeError:
        text = None
    if not isinstance(text, str):
        raise TypeError(f"{what}: must be a str or a path, not {shown(value)}")
    return text


def device_text(device):
    text = str(device) if isinstance(device, torch.device) else device
    if not isinstance(text, str):
        raise TypeError("device: must be a name such as 'cpu' or a torch.device, not "
                        f"{shown(device)}")
    return "cpu" if text == "cpu:0" else text


def precision_text(precision):
    if isinstance(precision, torch.dtype):
        return PRECISIONS.get(precision, str(precision))
    if not isinstance(precision, str):
        raise TypeError("precision: must be a name such as 'bf16' or a torch.dtype, not "
                        f"{shown(precision)}")
    return precision


def model_options(*, device, precision, threads, random_weights=False, **paths):
    options = _lazymar.ModelOptions()
    if device is not None:
        options.device = device_text(device)
    if precision is not None:
        options.precision = precision_text(precision)
    if threads is not None:
        options.threads = whole("--threads", threads)
    if not isinstance(random_weights, bool):
        raise TypeError(f"random_weights: must be True or False, not {shown(random_weights)}")
    options.random_weights = random_weights
    for name, value in paths.items():
        if value is not None:
            setattr(options, name, path_text(name, value))
    return options


def tensors_of(state_dict):
    """A state_dict, checked: tensors by name."""
    if not isinstance(state_dict, Mapping):
        raise TypeError("state_dict: must be a dict of tensors by name, not a "
                        f"{type(state_dict).__name__}")
    inner = [key for key, value in state_dict.items() if isinstance(value, Mapping)
             and any(isinstance(part, torch.Tensor) for part in value.values())]
    if inner:
        averaged = [key for key in inner if "ema" in str(key).lower()]
        listed = ", ".join(repr(key) for key in inner)
        raise _lazymar.RefusedError(
            f"state_dict: it holds dicts of tensors under {listed}, as a checkpoint does; pass one "
            f"of them: state[{(averaged or inner)[0]!r}]")
    for key, value in state_dict.items():
        if not isinstance(key, str):
            raise TypeError(f"state_dict: keys must be names of tensors, not {shown(key)}")
        if not isinstance(value, torch.Tensor):
            cure = ("use torch.from_numpy" if type(value).__module__ == "numpy"
                    else "leave it out, or make it a tensor")
            raise TypeError(f"state_dict: {key!r} is of type {type(value).__name__}, not a "
                            f"tensor; {cure}")
    return dict(state_dict)
