"""The drawing kit behind `draw_avatars.py`: palettes, a canvas in unit coordinates, backgrounds and motifs.

Everything is drawn with plain shapes at four times the final size and then shrunk, so that no font and no foreign picture is needed
and the same seed gives the same picture. It knows nothing of files, accounts or hashes.
"""

import itertools
import math
import random

from PIL import Image, ImageDraw

SIDE = 96
SCALE = 4

# Five colours a palette: sky, ground, ink, bright, accent.
PALETTES = {
    "night": ("#0b1530", "#1f3b5c", "#05070d", "#f4f1de", "#e0a458"),
    "sand": ("#f2dfb8", "#c99a5b", "#3a2412", "#fffaf0", "#8c2f1b"),
    "forest": ("#dcefdc", "#2f6b3c", "#10240f", "#ffffff", "#e3b505"),
    "dusk": ("#f6a26b", "#6a2c70", "#1e0f24", "#ffe9c7", "#b83b5e"),
    "ice": ("#e8f4fb", "#5d93b5", "#0e2a3b", "#ffffff", "#d1495b"),
    "gold": ("#2b2111", "#7a5c1e", "#120d05", "#ffe08a", "#f2b705"),
    "press": ("#ffffff", "#bfc7cf", "#111111", "#f7f7f7", "#c1121f"),
    "candy": ("#ffd6ec", "#8e5bd0", "#2d1246", "#ffffff", "#00b5ad"),
    "moss": ("#c9c7a1", "#5a5f2c", "#20220f", "#f5f2d8", "#a4431c"),
    "neon": ("#160c28", "#3a1078", "#000000", "#a8ff3e", "#ff2e63"),
}


class Canvas:
    """A square picture drawn in unit coordinates at four times its final size, then shrunk."""

    def __init__(self, seed, palette):
        self.random = random.Random(seed)
        self.sky, self.ground, self.ink, self.bright, self.accent = PALETTES[palette]
        self.full = SIDE * SCALE
        self.picture = Image.new("RGB", (self.full, self.full), self.sky)
        self.pen = ImageDraw.Draw(self.picture)

    def scaled(self, points):
        return [(x * self.full, y * self.full) for x, y in points]

    def disc(self, x, y, radius, color, stretch=1.0):
        corners = [(x - radius * stretch, y - radius), (x + radius * stretch, y + radius)]
        self.pen.ellipse(self.scaled(corners), fill=color)

    def ring(self, x, y, radius, color, width=0.02):
        corners = [(x - radius, y - radius), (x + radius, y + radius)]
        self.pen.ellipse(self.scaled(corners), outline=color, width=int(width * self.full))

    def box(self, left, top, right, bottom, color):
        self.pen.rectangle(self.scaled([(left, top), (right, bottom)]), fill=color)

    def poly(self, points, color):
        self.pen.polygon(self.scaled(points), fill=color)

    def line(self, points, color, width=0.03):
        self.pen.line(self.scaled(points), fill=color, width=int(width * self.full), joint="curve")

    def arc(self, x, y, radius, start, end, color, width=0.03):
        corners = self.scaled([(x - radius, y - radius), (x + radius, y + radius)])
        self.pen.arc(corners, start, end, fill=color, width=int(width * self.full))

    def spokes(self, x, y, inner, outer, count, turn=0.0):
        """Returns points that alternate between two radii: stars, suns, cogs."""
        steps = ((index, math.pi * index / count + turn) for index in range(2 * count))
        return [
            (x + math.sin(angle) * (inner if index % 2 else outer), y - math.cos(angle) * (inner if index % 2 else outer))
            for index, angle in steps
        ]

    def finished(self):
        small = self.picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        return small


# Backgrounds: one argument, the canvas.


def bokeh(canvas):
    for _ in range(26):
        color = canvas.random.choice([canvas.ground, canvas.bright, canvas.accent, canvas.ink])
        canvas.disc(canvas.random.random(), canvas.random.random(), canvas.random.uniform(0.03, 0.13), color)


def hills(canvas):
    for layer, color in enumerate([canvas.accent, canvas.ground, canvas.ink]):
        base = 0.45 + 0.17 * layer
        points = [(0, 1), (0, base)]
        points += [(step / 7, base + canvas.random.uniform(-0.17, 0.12)) for step in range(1, 8)]
        canvas.poly(points + [(1, 1)], color)


def rays(canvas):
    x, y, count = canvas.random.uniform(0.2, 0.8), canvas.random.uniform(0.2, 0.9), canvas.random.randint(7, 12)
    for index in range(count):
        angle = 2 * math.pi * index / count + canvas.random.uniform(-0.1, 0.1)
        wide = angle + canvas.random.uniform(0.15, 0.35)
        ends = [(x + 2 * math.cos(turn), y + 2 * math.sin(turn)) for turn in (angle, wide)]
        canvas.poly([(x, y)] + ends, canvas.random.choice([canvas.ground, canvas.accent]))


def sea(canvas):
    canvas.disc(canvas.random.uniform(0.2, 0.8), 0.25, 0.13, canvas.accent)
    for row in range(6):
        top = 0.45 + row * 0.1
        shift, height = canvas.random.uniform(0, 6), canvas.random.uniform(0.02, 0.06)
        crest = [(step / 24, top + height * math.sin(step * 0.9 + shift)) for step in range(25)]
        canvas.poly([(0, 1)] + crest + [(1, 1)], [canvas.ground, canvas.bright, canvas.ink][row % 3])


def quilt(canvas):
    for row, column in itertools.product(range(6), range(6)):
        color = canvas.random.choice([canvas.sky, canvas.ground, canvas.accent, canvas.bright])
        canvas.box(column / 6, row / 6, (column + 1) / 6, (row + 1) / 6, color)


def town(canvas):
    left = 0.0
    while left < 1.0:
        width, top = canvas.random.uniform(0.08, 0.19), canvas.random.uniform(0.2, 0.7)
        canvas.box(left, top, left + width, 1, canvas.random.choice([canvas.ground, canvas.ink, canvas.accent]))
        for row in range(int((1 - top) / 0.1)):
            if canvas.random.random() < 0.7:
                canvas.box(left + 0.02, top + 0.03 + row * 0.1, left + 0.06, top + 0.08 + row * 0.1, canvas.bright)
        left += width


# Motifs: the canvas, a centre and a size.


def falcon(canvas, x, y, size):
    canvas.poly([(x - size, y - size * 0.7), (x, y - size * 0.1), (x + size * 0.9, y - size), (x + size * 0.4, y + size * 0.2),
                 (x + size * 0.1, y + size * 0.9), (x - size * 0.15, y + size * 0.3)], canvas.ink)
    canvas.disc(x + size * 0.1, y - size * 0.15, size * 0.2, canvas.bright)
    canvas.poly([(x + size * 0.25, y - size * 0.2), (x + size * 0.55, y - size * 0.05), (x + size * 0.2, y)], canvas.accent)


def banner(canvas, x, y, size):
    canvas.line([(x - size, y - size), (x - size, y + size * 1.2)], canvas.ink, 0.04)
    canvas.poly([(x - size, y - size), (x + size, y - size * 0.7), (x + size * 0.6, y - size * 0.2), (x + size, y + size * 0.3),
                 (x - size, y + size * 0.1)], canvas.bright)
    strokes(canvas, x - size * 0.1, y - size * 0.4, size * 0.6)


def strokes(canvas, x, y, size):
    for index in range(4):
        start = canvas.random.uniform(0, 360)
        shift = size * (index - 1.5) * 0.5
        canvas.arc(x + shift, y + canvas.random.uniform(-0.2, 0.2) * size, size * canvas.random.uniform(0.3, 0.6), start,
                   start + canvas.random.uniform(120, 260), canvas.ink, 0.035)
        canvas.disc(x + shift, y + size * canvas.random.choice([-0.8, 0.7]), 0.018, canvas.ink)


def microphone(canvas, x, y, size):
    canvas.disc(x, y - size * 0.4, size * 0.55, canvas.ink, 0.7)
    for row in range(3):
        height = y - size * (0.7 - row * 0.25)
        canvas.line([(x - size * 0.35, height), (x + size * 0.35, height)], canvas.bright, 0.015)
    canvas.arc(x, y - size * 0.2, size * 0.65, 10, 170, canvas.accent, 0.03)
    canvas.line([(x, y + size * 0.4), (x + size * 0.15, y + size)], canvas.accent, 0.04)


def lantern(canvas, x, y, size):
    canvas.poly([(x, y - size), (x + size * 0.6, y - size * 0.4), (x + size * 0.4, y + size * 0.8), (x - size * 0.4, y + size * 0.8),
                 (x - size * 0.6, y - size * 0.4)], canvas.ink)
    canvas.disc(x, y + size * 0.2, size * 0.32, canvas.bright, 0.7)
    canvas.disc(x + size * 0.05, y + size * 0.3, size * 0.15, canvas.accent)
    canvas.ring(x, y - size, size * 0.2, canvas.ink)


def coin(canvas, x, y, size):
    canvas.disc(x, y, size, canvas.accent)
    canvas.ring(x, y, size * 0.85, canvas.ink, 0.02)
    canvas.poly(canvas.spokes(x, y, size * 0.3, size * 0.65, 5, canvas.random.uniform(0, 1)), canvas.bright)
    canvas.line([(x - size * 0.3, y + size * 0.5), (x + size * 0.2, y - size * 0.55)], canvas.ink, 0.04)


def chart(canvas, x, y, size):
    heights = [canvas.random.uniform(0.2, 1.5) for _ in range(6)]
    for index, height in enumerate(heights):
        left = x - size + index * size * 0.34
        canvas.box(left, y + size - height * size, left + size * 0.22, y + size, canvas.ink if index % 2 else canvas.bright)
    tops = [(x - size + index * size * 0.34, y + size * 0.5 - height * size) for index, height in enumerate(heights)]
    canvas.line(tops, canvas.accent, 0.03)


def globe(canvas, x, y, size):
    canvas.disc(x, y, size, canvas.ink)
    for stretch in (0.35, 0.75):
        corners = [(x - size * stretch, y - size), (x + size * stretch, y + size)]
        canvas.pen.ellipse(canvas.scaled(corners), outline=canvas.bright, width=7)
    for shift in (-0.45, 0.0, 0.45):
        canvas.line([(x - size * 0.85, y + size * shift), (x + size * 0.85, y + size * shift)], canvas.bright, 0.017)
    canvas.disc(x + size * 0.3, y - size * 0.3, size * 0.25, canvas.accent)


def star(canvas, x, y, size):
    canvas.poly(canvas.spokes(x, y, size * 0.42, size, canvas.random.randint(5, 8), canvas.random.random()), canvas.accent)
    canvas.disc(x, y, size * 0.2, canvas.ink)


def crescent(canvas, x, y, size):
    canvas.disc(x, y, size, canvas.bright)
    canvas.disc(x + size * 0.4, y - size * 0.15, size * 0.8, canvas.ink)


def camels(canvas, x, y, size):
    for index in range(3):
        left, top = x - size + index * size * 0.75, y + canvas.random.uniform(-0.1, 0.1) * size
        canvas.disc(left, top, size * 0.22, canvas.ink, 1.3)
        canvas.disc(left, top - size * 0.25, size * 0.12, canvas.ink)
        canvas.line([(left + size * 0.2, top), (left + size * 0.4, top - size * 0.4)], canvas.ink, 0.025)
        for leg in (-0.18, 0.15):
            canvas.line([(left + size * leg, top), (left + size * leg, top + size * 0.55)], canvas.ink, 0.02)


def book(canvas, x, y, size):
    canvas.poly([(x, y - size * 0.4), (x + size, y - size * 0.7), (x + size, y + size * 0.5), (x, y + size * 0.8)], canvas.bright)
    canvas.poly([(x, y - size * 0.4), (x - size, y - size * 0.6), (x - size, y + size * 0.6), (x, y + size * 0.8)], canvas.ink)
    for row in range(4):
        height = y - size * 0.3 + row * size * 0.25
        canvas.line([(x + size * 0.15, height), (x + size * canvas.random.uniform(0.5, 0.85), height - size * 0.2)], canvas.ink, 0.018)


def gift(canvas, x, y, size):
    canvas.box(x - size, y - size * 0.4, x + size * 0.9, y + size, canvas.accent)
    canvas.box(x - size * 0.15, y - size * 0.4, x + size * 0.15, y + size, canvas.bright)
    canvas.ring(x - size * 0.35, y - size * 0.65, size * 0.3, canvas.ink, 0.03)
    canvas.ring(x + size * 0.35, y - size * 0.7, size * 0.35, canvas.bright, 0.03)


def phone(canvas, x, y, size):
    canvas.poly([(x - size * 0.6, y - size), (x + size * 0.35, y - size * 1.1), (x + size * 0.6, y + size), (x - size * 0.4, y + size)],
                canvas.ink)
    canvas.poly([(x - size * 0.45, y - size * 0.8), (x + size * 0.25, y - size * 0.85), (x + size * 0.42, y + size * 0.7),
                 (x - size * 0.28, y + size * 0.7)], canvas.bright)
    canvas.poly(canvas.spokes(x, y, size * 0.12, size * 0.35, 6), canvas.accent)


def wheel(canvas, x, y, size):
    for index in range(9):
        color = [canvas.accent, canvas.bright, canvas.ink, canvas.ground][canvas.random.randrange(4)]
        corners = canvas.scaled([(x - size, y - size), (x + size, y + size)])
        canvas.pen.pieslice(corners, index * 40, index * 40 + 40, fill=color)
    canvas.disc(x, y, size * 0.2, canvas.sky)


def mask(canvas, x, y, size):
    canvas.disc(x, y, size, canvas.bright, 0.8)
    canvas.poly([(x - size * 0.6, y - size * 0.3), (x - size * 0.1, y), (x - size * 0.55, y + size * 0.1)], canvas.ink)
    canvas.disc(x + size * 0.35, y - size * 0.1, size * 0.22, canvas.ink)
    canvas.arc(x, y + size * 0.2, size * 0.5, 20, 130, canvas.accent, 0.05)


def invader(canvas, x, y, size):
    for row, column in itertools.product(range(6), range(7)):
        if canvas.random.random() < 0.55:
            left, top = x - size + column * size * 0.29, y - size + row * size * 0.33
            canvas.box(left, top, left + size * 0.26, top + size * 0.3, canvas.bright if row % 3 else canvas.accent)


def face(canvas, x, y, size):
    skin = canvas.random.choice(["#8d5524", "#c68642", "#e0ac69", "#f1c27d"])
    canvas.disc(x, y + size * 1.5, size * 1.0, canvas.random.choice([canvas.accent, canvas.ground]), 1.2)
    canvas.disc(x + canvas.random.uniform(-0.1, 0.1) * size, y - size * 0.25, size * 1.02, canvas.ink)
    canvas.disc(x, y, size * 0.85, skin, 0.85)
    for side in (-0.3, 0.33):
        canvas.disc(x + size * side, y - size * 0.1, size * 0.13, "#ffffff")
        canvas.disc(x + size * (side + 0.03), y - size * 0.08, size * 0.07, canvas.ink)
    canvas.arc(x, y + size * 0.2, size * 0.35, 20, 160, canvas.ink, 0.02)
    if canvas.random.random() < 0.5:
        canvas.poly([(x - size * 0.6, y + size * 0.3), (x + size * 0.6, y + size * 0.35), (x + size * 0.1, y + size * 0.95)], canvas.ink)


def cat(canvas, x, y, size):
    canvas.poly([(x - size, y - size * 1.1), (x - size * 0.2, y - size * 0.6), (x - size * 0.8, y)], canvas.accent)
    canvas.poly([(x + size * 0.9, y - size * 1.2), (x + size * 0.3, y - size * 0.6), (x + size * 0.8, y)], canvas.ink)
    canvas.disc(x, y, size * 0.9, canvas.accent)
    for side in (-0.35, 0.35):
        canvas.disc(x + size * side, y - size * 0.1, size * 0.2, canvas.bright)
        canvas.disc(x + size * side, y - size * 0.1, size * 0.09, canvas.ink)
    canvas.line([(x - size, y + size * 0.4), (x, y + size * 0.3), (x + size * 1.1, y + size * 0.5)], canvas.ink, 0.015)


def cup(canvas, x, y, size):
    canvas.poly([(x - size * 0.7, y - size * 0.3), (x + size * 0.6, y - size * 0.3), (x + size * 0.4, y + size * 0.8),
                 (x - size * 0.5, y + size * 0.8)], canvas.bright)
    canvas.ring(x + size * 0.65, y + size * 0.1, size * 0.3, canvas.bright, 0.03)
    canvas.disc(x, y - size * 0.3, size * 0.15, canvas.ink, 4)
    for shift in (-0.3, 0.1):
        canvas.arc(x + size * shift, y - size * 0.8, size * 0.3, 250, 470, canvas.ink, 0.025)


def bicycle(canvas, x, y, size):
    for side in (-0.65, 0.7):
        canvas.ring(x + size * side, y + size * 0.4, size * 0.5, canvas.ink, 0.025)
    frame = [(-0.65, 0.4), (-0.2, -0.4), (0.5, -0.4), (0.05, 0.4), (-0.65, 0.4)]
    canvas.line([(x + size * left, y + size * top) for left, top in frame], canvas.accent, 0.03)
    canvas.line([(x + size * 0.7, y + size * 0.4), (x + size * 0.45, y - size * 0.7)], canvas.accent, 0.03)


def flower(canvas, x, y, size):
    canvas.line([(x, y), (x - size * 0.3, y + size * 1.6)], canvas.ink, 0.03)
    for index in range(6):
        angle = index * math.pi / 3 + 0.3
        color = canvas.accent if index % 2 else canvas.bright
        canvas.disc(x + math.cos(angle) * size * 0.55, y + math.sin(angle) * size * 0.55, size * 0.38, color)
    canvas.disc(x, y, size * 0.3, canvas.ink)
