"""Vectors that are no points of the plane: each pair of a few columns as dots, or each of many as a histogram."""

from __future__ import annotations

import math
from io import BytesIO

import torch
from PIL import Image
from torch import Tensor

PAIRED = 4  # columns at the most that are drawn in pairs
DRAWN = 24  # histograms at the most; a note says how many are left out
BINS = 40
REAL, MADE = "#464646", "#c81e5a"  # as in a scatter plot


def draw_vectors(made: Tensor, real: Tensor | None = None) -> Image.Image:
    """Vectors [N, D] beside real ones, on axes that the real ones decide where there are some."""
    made, real = made.float().cpu(), None if real is None else real.float().cpu()
    made = made[made.isfinite().all(1)]
    return _pairs(made, real) if 2 <= made.shape[1] <= PAIRED else _histograms(made, real)


def _pairs(made: Tensor, real: Tensor | None) -> Image.Image:
    """A square of plots, column against column, with histograms on its diagonal."""
    from matplotlib.figure import Figure

    count = made.shape[1]
    figure = Figure(figsize=(1.6 * count, 1.6 * count), layout="constrained")
    axes = figure.subplots(count, count, squeeze=False)
    for row in range(count):
        for column in range(count):
            axis = axes[row, column]
            if row == column:
                _histogram(axis, made[:, row], None if real is None else real[:, row])
            else:
                for points, colour in ((real, REAL), (made, MADE)):
                    if points is not None:
                        axis.scatter(points[:, column], points[:, row], s=1, color=colour, linewidths=0)
            axis.tick_params(labelsize=5)
    return to_image(figure)


def _histograms(made: Tensor, real: Tensor | None) -> Image.Image:
    from matplotlib.figure import Figure

    count = min(made.shape[1], DRAWN)
    across = math.ceil(math.sqrt(count))
    down = math.ceil(count / across)
    figure = Figure(figsize=(1.8 * across, 1.4 * down + 0.3), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False).flatten()
    for column, axis in enumerate(axes):
        if column >= count:
            axis.set_axis_off()
            continue
        _histogram(axis, made[:, column], None if real is None else real[:, column])
        axis.set_title(f"column {column}", fontsize=6)
        axis.tick_params(labelsize=5)
    if made.shape[1] > count:
        figure.suptitle(f"the first {count} of {made.shape[1]} columns", fontsize=7)
    return to_image(figure)


def _histogram(axis: object, made: Tensor, real: Tensor | None) -> None:
    among = made if real is None else real
    low, high = (float(among.min()), float(among.max())) if len(among) else (0.0, 1.0)
    room = max(high - low, 1e-3) * 0.1
    edges = torch.linspace(low - room, high + room, BINS + 1).tolist()
    for values, colour in ((real, REAL), (made, MADE)):
        if values is not None and len(values):
            axis.hist(values.clamp(edges[0], edges[-1]).tolist(), edges, density=True, color=colour, alpha=0.5)  # type: ignore[attr-defined]
    axis.set_yticks([])  # type: ignore[attr-defined]


def to_image(figure: object) -> Image.Image:
    """A figure of matplotlib's as a picture."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=100)  # type: ignore[attr-defined]
    return Image.open(buffer).convert("RGB")
