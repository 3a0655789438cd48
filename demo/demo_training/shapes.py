"""The pictures the demo model learns: ten shapes, rendered by the functions of this file.

Image i of a split is a function of only (split, i). Its class is i mod 10; size, position, tilt,
and the colours of shape and background are drawn independently of the class.
"""
import colorsys
import math
import random

import numpy
from PIL import Image, ImageDraw, ImageFilter

SIDE = 64
CLASSES = ("star", "heart", "moon", "house", "tree", "fish", "mushroom", "cup", "flower", "boat")

SUPERSAMPLING = 4
SIZES = (20.0, 24.5)  # pixels from the centre to the edge of the unit square
SHIFTS = (-4, 0, 4)  # pixels to the right; one token of the VAE is 4 x 4
MAX_TILT = 6.0  # degrees
SOFTNESS = 2.0  # blur of outlines, in pixels of the supersampled picture


def ellipse(x, y, rx, ry=None, start=0.0, end=360.0, points=48):
    """Points of an elliptic arc; angles in degrees, clockwise on the screen from the right."""
    ry = rx if ry is None else ry
    angles = [math.radians(start + (end - start) * k / (points - 1)) for k in range(points)]
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


def box(left, top, right, bottom):
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def star():
    radii = (1.0, 0.47)
    corners = [(radii[k % 2], math.radians(36 * k - 90)) for k in range(10)]
    return [("body", [(r * math.cos(a), 0.06 + r * math.sin(a)) for r, a in corners]),
            ("light", ellipse(0.0, 0.06, 0.24))]


def heart():
    curve = []
    for k in range(72):
        t = 2 * math.pi * k / 72
        curve.append((0.95 * math.sin(t) ** 3,
                      -0.06 * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t)
                               - math.cos(4 * t)) - 0.08))
    return [("body", curve), ("light", ellipse(-0.45, -0.42, 0.19, 0.16))]


def moon():
    outer = ellipse(0.0, 0.0, 0.95, 0.95, 50, 310)
    inner = ellipse(0.34, 0.0, 0.73, 0.75, 290, 70)
    return [("body", outer + inner), ("light", ellipse(-0.62, 0.0, 0.15))]


def house():
    return [("dark", box(0.38, -0.85, 0.62, -0.3)), ("cream", box(-0.68, -0.12, 0.68, 0.9)),
            ("body", [(-0.98, -0.08), (0.0, -0.95), (0.98, -0.08)]),
            ("dark", box(-0.2, 0.3, 0.2, 0.9))]


def tree():
    layers = [[(-half, base), (0.0, top), (half, base)]
              for half, top, base in ((0.85, -0.35, 0.6), (0.68, -0.68, 0.12), (0.48, -1.0, -0.34))]
    return [("dark", box(-0.16, 0.5, 0.16, 1.0))] + [("body", layer) for layer in layers]


def fish():
    return [("body", [(0.4, 0.0), (1.0, -0.58), (0.86, 0.0), (1.0, 0.58)]),
            ("body", ellipse(-0.2, 0.0, 0.8, 0.54)),
            ("light", [(0.0, -0.24), (0.36, 0.0), (0.0, 0.24)]),
            ("light", ellipse(-0.62, -0.12, 0.15)), ("dark", ellipse(-0.64, -0.12, 0.08))]


def mushroom():
    return [("cream", [(-0.24, 0.0), (0.24, 0.0), (0.38, 0.92), (-0.38, 0.92)]),
            ("body", ellipse(0.0, 0.1, 0.95, 0.98, 180, 360)),
            ("light", ellipse(-0.42, -0.24, 0.17)), ("light", ellipse(0.1, -0.58, 0.17)),
            ("light", ellipse(0.5, -0.16, 0.15))]


def cup():
    ring = ellipse(0.48, 0.0, 0.47, 0.42, -90, 90) + ellipse(0.48, 0.0, 0.25, 0.2, 90, -90)
    return [("body", ring),
            ("body", [(-0.8, -0.7), (0.55, -0.7), (0.46, 0.68), (0.26, 0.85), (-0.52, 0.85),
                      (-0.71, 0.68)]),
            ("cream", ellipse(-0.125, -0.7, 0.675, 0.16))]


def flower():
    petals = [("body", ellipse(0.58 * math.cos(a), 0.58 * math.sin(a), 0.4))
              for a in (math.radians(60 * k - 90) for k in range(6))]
    return [*petals, ("cream", ellipse(0.0, 0.0, 0.32))]


def boat():
    return [("dark", box(-0.07, -0.95, 0.07, 0.5)),
            ("cream", [(0.14, -0.85), (0.78, 0.2), (0.14, 0.2)]),
            ("cream", [(-0.14, -0.6), (-0.66, 0.2), (-0.14, 0.2)]),
            ("body", [(-0.98, 0.34), (0.98, 0.34), (0.62, 0.88), (-0.62, 0.88)])]


SHAPES = tuple(globals()[name]() for name in CLASSES)


def rgb(hue, saturation, value):
    return tuple(round(255 * c) for c in colorsys.hsv_to_rgb(hue % 1.0, saturation, value))


def background(hue):
    """A pastel, lighter at the top: [SIDE, SIDE, 3]."""
    top, bottom = numpy.array(rgb(hue, 0.10, 1.0)), numpy.array(rgb(hue, 0.24, 0.92))
    row = numpy.linspace(0.0, 1.0, SIDE)[:, None]
    return ((1 - row) * top + row * bottom)[:, None, :].repeat(SIDE, axis=1)


def render(split, index):
    """Image `index` of a split: uint8 [SIDE, SIDE, 3]. Its class is index % 10."""
    rng = random.Random(f"{split} {index}")
    size = rng.choice(SIZES)
    shift = rng.choice(SHIFTS)
    tilt = math.radians(rng.uniform(-MAX_TILT, MAX_TILT))
    hue, background_hue = rng.random(), rng.random()
    colours = {"body": rgb(hue, 0.68, 0.88), "light": rgb(hue, 0.14, 1.0),
               "cream": (250, 238, 214), "dark": (92, 66, 60)}

    scale = SUPERSAMPLING * size
    cos, sin = scale * math.cos(tilt), scale * math.sin(tilt)
    x0, y0 = SUPERSAMPLING * (SIDE / 2 + shift), SUPERSAMPLING * SIDE / 2
    canvas = (SUPERSAMPLING * SIDE,) * 2
    paint = Image.new("RGB", canvas, colours["body"])
    cover = Image.new("L", canvas, 0)
    draw_paint, draw_cover = ImageDraw.Draw(paint), ImageDraw.Draw(cover)
    # First every part with a wide rim, so that blurring does not mix another part's colour into the
    # outline; then every part unchanged.
    for rim in (SUPERSAMPLING * 4, 1):
        for colour, points in SHAPES[index % len(SHAPES)]:
            placed = [(x0 + cos * x - sin * y, y0 + sin * x + cos * y) for x, y in points]
            draw_paint.polygon(placed, fill=colours[colour], outline=colours[colour], width=rim)
            draw_cover.polygon(placed, fill=255)

    def shrink(picture):
        small = picture.filter(ImageFilter.GaussianBlur(SOFTNESS)).reduce(SUPERSAMPLING)
        return numpy.asarray(small, dtype=numpy.float32)

    alpha = shrink(cover)[..., None] / 255
    light = numpy.linspace(1.06, 0.86, SIDE, dtype=numpy.float32)[:, None, None]
    shadow = Image.new("L", (SIDE, SIDE), 0)
    shadow.paste(Image.fromarray(numpy.uint8(alpha[..., 0] * 255)), (1, 3))
    shadow = numpy.asarray(shadow.filter(ImageFilter.GaussianBlur(2.0)), dtype=numpy.float32)
    ground = background(background_hue) * (1 - 0.22 * shadow[..., None] / 255)
    image = ground * (1 - alpha) + shrink(paint) * light * alpha
    return numpy.clip(image + 0.5, 0, 255).astype(numpy.uint8)


def contact_sheet(images, columns, gap=2, zoom=1):
    """A picture of equally large uint8 images [H, W, 3], row by row."""
    height, width = images[0].shape[:2]
    rows = -(-len(images) // columns)
    sheet = numpy.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 255,
                       numpy.uint8)
    for k, image in enumerate(images):
        y, x = gap + k // columns * (height + gap), gap + k % columns * (width + gap)
        sheet[y:y + height, x:x + width] = image
    picture = Image.fromarray(sheet)
    return picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)
