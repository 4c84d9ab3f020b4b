"""Where a face is drawn: curves in head units become polygons on a picture that is larger than asked, then reduced.

Head units: the origin is between the eyes, x to the right, y down, and the face is about 2 wide (-1..1).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from ganzoo_drawn.curves import Points, ellipse

if TYPE_CHECKING:
    from ganzoo_drawn.anime.palette import Colour

SMALLEST = 192  # pixels of the canvas's side at least: thin lines need them
TURN_SHIFT = 0.30  # head units that the nose moves at a turn of 1
TURN_RADIUS = 1.25  # head units: beyond this from the middle a turn moves nothing


@lru_cache(maxsize=64)
def _swell(count: int) -> Points:
    """The thickness [count, 1] of a pen stroke along its way, 0..1."""
    swell: Points = np.sin(np.linspace(0.0, math.pi, count))[:, None].clip(0.0) ** 0.6
    return swell


def _along(points: Points) -> Points:
    """The direction [n, 2] of a line at each of its points [n, 2], not normalised."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    direction: Points = padded[2:] - padded[:-2]
    return direction


class Shape(NamedTuple):
    """A polygon, or a line where `thick` is not 0, waiting to be drawn."""

    points: Points  # [n, 2], head units
    colour: Colour
    alpha: float
    thick: int  # canvas pixels
    depth: float


class Canvas:
    """A square picture in the making. Shapes are collected and drawn at the end, in the order they came.

    Attributes:
        side: pixels of the finished picture's side.
        pixels: pixels of the canvas's side, a multiple of `side`.
        knots: points along a lock of hair, enough for this size.
        unit: canvas pixels in a head unit.
    """

    def __init__(self, side: int, centre: tuple[float, float], scale: float, tilt: float, turn: float) -> None:
        """`centre` and `scale` (of one head unit) are shares of the side, `tilt` is in radians, `turn` is -1..1."""
        self.side = side
        self.pixels = side * max(2, math.ceil(SMALLEST / side))
        self.knots = 9 if self.pixels < 384 else 17
        self.unit = scale * self.pixels
        self._turn = turn
        self._origin = (centre[0] * self.pixels, centre[1] * self.pixels)
        cos, sin = math.cos(tilt) * self.unit, math.sin(tilt) * self.unit
        self._rotation = np.array([[cos, sin], [-sin, cos]])
        self._shapes: list[Shape] = []

    def fill(self, points: Points, colour: Colour, alpha: float = 1.0, depth: float = 1.0) -> None:
        """A filled polygon [n, 2]; `depth` is how much a turn of the head moves it (0: not)."""
        self._shapes.append(Shape(points, colour, alpha, 0, depth))

    def line(self, points: Points, colour: Colour, width: float, alpha: float = 1.0, depth: float = 1.0) -> None:
        """A line [n, 2], `width` head units thick."""
        self._shapes.append(Shape(points, colour, alpha, max(1, round(width * self.unit)), depth))

    def outline(self, points: Points, colour: Colour, width: float, alpha: float = 1.0, depth: float = 1.0) -> None:
        """A closed line [n, 2], `width` head units thick."""
        self.line(np.concatenate([points, points[:1]]), colour, width, alpha, depth)

    def stroke(self, points: Points, colour: Colour, width: float, alpha: float = 1.0, depth: float = 1.0) -> None:
        """A pen stroke [n, 2]: `width` thick in the middle, pointed at both ends."""
        along = _along(points)
        swell = _swell(len(points)) * (width / 2) / (np.hypot(along[:, :1], along[:, 1:]) + 1e-9)
        across = along[:, ::-1] * (-1.0, 1.0) * swell
        self.fill(np.concatenate([points + across, (points - across)[::-1]]), colour, alpha, depth)

    def glow(self, x: float, y: float, rx: float, ry: float, colour: Colour, alpha: float, depth: float = 1.0) -> None:
        """A soft spot: `alpha` in the middle, fading outwards."""
        for part in (1.0, 0.75, 0.5):
            self.fill(ellipse(x, y, rx * part, ry * part, 16), colour, alpha / 2.4, depth)

    def finish(self, backdrop: Image.Image) -> Image.Image:
        """Draw all shapes on `backdrop` (as large as the canvas); the picture at the size asked."""
        opaque, blend = ImageDraw.Draw(backdrop), ImageDraw.Draw(backdrop, "RGBA")
        sizes = [len(shape.points) for shape in self._shapes]
        placed = self._placed(sizes)
        starts = np.cumsum([0, *sizes[:-1]])
        low, high = np.minimum.reduceat(placed, starts), np.maximum.reduceat(placed, starts)
        seen: list[bool] = np.all((high > 0) & (low < self.pixels), axis=1).tolist()
        flat: list[float] = placed.ravel().tolist()
        for shape, start, size, is_seen in zip(self._shapes, (2 * starts).tolist(), sizes, seen, strict=True):
            if not is_seen:
                continue
            points = flat[start : start + 2 * size]
            draw, fill = opaque, shape.colour
            if shape.alpha < 1.0:
                draw, fill = blend, (*shape.colour, int(255 * shape.alpha))  # type: ignore[assignment]
            if shape.thick:
                draw.line(points, fill, shape.thick)
            else:
                draw.polygon(points, fill)
        return backdrop.reduce(self.pixels // self.side)

    def _placed(self, sizes: list[int]) -> Points:
        """Canvas positions [all points, 2] of every shape; `sizes` are the shapes' numbers of points."""
        points = np.concatenate([shape.points for shape in self._shapes])
        depth = np.repeat([shape.depth for shape in self._shapes], sizes)
        shift = np.maximum(0.0, 1.0 - (points[:, 0] / TURN_RADIUS) ** 2) * depth
        points[:, 0] += shift * (self._turn * TURN_SHIFT)
        placed: Points = points @ self._rotation + self._origin
        return placed
