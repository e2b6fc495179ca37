"""What re-uploading does to a picture: real changes of its pixels, made at 256x256 before it is hashed.

Each transform takes a Pillow picture and a random source; the strength is drawn from the range that is seen in life, not from what a hash
can bear (a mirrored or rotated picture has another PDQ on purpose: the engine looks up the eight turned hashes).
"""

import io
import random

import numpy
from PIL import Image, ImageDraw, ImageFont, ImageOps

FULL = 256
FONT = ImageFont.load_default(26)


def recompressed(image, rng):
    """Saved again as JPEG of quality 25 to 60."""
    written = io.BytesIO()
    image.save(written, "JPEG", quality=rng.randint(25, 60))
    return Image.open(io.BytesIO(written.getvalue())).convert("L")


def resized(image, rng):
    """Brought down to 48..120 pixels and up again."""
    side = rng.randint(48, 120)
    return image.resize((side, side), Image.Resampling.BILINEAR).resize((FULL, FULL), Image.Resampling.BICUBIC)


def exposed(image, rng):
    """Brighter or darker, harder or softer, another gamma."""
    gain, lift, gamma = rng.uniform(0.7, 1.35), rng.uniform(-30, 30), rng.uniform(0.7, 1.4)
    return image.point([min(255, max(0, int(255 * (level / 255) ** gamma * gain + lift))) for level in range(256)])


def bordered(image, rng):
    """A frame of one shade, 1.5 to 5 % of the side."""
    width = int(FULL * rng.uniform(0.015, 0.05))
    return ImageOps.expand(image.resize((FULL - 2 * width,) * 2), width, fill=rng.choice((0, 255, rng.randint(0, 255))))


def cropped(image, rng):
    """2 to 6 % cut off in each direction, unevenly on the two sides."""
    left, top, right, bottom = (int(FULL * rng.uniform(0.01, 0.03)) for _ in range(4))
    return image.crop((left, top, FULL - right, FULL - bottom)).resize((FULL, FULL), Image.Resampling.BICUBIC)


def captioned(image, rng):
    """A bar with a few words across the foot or the head."""
    image = image.copy()
    draw = ImageDraw.Draw(image)
    top = rng.choice((0, FULL - 40))
    draw.rectangle((0, top, FULL, top + 40), fill=rng.choice((0, 255)))
    draw.text((FULL // 2, top + 20), rng.choice(("BACKUP 2", "NEW ACCOUNT", "OFFICIAL", "FOLLOW BACK", "LIVE")), fill=128, anchor="mm", font=FONT)
    return image


def flipped(image, rng):
    """Mirrored left to right."""
    return ImageOps.mirror(image)


def rotated(image, rng):
    """Turned by a quarter, half or three quarters."""
    return image.transpose(rng.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)))


def inverted(image, rng):
    """The negative."""
    return ImageOps.invert(image)


def uploaded(image, rng):
    """What a platform itself does: JPEG of quality 75 to 92."""
    written = io.BytesIO()
    image.save(written, "JPEG", quality=rng.randint(75, 92))
    return Image.open(io.BytesIO(written.getvalue())).convert("L")


TRANSFORMS = {change.__name__: change for change in (recompressed, resized, exposed, bordered, cropped, captioned, flipped, rotated, inverted, uploaded)}
TRANSFORMS["rehued"] = uploaded  # the hue is turned while rendering, where colours still exist


def apply(luma: numpy.ndarray, name: str, seed: int) -> numpy.ndarray:
    """Returns the 64x64 luma of a picture that went through a transform; about 1 ms."""
    rng = random.Random(seed)
    full = Image.fromarray(luma.round().astype(numpy.uint8)).resize((FULL, FULL), Image.Resampling.BICUBIC)
    changed = TRANSFORMS[name](full, rng)
    if name != "uploaded":
        changed = uploaded(changed, rng)
    return numpy.asarray(changed.resize((64, 64), Image.Resampling.BOX), numpy.float32)
