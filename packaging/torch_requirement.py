"""For scikit-build-core: a wheel requires the torch it was built against.

LibTorch keeps its C++ interface within a minor release only.
"""
from torch_found import TESTED, release, torch_folder, torch_version


def dynamic_metadata(settings, project):  # noqa: ARG001  # a hook's signature
    folder = torch_folder()
    major, minor = release(torch_version(folder) if folder else TESTED)
    return {"dependencies": [f"torch=={major}.{minor}.*"]}


def dynamic_wheel(settings):  # noqa: ARG001
    return {"dependencies": True}
