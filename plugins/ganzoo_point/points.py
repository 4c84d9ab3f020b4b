"""The modality of vectors of numbers, of any length."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganzoo.api import Architecture, Modality
from ganzoo_point import plane
from ganzoo_point.vectors import draw_vectors


class Points(Modality):
    """Vectors [D], as they are; their columns' mean and spread are told to the architecture."""

    fitted = True
    shown = 1024
    writes = (".csv",)

    @classmethod
    def fit(cls, rows: NDArray[Any], details: Mapping[str, Any]) -> dict[str, Any]:
        values = rows.astype(np.float64)
        return {**details, "mean": values.mean(0).tolist(), "spread": values.std(0).tolist()}

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
        view = plane.View() if real is None else plane.View.of(real)
        surface = None if model is None else plane.surface(model, view)
        return plane.draw(items, view, real, surface)

    def sheet_of_real(self, items: Tensor) -> Image.Image:
        return self.sheet(items[:0], real=items)

    def save(self, items: Tensor, file: Path) -> None:
        names = ",".join(f"x{column}" for column in range(items.shape[1]))
        rows = (",".join(f"{value:.9g}" for value in row) for row in items.tolist())
        file.write_text("\n".join([names, *rows]) + "\n", encoding="utf-8")
