"""Smooth curves through a few points, flattened into polygons."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@lru_cache(maxsize=64)
def _spline_basis(count: int, closed: bool, per_span: int) -> Points:
    """Weights [samples, count] of a Catmull-Rom spline through `count` points."""
    spans = count if closed else count - 1
    basis = np.zeros((spans * per_span + (not closed), count))
    for sample in range(len(basis)):
        span = min(sample // per_span, spans - 1)
        t = sample / per_span - span
        weights = (
            -0.5 * t + t**2 - 0.5 * t**3,
            1 - 2.5 * t**2 + 1.5 * t**3,
            0.5 * t + 2 * t**2 - 1.5 * t**3,
            -0.5 * t**2 + 0.5 * t**3,
        )
        for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
            at = (span + offset) % count if closed else min(max(span + offset, 0), count - 1)
            basis[sample, at] += weight
    return basis


def curve(points: Any, per_span: int = 6) -> Points:
    """An open smooth curve [samples, 2] through `points` [n, 2]."""
    through: Points = np.asarray(points, dtype=np.float64)
    return _spline_basis(len(through), False, per_span) @ through


def loop(points: Any, per_span: int = 6) -> Points:
    """A closed smooth curve [samples, 2] through `points` [n, 2]."""
    through: Points = np.asarray(points, dtype=np.float64)
    return _spline_basis(len(through), True, per_span) @ through


@lru_cache(maxsize=8)
def _circle(count: int) -> Points:
    angles = np.linspace(0.0, 2 * math.pi, count, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def ellipse(x: float, y: float, rx: float, ry: float, count: int = 24) -> Points:
    """The outline [count, 2] of an ellipse about (x, y)."""
    outline: Points = _circle(count) * (rx, ry) + (x, y)
    return outline


def mirrored(half: Any) -> Points:
    """A closed outline from its right half [n, 2], listed from top to bottom."""
    right: Points = np.asarray(half, dtype=np.float64)
    return np.concatenate([right, right[::-1] * (-1.0, 1.0)])
