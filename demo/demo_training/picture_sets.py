"""The sets of training pictures, by the name of their checkpoint."""
from . import rules, shapes

SETS = {"demo": shapes, "rules": rules}
CLASS_COUNT = 10  # of every set: image i is of class i mod 10

assert all(len(pictures.CLASSES) == CLASS_COUNT for pictures in SETS.values())
