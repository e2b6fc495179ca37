"""PDQ of many 64x64 luma buffers at once, in numpy.

Meta's PDQ shrinks a picture to 64x64 and then takes a 16x16 DCT and its median; a buffer that already is 64x64 needs only the second
step, which is two matrix products. `python -m population.pdq` compares the result with the `pdqhash` package: on 64x64 pictures, and on
the same pictures enlarged to 512x512 (where the two differ by the shrinking only).
"""

import numpy

SIDE = 64


def _dct_rows() -> numpy.ndarray:
    """Returns rows 1 to 16 of the 64-point DCT; row 0 (the mean) is left out, as PDQ does."""
    row = numpy.arange(1, 17)[:, None]
    column = numpy.arange(SIDE)[None, :]
    return (numpy.sqrt(2.0 / SIDE) * numpy.cos(numpy.pi / (2 * SIDE) * row * (2 * column + 1))).astype(numpy.float32)


DCT = _dct_rows()


def hashes(luma: numpy.ndarray) -> numpy.ndarray:
    """Returns `(n, 32)` bytes for `(n, 64, 64)` luma (0..255): the most significant byte first, as the usual hex is written."""
    coefficients = (DCT @ luma.astype(numpy.float32) @ DCT.T).reshape(len(luma), 256)
    # The lower of the two middle values is PDQ's median (Torben's method on an even count).
    median = numpy.partition(coefficients, 127, axis=1)[:, 127:128]
    return numpy.packbits((coefficients > median)[:, ::-1], axis=1)


def qualities(luma: numpy.ndarray) -> numpy.ndarray:
    """Returns PDQ's quality 0..100: the sum of the steps between neighbours, each cut to whole hundredths of 255."""
    luma = luma.astype(numpy.float32)
    total = numpy.zeros(len(luma), numpy.int64)
    for axis in (1, 2):
        steps = numpy.diff(luma, axis=axis) * (100.0 / 255.0)
        total += numpy.abs(numpy.trunc(steps)).astype(numpy.int64).sum(axis=(1, 2))
    return numpy.minimum(total // 90, 100)


def check(count: int = 200) -> dict:
    """Returns the mean and greatest distance to `pdqhash`, at 64x64 and at 512x512, and the greatest difference of quality."""
    import pdqhash
    from PIL import Image

    from population.pictures import Gallery

    luma = numpy.clip(Gallery.load("evaluation").render(numpy.arange(1, count + 1)), 0, 255).round().astype(numpy.uint8)
    ours, quality = numpy.unpackbits(hashes(luma), axis=1), qualities(luma)
    found = {}
    for side in (64, 512):
        distances, off = [], []
        for index in range(count):
            full = numpy.asarray(Image.fromarray(luma[index]).resize((side, side), Image.Resampling.BICUBIC))
            theirs, their_quality = pdqhash.compute(numpy.repeat(full[:, :, None], 3, axis=2))
            distances.append(int((ours[index] != theirs).sum()))
            off.append(abs(int(quality[index]) - int(their_quality)))
        found[side] = {"mean": sum(distances) / count, "max": max(distances), "quality_off_max": max(off)}
    return found


if __name__ == "__main__":
    print(check())
