"""The core's own modalities: images, and points (vectors of any length)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from ganzoo.contract.architecture import Architecture
from ganzoo.contract.modality import Array, Modality, column_statistics
from ganzoo.data.dataset import floats
from ganzoo.pictures import scatter
from ganzoo.pictures.grid import grid, to_bytes, to_picture
from ganzoo.pictures.vectors import draw_vectors


class Images(Modality):
    """Images [C, H, W] in [-1, 1]; a pack has them as bytes."""

    transforms = frozenset({"flip", "crop"})
    each = ".png"

    def encode(self, rows: Tensor) -> Tensor:
        """uint8 [N, H, W, C] -> [N, C, H, W] in [-1, 1], channels last in memory."""
        return floats(rows)

    def decode(self, items: Tensor) -> Tensor:
        return to_bytes(items)

    def clean(self, items: Tensor) -> Tensor:
        return items.clamp(-1, 1)

    def sheet(
        self,
        items: Tensor,
        columns: int | None = None,
        gap: int = 2,
        real: Tensor | None = None,
        model: Architecture | None = None,
    ) -> Image.Image:
        return grid(items, columns, gap)

    def save(self, items: Tensor, file: Path) -> None:
        to_picture(items[0]).save(file)


class Points(Modality):
    """Vectors [D], as they are; their columns' mean and spread are told to the architecture."""

    fitted = True
    shown = 1024
    writes = (".csv",)

    @classmethod
    def fit(cls, rows: Array, details: Mapping[str, Any]) -> dict[str, Any]:
        return {**details, **column_statistics(rows)}

    def sheet(
        self,
        items: Tensor,
        columns: int | None = None,
        gap: int = 2,
        real: Tensor | None = None,
        model: Architecture | None = None,
    ) -> Image.Image:
        """Dots in the plane, with D's verdict behind them where `model` has one; else pairs of columns, or histograms
        of each.
        """
        if items.shape[1] != 2:
            return draw_vectors(items, real)
        view = scatter.View() if real is None else scatter.View.of(real)
        surface = None if model is None else scatter.surface(model, view)
        return scatter.draw(items, view, real, surface)

    def sheet_of_real(self, items: Tensor) -> Image.Image:
        return self.sheet(items[:0], real=items)

    def save(self, items: Tensor, file: Path) -> None:
        names = ",".join(f"x{column}" for column in range(items.shape[1]))
        rows = (",".join(f"{value:.9g}" for value in row) for row in items.tolist())
        file.write_text("\n".join([names, *rows]) + "\n", encoding="utf-8")
