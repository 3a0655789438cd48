"""Pictures that keep a rule, which src/rules checks from pixels: ten classes.

Image i of a split is a function of only (split, i). Its class is i mod 10. Every picture is a
cover [SIDE, SIDE] in [0, 1] that mixes two colours of free hue: a light ground and a dark figure.
The class determines the cover. Structures are at least two tokens of the VAE wide (4 x 4 pixels
each); positions, sizes and phases are continuous.
"""

import math
import random

import numpy

from .shapes import rgb

SIDE = 64
CLASSES = (
    "mirror",
    "stripes",
    "checker",
    "three",
    "line",
    "rings",
    "twins",
    "gradient",
    "balance",
    "frame",
)

SUPERSAMPLING = 4
CELL = 16.0  # pixels, of the mirrored pattern and of the checkerboard
COLUMNS = (11.0, 32.0, 53.0)  # centres of discs
ROWS = (16.0, 48.0)
DISC = 8.0  # radius of the three discs
HALF_LINE = 4.5  # half of the line's thickness
TWIN = 11.0  # from a twin's centre to its edge
RIM = 8.0  # thickness of the frame

_centres = (numpy.arange(SIDE * SUPERSAMPLING) + 0.5) / SUPERSAMPLING
X, Y = _centres[None, :], _centres[:, None]


def mirror(rng):
    """Cells of 4 rows; the right half mirrors the left one."""
    bits = rng.randrange(1, 255)
    left = numpy.array([bits >> k & 1 for k in range(8)]).reshape(4, 2)
    cells = numpy.concatenate([left, left[:, ::-1]], axis=1)
    return cells.repeat(SIDE * SUPERSAMPLING // 4, axis=0).repeat(SIDE * SUPERSAMPLING // 4, axis=1)


def stripes(rng):
    """Stripes of equal width, vertical or horizontal."""
    period, phase = rng.uniform(16.0, 28.0), rng.random()
    along = (X, Y)[rng.randrange(2)]
    return ((along / period + phase) % 1.0 < 0.5) & numpy.isfinite(X + Y)


def checker(rng):
    """A checkerboard of any phase."""
    dx, dy = rng.uniform(0.0, 2 * CELL), rng.uniform(0.0, CELL)
    return (numpy.floor((X + dx) / CELL) + numpy.floor((Y + dy) / CELL)) % 2 < 1


def disc(x, y, radius):
    return (X - x) ** 2 + (Y - y) ** 2 < radius**2


def three(rng):
    """Three equal discs, one in each column."""
    return numpy.any([disc(x, rng.uniform(11.0, 53.0), DISC) for x in COLUMNS], axis=0)


def line(rng):
    """A straight line from the left edge to the right edge."""
    left, right = rng.uniform(10.0, 54.0), rng.uniform(10.0, 54.0)
    slope = (right - left) / SIDE
    return numpy.abs(Y - left - slope * X) < HALF_LINE * math.hypot(1.0, slope)


def rings(rng):
    """A disc and rings of equal width around one centre."""
    x, y, period = rng.uniform(24.0, 40.0), rng.uniform(24.0, 40.0), rng.uniform(16.0, 22.0)
    return numpy.hypot(X - x, Y - y) / period % 1.0 < 0.5


def twins(rng):
    """Two equal shapes: squares, diamonds, crosses or rings."""
    kind = rng.randrange(4)
    covers = []
    for x in (16.0, 48.0):
        across, down = numpy.abs(X - x), numpy.abs(Y - rng.uniform(14.0, 50.0))
        longest = numpy.maximum(across, down)
        radius = numpy.hypot(across, down)
        covers.append(
            (
                longest < 0.85 * TWIN,
                across + down < TWIN * 1.2,
                (longest < TWIN) & (numpy.minimum(across, down) < 0.36 * TWIN),
                (radius < TWIN) & (radius > 0.45 * TWIN),
            )[kind]
        )
    return covers[0] | covers[1]


def gradient(rng):
    """A linear gradient of any direction, from one colour in a corner to the other opposite."""
    angle = rng.uniform(0.0, 2 * math.pi)
    dx, dy = math.cos(angle), math.sin(angle)
    return 0.5 + ((X - SIDE / 2) * dx + (Y - SIDE / 2) * dy) / (SIDE * (abs(dx) + abs(dy)))


def balance(rng):
    """Equally many discs in the upper and the lower row of three positions: one or two."""
    count, radius = rng.randrange(1, 3), rng.uniform(7.0, 9.5)
    return numpy.any([disc(x, y, radius) for y in ROWS for x in rng.sample(COLUMNS, count)], axis=0)


def frame(rng):
    """A closed rectangular frame."""
    left, top = rng.uniform(4.0, 18.0), rng.uniform(4.0, 18.0)
    right, bottom = rng.uniform(46.0, 60.0), rng.uniform(46.0, 60.0)
    inset = numpy.minimum(numpy.minimum(X - left, right - X), numpy.minimum(Y - top, bottom - Y))
    return (inset > 0) & (inset < RIM)


COVERS = tuple(globals()[name] for name in CLASSES)


def mixed(cover, ground, figure):
    """uint8 [SIDE, SIDE, 3] of a supersampled cover and two colours."""
    small = cover.astype(numpy.float32).reshape(SIDE, SUPERSAMPLING, SIDE, SUPERSAMPLING)
    small = small.mean(axis=(1, 3))[..., None]
    image = numpy.array(ground) * (1 - small) + numpy.array(figure) * small
    return numpy.clip(image + 0.5, 0, 255).astype(numpy.uint8)


def render(split, index):
    """Image `index` of a split: uint8 [SIDE, SIDE, 3]. Its class is index % 10."""
    rng = random.Random(f"rules {split} {index}")
    ground, figure = rgb(rng.random(), 0.32, 1.0), rgb(rng.random(), 0.80, 0.55)
    return mixed(COVERS[index % len(CLASSES)](rng), ground, figure)
