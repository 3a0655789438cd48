"""For scikit-build-core: a wheel requires the torch it was built against.

LibTorch keeps its C++ interface within a minor release only.
"""
from torch_found import TESTED, release, torch_folder, torch_version


def dynamic_metadata(field, settings=None):
    if field != "dependencies" or settings:
        raise ValueError("only dependencies, without settings")
    folder = torch_folder()
    major, minor = release(torch_version(folder) if folder else TESTED)
    return [f"torch=={major}.{minor}.*"]
