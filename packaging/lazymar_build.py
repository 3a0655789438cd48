"""The build backend: scikit-build-core, against the torch of the environment that pip runs for."""
from scikit_build_core import build as backend
from torch_found import TESTED, check_version, torch_folder, torch_version

build_sdist = backend.build_sdist
get_requires_for_build_sdist = backend.get_requires_for_build_sdist


def get_requires_for_build_wheel(config_settings=None):
    requirements = backend.get_requires_for_build_wheel(config_settings)
    folder = torch_folder()
    if folder is None:
        return [*requirements, f"torch=={TESTED}"]
    check_version(torch_version(folder))  # before anything is downloaded
    return requirements


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    return backend.prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    folder = torch_folder()
    if folder is None:
        raise SystemExit(f"lazymar: torch is needed to build: pip install torch=={TESTED}")
    check_version(torch_version(folder))
    settings = dict(config_settings or {})
    settings["cmake.define.LIBTORCH_DIR"] = str(folder)
    return backend.build_wheel(wheel_directory, settings, metadata_directory)
