"""The error message for a missing Python package; imports none."""


def advice(script, error, packages="torch==2.11.0 numpy pillow"):
    """For a script in the parent folder and its import error."""
    return (f"{script}: {error}; it needs an environment with packages of its own:\n"
            f"  python3 -m venv V && V/bin/pip install {packages}\n"
            f"  V/bin/python demo/{script} ...\n"
            "(The project's .venv will not do: it holds LibTorch's files alone.)")
