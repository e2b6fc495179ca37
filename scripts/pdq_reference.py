#!/usr/bin/env python3
"""Prints the PDQ hash and quality of each PNG in a folder, as computed by Meta's C++ (PyPI: pdqhash, Pillow, numpy).

Usage: pdq_reference.py FOLDER > reference.ndjson
One line a picture, ordered by file name: {"file": "a.png", "pdq": "<64 hex digits>", "quality": 0..100}.
Nothing is resized: the hash is that of the full picture, transparency dropped.
"""

import json
import sys
from pathlib import Path

import numpy
import pdqhash
from PIL import Image


def reference(path):
    """Returns the row of one picture."""
    with Image.open(path) as picture:
        pixels = numpy.ascontiguousarray(numpy.asarray(picture.convert("RGB")))
    bits, quality = pdqhash.compute(pixels)
    digits = numpy.packbits(numpy.asarray(bits, dtype=numpy.uint8)).tobytes().hex()
    return {"file": path.name, "pdq": digits, "quality": int(quality)}


def main():
    """Prints one row a picture."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for path in sorted(Path(sys.argv[1]).glob("*.png")):
        print(json.dumps(reference(path)))


if __name__ == "__main__":
    main()
