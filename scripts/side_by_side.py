#!/usr/bin/env python3
"""Puts two pictures side by side: side_by_side.py LEFT.png RIGHT.png OUT.png

For 8-bit RGB without interlacing, as lazymar_eval writes; nothing but Python itself is needed.
"""
import struct
import sys
import zlib
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GAP = 8  # white columns between the two


def paeth(left, above, corner):
    """The neighbour nearest to left + above - corner (PNG specification, 9.4)."""
    distances = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
    return (left, above, corner)[distances.index(min(distances))]


def unfilter(kind, row, above):
    """Undoes a row's filter in place; `above` is the row before, already undone."""
    for i in range(len(row)):
        left, corner = (row[i - 3], above[i - 3]) if i >= 3 else (0, 0)
        guess = (0, left, above[i], (left + above[i]) // 2, None)[kind]
        row[i] = (row[i] + (paeth(left, above[i], corner) if kind == 4 else guess)) & 255


def read_png(path):
    """The rows of a picture, 3 bytes a pixel."""
    data = Path(path).read_bytes()
    width, height, *form = struct.unpack(">IIBBBBB", data[16:29])
    if not data.startswith(SIGNATURE) or form != [8, 2, 0, 0, 0]:
        sys.exit(f"side_by_side.py: {path} is no 8-bit RGB picture")
    packed, at = b"", len(SIGNATURE)
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        packed += data[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += 12 + length
    raw, stride = zlib.decompress(packed), 1 + 3 * width
    rows, above = [], bytearray(3 * width)
    for start in range(0, height * stride, stride):
        row = bytearray(raw[start + 1 : start + stride])
        unfilter(raw[start], row, above)
        rows.append(row)
        above = row
    return rows


def write_png(path, rows):
    def chunk(name, body):
        check = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    Path(path).write_bytes(SIGNATURE + chunks)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    left, right = read_png(sys.argv[1]), read_png(sys.argv[2])
    if len(left) != len(right):
        sys.exit("side_by_side.py: the pictures differ in height")
    write_png(sys.argv[3], [a + b"\xff" * (3 * GAP) + b for a, b in zip(left, right)])


if __name__ == "__main__":
    main()
