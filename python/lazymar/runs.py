"""Reading run folders that lazymar_eval has written. Needs no torch."""
import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """A run folder as plain Python."""

    folder: Path
    manifest: dict  #: info/manifest.json: settings, weights' hashes, device, version
    summary: dict  #: info/summary.json: times and work; empty until the run is complete
    images: list  #: paths of the images, by number
    scores: dict = field(default_factory=dict)  #: info/scores.json; empty if there is none
    rules: dict = field(default_factory=dict)  #: info/rules.json; empty if there is none


def read(path):
    """A file's JSON object; empty if there is no such file."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: damaged: not JSON ({error})") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path}: damaged: not a JSON object")
    return value


def is_image(path):
    return path.stem.isascii() and path.stem.isdecimal() and path.is_file()


def load_run(folder):
    """A Run. Raises FileNotFoundError if the folder is not that of a run, and ValueError if one of
    its files is damaged."""
    folder = Path(folder)
    info = folder / "info"
    if not (info / "manifest.json").is_file():
        raise FileNotFoundError(f"{folder}: not a run folder: it has no info/manifest.json")
    return Run(folder=folder, manifest=read(info / "manifest.json"),
               summary=read(info / "summary.json"),
               images=sorted(filter(is_image, folder.glob("*.png")),
                             key=lambda path: int(path.stem)),
               scores=read(info / "scores.json"), rules=read(info / "rules.json"))
