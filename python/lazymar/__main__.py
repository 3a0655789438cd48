"""python -m lazymar COMMAND: the same as the command lazymar."""
from .launch import umbrella

umbrella()
