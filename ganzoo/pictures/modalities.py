"""The core's own modality: images."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image
from torch import Tensor

from ganzoo.contract.architecture import Architecture
from ganzoo.contract.modality import Modality
from ganzoo.data.dataset import floats
from ganzoo.pictures.framed import PNG
from ganzoo.pictures.grid import grid, to_bytes, to_picture


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
        held = BytesIO()  # one write in place of ten
        to_picture(items[0]).save(held, "png", **PNG)
        file.write_bytes(held.getvalue())
