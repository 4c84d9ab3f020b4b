"""`digits`: handwritten-looking digits, white on black.

A digit is a few pen strokes through a handful of points, in one of several ways of writing it. Every picture bends,
slants, stretches and presses them differently.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar

import numpy as np
from PIL import Image, ImageDraw

from ganzoo.api import UsageError, option
from ganzoo_drawn.curves import Points, curve

VERSION = 1  # of the drawing: raised whenever the same options draw other pictures
SIDE = 28  # pixels, when no size is asked
BOX = 20 / 28  # share of the side that a digit fills, as in MNIST
SMALLEST = 112  # pixels of the canvas's side at least

# Ways to write each digit: strokes of x, y from the left top corner, in hundredths. A pen that turns sharply starts a
# new stroke where it is.
WAYS: dict[int, tuple[str, ...]] = {
    0: (
        "50,0 20,14 8,50 20,87 50,100 80,86 92,50 80,13 50,0",
        "62,4 35,2 14,28 10,62 30,96 60,98 86,70 88,32 70,6 48,6",
        "46,2 20,30 16,70 44,99 76,78 82,36 64,6 40,8",
    ),
    1: (
        "50,0 50,50 50,100",
        "54,0 50,50 47,100",
        "28,22 44,12 54,0 / 54,0 53,50 52,100",
        "28,20 46,10 54,0 / 54,0 54,50 54,98 / 24,99 54,98 82,98",
    ),
    2: (
        "10,26 28,4 64,2 86,24 70,54 40,80 8,98 / 8,98 50,95 95,96",
        "14,22 40,0 78,10 82,38 50,74 18,97 12,84 34,78 60,92 94,96",
        "12,12 46,2 80,14 78,40 44,70 14,97 / 14,97 52,99 90,92",
    ),
    3: (
        "10,14 40,0 78,12 74,36 38,47 / 38,47 78,54 88,78 54,99 8,88",
        "12,4 50,3 86,3 / 86,3 62,24 40,42 / 40,42 80,50 88,76 56,99 10,90",
        "16,10 52,0 80,18 64,42 46,48 76,58 84,82 48,100 12,90",
    ),
    4: (
        "22,2 14,34 12,58 / 12,58 50,58 92,54 / 76,10 72,50 68,100",
        "66,2 38,34 8,64 / 8,64 50,65 94,64 / 66,2 66,50 65,100",
        "16,4 14,30 30,50 60,50 82,40 / 86,2 82,50 74,100",
    ),
    5: (
        "86,2 56,3 26,4 / 26,4 22,24 18,46 / 18,46 50,38 86,60 74,90 40,100 8,90",
        "80,4 50,2 30,8 22,44 / 22,44 56,40 84,66 62,96 14,94",
        "24,6 22,26 20,46 / 20,46 58,40 84,64 70,94 36,100 10,88 / 24,6 52,5 84,2",
    ),
    6: (
        "74,2 44,18 18,52 14,80 38,100 74,92 82,68 58,52 30,62 16,80",
        "58,0 34,30 18,66 30,97 64,98 80,74 60,56 34,64 20,80",
        "80,8 54,2 24,28 12,66 30,98 68,96 84,74 62,58 34,62 14,76",
    ),
    7: (
        "8,8 50,6 92,4 / 92,4 66,46 44,100",
        "10,6 50,4 88,6 / 88,6 70,40 58,70 52,100",
        "8,6 50,6 90,4 / 90,4 64,50 42,100 / 32,52 56,50 82,50",
        "10,20 12,6 / 12,6 50,8 88,4 / 88,4 62,44 46,100",
    ),
    8: (
        "80,14 50,0 20,16 32,38 62,54 84,76 52,100 16,80 38,54 70,38 82,18 70,6",
        "50,48 22,28 36,4 66,4 78,26 50,48 20,72 34,98 68,98 82,72 50,48",
        "76,10 46,0 22,20 46,44 76,66 66,96 32,96 22,70 52,48 80,24 74,8",
    ),
    9: (
        "84,18 54,0 20,14 16,40 44,52 74,38 84,16 / 84,16 80,56 70,100",
        "82,24 58,2 26,10 18,36 44,50 74,34 82,10 82,50 66,88 34,98 14,90",
        "78,20 48,2 18,22 34,48 66,42 80,14 / 80,14 76,58 74,100",
    ),
}  # fmt: skip


def _strokes(way: str) -> list[Points]:
    """The strokes [n, 2] of one way of writing, in 0..1."""
    return [
        np.array([[float(number) / 100 for number in pair.split(",")] for pair in stroke.split()])
        for stroke in way.split("/")
    ]


_WAYS = {digit: tuple(_strokes(way) for way in ways) for digit, ways in WAYS.items()}


def _normal(rng: Random) -> float:
    """A draw that is nearly normal, of standard deviation 1."""
    return (rng.random() + rng.random() + rng.random() + rng.random() - 2.0) * math.sqrt(3.0)


def _warp(points: Points, rng: Random) -> Points:
    """Points [n, 2] of a hand that slants, stretches, turns and trembles; about the origin, about -0.5..0.5."""
    slant, turn, width = 0.16 * _normal(rng), 0.10 * _normal(rng), 0.80 + 0.13 * _normal(rng)
    waves = [0.035 * _normal(rng) for _ in range(4)]
    phases = [rng.random() * 6.28 for _ in range(4)]
    x, y = points[:, 0] - 0.5, points[:, 1] - 0.5
    bent_x = x + waves[0] * np.sin(5 * y + phases[0]) + waves[1] * np.sin(5 * x + phases[1])
    bent_y = y + waves[2] * np.sin(5 * x + phases[2]) + waves[3] * np.sin(5 * y + phases[3])
    cos, sin = math.cos(turn), math.sin(turn)
    across = max(0.5, width) * bent_x - slant * bent_y
    return np.stack([cos * across - sin * bent_y, sin * across + cos * bent_y], axis=1)


def _trace(digit: int, pen: float, rng: Random) -> list[Points]:
    """The strokes [n, 2] of one digit written with a pen that wide; all in shares of the picture's side."""
    ways = _WAYS[digit]
    way = ways[int(rng.random() * len(ways))]
    # Strokes that start where another one ended still do: equal points are shaken alike.
    shaken: dict[tuple[float, float], tuple[float, float]] = {}
    for point in np.concatenate(way).tolist():
        shaken.setdefault((point[0], point[1]), (point[0] + 0.025 * _normal(rng), point[1] + 0.025 * _normal(rng)))
    smooth = [curve([shaken[x, y] for x, y in stroke.tolist()], 7) for stroke in way]
    warped = _warp(np.concatenate(smooth), rng)
    low, high = warped.min(axis=0), warped.max(axis=0)
    grow = (BOX * (0.95 + 0.08 * rng.random()) - pen) / float(max(high - low))
    centred = (warped - (warped.mean(axis=0) + (low + high) / 2) / 2) * grow
    centred += (0.5 + 0.012 * _normal(rng), 0.5 + 0.012 * _normal(rng))
    margin = 0.6 * pen + 1.5 / SIDE  # the ink stays off the picture's edge
    centred += np.maximum(0.0, margin - centred.min(axis=0)) - np.maximum(0.0, centred.max(axis=0) - (1 - margin))
    return np.split(centred, np.cumsum([len(stroke) for stroke in smooth])[:-1])


def _ink(strokes: list[Points], pen: float, pixels: int, rng: Random) -> Image.Image:
    """The strokes as a pen of changing pressure draws them."""
    picture = Image.new("L", (pixels, pixels))
    paper = ImageDraw.Draw(picture)
    pressure, phase, pace = 0.18 * rng.random(), rng.random() * 6.28, 2 + 4 * rng.random()
    for stroke in strokes:
        at = (stroke * pixels).tolist()
        for i, (x, y) in enumerate(at):
            r = pixels * pen / 2 * (1 + pressure * math.sin(phase + pace * i / len(at)))
            paper.ellipse((x - r, y - r, x + r, y + r), fill=255)
            if i:
                paper.line((*at[i - 1], x, y), fill=255, width=max(1, round(2 * r)))
    return picture


@dataclass(frozen=True)
class Digits:
    """Handwritten-looking digits 0 to 9, white on black."""

    images: int = option(8192, "how many digits", low=1)
    seed: int = option(0, "another seed draws other digits", low=0)

    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")

    def __post_init__(self) -> None:
        if self.images < 1:
            raise UsageError(
                f"digits cannot draw {self.images} images; ask for at least one, as in digits:images=8192."
            )

    def __len__(self) -> int:
        return self.images

    def _stream(self, index: int) -> Random:
        return Random(f"digit:{self.seed}:{index}")

    def label(self, index: int) -> int:
        """Which digit it is; nothing is drawn."""
        return int(self._stream(index).random() * 10)

    def read(self, index: int, size: tuple[int, int] | None = None) -> Image.Image:
        """Digit `index`, grey (mode "L") and square; its side is the larger of `size` (height, width), or 28 pixels."""
        side = SIDE if size is None else max(size)
        times = max(2, math.ceil(SMALLEST / side))
        rng = self._stream(index)
        digit = int(rng.random() * 10)
        pen = 0.088 + 0.022 * max(-1.4, _normal(rng))
        return _ink(_trace(digit, pen, rng), pen, side * times, rng).reduce(times)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the pictures do."""
        return f"digits-v{VERSION}:{self.images}:{self.seed}"

    @property
    def domains(self) -> Mapping[str, Sequence[int]]:
        """None: this is one set of digits."""
        return {}
