from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any, Literal, SupportsIndex

import torch

from .runs import Run as Run
from .runs import load_run as load_run

__version__: str

class RefusedError(ValueError): ...
class CancelledError(RuntimeError): ...

Integers = SupportsIndex | Iterable[SupportsIndex] | torch.Tensor
Progress = Callable[[float], bool | None]

def set_log_level(level: Literal["info", "warning", "off"]) -> None: ...

class Model:
    @staticmethod
    def open(
        name: str | PathLike[str],
        *,
        device: str | torch.device = "auto",
        precision: str | torch.dtype = "auto",
        resume: str | PathLike[str] | None = None,
        vae_path: str | PathLike[str] | None = None,
        checkpoint_dir: str | PathLike[str] | None = None,
        random_weights: bool = False,
        threads: SupportsIndex | None = None,
    ) -> Model: ...
    @staticmethod
    def from_state_dict(
        state_dict: Mapping[str, torch.Tensor],
        name: str | PathLike[str] = "mar_base",
        *,
        device: str | torch.device = "auto",
        precision: str | torch.dtype = "auto",
        vae_path: str | PathLike[str] | None = None,
        checkpoint_dir: str | PathLike[str] | None = None,
        threads: SupportsIndex | None = None,
    ) -> Model: ...
    @property
    def info(self) -> dict[str, Any]: ...
    def sample(
        self,
        labels: Integers,
        *,
        seed: SupportsIndex = 1,
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
        seed: SupportsIndex = 1,
        ids: Integers | None = None,
        method: str | None = None,
        progress: Progress | None = None,
        **options: Any,
    ) -> torch.Tensor: ...
    def decode(self, latents: torch.Tensor) -> torch.Tensor: ...
