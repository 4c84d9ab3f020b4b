"""What is around the head: the backdrop behind, the clothes below, the trinkets in the hair."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from ganzoo_drawn.anime.canvas import Canvas
from ganzoo_drawn.anime.palette import BLACK, WHITE, Colour, Hair, mix
from ganzoo_drawn.anime.params import Face
from ganzoo_drawn.curves import Points, curve, ellipse, loop, mirrored

LINE = 0.026  # thickness of outlines, in head units

# --- backdrops: painted small and enlarged, so that they are out of focus ---------------------------------------------

SMALL = 96  # pixels of the side of the small painting
BLUR = 4  # by which it is reduced before it is enlarged
PLAIN: dict[str, Colour | None] = {"white": WHITE, "plain": None}  # None: one of the backdrop's own colours


def _gradient(paint: ImageDraw.ImageDraw, colours: tuple[Colour, ...], rng: Random) -> None:
    upside = rng.random() < 0.5
    for y in range(SMALL):
        share = y / (SMALL - 1)
        paint.line((0, y, SMALL, y), fill=mix(colours[0], colours[1], share if upside else 1 - share))


def _bokeh(paint: ImageDraw.ImageDraw, colours: tuple[Colour, ...], rng: Random) -> None:
    _gradient(paint, colours, rng)
    for _ in range(9):
        x, y, r = rng.random() * SMALL, rng.random() * SMALL, 4 + rng.random() * 12
        paint.ellipse((x - r, y - r, x + r, y + r), fill=mix(colours[0], colours[2], 0.3 + 0.7 * rng.random()))


def _sky(paint: ImageDraw.ImageDraw, colours: tuple[Colour, ...], rng: Random) -> None:
    for row in range(SMALL):
        paint.line((0, row, SMALL, row), fill=mix((104, 176, 240), (216, 240, 255), row / SMALL))
    for _ in range(7):
        x, y, r = rng.random() * SMALL, (0.15 + 0.7 * rng.random()) * SMALL, 8 + rng.random() * 12
        paint.ellipse((x - r * 1.6, y - r * 0.7, x + r * 1.6, y + r * 0.7), fill=(250, 253, 255))


def _room(paint: ImageDraw.ImageDraw, colours: tuple[Colour, ...], rng: Random) -> None:
    _gradient(paint, colours, rng)
    for _ in range(6):
        x, y = rng.random() * SMALL, rng.random() * SMALL
        width, height = 8 + rng.random() * 32, 16 + rng.random() * 56
        paint.rectangle(
            (x, y, x + width, y + height), fill=mix(colours[0], colours[1 + (rng.random() < 0.4)], rng.random())
        )


def _rays(paint: ImageDraw.ImageDraw, colours: tuple[Colour, ...], rng: Random) -> None:
    paint.rectangle((0, 0, SMALL, SMALL), fill=colours[0])
    for i in range(12):
        start = 30 * i
        paint.pieslice((-SMALL, -SMALL, 2 * SMALL, 2 * SMALL), start, start + 15, fill=mix(colours[0], colours[1], 0.6))


def _leaves(paint: ImageDraw.ImageDraw, colours: tuple[Colour, ...], rng: Random) -> None:
    paint.rectangle((0, 0, SMALL, SMALL), fill=(168, 208, 128))
    for _ in range(26):
        x, y, r = rng.random() * SMALL, rng.random() * SMALL, 4 + rng.random() * 10
        tint = mix((64, 128, 72), (232, 248, 176), rng.random())
        paint.ellipse((x - r, y - r, x + r, y + r), fill=tint)


BACKDROPS: dict[str, Callable[[ImageDraw.ImageDraw, tuple[Colour, ...], Random], None]] = {
    "gradient": _gradient,
    "bokeh": _bokeh,
    "sky": _sky,
    "room": _room,
    "rays": _rays,
    "leaves": _leaves,
}


def backdrop(face: Face, pixels: int) -> Image.Image:
    """What is far behind: `pixels` by `pixels`, RGB."""
    if face.backdrop in PLAIN:
        return Image.new("RGB", (pixels, pixels), PLAIN[face.backdrop] or face.backdrop_colours[0])
    small = Image.new("RGB", (SMALL, SMALL))
    BACKDROPS[face.backdrop](ImageDraw.Draw(small), face.backdrop_colours, Random(face.strand + 3))
    return small.reduce(BLUR).resize((pixels, pixels), Image.Resampling.BICUBIC)


# --- clothes: y is counted from the chin ------------------------------------------------------------------------------


def _shoulders(canvas: Canvas, face: Face, colour: Colour, neckline: list[tuple[float, float]]) -> None:
    """A garment from its neckline (right half, from the neck's side to the middle) to below the picture."""
    c = face.chin
    outer = curve(
        [(neckline[0][0], neckline[0][1] + c), (0.85, c + 0.44), (1.35, c + 0.66), (1.65, c + 1.2), (1.8, c + 3.0)]
    )
    inner = np.array([(x, y + c) for x, y in neckline])
    body = np.concatenate([inner[::-1], outer])
    canvas.fill(mirrored(body), colour, depth=0.3)
    for sign in (-1.0, 1.0):
        canvas.line(body * (sign, 1.0), mix(colour, BLACK, 0.5), LINE, 0.8, depth=0.3)


def _tie(canvas: Canvas, face: Face, colours: tuple[Colour, ...], y: float) -> None:
    """A bow at the collar."""
    draw_bow(canvas, (0.0, face.chin + y), 0.30, colours, 0.3)


def _sailor(canvas: Canvas, face: Face) -> None:
    shade, base, trim = face.cloth
    body = WHITE if sum(base) < 380 else mix(base, WHITE, 0.4)
    _shoulders(canvas, face, body, [(0.36, 0.26), (0.22, 0.55), (0.0, 0.85)])
    c = face.chin
    collar = np.array(
        [
            (0.34, c + 0.22),
            (0.75, c + 0.36),
            (1.15, c + 0.62),
            (0.85, c + 1.5),
            (0.0, c + 1.1),
            (0.0, c + 0.85),
            (0.20, c + 0.5),
        ]
    )
    for sign in (-1.0, 1.0):
        canvas.fill(collar * (sign, 1.0), base, depth=0.3)
        canvas.line((collar[1:5] * (0.88, 1.0) - (0.0, 0.04)) * (sign, 1.0), trim, 0.04, depth=0.3)
        canvas.line(collar[[0, 6, 5]] * (sign, 1.0), shade, LINE, depth=0.3)
    _tie(canvas, face, face.trinket_colours, 0.92)


def _shirt(canvas: Canvas, face: Face) -> None:
    shade, base, trim = face.cloth
    _shoulders(canvas, face, base, [(0.42, 0.30), (0.26, 0.60), (0.0, 0.80)])
    c = face.chin
    wing = np.array([(0.30, c + 0.14), (0.46, c + 0.34), (0.30, c + 0.72), (0.02, c + 0.50), (0.20, c + 0.36)])
    collar = WHITE if trim[2] > 150 else trim
    for sign in (-1.0, 1.0):
        canvas.fill(wing * (sign, 1.0), collar, depth=0.3)
        canvas.outline(wing * (sign, 1.0), mix(shade, BLACK, 0.3), LINE, 0.7, depth=0.3)
    tie = np.array([(-0.10, c + 0.52), (0.10, c + 0.52), (0.13, c + 1.6), (-0.13, c + 1.6)])
    canvas.fill(tie, face.trinket_colours[1], depth=0.3)


def _turtleneck(canvas: Canvas, face: Face) -> None:
    shade, base, _ = face.cloth
    _shoulders(canvas, face, base, [(0.36, 0.10), (0.20, 0.20), (0.0, 0.22)])
    c = face.chin
    canvas.stroke(curve([(-0.38, c + 0.32), (0.0, c + 0.44), (0.38, c + 0.32)]), shade, 0.05, depth=0.3)


def _hood(canvas: Canvas, face: Face) -> None:
    shade, base, trim = face.cloth
    _shoulders(canvas, face, base, [(0.40, 0.30), (0.22, 0.62), (0.0, 0.80)])
    c = face.chin
    rim = curve([(0.42, c + 0.10), (0.78, c + 0.22), (0.80, c + 0.52), (0.40, c + 0.78), (0.04, c + 0.95)])
    for sign in (-1.0, 1.0):
        canvas.fill(
            np.concatenate([rim, np.array([(0.18, c + 0.62), (0.34, c + 0.36)])]) * (sign, 1.0), shade, depth=0.3
        )
        canvas.line(rim * (sign, 1.0), mix(shade, BLACK, 0.4), LINE, depth=0.3)
        canvas.line(np.array([(0.2, c + 0.72), (0.24, c + 1.5)]) * (sign, 1.0), trim, 0.04, depth=0.3)


def _bare(canvas: Canvas, face: Face) -> None:
    _, base, trim = face.cloth
    c = face.chin
    _shoulders(canvas, face, base, [(1.0, 0.60), (0.6, 0.98), (0.0, 1.05)])
    canvas.line(curve([(-0.33, c + 0.22), (0.0, c + 0.34), (0.33, c + 0.22)]), mix(base, BLACK, 0.25), 0.09, depth=0.3)
    canvas.stroke(
        curve([(-1.0, c + 0.62), (-0.6, c + 0.98), (0.0, c + 1.05), (0.6, c + 0.98), (1.0, c + 0.62)]),
        trim,
        0.14,
        depth=0.3,
    )


def _kimono(canvas: Canvas, face: Face) -> None:
    shade, base, trim = face.cloth
    _shoulders(canvas, face, base, [(0.42, 0.26), (0.26, 0.60), (0.0, 0.95)])
    c = face.chin
    for sign in (-1.0, 1.0):
        fold = np.array(
            [
                (0.40, c + 0.20),
                (0.58, c + 0.30),
                (0.36, c + 0.80),
                (-0.20, c + 1.5),
                (-0.38, c + 1.36),
                (0.22, c + 0.62),
            ]
        )
        canvas.fill(fold * (sign, 1.0), trim, depth=0.3)
        canvas.outline(fold * (sign, 1.0), shade, LINE, depth=0.3)


CLOTHES: dict[str, Callable[[Canvas, Face], None]] = {
    "sailor": _sailor,
    "shirt": _shirt,
    "turtleneck": _turtleneck,
    "hood": _hood,
    "bare": _bare,
    "kimono": _kimono,
}


def draw_clothes(canvas: Canvas, face: Face) -> None:
    """What the person wears."""
    CLOTHES[face.clothes](canvas, face)


# --- trinkets ---------------------------------------------------------------------------------------------------------


def draw_bow(canvas: Canvas, at: tuple[float, float], size: float, colours: tuple[Colour, ...], depth: float) -> None:
    """A ribbon's bow: two loops, two ends, a knot."""
    shade, base, light = colours
    line = mix(shade, BLACK, 0.5)
    where = np.array(at)
    for sign in (-1.0, 1.0):
        end = np.array([(0.0, 0.0), (0.55, 0.75), (0.28, 0.85), (0.12, 1.05)]) * (sign * size, size) + where
        canvas.fill(end, shade, depth=depth)
        wing = (
            loop([(0.0, 0.0), (0.55, -0.50), (1.05, -0.52), (1.08, 0.12), (0.9, 0.48), (0.45, 0.28)], 4)
            * (sign * size, size)
            + where
        )
        canvas.fill(wing, base, depth=depth)
        fold = np.array([(0.1, 0.02), (0.7, -0.12), (1.0, 0.2), (0.7, 0.36)]) * (sign * size, size) + where
        canvas.fill(fold, shade, 0.7, depth=depth)
        canvas.stroke(
            curve([(0.35, -0.25), (0.6, -0.38), (0.85, -0.38)]) * (sign * size, size) + where,
            light,
            size * 0.16,
            0.8,
            depth,
        )
        canvas.outline(wing, line, LINE * 0.8, depth=depth)
    knot = ellipse(at[0], at[1], size * 0.22, size * 0.24, 12)
    canvas.fill(knot, base, depth=depth)
    canvas.outline(knot, line, LINE * 0.8, depth=depth)


def _bow(canvas: Canvas, face: Face) -> None:
    draw_bow(canvas, (face.trinket_side * 0.2, -1.38), 0.55, face.trinket_colours, 0.6)


def _side_bow(canvas: Canvas, face: Face) -> None:
    draw_bow(canvas, (face.trinket_side * 0.95, -0.85), 0.38, face.trinket_colours, 0.5)


def _band(canvas: Canvas, face: Face) -> None:
    _, base, light = face.trinket_colours
    arc = [(-1.2, -0.35), (-1.04, -0.9), (-0.56, -1.22), (0.0, -1.3), (0.56, -1.22), (1.04, -0.9), (1.2, -0.35)]
    band = curve(arc) * (face.volume, 1.0)
    canvas.stroke(band, mix(base, BLACK, 0.5), 0.20, depth=0.6)
    canvas.stroke(band, base, 0.15, depth=0.6)
    canvas.stroke(band[12:22] - (0.0, 0.03), light, 0.05, 0.9, depth=0.6)


def _pins(canvas: Canvas, face: Face) -> None:
    shade, base, light = face.trinket_colours
    for step in (0.0, 0.13):
        pin = np.array([(0.52, -0.72 + step), (0.86, -0.62 + step)]) * (face.trinket_side, 1.0)
        canvas.line(pin, mix(shade, BLACK, 0.3), 0.09)
        canvas.line(pin, base, 0.055)
        canvas.line(pin * (1.0, 1.0) - (0.0, 0.01), light, 0.02)


def _flower(canvas: Canvas, face: Face) -> None:
    shade, base, light = face.trinket_colours
    x, y = face.trinket_side * 0.86, -0.78
    for turn in range(5):
        angle = turn * 2 * np.pi / 5 - np.pi / 2
        px, py = x + 0.15 * float(np.cos(angle)), y + 0.15 * float(np.sin(angle))
        canvas.fill(ellipse(px, py, 0.145, 0.145, 14), mix(shade, BLACK, 0.2), depth=0.6)
        canvas.fill(ellipse(px, py, 0.12, 0.12, 14), base, depth=0.6)
    canvas.fill(ellipse(x, y, 0.08, 0.08, 12), light, depth=0.6)


def _beret(canvas: Canvas, face: Face) -> None:
    shade, base, light = face.trinket_colours
    side = face.trinket_side
    shape = loop(
        [
            (-1.15, -0.82),
            (-1.22, -1.2),
            (-0.6, -1.66),
            (0.3, -1.74),
            (1.2, -1.5),
            (1.38, -1.02),
            (0.9, -0.92),
            (0.0, -1.06),
        ]
    )
    shape = shape * (side, 1.0)
    canvas.fill(shape, base, depth=0.4)
    under = curve([(-1.15, -0.82), (-0.6, -1.02), (0.0, -1.08), (0.9, -0.94), (1.38, -1.02)]) * (side, 1.0)
    canvas.stroke(under, shade, 0.16, depth=0.4)
    canvas.stroke(curve([(-0.7, -1.42), (-0.1, -1.58), (0.5, -1.56)]) * (side, 1.0), light, 0.10, 0.6, depth=0.4)
    canvas.outline(shape, mix(shade, BLACK, 0.5), LINE, depth=0.4)


def _maid(canvas: Canvas, face: Face) -> None:
    arc = curve([(-1.0, -0.92), (-0.55, -1.25), (0.0, -1.35), (0.55, -1.25), (1.0, -0.92)], 5)
    frill = arc + np.stack([np.zeros(len(arc)), -0.2 - 0.05 * (np.arange(len(arc)) % 2)], axis=1)
    shape = np.concatenate([arc + np.array([0.0, 0.06]), frill[::-1]])
    canvas.fill(shape, WHITE, depth=0.6)
    canvas.outline(shape, (140, 140, 170), LINE, depth=0.6)
    canvas.line(arc - (0.0, 0.03), face.trinket_colours[1], 0.06, depth=0.6)


def _headphones(canvas: Canvas, face: Face) -> None:
    shade, base, light = face.trinket_colours
    band = curve([(-1.2, -0.2), (-1.12, -0.95), (-0.6, -1.48), (0.0, -1.6), (0.6, -1.48), (1.12, -0.95), (1.2, -0.2)])
    canvas.line(band, mix(shade, BLACK, 0.4), 0.14, depth=0.3)
    canvas.line(band, base, 0.09, depth=0.3)
    for sign in (-1.0, 1.0):
        canvas.fill(ellipse(sign * 1.17, 0.02, 0.24, 0.36, 20), mix(shade, BLACK, 0.4), depth=0.3)
        canvas.fill(ellipse(sign * 1.17, 0.02, 0.20, 0.32, 20), base, depth=0.3)
        canvas.fill(ellipse(sign * 1.21, -0.02, 0.10, 0.18, 14), light, 0.7, depth=0.3)


TRINKETS: dict[str, Callable[[Canvas, Face], None]] = {
    "bow": _bow,
    "side-bow": _side_bow,
    "band": _band,
    "pins": _pins,
    "flower": _flower,
    "beret": _beret,
    "maid": _maid,
    "headphones": _headphones,
}


def draw_trinket(canvas: Canvas, face: Face) -> None:
    """What is worn in the hair or on it."""
    if face.trinket in TRINKETS:
        TRINKETS[face.trinket](canvas, face)


# Animal ears, right one: outline, then the inside.
EARS: dict[str, tuple[list[tuple[float, float]], list[tuple[float, float]]]] = {
    "cat-ears": (
        [(0.28, -1.2), (0.56, -1.60), (1.02, -1.92), (1.20, -1.4), (1.10, -0.7)],
        [(0.48, -1.2), (0.70, -1.50), (0.98, -1.72), (1.08, -1.36), (1.0, -0.9)],
    ),
    "bunny-ears": (
        [(0.18, -1.2), (0.16, -1.8), (0.42, -2.3), (0.66, -1.8), (0.62, -1.2)],
        [(0.30, -1.2), (0.30, -1.8), (0.43, -2.1), (0.54, -1.75), (0.50, -1.2)],
    ),
}


def draw_animal_ears(canvas: Canvas, face: Face, hair: Hair) -> None:
    """Cat ears are of the hair's colour; bunny ears are white."""
    if face.trinket not in EARS:
        return
    outline, inside = EARS[face.trinket]
    cat = face.trinket == "cat-ears"
    fur, line = (hair.tone(0.6), hair.tone(0.1)) if cat else ((250, 248, 252), (130, 120, 140))
    for sign in (-1.0, 1.0):
        shape: Points = curve(outline, 4) * (sign, 1.0)
        canvas.fill(shape, fur, depth=0.5)
        canvas.fill(curve(inside, 4) * (sign, 1.0), face.skin[4], 0.8, depth=0.5)
        canvas.line(shape, line, LINE, depth=0.5)


def draw_hair_ties(canvas: Canvas, face: Face) -> None:
    """What holds tails together."""
    spots = {
        "twin": ((-1.06, -0.82), (1.06, -0.82)),
        "pony": ((face.trinket_side * 0.42, -1.32),),
        "braids": ((-1.26, 2.2), (1.26, 2.2)),
        "low-twin": ((-0.98, 0.72), (0.98, 0.72)),
    }
    for spot in spots.get(face.back, ()):
        if face.strand % 3:
            draw_bow(canvas, spot, 0.26, face.trinket_colours, 0.2)
        else:
            canvas.fill(ellipse(*spot, 0.13, 0.15, 14), mix(face.trinket_colours[0], BLACK, 0.3), depth=0.2)
            canvas.fill(ellipse(*spot, 0.10, 0.12, 14), face.trinket_colours[1], depth=0.2)
