"""My modality: curves [L], one .npy file each, scaled by the largest number to train on."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
from ganzoo.api import Architecture, Modality, Unreadable, UsageError
from PIL import Image, ImageDraw
from torch import Tensor

WIDTH, HEIGHT = 320, 160  # pixels of a sheet


class MyModality(Modality):
    """Curves; encoded, they lie in [-1, 1]."""

    fitted = True
    shown = 16
    each = ".npy"

    @classmethod
    def read(cls, data: bytes) -> tuple[numpy.ndarray[Any, Any], dict[str, Any]]:
        try:
            curve = numpy.load(io.BytesIO(data), allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise Unreadable("is no .npy file, or is cut short") from error
        if curve.ndim != 1 or not numpy.isfinite(curve).all():
            raise Unreadable("is no row of finite numbers")
        return curve.astype(numpy.float32), {}

    @classmethod
    def settle(cls, seen: Sequence[tuple[tuple[int, ...], Mapping[str, Any]]], options: Any) -> dict[str, Any]:
        if len({shape for shape, _ in seen}) > 1:
            raise UsageError("The curves have different lengths; give curves of one.")
        return {}

    @classmethod
    def fit(cls, rows: numpy.ndarray[Any, Any], details: Mapping[str, Any]) -> dict[str, Any]:
        return {**details, "scale": max(float(numpy.abs(rows).max()), 1e-9)}

    def encode(self, rows: Tensor) -> Tensor:
        return rows.float() / float(self.state["scale"])

    def decode(self, items: Tensor) -> Tensor:
        return items * float(self.state["scale"])

    def sheet(
        self,
        items: Tensor,
        columns: int | None = None,
        gap: int = 2,
        real: Tensor | None = None,
        model: Architecture | None = None,
    ) -> Image.Image:
        """All of them in one picture."""
        picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
        pen = ImageDraw.Draw(picture)
        for curve in items.detach().float().cpu().clamp(-1, 1).tolist():
            step = WIDTH / max(1, len(curve) - 1)
            pen.line([(step * x, HEIGHT * (1 - y) / 2) for x, y in enumerate(curve)], fill=(200, 30, 90))
        return picture

    def save(self, items: Tensor, file: Path) -> None:
        with file.open("wb") as opened:
            numpy.save(opened, self.decode(items[0]).cpu().numpy())
