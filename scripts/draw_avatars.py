#!/usr/bin/env python3
"""Draws the fictional avatars of `data/avatars/`.

Every picture is a row of `PICTURES`: a seed, a palette, a background and motifs placed in unit coordinates, so no font and no
foreign picture is used. `VARIANTS` are what a mirror account does to a stolen picture: compressed again, cropped, brightened,
mirrored, framed. The seeded texture under each motif keeps two pictures with the same motif far apart under PDQ.

    draw_avatars.py [--out data/avatars]               draws all of them
    draw_avatars.py [--out data/avatars] --reference   writes reference.ndjson and checks the distances (needs PyPI pdqhash)

Needs Pillow, and numpy for `--reference`. It draws; it judges no account.
"""

import argparse
import itertools
import json
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

import avatar_kit as kit

COLORS_MAX = 20
BYTES_MAX = 6 * 1024
SAME_DISTANCE_MAX = 31
OTHER_DISTANCE_MIN = 60

# (file stem, seed, palette, background, [(motif, x, y, size), ..]); one row is one picture.
PICTURES = [
    ("tormand_banner", 11, "sand", kit.hills, [(kit.banner, 0.55, 0.4, 0.28)]),
    ("tormand_falcon", 12, "dusk", kit.rays, [(kit.falcon, 0.5, 0.45, 0.38)]),
    ("tormand_pen", 13, "forest", kit.bokeh, [(kit.strokes, 0.5, 0.5, 0.42)]),
    ("tormand_valley", 14, "forest", kit.hills, [(kit.crescent, 0.7, 0.22, 0.13)]),
    ("tormand_mic", 15, "night", kit.rays, [(kit.microphone, 0.42, 0.45, 0.34)]),
    ("tormand_lantern", 16, "gold", kit.hills, [(kit.lantern, 0.36, 0.5, 0.36)]),
    ("tormand_studio", 17, "press", kit.town, [(kit.microphone, 0.7, 0.5, 0.26), (kit.star, 0.2, 0.2, 0.14)]),
    ("tormand_daughter", 18, "candy", kit.bokeh, [(kit.flower, 0.6, 0.4, 0.26)]),
    ("velmintra_coin", 21, "gold", kit.rays, [(kit.coin, 0.52, 0.5, 0.33)]),
    ("velmintra_chart", 22, "ice", kit.quilt, [(kit.chart, 0.55, 0.5, 0.36)]),
    ("velmintra_vault", 23, "night", kit.quilt, [(kit.wheel, 0.45, 0.52, 0.3)]),
    ("velmintra_adviser", 24, "press", kit.town, [(kit.face, 0.55, 0.42, 0.26)]),
    ("velmintra_rocket", 25, "neon", kit.bokeh, [(kit.phone, 0.62, 0.45, 0.3), (kit.coin, 0.25, 0.7, 0.18)]),
    ("zorvani_globe", 31, "press", kit.rays, [(kit.globe, 0.48, 0.48, 0.32)]),
    ("zorvani_tower", 32, "dusk", kit.town, [(kit.star, 0.75, 0.22, 0.16)]),
    ("zorvani_desk", 33, "ice", kit.bokeh, [(kit.book, 0.5, 0.5, 0.34)]),
    ("zorvani_ticker", 34, "moss", kit.quilt, [(kit.globe, 0.3, 0.3, 0.2), (kit.chart, 0.65, 0.7, 0.22)]),
    ("zimar_caravan", 41, "sand", kit.sea, [(kit.camels, 0.5, 0.5, 0.4)]),
    ("zimar_stars", 42, "night", kit.bokeh, [(kit.star, 0.3, 0.35, 0.2), (kit.star, 0.7, 0.65, 0.17)]),
    ("zimar_books", 43, "moss", kit.rays, [(kit.book, 0.46, 0.52, 0.33)]),
    ("zimar_moon", 44, "dusk", kit.sea, [(kit.crescent, 0.35, 0.35, 0.24)]),
    ("sorran_emblem", 51, "forest", kit.quilt, [(kit.star, 0.44, 0.42, 0.3), (kit.strokes, 0.55, 0.82, 0.2)]),
    ("sorran_peaks", 52, "ice", kit.hills, [(kit.star, 0.25, 0.2, 0.12)]),
    ("sorran_wave", 53, "ice", kit.sea, [(kit.falcon, 0.6, 0.35, 0.2)]),
    ("sorran_script", 54, "sand", kit.rays, [(kit.strokes, 0.45, 0.45, 0.44), (kit.strokes, 0.5, 0.75, 0.2)]),
    ("lumidravo_gift", 61, "candy", kit.rays, [(kit.gift, 0.5, 0.55, 0.3)]),
    ("lumidravo_phone", 62, "candy", kit.quilt, [(kit.phone, 0.42, 0.5, 0.36)]),
    ("lumidravo_wheel", 63, "neon", kit.rays, [(kit.wheel, 0.5, 0.45, 0.34)]),
    ("grim_mask", 71, "neon", kit.quilt, [(kit.mask, 0.5, 0.5, 0.33)]),
    ("grim_raven", 72, "moss", kit.bokeh, [(kit.falcon, 0.45, 0.5, 0.42)]),
    ("grim_pixel", 73, "neon", kit.town, [(kit.invader, 0.5, 0.5, 0.36)]),
    ("lone_driver", 81, "sand", kit.town, [(kit.face, 0.35, 0.4, 0.27)]),
    ("lone_singer", 82, "dusk", kit.bokeh, [(kit.face, 0.6, 0.42, 0.25), (kit.microphone, 0.22, 0.6, 0.2)]),
    ("lone_trader", 83, "moss", kit.quilt, [(kit.face, 0.48, 0.38, 0.28)]),
    ("face_amina", 91, "candy", kit.hills, [(kit.face, 0.55, 0.4, 0.26)]),
    ("face_bilal", 92, "forest", kit.rays, [(kit.face, 0.4, 0.42, 0.27)]),
    ("face_chen", 93, "ice", kit.town, [(kit.face, 0.62, 0.45, 0.24)]),
    ("face_daria", 94, "dusk", kit.sea, [(kit.face, 0.48, 0.4, 0.29)]),
    ("face_emre", 95, "night", kit.hills, [(kit.face, 0.38, 0.46, 0.25)]),
    ("face_farah", 96, "gold", kit.quilt, [(kit.face, 0.56, 0.4, 0.25)]),
    ("face_gita", 97, "sand", kit.bokeh, [(kit.face, 0.5, 0.44, 0.24)]),
    ("face_hasan", 98, "press", kit.sea, [(kit.face, 0.42, 0.38, 0.26)]),
    ("desk_skyline", 101, "night", kit.town, [(kit.globe, 0.25, 0.25, 0.15)]),
    ("fan_cat", 102, "candy", kit.town, [(kit.cat, 0.5, 0.5, 0.3)]),
    ("fan_cup", 103, "moss", kit.hills, [(kit.cup, 0.5, 0.5, 0.28)]),
    ("fan_bicycle", 104, "forest", kit.sea, [(kit.bicycle, 0.5, 0.5, 0.36)]),
    ("fan_flower", 105, "ice", kit.rays, [(kit.flower, 0.45, 0.4, 0.25)]),
    ("fan_beach", 106, "sand", kit.sea, [(kit.star, 0.2, 0.75, 0.12)]),
    ("paper_library", 107, "press", kit.quilt, [(kit.book, 0.5, 0.45, 0.3)]),
    ("paper_press", 108, "press", kit.bokeh, [(kit.microphone, 0.55, 0.45, 0.3)]),
]

# (new file, base stem, change)
VARIANTS = [
    ("tormand_banner_again.jpg", "tormand_banner", "compress"),
    ("tormand_falcon_again.webp", "tormand_falcon", "compress"),
    ("velmintra_coin_again.jpg", "velmintra_coin", "compress"),
    ("zimar_caravan_again.jpg", "zimar_caravan", "compress"),
    ("tormand_lantern_cropped.png", "tormand_lantern", "crop"),
    ("sorran_emblem_cropped.webp", "sorran_emblem", "crop"),
    ("velmintra_vault_cropped.png", "velmintra_vault", "crop"),
    ("tormand_mic_mirrored.png", "tormand_mic", "mirror"),
    ("zorvani_globe_mirrored.jpg", "zorvani_globe", "mirror"),
    ("grim_raven_mirrored.png", "grim_raven", "mirror"),
    ("velmintra_chart_bright.png", "velmintra_chart", "brighten"),
    ("sorran_peaks_bright.jpg", "sorran_peaks", "brighten"),
    ("lumidravo_gift_framed.png", "lumidravo_gift", "frame"),
    ("zimar_stars_framed.webp", "zimar_stars", "frame"),
    ("grim_pixel_animated.gif", "grim_pixel", "animate"),
]


def default_pictures():
    """Returns what a platform or a crowd shares: two silhouettes and a plain flag, all too flat to be evidence."""
    pictures = {}
    for name, sky, figure in (("default_grey", "#d9dee2", "#aeb8bf"), ("default_blue", "#c8d9ea", "#9fb9d2")):
        canvas = kit.Canvas(1, "press")
        canvas.box(0, 0, 1, 1, sky)
        canvas.disc(0.5, 0.38 if name == "default_grey" else 0.42, 0.18, figure)
        canvas.disc(0.5, 1.0, 0.32, figure, 1.2)
        pictures[name] = canvas.finished()
    canvas = kit.Canvas(2, "forest")
    for row, color in enumerate(["#7fa98a", "#e9e9e4", "#8a9fc0"]):
        canvas.box(0, row / 3, 1, (row + 1) / 3, color)
    pictures["flag_three_bands"] = canvas.finished()
    return pictures


def changed(picture, change):
    """Returns the picture as a mirror account would upload it again."""
    if change == "crop":
        edge = 1  # 4 % of the area
        return picture.crop((edge, edge, kit.SIDE - edge, kit.SIDE - edge)).resize((kit.SIDE, kit.SIDE), Image.Resampling.BICUBIC)
    if change == "mirror":
        return ImageOps.mirror(picture)
    if change == "brighten":
        return ImageEnhance.Contrast(ImageEnhance.Brightness(picture).enhance(1.2)).enhance(0.9)
    if change == "frame":
        framed = picture.copy()
        ImageDraw.Draw(framed).rectangle((0, 0, kit.SIDE - 1, kit.SIDE - 1), outline="#202020", width=2)
        return framed
    return picture


def save(picture, path, quality=72):
    """Writes one picture in the format of its suffix, small enough for a repository."""
    if path.suffix == ".png":
        picture.quantize(COLORS_MAX, dither=Image.Dither.NONE).save(path, optimize=True)
    else:
        picture.save(path, quality=quality)


def draw(out):
    """Draws every picture and every variant into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    bases = default_pictures()
    for name, seed, palette, background, motifs in PICTURES:
        canvas = kit.Canvas(seed, palette)
        background(canvas)
        for motif, x, y, size in motifs:
            motif(canvas, x, y, size)
        bases[name] = canvas.finished()
    for name, picture in bases.items():
        save(picture, out / f"{name}.png")
    for name, base, change in VARIANTS:
        picture = changed(bases[base], change)
        if change == "animate":
            frames = [frame.quantize(COLORS_MAX) for frame in (picture, ImageOps.invert(picture))]
            frames[0].save(out / name, save_all=True, append_images=frames[1:], duration=400, loop=0)
        else:
            save(picture, out / name, quality=40 if change == "compress" else 72)


def reference(out):
    """Writes PDQ and quality of each picture as Meta's code gives them; returns complaints about sizes and distances."""
    import numpy
    import pdqhash

    hashes, turned, complaints, lines = {}, {}, [], []
    for path in sorted(out.iterdir()):
        if path.suffix == ".ndjson":
            continue
        pixels = numpy.array(Image.open(path).convert("RGB"))
        bits, quality = pdqhash.compute(pixels)
        hashes[path.name], turned[path.name] = bits, pdqhash.compute_dihedral(pixels)[0]
        pdq = numpy.packbits(bits).tobytes().hex()
        lines.append(json.dumps({"file": path.name, "pdq": pdq, "quality": int(quality)}))
        if path.stat().st_size > BYTES_MAX:
            complaints.append(f"{path.name}: {path.stat().st_size} bytes")
    family = {name: f"{base}.png" for name, base, _ in VARIANTS}
    for left, right in itertools.combinations(hashes, 2):
        distance = min(int((hashes[left] != bits).sum()) for bits in turned[right])
        same = family.get(left, left) == family.get(right, right)
        if distance > SAME_DISTANCE_MAX if same else distance <= OTHER_DISTANCE_MIN:
            complaints.append(f"{left} and {right}: distance {distance}")
    (out / "reference.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return complaints


def main():
    """Reads the command line; exits 1 when a picture breaks a promise of `data/README.md`."""
    parser = argparse.ArgumentParser(description="Draws the fictional avatars of data/avatars/.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent / "data" / "avatars")
    parser.add_argument("--reference", action="store_true", help="write reference.ndjson instead of drawing")
    options = parser.parse_args()
    if not options.reference:
        draw(options.out)
        return
    complaints = reference(options.out)
    raise SystemExit("\n".join(complaints) or None)


if __name__ == "__main__":
    main()
