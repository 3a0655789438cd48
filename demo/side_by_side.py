#!/usr/bin/env python3
"""Puts two pictures of equal height side by side: side_by_side.py LEFT.png RIGHT.png OUT.png"""
import sys

from PIL import Image

GAP = 8  # white columns between the two

if len(sys.argv) != 4:
    sys.exit(__doc__)
left, right = (Image.open(path).convert("RGB") for path in sys.argv[1:3])
if left.height != right.height:
    sys.exit("side_by_side.py: the pictures differ in height")
both = Image.new("RGB", (left.width + GAP + right.width, left.height), "white")
both.paste(left, (0, 0))
both.paste(right, (left.width + GAP, 0))
both.save(sys.argv[3])
