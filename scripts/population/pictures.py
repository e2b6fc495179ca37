"""Profile pictures as 64x64 luma buffers, each a function of one number.

A picture id of 0 or less is a shared one (a platform's default, a flag); 1 and up are composed of two emoji over a gradient with low-frequency
noise and grain. Popular stock pictures and network logos are ordinary ids that many accounts use. No photographs: see the weaknesses in
scripts/README.md.
"""

import random

import numpy
from PIL import Image, ImageDraw

from population.pools import load
from population.randomness import half_of, uniforms

SIDE = 64
BATCH = 512
PLATFORMS = ("x", "facebook", "instagram", "tiktok", "telegram", "whatsapp", "youtube", "mastodon")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
STOCK = range(1, 4001)
LOGO_BASE = 10_000
PERSONAL_BASE = 1_000_000


def default_id(platform: str, handle: str) -> int:
    """Returns the picture an account has that never chose one: a letter on a disc where the platform draws letters, else one silhouette."""
    if platform in ("telegram", "youtube") and handle[:1].upper() in LETTERS and handle:
        return -(100 + LETTERS.index(handle[0].upper()) + 50 * (platform == "youtube"))
    return -PLATFORMS.index(platform) if platform in PLATFORMS else 0


def flag_id(number: int) -> int:
    """Returns the id of a country's flag, 0 to 250."""
    return -(1000 + number)


def _shared(picture: int, flags: numpy.ndarray) -> numpy.ndarray:
    if picture <= -1000:
        return flags[(-picture - 1000) % len(flags)].astype(numpy.float32)
    number = -picture
    rng = random.Random(number)
    image = Image.new("L", (256, 256), rng.randint(140, 235))
    draw = ImageDraw.Draw(image)
    if number >= 100:
        from PIL import ImageFont

        draw.rectangle((0, 0, 256, 256), fill=100 + 45 * (number >= 150))
        draw.text((128, 128), LETTERS[(number - 100) % 50], fill=245, anchor="mm", font=ImageFont.load_default(150))
    else:
        skin = rng.randint(60, 120) if number % 2 else 250
        draw.ellipse((84 - number, 50, 172 + number, 138 + 2 * number), fill=skin)
        draw.ellipse((28 + 2 * number, 150 + number, 228 - 2 * number, 330), fill=skin)
    return numpy.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX), numpy.float32)


class Gallery:
    """The base pictures of one split, and what is composed of them."""

    def __init__(self, luma, hue, alpha, flags):
        self.luma, self.hue, self.alpha, self.flags = luma, hue, alpha, flags
        self.known = {}
        positions = numpy.arange(SIDE)
        grid = numpy.arange(8) * (SIDE - 1) / 7
        # Linear interpolation from 8 knots to 64 points: rough enough for light and shade.
        self.rise = numpy.maximum(0, 1 - numpy.abs(positions[:, None] - grid[None, :]) * 7 / (SIDE - 1)).astype(numpy.float32)
        self.grain = numpy.random.default_rng(1).normal(0, 1, (64, SIDE, SIDE)).astype(numpy.float32)

    @staticmethod
    def load(split: str) -> "Gallery":
        """Reads the pool; personal pictures of the two splits are composed of different emoji, flags are the world's."""
        pool = load("pictures")
        mine = numpy.array([half_of(str(name).split("-")[0]) == split for name in pool["names"]])
        return Gallery(pool["luma"][mine], pool["hue"][mine], pool["alpha"][mine], pool["flags"])

    def render(self, ids: numpy.ndarray, hue: bool = False) -> numpy.ndarray:
        """Returns `(n, 64, 64)` float luma; with `hue`, the same pictures after a turn of the colour wheel. About 0.1 ms each."""
        ids = numpy.asarray(ids, numpy.int64)
        result = numpy.empty((len(ids), SIDE, SIDE), numpy.float32)
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            own = part > 0
            if own.any():
                result[start : start + BATCH][own] = self._compose(part[own], hue)
            for place in numpy.flatnonzero(~own):
                picture = int(part[place])
                if picture not in self.known:
                    self.known[picture] = _shared(picture, self.flags)
                result[start + place] = self.known[picture]
        return result

    def _compose(self, ids: numpy.ndarray, hue: bool) -> numpy.ndarray:
        u = lambda column: uniforms(ids, column).astype(numpy.float32)[:, None, None]
        ramp = numpy.linspace(-1, 1, SIDE, dtype=numpy.float32)
        canvas = 40 + 180 * u(0) + 70 * (u(1) - 0.5) * ramp[None, :, None] + 70 * (u(2) - 0.5) * ramp[None, None, :]
        knots = numpy.stack([uniforms(ids, 100 + column) for column in range(64)], axis=1).reshape(-1, 8, 8).astype(numpy.float32) - 0.5
        canvas = canvas + (40 + 120 * u(3)) * (self.rise @ knots @ self.rise.T)
        if hue:
            canvas = canvas * (0.75 + 0.4 * u(90))
        # A large first emoji, cut by the frame as a face is, then a smaller one anywhere.
        canvas = self._lay(canvas, ids, 10, 0.55, 0.95, 0.25, 0.75, 1.0, hue)
        canvas = self._lay(canvas, ids, 20, 1.2, 2.4, 0.7, 0.5, 0.95, hue)
        grain = self.grain[(uniforms(ids, 4) * 64).astype(int)]
        return numpy.clip((canvas - 128) * (0.75 + 0.5 * u(5)) + 128 + (1 + 5 * u(6)) * grain, 0, 255)

    def _lay(self, canvas, ids, column, zoom_low, zoom_high, wander, opacity_low, opacity_high, hue):
        number = (uniforms(ids, column) * len(self.luma)).astype(numpy.int64)
        zoom = zoom_low + (zoom_high - zoom_low) * uniforms(ids, column + 1)
        mirrored = numpy.where(uniforms(ids, column + 5) < 0.5, -1.0, 1.0)
        axis = numpy.arange(SIDE) - 31.5
        rows = (axis - (wander * 64 * (uniforms(ids, column + 2) - 0.5))[:, None]) * zoom[:, None] + 31.5
        columns = (axis - (wander * 64 * (uniforms(ids, column + 3) - 0.5))[:, None]) * (zoom * mirrored)[:, None] + 31.5
        inside = ((rows >= 0) & (rows < 64))[:, :, None] & ((columns >= 0) & (columns < 64))[:, None, :]
        row = numpy.clip(rows, 0, 63).astype(numpy.int64)
        place = number[:, None, None] * 4096 + row[:, :, None] * 64 + numpy.clip(columns, 0, 63).astype(numpy.int64)[:, None, :]
        opacity = (opacity_low + (opacity_high - opacity_low) * uniforms(ids, column + 4)).astype(numpy.float32)[:, None, None]
        weight = (self.alpha.reshape(-1)[place] * (opacity / 255)) * inside
        return canvas + weight * ((self.hue if hue else self.luma).reshape(-1)[place] - canvas)
