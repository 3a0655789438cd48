from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any

import torch

from .runs import Run as Run
from .runs import load_run as load_run

__version__: str

class RefusedError(ValueError): ...
class CancelledError(RuntimeError): ...

Integers = int | Sequence[int] | torch.Tensor
Progress = Callable[[float], bool | None]

class Model:
    @staticmethod
    def open(
        name: str,
        *,
        device: str = "auto",
        precision: str = "auto",
        resume: str | PathLike[str] | None = None,
        vae_path: str | PathLike[str] | None = None,
        checkpoint_dir: str | PathLike[str] | None = None,
        random_weights: bool = False,
        threads: int | None = None,
    ) -> Model: ...
    @staticmethod
    def from_state_dict(
        state_dict: Mapping[str, torch.Tensor],
        name: str = "mar_base",
        *,
        device: str = "auto",
        precision: str = "auto",
        vae_path: str | PathLike[str] | None = None,
        checkpoint_dir: str | PathLike[str] | None = None,
        threads: int | None = None,
    ) -> Model: ...
    @property
    def info(self) -> dict[str, Any]: ...
    def sample(
        self,
        labels: Integers,
        *,
        seed: int = 1,
        ids: Integers | None = None,
        method: str | None = None,
        dtype: torch.dtype = ...,
        progress: Progress | None = None,
        **options: Any,
    ) -> torch.Tensor: ...
    def sample_latents(
        self,
        labels: Integers,
        *,
        seed: int = 1,
        ids: Integers | None = None,
        method: str | None = None,
        progress: Progress | None = None,
        **options: Any,
    ) -> torch.Tensor: ...
    def decode(self, latents: torch.Tensor) -> torch.Tensor: ...
