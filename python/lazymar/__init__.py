"""lazymar: generates and evaluates images with MAR, accelerated by LazyMAR's caches.

    model = lazymar.Model.open("demo")
    images = model.sample([0, 1, 2], method="lazymar")    # uint8 [3, 3, 64, 64]

Model needs torch, which is imported when Model is first used; the console scripts do not need it.
"""
from .runs import Run, load_run

__all__ = ["CancelledError", "Model", "RefusedError", "Run", "load_run", "set_log_level"]


def __getattr__(name):
    if name in ("Model", "RefusedError", "CancelledError", "set_log_level", "__version__"):
        from . import model  # noqa: PLC0415  # it imports torch

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
