"""What to say where Python lacks a package; imports none."""


def advice(script, error, packages="torch==2.11.0 numpy pillow"):
    """Of a script of this folder's parent, for the error of an import."""
    return (f"{script}: {error}; it needs an environment with packages of its own:\n"
            f"  python3 -m venv V && V/bin/pip install {packages}\n"
            f"  V/bin/python demo/{script} ...\n"
            "(The project's .venv will not do: it holds LibTorch's files alone.)")
