"""Points of the plane: every picture of a run has the same axes, and shows D's verdict as a surface behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn.functional import pad

from ganzoo.api import Architecture

SIDE = 400  # pixels of a picture
CELLS = 100  # of the surface, in each direction
BANDS = 24  # of colour, so that the surface is seen as by contour lines
ROOM = 1.4  # how much wider than the data a picture is
REAL, MADE = (70, 70, 70), (200, 30, 90)  # dots
LOW, MIDDLE, HIGH = (120, 165, 215), (250, 250, 250), (245, 190, 95)  # the surface: surely made, undecided, surely real


@dataclass(frozen=True)
class View:
    """A square window on the plane: its centre, and half its side."""

    x: float = 0.0
    y: float = 0.0
    reach: float = 1.25

    @classmethod
    def of(cls, points: Tensor) -> View:
        """The window in which points [N, D] lie with some room; of their first two coordinates."""
        low, high = _flat(points).min(0).values, _flat(points).max(0).values
        x, y = ((low + high) / 2).tolist()
        return cls(x, y, ROOM * max(float((high - low).max()) / 2, 1e-3))

    def lattice(self) -> Tensor:
        """The middles of the surface's cells, row by row from the top: [CELLS * CELLS, 2]."""
        across = (torch.arange(CELLS) + 0.5) / CELLS * 2 - 1
        y, x = torch.meshgrid(-across, across, indexing="ij")
        return torch.stack([x, y], -1).reshape(-1, 2) * self.reach + torch.tensor([self.x, self.y])

    def pixels(self, points: Tensor) -> list[tuple[float, float]]:
        """Where points [N, D] are in the picture; those outside are on its edge, those not finite are left out."""
        places = (_flat(points) - torch.tensor([self.x, self.y])) / self.reach
        inside = places[places.isfinite().all(1)].clamp(-0.995, 0.995)
        return [(SIDE * (x + 1) / 2, SIDE * (1 - y) / 2) for x, y in inside.tolist()]


@torch.no_grad()
def surface(model: Architecture, view: View) -> Tensor | None:
    """D's verdict all over a window, [CELLS, CELLS], in evaluation mode; None where the model has none to give, or not
    without a label.
    """
    if model.data.shape != (2,) or model.conditional or not model.abilities.realness:
        return None
    training = model.training
    verdict = model.eval().realness(view.lattice().to(model.device))
    model.train(training)
    return verdict.float().cpu().reshape(CELLS, CELLS)


def draw(made: Tensor, view: View, real: Tensor | None = None, verdict: Tensor | None = None) -> Image.Image:
    """Points [N, D] as dots, real ones below them, on the surface `verdict` [CELLS, CELLS].

    A surface of probabilities is coloured from 0 to 1, any other from its least value to its greatest, and the
    picture says which values it has.
    """
    picture = _coloured(verdict) if verdict is not None else Image.new("RGB", (SIDE, SIDE), "white")
    pen = ImageDraw.Draw(picture)
    for points, radius, colour in ((real, 1, REAL), (made, 2, MADE)):
        for x, y in view.pixels(points) if points is not None else ():
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    if verdict is not None:
        values = f"D(x): {float(verdict.min()):.3g} to {float(verdict.max()):.3g}"
        pen.text((6, SIDE - 18), values, fill="black", font_size=13)
    return picture


def _flat(points: Tensor) -> Tensor:
    """The first two coordinates of points [N, D]; 0 where there is none."""
    return pad(points.float(), (0, 1))[:, :2]


def _coloured(verdict: Tensor) -> Image.Image:
    """The surface in colours, as large as a picture."""
    values = verdict.nan_to_num()
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    share = (values - low) / max(high - low, math.ulp(1.0))
    smooth = Image.fromarray(share.numpy()).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    band = numpy.floor(numpy.asarray(smooth) * BANDS).clip(0, BANDS - 1).astype(int)
    return Image.fromarray(_palette()[band])


def _palette() -> numpy.ndarray[Any, Any]:
    """The colours of the bands, [BANDS, 3] bytes: from LOW over MIDDLE to HIGH."""
    share = (numpy.arange(BANDS) + 0.5) / BANDS
    stops = numpy.array([LOW, MIDDLE, HIGH]).T
    return numpy.stack([numpy.interp(share, (0, 0.5, 1), stop) for stop in stops], -1).round().astype(numpy.uint8)
