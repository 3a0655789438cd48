"""What to say where Python lacks a package; imports none."""


def advice(script, error, packages="torch==2.11.0 numpy pillow"):
    """Of a script of this folder's parent, for the error of an import."""
    return (f"{script}: {error}: it needs {packages}. Make an environment for it and use that:\n"
            f"  python3 -m venv V && V/bin/pip install {packages}\n"
            f"  V/bin/python scripts/{script} ...\n"
            "(.venv of scripts/setup.sh has LibTorch's files alone; import torch fails there.)")
