"""A lock of hair: a curved band from its root to its tip, filled from dark root to light middle, with a shaded edge, an
outline and a shine."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from random import Random

import numpy as np

from ganzoo_drawn.anime.canvas import Canvas
from ganzoo_drawn.anime.palette import Hair
from ganzoo_drawn.anime.params import Face
from ganzoo_drawn.curves import Points

OUTLINE = 0.02  # thickness of hair's outline, in head units
TEETH = 5  # points of a shine's jagged edge

Point = tuple[float, float]


@lru_cache(maxsize=4)
def _steps(count: int) -> Points:
    """0..1 in `count` even steps [count, 1]."""
    return np.linspace(0.0, 1.0, count)[:, None]


@dataclass
class Locks:
    """Locks to be drawn together; row i of each list is lock i. Later rows lie on top."""

    roots: list[Point] = field(default_factory=list)
    bends: list[Point] = field(default_factory=list)  # the control point of the quadratic curve
    tips: list[Point] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)  # half, at the widest

    def add(self, root: Point, bend: Point, tip: Point, width: float) -> None:
        """One more lock, on top of the others."""
        self.roots.append(root)
        self.bends.append(bend)
        self.tips.append(tip)
        self.widths.append(width)

    def edges(self, knots: int, taper: float, wave: float = 0.0) -> Edges:
        """The two edges [locks, knots, 2]. `taper`: 1.5 thin from half-way, 6 blunt. `wave`: sideways swing."""
        t = _steps(knots)
        root, bend, tip = (np.array(part)[:, None, :] for part in (self.roots, self.bends, self.tips))
        middle = (1 - t) ** 2 * root + 2 * t * (1 - t) * bend + t**2 * tip
        along = (1 - t) * (bend - root) + t * (tip - bend)
        along /= np.hypot(along[..., :1], along[..., 1:]) + 1e-9
        across = along[..., ::-1] * (-1.0, 1.0)
        if wave:
            middle = middle + across * np.sin(t * 13.0) * t * wave
        profile = np.sin(np.minimum(0.12 + t * 1.3, 1.0) * np.pi * 0.5) * (1 - t**taper)
        half = across * (np.array(self.widths)[:, None, None] * profile)
        return middle + half, middle - half


Edges = tuple[Points, Points]


@dataclass(frozen=True)
class Look:
    """How a group of locks is painted; tones are places on the hair's ramp."""

    root: float = 0.45
    middle: float = 0.68
    tip: float = 0.56
    shade: float = 0.50  # opacity of the shaded edge
    shine: float = 0.0  # how far the shine reaches along the lock, head units; 0: none
    shine_at: float = -0.90  # y of the shine
    outline: float = 0.65  # opacity
    outline_from: float = 0.35  # share of the lock whose outline is left away: hair has no seams at its root


FRONT = Look(shine=0.36)
STRAY = Look(root=0.62, tip=0.62, shade=0.2)
CURTAIN = Look(shine=0.34, tip=0.46, outline_from=0.12)
BEHIND = Look(root=0.46, middle=0.56, tip=0.42, shade=0.5, outline=0.55, outline_from=0.1)
TAIL = Look(root=0.46, middle=0.64, tip=0.50, shine=0.3, shine_at=-0.35, outline_from=0.0)


# How a lock's tone goes over into its root's and its tip's, band by band: first and last knot, counted from that end,
# and the share of the change. By the number of knots: small pictures need few bands.
BANDS = {
    9: (((0, 1, 1.0), (1, 3, 0.5)), ((1, 3, 0.5), (0, 1, 1.0))),
    17: (
        ((0, 1, 1.0), (1, 2, 0.88), (2, 3, 0.76), (3, 4, 0.62), (4, 5, 0.46), (5, 6, 0.30), (6, 7, 0.15)),
        ((5, 6, 0.16), (4, 5, 0.33), (3, 4, 0.5), (2, 3, 0.67), (1, 2, 0.84), (0, 1, 1.0)),
    ),
}


def _bands(look: Look, fade: float, knots: int) -> list[tuple[int, int, float]]:
    """Where along a lock its tone differs from the middle's: first knot, last knot, tone. `fade` lightens tips."""
    roots, tips = BANDS[knots]
    to_root, to_tip = look.root - look.middle, look.tip + fade - look.middle
    last = knots - 1
    return [(first, stop, look.middle + to_root * share) for first, stop, share in roots] + [
        (last - stop, last - first, look.middle + to_tip * share) for first, stop, share in tips
    ]


def paint(canvas: Canvas, face: Face, hair: Hair, edges: Edges, look: Look, rng: Random, depth: float) -> None:
    """Paint locks, first to last."""
    lit, dim = edges if face.light > 0 else edges[::-1]
    count, knots, _ = lit.shape
    whole = np.concatenate([lit, dim[:, ::-1]], axis=1)
    half = dim * 0.6 + lit * 0.4
    shaded = np.concatenate([half[:, 2:], dim[:, :1:-1]], axis=1)
    bands = [
        (np.concatenate([lit[:, a : b + 1], dim[:, a : b + 1][:, ::-1]], axis=1), tone)
        for a, b, tone in _bands(look, face.fade, knots)
    ]
    shine_start = (lit[..., 1] + dim[..., 1] < 2 * look.shine_at + 0.15 * lit[..., 0] ** 2).sum(axis=1)
    shine = _shine(lit, dim, shine_start, look.shine, rng) if look.shine else None
    # The side towards the light is brighter.
    side: list[float] = (0.07 * face.light * lit[..., 0].mean(axis=1).clip(-1.2, 1.2)).tolist()
    first = int(look.outline_from * knots)
    outlines = np.concatenate([dim[:, first:], lit[:, first:][:, ::-1]], axis=1)
    for i in range(count):
        change = rng.random() * 0.08 - 0.04 + side[i]
        canvas.fill(whole[i], hair.tone(look.middle + change), 1.0, depth)
        for polygons, tone in bands:
            canvas.fill(polygons[i], hair.tone(tone + change), 1.0, depth)
        canvas.fill(shaded[i], hair.tone(0.27), look.shade, depth)
        if shine is not None and shine_start[i] < knots - 2:
            canvas.fill(shine[i], hair.tone(0.96), 0.8, depth)
        canvas.line(outlines[i], hair.tone(0.1), OUTLINE, look.outline, depth)


def _shine(lit: Points, dim: Points, start: Points, reach: float, rng: Random) -> Points:
    """Jagged bands of light [locks, 2 * TEETH, 2] across locks whose edges are [locks, knots, 2]; `start` in knots."""
    count, knots, _ = lit.shape
    step = np.hypot(*(lit[:, 1:] - lit[:, :-1]).mean(axis=1).T)[:, None]  # between knots
    lots = np.array([rng.random() for _ in range(count * 2 * TEETH)]).reshape(2, count, TEETH)
    long = 0.2 + 0.8 * (np.arange(TEETH) % 2)
    reaches = reach / step * (0.2 + 0.5 * lots) * np.stack([long, long[::-1]])[:, None, :]
    middle = start[:, None]
    at = np.concatenate([middle - reaches[0], (middle + reaches[1])[:, ::-1]], axis=1).clip(0.0, knots - 1.01)
    low = at.astype(np.int64)
    share = (at - low)[..., None]
    row = np.arange(count)[:, None]
    across = 0.12 + 0.76 * _steps(TEETH)
    across = np.concatenate([across, across[::-1]])
    on_lit = lit[row, low] * (1 - share) + lit[row, low + 1] * share
    on_dim = dim[row, low] * (1 - share) + dim[row, low + 1] * share
    band: Points = on_lit * (1 - across) + on_dim * across
    return band
